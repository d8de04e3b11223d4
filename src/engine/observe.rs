//! A batch of observations to one commit. Part of `engine`.
//!
//! Invariant: a batch and its cursors are committed together, and taking the same batch again
//! changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::state::{
    Memory, drop_settled, may_be_contact, put_address, put_known_since, put_me, put_nobody, put_source,
};
use super::{Engine, Result, answers};
use crate::address::AddrSpec;
use crate::evidence::{Batch, Class, EventStatus, FullReading, Mail, Meeting, MessageId, Observation, Speaker};
use crate::identity::{AddressFacts, ContactId};
use crate::ledger::letters::{is_mine, is_own};
use crate::ledger::meetings;
use crate::limits;
use crate::outbox::Entry;
use crate::policy::Fact;
use crate::store::{Commit, Shelf, Strength};
use crate::time::{Timestamp, Zone};

/// What one fact says of one address.
#[derive(Clone, Copy, Default)]
struct Says {
    received: bool,
    sent: bool,
    met: bool,
}

impl Engine {
    pub(super) fn observe(&mut self, batch: Batch, now: Timestamp) -> Result<()> {
        let mut commit = Commit::default();
        let cursors = batch.cursors.into_iter().map(|c| (batch.source.clone(), c)).collect();
        let mut facts: BTreeMap<AddrSpec, AddressFacts> = BTreeMap::new();
        let mut told = Vec::new();
        let (mut new, mut seen) = (BTreeMap::new(), BTreeSet::new());
        let mut oldest = self.memory.known_since;
        for observation in batch.observations {
            if self.is_forgotten(&observation) {
                continue;
            }
            let id = observation.id();
            // the same mail in two folders of one batch is one
            let known = match new.remove(&id) {
                Some(earlier) => Some(earlier),
                None => self.store.evidence(id)?,
            };
            let known_before = known.is_some();
            let mut joined = known.unwrap_or_else(|| observation.clone());
            // an answer is heard again: the last time may have been cut short before it was obeyed
            let is_answer = matches!(&joined, Observation::Mail(mail) if mail.answer.is_some());
            if known_before && !joined.join(&observation) && !seen.contains(&id) && !is_answer {
                continue;
            }
            seen.insert(id);
            // also what is dated later than now: a store may be stepped through a full Maildir
            if !matches!(joined, Observation::Card(_)) {
                oldest = Some(oldest.map_or(joined.at(), |o| o.min(joined.at())));
            }
            self.note(&joined, &mut facts)?;
            self.touch(&joined);
            if let Observation::Mail(mail) = &joined
                && mail.answer.is_some()
            {
                told.push(mail.clone());
            }
            new.insert(id, joined);
        }
        commit.evidence.extend(new.into_values());
        if let Some(full) = batch.full {
            commit.evidence.extend(self.missing(&batch.source, full)?);
        }
        self.remember(facts, &mut commit);
        if oldest != self.memory.known_since {
            self.memory.known_since = oldest;
            commit.puts.extend(oldest.map(put_known_since));
        }
        if self.memory.settled.is_some() && !self.memory.touched.is_empty() {
            self.memory.settled = None;
            commit.drops.push(drop_settled());
        }
        self.complain(&batch.complaints, &mut commit);
        let state = self.memory.sources.entry(batch.source.clone()).or_default();
        state.read = state.read.saturating_add(batch.read);
        state.reading = true;
        let read = put_source(&batch.source, state);
        // whoever is touched has no review until the next wake: a process that dies before it leaves
        // a store that shows whom to look at
        commit.drops.extend(self.reviews_of_touched());
        if !told.is_empty() {
            // what is answered is obeyed before its cursor stands
            self.store.commit(std::mem::take(&mut commit), Strength::Atomic)?;
            for mail in told {
                self.hear(&mail, now)?;
            }
        }
        commit.cursors = cursors;
        commit.puts.push(read);
        Ok(self.store.commit(commit, Strength::Atomic)?)
    }

