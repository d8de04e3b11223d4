//! The one write path. Floor 6.
//!
//! Invariant: a fact and its index entries are written in one transaction; transactions follow each
//! other in the order evidence, records, cursors, so that wherever the process dies a cursor never
//! stands for evidence that is not there.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::AddrSpec;
use crate::evidence::{Class, EvidenceId, Mail, MessageId, Observation};
use crate::limits;

use super::fault::{Result, guarded};
use super::journal::{Entry, Hex};
use super::keys::Under;
use super::trees::{Place, Trees};
use super::{Commit, Counts, Ops, Shelf, Store, Strength, Writer, keys, values};

impl Store {
    /// Writes all of `commit`, in one transaction where it fits into one.
    pub fn commit(&self, commit: Commit, strength: Strength) -> Result<()> {
        let trees = self.trees()?;
        let mut writer = self.writer();
        guarded(|| {
            write(trees, &mut writer, commit)?;
            match strength {
                Strength::Atomic => Ok(()),
                Strength::Durable => sync(trees, &mut writer),
            }
        })
    }

    /// Makes everything committed so far durable.
    pub fn sync(&self) -> Result<()> {
        let trees = self.trees()?;
        sync(trees, &mut self.writer())
    }
}

fn sync(trees: &Trees, writer: &mut Writer) -> Result<()> {
    trees.sync()?;
    if !writer.journal.is_long() {
        return Ok(());
    }
    // a journal that could not be made shorter still says everything
    shorten(trees, 0)?;
    writer.journal.rewrite()
}

/// Key in `meta`: the length the journal had at the last commit that wrote to it. It may be longer by
/// lines whose transaction is missing, but never shorter.
pub(super) const JOURNAL_BYTES: &[u8] = b"journal";

/// Lets the journal be as short as this from now on; durable.
pub(super) fn shorten(trees: &Trees, bytes: u64) -> Result<()> {
    let op = (JOURNAL_BYTES.to_vec(), Some(values::seal(&bytes.to_be_bytes())));
    trees.transact(&Ops::from([(Place::Meta, vec![op])]))?;
    trees.sync()
}

/// Everything but the sync.
fn write(trees: &Trees, writer: &mut Writer, commit: Commit) -> Result<()> {
    let lines = lines(trees, &commit)?;
    writer.journal.append(&lines)?;
    let bytes = (!lines.is_empty()).then(|| writer.journal.bytes());
    apply(trees, writer, commit, bytes)
}

/// What of a commit the journal must hold.
fn lines(trees: &Trees, commit: &Commit) -> Result<Vec<Entry>> {
    let mut lines = Vec::new();
    for observation in &commit.evidence {
        if let Observation::Choice(choice) = observation
            && trees.time_of(choice.id)?.is_none()
        {
            lines.push(Entry::Choice(choice.clone()));
        }
    }
    for id in &commit.removed {
        if let Some((_, Observation::Choice(choice))) = stored(trees, *id)? {
            lines.push(Entry::Removed(choice.id));
        }
    }
    let kept = |shelf: &Shelf| shelf.is_journalled();
    lines.extend(
        commit.puts.iter().filter(|p| kept(&p.0)).map(|(s, k, v)| Entry::Put(*s, Hex(k.clone()), Hex(v.clone()))),
    );
    lines.extend(commit.drops.iter().filter(|d| kept(&d.0)).map(|(s, k)| Entry::Drop(*s, Hex(k.clone()))));
    Ok(lines)
}

/// Writes what the journal already holds, or need not hold.
pub(super) fn replay(trees: &Trees, writer: &mut Writer, commit: Commit) -> Result<()> {
    apply(trees, writer, commit, None)
}

