//! Invented lives, played through the real doors, store and rules, and set against what was owed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(clippy::print_stdout, clippy::print_stderr, missing_docs)]

#[path = "simulation/author.rs"]
mod author;
#[path = "simulation/cast.rs"]
mod cast;
#[path = "simulation/clients.rs"]
mod clients;
#[path = "simulation/dice.rs"]
mod dice;
#[path = "simulation/facts.rs"]
mod facts;
#[path = "simulation/gold.rs"]
mod gold;
#[path = "simulation/judge.rs"]
mod judge;
#[path = "simulation/life.rs"]
mod life;
#[path = "simulation/phrases/mod.rs"]
mod phrases;
#[path = "simulation/play.rs"]
mod play;
#[path = "simulation/stories/mod.rs"]
mod stories;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use judge::{Tally, judge, table};
use life::live;
use play::{Manner, play};

/// Plays lives on all cores.
fn many(seeds: &[u64], months: i64, manner: Manner) -> Tally {
    let (next, all) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let life = live(*seed, months);
                    let played = play(&life, manner);
                    all.lock().unwrap().push((*seed, judge(&life, &played)));
                }
            });
        }
    });
    let mut all = all.into_inner().unwrap();
    all.sort_by_key(|(seed, _)| *seed);
    all.into_iter().fold(Tally::default(), |mut sum, (_, tally)| {
        sum.add(tally);
        sum
    })
}

fn asked_for() -> (Vec<u64>, i64) {
    let seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok());
    let full = std::env::var_os("KITHD_LIVES").is_some_and(|v| v == "all");
    match (seed, full) {
        (Some(seed), _) => (vec![seed], std::env::var("MONTHS").ok().and_then(|m| m.parse().ok()).unwrap_or(12)),
        (None, true) => ((1..=20).collect(), 12),
        (None, false) => ((1..=4).collect(), 4),
    }
}

#[test]
fn lives() {
    let (seeds, months) = asked_for();
    let tally = many(&seeds, months, Manner { bodies: true, faults: None });
    println!("{} lives of {months} months, {} rounds\n{}", seeds.len(), tally.rounds, table(&tally));
    if std::env::var_os("KITHD_SHOW").is_some() {
        for note in tally.notes.iter().chain(&tally.false_facts) {
            println!("{note}");
        }
    }
}
