//! The phrases of all languages, found in one pass over a sentence. Room of `read::acts`.
//!
//! Invariant: rules see phrases only as hits (group, language, place); they hold no words of a
//! language themselves.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;

use super::language::{Languages, Votes};
use crate::address::clip;
use crate::limits;
use crate::read::lexicon;
use crate::read::tree::Tree;

macro_rules! groups {
    ($($name:ident = $key:literal : $doc:literal,)*) => {
        /// A key of the `[act]` tables. Order is without meaning.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Group { $(#[doc = $doc] $name,)* }

        impl Group {
            const ALL: &[(&'static str, Group)] = &[$(($key, Group::$name),)*];
        }
    };
}

groups! {
    Pleasantry = "pleasantry": "Asked without wanting an answer: how are you.",
    Tag = "tag": "Turns a statement into a rhetorical question: right?",
    QuestionEnd = "question_end": "Ends a question that has no question mark.",
    QuestionOpen = "question_open": "Opens a question, with or without its mark.",
    Ask = "ask": "Polite question that is a request: could you.",
    Please = "please": "Makes the sentence a request.",
    NotRequest = "not_request": "Looks like a request and is none: please find.",
    Request = "request": "Is a request by itself: let me know.",
    Condition = "condition": "What follows is asked only in a case that may not come.",
    TrailingCondition = "trailing_condition": "A condition behind a mere offer to be asked: if you have any questions.",
    Contact = "contact": "What such an offer asks for: call me.",
    Need = "need": "What such a condition is about, wherever it stands in it: need, questions.",
    Machinery = "machinery": "What forms, shops and web pages ask for, and no person: your account.",
    PoliteCondition = "polite_condition": "A condition that is mere politeness.",
    Will = "will": "First person future before its verb: I will.",
    WillWe = "will_we": "The same of several: we will.",
    WillBare = "will_bare": "The same without its subject.",
    Me = "me": "Words of the first person, which a bare future may continue.",
    Third = "third": "Subjects other than the writer, which a bare future may continue as well.",
    PromiseVerb = "promise_verb": "What can be promised.",
    Adverb = "adverb": "Stands between the future and its verb.",
    NoPromiseVerb = "no_promise_verb": "Verbs that make no promise: be, need, have to.",
    Promise = "promise": "A whole promise: I'm sending you.",
    PromiseNow = "promise_now": "Promises of `promise` that may as well hand over at once: je t'envoie.",
    Later = "later": "Says that something comes later, beside dates: as soon as I.",
    NotPromise = "not_promise": "Looks like a promise and is none.",
    Not = "not": "Negation.",
    Hedge = "hedge": "Takes the promise back: maybe.",
    Whether = "whether": "Before a subordinate clause that promises nothing: whether, how.",
    YouGet = "you_get": "Says that the reader receives something: you'll have. A promise of the writer beside `from_me`, or beside a `thing` and a date.",
    FromMe = "from_me": "Names the writer as the one it comes from.",
    Thing = "thing": "What people send each other: draft, minutes, photos.",
    IfYou = "if_you": "Makes a promise wait: for the reader, or for what the writer does not know.",
    Thank = "thank": "Any thanks (generous).",
    ThankFor = "thank_for": "Before what the thanks are for.",
    ThanksStrong = "thanks_strong": "Thanks for something done, by itself.",
    ThanksMuch = "thanks_much": "Thanks that count in a sentence that says more.",
    ThanksDeed = "thanks_deed": "What was done, beside a thanks word.",
    NotThanks = "not_thanks": "Takes the thanks back: in advance, no thanks.",
    Boilerplate = "boilerplate": "Objects of thanks that mean nothing: your attention.",
    Introduction = "introduction": "Brings two people together.",
    ThisIs = "this_is": "Before the name of somebody who is introduced, if a word of `relative` follows the name: this is.",
    Meet = "meet": "The same before a name, whatever follows: please meet.",
    Relative = "relative": "Goes on about somebody who was just named: who, he.",
    NotIntroduction = "not_introduction": "Looks like an introduction and is none: introduce myself.",
    IntroductionSubject = "introduction_subject": "The same, in a subject.",
    Favour = "favour": "Something was done for the reader.",
    Interview = "interview": "A job interview.",
    NotInterview = "not_interview": "An interview of another sense.",
    Delivers = "delivers": "Hands over what was promised.",
    NoReply = "no_reply_needed": "No answer is needed.",
    NoRush = "no_rush": "An answer can wait.",
    Declines = "declines": "A refusal.",
    Congratulates = "congratulates": "Congratulations.",
    Advice = "advice": "Advice.",
    FavourWord = "favour_word": "Favour or help, in a request.",
    OffersCall = "offers_call": "Offers a call or demo.",
    NewJob = "new_job": "Announces a new job.",
    Promotion = "promotion": "Announces a promotion.",
    Wedding = "wedding": "Announces a wedding.",
    Baby = "baby": "Announces a child.",
    Farewell = "farewell": "Announces leaving.",
    Meeting = "meeting": "Names an invitation or introduction.",
    Greeting = "greeting": "Opens a salutation.",
    Title = "title": "Stands before a name and is not of it.",
    Everyone = "everyone": "Stands for a name and is none.",
    Honorific = "honorific": "Stands after a name.",
    Abbreviation = "abbreviation": "Ends in a full stop that ends no sentence.",
    By = "by": "Before a due date.",
    Past = "past": "Before a date that is no due date: since, last.",
    Weekday = "weekday": "Day names, Monday first; short forms only after `by`.",
    WeekdayShort = "weekday_short": "Short day names.",
    Month = "month": "Month names, January first.",
    Next = "next": "Beside a weekday: of the next week.",
    Today = "today": "The day of writing.",
    Tomorrow = "tomorrow": "The day after.",
    AfterTomorrow = "after_tomorrow": "Two days after.",
    EndOfWeek = "end_of_week": "This week.",
    Weekend = "weekend": "The weekend.",
    NextWeek = "next_week": "Next week.",
    EndOfMonth = "end_of_month": "This month.",
    NextMonth = "next_month": "Next month.",
    Within = "within": "Before a number of days or weeks.",
    Number = "number": "Numbers in words, one first.",
    Days = "days": "Unit.",
    WorkingDays = "working_days": "Unit.",
    Weeks = "weeks": "Unit.",
    Soon = "soon": "Soon, as soon as possible.",
}

impl Group {
    fn bit(self) -> u128 {
        1 << (self as u32)
    }
}

/// One phrase found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit {
    /// What it says.
    pub group: Group,
    /// Place of its language in [`lexicon::FILES`].
    pub language: u8,
    /// Place in a list of lists: weekday, month, number.
    pub value: u8,
    /// Bytes of [`Sentence::low`].
    pub start: usize,
    /// One past the last.
    pub end: usize,
}

/// Words of one key: a list, or a list of lists where the place counts (weekdays).
#[derive(Deserialize)]
#[serde(untagged)]
enum List {
    Flat(Vec<String>),
    Placed(Vec<Vec<String>>),
}

/// One phrase and how it may stand. In the files `*` at an end leaves the word open there, `^` binds
/// it to the beginning of a clause, `$` to the end of the sentence, `(a|b)` stands for either,
/// ` ... ` for some words.
struct Pattern {
    group: Group,
    language: u8,
    value: u8,
    open_start: bool,
    open_end: bool,
    clause_start: bool,
    sentence_end: bool,
    /// What has to follow, after words that are left open ("darf ich dir ... vorstellen").
    tail: Option<String>,
}

/// Phrases there is room for before more has to be made; most sentences hold fewer.
const HITS: usize = 16;
/// Bytes that may lie between the two parts of a phrase.
const GAP: usize = 60;
/// Stands for those words in the files.
const OPEN: &str = " ... ";

struct Phrases {
    /// Phrases that stand where a word begins.
    words: Tree,
    /// Those that may begin inside one: endings of Turkish verbs.
    endings: Option<AhoCorasick>,
    /// Of `words`.
    patterns: Vec<Pattern>,
    /// Of `endings`.
    ending_patterns: Vec<Pattern>,
    /// For whom any of them is.
    ending_kinds: u32,
    abbreviations: HashSet<String>,
}

/// What a text is looked at for: all phrases of some languages, or those of a few groups in every language.
#[derive(Clone, Copy)]
pub enum Purpose {
    /// Every group.
    Acts(Languages),
    /// Greetings, titles and what else a salutation is known by.
    Salutation,
    /// Any thanks.
    Thanks,
    /// What a subject says by itself.
    Subject,
    /// Month names.
    Month,
}

impl Purpose {
    /// Kinds of [`Tree::of_kinds`]: languages from below, purposes from above.
    fn kinds(self) -> u32 {
        match self {
            Purpose::Acts(languages) => languages.bits() & !(0b1111 << 28),
            Purpose::Salutation => 1 << 28,
            Purpose::Thanks => 1 << 29,
            Purpose::Subject => 1 << 30,
            Purpose::Month => 1 << 31,
        }
    }
}

/// Built at the first sentence.
fn phrases() -> &'static Phrases {
    static PHRASES: OnceLock<Phrases> = OnceLock::new();
    PHRASES.get_or_init(build)
}

