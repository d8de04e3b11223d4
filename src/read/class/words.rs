//! The words of mailings and machines, from the `[class]` table of the lexicon. Part of `read::class`.

use std::collections::HashSet;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::address::clip;
use crate::limits;
use crate::read::lexicon;
use crate::read::tree::Tree;
use crate::time::{Date, days_between};

/// `[class]` of one language.
#[derive(Deserialize, Default)]
struct Table {
    /// Beginnings of the subject of an automatic absence answer.
    #[serde(default)]
    out_of_office: Vec<String>,
    /// The same, but people begin subjects with them too.
    #[serde(default)]
    absence: Vec<String>,
    /// Absence in its text.
    #[serde(default)]
    away: Vec<String>,
    /// Words right before the day of return.
    #[serde(default)]
    back: Vec<String>,
    /// Beginnings of the subject of a failed delivery.
    #[serde(default)]
    bounce: Vec<String>,
    /// How a mailing says one can leave it.
    #[serde(default)]
    unsubscribe: Vec<String>,
    /// How a mailing or machine speaks of itself.
    #[serde(default)]
    notice: Vec<String>,
    /// Words in the display name of a mailing.
    #[serde(default)]
    newsletter: Vec<String>,
    /// January to December, forms parted by `|`.
    #[serde(default)]
    months: Vec<String>,
}

/// All languages together.
pub struct Words {
    out_of_office: Vec<String>,
    absence: Vec<String>,
    bounce: Vec<String>,
    /// Words of mailings by themselves, and those that stand inside a name: several words, or a script
    /// without blanks.
    newsletter: HashSet<String>,
    newsletter_inside: Vec<String>,
    back: Vec<String>,
    away: Tree,
    /// Words for leaving a mailing, then how a mailing or machine speaks of itself.
    spoken: Tree,
    /// How many of them are for leaving.
    leaving: usize,
    /// Form and number, longest first.
    months: Vec<(String, i8)>,
}

/// What a text says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spoken {
    /// How to leave a mailing.
    pub unsubscribe: bool,
    /// That it is a mailing, or that a machine wrote it.
    pub notice: bool,
}

/// The words, loaded once.
pub fn words() -> &'static Words {
    static WORDS: OnceLock<Words> = OnceLock::new();
    WORDS.get_or_init(|| Words::of(lexicon::tables::<Table>("class").into_iter().map(|(_, t)| t)))
}

impl Words {
    fn of(tables: impl Iterator<Item = Table>) -> Words {
        let mut all = Table::default();
        let mut months: Vec<(String, i8)> = Vec::new();
        for table in tables {
            all.out_of_office.extend(table.out_of_office);
            all.absence.extend(table.absence);
            all.away.extend(table.away);
            all.back.extend(table.back);
            all.bounce.extend(table.bounce);
            all.unsubscribe.extend(table.unsubscribe);
            all.notice.extend(table.notice);
            all.newsletter.extend(table.newsletter);
            for (forms, number) in table.months.iter().zip(1_i8..) {
                months.extend(forms.split('|').map(|form| (form.to_string(), number)));
            }
        }
        let longest_first = |list: &mut Vec<String>| list.sort_by_key(|w| std::cmp::Reverse(w.len()));
        longest_first(&mut all.out_of_office);
        longest_first(&mut all.bounce);
        longest_first(&mut all.back);
        months.sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
        let inside = |word: &&String| word.contains(' ') || !word.starts_with(is_spaced);
        Words {
            out_of_office: all.out_of_office,
            absence: all.absence,
            bounce: all.bounce,
            newsletter_inside: all.newsletter.iter().filter(inside).cloned().collect(),
            newsletter: all.newsletter.into_iter().collect(),
            back: all.back,
            away: Tree::new(&all.away),
            leaving: all.unsubscribe.len(),
            spoken: Tree::new(&[all.unsubscribe, all.notice].concat()),
            months,
        }
    }

    /// Does the subject begin as that of a failed delivery?
    pub fn is_bounce_subject(&self, subject: &str) -> bool {
        let subject = fold(subject);
        self.bounce.iter().any(|w| subject.starts_with(w.as_str()))
    }

    /// Is the subject that of an automatic absence answer? The words must stand at its beginning and
    /// by themselves: "Out of office: Re: plan" is one, "Out of office party on Friday" is none.
    pub fn is_out_of_office_subject(&self, subject: &str) -> bool {
        self.begins_alone(subject, &self.out_of_office)
    }

