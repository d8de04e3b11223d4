//! What the engine remembers between events; all of it can be loaded from the store. Part of `engine`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::event::Setup;
use super::reply::ContactRow;
use super::sources::SourceState;
use super::{EngineError, Result};
use crate::address::AddrSpec;
use crate::evidence::{Choice, Complaint, Meeting, MessageId, Observation, ReminderId, Showing, SourceName};
use crate::identity::{AddressFacts, ContactId, People};
use crate::ledger::rhythm;
use crate::outbox::Entry;
use crate::store::{Shelf, Store, StoreError};
use crate::time::{DAY, Date, Timestamp};

/// A record for the store.
pub type Put = (Shelf, Vec<u8>, Vec<u8>);

/// The time of the last event.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Clock {
    /// Then.
    pub now: Timestamp,
    /// The user named it with `--at`.
    pub pinned: bool,
}

/// What the last review of a contact left: when to look again, and its row for `contacts`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Reviewed {
    /// When looking again may give something else.
    pub next_at: Option<Timestamp>,
    /// As of then.
    pub at: Timestamp,
    /// The row; strength as of `at`.
    pub row: ContactRow,
    /// What its strength is made of, as of `at`; reviews of older versions do not say.
    #[serde(default)]
    pub mass: Option<f64>,
    /// Usual days between contacts, and whether the silence is beyond them.
    pub usual_days: Option<i64>,
    /// The rules would say hello: the silence is beyond what is usual, and nothing speaks against it.
    #[serde(default)]
    pub drifting: bool,
}

impl Reviewed {
    /// The row at another time, if nothing happened meanwhile: strength fades. `None` where that is not
    /// all that time changes.
    pub fn row_at(&self, now: Timestamp) -> Option<ContactRow> {
        let passed = now.since(self.at);
        if passed.abs() < DAY {
            return Some(self.row.clone());
        }
        let mass = self.mass.filter(|_| passed > 0 && self.row.next_meeting_at.is_none_or(|t| t > now))?;
        Some(ContactRow { strength: rhythm::strength(rhythm::fade(mass, passed)), ..self.row.clone() })
    }
}

/// What may be said without knowing who people are, as long as nobody is touched.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Settled {
    /// When the first contact is to be looked at again.
    pub next_review_at: Option<Timestamp>,
    /// Contacts, and interactions with anybody.
    pub counts: (u64, u64),
    /// As in [`Memory`].
    pub away: Vec<(Timestamp, Timestamp)>,
    /// As in [`Memory`].
    pub holidays: BTreeSet<Date>,
    /// As in [`Memory`].
    pub my_p90: i64,
}

/// What the engine remembers. Who people are is loaded when it is first asked for
/// ([`Memory::load_people`]): a poll that brings nothing, in a process of its own, needs none of it.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Addresses, cards and reviews are loaded.
    pub knows_people: bool,
    /// What was left when there was nobody to look at; `None` since anybody was touched.
    pub settled: Option<Settled>,
    /// Addresses that may be a contact's: written to, met, on a card, named by the user, or of somebody who wrote and
    /// is called like one of these.
    pub addresses: BTreeMap<AddrSpec, AddressFacts>,
    /// The full names of those who may be contacts.
    pub full_names: BTreeSet<String>,
    /// Who wrote and is called like one of them has to be looked for.
    pub namesakes_stale: bool,
    /// Addresses of each card.
    pub cards: Vec<Vec<AddrSpec>>,
    /// Who is who; made anew by `refresh` when something it rests on has changed.
    pub people: People,
    /// `people` is out of date.
    pub people_stale: bool,
    /// P90 of the user's own replies, in seconds; `None` where it is out of date.
    pub my_p90: Option<i64>,
    /// Everything the user said, oldest first.
    pub choices: Vec<Choice>,
    /// The outbox.
    pub entries: BTreeMap<ReminderId, Entry>,
    /// The last review of each contact.
    pub reviews: BTreeMap<ContactId, Reviewed>,
    /// Addresses that new evidence speaks of since the last review.
    pub touched: BTreeSet<AddrSpec>,
    /// The sources.
    pub sources: BTreeMap<SourceName, SourceState>,
    /// What could not be read, oldest first.
    pub complaints: Vec<Complaint>,
    /// Meetings that list nobody: a summary may name somebody; absences; holidays.
    pub nobody: Vec<Meeting>,
    /// `nobody` is out of date.
    pub nobody_stale: bool,
    /// Showings on their way out, or searched for: their outcome has yet to be told.
    pub in_flight: BTreeSet<Showing>,
    /// Mails in the inbox whose reason is gone, and how often they were asked to be taken away.
    pub to_retire: BTreeMap<MessageId, u8>,
    /// Contacts that were touched and whose stored review is gone.
    pub unreviewed: BTreeSet<ContactId>,
    /// Times the user is away, pauses included.
    pub away: Vec<(Timestamp, Timestamp)>,
    /// Days of calendars marked `holidays`.
    pub holidays: BTreeSet<Date>,
    /// The oldest fact.
    pub known_since: Option<Timestamp>,
    /// The last event.
    pub clock: Option<Clock>,
    /// The last wake.
    pub woke_at: Option<Timestamp>,
    /// Keyed hashes of forgotten addresses.
    pub forgotten: BTreeSet<Vec<u8>>,
}

