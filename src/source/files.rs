//! Calendars and address books that are files: which there are, whether they changed, and whether a
//! reading may be believed. Part of `source`.
//!
//! Invariant: what cannot be told apart from a change counts as one, and nothing is cancelled by a
//! reading that is not whole or holds suspiciously little.

use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Batches, Stopped};
use crate::evidence::{Complaint, Cursor, Folder, Level};
use crate::limits;
use crate::time::Timestamp;

/// Version of the cursor's bytes.
const VERSION: u8 = 1;

/// The files of a source, and a digest that changes with any of them.
pub(super) struct Files {
    /// Sorted.
    pub paths: Vec<PathBuf>,
    /// Of names, sizes, time stamps and inodes.
    pub digest: [u8; 16],
    /// `false` where one was changed so recently that its time stamp says nothing yet.
    pub settled: bool,
    /// Directories and files that could not be looked at.
    pub unreadable: Vec<(PathBuf, io::Error)>,
}

/// `path` itself, or the files below it that end in one of `endings`. `salt` is whatever else makes
/// a new reading necessary.
pub(super) fn look(path: &Path, endings: &[&str], salt: &str, now: Timestamp) -> io::Result<Files> {
    let mut files = Files { paths: Vec::new(), digest: [0; 16], settled: true, unreadable: Vec::new() };
    if std::fs::metadata(path)?.is_dir() {
        std::fs::read_dir(path)?;
        walk(path, endings, 0, &mut files);
        files.paths.sort();
    } else {
        files.paths.push(path.to_path_buf());
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(salt.as_bytes());
    files.settled = files.unreadable.is_empty();
    for path in &files.paths {
        match std::fs::metadata(path) {
            Ok(meta) => {
                files.settled &= is_settled(meta.mtime(), now);
                let stamp = format!("{} {} {} {}", meta.len(), meta.mtime(), meta.mtime_nsec(), meta.ino());
                for part in [path.as_os_str().as_bytes(), stamp.as_bytes()] {
                    hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
                    hasher.update(part);
                }
            }
            // it is met again, and complained of, when it is opened
            Err(_) => files.settled = false,
        }
    }
    hasher.finalize_xof().fill(&mut files.digest);
    Ok(files)
}

/// Can a change after this one be told from it by its time stamp?
pub(super) fn is_settled(mtime: i64, now: Timestamp) -> bool {
    mtime < now.second().saturating_sub(limits::MTIME_SETTLES)
}

fn walk(path: &Path, endings: &[&str], depth: usize, files: &mut Files) {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => {
            files.unreadable.push((path.to_path_buf(), error));
            return;
        }
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let hidden = entry.file_name().as_bytes().starts_with(b".");
        if hidden || files.paths.len() >= limits::FILES {
            continue;
        }
        let wanted = path.extension().is_some_and(|e| endings.iter().any(|x| e.eq_ignore_ascii_case(x)));
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_dir && depth < limits::FOLDER_DEPTH {
            walk(&path, endings, depth + 1, files);
        } else if wanted && !is_dir {
            files.paths.push(path);
        }
    }
}

/// Opens a file that begins with `BEGIN:<component>` and ends with its `END`. `Err` says in plain
/// words what it is instead, and whether it may be better another time.
pub(super) fn open_whole(path: &Path, component: &str) -> Result<std::fs::File, (String, bool)> {
    let sorry = |error: io::Error| (reason(&error), true);
    if !std::fs::metadata(path).map_err(sorry)?.is_file() {
        return Err(("is no file".to_string(), true));
    }
    let mut file = std::fs::File::open(path).map_err(sorry)?;
    let head = text_at(&mut file, SeekFrom::Start(0)).map_err(sorry)?;
    let length = file.metadata().map_err(sorry)?.len();
    let tail_from = length.saturating_sub(WINDOW);
    let tail = text_at(&mut file, SeekFrom::Start(tail_from)).map_err(sorry)?;
    file.seek(SeekFrom::Start(0)).map_err(sorry)?;
    let head = head.trim_start_matches('\u{feff}').trim_start();
    if length == 0 {
        Err(("is empty".to_string(), false))
    } else if head.starts_with('<') {
        Err(("is a web page".to_string(), false))
    } else if !head.starts_with(&format!("BEGIN:{component}")) {
        Err((format!("does not begin with BEGIN:{component}"), false))
    } else if !tail.contains(&format!("END:{component}")) {
        Err(("ends in the middle".to_string(), false))
    } else {
        Ok(file)
    }
}

/// Bytes at either end of a file that tell what it is.
const WINDOW: u64 = 512;

