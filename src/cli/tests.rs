//! What the commands print.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::print::{Look, Out, Row, fit};
use super::{contacts, explain, status};
use crate::engine::reply::{
    ContactRow, ContactSheet, EvidenceRow, Explanation, HeldRow, InteractionRow, ReminderRow, SourceRow, Status,
    StatusCounts, Tally, WhomRow,
};
use crate::time::{Timestamp, Zone};

/// A terminal, or a pipe, of so many columns on 20 November 2026, 10:00 in Berlin.
fn out(terminal: bool, width: usize) -> Out {
    let zone = Zone::named("Europe/Berlin").unwrap();
    let now = Timestamp::parse("2026-11-20T09:00:00Z").unwrap();
    Out { terminal, colour: false, width, zone, now, page: std::cell::RefCell::default() }
}

fn rows() -> Vec<Row> {
    let row = |cells: [&str; 3]| cells.map(|c| (Look::Plain, c.to_string())).to_vec();
    vec![row(["田中太郎", "2 days", "tanaka@example.org"]), row(["Dana Ito", "10 weeks", "dana@uni.example"])]
}

/// What was printed on it.
fn printed(terminal: bool, width: usize, print: impl Fn(&Out)) -> String {
    let out = out(terminal, width);
    print(&out);
    out.page.into_inner()
}

#[test]
fn wide_characters_take_two_columns() {
    assert_eq!(fit("田中太郎", 8), "田中太郎");
    assert_eq!(fit("田中太郎", 6), "田中…");
    assert_eq!(fit("Dana Ito", 5), "Dana…");
}

#[test]
fn columns_stand_under_each_other() {
    let whole = "田中太郎  2 days    tanaka@example.org\nDana Ito  10 weeks  dana@uni.example\n";
    assert_eq!(printed(true, 80, |o| o.table(&rows())), whole);
    let cut = "田中太郎  2 days    tanaka@exampl…\nDana Ito  10 weeks  dana@uni.exam…\n";
    assert_eq!(printed(true, 34, |o| o.table(&rows())), cut);
    let left_out = "田中太郎  2 days\nDana Ito  10 weeks\n";
    assert_eq!(printed(true, 26, |o| o.table(&rows())), left_out);
}

#[test]
fn a_pipe_gets_everything() {
    let whole = "田中太郎  2 days    tanaka@example.org\nDana Ito  10 weeks  dana@uni.example\n";
    assert_eq!(printed(false, 40, |o| o.table(&rows())), whole);
    let mut long = rows();
    long[0][0].1 = "A".repeat(300);
    assert!(printed(false, 40, |o| o.table(&long)).contains(&"A".repeat(300)));
}

#[test]
fn paragraphs_wrap_by_columns_and_keep_their_looks() {
    let text = "One two three 田中太郎田中太郎田中太郎田中太郎 four";
    let expected = "  One two three\n  田中太郎田中太郎田中\n  太郎田中太郎 four\n";
    assert_eq!(printed(true, 22, |o| o.paragraph(2, text)), expected);
    let link = "https://example.org/a/very/long/link";
    assert_eq!(printed(true, 22, |o| o.paragraph(2, link)), format!("  {link}\n"));
    let mut out = out(true, 40);
    out.colour = true;
    out.flow(1, &[(Look::Good, "sent now"), (Look::Dim, "8 points"), (Look::Plain, "x")]);
    assert_eq!(out.page.into_inner(), " \u{1b}[32msent now\u{1b}[0m \u{1b}[2m8 points\u{1b}[0m x\n");
}

