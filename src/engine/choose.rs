//! The user's word takes effect. Part of `engine`.
//!
//! Invariant: a choice is durable before anybody is told that it was taken.

use std::collections::BTreeSet;

use super::reply::{Act, Reply, Setting};
use super::{Engine, Result};
use crate::address::AddrSpec;
use crate::evidence::{Choice, Observation, ReminderId, Word};
use crate::identity::{AddressFacts, Contact, Found};
use crate::outbox::{Entry, EntryKind};
use crate::store::{Commit, Erasure, Shelf, Strength};
use crate::time::{HOUR, Timestamp};

impl Engine {
    /// Takes choices in; the same one again changes nothing.
    pub(super) fn chose(&mut self, choices: Vec<Choice>, now: Timestamp) -> Result<()> {
        let mut changed: Vec<Entry> = Vec::new();
        let mut evidence = Vec::new();
        for choice in choices {
            if self.memory.choices.iter().any(|c| c.id == choice.id) {
                continue;
            }
            if let Some(entry) = choice.what.reminder().and_then(|id| self.memory.entries.get(&id)) {
                let mut entry = changed.iter().find(|e| e.id == entry.id).unwrap_or(entry).clone();
                if entry.obey(&choice.what, choice.at) {
                    changed.retain(|e| e.id != entry.id);
                    changed.push(entry);
                }
            }
            for address in choice.what.addresses() {
                if !self.memory.addresses.contains_key(&address) {
                    let facts = super::state::facts_of(&self.store, &address)?.unwrap_or_default();
                    self.memory.addresses.insert(address.clone(), facts);
                    self.memory.people_stale = true;
                }
                self.memory.touched.insert(address);
            }
            let about_people = matches!(
                choice.what,
                Word::Merge(..) | Word::Split(..) | Word::Name(..) | Word::Person(_) | Word::Ignore(_)
            );
            self.memory.people_stale |= about_people;
            let at = self.memory.choices.partition_point(|c| (c.at, c.id) <= (choice.at, choice.id));
            self.memory.choices.insert(at, choice.clone());
            evidence.push(Observation::Choice(choice));
        }
        if evidence.is_empty() {
            return Ok(());
        }
        self.memory.settled = None;
        let mut commit = Commit { evidence, drops: vec![super::state::drop_settled()], ..Commit::default() };
        commit.puts.extend(changed.iter().map(super::state::put_entry));
        commit.drops.extend(self.reviews_of_touched());
        self.store.commit(commit, Strength::Durable)?;
        for entry in &changed {
            let contact = entry.whom.as_ref().map(|w| w.id.to_string());
            tracing::info!(reminder = %entry.id, contact, state = ?entry.state, "the user's word was taken");
        }
        self.memory.entries.extend(changed.into_iter().map(|e| (e.id, e)));
        self.refresh(now)
    }

    fn choose(&mut self, words: Vec<Word>, now: Timestamp) -> Result<()> {
        // of two words about one thing the latest holds: under --at many are said in one second
        let last = self.memory.choices.last().map_or(Timestamp::MIN, |c| c.at);
        let first = if last >= now && last.since(now) < HOUR { last.plus(1) } else { now };
        let at = |n: usize| first.plus(i64::try_from(n).unwrap_or(0));
        let choices = words.into_iter().enumerate().map(|(n, w)| Choice::by_command(w, at(n)));
        self.chose(choices.collect(), now)?;
        self.review_now(now)
    }

    /// Reviews what a choice touched, so that the next command sees its effect.
    fn review_now(&mut self, now: Timestamp) -> Result<()> {
        let words = self.words(now)?;
        self.review_due(&words, now)?;
        let puts: Vec<_> = self.settle().into_iter().collect();
        Ok(self.store.commit(Commit { puts, ..Commit::default() }, Strength::Atomic)?)
    }

    /// `done`, `snooze`, `dismiss`.
    pub(super) fn act(&mut self, id: ReminderId, act: Act, now: Timestamp) -> Result<Reply> {
        let Some(entry) = self.memory.entries.get(&id).cloned() else {
            return Ok(refused(format!("there is no reminder {id}: see kithd reminders --all")));
        };
        let (word, said) = match act {
            Act::Done => (Word::Done(id), "done".to_string()),
            Act::Dismiss => (Word::Dismiss(id), "dismissed".to_string()),
            Act::Snooze(until) => (Word::Snooze(id, until), format!("snoozed until {}", self.words(now)?.day(until))),
        };
        if !entry.clone().obey(&word, now) {
            return Ok(refused(format!("the reminder {id} is {} already", entry.state.as_str())));
        }
        self.choose(vec![word], now)?;
        let subject = crate::outbox::compose::subject(&self.words(now)?, &entry);
        Ok(Reply::Done(format!("{said}: {subject}")))
    }

