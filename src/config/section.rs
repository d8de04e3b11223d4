//! One table of the file: its keys against the shape, and its values one by one. Part of `config`.
//!
//! Invariant: [`check`] speaks of keys and kinds, the readers of a [`Section`] of values; a value of
//! the wrong kind is told once and then reads as if it were not there.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::nearest::{advice, list, nearest};
use super::report::Report;
use super::shape::{Key, Kind, ROOT, SECRET};
use crate::address::safe_text;
use crate::limits;

/// Tells of every key of the file that is unknown, misplaced or holds the wrong kind of value.
pub(super) fn check(root: &DeTable<'_>, report: &Report<'_>) {
    for (name, value) in root {
        let at = Some(name.span().start);
        let Some(key) = ROOT.iter().find(|k| k.name == name.get_ref().as_ref()) else {
            report.fault(at, unknown_at_top(name.get_ref(), value.get_ref()));
            continue;
        };
        match (key.kind, value.get_ref()) {
            (Kind::Sections(_), DeValue::Table(_)) => {
                let what = format!("write [[{0}]] instead of [{0}]: there may be more than one", key.name);
                report.fault(at, what);
            }
            (Kind::Section(_) | Kind::Named(_), DeValue::Array(_)) => {
                report.fault(at, format!("write [{0}] instead of [[{0}]]: there is only one", key.name));
            }
            _ => check_value(key, value, name.span().start, &Place::Top, report),
        }
    }
}

fn unknown_at_top(name: &str, value: &DeValue<'_>) -> String {
    let word = shown(name);
    if !value.is_table()
        && !value.is_array()
        && let Some(home) = home_of(name)
    {
        return format!("`{word}` stands before the first section: it belongs into [{home}]");
    }
    let brackets = |name: &str| match ROOT.iter().find(|k| k.name == name).map(|k| k.kind) {
        Some(Kind::Sections(_)) => format!("[[{name}]]"),
        _ => format!("[{name}]"),
    };
    let names = || ROOT.iter().map(|k| k.name);
    match nearest(name, names()) {
        Some(near) => format!("there is no section [{word}]: did you mean {}?", brackets(near)),
        None => {
            let all: Vec<String> = names().map(brackets).collect();
            format!("there is no section [{word}]: the sections are {}", all.join(", "))
        }
    }
}

/// The section that has this key, where it is one of those that stand alone.
fn home_of(name: &str) -> Option<&'static str> {
    let has = |k: &&Key| matches!(k.kind, Kind::Section(keys) if keys.iter().any(|k| k.name == name));
    ROOT.iter().find(has).map(|k| k.name)
}

/// Where a table stands, for messages.
enum Place<'p> {
    Top,
    Table(&'p str),
}

fn check_value(key: &Key, value: &Spanned<DeValue<'_>>, at: usize, place: &Place<'_>, report: &Report<'_>) {
    let title = match place {
        Place::Top => key.name.to_string(),
        Place::Table(title) => (*title).to_string(),
    };
    match (key.kind, value.get_ref()) {
        (Kind::Text, DeValue::String(_)) | (Kind::Flag, DeValue::Boolean(_)) | (Kind::Number, DeValue::Integer(_)) => {}
        (Kind::Texts, DeValue::Array(items)) => {
            for item in items.iter().filter(|i| !i.get_ref().is_str()) {
                let what =
                    format!("{title}: `{}` is a list of texts, but {} is in it", key.name, found(item.get_ref()));
                report.fault(Some(item.span().start), what);
            }
        }
        (Kind::Secret, DeValue::Table(table)) => {
            check_keys(table, SECRET, &format!("`{}` of {title}", key.name), report)
        }
        (Kind::Braces(keys), DeValue::Table(table)) => {
            check_keys(table, keys, &format!("`{}` of {title}", key.name), report);
        }
        (Kind::Section(keys), DeValue::Table(table)) => {
            let title = match place {
                Place::Top => format!("[{}]", key.name),
                Place::Table(outer) => format!("[{}.{}]", outer.trim_matches(['[', ']']), key.name),
            };
            check_keys(table, keys, &title, report);
        }
        (Kind::Named(keys), DeValue::Table(table)) => {
            for (name, value) in table {
                let title = format!("[{}.{}]", key.name, shown(name.get_ref()));
                match value.get_ref() {
                    DeValue::Table(inner) => check_keys(inner, keys, &title, report),
                    _ => report.fault(Some(name.span().start), format!("{title} must be a section of its own")),
                }
            }
        }
        (Kind::Sections(keys), DeValue::Array(items)) => {
            for (n, item) in items.iter().enumerate() {
                match item.get_ref() {
                    DeValue::Table(table) => check_keys(table, keys, &title_of(key.name, n, table), report),
                    _ => report.fault(Some(item.span().start), format!("write [[{}]] and its keys below it", key.name)),
                }
            }
        }
        (_, other) => report.fault(Some(at), wrong_kind(key, other, &title)),
    }
}

