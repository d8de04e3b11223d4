//! The `[quote]` tables of the lexicons as automata and maps, built once. Part of `new_text`.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use serde::Deserialize;

use super::lines::{is_space, undecorated};
use crate::read::lexicon;

/// `[quote]` of one language; every key is a list of words or phrases.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Quote {
    /// What a client calls the act of the one it quotes: "wrote", "a écrit".
    wrote: Vec<String>,
    /// The same said by the writer of himself, in prose: "i wrote".
    self_wrote: Vec<String>,
    /// Words a line that names who is quoted begins with: "on", "am", short weekdays.
    on: Vec<String>,
    /// Names of the line between a text and the message it answers: "original message".
    original: Vec<String>,
    /// Names of the line before a forwarded message; one that ends in `*` may be followed by more.
    forwarded: Vec<String>,
    /// Labels of header fields that clients write into the text.
    from: Vec<String>,
    to: Vec<String>,
    cc: Vec<String>,
    date: Vec<String>,
    subject: Vec<String>,
    reply_to: Vec<String>,
    /// What phones and apps put below a text; `@` stands for a device or app, `*` for any three words.
    mobile: Vec<String>,
    /// Devices and apps, and words for them.
    device: Vec<String>,
    /// What is written above one's name.
    closing: Vec<String>,
    /// What disclaimers and the footers of lists begin with.
    footer: Vec<String>,
}

/// A header field named in a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Label {
    From,
    To,
    Cc,
    Date,
    Subject,
    ReplyTo,
}

/// What a phrase found anywhere in a text means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phrase {
    Wrote,
    Footer,
    /// A part of the line of a phone or app; [`Words::is_mobile`] knows the rest.
    Mobile,
}

/// A line below a text, around the name of a device.
struct Mobile {
    before: String,
    after: String,
    /// Any name will do.
    any: bool,
}

/// All languages together: a mail mixes them (its text in one, its client in another).
pub(super) struct Words {
    phrases: Option<AhoCorasick>,
    /// The same for texts in ASCII, which no other phrase can be in: much faster, and not too large.
    plain_phrases: Option<AhoCorasick>,
    meanings: Vec<Phrase>,
    plain_meanings: Vec<Phrase>,
    labels: HashMap<String, Label>,
    on: HashSet<String>,
    on_glued: Vec<String>,
    self_wrote: Vec<String>,
    original: HashSet<String>,
    forwarded: HashSet<String>,
    forwarded_by: Vec<String>,
    mobile: Vec<Mobile>,
    devices: HashSet<String>,
    closings: HashSet<String>,
    /// Most words a closing phrase has.
    closing_words: usize,
}

/// The words, built when they are first needed.
pub(super) static WORDS: LazyLock<Words> = LazyLock::new(Words::new);

impl Words {
    fn new() -> Words {
        let mut words = Words {
            phrases: None,
            plain_phrases: None,
            meanings: Vec::new(),
            plain_meanings: Vec::new(),
            labels: HashMap::new(),
            on: HashSet::new(),
            on_glued: Vec::new(),
            self_wrote: Vec::new(),
            original: HashSet::new(),
            forwarded: HashSet::new(),
            forwarded_by: Vec::new(),
            mobile: Vec::new(),
            devices: HashSet::new(),
            closings: HashSet::new(),
            closing_words: 0,
        };
        let mut patterns = Vec::new();
        for (_, table) in lexicon::tables::<Quote>("quote") {
            words.add(table, &mut patterns);
        }
        let mut builder = AhoCorasick::builder();
        builder.match_kind(MatchKind::LeftmostLongest).ascii_case_insensitive(true);
        words.phrases = builder.build(&patterns).ok();
        let plain = || patterns.iter().zip(&words.meanings).filter(|(p, _)| p.is_ascii());
        words.plain_phrases = builder.kind(Some(AhoCorasickKind::DFA)).build(plain().map(|(p, _)| p)).ok();
        words.plain_meanings = plain().map(|(_, m)| *m).collect();
        words
    }

