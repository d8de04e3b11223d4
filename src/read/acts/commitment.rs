//! Promises of the writer. Room of `read::acts`.
//!
//! Invariant: a promise has a first person, a future and something to do; it is neither denied, nor
//! doubted, nor quoted, nor left to the reader.

use super::phrases::{Group, Hit, Sentence};
use crate::read::lexicon;

/// Bytes between an English future and its verb, adverbs included.
const NEAR: usize = 32;
/// Bytes between the two where the verb stands at the end of its clause.
const FAR: usize = 110;
/// Bytes before a future in which a doubt is about it.
const DOUBT: usize = 24;

/// Does the writer promise something?
pub fn is_commitment(sentence: &Sentence) -> bool {
    let leads = [Group::Will, Group::WillWe, Group::WillBare, Group::Promise];
    if !leads.iter().any(|g| sentence.has(*g)) || sentence.low.trim_end().ends_with(['?', '？']) {
        return false;
    }
    leads.into_iter().flat_map(|g| sentence.of(g)).any(|lead| promises(sentence, lead))
}

fn promises(sentence: &Sentence, lead: &Hit) -> bool {
    let Some(verb_end) = verb(sentence, lead) else { return false };
    let near = |group: Group, from: usize, to: usize| {
        sentence.of(group).any(|h| h.language == lead.language && h.start >= from && h.end <= to)
    };
    let touches = |group: Group, gap: &[char]| {
        let mut said = sentence.of(group).filter(|h| h.language == lead.language);
        said.any(|h| sentence.low.get(h.end..lead.start).is_some_and(|g| g.chars().all(|c| gap.contains(&c))))
    };
    let clause_start = sentence.before(lead.start).rfind([',', ';', ':', '.', '(']).map_or(0, |p| p + 1);
    let denied = near(Group::Not, lead.start, verb_end) || touches(Group::Not, &[' ']);
    let doubted = near(Group::Hedge, lead.start.saturating_sub(DOUBT).max(clause_start), verb_end)
        || touches(Group::Hedge, &[' ', ',']);
    let subordinate = sentence.of(Group::Whether).any(|w| {
        w.language == lead.language && w.end <= lead.start && sentence.between(w.end, lead.start).trim().is_empty()
    });
    let other = sentence.of(Group::NotPromise).any(|n| n.start <= verb_end && n.end > lead.start);
    !denied && !doubted && !subordinate && !other && !quoted(sentence, lead) && !left_to_reader(sentence, lead)
}

/// Where the promised deed ends, if there is one after the future.
fn verb(sentence: &Sentence, lead: &Hit) -> Option<usize> {
    let english = lexicon::FILES.get(usize::from(lead.language)).is_some_and(|(name, _)| *name == "en");
    match lead.group {
        Group::Promise => Some(lead.end),
        Group::Will if english => open_verb(sentence, lead),
        Group::WillBare if !first_person(sentence, lead) => None,
        _ => {
            let reach = if english { NEAR } else { FAR };
            let near = |v: &&Hit| {
                v.language == lead.language
                    && v.start >= lead.end
                    && v.start - lead.end <= reach
                    && (!english || only_adverbs(sentence, lead.end, v.start))
                    && !sentence.between(lead.end, v.start).contains(['.', ';', ':'])
            };
            sentence.of(Group::PromiseVerb).filter(near).map(|v| v.end).min()
        }
    }
}

/// After "I will" anything may be promised but a state: the first word that is no adverb decides.
fn open_verb(sentence: &Sentence, lead: &Hit) -> Option<usize> {
    let mut at = lead.end;
    while let Some(adverb) =
        sentence.of(Group::Adverb).filter(|a| starts_here(sentence, at, a.start)).map(|a| a.end).max()
    {
        at = adverb;
    }
    let rest = sentence.after(at);
    let blank = rest.len() - rest.trim_start().len();
    let word = rest.trim_start().split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '-')).next()?;
    let start = at + blank;
    let state = sentence.of(Group::NoPromiseVerb).any(|v| v.start == start);
    let act = sentence.of(Group::PromiseVerb).any(|v| v.start == start);
    (!word.is_empty() && word.chars().all(|c| c.is_alphabetic() || c == '-') && (act || !state))
        .then_some(start + word.len())
}

fn only_adverbs(sentence: &Sentence, from: usize, to: usize) -> bool {
    let mut at = from;
    while let Some(adverb) =
        sentence.of(Group::Adverb).filter(|a| starts_here(sentence, at, a.start) && a.end <= to).map(|a| a.end).max()
    {
        at = adverb;
    }
    starts_here(sentence, at, to)
}

/// Is there nothing but a blank between two places?
fn starts_here(sentence: &Sentence, at: usize, start: usize) -> bool {
    start >= at && sentence.low.get(at..start).is_some_and(|gap| gap.chars().all(|c| c == ' ' || c == ','))
}

/// Does the subjectless future open the sentence, or go on with what the writer says of himself?
fn first_person(sentence: &Sentence, lead: &Hit) -> bool {
    let before = sentence.before(lead.start).trim();
    let last = |group: Group| {
        let said = sentence.of(group).filter(|m| m.language == lead.language && m.end <= lead.start);
        said.map(|m| m.end).max()
    };
    before.is_empty() || before.ends_with(['-', '–', ':']) || last(Group::Me) > last(Group::Third)
}

/// Does it stand inside quotation marks that are still open?
fn quoted(sentence: &Sentence, lead: &Hit) -> bool {
    let before = sentence.before(lead.start);
    let straight = before.matches('"').count() % 2 == 1;
    let open = |a: char, b: char| before.matches(a).count() > before.matches(b).count();
    straight || open('“', '”') || open('«', '»') || open('「', '」') || before.starts_with('>')
}

/// Does it wait for something the reader may do ("if you send it, I'll sign")? A condition after it
/// that belongs to a request of its own ("- let me know if you") is not meant.
fn left_to_reader(sentence: &Sentence, lead: &Hit) -> bool {
    sentence.of(Group::IfYou).any(|c| {
        let between = |h: &Hit| h.start >= lead.end && h.end <= c.start;
        c.end <= lead.start || !sentence.of(Group::Request).chain(sentence.of(Group::Please)).any(between)
    })
}
