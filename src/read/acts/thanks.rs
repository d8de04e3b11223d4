//! Thanks for something done. Room of `read::acts`.
//!
//! Invariant: strict, because a thank-you closes a debt visibly; the generous token is a mark.

use super::phrases::{Group, Hit, Sentence};
use super::words;

/// Bytes between a thanks word and what it is for ("thank you both so much for").
const FOR: usize = 48;
/// Bytes after it in which an empty object makes it boiler-plate.
const OBJECT: usize = 42;
/// Words beside the thanks without which "thanks so much" is a sign-off.
const MORE_WORDS: u32 = 3;

/// Does the sentence thank for something done?
pub fn is_thanks(sentence: &Sentence) -> bool {
    if sentence.low.starts_with('>') {
        return false;
    }
    let strong = sentence.of(Group::ThanksStrong).map(|h| (h, h.end));
    let joined = sentence.of(Group::Thank).filter_map(|t| Some((t, thanked_for(sentence, t)?)));
    let much = sentence.of(Group::ThanksMuch).filter(|h| says_more(sentence, h)).map(|h| (h, h.end));
    let deed = sentence.of(Group::Thank).filter(|h| with_deed(sentence, h)).map(|h| (h, h.end));
    let mut said = strong.chain(joined).chain(much).chain(deed);
    said.any(|(hit, end)| !sentence.is_quoted(hit.start) && !empty(sentence, hit, end))
}

/// Where the "for" of a thanks word ends.
fn thanked_for(sentence: &Sentence, thank: &Hit) -> Option<usize> {
    let reach = |f: &&Hit| {
        f.language == thank.language
            && f.start >= thank.end
            && f.start - thank.end <= FOR
            && !sentence.between(thank.end, f.start).contains(['.', '!', '?', ';', ':'])
            && words(sentence.between(thank.end, f.start)) <= 6
            && sentence.after(f.end).chars().any(char::is_alphanumeric)
    };
    sentence.of(Group::ThankFor).filter(reach).map(|f| f.end).min()
}

fn says_more(sentence: &Sentence, hit: &Hit) -> bool {
    words(sentence.before(hit.start)) + words(sentence.after(hit.end)) >= MORE_WORDS
        && sentence.after(hit.end).chars().filter(char::is_ascii_digit).count() < 5
}

fn with_deed(sentence: &Sentence, thank: &Hit) -> bool {
    sentence
        .of(Group::ThanksDeed)
        .any(|d| d.language == thank.language && (d.start >= thank.end || d.end <= thank.start))
}

/// Is it taken back, or for nothing in particular?
fn empty(sentence: &Sentence, hit: &Hit, end: usize) -> bool {
    sentence.of(Group::NotThanks).any(|n| n.language == hit.language)
        || sentence.of(Group::Boilerplate).any(|b| {
            b.language == hit.language
                && (b.start >= hit.start && b.start <= end + OBJECT
                    || (b.end <= hit.start && hit.start - b.end <= OBJECT))
        })
}
