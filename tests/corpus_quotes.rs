//! New text measured on third-party mail, which is not part of the project: `KITHD_CORPORA` names
//! the folder, else `../shared/corpora`. Without it these tests say that they were skipped.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing)]

use std::path::PathBuf;

use kithd::read::new_text::new_text;

/// One mail and what of it is new.
struct Case {
    id: String,
    text: String,
    new_text: String,
}

fn cases(file: &str, split: Option<&str>) -> Option<Vec<Case>> {
    let folder = std::env::var_os("KITHD_CORPORA").map_or_else(|| PathBuf::from("../shared/corpora"), PathBuf::from);
    let Ok(all) = std::fs::read_to_string(folder.join(file)) else {
        println!("skipped: no {file} in {}", folder.display());
        return None;
    };
    let field = |v: &serde_json::Value, key: &str| v[key].as_str().unwrap_or_default().to_string();
    let cases = all.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
    let cases = cases.filter(|v| split.is_none_or(|s| v["split"] == s));
    Some(
        cases
            .map(|v| Case { id: v["id"].to_string(), text: field(&v, "text"), new_text: field(&v, "new_text") })
            .collect(),
    )
}

/// White space folded.
fn fold(s: &str) -> String {
    s.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Prints and returns how many are met exactly; `KITHD_SHOW` prints what was missed.
fn measure(name: &str, cases: &[Case]) -> usize {
    let show = std::env::var_os("KITHD_SHOW").is_some();
    let mut met = 0;
    for case in cases {
        let found = new_text(&case.text);
        if fold(&found.text) == fold(&case.new_text) {
            met += 1;
        } else if show {
            println!("=== {name} {}\n--- found\n{}\n--- expected\n{}", case.id, found.text, case.new_text);
        }
    }
    println!("new text, {name}: {met} of {}", cases.len());
    met
}

#[test]
fn enron_train() {
    let Some(cases) = cases("quotes_enron.jsonl", Some("train")) else { return };
    assert!(measure("enron train", &cases) * 100 >= cases.len() * 97);
}

#[test]
fn enron_eval() {
    let Some(cases) = cases("quotes_enron.jsonl", Some("eval")) else { return };
    assert!(measure("enron eval", &cases) * 100 >= cases.len() * 97);
}

#[test]
fn multilingual() {
    let Some(cases) = cases("quotes_multilingual.jsonl", None) else { return };
    assert!(measure("multilingual", &cases) >= 58);
}
