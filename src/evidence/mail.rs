//! A message as kithd keeps it: headers that matter, class, and the few facts of its text. Floor 1.
//!
//! Invariant: the body is not kept; of its text only flags and the sentences a reminder may quote.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{EvidenceId, SourceName};
use crate::address::{AddrSpec, Address, clip};
use crate::limits;
use crate::time::{Date, Timestamp};

/// A Message-ID (RFC 5322 3.6.4) without its angle brackets, case kept.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct MessageId(String);

impl MessageId {
    /// `None` when empty; brackets, blanks and control characters are dropped, and it is cut at
    /// [`limits::MESSAGE_ID_BYTES`].
    pub fn new(text: &str) -> Option<MessageId> {
        let plain: String =
            text.chars().filter(|c| !c.is_control() && !c.is_whitespace() && !matches!(c, '<' | '>')).collect();
        let plain = clip(&plain, limits::MESSAGE_ID_BYTES);
        (!plain.is_empty()).then(|| MessageId(plain.to_string()))
    }

    /// Without brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a folder is for (RFC 6154 names where there are some).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Mail the user sent.
    Sent,
    /// The inbox.
    Inbox,
    /// Any other folder that is read.
    Other,
    /// A calendar collection or feed.
    Calendar,
    /// An address book.
    Cards,
}

/// Where a message lies.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Place {
    /// The mailbox of the config.
    pub source: SourceName,
    /// What the folder is for.
    pub role: Role,
}

/// Class of a message by its headers and wording (INFERENCE 1). The ledger settles it with history.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// A delivery status notification (RFC 3464) or a bounce in its spellings.
    Dsn,
    /// Written by a machine (RFC 3834), out-of-office included.
    Auto,
    /// An invitation or the answer to one.
    Calendar,
    /// A mailing list post (RFC 2919).
    List,
    /// A newsletter or campaign.
    Bulk,
    /// Written by a human to humans.
    Person,
}

impl Class {
    /// The word of the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Class::Dsn => "dsn",
            Class::Auto => "auto",
            Class::Calendar => "calendar",
            Class::List => "list",
            Class::Bulk => "bulk",
            Class::Person => "person",
        }
    }
}

/// One message.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Mail {
    /// Digest of the raw Message-ID, From and Date fields; without a Message-ID of From, To, Date, Subject.
    pub id: EvidenceId,
    /// `Message-ID`.
    pub message_id: Option<MessageId>,
    /// The `Date` field where it can be believed, else the arrival.
    pub at: Timestamp,
    /// Every mailbox of `From`; exactly one in sound mail. With none or several it is nobody's word.
    pub from: Vec<Address>,
    /// `To`, at most [`limits::RECIPIENTS`].
    pub to: Vec<Address>,
    /// `Cc`, at most [`limits::RECIPIENTS`].
    pub cc: Vec<Address>,
    /// `Bcc`, as the sender's own copy shows it.
    pub bcc: Vec<Address>,
    /// Mailboxes in `To` and `Cc` before anything was cut.
    pub recipients: u32,
    /// `In-Reply-To`, the first id in it.
    pub in_reply_to: Option<MessageId>,
    /// `References`, the first and the last ones.
    pub references: Vec<MessageId>,
    /// `Subject`, cut.
    pub subject: String,
    /// Where it lies, sorted. Only grows.
    pub places: Vec<Place>,
    /// Class by headers and wording.
    pub class: Class,
    /// Why: codes such as `list-id`, `auto-submitted`, `local-part:noreply`.
    pub class_reasons: Vec<String>,
    /// What the ledger needs to settle the class.
    pub signals: Signals,
    /// Facts of the text; `None` when only headers were read.
    pub text: Option<TextFacts>,
    /// An out-of-office answer.
    pub out_of_office: Option<OutOfOffice>,
    /// A bounce.
    pub bounce: Option<Bounce>,
    /// `X-Kithd-Reminder`: one of our own mails, never an interaction.
    pub own: Option<String>,
    /// The first lines of the new text, kept only where `In-Reply-To` names one of our own mails
    /// (its domain is ours): the user's answer.
    pub answer: Option<String>,
    /// Version of the reader that made these facts; a newer one's win.
    pub reader: u16,
}

impl Mail {
    /// The one From address; `None` when there is none or more than one.
    pub fn sender(&self) -> Option<&Address> {
        match self.from.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Does it lie in a Sent mailbox?
    pub fn lies_in_sent(&self) -> bool {
        self.places.iter().any(|p| p.role == Role::Sent)
    }

    /// From, To, Cc and Bcc.
    pub fn addresses(&self) -> impl Iterator<Item = &AddrSpec> {
        self.from.iter().chain(&self.to).chain(&self.cc).chain(&self.bcc).map(|a| &a.address)
    }

    /// Acts of the text, none where only headers were read.
    pub fn acts(&self) -> &[Act] {
        self.text.as_ref().map_or(&[], |t| &t.acts)
    }

    /// Marks of the text, all false where only headers were read.
    pub fn marks(&self) -> Marks {
        self.text.as_ref().map_or_else(Marks::default, |t| t.marks.clone())
    }

    /// Every id this message names as an ancestor, nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = &MessageId> {
        self.in_reply_to.iter().chain(self.references.iter().rev())
    }

