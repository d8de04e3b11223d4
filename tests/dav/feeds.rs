//! Feeds over HTTP, and every way they go wrong.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;
use kithd::evidence::Level;
use kithd::limits;
use kithd::net::{Url, Web};
use kithd::source::feed::{self, Params, Place};
use kithd::time::{DAY, HOUR, Span};

use crate::http::{Reply, Server};
use crate::world::{Seen, World};

fn params(url: &str) -> Params {
    let web = Web { url: Url::parse(url).unwrap(), login: None, ca_file: None };
    Params { name: "team".into(), place: Place::Url(web, None), history: Span { months: 24, seconds: 0 } }
}

/// A feed of these events, each with one attendee, written as Google does: a new DTSTAMP each time.
fn feed_of(events: std::ops::Range<u32>, stamp: u32) -> String {
    let mut text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n".to_string();
    for n in events {
        text.push_str(&format!(
            "BEGIN:VEVENT\r\nUID:{n}\r\nDTSTAMP:20260520T{stamp:06}Z\r\nDTSTART:202606{:02}T090000Z\r\nSUMMARY:Event {n}\r\n\
             ATTENDEE:mailto:dana@uni.example\r\nEND:VEVENT\r\n",
            1 + n % 28
        ));
    }
    text + "END:VCALENDAR\r\n"
}

type Answer = Box<dyn FnMut(&crate::http::Asked) -> Reply + Send>;

/// A server whose answer can be changed, and a world that reads it.
struct Bed {
    server: Server,
    reply: Arc<Mutex<Answer>>,
    world: World,
    params: Params,
}

const SECRET: &str = "/private-0f3a9c/basic.ics?key=s3cret";

impl Bed {
    fn new(reply: impl FnMut(&crate::http::Asked) -> Reply + Send + 'static) -> Bed {
        let reply: Arc<Mutex<Answer>> = Arc::new(Mutex::new(Box::new(reply)));
        let answer = reply.clone();
        let server = Server::start(move |asked| (answer.lock().unwrap())(asked));
        let params = params(&server.url(SECRET));
        Bed { server, reply, world: World::new(), params }
    }

    fn of(body: impl AsRef<[u8]> + Send + 'static) -> Bed {
        Bed::new(move |_| Reply::new(200, &[], &body))
    }

    fn answers(&mut self, reply: impl FnMut(&crate::http::Asked) -> Reply + Send + 'static) {
        *self.reply.lock().unwrap() = Box::new(reply);
    }

    fn read(&mut self) -> Seen {
        let params = self.params.clone();
        self.world.read(|cursors, occasion, send| feed::read(&params, cursors, occasion, send))
    }
}

/// Fails in these words and changes nothing.
fn check_kept(bed: &mut Bed, word: &str) {
    let before = bed.world.on();
    let seen = bed.read();
    let (level, what) = seen.failed.unwrap_or_else(|| panic!("{word}: did not fail"));
    assert_eq!(level, Level::Wait, "{what}");
    assert!(what.contains(word), "{word:?} is not in {what:?}");
    assert!(what.contains("team") && !what.contains("s3cret") && !what.contains("0f3a9c"), "{what}");
    assert_eq!((bed.world.on(), seen.cancelled), (before, 0), "{word}");
}

#[test]
fn a_poll_with_nothing_new_is_one_request() {
    for header in ["ETag", "Last-Modified", "X-None"] {
        let mut bed = Bed::new(move |asked| {
            let known = asked.header("if-none-match").or(asked.header("if-modified-since"));
            match known {
                Some("\"v1\"") => Reply::new(304, &[], ""),
                Some(other) => panic!("{other}"),
                None => Reply::new(200, &[(header, "\"v1\"")], feed_of(0..10, 1)),
            }
        });
        let first = bed.read();
        assert_eq!((first.meetings, first.through, bed.server.asked().len()), (10, true, 1));
        assert_eq!((first.folders[0].read, first.folders[0].name.as_str()), (10, "127.0.0.1"));
        let second = bed.read();
        assert_eq!((second.meetings, second.through, bed.server.asked().len()), (0, true, 1), "{header}");
        // on another day the window has moved: it is fetched whole
        bed.world.now = bed.world.now.plus(DAY);
        assert_eq!((bed.read().meetings, bed.server.asked().len()), (10, 1));
        assert_eq!(bed.world.on().len(), 10);
        assert!(!bed.world.stored().contains("s3cret"));
    }
}

