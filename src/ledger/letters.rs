//! Mail between the user and one contact: direction, part and settled class. Part of `ledger`.
//!
//! Invariant: only mail in a Sent mailbox is the user's own; a forged "From: me" is nobody's.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::Person;
use crate::address::AddrSpec;
use crate::evidence::{Act, ActKind, Class, Mail, MessageId};
use crate::identity::Me;
use crate::time::{DAY, Timestamp, Zone};

/// One-way mails after which a sender is bulk (INFERENCE 1.6).
const ONE_WAY: usize = 5;

/// Mails from which on a sentence that stands in most of them is no longer their writer's own.
const BANNER: usize = 3;

/// Who wrote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// The user.
    Sent,
    /// Somebody else.
    Received,
}

/// In what part the other one stands: of received mail the user, of sent mail the contact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// `To`.
    To,
    /// `Cc` or `Bcc`.
    Cc,
    /// A list post that answers the user and names them.
    ListAnswer,
    /// Not named: by a list, or by Bcc.
    Unnamed,
}

/// A mail with what is settled about it.
#[derive(Clone, PartialEq, Debug)]
pub struct Letter {
    /// The mail.
    pub mail: Arc<Mail>,
    /// Who wrote.
    pub direction: Direction,
    /// In what part.
    pub part: Part,
    /// Settled class.
    pub class: Class,
    /// An interaction between the two.
    pub interacts: bool,
    /// Weight for strength, before age.
    pub weight: f64,
    /// Letters with the same number are one thread.
    pub thread: usize,
}

impl Letter {
    /// A person wrote it to the user.
    pub fn is_received_person(&self) -> bool {
        self.direction == Direction::Received && self.class == Class::Person && self.interacts
    }

    /// The user wrote it, not their out-of-office.
    pub fn is_by_hand(&self) -> bool {
        self.direction == Direction::Sent && !matches!(self.class, Class::Auto | Class::Dsn)
    }

    /// Holds an act of this kind.
    pub fn has(&self, kind: ActKind) -> bool {
        self.mail.acts().iter().any(|a| a.kind == kind)
    }

    /// The first sentence that asks something of its reader.
    pub fn ask(&self) -> Option<&str> {
        let asks = |k| matches!(k, ActKind::Question | ActKind::Request);
        self.mail.acts().iter().find(|a| asks(a.kind)).map(|a| a.text.as_str())
    }

    /// Thanks in plain words; or in any, where it does not itself ask for something ("thanks" beneath
    /// a request thanks for nothing that was). Whose words were not read may have thanked.
    pub fn thanks(&self) -> bool {
        self.is_unread() || self.has(ActKind::Thanks) || (self.mail.marks().thanks_token && self.ask().is_none())
    }

    /// Only its headers are known (`bodies = false`): nobody may say what does not stand in it.
    pub fn is_unread(&self) -> bool {
        self.mail.text.is_none()
    }
}

/// Settles the mails of one contact as of `now`, oldest first.
pub fn settle(
    mails: &[Arc<Mail>],
    aside: &[Arc<Mail>],
    person: &Person,
    me: &Me,
    met: bool,
    now: Timestamp,
) -> Vec<Letter> {
    let mine: HashSet<&MessageId> =
        mails.iter().chain(aside).filter(|m| is_mine(m, me)).filter_map(|m| m.message_id.as_ref()).collect();
    let mut letters: Vec<Letter> =
        mails.iter().filter(|m| m.at <= now).filter_map(|m| letter(m.clone(), &mine, person, me)).collect();
    letters.sort_by_key(|a| (a.mail.at, a.mail.id));
    forget_banners(&mut letters);
    let wrote_to = |address: &AddrSpec, letters: &[Letter]| {
        letters.iter().any(|l| l.direction == Direction::Sent && l.class == Class::Person && named(&l.mail, address))
    };
    let lifted: BTreeSet<AddrSpec> =
        person.addresses.iter().filter(|a| person.person || wrote_to(a, &letters)).cloned().collect();
    for l in letters.iter_mut().filter(|l| l.direction == Direction::Received && l.class == Class::Bulk) {
        if l.mail.sender().is_some_and(|s| lifted.contains(&s.address)) {
            l.class = Class::Person;
            l.interacts = true;
        }
    }
    let received = letters.iter().filter(|l| l.is_received_person()).count();
    let sent = letters.iter().any(|l| l.direction == Direction::Sent && l.interacts);
    if received >= ONE_WAY && !sent && !met && !person.person && !person.in_book {
        for l in &mut letters {
            l.class = if l.class == Class::Person { Class::Bulk } else { l.class };
            l.interacts = false;
        }
    }
    letters
}

