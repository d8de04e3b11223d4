//! Acts and marks of sentences that were written before the lexicons they measure: `corpus/acts_unseen`,
//! a file a language (those named `-2` came later), and `mixed.tsv` for words that mean something else next
//! door. A line is a kind, `+` or `-`, and a text (`\n` ends a line). Unlike `corpus/acts` they need not all be right: shares
//! are held. `KITHD_SHOW=1` prints what is not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

use std::collections::BTreeMap;

use kithd::evidence::{ActKind, Announcement};
use kithd::read::acts::{ActContext, text_facts};
use kithd::read::new_text::new_text;

/// Of what was found so many are right; of what is there so many are found. Each language, and each kind.
const PRECISION: f64 = 0.90;
const RECALL: f64 = 0.90;

#[derive(Default)]
struct Count {
    found: u32,
    missed: u32,
    wrong: u32,
    left: u32,
}

impl Count {
    fn add(&mut self, wanted: bool, found: bool) {
        match (wanted, found) {
            (true, true) => self.found += 1,
            (true, false) => self.missed += 1,
            (false, true) => self.wrong += 1,
            (false, false) => self.left += 1,
        }
    }

    fn precision(&self) -> f64 {
        f64::from(self.found) / f64::from((self.found + self.wrong).max(1))
    }

    fn recall(&self) -> f64 {
        f64::from(self.found) / f64::from((self.found + self.missed).max(1))
    }
}

fn says(kind: &str, text: &str) -> bool {
    let context =
        ActContext { subject: "", written_on: "2026-05-13".parse().unwrap(), attachment: false, recipients: 2 };
    let facts = text_facts(&new_text(text), &context);
    let marks = &facts.marks;
    match kind {
        "declines" => marks.declines,
        "delivers" => marks.delivers,
        "congratulates" => marks.congratulates,
        "link" => marks.link,
        "new_job" => marks.announces == Some(Announcement::NewJob),
        "promotion" => marks.announces == Some(Announcement::Promotion),
        "wedding" => marks.announces == Some(Announcement::Wedding),
        "baby" => marks.announces == Some(Announcement::Baby),
        "farewell" => marks.announces == Some(Announcement::Farewell),
        act => {
            let kind: ActKind = serde_json::from_value(serde_json::Value::String(act.to_string())).unwrap();
            facts.acts.iter().any(|a| a.kind == kind)
        }
    }
}

#[test]
fn shares_are_held_in_every_language_and_kind() {
    let mut files: Vec<_> = std::fs::read_dir("tests/corpus/acts_unseen").unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let (mut languages, mut kinds) = (BTreeMap::<String, Count>::new(), BTreeMap::<String, Count>::new());
    for file in files {
        let language = file.file_stem().unwrap().to_string_lossy().trim_end_matches("-2").to_string();
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            let part: Vec<&str> = line.split('\t').collect();
            let (wanted, found) = (part[1] == "+", says(part[0], &part[2].replace("\\n", "\n")));
            if wanted != found && std::env::var_os("KITHD_SHOW").is_some() {
                println!("{language}\t{line}");
            }
            languages.entry(language.clone()).or_default().add(wanted, found);
            kinds.entry(part[0].to_string()).or_default().add(wanted, found);
        }
    }
    let mut low = Vec::new();
    for (name, count) in languages.iter().chain(&kinds) {
        let all = count.found + count.missed + count.wrong + count.left;
        let told = format!("{name:14} P {:.2} R {:.2} of {all}", count.precision(), count.recall());
        println!("{told}");
        // a handful says nothing about a share
        if all >= 20 && (count.precision() < PRECISION || count.recall() < RECALL) {
            low.push(told);
        }
    }
    assert!(languages.len() >= 20 && low.is_empty(), "{low:#?}");
}
