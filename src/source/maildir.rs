//! Mail that a fetcher (mbsync, offlineimap, getmail) or a server keeps as a Maildir. Part of `source`.
//!
//! Invariant: nothing below the Maildir is ever written, renamed or created; and a message is
//! recorded as read only once what it holds was handed on.

mod known;
mod layout;
mod listing;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use self::known::{Known, Mtime, State};
use self::layout::Place;
use self::listing::{Entry, Listing};
use super::files::{is_settled, reason};
use super::folders::{Purpose, picks};
use super::{Batches, Occasion, READER_FAILED, Send, Stopped, guarded, in_parallel};
use crate::evidence::{Complaint, Cursor, Folder, Level, Observation, Role};
use crate::limits;
use crate::read::mail::{MailContext, Message, read_message};
use crate::time::{DAY, Span, Timestamp};

/// A `[[mailbox]]` of type `maildir`.
#[derive(Clone, PartialEq, Debug)]
pub struct Params {
    /// Name of the mailbox.
    pub name: String,
    /// The Maildir; `~` already resolved.
    pub path: PathBuf,
    /// Patterns of folders to read; empty: all but junk, trash and drafts.
    pub folders: Vec<String>,
    /// Patterns of folders that hold sent mail; empty: by their names.
    pub sent: Vec<String>,
    /// How far back mail is taken.
    pub history: Span,
    /// Read text, not only headers.
    pub bodies: bool,
    /// Patterns (`*`, `?`) of files the fetcher touches; `~` already resolved.
    pub sync_state: Vec<String>,
}

type Reader<'r> = dyn Fn(&[u8], &MailContext<'_>) -> Result<Message, Complaint> + Sync + 'r;

/// Reads what is new since `cursors`, folder by folder. `Err` when nobody listens any more.
pub fn read(
    params: &Params,
    cursors: Vec<Cursor>,
    occasion: &Occasion<'_>,
    send: &mut Send<'_>,
) -> Result<(), Stopped> {
    read_with(params, cursors, occasion, send, &read_message)
}

fn read_with(
    params: &Params,
    cursors: Vec<Cursor>,
    occasion: &Occasion<'_>,
    send: &mut Send<'_>,
    reader: &Reader<'_>,
) -> Result<(), Stopped> {
    let mut batches = Batches::new(&params.name, send);
    let layout = match layout::folders(&params.path) {
        Ok(layout) => layout,
        Err(error) => return batches.failed(Level::Wait, not_there(params, &error)),
    };
    if layout.places.is_empty() {
        let what = format!(
            "the Maildir of `{}` at {} holds no folder: check [[mailbox]] path, or whether it is mounted",
            params.name,
            params.path.display()
        );
        return batches.failed(Level::Wait, what);
    }
    if layout.cut {
        let what = format!("holds more than {} folders; the others are not read", limits::FOLDERS);
        batches.complain(Complaint::new(&params.name, &params.path.display().to_string(), &what, occasion.now));
    }
    let mut known = by_place(cursors);
    let mut failed = None;
    for (key, name, error) in &layout.unreadable {
        let what = no_folder(params, name, error);
        // mail that was read from there before is missing now; of others nobody knows that they hold any
        if known.keys().any(|k| k == key || k.strip_prefix(key.as_str()).is_some_and(|rest| rest.starts_with('/'))) {
            failed.get_or_insert(what);
        } else if name != "lost+found" {
            batches.complain(Complaint::new(&params.name, name, &what, occasion.now));
        }
    }
    let chosen = choose(params, layout.places);
    if chosen.is_empty() && failed.is_none() {
        failed = Some(format!("no folder of `{}` is one of `folders` in its [[mailbox]]", params.name));
    }
    let mut door = Door { params, occasion, reader, batches, later: 0 };
    let mut folders = Vec::new();
    let mut visits: Vec<Visit> = chosen.into_iter().map(|c| Visit::new(c, &mut known)).collect();
    door.later = visits.iter().map(|visit| visit.expected).sum();
    for visit in &mut visits {
        door.later = door.later.saturating_sub(visit.expected);
        match door.read_folder(visit) {
            Ok(read) => folders.push(Folder { name: visit.place.name.clone(), read, role: visit.role }),
            Err(Trouble::Stopped) => return Err(Stopped),
            Err(Trouble::Io(error)) => {
                // a file system that went away takes every folder with it
                if let Err(error) = std::fs::read_dir(&params.path) {
                    return door.batches.failed(Level::Wait, not_there(params, &error));
                }
                failed.get_or_insert_with(|| no_folder(params, &visit.place.name, &error));
            }
        }
        visit.known = Known::load(Vec::new());
    }
    if let Some(what) = failed {
        return door.batches.failed(Level::Wait, what);
    }
    door.forget(known)?;
    let until = door.fresh_until();
    let sent_found = folders.iter().any(|f| f.role == Role::Sent);
    door.batches.through(until, folders, sent_found)
}

