//! Days told in text: each `scenarios/*.scn` through the real doors, the real store and `daemon::once`.
//!
//! CONTRIBUTING.md ("How to add a scenario") says what a line may be. Every scenario runs four times:
//! straight, stopped after each statement, with the files of a poll in another order, and with each
//! round run twice; deliveries and the final reminders must be the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(clippy::print_stdout, clippy::print_stderr, missing_docs)]

#[path = "scenarios/calendar.rs"]
mod calendar;
#[path = "scenarios/expect.rs"]
mod expect;
#[path = "scenarios/play.rs"]
mod play;
#[path = "scenarios/text.rs"]
mod text;
#[path = "scenarios/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use play::{Manner, play};

const MANNERS: [(&str, Manner); 4] = [
    ("straight", Manner { stopped: false, shuffled: false, twice: false }),
    ("stopped after every statement", Manner { stopped: true, shuffled: false, twice: false }),
    ("shuffled", Manner { stopped: false, shuffled: true, twice: false }),
    ("stopped, each round twice", Manner { stopped: true, shuffled: false, twice: true }),
];

/// One file in all manners; what failed, or nothing. A scenario whose comment has a line
/// `# known failing: why` must fail; one that does not fail any more is told.
fn check(file: &Path) -> Result<(), String> {
    let told = std::fs::read_to_string(file).map_err(|e| e.to_string())?;
    let known = told.lines().find_map(|l| l.strip_prefix("# known failing:")).map(str::trim);
    let result = all_manners(&told);
    match (known, result) {
        (None, result) => result,
        (Some(_), Err(_)) => Ok(()),
        (Some(why), Ok(())) => Err(format!("does not fail any more: take the line `# known failing: {why}` out")),
    }
}

fn all_manners(told: &str) -> Result<(), String> {
    let mut straight = None;
    for (name, manner) in MANNERS {
        let end = play(told, manner).map_err(|e| format!("[{name}] {e}"))?;
        match &straight {
            None => straight = Some(end),
            Some(first) if *first == end => {}
            Some(first) => {
                return Err(format!("[{name}] another end than straight:\n--- straight\n{first}\n--- {name}\n{end}"));
            }
        }
    }
    Ok(())
}

#[test]
fn scenarios() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let only = std::env::var("SCENARIO").unwrap_or_default();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "scn") && f.to_string_lossy().contains(&only));
    files.sort();
    assert!(!files.is_empty(), "no scenario is named {only}");
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = std::panic::catch_unwind(|| check(file)).unwrap_or_else(|_| Err("panic".to_string()));
                    if let Err(why) = outcome {
                        failures.lock().unwrap().insert(file.file_name().unwrap().to_owned(), why);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    for (file, why) in &failures {
        eprintln!("\n{}: {why}", file.to_string_lossy());
    }
    println!("{} scenarios, {} failed", files.len(), failures.len());
    assert!(failures.is_empty(), "{} of {} scenarios failed", failures.len(), files.len());
}

/// Each point and each veto of the rules stands in a scenario, in its own words.
#[test]
fn every_reason_is_held_by_a_scenario() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let texts = |folder: &str, ending: &str| -> String {
        let files = std::fs::read_dir(root.join(folder)).unwrap().map(|e| e.unwrap().path());
        let fitting = files.filter(|f| f.extension().is_some_and(|e| e == ending));
        fitting.map(|f| std::fs::read_to_string(f).unwrap()).collect()
    };
    let (rules, told) = (texts("src/policy", "rs"), texts("tests/scenarios", "scn"));
    let mut missing = Vec::new();
    for call in ["veto_if(", "point_if(", "summary_at_most("] {
        for rest in rules.split(call).skip(1) {
            // the reason is the last string of the call
            let call = rest.split(");").next().unwrap();
            if let Some(why) = call.rsplit('"').nth(1).filter(|w| w.contains(' '))
                && !told.contains(why)
            {
                missing.push(why.to_string());
            }
        }
    }
    assert!(missing.is_empty(), "no scenario names {missing:#?}");
}
