//! Evidence of one contact to their history with the user. Floor 3.
//!
//! Invariant: a history is a pure function of facts, people and `now`; it is never stored. What it
//! says of class, direction and attendance is settled here and nowhere else.

pub mod letters;
pub mod meetings;
pub mod rhythm;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use crate::address::{AddrSpec, Address};
use crate::evidence::{Card, Class, EvidenceId, Mail, Meeting, MessageId, SourceName};
use crate::identity::{ContactId, Me, Name};
use crate::time::{Hours, Span, Timestamp};

pub use letters::{Direction, Letter, Part};
pub use meetings::{Attendance, Believed, Encounter};
pub use rhythm::Rhythm;

/// Who a contact is: what identity found and what the user said of them.
#[derive(Clone, PartialEq, Debug)]
pub struct Person {
    /// Stable id.
    pub id: ContactId,
    /// What to call them.
    pub name: String,
    /// All their addresses.
    pub addresses: BTreeSet<AddrSpec>,
    /// What they are to the user, where that was said.
    pub relationship: Option<String>,
    /// The user's own interval.
    pub every: Option<Span>,
    /// No reminders.
    pub muted: bool,
    /// The user said: a person, whatever the headers say.
    pub person: bool,
    /// The user said: no person.
    pub ignored: bool,
    /// Is in the address book.
    pub in_book: bool,
    /// Addresses that may be theirs as well: what is said with them leaves the absence of anything in doubt.
    pub doubles: BTreeSet<AddrSpec>,
    /// Identity took the addresses for a desk, a placeholder or a machine.
    pub desk: bool,
}

/// Everything about one contact that a history is made of.
#[derive(Clone, PartialEq, Debug)]
pub struct Facts {
    /// Who.
    pub person: Person,
    /// Mail with one of their addresses in it; shared, as one contact is looked at as of several times.
    pub mails: Vec<Arc<Mail>>,
    /// Mail of the same threads, and to people met together with them, that does not name them.
    pub aside: Vec<Arc<Mail>>,
    /// Meetings that name them.
    pub meetings: Vec<Meeting>,
    /// Their cards.
    pub cards: Vec<Card>,
    /// When the user said `done` to a reminder about them.
    pub done_at: Vec<Timestamp>,
    /// Occasion and cause of every reminder about them that was shown.
    pub shown: Vec<(String, String)>,
    /// Whose address an address is, for everybody these facts name.
    pub people: BTreeMap<AddrSpec, (ContactId, String)>,
}

/// Whose history, and how calendars are to be believed.
#[derive(Clone, PartialEq, Debug)]
pub struct Viewpoint {
    /// The user.
    pub me: Me,
    /// Calendars that are the user's own: only they say what the user accepted.
    pub own_calendars: BTreeSet<SourceName>,
    /// Working hours, for what is counted in working days.
    pub hours: Hours,
    /// The oldest fact of any source.
    pub known_since: Timestamp,
    /// P90 of the user's own replies to anybody, in seconds.
    pub my_p90: i64,
}

/// One contact between the user and the person.
#[derive(Clone, PartialEq, Debug)]
pub struct Interaction {
    /// When.
    pub at: Timestamp,
    /// How.
    pub kind: Kind,
    /// Subject or summary.
    pub subject: String,
    /// Where it was read.
    pub source: SourceName,
    /// Message-ID, or the key of the meeting.
    pub evidence: String,
    /// The fact.
    pub id: EvidenceId,
    /// What it counts for strength, before age.
    pub weight: f64,
    /// Moves `last_*` and gaps (To, or list mail that answers me; a meeting that counts).
    pub counts: bool,
}

/// How an interaction took place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Mail from the user.
    Sent,
    /// Mail to the user.
    Received,
    /// A meeting.
    Met,
}

impl Kind {
    /// The word of the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Sent => "sent",
            Kind::Received => "received",
            Kind::Met => "met",
        }
    }
}

