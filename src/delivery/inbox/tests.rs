//! Searching and taking away, against scripted servers.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::imap::tests::script::with;

fn id() -> MessageId {
    MessageId::new("m1@kithd.local").unwrap()
}

/// Writes the steps of a dialogue and numbers the commands.
#[derive(Default)]
struct Script(String, u32);

impl Script {
    fn say(mut self, command: &str, answers: &[&str]) -> Script {
        self.1 += 1;
        self.0.push_str(&format!("C: k{} {command}\n", self.1));
        let (last, untagged) = answers.split_last().unwrap();
        for answer in untagged {
            self.0.push_str(&format!("S: {answer}\n"));
        }
        match last.starts_with("--") {
            true => self.0.push_str(&format!("{last}\n")),
            false => self.0.push_str(&format!("S: k{} {last}\n", self.1)),
        }
        self
    }

    fn list(self, mailboxes: &[&str]) -> Script {
        let lines: Vec<String> = mailboxes.iter().map(|m| format!("* LIST {m}")).collect();
        let mut answers: Vec<&str> = lines.iter().map(String::as_str).collect();
        answers.push("OK");
        self.say("LIST \"\" \"*\"", &answers)
    }

    fn search(self, verb: &str, mailbox: &str, uids: &str) -> Script {
        self.say(&format!("{verb} \"{mailbox}\""), &["OK"])
            .say("UID SEARCH HEADER Message-ID \"<m1@kithd.local>\"", &[&format!("* SEARCH{uids}"), "OK"])
    }

    fn fetch(self, uid: u32, flags: &str, id: &str) -> Script {
        let header = format!("Message-ID: {id}\r\n\r\n");
        let row = format!(
            "* 1 FETCH (UID {uid} FLAGS ({flags}) BODY[HEADER.FIELDS (Message-ID)] {{{}}}\\r\\nMessage-ID: {id}\\r\\n\\r\\n)",
            header.len()
        );
        self.say(&format!("UID FETCH {uid} (UID FLAGS BODY.PEEK[HEADER.FIELDS (Message-ID)])"), &[&row, "OK"])
    }
}

const BOXES: &[&str] = &[
    r#"() "/" Archive"#,
    r#"(\\Junk) "/" Spam"#,
    r#"(\\Noselect) "/" Clients"#,
    r#"() "/" INBOX"#,
    r#"(\\Trash) "/" Bin"#,
];

async fn found(script: &Script) -> Answer {
    with("", &script.0, async |mut session| find_in(&mut session, &id()).await).await
}

#[tokio::test]
async fn every_folder_is_examined_until_it_is_found() {
    let all = ["INBOX", "Bin", "Spam", "Archive"];
    let nowhere = all.iter().fold(Script::default().list(BOXES), |s, name| s.search("EXAMINE", name, ""));
    assert_eq!(found(&nowhere).await, Answer::No);
    for lies in 0..all.len() {
        let before = all.iter().take(lies).fold(Script::default().list(BOXES), |s, name| s.search("EXAMINE", name, ""));
        let script = before.search("EXAMINE", all.get(lies).unwrap(), " 7").fetch(7, r"\\Seen", "<m1@kithd.local>");
        assert_eq!(found(&script).await, Answer::Yes);
    }
}

#[tokio::test]
async fn where_one_mailbox_holds_all_mail_few_are_looked_at() {
    let gmail = [
        r#"() "/" INBOX"#,
        r#"() "/" Label"#,
        r#"(\\All) "/" "[Gmail]/All Mail""#,
        r#"(\\Junk) "/" "[Gmail]/Spam""#,
        r#"(\\Trash) "/" "[Gmail]/Trash""#,
        r#"(\\Sent) "/" "[Gmail]/Sent Mail""#,
    ];
    let places = ["INBOX", "[Gmail]/Spam", "[Gmail]/Trash", "[Gmail]/All Mail"];
    let script = places.iter().fold(Script::default().list(&gmail), |s, name| s.search("EXAMINE", name, ""));
    assert_eq!(found(&script).await, Answer::No);
}

