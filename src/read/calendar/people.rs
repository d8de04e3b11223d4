//! Who an event names: organizer, attendees, addresses in its text (RFC 5545 3.8.4). Part of `read::calendar`.
//!
//! Invariant: a room, a resource, a group, a booking desk, or who is only told, is never counted as a human, and nobody
//! is counted twice.

use std::collections::HashSet;

use super::components::Property;
use super::words;
use crate::address::{AddrSpec, Address};
use crate::evidence::{Attendee, PartStat};
use crate::limits;

/// Domains of rooms, resources and shared calendars.
const RESOURCE_DOMAINS: &[&str] = &[
    "calendar.google.com",
    "resource.calendar.google.com",
    "group.calendar.google.com",
    "group.v.calendar.google.com",
];

/// Local parts of rooms: the beginning, followed by a digit or a separator or nothing.
const ROOM_LOCAL_PARTS: &[&str] =
    &["conf", "conference", "confroom", "meetingroom", "room", "resource", "besprechungsraum"];

/// Organizer and attendees.
#[derive(Clone, Debug, Default)]
pub struct People {
    /// `ORGANIZER`.
    pub organizer: Option<Address>,
    /// Humans first, cut.
    pub attendees: Vec<Attendee>,
    /// Humans before anything was cut, each once.
    pub humans: u32,
    /// Every address among them, so that the text names nobody twice.
    known: HashSet<AddrSpec>,
}

/// Reads them from the properties of one event.
pub fn people(all: &[Property]) -> People {
    let mut people = People::default();
    let mut humans: HashSet<String> = HashSet::new();
    if let Some(property) = all.iter().find(|p| p.name == "ORGANIZER") {
        people.organizer = address(property);
        if is_human(property, people.organizer.as_ref()) {
            humans.insert(who(property, people.organizer.as_ref()));
        }
        people.known.extend(people.organizer.iter().map(|o| o.address.clone()));
    }
    let mut others = Vec::new();
    for property in all.iter().filter(|p| p.name == "ATTENDEE") {
        let address = address(property);
        let human = is_human(property, address.as_ref());
        if human {
            humans.insert(who(property, address.as_ref()));
        }
        let Some(who) = address else { continue };
        let again = !people.known.insert(who.address.clone());
        let of_organizer = people.organizer.as_ref().is_some_and(|o| o.address == who.address);
        if again && !of_organizer {
            continue;
        }
        let attendee = Attendee { who, partstat: partstat(property), human };
        if human { people.attendees.push(attendee) } else { others.push(attendee) }
    }
    people.humans = u32::try_from(humans.len()).unwrap_or(u32::MAX);
    people.attendees.append(&mut others);
    people.attendees.truncate(limits::ATTENDEES);
    people
}

/// Addresses in a text that are not among `people` and can be somebody's, at most [`limits::NAMED`].
pub fn named(texts: &[&str], people: &People) -> Vec<AddrSpec> {
    let mut found: Vec<AddrSpec> = Vec::new();
    for text in texts {
        let words = text.split(|c: char| !(c.is_alphanumeric() || "@.!#$%&'*+-/=?^_`{|}~".contains(c)));
        for word in words.filter(|w| w.contains('@')) {
            let word = word.trim_matches(['.', '\'', '`', '*', '/', '?', '!', '=', '-', '_']);
            let word = word.rsplit(['=', '/']).next().unwrap_or(word);
            let Some(address) = AddrSpec::parse(word) else { continue };
            let dialled = address.local().bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'+');
            let sound = address.domain().contains('.') && !address.local().contains('@') && !dialled;
            let known = people.known.contains(&address) || found.contains(&address);
            if sound && !known && !is_resource_domain(address.domain()) {
                found.push(address);
            }
            if found.len() >= limits::NAMED {
                return found;
            }
        }
    }
    found
}

