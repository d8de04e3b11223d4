//! What the sender wrote in this message. Part of `read`.
//!
//! Lines are told apart by who wrote them: marks (`marks`) say where somebody else's words begin,
//! `>` says which lines are theirs, and what clients and people put below a text (`tail`) is taken
//! or set aside. Which words mean what is data: the `[quote]` tables of the lexicons (`words`).
//!
//! Invariant: every line of `text` is a line of the input, in its order; nothing is made up.

mod lines;
mod marks;
mod tail;
mod words;

use lines::{Line, lines};
use marks::{Mark, Verb};
use words::{Phrase, WORDS};

use crate::limits;

/// A text taken apart.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NewText {
    /// What remains without quotes and without the signature after `-- ` or of a mobile client
    /// (`new_text` of the contract): closings, disclaimers and footers are still in it.
    pub text: String,
    /// `text` without closing, disclaimer and footer: what acts are read from.
    pub body: String,
    /// The closing that was set aside ("Best, Dana"), empty where there is none.
    pub closing: String,
}

/// Takes quotes and signatures off a plain text (line ends of any kind, at most
/// [`crate::limits::TEXT_BYTES`]).
pub fn new_text(plain: &str) -> NewText {
    let lines = lines(plain);
    let found = phrases(plain, &lines);
    let marks = marks::marks(plain, &lines, &found.verbs);
    let parts = parts(&lines, &marks);
    if parts.iter().all(Vec::is_empty) && marks.is_empty() && !quotes_attribution(&lines, &found.verbs) {
        // Nothing but marked lines, and nobody named who wrote them: they may be the sender's own
        // way of setting a text, but no act is read from them.
        let all: Vec<usize> = (0..lines.len()).collect();
        return NewText { text: join(&lines, &all), ..NewText::default() };
    }
    let mut kept: Vec<usize> = Vec::new();
    let count = parts.len();
    for (n, mut part) in parts.into_iter().enumerate() {
        // What clients and lists put below the whole mail, quotes included, says nothing.
        if n > 0 && n + 1 == count && tail::is_footer(&lines, &part, &found.footers) {
            break;
        }
        part.truncate(tail::signature(&lines, &part));
        tail::without_mobile(&lines, &found.mobile, &mut part, n + 1 < count);
        kept.extend(part);
    }
    let text = join(&lines, &kept);
    kept.truncate(tail::footer(&lines, &kept, &found.footers));
    let closing: Vec<usize> = kept.drain(tail::closing(&lines, &kept)).collect();
    NewText { text, body: join(&lines, &kept), closing: join(&lines, &closing) }
}

/// Where the words of the lexicons stand, in the order of the text.
#[derive(Default)]
struct Found {
    /// Verbs of attributions.
    verbs: Vec<Verb>,
    /// Lines with words of disclaimers and footers.
    footers: Vec<usize>,
    /// Lines with words that phones and apps put below a text.
    mobile: Vec<usize>,
}