/// What stands in most mails of one writer ("Have you seen our new catalogue?") is their house's, not theirs: it
/// asks nobody and promises nothing.
fn forget_banners(letters: &mut [Letter]) {
    for direction in [Direction::Sent, Direction::Received] {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let read = || letters.iter().filter(|l| l.direction == direction && !l.is_unread());
        for letter in read() {
            for text in beside_more(&letter.mail).map(|a| a.text.to_lowercase()).collect::<BTreeSet<_>>() {
                *counts.entry(text).or_default() += 1;
            }
        }
        let total = read().count();
        counts.retain(|_, n| *n >= BANNER && n.saturating_mul(2) > total);
        if counts.is_empty() {
            continue;
        }
        for letter in letters.iter_mut().filter(|l| l.direction == direction) {
            let is_banner = |a: &&Act| counts.contains_key(&a.text.to_lowercase());
            let banners: BTreeSet<String> =
                beside_more(&letter.mail).filter(is_banner).map(|a| a.text.clone()).collect();
            if banners.is_empty() {
                continue;
            }
            if let Some(text) = Arc::make_mut(&mut letter.mail).text.as_mut() {
                text.acts.retain(|a| !banners.contains(&a.text));
            }
        }
    }
}

/// Acts of a mail that says more than that.
fn beside_more(mail: &Mail) -> impl Iterator<Item = &Act> {
    let words = mail.text.as_ref().map_or(0, |t| usize::try_from(t.words).unwrap_or(usize::MAX));
    mail.acts().iter().filter(move |a| a.text.split_whitespace().count() < words)
}

/// Settles mail of the same threads that does not name the contact.
pub fn settle_aside(mails: &[Arc<Mail>], me: &Me, now: Timestamp) -> Vec<Letter> {
    let mut letters: Vec<Letter> = mails
        .iter()
        .filter(|m| m.at <= now && !is_own(m) && !is_note_to_self(m, me))
        .map(|mail| {
            let direction = if is_mine(mail, me) { Direction::Sent } else { Direction::Received };
            let (class, mail) = (mail.class, mail.clone());
            Letter { direction, part: Part::Unnamed, class, interacts: false, weight: 0.0, thread: 0, mail }
        })
        .collect();
    letters.sort_by_key(|a| (a.mail.at, a.mail.id));
    letters
}

/// Did the user write it? It lies in Sent and is not somebody's mail to the user that was filed there.
pub fn is_mine(mail: &Mail, me: &Me) -> bool {
    let Some(sender) = mail.sender() else { return false };
    let to_me = || mail.to.iter().chain(&mail.cc).any(|a| me.is_me(&a.address));
    mail.lies_in_sent() && !is_own(mail) && (me.is_me(&sender.address) || !to_me())
}

/// Did the user write it to nobody else? Whatever it is filed under, it answers nobody.
fn is_note_to_self(mail: &Mail, me: &Me) -> bool {
    let mut to = mail.to.iter().chain(&mail.cc).chain(&mail.bcc).peekable();
    to.peek().is_some() && is_mine(mail, me) && to.all(|a| me.is_me(&a.address))
}

/// One of kithd's own mails, or an answer to one: never an interaction.
pub fn is_own(mail: &Mail) -> bool {
    mail.own.is_some() || mail.answer.is_some()
}

/// Numbers threads: letters that name the same Message-ID, as their own or as an ancestor, are one.
pub fn number_threads(letters: &mut [Letter], aside: &mut [Letter]) {
    let mut parent: Vec<usize> = (0..letters.len().saturating_add(aside.len())).collect();
    let mut first: HashMap<&MessageId, usize> = HashMap::new();
    for (n, letter) in letters.iter().chain(&*aside).enumerate() {
        for id in letter.mail.message_id.iter().chain(letter.mail.ancestors()) {
            let other = *first.entry(id).or_insert(n);
            join(&mut parent, n, other);
        }
    }
    for (n, letter) in letters.iter_mut().chain(aside).enumerate() {
        letter.thread = root(&mut parent, n);
    }
}

/// The root of a tree, and a shorter way to it.
fn root(parent: &mut [usize], n: usize) -> usize {
    let mut at = n;
    while let Some(up) = parent.get(at).copied().filter(|up| *up != at) {
        let above = parent.get(up).copied().unwrap_or(up);
        if let Some(slot) = parent.get_mut(at) {
            *slot = above;
        }
        at = up;
    }
    at
}

fn join(parent: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(parent, a), root(parent, b));
    if let Some(slot) = parent.get_mut(a.max(b)) {
        *slot = a.min(b);
    }
}