/// The address of `ORGANIZER` or `ATTENDEE`, with `CN` as its name. `EMAIL` (RFC 7986 6.2) is the one
/// to know somebody by; iCloud (2026-05) puts one of its own for iTIP, or a path, beside it.
fn address(property: &Property) -> Option<Address> {
    let value = property.value.trim();
    let lower = value.to_ascii_lowercase();
    // a colon in an unquoted CN moves the beginning of the value; the scheme still tells where it is
    let bare = lower.rfind("mailto:").and_then(|at| value.get(at + "mailto:".len()..)).unwrap_or(value);
    let bare = bare.split_once('?').map_or(bare, |(address, _)| address);
    let bare = bare.rsplit_once('<').map_or(bare, |(_, inner)| inner);
    let spec = property
        .param("EMAIL")
        .and_then(AddrSpec::parse)
        .or_else(|| AddrSpec::parse(&percent_decoded(bare.trim_matches(['"', '\'', ' ', '>']))))
        .or_else(|| AddrSpec::parse(property.param("CN")?))?;
    let name = property.param("CN").map(|cn| cn.replace("^'", "\"").replace("^n", " ").replace("^^", "^"));
    Some(Address::new(name.as_deref(), spec))
}

/// What tells one human of a list from another: the address, else the name, else the value.
fn who(property: &Property, address: Option<&Address>) -> String {
    let name = property.param("CN").filter(|n| !n.is_empty()).unwrap_or(&property.value);
    address.map_or_else(|| name.to_lowercase(), |a| a.address.to_string())
}

fn is_human(property: &Property, address: Option<&Address>) -> bool {
    let kind = property.param("CUTYPE").unwrap_or("INDIVIDUAL").to_ascii_uppercase();
    // who is only told of it (RFC 5545 3.2.16) takes part as little as a room
    let only_told = property.param("ROLE").is_some_and(|r| r.eq_ignore_ascii_case("NON-PARTICIPANT"));
    if only_told || matches!(kind.as_str(), "ROOM" | "RESOURCE" | "GROUP") {
        return false;
    }
    let thing = address.is_some_and(is_thing);
    !thing && !words::is_room_name(property.param("CN").unwrap_or(""))
}

/// A room, a shared calendar, a desk or a machine: nobody one meets.
pub fn is_thing(who: &Address) -> bool {
    is_resource_domain(who.address.domain())
        || is_room_local(who.address.local())
        || who.is_desk()
        || crate::read::class::machine(who).is_some()
}

fn is_resource_domain(domain: &str) -> bool {
    RESOURCE_DOMAINS.contains(&domain)
}

fn is_room_local(local: &str) -> bool {
    ROOM_LOCAL_PARTS.iter().any(|room| {
        local.strip_prefix(room).is_some_and(|rest| {
            rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '_' | '.'))
        })
    })
}

fn partstat(property: &Property) -> PartStat {
    match property.param("PARTSTAT").unwrap_or("").to_ascii_uppercase().as_str() {
        "ACCEPTED" => PartStat::Accepted,
        "DECLINED" => PartStat::Declined,
        "TENTATIVE" => PartStat::Tentative,
        "DELEGATED" => PartStat::Delegated,
        _ => PartStat::NeedsAction,
    }
}