    /// The reviews of contacts that are to be looked at again.
    pub(super) fn reviews_of_touched(&mut self) -> Vec<(Shelf, Vec<u8>)> {
        let Memory { people, touched, reviews, unreviewed, .. } = &mut self.memory;
        let ids = touched.iter().filter_map(|a| people.contact_of(a)).map(|c| c.id);
        let new: BTreeSet<ContactId> = ids.filter(|id| reviews.contains_key(id) && !unreviewed.contains(id)).collect();
        unreviewed.extend(&new);
        new.into_iter().map(|id| (Shelf::Review, id.bytes().to_vec())).collect()
    }

    /// Whoever was forgotten is not collected again: mail to or from them, meetings and cards with them.
    fn is_forgotten(&self, observation: &Observation) -> bool {
        if self.memory.forgotten.is_empty() {
            return false;
        }
        let about = match observation {
            Observation::Mail(mail) if is_mine(mail, &self.setup.me) => {
                mail.to.iter().map(|a| a.address.clone()).collect()
            }
            Observation::Mail(mail) => mail.from.iter().map(|a| a.address.clone()).collect(),
            Observation::Choice(_) => Vec::new(),
            other => other.addresses(),
        };
        about.iter().any(|a| self.memory.forgotten.contains(&self.forgotten_key(a)))
    }

    /// The keyed hash a forgotten address is known by.
    pub(super) fn forgotten_key(&self, address: &AddrSpec) -> Vec<u8> {
        let hash = blake3::keyed_hash(self.store.secret(), address.without_tag().as_str().as_bytes());
        hash.as_bytes().iter().take(16).copied().collect()
    }

    /// Marks whom a fact speaks of for review, and what the lenses rest on as out of date. Mail touches
    /// also those whose open reminder is about its thread or names somebody it went to.
    pub(super) fn touch(&mut self, observation: &Observation) {
        if let Observation::Mail(mail) = observation {
            let ancestors: BTreeSet<&MessageId> = mail.ancestors().collect();
            let parties: BTreeSet<&str> = mail.addresses().map(AddrSpec::as_str).collect();
            let concerned = |e: &&Entry| {
                let thread =
                    e.about.as_ref().and_then(|a| a.message_id.as_ref()).is_some_and(|id| ancestors.contains(id));
                let named = matches!(e.facts.get("addresses"), Some(Fact::List(all)) if all.iter().any(|a| parties.contains(a.as_str())));
                e.state.is_open() && (thread || named)
            };
            let whom = self.memory.entries.values().filter(concerned).filter_map(|e| e.whom.as_ref()?.address.clone());
            let whom: Vec<AddrSpec> = whom.collect();
            self.memory.touched.extend(whom);
        }
        match observation {
            Observation::Mail(mail) if !matches!(mail.class, Class::Bulk | Class::List) || mail.lies_in_sent() => {
                self.memory.my_p90 = None;
                // it may be the thread that ties two addresses
                let doubted = |a: &AddrSpec| {
                    self.memory.people.proposals().iter().any(|p| p.lacks_a_tie() && (p.a == *a || p.b == *a))
                };
                self.memory.people_stale |= mail.sender().is_some_and(|s| doubted(&s.address));
                self.memory.touched.extend(mail.addresses().cloned());
                self.memory.touched.extend(mail.bounce.iter().filter_map(|b| b.recipient.clone()));
            }
            Observation::Mail(mail) => self.memory.touched.extend(mail.from.iter().map(|a| a.address.clone())),
            Observation::Meeting(meeting) => {
                let addresses: BTreeSet<AddrSpec> = meeting.addresses().cloned().collect();
                self.memory.nobody_stale |= meeting.revisions.iter().any(|r| r.attendees.is_empty());
                self.memory.touched.extend(addresses);
            }
            Observation::Card(card) => {
                self.memory.touched.extend(card.addresses.iter().cloned());
                self.memory.cards.retain(|c| *c != card.addresses);
                if !card.gone {
                    self.memory.cards.push(card.addresses.clone());
                }
                self.memory.people_stale = true;
            }
            Observation::Choice(_) => {}
        }
    }

