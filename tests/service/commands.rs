//! Every command does and says the same with the service and without.

use std::fs;
use std::path::Path;
use std::process::Command;

use regex::Regex;

use crate::world::World;

/// What a user may type, in this order; `ID0`.. are open reminders, the first due first.
const COMMANDS: &[&str] = &[
    "status",
    "status --json",
    "contacts",
    "contacts --all --sort strength",
    "contacts --all --json",
    "contact dana",
    "contact dana@uni.example --json",
    "contact nobody@nowhere.example",
    "contact a",
    "reminders",
    "reminders --all",
    "reminders --all --json",
    "plan",
    "plan --within 30d --json",
    "plan --at 2020-01-01T00:00:00Z",
    "explain ID0",
    "explain ID0 --json",
    "explain dana",
    "explain ffffffffffffffff",
    "check --offline",
    "check --json",
    "done ID0",
    "done ID0",
    "done ffffffffffffffff --json",
    "snooze ID1 2w",
    "snooze ID1 yesterday",
    "dismiss ID2 --json",
    "pause 2w",
    "set dana --relationship mentor --every 6w --name Dana",
    "set dana --relationship boss",
    "set dana",
    "merge dana tom",
    "contact dana --json",
    "split dana tom.berger@lumen.example",
    "split dana nobody@nowhere.example",
    "forget nora@lindqvist.example",
    "contact nora@lindqvist.example",
    "reminders --all --json",
    "export",
    "export --json",
    "export --format csv",
    "export --format vcard",
    "status --json",
];

fn said(world: &World) -> Vec<String> {
    let ids: Vec<String> = world.json(&["reminders", "--json"]).as_array().unwrap()[..3]
        .iter()
        .map(|r| r["id"].as_str().unwrap().to_string())
        .collect();
    // what depends on the moment of asking; of many words said within a second each counts one later
    let moment = Regex::new(
        r#"("(now|last_success_at|covered_until|next_wake_at|exported_at|expires_at|quiet_until)":)("[^"]*"|null)|as of \S+ \S+|read up to \S+ \S+|next look \S+ \S+|Sent read up to [^"\s]+(?: [0-9:]+)?|the store's time is \S+|runs out \S+ \S+|\d+ read|("read":)\d+"#,
    )
    .unwrap();
    let today = Command::new("date").args(["-u", "+%F"]).output().unwrap().stdout;
    let today = Regex::new(&format!("{}[T ][0-9:]+Z?", String::from_utf8(today).unwrap().trim())).unwrap();
    let mask = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        today.replace_all(&moment.replace_all(&text, "$1$4"), "TODAY").into_owned()
    };
    let mut said = Vec::new();
    for line in COMMANDS {
        let mut words: Vec<String> = line.split(' ').map(str::to_string).collect();
        for word in &mut words {
            if let Some(n) = word.strip_prefix("ID") {
                *word = ids[n.parse::<usize>().unwrap()].clone();
            }
        }
        let output = world.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let (out, err, code) = (mask(&output.stdout), mask(&output.stderr), output.status.code().unwrap());
        said.push(format!("$ {line}\n{out}{err}exit {code}\n"));
    }
    said
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

#[test]
fn with_the_service_and_without() {
    let world = World::new();
    // the service would tell of its own clock: the pinned one of the sample world ends here
    world.says(&["run", "--once"]);
    copy(&world.path("state"), &world.path("kept"));
    let alone = said(&world);
    fs::remove_dir_all(world.path("state")).unwrap();
    copy(&world.path("kept"), &world.path("state"));

    let mut service = world.start();
    crate::world::wait("everything was read", || service.log().matches("reading ended").count() >= 3);
    let served = said(&world);
    for (alone, served) in alone.iter().zip(&served) {
        let at = alone.chars().zip(served.chars()).take_while(|(a, b)| a == b).count().saturating_sub(100);
        let from = |text: &str| text.chars().skip(at).take(300).collect::<String>();
        assert!(
            alone == served,
            "{}\nalone  ..{}\nserved ..{}",
            alone.lines().next().unwrap(),
            from(alone),
            from(served)
        );
    }
    // the commands above must have been worth asking
    let all = alone.concat();
    for word in
        ["exit 0", "exit 1", "exit 2", "could be any of these", "is done already", "snoozed until", "forgotten:"]
    {
        assert!(all.contains(word), "{word}");
    }
    assert!(served.iter().map(String::len).sum::<usize>() > 100_000);
    service.stop();
}

#[test]
fn a_round_is_the_service_s_when_it_runs() {
    let world = World::new();
    let mut service = world.start();
    crate::world::wait("everything was read", || service.log().matches("reading ended").count() >= 3);
    world.mail("round-1", "Could you send me the plan by Friday?");
    let round = world.json(&["run", "--once", "--json"]);
    assert!(round["read"].as_u64().unwrap() >= 1, "{round}");
    assert_eq!(round["failed"].as_array().unwrap().len(), 0);
    assert!(world.says(&["contact", "dana"]).contains("round-1"));
    // files written a moment ago may change within the same tick of their clock: they are read once more
    crate::world::wait("nothing is new", || world.says(&["run", "--once"]).starts_with("0 read, 0 sent, "));
    let refused = world.run(&["run", "--once", "--at", "2030-01-01T00:00:00Z"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("stop the service"));

    // a source that cannot be read fails the round, and only it
    fs::rename(world.path("calendar.ics"), world.path("away.ics")).unwrap();
    let failed = world.run(&["run", "--once"]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&failed.stderr).starts_with("calendar: "), "{failed:?}");
    world.mail("round-2", "Hello!");
    world.run(&["run", "--once"]);
    assert!(world.says(&["contact", "dana"]).contains("round-2"));
    fs::rename(world.path("away.ics"), world.path("calendar.ics")).unwrap();
    world.says(&["run", "--once"]);
    service.stop();
}

