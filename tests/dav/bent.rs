//! Servers that lie, forget, break off or answer with bombs: nothing is lost by them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use kithd::evidence::Level;
use kithd::time::{DAY, HOUR};

use crate::accounts::{ALL, calendars, event, on};
use crate::fake::Faked;
use crate::http::{Asked, Reply, Server};
use crate::real::{Account, Make};
use kithd::source::dav::Kind;

fn is_sync(asked: &Asked) -> bool {
    asked.body.contains("sync-collection") && asked.method == "REPORT"
}

fn is_multiget(asked: &Asked) -> bool {
    asked.body.contains("calendar-multiget")
}

/// Fails in these words and changes nothing.
fn check_kept(account: &mut Account, word: &str) {
    let before = account.world.on();
    let seen = account.read();
    let (level, what) = seen.failed.unwrap_or_else(|| panic!("{word}: did not fail"));
    assert_eq!(level, Level::Wait, "{what}");
    assert!(what.contains(word), "{word:?} is not in {what:?}");
    assert_eq!((account.world.on(), seen.cancelled), (before, 0), "{word}");
}

/// One event moved, one deleted, one new: what is on then.
fn change(account: &Account) -> Vec<(&'static str, usize)> {
    let work = account.dav.path(Kind::Calendars, "work");
    account.dav.put(&format!("{work}review.ics"), &event("review", 20, "SEQUENCE:1\r\n"));
    account.dav.delete(&format!("{work}offsite.ics"));
    account.dav.put(&format!("{work}opera.ics"), &event("opera", 15, ""));
    vec![("standup", 5), ("review", 1), ("one on one", 1), ("opera", 1), ("dentist", 1), ("concert", 1)]
}

#[test]
fn a_forgotten_token_costs_a_listing() {
    for status in [400, 409, 412, 507] {
        let mut account = calendars(Make::Xandikos);
        account.read_well();
        account.bends(move |asked, was, body| if is_sync(asked) { (status, String::new()) } else { (was, body) });
        let now = change(&account);
        let seen = account.read_well();
        assert_eq!((account.world.on(), seen.meetings, seen.cancelled), (on(&now), 2, 1), "{status}");
    }
}

#[test]
fn etags_that_lie_cost_only_requests() {
    for make in [Make::Radicale, Make::Xandikos] {
        let mut account = calendars(make);
        let count = AtomicUsize::new(0);
        let lies = move |_: &Asked, status, body: String| {
            let mut out = String::new();
            for (i, piece) in body.split("getetag>").enumerate() {
                let lie = format!("\"{}\"</", count.fetch_add(1, Ordering::Relaxed));
                let rest = piece.split_once("</").map_or(piece, |(_, rest)| rest);
                out.push_str(&if i % 2 == 1 { format!("getetag>{lie}{rest}getetag>") } else { piece.to_string() });
            }
            (status, out)
        };
        account.bends(lies);
        account.read_well();
        assert_eq!(account.read_well().meetings, 0, "nothing new is still one request");
        let now = change(&account);
        account.read_well();
        assert_eq!(account.world.on(), on(&now), "{make:?}");
    }
}

#[test]
fn a_server_without_etags_or_tokens_is_listed_each_time() {
    for missing in ["getetag", "sync-token", "getctag"] {
        let mut account = calendars(Make::Radicale);
        let gone = ["getctag", "sync-token"];
        account.bends(move |_, status, body| {
            let all: &[&str] = if missing == "getetag" { &["getetag"] } else { &gone };
            let bent = all.iter().fold(body, |b, name| {
                b.replace(&format!("{name}>"), "x-none>").replace(&format!("{name} "), "x-none ")
            });
            (status, bent)
        });
        account.read_well();
        let again = account.read_well();
        assert_eq!((again.meetings, again.cancelled), (0, 0), "{missing}");
        let now = change(&account);
        account.read_well();
        assert_eq!(account.world.on(), on(&now), "{missing}");
    }
}

