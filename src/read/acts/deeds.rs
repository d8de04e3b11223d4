//! Introductions, favours and interviews: told by their phrases. Room of `read::acts`.
//!
//! Invariant: only what the words say; who was introduced, and who owes whom, is decided above.

use super::act;
use super::phrases::{Group, Hit, Sentence};
use crate::evidence::{Act, ActKind};

/// Words between "this is" and the comma behind the name: "copying in Judith Kern from Basel, who".
const NAMED_WORDS: usize = 7;
/// Of them those that may stand before the name: "this is Ms".
const TITLE_WORDS: usize = 3;

/// Does the sentence bring people together?
pub fn is_introduction(sentence: &Sentence) -> bool {
    if sentence.low.trim_end().ends_with(['?', '？']) && !sentence.has(Group::ThisIs) {
        return sentence.has(Group::Introduction) && !sentence.has(Group::NotIntroduction);
    }
    !sentence.has(Group::NotIntroduction)
        && (sentence.has(Group::Introduction)
            || sentence.of(Group::Meet).any(|h| named(sentence, h).is_some())
            || sentence.of(Group::ThisIs).any(|h| named(sentence, h).is_some_and(|after| goes_on(sentence, h, after))))
}

/// The words of the writer behind a phrase, with their capitals.
fn written_after<'s>(sentence: &'s Sentence, hit: &Hit) -> &'s str {
    let chars = sentence.before(hit.end).chars().count();
    sentence.text.char_indices().nth(chars).and_then(|(at, _)| sentence.text.get(at..)).unwrap_or("")
}

/// How many bytes of [`written_after`] lie before the comma, where a name stands there.
fn named(sentence: &Sentence, hit: &Hit) -> Option<usize> {
    let written = written_after(sentence, hit);
    let comma = written.find([',', ';', '–', '—', '(', '.', ':', '!']).unwrap_or(written.len());
    let words: Vec<&str> = written.get(..comma)?.split_whitespace().collect();
    let name = words.iter().position(|w| w.chars().next().is_some_and(char::is_uppercase));
    (words.len() <= NAMED_WORDS && name.is_some_and(|n| n < TITLE_WORDS)).then_some(comma)
}

/// Does a word that goes on about the named one follow the comma?
fn goes_on(sentence: &Sentence, hit: &Hit, comma: usize) -> bool {
    let Some(behind) = written_after(sentence, hit).get(comma..).filter(|b| !b.is_empty()) else { return false };
    let from = sentence.low.len() - behind.len().min(sentence.low.len());
    let near = |r: &Hit| {
        r.language == hit.language
            && r.start >= from
            && sentence.between(from, r.start).chars().all(|c| !c.is_alphanumeric())
    };
    sentence.of(Group::Relative).any(near)
}

/// Does it hand over or report something done for the reader?
pub fn is_favour(sentence: &Sentence) -> bool {
    sentence.has(Group::Favour) && !sentence.low.trim_end().ends_with(['?', '？'])
}

/// Does it speak of a job interview?
pub fn is_interview(sentence: &Sentence) -> bool {
    sentence.has(Group::Interview) && !sentence.has(Group::NotInterview)
}

/// What a subject says by itself, where no sentence of the text has said it.
pub fn of_subject(subject: &Sentence, acts: &[Act]) -> Vec<Act> {
    let missing = |kind: ActKind| !acts.iter().any(|a| a.kind == kind);
    let mut found = Vec::new();
    if missing(ActKind::Introduction) && introduces(subject) {
        found.push(act(ActKind::Introduction, &subject.text, None));
    }
    if missing(ActKind::Interview) && is_interview(subject) {
        found.push(act(ActKind::Interview, &subject.text, None));
    }
    found
}

/// `Ann <> Bob`, `Intro: Ann`.
fn introduces(subject: &Sentence) -> bool {
    let crossed = ["<>", "<->", "<=>", "&lt;&gt;", "↔", "⇄", "⟷"].iter().any(|mark| {
        subject.low.split_once(mark).is_some_and(|(a, b)| [a, b].iter().all(|s| s.chars().any(char::is_alphabetic)))
    });
    crossed || subject.has(Group::IntroductionSubject)
}
