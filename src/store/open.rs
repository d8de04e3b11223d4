//! Opening, and what is done about a store that cannot be used. Floor 6.
//!
//! Invariant: nothing of the user's is deleted here; what cannot be used is moved to a folder with a
//! name of its own. A full disk or a missing permission is an error and moves nothing.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::evidence::Observation;
use crate::time::Timestamp;
use crate::{fail, limits};

use super::fault::{Result, StoreError, guarded};
use super::journal::{Entry, Hex, Journal, State};
use super::trees::{Place, Trees};
use super::{Commit, Counts, Opened, Shelf, Store, Strength, Walk, Writer, check, commit, copy, seal, values};

/// The shape of all trees together. A newer one is refused.
pub(super) const SCHEMA: u32 = 1;
/// The folder of the trees.
pub(super) const DB: &str = "db";
/// The journal.
pub(super) const JOURNAL: &str = "journal";
/// The folder in which a new store is built that is to take the place of this one.
pub(super) const NEXT: &str = "next";
/// In [`NEXT`] once it is whole: holds the name of the folder for the old store, empty to delete it.
const COMPLETE: &str = "complete";
const LOCK: &str = "lock";

const SCHEMA_KEY: &[u8] = b"schema";
pub(super) const SECRET_KEY: &[u8] = b"secret";

impl Store {
    /// Opens the store in the folder `path`, or makes one. A damaged one is set aside and made anew
    /// from what can still be read of it and from its journal; its reading positions are dropped then,
    /// so that the sources are read again.
    pub fn open(path: &Path, now: Timestamp) -> Result<Opened> {
        folder(path)?;
        let lock = lock(path)?;
        finish_swap(path)?;
        open_locked(path, lock, now)
    }

    /// Closes and opens again: after [`StoreError::Full`], which sled never forgets, and after damage.
    pub fn reopen(&mut self, now: Timestamp) -> Result<Option<String>> {
        let lock = Arc::clone(&self.lock);
        self.trees = None;
        finish_swap(&self.path)?;
        let Opened { store, rebuilt } = open_locked(&self.path, lock, now)?;
        *self = store;
        Ok(rebuilt)
    }

    /// Sets this store aside although it opened, for damage met while reading, and goes on with what
    /// can be carried over. Returns what to tell the user.
    pub fn set_aside(&mut self, why: &str, now: Timestamp) -> Result<String> {
        let lock = Arc::clone(&self.lock);
        let (_, state) = Journal::open(&self.path.join(JOURNAL))?;
        let told = renew(&self.path, self.trees.take(), state, why, now)?;
        *self = open_locked(&self.path, lock, now)?.store;
        Ok(told)
    }
}

/// Opens what lies in `path`, whose lock is held.
pub(super) fn open_locked(path: &Path, lock: Arc<Lock>, now: Timestamp) -> Result<Opened> {
    let (journal, state) = Journal::open(&path.join(JOURNAL))?;
    let existed = path.join(DB).join("db").exists();
    let mut told = Vec::new();
    let (trees, state) = match examine(path, &state) {
        Ok(trees) => (trees, state),
        Err(Unfit { why: StoreError::Damaged { what }, trees }) => {
            probe(path)?;
            told.push(renew(path, trees.map(|t| *t), state, &what, now)?);
            let (_, state) = Journal::open(&path.join(JOURNAL))?;
            (examine(path, &state).map_err(|unfit| unfit.why)?, state)
        }
        Err(unfit) => return Err(unfit.why),
    };
    if !existed && state.secret.is_some() && told.is_empty() {
        told.push("the store was missing: it was made anew from its journal, and the sources are read again".into());
    }
    let journal = if told.is_empty() { journal } else { Journal::open(&path.join(JOURNAL))?.0 };
    let mut state = state;
    if trees.get(Place::Meta, commit::JOURNAL_BYTES)?.is_some_and(|was| is_shorter(&was, journal.bytes())) {
        state.doubt();
    }
    let counts = trees.get(Place::Meta, commit::COUNTS)?.and_then(|v| commit::read_counts(&v)).unwrap_or_default();
    let known = state.secret;
    let damaged = state.damaged;
    let mut writer = Writer { journal, counts };
    let secret = settle(&trees, &mut writer, state)?;
    if known != Some(secret) {
        fail::point("store.secret");
        trees.sync()?;
        writer.journal.append(&[Entry::Secret(Hex(secret.to_vec()))])?;
        sync_folder(path)?;
    }
    let store = Store { path: path.to_path_buf(), trees: Some(trees), secret, writer: Mutex::new(writer), lock };
    if damaged > 0 {
        let kept = free_name(path, "journal.bad", now);
        fs::copy(path.join(JOURNAL), &kept).map_err(|e| StoreError::io("cannot write", &kept, e))?;
        let said = store.said()?;
        commit::shorten(store.trees()?, 0)?;
        store.writer().journal.replace(said)?;
        let kept = kept.display();
        told.push(format!(
            "{damaged} lines of the journal could not be read, or are missing; a copy was kept as {kept}"
        ));
    }
    Ok(Opened { store, rebuilt: (!told.is_empty()).then(|| told.join("; ")) })
}