    fn add(&mut self, table: Quote, patterns: &mut Vec<String>) {
        for (list, meaning) in [(&table.wrote, Phrase::Wrote), (&table.footer, Phrase::Footer)] {
            for pattern in list.iter().flat_map(|p| cases(p)) {
                patterns.push(pattern);
                self.meanings.push(meaning);
            }
        }
        for (list, label) in [
            (table.from, Label::From),
            (table.to, Label::To),
            (table.cc, Label::Cc),
            (table.date, Label::Date),
            (table.subject, Label::Subject),
            (table.reply_to, Label::ReplyTo),
        ] {
            for word in list {
                self.labels.entry(word).or_insert(label);
            }
        }
        for word in table.on {
            if word.chars().next_back().is_some_and(is_glued) {
                self.on_glued.push(word);
            } else {
                self.on.insert(word);
            }
        }
        self.self_wrote.extend(table.self_wrote);
        self.original.extend(table.original);
        for phrase in table.forwarded {
            match phrase.strip_suffix('*') {
                Some(start) => self.forwarded_by.push(start.to_string()),
                None => _ = self.forwarded.insert(phrase),
            }
        }
        for phrase in &table.mobile {
            let (before, after) = phrase.split_once(['*', '@']).unwrap_or((phrase, ""));
            let after = after.trim_end_matches(['*', '@', ' ']);
            let longest = if before.len() >= after.len() { before.trim() } else { after.trim() };
            for pattern in cases(longest) {
                patterns.push(pattern);
                self.meanings.push(Phrase::Mobile);
            }
            self.mobile.push(Mobile {
                before: before.to_string(),
                after: after.to_string(),
                any: !phrase.contains('@'),
            });
        }
        self.devices.extend(table.device);
        for phrase in table.closing {
            self.closing_words = self.closing_words.max(phrase.split(' ').count());
            self.closings.insert(phrase);
        }
    }

    /// Phrases of a text from its first byte to its last, with where they begin and end.
    pub fn phrases<'t>(&self, text: &'t str) -> impl Iterator<Item = (Phrase, usize, usize)> + use<'_, 't> {
        let (phrases, meanings) = match text.is_ascii() {
            true => (&self.plain_phrases, &self.plain_meanings),
            false => (&self.phrases, &self.meanings),
        };
        phrases.iter().flat_map(move |p| p.find_iter(text)).filter_map(move |m| {
            let phrase = *meanings.get(m.pattern().as_usize())?;
            let before = text.get(..m.start())?.chars().next_back();
            let after = text.get(m.end()..)?.chars().next();
            let found = text.get(m.range())?;
            let (first, last) = (found.chars().next()?, found.chars().next_back()?);
            let open = |outer: Option<char>, edge: char| {
                is_glued(edge) || !edge.is_alphanumeric() || !outer.is_some_and(|c| c.is_alphanumeric() && !is_glued(c))
            };
            // Of the lines of phones this is only a part, and the rest is looked at later.
            (phrase == Phrase::Mobile || open(before, first) && open(after, last)).then(|| (phrase, m.start(), m.end()))
        })
    }

    /// The header field a line begins with, and what stands after its colon.
    pub fn label<'l>(&self, core: &'l str) -> Option<(Label, &'l str)> {
        let colon = core.bytes().take(48).position(|b| b == b':' || b == 0xef)?;
        let (name, rest) = core.split_at_checked(colon)?;
        let value = rest.strip_prefix(':').or_else(|| rest.strip_prefix('：'))?;
        let name = undecorated(name.trim_start_matches(['>', '"', '[']));
        let label = *self.labels.get(lower(name).as_str())?;
        Some((label, value))
    }

    /// Begins like a line that names who is quoted: "On", "Le", "ср,".
    pub fn begins_on(&self, core: &str) -> bool {
        let first = core.split(|c: char| c == ',' || is_space(c)).next().unwrap_or_default();
        if first.is_empty() || first.len() > 24 {
            return self.on_glued.iter().any(|on| core.starts_with(on.as_str()));
        }
        let first = lower(first);
        self.on.contains(first.trim_end_matches('.')) || self.on_glued.iter().any(|on| first.starts_with(on.as_str()))
    }

    /// The writer speaks of himself: `before` ends, `after` begins around the verb.
    pub fn is_self(&self, before_and_verb: &str) -> bool {
        let before = lower(before_and_verb);
        self.self_wrote.iter().any(|phrase| {
            before.strip_suffix(phrase.as_str()).is_some_and(|rest| !rest.ends_with(char::is_alphanumeric))
        })
    }

    /// A line before an original message: its name between rules, or alone.
    pub fn is_original(&self, name: &str) -> bool {
        self.original.contains(name)
    }

    /// A line before a forwarded message.
    pub fn is_forwarded(&self, name: &str) -> bool {
        self.forwarded.contains(name)
    }

    /// Begins a line such as "Forwarded by Dana on 3 May".
    pub fn is_forwarded_by(&self, name: &str) -> bool {
        self.forwarded_by.iter().any(|start| name.starts_with(start.as_str()))
    }

    /// A line that a phone or an app wrote: "Sent from my iPhone". `line` is as [`plain_words`] makes it.
    pub fn is_mobile(&self, line: &str) -> bool {
        self.mobile.iter().any(|pattern| {
            let rest = line.strip_prefix(pattern.before.as_str());
            rest.is_some_and(|rest| match pattern.after.as_str() {
                "" => self.is_device(rest, pattern.any),
                after => rest.split_once(after).is_some_and(|(gap, _)| self.is_device(gap, pattern.any)),
            })
        })
    }

    /// What follows "Sent from my": a device among the first five words, or `any` three words.
    fn is_device(&self, name: &str, any: bool) -> bool {
        let known = |w: &str| {
            self.devices.contains(w) || self.devices.contains(w.trim_end_matches(|c| !char::is_alphabetic(c)))
        };
        any && name.split(' ').filter(|w| !w.is_empty()).count() <= 3 || name.split(' ').take(6).any(known)
    }

    /// How many words of a lower-case line are a closing phrase; the longest one counts.
    pub fn closing(&self, words: &[&str]) -> Option<usize> {
        let most = self.closing_words.min(words.len());
        (1..=most).rev().find(|n| words.get(..*n).is_some_and(|w| self.closings.contains(&w.join(" "))))
    }
}

