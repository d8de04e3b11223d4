//! What stands below a text: signatures, lines of phones, closings, disclaimers. Part of `new_text`.

use super::lines::{Line, is_space, only_rule};
use super::words::{WORDS, plain_words};
use crate::limits;

/// Index into `kept` where the signature begins: at `-- `, or at a bare `--` with little below it.
pub(super) fn signature(lines: &[Line<'_>], kept: &[usize]) -> usize {
    let mut at = kept.len();
    let mut below = 0;
    for (k, i) in kept.iter().enumerate().rev() {
        let Some(line) = lines.get(*i) else { continue };
        let dashes = matches!(line.core, "--" | "\u{2014}" | "\u{2013}\u{2013}") && line.raw.starts_with(line.core);
        let exact = line.core == "--" && line.raw.starts_with("-- ");
        if exact || dashes && below <= limits::SIGNATURE_LINES {
            at = k;
        }
        below += usize::from(!line.blank());
    }
    at
}

/// Takes the lines of phones and apps out of the last lines of a part, and the rule above a quote;
/// `mobile` are lines with their words.
pub(super) fn without_mobile(lines: &[Line<'_>], mobile: &[usize], kept: &mut Vec<usize>, above_quote: bool) {
    let core = |i: usize| lines.get(i).map_or("", |l| l.core);
    let blank = |i: usize| lines.get(i).is_none_or(|l| l.raw.trim().is_empty());
    let is_mobile =
        |i: &usize| mobile.binary_search(i).is_ok() && core(*i).len() < 200 && WORDS.is_mobile(&plain_words(core(*i)));
    loop {
        while kept.last().is_some_and(|i| blank(*i) || core(*i) == "\u{1427}" || above_quote && only_rule(core(*i))) {
            kept.pop();
        }
        // The last paragraph, or the end of a long one.
        let near = kept.len().saturating_sub(4);
        let end = kept.get(near..).unwrap_or_default();
        let from = end.iter().rposition(|i| core(*i).is_empty()).map_or(near, |k| near + k + 1);
        let paragraph = kept.get(from..).unwrap_or_default();
        // A line of a phone may be folded, or go on with an excuse for its typos.
        if (1..=3).contains(&paragraph.len()) && paragraph.first().is_some_and(is_mobile) {
            kept.truncate(from);
        } else if kept.last().is_some_and(is_mobile) {
            kept.pop();
        } else {
            break;
        }
    }
    let last = kept.len().saturating_sub(limits::CLOSING_LINES);
    let mut k = 0;
    kept.retain(|i| {
        k += 1;
        k <= last || !is_mobile(i)
    });
}

/// Index into `kept` where disclaimers and list footers begin; `footers` are lines with their words.
pub(super) fn footer(lines: &[Line<'_>], kept: &[usize], footers: &[usize]) -> usize {
    let blank = |k: usize| kept.get(k).and_then(|i| lines.get(*i)).is_none_or(Line::blank);
    let mut paragraph = 0;
    for (k, i) in kept.iter().enumerate() {
        if !blank(k) && (k == 0 || blank(k - 1)) {
            paragraph = k;
        }
        if footers.binary_search(i).is_ok() && paragraph > 0 {
            // The rule above it belongs to it.
            let rule = kept
                .get(..paragraph)
                .unwrap_or_default()
                .iter()
                .rposition(|i| lines.get(*i).is_some_and(|l| !l.blank()));
            let ruled = rule.filter(|r| kept.get(*r).and_then(|i| lines.get(*i)).is_some_and(|l| only_rule(l.core)));
            return ruled.unwrap_or(paragraph);
        }
    }
    kept.len()
}

/// A part below a quote that is nothing but a footer: it begins with one, or with a long rule, or
/// is a list of attached files.
pub(super) fn is_footer(lines: &[Line<'_>], part: &[usize], footers: &[usize]) -> bool {
    let mut filled = part.iter().filter_map(|i| Some((i, lines.get(*i)?.core))).filter(|(_, core)| !core.is_empty());
    let Some((first, core)) = filled.next() else { return true };
    let ruled = only_rule(core) && core.len() >= limits::FOOTER_RULE_BYTES;
    let said = footers.binary_search(first).is_ok();
    ruled || said || is_file(core) && filled.all(|(_, core)| is_file(core))
}

/// A line of a list of attached files: `- slides.pdf`.
fn is_file(core: &str) -> bool {
    let name = core.strip_prefix("- ").and_then(|name| name.rsplit_once('.'));
    name.is_some_and(|(_, kind)| (2..=4).contains(&kind.len()) && kind.chars().all(|c| c.is_ascii_alphanumeric()))
}

/// Where in `kept` the closing begins and ends ("Best, Dana", and the name, title and telephone
/// below it, but not a postscript).
pub(super) fn closing(lines: &[Line<'_>], kept: &[usize]) -> std::ops::Range<usize> {
    let (mut found, mut end, mut seen, mut below) = (kept.len(), kept.len(), 0, "");
    for (k, i) in kept.iter().enumerate().rev() {
        let Some(core) = lines.get(*i).map(|l| l.core) else { continue };
        if core.is_empty() {
            below = core;
            continue;
        }
        if is_sentence(core) {
            // What stands right below "Thanks Dana" goes on with it.
            if found < kept.len() {
                break;
            }
            end = k;
        } else if is_closing(core) && !is_sentence(below) {
            found = k;
        } else if found < kept.len() {
            break;
        }
        below = core;
        seen += 1;
        if seen > limits::CLOSING_LINES {
            break;
        }
    }
    let above = kept.get(..found).unwrap_or_default().iter().any(|i| lines.get(*i).is_some_and(|l| !l.blank()));
    match found {
        // "Thanks Dana." above the text answers, it does not close.
        found if found < end && (above || end == kept.len()) => found..end,
        _ => bare_name(lines, kept)..kept.len(),
    }
}

/// More than a name, a title or an address.
fn is_sentence(core: &str) -> bool {
    if core.len() > limits::CLOSING_BYTES {
        return true;
    }
    let words = core.split_whitespace().count();
    words >= 10 || core.ends_with(['?', '？', '؟']) || words >= 5 && core.ends_with(['.', '!'])
}

/// "Best regards," or "Thanks, Dana": a phrase of the lexicon and at most a name of three words.
fn is_closing(core: &str) -> bool {
    if is_sentence(core) {
        return false;
    }
    let plain = plain_words(core);
    let words: Vec<&str> = plain.split(' ').collect();
    let Some(count) = WORDS.closing(&words) else { return false };
    let name: Vec<&str> = core.split(is_space).filter(|w| w.contains(char::is_alphanumeric)).skip(count).collect();
    name.len() <= 3 && name.iter().all(|w| is_name(w))
}

/// A last paragraph of one line that is a name: "Dana", "- Rob", "/Anna".
fn bare_name(lines: &[Line<'_>], kept: &[usize]) -> usize {
    let core = |k: usize| kept.get(k).and_then(|i| lines.get(*i)).map_or("", |l| l.core);
    let Some(last) = (0..kept.len()).rev().find(|k| !core(*k).is_empty()) else { return kept.len() };
    let above = last.checked_sub(1).map(core);
    let name = core(last);
    let dashed = name.starts_with(['-', '/', '~', '\u{2013}', '\u{2014}']);
    let bare = name.trim_start_matches(|c: char| !c.is_alphanumeric());
    let words = bare.split(is_space).count();
    let is = (1..=3).contains(&words) && !bare.ends_with(['.', '!', '?', ':']) && bare.split(is_space).all(is_name);
    if is && (dashed && above.is_some() || above == Some("")) && (0..last).any(|k| !core(k).is_empty()) {
        last
    } else {
        kept.len()
    }
}

/// A word of a name: a capital first, or a script without capitals; no digits.
fn is_name(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    bare.chars().next().is_some_and(|c| !c.is_lowercase())
        && !bare.contains(|c: char| c.is_numeric())
        && bare.len() < 40
}