#[test]
fn what_is_no_answer_changes_nothing() {
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;\">]>\
                <multistatus xmlns=\"DAV:\"><response><href>&c;&c;&c;</href></response></multistatus>";
    let deep = format!("<multistatus xmlns=\"DAV:\">{}", "<a>".repeat(200_000));
    let empty = "<multistatus xmlns=\"DAV:\"/>";
    let mut account = calendars(Make::Radicale);
    account.read_well();
    for (status, body, word) in [
        (207, bomb, "document type"),
        (207, &deep, "nested too deep"),
        (207, "<html><body>Log in</body></html>", "no multistatus"),
        (207, "<!DOCTYPE html><html>", "web page"),
        (207, "<multistatus xmlns=\"DAV:\"><response><href>/alex/work/</href>", "breaks off"),
        (207, empty, "no calendar"),
        (200, "OK", "answers with 200"),
        (403, "", "refuses access (403)"),
        (404, "", "check `url`"),
        (500, "", "(500)"),
        (507, "", "(507)"),
    ] {
        let body = body.to_string();
        account.bends(move |_, _, _| (status, body.clone()));
        check_kept(&mut account, word);
        assert!(account.asked().len() <= 12, "{word}");
    }
    // and only the collections are odd, each in its own way
    for (status, body, word) in
        [(207, bomb, "document type"), (207, empty, "holds 0"), (500, "", "(500)"), (403, "", "`exclude`")]
    {
        let mut account = calendars(Make::Radicale);
        account.read_well();
        change(&account);
        let (body, word) = (body.to_string(), word.to_string());
        account.bends(move |asked, was, text| match asked.path.as_str() {
            "/alex/work/" | "/alex/personal/" if is_sync(asked) => (403, text),
            "/alex/work/" | "/alex/personal/" => (status, body.clone()),
            _ if asked.method == "PROPFIND" => (was, text.replace("sync-token>http", "sync-token>changed")),
            _ => (was, text),
        });
        check_kept(&mut account, &word);
        account.bends(|_, status, body| (status, body));
        account.read_well();
        assert_eq!(account.world.on().get("opera"), Some(&1));
    }
}

#[test]
fn a_collection_that_fails_leaves_the_others_alone() {
    let mut account = calendars(Make::Radicale);
    account.bends(|asked, status, body| match asked.path.as_str() {
        "/alex/personal/" => (403, String::new()),
        _ => (status, body),
    });
    let seen = account.read();
    let (_, what) = seen.failed.unwrap();
    assert!(what.contains("\"Personal life\"") && what.contains("`exclude` leaves it out"), "{what}");
    assert_eq!(account.world.on().len(), 4);
    account.bends(|_, status, body| (status, body));
    let seen = account.read_well();
    assert_eq!((seen.meetings, account.world.on()), (2, on(ALL)));
}

#[test]
fn a_resource_that_fails_leaves_the_others_alone() {
    let mut account = calendars(Make::Xandikos);
    account.bends(|asked, status, body| match is_multiget(asked) && asked.body.contains("review.ics") {
        true => (500, String::new()),
        false => (status, body),
    });
    let seen = account.read();
    assert!(seen.through, "{seen:?}");
    assert_eq!((account.world.on().len(), seen.complaints.len()), (5, 1));
    assert!(
        seen.complaints[0].contains("review.ics") && seen.complaints[0].contains("(500)"),
        "{}",
        seen.complaints[0]
    );
    // one that is no calendar at all, as some servers let in
    let mut faked = Faked::new();
    for (name, text) in
        [("good", event("good", 1, "")), ("bad", "hello".into()), ("cut", event("cut", 2, "")[..150].to_string())]
    {
        faked.fake.lock().unwrap().put(name, &text);
    }
    let seen = faked.read();
    assert_eq!((seen.through, faked.world.on().contains_key("good"), seen.complaints.len() >= 2), (true, true, true));
}

#[test]
fn a_server_that_asks_for_patience_gets_it() {
    let mut account = calendars(Make::Radicale);
    account.read_well();
    let busy = Server::start(|_| Reply::new(503, &[("Retry-After", "7200")], ""));
    let url = account.params.web.url.clone();
    account.params.web.url = kithd::net::Url::parse(&busy.url("/")).unwrap();
    check_kept(&mut account, "(503)");
    account.world.now = account.world.now.plus(HOUR);
    assert_eq!(busy.asked().len(), 1);
    check_kept(&mut account, "asked to be left in peace until");
    assert_eq!(busy.asked().len(), 0);
    account.params.web.url = url;
    account.read_well();
    assert_eq!(account.world.on(), on(ALL));
}

#[test]
fn a_server_that_names_a_stranger_gets_no_login_for_him() {
    let mut faked = Faked::new();
    faked.fake.lock().unwrap().home = "https://elsewhere.example/cal/".into();
    let (_, what) = faked.read().failed.unwrap();
    assert!(what.contains("elsewhere.example") && what.contains("does not show a login"), "{what}");
}

