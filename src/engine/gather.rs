//! Everything the store knows of one contact, as the ledger wants it. Part of `engine`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::event::ContactSetting;
use super::state::{Settled, drop_settled, put_settled};
use super::{Engine, Result};
use crate::address::AddrSpec;
use crate::evidence::{ActKind, Card, Class, EvidenceId, Mail, Meeting, MessageId, Observation, Word};
use crate::identity::{Contact, ContactId};
use crate::ledger::{ContactHistory, Facts, Person, Viewpoint, history, meetings, rhythm};
use crate::limits;
use crate::outbox::{EntryKind, State};
use crate::policy::{HORIZON, Policies};
use crate::store::{Commit, Shelf, Strength};
use crate::time::{DAY, Span, Timestamp};

impl Engine {
    /// Is nobody to be looked at before the time that was noted? Then who people are need not be known.
    pub(super) fn is_settled(&self, now: Timestamp) -> Result<bool> {
        let none_is_due = self.memory.settled.as_ref().is_some_and(|s| s.next_review_at.is_none_or(|t| t > now));
        Ok(none_is_due
            && self.memory.touched.is_empty()
            && super::state::is_same_me(&self.store, &self.setup)?
            && super::state::is_same_config(&self.store, &self.setup)?)
    }

    /// Notes that there is nobody left to look at, once all who were touched have been reviewed.
    pub(super) fn settle(&mut self) -> Option<super::state::Put> {
        if !self.memory.knows_people || !self.memory.touched.is_empty() {
            return None;
        }
        let counts = self.memory.counts();
        let settled = Settled {
            next_review_at: self.memory.reviews.values().filter_map(|r| r.next_at).min(),
            counts,
            away: self.memory.away.clone(),
            holidays: self.memory.holidays.clone(),
            my_p90: self.memory.my_p90.unwrap_or(rhythm::MY_P90_DEFAULT),
        };
        let changed = self.memory.settled.as_ref() != Some(&settled);
        let put = changed.then(|| put_settled(&settled));
        self.memory.settled = Some(settled);
        put
    }

    /// Knows who people are, and makes the lenses anew where something they rest on has changed.
    pub(super) fn refresh(&mut self, now: Timestamp) -> Result<()> {
        if !self.memory.knows_people {
            self.memory.load_people(&self.store, &self.setup)?;
        }
        if !super::state::is_same_me(&self.store, &self.setup)?
            || (self.store.records(Shelf::Address).next().is_none() && self.store.counts().evidence() > 0)
        {
            self.rebuild_addresses()?;
        }
        if !super::state::is_same_config(&self.store, &self.setup)? {
            self.memory.touched.extend(self.memory.addresses.keys().cloned());
            self.memory.settled = None;
            let (puts, drops) = (vec![super::state::put_config(&self.setup)], vec![drop_settled()]);
            self.store.commit(Commit { puts, drops, ..Commit::default() }, Strength::Atomic)?;
        }
        if self.memory.nobody_stale {
            self.refresh_nobody(now)?;
        }
        if self.memory.namesakes_stale {
            self.memory.load_namesakes(&self.store)?;
        }
        if self.memory.people_stale {
            self.memory.people = self.resolve()?;
            // who is other than at their last review is looked at again
            let reviewed = |c: &Contact| {
                let row = self.memory.reviews.get(&c.id).map(|r| &r.row);
                row.is_some_and(|r| {
                    r.addresses.iter().eq(c.addresses.iter().collect::<BTreeSet<_>>()) && r.name == self.name_of(c)
                })
            };
            let changed: Vec<AddrSpec> =
                self.memory.people.contacts().filter(|c| !reviewed(c)).flat_map(|c| c.addresses.clone()).collect();
            self.memory.touched.extend(changed);
            self.memory.people_stale = false;
        }
        self.refresh_away();
        if self.memory.my_p90.is_none() {
            self.memory.my_p90 = Some(self.my_p90(now)?);
        }
        Ok(())
    }

    /// How long the user takes to answer anybody, by the newest mail that names one of their addresses.
    fn my_p90(&self, now: Timestamp) -> Result<i64> {
        let mut mails: BTreeMap<EvidenceId, Mail> = BTreeMap::new();
        for address in &self.setup.me.addresses {
            for observation in self.store.of_address(address, limits::OWN_MAILS)? {
                if let Observation::Mail(mail) = observation
                    && mail.at <= now
                {
                    mails.insert(mail.id, mail);
                }
            }
        }
        Ok(rhythm::my_p90(mails.values(), &self.setup.me))
    }

