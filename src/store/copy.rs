//! The store as one file, back again, and without some people. Floor 6.
//!
//! A backup is a line of magic, the schema, then frames: tag, lengths of key and value, key, value,
//! CRC32; the last one says how many there were. All numbers are big-endian.
//!
//! Invariant: whatever takes the place of something is first written whole beside it, synced, and
//! then renamed; all copying streams.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::evidence::Observation;
use crate::limits;
use crate::time::Timestamp;

use super::fault::{Result, StoreError};
use super::journal::{Entry, Hex, Journal};
use super::open::{JOURNAL, NEXT, SCHEMA, SECRET_KEY};
use super::trees::Place;
use super::{Commit, Shelf, Store, Strength, Walk, keys, open, values};

const MAGIC: &[u8] = b"kithd backup\n";

/// What a frame holds. The numbers never change.
const TAGS: &[(u8, Place)] = &[
    (1, Place::Meta),
    (2, Place::Evidence),
    (3, Place::Shelf(Shelf::Outbox)),
    (4, Place::Shelf(Shelf::Coverage)),
    (5, Place::Shelf(Shelf::Status)),
    (6, Place::Shelf(Shelf::Complaint)),
    (7, Place::Shelf(Shelf::Meta)),
    (8, Place::Shelf(Shelf::Forgotten)),
    (9, Place::Cursor),
];
const END: u8 = 255;

/// What stays of a record with this shelf, key and value.
pub type Judge<'a> = &'a mut dyn FnMut(Shelf, &[u8], Vec<u8>) -> Option<Vec<u8>>;

/// Who is to be forgotten.
pub struct Erasure<'a> {
    /// What stays of a fact: `None` for nothing, or the fact without them.
    pub observation: &'a mut dyn FnMut(Observation) -> Option<Observation>,
    /// What stays of a record. Derived shelves are not asked: they go, and are to be made anew.
    pub record: Judge<'a>,
    /// Keyed hashes by which they are known when they are met again; keys of [`Shelf::Forgotten`].
    pub forgotten: Vec<Vec<u8>>,
}

/// What was erased.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Erased {
    /// Facts that are gone.
    pub facts: u64,
    /// Facts that stay without them.
    pub redacted: u64,
    /// Folders and files set aside earlier, which may still speak of them; the user must delete those.
    pub left: Vec<PathBuf>,
}

impl Store {
    /// Writes everything that cannot be derived to one file (0600), while the store is in use. What
    /// was there under that name is replaced when the new one is whole.
    pub fn backup(&self, file: &Path) -> Result<()> {
        let trees = self.trees()?;
        // nothing is committed meanwhile
        let _writer = self.writer();
        let mut failed = None;
        let written = replace(file, |out| {
            let mut out = BufWriter::new(out);
            out.write_all(MAGIC)?;
            out.write_all(&SCHEMA.to_be_bytes())?;
            let mut frames: u64 = 0;
            for (tag, place) in TAGS {
                for entry in Walk::over(trees.prefix(*place, &[]), Ok) {
                    let sound =
                        entry.and_then(|(key, value)| values::unseal(&value).map(|_| (key.clone(), value.clone())));
                    match sound {
                        Ok((key, _)) if *place == Place::Meta && key != SECRET_KEY => {}
                        Ok((key, value)) => {
                            frame(&mut out, *tag, &key, &value)?;
                            frames += 1;
                        }
                        Err(e) => {
                            failed = Some(e);
                            return Err(io::Error::other("unreadable"));
                        }
                    }
                }
            }
            frame(&mut out, END, &frames.to_be_bytes(), &[])?;
            out.flush()
        });
        failed.map_or(written, Err)
    }

    /// Rewrites store and journal so that no byte of what `erasure` takes is left in either. Derived
    /// shelves are empty afterwards.
    pub fn forget(&mut self, erasure: Erasure<'_>, now: Timestamp) -> Result<Erased> {
        let secret = Entry::Secret(Hex(self.secret.to_vec()));
        let next = begin(&self.path, [secret], now)?;
        let mut erased = self.copy_into(&next, erasure)?;
        next.sync()?;
        drop(next);
        let lock = Arc::clone(&self.lock);
        self.trees = None;
        open::swap(&self.path, None)?;
        *self = open::open_locked(&self.path, lock, now)?.store;
        let entries = fs::read_dir(&self.path).map_err(|e| StoreError::io("cannot read", &self.path, e))?;
        let is_aside = |p: &PathBuf| {
            let name = p.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            ["store.", "journal."].iter().any(|start| name.starts_with(start))
        };
        erased.left = entries.flatten().map(|e| e.path()).filter(is_aside).collect();
        erased.left.sort();
        Ok(erased)
    }

