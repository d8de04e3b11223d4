//! Bad replies, each by its name, as bytes through the reader and as seen by a session.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use super::reading::rows;
use super::script::{with, words};
use crate::imap::wire::Wire;
use crate::imap::{Items, MailboxName, Row, UidSet};
use crate::limits;

/// A server that says this, in pieces of so many bytes, and hears nothing.
struct Pieces<'a> {
    bytes: &'a [u8],
    size: usize,
    /// It says so many of them over and over before it goes on.
    repeat: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let size = self.size.min(self.bytes.len()).min(buf.remaining());
        buf.put_slice(&self.bytes[..size]);
        if self.repeat > 0 {
            self.repeat -= 1;
        } else {
            self.bytes = &self.bytes[size..];
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pieces<'_> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What comes through, the same in whatever pieces it comes.
async fn through(bytes: &[u8]) -> Result<String, String> {
    let mut results = Vec::new();
    for size in [1, 2, 3, 7, 64, 4096, 1 << 20] {
        let mut out = Vec::new();
        let mut wire = Wire::new(Pieces { bytes, size, repeat: 0 });
        let result = wire.read_to_end(&mut out).await;
        results.push((String::from_utf8_lossy(&out).into_owned(), result.map_err(|e| e.to_string())));
    }
    assert!(results.iter().all(|r| *r == results[0]), "{results:?}");
    let (out, result) = results.swap_remove(0);
    result.map(|_| out)
}

async fn check(input: &str, expected: &str) {
    assert_eq!(through(input.as_bytes()).await.as_deref(), Ok(expected), "{input:?}");
}

async fn same(input: &str) {
    check(input, input).await;
}

async fn bad(input: &[u8], word: &str) {
    let error = through(input).await.unwrap_err();
    assert!(error.contains(word), "{}: {error}", String::from_utf8_lossy(&input[..input.len().min(100)]));
}

#[tokio::test]
async fn what_is_sound_goes_through_unchanged() {
    same("* OK [UIDVALIDITY 3] é\r\n").await;
    same("* 1 FETCH (UID 5 BODY[HEADER] {7}\r\nA: b)\r\n FLAGS (\\Seen))\r\n* 2 EXISTS\r\nk1 OK done\r\n").await;
    same("* 1 FETCH (UID 5 BODY[HEADER] {0}\r\n BODY[TEXT] {3}\r\n\r\n\n)\r\n").await;
    same("+ \r\n").await;
    same("+\r\n").await;
    same("* LIST (\\Sent) \"/\" {4}\r\nSent\r\n").await;
    same("* STATUS \"a]b\" (MESSAGES 1)\r\n").await;
    same("k1 OK\r\n").await;
    same("* OK [BADCHARSET (UTF-8)] x\r\n").await;
}

#[tokio::test]
async fn text_right_after_a_code() {
    check("* OK [UIDVALIDITY 3]é\r\n", "* OK [UIDVALIDITY 3] é\r\n").await;
    check("k1 NO [ALERT]ü\r\n", "k1 NO [ALERT] ü\r\n").await;
    check("k1 NO [ALERT]abc\r\n", "k1 NO [ALERT] abc\r\n").await;
    check("+ [ALERT]é\r\n", "+ [ALERT] é\r\n").await;
    check("* BYE [ALERT]é]é\r\n", "* BYE [ALERT] é] é\r\n").await;
    check("* OK [PERMANENTFLAGS (a]é b)]é\r\n", "* OK [PERMANENTFLAGS (a] é b)] é\r\n").await;
    check("* OK [UIDNEXT 3]\u{301}x\r\n", "* OK [UIDNEXT 3] \u{301}x\r\n").await;
    // half a character, or none
    assert!(through(b"* OK [ALERT]\xff\xfe\r\n* OK [ALERT]\xc3\r\n").await.unwrap().starts_with("* OK [ALERT] "));
}

#[tokio::test]
async fn a_code_that_never_ends_its_literal() {
    check("* NO [BADCHARSET ({400000000}\r\n", "* NO [BADCHARSET ({400000000} \r\n").await;
    check("* OK see {12}\r\nk1 OK\r\n", "* OK see {12} \r\nk1 OK\r\n").await;
    check("k1 NO {3+}\r\n", "k1 NO {3+} \r\n").await;
}

#[tokio::test]
async fn control_characters_in_a_text() {
    check("* OK a\0b\x07c\td\x7f\r\n", "* OK a b c d \r\n").await;
    check("* OK a\rb\r\n", "* OK a b\r\n").await;
    check("* OK just a line feed\n", "* OK just a line feed\r\n").await;
}

#[tokio::test]
async fn internaldate_nil() {
    check("* 1 FETCH (UID 1 INTERNALDATE NIL)\r\n", "* 1 FETCH (UID 1 INTERNALDATE \" \")\r\n").await;
    check("* 1 FETCH (internaldate nil UID 1)\r\n", "* 1 FETCH (internaldate \" \" UID 1)\r\n").await;
    check(
        "* 1 FETCH (BODY[TEXT] {1}\r\nx INTERNALDATE NIL UID 7)\r\n",
        "* 1 FETCH (BODY[TEXT] {1}\r\nx INTERNALDATE \" \" UID 7)\r\n",
    )
    .await;
    // said by a mail, it is text
    same("* 1 FETCH (UID 1 BODY[TEXT] {16}\r\nINTERNALDATE NIL)\r\n").await;
    same("* 1 FETCH (UID 1 X-GM-LABELS (\"INTERNALDATE NIL\"))\r\n").await;
    check("* 1 FETCH (UID 1 INTERNALDATE NILX)\r\n", "* 1 FETCH (UID 1)\r\n").await;
}

#[tokio::test]
async fn endless_lines() {
    for start in ["* OK ", "* 1 FETCH (UID ", "* LIST () \"/\" \"", "", "* SEARCH 1", "* SEARCH"] {
        let mut input = start.as_bytes().to_vec();
        input.resize(start.len() + limits::IMAP_LINE_BYTES + 10, b'1');
        bad(&input, "a line of more than 65536 bytes").await;
        input.extend_from_slice(b"\r\n");
        bad(&input, "a line of more than 65536 bytes").await;
    }
    let blank = [b"* SEARCH".as_slice(), &[b' '; 70_000]].concat();
    assert!(through(&blank).await.is_err());
}

#[tokio::test]
async fn an_endless_search_ends() {
    let line: Vec<u8> = std::iter::repeat_n(b"1234567 ".as_slice(), 8192).flatten().copied().collect();
    let search = [b"* SEARCH ".as_slice(), &line].concat();
    let pieces = Pieces { bytes: &search[..65_536], size: 65_536, repeat: 0 };
    let mut wire = Wire::new(Chain(pieces, Pieces { bytes: &line, size: 65_536, repeat: 1000 }));
    let mut out = Vec::new();
    assert!(wire.read_to_end(&mut out).await.unwrap_err().to_string().contains("in one answer"));
    assert!(out.len() < limits::IMAP_ANSWER_BYTES + limits::IMAP_LINE_BYTES * 2 + 10_000);
}

/// One after the other.
struct Chain<'a>(Pieces<'a>, Pieces<'a>);

impl AsyncRead for Chain<'_> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.0.bytes.is_empty() {
            Pin::new(&mut self.1).poll_read(cx, buf)
        } else {
            Pin::new(&mut self.0).poll_read(cx, buf)
        }
    }
}