    /// Adds what a fact says of its addresses to what is known of them.
    pub(super) fn note(&self, observation: &Observation, facts: &mut BTreeMap<AddrSpec, AddressFacts>) -> Result<()> {
        match observation {
            Observation::Mail(mail) => self.note_mail(mail, facts),
            Observation::Meeting(meeting) => self.note_meeting(meeting, facts),
            Observation::Card(card) if !card.gone => {
                for address in &card.addresses {
                    let known = self.known(address, facts)?;
                    for name in &card.names {
                        if !known.card_names.contains(name) && known.card_names.len() < limits::NAMES {
                            known.card_names.push(name.clone());
                        }
                    }
                    if known.card_names.is_empty() {
                        known.card_names.push(address.local().to_string());
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn note_mail(&self, mail: &Mail, facts: &mut BTreeMap<AddrSpec, AddressFacts>) -> Result<()> {
        if is_own(mail) {
            return Ok(());
        }
        let mine = is_mine(mail, &self.setup.me);
        if mine && !matches!(mail.class, Class::Auto | Class::Dsn) {
            for a in mail.to.iter().chain(&mail.cc).chain(&mail.bcc) {
                self.note_one(&a.address, a.name.as_deref(), mail.at, Says { sent: true, ..Says::default() }, facts)?;
            }
        } else if !mine && matches!(mail.class, Class::Person | Class::List | Class::Calendar | Class::Bulk) {
            if let Some(from) = mail.sender() {
                let says = Says { received: mail.class == Class::Person, ..Says::default() };
                self.note_one(&from.address, from.name.as_deref(), mail.at, says, facts)?;
            }
            // names of people in Cc and To of person mail teach us what somebody is called
            if mail.class == Class::Person {
                for a in mail.to.iter().chain(&mail.cc).filter(|a| a.name.is_some()) {
                    self.note_one(&a.address, a.name.as_deref(), mail.at, Says::default(), facts)?;
                }
            }
        }
        Ok(())
    }

    fn note_meeting(&self, meeting: &Meeting, facts: &mut BTreeMap<AddrSpec, AddressFacts>) -> Result<()> {
        let own = self.setup.own_calendars();
        let Some(believed) = meetings::believe(meeting, &self.setup.me, Some(&own)) else { return Ok(()) };
        let counts = meetings::counts(&believed, &self.setup.me, Timestamp::MAX).is_ok();
        let met = counts && meetings::humans(&believed.main, &self.setup.me) <= limits::MEETING_HUMANS;
        let main = &believed.main;
        let attendees = main.attendees.iter().filter(|a| a.human).map(|a| (&a.who.address, a.who.name.as_deref()));
        let person = |o: &&crate::address::Address| !crate::read::calendar::is_thing(o);
        let organizer = main.organizer.iter().filter(person).map(|o| (&o.address, o.name.as_deref()));
        let named = main.names.iter().map(|a| (a, None)).filter(|_| main.attendees.is_empty());
        for (address, name) in attendees.chain(organizer).chain(named) {
            self.note_one(address, name, main.start, Says { met, ..Says::default() }, facts)?;
        }
        Ok(())
    }

    fn note_one(
        &self,
        address: &AddrSpec,
        name: Option<&str>,
        at: Timestamp,
        says: Says,
        facts: &mut BTreeMap<AddrSpec, AddressFacts>,
    ) -> Result<()> {
        if self.setup.me.is_me(address) {
            return Ok(());
        }
        let known = self.known(address, facts)?;
        // flags and first sights only, so that reading again adds nothing
        known.received = known.received.max(u32::from(says.received));
        known.sent = known.sent.max(u32::from(says.sent));
        known.met = known.met.max(u32::from(says.met));
        known.see_at(at);
        if let Some(name) = name
            && !known.names.iter().any(|(n, _)| n == name)
        {
            known.see_name(name);
        }
        Ok(())
    }

    /// What is known of an address, in this batch or before.
    fn known<'a>(
        &self,
        address: &AddrSpec,
        facts: &'a mut BTreeMap<AddrSpec, AddressFacts>,
    ) -> Result<&'a mut AddressFacts> {
        if !facts.contains_key(address) {
            let known = match self.memory.addresses.get(address) {
                Some(known) => known.clone(),
                None => match self.store.record(Shelf::Address, address.as_str().as_bytes())? {
                    Some(value) => super::state::decode(&value)?,
                    None => AddressFacts::default(),
                },
            };
            facts.insert(address.clone(), known);
        }
        Ok(facts.entry(address.clone()).or_default())
    }

    /// Keeps what changed of the addresses of a batch.
    pub(super) fn remember(&mut self, facts: BTreeMap<AddrSpec, AddressFacts>, commit: &mut Commit) {
        for (address, new) in facts {
            let old = self.memory.addresses.get(&address);
            if old == Some(&new) {
                continue;
            }
            commit.puts.push(put_address(&address, &new));
            let is_new_name = |n: String| !self.memory.full_names.contains(&n);
            if may_be_contact(&new) && new.full_names().any(is_new_name) {
                self.memory.namesakes_stale = true;
            }
            if old.is_some() || may_be_contact(&new) || self.memory.is_namesake(&new) {
                self.memory.people_stale = true;
                self.memory.addresses.insert(address, new);
            }
        }
    }

    /// What this source said before of what it now read and does not say any more: future instances are gone, past ones
    /// stay; cards are gone.
    fn missing(&self, source: &str, full: FullReading) -> Result<Vec<Observation>> {
        let mut gone = Vec::new();
        let future = self.store.evidence_between(full.began_at, full.until);
        let cards = self.store.evidence_between(Timestamp::MIN, Timestamp::MIN);
        for observation in future.chain(cards) {
            match observation? {
                Observation::Meeting(mut meeting) => {
                    let speaker = Speaker::Feed(source.to_string());
                    let Some(r) = meeting.revisions.iter_mut().find(|r| r.said_by == speaker) else { continue };
                    if full.lacks_meeting(&meeting.key) && !r.gone && r.status != EventStatus::Cancelled {
                        r.gone = true;
                        r.read_at = full.began_at;
                        gone.push(Observation::Meeting(meeting));
                    }
                }
                Observation::Card(mut card) if card.source == source && !card.gone && full.lacks_card(card.id) => {
                    card.gone = true;
                    gone.push(Observation::Card(card));
                }
                _ => {}
            }
        }
        Ok(gone)
    }

    /// Makes the derived facts of all addresses anew: after a damage, or when "me" has changed.
    pub(super) fn rebuild_addresses(&mut self) -> Result<()> {
        self.memory.addresses.clear();
        let mut facts: BTreeMap<AddrSpec, AddressFacts> = BTreeMap::new();
        for observation in self.store.evidence_between(Timestamp::MIN, Timestamp::MAX) {
            self.note(&observation?, &mut facts)?;
        }
        let all: Vec<(AddrSpec, AddressFacts)> = facts.into_iter().collect();
        // nobody's, until all of it is there
        self.store.commit(Commit { puts: vec![put_nobody()], ..Commit::default() }, Strength::Atomic)?;
        for chunk in all.chunks(limits::BATCH) {
            let puts = chunk.iter().map(|(a, f)| put_address(a, f)).collect();
            self.store.commit(Commit { puts, ..Commit::default() }, Strength::Atomic)?;
        }
        self.memory.touched.extend(all.iter().map(|(a, _)| a.clone()));
        self.memory.addresses = all.into_iter().filter(|(_, f)| may_be_contact(f)).collect();
        self.memory.people_stale = true;
        self.memory.namesakes_stale = true;
        self.memory.my_p90 = None;
        self.memory.settled = None;
        let (puts, drops) = (vec![put_me(&self.setup)], vec![drop_settled()]);
        self.store.commit(Commit { puts, drops, ..Commit::default() }, Strength::Durable)?;
        Ok(())
    }

    /// The user's answer to one of our mails.
    fn hear(&mut self, mail: &Mail, now: Timestamp) -> Result<()> {
        let heard = answers::hear(self, mail, now)?;
        self.chose(heard.choices, now)?;
        self.keep(heard.help, Vec::new(), Strength::Durable)
    }

    /// The user's zone.
    pub(super) fn zone(&self) -> &Zone {
        &self.setup.hours.zone
    }
}
