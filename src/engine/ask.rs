//! Questions to the engine. Part of `engine`.
//!
//! Invariant: a question changes nothing a later question could see.

use std::collections::BTreeMap;

use super::choose::refused;
use super::reply::{
    ContactRow, ContactSheet, EvidenceRow, Explanation, Export, Finding, InteractionRow, ReminderRow, Reply, Request,
    Status, StatusCounts, WhomRow,
};
use super::{Engine, Result};
use crate::evidence::{Observation, ReminderId};
use crate::identity::Contact;
use crate::ledger::{self, ContactHistory};
use crate::outbox::compose::{reason, subject};
use crate::outbox::words::Words;
use crate::outbox::{Channel, Entry, EntryKind};
use crate::policy::{Needs, Rule, Standing, Verdict, review, review_rule};
use crate::time::Timestamp;

impl Engine {
    /// Answers a request as of `now`.
    pub fn answer(&mut self, request: Request, now: Timestamp) -> Result<Reply> {
        match request {
            Request::Status | Request::Waiting if self.is_settled(now)? => {}
            Request::Reminders { .. } | Request::Backup(_) => {}
            _ => self.refresh(now)?,
        }
        match request {
            Request::Status => Ok(Reply::Status(Box::new(self.status(now)))),
            Request::Contacts { all } => Ok(Reply::Contacts(self.contact_rows(all, now)?)),
            Request::Contact(who) => match self.one(&who) {
                Ok(contact) => Ok(Reply::Contact(Box::new(self.sheet(&contact, now)?))),
                Err(reply) => Ok(reply),
            },
            Request::Reminders { all } => Ok(Reply::Reminders(self.reminder_rows(all, now)?)),
            Request::Explain(what) => self.explain(&what, now),
            Request::Plan(until) => Ok(Reply::Reminders(self.plan(until, now)?)),
            Request::Waiting => Ok(Reply::Reminders(self.waiting(now)?)),
            Request::Act(id, act) => self.act(id, act, now),
            Request::Pause(until) => self.pause(until, now),
            Request::Without(source, out) => self.without(source, out, now),
            Request::Set(who, settings) => self.set(&who, settings, now),
            Request::Merge(a, b) => self.merge(&a, &b, now),
            Request::Split(who, address) => self.split(&who, &address, now),
            Request::Forget(who) => self.forget(&who, now),
            Request::Export => self.export(now),
            Request::Backup(file) => {
                self.store.backup(&file)?;
                Ok(Reply::Done(format!("backed up to {}", file.display())))
            }
            Request::Check => self.check(),
        }
    }

    fn status(&self, now: Timestamp) -> Status {
        let (contacts, interactions) = self.memory.counts();
        let ready = self
            .setup
            .sources
            .iter()
            .all(|s| self.memory.sources.get(&s.name).is_some_and(|state| state.last_success_at.is_some()));
        Status {
            version: env!("CARGO_PKG_VERSION").to_string(),
            ready,
            now,
            sources: self.source_rows(),
            held: self.held_rows(now),
            complaints: self.memory.complaints.clone(),
            counts: StatusCounts {
                contacts,
                interactions,
                reminders: count(self.reminders().filter(|e| e.state.is_open()).count()),
            },
            next_wake_at: Some(self.next_wake(now)),
            quiet_until: self.policies().away_until(now),
        }
    }

    fn contact_rows(&mut self, all: bool, now: Timestamp) -> Result<Vec<ContactRow>> {
        let (view, policies) = (self.viewpoint(), self.policies());
        let mut rows = Vec::new();
        let passed = self.passed(now)?;
        for contact in self.memory.people.contacts() {
            let stale = |a| passed.contains(a) || self.memory.touched.contains(a);
            let reviewed =
                self.memory.reviews.get(&contact.id).filter(|r| {
                    r.row.addresses.len() == contact.addresses.len() && !contact.addresses.iter().any(stale)
                });
            let row = match reviewed.and_then(|r| r.row_at(now)) {
                Some(row) => row,
                None => super::wake::row(&self.history_of(contact, &view, now)?, &policies, now),
            };
            if all || row.is_contact {
                rows.push(row);
            }
        }
        if all {
            rows.extend(self.strangers()?);
        }
        rows.sort_by(|a, b| b.last_contact_at.cmp(&a.last_contact_at).then_with(|| a.addresses.cmp(&b.addresses)));
        Ok(rows)
    }