fn build() -> Phrases {
    let (mut texts, mut endings): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let (mut patterns, mut ending_patterns) = (Vec::new(), Vec::new());
    let mut abbreviations = HashSet::new();
    for (language, table) in lexicon::tables::<BTreeMap<String, List>>("act") {
        let place = lexicon::FILES.iter().position(|(name, _)| *name == language);
        let code = place.and_then(|p| u8::try_from(p).ok()).unwrap_or(u8::MAX);
        for (key, words) in table {
            let Some((_, group)) = Group::ALL.iter().find(|(name, _)| *name == key) else { continue };
            let placed = match words {
                List::Flat(words) => vec![words],
                List::Placed(lists) => lists,
            };
            for (value, words) in placed.into_iter().enumerate() {
                let value = u8::try_from(value).unwrap_or(u8::MAX);
                for word in words.iter().flat_map(|w| spelled_out(w)) {
                    if *group == Group::Abbreviation {
                        abbreviations.insert(word.to_lowercase());
                        continue;
                    }
                    for (text, pattern) in variants(language, &word, *group, code, value) {
                        if pattern.open_start {
                            endings.push(text);
                            ending_patterns.push(pattern);
                        } else {
                            texts.push(text);
                            patterns.push(pattern);
                        }
                    }
                }
            }
        }
    }
    let kinds = patterns.iter().map(Pattern::kinds).collect();
    let ending_kinds = ending_patterns.iter().fold(0, |all, p: &Pattern| all | p.kinds());
    // This can only fail for more patterns than 32 bits count; then none of them is found.
    let endings = AhoCorasick::new(&endings).ok();
    Phrases { words: Tree::of_kinds(&texts, kinds), endings, patterns, ending_patterns, ending_kinds, abbreviations }
}

