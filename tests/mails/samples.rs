//! Invented entries of every occasion, and their mails.

use std::collections::BTreeMap;

use kithd::address::{AddrSpec, Address};
use kithd::evidence::{Envelope, MessageId};
use kithd::identity::ContactId;
use kithd::outbox::compose::{Bar, Content, LastContact, Letterhead, Line, Section, compose, message_id, reason};
use kithd::outbox::words::Words;
use kithd::outbox::{Entry, EntryKind, Whom};
use kithd::policy::{About, Fact, Occasion, Verdict};
use kithd::time::{DAY, Timestamp, Zone};
use minijinja::context;
use serde_json::{Value, json};

/// The user's now: a Wednesday in Berlin.
pub fn now() -> Timestamp {
    Timestamp::parse("2026-05-13T09:31:00Z").unwrap()
}

fn zone() -> Zone {
    Zone::named("Europe/Berlin").unwrap()
}

pub fn words(language: &str) -> Words {
    Words::new(language, &zone(), now()).unwrap()
}

/// One occasion with its facts, as the rules give them.
pub struct Sample {
    pub title: &'static str,
    occasion: Occasion,
    step: u32,
    facts: Value,
}

/// Every occasion, and every branch of its phrases.
pub fn samples() -> Vec<Sample> {
    let of = |title, occasion, facts| Sample { title, occasion, step: 1, facts };
    let coffee = json!({"meeting": "Coffee", "at": "2026-05-12T13:00:00Z", "minutes": 30, "humans": 2});
    let ask = "Könntest du mir die Folien schicken?";
    let rhythm = json!({"at": "2026-02-01T10:00:00Z", "how": "mail", "days": 101, "usual_days": 35, "gaps": 12, "longest_days": 63});
    let silence = |mut more: Value| {
        let base = json!({"at": "2026-04-01T10:00:00Z", "how": "meeting", "days": 42});
        more.as_object_mut().unwrap().extend(base.as_object().unwrap().clone());
        more
    };
    let news = |what: &str| json!({"at": "2026-05-12T13:00:00Z", "what": what});
    vec![
        of(
            "thanks for an interview",
            Occasion::Interview,
            json!({"meeting": "Interview: Lead Service Designer", "at": "2026-05-12T13:00:00Z", "minutes": 45, "humans": 3, "names": ["Ivy Lang", "Jon Berg", "Inés Roe"]}),
        ),
        of("thanks for a first meeting", Occasion::FirstMeeting, coffee.clone()),
        of(
            "thanks for an introduction",
            Occasion::Introduction,
            json!({"at": "2026-05-12T13:00:00Z", "introduced": "Zoe Ray"}),
        ),
        of(
            "thanks for a favour asked for",
            Occasion::Favour,
            json!({"asked": "Could you do me a favour and review my paper?", "asked_at": "2026-05-01T08:00:00Z", "at": "2026-05-12T13:00:00Z"}),
        ),
        of(
            "thanks for a favour",
            Occasion::Favour,
            json!({"quote": "I have put in a good word for you.", "at": "2026-05-12T13:00:00Z"}),
        ),
        of(
            "no answer",
            Occasion::Unanswered,
            json!({"quote": ask, "at": "2026-05-06T08:00:00Z", "working_days": 5, "usual_days": 2, "usual_count": 9, "usual_of": 10}),
        ),
        of(
            "no answer, usually within a day",
            Occasion::Unanswered,
            json!({"quote": ask, "at": "2026-05-06T08:00:00Z", "working_days": 5, "usual_days": 1, "usual_count": 6, "usual_of": 6}),
        ),
        Sample {
            title: "no answer, the second time",
            occasion: Occasion::Unanswered,
            step: 2,
            facts: json!({"quote": ask, "at": "2026-05-12T08:00:00Z", "working_days": 1}),
        },
        of("after a first meeting", Occasion::AfterMeeting, coffee),
        of("an answer is owed", Occasion::ReplyOwed, json!({"quote": ask, "at": "2026-05-11T08:00:00Z"})),
        of(
            "an answer is owed, asked twice",
            Occasion::ReplyOwed,
            json!({"quote": ask, "at": "2026-05-06T08:00:00Z", "again_at": "2026-05-11T08:00:00Z"}),
        ),
        of(
            "a promise",
            Occasion::Promise,
            json!({"quote": "Ich schicke dir den Entwurf.", "at": "2025-10-02T08:00:00Z"}),
        ),
        of(
            "a promise for a day",
            Occasion::Promise,
            json!({"quote": "I’ll send you the draft by Friday", "at": "2026-05-12T08:00:00Z", "promised_for": "2026-05-15T07:00:00Z"}),
        ),
        of("silence beyond the rhythm", Occasion::KeepInTouch, rhythm),
        of("silence beyond an interval", Occasion::KeepInTouch, silence(json!({"every": "6w"}))),
        of("silence beyond a month", Occasion::KeepInTouch, silence(json!({"every": "1mo"}))),
        of("silence beyond a relationship", Occasion::KeepInTouch, silence(json!({"relationship": "mentor"}))),
        of(
            "silence beyond a relationship of one’s own",
            Occasion::KeepInTouch,
            silence(json!({"relationship": "book_club", "how": "as you said"})),
        ),
        of("a birthday", Occasion::Birthday, json!({"day": "2026-05-17T10:00:00Z"})),
        of("an anniversary", Occasion::Anniversary, json!({"day": "2026-06-01T10:00:00Z", "years": 10})),
        of("a new job", Occasion::Announced, news("new_job")),
        of("a promotion", Occasion::Announced, news("promotion")),
        of("a wedding", Occasion::Announced, news("wedding")),
        of("a baby", Occasion::Announced, news("baby")),
        of("a farewell", Occasion::Announced, news("farewell")),
        of(
            "a year since the first meeting",
            Occasion::FirstMeetingYear,
            json!({"day": "2026-05-14T10:00:00Z", "at": "2025-05-14T10:00:00Z", "meeting": "Lunch"}),
        ),
    ]
}