fn named(mail: &Mail, address: &AddrSpec) -> bool {
    mail.to.iter().chain(&mail.cc).chain(&mail.bcc).any(|a| a.address == *address)
}

/// Is this mail between the user and the person, or a bounce of one? What merely names the person is
/// somebody else's, and stands aside.
pub fn is_between(mail: &Mail, person: &Person, me: &Me) -> bool {
    let from_them = mail.sender().is_some_and(|s| person.addresses.contains(&s.address));
    from_them || mail.bounce.is_some() || is_own(mail) || is_mine(mail, me)
}

fn letter(mail: Arc<Mail>, mine: &HashSet<&MessageId>, person: &Person, me: &Me) -> Option<Letter> {
    if is_own(&mail) {
        return None;
    }
    let theirs = |a: &crate::address::Address| person.addresses.contains(&a.address);
    if is_mine(&mail, me) {
        let part = if mail.to.iter().any(theirs) { Part::To } else { Part::Cc };
        let class =
            if mail.class == Class::Person || mail.class == Class::Calendar { mail.class } else { sent_class(&mail) };
        let named = mail.to.iter().chain(&mail.cc).chain(&mail.bcc).any(theirs);
        let interacts = named && class == Class::Person;
        let weight = weigh(&mail, 2.0, part);
        return named.then_some(Letter { mail, direction: Direction::Sent, part, class, interacts, weight, thread: 0 });
    }
    let sender = mail.sender()?;
    if !theirs(sender) || me.is_me(&sender.address) {
        // a bounce speaks of the contact without being from them
        let about =
            mail.bounce.as_ref().and_then(|b| b.recipient.as_ref()).is_some_and(|r| person.addresses.contains(r));
        let believed = mail.bounce.as_ref().and_then(|b| b.of.as_ref()).is_some_and(|of| mine.contains(of));
        let bounce = Letter {
            class: Class::Dsn,
            direction: Direction::Received,
            part: Part::Unnamed,
            interacts: false,
            weight: 0.0,
            thread: 0,
            mail,
        };
        return (about && believed).then_some(bounce);
    }
    let to = mail.to.iter().any(|a| me.is_me(&a.address));
    let cc = mail.cc.iter().any(|a| me.is_me(&a.address));
    let answers_me = mail.ancestors().any(|id| mine.contains(id));
    let (class, part) = match mail.class {
        Class::List if answers_me && (to || cc) => (Class::Person, Part::ListAnswer),
        Class::Bulk if answers_me => (Class::Person, if to { Part::To } else { Part::Cc }),
        Class::List | Class::Bulk if person.person && to => (Class::Person, Part::To),
        class if to => (class, Part::To),
        class if cc => (class, Part::Cc),
        class => (class, Part::Unnamed),
    };
    let interacts = class == Class::Person && part != Part::Unnamed;
    let weight = weigh(&mail, 1.0, part);
    Some(Letter { mail, direction: Direction::Received, part, class, interacts, weight, thread: 0 })
}

/// The reader's class is made for received mail; of what lies in Sent only machines' mail is none.
fn sent_class(mail: &Mail) -> Class {
    match mail.class {
        Class::Auto | Class::Dsn => mail.class,
        _ => Class::Person,
    }
}

fn weigh(mail: &Mail, direction: f64, part: Part) -> f64 {
    let role = match part {
        Part::To => 1.0,
        Part::ListAnswer => 0.3,
        Part::Cc => 0.1,
        Part::Unnamed => 0.0,
    };
    direction * role * size(mail.recipients.max(1).saturating_add(1))
}

/// 1 / max(1, humans - 1); nothing above 15.
pub fn size(humans: u32) -> f64 {
    if humans > crate::limits::ATTENDANCE_HUMANS { 0.0 } else { 1.0 / f64::from(humans.saturating_sub(1).max(1)) }
}

/// When the latest hard bounce for the contact came that names a mail the user really sent.
pub fn hard_bounce(letters: &[Letter]) -> Option<Timestamp> {
    let hard = |l: &&Letter| l.mail.bounce.as_ref().is_some_and(|b| b.hard);
    letters.iter().rev().find(hard).map(|l| l.mail.at)
}

/// Until when the latest out-of-office of the contact says they are away: its date, else 7 days.
pub fn away_until(letters: &[Letter], zone: &Zone) -> Option<Timestamp> {
    let latest = letters.iter().rev().find(|l| l.direction == Direction::Received && l.mail.out_of_office.is_some())?;
    let until = latest.mail.out_of_office.and_then(|o| o.until);
    Some(until.map_or_else(|| latest.mail.at.plus(7 * DAY), |date| zone.at(date, 0)))
}