const CLOCK: &[u8] = b"clock";
const KNOWN_SINCE: &[u8] = b"known_since";
const WOKE_AT: &[u8] = b"woke_at";
const CONFIG: &[u8] = b"config";
const ME: &[u8] = b"me";
const RETIRE: &[u8] = b"retire";
/// Among the reviews, whose keys are four bytes: what is derived goes when they go.
const SETTLED: &[u8] = b"settled";

impl Memory {
    /// Loads everything from the store but who people are.
    pub fn load(store: &Store) -> Result<Memory> {
        let mut memory = Memory { people_stale: true, nobody_stale: true, ..Memory::default() };
        for record in store.records(Shelf::Outbox) {
            let entry: Entry = decode(&record?.1)?;
            memory.entries.insert(entry.id, entry);
        }
        for record in store.records(Shelf::Coverage) {
            let (key, value) = record?;
            memory.sources.insert(String::from_utf8_lossy(&key).into_owned(), decode(&value)?);
        }
        for record in store.records(Shelf::Complaint) {
            memory.complaints.push(decode(&record?.1)?);
        }
        memory.complaints.sort_by_key(|a| a.at);
        for observation in store.choices() {
            if let Observation::Choice(choice) = observation? {
                memory.choices.push(choice);
            }
        }
        memory.choices.sort_by_key(|a| (a.at, a.id));
        for record in store.records(Shelf::Forgotten) {
            memory.forgotten.insert(record?.0);
        }
        memory.clock = record(store, CLOCK)?;
        memory.woke_at = record(store, WOKE_AT)?;
        memory.to_retire = record(store, RETIRE)?.unwrap_or_default();
        memory.known_since = record(store, KNOWN_SINCE)?;
        let settled: Option<Settled> = store.record(Shelf::Review, SETTLED)?.map(|v| decode(&v)).transpose()?;
        if let Some(settled) = &settled {
            (memory.away, memory.holidays) = (settled.away.clone(), settled.holidays.clone());
            memory.my_p90 = Some(settled.my_p90);
        }
        memory.settled = settled;
        Ok(memory)
    }

    /// Contacts, and interactions with anybody.
    pub fn counts(&self) -> (u64, u64) {
        if !self.knows_people {
            return self.settled.as_ref().map(|s| s.counts).unwrap_or_default();
        }
        let contacts = self.reviews.values().filter(|r| r.row.is_contact).count();
        let all = self.reviews.values().map(|r| &r.row.counts);
        (u64::try_from(contacts).unwrap_or(u64::MAX), all.map(|c| c.sent + c.received + c.meetings).sum())
    }

    /// Loads who people are.
    pub fn load_people(&mut self, store: &Store, setup: &Setup) -> Result<()> {
        for record in store.records(Shelf::Address) {
            let (key, value) = record?;
            let facts: AddressFacts = decode(&value)?;
            if may_be_contact(&facts) {
                self.addresses.extend(address(&key).map(|a| (a, facts)));
            }
        }
        for record in store.records(Shelf::Review) {
            let (key, value) = record?;
            if key != SETTLED {
                let reviewed: Reviewed = decode(&value)?;
                self.reviews.insert(reviewed.row.id, reviewed);
            }
        }
        for observation in store.evidence_between(Timestamp::MIN, Timestamp::MIN) {
            if let Observation::Card(card) = observation?
                && !card.gone
            {
                self.cards.push(card.addresses);
            }
        }
        // addresses the user spoke of are looked at even where no mail makes a contact of them
        let configured = setup.contacts.iter().flat_map(|c| c.addresses.clone());
        let chosen = self.choices.iter().flat_map(|c| c.what.addresses());
        for address in configured.chain(chosen).collect::<Vec<_>>() {
            let facts = facts_of(store, &address)?.unwrap_or_default();
            self.addresses.entry(address).or_insert(facts);
        }
        self.knows_people = true;
        self.namesakes_stale = true;
        Ok(())
    }

    /// Loads who merely wrote to the user and is called like somebody known: they may be the same.
    pub fn load_namesakes(&mut self, store: &Store) -> Result<()> {
        let known = self.addresses.values().filter(|f| may_be_contact(f));
        self.full_names = known.flat_map(AddressFacts::full_names).collect();
        for record in store.records(Shelf::Address) {
            let (key, value) = record?;
            let facts: AddressFacts = decode(&value)?;
            if self.is_namesake(&facts)
                && let Some(address) = address(&key)
            {
                self.people_stale |= self.addresses.insert(address, facts).is_none();
            }
        }
        self.namesakes_stale = false;
        Ok(())
    }