/// `journal`: how long that is with the lines of this commit.
fn apply(trees: &Trees, writer: &mut Writer, commit: Commit, journal: Option<u64>) -> Result<()> {
    let evidence: BTreeMap<EvidenceId, Observation> = commit.evidence.into_iter().map(|o| (o.id(), o)).collect();
    let removed: BTreeSet<EvidenceId> = commit.removed.into_iter().filter(|id| !evidence.contains_key(id)).collect();
    let mut chunk = Chunk { trees, writer, ops: Ops::new(), count: 0, counts: None };
    if let Some(bytes) = journal {
        chunk.add(vec![(Place::Meta, JOURNAL_BYTES.to_vec(), Some(values::seal(&bytes.to_be_bytes())))])?;
    }
    let mut by_time: Vec<Observation> = evidence.into_values().collect();
    by_time.sort_by_key(|o| (o.at(), o.id()));
    for observation in by_time {
        chunk.replace(observation)?;
    }
    for id in removed {
        chunk.remove(id)?;
    }
    let (coverage, records): (Vec<_>, Vec<_>) = commit.puts.into_iter().partition(|p| p.0 == Shelf::Coverage);
    for (shelf, key, value) in records {
        chunk.add(vec![(Place::Shelf(shelf), key, Some(values::seal(&value)))])?;
    }
    for (shelf, key) in commit.drops {
        chunk.add(vec![(Place::Shelf(shelf), key, None)])?;
    }
    for (source, cursor) in commit.cursors {
        let value = (!cursor.value.is_empty()).then(|| values::seal(&cursor.value));
        chunk.add(vec![(Place::Cursor, keys::cursor(&source, &cursor.place, cursor.part), value)])?;
    }
    for (shelf, key, value) in coverage {
        chunk.add(vec![(Place::Shelf(shelf), key, Some(values::seal(&value)))])?;
    }
    chunk.flush()
}

type Op = (Place, Vec<u8>, Option<Vec<u8>>);

/// Operations that wait for their transaction.
struct Chunk<'a> {
    trees: &'a Trees,
    writer: &'a mut Writer,
    ops: Ops,
    count: usize,
    /// The counts after this transaction, where it changes them.
    counts: Option<Counts>,
}

impl Chunk<'_> {
    /// Adds operations that belong together, after a transaction of what waits if they do not fit.
    fn add(&mut self, ops: Vec<Op>) -> Result<()> {
        if self.count + ops.len() > limits::TRANSACTION {
            self.flush()?;
        }
        self.count += ops.len();
        for (place, key, value) in ops {
            self.ops.entry(place).or_default().push((key, value));
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if let Some(counts) = self.counts {
            self.ops.entry(Place::Meta).or_default().push((COUNTS.to_vec(), Some(sealed_counts(counts)?)));
        }
        self.ops.values_mut().for_each(|ops| ops.sort());
        self.trees.transact(&self.ops)?;
        self.writer.counts = self.counts.take().unwrap_or(self.writer.counts);
        self.ops.clear();
        self.count = 0;
        Ok(())
    }

    fn replace(&mut self, observation: Observation) -> Result<()> {
        let (observation, value) = values::encode(observation)?;
        let (id, at) = (observation.id(), observation.at());
        let old_at = self.trees.time_of(id)?;
        let old_value = match old_at {
            Some(old_at) => self.trees.get(Place::Evidence, &keys::evidence(old_at, id))?,
            None => None,
        };
        if old_at == Some(at) && old_value.as_deref() == Some(value.as_slice()) {
            return Ok(());
        }
        let new_entries = entries(&observation);
        // a value that cannot be read leaves its entries behind; they lead nowhere, and `check` finds them
        let old_entries =
            old_value.as_deref().and_then(|v| values::decode(v).ok()).map(|o| entries(&o)).unwrap_or_default();
        let mut ops: Vec<Op> = old_entries.difference(&new_entries).map(|(p, k)| (*p, k.clone(), None)).collect();
        ops.extend(new_entries.difference(&old_entries).map(|(p, k)| (*p, k.clone(), Some(Vec::new()))));
        if let Some(old_at) = old_at.filter(|old_at| *old_at != at) {
            ops.push((Place::Evidence, keys::evidence(old_at, id).to_vec(), None));
        }
        if old_at != Some(at) {
            ops.push((Place::Known, id.bytes().to_vec(), Some(keys::time(at).to_vec())));
        }
        ops.push((Place::Evidence, keys::evidence(at, id).to_vec(), Some(value)));
        self.add(ops)?;
        if old_value.is_none() {
            let mut counts = self.counts.unwrap_or(self.writer.counts);
            *counts.of_kind(&observation) += 1;
            self.counts = Some(counts);
        }
        Ok(())
    }

    fn remove(&mut self, id: EvidenceId) -> Result<()> {
        let Some((key, old)) = stored(self.trees, id)? else { return Ok(()) };
        let mut ops: Vec<Op> = entries(&old).into_iter().map(|(place, key)| (place, key, None)).collect();
        ops.push((Place::Evidence, key.to_vec(), None));
        ops.push((Place::Known, id.bytes().to_vec(), None));
        self.add(ops)?;
        let mut counts = self.counts.unwrap_or(self.writer.counts);
        let count = counts.of_kind(&old);
        *count = count.saturating_sub(1);
        self.counts = Some(counts);
        Ok(())
    }
}