/// The history of one contact.
#[derive(Clone, Debug)]
pub struct ContactHistory {
    /// Who.
    pub person: Person,
    /// Passed the gate of INFERENCE 5.
    pub is_contact: bool,
    /// Only desks: `support@`, `info@`.
    pub is_role: bool,
    /// Works elsewhere, by the registrable domain.
    pub external: bool,
    /// Mail between the two, oldest first.
    pub letters: Vec<Letter>,
    /// Message-IDs of what the user wrote to them.
    written: HashSet<MessageId>,
    /// Other mail of the same threads, oldest first.
    pub aside: Vec<Letter>,
    /// Meetings with them, oldest first, past and planned.
    pub encounters: Vec<Encounter>,
    /// Interactions, oldest first.
    pub interactions: Vec<Interaction>,
    /// Cards.
    pub cards: Vec<Card>,
    /// When the user said `done`.
    pub done_at: Vec<Timestamp>,
    /// Rhythm and reply times.
    pub rhythm: Rhythm,
    /// What strength is made of.
    pub mass: f64,
    /// 0 to 100; 60 and more is strong.
    pub strength: u8,
    /// 0 to 1.
    pub reciprocity: f64,
    /// A hard bounce says the address is dead, and nothing came from them since.
    pub dead: bool,
    /// Out of office until then.
    pub away_until: Option<Timestamp>,
    /// Occasion and cause of every reminder about them that was shown.
    pub shown: Vec<(String, String)>,
    /// Whose address an address is.
    pub people: BTreeMap<AddrSpec, (ContactId, String)>,
    /// The user.
    pub me: Me,
    /// The oldest fact of any source.
    pub known_since: Timestamp,
}

/// Makes the history of one contact as of `now`; facts after `now` are left out, planned meetings aside.
pub fn history(facts: Facts, view: &Viewpoint, now: Timestamp) -> ContactHistory {
    let Facts { person, mails, mut aside, meetings, cards, done_at, shown, people } = facts;
    let (mails, others): (Vec<Arc<Mail>>, Vec<Arc<Mail>>) =
        mails.into_iter().partition(|m| letters::is_between(m, &person, &view.me));
    aside.extend(others);
    let is_role = !person.in_book && !person.person && (person.desk || person.addresses.iter().all(AddrSpec::is_role));
    let external = is_external(&person.addresses, &view.me);
    let mut letters = letters::settle(&mails, &aside, &person, &view.me, !meetings.is_empty(), now);
    let mut aside = letters::settle_aside(&aside, &view.me, now);
    letters::number_threads(&mut letters, &mut aside);
    let encounters = meetings::encounters(meetings, &person, view, now);
    let interactions = interactions(&letters, &encounters, now);
    let gate = gate(&person, &letters, &encounters, is_role);
    let rhythm = rhythm::measure(&interactions, &letters, view);
    let (mass, reciprocity) = (rhythm::mass(&interactions, now), rhythm::reciprocity(&letters));
    let last_from_them = letters.iter().rev().find(|l| l.is_received_person()).map(|l| l.mail.at);
    let bounced = letters::hard_bounce(&letters);
    let dead = bounced.is_some_and(|at| last_from_them.is_none_or(|heard| heard < at));
    let away_until = letters::away_until(&letters, &view.hours.zone);
    let sent = letters.iter().filter(|l| l.direction == Direction::Sent);
    let written = sent.filter_map(|l| l.mail.message_id.clone()).collect();
    ContactHistory {
        is_contact: gate && !person.ignored,
        person,
        is_role,
        external,
        letters,
        written,
        aside,
        encounters,
        interactions,
        cards,
        done_at,
        rhythm,
        mass,
        strength: rhythm::strength(mass),
        reciprocity,
        dead,
        away_until,
        shown,
        people,
        me: view.me.clone(),
        known_since: view.known_since,
    }
}

/// Another registrable domain than the user's own ones; free mail is always external.
pub fn is_external(addresses: &BTreeSet<AddrSpec>, me: &Me) -> bool {
    !addresses.iter().any(|a| {
        !a.is_free_mail()
            && me.addresses.iter().any(|m| !m.is_free_mail() && m.registrable_domain() == a.registrable_domain())
    })
}