fn check_keys(table: &DeTable<'_>, keys: &[Key], title: &str, report: &Report<'_>) {
    let types = keys.iter().flat_map(|k| k.types);
    let kind = text_of(table, "type").filter(|t| types.clone().any(|k| k == t));
    for (name, value) in table {
        let at = name.span().start;
        let word = name.get_ref().as_ref();
        match keys.iter().find(|k| k.name == word) {
            Some(key) if key.fits(kind) => check_value(key, value, at, &Place::Table(title), report),
            Some(key) => {
                let what = format!(
                    "{title} is of type \"{}\" and has no key `{word}`: that is for type {}",
                    kind.unwrap_or_default(),
                    key.types.iter().map(|t| format!("\"{t}\"")).collect::<Vec<_>>().join(" or "),
                );
                report.fault(Some(at), what);
            }
            None => {
                let fitting = keys.iter().filter(|k| k.fits(kind)).map(|k| k.name);
                report.fault(Some(at), format!("{title} has no key `{}`: {}", shown(word), hint(word, fitting, title)));
            }
        }
    }
}

fn hint<'c>(word: &str, keys: impl Iterator<Item = &'c str> + Clone, title: &str) -> String {
    match (nearest(word, keys.clone()), home_of(word)) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, Some(home)) if format!("[{home}]") != title => format!("it belongs into [{home}]"),
        _ => format!("it has {}", list(keys).replace(" or ", " and ")),
    }
}

fn wrong_kind(key: &Key, value: &DeValue<'_>, title: &str) -> String {
    let name = key.name;
    let (wanted, advice) = match key.kind {
        Kind::Secret if value.is_str() => {
            return format!(
                "{title}: a `{name}` is not written into this file, where backups and eyes find it. Say where it is: \
                 {name} = {{ command = [\"pass\", \"show\", \"mail\"] }}, or {{ file = \"...\" }}, {{ env = \"...\" }}, \
                 {{ credential = \"...\" }}"
            );
        }
        Kind::Secret => ("a table that says where the secret is", format!("{name} = {{ file = \"...\" }}")),
        Kind::Text if matches!(value, DeValue::Array(_)) => ("one text", format!("{name} = \"...\", without brackets")),
        Kind::Text => ("text", format!("{name} = \"...\", in quotes")),
        Kind::Texts => ("a list of texts", format!("{name} = [\"...\"], in brackets")),
        Kind::Flag => ("true or false", format!("{name} = true, without quotes")),
        Kind::Number => ("a whole number", format!("{name} = 3, without quotes or a point")),
        Kind::Braces(_) => ("a table", format!("{name} = {{ ... }}")),
        Kind::Section(_) | Kind::Named(_) => ("a section", format!("[{name}]")),
        Kind::Sections(_) => ("a section", format!("[[{name}]]")),
    };
    let whole = if title == name { format!("`{name}`") } else { format!("{title}: `{name}`") };
    format!("{whole} must be {wanted}, but is {}: write {advice}", found(value))
}

fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// A word of the file, fit to be shown.
pub(super) fn shown(word: &str) -> String {
    safe_text(word, limits::CONFIG_WORD_BYTES)
}

fn text_of<'t>(table: &'t DeTable<'_>, key: &str) -> Option<&'t str> {
    table.get(key).and_then(|v| v.get_ref().as_str())
}

fn title_of(section: &str, n: usize, table: &DeTable<'_>) -> String {
    match text_of(table, "name").filter(|name| !name.is_empty()) {
        Some(name) => format!("[[{section}]] \"{}\"", shown(name)),
        None => format!("[[{section}]] number {}", n + 1),
    }
}

/// A table whose values are read; without a table every key is absent.
#[derive(Clone)]
pub(super) struct Section<'a> {
    /// As the user would name it: `[[mailbox]] "work"`.
    pub title: String,
    /// Where it begins.
    pub at: Option<usize>,
    table: Option<&'a DeTable<'a>>,
    report: &'a Report<'a>,
}