    /// Addresses mail came from that may be no contact's: newsletters, machines, one-way senders.
    fn strangers(&self) -> Result<Vec<ContactRow>> {
        let mut rows = Vec::new();
        for record in self.store.records(crate::store::Shelf::Address) {
            let (key, value) = record?;
            let facts: crate::identity::AddressFacts = super::state::decode(&value)?;
            let Some(address) = super::state::address(&key).filter(|a| !self.memory.addresses.contains_key(a)) else {
                continue;
            };
            rows.push(ContactRow {
                id: crate::identity::ContactId::of(&address),
                name: facts.names.first().map_or_else(|| address.to_string(), |(n, _)| n.clone()),
                addresses: vec![address],
                relationship: None,
                every_days: None,
                every_from: None,
                muted: false,
                is_contact: false,
                first_contact_at: None,
                last_contact_at: None,
                last_sent_at: None,
                last_received_at: None,
                last_met_at: None,
                next_meeting_at: None,
                counts: Default::default(),
                strength: 0,
            });
        }
        Ok(rows)
    }

    fn sheet(&self, contact: &Contact, now: Timestamp) -> Result<ContactSheet> {
        let history = self.history_of(contact, &self.viewpoint(), now)?;
        let words = self.words(now)?;
        let interactions = history.interactions.iter().map(|i| InteractionRow {
            at: i.at,
            kind: i.kind.as_str().to_string(),
            subject: i.subject.clone(),
            source: i.source.clone(),
            evidence: i.evidence.clone(),
            weight: i.weight,
        });
        let theirs = |e: &&Entry| {
            e.whom.as_ref().is_some_and(|w| self.memory.people.by_id(w.id).is_some_and(|c| c.id == contact.id))
        };
        let mut entries: Vec<&Entry> = self.reminders().filter(theirs).collect();
        entries.sort_by_key(|e| (e.due_at, e.id));
        Ok(ContactSheet {
            row: super::wake::row(&history, &self.policies(), now),
            interactions: interactions.collect(),
            merges: contact.merges.clone(),
            reminders: entries.into_iter().map(|e| self.reminder_row(e, &words)).collect(),
        })
    }

    pub(super) fn reminder_row(&self, e: &Entry, words: &Words) -> ReminderRow {
        ReminderRow {
            id: e.id,
            rule: e.rule.clone(),
            occasion: e.occasion.clone(),
            channel: if e.channel == Channel::Own { "own" } else { "summary" }.to_string(),
            state: e.state.as_str().to_string(),
            closed_by: e.closed_by.clone(),
            contact: e.whom.as_ref().map(|w| WhomRow { id: w.id, name: w.name.clone(), address: w.address.clone() }),
            due_at: e.due_at,
            sent_at: e.sent_at.or(e.first_sent_at),
            expires_at: e.expires_at,
            score: f64::from(e.score) / 10.0,
            reason: e.reason.clone(),
            evidence: e.evidence.clone(),
            message_id: e.message_id.as_ref().map(ToString::to_string),
            subject: if e.kind == EntryKind::Reminder { subject(words, e) } else { e.rule.clone() },
            trouble: e.held.as_ref().map(|(_, why)| why.clone()).or_else(|| e.trouble.clone()),
            would_send_at: None,
        }
    }

    fn reminder_rows(&self, all: bool, now: Timestamp) -> Result<Vec<ReminderRow>> {
        let words = self.words(now)?;
        let mut entries: Vec<&Entry> = self.reminders().filter(|e| all || e.state.is_open()).collect();
        entries.sort_by_key(|e| (e.due_at, e.id));
        Ok(entries.into_iter().map(|e| self.reminder_row(e, &words)).collect())
    }

