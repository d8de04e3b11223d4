//! The cursor of one IMAP mailbox: which UIDs were read, in which way. Part of `source::imap`.
//!
//! Invariant: what the cursor says was read was handed on before; whatever it does not understand is
//! read again.

use serde::{Deserialize, Serialize};

use crate::evidence::{Cursor, Role};
use crate::imap::{Uid, UidValidity};
use crate::time::DAY;

/// Version of the cursor's bytes.
const VERSION: u8 = 1;

/// In which way mail is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Way {
    /// [`crate::read::READER`].
    pub reader: u16,
    /// Text is wanted at all.
    pub bodies: bool,
    /// Seconds of text window.
    pub window: i64,
    /// Seconds of history.
    pub history: i64,
    /// What the mailbox is for; `None`: each message says it by its labels.
    pub role: Option<Role>,
}

/// How far a mailbox was read. New mail moves `next` up; the first reading goes from the newest to
/// the oldest and moves `low` down, and so does a second reading of the text window with `text_low`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// The way.
    pub way: Way,
    /// What the UIDs below mean.
    pub validity: UidValidity,
    /// The first UID that has not come yet.
    pub next: Uid,
    /// Everything from here up to `next` was read; 1 once the whole history was.
    pub low: Uid,
    /// Everything of the text window from here up to `next` was read in this way; never below `low`.
    pub text_low: Uid,
    /// Messages read.
    pub read: u64,
}

impl State {
    /// Where a reading in the way `way` begins that finds this UIDVALIDITY and UIDNEXT: at what is
    /// `known`, as far as it still counts.
    pub(super) fn begin(known: Option<State>, way: Way, validity: UidValidity, uid_next: Uid) -> State {
        let fresh = State { way, validity, next: uid_next, low: uid_next, text_low: uid_next, read: 0 };
        // a UIDNEXT that fell without a word about it: the mailbox was made anew
        let Some(known) = known.filter(|k| k.validity == validity && k.next <= uid_next) else { return fresh };
        let then = known.way;
        if then.role != way.role || then.history < way.history {
            return fresh;
        }
        let more_text = way.bodies && (!then.bodies || then.window + DAY < way.window);
        let text_low = if then.reader != way.reader || more_text { known.next } else { known.text_low };
        State { way, text_low, ..known }
    }

    /// Is there nothing to read, where the mailbox shows this UIDVALIDITY and UIDNEXT?
    pub(super) fn is_whole(&self, way: Way, validity: UidValidity, uid_next: Uid) -> bool {
        let state = State::begin(Some(*self), way, validity, uid_next);
        state.next == uid_next && state.low == 1 && state.text_low == 1 && state.validity == self.validity
    }

    /// To be stored.
    pub(super) fn cursor(&self, place: &str) -> Cursor {
        let mut value = vec![VERSION];
        // writing into memory does not fail; if it did, the mailbox would only be read again
        value.extend(postcard::to_allocvec(self).unwrap_or_default());
        Cursor { place: place.to_string(), part: 0, value }
    }

    /// As it was stored.
    pub(super) fn load(cursor: &Cursor) -> Option<State> {
        let (version, rest) = cursor.value.split_first()?;
        let state: State = postcard::from_bytes(rest).ok().filter(|_| *version == VERSION && cursor.part == 0)?;
        (1 <= state.low && state.low <= state.text_low && state.text_low <= state.next).then_some(state)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const WAY: Way = Way { reader: 3, bodies: true, window: 120 * DAY, history: 730 * DAY, role: Some(Role::Inbox) };
    const WHOLE: State = State { way: WAY, validity: 7, next: 100, low: 1, text_low: 1, read: 99 };

    #[test]
    fn what_still_counts_is_not_read_again() {
        let fresh = |next| (next, next, next);
        for (what, known, way, validity, uid_next, expected) in [
            ("never read", None, WAY, 7, 100, fresh(100)),
            ("nothing new", Some(WHOLE), WAY, 7, 100, (100, 1, 1)),
            ("new mail", Some(WHOLE), WAY, 7, 103, (100, 1, 1)),
            ("another UIDVALIDITY", Some(WHOLE), WAY, 8, 100, fresh(100)),
            ("UIDNEXT fell", Some(WHOLE), WAY, 7, 99, fresh(99)),
            ("half read", Some(State { low: 40, text_low: 40, ..WHOLE }), WAY, 7, 101, (100, 40, 40)),
            ("a newer reader", Some(WHOLE), Way { reader: 4, ..WAY }, 7, 100, (100, 1, 100)),
            (
                "a newer reader, headers only",
                Some(WHOLE),
                Way { reader: 4, bodies: false, ..WAY },
                7,
                100,
                (100, 1, 100),
            ),
            ("text no more", Some(WHOLE), Way { bodies: false, ..WAY }, 7, 100, (100, 1, 1)),
            ("text as well", Some(State { way: Way { bodies: false, ..WAY }, ..WHOLE }), WAY, 7, 100, (100, 1, 100)),
            ("a longer window", Some(WHOLE), Way { window: 200 * DAY, ..WAY }, 7, 100, (100, 1, 100)),
            ("a day more", Some(WHOLE), Way { window: 121 * DAY, ..WAY }, 7, 100, (100, 1, 1)),
            ("a shorter history", Some(WHOLE), Way { history: 9, ..WAY }, 7, 100, (100, 1, 1)),
            ("a longer history", Some(WHOLE), Way { history: 900 * DAY, ..WAY }, 7, 100, fresh(100)),
            ("another role", Some(WHOLE), Way { role: None, ..WAY }, 7, 100, fresh(100)),
        ] {
            let state = State::begin(known, way, validity, uid_next);
            assert_eq!((state.next, state.low, state.text_low), expected, "{what}");
            assert_eq!((state.way, state.validity), (way, validity), "{what}");
            let whole = known.is_some_and(|k| k.is_whole(way, validity, uid_next));
            assert_eq!(whole, expected == (uid_next, 1, 1), "{what}");
        }
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let cursor = WHOLE.cursor("INBOX");
        assert_eq!(State::load(&cursor), Some(WHOLE));
        assert!(cursor.value.len() < 64);
        for value in [vec![], vec![0], vec![VERSION], vec![VERSION, 255], vec![9; 40]] {
            assert_eq!(State::load(&Cursor { value, ..cursor.clone() }), None);
        }
        // marks that contradict each other
        let bad = State { low: 200, ..WHOLE };
        assert_eq!(State::load(&bad.cursor("INBOX")), None);
    }
}
