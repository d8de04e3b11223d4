//! The words of reminders, one TOML file a language, and the filters their templates use. Part of `outbox`.
//!
//! Invariant: a template only joins facts that are given; it never looks anything up.

use std::sync::LazyLock;

use minijinja::value::Value;
use minijinja::{Environment, UndefinedBehavior};
use serde::Deserialize;

use super::faults;
use crate::time::{Timestamp, Zone};

/// Language codes that have a file, English first: it is the fallback.
const FILES: &[(&str, &str)] = &[
    ("en", include_str!("words/en.toml")),
    ("de", include_str!("words/de.toml")),
    ("fr", include_str!("words/fr.toml")),
    ("es", include_str!("words/es.toml")),
];

static TABLES: LazyLock<Vec<(&'static str, toml::Table)>> = LazyLock::new(|| {
    let read = |(language, text): &(&'static str, &str)| Some((*language, toml::from_str(text).ok()?));
    FILES.iter().filter_map(read).collect()
});

/// The languages reminders can be written in.
pub fn languages() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(language, _)| *language)
}

/// The English word of an answer for one of any language (`erledigt`: `done`): who changes the language, or writes
/// to oneself in another one, is understood.
pub fn answer_word(native: &str) -> Option<&'static str> {
    let tables = TABLES.iter().filter_map(|(_, t)| t.get("answer")?.as_table()).flatten();
    tables.into_iter().find(|(_, natives)| holds(natives, native)).map(|(english, _)| english.as_str())
}

fn holds(list: &toml::Value, word: &str) -> bool {
    list.as_array().into_iter().flatten().any(|w| w.as_str() == Some(word))
}

#[derive(Clone, Debug, Deserialize)]
struct Calendar {
    days: Vec<String>,
    months: Vec<String>,
    first: String,
    day: String,
    day_and_year: String,
    quotes: Vec<String>,
    and: String,
    and_before_i: String,
}

/// The words of one language, with the user's zone for its dates.
pub struct Words {
    /// Code of the language they are in.
    pub language: &'static str,
    table: &'static toml::Table,
    calendar: Calendar,
    environment: Environment<'static>,
}

impl Words {
    /// The words of `language` (`de`, `de-CH`, `de_CH.UTF-8`), or English where there are none.
    /// `now` tells whether a date needs its year.
    pub fn new(language: &str, zone: &Zone, now: Timestamp) -> Option<Words> {
        let code = language.split(['-', '_', '.']).next().unwrap_or_default().to_lowercase();
        let (language, table) = TABLES.iter().find(|(l, _)| *l == code).or_else(|| TABLES.first())?;
        let calendar: Calendar = table.get("calendar")?.clone().try_into().ok()?;
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Lenient);
        let (days, at_zone) = (calendar.clone(), zone.clone());
        environment.add_filter("day", move |t: String| date(&t, &days, &at_zone, now));
        let (days, at_zone) = (calendar.clone(), zone.clone());
        let clock = move |t: &str| {
            let time =
                Timestamp::parse(t).map(|at| at_zone.local(at)).map(|l| format!(" {:02}:{:02}", l.hour(), l.minute()));
            format!("{}{}", date(t, &days, &at_zone, now), time.unwrap_or_default())
        };
        let one = clock.clone();
        environment.add_filter("clock", move |t: String| one(&t));
        let colon = table.get("mail")?.get("colon")?.as_str()?;
        let word = move |word: &str| {
            let bare = word.trim_end_matches([':', ';', ',']);
            format!("{}{}", clock(bare), word.strip_prefix(bare).unwrap_or_default())
        };
        environment.add_filter("local", move |text: String| {
            let told = faults::translated(&text, language, colon);
            told.split(' ').map(&word).collect::<Vec<_>>().join(" ")
        });
        let quotes = calendar.quotes.clone();
        environment.add_filter("quoted", move |t: String| {
            let [open, close] = quotes.as_slice() else { return t };
            format!("{open}{}{close}", t.trim().trim_end_matches('.'))
        });
        let ands = calendar.clone();
        environment.add_filter("people", move |names: Vec<String>| join(&names, &ands));
        for name in ["span", "every", "ago"] {
            let forms = table.get(name)?.as_table()?;
            environment.add_filter(name, move |length: Value| counted(&length, forms));
        }
        let relationships = table.get("relationship")?.as_table()?;
        environment.add_filter("relationship", move |name: String| {
            let known = |key: &str| relationships.get(key).and_then(|w| w.as_str());
            let other = || known("other").unwrap_or("{name}").replace("{name}", &name.replace('_', " "));
            known(&name).map_or_else(other, str::to_string)
        });
        Some(Words { language, table, calendar, environment })
    }

    /// A phrase, rendered; empty where it is missing or does not render (a test renders them all).
    pub fn phrase(&self, table: &str, key: &str, context: &Value) -> String {
        let template = self.table.get(table).and_then(|t| t.get(key)).and_then(|t| t.as_str()).unwrap_or_default();
        self.environment.render_str(template, context).unwrap_or_default()
    }

    /// A list of phrases without facts.
    pub fn list(&self, table: &str, key: &str) -> Vec<String> {
        let list = self.table.get(table).and_then(|t| t.get(key)).and_then(|t| t.as_array());
        list.into_iter().flatten().filter_map(|v| v.as_str()).map(str::to_string).collect()
    }

    /// A date as the language writes it, without the time of day.
    pub fn day(&self, at: Timestamp) -> String {
        self.environment.render_str("{{ at | day }}", minijinja::context! { at => at.to_string() }).unwrap_or_default()
    }

    /// A sentence about a source in this language, with its RFC 3339 times as the language writes them.
    pub fn local(&self, text: &str) -> String {
        self.environment.render_str("{{ text | local }}", minijinja::context! { text => text }).unwrap_or_default()
    }

    /// Names as the language joins them.
    pub fn people(&self, names: &[String]) -> String {
        join(names, &self.calendar)
    }
}

