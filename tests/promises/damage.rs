//! A store that is damaged, a disk that is full: nothing is lost in silence, nothing is shown twice, and
//! kithd gets up again by itself. `KITHD_FLIPS=500` flips so many bits; the short form is 40.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::tale::{STEPS, Tale};

pub fn number(name: &str, short: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(short)
}

/// Numbers that look random and are the same each time (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end.max(1)
    }
}

fn seed() -> u64 {
    number("SEED", 7)
}

/// The story up to its middle: two reminders were shown, one was answered, two addresses are one.
fn middle() -> (Tale, Vec<String>) {
    let tale = Tale::new();
    let mut last = Vec::new();
    for step in &STEPS[..5] {
        (step.before)(&tale);
        let command = (step.command)(&tale);
        assert!(tale.run(&command).status.success(), "{}", step.name);
        if command[0] == "run" {
            last = command;
        }
    }
    (tale, last)
}

pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// After damage: it starts within two attempts, says so or lost nothing, and what the user said and
/// what was shown are as they were.
fn stands_up_again(
    tale: &Tale,
    round: &[String],
    expected: &(serde_json::Value, BTreeMap<String, usize>),
    what: &str,
) -> bool {
    let first = tale.run(round);
    let second = tale.run(round);
    assert!(second.status.success(), "{what}: it does not get up: {} {}", said(&first), said(&second));
    assert!(!said(&second).contains("panicked"), "{what}: {}", said(&second));
    let end = tale.end();
    assert_eq!(end.1, expected.1, "{what}: reminders\n{}", said(&first));
    let told = said(&first);
    let told = told.contains("damaged")
        || told.contains("could not be read")
        || told.contains("missing")
        || told.contains("set aside");
    if end.0 != expected.0 {
        let check = tale.run(&["check".to_string(), "--offline".to_string()]);
        panic!(
            "{what}: {}\n{}\n{}{}",
            if told { "it was told, and is not mended" } else { "in silence" },
            crate::tale::difference(&end.0, &expected.0),
            said(&first),
            said(&check)
        );
    }
    told
}

#[test]
fn flipped_bits_are_seen_and_mended() {
    let (tale, round) = middle();
    let expected = tale.end();
    tale.keep("whole");
    let (mut dice, flips) = (Dice(seed()), number("KITHD_FLIPS", 40));
    let mut told = 0;
    for n in 0..flips {
        tale.put_back("whole");
        // half of them where the store cannot know by the mark of a clean closing
        let clean = tale.path("state/clean");
        if n % 2 == 0 {
            let _ = fs::remove_file(&clean);
        }
        let file = [tale.path("state/db/db"), tale.path("state/journal"), tale.path("state/db/conf")]
            [[0, 0, 0, 0, 1, 0, 1, 2][(n % 8) as usize]]
            .clone();
        let mut bytes = fs::read(&file).unwrap();
        // most of sled's file is empty space
        let used = bytes.iter().rposition(|b| *b != 0).unwrap_or(0) as u64 + 1;
        let (at, bit) = (dice.below(used) as usize, dice.below(8));
        bytes[at] ^= 1 << bit;
        // as on a disk that rots: the time of the file is what it was
        let times = fs::metadata(&file).unwrap().modified().unwrap();
        fs::write(&file, &bytes).unwrap();
        fs::File::options().write(true).open(&file).unwrap().set_modified(times).unwrap();
        let what = format!("bit {bit} of byte {at} of {} (flip {n})", file.file_name().unwrap().display());
        told += usize::from(stands_up_again(&tale, &round, &expected, &what));
    }
    eprintln!("{flips} flipped bits, seed {}: {told} told, all mended or harmless", seed());
}

#[test]
fn truncated_files_are_seen_and_mended() {
    let (tale, round) = middle();
    let expected = tale.end();
    tale.keep("whole");
    let mut cases = 0;
    for file in ["state/db/db", "state/db/conf", "state/journal", "state/clean"] {
        for part in [0, 1, 3, 7, 9] {
            tale.put_back("whole");
            let path = tale.path(file);
            let length = fs::metadata(&path).unwrap().len();
            fs::File::options().write(true).open(&path).unwrap().set_len(length * part / 10).unwrap();
            stands_up_again(&tale, &round, &expected, &format!("{file} cut to {part}/10"));
            cases += 1;
        }
        tale.put_back("whole");
        fs::remove_file(tale.path(file)).unwrap();
        stands_up_again(&tale, &round, &expected, &format!("{file} removed"));
        cases += 1;
    }
    eprintln!("{cases} truncated or missing files: all mended");
}

/// Mounts something on a folder until it is dropped.
struct Mount(PathBuf);

impl Mount {
    fn new(arguments: &[&str], at: &Path) -> Option<Mount> {
        fs::create_dir_all(at).unwrap();
        let done = Command::new("mount").args(arguments).arg(at).stderr(Stdio::null()).status();
        done.is_ok_and(|s| s.success()).then(|| Mount(at.to_path_buf()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// A disk of 4 MiB, filled to the last byte before one command after another; then it has room again.
#[test]
fn a_small_disk_that_is_full_loses_nothing() {
    let (tale, _) = (Tale::new(), ());
    let state = tale.path("state");
    let Some(_mount) = Mount::new(&["-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs"], &state) else {
        eprintln!("skipped: a disk of its own needs root");
        return;
    };
    let filler = state.join("filler");
    let room = |left: u64| {
        let _ = fs::remove_file(&filler);
        let output = Command::new("stat").args(["-f", "-c", "%a %S"]).arg(&state).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (blocks, size) = text.trim().split_once(' ').unwrap();
        let free = blocks.parse::<u64>().unwrap() * size.parse::<u64>().unwrap();
        fs::write(&filler, vec![1; free.saturating_sub(left) as usize]).unwrap();
    };
    let (mut full, mut rounds) = (0, 0);
    for step in &STEPS[..5] {
        (step.before)(&tale);
        let command = (step.command)(&tale);
        // room for so many pages, one more each time: the disk is full at another write each time
        let mut pages = 0;
        loop {
            room(pages * 4096);
            let output = tale.run(&command);
            rounds += 1;
            assert!(!said(&output).contains("panicked at src"), "{}", said(&output));
            if output.status.success() && command[0] == "run" {
                break;
            }
            full += usize::from(said(&output).contains("full") || said(&output).contains("no room"));
            if output.status.success() || pages > 64 {
                break;
            }
            pages += if pages < 24 { 1 } else { 16 };
        }
        let _ = fs::remove_file(&filler);
        let again = tale.run(&command);
        assert!(again.status.success() || command[0] != "run", "{}: {}", step.name, said(&again));
    }
    let (other, _) = middle();
    let (found, expected) = (tale.end(), other.end());
    assert_eq!(found.1, expected.1, "reminders");
    assert!(found.0 == expected.0, "{}", crate::tale::difference(&found.0, &expected.0));
    eprintln!("4 MiB: {rounds} commands, {full} met a full disk, the end is the same");
    assert!(full >= 5, "{full} of {rounds}");
}