    /// The same with words that people begin their subjects with too ("Urlaub: Termine"): it says
    /// something only of a mail that answers another one.
    pub fn is_absence_subject(&self, subject: &str) -> bool {
        self.begins_alone(subject, &self.absence)
    }

    fn begins_alone(&self, subject: &str, words: &[String]) -> bool {
        let subject = fold(subject);
        let subject = subject.trim_start_matches(['[', '*', '(', '"', ' ']);
        let alone = |rest: &str| {
            let rest = rest.trim_start_matches([' ', '!', '.']);
            let ends = [':', '：', '-', '–', '—', '(', '（', '[', ']', '|', '*', '/', '】', '"', ')'];
            rest.is_empty()
                || rest.starts_with(ends)
                || rest.starts_with("re:")
                || rest.starts_with("auto")
                || self.back.iter().any(|w| word_at_start(rest, w).is_some())
        };
        words.iter().any(|w| subject.strip_prefix(w.as_str()).is_some_and(alone))
    }

    /// Does a text say that its writer is away?
    pub fn is_away(&self, text: &str) -> bool {
        let mut away = false;
        find(&self.away, &fold(clip(text, limits::AWAY_BYTES)), |_| away = true);
        away
    }

    /// What a text says of itself.
    pub fn spoken(&self, text: &str) -> Spoken {
        let mut spoken = Spoken::default();
        find(&self.spoken, &fold(text), |phrase| match phrase < self.leaving {
            true => spoken.unsubscribe = true,
            false => spoken.notice = true,
        });
        spoken
    }

    /// Is the display name that of a newsletter, team or desk?
    pub fn is_mailing_name(&self, name: &str) -> bool {
        let name = fold(name);
        name.split(|c: char| !c.is_alphanumeric() && c != '\'').any(|token| self.newsletter.contains(token))
            || self.newsletter_inside.iter().any(|word| name.contains(word.as_str()))
    }

    /// The day of return that a text plainly names: a date right after one of the words for it.
    pub fn day_of_return(&self, text: &str, written_on: Date) -> Option<Date> {
        let text = fold(clip(text, limits::AWAY_BYTES));
        let mut from = 0;
        while let Some(rest) = text.get(from..).filter(|r| !r.is_empty()) {
            let at_word = from == 0 || text.get(..from).is_some_and(|t| !t.ends_with(char::is_alphanumeric));
            if at_word {
                for word in &self.back {
                    if let Some(date) = word_at_start(rest, word).and_then(|r| self.date_at(r, written_on)) {
                        return Some(date);
                    }
                }
            }
            // Japanese, Chinese, Korean and Turkish put the word behind the date.
            let digit = rest.starts_with(|c: char| c.is_ascii_digit()) && begins_number(&text, from);
            if let Some(date) = digit.then(|| self.date_before_word(rest, written_on)).flatten() {
                return Some(date);
            }
            from += rest.chars().next().map_or(1, char::len_utf8);
        }
        None
    }

    fn date_before_word(&self, rest: &str, written_on: Date) -> Option<Date> {
        let window = clip(rest, 48);
        let end = self
            .back
            .iter()
            .filter(|w| w.starts_with(|c: char| !is_spaced(c)) || w.starts_with("kadar") || w.starts_with("tarih"));
        let end = end.filter_map(|w| window.find(w.as_str())).min()?;
        self.date_at(window.get(..end)?, written_on)
    }

    /// Reads a date at the beginning of `text`, at most a weekday and an article before it.
    fn date_at(&self, text: &str, written_on: Date) -> Option<Date> {
        let window = clip(text, 48);
        let mut numbers: Vec<i32> = Vec::new();
        let mut month: Option<i8> = None;
        let mut iso = false;
        let mut words_before = 0;
        for token in window.split(|c: char| {
            c.is_whitespace()
                || matches!(c, ',' | '.' | '/' | '-' | '–' | '年' | '月' | '日' | '년' | '월' | '일' | '(' | ')')
        }) {
            if token.is_empty() {
                continue;
            }
            let digits: String = token.chars().take_while(char::is_ascii_digit).collect();
            if let Ok(number) = digits.parse::<i32>() {
                iso |= numbers.is_empty() && digits.len() == 4;
                numbers.push(number);
                let suffix = token.get(digits.len()..).unwrap_or_default();
                if !matches!(suffix, "" | "st" | "nd" | "rd" | "th" | "er" | "º" | "ª" | "e") {
                    break;
                }
            } else if let Some((_, number)) = self.months.iter().find(|(form, _)| token == form && month.is_none()) {
                month = Some(*number);
            } else if numbers.is_empty() && month.is_none() && words_before < 2 {
                words_before += 1;
            } else if !matches!(token, "de" | "of" | "del" | "den") {
                break;
            }
        }
        civil(&numbers, month, iso, written_on)
    }
}

