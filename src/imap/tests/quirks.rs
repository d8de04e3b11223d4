//! Servers as they are: each dialogue as the server it names has it.

use super::reading::rows;
use super::script::{with, words};
use crate::imap::{Items, MailboxName, Row, SpecialUse, Status, UidSet};

fn uses(listed: &[crate::imap::Listed]) -> Vec<(String, Vec<SpecialUse>, bool)> {
    listed.iter().map(|l| (l.path(), l.special_use.clone(), l.selectable)).collect()
}

#[tokio::test]
async fn gmail() {
    let capabilities = "UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS COMPRESS=DEFLATE ENABLE MOVE \
                        CONDSTORE ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE APPENDLIMIT=35651584";
    let script = r#"
        C: k1 LIST "" "*" RETURN (SPECIAL-USE)
        S: * LIST (\\HasNoChildren) "/" "INBOX"
        S: * LIST (\\HasChildren \\Noselect) "/" "[Gmail]"
        S: * LIST (\\All \\HasNoChildren) "/" "[Gmail]/All Mail"
        S: * LIST (\\Drafts \\HasNoChildren) "/" "[Gmail]/Drafts"
        S: * LIST (\\HasNoChildren \\Important) "/" "[Gmail]/Important"
        S: * LIST (\\HasNoChildren \\Sent) "/" "[Gmail]/Gesendete &APw-"
        S: * LIST (\\HasNoChildren \\Junk) "/" "[Gmail]/Spam"
        S: k1 OK Success
        C: k2 EXAMINE "[Gmail]/All Mail" (CONDSTORE)
        S: * FLAGS (\\Answered \\Flagged \\Draft \\Deleted \\Seen $NotPhishing $Phishing)
        S: * OK [PERMANENTFLAGS ()] Flags permitted.
        S: * OK [UIDVALIDITY 11] UIDs valid.
        S: * 3 EXISTS
        S: * 0 RECENT
        S: * OK [UIDNEXT 40] Predicted next UID.
        S: * OK [HIGHESTMODSEQ 9001]
        S: k2 OK [READ-ONLY] [Gmail]/All Mail selected. (Success)
        C: k3 UID FETCH 1:39 (UID FLAGS X-GM-MSGID X-GM-LABELS)
        S: * 1 FETCH (X-GM-MSGID 1278455344230334865 X-GM-LABELS ("\\\\Inbox" "\\\\Sent" Important "Muy \\"Importante\\"" "Entw&APw-rfe") UID 30 FLAGS (\\Seen $NotPhishing))
        S: * 2 FETCH (X-GM-MSGID 1278455344230334866 X-GM-LABELS ("\\\\Draft") UID 31 FLAGS (\\Draft))
        S: * 3 FETCH (X-GM-MSGID 1278455344230334867 X-GM-LABELS () UID 32 FLAGS ())
        S: k3 OK Success
        C: k4 NOOP
        S: * BYE Session expired, please login again."#;
    with(capabilities, script, async |mut s| {
        let listed = s.list(false).await.unwrap();
        let sent = listed.iter().find(|l| l.special_use == [SpecialUse::Sent]).unwrap();
        assert_eq!(sent.path(), "[Gmail]/Gesendete ü");
        assert!(listed.iter().any(|l| l.special_use == [SpecialUse::All] && l.name.raw() == "[Gmail]/All Mail"));
        assert!(listed.iter().any(|l| !l.selectable && l.name.raw() == "[Gmail]"));
        assert_eq!(s.examine(&MailboxName::from_raw("[Gmail]/All Mail")).await.unwrap().uid_next, Some(40));
        let items = Items { flags: true, gmail: true, ..Items::default() };
        let (found, result) = rows(&mut s, vec![UidSet::range(1, 39)], items).await;
        result.unwrap();
        let labels: Vec<_> = found
            .iter()
            .filter_map(|r| {
                if let Row::Message(m) = r { Some((m.gm_msgid.unwrap() % 10, m.gm_labels.clone())) } else { None }
            })
            .collect();
        let text = |l: &[&str]| l.iter().map(|s| s.to_string()).collect::<Vec<_>>();
        assert_eq!(
            labels,
            [
                (5, text(&["\\Inbox", "\\Sent", "Important", "Muy \"Importante\"", "Entwürfe"])),
                (6, text(&["\\Draft"])),
                (7, text(&[])),
            ]
        );
        assert!(words(s.noop().await).contains("Session expired"));
    })
    .await;
}

