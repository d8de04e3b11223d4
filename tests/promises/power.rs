//! The power fails: what was synced is there, what was not is gone, or there by halves. Whatever was
//! told before still stands, and the story comes to the same end, each reminder in the inbox once.
//!
//! The whole folder of the story, store and mailbox, lies on a disk that forgets: `power.c`, preloaded,
//! keeps the bytes of each file as of its last fsync and the names as of the last fsync of anything,
//! as ext4 does, and ends the process at the n-th sync. `KITHD_CUTS=all` cuts at each sync of each
//! step, the short form at four of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::damage::{Dice, number};
use crate::tale::{STEPS, Tale};

/// What the cache held at the cut.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cache {
    /// Nothing of it had reached the disk.
    Lost,
    /// Some pages had, in any order, and all names.
    Halves,
}

const PAGE: usize = 4096;

struct Disk {
    shim: PathBuf,
    platter: PathBuf,
    /// What lay there when the power came on: bytes by inode, and names.
    known: BTreeMap<u64, Vec<u8>>,
    names: Vec<(u64, PathBuf)>,
}

fn walk(at: &Path, names: &mut Vec<(u64, PathBuf)>) {
    names.push((0, at.to_path_buf()));
    for entry in fs::read_dir(at).unwrap().flatten() {
        let meta = entry.path().symlink_metadata().unwrap();
        match meta.is_dir() {
            true => walk(&entry.path(), names),
            false if meta.is_file() => names.push((meta.ino(), entry.path())),
            false => {}
        }
    }
}

impl Disk {
    /// None where there is no C compiler.
    fn new(dir: &Path) -> Option<Disk> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/promises/power.c");
        let shim = dir.join("power.so");
        let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&shim).arg(&source).status();
        built.is_ok_and(|s| s.success()).then(|| Disk {
            shim,
            platter: dir.join("platter"),
            known: BTreeMap::new(),
            names: Vec::new(),
        })
    }

    /// All that lies there now is durable.
    fn power_on(&mut self, tale: &Tale) {
        let _ = fs::remove_dir_all(&self.platter);
        fs::create_dir(&self.platter).unwrap();
        self.names.clear();
        walk(&tale.path(""), &mut self.names);
        let files = self.names.iter().filter(|(inode, _)| *inode != 0);
        self.known = files.map(|(inode, path)| (*inode, fs::read(path).unwrap())).collect();
    }

    /// A command on this disk; at this sync, counted from 1, the power fails.
    fn run(&self, tale: &Tale, command: &[String], cut: Option<usize>) -> std::process::Output {
        let mut command = tale.command(command);
        command.env("LD_PRELOAD", &self.shim).env("DISK", tale.path("")).env("PLATTER", &self.platter);
        if let Some(cut) = cut {
            command.env("CUT", cut.to_string());
        }
        command.output().unwrap()
    }

    fn syncs(&self) -> usize {
        fs::read(self.platter.join("syncs")).map_or(0, |s| s.len())
    }

    /// The power comes back: the folder holds what the disk holds.
    fn power_cut(&self, tale: &Tale, cache: Cache, dice: &mut Dice) {
        let mut live = Vec::new();
        walk(&tale.path(""), &mut live);
        let bytes: BTreeMap<u64, Vec<u8>> =
            live.iter().filter(|(i, _)| *i != 0).map(|(i, p)| (*i, fs::read(p).unwrap())).collect();
        let durable = |inode: u64| {
            let synced = fs::read(self.platter.join(inode.to_string())).ok();
            synced.or_else(|| self.known.get(&inode).cloned()).unwrap_or_default()
        };
        let names = match (cache, fs::read_to_string(self.platter.join("names"))) {
            (Cache::Halves, _) => live.clone(),
            (Cache::Lost, Err(_)) => self.names.clone(),
            (Cache::Lost, Ok(text)) => {
                let line = |l: &str| {
                    let (inode, path) = l.split_once(' ').unwrap();
                    (inode.parse().unwrap(), tale.path(path.trim_start_matches('/')))
                };
                text.lines().map(line).collect()
            }
        };
        let files: Vec<(u64, PathBuf, Vec<u8>)> = names
            .into_iter()
            .map(|(inode, path)| {
                let mut content = durable(inode);
                if let (Cache::Halves, Some(now)) = (cache, bytes.get(&inode)) {
                    content.resize(now.len(), 0);
                    for (old, new) in content.chunks_mut(PAGE).zip(now.chunks(PAGE)) {
                        if dice.below(2) == 0 {
                            old.copy_from_slice(new);
                        }
                    }
                }
                (inode, path, content)
            })
            .collect();
        fs::remove_dir_all(tale.path("")).unwrap();
        for (inode, path, content) in files {
            match inode {
                0 => fs::create_dir_all(&path).unwrap(),
                _ => fs::write(&path, content).unwrap(),
            }
            let mode = std::os::unix::fs::PermissionsExt::from_mode(if inode == 0 { 0o700 } else { 0o600 });
            fs::set_permissions(&path, mode).unwrap();
        }
    }
}