impl AsyncWrite for Chain<'_> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn lying_literals() {
    bad(b"* 1 FETCH (UID 1 BODY[TEXT] {5368709120}\r\nx", "5368709120 bytes in one piece").await;
    bad(b"* 1 FETCH (UID 1 BODY[TEXT] {99999999999999999999999}\r\nx", "bytes in one piece").await;
    bad(b"* LIST () \"/\" {4194305}\r\nx", "4194305 bytes in one piece").await;
    // longer than what comes
    bad(b"* 1 FETCH (UID 1 BODY[TEXT] {400}\r\nabc)\r\n", "end of file").await;
    // shorter than what comes: the message is lost, the next ones are not
    check(
        "* 1 FETCH (UID 1 BODY[TEXT] {3}\r\nabcdef)\r\n* 2 FETCH (UID 2)\r\n",
        "* 1 FETCH (UID 1)\r\n* 2 FETCH (UID 2)\r\n",
    )
    .await;
    // what no server should send
    check("* 1 FETCH (UID 1 BODY[TEXT] {3+}\r\nabc)\r\n", "* 1 FETCH (UID 1)\r\n").await;
    check("* 1 FETCH (UID 1 BINARY[1] ~{3}\r\na\0c)\r\n", "* 1 FETCH (UID 1)\r\n").await;
}