    fn resolve(&self) -> Result<crate::identity::People> {
        use crate::identity::{ConfigContact, People, Ties};
        let config = |c: &ContactSetting| ConfigContact { addresses: c.addresses.clone(), name: c.name.clone() };
        let mut ties = Ties {
            threads: BTreeSet::new(),
            cards: self.memory.cards.clone(),
            config: self.setup.contacts.iter().map(config).collect(),
        };
        let words: Vec<Word> = self.memory.choices.iter().map(|c| c.what.clone()).collect();
        let people = People::resolve(&self.setup.me, &self.memory.addresses, &ties, &words);
        for doubt in people.proposals().iter().filter(|p| p.lacks_a_tie()).take(limits::DOUBTS) {
            if !self.threads_of(&doubt.a)?.is_disjoint(&self.threads_of(&doubt.b)?) {
                ties.threads.insert((doubt.a.clone(), doubt.b.clone()));
            }
        }
        if ties.threads.is_empty() {
            return Ok(people);
        }
        Ok(People::resolve(&self.setup.me, &self.memory.addresses, &ties, &words))
    }

    /// The Message-IDs of the conversations an address has spoken in lately.
    fn threads_of(&self, address: &AddrSpec) -> Result<BTreeSet<crate::evidence::MessageId>> {
        let mut ids = BTreeSet::new();
        for observation in self.store.of_address(address, limits::DOUBT_MAILS)? {
            if let Observation::Mail(mail) = observation
                && mail.class == Class::Person
                && mail.sender().is_some_and(|s| s.address == *address)
            {
                ids.extend(mail.message_id.iter().chain(mail.ancestors()).cloned());
            }
        }
        Ok(ids)
    }

    /// Meetings that list nobody: names in summaries, absences, holidays, birthdays.
    fn refresh_nobody(&mut self, now: Timestamp) -> Result<()> {
        self.memory.nobody.clear();
        for observation in self.store.of_nobody(now.minus(800 * DAY), now.plus(limits::CALENDAR_AHEAD)) {
            if let Observation::Meeting(meeting) = observation? {
                self.memory.nobody.push(meeting);
            }
        }
        let surplus = self.memory.nobody.len().saturating_sub(limits::FACTS);
        self.memory.nobody.drain(..surplus);
        self.memory.nobody_stale = false;
        Ok(())
    }

    /// Absences (all-day, one's own, nobody else in it), pauses, and holidays.
    fn refresh_away(&mut self) {
        let own = self.setup.own_calendars();
        let holiday_sources: BTreeSet<&str> =
            self.setup.sources.iter().filter(|s| s.holidays).map(|s| s.name.as_str()).collect();
        let mut away = Vec::new();
        let mut holidays = BTreeSet::new();
        for meeting in &self.memory.nobody {
            let Some(believed) = meetings::believe(meeting, &self.setup.me, None) else { continue };
            let main = &believed.main;
            let crate::evidence::Speaker::Feed(source) = &main.said_by else { continue };
            if believed.cancelled || !main.all_day {
                continue;
            }
            if holiday_sources.contains(source.as_str()) {
                let (first, last) = (self.zone().date(main.start), self.zone().date(main.end.minus(1)));
                let days = crate::time::days_between(first, last).clamp(0, 60);
                holidays.extend((0..=days).map(|n| crate::time::add_days(first, n)));
            } else if own.contains(source) && main.marks.absence && main.names.is_empty() {
                // "Ada Abel on vacation" is hers
                let whose = |c: &Contact| meetings::names_them(&main.summary, &c.name);
                if !self.memory.people.contacts().any(whose) {
                    away.push((main.start, main.end));
                }
            }
        }
        let mut pauses: Vec<(Timestamp, Timestamp)> = Vec::new();
        for choice in &self.memory.choices {
            if let Word::Pause(until) = choice.what {
                // a later pause replaces what is left of an earlier one
                for (_, end) in &mut pauses {
                    *end = (*end).min(choice.at);
                }
                pauses.push((choice.at, until));
            }
        }
        away.extend(pauses);
        away.sort();
        self.memory.away = away;
        self.memory.holidays = holidays;
    }

    /// What the rules go by, as of the lenses.
    pub(super) fn policies(&self) -> Policies {
        let mut hours = self.setup.hours.clone();
        hours.holidays.extend(self.memory.holidays.iter().copied());
        Policies {
            hours,
            rules: self.setup.rules.clone(),
            relationships: self.setup.relationships.clone(),
            away: self.memory.away.clone(),
        }
    }