    fn explain(&self, what: &str, now: Timestamp) -> Result<Reply> {
        let by_id = ReminderId::parse(what).and_then(|id| self.memory.entries.get(&id));
        let contact = match by_id {
            Some(entry) => entry.whom.as_ref().and_then(|w| self.memory.people.by_id(w.id)).cloned(),
            None => match self.one(what) {
                Ok(contact) => Some(contact),
                Err(reply) => return Ok(reply),
            },
        };
        let Some(contact) = contact else {
            return Ok(refused(format!("the reminder {what} is about nobody that is known any more")));
        };
        let (facts, view, policies) = (self.facts_of(&contact, now)?, self.viewpoint(), self.policies());
        let words = self.words(now)?;
        let as_of = |at| (at, ledger::history(facts.clone(), &view, at), BTreeMap::new());
        let mut then: (Timestamp, ContactHistory, BTreeMap<Rule, Vec<Verdict>>) = as_of(now);
        let mut verdicts = review(&then.1, &policies, now).verdicts;
        verdicts.retain(|v| by_id.is_none_or(|e| e.id == v.id));
        let mut moments: Vec<(Timestamp, &Verdict)> = verdicts.iter().map(|v| (self.moment(v, now), v)).collect();
        // each moment is looked at once, and each rule once in it
        moments.sort_by_key(|(at, _)| *at);
        let mut found: Vec<Explanation> = Vec::new();
        for (at, v) in moments {
            if then.0 != at {
                then = as_of(at);
            }
            let (_, history, rules) = &mut then;
            let rule = v.occasion.rule();
            let of_rule = rules.entry(rule).or_insert_with(|| review_rule(history, &policies, at, rule));
            let as_it_was = of_rule.iter().find(|w| w.id == v.id).unwrap_or(v);
            found.push(self.explanation(v, as_it_was, history, &words, now));
        }
        if let (true, Some(entry)) = (found.is_empty(), by_id) {
            found.push(self.explain_entry(entry, &words));
        }
        found.sort_by(|a, b| (b.due_at, a.id).cmp(&(a.due_at, b.id)));
        Ok(Reply::Explained(found))
    }

    /// The moment a verdict speaks of: when it was shown, closed (not before its day), ran out, or will be due.
    fn moment(&self, v: &Verdict, now: Timestamp) -> Timestamp {
        let shown = self.memory.entries.get(&v.id).and_then(|e| e.sent_at.or(e.first_sent_at));
        let of_verdict = match v.standing(now) {
            Standing::Waiting => v.due_at,
            Standing::Closed => v.closed_by.as_ref().map_or(now, |(_, at)| v.due_at.max(*at)),
            Standing::Expired => v.expires_at,
            Standing::Due | Standing::Vetoed | Standing::Low => now.min(v.expires_at),
        };
        shown.unwrap_or(of_verdict)
    }

    /// `v` is how it stands now; `then` says what spoke for it and against it at its own moment.
    fn explanation(
        &self,
        v: &Verdict,
        then: &Verdict,
        history: &ContactHistory,
        words: &Words,
        now: Timestamp,
    ) -> Explanation {
        let entry = self.memory.entries.get(&v.id);
        let mut vetoes = then.vetoes.clone();
        vetoes.extend(v.vetoes.iter().filter(|why| !then.vetoes.contains(why)).cloned());
        vetoes.extend(then.summary_only.map(|why| format!("summary at most: {why}")));
        let refused =
            super::wake::is_refused(&self.memory.entries, v.occasion.rule().as_str(), &history.person.addresses);
        vetoes.extend(refused.then(|| "you dismissed three of this rule in a row".to_string()));
        let standing = match v.standing(now) {
            Standing::Waiting => "waiting",
            Standing::Due => "due",
            Standing::Closed => "closed",
            Standing::Vetoed => "vetoed",
            Standing::Low => "low",
            Standing::Expired => "expired",
        };
        // what is over keeps the days it had
        let over = entry.filter(|e| !e.state.is_open());
        let (due_at, expires_at) = over.map_or((v.due_at, v.expires_at), |e| (e.due_at, e.expires_at));
        Explanation {
            id: v.id,
            rule: v.occasion.rule().as_str().to_string(),
            occasion: v.occasion.as_str().to_string(),
            contact: WhomRow { id: history.person.id, name: history.person.name.clone(), address: v.address.clone() },
            standing: entry.map_or(standing, |e| e.state.as_str()).to_string(),
            due_at,
            expires_at,
            score: f64::from(then.score()) / 10.0,
            points: then.points.iter().map(ToString::to_string).collect(),
            vetoes,
            closed_by: v
                .closed_by
                .as_ref()
                .map(|(by, _)| by.clone())
                .or_else(|| entry.and_then(|e| e.closed_by.clone())),
            reason: reason(words, then, &history.person.name),
            evidence: v.evidence.iter().map(|id| evidence_row(id, history)).collect(),
            coverage: self.coverage_lines(v.needs, now),
            reminder: entry.map(|e| self.reminder_row(e, words)),
        }
    }