#[tokio::test]
async fn exchange() {
    // Exchange 2019 and Office 365: no LIST-EXTENDED, no UIDNEXT for some, blanks at the end of STATUS
    let script = r#"
        C: k1 LIST "" "*"
        S: * LIST (\\Marked \\HasNoChildren) "/" Archive
        S: * LIST (\\HasNoChildren \\Drafts) "/" Drafts
        S: * LIST (\\Marked \\HasNoChildren) "/" INBOX
        S: * LIST (\\Marked \\HasChildren \\Sent) "/" "Sent Items"
        S: k1 OK LIST completed.
        C: k2 STATUS "INBOX" (MESSAGES UIDNEXT UIDVALIDITY)
        S: * STATUS INBOX (MESSAGES 12 UIDNEXT 40 UIDVALIDITY 14) 
        S: k2 OK STATUS completed.
        C: k3 EXAMINE "INBOX"
        S: * 12 EXISTS
        S: * 0 RECENT
        S: * FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $MDNSent)
        S: * OK [PERMANENTFLAGS ()] Permanent flags
        S: * OK [UIDVALIDITY 14] UIDVALIDITY value
        S: k3 OK [READ-ONLY] EXAMINE completed.
        C: k4 UID SEARCH SINCE 1-Jan-2026
        S: k4 BAD Command received in Invalid state."#;
    with(
        "AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+",
        script,
        async |mut s| {
            let listed = s.list(true).await.unwrap();
            assert_eq!(uses(&listed).iter().filter(|(_, u, _)| *u == [SpecialUse::Sent]).count(), 1);
            assert!(listed.iter().all(|l| l.status.is_none()));
            let inbox = MailboxName::from_raw("INBOX");
            let status = s.statuses(std::slice::from_ref(&inbox)).await.unwrap();
            assert_eq!(
                status,
                [Some(Status {
                    messages: Some(12),
                    uid_next: Some(40),
                    uid_validity: Some(14),
                    highest_mod_seq: None
                })]
            );
            let examined = s.examine(&inbox).await.unwrap();
            assert_eq!((examined.exists, examined.uid_next), (12, None));
            let error = words(s.uid_search("SINCE 1-Jan-2026").await);
            assert!(error.contains("does not understand to search (Command received in Invalid state.)"), "{error}");
        },
    )
    .await;
    let script = "C: k1 NOOP\nS: * BYE Session invalidated - SessionId";
    assert!(words(with("", script, async |mut s| s.noop().await).await).contains("Session invalidated"));
}

#[tokio::test]
async fn courier() {
    let script = r#"
        C: k1 LIST "" "*"
        S: * LIST (\\Unmarked \\HasChildren) "." "INBOX"
        S: * LIST (\\HasNoChildren) "." "INBOX.Sent"
        S: * LIST (\\HasNoChildren) "." "INBOX.Entw&APw-rfe"
        S: k1 OK LIST completed
        C: k2 EXAMINE "INBOX.Sent"
        S: * FLAGS (\\Draft \\Answered \\Flagged \\Deleted \\Seen \\Recent)
        S: * OK [PERMANENTFLAGS ()] No permanent flags permitted
        S: * 4 EXISTS
        S: * 0 RECENT
        S: * OK [UIDVALIDITY 1256897000] Ok
        S: * OK [MYRIGHTS "acdilrsw"] ACL
        S: k2 OK [READ-ONLY] Ok"#;
    with(
        "UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE ACL ACL2=UNION",
        script,
        async |mut s| {
            let listed = s.list(true).await.unwrap();
            assert_eq!(listed.iter().map(|l| l.path()).collect::<Vec<_>>(), ["INBOX", "INBOX/Entwürfe", "INBOX/Sent"]);
            let examined = s.examine(&MailboxName::from_raw("INBOX.Sent")).await.unwrap();
            assert_eq!((examined.exists, examined.uid_next, examined.highest_mod_seq), (4, None, None));
        },
    )
    .await;
}

#[tokio::test]
async fn cyrus() {
    let script = r#"
        C: k1 LIST "" "*" RETURN (SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))
        S: * LIST (\\HasChildren) "." INBOX
        S: * STATUS INBOX (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 1783857529 HIGHESTMODSEQ 12)
        S: * LIST (\\HasNoChildren \\sent) "." INBOX.Sent
        S: * STATUS INBOX.Sent (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1783857530 HIGHESTMODSEQ 3)
        S: k1 OK Completed (0.000 secs 3 calls)
        C: k2 EXAMINE "INBOX" (CONDSTORE)
        S: * 2 EXISTS
        S: * 1 RECENT
        S: * FLAGS (\\Answered \\Flagged \\Draft \\Deleted \\Seen)
        S: * OK [PERMANENTFLAGS ()] Ok
        S: * OK [UNSEEN 1] Ok
        S: * OK [UIDVALIDITY 1783857529] Ok
        S: * OK [UIDNEXT 3] Ok
        S: * OK [HIGHESTMODSEQ 12] Ok
        S: * OK [MAILBOXID (x1y2)] Ok
        S: * OK [URLMECH INTERNAL] Ok
        S: k2 OK [READ-ONLY] Completed"#;
    with(
        "LITERAL+ ID ENABLE IDLE CONDSTORE QRESYNC LIST-EXTENDED LIST-STATUS SPECIAL-USE UIDPLUS",
        script,
        async |mut s| {
            let listed = s.list(true).await.unwrap();
            let expected =
                [("INBOX".to_string(), vec![], true), ("INBOX/Sent".to_string(), vec![SpecialUse::Sent], true)];
            assert_eq!(uses(&listed), expected);
            assert_eq!(listed[1].status.unwrap().messages, Some(0));
            assert_eq!(s.examine(&MailboxName::from_raw("INBOX")).await.unwrap().highest_mod_seq, Some(12));
        },
    )
    .await;
}

