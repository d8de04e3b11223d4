//! Introductions, favours and interviews: told by their phrases. Room of `read::acts`.
//!
//! Invariant: only what the words say; who was introduced, and who owes whom, is decided above.

use super::act;
use super::phrases::{Group, Sentence};
use crate::evidence::{Act, ActKind};

/// Does the sentence bring people together?
pub fn is_introduction(sentence: &Sentence) -> bool {
    sentence.has(Group::Introduction)
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
