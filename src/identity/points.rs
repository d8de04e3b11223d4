//! How much speaks for two addresses being one person's. Part of floor 2, `identity`.
//!
//! Invariant: [`weigh`] is symmetric; each point it gives comes with a reason in plain words.

use super::names::{Likeness, Name, compare};
use super::profile::{Profile, without_number};
use crate::limits;

/// Merged by itself from here, in tenths of a point.
pub const MERGE: i32 = 50;
/// What the user's own word counts, for the list of merges.
pub const SAID: i32 = 100;
/// Proposed to the user from here.
pub const SUGGEST: i32 = 35;
/// The same mailbox under two spellings.
const MAILBOX: i32 = 100;
/// The same full name, in any order; a handle that is the other's name.
const NAME: i32 = 45;
/// A weaker agreement of names, or the same distinctive local part.
const ALIKE: i32 = 40;
/// A local part that spells the other's name.
const SPELLS: i32 = 35;
/// A domain that gives mailboxes only to its own people.
const DOMAIN: i32 = 5;
/// I deal with both.
pub const TIED: i32 = 15;
/// Two different full names.
const CONFLICT: i32 = -60;

/// What ties two addresses together beside their looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Tie {
    /// One card of the address book holds both.
    pub card: bool,
    /// Both speak in one thread.
    pub thread: bool,
}

/// Points in tenths, with reasons.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Weight {
    pub points: i32,
    pub reasons: Vec<&'static str>,
    /// Nothing but the full names agrees.
    pub by_name: bool,
    /// And they only resemble each other: "Aman Kumar" and "Aman Kumar Shukla", a nickname, a slip of the pen.
    pub by_likeness: bool,
}

impl Weight {
    fn add(&mut self, points: i32, reason: &'static str) {
        self.points += points;
        self.reasons.push(reason);
    }
}

/// Weighs two addresses.
pub(super) fn weigh(a: &Profile<'_>, b: &Profile<'_>, tie: Tie) -> Weight {
    let mut weight = Weight::default();
    if a.plain == b.plain {
        weight.add(MAILBOX, "same mailbox");
        return weight;
    }
    let name = name_points(a, b);
    let handle = handle_points(a, b).max(handle_points(b, a));
    let local = same_local(a, b).then_some((ALIKE, "same local part"));
    // A name and a handle made from it are one piece of evidence; a local part of another make is a second.
    let made_of_name = [a, b].iter().any(|p| p.fulls.iter().any(|n| n.is_spelled(without_number(&p.local))));
    if let Some((points, reason)) = name.max(handle) {
        weight.add(points, reason);
    }
    match local {
        Some((points, reason)) if !made_of_name && name.is_some() || weight.points == 0 => weight.add(points, reason),
        Some((points, reason)) if weight.points < points => {
            weight = Weight { points, reasons: vec![reason], ..Weight::default() }
        }
        _ => {}
    }
    // a local part or a handle that only spells the name again is no second witness of it
    weight.by_name = name.is_some() && (local.is_none() || made_of_name) && !shares_a_handle(a, b);
    weight.by_likeness = weight.by_name && name.is_some_and(|(points, _)| points < NAME);
    if weight.points == 0 && tie.card {
        weight.add(NAME, "one card of the address book");
    }
    if weight.points == 0 {
        return weight;
    }
    if !a.private_domain.is_empty() && a.private_domain == b.private_domain {
        weight.add(DOMAIN, "same private domain");
    }
    if tie.card {
        weight.add(TIED, "one card holds both");
    } else if a.sent && b.sent {
        weight.add(TIED, "you wrote to both");
    } else if tie.thread {
        weight.add(TIED, "both speak in one thread");
    }
    if a.contradicts(b) {
        weight.add(CONFLICT, "different full names");
    }
    weight
}

fn name_points(a: &Profile<'_>, b: &Profile<'_>) -> Option<(i32, &'static str)> {
    let best = a.fulls.iter().flat_map(|x| b.fulls.iter().filter_map(|y| compare(x, y))).min()?;
    match best {
        Likeness::Same => Some((NAME, "same full name")),
        Likeness::Reordered => Some((NAME, "same full name in another order")),
        Likeness::Subset => Some((ALIKE, "one full name contains the other")),
        Likeness::FirstName | Likeness::Initial => Some((ALIKE, "same surname, matching first name")),
        Likeness::Near => Some((ALIKE, "almost the same full name")),
        Likeness::Possible => None,
    }
}

/// What the handles and the local part of `a` say about the names of `b`.
fn handle_points(a: &Profile<'_>, b: &Profile<'_>) -> Option<(i32, &'static str)> {
    let is_full_name =
        |h: &String| h.chars().count() >= limits::HANDLE_CHARS && b.fulls.iter().any(|n| n.together.contains(h));
    let handles = if a.fits_singles(b) { a.handles.as_slice() } else { &[] };
    if a.handles.iter().any(|h| b.handles.contains(h))
        || handles.iter().chain(&a.singles).any(is_full_name)
        || a.is_account_of(b)
    {
        return Some((NAME, "handle is the other's name"));
    }
    if a.handles.contains(&b.local) {
        return Some((ALIKE, "handle is the other's local part"));
    }
    // With a number behind it `dito82` could be anybody's, unless a "Dana" stands beside it.
    let numbered = !a.singles.is_empty();
    let spells = |w: &String, numbered: bool| b.fulls.iter().any(|n| spells(w, n, numbered));
    let local = a.fits_singles(b) && spells(&a.local_spelling, numbered);
    let handle = || handles.iter().any(|h| spells(h, false));
    match () {
        () if local => Some((SPELLS, "local part spells the other's name")),
        () if handle() => Some((SPELLS, "handle spells the other's name")),
        () => None,
    }
}

/// Both are called by the name with a number behind it, and by different numbers: so do namesakes at one
/// provider tell themselves apart.
pub(super) fn are_numbered_apart(a: &Profile<'_>, b: &Profile<'_>) -> bool {
    let number = |p: &Profile<'_>| {
        let stem = without_number(&p.local);
        let spelled = p.fulls.iter().any(|n| n.is_spelled(stem));
        p.local.get(stem.len()..).filter(|n| spelled && !n.is_empty()).map(str::to_string)
    };
    number(a).zip(number(b)).is_some_and(|(x, y)| x != y)
}

/// A handle of the one that the other bears too, and that the name does not spell.
fn shares_a_handle(a: &Profile<'_>, b: &Profile<'_>) -> bool {
    let own = |h: &String| ![a, b].iter().any(|p| p.fulls.iter().any(|n| n.is_spelled(without_number(h))));
    let borne = |x: &Profile<'_>, y: &Profile<'_>| {
        x.handles.iter().filter(|h| own(h)).any(|h| y.handles.contains(h) || y.local == *h)
    };
    borne(a, b) || borne(b, a)
}

/// Equal, or equal but for a number at the end when what is left is long.
fn same_local(a: &Profile<'_>, b: &Profile<'_>) -> bool {
    let stem = without_number(&a.local);
    !a.local.is_empty()
        && (a.local == b.local || stem == without_number(&b.local) && stem.chars().count() >= limits::LONG_HANDLE_CHARS)
}

/// Does a word spell a name? Initials count with a number behind them only where `numbered` says so.
fn spells(word: &str, name: &Name, numbered: bool) -> bool {
    let stem = without_number(word);
    let is_in = |list: &[String]| list.iter().any(|s| s == stem);
    !stem.is_empty() && (is_in(&name.together) || (numbered || stem == word) && is_in(&name.shortened))
}