/// What was synced is a sound store by itself; of writes by halves it may have to be made anew.
fn whole(output: &std::process::Output, cache: Cache, what: &str) {
    let said = crate::damage::said(output);
    let broken: &[&str] = match cache {
        Cache::Lost => &["damaged", "set aside", "missing", "panicked"],
        Cache::Halves => &["panicked"],
    };
    for word in broken {
        assert!(!said.contains(word), "{what}: {said}");
    }
}

#[test]
fn a_power_cut_loses_nothing_that_was_told() {
    let (tale, mut round) = (Tale::new(), Vec::new());
    let Some(mut disk) = Disk::new(tale.dir.path()) else {
        panic!("cc is needed: Debian's package build-essential");
    };
    let mut dice = Dice(number("SEED", 7));
    let all = std::env::var("KITHD_CUTS").is_ok_and(|v| v == "all");
    let (mut cuts, mut told, mut syncs) = (0, 0, 0);
    for step in STEPS {
        (step.before)(&tale);
        let command = (step.command)(&tale);
        tale.keep("before");
        disk.power_on(&tale);
        let output = disk.run(&tale, &command, None);
        assert!(output.status.success(), "{}: {output:?}", step.name);
        let count = disk.syncs();
        assert!(count > 0, "{}: nothing was synced", step.name);
        syncs += count;
        let is_round = command[0] == "run";
        if is_round {
            round.clone_from(&command);
        } else {
            assert!(tale.run(&round).status.success(), "{}", step.name);
        }
        let expected = tale.end();
        tale.keep("after");
        // the last is after the command has told that it is done
        let places: BTreeSet<usize> = match all {
            true => (1..=count + 1).collect(),
            false => (0..3).map(|_| 1 + dice.below(count as u64) as usize).chain([count + 1]).collect(),
        };
        for cut in places {
            for cache in [Cache::Lost, Cache::Halves] {
                let what = format!("{}, power cut at sync {cut} of {count}, cache {cache:?}", step.name);
                tale.put_back("before");
                disk.power_on(&tale);
                // after its last sync the process may do what it wants: only the disk counts
                let output = disk.run(&tale, &command, Some(cut));
                let done = output.status.success();
                assert!(done || output.status.signal() == Some(9), "{what}: {output:?}");
                disk.power_cut(&tale, cache, &mut dice);
                cuts += 1;
                // what was told to be done is not done again
                if is_round || !done {
                    let again = tale.run(&command);
                    assert!(again.status.success() || !is_round, "{what}: {again:?}");
                    whole(&again, cache, &what);
                }
                told += usize::from(done);
                if !is_round {
                    let next = tale.run(&round);
                    assert!(next.status.success(), "{what}: {next:?}");
                    whole(&next, cache, &what);
                }
                let end = tale.end();
                assert_eq!(end.1, expected.1, "{what}: reminders");
                assert!(end.0 == expected.0, "{what}:\n{}", crate::tale::difference(&end.0, &expected.0));
            }
        }
        tale.put_back("after");
    }
    assert!(told >= STEPS.len(), "{told} commands came to their end");
    eprintln!("{cuts} power cuts at {syncs} syncs of {} steps: same end each time", STEPS.len());
}
