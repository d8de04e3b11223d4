//! Delivers reminders into a Maildir. Part of `delivery`.
//!
//! Invariant: one Message-ID lies in the Maildir at most once, however often it is delivered, and is
//! whole wherever a reader can see it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::Answer;
use super::message::format;
use crate::evidence::{Delivery, Envelope, MessageId};
use crate::{fail, limits};

/// Puts the mail into `new`, once. A Maildir that is not there is made, its parent is not.
pub fn deliver(path: &Path, envelope: &Envelope) -> Delivery {
    let bytes = match format(envelope) {
        Ok(bytes) => bytes,
        Err(what) => return Delivery::Permanent(what),
    };
    let write = || -> io::Result<Delivery> {
        make(path)?;
        if is_there(path, &envelope.message_id)? {
            return Ok(Delivery::Accepted);
        }
        let name = format!("{}.{}", envelope.date.second(), mark(&envelope.message_id));
        let draft = path.join("tmp").join(&name);
        fail::point("maildir.write");
        let written = write_durably(&draft, &bytes).and_then(|()| {
            fail::point("maildir.rename");
            std::fs::rename(&draft, path.join("new").join(&name))
        });
        fail::point("maildir.renamed");
        if let Err(error) = written {
            // what is left there is no mail yet, and a full disk needs the room
            let _ = std::fs::remove_file(&draft);
            return Err(error);
        }
        // only a power cut could still take it back
        let synced = sync(&path.join("new"));
        fail::point("maildir.synced");
        Ok(match synced {
            Ok(()) => Delivery::Accepted,
            Err(error) => Delivery::Unknown(words(path, &error)),
        })
    };
    write().unwrap_or_else(|error| Delivery::Transient(words(path, &error)))
}

/// Is the mail there, in whichever folder of the Maildir and read or not?
pub fn find(path: &Path, id: &MessageId) -> Answer {
    match is_there(path, id) {
        Ok(true) => Answer::Yes,
        Ok(false) => Answer::No,
        // the Maildir was never made; without its parent the disk is not there
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.exists() && has_parent(path) => Answer::No,
        Err(_) => Answer::CannotSearch,
    }
}

/// The part of the file name that tells the mail; it outlives flags and the marks of fetchers.
fn mark(id: &MessageId) -> String {
    let hash = blake3::hash(id.as_str().as_bytes()).to_hex();
    format!("K{}.kithd", hash.chars().take(32).collect::<String>())
}