    /// See [`super::Observation::join`]. Places only grow; of the rest the newer reader's win, and
    /// of one reader's the richer ones (text read, then the greater bytes, so that order is nothing).
    pub(super) fn join(&mut self, other: &Mail) -> bool {
        let mut places = self.places.clone();
        places.extend(other.places.iter().cloned());
        places.sort();
        places.dedup();
        let rank = |m: &Mail| (m.reader, m.text.is_some(), m.answer.is_some(), m.bcc.len(), format!("{m:?}"));
        let mine = (self.reader, self.text.is_some());
        let theirs = (other.reader, other.text.is_some());
        let mut bare = other.clone();
        bare.places.clone_from(&self.places);
        let take = theirs > mine || (theirs == mine && bare != *self && rank(&bare) > rank(self));
        let changed = take || places != self.places;
        if take {
            *self = bare;
        }
        self.places = places;
        changed
    }
}

/// What headers and structure say beside the class.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Signals {
    /// `List-Unsubscribe` is there.
    pub list_unsubscribe: bool,
    /// A list header is there (`List-Id`, `List-Post`, `Mailing-List`, `Precedence: list`).
    pub list: bool,
    /// Headers of a sales or campaign tool.
    pub sales_tool: bool,
    /// Points of INFERENCE 1.5 that wording and structure gave.
    pub bulk_points: i16,
}

/// What kind of act a sentence is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActKind {
    /// A question to the reader.
    Question,
    /// Asks the reader to do something.
    Request,
    /// The writer promises something.
    Commitment,
    /// Thanks for something done.
    Thanks,
    /// Brings two people together.
    Introduction,
    /// Something was done for the reader.
    Favour,
    /// Speaks of an interview.
    Interview,
}

/// One act and the sentence that shows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Act {
    /// What it is.
    pub kind: ActKind,
    /// The sentence, at most [`limits::SENTENCE_BYTES`].
    pub text: String,
    /// When it is due, as far as the sentence says.
    pub due: Option<Due>,
}

/// A date taken from a sentence, relative ones resolved against the mail's own date.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Due {
    /// The civil date.
    pub date: Date,
    /// Named outright ("by Friday", "before 3 May"); `false` for "soon", "asap".
    pub explicit: bool,
}

/// Facts of the new text of one message.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct TextFacts {
    /// In the order of the text, at most [`limits::ACTS`].
    pub acts: Vec<Act>,
    /// Words of the new text, closings aside.
    pub words: u32,
    /// The first word of the salutation's name, lower-case ("Hi Alex," gives `alex`).
    pub salutation: Option<String>,
    /// Flags.
    pub marks: Marks,
}

/// Flags of a new text. Each is generous or strict as its use needs, and says so.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Marks {
    /// A file is attached (no inline picture, no signature, no calendar part).
    pub attachment: bool,
    /// A web link stands in the new text.
    pub link: bool,
    /// Any thanks token, sign-offs included (generous: it closes reminders).
    pub thanks_token: bool,
    /// "attached", "as promised", "done", "here is" (generous).
    pub delivers: bool,
    /// "FYI", "no reply needed".
    pub no_reply_needed: bool,
    /// "no rush", "whenever you have time".
    pub no_rush: bool,
    /// A refusal ("unfortunately", "I have to decline", "not interested").
    pub declines: bool,
    /// Congratulations, birthday wishes (generous).
    pub congratulates: bool,
    /// Asks for or speaks of advice.
    pub advice: bool,
    /// "favour", "help" in a request.
    pub favour_asked: bool,
    /// Offers a call or demo, as a first sales mail does.
    pub offers_call: bool,
    /// Tells of a change in the writer's life.
    pub announces: Option<Announcement>,
    /// A promise or request names an invitation or introduction ("I'll set up a call", "I'll introduce you").
    pub promises_meeting: bool,
}

/// A change of life that people congratulate on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Announcement {
    /// A new job.
    NewJob,
    /// A promotion.
    Promotion,
    /// A wedding.
    Wedding,
    /// A child.
    Baby,
    /// Leaving.
    Farewell,
}

impl Announcement {
    /// As templates name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Announcement::NewJob => "new_job",
            Announcement::Promotion => "promotion",
            Announcement::Wedding => "wedding",
            Announcement::Baby => "baby",
            Announcement::Farewell => "farewell",
        }
    }
}

/// An automatic answer that says somebody is away.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OutOfOffice {
    /// Back on this day, where it says so.
    pub until: Option<Date>,
}

/// A delivery that failed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Bounce {
    /// 5.1.x: the address does not exist.
    pub hard: bool,
    /// Who was not reached.
    pub recipient: Option<AddrSpec>,
    /// The mail that did not arrive; believed only if it lies in my Sent.
    pub of: Option<MessageId>,
}