    /// A reminder whose cause has left every window: what was kept of it.
    fn explain_entry(&self, e: &Entry, words: &Words) -> Explanation {
        let row = self.reminder_row(e, words);
        let nobody = WhomRow {
            id: crate::identity::ContactId::of(&self.setup.letterhead.to.address),
            name: String::new(),
            address: None,
        };
        Explanation {
            id: e.id,
            rule: e.rule.clone(),
            occasion: e.occasion.clone(),
            contact: row.contact.clone().unwrap_or(nobody),
            standing: row.state.clone(),
            due_at: e.due_at,
            expires_at: e.expires_at,
            score: row.score,
            points: e.points.iter().map(ToString::to_string).collect(),
            vetoes: Vec::new(),
            closed_by: e.closed_by.clone(),
            reason: e.reason.clone(),
            evidence: e
                .evidence
                .iter()
                .map(|id| EvidenceRow { evidence: id.clone(), at: None, subject: String::new(), sentence: None })
                .collect(),
            coverage: Vec::new(),
            reminder: Some(row),
        }
    }

    fn coverage_lines(&self, needs: Needs, now: Timestamp) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(gap) = self.gap(needs, now) {
            lines.push(format!("not covered: {}", gap.why));
        }
        if let (true, Some(until)) = (needs.sent, self.sent_until()) {
            lines.push(format!("Sent read up to {until}"));
        }
        lines
    }

    fn export(&mut self, now: Timestamp) -> Result<Reply> {
        let rows = self.contact_rows(false, now)?;
        let mut contacts = Vec::new();
        for row in rows {
            if let Some(contact) = self.memory.people.by_id(row.id) {
                contacts.push(self.sheet(contact, now)?);
            }
        }
        let reminders = self.reminder_rows(true, now)?;
        Ok(Reply::Exported(Box::new(Export { exported_at: now, contacts, reminders })))
    }

    fn check(&mut self) -> Result<Reply> {
        let checked = self.store.check()?;
        let mut findings: Vec<Finding> = checked
            .findings
            .iter()
            .map(|what| Finding {
                level: if checked.lost { "fail" } else { "note" }.to_string(),
                what: format!("store: {what} (mended)"),
            })
            .collect();
        if findings.is_empty() {
            let counts = self.store.counts();
            findings
                .push(Finding { level: "ok".to_string(), what: format!("store: sound, {} facts", counts.evidence()) });
        }
        for (a, n) in self.other_senders()? {
            findings.push(Finding {
                level: "note".to_string(),
                what: format!("{n} mails in Sent are from {a}: add it to [me] addresses if it is yours"),
            });
        }
        for p in self.memory.people.proposals().iter().take(10) {
            let what = format!(
                "{} and {} may be one person ({}): kithd merge {} {}",
                p.a,
                p.b,
                p.reasons.join(", "),
                p.a,
                p.b
            );
            findings.push(Finding { level: "note".to_string(), what });
        }
        Ok(Reply::Checked(findings))
    }

    /// From addresses in Sent that are not known to be the user's.
    fn other_senders(&self) -> Result<Vec<(crate::address::AddrSpec, u32)>> {
        let mut seen = std::collections::BTreeMap::new();
        for observation in self.store.evidence_between(Timestamp::MIN, Timestamp::MAX) {
            if let Observation::Mail(mail) = observation? {
                let sender = mail.sender().filter(|s| mail.lies_in_sent() && !self.setup.me.is_me(&s.address));
                if let Some(sender) = sender {
                    let n: &mut u32 = seen.entry(sender.address.clone()).or_default();
                    *n = n.saturating_add(1);
                }
            }
        }
        Ok(seen.into_iter().filter(|(_, n)| *n >= 2).collect())
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn evidence_row(id: &str, history: &ContactHistory) -> EvidenceRow {
    let letter = history.letters.iter().find(|l| crate::policy::verdict::is_letter(l, id));
    let meeting = history.encounters.iter().find(|e| e.key.to_string() == id);
    EvidenceRow {
        evidence: id.to_string(),
        at: letter.map(|l| l.mail.at).or_else(|| meeting.map(|e| e.start)),
        subject: letter
            .map(|l| l.mail.subject.clone())
            .or_else(|| meeting.map(|e| e.summary.clone()))
            .unwrap_or_default(),
        sentence: letter.and_then(|l| l.mail.acts().first()).map(|a| a.text.clone()),
    }
}
