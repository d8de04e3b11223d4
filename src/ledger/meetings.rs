//! Meetings: which revision is believed, and whether it counts. Part of `ledger`.
//!
//! Invariant: what the user accepted is known from the user's own calendars or from a REPLY in Sent
//! alone; a stranger's REQUEST or CANCEL changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::letters::size;
use super::{Person, Viewpoint};
use crate::address::{AddrSpec, Address};
use crate::evidence::{
    EventStatus, EventUid, Meeting, MeetingKey, MeetingMarks, Method, PartStat, Recurrence, Revision, SourceName,
    Speaker,
};
use crate::identity::Me;
use crate::limits;
use crate::time::Timestamp;

/// One instance as it is believed after all its speakers were heard.
#[derive(Clone, PartialEq, Debug)]
pub struct Believed {
    /// The revision that tells time, place and people.
    pub main: Revision,
    /// Answers of the attendees, the latest word of each.
    pub answers: BTreeMap<AddrSpec, PartStat>,
    /// Called off, by the calendar, its disappearance, or its organizer's CANCEL.
    pub cancelled: bool,
    /// The user accepted, or organizes.
    pub mine: bool,
    /// Only mail speaks of it, and the user did not answer.
    pub unanswered_invitation: bool,
}

/// Hears all speakers of one instance. `own` are the user's own calendars; `None`: every calendar is.
pub fn believe(meeting: &Meeting, me: &Me, own: Option<&BTreeSet<SourceName>>) -> Option<Believed> {
    let is_own = |r: &Revision| matches!(&r.said_by, Speaker::Feed(name) if own.is_none_or(|o| o.contains(name)));
    let is_feed = |r: &Revision| matches!(r.said_by, Speaker::Feed(_));
    let pick = |want: &dyn Fn(&Revision) -> bool| {
        let wanted = meeting.revisions.iter().filter(|r| want(r));
        wanted.fold(
            None,
            |best: Option<&Revision>, r| if best.is_some_and(|b| !r.is_newer_than(b)) { best } else { Some(r) },
        )
    };
    let organizer = meeting.revisions.iter().min_by_key(|r| (!is_feed(r), r.sequence, r.read_at))?.organizer.clone();
    let by_organizer = |r: &Revision, wanted: Method| match &r.said_by {
        Speaker::Mail { from: Some(from), method, in_sent } => {
            *method == wanted && (*in_sent && me.is_me(from) || organizer.as_ref().is_some_and(|o| o.address == *from))
        }
        _ => false,
    };
    let feed = pick(&is_own).or_else(|| pick(&is_feed));
    let request = pick(&|r| by_organizer(r, Method::Request));
    let main = match (feed, request) {
        (Some(feed), Some(request)) if request.sequence > feed.sequence && !feed.gone => request,
        (Some(feed), _) => feed,
        (None, Some(request)) => request,
        (None, None) => return None,
    };
    let cancel = pick(&|r| by_organizer(r, Method::Cancel)).is_some_and(|c| c.sequence >= main.sequence);
    let mut answers: BTreeMap<AddrSpec, PartStat> = BTreeMap::new();
    for attendee in &main.attendees {
        let mine_by_mail = me.is_me(&attendee.who.address) && !is_own(main);
        if !mine_by_mail {
            answers.insert(attendee.who.address.clone(), attendee.partstat);
        }
    }
    for reply in meeting.revisions.iter().filter(|r| matches!(r.said_by, Speaker::Mail { method: Method::Reply, .. })) {
        let Speaker::Mail { from: Some(from), in_sent, .. } = &reply.said_by else { continue };
        let own_word = reply.attendees.iter().find(|a| a.who.address == *from);
        if let Some(word) = own_word.filter(|_| !me.is_me(from) || *in_sent) {
            answers.insert(from.clone(), word.partstat);
        }
    }
    let organized = main.organizer.as_ref().is_some_and(|o| me.is_me(&o.address))
        && (is_own(main) || by_organizer(main, Method::Request));
    let accepted = answers.iter().any(|(who, stat)| me.is_me(who) && *stat == PartStat::Accepted);
    let declined = answers.iter().any(|(who, stat)| me.is_me(who) && *stat == PartStat::Declined);
    let nobody_invited = main.attendees.is_empty() && is_own(main);
    Some(Believed {
        cancelled: main.status == EventStatus::Cancelled || main.gone || cancel,
        mine: !declined && (organized || accepted || nobody_invited),
        unanswered_invitation: feed.is_none() && !accepted && !declined && !organized,
        main: main.clone(),
        answers,
    })
}

