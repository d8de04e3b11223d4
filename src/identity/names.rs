//! Display names: read into comparable words, and compared. Part of floor 2, `identity`.
//!
//! Invariant: comparing is symmetric and never depends on case, accents or the order of words.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::nicknames::same_group;
use crate::address::{AddrSpec, safe_text};
use crate::limits;

/// A display name, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name {
    /// As it is shown: without titles, company and "via", "Ito, Dana" put in order.
    pub display: String,
    /// Folded words, given name first where the order is known.
    pub words: Vec<String>,
    /// Two words or more (or an unspaced name in Han, Kana or Hangul): says who somebody is.
    /// A single word is a first name or a handle and proves much less.
    pub full: bool,
}

/// How two full names agree, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Likeness {
    /// The same words in the same order.
    Same,
    /// The same words in another order, or written together.
    Reordered,
    /// All words of one are in the other.
    Subset,
    /// The same surname, and first names that are initial, beginning or nickname of each other.
    FirstName,
    /// A slip of the pen apart.
    Near,
    /// The same surname, and a first name that agrees only in its initial.
    Initial,
    /// They may be one person ("Dana I." and "Dana Ito"), but that says little.
    Possible,
}

impl Name {
    /// Reads a display name; `None` where it names no person (a desk, a placeholder, nothing).
    pub fn read(text: &str) -> Option<Name> {
        let text: String = text.nfkc().collect();
        let text = safe_text(&text, limits::NAME_BYTES);
        let text = without_quotes(&without_via(&without_brackets(&text)));
        let text = before_company(&text);
        if let Some(addr) = AddrSpec::parse(text) {
            return Name::from_local(&addr);
        }
        let text = text.split_once('@').map_or(text, |(before, _)| before).trim();
        let (display, words) = in_order(text);
        let words: Vec<String> = words.into_iter().take(limits::NAME_WORDS).collect();
        let letters: usize = words.iter().map(|w| w.chars().count()).sum();
        let spaced = display.contains(char::is_whitespace);
        let full = letters >= 4 && words.len() >= 2 && words.iter().any(|w| w.chars().count() >= 2) && spaced
            || letters >= 2 && words.iter().any(|w| script(w) == Script::EastAsian) && letters <= 12;
        let nobody = letters < 2 || words.iter().any(|w| is_desk(w)) || words.iter().all(|w| is_nobody(w));
        (!nobody).then_some(Name { display, words, full })
    }

    /// The name a `first.last` local part spells, title-cased.
    pub fn from_local(addr: &AddrSpec) -> Option<Name> {
        let local = addr.local();
        let local = local.split_once('+').map_or(local, |(plain, _)| plain);
        let parts: Vec<&str> = local.split(['.', '_']).collect();
        let wordlike = |p: &&str| p.chars().all(|c| c.is_alphabetic() || c == '-') && !p.is_empty();
        let spelled = (2..=3).contains(&parts.len())
            && parts.iter().all(wordlike)
            && parts.last().is_some_and(|p| p.chars().count() >= 2)
            && parts.iter().any(|p| p.chars().count() >= 3);
        let shown: Vec<String> = parts.iter().map(|p| title_case(p)).collect();
        spelled.then(|| Name::read(&shown.join(" "))).flatten()
    }

    /// The words written together.
    pub fn joined(&self) -> String {
        self.words.concat()
    }

    /// The first word and the last one, of a full name of two words or more.
    pub fn ends(&self) -> Option<(&str, &str)> {
        match self.words.as_slice() {
            [first, .., last] => Some((first, last)),
            _ => None,
        }
    }

    /// Ways in which a local part spells this name, all letters: `danaito`, `itodana`, `dito`,
    /// `danai`, `itod`, with and without middle names.
    pub fn spellings(&self) -> Vec<String> {
        let Some((first, last)) = self.ends() else { return vec![self.joined()] };
        let initial = |w: &str| w.chars().next().map(String::from).unwrap_or_default();
        let initials: String = self.words.iter().rev().skip(1).rev().map(|w| initial(w)).collect();
        let mut all = vec![
            self.joined(),
            format!("{first}{last}"),
            format!("{last}{first}"),
            format!("{}{last}", initial(first)),
            format!("{first}{}", initial(last)),
            format!("{last}{}", initial(first)),
            format!("{initials}{last}"),
        ];
        all.retain(|s| s.chars().count() >= limits::SPELLING_CHARS);
        all.sort();
        all.dedup();
        all
    }
}