#[test]
fn times_are_told_as_a_calendar_counts() {
    let out = out(true, 80);
    let ago = |text: &str| out.ago(Timestamp::parse(text).unwrap());
    assert_eq!(ago("2026-11-20T08:59:30Z"), "just now");
    assert_eq!(ago("2026-11-20T08:15:00Z"), "45 minutes ago");
    assert_eq!(ago("2026-11-19T23:30:00Z"), "9 hours ago");
    assert_eq!(ago("2026-11-19T22:30:00Z"), "yesterday");
    assert_eq!(ago("2026-11-18T13:00:00Z"), "2 days ago");
    assert_eq!(ago("2026-09-07T13:00:00Z"), "10 weeks ago");
    assert_eq!(ago("2026-11-21T07:00:00Z"), "tomorrow");
    assert_eq!(ago("2026-12-20T07:00:00Z"), "in 4 weeks");
    assert_eq!(ago("2024-11-01T07:00:00Z"), "2 years ago");
    assert_eq!(out.local("Sent read up to 2026-11-20T08:15:00Z now"), "Sent read up to 2026-11-20 09:15 now");
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn contact(name: &str, last: Option<&str>, every: Option<i64>) -> ContactRow {
    let address = crate::address::AddrSpec::parse(&format!("{}@example.org", name.split(' ').next().unwrap())).unwrap();
    ContactRow {
        id: crate::identity::ContactId::of(&address),
        name: name.to_string(),
        addresses: vec![address],
        relationship: None,
        every_days: every,
        every_from: every.map(|_| "rhythm".to_string()),
        muted: false,
        is_contact: true,
        first_contact_at: last.map(at),
        last_contact_at: last.map(at),
        last_sent_at: None,
        last_received_at: None,
        last_met_at: None,
        next_meeting_at: None,
        counts: Tally { sent: 2, received: 1, meetings: 0 },
        strength: 40,
    }
}

fn people() -> Vec<ContactRow> {
    vec![
        contact("Mina", Some("2026-11-19T12:00:00Z"), None),
        contact("田中 太郎", Some("2026-11-17T09:00:00Z"), Some(6)),
        ContactRow { muted: true, ..contact("Sam", Some("2026-01-17T09:00:00Z"), Some(6)) },
        contact("Dana", Some("2026-09-07T09:00:00Z"), Some(30)),
        contact("Lee", Some("2026-10-07T09:00:00Z"), Some(30)),
        contact("Nobody", None, Some(30)),
    ]
}

#[test]
fn contacts_stand_in_columns_with_a_bar_of_their_silence() {
    let text = printed(true, 74, |o| contacts::print_rows(o, &people()));
    let expected = "\
name          now │usual  last contact               usual
Mina                      yesterday      2026-11-19
田中 太郎    ━━━──│─────  3 days ago     2026-11-17  every 6 days
Sam (muted)               10 months ago  2026-01-17  every 6 days
Dana         ━━━━━│━━━━━  10 weeks ago   2026-09-07  every 4 weeks
Lee          ━━━━━│━━━──  6 weeks ago    2026-10-07  every 4 weeks
Nobody                                               every 4 weeks
";
    assert_eq!(text, expected);
}

#[test]
fn the_most_overdue_come_first_and_who_has_no_rhythm_last() {
    let out = out(false, 80);
    let mut rows = people();
    contacts::by_silence(&mut rows, &out);
    let names: Vec<&str> = rows.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["Dana", "Lee", "田中 太郎", "Mina", "Sam", "Nobody"]);
}

fn reminder(state: &str) -> ReminderRow {
    ReminderRow {
        id: crate::evidence::ReminderId::of("thank_you", "favour", "x", 1),
        rule: "thank_you".to_string(),
        occasion: "favour".to_string(),
        channel: "own".to_string(),
        state: state.to_string(),
        closed_by: None,
        contact: None,
        due_at: at("2026-11-18T09:00:00Z"),
        sent_at: (state == "sent").then(|| at("2026-11-20T08:55:00Z")),
        expires_at: at("2026-12-18T09:00:00Z"),
        score: 8.5,
        reason: "Dana wrote on Tue 17 Nov: ‘There you are’. No thanks from you since.".to_string(),
        evidence: vec!["d1@example.org".to_string()],
        message_id: None,
        subject: "Thank Dana for the help on Tue 17 Nov?".to_string(),
        trouble: (state == "held").then(|| "Sent of mail was last read at 2026-11-20T08:15:00Z".to_string()),
        would_send_at: None,
    }
}

#[test]
fn a_person_is_a_card_what_is_open_and_a_timeline() {
    let interaction = |when: &str, kind: &str, subject: &str| InteractionRow {
        at: at(when),
        kind: kind.to_string(),
        subject: subject.to_string(),
        source: "mail".to_string(),
        evidence: "x".to_string(),
        weight: 1.0,
    };
    let sheet = ContactSheet {
        row: ContactRow { relationship: Some("mentor".to_string()), ..people().remove(3) },
        interactions: vec![
            interaction("2026-08-12T08:30:00Z", "received", "A crossroads"),
            interaction("2026-09-01T22:30:00Z", "met", "Lunch"),
            interaction("2026-09-07T09:00:00Z", "sent", "Re: A book that is too long a subject for a narrow terminal"),
        ],
        merges: Vec::new(),
        reminders: vec![ReminderRow { closed_by: Some("user".to_string()), ..reminder("done") }, reminder("held")],
    };
    let text = printed(true, 60, |o| contacts::print_sheet(o, &sheet));
    let id = sheet.row.id;
    let reminder = reminder("held").id;
    assert_eq!(
        text,
        format!(
            "Dana  {id}
  dana@example.org
  ━━━━━│━━━━━ last contact 10 weeks ago, 2026-09-07 11:00
  mentor · every 4 weeks by their rhythm · strength 40
  2 sent, 1 received, 0 met since 2026-09-07

Open reminders
  Thank Dana for the help on Tue 17 Nov? {reminder}
    held · due 2 days ago, 2026-11-18 10:00 ·
    thank_you/favour · 8.5 points
    Dana wrote on Tue 17 Nov: ‘There you are’. No thanks
    from you since.
    Sent of mail was last read at 2026-11-20 09:15

September 2026
  Mon  7  11:00  → you wrote   Re: A book that is too long …
  Wed  2  00:30  ◆ you met     Lunch

August 2026
  Wed 12  10:30  ← they wrote  A crossroads

Earlier reminders
2026-11-18  done  Thank Dana for the help on Tue 17 Nov?
"
        )
    );
}

