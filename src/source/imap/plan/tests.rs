//! Planning against tables and against a mailbox that changes under it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::evidence::Role;
use crate::imap::Flags;
use crate::source::imap::cursor::Way;
use crate::time::DAY;

const NOW: Timestamp = Timestamp::from_second(1_800_000_000);
const TIMES: Times = Times { since: NOW.minus(730 * DAY), text_since: NOW.minus(120 * DAY) };
const WAY: Way = Way { reader: 1, bodies: true, window: 120 * DAY, history: 730 * DAY, role: Some(Role::Inbox) };

#[test]
fn what_is_done_with_a_message_depends_on_its_arrival_and_flags() {
    let row = |days: i64| Fetched { internal_date: Some(NOW.minus(days * DAY)), ..Fetched::default() };
    for (days, expected) in [
        (0, Kind::Recent),
        (120, Kind::Recent),
        (122, Kind::Recent),
        (123, Kind::Older),
        (731, Kind::Older),
        (733, Kind::Unwanted),
        (-400, Kind::Recent),
    ] {
        assert_eq!(TIMES.kind(&row(days)), expected, "{days}");
    }
    // no date, or none that can be: the header tells
    assert_eq!(TIMES.kind(&Fetched::default()), Kind::Recent);
    assert_eq!(
        TIMES.kind(&Fetched { internal_date: Some(Timestamp::from_second(0)), ..Fetched::default() }),
        Kind::Recent
    );
    for flags in [Flags { draft: true, ..Flags::default() }, Flags { deleted: true, ..Flags::default() }] {
        assert_eq!(TIMES.kind(&Fetched { flags: Some(flags), ..row(0) }), Kind::Unwanted);
    }
}

#[test]
fn passes_follow_the_marks() {
    let state = |next, text_low, low| State { way: WAY, validity: 1, next, low, text_low, read: 0 };
    for (state, uid_next, expected) in [
        (state(10, 1, 1), 10, vec![]),
        (state(10, 1, 1), 12, vec![Pass::New { first: 10, last: 11 }]),
        (state(10, 10, 10), 10, vec![Pass::History { last: 9 }]),
        (state(10, 10, 1), 10, vec![Pass::Window { first: 1, last: 9 }]),
        (
            state(10, 10, 5),
            11,
            vec![Pass::New { first: 10, last: 10 }, Pass::Window { first: 5, last: 9 }, Pass::History { last: 4 }],
        ),
        (state(1, 1, 1), 1, vec![]),
    ] {
        assert_eq!(state.passes(uid_next), expected, "{state:?}");
    }
}

fn survey(rows: impl IntoIterator<Item = (Uid, Kind)>) -> Survey {
    let mut survey = Survey::default();
    rows.into_iter().for_each(|(uid, kind)| survey.add(uid, kind));
    survey
}

fn shown(sets: &[UidSet]) -> Vec<String> {
    sets.iter().map(ToString::to_string).collect()
}

#[test]
fn a_large_mailbox_is_a_few_ranges_newest_first() {
    let rows = (1..=100_000_u32).map(|n| (3 * n, if n <= 90_000 { Kind::Older } else { Kind::Recent }));
    let survey = survey(rows);
    assert_eq!(survey.0.len(), 1_000);
    let lumps = survey.lumps(Pass::History { last: 400_000 });
    assert_eq!(lumps.len(), 50);
    assert_eq!(shown(&lumps[0].sets(Kind::Recent, 100))[..2], ["299703:300000", "299403:299700"]);
    assert!(lumps[0].sets(Kind::Older, 100).is_empty());
    assert_eq!(lumps.iter().map(Lump::count).sum::<u32>(), 100_000);
    assert_eq!(shown(&lumps[49].sets(Kind::Older, 200)).last().unwrap(), "3:300,303:600");
}

#[test]
fn what_is_unwanted_is_in_no_set() {
    let kinds = [Kind::Recent, Kind::Unwanted, Kind::Older, Kind::Recent, Kind::Recent];
    let lumps = survey((1..).zip(kinds)).lumps(Pass::History { last: 9 });
    assert_eq!(shown(&lumps[0].sets(Kind::Recent, 100)), ["1,4:5"]);
    assert_eq!(shown(&lumps[0].sets(Kind::Recent, 2)), ["4:5", "1"]);
    assert_eq!(shown(&lumps[0].sets(Kind::Older, 100)), ["3"]);
    let lumps = survey((1..).zip(kinds)).lumps(Pass::Window { first: 1, last: 9 });
    assert!(lumps[0].sets(Kind::Older, 100).is_empty());
    assert!(survey([(1, Kind::Unwanted)]).lumps(Pass::History { last: 9 }).is_empty());
}

#[test]
fn sets_are_halved_down_to_one_message() {
    let halves = |set: UidSet| set.halves().map(|(a, b)| (a.to_string(), b.to_string()));
    assert_eq!(halves(UidSet::range(1, 5)), Some(("1:3".into(), "4:5".into())));
    assert_eq!(halves(UidSet::range(1, 2)), Some(("1".into(), "2".into())));
    assert_eq!(halves(UidSet::of([1, 2, 5, 9])), Some(("1:2".into(), "5,9".into())));
    assert_eq!(halves(UidSet::range(7, 7)), None);
    assert_eq!(halves(UidSet::of([])), None);
}

