//! The salutation and the name in it. Room of `read::acts`.
//!
//! Invariant: the name is as written, lower-case, its first word, without titles.

use super::phrases::{Group, Purpose, Sentence};
use super::sentences;
use crate::address::clip;
use crate::limits;

/// Lines in which a salutation may stand; Japanese ones put the company before.
const LINES: usize = 4;
/// Words of a salutation line at most.
const WORDS: usize = 8;

/// The name of the salutation, and the text after a salutation that has its line to itself.
pub fn take(body: &str) -> (Option<String>, &str) {
    let mut rest = body;
    let mut seen = 0;
    while seen < LINES && !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let line = sentences::fold(line);
        rest = after;
        if !line.chars().any(char::is_alphanumeric) {
            continue;
        }
        seen += 1;
        // only the first line may go on after its salutation
        if seen > 1 && line.split(' ').count() > WORDS {
            continue;
        }
        match read(&line) {
            Read::Whole(name) => return (name, after),
            Read::Opens(name) if seen == 1 => return (name, body),
            _ => {}
        }
    }
    (None, body)
}

enum Read {
    /// The line is a salutation and nothing else.
    Whole(Option<String>),
    /// The line begins with one.
    Opens(Option<String>),
    /// None.
    No,
}

fn read(line: &str) -> Read {
    let sentence = Sentence::for_purpose(clip(line, limits::SENTENCE_BYTES).to_string(), Purpose::Salutation);
    let short = sentence.low.split(' ').count() <= WORDS;
    if let Some(honorific) = sentence.of(Group::Honorific).filter(|h| h.start > 0).min_by_key(|h| h.start) {
        let before = sentence.before(honorific.start);
        let name = before.rsplit([' ', '　', '、', ',']).find(|w| !w.is_empty());
        let tail = sentence.after(honorific.end).trim_matches(|c: char| !c.is_alphanumeric());
        if short && before.chars().count() <= 30 && tail.is_empty() {
            let everyone = sentence.of(Group::Everyone).any(|e| e.start < honorific.end);
            return Read::Whole(name.filter(|_| !everyone).map(str::to_string));
        }
    }
    let greeting = sentence.of(Group::Greeting).filter(|g| g.start == 0).map(|g| g.end).max();
    let Some(end) = greeting else { return bare(&sentence, line) };
    // the same word greets and congratulates in some languages
    if sentence.has(Group::Congratulates) {
        return Read::Opens(None);
    }
    let all = sentence.after(end).trim_start_matches([' ', ',']);
    let from = sentence.low.len() - all.len();
    let until = all.find([',', '!', ':', ';', '.', '，', '！', '：', '、', '-', '–', '—', '?', '？', '。']);
    let until =
        until.filter(|u| !all.get(*u..).is_some_and(|r| r.starts_with(". ") && is_title(&sentence, from, from + u)));
    let (address, tail) = all.split_at_checked(until.unwrap_or(all.len())).unwrap_or((all, ""));
    let alone = !tail.chars().any(char::is_alphanumeric);
    let name = name(&sentence, from, address);
    // "Hi there how are you" is no name of five words
    if address.split(' ').count() > 5 {
        return Read::Opens(None);
    }
    if alone && short { Read::Whole(name) } else { Read::Opens(name) }
}

fn is_title(sentence: &Sentence, from: usize, to: usize) -> bool {
    sentence.of(Group::Title).any(|t| t.start >= from && t.end == to)
}

/// "Alex," on a line by itself.
fn bare(sentence: &Sentence, line: &str) -> Read {
    let Some(name) =
        line.strip_suffix([',', ':', '，']).or_else(|| line.strip_suffix(" -")).or_else(|| line.strip_suffix(" --"))
    else {
        return Read::No;
    };
    let words: Vec<&str> = name.split(' ').collect();
    let named = words.len() <= 3 && words.iter().all(|w| w.chars().next().is_some_and(char::is_uppercase));
    let known = sentence.has(Group::Thank) || sentence.has(Group::Please);
    if named && !known { Read::Whole(self::name(sentence, 0, &sentence.low.clone())) } else { Read::No }
}

/// The first word that is neither title nor "all".
fn name(sentence: &Sentence, from: usize, address: &str) -> Option<String> {
    let mut at = from;
    for word in address.split([' ', ',', '/', '&']) {
        let start = at;
        at += word.len() + 1;
        let plain = word.trim_matches(|c: char| !c.is_alphanumeric());
        let covered = |g: Group| sentence.of(g).any(|t| t.start <= start && start < t.end);
        if covered(Group::Everyone) {
            return None;
        }
        if plain.is_empty() || covered(Group::Title) || !plain.chars().any(char::is_alphabetic) {
            continue;
        }
        return Some(clip(plain, limits::NAME_BYTES).to_string());
    }
    None
}
