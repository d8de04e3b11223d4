//! Requests, promises and thanks against labelled sentences of real corporate mail. The sentences are
//! other people's: they lie outside the project, and without them the measurement is skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::path::PathBuf;

use kithd::evidence::ActKind;
use kithd::read::acts::sentence_acts;
use kithd::time::Date;

fn corpus(name: &str) -> Option<Vec<serde_json::Value>> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    let folder = std::env::var_os("KITHD_CORPORA").map_or(beside, PathBuf::from);
    let Ok(text) = std::fs::read_to_string(folder.join(name)) else {
        println!("skipped: {name} is not there");
        return None;
    };
    Some(text.lines().map(|l| serde_json::from_str(l).expect(name)).collect())
}

/// Measures the rows that `keep` keeps; `KITHD_SHOW=fp` or `fn` prints what went wrong.
fn measure(name: &str, kinds: &[ActKind], keep: impl Fn(&serde_json::Value) -> bool) -> Option<(f64, f64)> {
    let rows = corpus(name)?;
    let written_on: Date = "2001-05-16".parse().unwrap();
    let show = std::env::var("KITHD_SHOW").unwrap_or_default();
    let (mut hit, mut wrong, mut missed) = (0.0, 0.0, 0.0);
    for row in rows.iter().filter(|r| keep(r)) {
        let Some(label) = row["label"].as_i64() else { continue };
        let text = row["text"].as_str().unwrap();
        let acts = sentence_acts(text, written_on);
        let found = acts.iter().any(|a| kinds.contains(&a.kind));
        let (count, word) = match (found, label == 1) {
            (true, true) => (&mut hit, "tp"),
            (true, false) => (&mut wrong, "fp"),
            (false, true) => (&mut missed, "fn"),
            (false, false) => continue,
        };
        *count += 1.0;
        if show.contains(word) {
            println!("{word} {name}: {text}");
        }
    }
    let (precision, recall) = (hit / (hit + wrong), hit / (hit + missed));
    println!("{name}: P {precision:.3} R {recall:.3} ({hit} right, {wrong} wrong, {missed} missed)");
    Some((precision, recall))
}

fn reaches(figures: Option<(f64, f64)>, precision: f64, recall: f64) {
    if let Some((p, r)) = figures {
        assert!(p >= precision && r >= recall, "P {p:.3} R {r:.3}, wanted {precision} and {recall}");
    }
}

fn developed_on(row: &serde_json::Value) -> bool {
    row["split"] == "train"
}

#[test]
fn requests() {
    reaches(measure("requests_enron.jsonl", &[ActKind::Question, ActKind::Request], |_| true), 0.85, 0.42);
}

#[test]
fn commitments() {
    reaches(measure("commitments_enron.jsonl", &[ActKind::Commitment], developed_on), 0.88, 0.90);
    reaches(measure("commitments_enron.jsonl", &[ActKind::Commitment], |_| true), 0.88, 0.90);
}

#[test]
fn gratitude() {
    reaches(measure("gratitude_enron.jsonl", &[ActKind::Thanks], developed_on), 0.90, 0.85);
    reaches(measure("gratitude_enron.jsonl", &[ActKind::Thanks], |_| true), 0.90, 0.85);
}
