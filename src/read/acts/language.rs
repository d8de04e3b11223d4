//! Which languages a sentence may be in, so that only their phrases are looked for. Room of `read::acts`.
//!
//! A word of one language is another word in the next: "segue" hands over a file in Portuguese and
//! follows somebody in Italian. The script decides first, then the small words that stand in nearly
//! every sentence (`[language]` of the lexicons): a word that few languages share says more. A sentence
//! that says little is taken to be in the language of its mail.
//!
//! Invariant: where nothing speaks for any language, all of them may be meant.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::read::lexicon;

/// Votes of a word that only one language has.
const ONE: u32 = 36;
/// Votes the mail as a whole adds to each of its sentences.
const WHOLE: u32 = 54;
/// Votes under which nothing is known.
const LITTLE: u32 = 18;
/// Words up to which a sentence without a sign of its own may also be English: "Done!", "Thx".
const FEW_WORDS: u32 = 3;
/// Languages there is room for.
const ROOM: usize = 32;

/// `[language]` of one file.
#[derive(Deserialize)]
struct Common {
    /// Small words that stand in nearly every sentence; an apostrophe ends a word ("j'").
    common: Vec<String>,
}

/// Of `[act]`: words that nearly every mail has one of.
#[derive(Deserialize)]
struct Days {
    #[serde(default)]
    weekday: Vec<Vec<String>>,
    #[serde(default)]
    tomorrow: Vec<String>,
}

/// A set of languages, by their places in [`lexicon::FILES`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Languages(u32);

impl Languages {
    /// Every language.
    pub const ALL: Languages = Languages(u32::MAX);

    /// The one of this place.
    pub fn one(place: u8) -> Languages {
        Languages(1_u32.checked_shl(u32::from(place)).unwrap_or(0))
    }

    /// As bits, lowest first.
    pub fn bits(self) -> u32 {
        self.0
    }
}

/// What speaks for each language.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Votes {
    of: [u32; ROOM],
    words: u32,
}

/// A word of up to sixteen bytes as a number: quick to make, to hash and to compare.
fn key(word: &str) -> Option<u128> {
    let mut bytes = [0; 16];
    bytes.get_mut(..word.len())?.copy_from_slice(word.as_bytes());
    Some(u128::from_le_bytes(bytes))
}

/// Spreads [`key`]s; they are ours, so nobody can make them collide.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.chunks(8).for_each(|chunk| {
            let mut word = [0; 8];
            word.iter_mut().zip(chunk).for_each(|(w, b)| *w = *b);
            self.0 = (self.0.rotate_left(29) ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        });
        self.0 ^= self.0 >> 32;
    }

    fn write_u128(&mut self, key: u128) {
        for half in [key & u128::from(u64::MAX), key >> 64] {
            let half = u64::try_from(half).unwrap_or_default();
            self.0 = (self.0.rotate_left(29) ^ half).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        self.0 ^= self.0 >> 32;
    }
}

type Known = HashMap<u128, Languages, BuildHasherDefault<Spread>>;

struct Signs {
    words: Known,
    latin: Languages,
    cyrillic: Languages,
    places: HashMap<&'static str, Languages>,
}

static SIGNS: LazyLock<Signs> = LazyLock::new(|| {
    let places: HashMap<&str, Languages> =
        lexicon::FILES.iter().zip(0..).map(|((name, _), place)| (*name, Languages::one(place))).collect();
    let of = |names: &[&str]| Languages(names.iter().filter_map(|n| places.get(n)).fold(0, |all, l| all | l.0));
    let mut words = Known::default();
    let mut add = |language: &str, word: &str| {
        if let Some(word) = key(word) {
            words.entry(word).or_insert(Languages(0)).0 |= of(&[language]).0;
        }
    };
    for (language, table) in lexicon::tables::<Common>("language") {
        table.common.iter().for_each(|word| add(language, word));
    }
    for (language, table) in lexicon::tables::<Days>("act") {
        table.weekday.concat().iter().chain(&table.tomorrow).for_each(|word| add(language, word));
    }
    let others = of(&["ru", "uk", "ja", "ko", "zh", "ar", "he"]);
    let all = lexicon::FILES.iter().filter_map(|(name, _)| places.get(name)).fold(0, |all, l| all | l.0);
    Signs { words, latin: Languages(all & !others.0), cyrillic: of(&["ru", "uk"]), places }
});

impl Votes {
    /// What a sentence says, folded to lower case.
    pub fn of(low: &str) -> Votes {
        let signs: &Signs = &SIGNS;
        let mut votes = Votes::default();
        let mut start = None;
        for (at, c) in low.char_indices().chain([(low.len(), ' ')]) {
            if c.is_alphanumeric() {
                if start.is_none() {
                    start = Some(at);
                }
                continue;
            }
            let Some(from) = start.take() else { continue };
            let until = if c == '\'' { at + 1 } else { at };
            votes.words += 1;
            // "how's", "foto's"
            let ending = until - from == 1 && low.get(..from).is_some_and(|b| b.ends_with('\''));
            let known = low.get(from..until).filter(|_| !ending).and_then(key).and_then(|k| signs.words.get(&k));
            if let Some(languages) = known {
                votes.add(*languages, ONE / languages.0.count_ones().max(1));
            }
        }
        if !low.is_ascii() {
            votes.by_script(low, signs);
        }
        votes
    }

