//! Many short records in cursor values of a bounded size. Part of `source`.
//!
//! Invariant: a record is stored once; which bucket it lies in depends on its first eight bytes, a
//! hash, and decides only what has to be written, so that a half-written change of layout forgets
//! at worst.

use std::collections::BTreeMap;

use crate::evidence::Cursor;
use crate::limits;

/// The cursor of one place: in part 0 whatever the door keeps there, in the others its records.
pub(super) struct Buckets<const N: usize> {
    stored: BTreeMap<u16, Vec<u8>>,
}

impl<const N: usize> Buckets<N> {
    /// As it was stored.
    pub(super) fn load(cursors: Vec<Cursor>) -> Self {
        Buckets { stored: cursors.into_iter().map(|c| (c.part, c.value)).collect() }
    }

    /// What part 0 holds.
    pub(super) fn head(&self) -> Option<&[u8]> {
        self.stored.get(&0).map(Vec::as_slice)
    }

    /// All records.
    pub(super) fn records(&self) -> impl Iterator<Item = &[u8; N]> {
        self.stored.iter().filter(|(part, _)| **part != 0).flat_map(|(_, value)| value.as_chunks().0)
    }

    /// Leading bits that choose the bucket of so many records; `before` are those in use.
    pub(super) fn bits(before: u8, records: usize) -> u8 {
        let mut bits = before.min(limits::BUCKET_BITS);
        while bits < limits::BUCKET_BITS && records >> bits > limits::BUCKET_BYTES / N.max(1) {
            bits += 1;
        }
        bits
    }

    /// What has to be stored so that the cursor holds these: buckets first, part 0 last. Afterwards
    /// this is the stored cursor.
    pub(super) fn update(
        &mut self,
        place: &str,
        head: Vec<u8>,
        bits: u8,
        records: impl Iterator<Item = [u8; N]>,
    ) -> Vec<Cursor> {
        let mut wanted: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
        for record in records {
            wanted.entry(part_of(&record, bits)).or_default().extend_from_slice(&record);
        }
        let mut changes = Vec::new();
        let gone: Vec<u16> = self.stored.keys().filter(|p| **p != 0 && !wanted.contains_key(p)).copied().collect();
        for part in gone {
            self.stored.remove(&part);
            changes.push(Cursor { place: place.to_string(), part, value: Vec::new() });
        }
        wanted.insert(0, head);
        for (part, value) in wanted.into_iter().rev() {
            if self.stored.get(&part) != Some(&value) {
                changes.push(Cursor { place: place.to_string(), part, value: value.clone() });
                self.stored.insert(part, value);
            }
        }
        changes
    }

    /// What has to be stored so that nothing is left of the cursor.
    pub(super) fn forget(&mut self, place: &str) -> Vec<Cursor> {
        let parts = std::mem::take(&mut self.stored).into_keys();
        parts.map(|part| Cursor { place: place.to_string(), part, value: Vec::new() }).collect()
    }
}

fn part_of(record: &[u8], bits: u8) -> u16 {
    let hash = record.first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
    let bucket = hash.checked_shr(64 - u32::from(bits)).unwrap_or(0);
    u16::try_from(bucket + 1).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn records(n: u64) -> Vec<[u8; 32]> {
        let mut all: Vec<[u8; 32]> = (0..n)
            .map(|i| {
                let mut record = [7; 32];
                record[..8].copy_from_slice(&i.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
                record
            })
            .collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn records_of_any_number_are_kept_in_bounded_values() {
        for n in [0, 1, 100, 5_000, 200_000] {
            let all = records(n);
            let bits = Buckets::<32>::bits(0, all.len());
            let mut buckets = Buckets::load(Vec::new());
            let changes = buckets.update("x", vec![1], bits, all.iter().copied());
            assert_eq!(changes.last().unwrap().part, 0);
            assert!(changes.iter().all(|c| c.value.len() <= limits::VALUE_BYTES));
            let again = Buckets::<32>::load(changes);
            assert!(again.records().eq(&all), "{n}");
            assert_eq!(again.head(), Some([1].as_slice()));
            // the same again writes nothing, fewer bits than before are never taken
            assert_eq!(buckets.update("x", vec![1], bits, all.iter().copied()), Vec::new());
            assert_eq!(Buckets::<32>::bits(bits, 0), bits);
        }
    }
}
