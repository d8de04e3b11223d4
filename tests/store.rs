//! Stores of other versions: one that the first release wrote is kept here and opens as it was; what a newer one
//! wrote is refused. Small: three people's mail and a calendar, and everything a user can say.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Made by `kithd 0.1.0` (schema 1) on 22 November 2026 from the sample world, after: done, snooze, dismiss, set,
/// merge, forget, mute. Never written anew: what it holds has to be understood for ever.
const FIRST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/store/schema-1.tar.gz");

fn unpacked() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let tar = Command::new("tar").args(["xzf", FIRST, "-C"]).arg(dir.path()).status().unwrap();
    assert!(tar.success());
    std::fs::create_dir_all(dir.path().join("mail/cur")).unwrap();
    std::fs::write(dir.path().join("calendar.ics"), "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n")
        .unwrap();
    let config = format!(
        "[me]\nname = \"Alex Doe\"\naddresses = [\"alex@example.org\", \"alex.doe@work.example\"]\n\
         timezone = \"Europe/Berlin\"\n[store]\npath = \"{0}/state\"\n[[mailbox]]\nname = \"mail\"\n\
         type = \"maildir\"\npath = \"{0}/mail\"\n[[calendar]]\nname = \"calendar\"\n\
         type = \"ics\"\npath = \"{0}/calendar.ics\"\n[delivery]\nto = \"alex@example.org\"\ntype = \"maildir\"\n\
         path = \"{0}/delivered\"\n",
        dir.path().display()
    );
    std::fs::write(dir.path().join("config.toml"), config).unwrap();
    dir
}

fn kithd(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kithd"));
    command.arg("--config").arg(dir.join("config.toml")).args(arguments).output().unwrap()
}

fn says(dir: &Path, arguments: &[&str]) -> String {
    let out = kithd(dir, arguments);
    assert!(out.status.success(), "{arguments:?}: {out:?}");
    assert!(out.stderr.is_empty(), "{arguments:?}: {out:?}");
    String::from_utf8(out.stdout).unwrap()
}

fn json(dir: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&says(dir, arguments)).unwrap()
}

/// Everything the user said and got, by ids that must never change.
fn everything_is_there(dir: &Path) {
    assert!(says(dir, &["check", "--offline"]).contains("store: sound, 268 facts"));
    let reminders = json(dir, &["reminders", "--all", "--json"]);
    let row = |id: &str| {
        let rows = reminders.as_array().unwrap();
        rows.iter().find(|r| r["id"] == id).unwrap_or_else(|| panic!("{id} is gone: {reminders}")).clone()
    };
    for (id, state, closed_by, message_id) in [
        ("2465fe60363216bc", "done", Some("user"), None),
        ("d0788100e9883dcf", "dismissed", Some("user"), None),
        ("4a406183981ab206", "sent", None, Some("cf46166f9d4dd1a40788c5eec222cc7e@kithd.local")),
        ("ce8ce25d6d0e4c8f", "sent", None, Some("64b68b8a97883316a40bfbce04cae8f1@kithd.local")),
        ("a95666cda89725dd", "due", None, None),
    ] {
        let found = row(id);
        assert_eq!(found["state"], state, "{found}");
        assert_eq!(found["closed_by"].as_str(), closed_by, "{found}");
        assert_eq!(found["message_id"].as_str(), message_id, "{found}");
    }
    assert_eq!(row("4a406183981ab206")["sent_at"], "2026-11-22T13:50:47Z");

    let who = |who: &str| json(dir, &["contact", who, "--json"]);
    let nora = who("2459f641");
    assert_eq!((&nora["name"], &nora["relationship"]), (&"Nora L.".into(), &"peer".into()));
    assert_eq!((&nora["every_days"], &nora["every_from"]), (&42.into(), &"user".into()));
    assert_eq!(who("435feee2")["muted"], true);
    let both = who("rafael.nunes@solstice.example");
    assert_eq!(both["id"], "98e82b66");
    assert_eq!(both["addresses"].as_array().unwrap().len(), 2, "they were merged: {both}");
    let dana = who("c3cb6c45");
    let ids: Vec<&str> =
        dana["interactions"].as_array().unwrap().iter().filter_map(|i| i["evidence"].as_str()).collect();
    assert_eq!(ids.len(), 28, "{ids:?}");
    assert_eq!(kithd(dir, &["contact", "carlos@vegaestudio.example"]).status.code(), Some(1), "he was forgotten");
    let sources = json(dir, &["status", "--json"]);
    assert_eq!(sources["sources"][0]["state"], "ok", "{sources}");
    assert_eq!(sources["sources"][0]["covered_until"], "2026-11-22T13:50:47Z");
}

/// Everybody, by id: their name, addresses and counts.
fn people(dir: &Path) -> BTreeMap<String, String> {
    let rows = json(dir, &["contacts", "--json"]);
    let text = |r: &Value| format!("{} {} {} {}", r["name"], r["addresses"], r["counts"], r["first_contact_at"]);
    rows.as_array().unwrap().iter().map(|r| (r["id"].to_string(), text(r))).collect()
}

#[test]
fn a_store_of_the_first_version_opens_as_it_was() {
    let dir = unpacked();
    everything_is_there(dir.path());
    // and once more, as the present version has written it
    everything_is_there(dir.path());
    // without its derived trees, as a backup comes back
    let people = people(dir.path());
    assert!(people.len() > 8, "{people:?}");
    says(dir.path(), &["backup", dir.path().join("copy").to_str().unwrap()]);
    std::fs::remove_dir_all(dir.path().join("state")).unwrap();
    says(dir.path(), &["restore", dir.path().join("copy").to_str().unwrap()]);
    everything_is_there(dir.path());
    assert_eq!(self::people(dir.path()), people);
    // without the database: the journal alone knows what cannot be read again
    std::fs::remove_dir_all(dir.path().join("state/db")).unwrap();
    let told = kithd(dir.path(), &["reminders", "--all", "--json"]);
    assert!(told.status.success(), "{told:?}");
    let rows: Value = serde_json::from_slice(&told.stdout).unwrap();
    let sent = rows.as_array().unwrap().iter().find(|r| r["id"] == "ce8ce25d6d0e4c8f").unwrap();
    assert_eq!(sent["message_id"], "64b68b8a97883316a40bfbce04cae8f1@kithd.local");
}

#[test]
fn a_backup_of_a_newer_version_is_refused_in_words() {
    let dir = unpacked();
    let copy = dir.path().join("copy");
    says(dir.path(), &["backup", copy.to_str().unwrap()]);
    let mut bytes = std::fs::read(&copy).unwrap();
    let at = b"kithd backup\n".len();
    assert_eq!(bytes[at..at + 4], [0, 0, 0, 1], "the schema stands after the first line");
    bytes[at + 3] = 2;
    std::fs::write(&copy, bytes).unwrap();
    let refused = kithd(dir.path(), &["restore", copy.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1));
    assert!(said.contains("newer kithd"), "{said}");
    everything_is_there(dir.path());
}