#[test]
fn an_account_that_empties_is_doubted_for_two_weeks() {
    let mut faked = Faked::new();
    for n in 0..40 {
        faked.fake.lock().unwrap().put(&n.to_string(), &event(&format!("event {n}"), 1 + n % 28, ""));
    }
    assert!(faked.read().through);
    assert_eq!(faked.world.on().len(), 40);
    (0..35).for_each(|n: u32| faked.fake.lock().unwrap().delete(&n.to_string()));
    faked.fake.lock().unwrap().put("new", &event("new", 3, ""));
    for _ in 0..3 {
        let (_, what) = faked.read().failed.unwrap();
        assert!(what.contains("held 40 items and now holds 6"), "{what}");
        assert_eq!(faked.world.on().len(), 41, "what is new is taken, nothing is cancelled");
        faked.world.now = faked.world.now.plus(2 * DAY);
    }
    faked.world.now = faked.world.now.plus(15 * DAY);
    let seen = faked.read();
    assert!(seen.through, "{seen:?}");
    // those of the first days of June are past by then
    assert!(faked.world.on().len() < 41 && seen.cancelled > 0);
    assert_eq!(faked.read().meetings, 0);
    assert_eq!(faked.server.asked().len(), 1);
}

#[test]
fn changes_come_in_pieces() {
    let mut faked = Faked::new();
    faked.fake.lock().unwrap().put("first", &event("first", 1, ""));
    faked.read();
    for n in 0..25 {
        faked.fake.lock().unwrap().put(&n.to_string(), &event(&format!("event {n}"), 1 + n % 28, ""));
    }
    faked.fake.lock().unwrap().delete("first");
    faked.fake.lock().unwrap().page = 10;
    let seen = faked.read();
    assert_eq!((seen.meetings, seen.cancelled, faked.world.on().len()), (25, 1, 25));
    assert_eq!(faked.server.asked().iter().filter(|a| is_sync(a)).count(), 3);
    // one that never comes to an end is listed
    faked.fake.lock().unwrap().page = 0;
    faked.fake.lock().unwrap().put("last", &event("last", 9, ""));
    let seen = faked.read();
    assert_eq!((seen.through, faked.world.on().len()), (true, 26));
}

#[test]
fn of_many_events_only_those_in_the_window_are_read() {
    let mut faked = Faked::new();
    let old = |n: u32, year: u32| {
        event(&format!("event {n}"), 1 + n % 28, "").replace("DTSTART:2026", &format!("DTSTART:{year}"))
    };
    for n in 0..1_000 {
        let text = if n < 900 { old(n, 2010 + n % 10) } else { event(&format!("event {n}"), 1 + n % 28, "") };
        faked.fake.lock().unwrap().put(&n.to_string(), &text);
    }
    let seen = faked.read();
    assert_eq!((seen.through, seen.meetings, faked.world.on().len()), (true, 100, 100));
    assert_eq!(faked.server.asked().iter().filter(|a| is_multiget(a)).count(), 2);
    assert_eq!(seen.folders[0].read, 1_000);
    // one that comes into the window, and one that leaves it
    faked.fake.lock().unwrap().put("0", &event("event 0", 5, ""));
    faked.fake.lock().unwrap().put("950", &old(950, 2031));
    let seen = faked.read();
    assert_eq!((seen.meetings, seen.cancelled, faked.world.on().len()), (1, 1, 100));
    // anew, with the same hand
    faked.world.now = faked.world.now.plus(8 * DAY);
    let seen = faked.read();
    assert_eq!((seen.meetings, seen.cancelled), (100, 0));
    assert_eq!(faked.server.asked().iter().filter(|a| is_multiget(a)).count(), 2);
}

#[test]
fn a_collection_of_many_events_is_read_within_bounds() {
    let mut faked = Faked::new();
    let many = 10_000;
    for n in 0..many {
        faked.fake.lock().unwrap().put(&format!("event-{n}"), &event(&format!("event {n}"), 1 + n % 28, ""));
    }
    let began = Instant::now();
    let seen = faked.read();
    println!("{many} events in {:?}", began.elapsed());
    assert_eq!((seen.through, seen.meetings), (true, usize::try_from(many).unwrap()));
    assert!(faked.server.asked().len() < 210);
    let again = faked.read();
    assert_eq!((again.meetings, again.cursors, faked.server.asked().len()), (0, 0, 1));
    // one change costs little of the cursor, too
    faked.fake.lock().unwrap().put("event-7", &event("event 7", 20, "SEQUENCE:1\r\n"));
    faked.fake.lock().unwrap().delete("event-8");
    let seen = faked.read();
    assert_eq!((seen.meetings, seen.cancelled, faked.server.asked().len()), (1, 1, 3));
    assert!(seen.cursors <= 5, "{}", seen.cursors);
}