/// How `a` and `b` agree; `None` where they contradict each other. Both must be full names.
pub fn compare(a: &Name, b: &Name) -> Option<Likeness> {
    if a.words == b.words {
        return Some(Likeness::Same);
    }
    if is_reordered(&a.words, &b.words) {
        return Some(Likeness::Reordered);
    }
    let (short, long) = if a.words.len() <= b.words.len() { (a, b) } else { (b, a) };
    match_words(short, long).or_else(|| is_near(a, b).then_some(Likeness::Near))
}

/// Do the two names contradict each other? Names in different scripts cannot be compared.
pub fn contradict(a: &Name, b: &Name) -> bool {
    let script_of = |n: &Name| n.words.first().map(|w| script(w));
    a.full && b.full && script_of(a) == script_of(b) && compare(a, b).is_none()
}

/// Do the names of two holders contradict each other? One real agreement outweighs the rest; an
/// initial does not, because the full first name beside it tells more.
pub fn lists_contradict(a: &[Name], b: &[Name]) -> bool {
    let pairs = || a.iter().flat_map(|x| b.iter().map(move |y| (x, y)));
    pairs().any(|(x, y)| contradict(x, y))
        && !pairs().any(|(x, y)| compare(x, y).is_some_and(|likeness| likeness < Likeness::Initial))
}

fn is_reordered(a: &[String], b: &[String]) -> bool {
    let sorted = |words: &[String]| {
        let mut words = words.to_vec();
        words.sort();
        words
    };
    if a.len() == b.len() && sorted(a) == sorted(b) {
        return true;
    }
    let joined = a.concat();
    let mut turned = b.to_vec();
    (0..b.len()).any(|_| {
        turned.rotate_left(1);
        turned.concat() == joined
    })
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Equal,
    Kin,
    Initial,
}

fn fit(a: &str, b: &str) -> Option<Fit> {
    if a == b {
        return Some(Fit::Equal);
    }
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    match short.chars().count() {
        0 => None,
        1 => long.starts_with(short).then_some(Fit::Initial),
        2 => same_group(a, b).then_some(Fit::Kin),
        _ => (is_short_for(short, long) || same_group(a, b)).then_some(Fit::Kin),
    }
}

/// "Konst" for "Konstantin"; a letter or two more make another name (Paul and Paula, Jan and Jane).
fn is_short_for(short: &str, long: &str) -> bool {
    let rest = long.strip_prefix(short).map_or(0, |rest| rest.chars().count());
    rest >= limits::SHORTENED_BY
        && !["ina", "ine", "iana", "ette", "elle"].iter().any(|end| long.strip_prefix(short) == Some(end))
}

/// Equal, short for each other, or nicknames.
pub fn is_kin(a: &str, b: &str) -> bool {
    matches!(fit(a, b), Some(Fit::Equal | Fit::Kin))
}

/// Finds for each word of the shorter name its own word of the longer one.
fn match_words(short: &Name, long: &Name) -> Option<Likeness> {
    let mut free: Vec<Option<&String>> = long.words.iter().map(Some).collect();
    let mut fits = vec![None; short.words.len()];
    for wanted in [Fit::Equal, Fit::Kin, Fit::Initial] {
        for (word, found) in short.words.iter().zip(fits.iter_mut()).filter(|(_, f)| f.is_none()) {
            if let Some(slot) = free.iter_mut().find(|s| s.is_some_and(|o| fit(word, o) == Some(wanted))) {
                *slot = None;
                *found = Some(wanted);
            }
        }
    }
    let equal = |wanted: &str| short.words.iter().zip(&fits).any(|(w, f)| *f == Some(Fit::Equal) && w == wanted);
    let any_equal = short.words.iter().zip(&fits).any(|(w, f)| *f == Some(Fit::Equal) && w.chars().count() >= 2);
    if fits.iter().any(Option::is_none) || !any_equal {
        return None;
    }
    if short.words.len() >= 2 && fits.iter().all(|f| *f == Some(Fit::Equal)) {
        return Some(Likeness::Subset);
    }
    let (first, last) = short.ends()?;
    let (other_first, other_last) = long.ends()?;
    let first_fit = fit(first, other_first);
    Some(match first_fit {
        Some(_) if last != other_last || !equal(last) || last.chars().count() < 2 => Likeness::Possible,
        Some(Fit::Initial) => Likeness::Initial,
        Some(_) => Likeness::FirstName,
        None if fits.contains(&Some(Fit::Initial)) => Likeness::Possible,
        None => return None,
    })
}