/// A phrase with its alternatives spelled out: `je (te|vous) (envoie|rappelle)` is four.
fn spelled_out(phrase: &str) -> BTreeSet<String> {
    if !phrase.contains('(') {
        return BTreeSet::from([phrase.to_string()]);
    }
    let inner = phrase.split_once(')').and_then(|(b, after)| Some((b.rsplit_once('(')?, after)));
    let Some(((before, choices), after)) = inner else {
        return BTreeSet::from([phrase.split_whitespace().collect::<Vec<_>>().join(" ")]);
    };
    choices.split('|').flat_map(|choice| spelled_out(&format!("{before}{choice}{after}"))).collect()
}

/// The phrase as written, and as people without its letters type it ("ca va", "fuer").
fn variants(language: &str, written: &str, group: Group, code: u8, value: u8) -> Vec<(String, Pattern)> {
    let bare = written.trim_start_matches(['^', '*']).trim_end_matches(['$', '*']);
    let folded = fold_case(bare);
    let mut texts = vec![folded.clone()];
    let plain = match language {
        "de" => folded.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue").replace('ß', "ss"),
        "fr" | "es" | "pt" | "it" | "cs" | "pl" | "tr" | "nl" => folded
            .nfd()
            .filter(|c| !('\u{300}'..='\u{36f}').contains(c))
            .collect::<String>()
            .replace('ł', "l")
            .replace('ı', "i"),
        _ => folded.clone(),
    };
    if plain != folded && plain.len() > 3 {
        texts.push(plain);
    }
    let pattern = |tail: Option<&str>| Pattern {
        tail: tail.map(str::to_string),
        group,
        language: code,
        value,
        open_start: written.trim_start_matches('^').starts_with('*'),
        open_end: written.trim_end_matches('$').ends_with('*'),
        clause_start: written.starts_with('^'),
        sentence_end: written.ends_with('$'),
    };
    // A letter by itself is found in every word and says little; "I" and "a week" are worth it.
    let single = !matches!(group, Group::Me | Group::Number);
    let worth = |t: &String| !(t.is_empty() || (single && t.chars().count() == 1 && !t.chars().all(is_unspaced)));
    let parts = |t: String| match t.split_once(OPEN) {
        Some((head, tail)) => (head.to_string(), pattern(Some(tail))),
        None => (t, pattern(None)),
    };
    texts.into_iter().filter(worth).map(parts).collect()
}

/// Is this a word that a full stop follows without ending the sentence?
pub fn is_abbreviation(word: &str) -> bool {
    phrases().abbreviations.contains(word)
}