/// `%40` and the like (RFC 6068 2); left alone where it is not UTF-8.
fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_string();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|h| std::str::from_utf8(h).ok()).filter(|_| *first == b'%');
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::read::calendar::components::properties;

    fn read(lines: &str) -> People {
        people(&properties(lines).0)
    }

    #[test]
    fn attendees_are_read_in_their_spellings() {
        for (line, address, name, partstat, human) in [
            ("ATTENDEE:mailto:dana@uni.example", "dana@uni.example", None, PartStat::NeedsAction, true),
            ("ATTENDEE;PARTSTAT=ACCEPTED:MAILTO:Dana@Uni.Example", "dana@uni.example", None, PartStat::Accepted, true),
            (
                "ATTENDEE;CN=\"Ito, Dana\":Mailto:dana@uni.example",
                "dana@uni.example",
                Some("Ito, Dana"),
                PartStat::NeedsAction,
                true,
            ),
            (
                "ATTENDEE;CN=Dana: Ito;PARTSTAT=DECLINED:mailto:dana@uni.example",
                "dana@uni.example",
                Some("Dana"),
                PartStat::NeedsAction,
                true,
            ),
            (
                "ATTENDEE;CN=Dana;EMAIL=dana@uni.example:/principals/7/",
                "dana@uni.example",
                Some("Dana"),
                PartStat::NeedsAction,
                true,
            ),
            ("ATTENDEE:dana@uni.example", "dana@uni.example", None, PartStat::NeedsAction, true),
            ("ATTENDEE:mailto:d%2Bx@uni.example", "d+x@uni.example", None, PartStat::NeedsAction, true),
            ("ATTENDEE:mailto:Dana <dana@uni.example>", "dana@uni.example", None, PartStat::NeedsAction, true),
            ("ATTENDEE;CUTYPE=ROOM:mailto:a1@work.example", "a1@work.example", None, PartStat::NeedsAction, false),
            ("ATTENDEE;CUTYPE=group:mailto:all@work.example", "all@work.example", None, PartStat::NeedsAction, false),
            ("ATTENDEE;CUTYPE=UNKNOWN:mailto:b@work.example", "b@work.example", None, PartStat::NeedsAction, true),
            (
                "ATTENDEE:mailto:c_1@resource.calendar.google.com",
                "c_1@resource.calendar.google.com",
                None,
                PartStat::NeedsAction,
                false,
            ),
            (
                "ATTENDEE;CN=Conference Room 4:mailto:x@work.example",
                "x@work.example",
                Some("Conference Room 4"),
                PartStat::NeedsAction,
                false,
            ),
            ("ATTENDEE:mailto:room-4@work.example", "room-4@work.example", None, PartStat::NeedsAction, false),
            (
                "ATTENDEE;CN=Booking:mailto:booking@x.example",
                "booking@x.example",
                Some("Booking"),
                PartStat::NeedsAction,
                false,
            ),
            ("ATTENDEE:mailto:roomey@work.example", "roomey@work.example", None, PartStat::NeedsAction, true),
        ] {
            let people = read(&format!("{line}\n"));
            let one = people.attendees.first().ok_or(line).unwrap();
            let seen = (one.who.address.as_str(), one.who.name.as_deref(), one.partstat, one.human);
            assert_eq!(seen, (address, name, partstat, human), "{line}");
            assert_eq!(people.humans, u32::from(human), "{line}");
        }
    }

    #[test]
    fn everybody_counts_once() {
        let people = read(
            "ORGANIZER:mailto:a@x.example\nATTENDEE:mailto:a@x.example\nATTENDEE:mailto:b@x.example\n\
             ATTENDEE:mailto:B@x.example\nATTENDEE;CUTYPE=ROOM:mailto:r@x.example\nATTENDEE;CN=No Address:invalid:nomail\n",
        );
        assert_eq!(people.humans, 3);
        let listed: Vec<&str> = people.attendees.iter().map(|a| a.who.address.as_str()).collect();
        assert_eq!(listed, ["a@x.example", "b@x.example", "r@x.example"]);
        let many: String = (0..99).map(|n| format!("ATTENDEE:mailto:p{n}@x.example\n")).collect();
        let people = read(&many);
        assert_eq!((people.humans, people.attendees.len()), (99, limits::ATTENDEES));
    }

    #[test]
    fn addresses_in_the_text_are_found() {
        let people = read("ATTENDEE:mailto:a@x.example\n");
        let text = "With a@x.example, (dana@uni.example). See https://meet.example/j?u=tom@firm.example \
                    or 123456@vc.example c_9@resource.calendar.google.com <lee@a.example>, x@b @ dana@uni.example";
        let found = named(&["", text], &people);
        let found: Vec<&str> = found.iter().map(AddrSpec::as_str).collect();
        assert_eq!(found, ["dana@uni.example", "tom@firm.example", "lee@a.example"]);
    }
}