fn is_near(a: &Name, b: &Name) -> bool {
    let other_sex = |x: &str, y: &str| ["a", "e", "ne", "na"].iter().any(|end| x.strip_suffix(end) == Some(y));
    if a.words.iter().zip(&b.words).any(|(x, y)| other_sex(x, y) || other_sex(y, x)) {
        return false;
    }
    let (a, b) = (a.words.join(" "), b.words.join(" "));
    a.chars().count().min(b.chars().count()) >= limits::NEAR_NAME_CHARS
        && strsim::levenshtein(&a, &b) <= 2
        && strsim::jaro_winkler(&a, &b) >= 0.95
}

// -- reading ------------------------------------------------------------------------------------------

/// Lower case, compatibility forms, no accents on Latin letters, German digraphs as plain vowels.
/// Other scripts keep their marks: in Japanese they make another letter.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut latin = false;
    for c in text.nfkd().flat_map(char::to_lowercase) {
        if is_combining_mark(c) {
            if !latin {
                out.push(c);
            }
            continue;
        }
        latin = c.is_ascii() || ('\u{e0}'..'\u{250}').contains(&c);
        match c {
            'ß' => out.push_str("ss"),
            'ø' => out.push('o'),
            'ł' => out.push('l'),
            'đ' | 'ð' => out.push('d'),
            'þ' => out.push_str("th"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'ı' => out.push('i'),
            'ħ' => out.push('h'),
            _ => out.push(c),
        }
    }
    out.nfc().collect()
}

/// One folded word. `Müller` is also written `Mueller`, so both become `muller`; short words keep
/// their vowels, because Xue and Xu are two names.
pub fn fold_word(word: &str) -> String {
    let word: String = fold(word).chars().filter(|c| c.is_alphanumeric() || is_combining_mark(*c)).collect();
    if word.chars().count() < 5 {
        return word;
    }
    word.replace("ae", "a").replace("oe", "o").replace("ue", "u")
}

fn words_of(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| c.is_whitespace() || matches!(c, '.' | '_' | '-' | ',' | '·' | '・' | '‐' | '–' | '/' | '&'))
        .map(fold_word)
        .filter(|w| !w.is_empty())
}

/// Splits into display and words, with "Ito, Dana" put in order and titles gone.
fn in_order(text: &str) -> (String, Vec<String>) {
    let (before, after) = text.split_once(',').map_or((text, ""), |(b, a)| (b.trim(), a.trim()));
    let is_suffix = |t: &str| words_of(t).all(|w| is_title(&w)) || words_of(t).any(|w| is_company(&w));
    let (display, swapped) = match () {
        () if after.is_empty() || is_suffix(after) => (before.to_string(), false),
        () if words_of(before).filter(|w| !is_title(w)).count() <= 1 || starts_with_particle(before) => {
            (format!("{after} {before}"), true)
        }
        // "García Márquez, Gabriel" or "Dana Ito, Acme": nobody knows, so every word is kept.
        () => (text.to_string(), true),
    };
    let source = if swapped { format!("{after} {before}") } else { before.to_string() };
    let plain: Vec<String> = words_of(&source)
        .filter(|w| !is_title(w))
        .map(|w| if source.contains(' ') { w.trim_end_matches(|c: char| c.is_ascii_digit()).to_string() } else { w })
        .filter(|w| !w.is_empty())
        .collect();
    let shown: Vec<&str> = display
        .split_whitespace()
        .skip_while(|w| is_title(&fold_word(w.trim_end_matches('.'))) && w.chars().count() >= 2)
        .collect();
    (shown.join(" "), plain)
}

fn starts_with_particle(text: &str) -> bool {
    let first = text.split_whitespace().next().map(fold).unwrap_or_default();
    [
        "van", "von", "de", "da", "di", "del", "della", "der", "den", "ter", "ten", "la", "le", "du", "dos", "al",
        "el", "bin", "zu",
    ]
    .contains(&first.as_str())
}

fn without_brackets(text: &str) -> String {
    let mut depth = 0_u32;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '(' | '[' | '{' | '<' | '（' | '【' => depth = depth.saturating_add(1),
            ')' | ']' | '}' | '>' | '）' | '】' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    if out.trim().is_empty() { text.trim_matches(['(', ')', '[', ']']).to_string() } else { out }
}

/// "Dana Ito via Forms" is Dana Ito; so is "'Dana Ito' via Team".
fn without_via(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let cut = words.iter().skip(1).position(|w| w.eq_ignore_ascii_case("via")).map_or(words.len(), |i| i + 1);
    words.into_iter().take(cut).collect::<Vec<_>>().join(" ")
}

fn without_quotes(text: &str) -> String {
    text.trim()
        .trim_matches(['"', '\'', '“', '”', '„', '‘', '’', '«', '»', '`', '*', '~', ',', ';', ':'])
        .trim()
        .to_string()
}