#[tokio::test]
async fn yahoo_and_icloud() {
    // Yahoo: NIL where there should be something; iCloud: more than was asked for, with a flag change
    let script = r#"
        C: k1 UID FETCH 1:9 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER]<0.65536>)
        S: * 1 FETCH (UID 1 FLAGS NIL INTERNALDATE NIL RFC822.SIZE NIL BODY[HEADER] NIL)
        S: * 2 FETCH (UID 2 RFC822.SIZE 9 INTERNALDATE "17-Jul-2026 02:44:25 +0000" FLAGS (\\Seen) BODY[HEADER]<0> {6}\r\nA: b\r\n)
        S: * 2 FETCH (UID 2 FLAGS (\\Seen $Forwarded))
        S: k1 OK UID FETCH completed
        C: k2 UID FETCH 3 (UID BODY.PEEK[]<0.100>)
        S: * 3 FETCH (UID 3 BODY[] {8}\r\nA: b\r\n\r\n FLAGS (\\Seen))
        S: k2 OK"#;
    with("XAPPLEPUSHSERVICE", script, async |mut s| {
        let items = Items { flags: true, internal_date: true, size: true, header: Some(65_536), ..Items::default() };
        let (found, result) = rows(&mut s, vec![UidSet::range(1, 9)], items).await;
        result.unwrap();
        let messages: Vec<_> =
            found.iter().filter_map(|r| if let Row::Message(m) = r { Some(m) } else { None }).collect();
        assert_eq!((messages[0].uid, messages[0].header.is_none(), messages[0].size), (1, true, None));
        assert_eq!(messages.len(), 2);
        assert_eq!((messages[1].uid, messages[1].header.as_deref()), (2, Some(b"A: b\r\n".as_slice())));
        let items = Items { message: Some(100), ..Items::default() };
        let (found, _) = rows(&mut s, vec![UidSet::of([3])], items).await;
        let Row::Message(three) = &found[0] else { panic!() };
        assert_eq!(three.message.as_deref(), Some(b"A: b\r\n\r\n".as_slice()));
    })
    .await;
}

#[tokio::test]
async fn dovecot() {
    let script = "
        C: k1 EXAMINE \"INBOX\" (CONDSTORE)
        S: * OK [CLOSED] Previous mailbox closed.
        S: * FLAGS (\\\\Answered \\\\Flagged \\\\Deleted \\\\Seen \\\\Draft)
        S: * 2 EXISTS
        S: * OK [UIDVALIDITY 7] UIDs valid
        S: * OK [UIDNEXT 3] Predicted next UID
        S: * OK [HIGHESTMODSEQ 3] Highest
        S: k1 OK [READ-ONLY] Examine completed (0.001 + 0.000 secs).
        C: k2 UID FETCH 1:* (UID)
        S: * 1 FETCH (UID 1)
        S: * BYE Disconnected for inactivity.";
    with("IDLE CONDSTORE", script, async |mut s| {
        s.examine(&MailboxName::from_raw("INBOX")).await.unwrap();
        let (found, result) = rows(&mut s, vec![UidSet::from(1)], Items::default()).await;
        assert_eq!(found.len(), 1);
        assert!(words(result).contains("Disconnected for inactivity"));
        assert!(words(s.noop().await).contains("in the middle of an answer"));
    })
    .await;
}

#[tokio::test]
async fn netease() {
    // 163.com, 2024: nothing is opened for a client without a name
    let script = format!(
        "C: k1 EXAMINE \"INBOX\"
         S: k1 NO EXAMINE Unsafe Login. Please contact kefu@188.com for help
         C: k2 ID (\"name\" \"kithd\" \"version\" \"{}\")
         S: * ID (\"name\" \"Coremail Imap\")
         S: k2 OK ID completed
         C: k3 EXAMINE \"INBOX\"
         S: * 3 EXISTS
         S: k3 OK [READ-ONLY] EXAMINE completed
         C: k4 EXAMINE \"x\"
         S: k4 NO EXAMINE Unsafe Login.
         C: k5 ID (\"name\" \"kithd\" \"version\" \"{}\")
         S: k5 OK ID completed
         C: k6 EXAMINE \"x\"
         S: k6 NO EXAMINE Unsafe Login.",
        env!("CARGO_PKG_VERSION"),
        env!("CARGO_PKG_VERSION")
    );
    with("ID IDLE", &script, async |mut s| {
        assert_eq!(s.examine(&MailboxName::from_raw("INBOX")).await.unwrap().exists, 3);
        assert!(words(s.examine(&MailboxName::from_raw("x")).await).contains("Unsafe Login"));
    })
    .await;
}