fn date(text: &str, words: &Calendar, zone: &Zone, now: Timestamp) -> String {
    let Some(at) = Timestamp::parse(text) else { return text.to_string() };
    let day = zone.date(at);
    let get =
        |list: &[String], index: i8| usize::try_from(index).ok().and_then(|i| list.get(i)).cloned().unwrap_or_default();
    // half a year away, a date without its year could be taken for another one
    let far = crate::time::days_between(day, zone.date(now)).abs() > 180;
    let pattern = if far { &words.day_and_year } else { &words.day };
    let number = if day.day() == 1 { words.first.clone() } else { day.day().to_string() };
    pattern
        .replace("{weekday}", &get(&words.days, day.weekday().to_monday_zero_offset()))
        .replace("{day}", &number)
        .replace("{month}", &get(&words.months, day.month() - 1))
        .replace("{year}", &day.year().to_string())
}

/// `Ana, Ben and Cem`; Spanish says `Ana e Inés`.
fn join(names: &[String], words: &Calendar) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => {
            let start = last.to_lowercase();
            let sounds_i = start.starts_with(['i', 'í']) || start.starts_with("hi") && !start.starts_with("hie");
            let and = if sounds_i { &words.and_before_i } else { &words.and };
            format!("{} {and} {last}", most.join(", "))
        }
    }
}

/// A length of time by the forms of a table. Days are said as a person does: up to 13 in days, up to 13 weeks in
/// weeks, then in months; a length the user named (`6w`) stays in its unit.
fn counted(length: &Value, forms: &toml::Table) -> String {
    let (n, one, many) = match (i64::try_from(length.clone()), length.as_str()) {
        (Ok(days @ ..14), _) => (days, "day", "days"),
        (Ok(days @ 14..92), _) => ((days + 3) / 7, "week", "weeks"),
        (Ok(days), _) => ((days + 15) / 30, "month", "months"),
        (_, Some(named)) => {
            let digits = named.find(|c: char| !c.is_ascii_digit()).unwrap_or(named.len());
            let (number, unit) = named.split_at_checked(digits).unwrap_or((named, ""));
            let (one, many) = match unit {
                "d" => ("day", "days"),
                "w" => ("week", "weeks"),
                "mo" => ("month", "months"),
                "y" => ("year", "years"),
                _ => return named.to_string(),
            };
            (number.parse().unwrap_or_default(), one, many)
        }
        _ => return String::new(),
    };
    let key = match n {
        0 if forms.contains_key("today") => "today",
        1 => one,
        _ => many,
    };
    let form = forms.get(key).and_then(|w| w.as_str());
    form.unwrap_or_default().replace("{n}", &n.to_string())
}
