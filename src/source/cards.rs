//! Address books that are files: one `.vcf`, or a folder of them. Part of `source`.
//!
//! Invariant: as for calendars, only a whole reading that is no suspiciously small part of the last
//! one says what is gone; and one card at most is held in memory, however large the file.

use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::files::{self, Held, Trouble};
use super::{Batches, Occasion, READER_FAILED, Send, Stopped, guarded};
use crate::evidence::{Card, Complaint, Cursor, Observation, Role};
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
    let place = files::Place {
        kind: "address book",
        table: "address_book",
        endings: &["vcf", "vcard"],
        role: Role::Cards,
        path: &params.path,
        salt: crate::read::READER.to_string(),
        day: 0,
        until: Timestamp::MAX,
    };
    let batches = Batches::new(&params.name, send);
    files::read(&place, cursors, occasion, batches, &mut |path, shown, batches| {
        let mut outcome = Ok(());
        let mut held = Held { items: 0, whole: true };
        let read = each_card(path, &mut |bytes| {
            let (cards, complaints) =
                guarded(|| reader(bytes, &params.name, shown, occasion.now)).unwrap_or_else(|| {
                    held.whole = false;
                    (Vec::new(), vec![Complaint::new(&params.name, shown, READER_FAILED, occasion.now)])
                });
            held.items += 1;
            complaints.into_iter().for_each(|c| batches.complain(c));
            for card in cards {
                if outcome.is_ok() {
                    outcome = batches.observe(Observation::Card(card));
                }
            }
            outcome
        });
        outcome?;
        batches.batch.read += held.items;
        Ok(read.map(|()| held))
    })
}

/// Hands over the cards of a file one by one; of one longer than [`limits::CARD_BYTES`] the
/// beginning and the end. Stops where `sink` says so.
fn each_card(path: &Path, sink: &mut dyn FnMut(&[u8]) -> Result<(), Stopped>) -> Result<(), Trouble> {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use std::fs;

    use super::*;
    use crate::evidence::EvidenceId;
    use crate::source::Report;
    use crate::time::Zone;

    const NOW: i64 = 1_780_000_000;

    fn fake(bytes: &[u8], source: &str, _: &str, _: Timestamp) -> (Vec<Card>, Vec<Complaint>) {
        assert!(bytes.len() <= limits::CARD_BYTES + 100);
        let text = String::from_utf8_lossy(bytes);
        assert!(text.starts_with("BEGIN:VCARD") && text.trim_end().ends_with("END:VCARD"), "{text}");
        let names: Vec<String> = text.lines().filter_map(|l| l.strip_prefix("FN:")).map(String::from).collect();
        let card = Card {
            id: EvidenceId::of("card", &[names.join(" ").as_bytes()]),
            source: source.to_string(),
            names,
            addresses: Vec::new(),
            birthday: None,
            anniversary: None,
            categories: Vec::new(),
            gone: false,
        };
        (vec![card], Vec::new())
    }

    /// Names read, whether it was a full reading, and why it failed.
    fn read_once(path: &Path, cursors: &mut Vec<Cursor>) -> (Vec<String>, bool, Option<String>) {
        let params = Params { name: "people".into(), path: path.to_path_buf() };
        let zone = Zone::utc();
        let now = Timestamp::from_second(NOW);
        let mut reports = Vec::new();
        let mut send = |report: Report| {
            reports.push(report);
            Ok(())
        };
        let occasion = Occasion { now, zone: &zone, text_since: now };
        read_with(&params, &cursors.clone(), &occasion, &mut send, &fake).unwrap();
        let mut names = Vec::new();
        let mut full = false;
        let mut failure = None;
        for report in reports {
            match report {
                Report::Batch(batch) => {
                    full |= batch.full.is_some();
                    if !batch.cursors.is_empty() {
                        cursors.clone_from(&batch.cursors);
                    }
                    for o in batch.observations {
                        let Observation::Card(card) = o else { panic!() };
                        names.extend(card.names);
                    }
                }
                Report::Failed { what, .. } => failure = Some(what),
                Report::Through { .. } => {}
            }
        }
        (names, full, failure)
    }

    fn write(path: &Path, text: &str, age: i64) {
        fs::write(path, text).unwrap();
        let time = std::time::Duration::from_secs(u64::try_from(NOW - age).unwrap());
        fs::File::open(path).unwrap().set_modified(std::time::UNIX_EPOCH + time).unwrap();
    }

    fn card(name: &str) -> String {
        format!("BEGIN:VCARD\r\nFN:{name}\r\nEND:VCARD\r\n")
    }

    #[test]
    fn cards_are_read_when_the_file_changed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("people.vcf");
        let mut cursors = Vec::new();
        let (_, _, failure) = read_once(&path, &mut cursors);
        assert!(failure.unwrap().contains("[[address_book]] path"));
        write(&path, &(card("Ada") + &card("Bob")), 100);
        let names = |n: &[&str]| n.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(read_once(&path, &mut cursors), (names(&["Ada", "Bob"]), true, None));
        assert_eq!(read_once(&path, &mut cursors), (names(&[]), false, None));
        write(&path, &card("Ada"), 50);
        assert_eq!(read_once(&path, &mut cursors), (names(&["Ada"]), true, None));
        write(&path, "<html>", 40);
        let (_, full, failure) = read_once(&path, &mut cursors);
        assert!(!full && failure.unwrap().contains("web page"));
    }

    #[test]
    fn a_card_is_bounded_and_cards_may_hold_cards() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("people.vcf");
        let photo = format!("PHOTO:{}\r\n", "A".repeat(3 * limits::CARD_BYTES));
        let lines = " B\r\n".repeat(limits::CARD_BYTES / 2);
        let text = format!(
            "{}BEGIN:VCARD\r\nFN:Big\r\n{photo}END:VCARD\r\nBEGIN:VCARD\r\nFN:Long\r\n{lines}END:VCARD\r\n\
             BEGIN:VCARD\r\nFN:Boss\r\nAGENT:\r\nBEGIN:VCARD\r\nFN:Agent\r\nEND:VCARD\r\nEND:VCARD\r\n",
            card("Ada")
        );
        write(&path, &text, 100);
        let (names, full, _) = read_once(&path, &mut Vec::new());
        assert_eq!((names.join(" ").as_str(), full), ("Ada Big Long Boss Agent", true));
    }
}