/// A mailbox on a server, and what was ever handed on from it.
#[derive(Default, Debug)]
struct World {
    validity: u32,
    next: Uid,
    /// UID to what it is and when it arrived.
    mails: BTreeMap<Uid, (u32, Timestamp)>,
    made: u32,
    /// Handed on at all.
    read: BTreeSet<u32>,
    /// Handed on with their text since the reader changed.
    texts: BTreeSet<u32>,
}

#[derive(Clone, Debug)]
enum Step {
    /// So many mails arrive, the first so many days ago and each other a few earlier.
    Arrive(u16, u16),
    /// Every so-manyth mail goes.
    Expunge(usize),
    /// The mailbox is made anew with what it holds, in this order or the other way round.
    Anew(bool),
    /// A reading that is killed after so many lumps.
    Read(usize),
    /// A newer reader.
    Reader,
}

impl World {
    fn step(&mut self, step: &Step, state: &mut Option<State>, way: &mut Way) {
        match step {
            Step::Arrive(count, days) => {
                for n in 0..*count {
                    let days = i64::from(days + 7 * (n % 150));
                    self.mails.insert(self.next, (self.made, NOW.minus(days * DAY)));
                    self.made += 1;
                    self.next += 1 + u32::from(n % 3);
                }
            }
            Step::Expunge(nth) => {
                let gone: BTreeSet<Uid> = self.mails.keys().copied().step_by(nth + 1).collect();
                self.mails.retain(|uid, _| !gone.contains(uid));
            }
            Step::Anew(turned) => {
                self.validity += 1;
                let mut mails: Vec<_> = std::mem::take(&mut self.mails).into_values().collect();
                if *turned {
                    mails.reverse();
                }
                self.next = u32::try_from(mails.len()).unwrap() + 1;
                self.mails = (1..).zip(mails).collect();
            }
            Step::Read(lumps) => *state = Some(self.reading(*state, *way, *lumps)),
            Step::Reader => {
                way.reader += 1;
                self.texts.clear();
            }
        }
    }

    /// What the errand does, without a network.
    fn reading(&mut self, known: Option<State>, way: Way, mut lumps_left: usize) -> State {
        let mut state = State::begin(known, way, self.validity, self.next);
        for pass in state.passes(self.next) {
            let (first, last) = pass.range();
            let rows: Vec<_> = self.mails.range(first..=last).map(|(uid, m)| (*uid, *m)).collect();
            let row = |uid, at| Fetched { uid, internal_date: Some(at), ..Fetched::default() };
            let lumps = if pass.is_short() {
                vec![Lump::unseen((first, last))]
            } else {
                survey(rows.iter().map(|(uid, (_, at))| (*uid, TIMES.kind(&row(*uid, *at))))).lumps(pass)
            };
            for lump in lumps {
                if lumps_left == 0 {
                    return state;
                }
                lumps_left -= 1;
                for (kind, text) in [(Kind::Recent, true), (Kind::Older, false)] {
                    for set in lump.sets(kind, 100) {
                        let got = rows.iter().filter(|(uid, _)| set.contains(*uid)).map(|(_, (mail, _))| *mail);
                        self.read.extend(got.clone());
                        self.texts.extend(got.filter(|_| text));
                    }
                }
                state.read(pass, &lump, 1);
            }
            state.passed(pass);
            self.holds(&state, way);
        }
        state
    }

    /// The marks say nothing that is not so.
    fn holds(&self, state: &State, way: Way) {
        assert!(1 <= state.low && state.low <= state.text_low && state.text_low <= state.next, "{state:?}");
        if state.validity != self.validity || state.way.reader != way.reader {
            return;
        }
        for (uid, (mail, at)) in &self.mails {
            let kind = TIMES.kind(&Fetched { internal_date: Some(*at), ..Fetched::default() });
            let (read, text) = (self.read.contains(mail), self.texts.contains(mail));
            if kind != Kind::Unwanted && *uid < state.next && *uid >= state.low {
                assert!(read, "{uid} was not read: {state:?}");
            }
            if kind == Kind::Recent && *uid < state.next && *uid >= state.text_low {
                assert!(text, "the text of {uid} was not read: {state:?}");
            }
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0_u16..3_000, 0_u16..900).prop_map(|(count, days)| Step::Arrive(count, days)),
        (0_u16..30, 0_u16..10).prop_map(|(count, days)| Step::Arrive(count, days)),
        (0_usize..9).prop_map(Step::Expunge),
        any::<bool>().prop_map(Step::Anew),
        (0_usize..4).prop_map(Step::Read),
        (0_usize..4).prop_map(Step::Read),
        Just(Step::Reader),
    ];
    proptest::collection::vec(step, 0..14)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_all_of_the_history_is_read(steps in steps()) {
        let mut world = World { validity: 1, next: 1, ..World::default() };
        let (mut state, mut way) = (None, WAY);
        for step in &steps {
            world.step(step, &mut state, &mut way);
            if let Some(state) = &state {
                world.holds(state, way);
            }
        }
        let state = world.reading(state, way, usize::MAX);
        world.holds(&state, way);
        prop_assert!(state.is_whole(way, world.validity, world.next));
        prop_assert!(state.passes(world.next).is_empty());
    }
}
