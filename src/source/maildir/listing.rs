//! What lies in one Maildir folder: names, their flags and times. Part of `maildir`.
//!
//! Invariant: at most twice [`limits::LISTED`] names are held at once, whatever the folder holds.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::limits;
use crate::time::Timestamp;

/// One message file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Of its unique name.
    pub hash: u64,
    /// The time in its name.
    pub at: Option<Timestamp>,
    in_new: bool,
    start: usize,
    length: usize,
}

/// What a look into `new` and `cur` found.
#[derive(Default)]
pub(super) struct Listing {
    /// Messages that need not be read, by their hashes.
    pub kept: Vec<u64>,
    /// The others, by the time in their names: what is stored in the order of time costs the store
    /// far less.
    pub unread: Vec<Entry>,
    /// Further ones that the next round will find.
    pub more: u64,
    names: Vec<u8>,
}

impl Listing {
    /// Lists a folder. Messages flagged T (trashed) or D (draft) are not there.
    pub(super) fn of(
        folder: &Path,
        now: Timestamp,
        is_read: &dyn Fn(u64, Option<Timestamp>) -> bool,
    ) -> io::Result<Listing> {
        let mut listing = Listing::default();
        for (directory, in_new) in [("new", true), ("cur", false)] {
            let entries = match std::fs::read_dir(folder.join(directory)) {
                Err(error) if in_new && error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries?,
            };
            for entry in entries {
                let name = entry?.file_name();
                let name = name.as_bytes();
                if name.starts_with(b".") || is_set_aside(name) {
                    continue;
                }
                let (hash, at) = (hash_of(name), time_in(name, now));
                if is_read(hash, at) {
                    listing.kept.push(hash);
                } else {
                    listing.add(name, hash, at, in_new);
                }
            }
        }
        listing.settle(limits::LISTED);
        Ok(listing)
    }

    fn add(&mut self, name: &[u8], hash: u64, at: Option<Timestamp>, in_new: bool) {
        let entry = Entry { hash, at, in_new, start: self.names.len(), length: name.len() };
        self.names.extend_from_slice(name);
        self.unread.push(entry);
        if self.unread.len() >= 2 * limits::LISTED {
            self.settle(limits::LISTED);
        }
    }

    /// Sorts what is to be read, each message once, and keeps the oldest `most`.
    fn settle(&mut self, most: usize) {
        let Listing { unread, names, .. } = self;
        // a message on its way from `new` to `cur` may have been seen in both
        unread.sort_unstable_by_key(|e| (e.hash, e.in_new));
        unread.dedup_by_key(|e| e.hash);
        unread.sort_unstable_by(|a, b| (a.at, name_of(names, a)).cmp(&(b.at, name_of(names, b))));
        if unread.len() > most {
            self.more += u64::try_from(unread.len() - most).unwrap_or(0);
            unread.truncate(most);
            let old = std::mem::take(names);
            for entry in unread {
                let name = name_of(&old, entry);
                entry.start = names.len();
                names.extend_from_slice(name);
            }
        }
    }

    pub(super) fn path(&self, folder: &Path, entry: &Entry) -> PathBuf {
        let mut path = folder.join(if entry.in_new { "new" } else { "cur" });
        path.push(OsStr::from_bytes(name_of(&self.names, entry)));
        path
    }
}

fn name_of<'a>(names: &'a [u8], entry: &Entry) -> &'a [u8] {
    names.get(entry.start..entry.start + entry.length).unwrap_or_default()
}

/// Messages of a folder, roughly: its names are counted and not looked at.
pub(super) fn count(folder: &Path) -> u64 {
    let names = |directory: &str| std::fs::read_dir(folder.join(directory)).map_or(0, Iterator::count);
    u64::try_from(names("new") + names("cur")).unwrap_or(u64::MAX)
}

/// A name without its flags: what stays the same as long as the message lies in this folder.
fn unique(name: &[u8]) -> &[u8] {
    let info = name.windows(3).rposition(|w| matches!(w, [b':' | b';' | b'!', b'2', b',']));
    info.and_then(|at| name.get(..at)).unwrap_or(name)
}

/// Does it carry the flags T or D?
fn is_set_aside(name: &[u8]) -> bool {
    name.get(unique(name).len()..).is_some_and(|info| info.iter().skip(3).any(|flag| matches!(flag, b'T' | b'D')))
}