fn not_there(params: &Params, error: &io::Error) -> String {
    let (name, path) = (&params.name, params.path.display());
    match error.kind() {
        io::ErrorKind::NotFound => {
            format!("the Maildir of `{name}` at {path} is not there: check [[mailbox]] path, or whether it is mounted")
        }
        _ => format!("the Maildir of `{name}` at {path} cannot be read: {}", reason(error)),
    }
}

fn no_folder(params: &Params, folder: &str, error: &io::Error) -> String {
    format!("the folder `{folder}` of `{}` cannot be read: {}", params.name, reason(error))
}

fn by_place(cursors: Vec<Cursor>) -> BTreeMap<String, Vec<Cursor>> {
    let mut known: BTreeMap<String, Vec<Cursor>> = BTreeMap::new();
    for cursor in cursors {
        known.entry(cursor.place.clone()).or_default().push(cursor);
    }
    known
}

/// The folders to read, each with what it is for.
fn choose(params: &Params, places: Vec<Place>) -> Vec<(Place, Role)> {
    let picked =
        |patterns: &[String], place: &Place| patterns.iter().any(|p| picks(p, &place.name) || picks(p, &place.key));
    let mut chosen = Vec::new();
    for place in places {
        let purpose = Purpose::of(&place.name);
        let role = match purpose {
            _ if picked(&params.sent, &place) => Role::Sent,
            Purpose::Sent if !params.sent.is_empty() => Role::Other,
            purpose => purpose.role(),
        };
        let named_as_sent = role == Role::Sent && !params.sent.is_empty();
        let wanted = if params.folders.is_empty() { purpose.is_read() } else { picked(&params.folders, &place) };
        if wanted || named_as_sent {
            chosen.push((place, role));
        }
    }
    chosen
}

/// One folder of this reading.
struct Visit {
    place: Place,
    role: Role,
    known: Known,
    /// Messages of a folder that was never read, for progress; in others there are few new ones.
    expected: u64,
}

impl Visit {
    fn new((place, role): (Place, Role), cursors: &mut BTreeMap<String, Vec<Cursor>>) -> Visit {
        let known = Known::load(cursors.remove(&place.key).unwrap_or_default());
        let expected = if known.state.is_some() { 0 } else { listing::count(&place.path) };
        Visit { place, role, known, expected }
    }
}

/// Why a folder was left.
enum Trouble {
    Stopped,
    Io(io::Error),
}

impl From<Stopped> for Trouble {
    fn from(_: Stopped) -> Trouble {
        Trouble::Stopped
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble::Io(error)
    }
}

/// How much of what a folder's cursor knows still counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    /// All of it.
    Nothing,
    /// Mail inside the text window is read again: more is read of it now.
    Window,
    /// Nothing of it: what was read counts for another role or a shorter history.
    Everything,
}

/// What came of one file.
enum Outcome {
    Read(Box<Message>),
    /// Too old to count.
    Old,
    /// No message, and never will be.
    Bad(Complaint),
    /// Could not be read; may be another time.
    Later(Complaint),
    /// Not under this name any more.
    Gone,
}

