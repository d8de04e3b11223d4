//! What a text does: asks, promises, thanks, introduces. Part of `read`.
//!
//! Invariant: an act is read from one sentence and its words alone, by the phrases of
//! `lexicon/*.toml` and the rules here; whose act it is and what follows from it is decided above.

mod commitment;
mod dates;
mod deeds;
mod language;
mod marks;
mod phrases;
mod question;
mod request;
mod salutation;
mod sentences;
mod thanks;

use std::collections::HashSet;

use crate::address::clip;
use crate::evidence::{Act, ActKind, TextFacts};
use crate::limits;
use crate::read::new_text::NewText;
use crate::time::Date;
use language::Votes;
use phrases::{Purpose, Sentence, Words};

/// What acts depend on beside the words.
#[derive(Clone, Debug)]
pub struct ActContext<'a> {
    /// `Subject`.
    pub subject: &'a str,
    /// Local date of writing, which relative dates start from.
    pub written_on: Date,
    /// A file is attached.
    pub attachment: bool,
    /// Mailboxes in To and Cc; an introduction has at least two.
    pub recipients: u32,
}

/// Recipients (To and Cc) below which nobody is introduced to anybody.
const INTRODUCED: u32 = 2;

/// Reads the acts and marks of a new text.
pub fn text_facts(text: &NewText, context: &ActContext<'_>) -> TextFacts {
    let (salutation, body) = salutation::take(&text.body);
    let written: Vec<Words> = sentences::split(body).into_iter().map(Words::new).collect();
    let mut votes = Votes::default();
    written.iter().for_each(|s| votes.join(&s.votes));
    let sentences: Vec<Sentence> = written.into_iter().map(|s| s.read(&votes)).collect();
    let marks = marks::of(&sentences, body, text, context.attachment);
    let mut acts: Vec<Act> = Vec::new();
    for sentence in &sentences {
        let handed = (marks.attachment || marks.link) && commitment::hands_over(sentence);
        let found = acts_of(sentence, context.written_on).into_iter();
        acts.extend(found.filter(|a| !(handed && a.kind == ActKind::Commitment)));
    }
    let subject = Sentence::for_purpose(sentences::fold(context.subject), Purpose::Subject);
    acts.extend(deeds::of_subject(&subject, &acts));
    let mut seen = HashSet::new();
    acts.retain(|a| {
        (a.kind != ActKind::Introduction || context.recipients >= INTRODUCED) && seen.insert((a.kind, a.text.clone()))
    });
    acts.truncate(limits::ACTS);
    TextFacts { acts, words: words(body), salutation, marks }
}

/// The acts of a single sentence, as [`text_facts`] reads them; a text of several sentences is
/// split first. Introductions are told by their words alone.
pub fn sentence_acts(sentence: &str, written_on: Date) -> Vec<Act> {
    let split: Vec<Words> = sentences::split(sentence).into_iter().map(Words::new).collect();
    let mut votes = Votes::default();
    split.iter().for_each(|s| votes.join(&s.votes));
    split.into_iter().flat_map(|s| acts_of(&s.read(&votes), written_on)).take(limits::ACTS).collect()
}

/// Kinds in the order of [`ActKind`]. A polite request that ends in a question mark ("Could you send
/// it?") is both a question and a request; an imperative is a request only.
fn acts_of(sentence: &Sentence, written_on: Date) -> Vec<Act> {
    let found = [
        (ActKind::Question, question::is_question(sentence)),
        (ActKind::Request, request::is_request(sentence)),
        (ActKind::Commitment, commitment::is_commitment(sentence)),
        (ActKind::Thanks, thanks::is_thanks(sentence)),
        (ActKind::Introduction, deeds::is_introduction(sentence)),
        (ActKind::Favour, deeds::is_favour(sentence)),
        (ActKind::Interview, deeds::is_interview(sentence)),
    ];
    let kinds = found.into_iter().filter_map(|(kind, is)| is.then_some(kind));
    kinds
        .map(|kind| {
            let dated = matches!(kind, ActKind::Question | ActKind::Request | ActKind::Commitment);
            let due = if dated { dates::due(sentence, written_on) } else { None };
            act(kind, &sentence.text, due)
        })
        .collect()
}

fn act(kind: ActKind, text: &str, due: Option<crate::evidence::Due>) -> Act {
    Act { kind, text: clip(text, limits::SENTENCE_BYTES).trim_end().to_string(), due }
}

/// Words of a text; of scripts without blanks two characters are a word.
fn words(text: &str) -> u32 {
    if text.is_ascii() {
        let (mut words, mut said) = (0_u32, false);
        for byte in text.bytes() {
            let here = byte.is_ascii_alphanumeric();
            words = words.saturating_add(u32::from(here && !said));
            said = here || said && !matches!(byte, b'\t'..=b'\r' | b' ');
        }
        return words;
    }
    let mut spaced: u32 = 0;
    let mut wide: u32 = 0;
    let mut inside = false;
    for c in text.chars() {
        if phrases::is_unspaced(c) {
            wide = wide.saturating_add(1);
            inside = false;
        } else if c.is_alphanumeric() {
            spaced = spaced.saturating_add(u32::from(!inside));
            inside = true;
        } else if c.is_whitespace() {
            inside = false;
        }
    }
    spaced.saturating_add(wide.div_ceil(2))
}

#[cfg(test)]
mod tests;