    /// Did somebody write from there who is called like somebody known?
    pub fn is_namesake(&self, facts: &AddressFacts) -> bool {
        facts.received > 0 && !may_be_contact(facts) && facts.full_names().any(|n| self.full_names.contains(&n))
    }
}

/// Mail both ways, a meeting or a card makes a contact; mail to them alone may become one.
pub fn may_be_contact(facts: &AddressFacts) -> bool {
    facts.sent > 0 || facts.met > 0 || !facts.card_names.is_empty()
}

/// What is known of an address.
pub fn facts_of(store: &Store, address: &AddrSpec) -> Result<Option<AddressFacts>> {
    store.record(Shelf::Address, address.as_str().as_bytes())?.map(|v| decode(&v)).transpose()
}

/// A value of a shelf.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// The value of a shelf.
pub fn decode<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Result<T> {
    let what = |e: serde_json::Error| StoreError::Damaged { what: format!("a record: {e}") };
    serde_json::from_slice(bytes).map_err(|e| EngineError::Store(what(e)))
}

/// The address of a key of [`Shelf::Address`].
pub fn address(key: &[u8]) -> Option<AddrSpec> {
    std::str::from_utf8(key).ok().and_then(AddrSpec::parse)
}

fn record<T: for<'a> Deserialize<'a>>(store: &Store, key: &[u8]) -> Result<Option<T>> {
    store.record(Shelf::Meta, key)?.map(|v| decode(&v)).transpose()
}

/// The entry's record.
pub fn put_entry(entry: &Entry) -> Put {
    (Shelf::Outbox, entry.id.bytes().to_vec(), encode(entry))
}

/// The clock's record.
pub fn put_clock(clock: Clock) -> Put {
    (Shelf::Meta, CLOCK.to_vec(), encode(&clock))
}

/// The last wake's record.
pub fn put_woke_at(at: Timestamp) -> Put {
    (Shelf::Meta, WOKE_AT.to_vec(), encode(&at))
}

/// The record of what is to be taken away.
pub fn put_retire(mails: &BTreeMap<MessageId, u8>) -> Put {
    (Shelf::Meta, RETIRE.to_vec(), encode(mails))
}

/// The oldest fact's record.
pub fn put_known_since(at: Timestamp) -> Put {
    (Shelf::Meta, KNOWN_SINCE.to_vec(), encode(&at))
}

/// An address's record.
pub fn put_address(address: &AddrSpec, facts: &AddressFacts) -> Put {
    (Shelf::Address, address.as_str().as_bytes().to_vec(), encode(facts))
}

/// A review's record.
pub fn put_review(reviewed: &Reviewed) -> Put {
    (Shelf::Review, reviewed.row.id.bytes().to_vec(), encode(reviewed))
}

/// The record of what was left when there was nobody to look at.
pub fn put_settled(settled: &Settled) -> Put {
    (Shelf::Review, SETTLED.to_vec(), encode(settled))
}

/// There is somebody to look at.
pub fn drop_settled() -> (Shelf, Vec<u8>) {
    (Shelf::Review, SETTLED.to_vec())
}

/// A source's record.
pub fn put_source(name: &str, state: &SourceState) -> Put {
    (Shelf::Coverage, name.as_bytes().to_vec(), encode(state))
}

/// A complaint's record: one a place, the latest.
pub fn put_complaint(complaint: &Complaint) -> Put {
    let hash = blake3::hash(format!("{}\0{}", complaint.source, complaint.place).as_bytes());
    (Shelf::Complaint, hash.as_bytes().iter().take(16).copied().collect(), encode(complaint))
}

/// Who the user was when the derived facts were made.
pub fn put_me(setup: &Setup) -> Put {
    (Shelf::Meta, ME.to_vec(), me_mark(setup))
}

/// The derived facts are being made.
pub fn put_nobody() -> Put {
    (Shelf::Meta, ME.to_vec(), Vec::new())
}

/// Were the derived facts made for this user?
pub fn is_same_me(store: &Store, setup: &Setup) -> Result<bool> {
    Ok(store.record(Shelf::Meta, ME)?.is_none_or(|mark| mark == me_mark(setup)))
}

/// The config the reviews were made by.
pub fn put_config(setup: &Setup) -> Put {
    (Shelf::Meta, CONFIG.to_vec(), config_mark(setup))
}

/// Were the reviews made by this config?
pub fn is_same_config(store: &Store, setup: &Setup) -> Result<bool> {
    Ok(store.record(Shelf::Meta, CONFIG)?.is_some_and(|mark| mark == config_mark(setup)))
}

fn config_mark(setup: &Setup) -> Vec<u8> {
    blake3::hash(format!("{setup:?}").as_bytes()).as_bytes().to_vec()
}

fn me_mark(setup: &Setup) -> Vec<u8> {
    let addresses: Vec<&str> = setup.me.addresses.iter().map(AddrSpec::as_str).collect();
    let calendars: Vec<String> = setup.own_calendars().into_iter().collect();
    encode(&(addresses, calendars))
}