/// What stands before `| Acme`, ` - Acme`, ` at Acme`.
fn before_company(text: &str) -> &str {
    let first = |t, by: &str| match str::split_once(t, by) {
        Some((before, _)) if !before.trim().is_empty() => before.trim(),
        _ => t,
    };
    [" |", "|", "｜", " - ", " – ", " — ", " // ", " • ", " :: "].iter().fold(text, |t, by| first(t, by))
}

fn title_case(word: &str) -> String {
    let mut start = true;
    word.chars()
        .flat_map(|c| {
            let out: Vec<char> = if start { c.to_uppercase().collect() } else { vec![c] };
            start = c == '-';
            out
        })
        .collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Cyrillic,
    Greek,
    EastAsian,
    Other,
}

fn script(word: &str) -> Script {
    match word.chars().next() {
        Some('\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}') => Script::Latin,
        Some('\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}') => Script::Greek,
        Some('\u{400}'..='\u{52f}') => Script::Cyrillic,
        Some(
            '\u{1100}'..='\u{11ff}'
            | '\u{3040}'..='\u{30ff}'
            | '\u{3400}'..='\u{9fff}'
            | '\u{ac00}'..='\u{d7af}'
            | '\u{20000}'..='\u{3ffff}',
        ) => Script::EastAsian,
        _ => Script::Other,
    }
}

fn is_title(word: &str) -> bool {
    TITLES.binary_search(&word).is_ok()
}

fn is_company(word: &str) -> bool {
    COMPANIES.binary_search(&word).is_ok()
}

fn is_desk(word: &str) -> bool {
    DESKS.binary_search(&word).is_ok()
}

/// Is this a word people type where their name should stand?
pub fn is_nobody(word: &str) -> bool {
    NOBODIES.binary_search(&word).is_ok()
}

/// Titles, degrees and generations, folded; sorted.
const TITLES: &[&str] = &[
    "ba",
    "bsc",
    "dipl",
    "doc",
    "dott",
    "dr",
    "drs",
    "esq",
    "frau",
    "herr",
    "hr",
    "ii",
    "iii",
    "ing",
    "iv",
    "jr",
    "llm",
    "mag",
    "mba",
    "md",
    "miss",
    "mme",
    "mr",
    "mrs",
    "ms",
    "msc",
    "phd",
    "phil",
    "prof",
    "professor",
    "rev",
    "sir",
    "sr",
    "sra",
];

/// Words of firms and schools; sorted.
const COMPANIES: &[&str] = &[
    "ag",
    "bv",
    "co",
    "company",
    "consulting",
    "corp",
    "corporation",
    "group",
    "gmbh",
    "inc",
    "institut",
    "institute",
    "kg",
    "lab",
    "labs",
    "limited",
    "llc",
    "llp",
    "ltd",
    "oy",
    "plc",
    "pty",
    "sa",
    "sarl",
    "school",
    "se",
    "srl",
    "universitat",
    "university",
];

/// Words of a desk, a list or a robot; sorted.
const DESKS: &[&str] = &[
    "accounts",
    "admin",
    "alerts",
    "billing",
    "bot",
    "buildbot",
    "customer",
    "daemon",
    "digest",
    "helpdesk",
    "info",
    "kundenservice",
    "list",
    "mailer",
    "mailing",
    "marketing",
    "newsletter",
    "noreply",
    "notification",
    "notifications",
    "office",
    "postmaster",
    "reply",
    "sales",
    "service",
    "services",
    "support",
    "team",
    "updates",
    "webmaster",
];

/// What stands in for a name nobody gave; sorted.
const NOBODIES: &[&str] = &[
    "anon",
    "anonymous",
    "convert",
    "debian",
    "dev",
    "devnull",
    "email",
    "example",
    "first",
    "firstname",
    "full",
    "git",
    "github",
    "gitlab",
    "guest",
    "here",
    "last",
    "lastname",
    "localhost",
    "mail",
    "me",
    "my",
    "myself",
    "name",
    "no",
    "nobody",
    "none",
    "null",
    "repo",
    "root",
    "self",
    "student",
    "surname",
    "test",
    "ubuntu",
    "unknown",
    "user",
    "username",
    "vagrant",
    "you",
    "your",
    "yourname",
];

/// The words of what a user types to find somebody.
pub fn find_words(text: &str) -> Vec<String> {
    let text: String = text.nfkc().collect();
    words_of(&safe_text(&text, limits::NAME_BYTES)).take(limits::NAME_WORDS).collect()
}

/// Is it one of these names, in any order of words?
pub fn is_one_of(name: &Name, names: &[String]) -> bool {
    names.iter().filter_map(|n| Name::read(n)).any(|n| n.words == name.words || is_reordered(&n.words, &name.words))
}
