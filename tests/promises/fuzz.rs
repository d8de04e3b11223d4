//! Arbitrary bytes into everything that reads bytes of strangers, on stable: files of the corpus and
//! what `fuzz/targets.rs` begins with, changed at random. `KITHD_FUZZ=100000` runs each target so often,
//! `SEED` begins elsewhere, `KITHD_FUZZ_TARGET=imap` runs one. What failed once lies in `tests/corpus/found`
//! and is run first.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[path = "../../fuzz/targets.rs"]
pub mod targets;

use crate::damage::{Dice, number};

/// Words that parsers stop at.
const WORDS: &[&str] = &[
    "\r\n",
    "\n",
    "\0",
    "\"",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    ":",
    ";",
    ",",
    "=",
    "%",
    "\\",
    "--",
    "\r\n\r\n",
    "\u{202e}",
    "é",
    "\u{feff}",
    "BEGIN:VEVENT\r\n",
    "END:VEVENT\r\n",
    "BEGIN:VCALENDAR\r\n",
    "RRULE:FREQ=SECONDLY\r\n",
    "DTSTART:",
    "Content-Type: multipart/mixed; boundary=x\r\n",
    "--x\r\n",
    "=?utf-8?b?",
    "?=",
    "Subject: ",
    "From: ",
    "{99999999999}\r\n",
    "* 1 FETCH (",
    "% OK\r\n",
    "BODY[]<0> {3}\r\n",
    "4294967296",
    "-1",
    "NIL",
    "<table>",
    "</div>",
    "&#x10ffff;",
    "[[mailbox]]\n",
    "250 ",
    "250-",
    "\u{ff}",
];

fn changed(dice: &mut Dice, seeds: &[Vec<u8>]) -> Vec<u8> {
    let pick = |dice: &mut Dice| seeds[dice.below(seeds.len() as u64) as usize].clone();
    let mut bytes = pick(dice);
    for _ in 0..=dice.below(6) {
        let at = dice.below(bytes.len() as u64 + 1) as usize;
        let end = (at + dice.below(64) as usize).min(bytes.len());
        match dice.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 if at < bytes.len() => bytes[at] = dice.below(256) as u8,
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let word = WORDS[dice.below(WORDS.len() as u64) as usize];
                let word = word.repeat(if dice.below(10) == 0 { 300 } else { 1 });
                bytes.splice(at..at, word.into_bytes());
            }
            5 => {
                let part = bytes[at..end].repeat(1 + dice.below(40) as usize);
                bytes.splice(at..at, part);
            }
            6 => {
                let other = pick(dice);
                let from = dice.below(other.len() as u64 + 1) as usize;
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => {
                let word = WORDS[dice.below(WORDS.len() as u64) as usize];
                bytes.splice(at..end, word.bytes());
            }
        }
        bytes.truncate(1 << 18);
    }
    bytes
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path());
    let mut found: Vec<PathBuf> = entries.filter(|p| p.extension().is_some_and(|e| e == ending)).collect();
    found.sort();
    found
}

#[test]
fn no_bytes_end_the_process() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let wanted = std::env::var("KITHD_FUZZ_TARGET").ok();
    let mut failed = Vec::new();
    for (name, target) in targets::TARGETS.iter().filter(|(n, _)| wanted.as_deref().is_none_or(|w| w == *n)) {
        let mut seeds = targets::seeds(name);
        if let Some((folder, ending)) = targets::corpus(name) {
            seeds.extend(files(&root.join(folder), ending).iter().map(|f| std::fs::read(f).unwrap()));
        }
        assert!(!seeds.is_empty(), "{name} has nothing to begin with");
        let found = files(&root.join("tests/corpus/found"), name).into_iter().map(|f| std::fs::read(f).unwrap());
        let mut dice = Dice(number("SEED", 7) ^ name.len() as u64);
        let runs = number("KITHD_FUZZ", if ["backup", "journal", "imap", "smtp"].contains(name) { 40 } else { 400 });
        let (begun, mut slowest) = (Instant::now(), Duration::ZERO);
        // an abort leaves what caused it
        let last = std::env::temp_dir().join(format!("kithd-fuzz-{}-{name}", std::process::id()));
        let first: Vec<Vec<u8>> = found.chain(seeds.iter().cloned()).collect();
        let count = first.len() as u64 + runs;
        let random = std::iter::repeat_with(|| changed(&mut dice, &seeds)).take(runs as usize);
        for bytes in first.iter().cloned().chain(random) {
            std::fs::write(&last, &bytes).unwrap();
            let begun = Instant::now();
            let done = catch_unwind(AssertUnwindSafe(|| target(&bytes)));
            slowest = slowest.max(begun.elapsed());
            if done.is_err() {
                let kept = std::env::temp_dir().join(format!("kithd-found-{}.{name}", failed.len()));
                std::fs::write(&kept, &bytes).unwrap();
                failed.push(format!("{name}: {}", kept.display()));
            }
            if failed.len() > 20 {
                break;
            }
        }
        let _ = std::fs::remove_file(&last);
        eprintln!("{name}: {count} runs in {:.1?}, slowest {slowest:.1?}", begun.elapsed());
    }
    assert!(failed.is_empty(), "put these into tests/corpus/found: {failed:#?}");
}
