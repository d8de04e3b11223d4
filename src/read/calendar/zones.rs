//! What a `TZID` means (RFC 5545 3.2.19, 3.6.5). Part of `read::calendar`.
//!
//! Invariant: a name that means nothing is never guessed at in silence: the event is taken in the
//! context's zone and a complaint says so, once a name.

use std::collections::HashMap;
use std::rc::Rc;
use std::str::FromStr;

use super::components::{Component, Property, properties};
use super::recurrence::{Budget, Rule, Wall};
use super::stamp::Stamp;
use crate::limits;
use crate::time::{DAY, DateTime, HOUR, MINUTE, Timestamp, Zone};

/// How wall clock readings of an event become points in time.
#[derive(Clone, Debug)]
pub enum EventZone {
    /// A zone of the tz database, or a fixed offset.
    Known(Zone),
    /// The rules of a `VTIMEZONE` with a name of its own.
    Rules(Rc<Rules>),
}

/// A `VTIMEZONE`, interpreted: the offset in seconds that holds from each point on.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    before: i64,
    changes: Vec<(Timestamp, i64)>,
}

impl Rules {
    fn offset(&self, at: Timestamp) -> i64 {
        let index = self.changes.partition_point(|(from, _)| *from <= at);
        index.checked_sub(1).and_then(|i| self.changes.get(i)).map_or(self.before, |(_, offset)| *offset)
    }

    /// In a gap the offset before it holds, in a fold the first reading, as [`Zone::instant`] does.
    fn instant(&self, wall: Wall) -> Timestamp {
        let naive = Timestamp::from_second(wall);
        let (early, late) = (self.offset(naive.minus(DAY)), self.offset(naive.plus(DAY)));
        let first = naive.minus(early);
        let second = naive.minus(late);
        if self.offset(first) != early && self.offset(second) == late { second } else { first }
    }
}

impl EventZone {
    /// UTC.
    pub fn utc() -> EventZone {
        EventZone::Known(Zone::utc())
    }

    /// See [`Zone::instant`].
    pub fn instant(&self, local: DateTime) -> Timestamp {
        match self {
            EventZone::Known(zone) => zone.instant(local),
            EventZone::Rules(rules) => rules.instant(wall(local)),
        }
    }

    /// See [`Zone::local`].
    pub fn local(&self, at: Timestamp) -> DateTime {
        match self {
            EventZone::Known(zone) => zone.local(at),
            EventZone::Rules(rules) => civil(at.plus(rules.offset(at)).second()),
        }
    }
}

/// A civil time as seconds of its own clock.
pub fn wall(local: DateTime) -> Wall {
    Zone::utc().instant(local).second()
}

/// Seconds of a wall clock as a civil time.
pub fn civil(wall: Wall) -> DateTime {
    Zone::utc().local(Timestamp::from_second(wall))
}

/// The zones of one calendar.
pub struct Zones<'a> {
    /// The user's own: floating times are taken in it.
    pub default: &'a Zone,
    custom: HashMap<String, Component>,
    known: HashMap<String, Option<EventZone>>,
    /// Names nobody knows, not yet complained about.
    pub unknown: Vec<String>,
    /// What the rules of the calendar, its zones' included, may still cost.
    pub budget: Budget,
}