struct Door<'a, 's> {
    params: &'a Params,
    occasion: &'a Occasion<'a>,
    reader: &'a Reader<'a>,
    batches: Batches<'a, 's>,
    /// Messages of folders that come later, as far as known.
    later: u64,
}

impl Door<'_, '_> {
    /// Reads what is new in a folder and says how many messages were read from it so far.
    fn read_folder(&mut self, visit: &mut Visit) -> Result<u64, Trouble> {
        let mut dirs = mtimes(&visit.place.path)?;
        let again = self.again(visit);
        if let Some(state) = visit.known.state.filter(|_| again == Again::Nothing)
            && (state.cur, state.new) == dirs
            && state.cur.is_some()
            && state.new.is_some()
        {
            return Ok(state.read);
        }
        let known = if again == Again::Everything { Vec::new() } else { visit.known.hashes() };
        let mut done: Vec<u64> = Vec::new();
        let mut later: Vec<u64> = Vec::new();
        loop {
            let text_since = self.occasion.text_since;
            let is_read = |hash: u64, sent_at: Option<Timestamp>| {
                let again = again == Again::Window && sent_at.is_none_or(|at| at >= text_since);
                let known = !again && known.binary_search(&hash).is_ok();
                known || done.binary_search(&hash).is_ok() || later.binary_search(&hash).is_ok()
            };
            let listing = Listing::of(&visit.place.path, self.occasion.now, &is_read)?;
            let Listing { kept, unread, more, .. } = &listing;
            let (read, failed) = self.read_entries(visit, &listing, unread, *more)?;
            done.extend(read);
            done.sort_unstable();
            later.extend(failed);
            later.sort_unstable();
            let kept = kept.iter().filter(|hash| later.binary_search(hash).is_err());
            let mut hashes: Vec<u64> = kept.chain(&done).copied().collect();
            hashes.sort_unstable();
            hashes.dedup();
            let last = *more == 0;
            if last || again != Again::Window {
                let state = self.state(visit.role, if last && later.is_empty() { dirs } else { (None, None) });
                for cursor in visit.known.update(&visit.place.key, state, &hashes) {
                    self.batches.cursor(cursor)?;
                }
            }
            if last {
                return Ok(u64::try_from(hashes.len()).unwrap_or(u64::MAX));
            }
            dirs = mtimes(&visit.place.path)?;
        }
    }

    fn again(&self, visit: &Visit) -> Again {
        let now = self.state(visit.role, (None, None));
        match visit.known.state {
            None => Again::Everything,
            Some(then) if then.role != now.role || then.history < now.history => Again::Everything,
            Some(then) if then.reader != now.reader => Again::Window,
            Some(then) if now.bodies && (!then.bodies || then.window + DAY < now.window) => Again::Window,
            Some(_) => Again::Nothing,
        }
    }

    fn state(&self, role: Role, (cur, new): (Option<Mtime>, Option<Mtime>)) -> State {
        let settled = |mtime: Option<Mtime>| mtime.filter(|(second, _)| is_settled(*second, self.occasion.now));
        State {
            reader: crate::read::READER,
            bodies: self.params.bodies,
            window: self.occasion.now.since(self.occasion.text_since),
            history: self.params.history.approx_seconds(),
            role,
            cur: settled(cur),
            new: settled(new),
            bits: 0,
            read: 0,
        }
    }