fn begins_number(text: &str, at: usize) -> bool {
    text.get(..at).is_some_and(|t| !t.ends_with(|c: char| c.is_ascii_digit()))
}

/// A date of numbers in the order they were written, near the day of writing.
fn civil(numbers: &[i32], month: Option<i8>, iso: bool, written_on: Date) -> Option<Date> {
    let small = |n: i32| i8::try_from(n).ok();
    let (year, month, day) = match (numbers, month) {
        ([y, d, ..], Some(m)) if *y > 31 => (Some(*y), m, small(*d)?),
        ([d, y, ..], Some(m)) if *y >= 1900 => (Some(*y), m, small(*d)?),
        ([d, ..], Some(m)) => (None, m, small(*d)?),
        ([y, m, d, ..], None) if iso => (Some(*y), small(*m)?, small(*d)?),
        // 12.05. and 12/05/2026: day first, unless that cannot be.
        ([d, m, rest @ ..], None) => {
            let year = rest.first().map(|y| if *y < 100 { *y + 2000 } else { *y });
            if *m > 12 { (year, small(*d)?, small(*m)?) } else { (year, small(*m)?, small(*d)?) }
        }
        _ => return None,
    };
    let fits = |date: &Date| (-1..=limits::AWAY_DAYS).contains(&days_between(written_on, *date));
    match year {
        Some(year) => Date::new(i16::try_from(year).ok()?, month, day).ok().filter(fits),
        None => (0..=1)
            .filter_map(|n| Date::new(written_on.year().saturating_add(n), month, day).ok())
            .find(|date| fits(date) && days_between(written_on, *date) <= limits::AWAY_DAYS / 2),
    }
}

/// What follows `word` at the beginning of `text`, where it ends there as a word.
fn word_at_start<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let rest = text.strip_prefix(word)?;
    (!rest.starts_with(char::is_alphabetic) || !word.ends_with(is_spaced)).then_some(rest)
}

/// Is `subject` that of an answer?
pub fn is_reply_subject(subject: &str) -> bool {
    has_prefix(
        subject,
        &[
            "re",
            "aw",
            "sv",
            "vs",
            "antw",
            "odp",
            "ynt",
            "rif",
            "res",
            "回复",
            "回覆",
            "答复",
            "返信",
            "답장",
            "תגובה",
            "رد",
        ],
    )
}

/// Is `subject` that of a forwarded mail?
pub fn is_forward_subject(subject: &str) -> bool {
    has_prefix(
        subject,
        &[
            "fwd",
            "fw",
            "wg",
            "tr",
            "rv",
            "enc",
            "i",
            "vb",
            "vl",
            "pd",
            "doorst",
            "转发",
            "轉寄",
            "転送",
            "전달",
            "הועבר",
        ],
    )
}

fn has_prefix(subject: &str, prefixes: &[&str]) -> bool {
    let Some((before, _)) = subject.split_once([':', '：']) else { return false };
    let before = before.trim().to_lowercase();
    let before = before.split(['[', '(', '^']).next().unwrap_or_default().trim();
    prefixes.contains(&before)
}

/// The words of a tree that begin where a word of `text` begins.
fn find(tree: &Tree, text: &str, mut found: impl FnMut(usize)) {
    let mut inside = false;
    for (start, c) in text.char_indices() {
        if !(inside && is_spaced(c)) && c != ' ' {
            tree.at(text, start, |phrase, _| found(phrase));
        }
        inside = c.is_alphanumeric();
    }
}

/// Is this a letter of a script that puts blanks between words?
fn is_spaced(c: char) -> bool {
    c.is_alphabetic()
        && !matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}')
}

