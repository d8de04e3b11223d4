//! What cannot be read again from the sources, in a file of its own beside the trees. Floor 6.
//!
//! One entry a line: eight hexadecimal digits of CRC32, a blank, JSON. A line that does not match its
//! CRC says nothing; one without an end is the tail of a write that was cut short, and goes.
//!
//! Invariant: an entry is on the disk before the commit that carries it touches a tree, so the
//! journal is never behind the trees, and replaying it over them loses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::evidence::{Choice, EvidenceId};
use crate::{fail, limits};

use super::Shelf;
use super::fault::{Result, StoreError};

/// One line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The secret of the store.
    Secret(Hex),
    /// The user said something.
    Choice(Choice),
    /// A choice was taken out.
    Removed(EvidenceId),
    /// A record of a shelf that cannot be read again.
    Put(Shelf, Hex, Hex),
    /// It is gone.
    Drop(Shelf, Hex),
}

/// Bytes, written as hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hex(pub Vec<u8>);

impl From<Hex> for String {
    fn from(hex: Hex) -> String {
        hex.0.iter().map(|b| format!("{b:02x}")).collect()
    }
}

impl TryFrom<String> for Hex {
    type Error = &'static str;
    fn try_from(text: String) -> std::result::Result<Hex, &'static str> {
        let digit = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let bytes = pairs.iter().map(|[a, b]| Some(digit(a)? << 4 | digit(b)?)).collect::<Option<Vec<u8>>>();
        bytes.filter(|_| rest.is_empty()).map(Hex).ok_or("not hexadecimal")
    }
}

/// What all lines together say.
#[derive(Default, PartialEq, Debug)]
pub struct State {
    /// The secret of the store.
    pub secret: Option<[u8; 32]>,
    /// Every choice; `None` where it was taken out.
    pub choices: BTreeMap<EvidenceId, Option<Choice>>,
    /// Every record; `None` where it is gone.
    pub records: BTreeMap<(Shelf, Vec<u8>), Option<Vec<u8>>>,
    /// Lines that do not match their CRC, or say nothing we know.
    pub damaged: usize,
    /// Records of which a line that cannot be read may have said something newer.
    pub doubtful: BTreeSet<(Shelf, Vec<u8>)>,
}

impl State {
    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Secret(Hex(bytes)) => self.secret = bytes.try_into().ok().or(self.secret),
            Entry::Choice(choice) => drop(self.choices.insert(choice.id, Some(choice))),
            Entry::Removed(id) => drop(self.choices.insert(id, None)),
            Entry::Put(shelf, key, value) => self.set((shelf, key.0), Some(value.0)),
            Entry::Drop(shelf, key) => self.set((shelf, key.0), None),
        }
    }

    fn set(&mut self, record: (Shelf, Vec<u8>), value: Option<Vec<u8>>) {
        self.doubtful.remove(&record);
        self.records.insert(record, value);
    }

    /// What follows is missing: whatever was said so far may be old.
    pub fn doubt(&mut self) {
        self.damaged += 1;
        self.doubtful.extend(self.records.keys().cloned());
    }

    /// The lines that say the same, and nothing of what is gone.
    pub fn entries(self) -> impl Iterator<Item = Entry> {
        let records = self
            .records
            .into_iter()
            .filter_map(|((shelf, key), value)| value.map(|value| Entry::Put(shelf, Hex(key), Hex(value))));
        let secret = self.secret.map(|s| Entry::Secret(Hex(s.to_vec())));
        secret.into_iter().chain(self.choices.into_values().flatten().map(Entry::Choice)).chain(records)
    }
}

/// The file, open for appending.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    bytes: u64,
    /// Bytes after the last rewrite.
    rewritten: u64,
}

impl Journal {
    /// Opens or creates the file, cuts a torn tail, and tells what it says.
    pub fn open(path: &Path) -> Result<(Journal, State)> {
        let fail = |e| StoreError::io("cannot open", path, e);
        let options = || OpenOptions::new().read(true).append(true).create(true).mode(0o600).to_owned();
        let file = options().open(path).map_err(fail)?;
        let (state, sound) = read(&file).map_err(fail)?;
        let bytes = file.metadata().map_err(fail)?.len();
        if sound < bytes {
            file.set_len(sound).and_then(|()| file.sync_all()).map_err(fail)?;
        }
        Ok((Journal { path: path.to_path_buf(), file, bytes: sound, rewritten: sound }, state))
    }