impl<'a> Zones<'a> {
    /// No custom zone yet.
    pub fn new(default: &'a Zone) -> Zones<'a> {
        Zones { default, custom: HashMap::new(), known: HashMap::new(), unknown: Vec::new(), budget: Budget::default() }
    }

    /// Takes in a `VTIMEZONE`; of one name the first counts.
    pub fn add(&mut self, component: Component) {
        let tzid = properties(&component.text).0.into_iter().find(|p| p.name == "TZID");
        if let Some(tzid) = tzid
            && self.custom.len() < limits::TIMEZONES
        {
            self.custom.entry(plain(&tzid.value).to_string()).or_insert(component);
        }
    }

    /// The zone of floating times.
    pub fn floating(&self) -> EventZone {
        EventZone::Known(self.default.clone())
    }

    /// The zone of a name; the default one where nobody knows it.
    pub fn named(&mut self, tzid: &str) -> EventZone {
        let tzid = plain(tzid);
        if let Some(found) = self.known.get(tzid) {
            return found.clone().unwrap_or_else(|| self.floating());
        }
        let found = self.find(tzid);
        if found.is_none() {
            self.unknown.push(tzid.to_string());
        }
        if self.known.len() >= limits::TIMEZONES {
            self.known.clear();
        }
        self.known.insert(tzid.to_string(), found.clone());
        found.unwrap_or_else(|| self.floating())
    }

    fn find(&mut self, tzid: &str) -> Option<EventZone> {
        let custom = self.custom.get(tzid);
        let hinted = || custom.and_then(by_hint);
        let known = by_name(tzid).or_else(|| by_path(tzid)).or_else(hinted).map(EventZone::Known);
        let budget = &mut self.budget;
        let numbered = || by_name(tzid.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' '));
        known
            .or_else(|| Some(EventZone::Rules(Rc::new(interpret(custom?, budget)?))))
            .or_else(|| numbered().or_else(|| by_offset(tzid)).map(EventZone::Known))
    }
}

fn plain(tzid: &str) -> &str {
    tzid.trim().trim_matches('"').trim()
}

/// Windows names that calcard does not know, with the zone Unicode CLDR gives them.
const WINDOWS: &[(&str, &str)] = &[
    ("Magallanes Standard Time", "America/Punta_Arenas"),
    ("Qyzylorda Standard Time", "Asia/Qyzylorda"),
    ("Sao Tome Standard Time", "Africa/Sao_Tome"),
    ("South Sudan Standard Time", "Africa/Juba"),
    ("Sudan Standard Time", "Africa/Khartoum"),
    ("Turks And Caicos Standard Time", "America/Grand_Turk"),
    ("Volgograd Standard Time", "Europe/Volgograd"),
    ("Yukon Standard Time", "America/Whitehorse"),
];

/// IANA names in any case, also with blanks for underscores; Windows names; the names of old clients.
fn by_name(name: &str) -> Option<Zone> {
    if name.is_empty() || name.len() > limits::NAME_BYTES {
        return None;
    }
    if name.eq_ignore_ascii_case("Z") || name.eq_ignore_ascii_case("UTC") || name.eq_ignore_ascii_case("GMT") {
        return Some(Zone::utc());
    }
    let windows = || {
        let own = WINDOWS.iter().find(|(windows, _)| windows.eq_ignore_ascii_case(name));
        own.and_then(|(_, iana)| Zone::named(iana))
    };
    let mapped = || {
        let zone = calcard::common::timezone::Tz::from_str(name).ok()?;
        let iana = zone.name()?;
        // of "(UTC+01:00) Somewhere" it takes the offset alone, which is wrong for half the year
        let guessed = iana.starts_with("Etc/GMT") && name.starts_with('(');
        if guessed { None } else { Zone::named(&iana) }
    };
    Zone::named(name).or_else(|| Zone::named(&name.replace(' ', "_"))).or_else(windows).or_else(mapped)
}

/// The last three, two or one segments of a path: `/mozilla.org/20050126_1/Europe/Berlin`.
fn by_path(tzid: &str) -> Option<Zone> {
    let segments: Vec<&str> = tzid.rsplit('/').take(3).collect();
    (1..=segments.len()).rev().find_map(|n| {
        let mut tail: Vec<&str> = segments.iter().take(n).copied().collect();
        tail.reverse();
        by_name(&tail.join("/")).filter(|_| tzid.contains('/'))
    })
}

/// What clients write into a `VTIMEZONE` beside its rules.
fn by_hint(component: &Component) -> Option<Zone> {
    let (all, _) = properties(&component.text);
    let value = |name: &str| all.iter().find(|p| p.name == name).map(|p| p.value.trim());
    value("X-LIC-LOCATION").and_then(|place| by_name(place).or_else(|| by_path(place))).or_else(|| {
        let zone = calcard::common::timezone::Tz::from_ms_cdo_zone_id(value("X-MICROSOFT-CDO-TZID")?)?;
        Zone::named(&zone.name()?)
    })
}

