//! Commands that read, and the ways in which they must not succeed.

use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::script::{server, with, words};
use crate::evidence::Level;
use crate::imap::login::log_in;
use crate::imap::{Error, Examined, Fetched, Flags, Items, MailboxName, Row, Session, SpecialUse, Status, UidSet};
use crate::net::Security;
use crate::time::Timestamp;

/// Every row of a FETCH, or its error; what came before the error is in the first.
pub async fn rows<S: crate::imap::Transport>(
    session: &mut Session<S>,
    sets: Vec<UidSet>,
    items: Items,
) -> (Vec<Row>, Result<(), Error>) {
    let mut fetch = session.uid_fetch(sets, items);
    let mut all = Vec::new();
    loop {
        match fetch.next().await {
            Ok(Some(row)) => all.push(row),
            Ok(None) => return (all, Ok(())),
            Err(error) => return (all, Err(error)),
        }
    }
}

fn uids(rows: &[Row]) -> Vec<u32> {
    rows.iter().filter_map(|row| if let Row::Message(m) = row { Some(m.uid) } else { None }).collect()
}

fn lost<T: std::fmt::Debug>(result: Result<T, Error>, word: &str) {
    match result {
        Err(Error::Lost(trouble)) => assert!(trouble.what.contains(word), "{trouble}"),
        other => panic!("{other:?}"),
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>, word: &str) {
    match result {
        Err(Error::Refused(trouble)) => assert!(trouble.what.contains(word), "{trouble}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn no_failure_looks_like_success() {
    for (end, is_lost, word) in [
        ("S: k1 NO [UNAVAILABLE] not now", false, "tried again later"),
        ("S: k1 BAD what?", false, "does not understand"),
        ("S: * BYE [UNAVAILABLE] restarting", true, "ends the connection (UNAVAILABLE: restarting)"),
        ("-- close", true, "closed the connection"),
        ("S= * 9 FET\n-- close", true, "in the middle of an answer"),
        ("S: k9 OK not yours", true, "a command that was not sent"),
        ("S: k1 MAYBE", true, "no IMAP"),
    ] {
        let check = |result: Result<String, Error>| {
            if is_lost { lost(result, word) } else { refused(result, word) }
        };
        let shown = |result: Result<(), Error>| result.map(|()| String::new());
        let box_ = MailboxName::from_raw("INBOX");
        let list = format!("C: k1 LIST \"\" \"*\"\nS: * LIST () \"/\" INBOX\n{end}");
        check(with("", &list, async |mut s| s.list(false).await.map(|l| format!("{l:?}"))).await);
        let search = format!("C: k1 UID SEARCH ALL\nS: * SEARCH 1 2\n{end}");
        check(with("", &search, async |mut s| s.uid_search("ALL").await.map(|l| format!("{l:?}"))).await);
        let noop = format!("C: k1 NOOP\nS: * 1 EXISTS\n{end}");
        check(with("", &noop, async |mut s| s.noop().await.map(|l| format!("{l:?}"))).await);
        let examine = format!("C: k1 EXAMINE \"INBOX\"\nS: * 1 EXISTS\n{end}");
        check(with("", &examine, async |mut s| s.examine(&box_).await.map(|l| format!("{l:?}"))).await);
        let fetch = format!("C: k1 UID FETCH 1:9 (UID)\nS: * 1 FETCH (UID 1)\nS: * 2 FETCH (UID 2)\n{end}");
        let (before, result) =
            with("", &fetch, async |mut s| rows(&mut s, vec![UidSet::range(1, 9)], Items::default()).await).await;
        assert_eq!(uids(&before), [1, 2]);
        assert!(!before.contains(&Row::Through(0)), "{end}");
        check(shown(result));
    }
}

#[tokio::test]
async fn status_refused_is_no_status_but_eof_is_an_error() {
    let names = ["a", "b", "c"].map(MailboxName::from_raw);
    let script = "
        C: k1 STATUS \"a\" (MESSAGES UIDNEXT UIDVALIDITY)
        C: k2 STATUS \"b\" (MESSAGES UIDNEXT UIDVALIDITY)
        C: k3 STATUS \"c\" (MESSAGES UIDNEXT UIDVALIDITY)
        S: * STATUS a (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 3)
        S: k1 OK
        S: * STATUS \"b\" (MESSAGES 4)
        S: k2 NO [NONEXISTENT] gone";
    let whole = format!("{script}\nS: * STATUS c (UIDNEXT 7 MESSAGES 5 )\nS: k3 OK");
    let found = with("", &whole, async |mut s| s.statuses(&names).await).await.unwrap();
    let a = Status { messages: Some(1), uid_next: Some(2), uid_validity: Some(3), highest_mod_seq: None };
    let c = Status { messages: Some(5), uid_next: Some(7), ..Status::default() };
    assert_eq!(found, [Some(a), None, Some(c)]);
    lost(with("", script, async |mut s| s.statuses(&names).await).await, "closed the connection");
}

#[tokio::test]
async fn status_of_many_keeps_its_window_and_their_order() {
    let names: Vec<MailboxName> = (0..40).map(|n| MailboxName::from_raw(&format!("m{n}"))).collect();
    let mut script = String::new();
    for n in 0..16 {
        script += &format!("C: k{} STATUS \"m{n}\" (MESSAGES UIDNEXT UIDVALIDITY)\n", n + 1);
    }
    for n in 0..40 {
        script += &format!("S: * STATUS m{n} (UIDNEXT {})\nS: k{} OK\n", n + 1, n + 1);
        if n + 16 < 40 {
            script += &format!("C: k{} STATUS \"m{}\" (MESSAGES UIDNEXT UIDVALIDITY)\n", n + 17, n + 16);
        }
    }
    let found = with("", &script, async |mut s| s.statuses(&names).await).await.unwrap();
    let next: Vec<_> = found.iter().map(|s| s.unwrap().uid_next.unwrap()).collect();
    assert_eq!(next, (1..=40).collect::<Vec<u32>>());
}

#[tokio::test]
async fn status_of_a_name_beyond_ascii_goes_by_literal() {
    let names = ["Entwürfe", "b"].map(MailboxName::from_raw);
    let script = "
        C: k1 STATUS \"b\" (MESSAGES UIDNEXT UIDVALIDITY)
        S: * STATUS b (MESSAGES 1)
        S: k1 OK
        C: k2 STATUS {9}
        S: + go
        C: Entwürfe (MESSAGES UIDNEXT UIDVALIDITY)
        S: * STATUS {9}\\r\\nEntwürfe (MESSAGES 2)
        S: k2 OK";
    let found = with("", script, async |mut s| s.statuses(&names).await).await.unwrap();
    assert_eq!(found.iter().map(|s| s.unwrap().messages.unwrap()).collect::<Vec<_>>(), [2, 1]);
}

#[tokio::test]
async fn names_come_unquoted_and_go_back_as_they_came() {
    let script = r#"
        C: k1 LIST "" "*"
        S: * LIST (\\HasNoChildren) "/" "a\\"b\\\\c"
        S: * LIST () "\\\\" {3}\r\nx y
        S: * LIST (\\NoSelect) NIL ""
        S: * LIST () "/" "Entw&APw-rfe"
        S: * LIST () "/" inbox
        S: k1 OK
        C: k2 EXAMINE "a\"b\\c"
        S: k2 OK"#;
    let listed = with("", script, async |mut s| {
        let listed = s.list(false).await.unwrap();
        s.examine(&MailboxName::from_raw("a\"b\\c")).await.unwrap();
        listed
    })
    .await;
    let names: Vec<_> = listed.iter().map(|l| (l.name.raw(), l.path(), l.selectable, l.delimiter)).collect();
    assert_eq!(
        names,
        [
            ("", String::new(), false, None),
            ("Entw&APw-rfe", "Entwürfe".to_string(), true, Some('/')),
            ("INBOX", "INBOX".to_string(), true, Some('/')),
            ("a\"b\\c", "a\"b\\c".to_string(), true, Some('/')),
            ("x y", "x y".to_string(), true, Some('\\')),
        ]
    );
}

#[tokio::test]
async fn list_with_status_in_one_answer_or_without() {
    let all = "SPECIAL-USE LIST-EXTENDED LIST-STATUS CONDSTORE";
    let script = r#"
        C: k1 LIST "" "*" RETURN (SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))
        S: * LIST (\\HasNoChildren) "/" INBOX
        S: * STATUS INBOX (MESSAGES 17 UIDNEXT 18 UIDVALIDITY 1 HIGHESTMODSEQ 99)
        S: * LIST (\\HasNoChildren \\Sent) "/" Sent
        S: * LIST (\\NonExistent) "/" gone
        S: * STATUS "Sent" (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 1 HIGHESTMODSEQ 0)
        S: k1 OK"#;
    let listed = with(all, script, async |mut s| s.list(true).await).await.unwrap();
    assert_eq!(listed.iter().map(|l| l.selectable).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(listed[0].status.unwrap().highest_mod_seq, Some(99));
    assert_eq!(
        (listed[1].status.unwrap().highest_mod_seq, &listed[1].special_use[..]),
        (None, &[SpecialUse::Sent][..])
    );
    // offered, and not understood
    let script = r#"
        C: k1 LIST "" "*" RETURN (SPECIAL-USE)
        S: k1 BAD unexpected RETURN
        C: k2 LIST "" "*"
        S: * LIST (\\sent) "/" Sent
        S: k2 OK"#;
    let listed = with(all, script, async |mut s| s.list(false).await).await.unwrap();
    assert_eq!(listed[0].special_use, [SpecialUse::Sent]);
}

#[tokio::test]
async fn too_many_mailboxes_are_an_error() {
    let result =
        play_flood(|n| format!("* LIST () \"/\" m{n}\r\n"), 20_002, async |mut s| s.list(false).await.map(|l| l.len()));
    lost(result.await, "more than 20000 mailboxes");
}

/// A session against a server that answers its first command with so many lines, then `k1 OK`.
async fn play_flood<T>(
    line: impl Fn(usize) -> String,
    count: usize,
    client: impl AsyncFnOnce(Session<tokio::io::DuplexStream>) -> T,
) -> T {
    let (ours, mut theirs) = tokio::io::duplex(1 << 16);
    let mut text = "* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n".to_string();
    for n in 0..count {
        text += &line(n);
    }
    text += "k1 OK done\r\n";
    let server_side = tokio::spawn(async move {
        let _ = theirs.write_all(text.as_bytes()).await;
        let mut sink = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut theirs, &mut sink).await;
    });
    let server = server("localhost", Security::None);
    let session = log_in(&server, ours, "alex", &super::script::password("x")).await.unwrap();
    let result = client(session).await;
    server_side.await.unwrap();
    result
}

#[tokio::test]
async fn examine_takes_what_there_is() {
    let script = "
        C: k1 EXAMINE \"INBOX\" (CONDSTORE)
        S: * 172 EXISTS
        S: * 1 RECENT
        S: * OK [UNSEEN 12] Message 12 is first unseen
        S: * OK [UIDVALIDITY 3857529045] UIDs valid
        S: * OK [UIDNEXT 4392] Predicted next UID
        S: * FLAGS (\\\\Answered \\\\Flagged \\\\Deleted \\\\Seen \\\\Draft)
        S: * OK [PERMANENTFLAGS ()] No permanent flags permitted
        S: * OK [HIGHESTMODSEQ 715194045007]
        S: * NO [UIDNOTSTICKY] Non-persistent UIDs
        S: k1 OK [READ-ONLY] EXAMINE completed
        C: k2 EXAMINE \"b\" (CONDSTORE)
        S: * 0 EXISTS
        S: * OK [NOMODSEQ] Sorry
        S: * OK [UIDVALIDITY 0]
        S: k2 OK
        C: k3 EXAMINE \"c\" (CONDSTORE)
        S: k3 NO [NONEXISTENT] Mailbox doesn't exist: c";
    let (a, b, c) = with("CONDSTORE", script, async |mut s| {
        let a = s.examine(&MailboxName::from_raw("inbox")).await.unwrap();
        let b = s.examine(&MailboxName::from_raw("b")).await.unwrap();
        assert!(s.news().is_none());
        (a, b, s.examine(&MailboxName::from_raw("c")).await)
    })
    .await;
    let expected = Examined {
        exists: 172,
        uid_validity: Some(3_857_529_045),
        uid_next: Some(4392),
        highest_mod_seq: Some(715_194_045_007),
        uid_not_sticky: true,
    };
    assert_eq!(a, expected);
    assert_eq!(b, Examined::default());
    refused(c, "no such mailbox");
}

#[tokio::test]
async fn search_gives_each_uid_once_in_order() {
    let script = r#"
        C: k1 UID SEARCH HEADER Message-ID "a\"b@x"
        S: * SEARCH 9 3
        S: * SEARCH
        S: * SEARCH 3 0 12
        S: k1 OK"#;
    let criteria = format!("HEADER Message-ID {}", crate::imap::quoted("a\"b@x").unwrap());
    assert_eq!(with("", script, async |mut s| s.uid_search(&criteria).await).await.unwrap(), [3, 9, 12]);
    let bad = with("", "-- stall", async |mut s| s.uid_search("ALL\r\nk2 LOGOUT").await).await;
    refused(bad, "not ASCII");
}

#[tokio::test]
async fn a_search_of_hundreds_of_kilobytes_is_read() {
    let mut line = "* SEARCH".to_string();
    for uid in 1..=100_000 {
        line += &format!(" {uid}");
    }
    line += "\r\n";
    let found = play_flood(|_| line.clone(), 1, async |mut s| s.uid_search("ALL").await).await.unwrap();
    assert_eq!(found, (1..=100_000).collect::<Vec<u32>>());
}

#[tokio::test]
async fn a_fetch_gives_what_was_asked_for() {
    let script = r#"
        C: k1 UID FETCH 5:7 (UID FLAGS INTERNALDATE RFC822.SIZE MODSEQ BODY.PEEK[HEADER]<0.65536> BODY.PEEK[TEXT]<0.100>)
        S= * 1 FETCH (UID 5 FLAGS (\\Seen \\Recent $Forwarded) INTERNALDATE "17-Jul-2026 02:44:25 +0200" RFC822.SIZE 4286 MODSEQ (624140003) BODY[HEADER]<0> {14}\r\n
        S= Subject: x\r\n\r\n BODY[TEXT]<0> "short")\r\n
        S: * 2 FETCH (BODY[HEADER]<0> {5}\r\nA:)\r\n BODY[TEXT]<0> NIL UID 6)
        S: * 3 FETCH (UID 8 FLAGS ())
        S: * 4 FETCH (FLAGS (\\Seen))
        S: * 5 EXISTS
        S: * 1 EXPUNGE
        S: k1 OK"#;
    let items = Items {
        flags: true,
        internal_date: true,
        size: true,
        mod_seq: true,
        header: Some(65_536),
        text: Some(100),
        ..Items::default()
    };
    let (found, news) = with("", script, async |mut s| {
        let (found, result) = rows(&mut s, vec![UidSet::range(5, 7)], items).await;
        result.unwrap();
        (found, s.news())
    })
    .await;
    let five = Fetched {
        uid: 5,
        flags: Some(Flags { seen: true, keywords: vec!["$Forwarded".to_string()], ..Flags::default() }),
        internal_date: Timestamp::parse("2026-07-17T00:44:25Z"),
        size: Some(4286),
        mod_seq: Some(624_140_003),
        header: Some(b"Subject: x\r\n\r\n".to_vec()),
        text: Some(b"short".to_vec()),
        ..Fetched::default()
    };
    let six = Fetched { uid: 6, header: Some(b"A:)\r\n".to_vec()), ..Fetched::default() };
    assert_eq!(found, [Row::Message(Box::new(five)), Row::Message(Box::new(six)), Row::Through(0)]);
    assert_eq!((news.exists, news.expunged, news.flags), (Some(5), true, true));
}

#[tokio::test]
async fn several_fetches_are_on_their_way_and_end_in_order() {
    let script = "
        C: k1 UID FETCH 1:10 (UID)
        C: k2 UID FETCH 11:20 (UID)
        C: k4 UID FETCH 31:40 (UID)
        S: * 1 FETCH (UID 1)
        S: * 11 FETCH (UID 11)
        S: k2 OK
        S: * 2 FETCH (UID 2)
        S: k1 OK
        C: k5 UID FETCH 41:50 (UID)
        S: * 31 FETCH (UID 31)
        S: k4 OK
        S: * 89 FETCH (UID 50)
        S: k5 OK
        C: k6 UID FETCH 51:* (UID)
        S: * 90 FETCH (UID 50)
        S: * 91 FETCH (UID 51)
        S: k6 OK";
    let sets = vec![
        UidSet::range(1, 10),
        UidSet::range(11, 20),
        UidSet::default(),
        UidSet::range(31, 40),
        UidSet::range(41, 50),
        UidSet::from(51),
    ];
    let (found, result) = with("", script, async |mut s| rows(&mut s, sets, Items::default()).await).await;
    result.unwrap();
    assert_eq!(uids(&found), [1, 11, 2, 31, 50, 51]);
    let through: Vec<usize> =
        found.iter().filter_map(|r| if let Row::Through(i) = r { Some(*i) } else { None }).collect();
    assert_eq!(through, [0, 1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_no_to_one_set_leaves_a_good_connection() {
    let script = "
        C: k1 UID FETCH 1 (UID)
        C: k2 UID FETCH 2 (UID)
        S: * 1 FETCH (UID 1)
        S: k1 NO [LIMIT] too much
        S: * 2 FETCH (UID 2)
        S: k2 OK
        C: k3 NOOP
        S: k3 OK";
    let (found, result) = with("", script, async |mut s| {
        let answer = rows(&mut s, vec![UidSet::of([1]), UidSet::of([2])], Items::default()).await;
        s.noop().await.unwrap();
        answer
    })
    .await;
    assert_eq!(uids(&found), [1]);
    refused(result, "tried again later");
}

#[tokio::test]
async fn a_mailbox_made_anew_while_it_is_read_is_an_error() {
    let script = "
        C: k1 EXAMINE \"INBOX\"
        S: * OK [UIDVALIDITY 7]
        S: k1 OK
        C: k2 UID FETCH 1:2 (UID)
        S: * 1 FETCH (UID 1)
        S: * OK [UIDVALIDITY 7] the same
        S: * OK [UIDVALIDITY 8] surprise
        S: * 2 FETCH (UID 2)
        S: k2 OK";
    let (found, result) = with("", script, async |mut s| {
        s.examine(&MailboxName::from_raw("INBOX")).await.unwrap();
        rows(&mut s, vec![UidSet::range(1, 2)], Items::default()).await
    })
    .await;
    assert_eq!(uids(&found), [1]);
    match result {
        Err(Error::Lost(trouble)) => assert!(trouble.level == Level::Retry && trouble.what.contains("anew")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_same_message_for_ever_ends() {
    let script = format!("C: k1 UID FETCH 1:2 (UID)\n{}-- stall", "S: * 1 FETCH (UID 1)\n".repeat(9));
    let (found, result) =
        with("", &script, async |mut s| rows(&mut s, vec![UidSet::range(1, 2)], Items::default()).await).await;
    assert_eq!(found.len(), 4);
    lost(result, "over and over");
}

#[tokio::test]
async fn a_fetch_that_is_dropped_poisons_nothing() {
    let script = "
        C: k1 UID FETCH 1:9 (UID)
        S: * 1 FETCH (UID 1)
        S: * 2 FETCH (UID 2)
        S: k1 OK
        -- stall";
    with("", script, async |mut s| {
        s.uid_fetch(vec![UidSet::range(1, 9)], Items::default()).next().await.unwrap();
        lost(s.noop().await, "in the middle of an answer");
        let (found, result) = rows(&mut s, vec![UidSet::range(5, 6)], Items::default()).await;
        assert!(found.is_empty());
        lost(result, "in the middle of an answer");
    })
    .await;
}

#[tokio::test]
async fn a_fetch_that_was_never_polled_is_nothing() {
    with("", "C: k1 NOOP\nS: k1 OK", async |mut s| {
        drop(s.uid_fetch(vec![UidSet::range(1, 9)], Items::default()));
        s.noop().await.unwrap();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn silence_and_endless_chatter_end() {
    let stalled = with("", "C: k1 NOOP\nS: * 1 EXISTS\n-- stall", async |mut s| s.noop().await).await;
    assert!(words(stalled).contains("says nothing for 60 s"));
    let slow = "C: k1 NOOP\n-- 50s\nS: * 1 EXISTS\n-- 50s\nS: k1 OK";
    assert_eq!(with("", slow, async |mut s| s.noop().await).await.unwrap().exists, Some(1));
    let chatter = format!("C: k1 NOOP\n{}", "S: * OK Still here\n-- 30s\n".repeat(25));
    let before = tokio::time::Instant::now();
    let late = with("", &chatter, async |mut s| s.noop().await).await;
    assert!(words(late).contains("does not come to an end within 600 s"));
    assert!(before.elapsed() < Duration::from_secs(800));
    // a row of a FETCH now and then is no stall, however long all of it takes
    let rows_slowly: String = (1..=30).map(|n| format!("S: * {n} FETCH (UID {n})\n-- 55s\n")).collect();
    let script = format!("C: k1 UID FETCH 1:30 (UID)\n{rows_slowly}S: k1 OK");
    let (found, result) =
        with("", &script, async |mut s| rows(&mut s, vec![UidSet::range(1, 30)], Items::default()).await).await;
    result.unwrap();
    assert_eq!(found.len(), 31);
}

#[test]
fn futures_may_move_between_threads() {
    fn sent<T: Send>(_: T) {}
    fn check(session: &mut Session<tokio::io::DuplexStream>, name: &MailboxName) {
        sent(session.list(true));
        sent(session.examine(name));
        sent(session.uid_search("ALL"));
        sent(session.statuses(&[]));
        sent(session.append(name, &[], b"x"));
        sent(session.idle(Duration::ZERO, std::future::pending()));
        sent(session.uid_fetch(Vec::new(), Items::default()).next());
    }
    let _ = check;
    sent(crate::imap::connect);
}