    /// Reads the files of a listing and hands on what they hold. Gives the hashes of those that were
    /// read, and of those that have to be tried again another time.
    fn read_entries(
        &mut self,
        visit: &Visit,
        listing: &Listing,
        entries: &[Entry],
        more: u64,
    ) -> Result<(Vec<u64>, Vec<u64>), Trouble> {
        let mut read = Vec::with_capacity(entries.len());
        let mut later = Vec::new();
        let mut gone = Vec::new();
        let mut left = self.later + more + u64::try_from(entries.len()).unwrap_or(0);
        for lot in entries.chunks(limits::LOT) {
            for (entry, outcome) in lot.iter().zip(self.read_lot(visit, listing, lot)) {
                left = left.saturating_sub(1);
                match outcome {
                    Outcome::Gone => gone.push(entry.hash),
                    outcome => {
                        let done = if self.take(outcome, left)? { &mut read } else { &mut later };
                        done.push(entry.hash);
                    }
                }
            }
        }
        if !gone.is_empty() {
            self.find_again(visit, gone, &mut read, &mut later)?;
        }
        Ok((read, later))
    }

    /// Looks once more for files that were renamed (a flag changed) between listing and opening.
    /// What is not there under any name was deleted.
    fn find_again(
        &mut self,
        visit: &Visit,
        mut gone: Vec<u64>,
        read: &mut Vec<u64>,
        later: &mut Vec<u64>,
    ) -> Result<(), Trouble> {
        gone.sort_unstable();
        let is_other = |hash: u64, _: Option<Timestamp>| gone.binary_search(&hash).is_err();
        let listing = Listing::of(&visit.place.path, self.occasion.now, &is_other)?;
        for lot in listing.unread.chunks(limits::LOT) {
            for (entry, outcome) in lot.iter().zip(self.read_lot(visit, &listing, lot)) {
                let outcome = match outcome {
                    Outcome::Gone => {
                        let path = listing.path(&visit.place.path, entry);
                        Outcome::Later(self.complaint(&path, "cannot be read: it is listed, but not there"))
                    }
                    outcome => outcome,
                };
                if self.take(outcome, self.later)? { read.push(entry.hash) } else { later.push(entry.hash) }
            }
        }
        Ok(())
    }

    /// Hands on what a file held. `false` where it has to be tried again another time.
    fn take(&mut self, outcome: Outcome, left: u64) -> Result<bool, Stopped> {
        self.batches.looked_at(Some(left))?;
        match outcome {
            Outcome::Read(message) => {
                let Message { mail, meetings, complaints, .. } = *message;
                self.batches.observe(Observation::Mail(mail))?;
                for meeting in meetings {
                    self.batches.observe(Observation::Meeting(meeting))?;
                }
                complaints.into_iter().for_each(|c| self.batches.complain(c));
            }
            Outcome::Bad(complaint) => self.batches.complain(complaint),
            Outcome::Later(complaint) => {
                self.batches.complain(complaint);
                return Ok(false);
            }
            Outcome::Old | Outcome::Gone => {}
        }
        Ok(true)
    }

    /// Reads files; the outcomes come in the order of the entries.
    fn read_lot(&self, visit: &Visit, listing: &Listing, lot: &[Entry]) -> Vec<Outcome> {
        let folder = FolderReader {
            params: self.params,
            occasion: self.occasion,
            reader: self.reader,
            since: self.params.history.before(self.occasion.now, self.occasion.zone),
            role: visit.role,
        };
        in_parallel(lot, &|entry| folder.read_file(&listing.path(&visit.place.path, entry), entry))
    }

    /// Folders that are gone: their cursors go, too.
    fn forget(&mut self, known: BTreeMap<String, Vec<Cursor>>) -> Result<(), Stopped> {
        for cursor in known.into_values().flatten().filter(|c| !c.value.is_empty()) {
            self.batches.cursor(Cursor { value: Vec::new(), ..cursor })?;
        }
        Ok(())
    }

    /// Until when this copy of the mailbox is complete: now, or when its fetcher last ran.
    fn fresh_until(&mut self) -> Timestamp {
        let now = self.occasion.now;
        if self.params.sync_state.is_empty() {
            return now;
        }
        let files = self.params.sync_state.iter().flat_map(|pattern| listing::glob(pattern));
        let newest = files.filter_map(|p| std::fs::metadata(p).ok()).map(|meta| meta.mtime()).max();
        match newest {
            Some(second) => Timestamp::from_second(second).min(now),
            None => {
                let what = "sync_state names no file that exists, so nobody knows how fresh this copy is";
                self.batches.complain(Complaint::new(&self.params.name, &self.params.sync_state.join(" "), what, now));
                Timestamp::MIN
            }
        }
    }