/// Hash of the unique name. mbsync adds `,U=<uid>` to messages that others delivered, and changes it
/// when the server's UIDVALIDITY changes: that makes no other message of them.
fn hash_of(name: &[u8]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for (index, field) in unique(name).split(|b| *b == b',').enumerate() {
        let is_uid = field.strip_prefix(b"U=").is_some_and(|uid| uid.iter().all(u8::is_ascii_digit));
        if index == 0 || !is_uid {
            hasher.update(b",").update(field);
        }
    }
    let mut bytes = [0; 8];
    hasher.finalize_xof().fill(&mut bytes);
    u64::from_be_bytes(bytes)
}

/// The leading number of a name, where it can be the time of a delivery.
fn time_in(name: &[u8], now: Timestamp) -> Option<Timestamp> {
    let digits = name.split(|b| !b.is_ascii_digit()).next()?;
    let second: i64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let latest = now.plus(limits::DATE_AHEAD).second();
    (limits::DATE_EARLIEST..=latest).contains(&second).then(|| Timestamp::from_second(second))
}

/// Files whose path matches `pattern`: `*` and `?` within one level, none across.
pub(super) fn glob(pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from(if pattern.starts_with('/') { "/" } else { "." })];
    for level in pattern.split('/').filter(|level| !level.is_empty()) {
        let mut next = Vec::new();
        for path in found {
            if !level.contains(['*', '?']) {
                next.push(path.join(level));
                continue;
            }
            let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
            let fitting = entries.filter(|e| fits(level.as_bytes(), e.file_name().as_bytes()));
            next.extend(fitting.map(|e| e.path()).take(limits::FILES));
        }
        found = next;
    }
    found
}

/// As a shell matches one level; a leading dot is matched by a dot only.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    if name.starts_with(b".") && !pattern.starts_with(b".") {
        return false;
    }
    let (mut p, mut n) = (pattern, name);
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match (p.split_first(), n.split_first()) {
            (None, None) => return true,
            (Some((b'*', rest)), _) => {
                retry = Some((rest, n));
                p = rest;
            }
            (Some((a, rest)), Some((b, left))) if *a == b'?' || a == b => (p, n) = (rest, left),
            _ => {
                let Some((_, left)) = retry.and_then(|(rest, n)| n.split_first().map(|(_, left)| (rest, left))) else {
                    return false;
                };
                let rest = retry.map_or(&[][..], |(rest, _)| rest);
                retry = Some((rest, left));
                (p, n) = (rest, left);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_message_keeps_its_identity_when_its_flags_change() {
        let same = |a: &str, b: &str| hash_of(a.as_bytes()) == hash_of(b.as_bytes());
        assert!(same("1.a.host", "1.a.host:2,S"));
        assert!(same("1.a.host:2,S", "1.a.host:2,RS"));
        assert!(same("1.a.host,S=10,W=12", "1.a.host,S=10,W=12:2,FS"));
        assert!(same("1.a.host:2,S", "1.a.host,U=7:2,S"));
        assert!(same("1.a.host;2,S", "1.a.host"));
        assert!(!same("1.a.host", "1.b.host"));
        assert!(!same("1.a.host,S=10", "1.a.host,S=11"));
        assert!(!same("U=1", "U=2"));
    }

    #[test]
    fn trashed_messages_and_drafts_are_told_by_their_flags() {
        for (name, expected) in
            [("1.T.D", false), ("1.a:2,", false), ("1.a:2,FRS", false), ("1.a:2,ST", true), ("1.a:2,D", true)]
        {
            assert_eq!(is_set_aside(name.as_bytes()), expected, "{name}");
        }
    }

    #[test]
    fn names_tell_times_that_can_be() {
        let now = Timestamp::parse("2026-05-01T00:00:00Z").unwrap();
        let at = |name: &str| time_in(name.as_bytes(), now).map(Timestamp::second);
        assert_eq!(at("1700000000.M1P2.host"), Some(1_700_000_000));
        for name in ["12.a", "x.a", "", "9700000000.a", "99999999999999999999999.a"] {
            assert_eq!(at(name), None, "{name}");
        }
    }

    #[test]
    fn files_are_picked_as_a_shell_does() {
        for (pattern, name, expected) in [
            ("*", "a", true),
            ("*", ".a", false),
            (".*", ".a", true),
            ("a?c", "abc", true),
            ("*b*d", "aabbccd", true),
            ("*b*d", "aabbcc", false),
            ("abc", "abcd", false),
            ("", "", true),
        ] {
            assert_eq!(fits(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}