/// Whether an instance counts for one contact.
#[derive(Clone, PartialEq, Debug)]
pub enum Attendance {
    /// They met.
    Met {
        /// 3 / max(1, humans - 1).
        weight: f64,
    },
    /// Both were among 9 to 15.
    Attended {
        /// Small.
        weight: f64,
    },
    /// It does not count, in plain words why.
    None(&'static str),
}

/// A meeting with one contact.
#[derive(Clone, PartialEq, Debug)]
pub struct Encounter {
    /// The instance.
    pub key: MeetingKey,
    /// Where it was read.
    pub source: SourceName,
    /// Start.
    pub start: Timestamp,
    /// End.
    pub end: Timestamp,
    /// All-day.
    pub all_day: bool,
    /// `SUMMARY`.
    pub summary: String,
    /// Organizer.
    pub organizer: Option<Address>,
    /// Every human of it but the user, each once.
    pub others: Vec<Address>,
    /// Humans, the user included.
    pub humans: u32,
    /// Flags by its words.
    pub marks: MeetingMarks,
    /// Does it count?
    pub attendance: Attendance,
    /// The user accepted or organizes.
    pub mine: bool,
    /// Called off.
    pub cancelled: bool,
    /// The contact declined.
    pub declined: bool,
    /// The contact organizes.
    pub hosted: bool,
    /// When this was first read in its present form.
    pub read_at: Timestamp,
}

impl Encounter {
    /// Planned, or took place, as far as is known.
    pub fn is_on(&self) -> bool {
        self.mine && !self.cancelled && !self.declined && !self.all_day
    }

    /// Counts as a meeting between the two.
    pub fn met(&self) -> bool {
        matches!(self.attendance, Attendance::Met { .. })
    }
}

/// The meetings of one contact as of `now`, by start; planned ones too.
pub fn encounters(meetings: Vec<Meeting>, person: &Person, view: &Viewpoint, now: Timestamp) -> Vec<Encounter> {
    let meetings = with_series_called_off(meetings);
    let mut all: Vec<Encounter> = meetings.iter().filter_map(|m| encounter(m, person, view, now)).collect();
    all.sort_by(|a, b| (a.start, &a.key).cmp(&(b.start, &b.key)));
    // the same hour under two EventUids (a booking tool's copy beside the calendar's own) is one meeting
    all.dedup_by(|later, first| {
        let twin = first.start == later.start && first.end == later.end && first.met() && later.met();
        twin && (first.summary.eq_ignore_ascii_case(&later.summary) || first.others == later.others)
    });
    all
}

/// A CANCEL by mail of a whole series names no instance and, as a rule, repeats no RRULE (RFC 5546
/// 3.2.5): it is heard by each instance that begins after it was said.
fn with_series_called_off(mut meetings: Vec<Meeting>) -> Vec<Meeting> {
    let cancel = |r: &&Revision| matches!(r.said_by, Speaker::Mail { method: Method::Cancel, .. });
    let mut called_off: BTreeMap<EventUid, Vec<Revision>> = BTreeMap::new();
    for main in meetings.iter().filter(|m| m.key.recurrence == Recurrence::Main) {
        let cancels: Vec<Revision> = main.revisions.iter().filter(cancel).cloned().collect();
        if !cancels.is_empty() {
            called_off.insert(main.key.uid.clone(), cancels);
        }
    }
    for meeting in meetings.iter_mut().filter(|m| m.key.recurrence != Recurrence::Main) {
        let Some(cancels) = called_off.get(&meeting.key.uid) else { continue };
        let start = meeting.start();
        meeting.revisions.extend(cancels.iter().filter(|c| start >= c.read_at).cloned());
    }
    meetings
}

fn encounter(meeting: &Meeting, person: &Person, view: &Viewpoint, now: Timestamp) -> Option<Encounter> {
    let believed = believe(meeting, &view.me, Some(&view.own_calendars))?;
    let attendance = attends(&believed, person, &view.me, now);
    let main = &believed.main;
    let answered = |stat: PartStat| believed.answers.iter().any(|(a, s)| person.addresses.contains(a) && *s == stat);
    Some(Encounter {
        key: meeting.key.clone(),
        source: match &main.said_by {
            Speaker::Feed(name) => name.clone(),
            Speaker::Mail { .. } => "mail".to_string(),
        },
        start: main.start,
        end: main.end,
        all_day: main.all_day,
        summary: main.summary.clone(),
        organizer: main.organizer.clone(),
        others: others(main, person, &view.me),
        humans: humans(main, &view.me),
        marks: main.marks.clone(),
        mine: believed.mine,
        cancelled: believed.cancelled,
        declined: answered(PartStat::Declined),
        hosted: main.organizer.as_ref().is_some_and(|o| person.addresses.contains(&o.address)),
        read_at: main.read_at,
        attendance,
    })
}

/// Does a past instance count for this contact? INFERENCE 4.
fn attends(believed: &Believed, person: &Person, me: &Me, now: Timestamp) -> Attendance {
    if let Err(why) = counts(believed, me, now) {
        return Attendance::None(why);
    }
    let said = |stat| believed.answers.iter().any(|(a, s)| person.addresses.contains(a) && *s == stat);
    if said(PartStat::Declined) {
        return Attendance::None("they declined");
    }
    if said(PartStat::Delegated) {
        return Attendance::None("they sent somebody else");
    }
    let main = &believed.main;
    let is_here = |a: &AddrSpec| person.addresses.contains(a);
    let listed = main.attendees.iter().any(|a| is_here(&a.who.address) && a.human)
        || main.organizer.as_ref().is_some_and(|o| is_here(&o.address) && !crate::read::calendar::is_thing(o))
        || (main.attendees.is_empty() && (main.names.iter().any(is_here) || names_them(&main.summary, &person.name)));
    if !listed {
        return Attendance::None("they are not among the attendees");
    }
    let humans = humans(main, me);
    if humans <= limits::MEETING_HUMANS {
        Attendance::Met { weight: 3.0 * size(humans) }
    } else {
        Attendance::Attended { weight: size(humans) }
    }
}

/// Does an instance count as a meeting of the user with anybody? `Err` says why not.
pub fn counts(believed: &Believed, me: &Me, now: Timestamp) -> Result<(), &'static str> {
    let main = &believed.main;
    let humans = humans(main, me);
    let why = if believed.cancelled {
        "it was cancelled"
    } else if main.all_day {
        "it is an all-day event"
    } else if main.marks.working_location {
        "it is a working location"
    } else if !believed.mine && !me.addresses.is_empty() {
        "you neither organize nor accepted it"
    } else if humans < 2 {
        "it names nobody but you"
    } else if humans > limits::ATTENDANCE_HUMANS {
        "it has more than 15 people"
    } else if main.marks.broadcast && !is_personal(main, me, humans) {
        "it is a broadcast"
    } else if main.end > now {
        "it has not ended yet"
    } else {
        return Ok(());
    };
    Err(why)
}

