//! What each message, event and address costs in the pure functions that reading spends its time in.
//! `cargo bench --bench hot`; `-- --test` runs each once.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use divan::Bencher;
use divan::counter::ItemsCount;
use kithd::address::AddrSpec;
use kithd::evidence::{Role, Speaker};
use kithd::identity::{AddressFacts, Me, People, Ties};
use kithd::read::acts::{ActContext, text_facts};
use kithd::read::calendar::{CalendarContext, read_calendar};
use kithd::read::class::{Facts, classify};
use kithd::read::mail::{MailContext, read_message};
use kithd::read::new_text::new_text;
use kithd::time::{Timestamp, Zone};

fn main() {
    // `cargo test --all-targets` and clippy build this too; only `cargo bench` runs it
    if std::env::args().any(|a| a == "--bench") {
        divan::main();
    }
}

fn now() -> Timestamp {
    Timestamp::parse("2026-05-20T00:00:00Z").unwrap()
}

/// The messages of the corpus.
fn mails() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/mail");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "eml"));
    files.sort();
    files.iter().map(|p| std::fs::read(p).unwrap()).collect()
}

/// An answer as mail clients write it: some lines, a signature, twice as much quoted.
fn answer() -> String {
    let said = "Hi Ada,\n\nthanks for the deck, it helped a lot. Could you send me the numbers by Friday?\n\
                I will introduce you to Ben next week.\n\nBest,\nAlex\n-- \nAlex Doe\nExample Ltd, +49 30 123456\n\n";
    let quoted = "> Here is the deck. Let me know what you think of it.\n> Shall we talk on Tuesday?\n".repeat(20);
    format!("{said}On Tue, 12 May 2026 at 10:00, Ada Abel <ada@example.net> wrote:\n{quoted}")
}

#[divan::bench]
fn a_whole_mail(bencher: Bencher) {
    let (mails, zone) = (mails(), Zone::utc());
    let context = MailContext {
        source: "bench",
        place: "",
        role: Role::Inbox,
        arrived_at: now(),
        now: now(),
        text_since: Timestamp::MIN,
        zone: &zone,
    };
    bencher
        .counter(ItemsCount::new(mails.len()))
        .bench(|| mails.iter().filter(|mail| read_message(divan::black_box(mail), &context).is_ok()).count());
}

#[divan::bench]
fn class(bencher: Bencher) {
    let facts = Facts {
        subject: "Your weekly digest: 12 new posts",
        recipients: 1,
        precedence: vec!["bulk".to_string()],
        ..Facts::default()
    };
    bencher.bench(|| classify(divan::black_box(&facts)));
}

#[divan::bench]
fn the_new_text(bencher: Bencher) {
    let text = answer();
    bencher.bench(|| new_text(divan::black_box(&text)));
}

#[divan::bench]
fn acts(bencher: Bencher) {
    let text = new_text(&answer());
    let written_on = Zone::utc().date(now());
    let context = ActContext { subject: "Re: The deck", written_on, attachment: false, recipients: 1 };
    bencher.bench(|| text_facts(divan::black_box(&text), &context));
}

/// A daily series and one of each second Tuesday, two years of them.
#[divan::bench]
fn a_calendar(bencher: Bencher) {
    let event = |uid: &str, rule: &str| {
        format!(
            "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20240101T000000Z\r\nDTSTART;TZID=Europe/Berlin:20240102T090000\r\n\
             DURATION:PT30M\r\nRRULE:{rule}\r\nSUMMARY:Talk\r\nATTENDEE:mailto:ada@example.net\r\nEND:VEVENT\r\n"
        )
    };
    let series = [event("daily", "FREQ=DAILY"), event("tuesdays", "FREQ=MONTHLY;BYDAY=2TU")].concat();
    let feed = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bench//EN\r\n{series}END:VCALENDAR\r\n");
    let zone = Zone::utc();
    let context = CalendarContext {
        source: "bench",
        place: "",
        speaker: Speaker::Feed("bench".into()),
        read_at: now(),
        from: Timestamp::parse("2024-05-20T00:00:00Z").unwrap(),
        until: now(),
        zone: &zone,
    };
    bencher.bench(|| {
        let mut meetings = 0;
        read_calendar(Cursor::new(divan::black_box(feed.as_bytes())), &context, &mut |_| meetings += 1);
        meetings
    });
}

/// Who is who among so many addresses, two of each person.
#[divan::bench(args = [200, 2000])]
fn identity(bencher: Bencher, addresses: usize) {
    let first = ["Ada", "Ben", "Cleo", "Dirk", "Edda", "Finn", "Greta", "Hugo", "Ines", "Jarl"];
    let mut known = BTreeMap::new();
    for n in 0..addresses {
        let person = n / 2;
        let mut facts = AddressFacts { received: 3, sent: 2, ..AddressFacts::default() };
        facts.see_name(&format!("{} Name{}", first.get(person % 10).unwrap(), person / 10));
        let host = if n % 2 == 0 { "firm" } else { "home" };
        known.insert(AddrSpec::parse(&format!("p{person}@{host}{}.example", person % 40)).unwrap(), facts);
    }
    bencher.bench(|| People::resolve(&Me::default(), divan::black_box(&known), &Ties::default(), &[]));
}
