//! New text of invented mail, by language and client: `corpus/quotes/*.txt`. A case is `#case`
//! with its name, the mail, `#new` with what is new in it, and `#closing` with its closing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

use kithd::read::new_text::{NewText, new_text};

/// White space folded.
fn fold(s: &str) -> String {
    s.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn clients_and_languages() {
    let mut files: Vec<_> = std::fs::read_dir("tests/corpus/quotes").unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let (mut count, mut missed) = (0, Vec::new());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for case in text.split("#case ").skip(1) {
            let (name, rest) = case.split_once('\n').unwrap();
            let (mail, rest) = rest.split_once("\n#new\n").unwrap();
            let (new, closing) = rest.split_once("#closing\n").unwrap();
            let found = new_text(mail);
            count += 1;
            if fold(&found.text) != fold(new) || fold(&found.closing) != fold(closing) {
                let name = format!("{}: {name}", file.file_stem().unwrap().to_string_lossy());
                missed.push(format!("== {name}\n{mail}\n-- found\n{}\n-- closing\n{}", found.text, found.closing));
            }
        }
    }
    println!("{} of {count} invented cases", count - missed.len());
    assert!(count >= 120 && missed.is_empty(), "{}", missed.join("\n"));
}