/// "Conference chat with Ada Abel", or a fair's coffee that the user set up for two: what looks like
/// a broadcast by its words is none where the user invited a few, or where it names one of them.
fn is_personal(main: &Revision, me: &Me, humans: u32) -> bool {
    let invited = main.organizer.as_ref().is_some_and(|o| me.is_me(&o.address)) && humans <= limits::MEETING_HUMANS;
    let people = main.attendees.iter().filter(|a| !me.is_me(&a.who.address)).filter_map(|a| a.who.name.as_deref());
    invited || people.into_iter().any(|name| names_them(&main.summary, name))
}

/// Humans of a meeting, the user included. Without an attendee list: the user and whom it names.
pub fn humans(main: &Revision, me: &Me) -> u32 {
    if !main.attendees.is_empty() {
        let listed = main.attendees.iter().map(|a| &a.who.address).chain(main.organizer.iter().map(|o| &o.address));
        // `read` without --me knows nobody: then the list is all there is
        let me_listed = me.addresses.is_empty() || listed.into_iter().any(|a| me.is_me(a));
        return main.humans.saturating_add(u32::from(!me_listed));
    }
    let named: BTreeSet<&AddrSpec> = main.names.iter().chain(main.organizer.iter().map(|o| &o.address)).collect();
    let others = named.into_iter().filter(|a| !me.is_me(a)).count();
    // a name in the summary is one person; only the contact whose name it is asks
    u32::try_from(others.max(1)).unwrap_or(u32::MAX).saturating_add(1)
}

fn others(main: &Revision, person: &Person, me: &Me) -> Vec<Address> {
    let attendees = main.attendees.iter().filter(|a| a.human).map(|a| a.who.clone());
    // a booking tool or a desk that organizes is nobody
    let is_human = |o: &&Address| !main.attendees.is_empty() && !crate::read::calendar::is_thing(o);
    let organizer = main.organizer.iter().filter(is_human).cloned();
    let mut all: Vec<Address> = organizer.chain(attendees).filter(|a| !me.is_me(&a.address)).collect();
    if all.is_empty() {
        let named = main.names.iter().filter(|a| !me.is_me(a)).map(|a| Address::new(None, a.clone()));
        all.extend(named);
    }
    if all.is_empty() {
        let theirs = person.addresses.iter().next().map(|a| Address::new(Some(&person.name), a.clone()));
        all.extend(theirs);
    }
    all.sort_by(|a, b| (&a.address, a.name.is_none()).cmp(&(&b.address, b.name.is_none())));
    all.dedup_by(|b, a| a.address == b.address);
    all
}

/// Does a summary hold this full name (two words or more), as whole words in any case?
pub fn names_them(summary: &str, name: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let parts = text.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '-');
        let bare = |w: &str| w.trim_end_matches("'s").trim_matches('\'').to_lowercase();
        parts.filter(|w| !w.is_empty()).map(bare).collect()
    };
    let (text, name) = (words(summary), words(name));
    name.len() >= 2 && text.windows(name.len()).any(|w| w == name.as_slice())
}