    pub(super) fn viewpoint(&self) -> Viewpoint {
        Viewpoint {
            me: self.setup.me.clone(),
            own_calendars: self.setup.own_calendars(),
            hours: self.policies().hours,
            known_since: self.memory.known_since.unwrap_or(Timestamp::MAX),
            my_p90: self.memory.my_p90.unwrap_or(rhythm::MY_P90_DEFAULT),
        }
    }

    /// The history of one contact as of `now`.
    pub(super) fn history_of(&self, contact: &Contact, view: &Viewpoint, now: Timestamp) -> Result<ContactHistory> {
        Ok(history(self.facts_of(contact, now)?, view, now))
    }

    pub(super) fn facts_of(&self, contact: &Contact, now: Timestamp) -> Result<Facts> {
        let (mut mails, mut meetings, mut cards) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for address in &contact.addresses {
            for observation in self.store.of_address(address, limits::FACTS)? {
                match observation {
                    Observation::Mail(mail) => drop(mails.insert(mail.id, mail)),
                    Observation::Meeting(meeting) => drop(meetings.insert(meeting.key.id(), meeting)),
                    Observation::Card(card) => drop(cards.insert(card.id, card)),
                    Observation::Choice(_) => {}
                }
            }
        }
        let named = self
            .memory
            .nobody
            .iter()
            .filter(|m| m.main().is_some_and(|r| meetings::names_them(&r.summary, &contact.name)));
        meetings.extend(named.map(|m| (m.key.id(), m.clone())));
        let aside = self.aside(contact, &mails, &meetings, now)?;
        let person = self.person(contact, &cards);
        let mails: Vec<Arc<Mail>> = mails.into_values().map(Arc::new).collect();
        let meetings: Vec<Meeting> = meetings.into_values().collect();
        let people = self.people_in(&mails, &aside, &meetings);
        let theirs = |id: ContactId| contact.addresses.iter().any(|a| ContactId::of(a) == id);
        let entries = self
            .memory
            .entries
            .values()
            .filter(|e| e.kind == EntryKind::Reminder && e.whom.as_ref().is_some_and(|w| theirs(w.id)));
        let (mut shown, mut done_at) = (Vec::new(), Vec::new());
        for entry in entries {
            if entry.was_shown() {
                shown.push((entry.occasion.clone(), entry.cause.clone()));
            }
            let by_user = entry.closed_by.as_deref() == Some("user");
            done_at.extend(entry.closed_at.filter(|_| entry.state == State::Done && by_user));
        }
        Ok(Facts { person, mails, aside, meetings, cards: cards.into_values().collect(), done_at, shown, people })
    }

    /// Mail that does not name the contact: the rest of their recent threads, what the user wrote to
    /// people of the same interviews, and to people they introduced.
    fn aside(
        &self,
        contact: &Contact,
        mails: &BTreeMap<EvidenceId, Mail>,
        meetings: &BTreeMap<EvidenceId, Meeting>,
        now: Timestamp,
    ) -> Result<Vec<Arc<Mail>>> {
        let mut found: BTreeMap<EvidenceId, Mail> = BTreeMap::new();
        let mut looked_up: BTreeSet<&MessageId> = BTreeSet::new();
        let since = now.minus(HORIZON);
        let mut others: BTreeSet<&AddrSpec> = BTreeSet::new();
        for mail in mails.values().filter(|m| m.at > since && m.class == Class::Person) {
            for id in mail.message_id.iter().chain(mail.in_reply_to.iter()).chain(mail.references.first()) {
                // the mails of a thread name each other: each name is looked up once
                if found.len() >= limits::THREAD_MAILS || !looked_up.insert(id) {
                    continue;
                }
                let held = |id| mails.contains_key(&id) || found.contains_key(&id);
                for observation in self.store.conversation_beside(id, &held)? {
                    if let Observation::Mail(m) = observation {
                        found.insert(m.id, m);
                    }
                }
            }
            if mail.acts().iter().any(|a| a.kind == ActKind::Introduction) {
                others.extend(mail.to.iter().chain(&mail.cc).map(|a| &a.address));
            }
        }
        let interviews = meetings.values().filter(|m| m.start() > since && m.main().is_some_and(|r| r.marks.interview));
        others.extend(interviews.flat_map(Meeting::addresses));
        let others = others.into_iter().filter(|a| !contact.addresses.contains(a) && !self.setup.me.is_me(a));
        for address in others.take(limits::ATTENDEES) {
            let theirs =
                self.memory.people.contact_of(address).map_or_else(|| vec![address.clone()], |c| c.addresses.clone());
            for address in theirs {
                for observation in self.store.of_address(&address, limits::THREAD_MAILS)? {
                    if let Observation::Mail(m) = observation {
                        found.insert(m.id, m);
                    }
                }
            }
        }
        for address in self.doubles(contact) {
            for observation in self.store.of_address(&address, limits::THREAD_MAILS)? {
                if let Observation::Mail(m) = observation {
                    found.insert(m.id, m);
                }
            }
        }
        found.retain(|id, _| !mails.contains_key(id));
        Ok(found.into_values().map(Arc::new).collect())
    }

