//! `[me]`, `[schedule]`, `[rules]`, `[relationships]` and `[[contact]]`. Part of `config`.
//!
//! Invariant: what is left out is what PRODUCT and INFERENCE call the default, and a setting that
//! repeats a default gives the same value as leaving it out.

use std::collections::{BTreeMap, BTreeSet};

use super::nearest::advice;
use super::section::{Section, shown};
use super::{Around, read_addr, read_span};
use crate::address::{AddrSpec, safe_text};
use crate::engine::event::ContactSetting;
use crate::identity::Me;
use crate::limits;
use crate::outbox::queue::Caps;
use crate::outbox::words;
use crate::policy::{FAMILY, Interval, Rule, RuleSetting, default_relationships};
use crate::time::{BareM, Delay, Hours, Span, Zone};

/// The user, the zone and the language.
pub(super) fn me(s: &Section<'_>, around: &Around<'_>) -> (Me, Option<Zone>, String) {
    if s.exists() {
        s.need("addresses", "[\"alex@example.org\"], all addresses that are yours");
    } else if !s.has_wrong_kind() {
        let what = "there is no [me], so nobody knows who you are. Add for example:\n    \
                    [me]\n    name = \"Alex Doe\"\n    addresses = [\"alex@example.org\"]";
        around.report.fault(None, what);
    }
    let addresses: BTreeSet<AddrSpec> = s.texts("addresses", read_addr).into_iter().collect();
    if addresses.is_empty() && s.is_list("addresses") {
        s.fault("addresses", "`addresses` needs at least one address that is yours");
    }
    let name = s.text("name", |text| match safe_text(text, limits::NAME_BYTES) {
        name if name.is_empty() => Err("leave it out, or write your name".to_string()),
        name => Ok(name),
    });
    let zone = s.text("timezone", |text| {
        let known = Zone::named(text).filter(|_| !text.trim().is_empty());
        known.ok_or_else(|| "this machine knows no such time zone; they look like \"Europe/Berlin\"".to_string())
    });
    let zone = if s.has("timezone") { zone } else { Some(around.surroundings.zone.clone()) };
    let language = s.text("language", read_language).inspect(|language| {
        let code = language.get(..2).unwrap_or_default();
        if !words::languages().any(|l| l == code) {
            let known: Vec<&str> = words::languages().collect();
            s.warn(
                "language",
                format!(
                    "there are no words for \"{language}\" yet, so reminders are in English; there are: {}",
                    known.join(", ")
                ),
            );
        }
    });
    (
        Me { addresses, names: name.into_iter().collect() },
        zone,
        language.unwrap_or_else(|| around.surroundings.language()),
    )
}

fn read_language(text: &str) -> Result<String, String> {
    let mut parts = text.split(['-', '_']);
    let code = parts.next().unwrap_or_default().to_lowercase();
    let sound = code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphabetic());
    let rest = parts.all(|p| (2..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()));
    if sound && rest { Ok(code) } else { Err("a language has two letters, such as \"en\"".to_string()) }
}

/// Monday first.
const DAYS: [(&str, &str); 7] = [
    ("mon", "monday"),
    ("tue", "tuesday"),
    ("wed", "wednesday"),
    ("thu", "thursday"),
    ("fri", "friday"),
    ("sat", "saturday"),
    ("sun", "sunday"),
];

fn read_day(text: &str) -> Result<usize, String> {
    let word = text.trim().to_lowercase();
    let found = DAYS.iter().position(|(short, long)| *short == word || *long == word);
    found.ok_or_else(|| advice(&word, DAYS.iter().map(|(short, _)| *short)))
}

/// Minutes after midnight, `24:00` included.
fn read_clock(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |t: &str| (1..=2).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || minute.len() != 2 || !digits(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= 24 * 60).then_some(total)
}

