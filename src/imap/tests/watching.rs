//! IDLE.

use std::future::{pending, ready};
use std::time::Duration;

use tokio::time::sleep;

use super::script::{with, words};
use crate::imap::News;

const MINUTES_25: Duration = Duration::from_secs(25 * 60);

#[tokio::test]
async fn news_end_idle_and_what_comes_with_its_end_is_not_lost() {
    let script = "
        C: k1 IDLE
        S: * 2 FETCH (FLAGS (\\\\Seen))
        S: + idling
        S: * 4 EXISTS
        C: DONE
        S: * 5 EXISTS
        S: * 1 EXPUNGE
        S: k1 OK Idle completed";
    let news = with("IDLE", script, async |mut s| s.idle(MINUTES_25, pending()).await).await.unwrap();
    assert_eq!(news, News { exists: Some(5), expunged: true, flags: true });
}

#[tokio::test]
async fn what_came_before_is_news_at_once() {
    let script = "C: k1 NOOP\nS: k1 OK\nC: k2 UID SEARCH ALL\nS: * 7 EXISTS\nS: k2 OK";
    with("IDLE", script, async |mut s| {
        assert!(s.noop().await.unwrap().is_none());
        s.uid_search("ALL").await.unwrap();
        assert_eq!(s.idle(MINUTES_25, pending()).await.unwrap().exists, Some(7));
        assert!(s.news().is_none());
    })
    .await;
}

#[tokio::test]
async fn news_before_the_plus_are_news() {
    let script = "C: k1 IDLE\nS: * 3 EXISTS\nS: + idling\nC: DONE\nS: k1 OK";
    assert_eq!(with("IDLE", script, async |mut s| s.idle(MINUTES_25, pending()).await).await.unwrap().exists, Some(3));
}

#[tokio::test(start_paused = true)]
async fn idle_is_renewed_and_stops_when_asked() {
    // Dovecot says that it is still here every two minutes; that neither is news nor puts the renewal off
    let chatter = "S: * OK Still here\n-- 120s\n".repeat(12);
    let script = format!(
        "C: k1 IDLE
         S: + idling
         {chatter}
         C: DONE
         S: k1 OK
         C: k2 IDLE
         S: + idling
         C: DONE
         S: k2 OK
         C: k3 NOOP
         S: k3 OK"
    );
    let before = tokio::time::Instant::now();
    with("IDLE", &script, async |mut s| {
        let stop = sleep(MINUTES_25 + Duration::from_secs(60));
        assert!(s.idle(MINUTES_25, stop).await.unwrap().is_none());
        s.noop().await.unwrap();
    })
    .await;
    assert_eq!(before.elapsed().as_secs(), 26 * 60);
}

#[tokio::test]
async fn a_server_that_never_stops_talking_is_stopped() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (mut hears, mut says) = tokio::io::split(theirs);
    let server = tokio::spawn(async move {
        says.write_all(b"* PREAUTH [CAPABILITY IMAP4rev1 IDLE] hi\r\n+ idling\r\n").await.unwrap();
        while says.write_all(b"* OK Still here\r\n").await.is_ok() {}
    });
    let hearing = tokio::spawn(async move {
        let mut heard = String::new();
        let _ = hears.read_to_string(&mut heard).await;
        heard
    });
    let about = super::script::server("localhost", crate::net::Security::None);
    let proof = super::script::password("x");
    let mut session = crate::imap::login::log_in(&about, ours, "alex", &proof).await.unwrap();
    let idle = session.idle(MINUTES_25, sleep(Duration::from_millis(20)));
    // it is stopped, and then waits for an end that does not come
    assert!(tokio::time::timeout(Duration::from_millis(500), idle).await.is_err());
    drop(session);
    server.await.unwrap();
    assert_eq!(hearing.await.unwrap(), "k1 IDLE\r\nDONE\r\n");
}

#[tokio::test(start_paused = true)]
async fn no_idle_outlives_29_minutes() {
    let script =
        "C: k1 IDLE\nS: + idling\nC: DONE\nS: k1 OK\nC: k2 IDLE\nS: + idling\nS: * 1 EXISTS\nC: DONE\nS: k2 OK";
    let before = tokio::time::Instant::now();
    with("IDLE", script, async |mut s| s.idle(Duration::from_secs(86_400), pending()).await).await.unwrap();
    assert_eq!(before.elapsed().as_secs(), 29 * 60);
}

#[tokio::test]
async fn idle_that_is_stopped_at_once_leaves_a_good_connection() {
    let script = "C: k1 IDLE\nS: + idling\nC: DONE\nS: k1 OK\nC: k2 NOOP\nS: k2 OK";
    with("IDLE", script, async |mut s| {
        assert!(s.idle(MINUTES_25, ready(())).await.unwrap().is_none());
        s.noop().await.unwrap();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_that_fails_is_an_error() {
    for (script, word) in [
        ("C: k1 IDLE\nS: + idling\n-- close", "closed the connection"),
        ("C: k1 IDLE\nS: + idling\nS: * BYE Disconnected for inactivity.", "Disconnected for inactivity"),
        ("C: k1 IDLE\nS: k1 NO not here", "refuses"),
        ("C: k1 IDLE\nS: k1 BAD", "does not understand"),
        ("C: k1 IDLE\nS: k1 OK", "before it began"),
        ("C: k1 IDLE\n-- stall", "says nothing for 60 s"),
        ("C: k1 IDLE\nS: + idling\nS: k1 OK", "by itself"),
        ("C: k1 IDLE\nS: + idling\nS: * 1 EXISTS\nC: DONE\n-- stall", "says nothing for 60 s"),
        ("C: k1 IDLE\nS: + idling\nS: * 1 EXISTS\nC: DONE\nS: k1 NO", "refuses"),
        // the other side is gone and nobody said so
        ("C: k1 IDLE\nS: + idling\nC: DONE\n-- stall", "says nothing for 60 s"),
    ] {
        let result = with("IDLE", script, async |mut s| s.idle(MINUTES_25, pending()).await).await;
        let words = words(result);
        assert!(words.contains(word), "{script}: {words}");
    }
    assert!(words(with("", "-- stall", async |mut s| s.idle(MINUTES_25, pending()).await).await).contains("no IDLE"));
}