/// Is this a script that is written without blanks (or with particles joined to its words)?
pub fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}

/// Lower case, straight apostrophes, single blanks.
fn fold_case(text: &str) -> String {
    if text.is_ascii() {
        let folded = text.to_ascii_lowercase();
        return if folded.contains('`') { folded.replace('`', "'") } else { folded };
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'A'..='Z' => folded.push(c.to_ascii_lowercase()),
            '\u{2018}' | '\u{2019}' | '\u{2bc}' | '\u{b4}' | '`' | '\u{ff07}' => folded.push('\''),
            '\u{307}' => {}
            c if c.is_ascii() => folded.push(c),
            '\u{ff10}'..='\u{ff19}' => folded.extend(char::from_u32(u32::from(c) - 0xff10 + 0x30)),
            c if c.is_whitespace() => folded.push(' '),
            c => folded.extend(c.to_lowercase().filter(|l| *l != '\u{307}')),
        }
    }
    folded
}

/// Quoted-printable that nobody decoded ("= =20", "o= n"): only where it is plainly that.
fn repaired(text: &str) -> Option<String> {
    // most texts have no such sign at all
    if !text.contains('=') || !(text.contains("=20") || text.contains("=0") || text.contains("= ")) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('=') {
        out.push_str(before);
        let hex = after.get(..2).filter(|h| h.chars().all(|c| matches!(c, '0'..='9' | 'A'..='F')));
        let in_word = before.chars().next_back().is_some_and(char::is_alphabetic);
        if let Some(blank) = after.strip_prefix(' ') {
            rest = blank;
            if !in_word && !out.ends_with(' ') {
                out.push(' ');
            }
        } else if hex == Some("20") || hex == Some("09") {
            out.push(' ');
            rest = after.get(2..).unwrap_or("");
        } else if hex == Some("01") {
            out.push('\'');
            rest = after.get(2..).unwrap_or("").trim_start_matches(',');
        } else {
            out.push('=');
            rest = after;
        }
    }
    out.push_str(rest);
    let mut folded = String::with_capacity(out.len());
    for word in out.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    Some(folded)
}

/// One sentence and the phrases found in it.
#[derive(Clone, Debug)]
pub struct Sentence {
    /// As written, white space folded.
    pub text: String,
    /// As it was looked at: lower case, apostrophes straight, at most [`limits::SENTENCE_READ_BYTES`].
    pub low: String,
    /// In the order of their ends.
    pub hits: Vec<Hit>,
    groups: u128,
}

/// A sentence before its phrases are looked for.
pub struct Words {
    text: String,
    low: String,
    /// What speaks for the language it is in.
    pub votes: Votes,
}

impl Words {
    /// Of `text`, whose white space is folded.
    pub fn new(text: String) -> Words {
        let start = clip(&text, limits::SENTENCE_READ_BYTES);
        let low = fold_case(repaired(start).as_deref().unwrap_or(start));
        Words { votes: Votes::of(&low), text, low }
    }

    /// Finds the phrases of the languages it may be in, in a mail with these votes as a whole.
    pub fn read(self, mail: &Votes) -> Sentence {
        let languages = self.votes.languages(mail);
        Sentence::looked_at(self.text, self.low, Purpose::Acts(languages))
    }
}

impl Sentence {
    /// Finds the phrases of `text`, whose white space is folded, in whatever language they are.
    #[cfg(test)]
    pub fn new(text: String) -> Sentence {
        Sentence::for_purpose(text, Purpose::Acts(Languages::ALL))
    }

    /// Finds the phrases of `text`, whose white space is folded, that this purpose needs.
    pub fn for_purpose(text: String, purpose: Purpose) -> Sentence {
        let start = clip(&text, limits::SENTENCE_READ_BYTES);
        let low = fold_case(repaired(start).as_deref().unwrap_or(start));
        Sentence::looked_at(text, low, purpose)
    }