#[test]
fn a_new_stamp_at_each_download_says_nothing_new() {
    let mut stamp = 0;
    let mut bed = Bed::new(move |_| {
        stamp += 1;
        Reply::new(200, &[], feed_of(0..5, stamp))
    });
    bed.read();
    let before = bed.world.on();
    let again = bed.read();
    assert_eq!((bed.world.on(), again.cancelled, again.through), (before, 0, true));
}

#[test]
fn changes_and_deletions_are_taken() {
    let mut bed = Bed::of(feed_of(0..10, 1));
    bed.read();
    bed.answers(|_| Reply::new(200, &[], feed_of(2..11, 2)));
    let seen = bed.read();
    assert_eq!((seen.meetings, seen.cancelled), (9, 2));
    assert!(!bed.world.on().contains_key("Event 0") && bed.world.on().contains_key("Event 10"));
}

#[test]
fn another_feed_or_another_window_begins_anew() {
    let reply = |asked: &crate::http::Asked| match (asked.header("if-none-match"), asked.path.contains("other")) {
        (Some(_), _) => Reply::new(304, &[], ""),
        (None, false) => Reply::new(200, &[("ETag", "\"1\"")], feed_of(0..28, 1)),
        (None, true) => Reply::new(200, &[("ETag", "\"1\"")], feed_of(100..103, 1)),
    };
    let mut bed = Bed::new(reply);
    bed.read();
    bed.params.history = Span { months: 36, seconds: 0 };
    assert_eq!(bed.read().meetings, 28);
    // the few events of the other one are no loss of the first
    bed.params = params(&bed.server.url("/other.ics"));
    let seen = bed.read();
    assert_eq!((seen.through, seen.meetings, seen.cancelled), (true, 3, 28));
}

#[test]
fn gzip_is_read() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(feed_of(0..7, 1).as_bytes()).unwrap();
    let body = gzip.finish().unwrap();
    let mut bed = Bed::new(move |asked| {
        assert!(asked.header("accept-encoding").is_some_and(|e| e.contains("gzip")));
        Reply::new(200, &[("Content-Encoding", "gzip")], &body)
    });
    assert_eq!(bed.read().meetings, 7);
}

#[test]
fn what_is_no_feed_changes_nothing() {
    let whole = feed_of(0..10, 1);
    let cut = whole.len() / 2;
    let mut bed = Bed::of(whole.clone());
    bed.read();
    for (status, body, word) in [
        (200, "<!DOCTYPE html><html><body>Please log in</body></html>", "web page"),
        (200, "", "empty"),
        (200, "{\"error\":\"gone\"}", "BEGIN:VCALENDAR"),
        (200, &whole[..cut], "in the middle"),
        (401, "", "set `username`"),
        (403, "", "refuses access (403)"),
        (404, "", "check `url`"),
        (410, "", "check `url`"),
        (418, "", "418"),
        (500, "", "later"),
        (204, "", "204"),
    ] {
        let body = body.to_string();
        bed.answers(move |_| Reply::new(status, &[], &body));
        check_kept(&mut bed, word);
    }
    bed.answers(move |_| Reply::cut(200, &feed_of(0..10, 1), cut));
    check_kept(&mut bed, "damaged");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(feed_of(0..10, 1).as_bytes()).unwrap();
    let damaged = gzip.finish().unwrap()[..60].to_vec();
    bed.answers(move |_| Reply::new(200, &[("Content-Encoding", "gzip")], &damaged));
    check_kept(&mut bed, "127.0.0.1");
    // and when it is well again, all is as before
    bed.answers(|_| Reply::new(200, &[], feed_of(0..10, 2)));
    let seen = bed.read();
    assert_eq!((seen.through, seen.cancelled, bed.world.on().len()), (true, 0, 10));
}

#[test]
fn a_feed_that_shrinks_by_far_is_doubted() {
    let mut bed = Bed::of(feed_of(0..28, 1));
    bed.read();
    for left in [0, 5] {
        bed.answers(move |_| Reply::new(200, &[("ETag", "\"small\"")], feed_of(0..left, 2)));
        check_kept(&mut bed, "held 28 items and now holds");
        // it is looked at whole each time, not believed for an ETag
        check_kept(&mut bed, "held 28 items and now holds");
    }
    bed.answers(|_| Reply::new(200, &[], feed_of(0..20, 3)));
    assert_eq!((bed.read().cancelled, bed.world.on().len()), (8, 20));
}