/// Key of the counts in `meta`.
pub(super) const COUNTS: &[u8] = b"counts";

/// The counts as a value of `meta`.
pub(super) fn sealed_counts(counts: Counts) -> Result<Vec<u8>> {
    let bytes = [counts.mails, counts.meetings, counts.cards, counts.choices].map(u64::to_be_bytes).concat();
    Ok(values::seal(&bytes))
}

/// What [`sealed_counts`] wrote.
pub(super) fn read_counts(value: &[u8]) -> Option<Counts> {
    let mut numbers = values::unseal(value).ok()?.as_chunks::<8>().0.iter().map(|b| u64::from_be_bytes(*b));
    Some(Counts { mails: numbers.next()?, meetings: numbers.next()?, cards: numbers.next()?, choices: numbers.next()? })
}

fn stored(trees: &Trees, id: EvidenceId) -> Result<Option<([u8; 21], Observation)>> {
    let Some(at) = trees.time_of(id)? else { return Ok(None) };
    let key = keys::evidence(at, id);
    match trees.get(Place::Evidence, &key)? {
        Some(value) => Ok(Some((key, values::decode(&value)?))),
        None => Ok(None),
    }
}

/// Index entries of a fact.
pub(super) fn entries(observation: &Observation) -> BTreeSet<(Place, Vec<u8>)> {
    let (id, at) = (observation.id(), observation.at());
    let key = |under: Under<'_>| (Place::ByAddress, keys::by_address(under.hash(), at, id).to_vec());
    let mut all: BTreeSet<_> = found_under(observation).iter().map(|a| key(Under::Address(a))).collect();
    match observation {
        Observation::Choice(_) => drop(all.insert(key(Under::Choices))),
        Observation::Meeting(m) if m.revisions.iter().all(|r| r.attendees.is_empty() && r.names.is_empty()) => {
            all.insert(key(Under::Nobody));
        }
        _ => {}
    }
    all.extend(mentions(observation).into_iter().map(|mid| (Place::Thread, keys::thread(mid, id).to_vec())));
    all
}

/// The addresses a fact is found under. What machines send speaks of its sender only, or an address
/// list of a newsletter would fill the index; what the user sent speaks of everyone in it.
pub(super) fn found_under(observation: &Observation) -> BTreeSet<AddrSpec> {
    match observation {
        Observation::Mail(mail) => addresses_of(mail).cloned().collect(),
        other => other.addresses().into_iter().collect(),
    }
}

/// Is a fact found under this address?
pub(super) fn is_found_under(observation: &Observation, address: &AddrSpec) -> bool {
    match observation {
        Observation::Mail(mail) => addresses_of(mail).any(|a| a == address),
        other => other.addresses().contains(address),
    }
}

fn addresses_of(mail: &Mail) -> impl Iterator<Item = &AddrSpec> {
    let bounced = mail.bounce.as_ref().and_then(|b| b.recipient.as_ref());
    let all = is_personal(mail) || mail.lies_in_sent();
    let from = mail.from.iter().map(|a| &a.address).filter(move |_| !all);
    from.chain(mail.addresses().filter(move |_| all)).chain(bounced)
}

/// The Message-IDs a fact is found by: its own, its parent's, its thread's. Of what machines send
/// only absences and bounces answer anything.
pub(super) fn mentions(observation: &Observation) -> BTreeSet<&MessageId> {
    match observation {
        Observation::Mail(mail) if is_personal(mail) || mail.class == Class::List || mail.lies_in_sent() => {
            mail.message_id.iter().chain(&mail.in_reply_to).chain(mail.references.first()).collect()
        }
        Observation::Mail(mail) => {
            let answers = mail.out_of_office.is_some() || mail.bounce.is_some();
            let parent = mail.in_reply_to.as_ref().filter(|_| answers);
            parent.into_iter().chain(mail.bounce.as_ref().and_then(|b| b.of.as_ref())).collect()
        }
        _ => BTreeSet::new(),
    }
}

fn is_personal(mail: &Mail) -> bool {
    matches!(mail.class, Class::Person | Class::Calendar)
}