fn address(text: &str) -> AddrSpec {
    AddrSpec::parse(text).unwrap()
}

fn head(language: &str) -> Letterhead {
    let me = Address::new(Some("Alex Doe"), address("alex@example.org"));
    Letterhead { from: me.clone(), to: me, language: language.to_string(), zone: zone(), thread: true }
}

/// The entry the engine would keep of a sample.
pub fn entry(sample: &Sample, words: &Words) -> Entry {
    let facts: BTreeMap<String, Fact> = serde_json::from_value(sample.facts.clone()).unwrap();
    let mut v = Verdict::new(sample.occasion, sample.title.to_string(), sample.step, now(), now().plus(14 * DAY), 60);
    v.facts = facts;
    v.needs.sent = sample.occasion != Occasion::FirstMeetingYear;
    v.about = matches!(sample.occasion, Occasion::ReplyOwed | Occasion::Unanswered).then(|| About {
        message_id: MessageId::new("d1@uni.example"),
        references: Vec::new(),
        subject: "Slides & „Folien“".to_string(),
    });
    let dana = address("dana@uni.example");
    let whom = Whom { id: ContactId::of(&dana), name: "Dana Ito".to_string(), address: Some(dana), relationship: None };
    let why = reason(words, &v, &whom.name);
    Entry::of_verdict(&v, whom, why)
}

fn mail(mut entry: Entry, content: &Content, words: &Words) -> Envelope {
    let id = entry.id;
    entry.begin(|showing| message_id(&[7; 32], id, showing));
    compose(&entry, content, words, &head(words.language), now()).unwrap()
}

/// The mail of a sample.
pub fn reminder(sample: &Sample, words: &Words) -> Envelope {
    let last = |at: &str, kind, subject: &str| LastContact {
        at: Timestamp::parse(at).unwrap(),
        kind,
        subject: subject.to_string(),
    };
    let content = Content {
        last: vec![
            last("2026-05-12T13:00:00Z", "met", "Coffee"),
            last("2026-05-07T09:00:00Z", "received", "Re: Coffee?"),
            last("2025-05-01T09:00:00Z", "sent", ""),
        ],
        sent_until: Some(now()),
        ..Content::default()
    };
    mail(entry(sample, words), &content, words)
}

/// A reminder into which a second one was merged, with words that would like to be markup.
pub fn merged(words: &Words) -> Envelope {
    let all = samples();
    let mut first = entry(&all[9], words);
    first.reason.push_str(" <b>& \"more\"</b>");
    let content =
        Content { also: vec![("<script>2 < 3</script>".to_string(), "So & so.".to_string())], ..Content::default() };
    mail(first, &content, words)
}