#[tokio::test]
async fn many_literals_in_one_answer() {
    let mut input = b"* 1 FETCH (UID 1".to_vec();
    for _ in 0..5 {
        input.extend_from_slice(format!(" BODY[TEXT] {{{}}}\r\n", limits::IMAP_LITERAL_BYTES).as_bytes());
        input.resize(input.len() + limits::IMAP_LITERAL_BYTES, b'x');
    }
    input.extend_from_slice(b")\r\n");
    let mut wire = Wire::new(Pieces { bytes: &input, size: 65_536, repeat: 0 });
    let mut out = Vec::new();
    let error = wire.read_to_end(&mut out).await.unwrap_err();
    assert!(error.to_string().contains("in one answer") && out.is_empty());
    // and many lines between them
    let input = format!("* 1 FETCH (UID 1{}", " FOO {1}\r\nx".repeat(2_000_000));
    let mut wire = Wire::new(Pieces { bytes: input.as_bytes(), size: 65_536, repeat: 0 });
    assert!(wire.read_to_end(&mut Vec::new()).await.unwrap_err().to_string().contains("in one answer"));
}

#[tokio::test]
async fn nested_parentheses() {
    let nest = |depth: usize| format!("{}{}", "(".repeat(depth), ")".repeat(depth));
    let literal = |text: &str| format!("{{{}}}\r\n{text}", text.len());
    for depth in [1, 65, 400, 15_000] {
        let structure = format!("BODYSTRUCTURE {}", nest(depth));
        for before in ["", "X \" ", "X \"\\\" ", "X (\" ", "X (\") ", "FLAGS (\") "] {
            check(&format!("* 1 FETCH (UID 1 {before}{structure})\r\n"), "* 1 FETCH (UID 1)\r\n").await;
        }
        // where the parser would read on within a literal
        for before in ["X a", "X (", "X \"", "X (\"", "X ~", "X (a) b"] {
            let hidden = literal(&format!(") {structure}"));
            check(&format!("* 1 FETCH (UID 1 {before}{hidden})\r\n"), "* 1 FETCH (UID 1)\r\n").await;
            let hidden = literal(&format!(" {structure})"));
            check(&format!("* 1 FETCH (UID 1 {before}{hidden})\r\n"), "* 1 FETCH (UID 1)\r\n").await;
        }
        // a mail may say what it wants
        same(&format!("* 1 FETCH (UID 1 BODY[TEXT]<0> {} FLAGS ())\r\n", literal(&structure))).await;
        same(&format!("* 1 FETCH (UID 1 FLAGS {})\r\n", "()")).await;
        check(&format!("* 1 FETCH (UID 1 ENVELOPE {0} FLAGS {0})\r\n", nest(depth + 1)), "* 1 FETCH (UID 1)\r\n").await;
        check(&format!("* LIST {} \"/\" x\r\n", nest(depth + 1)), "").await;
        check(&format!("* OK [BADCHARSET {}]\r\n", nest(depth)), &format!("* OK [BADCHARSET {}]\r\n", nest(depth)))
            .await;
    }
}

#[tokio::test]
async fn a_literal_is_a_literal_to_both_readers() {
    // the end of a command, said by a mail
    for before in ["X a", "X (", "X (b ", "X \""] {
        let input = format!("* 1 FETCH (UID 1 {before}{{16}}\r\nx)\r\nk1 OK\r\n* OK)\r\n* 2 EXISTS\r\n");
        check(&input, "* 1 FETCH (UID 1)\r\n* 2 EXISTS\r\n").await;
    }
}

