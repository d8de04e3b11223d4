//! Holds the map of ARCHITECTURE.md: floors, owners of foreign crates, bans. No dependency, text only.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::string_slice, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Module of `src` (first path segment) to its floor, in tens: the ground floor has an order of its own.
const FLOORS: &[(&str, u32)] = &[
    ("time", 0),
    ("address", 2),
    ("limits", 1),
    ("fail", 3),
    ("evidence", 10),
    ("read", 20),
    ("identity", 20),
    ("ledger", 30),
    ("policy", 40),
    ("outbox", 50),
    ("store", 60),
    ("engine", 70),
    ("net", 72),
    ("imap", 75),
    ("discover", 80),
    ("source", 80),
    ("delivery", 80),
    ("control", 80),
    ("notify", 80),
    ("config", 90),
    ("daemon", 100),
    ("cli", 110),
    ("main", 120),
    ("lib", 120),
];

/// Foreign crate to the paths that may name it.
const OWNERS: &[(&str, &[&str])] = &[
    ("sled", &["store/"]),
    ("async_imap", &["imap/"]),
    ("rustls", &["net/"]),
    ("tokio_rustls", &["net/"]),
    ("rustls_platform_verifier", &["net/"]),
    ("reqwest", &["net/"]),
    ("domain", &["net/"]),
    ("libdav", &["source/dav/"]),
    ("quick_xml", &["source/dav/"]),
    ("roxmltree", &["discover/"]),
    ("lettre", &["delivery/"]),
    ("mail_parser", &["read/"]),
    ("icalendar", &["read/"]),
    ("rrule", &["read/"]),
    ("calcard", &["read/"]),
    ("chrono", &["read/"]),
    ("html5gum", &["read/"]),
    ("jiff", &["time.rs"]),
    ("psl", &["address.rs"]),
    ("minijinja", &["outbox/", "engine/mails.rs"]),
    ("clap", &["cli/"]),
    ("clap_complete", &["cli/"]),
    ("clap_mangen", &["cli/"]),
    ("indicatif", &["cli/"]),
    ("csv", &["cli/"]),
    ("sd_notify", &["notify.rs"]),
    ("tracing_journald", &["cli/log.rs"]),
    ("tokio", &["discover/", "net/", "imap/", "source/", "delivery/", "control/", "config/", "daemon/", "cli/"]),
];

/// Doors see the plain data, the reader and the engine's messages, not what is concluded from them.
const CLOSED_TO_DOORS: &[&str] = &["store", "ledger", "policy", "identity", "outbox"];

/// Words that say a room is missing or misnamed.
const BANNED_NAMES: &[&str] = &["manager", "helper", "handler", "util", "utils", "common", "misc"];

/// Files that may be longer than 600 lines, each with its why. Empty is best.
const LONG: &[&str] = &[];

struct Source {
    path: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    assert!(found.len() > 40, "src was not found");
    found
}

fn collect(root: &Path, dir: &Path, found: &mut Vec<Source>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            found.push(Source { path: name, text: fs::read_to_string(&path).unwrap() });
        }
    }
}

impl Source {
    fn module(&self) -> &str {
        self.path.split('/').next().unwrap().trim_end_matches(".rs")
    }

    fn is_test(&self) -> bool {
        self.path.contains("tests")
    }

    /// Code lines outside comments and outside `#[cfg(test)]` modules at the end of a file.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self.text.find("#[cfg(test)]\nmod ").map_or(self.text.len(), |at| at);
        let text = if self.is_test() { "" } else { &self.text[..end] };
        text.lines().enumerate().filter(|(_, l)| !l.trim_start().starts_with("//")).map(|(n, l)| (n + 1, l))
    }
}

fn floor(module: &str) -> Option<u32> {
    FLOORS.iter().find(|(m, _)| *m == module).map(|(_, f)| *f)
}

