//! APPEND, and what `retire` does.

use super::script::with;
use crate::imap::{AppendUid, Error, MailboxName};

const MAIL: &[u8] = b"Subject: x\r\n\r\nhello\r\n";

fn inbox() -> MailboxName {
    MailboxName::from_raw("INBOX")
}

#[tokio::test]
async fn a_message_is_appended_with_its_uid() {
    let script = "
        C: k1 APPEND \"INBOX\" () {21}
        S: + OK
        C: Subject: x
        C:
        C: hello
        C:
        S: * 5 EXISTS
        S: k1 OK [APPENDUID 38505 3955] APPEND completed";
    let found = with("", script, async |mut s| s.append(&inbox(), &[], MAIL).await).await.unwrap();
    assert_eq!(found, Some(AppendUid { uid_validity: 38_505, uid: 3955 }));
    let script = "
        C: k1 APPEND \"INBOX\" (\\Seen $x) {21+}
        C: Subject: x
        C:
        C: hello
        C:
        S: k1 OK";
    let found = with("LITERAL+", script, async |mut s| s.append(&inbox(), &["\\Seen", "$x"], MAIL).await).await;
    assert_eq!(found.unwrap(), None);
}

#[tokio::test]
async fn literal_minus_is_for_small_messages() {
    let big = vec![b'a'; 5000];
    let script = "
        C: k1 APPEND \"INBOX\" () {5000}
        S: k1 NO [TOOBIG] no";
    let error = with("LITERAL-", script, async |mut s| s.append(&inbox(), &[], &big).await).await.unwrap_err();
    assert!(!error.unknown);
}

#[tokio::test(start_paused = true)]
async fn an_append_says_whether_the_message_may_be_there() {
    let body = "C: k1 APPEND \"INBOX\" () {21}\nS: + OK\nC: Subject: x\nC:\nC: hello\nC:\n";
    for (script, unknown, word) in [
        ("C: k1 APPEND \"INBOX\" () {21}\nS: k1 NO [TRYCREATE] no".to_string(), false, "no such mailbox"),
        ("C: k1 APPEND \"INBOX\" () {21}\nS: k1 BAD no".to_string(), false, "does not understand"),
        ("C: k1 APPEND \"INBOX\" () {21}\n-- close".to_string(), false, "closed the connection"),
        ("C: k1 APPEND \"INBOX\" () {21}\n-- stall".to_string(), false, "says nothing"),
        ("C: k1 APPEND \"INBOX\" () {21}\nS: * BYE".to_string(), false, "ends the connection"),
        (format!("{body}S: k1 NO [OVERQUOTA] full"), false, "make room"),
        (format!("{body}-- close"), true, "closed the connection"),
        (format!("{body}-- stall"), true, "says nothing"),
        (format!("{body}S: * BYE bye"), true, "ends the connection"),
        (format!("{body}S: garbage"), true, "no IMAP"),
    ] {
        let error = with("", &script, async |mut s| s.append(&inbox(), &[], MAIL).await).await.unwrap_err();
        assert_eq!(error.unknown, unknown, "{script}: {error}");
        assert!(error.to_string().contains(word), "{script}: {error}");
    }
}

#[tokio::test]
async fn until_its_last_byte_leaves_a_message_cannot_be_there() {
    // the pipe is full before the end of the message: nothing reads it, and then it breaks
    let (ours, theirs) = tokio::io::duplex(256);
    let server = tokio::spawn(async move {
        let mut theirs = theirs;
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        theirs.write_all(b"* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+] hi\r\n").await.unwrap();
        let mut some = [0; 100];
        theirs.read_exact(&mut some).await.unwrap();
    });
    let about = super::script::server("localhost", crate::net::Security::None);
    let proof = super::script::password("x");
    let mut session = crate::imap::login::log_in(&about, ours, "alex", &proof).await.unwrap();
    let error = session.append(&inbox(), &[], &vec![b'a'; 2000]).await.unwrap_err();
    assert!(!error.unknown && matches!(error.error, Error::Lost(_)), "{error}");
    server.await.unwrap();
}

#[tokio::test]
async fn retiring_touches_one_message() {
    let script = "
        C: k1 SELECT \"INBOX\"
        S: * 3 EXISTS
        S: * OK [UIDVALIDITY 9]
        S: k1 OK [READ-WRITE]
        C: k2 UID STORE 7 +FLAGS.SILENT (\\Deleted)
        S: k2 OK
        C: k3 UID EXPUNGE 7
        S: * 2 EXPUNGE
        S: k3 OK";
    with("UIDPLUS", script, async |mut s| {
        assert_eq!(s.select(&inbox()).await.unwrap().uid_validity, Some(9));
        s.uid_store_deleted(7).await.unwrap();
        s.uid_expunge(7).await.unwrap();
    })
    .await;
    with("", "-- stall", async |mut s| assert!(matches!(s.uid_expunge(7).await, Err(Error::Refused(_))))).await;
}