#[tokio::test]
async fn answers_nobody_asked_for() {
    for line in [
        "* METADATA \"INBOX\" (/private/é \"x\")",
        "* METADATA \"\\xff\" /shared/comment",
        "* METADATA \"\" /p",
        "* ESEARCH (TAG \"k1\") UID ALL 1:3",
        "* NAMESPACE ((\"\" \"/\")) NIL NIL",
        "* QUOTA \"\" (STORAGE 1 2)",
        "* ID (\"name\" NIL)",
        "* VANISHED 1:4294967295",
        "* FLAGS (%odd *)",
        "* 3 RECENT",
        "* ENABLED UTF8=ACCEPT",
        "* LANGUAGE (EN)",
        "* XFOO {3}\r\nk1 ",
        "* LSUB () \"/\" x",
        "* 4294967296 EXISTS",
        "* -1 EXISTS",
        "*",
        "* ",
    ] {
        let input = format!("{line}\r\nk1 OK done\r\n");
        let expected = if line == "*" { None } else { Some("k1 OK done\r\n") };
        match expected {
            Some(expected) => check(&input, expected).await,
            None => bad(input.as_bytes(), "no IMAP").await,
        }
    }
    check("\r\n\r\nk1 OK done\r\n\r\n", "k1 OK done\r\n").await;
}

#[tokio::test]
async fn one_bad_answer_never_stops_the_others() {
    check(
        "* LIST (odd) \"/\" x\r\n* LIST () \"/\" y\r\n* STATUS y (SIZE 3)\r\n* STATUS y (MESSAGES 1)\r\nk1 OK\r\n",
        "* LIST () \"/\" y\r\n* STATUS y (MESSAGES 1)\r\nk1 OK\r\n",
    )
    .await;
    check("* 7 FETCH (UID 9 X-GM-MSGID \"a {4}\r\nk1 O)\r\n", "* 7 FETCH (UID 9)\r\n").await;
    check("* 7 FETCH (FLAGS ((\r\nk1 OK\r\n", "k1 OK\r\n").await;
    check("* CAPABILITY IMAP4rev2  IDLE AUTH=PLAIN X(1) \r\n", "* CAPABILITY IMAP4rev1 IMAP4rev2 IDLE AUTH=PLAIN\r\n")
        .await;
    bad(b"* SEARCH 1 2 (MODSEQ 917162500)\r\n", "no IMAP").await;
    bad(b"k1 PERHAPS\r\n", "no IMAP: k1 PERHAPS").await;
    bad(b"HTTP/1.1 400 Bad Request\r\n", "no IMAP: HTTP/1.1").await;
    bad(b"* OK half", "end of file").await;
}