    /// Appends and syncs. After an error the file is as it was.
    pub fn append(&mut self, entries: &[Entry]) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut text = Vec::new();
        for entry in entries {
            line(entry, &mut text)?;
        }
        fail::point("journal.write");
        let written = self.file.write_all(&text).and_then(|()| {
            fail::point("journal.sync");
            self.file.sync_data()
        });
        if let Err(e) = written {
            // a failed cut leaves a torn tail, which the next opening cuts
            let _ = self.file.set_len(self.bytes);
            return Err(StoreError::io("cannot write", &self.path, e));
        }
        fail::point("journal.synced");
        self.bytes = self.bytes.saturating_add(u64::try_from(text.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Its length in bytes.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Is it much longer than it was after the last rewrite?
    pub fn is_long(&self) -> bool {
        self.bytes > limits::JOURNAL_SLACK.saturating_add(self.rewritten.saturating_mul(4))
    }

    /// Writes what it says anew, without what is gone. Only sound when the trees are on the disk,
    /// which until then may lack what a line takes away.
    pub fn rewrite(&mut self) -> Result<()> {
        let (state, _) = read(&self.file).map_err(|e| StoreError::io("cannot read", &self.path, e))?;
        self.replace(state.entries())
    }

    /// Replaces all it says.
    pub fn replace(&mut self, entries: impl IntoIterator<Item = Entry>) -> Result<()> {
        let fail = |e| StoreError::io("cannot open", &self.path, e);
        let mut text = Vec::new();
        for entry in entries {
            line(&entry, &mut text)?;
        }
        super::copy::replace(&self.path, |file| file.write_all(&text))?;
        self.file = OpenOptions::new().read(true).append(true).open(&self.path).map_err(fail)?;
        self.bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.rewritten = self.bytes;
        Ok(())
    }
}

fn line(entry: &Entry, out: &mut Vec<u8>) -> Result<()> {
    let json = serde_json::to_string(entry).map_err(|e| StoreError::damaged(format!("the journal: {e}")))?;
    out.extend_from_slice(format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes())).as_bytes());
    Ok(())
}

/// What the lines say, and where the last sound one ends.
fn read(mut file: &File) -> std::io::Result<(State, u64)> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::new(file);
    let (mut state, mut sound, mut at) = (State::default(), 0, 0);
    let mut text = Vec::new();
    loop {
        text.clear();
        let length = reader.read_until(b'\n', &mut text)?;
        if length == 0 {
            return Ok((state, sound));
        }
        at += u64::try_from(length).unwrap_or(u64::MAX);
        match parse(&text) {
            // a line that is whole but says nothing we know was written by a newer kithd
            Some(json) => match serde_json::from_str(json) {
                Ok(entry) => state.take(entry),
                Err(_) => state.doubt(),
            },
            None if text.ends_with(b"\n") => state.doubt(),
            // the tail of a write that was cut short
            None => return Ok((state, sound)),
        }
        sound = at;
    }
}

/// The JSON of a line that matches its CRC.
fn parse(line: &[u8]) -> Option<&str> {
    let (sum, json) = std::str::from_utf8(line).ok()?.strip_suffix('\n')?.split_once(' ')?;
    let sound = sum.len() == 8 && u32::from_str_radix(sum, 16).ok()? == crc32fast::hash(json.as_bytes());
    sound.then_some(json)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::address::AddrSpec;
    use crate::evidence::Word;
    use crate::time::Timestamp;

    fn entries() -> Vec<Entry> {
        let ada = AddrSpec::parse("ada@example.org").unwrap();
        let choice = Choice::by_command(Word::Mute(ada, true), Timestamp::from_second(1_700_000_000));
        vec![
            Entry::Secret(Hex(vec![7; 32])),
            Entry::Put(Shelf::Outbox, Hex(vec![1, 2]), Hex(vec![0, 255, 10])),
            Entry::Choice(choice.clone()),
            Entry::Put(Shelf::Forgotten, Hex(vec![9]), Hex(Vec::new())),
            Entry::Drop(Shelf::Outbox, Hex(vec![1, 2])),
            Entry::Removed(choice.id),
        ]
    }

    fn state(entries: &[Entry]) -> State {
        let mut state = State::default();
        entries.iter().cloned().for_each(|e| state.take(e));
        state
    }

    #[test]
    fn a_tail_torn_at_any_byte_is_cut_and_the_rest_holds() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let (mut journal, _) = Journal::open(&path).unwrap();
        journal.append(&entries()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let lines = whole[..cut].iter().filter(|b| **b == b'\n').count();
            let (mut journal, found) = Journal::open(&path).unwrap();
            assert_eq!(found, state(&entries()[..lines]), "cut at {cut}");
            // and what is appended then is read again
            journal.append(&entries()[1..2]).unwrap();
            let mut expected = state(&entries()[..lines]);
            expected.take(entries()[1].clone());
            assert_eq!(Journal::open(&path).unwrap().1, expected, "appended after {cut}");
        }
    }

    #[test]
    fn a_damaged_line_costs_that_line_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        Journal::open(&path).unwrap().0.append(&entries()[..4]).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let second = whole.iter().position(|b| *b == b'\n').unwrap() + 1;
        let mut flipped = whole.clone();
        flipped[second + 20] ^= 1;
        std::fs::write(&path, flipped).unwrap();
        let (_, found) = Journal::open(&path).unwrap();
        assert_eq!((found.damaged, found.secret, found.choices.len(), found.records.len()), (1, Some([7; 32]), 1, 1));
    }

    #[test]
    fn a_rewrite_says_the_same_in_fewer_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let (mut journal, _) = Journal::open(&path).unwrap();
        let entry = |n: u8| Entry::Put(Shelf::Outbox, Hex(vec![n % 3]), Hex(vec![n; 2_000]));
        for n in 0..100 {
            journal.append(&[entry(n)]).unwrap();
        }
        assert!(journal.is_long());
        let before = journal.bytes;
        journal.rewrite().unwrap();
        assert!(journal.bytes < before / 10 && !journal.is_long());
        journal.append(&[entry(100)]).unwrap();
        let (_, found) = Journal::open(&path).unwrap();
        assert_eq!(found, state(&[entry(99), entry(100), entry(98)]));
    }
}
