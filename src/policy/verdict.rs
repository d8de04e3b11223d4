//! A verdict: one cause, its points, vetoes and what closed it. Part of `policy`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{OWN, SUMMARY};
use crate::address::AddrSpec;
use crate::evidence::{Mail, MessageId, ReminderId};
use crate::identity::ContactId;
use crate::ledger::{Encounter, Letter};
use crate::time::Timestamp;

/// The six rules.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Rule {
    ThankYou,
    FollowUp,
    ReplyOwed,
    Promise,
    KeepInTouch,
    Milestone,
}

impl Rule {
    /// All of them.
    pub const ALL: [Rule; 6] =
        [Rule::ThankYou, Rule::FollowUp, Rule::ReplyOwed, Rule::Promise, Rule::KeepInTouch, Rule::Milestone];

    /// The word of the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Rule::ThankYou => "thank_you",
            Rule::FollowUp => "follow_up",
            Rule::ReplyOwed => "reply_owed",
            Rule::Promise => "promise",
            Rule::KeepInTouch => "keep_in_touch",
            Rule::Milestone => "milestone",
        }
    }

    /// By its word.
    pub fn parse(text: &str) -> Option<Rule> {
        Rule::ALL.into_iter().find(|r| r.as_str() == text)
    }
}

/// A rule and its occasion.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Occasion {
    Interview,
    FirstMeeting,
    Introduction,
    Favour,
    Unanswered,
    AfterMeeting,
    ReplyOwed,
    Promise,
    KeepInTouch,
    Birthday,
    Anniversary,
    Announced,
    FirstMeetingYear,
}

impl Occasion {
    /// Whose it is.
    pub const fn rule(self) -> Rule {
        match self {
            Occasion::Interview | Occasion::FirstMeeting | Occasion::Introduction | Occasion::Favour => Rule::ThankYou,
            Occasion::Unanswered | Occasion::AfterMeeting => Rule::FollowUp,
            Occasion::ReplyOwed => Rule::ReplyOwed,
            Occasion::Promise => Rule::Promise,
            Occasion::KeepInTouch => Rule::KeepInTouch,
            Occasion::Birthday | Occasion::Anniversary | Occasion::Announced | Occasion::FirstMeetingYear => {
                Rule::Milestone
            }
        }
    }

    /// The word of the contract; the rule's own name where it has only one.
    pub const fn as_str(self) -> &'static str {
        match self {
            Occasion::Interview => "interview",
            Occasion::FirstMeeting => "first_meeting",
            Occasion::Introduction => "introduction",
            Occasion::Favour => "favour",
            Occasion::Unanswered => "unanswered",
            Occasion::AfterMeeting => "after_meeting",
            Occasion::ReplyOwed => "reply_owed",
            Occasion::Promise => "promise",
            Occasion::KeepInTouch => "keep_in_touch",
            Occasion::Birthday => "birthday",
            Occasion::Anniversary => "anniversary",
            Occasion::Announced => "announced",
            Occasion::FirstMeetingYear => "first_meeting_year",
        }
    }
}

/// What was given or taken, and for what.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Point {
    /// Tenths of a point.
    pub tenths: i32,
    /// For what, in plain words.
    pub why: String,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.tenths < 0 { '-' } else { '+' };
        let n = self.tenths.unsigned_abs();
        write!(f, "{sign}{}", n / 10)?;
        if !n.is_multiple_of(10) {
            write!(f, ".{}", n % 10)?;
        }
        write!(f, " {}", self.why)
    }
}

/// One fact a reminder states.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Fact {
    /// A point in time.
    Time(Timestamp),
    /// A number.
    Number(i64),
    /// Words.
    Text(String),
    /// Several.
    List(Vec<String>),
}

/// What an absence rests on; a reminder that states one is held where it is not covered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Needs {
    /// "No mail from you": every Sent.
    pub sent: bool,
    /// "No answer": every mail folder.
    pub folders: bool,
    /// The user's own calendars.
    pub calendars: bool,
}

/// The mail a reminder is about, so that it can stand in its conversation and the answer in its thread.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct About {
    /// Its Message-ID.
    pub message_id: Option<MessageId>,
    /// Its ancestors, oldest first.
    pub references: Vec<MessageId>,
    /// Its subject.
    pub subject: String,
}

impl About {
    /// Of a mail.
    pub fn mail(mail: &Mail) -> About {
        let mut references: Vec<MessageId> = mail.references.clone();
        references.extend(mail.in_reply_to.iter().filter(|id| !mail.references.contains(id)).cloned());
        About { message_id: mail.message_id.clone(), references, subject: mail.subject.clone() }
    }
}

/// What holds of a verdict at a point in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Its time has not come.
    Waiting,
    /// It is owed now.
    Due,
    /// Evidence closed it.
    Closed,
    /// Something speaks against it.
    Vetoed,
    /// Too few points for anything but `explain`.
    Low,
    /// Its time has passed.
    Expired,
}

