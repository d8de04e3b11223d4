//! Which folders a Maildir holds: Maildir, Maildir++ (`.Sent`, `.A.B`), nested ones as mbsync
//! writes them (`INBOX`, `Clients/Acme`), and mixtures. Part of `maildir`.
//!
//! Invariant: each folder on disk is found once, whatever symbolic links say, and nothing is opened
//! but directories.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::imap::decode_utf7;
use crate::limits;

/// A folder on disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    /// Its path below the root as it is on disk, the key of its cursor; `.` for the root itself.
    pub key: String,
    /// As the user knows it: decoded, its levels separated by `/`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// What a look at the tree found.
#[derive(Default)]
pub(super) struct Layout {
    /// INBOX first, then by name.
    pub places: Vec<Place>,
    /// Directories that could not be listed, by key and name, with the reason. Mail may lie below,
    /// or not (`lost+found`).
    pub unreadable: Vec<(String, String, io::Error)>,
    /// There was more than [`limits::FOLDERS`].
    pub cut: bool,
}

/// Finds the folders below `root`. `Err` when `root` itself cannot be listed.
pub(super) fn folders(root: &Path) -> io::Result<Layout> {
    let mut layout = Layout::default();
    let mut seen = HashSet::new();
    let meta = std::fs::metadata(root)?;
    seen.insert((meta.dev(), meta.ino()));
    if is_maildir(root) {
        layout.places.push(Place { key: ".".to_string(), name: "INBOX".to_string(), path: root.to_path_buf() });
    }
    let mut open = vec![Branch { path: root.to_path_buf(), key: String::new(), name: String::new(), depth: 0 }];
    while let Some(branch) = open.pop() {
        let below = match subdirectories(&branch.path) {
            Ok(below) => below,
            Err(error) if branch.depth == 0 => return Err(error),
            Err(error) => {
                layout.unreadable.push((branch.key, branch.name, error));
                continue;
            }
        };
        for path in below {
            let Some(next) = branch.below(path) else { continue };
            let Ok(meta) = std::fs::metadata(&next.path) else { continue };
            let holds_mail = is_maildir(&next.path);
            let hidden = next.path.file_name().is_some_and(|n| n.as_bytes().starts_with(b"."));
            // a hidden directory without mail is somebody else's (.notmuch, .git)
            if !meta.is_dir() || (hidden && !holds_mail) || !seen.insert((meta.dev(), meta.ino())) {
                continue;
            }
            if seen.len() > 2 * limits::FOLDERS || layout.places.len() >= limits::FOLDERS {
                layout.cut = true;
                break;
            }
            if holds_mail {
                layout.places.push(Place { key: next.key.clone(), name: next.name.clone(), path: next.path.clone() });
            }
            if next.depth < limits::FOLDER_DEPTH {
                open.push(next);
            }
        }
    }
    layout.places.sort_by(|a, b| {
        let rank = |p: &Place| (!p.name.eq_ignore_ascii_case("inbox"), p.name.clone(), p.key.clone());
        rank(a).cmp(&rank(b))
    });
    Ok(layout)
}

fn is_maildir(path: &Path) -> bool {
    path.join("cur").is_dir()
}

struct Branch {
    path: PathBuf,
    key: String,
    name: String,
    depth: usize,
}

impl Branch {
    /// The branch one level further down; `None` for the three directories of a Maildir.
    fn below(&self, path: PathBuf) -> Option<Branch> {
        let last = path.file_name()?;
        if [b"cur".as_slice(), b"new", b"tmp"].contains(&last.as_bytes()) {
            return None;
        }
        let raw = text_of(last);
        let shown = match raw.strip_prefix('.') {
            Some(dotted) => dotted.split('.').map(decode_utf7).collect::<Vec<_>>().join("/"),
            None => decode_utf7(&raw),
        };
        let join =
            |above: &str, level: &str| if above.is_empty() { level.to_string() } else { format!("{above}/{level}") };
        Some(Branch { key: join(&self.key, &raw), name: join(&self.name, &shown), depth: self.depth + 1, path })
    }
}

fn subdirectories(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut below = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() || kind.is_symlink() {
            below.push(entry.path());
        }
    }
    below.sort();
    Ok(below)
}

/// Names that are no UTF-8 still need keys of their own.
fn text_of(name: &OsStr) -> String {
    match name.to_str() {
        Some(text) => text.to_string(),
        None => format!("{}#{}", name.to_string_lossy(), blake3::hash(name.as_bytes()).to_hex()),
    }
}