#[test]
fn a_server_that_asks_for_patience_gets_it() {
    let mut bed = Bed::of(feed_of(0..3, 1));
    bed.read();
    bed.answers(|_| Reply::new(503, &[("Retry-After", "7200")], ""));
    bed.server.asked();
    check_kept(&mut bed, "(503)");
    assert_eq!(bed.server.asked().len(), 1);
    bed.answers(|_| Reply::new(200, &[], feed_of(0..4, 2)));
    bed.world.now = bed.world.now.plus(HOUR);
    check_kept(&mut bed, "asked to be left in peace until 2026-05-20T12:00:00Z");
    assert_eq!(bed.server.asked().len(), 0);
    bed.world.now = bed.world.now.plus(2 * HOUR);
    assert_eq!((bed.read().through, bed.world.on().len()), (true, 4));
}

#[test]
fn redirects_are_followed_within_bounds() {
    let mut bed = Bed::new(|asked| match asked.path.as_str() {
        "/moved.ics" => Reply::new(200, &[], feed_of(0..3, 1)),
        _ => Reply::new(301, &[("Location", "/moved.ics")], ""),
    });
    assert_eq!(bed.read().meetings, 3);
    bed.answers(|asked| Reply::new(302, &[("Location", &asked.path)], ""));
    check_kept(&mut bed, "more than 5 times");
}

#[test]
fn bombs_are_bounded() {
    // 200 MB of blanks in 200 KB
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(b"BEGIN:VCALENDAR\r\n").unwrap();
    let blanks = vec![b' '; 1 << 20];
    (0..200).for_each(|_| gzip.write_all(&blanks).unwrap());
    let bomb = gzip.finish().unwrap();
    assert!(bomb.len() < 1 << 20 && limits::FEED_BYTES < 200 << 20);
    let mut bed = Bed::of(feed_of(0..3, 1));
    bed.read();
    bed.answers(move |_| Reply::new(200, &[("Content-Encoding", "gzip")], &bomb));
    check_kept(&mut bed, "KiB");
    // components in one another
    let deep = format!("BEGIN:VCALENDAR\r\n{}END:VCALENDAR\r\n", "BEGIN:VEVENT\r\n".repeat(100_000));
    let mut bed = Bed::of(deep);
    let began = Instant::now();
    let _ = bed.read();
    assert!(began.elapsed().as_secs() < 60);
    // rules without an end
    let rules: String = (0..300)
        .map(|n| format!("BEGIN:VEVENT\r\nUID:{n}\r\nDTSTART:19700101T000000Z\r\nSUMMARY:Bomb\r\nRRULE:FREQ=SECONDLY\r\nEND:VEVENT\r\n"))
        .collect();
    let mut bed = Bed::of(format!("BEGIN:VCALENDAR\r\n{rules}END:VCALENDAR\r\n"));
    let began = Instant::now();
    let _ = bed.read();
    assert!(began.elapsed().as_secs() < 120, "{:?}", began.elapsed());
}

#[test]
fn a_feed_without_attendees_is_named() {
    let bed = Bed::of(feed_of(0..5, 1));
    let lines = |bed: &Bed| -> Vec<String> {
        let found = bed.world.within(|occasion| feed::check(&bed.params, occasion));
        found.into_iter().map(|f| format!("{} {}", f.level, f.what)).collect()
    };
    assert_eq!(lines(&bed), ["ok 5 events at 127.0.0.1"]);
    let mut bed = Bed::of(feed_of(0..5, 1).replace("ATTENDEE:mailto:dana@uni.example\r\n", ""));
    let found = lines(&bed);
    assert_eq!(found.len(), 2);
    assert!(found[1].starts_with("note no event of this feed says who takes part"), "{}", found[1]);
    for (status, body, word) in [(404, "", "check `url`"), (200, "<html>", "web page"), (200, "", "empty")] {
        bed.answers(move |_| Reply::new(status, &[], body));
        let found = lines(&bed);
        assert!(found.len() == 1 && found[0].starts_with("fail ") && found[0].contains(word), "{found:?}");
        assert!(!found[0].contains("s3cret"));
    }
}