impl Store {
    /// What the journal should say, by the trees.
    fn said(&self) -> Result<Vec<Entry>> {
        let mut said = vec![Entry::Secret(Hex(self.secret.to_vec()))];
        for choice in self.choices() {
            if let Observation::Choice(choice) = choice? {
                said.push(Entry::Choice(choice));
            }
        }
        for shelf in Shelf::ALL.into_iter().filter(|s| s.is_journalled()) {
            for record in self.records(shelf) {
                let (key, value) = record?;
                said.push(Entry::Put(shelf, Hex(key), Hex(value)));
            }
        }
        Ok(said)
    }
}

/// Is the journal shorter than the trees remember it?
fn is_shorter(was: &[u8], bytes: u64) -> bool {
    let was = values::unseal(was).ok().and_then(|b| b.try_into().ok()).map(u64::from_be_bytes);
    was.is_some_and(|was| bytes < was)
}

/// A store that cannot be used as it is.
struct Unfit {
    why: StoreError,
    /// Where they opened, for what can be saved.
    trees: Option<Box<Trees>>,
}

/// Opens the trees and looks whether they hold what they should.
fn examine(path: &Path, state: &State) -> std::result::Result<Trees, Unfit> {
    let db = path.join(DB);
    let clean = seal::take(path);
    let existed = db.join("db").exists();
    let trees = folder(&db).and_then(|()| Trees::open(&db)).map_err(|why| Unfit { why, trees: None })?;
    for file in ["db", "conf"] {
        // the folder is closed to others already
        let _ = fs::set_permissions(db.join(file), fs::Permissions::from_mode(0o600));
    }
    match guarded(|| verify(path, &trees, existed && state.secret.is_some(), clean)) {
        Ok(()) => Ok(trees),
        Err(why) => Err(Unfit { why, trees: Some(Box::new(trees)) }),
    }
}

/// `written`: the journal says that this store was made durable once.
fn verify(path: &Path, trees: &Trees, written: bool, clean: bool) -> Result<()> {
    let Some(schema) = trees.get(Place::Meta, SCHEMA_KEY)? else {
        let empty = trees.count(Place::Evidence)? == 0;
        return if written || !empty { Err(StoreError::damaged("it came back without its contents")) } else { Ok(()) };
    };
    let schema = values::unseal(&schema)?.try_into().map(u32::from_be_bytes);
    match schema.map_err(|_| StoreError::damaged("its schema cannot be read"))? {
        SCHEMA => {}
        found if found > SCHEMA => {
            return Err(StoreError::Newer { path: path.to_path_buf(), found, known: SCHEMA });
        }
        other => return Err(StoreError::damaged(format!("it has the unknown schema {other}"))),
    }
    let counts = trees.get(Place::Meta, commit::COUNTS)?;
    let counts = match counts.as_deref().map(commit::read_counts) {
        None => Counts::default(),
        Some(Some(counts)) => counts,
        Some(None) => return Err(StoreError::damaged("its counts cannot be read")),
    };
    if clean {
        return Ok(());
    }
    let found = trees.count(Place::Evidence)?;
    if found != counts.evidence() {
        let what = format!("it holds {found} facts and should hold {}", counts.evidence());
        return Err(StoreError::damaged(what));
    }
    if trees.count(Place::Known)? != found {
        check::mend(trees, counts, None)?;
    }
    Ok(())
}