/// Modules named by `crate::NAME` (also inside `use crate::{a, b}`).
fn named_modules(line: &str) -> Vec<String> {
    let mut names = Vec::new();
    for part in line.split("crate::").skip(1) {
        if let Some(group) = part.strip_prefix('{') {
            names.extend(group.split([',', '}']).map(|s| s.trim().split("::").next().unwrap_or("").to_string()));
        } else {
            names.push(part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    names.retain(|n| !n.is_empty());
    names
}

#[test]
fn every_module_has_a_floor() {
    for source in sources() {
        assert!(
            floor(source.module()).is_some(),
            "src/{} stands on no floor: add it to FLOORS and ARCHITECTURE.md",
            source.path
        );
    }
}

#[test]
fn a_module_names_only_lower_floors() {
    let mut wrong = Vec::new();
    for source in sources() {
        let own = floor(source.module()).unwrap_or(0);
        for (n, line) in source.code() {
            for name in named_modules(line) {
                if name != source.module() && floor(&name).is_some_and(|f| f >= own) {
                    wrong.push(format!("src/{}:{n} (floor {own}) names {name}", source.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn doors_do_not_conclude() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| s.module() == "source" || s.module() == "delivery") {
        for (n, line) in source.code() {
            for name in named_modules(line).iter().filter(|name| CLOSED_TO_DOORS.contains(&name.as_str())) {
                wrong.push(format!("src/{}:{n} names {name}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn foreign_crates_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (n, line) in source.code() {
            for (name, owners) in OWNERS {
                let named = line.contains(&format!("{name}::")) || line.contains(&format!("use {name};"));
                let own = line.contains(&format!("::{name}::")) || line.contains(&format!("crate::{name}"));
                let allowed =
                    owners.iter().any(|o| source.path.starts_with(o)) || ["main.rs"].contains(&source.path.as_str());
                let word = line
                    .find(&format!("{name}::"))
                    .is_some_and(|at| line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'));
                if named && !own && !word && !allowed {
                    wrong.push(format!("src/{}:{n} names {name}", source.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_daemon_and_the_command_line_read_the_clock() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| !matches!(s.module(), "daemon" | "cli" | "time")) {
        for (n, line) in source.code() {
            let reads = [
                "SystemTime::now",
                "Instant::now",
                "time::now(",
                "Timestamp::now",
                "Zoned::now",
                "Utc::now",
                "Local::now",
            ];
            if reads.iter().any(|r| line.contains(r)) {
                wrong.push(format!("src/{}:{n}: {}", source.path, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "now is a parameter below the daemon:\n{}", wrong.join("\n"));
}

#[test]
fn no_room_is_misnamed() {
    for source in sources() {
        for part in source.path.trim_end_matches(".rs").split(['/', '_']) {
            assert!(!BANNED_NAMES.contains(&part), "src/{}: `{part}` says nothing", source.path);
        }
    }
}

#[test]
fn files_and_functions_stay_readable() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| !s.is_test() && !LONG.contains(&s.path.as_str())) {
        let lines = source.code().last().map_or(0, |(n, _)| n);
        if lines > 620 {
            wrong.push(format!("src/{}: {lines} lines", source.path));
        }
        for (name, length) in functions(source) {
            if length > 80 {
                wrong.push(format!("src/{}: fn {name} has {length} lines", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "a room is missing:\n{}", wrong.join("\n"));
}

/// Functions and their lengths, by the indentation rustfmt gives.
fn functions(source: &Source) -> Vec<(String, usize)> {
    let lines: Vec<(usize, &str)> = source.code().collect();
    let mut found = Vec::new();
    for (i, (start, line)) in lines.iter().enumerate() {
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        let is_fn = bare.starts_with("fn ")
            || (bare.starts_with("pub") || bare.starts_with("const fn") || bare.starts_with("async fn"))
                && bare.contains("fn ");
        if !is_fn || bare.ends_with(';') {
            continue;
        }
        let close = format!("{}}}", " ".repeat(indent));
        if let Some((end, _)) = lines[i..].iter().find(|(_, l)| *l == close) {
            let name = bare.split("fn ").nth(1).unwrap_or("").split(['(', '<']).next().unwrap_or("").to_string();
            found.push((name, end - start + 1));
        }
    }
    found
}

#[test]
fn every_module_says_what_it_is() {
    for source in sources().iter().filter(|s| !s.is_test()) {
        assert!(source.text.starts_with("//!"), "src/{} has no header", source.path);
    }
}

#[test]
fn no_code_is_left_for_later() {
    for source in sources() {
        for (n, line) in source.code() {
            for word in ["todo!", "unimplemented!", "FIXME", "XXX", "not built yet"] {
                assert!(!line.contains(word), "src/{}:{n}: {}", source.path, line.trim());
            }
        }
    }
}

#[test]
fn architecture_md_names_every_module() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let text = fs::read_to_string(path).expect("ARCHITECTURE.md");
    let modules: BTreeMap<&str, u32> = FLOORS.iter().copied().collect();
    for module in modules.keys().filter(|m| **m != "lib") {
        assert!(text.contains(&format!("`{module}`")), "ARCHITECTURE.md does not speak of `{module}`");
    }
}

/// The minimum Rust that is stated is the one that builds and tests this: no older one is claimed to do.
#[test]
fn the_stated_rust_is_the_one_that_is_used() {
    let read = |name: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("there");
    let value = |text: &str, key: &str| {
        let line = text.lines().find_map(|l| l.strip_prefix(key)?.trim().strip_prefix('=').map(str::to_string));
        line.expect("stated").trim().trim_matches('"').to_string()
    };
    let stated = value(&read("Cargo.toml"), "rust-version");
    let used = value(&read("rust-toolchain.toml"), "channel");
    assert!(
        used == stated || used.strip_prefix(&stated).is_some_and(|patch| patch.starts_with('.')),
        "{stated} {used}"
    );
}
