//! Promises of the writer. Room of `read::acts`.
//!
//! Invariant: a promise has a first person, a future and something to do, or tells the reader what
//! comes from the writer and when; it is neither denied, nor
//! doubted, nor quoted, nor left to the reader.

use super::phrases::{Group, Hit, Sentence, is_unspaced};
use crate::read::lexicon;

/// Bytes between an English future and its verb, adverbs included.
const NEAR: usize = 32;
/// Bytes between the two where the verb stands at the end of its clause.
const FAR: usize = 110;
/// Bytes before a future in which a doubt is about it.
const DOUBT: usize = 24;
/// Letters of a pronoun that may stand between a denial and the verb.
const PRONOUN: usize = 3;
/// Languages that deny behind the verb: "ich schicke es nicht".
const NOT_BEHIND: &[&str] = &["da", "de", "nl", "no", "sv"];
/// Languages whose sentences are often read as one of another's.
const AKIN: &[&[&str]] = &[&["da", "no", "sv"], &["ru", "uk"]];

/// Phrases that say when.
const DATES: &[Group] = &[
    Group::Weekday,
    Group::WeekdayShort,
    Group::Month,
    Group::Today,
    Group::Tomorrow,
    Group::AfterTomorrow,
    Group::EndOfWeek,
    Group::Weekend,
    Group::NextWeek,
    Group::EndOfMonth,
    Group::NextMonth,
    Group::Soon,
];

/// Does the writer promise something?
pub fn is_commitment(sentence: &Sentence) -> bool {
    let leads = [Group::Will, Group::WillWe, Group::WillBare, Group::Promise, Group::YouGet];
    if !leads.iter().any(|g| sentence.has(*g)) || sentence.low.trim_end().ends_with(['?', '？']) {
        return false;
    }
    leads.into_iter().flat_map(|g| sentence.of(g)).any(|lead| promises(sentence, lead))
}

/// Is it what a sender says who hands something over at once ("je t'envoie le fichier")? In a mail with
/// a file or link it promises nothing.
pub fn hands_over(sentence: &Sentence) -> bool {
    sentence.has(Group::PromiseNow)
        && !sentence.has(Group::Later)
        && !sentence.has(Group::Within)
        && !DATES.iter().any(|g| sentence.has(*g))
}

fn promises(sentence: &Sentence, lead: &Hit) -> bool {
    let Some(verb_end) = verb(sentence, lead) else { return false };
    let akin = |h: &&Hit| are_akin(h.language, lead.language);
    let near =
        |group: Group, from: usize, to: usize| sentence.of(group).filter(akin).any(|h| h.start >= from && h.end <= to);
    // "no te enviaré": in some languages a short word for the reader stands between
    let short = if is(lead, &["en"]) { 0 } else { PRONOUN };
    let touches = |group: Group, gap: &[char]| {
        let between = |h: &Hit| sentence.low.get(h.end..lead.start).map(|g| g.trim_matches(gap));
        let mut said = sentence.of(group).filter(akin);
        said.any(|h| between(h).is_some_and(|g| g.chars().count() <= short && g.chars().all(char::is_alphabetic)))
    };
    let clause = |c: char| matches!(c, ',' | ';' | ':' | '.' | '(' | '，' | '。' | '、' | '；');
    let clause_start = sentence.before(lead.start).rfind(clause).map_or(0, |p| p + 1);
    let clause_end = verb_end + sentence.after(verb_end).find(clause).unwrap_or(sentence.after(verb_end).len());
    let unspaced = sentence.after(lead.start).chars().next().is_some_and(is_unspaced);
    let denied = near(Group::Not, if unspaced { clause_start } else { lead.start }, verb_end)
        || touches(Group::Not, &[' '])
        || is(lead, NOT_BEHIND)
            && matches!(lead.group, Group::Promise | Group::YouGet)
            && near(Group::Not, lead.end, clause_end);
    let doubted = near(Group::Hedge, lead.start.saturating_sub(DOUBT).max(clause_start), verb_end)
        || touches(Group::Hedge, &[' ', ',']);
    let another = unspaced && is_of_another(sentence, clause_start, lead);
    let subordinate = sentence.of(Group::Whether).any(|w| {
        w.language == lead.language && w.end <= lead.start && sentence.between(w.end, lead.start).trim().is_empty()
    });
    let other = sentence.of(Group::NotPromise).any(|n| n.start <= verb_end && n.end > lead.start);
    !denied
        && !doubted
        && !another
        && !subordinate
        && !other
        && !sentence.is_quoted(lead.start)
        && !left_to_reader(sentence, lead)
}

/// Is the lead of one of these languages?
fn is(lead: &Hit, languages: &[&str]) -> bool {
    lexicon::FILES.get(usize::from(lead.language)).is_some_and(|(name, _)| languages.contains(name))
}

/// The same language, or one so near that a sentence is found to be in both.
fn are_akin(a: u8, b: u8) -> bool {
    let near = |family: &&[&str]| {
        [a, b].iter().all(|l| lexicon::FILES.get(usize::from(*l)).is_some_and(|(name, _)| family.contains(name)))
    };
    a == b || AKIN.iter().any(near)
}

/// Where no form tells the person: somebody else is named as the one who does it.
fn is_of_another(sentence: &Sentence, from: usize, lead: &Hit) -> bool {
    let last = |group: Group| {
        let said = sentence.of(group).filter(|h| h.language == lead.language && h.start >= from);
        said.filter(|h| h.start <= lead.start).map(|h| h.end).max()
    };
    last(Group::Third) > last(Group::Me)
}

/// Where the promised deed ends, if there is one after the future.
fn verb(sentence: &Sentence, lead: &Hit) -> Option<usize> {
    let english = lexicon::FILES.get(usize::from(lead.language)).is_some_and(|(name, _)| *name == "en");
    match lead.group {
        Group::Promise => Some(lead.end),
        Group::YouGet => received(sentence, lead),
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

/// Where it ends that the reader gets something of the writer: "you'll have the draft by Friday".
fn received(sentence: &Sentence, lead: &Hit) -> Option<usize> {
    let named = |group: Group| {
        let mut said = sentence.of(group).filter(|h| h.language == lead.language && h.start >= lead.end);
        said.next().map(|h| h.end)
    };
    let any = |group: Group| sentence.of(group).any(|h| h.language == lead.language);
    let thing = || any(Group::Thing) && DATES.iter().any(|g| any(*g));
    let end = if any(Group::FromMe) || thing() { Some(lead.end) } else { None };
    end.map(|end| named(Group::Thing).unwrap_or(end))
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

/// Does it wait for something the reader may do ("if you send it, I'll sign")? A condition after it
/// that belongs to a request of its own ("- let me know if you") is not meant.
fn left_to_reader(sentence: &Sentence, lead: &Hit) -> bool {
    // "wenn die Chefin zustimmt, schicke ich": what opens the sentence decides
    let opens = |c: &Hit| {
        c.language == lead.language
            && c.end <= lead.start
            && !sentence.before(c.start).chars().any(char::is_alphanumeric)
            && !sentence.of(Group::PoliteCondition).any(|p| p.start == c.start)
    };
    if sentence.of(Group::Condition).any(opens) {
        return true;
    }
    sentence.of(Group::IfYou).any(|c| {
        let between = |h: &Hit| h.start >= lead.end && h.end <= c.start;
        c.end <= lead.start || !sentence.of(Group::Request).chain(sentence.of(Group::Please)).any(between)
    })
}