fn text_at(file: &mut std::fs::File, from: SeekFrom) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.seek(from)?;
    file.take(WINDOW).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).to_uppercase())
}

/// An error of the system in plain words, without its number.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "kithd may not read it".to_string(),
        io::ErrorKind::NotFound => "it is not there".to_string(),
        _ => error.to_string(),
    }
}

/// What a reading left behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// Of the files then.
    pub digest: Option<[u8; 16]>,
    /// The local day it was made on, in days since 1970.
    pub day: i64,
    /// What the last whole reading held.
    pub items: u64,
    /// Since when readings hold so little that they are doubted.
    pub doubted_since: Option<Timestamp>,
}

impl State {
    pub(super) fn load(cursors: &[Cursor]) -> Option<State> {
        let value = &cursors.iter().find(|c| c.part == 0)?.value;
        let (version, rest) = value.split_first()?;
        (*version == VERSION).then(|| postcard::from_bytes(rest).ok()).flatten()
    }

    pub(super) fn cursor(self) -> Cursor {
        let mut value = vec![VERSION];
        // writing into memory does not fail; if it did, the files would only be read again
        value.extend(postcard::to_allocvec(&self).unwrap_or_default());
        Cursor { place: "files".to_string(), part: 0, value }
    }

    /// Is a whole reading of `items` so much less than before that it is rather a fault of whoever
    /// wrote the files? What stays like that for [`limits::SOURCE_LOST`] is believed in the end.
    pub(super) fn doubts(&self, items: u64, now: Timestamp) -> bool {
        let lost = self.items.saturating_sub(items);
        let much = items == 0 && self.items > 0
            || (lost > limits::SHRINK_ITEMS && lost * 100 > self.items * limits::SHRINK_PERCENT);
        much && self.doubted_since.is_none_or(|since| now.since(since) < limits::SOURCE_LOST)
    }
}

/// A reading of all files of a source.
pub(super) struct Reading {
    /// Things the files held.
    pub items: u64,
    /// Every file was read to its end.
    pub whole: bool,
    /// It may go better another time, even if no file changes.
    pub retry: bool,
    /// Files that were read.
    pub good: usize,
    first_trouble: Option<String>,
}

impl Reading {
    pub(super) fn new(source: &str, files: &Files, now: Timestamp, batches: &mut Batches<'_, '_>) -> Reading {
        let mut reading = Reading { items: 0, whole: true, retry: false, good: 0, first_trouble: None };
        for (path, error) in &files.unreadable {
            reading.could_not(source, &path.display().to_string(), (reason(error), true), now, batches);
        }
        reading
    }

    /// A file could not be read: `what` is wrong with it, and whether that may pass by itself.
    pub(super) fn could_not(
        &mut self,
        source: &str,
        place: &str,
        (what, passes): (String, bool),
        now: Timestamp,
        batches: &mut Batches<'_, '_>,
    ) {
        self.whole = false;
        self.retry |= passes;
        self.first_trouble.get_or_insert_with(|| format!("{place}: {what}"));
        batches.complain(Complaint::new(source, place, &what, now));
    }

    /// Ends a reading: what is missing from it is said to be gone only if it was whole and may be
    /// believed.
    pub(super) fn end(
        self,
        kind: &str,
        last: &State,
        next: State,
        (began_at, until): (Timestamp, Timestamp),
        batches: &mut Batches<'_, '_>,
        folders: Vec<Folder>,
    ) -> Result<(), Stopped> {
        let name = batches.batch.source.clone();
        if let Some(trouble) = self.first_trouble.as_ref().filter(|_| self.good == 0) {
            return batches.failed(Level::Wait, format!("the {kind} `{name}` cannot be read: {trouble}"));
        }
        if !self.whole {
            let digest = next.digest.filter(|_| !self.retry);
            batches.cursor(State { digest, items: last.items, doubted_since: last.doubted_since, ..next }.cursor())?;
            return batches.through(began_at, folders, false);
        }
        if last.doubts(self.items, began_at) {
            let since = last.doubted_since.unwrap_or(began_at);
            batches.cursor(State { items: last.items, doubted_since: Some(since), ..next }.cursor())?;
            let what = format!(
                "the {kind} `{name}` held {} items and now holds {}: nothing is taken as cancelled or removed; \
                 if it stays like this it is believed in two weeks",
                last.items, self.items
            );
            return batches.failed(Level::Wait, what);
        }
        batches.cursor(State { items: self.items, doubted_since: None, ..next }.cursor())?;
        batches.full(began_at, until)?;
        batches.through(began_at, folders, false)
    }
}
