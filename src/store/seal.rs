//! The mark of a clean closing. Floor 6.
//!
//! Invariant: it stands only while nobody has the store open, and only for a file that was synced and
//! is as it was left: its size and time of change are compared. Where it holds, opening need not
//! count every fact; a value that rotted on the disk is still found by its CRC, when it is read.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::open::DB;
use crate::fail;

const CLEAN: &str = "clean";

/// Size, change time in nanoseconds and inode of sled's file.
fn mark(path: &Path) -> Option<String> {
    let db = fs::metadata(path.join(DB).join("db")).ok()?;
    Some(format!("{} {} {} {}", db.len(), db.mtime(), db.mtime_nsec(), db.ino()))
}

/// Marks a store that is synced and closed. Without the mark the next opening only takes longer.
pub(super) fn set(path: &Path) {
    let Some(mark) = mark(path) else { return };
    fail::point("store.mark");
    let written = File::create(path.join(CLEAN)).and_then(|mut f| {
        fail::point("store.mark.write");
        f.write_all(mark.as_bytes())
    });
    fail::point("store.marked");
    if written.is_err() {
        take(path);
    }
}

/// Takes the mark away: was it there, and true?
pub(super) fn take(path: &Path) -> bool {
    let file = path.join(CLEAN);
    let Ok(found) = fs::read_to_string(&file) else { return false };
    fail::point("store.unmark");
    // while it stays it must not be believed by the next one
    let removed = fs::remove_file(&file).is_ok();
    fail::point("store.unmarked");
    removed && mark(path).is_some_and(|mark| mark == found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_mark_is_believed_once_and_only_for_the_same_file() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(DB)).unwrap();
        let db = dir.path().join(DB).join("db");
        fs::write(&db, b"trees").unwrap();
        set(dir.path());
        assert!(take(dir.path()));
        assert!(!take(dir.path()));
        set(dir.path());
        fs::write(&db, b"flips!").unwrap();
        assert!(!take(dir.path()));
    }
}
