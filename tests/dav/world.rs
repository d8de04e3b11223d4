//! What the store and the engine make of readings, as far as these tests need it.

use std::collections::BTreeMap;

use kithd::evidence::{Card, Cursor, EvidenceId, Folder, Level, Meeting, Observation};
use kithd::limits;
use kithd::source::{Occasion, Report, Send, Stopped};
use kithd::time::{Timestamp, Zone};

pub struct World {
    runtime: tokio::runtime::Runtime,
    pub zone: Zone,
    pub now: Timestamp,
    cursors: BTreeMap<(String, u16), Vec<u8>>,
    /// Future meetings, as they are known; the text is what `on` shows.
    meetings: BTreeMap<EvidenceId, Meeting>,
    cards: BTreeMap<EvidenceId, Card>,
}

/// What one reading said.
#[derive(Default, Debug)]
pub struct Seen {
    pub meetings: usize,
    pub cards: usize,
    pub complaints: Vec<String>,
    pub cancelled: usize,
    pub cursors: usize,
    pub folders: Vec<Folder>,
    pub failed: Option<(Level, String)>,
    pub through: bool,
}

impl World {
    pub fn new() -> World {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        World {
            runtime,
            zone: Zone::named("Europe/Berlin").unwrap(),
            now: Timestamp::parse("2026-05-20T10:00:00Z").unwrap(),
            cursors: BTreeMap::new(),
            meetings: BTreeMap::new(),
            cards: BTreeMap::new(),
        }
    }

    /// One reading; what it says is kept as the store keeps it.
    pub fn read(
        &mut self,
        door: impl FnOnce(Vec<Cursor>, &Occasion<'_>, &mut Send<'_>) -> Result<(), Stopped>,
    ) -> Seen {
        let cursor = |((place, part), value): (&(String, u16), &Vec<u8>)| Cursor {
            place: place.clone(),
            part: *part,
            value: value.clone(),
        };
        let cursors: Vec<Cursor> = self.cursors.iter().map(cursor).collect();
        let zone = self.zone.clone();
        let occasion = Occasion { now: self.now, zone: &zone, text_since: self.now };
        let mut seen = Seen::default();
        let mut ended = 0;
        let mut reports = Vec::new();
        let mut send = |report: Report| {
            reports.push(report);
            Ok(())
        };
        let guard = self.runtime.enter();
        door(cursors, &occasion, &mut send).unwrap();
        drop(guard);
        for report in reports {
            match report {
                Report::Batch(batch) => self.take(batch, &mut seen),
                Report::Through { folders, .. } => {
                    (seen.through, seen.folders) = (true, folders);
                    ended += 1;
                }
                Report::Failed { level, what } => {
                    seen.failed = Some((level, what));
                    ended += 1;
                }
            }
        }
        assert_eq!(ended, 1, "exactly one end");
        seen
    }

    fn take(&mut self, batch: kithd::evidence::Batch, seen: &mut Seen) {
        assert!(batch.observations.len() <= limits::BATCH && batch.cursors.len() <= limits::CURSORS);
        for observation in batch.observations {
            match observation {
                Observation::Meeting(meeting) => {
                    seen.meetings += 1;
                    self.meetings.insert(meeting.key.id(), meeting);
                }
                Observation::Card(card) => {
                    seen.cards += 1;
                    self.cards.insert(card.id, card);
                }
                _ => panic!("neither a meeting nor a card"),
            }
        }
        if let Some(full) = batch.full {
            let gone = |m: &Meeting| m.start() >= full.began_at && m.start() < full.until && full.lacks_meeting(&m.key);
            let before = self.meetings.len() + self.cards.len();
            self.meetings.retain(|_, m| !gone(m));
            self.cards.retain(|id, _| !full.lacks_card(*id));
            seen.cancelled += before - self.meetings.len() - self.cards.len();
        }
        seen.complaints.extend(batch.complaints.into_iter().map(|c| format!("{} {}", c.place, c.what)));
        for cursor in batch.cursors {
            seen.cursors += 1;
            assert!(cursor.value.len() <= limits::VALUE_BYTES);
            let key = (cursor.place, cursor.part);
            if cursor.value.is_empty() {
                self.cursors.remove(&key)
            } else {
                self.cursors.insert(key, cursor.value)
            };
        }
    }

    /// Summaries of the meetings that are on, each with how often.
    pub fn on(&self) -> BTreeMap<String, usize> {
        let mut on = BTreeMap::new();
        for meeting in self.meetings.values() {
            *on.entry(meeting.revisions[0].summary.clone()).or_default() += 1;
        }
        on
    }

    /// First names of the cards.
    pub fn people(&self) -> Vec<String> {
        let mut names: Vec<String> = self.cards.values().filter_map(|c| c.names.first().cloned()).collect();
        names.sort();
        names
    }

    /// Runs whatever needs a runtime around it.
    pub fn within<T>(&self, what: impl FnOnce(&Occasion<'_>) -> T) -> T {
        let _guard = self.runtime.enter();
        what(&Occasion { now: self.now, zone: &self.zone, text_since: self.now })
    }

    /// All that is stored, to look for what must not be.
    pub fn stored(&self) -> String {
        let text = |(key, value): (&(String, u16), &Vec<u8>)| format!("{key:?} {}", String::from_utf8_lossy(value));
        self.cursors.iter().map(text).collect()
    }
}
