//! The words of reminders, one TOML file a language, and the filters their templates use. Part of `outbox`.
//!
//! Invariant: a template only joins facts that are given; it never looks anything up.

use std::sync::LazyLock;

use minijinja::value::Value;
use minijinja::{Environment, UndefinedBehavior};
use serde::Deserialize;

use crate::time::{Timestamp, Zone};

/// Language codes that have a file, English first: it is the fallback.
const FILES: &[(&str, &str)] = &[("en", include_str!("words/en.toml"))];

static TABLES: LazyLock<Vec<(&'static str, toml::Table)>> = LazyLock::new(|| {
    let read = |(language, text): &(&'static str, &str)| Some((*language, toml::from_str(text).ok()?));
    FILES.iter().filter_map(read).collect()
});

/// The languages reminders can be written in.
pub fn languages() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(language, _)| *language)
}

#[derive(Clone, Debug, Deserialize)]
struct Calendar {
    days: Vec<String>,
    months: Vec<String>,
    day: String,
    day_and_year: String,
    quotes: Vec<String>,
    and: String,
}

/// The words of one language, with the user's zone for its dates.
pub struct Words {
    table: &'static toml::Table,
    environment: Environment<'static>,
}

impl Words {
    /// The words of `language` (`de`, `de-CH`, `de_CH.UTF-8`), or English where there are none.
    /// `now` tells whether a date needs its year.
    pub fn new(language: &str, zone: &Zone, now: Timestamp) -> Option<Words> {
        let code = language.get(..2).unwrap_or("en").to_lowercase();
        let table = TABLES.iter().find(|(l, _)| *l == code).or_else(|| TABLES.first()).map(|(_, t)| t)?;
        let calendar: Calendar = table.get("calendar")?.clone().try_into().ok()?;
        let spans = table.get("span")?.as_table()?;
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Lenient);
        let (days, at_zone) = (calendar.clone(), zone.clone());
        environment.add_filter("day", move |t: String| date(&t, &days, &at_zone, now));
        let (days, at_zone) = (calendar.clone(), zone.clone());
        environment.add_filter("clock", move |t: String| {
            let time =
                Timestamp::parse(&t).map(|at| at_zone.local(at)).map(|l| format!(" {:02}:{:02}", l.hour(), l.minute()));
            format!("{}{}", date(&t, &days, &at_zone, now), time.unwrap_or_default())
        });
        let quotes = calendar.quotes.clone();
        environment.add_filter("quoted", move |t: String| {
            let [open, close] = quotes.as_slice() else { return t };
            format!("{open}{}{close}", t.trim().trim_end_matches('.'))
        });
        let and = calendar.and.clone();
        environment.add_filter("people", move |names: Vec<String>| match names.as_slice() {
            [] => String::new(),
            [one] => one.clone(),
            [most @ .., last] => format!("{} {and} {last}", most.join(", ")),
        });
        environment.add_filter("span", move |days: i64| span(days, spans));
        Some(Words { table, environment })
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
}

fn date(text: &str, words: &Calendar, zone: &Zone, now: Timestamp) -> String {
    let Some(at) = Timestamp::parse(text) else { return text.to_string() };
    let day = zone.date(at);
    let get =
        |list: &[String], index: i8| usize::try_from(index).ok().and_then(|i| list.get(i)).cloned().unwrap_or_default();
    // half a year away, a date without its year could be taken for another one
    let far = crate::time::days_between(day, zone.date(now)).abs() > 180;
    let pattern = if far { &words.day_and_year } else { &words.day };
    pattern
        .replace("{weekday}", &get(&words.days, day.weekday().to_monday_zero_offset()))
        .replace("{day}", &day.day().to_string())
        .replace("{month}", &get(&words.months, day.month() - 1))
        .replace("{year}", &day.year().to_string())
}

/// Days as a person says them: up to 13 in days, up to 13 weeks in weeks, then months.
fn span(days: i64, words: &toml::Table) -> String {
    let (n, one, many) = match days {
        ..14 => (days, "day", "days"),
        14..92 => ((days + 3) / 7, "week", "weeks"),
        _ => ((days + 15) / 30, "month", "months"),
    };
    let key = if n == 1 { one } else { many };
    words.get(key).and_then(|w| w.as_str()).unwrap_or_default().replace("{n}", &n.to_string())
}