    /// Addresses that may be this contact's as well: `check` proposes to merge them.
    fn doubles(&self, contact: &Contact) -> BTreeSet<AddrSpec> {
        let theirs = |a: &AddrSpec| contact.addresses.contains(a);
        let pairs = self.memory.people.proposals().iter();
        let others = pairs.filter_map(|p| match (theirs(&p.a), theirs(&p.b)) {
            (true, false) => Some(&p.b),
            (false, true) => Some(&p.a),
            _ => None,
        });
        let others = others.filter_map(|a| self.memory.people.contact_of(a)).flat_map(|c| &c.addresses);
        others.take(limits::CONTACT_ADDRESSES).cloned().collect()
    }

    fn people_in(
        &self,
        mails: &[Arc<Mail>],
        aside: &[Arc<Mail>],
        meetings: &[Meeting],
    ) -> BTreeMap<AddrSpec, (ContactId, String)> {
        let mails = mails.iter().chain(aside).flat_map(|m| m.addresses());
        let all: BTreeSet<&AddrSpec> = mails.chain(meetings.iter().flat_map(Meeting::addresses)).collect();
        let named = |a: &&AddrSpec| self.memory.people.contact_of(a).map(|c| ((*a).clone(), (c.id, self.name_of(c))));
        all.iter().filter_map(named).collect()
    }

    /// What the user calls somebody, else what the config or identity does.
    pub(super) fn name_of(&self, contact: &Contact) -> String {
        let said = self.latest(contact, |w| match w {
            Word::Name(a, name) => Some((a, name.clone())),
            _ => None,
        });
        let config = || self.setting(contact).and_then(|s| s.name.clone());
        said.or_else(config).unwrap_or_else(|| contact.name.clone())
    }

    fn setting(&self, contact: &Contact) -> Option<&ContactSetting> {
        self.setup.contacts.iter().find(|s| s.addresses.iter().any(|a| contact.addresses.contains(a)))
    }

    /// The latest word of a kind about any address of a contact.
    fn latest<'a, T>(&'a self, contact: &Contact, pick: impl Fn(&'a Word) -> Option<(&'a AddrSpec, T)>) -> Option<T> {
        let words = self.memory.choices.iter().rev().filter_map(|c| pick(&c.what));
        words.into_iter().find(|(a, _)| contact.addresses.contains(a)).map(|(_, value)| value)
    }

    fn person(&self, contact: &Contact, cards: &BTreeMap<EvidenceId, Card>) -> Person {
        let setting = self.setting(contact);
        let relationship = self.latest(contact, |w| match w {
            Word::Relationship(a, name) => Some((a, name.clone())),
            _ => None,
        });
        let categories = || {
            let known = self.setup.relationship_names();
            let all = cards.values().filter(|c| !c.gone).flat_map(|c| &c.categories);
            all.map(|c| c.replace([' ', '-'], "_")).find(|c| known.contains(&c.as_str()))
        };
        let every: Option<Option<Span>> = self.latest(contact, |w| match w {
            Word::Every(a, span) => Some((a, *span)),
            _ => None,
        });
        let muted = self.latest(contact, |w| match w {
            Word::Mute(a, mute) => Some((a, *mute)),
            _ => None,
        });
        // the later of `person` and `ignore` holds
        let is_person = self.latest(contact, |w| match w {
            Word::Person(a) => Some((a, true)),
            Word::Ignore(a) => Some((a, false)),
            _ => None,
        });
        Person {
            id: contact.id,
            name: self.name_of(contact),
            addresses: contact.addresses.iter().cloned().collect(),
            relationship: relationship.or_else(|| setting.and_then(|s| s.relationship.clone())).or_else(categories),
            every: every.unwrap_or_else(|| setting.and_then(|s| s.every)),
            muted: muted.unwrap_or_else(|| setting.is_some_and(|s| s.mute)),
            person: is_person == Some(true) || (is_person.is_none() && setting.is_some()),
            ignored: is_person == Some(false),
            in_book: cards.values().any(|c| !c.gone),
            doubles: self.doubles(contact),
            desk: !contact.person,
        }
    }
}