/// A summary as the engine fills it.
pub fn summary(words: &Words) -> Envelope {
    let phrase = |key: &str| words.phrase("summary", key, &context! {});
    let picture = |name: &str, days: i64, usual: i64| Line {
        head: name.to_string(),
        body: words.phrase("summary", "silence", &context! { days => days, usual_days => usual }),
        bar: Some(Bar::new(days, usual)),
    };
    let all = samples();
    let item = |n: usize| {
        let entry = entry(&all[n], words);
        let head = kithd::outbox::compose::subject(words, &entry);
        Line { head, body: entry.reason, bar: None }
    };
    let met = ["Maya Hofstad", "Tomasz Zieliński"].map(str::to_string);
    let wrote = ["Lee Carter", "Inès Moreau", "Søren Ågård"].map(str::to_string).join(", ");
    let facts = context! { met => met.to_vec(), items => ["a", "b"] };
    let content = Content {
        subject: words.phrase("summary", "subject", &facts),
        intro: phrase("intro"),
        how: phrase("how"),
        sections: vec![
            Section { title: phrase("items"), numbered: true, lines: vec![item(13), item(19)], ..Section::default() },
            Section { title: phrase("met"), text: words.people(&met), ..Section::default() },
            Section {
                title: phrase("wrote"),
                text: words.phrase("summary", "more", &context! { names => wrote, n => 4 }),
                ..Section::default()
            },
            Section {
                title: phrase("near"),
                text: phrase("pace"),
                lines: vec![picture("Priya Nair", 3, 6), picture("Lee Carter", 0, 10), picture("Lena Doe", 1, 1)],
                ..Section::default()
            },
            Section {
                title: phrase("drifting"),
                text: phrase("pace"),
                lines: vec![picture("Sam Okafor", 95, 21), picture("Dana Ito", 74, 30)],
                ..Section::default()
            },
            Section {
                title: phrase("held"),
                lines: vec![Line { head: item(9).head, body: "mail: no folder \"Sent\"".to_string(), bar: None }],
                ..Section::default()
            },
        ],
        ..Content::default()
    };
    let entry = Entry::new(EntryKind::Summary, "summary", "summary", "2026-05-11", now(), now().plus(DAY));
    mail(entry, &content, words)
}

/// The help mail after an answer that was not understood.
pub fn help(words: &Words) -> Envelope {
    let phrase = |key: &str| words.phrase("help", key, &context! { text => "i am done with this" });
    let lines = words.list("help", "verbs").into_iter().map(|head| Line { head, ..Line::default() }).collect();
    let content = Content {
        subject: phrase("subject"),
        intro: format!("{} {}", phrase("unknown"), phrase("intro")),
        sections: vec![Section { lines, ..Section::default() }],
        ..Content::default()
    };
    mail(Entry::new(EntryKind::Help, "help", "help", "x", now(), now().plus(DAY)), &content, words)
}

/// A notice about a source.
pub fn notice(occasion: &str, words: &Words) -> Envelope {
    let facts = context! { source => "work", since => "2026-05-12T13:00:00Z", what => "`work`: the certificate of imap.example.org expired at 2026-05-12T12:58:00Z: who runs the server must renew it" };
    let subject = if occasion == "lost" { "failing_subject".to_string() } else { format!("{occasion}_subject") };
    let content = Content {
        subject: words.phrase("notice", &subject, &facts),
        intro: words.phrase("notice", occasion, &facts),
        ..Content::default()
    };
    mail(Entry::new(EntryKind::Notice, "notice", occasion, "x", now(), now().plus(DAY)), &content, words)
}

/// Everything kithd can send, with a title each.
pub fn all(words: &Words) -> Vec<(String, Envelope)> {
    let mut found: Vec<(String, Envelope)> =
        samples().iter().map(|s| (s.title.to_string(), reminder(s, words))).collect();
    found.push(("a summary".to_string(), summary(words)));
    found.push(("help".to_string(), help(words)));
    for occasion in ["failing", "lost", "well", "no_sent"] {
        found.push((format!("notice: {occasion}"), notice(occasion, words)));
    }
    found
}