fn phrases(plain: &str, lines: &[Line<'_>]) -> Found {
    let mut found = Found::default();
    let mut line = 0;
    for (phrase, from, until) in WORDS.phrases(plain) {
        while lines.get(line + 1).is_some_and(|l| l.at <= from) {
            line += 1;
        }
        let place = match phrase {
            Phrase::Wrote => {
                found.verbs.push(Verb { line, from, until });
                continue;
            }
            Phrase::Footer => &mut found.footers,
            Phrase::Mobile => &mut found.mobile,
        };
        if place.last() != Some(&line) {
            place.push(line);
        }
    }
    found
}

/// The lines that are the sender's own, as stretches between quotes.
fn parts(lines: &[Line<'_>], marks: &[Mark]) -> Vec<Vec<usize>> {
    let mut parts = vec![Vec::new()];
    let mut marks = marks.iter().peekable();
    let (mut i, mut own, mut named) = (0, 0usize, false);
    while let Some(line) = lines.get(i) {
        if let Some(mark) = marks.next_if(|m| m.first == i) {
            named = marks::followed_by_quote(lines, mark.last);
            let theirs = if named {
                few_quoted(lines, mark) && own > limits::GREETING_WORDS
            } else {
                own > 0 || !mark.attribution
            };
            if theirs {
                parts.push(Vec::new());
                break;
            }
            parts.push(Vec::new());
            i = mark.last + 1;
            continue;
        }
        let theirs = line.quoted || named && marks::is_bar(line.core) || overflows(lines, i);
        if theirs {
            if parts.len() == 1 || parts.last().is_some_and(|p| !p.is_empty()) {
                parts.push(Vec::new());
            }
        } else if let Some(part) = parts.last_mut() {
            own += line.core.split_whitespace().count();
            part.push(i);
        }
        i += 1;
    }
    for part in &mut parts {
        if part.iter().all(|i| lines.get(*i).is_none_or(Line::blank)) {
            part.clear();
        }
    }
    parts
}

/// Less than 30 % of what follows is marked: then what is not marked is no answer, but the rest of
/// a quote whose marks were lost.
fn few_quoted(lines: &[Line<'_>], mark: &Mark) -> bool {
    let rest = lines.get(mark.last + 1..).unwrap_or_default();
    let marked = rest.iter().filter(|l| !l.blank() && (l.quoted || marks::is_bar(l.core))).count();
    let all = rest.iter().filter(|l| !l.blank()).count();
    marked * 10 < all * 3
}

/// A long quoted line that was folded on its way: its rest stands unmarked between marked lines.
fn overflows(lines: &[Line<'_>], at: usize) -> bool {
    let (Some(above), Some(line)) = (at.checked_sub(1).and_then(|a| lines.get(a)), lines.get(at)) else { return false };
    above.quoted
        && !line.blank()
        && lines.get(at + 1).is_some_and(|below| below.quoted)
        && above.core.len() >= limits::FOLDED_BYTES
        && line.core.len() < above.core.len()
        && (above.raw.ends_with(' ') || line.core.starts_with(|c: char| !c.is_uppercase()))
}

/// Somebody is named as the writer of the marked lines, inside them.
fn quotes_attribution(lines: &[Line<'_>], verbs: &[Verb]) -> bool {
    verbs.iter().any(|v| lines.get(v.line).is_some_and(|l| l.quoted && l.core.ends_with([':', '：'])))
}

/// The lines without empty ones at either end.
fn join(lines: &[Line<'_>], kept: &[usize]) -> String {
    let blank = |i: &usize| lines.get(*i).is_none_or(|l| l.raw.trim().is_empty());
    let from = kept.iter().position(|i| !blank(i)).unwrap_or(kept.len());
    let until = kept.iter().rposition(|i| !blank(i)).map_or(from, |last| last + 1);
    let raw: Vec<&str> =
        kept.get(from..until).unwrap_or_default().iter().filter_map(|i| Some(lines.get(*i)?.raw)).collect();
    raw.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `plain` gives `text`, of which `closing` is set aside.
    fn check(plain: &str, text: &str, closing: &str) {
        let found = new_text(plain);
        assert_eq!((found.text.as_str(), found.closing.as_str()), (text, closing), "{plain:?}");
    }

    #[test]
    fn one_of_each_kind() {
        check("", "", "");
        check("\n\nYes.\n\n", "Yes.", "");
        check("Yes.\r\n\r\nBest,\r\nDana\r\n", "Yes.\n\nBest,\nDana", "Best,\nDana");
        check("Yes.\n\n-- \nDana\nUniversity", "Yes.", "");
        check("Yes.\n\nSent from my iPhone", "Yes.", "");
        check("Yes.\n\nOn 11 May 2026, at 09:15, Dana wrote:\n> Well?", "Yes.", "");
        check("On 11 May 2026, at 09:15, Dana wrote:\n> Well?\n\nYes.", "Yes.", "");
        check("Yes.\n\n-----Original Message-----\nFrom: Dana\n\nWell?", "Yes.", "");
        check("Yes.\n\nFrom: Dana\nSent: Monday\nTo: Tom\nSubject: Well\n\nWell?", "Yes.", "");
        check("---------- Forwarded message ---------\nFrom: Dana\n\nWell?", "", "");
    }

    #[test]
    fn what_is_set_aside() {
        let found = new_text("Yes.\n\nBest,\nDana\n\nThis message is confidential and so on.");
        assert_eq!(found.body, "Yes.");
        assert_eq!(found.closing, "Best,\nDana");
        assert!(found.text.ends_with("so on."));
    }

    #[test]
    fn marked_lines_alone_are_text_but_no_body() {
        assert_eq!(new_text("> Well?"), NewText { text: "> Well?".to_string(), ..NewText::default() });
    }
}