/// INFERENCE 5: mail in both directions, an accepted meeting of 8 or fewer, the address book, or the user's word.
fn gate(person: &Person, letters: &[Letter], encounters: &[Encounter], is_role: bool) -> bool {
    if person.person || person.in_book {
        return true;
    }
    let sent = letters.iter().any(|l| l.direction == Direction::Sent && l.class == Class::Person && l.part != Part::Cc);
    let received = letters.iter().any(Letter::is_received_person);
    let met = encounters.iter().any(|e| matches!(e.attendance, Attendance::Met { .. }));
    (sent && received) || (met && !is_role)
}

fn interactions(letters: &[Letter], encounters: &[Encounter], now: Timestamp) -> Vec<Interaction> {
    let mails = letters.iter().filter(|l| l.interacts).map(|l| Interaction {
        at: l.mail.at,
        kind: if l.direction == Direction::Sent { Kind::Sent } else { Kind::Received },
        subject: l.mail.subject.clone(),
        source: l.mail.places.first().map(|p| p.source.clone()).unwrap_or_default(),
        evidence: l.mail.message_id.as_ref().map_or_else(|| l.mail.id.to_string(), MessageId::to_string),
        id: l.mail.id,
        weight: l.weight,
        counts: l.part == Part::To || l.part == Part::ListAnswer,
    });
    let meetings = encounters.iter().filter(|e| e.end <= now).filter_map(|e| {
        let (weight, counts) = match e.attendance {
            Attendance::Met { weight } => (weight, true),
            Attendance::Attended { weight } => (weight, false),
            Attendance::None(_) => return None,
        };
        let (kind, subject, source) = (Kind::Met, e.summary.clone(), e.source.clone());
        Some(Interaction {
            at: e.start,
            kind,
            subject,
            source,
            evidence: e.key.to_string(),
            id: e.key.id(),
            weight,
            counts,
        })
    });
    let mut all: Vec<Interaction> = mails.chain(meetings).collect();
    all.sort_by_key(|a| (a.at, a.id));
    all
}

impl ContactHistory {
    /// Keeps who it is about and these interactions: all that is asked of it once its rules were heard.
    pub fn forget_all_but(&mut self, kept: impl Fn(&Interaction) -> bool) {
        self.interactions.retain(kept);
        (self.letters, self.written, self.aside, self.encounters, self.cards) = Default::default();
    }

    /// The latest interaction that counts, of one kind or of any.
    pub fn last(&self, kind: Option<Kind>) -> Option<&Interaction> {
        self.interactions.iter().rev().find(|i| i.counts && kind.is_none_or(|k| k == i.kind))
    }

    /// The earliest interaction that counts.
    pub fn first(&self) -> Option<&Interaction> {
        self.interactions.iter().find(|i| i.counts)
    }

    /// The latest contact of any kind, the user's `done` included.
    pub fn last_contact_at(&self) -> Option<Timestamp> {
        self.last(None).map(|i| i.at).max(self.done_at.iter().copied().max())
    }

    /// The next meeting that is planned with them after `now`.
    pub fn next_meeting(&self, now: Timestamp) -> Option<&Encounter> {
        self.encounters.iter().find(|e| e.start > now && e.is_on())
    }

    /// Mail from the user to them after `at`, in any part of the header, oldest first.
    pub fn sent_since(&self, at: Timestamp) -> impl Iterator<Item = &Letter> {
        self.letters.iter().filter(move |l| l.direction == Direction::Sent && l.mail.at > at && l.interacts)
    }

    /// Mail a person wrote to the user from one of their addresses after `at`, oldest first.
    pub fn received_since(&self, at: Timestamp) -> impl Iterator<Item = &Letter> {
        self.letters.iter().filter(move |l| l.is_received_person() && l.mail.at > at)
    }

    /// Mail they sent to the user and to a list after `at`: no interaction, but not silence either.
    pub fn heard_by_list(&self, at: Timestamp) -> Option<&Letter> {
        let by_list = |l: &&Letter| l.class == Class::List && l.part == Part::To && l.mail.at > at;
        self.letters.iter().filter(|l| l.direction == Direction::Received).find(by_list)
    }

    /// A mail from the user to them after `at` that thanks and does not itself ask for something.
    pub fn thanked_since(&self, at: Timestamp) -> Option<&Letter> {
        self.sent_since(at).find(|l| l.thanks())
    }

