//! New text measured on third-party mail, which is not part of the project: `KITHD_CORPORA` names
//! the folder, else `../shared/corpora`. Without it these tests say that they were skipped.
#![allow(clippy::print_stdout)]

mod measure;

/// Prints and returns the share and the number met exactly; `KITHD_SHOW` prints what was missed.
fn met(file: &str, split: Option<&str>) -> Option<(f64, usize)> {
    let Some(score) = measure::quotes(&measure::folder(), file, split) else {
        println!("skipped: no {file} in {}", measure::folder().display());
        return None;
    };
    score.show();
    println!("new text, {file} {split:?}: {} of {}", score.right, score.right + score.missed.len());
    Some((score.recall(), score.right))
}

#[test]
fn enron_train() {
    assert!(met("quotes_enron.jsonl", Some("train")).is_none_or(|(share, _)| share >= 0.97));
}

#[test]
fn enron_eval() {
    assert!(met("quotes_enron.jsonl", Some("eval")).is_none_or(|(share, _)| share >= 0.97));
}

#[test]
fn multilingual() {
    assert!(met("quotes_multilingual.jsonl", None).is_none_or(|(_, count)| count >= 58));
}
