//! What the words of an event say, from the `[event]` tables of the lexicon. Part of `read::calendar`.
//!
//! Invariant: words only set flags; whether an event counts is decided elsewhere. A word in the
//! tables matches whole words in any case, with or without accents. `*` at an end lets the word go on
//! there, `^` in front means the beginning of the text, `=` in front the whole text. Scripts that
//! write no blanks match anywhere.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;

use crate::address::clip;
use crate::evidence::MeetingMarks;
use crate::limits;
use crate::read::lexicon;

/// The `[event]` table of one language.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Table {
    /// A job interview, with the user on either side of the table.
    interview: Vec<String>,
    /// What holds such a word and is none: user interviews, preparation.
    not_interview: Vec<String>,
    /// Vacation, out of office, sick leave.
    absence: Vec<String>,
    /// Where somebody works that day.
    working_location: Vec<String>,
    /// Birthdays and anniversaries.
    birthday: Vec<String>,
    /// Advice, mentoring, a coffee.
    advice: Vec<String>,
    /// A demo or a pitch.
    sales: Vec<String>,
    /// Webinars, all-hands, conferences.
    broadcast: Vec<String>,
    /// What holds such a word and is none: a conference call.
    not_broadcast: Vec<String>,
    /// Names of rooms.
    room: Vec<String>,
    /// Names of people that begin like one.
    not_room: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Interview,
    NotInterview,
    Absence,
    WorkingLocation,
    Birthday,
    Advice,
    Sales,
    Broadcast,
    NotBroadcast,
    Room,
    NotRoom,
}

/// Where a word may stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Word {
    kind: Kind,
    /// Must not be preceded, or followed, by a letter or digit.
    bound: (bool, bool),
    /// Begins, or ends, the text.
    anchored: (bool, bool),
}

struct Words {
    finder: Option<AhoCorasick>,
    words: Vec<Word>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| Words::new(&lexicon::tables::<Table>("event")));