/// Brings the trees up to the journal, which is never behind them. Returns the secret.
fn settle(trees: &Trees, writer: &mut Writer, state: State) -> Result<[u8; 32]> {
    let stored = match trees.get(Place::Meta, SECRET_KEY)? {
        Some(value) => values::unseal(&value)?.try_into().ok(),
        None => None,
    };
    let secret = match state.secret.or(stored) {
        Some(secret) => secret,
        None => {
            let mut fresh = [0; 32];
            getrandom::fill(&mut fresh).map_err(|e| StoreError::damaged(format!("no random numbers: {e}")))?;
            fresh
        }
    };
    if stored != Some(secret) {
        let tree = trees.tree(Place::Meta)?;
        let put = |key: &[u8], bytes: &[u8]| {
            tree.insert(key, values::seal(bytes)).map(drop).map_err(|e| StoreError::sled(Path::new(DB), e))
        };
        guarded(|| put(SECRET_KEY, &secret).and_then(|()| put(SCHEMA_KEY, &SCHEMA.to_be_bytes())))?;
    }
    let mut commit = Commit::default();
    for (id, choice) in state.choices {
        match (choice, trees.time_of(id)?) {
            (Some(choice), None) => commit.evidence.push(Observation::Choice(choice)),
            (None, Some(_)) => commit.removed.push(id),
            _ => {}
        }
    }
    for ((shelf, key), value) in state.records {
        let stored = trees.get(Place::Shelf(shelf), &key)?;
        let same = match (&value, &stored) {
            (Some(value), Some(stored)) => values::unseal(stored).is_ok_and(|s| s == value),
            (None, None) => true,
            _ => false,
        };
        match value {
            _ if same => {}
            // a line that cannot be read may be what the tree says
            _ if stored.is_some_and(|s| values::unseal(&s).is_ok())
                && state.doubtful.contains(&(shelf, key.clone())) => {}
            Some(value) => commit.puts.push((shelf, key, value)),
            None => commit.drops.push((shelf, key)),
        }
    }
    guarded(|| commit::replay(trees, writer, commit))?;
    Ok(secret)
}

/// Builds a new store from the journal's `state` and from what `old` still gives, and puts it in the
/// place of the old one, which is set aside.
fn renew(path: &Path, old: Option<Trees>, state: State, why: &str, now: Timestamp) -> Result<String> {
    let aside = free_name(path, "store.bad", now);
    let next = copy::begin(path, state.entries(), now)?;
    let saved = old.as_ref().map_or(0, |trees| salvage(trees, &next));
    next.sync()?;
    drop(next);
    // closing reads pages too
    let _ = guarded(|| {
        drop(old);
        Ok(())
    });
    swap(path, Some(&aside))?;
    Ok(format!(
        "the store was damaged ({why}): it was set aside as {}, {saved} facts were carried over, \
         and the sources are read again",
        aside.display()
    ))
}

/// Copies what can be read. Reading positions and coverage stay behind, so that the rest is read again.
fn salvage(old: &Trees, next: &Store) -> u64 {
    let mut batch = Vec::new();
    let store = |batch: &mut Vec<Observation>| {
        let commit = Commit { evidence: std::mem::take(batch), ..Commit::default() };
        next.commit(commit, Strength::Atomic).is_ok()
    };
    for fact in Walk::over(old.prefix(Place::Evidence, &[]), |(_, value)| values::decode(&value)).flatten() {
        batch.push(fact);
        if batch.len() >= limits::BATCH && !store(&mut batch) {
            break;
        }
    }
    store(&mut batch);
    let lost = |s: &Shelf| s.is_derived() || s.is_journalled() || *s == Shelf::Coverage;
    for shelf in Shelf::ALL.into_iter().filter(|s| !lost(s)) {
        let records = Walk::over(old.prefix(Place::Shelf(shelf), &[]), |(key, value)| {
            Ok((shelf, key.to_vec(), values::unseal(&value)?.to_vec()))
        });
        let puts = records.flatten().take(limits::SALVAGED_RECORDS).collect();
        let _ = next.commit(Commit { puts, ..Commit::default() }, Strength::Atomic);
    }
    next.counts().evidence()
}

