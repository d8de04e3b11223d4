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

use super::{Batches, Occasion, Stopped};
use crate::evidence::{Complaint, Cursor, Folder, Level, Role};
use crate::limits;
use crate::time::Timestamp;

/// Version of the cursor's bytes.
const VERSION: u8 = 1;

/// A file, or a folder of files, that a source reads.
pub(super) struct Place<'a> {
    /// `calendar` or `address book`.
    pub kind: &'static str,
    /// Table of the config.
    pub table: &'static str,
    /// What its files end in.
    pub endings: &'static [&'static str],
    /// `status` shows it as this.
    pub role: Role,
    /// Where.
    pub path: &'a Path,
    /// Whatever else makes a new reading necessary.
    pub salt: String,
    /// The local day in days since 1970, where each needs a reading of its own.
    pub day: i64,
    /// Until when things were looked for.
    pub until: Timestamp,
}

/// What one file held.
pub(super) struct Held {
    /// Things in it.
    pub items: u64,
    /// It was read to its end.
    pub whole: bool,
}

/// What is wrong with a file, and whether that may pass by itself.
pub(super) type Trouble = (String, bool);

/// Reads one file; its second argument is what complaints call it.
type ReadFile<'a> = dyn FnMut(&Path, &str, &mut Batches<'_, '_>) -> Result<Result<Held, Trouble>, Stopped> + 'a;

/// One reading: nothing where no file changed, else all files. What is missing from a whole one is
/// said to be gone.
pub(super) fn read(
    place: &Place<'_>,
    cursors: &[Cursor],
    occasion: &Occasion<'_>,
    mut batches: Batches<'_, '_>,
    read_file: &mut ReadFile<'_>,
) -> Result<(), Stopped> {
    let name = batches.batch.source.clone();
    let now = occasion.now;
    let look = || look(place.path, place.endings, &place.salt, now);
    let files = match look() {
        Ok(files) => files,
        Err(error) => {
            let what = format!(
                "the {} `{name}` at {} cannot be read ({}): check [[{}]] path, or whether it is mounted",
                place.kind,
                place.path.display(),
                reason(&error),
                place.table
            );
            return batches.failed(Level::Wait, what);
        }
    };
    let shown = place.path.file_name().map_or(name.clone(), |n| n.to_string_lossy().into_owned());
    let folder = |read| vec![Folder { name: shown, read, role: place.role }];
    let last = State::load(cursors).unwrap_or_default();
    if last.digest == Some(files.digest) && last.day == place.day && last.doubted_since.is_none() {
        return batches.through(now, folder(last.items), false);
    }
    let mut reading = Reading::of_files(&name, &files, now, &mut batches);
    for path in &files.paths {
        let shown = path.display().to_string();
        match read_file(path, &shown, &mut batches)? {
            Ok(held) => reading.held(&held),
            Err(trouble) => reading.could_not(&name, &shown, trouble, now, &mut batches),
        }
    }
    // files that change while they are read are read again before anything is said to be gone
    let steady = look().is_ok_and(|again| again.digest == files.digest);
    reading.whole &= steady;
    reading.retry |= !steady;
    let next = State { digest: files.settled.then_some(files.digest), day: place.day, ..State::default() };
    let folders = folder(reading.items);
    reading.end(place.kind, &last, next, (now, place.until), batches, folders)
}

/// The files of a source, and a digest that changes with any of them.
struct Files {
    /// Sorted.
    paths: Vec<PathBuf>,
    /// Of names, sizes, time stamps and inodes.
    digest: [u8; 16],
    /// `false` where one was changed so recently that its time stamp says nothing yet.
    settled: bool,
    /// Directories and files that could not be looked at.
    unreadable: Vec<(PathBuf, io::Error)>,
}

/// `path` itself, or the files below it that end in one of `endings`. `salt` is whatever else makes
/// a new reading necessary.
fn look(path: &Path, endings: &[&str], salt: &str, now: Timestamp) -> io::Result<Files> {
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
pub(super) fn open_whole(path: &Path, component: &str) -> Result<std::fs::File, Trouble> {
    let sorry = |error: io::Error| (reason(&error), true);
    if !std::fs::metadata(path).map_err(sorry)?.is_file() {
        return Err(("is no file".to_string(), true));
    }
    let mut file = std::fs::File::open(path).map_err(sorry)?;
    match what_instead(&mut file, component).map_err(sorry)? {
        Some(instead) => Err((instead, false)),
        None => Ok(file),
    }
}

/// `None` for bytes that begin with `BEGIN:<component>` and end with its `END`, else in plain words
/// what they are instead. Afterwards they are read from their beginning.
pub(super) fn what_instead<B: Read + Seek>(bytes: &mut B, component: &str) -> io::Result<Option<String>> {
    let head = text_at(bytes, SeekFrom::Start(0))?;
    let length = bytes.seek(SeekFrom::End(0))?;
    let tail = text_at(bytes, SeekFrom::Start(length.saturating_sub(WINDOW)))?;
    bytes.seek(SeekFrom::Start(0))?;
    let head = head.trim_start_matches('\u{feff}').trim_start();
    Ok(if length == 0 {
        Some("is empty".to_string())
    } else if head.starts_with('<') {
        Some("is a web page".to_string())
    } else if !head.starts_with(&format!("BEGIN:{component}")) {
        Some(format!("does not begin with BEGIN:{component}"))
    } else if !tail.contains(&format!("END:{component}")) {
        Some("ends in the middle".to_string())
    } else {
        None
    })
}

/// Bytes at either end of a file that tell what it is.
const WINDOW: u64 = 512;

fn text_at<B: Read + Seek>(bytes: &mut B, from: SeekFrom) -> io::Result<String> {
    let mut window = Vec::new();
    bytes.seek(from)?;
    bytes.take(WINDOW).read_to_end(&mut window)?;
    Ok(String::from_utf8_lossy(&window).to_uppercase())
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

    /// Such a doubt in words.
    pub(super) fn doubt(&self, items: u64) -> String {
        format!(
            "it held {} items and now holds {items}: nothing is taken as cancelled or removed; if it stays like this \
             it is believed in two weeks",
            self.items
        )
    }
}

/// A reading of all files of a source.
pub(super) struct Reading {
    /// Things the files held.
    pub items: u64,
    /// Every file was read to its end.
    whole: bool,
    /// It may go better another time, even if no file changes.
    retry: bool,
    /// Files that were read.
    pub good: usize,
    first_trouble: Option<String>,
}

impl Reading {
    pub(super) fn new() -> Reading {
        Reading { items: 0, whole: true, retry: false, good: 0, first_trouble: None }
    }

    fn of_files(source: &str, files: &Files, now: Timestamp, batches: &mut Batches<'_, '_>) -> Reading {
        let mut reading = Reading::new();
        for (path, error) in &files.unreadable {
            reading.could_not(source, &path.display().to_string(), (reason(error), true), now, batches);
        }
        reading
    }

    pub(super) fn held(&mut self, held: &Held) {
        self.good += 1;
        self.whole &= held.whole;
        self.items += held.items;
    }

    pub(super) fn could_not(
        &mut self,
        source: &str,
        place: &str,
        (what, passes): Trouble,
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
        mut batches: Batches<'_, '_>,
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
            let what = format!("the {kind} `{name}` is doubted: {}", last.doubt(self.items));
            return batches.failed(Level::Wait, what);
        }
        batches.cursor(State { items: self.items, doubted_since: None, ..next }.cursor())?;
        batches.full(began_at, until, None)?;
        batches.through(began_at, folders, false)
    }
}