    /// The same as [`restore`] for a store that is open. After an error from the file or the disk it is as it
    /// was; after any other it must be opened again.
    pub fn restore(&mut self, file: &Path, now: Timestamp) -> Result<Option<PathBuf>> {
        let aside = prepare(file, &self.path, now)?;
        let lock = Arc::clone(&self.lock);
        self.trees = None;
        open::swap(&self.path, aside.as_deref())?;
        *self = open::open_locked(&self.path, lock, now)?.store;
        Ok(aside)
    }

    fn copy_into(&self, next: &Store, erasure: Erasure<'_>) -> Result<Erased> {
        let trees = self.trees()?;
        let mut erased = Erased::default();
        let mut lost = false;
        let mut pending = Commit::default();
        for fact in Walk::over(trees.prefix(Place::Evidence, &[]), |(_, value)| Ok(values::decode(&value))) {
            let Ok(fact) = fact? else {
                // unreadable facts must not stop an erasure; their sources are read again
                lost = true;
                continue;
            };
            match (erasure.observation)(fact.clone()) {
                None => erased.facts += 1,
                Some(kept) => {
                    erased.redacted += u64::from(kept != fact);
                    pending.evidence.push(kept);
                }
            }
            pending.send(next, limits::BATCH)?;
        }
        for shelf in Shelf::ALL.into_iter().filter(|s| !(s.is_derived() || lost && *s == Shelf::Coverage)) {
            for record in self.records(shelf) {
                let Ok((key, value)) = record else { continue };
                if let Some(value) = (erasure.record)(shelf, &key, value) {
                    pending.puts.push((shelf, key, value));
                }
                pending.send(next, limits::BATCH)?;
            }
        }
        pending.puts.extend(erasure.forgotten.into_iter().map(|hash| (Shelf::Forgotten, hash, Vec::new())));
        for cursor in Walk::over(trees.prefix(Place::Cursor, &[]), Ok).take_while(|_| !lost) {
            let (key, value) = cursor?;
            pending.cursors.extend(read_cursor(&key, &value));
            pending.send(next, limits::BATCH)?;
        }
        pending.send(next, 1)?;
        Ok(erased)
    }
}

/// Makes the store of a backup the one in `path`. One that is there is set aside; where to is returned.
/// Nothing changes unless the file is whole and sound.
pub fn restore(file: &Path, path: &Path, now: Timestamp) -> Result<Option<PathBuf>> {
    open::folder(path)?;
    let _lock = open::lock(path)?;
    open::finish_swap(path)?;
    let aside = prepare(file, path, now)?;
    open::swap(path, aside.as_deref())?;
    Ok(aside)
}

/// Makes the store of a backup inside `path`, ready to be swapped. Returns where the present one shall go.
fn prepare(file: &Path, path: &Path, now: Timestamp) -> Result<Option<PathBuf>> {
    let mut frames = Frames::open(file)?;
    let next = match frames.next()? {
        Some((Place::Meta, _, value)) => {
            let secret = values::unseal(&value).map_err(|_| frames.bad("its secret cannot be read"))?;
            begin(path, [Entry::Secret(Hex(secret.to_vec()))], now)?
        }
        _ => return Err(frames.bad("it does not begin with a secret")),
    };
    let filled = fill(&next, &mut frames).and_then(|()| next.sync());
    drop(next);
    if let Err(e) = filled {
        open::remove(&path.join(NEXT))?;
        return Err(e);
    }
    Ok(path.join(open::DB).exists().then(|| open::free_name(path, "store.before-restore", now)))
}

fn fill(next: &Store, frames: &mut Frames) -> Result<()> {
    let mut pending = Commit::default();
    while let Some((place, key, value)) = frames.next()? {
        let bad = |e: StoreError| frames.bad(&e.to_string());
        match place {
            Place::Evidence => pending.evidence.push(values::decode(&value).map_err(bad)?),
            Place::Shelf(shelf) => pending.puts.push((shelf, key, values::unseal(&value).map_err(bad)?.to_vec())),
            Place::Cursor => pending.cursors.extend(read_cursor(&key, &value)),
            _ => {}
        }
        pending.send(next, limits::BATCH)?;
    }
    pending.send(next, 1)
}

impl Commit {
    /// Commits to `next` once so many things wait.
    fn send(&mut self, next: &Store, least: usize) -> Result<()> {
        if self.evidence.len() + self.puts.len() + self.cursors.len() < least {
            return Ok(());
        }
        next.commit(std::mem::take(self), Strength::Atomic)
    }
}

fn read_cursor(key: &[u8], value: &[u8]) -> Option<(String, crate::evidence::Cursor)> {
    let (source, place, part) = keys::read_cursor(key)?;
    let value = values::unseal(value).ok()?.to_vec();
    Some((source.to_string(), crate::evidence::Cursor { place: place.to_string(), part, value }))
}