/// One cause and what is to be said about it.
#[derive(Clone, PartialEq, Debug)]
pub struct Verdict {
    /// The same for the same cause, for ever.
    pub id: ReminderId,
    /// Rule and occasion.
    pub occasion: Occasion,
    /// The cause, as hashed.
    pub cause: String,
    /// 1 or 2 of a follow-up, the year of a milestone, the interval of a keep-in-touch.
    pub step: u32,
    /// Whose.
    pub contact: Option<ContactId>,
    /// From then on.
    pub due_at: Timestamp,
    /// Never after.
    pub expires_at: Timestamp,
    /// The base first.
    pub points: Vec<Point>,
    /// What speaks against it.
    pub vetoes: Vec<String>,
    /// Not its own mail, whatever the points, and why.
    pub summary_only: Option<&'static str>,
    /// The evidence that closed it: Message-ID or key, and when.
    pub closed_by: Option<(String, Timestamp)>,
    /// What it rests on: Message-IDs and keys.
    pub evidence: Vec<String>,
    /// The mail it is about.
    pub about: Option<About>,
    /// The address to write to.
    pub address: Option<AddrSpec>,
    /// What the absence rests on.
    pub needs: Needs,
    /// May come although the contact had a reminder this week.
    pub pressing: bool,
    /// What it states.
    pub facts: BTreeMap<String, Fact>,
}

impl Verdict {
    /// A verdict with its base points.
    pub fn new(
        occasion: Occasion,
        cause: String,
        step: u32,
        due_at: Timestamp,
        expires_at: Timestamp,
        base: i32,
    ) -> Verdict {
        Verdict {
            id: ReminderId::of(occasion.rule().as_str(), occasion.as_str(), &cause, step),
            occasion,
            cause,
            step,
            contact: None,
            due_at,
            expires_at,
            points: vec![Point { tenths: base, why: "to begin with".to_string() }],
            vetoes: Vec::new(),
            summary_only: None,
            closed_by: None,
            evidence: Vec::new(),
            about: None,
            address: None,
            needs: Needs::default(),
            pressing: false,
            facts: BTreeMap::new(),
        }
    }

    /// Gives (or takes) points where `holds`.
    pub fn point_if(&mut self, holds: bool, tenths: i32, why: &str) {
        if holds {
            self.points.push(Point { tenths, why: why.to_string() });
        }
    }

    /// Speaks against it where `holds`.
    pub fn veto_if(&mut self, holds: bool, why: &str) {
        if holds && !self.vetoes.iter().any(|v| v == why) {
            self.vetoes.push(why.to_string());
        }
    }

    /// Keeps it out of mails of its own.
    pub fn summary_at_most(&mut self, why: &'static str) {
        self.summary_only.get_or_insert(why);
    }

    /// Closed by a mail.
    pub fn close_by_letter(&mut self, letter: Option<&Letter>) {
        if let (Some(l), None) = (letter, &self.closed_by) {
            self.closed_by = Some((letter_id(l), l.mail.at));
        }
    }

    /// Closed by a meeting.
    pub fn close_by_meeting(&mut self, encounter: Option<&Encounter>, at: Timestamp) {
        if let (Some(e), None) = (encounter, &self.closed_by) {
            self.closed_by = Some((e.key.to_string(), at));
        }
    }

    /// States a fact.
    pub fn fact(&mut self, name: &str, fact: Fact) {
        self.facts.insert(name.to_string(), fact);
    }

    /// Rests on a mail, which it is about.
    pub fn about_mail(&mut self, letter: &Letter) {
        self.evidence.push(letter_id(letter));
        self.about = Some(About::mail(&letter.mail));
        self.fact("subject", Fact::Text(letter.mail.subject.clone()));
        self.fact("at", Fact::Time(letter.mail.at));
    }

    /// Rests on a meeting.
    pub fn about_meeting(&mut self, encounter: &Encounter) {
        self.evidence.push(encounter.key.to_string());
        self.fact("meeting", Fact::Text(encounter.summary.clone()));
        self.fact("at", Fact::Time(encounter.start));
        self.fact("minutes", Fact::Number(encounter.end.since(encounter.start) / 60));
        self.fact("humans", Fact::Number(i64::from(encounter.humans)));
    }

    /// Points in tenths.
    pub fn score(&self) -> i32 {
        self.points.iter().map(|p| p.tenths).sum::<i32>().clamp(0, 100)
    }

    /// Enough for a mail of its own?
    pub fn is_own(&self) -> bool {
        self.score() >= OWN && self.summary_only.is_none()
    }

    /// What holds at `now`.
    pub fn standing(&self, now: Timestamp) -> Standing {
        if self.closed_by.is_some() {
            Standing::Closed
        } else if !self.vetoes.is_empty() {
            Standing::Vetoed
        } else if now >= self.expires_at {
            Standing::Expired
        } else if self.score() < SUMMARY {
            Standing::Low
        } else if now < self.due_at {
            Standing::Waiting
        } else {
            Standing::Due
        }
    }
}

/// How the contract names a letter: its Message-ID, or its evidence id where it has none.
fn letter_id(letter: &Letter) -> String {
    letter.mail.message_id.as_ref().map_or_else(|| letter.mail.id.to_string(), MessageId::to_string)
}

/// Does the contract name this letter so? Asked of every letter of a history: most are told by what they have.
pub fn is_letter(letter: &Letter, id: &str) -> bool {
    letter.mail.message_id.as_ref().map_or_else(|| letter.mail.id.to_string() == id, |named| named.as_str() == id)
}