fn is_there(path: &Path, id: &MessageId) -> io::Result<bool> {
    let mark = mark(id);
    if holds(&path.join("new"), &mark)? || holds(&path.join("cur"), &mark)? {
        return Ok(true);
    }
    // moved to a folder of it (Maildir++: Trash and Archive lie inside)
    for entry in std::fs::read_dir(path)?.take(limits::FOLDERS) {
        let folder = entry?.path();
        let name = folder.file_name().unwrap_or_default().as_bytes();
        let own = [b"cur".as_slice(), b"new", b"tmp"].contains(&name);
        if !own && folder.join("cur").is_dir() {
            let moved = holds(&folder.join("cur"), &mark).unwrap_or(false);
            if moved || holds(&folder.join("new"), &mark).unwrap_or(false) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn holds(directory: &Path, mark: &str) -> io::Result<bool> {
    for entry in std::fs::read_dir(directory)? {
        let name = entry?.file_name();
        if name.as_bytes().windows(mark.len()).any(|part| part == mark.as_bytes()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Makes what is missing of the Maildir. A folder that holds other things is left alone.
fn make(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        let is_maildir = path.join("cur").is_dir() || path.join("new").is_dir();
        if !is_maildir && std::fs::read_dir(path)?.next().is_some() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no Maildir, and not empty"));
        }
    } else {
        directory(path)?;
    }
    for name in ["tmp", "new", "cur"] {
        directory(&path.join(name))?;
    }
    Ok(())
}

fn directory(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !path.is_dir() => Err(error),
        Err(_) => Ok(()),
        Ok(()) => path.parent().map_or(Ok(()), sync),
    }
}

fn has_parent(path: &Path) -> bool {
    path.parent()
        .map(|p| if p.as_os_str().is_empty() { PathBuf::from(".") } else { p.into() })
        .is_some_and(|p| p.is_dir())
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // what a crash left of an earlier attempt is written over
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    fail::point("maildir.draft");
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync(directory: &Path) -> io::Result<()> {
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    File::open(directory)?.sync_all()
}

fn words(path: &Path, error: &io::Error) -> String {
    let place = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => {
            format!("the Maildir {place} cannot be made: check [delivery] path, or whether its disk is mounted")
        }
        io::ErrorKind::PermissionDenied => format!("kithd may not write into the Maildir {place}"),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => format!("no room left for the Maildir {place}"),
        io::ErrorKind::ReadOnlyFilesystem => format!("the Maildir {place} lies on a read-only disk"),
        _ => format!("cannot deliver into the Maildir {place}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::address::Address;
    use crate::evidence::{ReminderId, Showing};
    use crate::time::Timestamp;

    fn envelope(id: &str) -> Envelope {
        let me = Address::parse("alex@example.org").unwrap();
        Envelope {
            showing: Showing { reminder: ReminderId::of("a", "b", "c", 1), number: 1 },
            message_id: MessageId::new(id).unwrap(),
            from: me.clone(),
            to: me,
            date: Timestamp::from_second(1_770_000_000),
            subject: "s".into(),
            in_reply_to: None,
            references: Vec::new(),
            headers: Vec::new(),
            text: "t".into(),
            html: "h".into(),
        }
    }

    fn names(path: &Path) -> Vec<String> {
        let all = std::fs::read_dir(path).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        all.collect()
    }

    #[test]
    fn a_repeat_gives_no_second_copy_wherever_the_first_went() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("box");
        assert_eq!(find(&path, &envelope("a@k").message_id), Answer::No);
        assert_eq!(deliver(&path, &envelope("a@k")), Delivery::Accepted);
        assert_eq!(deliver(&path, &envelope("a@k")), Delivery::Accepted);
        let [name] = names(&path.join("new")).try_into().unwrap();
        assert!(names(&path.join("tmp")).is_empty());
        assert!(!name.contains(':'), "{name}");
        // a retry composed a little later is still the same mail
        let later = Envelope { date: Timestamp::from_second(1_770_000_900), ..envelope("a@k") };
        assert_eq!(deliver(&path, &later), Delivery::Accepted);
        assert_eq!(names(&path.join("new")).len(), 1);
        // read, then marked by a fetcher, then moved to a folder
        let seen = path.join("cur").join(format!("{name},U=12:2,S"));
        std::fs::rename(path.join("new").join(&name), &seen).unwrap();
        assert_eq!(deliver(&path, &later), Delivery::Accepted);
        assert!(names(&path.join("new")).is_empty());
        std::fs::create_dir_all(path.join(".Trash/cur")).unwrap();
        std::fs::rename(&seen, path.join(".Trash/cur").join(format!("{name}:2,ST"))).unwrap();
        assert_eq!(find(&path, &later.message_id), Answer::Yes);
        assert_eq!(deliver(&path, &later), Delivery::Accepted);
        assert!(names(&path.join("new")).is_empty());
        // another mail is another mail
        assert_eq!(find(&path, &envelope("b@k").message_id), Answer::No);
        assert_eq!(deliver(&path, &envelope("b@k")), Delivery::Accepted);
        assert_eq!(names(&path.join("new")).len(), 1);
    }

    #[test]
    fn what_a_crash_left_in_tmp_is_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("box");
        make(&path).unwrap();
        let mail = envelope("a@k");
        let name = format!("1770000000.{}", mark(&mail.message_id));
        std::fs::write(path.join("tmp").join(&name), vec![b'x'; 100_000]).unwrap();
        assert_eq!(find(&path, &mail.message_id), Answer::No);
        assert_eq!(deliver(&path, &mail), Delivery::Accepted);
        assert_eq!(std::fs::read(path.join("new").join(&name)).unwrap(), format(&mail).unwrap());
    }

    #[test]
    fn a_maildir_is_made_but_no_more_than_that() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("box");
        assert_eq!(deliver(&path, &envelope("a@k")), Delivery::Accepted);
        for name in ["", "cur", "new", "tmp"] {
            assert_eq!(std::fs::metadata(path.join(name)).unwrap().permissions().mode() & 0o777, 0o700);
        }
        // the disk is not mounted
        let away = dir.path().join("away/box");
        let Delivery::Transient(what) = deliver(&away, &envelope("a@k")) else { panic!() };
        assert!(what.contains("mounted"), "{what}");
        assert_eq!(find(&away, &envelope("a@k").message_id), Answer::CannotSearch);
        // somebody's folder
        std::fs::create_dir(dir.path().join("docs")).unwrap();
        std::fs::write(dir.path().join("docs/letter"), "x").unwrap();
        let Delivery::Transient(what) = deliver(&dir.path().join("docs"), &envelope("a@k")) else { panic!() };
        assert!(what.contains("no Maildir"), "{what}");
        // a file
        let Delivery::Transient(_) = deliver(&dir.path().join("docs/letter"), &envelope("a@k")) else { panic!() };
        // nowhere to write to
        std::fs::remove_dir(path.join("tmp")).unwrap();
        std::fs::write(path.join("tmp"), "x").unwrap();
        let Delivery::Transient(_) = deliver(&path, &envelope("c@k")) else { panic!() };
        // what cannot be written as a mail is not tried again
        assert!(matches!(deliver(&path, &envelope("ü@k")), Delivery::Permanent(_)));
    }

    #[test]
    fn a_full_disk_is_said_in_words_and_leaves_nothing() {
        let full = io::Error::new(io::ErrorKind::StorageFull, "x");
        assert_eq!(words(Path::new("/m"), &full), "no room left for the Maildir /m");
    }
}