impl<'a> Section<'a> {
    /// `[name]`, present or not.
    pub fn named(root: &'a DeTable<'a>, name: &str, report: &'a Report<'a>) -> Section<'a> {
        let whole = Section { title: String::new(), at: None, table: Some(root), report };
        Section { title: format!("[{name}]"), ..whole.inner(name) }
    }

    /// Every `[[name]]`.
    pub fn each(root: &'a DeTable<'a>, name: &str, report: &'a Report<'a>) -> Vec<Section<'a>> {
        let items = root.get(name).and_then(|v| v.get_ref().as_array()).into_iter().flat_map(|a| a.iter());
        let tables = items.enumerate().filter_map(|(n, v)| Some((n, v.span().start, v.get_ref().as_table()?)));
        tables
            .map(|(n, at, table)| Section { title: title_of(name, n, table), at: Some(at), table: Some(table), report })
            .collect()
    }

    /// The tables inside, with their names.
    pub fn tables(&self) -> Vec<(&'a str, Section<'a>)> {
        let outer = self.title.trim_matches(['[', ']']).to_string();
        let entries = self.table.into_iter().flat_map(|t| t.iter());
        let tables =
            entries.filter_map(|(name, v)| Some((name.get_ref().as_ref(), name.span().start, v.get_ref().as_table()?)));
        tables
            .map(|(name, at, table)| {
                let title = format!("[{outer}.{}]", shown(name));
                (name, Section { title, at: Some(at), table: Some(table), report: self.report })
            })
            .collect()
    }

    /// The table behind `key`.
    pub fn inner(&self, key: &str) -> Section<'a> {
        let title = format!("`{key}` of {}", self.title);
        Section { title, at: self.at_of(key), table: self.get(key).and_then(DeValue::as_table), report: self.report }
    }

    /// Is there such a table?
    pub fn exists(&self) -> bool {
        self.table.is_some()
    }

    /// Is it a table without any key, known or not?
    pub fn is_empty(&self) -> bool {
        self.table.is_none_or(|t| t.is_empty())
    }

    /// Is there something of this name that is no table? It has been told already.
    pub fn has_wrong_kind(&self) -> bool {
        self.table.is_none() && self.at.is_some()
    }

    /// Is `key` there, whatever it holds?
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Does `key` hold a list?
    pub fn is_list(&self, key: &str) -> bool {
        self.get(key).is_some_and(DeValue::is_array)
    }

    /// Something is wrong with `key`.
    pub fn fault(&self, key: &str, what: impl AsRef<str>) {
        self.report.fault(self.at_of(key), format!("{}: {}", self.title, what.as_ref()));
    }

    /// Something about `key` is unusual.
    pub fn warn(&self, key: &str, what: impl AsRef<str>) {
        self.report.warn(self.at_of(key), format!("{}: {}", self.title, what.as_ref()));
    }

    /// `key` must be there; `example` is what to write.
    pub fn need(&self, key: &str, example: &str) {
        if !self.has(key) {
            self.fault(key, format!("`{key}` is missing: add {key} = {example}"));
        }
    }

    /// The text of `key`, read by `read`; why it cannot be is told with the text.
    pub fn text<T>(&self, key: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.get(key)?.as_str()?;
        read(text).map_err(|why| self.fault(key, format!("{key} = \"{}\": {why}", shown(text)))).ok()
    }

    /// The same where the text is nobody's business.
    pub fn private<T>(&self, key: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.get(key)?.as_str()?;
        read(text).map_err(|why| self.fault(key, format!("`{key}` {why}"))).ok()
    }

    /// One of `choices`.
    pub fn choice(&self, key: &str, choices: &[&'static str]) -> Option<&'static str> {
        let find = |text: &str| choices.iter().find(|c| **c == text).copied();
        self.text(key, |text| find(text).ok_or_else(|| advice(text, choices.iter().copied())))
    }

    /// The texts of `key`; those that cannot be read are told, each at its line.
    pub fn texts<T>(&self, key: &str, mut read: impl FnMut(&str) -> Result<T, String>) -> Vec<T> {
        let items = self.get(key).and_then(DeValue::as_array).into_iter().flat_map(|a| a.iter());
        let texts = items.filter_map(|i| Some((i.span().start, i.get_ref().as_str()?)));
        let tell = |at, text: &str, why| {
            self.report.fault(Some(at), format!("{}: \"{}\" in `{key}`: {why}", self.title, shown(text)));
        };
        texts.filter_map(|(at, text)| read(text).map_err(|why: String| tell(at, text, why)).ok()).collect()
    }

    /// `true` or `false`.
    pub fn flag(&self, key: &str, default: bool) -> bool {
        self.get(key).and_then(DeValue::as_bool).unwrap_or(default)
    }

    /// A whole number of `range`.
    pub fn number(&self, key: &str, range: RangeInclusive<u16>, default: u16) -> u16 {
        let Some(number) = self.get(key).and_then(DeValue::as_integer) else { return default };
        let value = u16::from_str_radix(number.as_str(), number.radix()).ok().filter(|v| range.contains(v));
        value.unwrap_or_else(|| {
            let (least, most) = range.into_inner();
            self.fault(key, format!("{key} = {}: it must be {least} to {most}", shown(number.as_str())));
            default
        })
    }

    fn get(&self, key: &str) -> Option<&'a DeValue<'a>> {
        self.table?.get(key).map(Spanned::get_ref)
    }

    fn at_of(&self, key: &str) -> Option<usize> {
        let entry = self.table.and_then(|t| t.get_key_value(key));
        entry.map(|(name, _)| name.span().start).or(self.at)
    }
}