#[tokio::test]
async fn no_is_said_only_where_all_was_searched() {
    let boxes = [r#"() "/" INBOX"#, r#"() "/" Other"#];
    let list = || Script::default().list(&boxes);
    let examine = "EXAMINE \"INBOX\"";
    let search = "UID SEARCH HEADER Message-ID \"<m1@kithd.local>\"";
    // refused in one, found in another
    let script = list().say(examine, &["NO gone"]).search("EXAMINE", "Other", " 7").fetch(7, "", "<m1@kithd.local>");
    assert_eq!(found(&script).await, Answer::Yes);
    for script in [
        list().say(examine, &["NO gone"]).search("EXAMINE", "Other", ""),
        list().say(examine, &["OK"]).say(search, &["NO [UNAVAILABLE] index"]).search("EXAMINE", "Other", ""),
        list().say(examine, &["OK"]).say(search, &["BAD what"]).search("EXAMINE", "Other", ""),
        list().say(examine, &["OK"]).say(search, &["-- close"]),
        list().say(examine, &["-- close"]),
        Script::default().say("LIST \"\" \"*\"", &["NO no"]),
    ] {
        assert_eq!(found(&script).await, Answer::CannotSearch, "{}", script.0);
    }
    // an id that cannot be asked for
    let odd = MessageId::new("ü@kithd.local").unwrap();
    let script = list().say(examine, &["OK"]).say("EXAMINE \"Other\"", &["OK"]);
    let answer = with("", &script.0, async |mut session| find_in(&mut session, &odd).await).await;
    assert_eq!(answer, Answer::CannotSearch);
}

#[tokio::test]
async fn what_a_search_finds_is_looked_at() {
    let boxes = [r#"() "/" INBOX"#];
    // a server that takes another one for a match
    for id in ["<xm1@kithd.local>", "<m1@kithd.localhost>", "<other@kithd.local>"] {
        let script = Script::default().list(&boxes).search("EXAMINE", "INBOX", " 7").fetch(7, "", id);
        assert_eq!(found(&script).await, Answer::No);
    }
    // one that went away meanwhile
    let script = Script::default()
        .list(&boxes)
        .search("EXAMINE", "INBOX", " 7")
        .say("UID FETCH 7 (UID FLAGS BODY.PEEK[HEADER.FIELDS (Message-ID)])", &["OK"]);
    assert_eq!(found(&script).await, Answer::No);
}

async fn retired(capabilities: &str, script: &Script) -> Result<Retired, Error> {
    with(capabilities, &script.0, async |mut session| retire_in(&mut session, &id()).await).await
}

#[tokio::test]
async fn an_unread_reminder_is_taken_away_and_nothing_else() {
    // not in the inbox, and the trash is not looked at
    let script = Script::default()
        .list(BOXES)
        .search("EXAMINE", "INBOX", "")
        .search("EXAMINE", "Spam", "")
        .search("EXAMINE", "Archive", " 4 7")
        .say(
            "UID FETCH 4,7 (UID FLAGS BODY.PEEK[HEADER.FIELDS (Message-ID)])",
            &[
                r"* 1 FETCH (UID 4 FLAGS () BODY[HEADER.FIELDS (Message-ID)] {33}\r\nMessage-ID: <xm1@kithd.local>\r\n\r\n)",
                r"* 2 FETCH (UID 7 FLAGS () BODY[HEADER.FIELDS (Message-ID)] {32}\r\nMessage-ID: <m1@kithd.local>\r\n\r\n)",
                "OK",
            ],
        )
        .search("SELECT", "Archive", " 7")
        .fetch(7, r"\\Recent", "<m1@kithd.local>")
        .say("UID STORE 7 +FLAGS.SILENT (\\Deleted)", &["OK"])
        .say("UID EXPUNGE 7", &["* 2 EXPUNGE", "OK"]);
    assert_eq!(retired("UIDPLUS", &script).await, Ok(Retired::Gone));
}

#[tokio::test]
async fn a_read_one_stays_and_no_mailbox_is_opened_for_writing() {
    let boxes = [r#"() "/" INBOX"#];
    let list = || Script::default().list(&boxes);
    let script = list().search("EXAMINE", "INBOX", " 7").fetch(7, r"\\Seen", "<m1@kithd.local>");
    assert_eq!(retired("UIDPLUS", &script).await, Ok(Retired::Read));
    let script = list().search("EXAMINE", "INBOX", "");
    assert_eq!(retired("UIDPLUS", &script).await, Ok(Retired::NotThere));
    // read between the two looks, or gone
    let opened = || list().search("EXAMINE", "INBOX", " 7").fetch(7, "", "<m1@kithd.local>");
    let script = opened().search("SELECT", "INBOX", " 7").fetch(7, r"\\Seen", "<m1@kithd.local>");
    assert_eq!(retired("UIDPLUS", &script).await, Ok(Retired::Read));
    let script = opened().search("SELECT", "INBOX", "");
    assert_eq!(retired("UIDPLUS", &script).await, Ok(Retired::NotThere));
    // a server that will not
    let script = opened().say("SELECT \"INBOX\"", &["NO read-only"]);
    assert!(retired("UIDPLUS", &script).await.is_err());
    // without UIDPLUS not even a search
    let trouble = retired("", &Script::default()).await.unwrap_err();
    assert!(trouble.to_string().contains("set retire = false"), "{trouble}");
}
