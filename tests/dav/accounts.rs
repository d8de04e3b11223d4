//! CalDAV and CardDAV against Radicale and Xandikos, behaving and bent.

use std::collections::BTreeMap;

use kithd::evidence::Level;
use kithd::net::{Url, Web};
use kithd::source::dav::{self, Kind, Picked};
use kithd::time::DAY;

use crate::real::{Account, Dav, Make, PASSWORD, params};
use crate::world::World;

const MAKES: [Make; 2] = [Make::Radicale, Make::Xandikos];

/// An event that begins on this day of June 2026.
pub fn event(uid: &str, day: u32, more: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260501T000000Z\r\n\
         DTSTART:202606{day:02}T090000Z\r\nDTEND:202606{day:02}T100000Z\r\nSUMMARY:{uid}\r\n{more}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

fn card(uid: &str, name: &str, more: &str) -> String {
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{name}\r\nN:{name};;;;\r\n{more}END:VCARD\r\n")
}

/// Two calendars: Work with four events, one of them a series, and Personal with two.
pub fn calendars(make: Make) -> Account {
    let account = Account::new(make, Kind::Calendars);
    let dav = &account.dav;
    for (name, shown) in [("work", "Work"), ("personal", "Personal life")] {
        dav.make(Kind::Calendars, name, shown);
    }
    let put = |name: &str, uid: &str, day: u32, more: &str| {
        let href = uid.replace(' ', "%20");
        dav.put(&format!("{}{href}.ics", dav.path(Kind::Calendars, name)), &event(uid, day, more));
    };
    put("work", "standup", 1, "RRULE:FREQ=DAILY;COUNT=5\r\n");
    put("work", "review", 10, "");
    put("work", "one on one", 11, "");
    put("work", "offsite", 12, "");
    put("personal", "dentist", 13, "");
    put("personal", "concert", 14, "");
    account
}

pub fn on(pairs: &[(&str, usize)]) -> BTreeMap<String, usize> {
    pairs.iter().map(|(name, n)| ((*name).to_string(), *n)).collect()
}

pub const ALL: &[(&str, usize)] =
    &[("standup", 5), ("review", 1), ("one on one", 1), ("offsite", 1), ("dentist", 1), ("concert", 1)];

#[test]
fn an_account_is_found_and_read_and_a_poll_with_nothing_new_is_one_request() {
    for make in MAKES {
        let mut account = calendars(make);
        let first = account.read_well();
        assert_eq!((account.world.on(), first.meetings), (on(ALL), 10), "{make:?}");
        let mut names: Vec<(String, u64)> = first.folders.iter().map(|f| (f.name.clone(), f.read)).collect();
        names.sort();
        assert_eq!(names, [("Personal life".to_string(), 2), ("Work".to_string(), 4)]);
        let second = account.read_well();
        assert_eq!((second.meetings, second.cursors, second.cancelled), (0, 0, 0));
        assert_eq!(account.asked().len(), 1, "{make:?}");
        // after a week everything is read anew, and nothing of it is new
        account.world.now = account.world.now.plus(8 * DAY);
        let anew = account.read_well();
        assert_eq!((anew.meetings, anew.cancelled, account.world.on()), (10, 0, on(ALL)));
        assert_eq!(account.world.stored().matches(PASSWORD).count(), 0);
    }
}

#[test]
fn changes_are_read_alone_and_what_they_lack_is_gone() {
    for make in MAKES {
        let mut account = calendars(make);
        account.read_well();
        let work = account.dav.path(Kind::Calendars, "work");
        let personal = account.dav.path(Kind::Calendars, "personal");
        // one instance taken out, one event moved to another day, one deleted, one new
        account.dav.put(
            &format!("{work}standup.ics"),
            &event("standup", 1, "RRULE:FREQ=DAILY;COUNT=5\r\nEXDATE:20260603T090000Z\r\n"),
        );
        account.dav.put(&format!("{work}review.ics"), &event("review", 20, "SEQUENCE:1\r\n"));
        account.dav.delete(&format!("{work}offsite.ics"));
        account.dav.put(&format!("{personal}opera.ics"), &event("opera", 15, ""));
        let seen = account.read_well();
        let now = [("standup", 4), ("review", 1), ("one on one", 1), ("dentist", 1), ("concert", 1), ("opera", 1)];
        assert_eq!((account.world.on(), seen.meetings, seen.cancelled), (on(&now), 6, 2), "{make:?}");
        // a series that becomes a single event, and one that is moved to the other calendar
        account.dav.put(&format!("{work}standup.ics"), &event("standup", 1, "SEQUENCE:2\r\n"));
        account.dav.delete(&format!("{work}review.ics"));
        account.dav.put(&format!("{personal}review.ics"), &event("review", 20, "SEQUENCE:1\r\n"));
        let seen = account.read_well();
        let now = [("standup", 1), ("review", 1), ("one on one", 1), ("dentist", 1), ("concert", 1), ("opera", 1)];
        assert_eq!((account.world.on(), seen.cancelled), (on(&now), 4), "{make:?}");
        assert_eq!(account.read_well().meetings, 0);
        assert_eq!(account.asked().len(), 1);
    }
}

#[test]
fn address_books_are_read_likewise() {
    for make in MAKES {
        let mut account = Account::new(make, Kind::AddressBooks);
        account.dav.make(Kind::AddressBooks, "people", "People");
        let path = account.dav.path(Kind::AddressBooks, "people");
        let at = |name: &str| format!("{path}{name}.vcf");
        account.dav.put(&at("dana"), &card("dana", "Dana Ito", "EMAIL:dana@uni.example\r\nBDAY:1985-05-12\r\n"));
        account.dav.put(&at("lee"), &card("lee", "Lee Wong", ""));
        let first = account.read_well();
        assert_eq!((account.world.people(), first.cards), (vec!["Dana Ito".to_string(), "Lee Wong".to_string()], 2));
        assert_eq!(account.read_well().cards, 0);
        assert_eq!(account.asked().len(), 1, "{make:?}");
        account.dav.put(&at("lee"), &card("lee", "Lee Wong-Park", ""));
        account.dav.delete(&at("dana"));
        account.dav.put(&at("ada"), &card("ada", "Ada Abel", ""));
        let seen = account.read_well();
        assert_eq!((seen.cards, seen.cancelled), (2, 1));
        assert_eq!(account.world.people(), ["Ada Abel", "Lee Wong-Park"]);
    }
}

#[test]
fn collections_are_picked_by_name() {
    let mut account = calendars(Make::Radicale);
    for (picked, expected) in [
        (Picked::Only(vec!["Work".into()]), 4),
        (Picked::Only(vec!["personal".into()]), 2),
        (Picked::Without(vec!["Pers*".into()]), 4),
        (Picked::Without(vec!["Nothing".into()]), 6),
    ] {
        account.params.picked = picked.clone();
        let seen = account.read_well();
        assert_eq!(account.world.on().len(), expected, "{picked:?} {seen:?}");
    }
    account.params.picked = Picked::Only(vec!["Wrok".into()]);
    let (_, what) = account.read().failed.unwrap();
    assert!(
        what.contains("none of these is picked") && what.contains("Work") && what.contains("Personal life"),
        "{what}"
    );
    assert_eq!(account.world.on().len(), 6);
    let found = account.world.within(|occasion| dav::check(&account.params, occasion));
    assert!(found.len() == 1 && found[0].level == "fail", "{found:?}");
    account.params.picked = Picked::Without(vec!["Work".into(), "Nope".into()]);
    let found = account.world.within(|occasion| dav::check(&account.params, occasion));
    let lines: Vec<&str> = found.iter().map(|f| f.what.as_str()).collect();
    assert_eq!(lines, ["at 127.0.0.1 kithd reads Personal life", "nothing at 127.0.0.1 is called \"Nope\""]);
}

#[test]
fn any_address_of_the_account_will_do() {
    for make in MAKES {
        let mut account = calendars(make);
        let work = account.dav.path(Kind::Calendars, "work");
        for (path, expected) in [("/", 6), ("/alex/", 6), ("/no/such/place/", 6), (work.as_str(), 4)] {
            account.params.web.url = Url::parse(&account.proxy.url(path)).unwrap();
            account.world = World::new();
            account.read_well();
            assert_eq!(account.world.on().len(), expected, "{make:?} {path}");
        }
    }
    // only .well-known knows the way
    let mut account = calendars(Make::Radicale);
    account.params.web.url = Url::parse(&account.proxy.url("/start")).unwrap();
    let target = account.proxy.url("/alex/");
    account.bends(move |asked, status, body| match asked.path.as_str() {
        "/start" | "/" => (404, String::new()),
        "/.well-known/caldav" => {
            (207, body.replace("<href>/.well-known/caldav</href>", &format!("<href>{target}</href>")))
        }
        _ => (status, body),
    });
    let seen = account.read();
    assert!(seen.through || seen.failed.is_some());
}

#[test]
fn a_refused_login_is_said_and_loses_nothing() {
    let mut account = calendars(Make::Radicale);
    account.read_well();
    account.params = params(&account.proxy.url("/"), Kind::Calendars, "wrong");
    let seen = account.read();
    let (level, what) = seen.failed.unwrap();
    assert_eq!(level, Level::Wait);
    assert!(what.contains("refuses the login (401)") && !what.contains("wrong"), "{what}");
    assert_eq!(account.asked().len(), 1);
    assert_eq!(account.world.on(), on(ALL));
}

#[test]
fn a_server_with_a_certificate_of_its_own_is_trusted_by_ca_file() {
    let dav = Dav::start_with(Make::Radicale, true);
    let mut world = World::new();
    let mut params = params(&format!("https://127.0.0.1:{}/", dav.port), Kind::Calendars, PASSWORD);
    let read = |world: &mut World, params: &dav::Params| {
        world.read(|cursors, occasion, send| dav::read(params, cursors, occasion, send)).failed.unwrap().1
    };
    let refused = read(&mut world, &params);
    assert!(refused.contains("ca_file"), "{refused}");
    params.web = Web { ca_file: Some(dav.certs.as_ref().unwrap().ca.clone()), ..params.web };
    let found = read(&mut world, &params);
    assert!(found.contains("no calendar"), "{found}");
}

#[test]
fn a_real_server_says_what_lies_in_the_window() {
    let mut account = Account::new(Make::Radicale, Kind::Calendars);
    account.dav.make(Kind::Calendars, "work", "Work");
    // its PUT is slow: the files are laid into its folder
    let folder = account.dav.bed.path("collections/collection-root/alex/work");
    for n in 0..600 {
        let year = if n < 560 { 2015 } else { 2026 };
        let text = event(&format!("event {n}"), 1 + n % 28, "").replace("DTSTART:2026", &format!("DTSTART:{year}"));
        let text = text.replace("DTEND:2026", &format!("DTEND:{year}"));
        std::fs::write(folder.join(format!("{n}.ics")), text).unwrap();
    }
    let series = event("old series", 2, "RRULE:FREQ=MONTHLY\r\n").replace("DTSTART:2026", "DTSTART:2015");
    std::fs::write(folder.join("series.ics"), series.replace("DTEND:2026", "DTEND:2015")).unwrap();
    account.dav.bed.give_all(&folder);
    account.read_well();
    let asked = account.asked();
    assert!(asked.len() < 10, "{asked:?}");
    assert_eq!(account.world.on().len(), 41);
    assert!(account.world.on()["old series"] > 24);
}
