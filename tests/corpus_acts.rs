//! Requests, promises and thanks against labelled sentences of real corporate mail. The sentences are
//! other people's: they lie outside the project, and without them the measurement is skipped.
#![allow(clippy::print_stdout)]

use kithd::evidence::ActKind::{self, Commitment, Question, Request, Thanks};

mod measure;

/// Prints the figures and holds them; `KITHD_SHOW` prints what went wrong.
fn reaches(file: &str, kinds: &[ActKind], split: Option<&str>, precision: f64, recall: f64) {
    let Some(score) = measure::acts(&measure::folder(), file, kinds, split) else {
        println!("skipped: {file} is not there");
        return;
    };
    score.show();
    println!("{file} {split:?}: {score}");
    assert!(score.precision() >= precision && score.recall() >= recall, "{score}, wanted {precision} and {recall}");
}

#[test]
fn requests() {
    reaches("requests_enron.jsonl", &[Question, Request], None, 0.85, 0.42);
}

#[test]
fn commitments() {
    reaches("commitments_enron.jsonl", &[Commitment], Some("train"), 0.88, 0.90);
    reaches("commitments_enron.jsonl", &[Commitment], None, 0.88, 0.90);
}

#[test]
fn gratitude() {
    reaches("gratitude_enron.jsonl", &[Thanks], Some("train"), 0.90, 0.85);
    reaches("gratitude_enron.jsonl", &[Thanks], None, 0.90, 0.85);
}
