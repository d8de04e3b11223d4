//! Address books that are files: one `.vcf`, or a folder of them. Part of `source`.
//!
//! Invariant: as for calendars, only a whole reading that is no suspiciously small part of the last
//! one says what is gone; and one card at most is held in memory, however large the file.

use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::files::{self, Files, State};
use super::{Batches, Occasion, Send, Stopped};
use crate::evidence::{Card, Complaint, Cursor, Folder, Level, Observation, Role};
use crate::limits;
use crate::read::cards::read_cards;
use crate::time::Timestamp;

/// An `[[address_book]]` of type `vcard`.
#[derive(Clone, PartialEq, Debug)]
pub struct Params {
    /// Name of the address book.
    pub name: String,
    /// A file, or a folder of `.vcf` files; `~` already resolved.
    pub path: PathBuf,
}

type Reader = dyn Fn(&[u8], &str, &str, Timestamp) -> (Vec<Card>, Vec<Complaint>);

/// Reads the address book if it changed. `Err` when nobody listens any more.
pub fn read(
    params: &Params,
    cursors: Vec<Cursor>,
    occasion: &Occasion<'_>,
    send: &mut Send<'_>,
) -> Result<(), Stopped> {
    read_with(params, &cursors, occasion, send, &read_cards)
}

fn read_with(
    params: &Params,
    cursors: &[Cursor],
    occasion: &Occasion<'_>,
    send: &mut Send<'_>,
    reader: &Reader,
) -> Result<(), Stopped> {
    let mut batches = Batches::new(&params.name, send);
    let salt = crate::read::READER.to_string();
    let look = || files::look(&params.path, &["vcf", "vcard"], &salt, occasion.now);
    let files = match look() {
        Ok(files) => files,
        Err(error) => {
            let what = format!(
                "the address book `{}` at {} cannot be read ({}): check [[address_book]] path, or whether it is mounted",
                params.name,
                params.path.display(),
                files::reason(&error)
            );
            return batches.failed(Level::Wait, what);
        }
    };
    let last = State::load(cursors).unwrap_or_default();
    if last.digest == Some(files.digest) && last.doubted_since.is_none() {
        let folders = vec![folder(params, last.items)];
        return batches.through(occasion.now, folders, false);
    }
    let mut reading = read_files(params, &files, occasion, &mut batches, reader)?;
    // files that change while they are read are read again before anything is said to be gone
    let steady = look().is_ok_and(|again| again.digest == files.digest);
    reading.whole &= steady;
    reading.retry |= !steady;
    let next = State { digest: files.settled.then_some(files.digest), ..State::default() };
    let folders = vec![folder(params, reading.items)];
    reading.end("address book", &last, next, (occasion.now, Timestamp::MAX), &mut batches, folders)
}

fn folder(params: &Params, read: u64) -> Folder {
    let name = params.path.file_name().map_or(params.name.clone(), |n| n.to_string_lossy().into_owned());
    Folder { name, read, role: Role::Cards }
}

fn read_files(
    params: &Params,
    files: &Files,
    occasion: &Occasion<'_>,
    batches: &mut Batches<'_, '_>,
    reader: &Reader,
) -> Result<files::Reading, Stopped> {
    let mut reading = files::Reading::new(&params.name, files, occasion.now, batches);
    for path in &files.paths {
        let place = path.display().to_string();
        let mut outcome = Ok(());
        let mut items = 0;
        let read = each_card(path, &mut |bytes| {
            let (cards, complaints) = reader(bytes, &params.name, &place, occasion.now);
            items += 1;
            complaints.into_iter().for_each(|c| batches.complain(c));
            for card in cards {
                if outcome.is_ok() {
                    outcome = batches.observe(Observation::Card(card));
                }
            }
            outcome
        });
        outcome?;
        reading.items += items;
        batches.batch.read += items;
        match read {
            Ok(()) => reading.good += 1,
            Err(trouble) => reading.could_not(&params.name, &place, trouble, occasion.now, batches),
        }
    }
    Ok(reading)
}

/// Hands over the cards of a file one by one; of one longer than [`limits::CARD_BYTES`] the
/// beginning and the end. Stops where `sink` says so.
fn each_card(path: &Path, sink: &mut dyn FnMut(&[u8]) -> Result<(), Stopped>) -> Result<(), (String, bool)> {
    let sorry = |error: io::Error| (files::reason(&error), true);
    let mut file = BufReader::new(files::open_whole(path, "VCARD")?);
    let mut card: Vec<u8> = Vec::new();
    let mut line: Vec<u8> = Vec::new();
    let mut depth = 0_usize;
    loop {
        line.clear();
        if read_line(&mut file, &mut line).map_err(sorry)? == 0 {
            return Ok(());
        }
        let says = |word: &[u8]| line.trim_ascii().eq_ignore_ascii_case(word);
        let (begins, ends) = (says(b"BEGIN:VCARD"), says(b"END:VCARD"));
        depth += usize::from(begins);
        if depth > 0 && (ends || card.len() + line.len() <= limits::CARD_BYTES) {
            card.extend_from_slice(&line);
        }
        if ends {
            depth = depth.saturating_sub(1);
            // vCard 2.1 has cards inside of cards (AGENT)
            if depth == 0 {
                if sink(&card).is_err() {
                    return Ok(());
                }
                card.clear();
            }
        }
    }
}

/// One line with its end, of one longer than a card the beginning; 0 at the end of the file.
fn read_line(file: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    let mut length = 0;
    loop {
        let bytes = file.fill_buf()?;
        let (part, complete) = match bytes.iter().position(|b| *b == b'\n') {
            Some(end) => (bytes.get(..=end).unwrap_or(bytes), true),
            None => (bytes, bytes.is_empty()),
        };
        let taken = part.len();
        if line.len() + taken <= limits::CARD_BYTES {
            line.extend_from_slice(part);
        }
        file.consume(taken);
        length += taken;
        if complete {
            return Ok(length);
        }
    }
}