impl Words {
    fn new(tables: &[(&'static str, Table)]) -> Words {
        let mut texts = Vec::new();
        let mut words = Vec::new();
        for (_, table) in tables {
            for (kind, list) in [
                (Kind::Interview, &table.interview),
                (Kind::NotInterview, &table.not_interview),
                (Kind::Absence, &table.absence),
                (Kind::WorkingLocation, &table.working_location),
                (Kind::Birthday, &table.birthday),
                (Kind::Advice, &table.advice),
                (Kind::Sales, &table.sales),
                (Kind::Broadcast, &table.broadcast),
                (Kind::NotBroadcast, &table.not_broadcast),
                (Kind::Room, &table.room),
                (Kind::NotRoom, &table.not_room),
            ] {
                for entry in list {
                    let whole = entry.starts_with('=');
                    let anchored = (whole || entry.starts_with('^'), whole);
                    let loose = (entry.trim_start_matches(['=', '^']).starts_with('*'), entry.ends_with('*'));
                    let text = folded(entry.trim_matches(['=', '^', '*']));
                    let unspaced = text.chars().any(is_unspaced);
                    let bound = (!loose.0 && !unspaced, !loose.1 && !unspaced);
                    if !text.is_empty() {
                        texts.push(text);
                        words.push(Word { kind, bound, anchored });
                    }
                }
            }
        }
        let finder = AhoCorasick::builder().match_kind(MatchKind::Standard).build(&texts).ok();
        Words { finder, words }
    }

    /// The kinds of words in `text`, which is folded.
    fn kinds(&self, text: &str) -> Vec<Kind> {
        let Some(finder) = &self.finder else { return Vec::new() };
        let mut kinds = Vec::new();
        for found in finder.find_overlapping_iter(text) {
            let Some(word) = self.words.get(found.pattern().as_usize()) else { continue };
            let before = text.get(..found.start()).unwrap_or("");
            let after = text.get(found.end()..).unwrap_or("");
            let joined = (
                before.chars().next_back().is_some_and(char::is_alphanumeric),
                after.chars().next().is_some_and(char::is_alphanumeric),
            );
            let stands = !(word.bound.0 && joined.0 || word.bound.1 && joined.1);
            let placed = (!word.anchored.0 || before.is_empty()) && (!word.anchored.1 || after.is_empty());
            if stands && placed && !kinds.contains(&word.kind) {
                kinds.push(word.kind);
            }
        }
        kinds
    }
}

/// Scripts without blanks between words.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{1100}'..='\u{11ff}' | '\u{f900}'..='\u{faff}')
}

/// Lower case, compatibility forms resolved, Latin accents gone, dashes and apostrophes straight.
fn folded(text: &str) -> String {
    let plain = text.nfkd().filter(|c| !matches!(c, '\u{300}'..='\u{36f}')).nfc().collect::<String>().to_lowercase();
    let straight = |c: char| match c {
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{2010}'..='\u{2015}' => '-',
        other => other,
    };
    // lower-casing the dotted İ leaves a dot behind
    plain.chars().filter(|c| *c != '\u{307}').map(straight).collect()
}

/// Without what stands around the words of a title.
fn trimmed(folded: &str) -> &str {
    folded.trim_matches(|c: char| !c.is_alphanumeric())
}

/// The marks that the title and categories of an event give it.
pub fn marks(summary: &str, categories: &str) -> MeetingMarks {
    let title = WORDS.kinds(trimmed(&folded(clip(summary, limits::TITLE_BYTES))));
    let filed = WORDS.kinds(trimmed(&folded(clip(categories, limits::TITLE_BYTES))));
    let has = |kind: Kind| title.contains(&kind);
    let either = |kind: Kind| title.contains(&kind) || filed.contains(&kind);
    MeetingMarks {
        interview: has(Kind::Interview) && !has(Kind::NotInterview),
        absence: either(Kind::Absence),
        working_location: has(Kind::WorkingLocation),
        transparent: false,
        birthday: either(Kind::Birthday),
        advice: has(Kind::Advice),
        sales: has(Kind::Sales),
        broadcast: either(Kind::Broadcast) && !has(Kind::NotBroadcast),
    }
}

/// Is this the name of a room rather than of a person?
pub fn is_room_name(name: &str) -> bool {
    let kinds = WORDS.kinds(trimmed(&folded(clip(name, limits::NAME_BYTES))));
    kinds.contains(&Kind::Room) && !kinds.contains(&Kind::NotRoom)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_language_has_its_table() {
        let tables = lexicon::tables::<Table>("event");
        assert_eq!(tables.len(), lexicon::FILES.len(), "a table does not parse");
        for (language, table) in tables {
            let filled =
                [&table.interview, &table.absence, &table.birthday, &table.advice, &table.broadcast, &table.room];
            assert!(filled.iter().all(|list| !list.is_empty()), "{language}");
        }
    }

    fn shown(marks: &MeetingMarks) -> String {
        let all = [
            (marks.interview, "interview"),
            (marks.absence, "absence"),
            (marks.working_location, "location"),
            (marks.birthday, "birthday"),
            (marks.advice, "advice"),
            (marks.sales, "sales"),
            (marks.broadcast, "broadcast"),
        ];
        all.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn titles_say_what_they_are() {
        for (title, expected) in [
            ("Interview: Senior Engineer at Acme", "interview"),
            ("INTERVIEW", "interview"),
            ("Phone screen with Acme", "interview"),
            ("Onsite — Acme", "interview"),
            ("Onsite with the client team", ""),
            ("User interview #4", ""),
            ("Customer interviews", ""),
            ("Interview prep", ""),
            ("Interviewing skills training", ""),
            ("Vorstellungsgespräch bei Muster GmbH", "interview"),
            ("Vorstellungsgespraech", "interview"),
            ("Entretien d’embauche", "interview"),
            ("Entrevista de trabajo con Acme", "interview"),
            ("Colloquio di lavoro", "interview"),
            ("一次面接（株式会社テスト）", "interview"),
            ("面试：后端工程师", "interview"),
            ("면접", "interview"),
            ("Собеседование в Acme", "interview"),
            ("İş görüşmesi", "interview"),
            ("ראיון עבודה", "interview"),
            ("مقابلة عمل", "interview"),
            ("Rozmowa kwalifikacyjna", "interview"),
            ("Sollicitatiegesprek", "interview"),
            ("Vacation", "absence"),
            ("OOO", "absence"),
            ("Out of office - Dana", "absence"),
            ("Urlaub", "absence"),
            ("Sommerurlaub Italien", "absence"),
            ("Vacaciones", "absence"),
            ("Congés", "absence"),
            ("conges payes", "absence"),
            ("休暇", "absence"),
            ("отпуск", "absence"),
            ("Zoo", ""),
            ("Holiday party", ""),
            ("Working from home", "location"),
            ("Home", "location"),
            ("Homecoming", ""),
            ("Home visit of the nurse", ""),
            ("Homeoffice", "location"),
            ("Dana Ito's birthday", "birthday"),
            ("Geburtstag von Dana", "birthday"),
            ("お誕生日", "birthday"),
            ("Anniversaire de Dana", "birthday"),
            ("Coffee with Dana", "advice"),
            ("Coffee break", ""),
            ("Mentoring session", "advice"),
            ("Kaffee mit Dana", "advice"),
            ("Café con Dana", "advice"),
            ("Product demo: Acme CRM", "sales"),
            ("Democracy", ""),
            ("Sprint demo", ""),
            ("Webinar: scaling teams", "broadcast"),
            ("All-hands", "broadcast"),
            ("Company all hands Q3", "broadcast"),
            ("RustConf conference", "broadcast"),
            ("Conference call with Dana", ""),
            ("Betriebsversammlung", "broadcast"),
            ("Dinner with Dana", ""),
            ("Team sync", ""),
            ("", ""),
        ] {
            assert_eq!(shown(&marks(title, "")), expected, "{title}");
        }
        assert_eq!(shown(&marks("Trip", "Vacation,Private")), "absence");
    }

    #[test]
    fn rooms_are_told_from_people() {
        for room in [
            "Conference Room B",
            "Room Brandenburg",
            "Meeting Room 3",
            "Besprechungsraum 2",
            "Salle de réunion",
            "会議室A",
            "Sala riunioni",
            "Board Room",
        ] {
            assert!(is_room_name(room), "{room}");
        }
        for person in ["Dana Ito", "Giuseppe Sala", "Tom Roomer", "Salle, Marie", "Adrian Room", ""] {
            assert!(!is_room_name(person), "{person}");
        }
    }
}
