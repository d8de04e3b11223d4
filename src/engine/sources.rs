//! How far each source has been read, and what may therefore be said. Part of `engine`.
//!
//! Invariant: an absence is stated only where every source it rests on was read lately and whole.

use serde::{Deserialize, Serialize};

use super::event::{SourceKind, SourceSpec};
use super::reply::{HeldRow, SourceRow};
use super::state::{put_complaint, put_source};
use super::{Engine, Result};
use crate::address::safe_text;
use crate::evidence::{Complaint, Folder, Level, Word};
use crate::limits;
use crate::policy::Needs;
use crate::store::{Commit, Shelf, Strength};
use crate::time::Timestamp;

/// What is known of a source's reading.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct SourceState {
    /// The last complete good reading.
    pub last_success_at: Option<Timestamp>,
    /// What happened until then is known.
    pub covered_until: Option<Timestamp>,
    /// Failing since.
    pub failing_since: Option<Timestamp>,
    /// Why, in plain words.
    pub last_error: Option<String>,
    /// Nothing helps but a changed config.
    pub stopped: bool,
    /// In the middle of a reading.
    pub reading: bool,
    /// Things read so far.
    pub read: u64,
    /// Its folders.
    pub folders: Vec<Folder>,
    /// A mailbox: with a Sent folder.
    pub sent_found: bool,
}

impl SourceState {
    /// The word of the contract.
    pub const fn word(&self) -> &'static str {
        match (self.stopped, self.failing_since, self.reading || self.last_success_at.is_none()) {
            (true, ..) => "stopped",
            (_, Some(_), _) => "failing",
            (_, None, true) => "reading",
            _ => "ok",
        }
    }
}

/// What a hold rests on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gap {
    /// The source.
    pub source: String,
    /// In plain words.
    pub why: String,
    /// The mailbox is well but has no Sent.
    pub no_sent: bool,
}

impl Engine {
    pub(super) fn read_through(
        &mut self,
        source: &str,
        until: Timestamp,
        folders: Vec<Folder>,
        sent_found: bool,
        now: Timestamp,
    ) -> Result<()> {
        let state = self.memory.sources.entry(source.to_string()).or_default();
        let read = state.read;
        *state = SourceState {
            last_success_at: Some(now),
            covered_until: Some(until),
            read,
            folders,
            sent_found,
            ..SourceState::default()
        };
        let put = put_source(source, state);
        self.store.commit(Commit { puts: vec![put], ..Commit::default() }, Strength::Atomic)?;
        Ok(())
    }

    pub(super) fn source_failed(&mut self, source: &str, level: Level, what: &str, now: Timestamp) -> Result<()> {
        let state = self.memory.sources.entry(source.to_string()).or_default();
        state.failing_since.get_or_insert(now);
        state.last_error = Some(safe_text(what, 4 * limits::ERROR_BYTES));
        state.stopped = level == Level::Stop;
        state.reading = false;
        let put = put_source(source, state);
        self.store.commit(Commit { puts: vec![put], ..Commit::default() }, Strength::Atomic)?;
        Ok(())
    }

    /// Keeps complaints, one a place, the newest [`limits::COMPLAINTS`].
    pub(super) fn complain(&mut self, complaints: &[Complaint], commit: &mut Commit) {
        for c in complaints {
            self.memory.complaints.retain(|old| (&old.source, &old.place) != (&c.source, &c.place));
            self.memory.complaints.push(c.clone());
            commit.puts.push(put_complaint(c));
        }
        let surplus = self.memory.complaints.len().saturating_sub(limits::COMPLAINTS);
        for old in self.memory.complaints.drain(..surplus) {
            let (shelf, key, _) = put_complaint(&old);
            commit.puts.retain(|(s, k, _)| (*s, k) != (Shelf::Complaint, &key));
            commit.drops.push((shelf, key));
        }
    }

    /// Sources the user left out of coverage.
    pub(super) fn is_left_out(&self, source: &str) -> bool {
        let said = self.memory.choices.iter().rev().find_map(|c| match &c.what {
            Word::Without(name, out) if name.eq_ignore_ascii_case(source) => Some(*out),
            _ => None,
        });
        said.unwrap_or(false)
    }

    /// What keeps an absence from being stated at `now`.
    pub(super) fn gap(&self, needs: Needs, now: Timestamp) -> Option<Gap> {
        let concerned = |s: &&SourceSpec| match s.kind {
            SourceKind::Mailbox => needs.sent || needs.folders,
            SourceKind::Calendar => needs.calendars && s.own && !s.holidays,
            SourceKind::AddressBook => false,
        };
        let sources = self.setup.sources.iter().filter(concerned).filter(|s| !self.is_left_out(&s.name));
        sources.filter_map(|s| self.gap_of(s, needs, now)).next()
    }

    fn gap_of(&self, spec: &SourceSpec, needs: Needs, now: Timestamp) -> Option<Gap> {
        let gap = |why: String, no_sent| Some(Gap { source: spec.name.clone(), why, no_sent });
        let Some(state) = self.memory.sources.get(&spec.name) else {
            return gap(format!("`{}` was not read yet", spec.name), false);
        };
        if let (Some(_), Some(error)) = (state.failing_since, &state.last_error) {
            return gap(error.clone(), false);
        }
        let Some(until) = state.covered_until else {
            return gap(format!("`{}` was not read to its end yet", spec.name), false);
        };
        if now.since(until) > spec.grace {
            return gap(format!("`{}` was last complete at {until}", spec.name), false);
        }
        if spec.kind == SourceKind::Mailbox && needs.sent && !state.sent_found {
            return gap(format!("no folder of sent mail is found in `{}`", spec.name), true);
        }
        None
    }

    /// Until when every Sent was read.
    pub(super) fn sent_until(&self) -> Option<Timestamp> {
        let mailboxes =
            self.setup.sources.iter().filter(|s| s.kind == SourceKind::Mailbox && !self.is_left_out(&s.name));
        mailboxes.map(|s| self.memory.sources.get(&s.name).and_then(|state| state.covered_until)).min().flatten()
    }

    pub(super) fn source_rows(&self) -> Vec<SourceRow> {
        let row = |s: &SourceSpec| {
            let state = self.memory.sources.get(&s.name).cloned().unwrap_or_default();
            SourceRow {
                name: s.name.clone(),
                kind: match s.kind {
                    SourceKind::Mailbox => "mailbox",
                    SourceKind::Calendar => "calendar",
                    SourceKind::AddressBook => "address_book",
                }
                .to_string(),
                state: state.word().to_string(),
                last_success_at: state.last_success_at,
                covered_until: state.covered_until,
                last_error: state.last_error,
                read: state.read,
                folders: state.folders,
            }
        };
        self.setup.sources.iter().map(row).collect()
    }

    pub(super) fn held_rows(&self, now: Timestamp) -> Vec<HeldRow> {
        let held = self.memory.entries.values().filter_map(|e| Some((e, e.held.as_ref()?)));
        held.map(|(e, (since, why))| HeldRow {
            reminder: e.id,
            source: self.gap(e.needs, now).map(|g| g.source).unwrap_or_default(),
            since: *since,
            why: why.clone(),
        })
        .collect()
    }
}
