//! `kithd demo` as the user meets it: the real binary, its output in a pipe, and every command its last lines name.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::path::Path;
use std::process::{Command, Output};

const KITHD: &str = env!("CARGO_BIN_EXE_kithd");

fn kithd(arguments: &[&str], config: Option<&Path>) -> Output {
    let mut command = Command::new(KITHD);
    command.args(arguments).env_remove("COLUMNS").env_remove("KITHD_CONFIG").env_remove("NO_COLOR");
    command.envs(config.map(|c| ("KITHD_CONFIG", c)));
    command.output().unwrap()
}

#[test]
fn the_demo_says_what_it_does_and_its_last_lines_are_true() {
    let dir = tempfile::tempdir().unwrap();
    let world = dir.path().join("world");
    let output = kithd(&["demo", world.to_str().unwrap()], None);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains('\u{1b}') && !text.contains('…'), "a pipe gets no colour, and everything:\n{text}");
    for heading in ["What was read", "The people", "One of them", "Reminders", "The first one", "Now try"] {
        assert!(text.lines().any(|l| l.starts_with(heading)), "no {heading:?} in\n{text}");
    }
    let (_, advice) = text.split_once("Now try\n").unwrap();
    let mut tried = 0;
    for line in advice.lines().filter(|l| l.starts_with("  ") && !l.starts_with("   ")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let config = world.join("config.toml");
        match words.as_slice() {
            ["kithd", arguments @ ..] => {
                let output = kithd(arguments, Some(&config));
                assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
                assert!(!output.stdout.is_empty(), "{line} says nothing");
                tried += 1;
            }
            ["ls", pages, folder] => {
                assert!(std::fs::read_dir(folder).unwrap().count() > 0, "{line}");
                let pages = Path::new(pages).parent().unwrap();
                let is_page = |p: &Path| p.extension().is_some_and(|e| e == "html");
                assert!(std::fs::read_dir(pages).unwrap().any(|e| is_page(&e.unwrap().path())), "{line}");
            }
            [first, assignment] => {
                let value = assignment.split_once('=').unwrap().1;
                assert!(["alias", "export"].contains(first) && Path::new(value).exists(), "{line}");
            }
            _ => panic!("the demo says {line:?}"),
        }
    }
    assert!(tried >= 5, "{advice}");
    for next in ["init", "check", "run"] {
        assert!(advice.lines().last().unwrap().contains(&format!("kithd {next}")), "{advice}");
        assert!(kithd(&[next, "--help"], None).status.success(), "kithd {next}");
    }
    let contacts = kithd(&["contacts", "--sort", "overdue", "--json"], Some(&world.join("config.toml")));
    let rows: serde_json::Value = serde_json::from_slice(&contacts.stdout).unwrap();
    let first: Vec<&str> = rows.as_array().unwrap().iter().take(2).map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!(first, ["Sam Okafor", "Dana Ito"], "those the demo lets drift");
}
