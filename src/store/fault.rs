//! What can go wrong with the store, each with its cause and what the user can do. Floor 6.
//!
//! Invariant: nothing below the store panics through it, and only damage, never a full disk or a
//! missing permission, is answered by setting a store aside.

use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why the store did not do what it was asked. Whatever it says, nothing that was acknowledged is lost.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another process owns the store.
    #[error("the store {} is in use by another process", .path.display())]
    Locked {
        /// The state folder.
        path: PathBuf,
    },
    /// Written by a newer kithd; nothing of it was read or changed.
    #[error("the store {} was written by a newer kithd (schema {found}, this one knows {known}): update kithd, or restore a backup", .path.display())]
    Newer {
        /// The state folder or backup file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema this program knows.
        known: u32,
    },
    /// A stored value, a page or a file is not what was written.
    #[error("the store is damaged: {what}")]
    Damaged {
        /// What, in plain words.
        what: String,
    },
    /// No space left (or no quota). What was committed before is safe; try again with [`super::Store::reopen`].
    #[error("the disk that holds {} is full: free some space there, nothing is lost and kithd goes on by itself", .path.display())]
    Full {
        /// The state folder or file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{what} {}: {source}{}", .path.display(), advice(.source))]
    Io {
        /// What was tried (`cannot write`).
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file given to `restore` is no whole backup.
    #[error("{} cannot be restored: {what}", .path.display())]
    BadBackup {
        /// The file.
        path: PathBuf,
        /// In plain words.
        what: String,
    },
    /// An earlier failure closed the store; [`super::Store::reopen`] opens it again.
    #[error("the store is closed after an earlier failure")]
    Closed,
}

/// Shorthand of this room.
pub type Result<T> = std::result::Result<T, StoreError>;

impl StoreError {
    pub(super) fn damaged(what: impl Into<String>) -> StoreError {
        StoreError::Damaged { what: what.into() }
    }

    /// The error of the system about `path`.
    pub(super) fn io(what: &'static str, path: &Path, source: io::Error) -> StoreError {
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                StoreError::Full { path: path.to_path_buf() }
            }
            _ => StoreError::Io { what, path: path.to_path_buf(), source },
        }
    }

    /// sled's error about the store at `path`.
    pub(super) fn sled(path: &Path, error: sled::Error) -> StoreError {
        match error {
            sled::Error::Io(e) if e.to_string().contains("could not acquire lock") => {
                StoreError::Locked { path: path.to_path_buf() }
            }
            // sled wraps what it could not do, and keeps the system's words but not always its kind
            sled::Error::Io(e) if e.to_string().contains("No space left") => {
                StoreError::Full { path: path.to_path_buf() }
            }
            // what sled says when it reads something else than it wrote, or does not find it
            sled::Error::Io(e)
                if matches!(
                    e.kind(),
                    ErrorKind::UnexpectedEof
                        | ErrorKind::InvalidData
                        | ErrorKind::InvalidInput
                        | ErrorKind::NotFound
                        | ErrorKind::Other
                ) =>
            {
                StoreError::damaged(e.to_string())
            }
            sled::Error::Io(e) => StoreError::io("cannot use", path, e),
            other => StoreError::damaged(other.to_string()),
        }
    }
}

fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        ErrorKind::PermissionDenied => {
            " (it must belong to the user kithd runs as; for the system unit check StateDirectory=)"
        }
        ErrorKind::ReadOnlyFilesystem => " (make it writable, or set [store] path to a folder that is)",
        _ => "",
    }
}

/// Runs what calls into sled, which panics on pages it cannot read.
pub(super) fn guarded<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Err(StoreError::damaged(crate::address::safe_text(said.unwrap_or("unreadable"), crate::limits::ERROR_BYTES)))
    })
}