    fn looked_at(text: String, low: String, purpose: Purpose) -> Sentence {
        let kinds = purpose.kinds();
        let found = phrases();
        let mut hits: Vec<Hit> = Vec::with_capacity(HITS);
        let mut take = |pattern: Option<&Pattern>, start: usize, end: usize| {
            let Some(pattern) = pattern else { return };
            let Some(end) = pattern.end(&low, start, end) else { return };
            let Pattern { group, language, value, .. } = *pattern;
            hits.push(Hit { group, language, value, start, end });
        };
        let mut inside = false;
        for (start, c) in low.char_indices() {
            let spaced = c.is_alphanumeric() && !is_unspaced(c);
            if !(inside && spaced) && c != ' ' {
                found.words.at_of(kinds, &low, start, |n, end| take(found.patterns.get(n), start, end));
            }
            inside = spaced;
        }
        let meant = |p: &&Pattern| p.kinds() & kinds != 0;
        let endings = found.endings.iter().filter(|_| found.ending_kinds & kinds != 0);
        for m in endings.flat_map(|a| a.find_overlapping_iter(&low)) {
            take(found.ending_patterns.get(m.pattern().as_usize()).filter(meant), m.start(), m.end());
        }
        hits.sort_by_key(|h| (h.end, h.start));
        let groups = hits.iter().fold(0, |all, h| all | h.group.bit());
        Sentence { text, low, hits, groups }
    }

    /// Is there any phrase of this group?
    pub fn has(&self, group: Group) -> bool {
        self.groups & group.bit() != 0
    }

    /// The phrases of a group.
    pub fn of(&self, group: Group) -> impl Iterator<Item = &Hit> {
        let there = self.has(group);
        self.hits.iter().filter(move |h| there && h.group == group)
    }

    /// Does a place stand inside quotation marks that are still open there? Then it is said by another.
    pub fn is_quoted(&self, place: usize) -> bool {
        let before = self.before(place);
        let count = |c: char| before.matches(c).count();
        let low = count('„') > 0;
        let open = |a: usize, b: usize| a > b;
        count('"') % 2 == 1
            || if low { open(count('„'), count('“') + count('”')) } else { open(count('“'), count('”')) }
            || open(count('«'), count('»'))
            || open(count('「'), count('」'))
            || before.starts_with('>')
    }

    /// What stands before a place.
    pub fn before(&self, place: usize) -> &str {
        self.low.get(..place).unwrap_or("")
    }

    /// What stands after a place.
    pub fn after(&self, place: usize) -> &str {
        self.low.get(place..).unwrap_or("")
    }

    /// What stands between two places.
    pub fn between(&self, start: usize, end: usize) -> &str {
        self.low.get(start..end).unwrap_or("")
    }
}

impl Pattern {
    /// Whom it is for, as [`Purpose`] asks.
    fn kinds(&self) -> u32 {
        let purpose = match self.group {
            Group::Greeting | Group::Title | Group::Everyone | Group::Honorific => Purpose::Salutation.kinds(),
            Group::Please | Group::Congratulates => Purpose::Salutation.kinds(),
            Group::Thank => Purpose::Salutation.kinds() | Purpose::Thanks.kinds(),
            Group::IntroductionSubject | Group::Interview | Group::NotInterview => Purpose::Subject.kinds(),
            Group::Month => Purpose::Month.kinds(),
            _ => 0,
        };
        purpose | Languages::one(self.language).bits()
    }

    /// Where it ends, if it stands at this place.
    fn end(&self, low: &str, start: usize, end: usize) -> Option<usize> {
        let Some(tail) = &self.tail else { return self.stands(low, start, end).then_some(end) };
        let rest = low.get(end..).filter(|r| r.starts_with(' '))?;
        let found = rest.match_indices(tail.as_str()).take_while(|(at, _)| *at <= GAP);
        let ends = found.filter(|(at, _)| {
            rest.get(..*at).is_some_and(|gap| gap.ends_with(' ') && !gap.contains(['.', ';', ':', '!', '?', ',']))
        });
        let mut ends = ends.map(|(at, _)| end + at + tail.len());
        ends.find(|until| self.stands(low, start, *until))
    }

    fn stands(&self, low: &str, start: usize, end: usize) -> bool {
        let (before, inside, after) = match (low.get(..start), low.get(start..end), low.get(end..)) {
            (Some(b), Some(i), Some(a)) => (b, i, a),
            _ => return false,
        };
        let spaced = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && !is_unspaced(c));
        if !self.open_start && spaced(inside.chars().next()) && spaced(before.chars().next_back()) {
            return false;
        }
        if !self.open_end && spaced(inside.chars().next_back()) && spaced(after.chars().next()) {
            return false;
        }
        if self.clause_start {
            let last = before
                .trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '¿' | '¡' | '"'))
                .chars()
                .next_back();
            if last.is_some_and(|c| c.is_alphanumeric() || matches!(c, '\'' | '/' | '@' | '_')) {
                return false;
            }
        }
        !self.sentence_end || !after.chars().any(char::is_alphanumeric)
    }
}

#[cfg(test)]
mod tests;