    fn complaint(&self, path: &Path, what: &str) -> Complaint {
        Complaint::new(&self.params.name, &path.display().to_string(), what, self.occasion.now)
    }
}

/// Last changes of `cur` and `new`; a folder without `new` has none.
fn mtimes(folder: &Path) -> io::Result<(Option<Mtime>, Option<Mtime>)> {
    let of = |meta: std::fs::Metadata| (meta.mtime(), meta.mtime_nsec());
    let cur = of(std::fs::metadata(folder.join("cur"))?);
    let new = match std::fs::metadata(folder.join("new")) {
        Ok(meta) => of(meta),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (0, 0),
        Err(error) => return Err(error),
    };
    Ok((Some(cur), Some(new)))
}

/// What reading one file needs; shared by the threads.
struct FolderReader<'a> {
    params: &'a Params,
    occasion: &'a Occasion<'a>,
    reader: &'a Reader<'a>,
    since: Timestamp,
    role: Role,
}

impl FolderReader<'_> {
    fn read_file(&self, path: &Path, entry: &Entry) -> Outcome {
        // no Date is believed that lies further ahead of the arrival
        if entry.at.is_some_and(|at| at.plus(limits::DATE_AHEAD) < self.since) {
            return Outcome::Old;
        }
        match self.read_message(path, entry) {
            Ok(Ok(message)) if message.mail.at < self.since => Outcome::Old,
            // of a whole lot the texts are much, and nobody wants them here
            Ok(Ok(message)) => Outcome::Read(Box::new(Message { new_text: String::new(), ..message })),
            Ok(Err(complaint)) => Outcome::Bad(complaint),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Outcome::Gone,
            Err(error) => {
                let what = format!("cannot be read: {}", reason(&error));
                Outcome::Later(Complaint::new(&self.params.name, &path.display().to_string(), &what, self.occasion.now))
            }
        }
    }

    /// Reads the head of a file, and more of it only where its text counts.
    fn read_message(&self, path: &Path, entry: &Entry) -> io::Result<Result<Message, Complaint>> {
        let meta = std::fs::metadata(path)?;
        if !meta.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        let mut file = std::fs::File::open(path)?;
        let place = path.display().to_string();
        let text_since = if self.params.bodies { self.occasion.text_since } else { Timestamp::MAX };
        let context = MailContext {
            source: &self.params.name,
            place: &place,
            role: self.role,
            arrived_at: entry.at.unwrap_or(Timestamp::from_second(meta.mtime())),
            now: self.occasion.now,
            text_since,
            zone: self.occasion.zone,
        };
        let mut bytes = Vec::new();
        read_up_to(&mut file, &mut bytes, limits::HEADER_BYTES)?;
        let message = self.guarded(&bytes, &context);
        let cut = bytes.len() == limits::HEADER_BYTES;
        if !cut || message.as_ref().is_ok_and(|m| m.mail.at < text_since) {
            return Ok(message);
        }
        read_up_to(&mut file, &mut bytes, limits::MESSAGE_BYTES - limits::HEADER_BYTES)?;
        Ok(self.guarded(&bytes, &context))
    }

    fn guarded(&self, bytes: &[u8], context: &MailContext<'_>) -> Result<Message, Complaint> {
        guarded(|| (self.reader)(bytes, context))
            .unwrap_or_else(|| Err(Complaint::new(context.source, context.place, READER_FAILED, context.now)))
    }
}

fn read_up_to(file: &mut std::fs::File, bytes: &mut Vec<u8>, more: usize) -> io::Result<()> {
    file.take(u64::try_from(more).unwrap_or(u64::MAX)).read_to_end(bytes).map(|_| ())
}

#[cfg(test)]
mod tests;