/// Lower case; the dot that Turkish İ leaves behind is dropped.
pub(super) fn lower(s: &str) -> String {
    s.chars().flat_map(char::to_lowercase).filter(|c| *c != '\u{307}').collect()
}

/// A line as lower-case words without punctuation, links and brackets, one blank between them.
pub(super) fn plain_words(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    for word in line.split(|c: char| is_space(c) || matches!(c, '<' | '>' | '[' | ']' | '(' | ')')) {
        let word = word.find("http").and_then(|at| word.get(..at)).unwrap_or(word);
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        if !word.is_empty() && !word.starts_with("mailto:") {
            if !plain.is_empty() {
                plain.push(' ');
            }
            plain.push_str(&lower(word));
        }
    }
    plain
}

/// Scripts written without blanks between words.
fn is_glued(c: char) -> bool {
    c >= '\u{2e80}' && !('\u{ff00}'..='\u{ffef}').contains(&c)
}

/// A phrase as it is written inside a sentence, at its start, and in capitals; the automaton itself
/// folds ASCII only.
fn cases(phrase: &str) -> Vec<String> {
    if phrase.is_ascii() {
        return vec![phrase.to_string()];
    }
    let mut chars = phrase.chars();
    let first = chars.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    let mut all = vec![phrase.to_string(), format!("{first}{}", chars.as_str()), phrase.to_uppercase()];
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn every_language_has_a_table_in_lower_case() {
        for (language, text) in lexicon::FILES {
            let mut file: toml::Table = toml::from_str(text).unwrap();
            let table = file.remove("quote").unwrap_or_else(|| panic!("{language}: no [quote]"));
            for (key, list) in table.as_table().unwrap() {
                for phrase in list.as_array().unwrap() {
                    let phrase = phrase.as_str().unwrap();
                    assert!(!phrase.trim().is_empty(), "{language}: {key}");
                    assert_eq!(phrase, phrase.to_lowercase(), "{language}: {key}");
                }
            }
            let _: Quote = table.try_into().unwrap_or_else(|e| panic!("{language}: {e}"));
        }
    }

    #[test]
    fn labels() {
        let check = |s, label| assert_eq!(WORDS.label(s).map(|(l, _)| l), label, "{s}");
        check("*From:* Dana", Some(Label::From));
        check("À : Dana", Some(Label::To));
        check("发件人：丹娜", Some(Label::From));
        check("Well: no", None);
        check("", None);
    }
}