/// Begins a new store inside `path`, with these lines in its journal.
pub(super) fn begin(path: &Path, lines: impl IntoIterator<Item = Entry>, now: Timestamp) -> Result<Store> {
    let next = path.join(NEXT);
    open::remove(&next)?;
    open::folder(&next)?;
    let lines: Vec<Entry> = lines.into_iter().collect();
    Journal::open(&next.join(JOURNAL))?.0.append(&lines)?;
    let lock = open::lock(&next)?;
    Ok(open::open_locked(&next, lock, now)?.store)
}

/// A new file only its owner can read.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Writes a file beside `path`, syncs it, and puts it there.
pub(super) fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let beside = path.with_file_name(name);
    let fail = |e| StoreError::io("cannot write", path, e);
    let written = create(&beside).and_then(|mut file| {
        crate::fail::point("replace.write");
        write(&mut file)?;
        file.sync_all()?;
        crate::fail::point("replace.rename");
        fs::rename(&beside, path)
    });
    if let Err(e) = written {
        // what is left of it is worth nothing
        let _ = fs::remove_file(&beside);
        return Err(fail(e));
    }
    crate::fail::point("replace.renamed");
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    open::sync_folder(folder)
}

fn frame(out: &mut impl Write, tag: u8, key: &[u8], value: &[u8]) -> io::Result<()> {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).map(u32::to_be_bytes).map_err(io::Error::other);
    let head = [&[tag][..], &length(key)?, &length(value)?].concat();
    let mut sum = crc32fast::Hasher::new();
    for part in [head.as_slice(), key, value] {
        sum.update(part);
        out.write_all(part)?;
    }
    out.write_all(&sum.finalize().to_be_bytes())
}

/// Tree, key and sealed value.
type Frame = (Place, Vec<u8>, Vec<u8>);

/// The frames of a backup.
struct Frames {
    path: PathBuf,
    file: BufReader<File>,
    read: u64,
}

impl Frames {
    fn open(path: &Path) -> Result<Frames> {
        let file = File::open(path).map_err(|e| StoreError::io("cannot open", path, e))?;
        let mut frames = Frames { path: path.to_path_buf(), file: BufReader::new(file), read: 0 };
        if frames.bytes(MAGIC.len())? != MAGIC {
            return Err(frames.bad("it is no backup of kithd"));
        }
        match frames.number()? {
            SCHEMA => Ok(frames),
            found if found > SCHEMA => Err(StoreError::Newer { path: path.to_path_buf(), found, known: SCHEMA }),
            other => Err(frames.bad(&format!("it has the unknown schema {other}"))),
        }
    }

    /// The next tree, key and value; `None` after the last, if none is missing.
    fn next(&mut self) -> Result<Option<Frame>> {
        let head = self.bytes(9)?;
        let mut sum = crc32fast::Hasher::new();
        sum.update(&head);
        let (tag, lengths) = head.split_first().ok_or_else(|| self.bad("it ends early"))?;
        let mut lengths = lengths.as_chunks::<4>().0.iter().map(|b| u32::from_be_bytes(*b));
        let mut field = |frames: &mut Frames| {
            let length = lengths.next().filter(|l| *l <= limits::BACKUP_FIELD).and_then(|l| usize::try_from(l).ok());
            let bytes = frames.bytes(length.ok_or_else(|| frames.bad("a length in it is wrong"))?)?;
            sum.update(&bytes);
            Ok(bytes)
        };
        let (key, value) = (field(self)?, field(self)?);
        if self.number()? != sum.finalize() {
            return Err(self.bad(&format!("its entry {} does not match its checksum", self.read + 1)));
        }
        if *tag == END {
            let whole = key == self.read.to_be_bytes();
            return if whole { Ok(None) } else { Err(self.bad("entries are missing")) };
        }
        self.read += 1;
        let place = TAGS.iter().find(|(t, _)| t == tag).map(|(_, place)| *place);
        place.map(|place| Some((place, key, value))).ok_or_else(|| self.bad("it holds something unknown"))
    }

    fn number(&mut self) -> Result<u32> {
        let bytes = self.bytes(4)?;
        bytes.try_into().map(u32::from_be_bytes).map_err(|_| self.bad("it ends early"))
    }

    fn bytes(&mut self, length: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(length).unwrap_or(u64::MAX);
        match (&mut self.file).take(limit).read_to_end(&mut bytes) {
            Ok(read) if read == length => Ok(bytes),
            Ok(_) => Err(self.bad("it ends early")),
            Err(e) if e.kind() == ErrorKind::IsADirectory => Err(self.bad("it is a folder")),
            Err(e) => Err(StoreError::io("cannot read", &self.path, e)),
        }
    }

    fn bad(&self, what: &str) -> StoreError {
        StoreError::BadBackup { path: self.path.clone(), what: what.to_string() }
    }
}