/// The hours, the caps and the summary.
pub(super) fn schedule(s: &Section<'_>, zone: Zone) -> (Hours, Caps, Option<(u8, u16)>) {
    let mut days = [true, true, true, true, true, false, false];
    if s.is_list("days") {
        let chosen = s.texts("days", read_day);
        if s.texts("days", |_| Ok(())).is_empty() {
            s.fault("days", "`days` needs at least one day, such as \"mon\"");
        }
        days = std::array::from_fn(|day| chosen.contains(&day));
    }
    let (opens, closes) = s.text("hours", read_hours).unwrap_or((8 * 60, 18 * 60));
    let per_day = s.number("per_day", 0..=limits::PER_DAY, 3);
    if per_day == 0 {
        s.warn("per_day", "per_day = 0: no reminder is sent on its own; only the weekly summary comes");
    }
    let per_contact = s.text("per_contact", |t| read_span(t, BareM::Months)).unwrap_or(Span::days(7));
    let summary = s.text("summary", read_summary).unwrap_or(Some((0, 8 * 60)));
    if let Some((day, minute)) = summary {
        let works = days.get(usize::from(day)).copied().unwrap_or(false);
        if !works || !(opens..closes).contains(&minute) {
            s.warn("summary", "the summary lies outside of `days` and `hours`, so it waits until they open next");
        }
    }
    let hours = Hours { zone, days, opens, closes, holidays: BTreeSet::new() };
    (hours, Caps { per_day: usize::from(per_day), per_contact: per_contact.approx_seconds() }, summary)
}

fn read_hours(text: &str) -> Result<(u16, u16), String> {
    let example = "write them as \"08:00-18:00\"";
    let times = text.split_once(['-', '–']).and_then(|(a, b)| read_clock(a).zip(read_clock(b)));
    match times {
        Some((opens, closes)) if opens < closes => Ok((opens, closes)),
        Some(_) => Err(format!("the day must open before it closes: {example}")),
        None => Err(example.to_string()),
    }
}

fn read_summary(text: &str) -> Result<Option<(u8, u16)>, String> {
    if text.trim().eq_ignore_ascii_case("never") {
        return Ok(None);
    }
    let example = "write a day and a time as \"mon 08:00\", or \"never\"";
    let (day, clock) = text.trim().split_once(char::is_whitespace).ok_or(example)?;
    let day = read_day(day)?;
    let minute = read_clock(clock).filter(|m| *m < 24 * 60).ok_or(example)?;
    Ok(Some((u8::try_from(day).unwrap_or(0), minute)))
}

/// The wait of the rules that have one, in working days (INFERENCE 5).
const AFTER: [(Rule, u32); 3] = [(Rule::FollowUp, 3), (Rule::ReplyOwed, 2), (Rule::Promise, 3)];

/// The rules that differ from the default.
pub(super) fn rules(s: &Section<'_>) -> BTreeMap<Rule, RuleSetting> {
    let known = s.tables().into_iter().filter_map(|(name, table)| Some((Rule::parse(name)?, table)));
    let read = |(rule, table): (Rule, Section<'_>)| {
        let usual = AFTER.iter().find(|(r, _)| *r == rule).map(|(_, days)| Delay::Working(*days));
        let after = table.text("after", |text| {
            Delay::parse(text).ok_or_else(|| "write it as \"3 working days\", or \"20h\", \"4d\", \"2w\"".to_string())
        });
        if after.is_some() && usual.is_none() {
            table.warn("after", format!("`after` has no effect: {} goes by its own dates", rule.as_str()));
        }
        (
            rule,
            RuleSetting {
                enabled: table.flag("enabled", true),
                after: after.filter(|_| usual.is_some() && after != usual),
            },
        )
    };
    known.map(read).filter(|(_, setting)| *setting != RuleSetting::default()).collect()
}

/// Words that answer a reminder, and so name no relationship.
const VERBS: [&str; 11] =
    ["done", "dismiss", "mute", "unmute", "ignore", "help", "snooze", "pause", "every", "without", "person"];