#[test]
fn what_is_due_is_delivered_once() {
    let world = World::new();
    world.open_all_day(20);
    let delivered = || fs::read_dir(world.path("delivered/new")).unwrap().count();
    let before = delivered();
    let due = world.json(&["plan", "--within", "1d", "--json"]).as_array().unwrap().len();
    let mut service = world.start();
    crate::world::wait("something was delivered", || delivered() > before);
    world.says(&["run", "--once"]);
    let sent = delivered();
    assert!(sent - before >= 3, "{sent} {before} {due}");
    for _ in 0..3 {
        service.signal("KILL");
        service.end();
        service = world.start();
        world.says(&["run", "--once"]);
    }
    assert_eq!(delivered(), sent, "nothing is sent twice");
    let open = world.json(&["reminders", "--json"]);
    assert!(open.as_array().unwrap().iter().all(|r| r["state"] != "sending"), "{open}");
    service.stop();
}

#[test]
fn a_backup_is_made_while_it_runs() {
    let world = World::new();
    let mut service = world.start();
    let output = world.command(&["backup", "copy.kithd"]).current_dir(world.path("")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "backed up to copy.kithd\n");
    assert_eq!(fs::read_dir(world.path("state")).unwrap().filter(|e| is_backup(e.as_ref().unwrap())).count(), 0);
    service.stop();
    // the same as without the service
    world.says(&["backup", world.path("alone.kithd").to_str().unwrap()]);
    let size = |name: &str| fs::metadata(world.path(name)).unwrap().len();
    assert!(size("copy.kithd") > 10_000);
    assert!(size("copy.kithd").abs_diff(size("alone.kithd")) < 1_000, "{} {}", size("copy.kithd"), size("alone.kithd"));
    world.says(&["restore", world.path("copy.kithd").to_str().unwrap()]);
    assert!(world.says(&["contact", "dana"]).contains("Dana Ito"));
}

/// Backups are whole whatever is written meanwhile, and the service goes on with one that is put back.
#[test]
fn a_backup_is_made_and_put_back_while_the_service_writes() {
    let world = World::new();
    for n in 0..6_000 {
        let mail = format!(
            "From: P{m} <p{m}@many.example>\nTo: alex@example.org\nSubject: s{n}\nMessage-ID: <{n}@many.example>\nDate: Mon, 2 Nov 2026 10:00:00 +0100\n\nCould you look at {n}?\n",
            m = n % 200
        );
        fs::write(world.path("mail/new").join(format!("1.{n}.test")), mail).unwrap();
    }
    let mut service = world.start();
    let file = |n: usize| world.path(&format!("copy{n}.kithd")).to_str().unwrap().to_string();
    let facts = Regex::new(r"store: sound, (\d+) facts").unwrap();
    let known = || -> u64 {
        let checked = world.says(&["check", "--offline"]);
        facts.captures(&checked).unwrap_or_else(|| panic!("{checked}"))[1].parse().unwrap()
    };
    let mut counts = Vec::new();
    // no machine is done with the reading before the first backup is
    let slow = service.slowed();
    for n in 0..3 {
        world.says(&["backup", &file(n)]);
        counts.push(known());
    }
    drop(slow);
    crate::world::wait("all is read", || known() >= 6_000);
    crate::world::wait("nothing more comes", || service.log().matches("reading ended").count() >= 3);
    let all = known();
    assert!(counts[0] < all, "nothing was written meanwhile: {counts:?}");
    let relationship = || world.json(&["contact", "dana", "--json"])["relationship"].clone();
    world.says(&["backup", &file(3)]);
    let before = relationship();
    let people = || world.json(&["contacts", "--json"]).as_array().unwrap().len();
    let known_people = people();
    world.says(&["set", "dana", "--relationship", "sponsor"]);

    // what is no backup changes nothing
    fs::write(world.path("none.kithd"), "kithd backup\n").unwrap();
    let refused = world.run(&["restore", world.path("none.kithd").to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert_eq!(relationship(), "sponsor");
    assert!(world.run(&["restore", "/nowhere/at/all"]).status.code() == Some(1));

    // each of them is whole; what it lacks is read again, and nothing is sent a second time
    let mails = || fs::read_dir(world.path("delivered/new")).unwrap().count();
    let delivered = mails();
    for n in 0..=3 {
        let said = world.says(&["restore", &file(n)]);
        assert!(said.contains("the store that was there lies in "), "{said}");
        crate::world::wait_secs(60, "all is read again", &mut || known() == all);
    }
    assert_eq!(relationship(), before, "as it was when the last one was made");
    assert_eq!(mails(), delivered);
    crate::world::wait("everybody is known again", || people() == known_people);
    service.stop();
    assert!(world.says(&["check", "--offline"]).contains("store: sound"));
    assert_eq!(relationship(), before);
}

fn is_backup(entry: &fs::DirEntry) -> bool {
    entry.file_name().to_string_lossy().contains("backup")
}