#[tokio::test]
async fn a_session_survives_what_it_can() {
    let script = "
        C: k1 UID FETCH 1:9 (UID INTERNALDATE)
        S: * 1 FETCH (UID 1 INTERNALDATE NIL)
        S: * OK [UIDVALIDITY 3]\u{e9}
        S: * 2 FETCH (UID 2 INTERNALDATE \"01-Jan-2026 00:00:00 +0000\"
        S: * 3 FETCH (UID 3 INTERNALDATE (x))
        S: * 4 FETCH (INTERNALDATE \"01-Jan-2026 00:00:00 +0000\" UID 4)
        S: k1 OK [ALERT]\u{fc}
        C: k2 NOOP
        S: k2 NO [ALERT]\u{fc}ber";
    let (found, noop) = with("", script, async |mut s| {
        let items = Items { internal_date: true, ..Items::default() };
        let (found, result) = rows(&mut s, vec![UidSet::range(1, 9)], items).await;
        result.unwrap();
        (found, s.noop().await)
    })
    .await;
    let dates: Vec<_> = found
        .iter()
        .filter_map(|row| if let Row::Message(m) = row { Some((m.uid, m.internal_date.is_some())) } else { None })
        .collect();
    assert_eq!(dates, [(1, false), (2, false), (3, false), (4, true)]);
    assert_eq!(words(noop), "localhost refuses to go on (NOOP) (ALERT: über)");
}

#[tokio::test]
async fn errors_hold_no_mail() {
    let canary = "c4nary".repeat(20);
    let script = format!(
        "C: k1 UID FETCH 1 (UID)\nS: * 1 FETCH (UID 1 BODY[TEXT] {{120}}\\r\\n{canary})\nS: k1 {}",
        "x".repeat(3000)
    );
    let (_, result) =
        with("", &script, async |mut s| rows(&mut s, vec![UidSet::of([1])], Items::default()).await).await;
    let words = words(result);
    assert!(words.len() < 250 && !words.contains("c4nary"), "{words}");
}

/// Pieces of answers as servers send them, and as none should.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "* ", "k1 ", "+ ", "OK", "NO", "BAD", "BYE", "PREAUTH", " ", "\r\n", "\r\n", "\r\n", "\n", "\r", "[", "]", "(",
    ")", "{", "}", "{3}\r\n", "{9}\r\nabcdefghi", "\"", "\\", "é", "\u{301}", "\0", "NIL", "UID ", "1 ",
    "4294967296 ", "FETCH (", "FLAGS (", "INTERNALDATE ", "INTERNALDATE NIL", "BODY[", "HEADER.FIELDS (", "TEXT]",
    "<0> ", "BODYSTRUCTURE ((", "ENVELOPE (", "X-GM-LABELS (", "MODSEQ (", "LIST (", "\\Sent", "\"/\" ", "STATUS ",
    "MESSAGES ", "UIDVALIDITY ", "UIDNEXT ", "CAPABILITY ", "IMAP4rev1 ", "AUTH=PLAIN ", "SEARCH ", "EXISTS",
    "EXPUNGE", "[ALERT]", "[BADCHARSET (", "[PERMANENTFLAGS (", "[APPENDUID 1 ", "1:9", ",", "METADATA ", "/private/",
    "VANISHED ", "ID (", "QUOTA ", "ACL ", "THREADID ", "EMAILID (", "[COPYUID ", "[HIGHESTMODSEQ ", "RFC822.SIZE ",
    "RFC822 ", "BODY ", "~{3}\r\n", "{3+}\r\n", "X a", "X (", "X \"", "* 1 FETCH (UID 1 ", "{20}\r\n",
    "BODY[TEXT] {3}\r\n)\r\n", "k1 OK\r\n", ")\r\n",
];

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 3000, ..Default::default() })]

    /// Whatever comes: no panic gets out, the same in any pieces, and async-imap reads all of it.
    #[test]
    fn anything_may_come(picks in proptest::collection::vec(0..WORDS.len(), 0..40)) {
        let input: String = picks.iter().map(|i| WORDS[*i]).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let out = through(input.as_bytes()).await;
            let mut client = async_imap::Client::new(Wire::new(Pieces { bytes: input.as_bytes(), size: 5, repeat: 0 }));
            let mut responses = 0;
            let error = loop {
                match client.read_response().await {
                    Ok(Some(_)) => responses += 1,
                    Ok(None) => break None,
                    Err(error) => break Some(error),
                }
            };
            assert_eq!(error.is_some(), out.is_err(), "{input:?} {error:?}");
            assert!(error.is_none_or(|e| e.kind() != io::ErrorKind::Other), "{input:?}");
            let lines = out.unwrap_or_default();
            assert!(responses <= input.matches('\n').count(), "{lines:?}");
        });
    }
}

#[tokio::test]
async fn a_name_cannot_end_a_command() {
    let script = "C: k1 EXAMINE {14}\nS: + go\nC: a\nC: k2 DELETE b\nS: k1 NO no such mailbox";
    let name = MailboxName::from_raw("a\r\nk2 DELETE b");
    assert!(with("", script, async |mut s| s.examine(&name).await).await.is_err());
}