/// Lower-case, blanks and line ends folded, apostrophes straightened.
fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '!'..='_' | 'a'..='~' => out.push(c.to_ascii_lowercase()),
            '’' | 'ʼ' | '`' => out.push('\''),
            c if c.is_whitespace() => {
                if !out.is_empty() && !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c => out.extend(c.to_lowercase()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_language_has_its_table() {
        let tables = lexicon::tables::<Table>("class");
        assert_eq!(tables.len(), lexicon::FILES.len());
        for (language, table) in tables {
            assert!(
                !table.out_of_office.is_empty() && !table.unsubscribe.is_empty() && !table.notice.is_empty(),
                "{language}"
            );
            assert!(table.months.is_empty() || table.months.len() == 12, "{language}");
        }
    }

    #[test]
    fn absences_are_known_by_their_subject() {
        for (subject, expected) in [
            ("Automatic reply: Plan", true),
            ("Out of Office", true),
            ("Out of Office: Re: plan", true),
            ("Out of Office AutoReply: plan", true),
            ("[OOO] Re: plan", true),
            ("Out of office until 5 May", true),
            ("Automatische Antwort: Termin", true),
            ("Abwesenheitsnotiz: Termin", true),
            ("Réponse automatique : point", true),
            ("Respuesta automática: hola", true),
            ("Автоматический ответ: план", true),
            ("自動応答: 予定", true),
            ("自动回复: 你好", true),
            ("자동 회신: 회의", true),
            ("Out of office party on Friday", false),
            ("Re: Out of office", false),
            ("On leave policy", false),
            ("Abwesend war gestern keiner", false),
            ("Vacation plans", false),
        ] {
            assert_eq!(words().is_out_of_office_subject(subject), expected, "{subject}");
        }
    }

    #[test]
    fn the_day_of_return_is_read_where_it_is_plain() {
        let written: Date = "2026-05-04".parse().unwrap();
        for (text, expected) in [
            ("I am out of the office until May 12 with no access", "2026-05-12"),
            ("I will be back on Monday, 18 May 2026.", "2026-05-18"),
            ("back on Monday the 18th of May", "2026-05-18"),
            ("returning on 2026-05-20", "2026-05-20"),
            ("until 01/06/2026", "2026-06-01"),
            ("until 05/25/2026", "2026-05-25"),
            ("Ich bin bis zum 15. Mai nicht im Büro.", "2026-05-15"),
            ("bis einschließlich 15.05.2026", "2026-05-15"),
            ("Je suis absent jusqu’au 15 mai inclus", "2026-05-15"),
            ("Estaré fuera de la oficina hasta el 3 de junio de 2026", "2026-06-03"),
            ("Jestem na urlopie do 15 maja", "2026-05-15"),
            ("Я в отпуске до 15 мая", "2026-05-15"),
            ("5月15日まで不在にしております", "2026-05-15"),
            ("2026년 5월 15일까지 휴가입니다", "2026-05-15"),
            ("until January 7", ""),
            ("until January 7, 2024", ""),
            ("I will answer when I am back", ""),
            ("until further notice", ""),
        ] {
            let found = words().day_of_return(text, written).map(|d| d.to_string()).unwrap_or_default();
            assert_eq!(found, expected, "{text}");
        }
        let december: Date = "2026-12-20".parse().unwrap();
        assert_eq!(words().day_of_return("until January 7", december).unwrap().to_string(), "2027-01-07");
    }

    #[test]
    fn mailings_say_what_they_are() {
        for (text, unsubscribe, notice) in [
            ("Click here to\r\nunsubscribe.", true, false),
            ("If you no longer wish to receive these", true, false),
            ("Hier können Sie den Newsletter abbestellen", true, false),
            ("配信停止はこちら", true, false),
            ("Отписаться от рассылки", true, false),
            ("View this email in your browser", false, true),
            ("We adopt out kittens", false, false),
            ("See you on Tuesday", false, false),
        ] {
            assert_eq!(words().spoken(text), Spoken { unsubscribe, notice }, "{text}");
        }
    }

    #[test]
    fn names_of_mailings_are_whole_words() {
        for (name, expected) in [
            ("Acme Newsletter", true),
            ("The Acme Team", true),
            ("Équipe Acme", true),
            ("Acme メールマガジン", true),
            ("Ada Newsome", false),
            ("Ada Abel", false),
        ] {
            assert_eq!(words().is_mailing_name(name), expected, "{name}");
        }
    }

    #[test]
    fn subjects_of_answers_and_forwards() {
        for (subject, reply, forward) in [
            ("Re: x", true, false),
            ("RE[2]: x", true, false),
            ("AW: x", true, false),
            ("Fwd: x", false, true),
            ("WG: x", false, true),
            ("Report: x", false, false),
            ("回复：x", true, false),
        ] {
            assert_eq!((is_reply_subject(subject), is_forward_subject(subject)), (reply, forward), "{subject}");
        }
    }
}