    /// `pause`.
    pub(super) fn pause(&mut self, until: Timestamp, now: Timestamp) -> Result<Reply> {
        self.choose(vec![Word::Pause(until)], now)?;
        Ok(Reply::Done(format!("quiet until {}", self.words(now)?.day(until))))
    }

    /// `without`.
    pub(super) fn without(&mut self, source: String, out: bool, now: Timestamp) -> Result<Reply> {
        self.choose(vec![Word::Without(source.clone(), out)], now)?;
        Ok(Reply::Done(if out {
            format!("`{source}` is not waited for any more")
        } else {
            format!("`{source}` is waited for again")
        }))
    }

    /// `set`.
    pub(super) fn set(&mut self, who: &str, settings: Vec<Setting>, now: Timestamp) -> Result<Reply> {
        let contact = match self.one(who) {
            Ok(contact) => contact,
            Err(reply) => return Ok(reply),
        };
        let Some(address) = contact.addresses.first().cloned() else {
            return Ok(refused(format!("{who} has no address")));
        };
        let known = self.setup.relationship_names().iter().map(ToString::to_string).collect::<Vec<_>>();
        for setting in &settings {
            if let Setting::Relationship(name) = setting
                && !known.contains(name)
            {
                return Ok(refused(format!(
                    "`{name}` is no relationship: use one of {}, or add [relationships.{name}] to the config",
                    known.join(", ")
                )));
            }
        }
        self.choose(settings.into_iter().map(|s| s.word(address.clone())).collect(), now)?;
        let name = self.memory.people.contact_of(&address).map_or_else(|| contact.name.clone(), |c| self.name_of(c));
        Ok(Reply::Done(format!("noted for {name}")))
    }

    /// `merge`.
    pub(super) fn merge(&mut self, a: &str, b: &str, now: Timestamp) -> Result<Reply> {
        let (one, two) = match (self.one(a), self.one(b)) {
            (Ok(one), Ok(two)) => (one, two),
            (Err(reply), _) | (_, Err(reply)) => return Ok(reply),
        };
        match (one.addresses.first(), two.addresses.first()) {
            (Some(x), Some(y)) if one.id != two.id => {
                self.choose(vec![Word::Merge(x.clone(), y.clone())], now)?;
                let undo = format!("`kithd split {x} {y}` undoes it");
                Ok(Reply::Done(format!("{} and {} are one person now; {undo}", one.name, two.name)))
            }
            _ => Ok(refused(format!("{a} and {b} are one person already"))),
        }
    }

    /// `split`.
    pub(super) fn split(&mut self, who: &str, address: &AddrSpec, now: Timestamp) -> Result<Reply> {
        let contact = match self.one(who) {
            Ok(contact) => contact,
            Err(reply) => return Ok(reply),
        };
        let rest = contact.addresses.iter().find(|a| *a != address);
        match rest {
            Some(rest) if contact.addresses.contains(address) => {
                self.choose(vec![Word::Split(rest.clone(), address.clone())], now)?;
                let undo = format!("`kithd merge {rest} {address}` undoes it");
                Ok(Reply::Done(format!("{address} is a person of its own now; {undo}")))
            }
            Some(_) => Ok(refused(format!("{address} is not one of {}'s addresses: see kithd contact", contact.name))),
            None => Ok(refused(format!("{} has no other address", contact.name))),
        }
    }

    /// `forget`: erases all facts about a person and keeps only a keyed hash, so that they are not
    /// collected again.
    pub(super) fn forget(&mut self, who: &str, now: Timestamp) -> Result<Reply> {
        let contact = match self.one(who) {
            Ok(contact) => contact,
            Err(reply) => return Ok(reply),
        };
        let theirs = |a: &AddrSpec| contact.addresses.contains(a);
        let forgotten: Vec<Vec<u8>> = contact.addresses.iter().map(|a| self.forgotten_key(a)).collect();
        let about = |e: &Entry| {
            e.whom.as_ref().is_some_and(|w| self.memory.people.by_id(w.id).is_some_and(|c| c.id == contact.id))
        };
        let gone: Vec<ReminderId> = self.memory.entries.values().filter(|e| about(e)).map(|e| e.id).collect();
        let me = self.setup.me.clone();
        let mut observation = |o: Observation| redact(o, &theirs, &me, &gone);
        let mut record = |shelf: Shelf, _key: &[u8], value: Vec<u8>| match shelf {
            Shelf::Outbox => {
                let mut entry: Entry = super::state::decode(&value).ok()?;
                if gone.contains(&entry.id) {
                    return None;
                }
                entry.items.retain(|i| !gone.contains(i));
                // other people's reminders may name them in their sentences
                let text = super::state::encode(&entry);
                let named = contact.addresses.iter().any(|a| String::from_utf8_lossy(&text).contains(a.as_str()));
                (!named || entry.kind != EntryKind::Reminder).then_some(text)
            }
            Shelf::Complaint => {
                (!contact.addresses.iter().any(|a| String::from_utf8_lossy(&value).contains(a.as_str())))
                    .then_some(value)
            }
            _ => Some(value),
        };
        let erasure = Erasure { observation: &mut observation, record: &mut record, forgotten };
        let erased = self.store.forget(erasure, now)?;
        self.memory = super::state::Memory::load(&self.store)?;
        self.memory.load_people(&self.store, &self.setup)?;
        self.rebuild_addresses()?;
        self.refresh(now)?;
        self.review_now(now)?;
        let left: Vec<String> = erased.left.iter().map(|p| p.display().to_string()).collect();
        let also = if left.is_empty() {
            String::new()
        } else {
            format!("; delete these yourself, they may still speak of them: {}", left.join(", "))
        };
        Ok(Reply::Done(format!(
            "forgotten: {} facts erased, {} kept without them{also}",
            erased.facts, erased.redacted
        )))
    }