/// `UTC+2`, `GMT+02:00`, `GMT-0330`, `+0200`: what is added to UTC.
fn by_offset(tzid: &str) -> Option<Zone> {
    let upper = tzid.to_ascii_uppercase();
    let rest = upper.strip_prefix("UTC").or_else(|| upper.strip_prefix("GMT")).unwrap_or(&upper).trim();
    let (sign, digits) = match rest.chars().next()? {
        '+' => (1, rest.strip_prefix('+')?),
        '-' => (-1, rest.strip_prefix('-')?),
        _ => return None,
    };
    let seconds = match digits.split_once(':') {
        Some((hours, minutes)) => number(hours)? * HOUR + number(minutes)? * MINUTE,
        None if digits.len() <= 2 => number(digits)? * HOUR,
        None => {
            let (hours, minutes) = digits.split_at_checked(digits.len() - 2)?;
            number(hours)? * HOUR + number(minutes)? * MINUTE
        }
    };
    Zone::fixed(i32::try_from(sign * seconds).ok()?)
}

fn number(digits: &str) -> Option<i64> {
    let sound = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| sound)
}

/// `+0100`, `-033000` (RFC 5545 3.3.14) in seconds.
fn utc_offset(text: &str) -> Option<i64> {
    let text = text.trim().replace(':', "");
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(&text)),
    };
    let (hours, rest) = digits.split_at_checked(2)?;
    let (minutes, seconds) = rest.split_at_checked(2)?;
    let seconds = if seconds.is_empty() { 0 } else { number(seconds)? };
    Some(sign * (number(hours)? * HOUR + number(minutes)? * MINUTE + seconds))
}

/// The changes of a `VTIMEZONE` up to the last year anybody plans.
fn interpret(component: &Component, budget: &mut Budget) -> Option<Rules> {
    let mut changes = Vec::new();
    let mut first: Option<(Timestamp, i64)> = None;
    for part in component.parts.iter().take(limits::TIMEZONE_PARTS) {
        let Some((from, to, walls)) = observance(&properties(part).0, budget) else { continue };
        let onsets = walls.into_iter().map(|wall| Timestamp::from_second(wall).minus(from));
        for onset in onsets {
            if first.is_none_or(|(at, _)| onset < at) {
                first = Some((onset, from));
            }
            changes.push((onset, to));
        }
    }
    changes.sort_unstable();
    first.map(|(_, before)| Rules { before, changes })
}