#[test]
fn an_explanation_shows_what_it_rests_on_and_why_nothing_was_sent() {
    let explanation = Explanation {
        id: reminder("due").id,
        rule: "reply_owed".to_string(),
        occasion: "reply_owed".to_string(),
        contact: WhomRow { id: people()[0].id, name: "Dana".to_string(), address: None },
        standing: "vetoed".to_string(),
        due_at: at("2026-11-18T09:00:00Z"),
        expires_at: at("2026-12-11T09:00:00Z"),
        score: 4.0,
        points: vec!["+4 to several, in their thread".to_string()],
        vetoes: vec!["it says that no reply is needed".to_string()],
        closed_by: None,
        reason: "Dana asked you on Mon 16 Nov: ‘Which blue?’. No mail from you to Dana since.".to_string(),
        evidence: vec![EvidenceRow {
            evidence: "d1@example.org".to_string(),
            at: Some(at("2026-11-16T12:00:00Z")),
            subject: "Two blues".to_string(),
            sentence: Some("Which blue?".to_string()),
        }],
        coverage: vec!["Sent read up to 2026-11-20T08:15:00Z".to_string()],
        reminder: None,
    };
    let id = explanation.id;
    let text = printed(true, 80, |o| explain::print_one(o, &explanation));
    assert_eq!(
        text,
        format!(
            "reply_owed not sent: something speaks against it {id}
  Dana asked you on Mon 16 Nov: ‘Which blue?’. No mail from you to Dana since.
  4.0 points (a mail of its own from 7.0, a line of the summary from 5.0)
    +4 to several, in their thread
  against it: it says that no reply is needed
  evidence: 4 days ago, 2026-11-16 13:00 Two blues
    “Which blue?”
    d1@example.org
  due 2 days ago, 2026-11-18 10:00; runs out in 3 weeks, 2026-12-11 10:00
  Sent read up to 2026-11-20 09:15
"
        )
    );
    let past = Explanation { expires_at: at("2026-11-19T09:00:00Z"), ..explanation };
    assert!(printed(true, 80, |o| explain::print_one(o, &past)).contains("; ran out yesterday, 2026-11-19 10:00"));
}

#[test]
fn status_names_what_is_wrong_and_since_when() {
    let source = |name: &str, state: &str, error: Option<&str>| SourceRow {
        name: name.to_string(),
        kind: "mailbox".to_string(),
        state: state.to_string(),
        last_success_at: None,
        covered_until: error.is_none().then(|| at("2026-11-20T08:58:00Z")),
        last_error: error.map(str::to_string),
        read: 12,
        folders: Vec::new(),
    };
    let status = Status {
        version: "1".to_string(),
        ready: true,
        now: at("2026-11-20T09:00:00Z"),
        sources: vec![
            source("work", "ok", None),
            source(
                "old",
                "failing",
                Some("the folder /home/alex/Mail/old is not there: is the disk mounted, or the name wrong?"),
            ),
        ],
        held: vec![HeldRow {
            reminder: reminder("held").id,
            source: "old".to_string(),
            since: at("2026-11-19T09:00:00Z"),
            why: "old was last read at 2026-11-19T08:00:00Z".to_string(),
        }],
        complaints: Vec::new(),
        counts: StatusCounts { contacts: 2, interactions: 3, reminders: 1 },
        next_wake_at: Some(at("2026-11-20T09:05:00Z")),
        quiet_until: None,
    };
    let text = printed(true, 60, |o| status::print_status(o, &status));
    let id = reminder("held").id;
    assert_eq!(
        text,
        format!(
            "kithd 1 as of 2026-11-20 10:00
2 contacts, 3 interactions, 1 open reminders
next look in 5 minutes, 2026-11-20 10:05

Sources
  work  ok       12 read  mailbox
      whole up to 2 minutes ago, 2026-11-20 09:58
  old   failing  12 read  mailbox
      never read to its end
      the folder /home/alex/Mail/old is not there: is the
      disk mounted, or the name wrong?

Held back
  {id} old was last read at 2026-11-19 09:00
      since yesterday, 2026-11-19 10:00
"
        )
    );
}