    /// A meeting with them that counts and ended between `from` and `now`.
    pub fn met_since(&self, from: Timestamp, now: Timestamp) -> Option<&Encounter> {
        let met = |e: &&Encounter| e.end <= now && e.start > from && matches!(e.attendance, Attendance::Met { .. });
        self.encounters.iter().find(met)
    }

    /// All letters of the thread of `mail`, oldest first; none where it is not among them.
    pub fn thread(&self, mail: &Mail) -> Vec<&Letter> {
        let all = || self.letters.iter().chain(&self.aside);
        let Some(thread) = all().find(|l| l.mail.id == mail.id).map(|l| l.thread) else { return Vec::new() };
        let mut found: Vec<&Letter> = all().filter(|l| l.thread == thread).collect();
        found.sort_by_key(|l| (l.mail.at, l.mail.id));
        found
    }

    /// Letters that answer `mail`: they name its Message-ID as an ancestor.
    pub fn answers_to<'a>(&'a self, mail: &'a Mail) -> impl Iterator<Item = &'a Letter> {
        let id = mail.message_id.as_ref();
        let names = move |l: &&Letter| id.is_some_and(|id| l.mail.ancestors().any(|a| a == id));
        self.letters.iter().chain(&self.aside).filter(names)
    }

    /// Mail after `at` that may be with them as well: with an address that may be theirs, or from somebody of their
    /// name who answers what the user wrote to them.
    pub fn doubtful_since(&self, at: Timestamp, heard: bool) -> bool {
        let is_double = |a: &Address| self.person.doubles.contains(&a.address);
        let is_named = |a: &Address| {
            let names = a.name.as_deref().and_then(Name::read).zip(Name::read(&self.person.name));
            names.is_some_and(|(theirs, known)| theirs.is_same_as(&known))
        };
        self.aside.iter().filter(|l| l.mail.at > at).any(|l| match l.direction {
            Direction::Sent => l.mail.to.iter().chain(&l.mail.cc).any(is_double),
            Direction::Received => {
                let is_theirs = |a: &Address| is_double(a) || self.answers_the_user(&l.mail) && is_named(a);
                heard && l.class == Class::Person && l.mail.sender().is_some_and(is_theirs)
            }
        })
    }

    /// Does it name as an ancestor what the user wrote to them?
    fn answers_the_user(&self, mail: &Mail) -> bool {
        mail.ancestors().any(|a| self.written.contains(a))
    }

    /// Was the last that came from them a machine's answer to the user, without a day of return? They may have
    /// left, and nobody reads what is sent there.
    pub fn machine_answered(&self) -> bool {
        let answers = |l: &Letter| l.class == Class::Auto && self.answers_the_user(&l.mail);
        let mut received = self.letters.iter().rev().filter(|l| l.direction == Direction::Received);
        let last = received.find(|l| l.is_received_person() || answers(l));
        last.is_some_and(|l| l.class == Class::Auto && l.mail.out_of_office.is_none_or(|o| o.until.is_none()))
    }

    /// Whose address it is; `None` for the user and for strangers.
    pub fn contact_of(&self, address: &AddrSpec) -> Option<ContactId> {
        self.people.get(address).map(|(id, _)| *id)
    }

    /// What to call the owner of an address.
    pub fn name_of(&self, address: &AddrSpec) -> String {
        self.people.get(address).map_or_else(|| address.to_string(), |(_, name)| name.clone())
    }

    /// The address to write to: the one the user last wrote to, else the one last heard from.
    pub fn preferred_address(&self) -> Option<AddrSpec> {
        let theirs = |a: &&crate::address::Address| self.person.addresses.contains(&a.address);
        let wrote = self.letters.iter().rev().filter(|l| l.direction == Direction::Sent);
        let heard = self.letters.iter().rev().filter(|l| l.direction == Direction::Received);
        let from_sent = wrote.filter_map(|l| l.mail.to.iter().find(theirs)).next();
        let from_received = heard.filter_map(|l| l.mail.from.iter().find(theirs)).next();
        let found = from_sent.or(from_received).map(|a| a.address.clone());
        found.or_else(|| self.person.addresses.iter().next().cloned())
    }
}