/// Offset before, offset after, and when it begins, on the clock of the offset before.
fn observance(all: &[Property], budget: &mut Budget) -> Option<(i64, i64, Vec<Wall>)> {
    let value = |name: &str| all.iter().find(|p| p.name == name).map(|p| p.value.as_str());
    let from = utc_offset(value("TZOFFSETFROM").or_else(|| value("TZOFFSETTO"))?)?;
    let to = utc_offset(value("TZOFFSETTO")?)?;
    let start =
        value("DTSTART").and_then(Stamp::parse).map_or(wall(DateTime::constant(1601, 1, 1, 0, 0, 0, 0)), |s| s.wall());
    let mut walls = vec![start];
    let rule = value("RRULE").and_then(|text| Rule::parse(text).ok());
    if let Some(rule) = rule {
        let until = rule.until.as_deref().and_then(Stamp::parse);
        let until = until.map(|u| if u.is_utc() { u.wall().saturating_add(from) } else { u.wall() });
        let last = wall(DateTime::constant(2100, 1, 1, 0, 0, 0, 0));
        walls.extend(rule.dates(start, true, until, (start, last), budget).unwrap_or_default().walls);
    }
    for property in all.iter().filter(|p| p.name == "RDATE") {
        walls.extend(property.value.split(',').take(limits::INSTANCES).filter_map(Stamp::parse).map(Stamp::wall));
    }
    walls.truncate(limits::INSTANCES);
    Some((from, to, walls))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn offset_at(name: &str, at: &str) -> Option<i64> {
        let home = Zone::named("Asia/Tokyo").unwrap();
        let mut zones = Zones::new(&home);
        let zone = zones.named(name);
        let at = Timestamp::parse(at).unwrap();
        zones.unknown.is_empty().then(|| wall(zone.local(at)) - at.second())
    }

    #[test]
    fn names_of_all_kinds() {
        let (summer, winter) = ("2026-07-01T12:00:00Z", "2026-01-01T12:00:00Z");
        for (name, s, w) in [
            ("Europe/Berlin", 2 * HOUR, HOUR),
            ("europe/BERLIN", 2 * HOUR, HOUR),
            ("\"Europe/Berlin\"", 2 * HOUR, HOUR),
            ("America/New York", -4 * HOUR, -5 * HOUR),
            ("W. Europe Standard Time", 2 * HOUR, HOUR),
            ("Pacific Standard Time", -7 * HOUR, -8 * HOUR),
            ("Pacific Standard Time 1", -7 * HOUR, -8 * HOUR),
            ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", 2 * HOUR, HOUR),
            ("/mozilla.org/20050126_1/Europe/Berlin", 2 * HOUR, HOUR),
            ("/freeassociation.sourceforge.net/Europe/London", HOUR, 0),
            ("/freeassociation.sourceforge.net/Tzfile/America/Argentina/Buenos_Aires", -3 * HOUR, -3 * HOUR),
            ("tzone://Microsoft/Utc", 0, 0),
            ("Z", 0, 0),
            ("GMT", 0, 0),
            ("UTC+2", 2 * HOUR, 2 * HOUR),
            ("GMT+02:00", 2 * HOUR, 2 * HOUR),
            ("GMT-0330", -3 * HOUR - 30 * MINUTE, -3 * HOUR - 30 * MINUTE),
            ("Etc/GMT+5", -5 * HOUR, -5 * HOUR),
            ("South Sudan Standard Time", 2 * HOUR, 2 * HOUR),
            ("Volgograd Standard Time", 3 * HOUR, 3 * HOUR),
        ] {
            assert_eq!(offset_at(name, summer), Some(s), "{name}");
            assert_eq!(offset_at(name, winter), Some(w), "{name}");
        }
        for unknown in ["Customized Time Zone", "(UTC+01:00) Nowhere", "", "UTC+", "+", "../../etc/passwd", "GMT+99:99"]
        {
            assert_eq!(offset_at(unknown, summer), None, "{unknown}");
        }
    }

    fn custom() -> Rules {
        let part = |dst: &str, from: &str, to: &str, rule: &str| {
            format!("DTSTART:{dst}\nTZOFFSETFROM:{from}\nTZOFFSETTO:{to}\nRRULE:FREQ=YEARLY;{rule}\n")
        };
        let component = Component {
            parts: vec![
                part("16011028T030000", "+0200", "+0100", "BYDAY=-1SU;BYMONTH=10"),
                part("16010325T020000", "+0100", "+0200", "BYDAY=-1SU;BYMONTH=3"),
            ],
            ..Component::default()
        };
        interpret(&component, &mut Budget::default()).unwrap()
    }

    #[test]
    fn a_custom_zone_counts_as_the_real_one_does() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let rules = custom();
        // every half hour around both changes, and at other times of the year
        let walls = (0..200).flat_map(|n| {
            ["2026-03-28T00:00:00Z", "2026-10-24T00:00:00Z", "2026-07-01T00:00:00Z", "2027-12-30T00:00:00Z"]
                .map(|t| Timestamp::parse(t).unwrap().second() + n * 1800)
        });
        for wall in walls {
            assert_eq!(rules.instant(wall), berlin.instant(civil(wall)), "{}", civil(wall));
        }
    }

    #[test]
    fn offsets_are_read() {
        for (text, expected) in [
            ("+0100", Some(HOUR)),
            ("-0330", Some(-3 * HOUR - 30 * MINUTE)),
            ("+01:00", Some(HOUR)),
            ("-000115", Some(-75)),
            ("0100", Some(HOUR)),
            ("+1", None),
            ("", None),
            ("+01é0", None),
        ] {
            assert_eq!(utc_offset(text), expected, "{text}");
        }
    }
}