    /// Those who wrote and are no contacts, by their address or by words of how they sign.
    fn strangers_named(&self, who: &str) -> Vec<Contact> {
        use super::state::{address, decode, facts_of};
        if let Some(address) = AddrSpec::parse(who) {
            let facts = facts_of(&self.store, &address).ok().flatten();
            let name = |f: AddressFacts| f.names.first().map_or_else(|| address.to_string(), |(name, _)| name.clone());
            return facts.map(|f| Contact::alone(address.clone(), name(f))).into_iter().collect();
        }
        let words = |text: &str| -> BTreeSet<String> {
            let text = text.to_lowercase();
            text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_string).collect()
        };
        let wanted = words(who);
        let records = self.store.records(Shelf::Address).filter_map(std::result::Result::ok);
        let signed = records.filter_map(|(key, value)| {
            let facts: AddressFacts = decode(&value).ok()?;
            let (name, _) = facts.names.into_iter().find(|(name, _)| wanted.is_subset(&words(name)))?;
            Some(Contact::alone(address(&key)?, name))
        });
        if wanted.is_empty() { Vec::new() } else { signed.collect() }
    }

    /// The one contact a word means.
    pub(super) fn one(&self, who: &str) -> std::result::Result<Contact, Reply> {
        match self.memory.people.find(who) {
            Found::One(contact) => Ok(contact.clone()),
            Found::None => {
                let mut strangers = self.strangers_named(who);
                match (strangers.pop(), strangers.is_empty()) {
                    (Some(only), true) => Ok(only),
                    (None, _) => Err(refused(format!("I know nobody by `{who}`: see kithd contacts --all"))),
                    _ => Err(refused(format!("`{who}` is how several addresses sign: use one of them"))),
                }
            }
            Found::Many(several) => {
                let rows =
                    several.iter().filter_map(|c| self.memory.reviews.get(&c.id)).map(|r| r.row.clone()).collect();
                Err(Reply::Refused {
                    why: format!("`{who}` could be any of these; use an address or an id"),
                    several: rows,
                })
            }
        }
    }
}

pub(super) fn refused(why: String) -> Reply {
    Reply::Refused { why, several: Vec::new() }
}

/// A fact without somebody: `None` where it speaks of nobody else.
fn redact(
    o: Observation,
    theirs: &dyn Fn(&AddrSpec) -> bool,
    me: &crate::identity::Me,
    gone: &[ReminderId],
) -> Option<Observation> {
    match o {
        Observation::Mail(mut mail) => {
            if !mail.addresses().any(theirs)
                && !mail.bounce.as_ref().and_then(|b| b.recipient.as_ref()).is_some_and(theirs)
            {
                return Some(Observation::Mail(mail));
            }
            let others = mail.addresses().any(|a| !theirs(a) && !me.is_me(a));
            if !others || mail.from.iter().any(|a| theirs(&a.address)) {
                return None;
            }
            for list in [&mut mail.to, &mut mail.cc, &mut mail.bcc] {
                list.retain(|a| !theirs(&a.address));
            }
            mail.bounce = None;
            Some(Observation::Mail(mail))
        }
        Observation::Meeting(mut meeting) => {
            if !meeting.addresses().any(theirs) {
                return Some(Observation::Meeting(meeting));
            }
            for r in &mut meeting.revisions {
                r.attendees.retain(|a| !theirs(&a.who.address));
                r.names.retain(|a| !theirs(a));
                if r.organizer.as_ref().is_some_and(|o| theirs(&o.address)) {
                    r.organizer = None;
                }
            }
            let others = meeting.addresses().any(|a| !me.is_me(a));
            others.then_some(Observation::Meeting(meeting))
        }
        Observation::Card(card) => (!card.addresses.iter().any(theirs)).then_some(Observation::Card(card)),
        Observation::Choice(choice) => {
            let about = choice.what.addresses().iter().any(theirs)
                || choice.what.reminder().is_some_and(|id| gone.contains(&id));
            (!about).then_some(Observation::Choice(choice))
        }
    }
}
