//! Questions to the reader. Room of `read::acts`.
//!
//! Invariant: a question wants an answer; pleasantries, tags and the `?` of a link want none.

use super::phrases::{Group, Sentence};
use super::words;

/// Words up to which a pleasantry is nothing else.
const PLEASANTRY_WORDS: u32 = 10;

/// Does the sentence ask something?
pub fn is_question(sentence: &Sentence) -> bool {
    let text = sentence.low.trim_end_matches(|c: char| !c.is_alphanumeric() && !is_mark(c) && !matches!(c, '/' | '='));
    let last = text.rsplit(' ').next().unwrap_or("");
    let link = last.contains("://") || last.starts_with("www.");
    let marked = text.ends_with(is_mark) && !link;
    if !marked && !sentence.has(Group::QuestionEnd) && !sentence.has(Group::QuestionOpen) {
        return false;
    }
    let asked = words(&sentence.low);
    if asked == 0 || marked && sentence.is_quoted(text.len()) || sentence.has(Group::Tag) {
        return false;
    }
    !(sentence.has(Group::Pleasantry) && asked <= PLEASANTRY_WORDS && !sentence.has(Group::Ask))
}

/// A question mark of some script.
fn is_mark(c: char) -> bool {
    matches!(c, '?' | '？' | '؟')
}