/// The default relationships with those of the config over them.
pub(super) fn relationships(s: &Section<'_>) -> BTreeMap<String, Interval> {
    let mut all = default_relationships();
    for (name, table) in s.tables() {
        if let Some(interval) = relationship(name, &table, all.get(name).copied()) {
            all.insert(name.to_string(), interval);
        }
    }
    all
}

fn relationship(name: &str, s: &Section<'_>, default: Option<Interval>) -> Option<Interval> {
    let sound = name.starts_with(|c: char| c.is_alphabetic())
        && name.len() <= limits::CONFIG_WORD_BYTES
        && name.chars().all(|c| (c.is_alphanumeric() || c == '_') && !c.is_uppercase());
    if !sound {
        s.fault(
            "",
            format!("\"{}\" cannot be a relationship: use small letters and `_`, as an answer names it", shown(name)),
        );
        return None;
    }
    if VERBS.contains(&name) {
        s.fault("", format!("`{name}` already means something in an answer: choose another word"));
        return None;
    }
    if name == FAMILY {
        s.fault("", "`family` has no interval: it is reminded of milestones only");
        return None;
    }
    if default.is_none() {
        s.need("every", "\"60d\", how often you want to be in touch");
    }
    let read = |text: &str| read_span(text, BareM::Months);
    let every = if s.has("every") { s.text("every", read) } else { default.map(|d| d.every) }?;
    let at_most = if s.has("at_most") { s.text("at_most", read)? } else { default.map_or(twice(every), |d| d.at_most) };
    if every.approx_seconds() > at_most.approx_seconds() {
        let whose = if s.has("at_most") { "" } else { " (the default)" };
        s.fault(
            if s.has("every") { "every" } else { "at_most" },
            format!("every = \"{every}\" is longer than at_most = \"{at_most}\"{whose}: make at_most the longer one"),
        );
        return None;
    }
    Some(Interval { every, at_most })
}

fn twice(span: Span) -> Span {
    Span { months: span.months.saturating_mul(2), seconds: span.seconds.saturating_mul(2) }
}

/// All `[[contact]]`s.
pub(super) fn contacts(
    sections: &[Section<'_>],
    me: &Me,
    relationships: &BTreeMap<String, Interval>,
) -> Vec<ContactSetting> {
    let mut taken: BTreeMap<AddrSpec, String> = BTreeMap::new();
    sections.iter().map(|s| contact(s, me, relationships, &mut taken)).collect()
}

fn contact(
    s: &Section<'_>,
    me: &Me,
    relationships: &BTreeMap<String, Interval>,
    taken: &mut BTreeMap<AddrSpec, String>,
) -> ContactSetting {
    s.need("addresses", "[\"dana@uni.example\"]");
    if s.is_list("addresses") && s.texts("addresses", |_| Ok(())).is_empty() {
        s.fault("addresses", "`addresses` needs at least one address");
    }
    let addresses = s.texts("addresses", |text| {
        let address = read_addr(text)?;
        if me.is_me(&address) {
            return Err("that is one of your own addresses".to_string());
        }
        match taken.insert(address.clone(), s.title.clone()) {
            Some(other) if other != s.title => Err(format!("{other} has this address already: keep it in one of them")),
            _ => Ok(address),
        }
    });
    let names = || relationships.keys().map(String::as_str).chain([FAMILY]);
    let relationship = s.text("relationship", |text| match names().find(|n| *n == text) {
        Some(name) => Ok(name.to_string()),
        None => Err(format!("{}; a new one needs [relationships.NAME]", advice(text, names()).trim_end_matches('?'))),
    });
    ContactSetting {
        addresses,
        name: s.text("name", |text| match safe_text(text, limits::NAME_BYTES) {
            name if name.is_empty() => Err("leave it out, or write a name".to_string()),
            name => Ok(name),
        }),
        relationship,
        every: s.text("every", |text| read_span(text, BareM::Months)),
        mute: s.flag("mute", false),
    }
}