    /// Letters that only some languages have.
    fn by_script(&mut self, low: &str, signs: &Signs) {
        let kana = |c: char| matches!(c, '\u{3041}'..='\u{30ff}');
        let japanese = low.chars().any(kana);
        let one = |name: &str| signs.places.get(name).copied().unwrap_or(Languages(0));
        for c in low.chars() {
            match c {
                'і' | 'ї' | 'є' | 'ґ' => self.add(one("uk"), ONE),
                'ы' | 'э' | 'ё' | 'ъ' => self.add(one("ru"), ONE),
                '\u{400}'..='\u{52f}' => self.add(signs.cyrillic, 1),
                '\u{590}'..='\u{5ff}' => self.add(one("he"), ONE / 2),
                '\u{600}'..='\u{6ff}' => self.add(one("ar"), ONE / 2),
                '\u{ac00}'..='\u{d7af}' => self.add(one("ko"), ONE),
                '\u{3041}'..='\u{30ff}' => self.add(one("ja"), ONE),
                '\u{3400}'..='\u{9fff}' if japanese => self.add(one("ja"), ONE),
                '\u{3400}'..='\u{9fff}' => {
                    self.add(one("zh"), ONE);
                    self.add(one("ja"), ONE * 3 / 4);
                }
                'ß' => self.add(one("de"), ONE),
                'ñ' | '¿' | '¡' => self.add(one("es"), ONE),
                'ã' | 'õ' => self.add(one("pt"), ONE),
                'ğ' | 'ı' | 'ş' => self.add(one("tr"), ONE / 2),
                'ř' | 'ě' | 'ů' => self.add(one("cs"), ONE / 2),
                'ł' | 'ą' | 'ę' | 'ń' | 'ż' => self.add(one("pl"), ONE / 2),
                _ => {}
            }
        }
    }

    fn add(&mut self, languages: Languages, votes: u32) {
        let mut left = languages.0;
        while left != 0 {
            let place = left.trailing_zeros();
            if let Some(of) = usize::try_from(place).ok().and_then(|p| self.of.get_mut(p)) {
                *of = of.saturating_add(votes);
            }
            left &= left - 1;
        }
    }

    /// Both together.
    pub fn join(&mut self, other: &Votes) {
        for (of, more) in self.of.iter_mut().zip(other.of) {
            *of = of.saturating_add(more);
        }
    }

    fn most(&self) -> u32 {
        self.of.iter().copied().max().unwrap_or(0)
    }

    /// The languages of a sentence, in a mail with these votes as a whole.
    pub fn languages(&self, mail: &Votes) -> Languages {
        let (most, own) = (u64::from(mail.most().max(1)), self.most());
        let mut total = Votes::default();
        for ((total, own), all) in total.of.iter_mut().zip(self.of).zip(mail.of) {
            let share = u64::from(all) * u64::from(WHOLE) / most;
            *total = own.saturating_add(u32::try_from(share).unwrap_or(WHOLE));
        }
        let best = if mail.most() < LITTLE { own } else { total.most() };
        if best < LITTLE {
            return Languages::ALL;
        }
        let mut found = 0;
        for (place, votes) in (0..).zip(total.of) {
            if votes * 2 >= best {
                found |= Languages::one(place).0;
            }
        }
        if self.words <= FEW_WORDS && own < LITTLE && found & SIGNS.latin.0 != 0 {
            found |= SIGNS.places.get("en").map_or(0, |l| l.0);
        }
        Languages(found)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;

    fn names(sentence: &str, mail: &[&str]) -> Vec<&'static str> {
        let mut whole = Votes::of(sentence);
        mail.iter().for_each(|s| whole.join(&Votes::of(s)));
        let found = Votes::of(sentence).languages(&whole);
        lexicon::FILES
            .iter()
            .zip(0..)
            .filter(|(_, n)| found.0 & Languages::one(*n).0 != 0)
            .map(|((l, _), _)| *l)
            .collect()
    }

    #[test]
    fn every_sentence_of_the_corpus_may_be_in_its_language() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/acts");
        let (mut all, mut wrong, mut many) = (0, Vec::new(), 0);
        for (language, _) in lexicon::FILES {
            let Ok(text) = std::fs::read_to_string(folder.join(format!("{language}.tsv"))) else {
                panic!("no sentences of {language}")
            };
            for sentence in text.lines().filter_map(|l| l.split('\t').nth(2)) {
                let found = names(&sentence.to_lowercase(), &[]);
                all += 1;
                many += usize::from(found.len() > 4);
                if !found.contains(language) {
                    wrong.push(format!("{language}: {sentence}: {found:?}"));
                }
            }
        }
        assert!(wrong.len() * 300 < all, "{} of {all}:\n{}", wrong.len(), wrong.join("\n"));
        assert!(many * 6 < all, "{many} of {all} say too little");
    }

    #[test]
    fn a_sentence_that_says_little_is_in_the_language_of_its_mail() {
        assert_eq!(
            names("la pratica ti segue", &["il treno era in ritardo e ho passato la serata a bologna."]),
            ["it"]
        );
        assert_eq!(names("i'll send you the file.", &["ich hoffe, es geht dir gut."]), ["en"]);
        assert_eq!(names("署名の上、ご返送をお願いいたします。", &[]), ["ja"]);
        assert_eq!(names("надішлю це завтра, дякую.", &[]), ["uk"]);
        assert_eq!(names("done!", &[]).len(), lexicon::FILES.len());
        assert_eq!(names("done!", &["det är bra att du kan komma, och jag tar med det."]), ["en", "sv"]);
    }
}
