//! Derives the indexes again, compares, mends. Floor 6.
//!
//! Invariant: after it, every fact can be read and found under everything it speaks of, and nothing
//! else is found.

use std::collections::BTreeMap;

use crate::evidence::EvidenceId;
use crate::limits;

use super::fault::{Result, guarded};
use super::trees::{Place, Trees};
use super::{Counts, Ops, Shelf, Store, Walk, commit, keys, values};

/// What a check found and mended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Checked {
    /// In plain words, at most [`limits::COMPLAINTS`]; empty when all was well.
    pub findings: Vec<String>,
    /// Evidence was lost. The reading positions were dropped, so that the sources are read again.
    pub lost: bool,
}

impl Store {
    /// Compares all trees with the evidence and mends what differs.
    pub fn check(&self) -> Result<Checked> {
        let trees = self.trees()?;
        let mut writer = self.writer();
        let mut checked = Checked::default();
        writer.counts = guarded(|| mend(trees, writer.counts, Some(&mut checked)))?;
        Ok(checked)
    }

    /// Drops the derived indexes and makes them anew.
    pub fn rebuild_derived(&self) -> Result<()> {
        let trees = self.trees()?;
        let mut writer = self.writer();
        // `known` first: until it is whole again, the next opening sees that this was not finished
        for place in [Place::Known, Place::ByAddress, Place::Thread] {
            trees.clear(place)?;
        }
        writer.counts = guarded(|| mend(trees, writer.counts, None))?;
        Ok(())
    }
}

/// Mends all trees and returns the true counts.
pub(super) fn mend(trees: &Trees, counts: Counts, checked: Option<&mut Checked>) -> Result<Counts> {
    let mut unsaid = Checked::default();
    let mut mender = Mender { trees, ops: Ops::new(), count: 0, checked: checked.unwrap_or(&mut unsaid) };
    let mut entries = BTreeMap::from([Place::Known, Place::ByAddress, Place::Thread].map(|place| (place, 0)));
    let true_counts = mender.facts(&mut entries)?;
    for (place, entries) in entries {
        // every entry there should be is there now, so where there are no more, none is wrong
        if trees.count(place)? != entries {
            if place == Place::Known { mender.known()? } else { mender.index(place)? }
        }
    }
    mender.records()?;
    if true_counts != counts {
        let what = format!("{} facts were counted and {} are there", counts.evidence(), true_counts.evidence());
        mender.put(Place::Meta, commit::COUNTS.to_vec(), Some(commit::sealed_counts(true_counts)?), &what)?;
        mender.checked.lost |= true_counts.evidence() < counts.evidence();
    }
    if mender.checked.lost {
        mender.forget_positions()?;
    }
    mender.flush()?;
    Ok(true_counts)
}

struct Mender<'a> {
    trees: &'a Trees,
    ops: Ops,
    count: usize,
    checked: &'a mut Checked,
}

impl Mender<'_> {
    fn put(&mut self, place: Place, key: Vec<u8>, value: Option<Vec<u8>>, what: &str) -> Result<()> {
        if self.checked.findings.len() < limits::COMPLAINTS {
            self.checked.findings.push(what.to_string());
        }
        self.ops.entry(place).or_default().push((key, value));
        self.count += 1;
        if self.count >= limits::TRANSACTION { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        self.trees.transact(&self.ops)?;
        self.ops.clear();
        self.count = 0;
        Ok(())
    }

    /// Every fact is whole, lies where it should, and has its entries, which are counted by tree.
    fn facts(&mut self, counted: &mut BTreeMap<Place, u64>) -> Result<Counts> {
        let mut counts = Counts::default();
        for entry in Walk::over(self.trees.prefix(Place::Evidence, &[]), Ok) {
            let (key, value) = entry?;
            let sound = values::decode(&value).ok().filter(|o| keys::read_evidence(&key) == Some((o.at(), o.id())));
            let Some(fact) = sound else {
                self.checked.lost = true;
                self.put(Place::Evidence, key.to_vec(), None, "a fact could not be read and was taken out")?;
                continue;
            };
            *counts.of_kind(&fact) += 1;
            let known = (Place::Known, fact.id().bytes().to_vec(), keys::time(fact.at()).to_vec());
            let entries = commit::entries(&fact).into_iter().map(|(place, key)| (place, key, Vec::new()));
            for (place, key, value) in entries.chain([known]) {
                *counted.entry(place).or_default() += 1;
                if self.trees.get(place, &key)?.as_deref() != Some(value.as_slice()) {
                    let what = format!("{}: an entry of the fact {} was missing", place.name(), fact.id());
                    self.put(place, key, Some(value), &what)?;
                }
            }
        }
        self.flush()?;
        Ok(counts)
    }

    /// Every known id has its fact. A second fact of one id is an older form of it.
    fn known(&mut self) -> Result<()> {
        for entry in Walk::over(self.trees.prefix(Place::Known, &[]), Ok) {
            let (key, value) = entry?;
            let id = <[u8; 16]>::try_from(key.as_ref()).map(EvidenceId::from_bytes);
            let at = keys::TimeKey::try_from(value.as_ref()).map(keys::read_time);
            let there = match (id, at) {
                (Ok(id), Ok(at)) => self.trees.get(Place::Evidence, &keys::evidence(at, id))?.is_some(),
                _ => false,
            };
            if !there {
                self.put(Place::Known, key.to_vec(), None, "known: an id without a fact was taken out")?;
            }
        }
        self.flush()
    }

    /// Every entry of an index leads to a fact that has it.
    fn index(&mut self, place: Place) -> Result<()> {
        for entry in Walk::over(self.trees.prefix(place, &[]), Ok) {
            let (key, _) = entry?;
            if !self.leads_somewhere(place, &key)? {
                let what = format!("{}: an entry without a fact was taken out", place.name());
                self.put(place, key.to_vec(), None, &what)?;
            }
        }
        self.flush()
    }

    fn leads_somewhere(&self, place: Place, key: &[u8]) -> Result<bool> {
        let mut prefixes = Vec::new();
        if place == Place::Thread {
            let Some(short) = keys::read_thread(key) else { return Ok(false) };
            for known in Walk::over(self.trees.prefix(Place::Known, &short), Ok) {
                let (id, at) = known?;
                prefixes.push([at.as_ref(), id.as_ref()].concat());
            }
        } else {
            let Some((at, short)) = keys::read_by_address(key) else { return Ok(false) };
            prefixes.push([at.as_slice(), &short].concat());
        }
        for prefix in prefixes {
            for fact in Walk::over(self.trees.prefix(Place::Evidence, &prefix), |(_, v)| values::decode(&v)) {
                if commit::entries(&fact?).contains(&(place, key.to_vec())) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Every record and reading position can be read.
    fn records(&mut self) -> Result<()> {
        for place in Shelf::ALL.into_iter().map(Place::Shelf).chain([Place::Cursor]) {
            for entry in Walk::over(self.trees.prefix(place, &[]), Ok) {
                let (key, value) = entry?;
                if values::unseal(&value).is_err() {
                    let what = format!("{}: a record could not be read and was taken out", place.name());
                    self.put(place, key.to_vec(), None, &what)?;
                }
            }
        }
        self.flush()
    }

    fn forget_positions(&mut self) -> Result<()> {
        for place in [Place::Cursor, Place::Shelf(Shelf::Coverage)] {
            let keys: Result<Vec<_>> = Walk::over(self.trees.prefix(place, &[]), |(key, _)| Ok(key.to_vec())).collect();
            for key in keys? {
                self.put(place, key, None, "a reading position was dropped, so that its source is read again")?;
            }
        }
        Ok(())
    }
}