/// Puts the whole store in `next` in the place of this one. From here on it will happen, whatever
/// else does. No tree of either may be open.
pub(super) fn swap(path: &Path, aside: Option<&Path>) -> Result<()> {
    let name = aside.and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    sync_folder(&path.join(NEXT))?;
    fail::point("swap.complete");
    copy::replace(&path.join(NEXT).join(COMPLETE), |file| file.write_all(name.as_bytes()))?;
    finish_swap(path)
}

/// Finishes a [`swap`] that was begun, or clears away a `next` that never became whole.
pub(super) fn finish_swap(path: &Path) -> Result<()> {
    let next = path.join(NEXT);
    let name = match fs::read_to_string(next.join(COMPLETE)) {
        Ok(name) => name,
        Err(e) if e.kind() == ErrorKind::NotFound => return remove(&next),
        Err(e) => return Err(StoreError::io("cannot read", &next, e)),
    };
    let aside = Path::new(&name).file_name().map(|name| path.join(name));
    fail::point("swap.begin");
    if let Some(aside) = &aside {
        folder(aside)?;
    }
    for part in [DB, JOURNAL] {
        let (old, new) = (path.join(part), next.join(part));
        if !new.exists() {
            continue;
        }
        match &aside {
            Some(aside) if old.exists() && !aside.join(part).exists() => rename(&old, &aside.join(part))?,
            _ => remove(&old)?,
        }
        fail::point("swap.rename");
        rename(&new, &old)?;
        fail::point("swap.renamed");
        sync_folder(path)?;
    }
    fail::point("swap.remove");
    remove(&next)?;
    sync_folder(path)
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|e| StoreError::io("cannot move", from, e))
}

/// Removes a file or a folder, if there is one.
pub(super) fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(StoreError::io("cannot remove", path, e)),
        _ => Ok(()),
    }
}

/// Makes a folder nobody else can enter.
pub(super) fn folder(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|e| StoreError::io("cannot make the folder", path, e))
}

/// Makes new names in a folder outlast a power cut.
pub(super) fn sync_folder(path: &Path) -> Result<()> {
    File::open(path).and_then(|f| f.sync_all()).map_err(|e| StoreError::io("cannot sync", path, e))
}

/// A folder that is this process's own while this lives; it ends with the process, however that ends.
#[derive(Debug)]
pub(super) struct Lock(pub(super) File);

impl Drop for Lock {
    fn drop(&mut self) {
        // closing would not do: a child that was forked and has not begun its program yet has the file open too
        let _ = self.0.unlock();
    }
}

/// Takes the lock of a folder.
pub(super) fn lock(path: &Path) -> Result<Arc<Lock>> {
    let file = path.join(LOCK);
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&file);
    let lock = open.map_err(|e| StoreError::io("cannot open", &file, e))?;
    match lock.try_lock() {
        Ok(()) => Ok(Arc::new(Lock(lock))),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: path.to_path_buf() }),
        Err(TryLockError::Error(e)) => Err(StoreError::io("cannot lock", &file, e)),
    }
}

/// Can anything be written here at all? What looks like damage may be a disk that is full.
fn probe(path: &Path) -> Result<()> {
    let file = path.join("probe");
    let written = copy::create(&file).and_then(|mut f| f.write_all(&[0; 64 << 10]).and_then(|()| f.sync_all()));
    remove(&file)?;
    written.map_err(|e| StoreError::io("cannot write", path, e))
}

/// `PREFIX-20260512T090000Z` in `path`, with a number where that exists.
pub(super) fn free_name(path: &Path, prefix: &str, now: Timestamp) -> PathBuf {
    let at: String = now.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let names = (1u32..).map(|n| if n == 1 { format!("{prefix}-{at}") } else { format!("{prefix}-{at}-{n}") });
    names.map(|name| path.join(name)).find(|p| !p.exists()).unwrap_or_else(|| path.join(prefix))
}
