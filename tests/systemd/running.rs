//! The units under systemd itself: one machine, everything an administrator or a user would do with them.

use std::process::Command;

use serde_json::Value;

use crate::machine::{Machine, wait};
use crate::package;

const ALEX: u32 = 1000;
const DANA: u32 = 1001;

/// The same unit, quicker, and with a place for the reminders.
const QUICK: &str = "[Service]
StateDirectory=kithd-post
RestartSec=100ms
WatchdogSec=4
LoadCredential=imap:/etc/kithd/imap.password
";

const MAIL: &str = "[me]
name = \"Alex Doe\"
addresses = [\"alex@example.org\"]
timezone = \"UTC\"
[[mailbox]]
name = \"mail\"
type = \"maildir\"
path = \"MAILDIR\"
[delivery]
to = \"alex@example.org\"
from = \"kithd <alex@example.org>\"
type = \"maildir\"
path = \"DELIVERED\"
[schedule]
days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]
hours = \"00:00-24:00\"
";

fn config(maildir: &str, delivered: &str) -> String {
    MAIL.replace("MAILDIR", maildir).replace("DELIVERED", delivered)
}

/// A Maildir in which somebody waits for an answer.
fn letters(machine: &Machine, maildir: &str, uid: u32) {
    let date = |days: u32| {
        let out =
            Command::new("date").args(["-R", "-u", "-d", &format!("{days} days ago")]).env("LC_ALL", "C").output();
        String::from_utf8(out.unwrap().stdout).unwrap().trim().to_string()
    };
    let (dana, alex) = ("Dana Ito <dana@uni.example>", "Alex Doe <alex@example.org>");
    let letters = [
        ("", 90, dana, alex, "Workshop", "Shall we plan the workshop together?"),
        (".Sent", 89, alex, dana, "Re: Workshop", "Yes, with pleasure. Let us do that."),
        ("", 30, dana, alex, "Draft", "Thank you for the draft, it reads well."),
        (".Sent", 29, alex, dana, "Re: Draft", "Thank you for reading it!"),
        ("", 6, dana, alex, "Unmistakable subject", "Could you send me the slides of your talk?"),
    ];
    for folder in ["", ".Sent"] {
        for part in ["cur", "new", "tmp"] {
            machine.put(&format!("{maildir}/{folder}/{part}/.keep"), uid, 0o644, "");
        }
    }
    for (n, (folder, days, from, to, subject, text)) in letters.iter().enumerate() {
        let text = format!(
            "From: {from}\nTo: {to}\nSubject: {subject}\nMessage-ID: <{n}@uni.example>\nDate: {}\n\n{text}\n",
            date(*days)
        );
        machine.put(&format!("{maildir}/{folder}/cur/{n}.x:2,S"), uid, 0o644, &text);
    }
}

#[test]
fn the_units_live_under_systemd() {
    let Some(machine) = Machine::boot() else { return };
    package::install(&machine.root());
    machine.says(&["systemctl", "daemon-reload"]);
    without_a_config_it_says_what_to_do(&machine);
    a_service_of_the_system(&machine);
    others_are_turned_away(&machine);
    a_reload_is_taken_or_refused(&machine);
    the_journal_has_fields_and_no_secrets(&machine);
    it_is_started_again(&machine);
    one_for_each_user(&machine);
    one_for_myself(&machine);
}

/// systemd would go on for ever; a config does not mend itself.
fn without_a_config_it_says_what_to_do(machine: &Machine) {
    assert!(!machine.run(&["systemctl", "start", "kithd"]).status.success());
    assert_eq!(machine.show("kithd", "NRestarts"), "0", "a missing config is not tried again");
    assert_eq!(machine.show("kithd", "ExecMainStatus"), "2");
    let told = machine.says(&["journalctl", "-u", "kithd", "-o", "cat"]);
    assert!(told.contains("/etc/kithd/config.toml: there is no such file") && told.contains("kithd init"), "{told}");
}

fn a_service_of_the_system(machine: &Machine) {
    letters(machine, "/srv/mail", 0);
    machine.put("/srv/imap.py", 0, 0o644, include_str!("imap.py"));
    machine.says(&["systemd-run", "--unit=imap", "/usr/bin/python3", "/srv/imap.py"]);
    wait("the IMAP server listens", || machine.path("/run/imap.ready").exists());
    machine.put("/etc/kithd/imap.password", 0, 0o600, "correct horse\n");
    machine.put("/etc/systemd/system/kithd.service.d/quick.conf", 0, 0o644, QUICK);
    let imap = "[[mailbox]]
name = \"work\"
type = \"imap\"
host = \"127.0.0.1\"
port = 1143
security = \"none\"
username = \"alex\"
password = { credential = \"imap\" }
[control]
socket = \"/run/kithd/socket\"
allow = [\"alex\"]
";
    let text = format!("{}{imap}", config("/srv/mail", "/var/lib/kithd-post"));
    machine.put("/etc/kithd/config.toml", 0, 0o644, &text);
    machine.says(&["systemctl", "daemon-reload"]);
    machine.says(&["systemctl", "start", "kithd"]);
    assert_eq!(machine.show("kithd", "ActiveState"), "active");
    // a user that did not exist before, and a store of its own
    let main = machine.show("kithd", "MainPID");
    let owner = machine.says(&["stat", "-c", "%u", &format!("/proc/{main}")]);
    assert!((61184..=65519).contains(&owner.trim().parse::<u32>().unwrap()), "{owner}");
    wait("it says what it does", || {
        let status = machine.show("kithd", "StatusText");
        status.starts_with("idle; next look ") && status.contains("; 1 open reminder, 1 held back; work fails: ")
    });
    let status = machine.show("kithd", "StatusText");
    assert!(!status.contains("example.org"), "{status}");
    // the password came from the credential, and is in no environment
    let logins = std::fs::read_to_string(machine.path("/run/logins")).unwrap();
    assert!(logins.contains("correct horse") && logins.contains("alex"), "{logins}");
    let delivered = machine.path("/var/lib/private/kithd-post/new");
    wait("it told of that", || std::fs::read_dir(&delivered).is_ok_and(|d| d.count() == 1));
}

fn journal(machine: &Machine, filter: &[&str]) -> Vec<Value> {
    let mut arguments = vec!["journalctl", "-o", "json", "--no-pager"];
    arguments.extend(filter);
    machine.says(&arguments).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn the_journal_has_fields_and_no_secrets(machine: &Machine) {
    let kithd = "_SYSTEMD_UNIT=kithd.service";
    let failed = journal(machine, &[kithd, "SOURCE=work"]);
    let failed = failed.iter().find(|e| e["PRIORITY"] == "4").unwrap();
    assert_eq!(failed["SYSLOG_IDENTIFIER"], "kithd");
    assert!(failed["MESSAGE"].as_str().unwrap().contains("there is no …@… here"), "{failed}");
    let all = journal(machine, &[kithd]);
    let sent = all.iter().find(|e| e.get("CONTACT").is_some()).unwrap();
    assert_eq!(sent["MESSAGE"], "a reminder was delivered");
    assert_eq!(sent["PRIORITY"], "6");
    // what an administrator finds there leads its owner on
    let id = sent["REMINDER"].as_str().unwrap();
    let who = sent["CONTACT"].as_str().unwrap();
    let sheet = asks(machine, "alex", ALEX, &["contact", who, "--json"]);
    let sheet: Value = serde_json::from_slice(&sheet.stdout).unwrap();
    assert_eq!(sheet["addresses"][0], "dana@uni.example");
    let told = asks(machine, "alex", ALEX, &["explain", id]);
    assert!(told.status.success(), "{told:?}");
    let text: String = all.iter().map(ToString::to_string).collect();
    for secret in ["correct horse", "@uni.example", "@example.org", "Unmistakable", "Dana Ito"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

fn asks(machine: &Machine, name: &str, uid: u32, arguments: &[&str]) -> std::process::Output {
    let mut words = vec!["kithd", "--config", "/etc/kithd/config.toml"];
    words.extend(arguments);
    machine.run_as(name, uid, &words)
}

fn others_are_turned_away(machine: &Machine) {
    let alex = asks(machine, "alex", ALEX, &["contacts"]);
    assert!(alex.status.success(), "{alex:?}");
    assert!(String::from_utf8_lossy(&alex.stdout).contains("Dana Ito"));
    let dana = asks(machine, "dana", DANA, &["contacts"]);
    assert_eq!(dana.status.code(), Some(1));
    assert!(dana.stdout.is_empty(), "{dana:?}");
    let said = String::from_utf8_lossy(&dana.stderr).into_owned();
    assert!(said.contains("uid 1001 may not talk to this service: [control] allow"), "{said}");
    assert!(!machine.run_as("dana", DANA, &["ls", "/var/lib/kithd/"]).status.success(), "the store is shut");
}

fn a_reload_is_taken_or_refused(machine: &Machine) {
    let main = machine.show("kithd", "MainPID");
    let path = machine.path("/etc/kithd/config.toml");
    let good = std::fs::read_to_string(&path).unwrap();
    // the reminder is held back while a mailbox cannot be read; without that mailbox it leaves
    let work = good.find("[[mailbox]]\nname = \"work\"").unwrap();
    let good = format!("{}{}", &good[..work], &good[good.find("[control]").unwrap()..]);
    let feed = "[[calendar]]\nname = \"team\"\ntype = \"ics\"\npath = \"/srv/team.ics\"\n";
    machine.put("/srv/team.ics", 0, 0o644, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n");
    let better = format!("{good}{feed}");
    machine.put("/etc/kithd/config.toml", 0, 0o644, &better);
    machine.says(&["systemctl", "reload", "kithd"]);
    let has_team =
        || String::from_utf8_lossy(&asks(machine, "alex", ALEX, &["status", "--json"]).stdout).contains("team");
    wait("the new calendar is there", has_team);
    let delivered = machine.path("/var/lib/private/kithd-post/new");
    wait("the reminder left", || std::fs::read_dir(&delivered).unwrap().count() == 2);

    machine.put("/etc/kithd/config.toml", 0, 0o644, &better.replace("timezone", "timezome"));
    machine.says(&["systemctl", "reload", "kithd"]);
    let refused = || machine.show("kithd", "StatusText").starts_with("config refused, the old one goes on: ");
    wait("the refusal is told", refused);
    assert!(machine.show("kithd", "StatusText").contains("timezome"));
    assert_eq!(machine.show("kithd", "MainPID"), main, "the old one goes on");
    machine.put("/etc/kithd/config.toml", 0, 0o644, &better);
    assert!(has_team());
    machine.says(&["systemctl", "reload", "kithd"]);
    wait("the refusal is over", || !refused());
}

fn it_is_started_again(machine: &Machine) {
    // killed
    machine.says(&["systemctl", "kill", "-s", "KILL", "kithd"]);
    wait("it runs again", || {
        machine.show("kithd", "NRestarts") == "1" && machine.show("kithd", "ActiveState") == "active"
    });
    assert!(asks(machine, "alex", ALEX, &["status"]).status.success());
    // stuck: systemd sees that nothing goes on
    let stuck = machine.show("kithd", "MainPID");
    machine.says(&["kill", "-STOP", &stuck]);
    wait("it was replaced", || {
        machine.show("kithd", "NRestarts") == "2" && machine.show("kithd", "ActiveState") == "active"
    });
    assert_ne!(machine.show("kithd", "MainPID"), stuck);
    let told = machine.says(&["journalctl", "-u", "kithd", "-o", "cat", "--no-pager"]);
    assert!(told.contains("Watchdog timeout"), "{told}");
    // and what was delivered once is not delivered again
    assert!(asks(machine, "alex", ALEX, &["contact", "dana"]).status.success());
    let delivered = machine.path("/var/lib/private/kithd-post/new");
    assert_eq!(std::fs::read_dir(delivered).unwrap().count(), 2);
    machine.says(&["systemctl", "stop", "kithd"]);
    assert_eq!(machine.show("kithd", "Result"), "success");
    assert!(!machine.path("/run/kithd").exists(), "nothing is left behind");
}

fn one_for_each_user(machine: &Machine) {
    for (name, uid) in [("alex", ALEX), ("dana", DANA)] {
        letters(machine, &format!("/home/{name}/Maildir"), uid);
        let home = machine.path(&format!("/home/{name}"));
        std::fs::set_permissions(home, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let text = config("~/Maildir", &format!("/var/lib/kithd-{name}-post"));
        machine.put(&format!("/etc/kithd/{name}.toml"), uid, 0o600, &text);
    }
    let post = "[Service]\nStateDirectory=kithd-%i-post\n";
    machine.put("/etc/systemd/system/kithd@.service.d/post.conf", 0, 0o644, post);
    machine.says(&["systemctl", "daemon-reload"]);
    machine.says(&["systemctl", "start", "kithd@alex", "kithd@dana"]);
    for (name, uid) in [("alex", ALEX), ("dana", DANA)] {
        let (unit, file) = (format!("kithd@{name}"), format!("/etc/kithd/{name}.toml"));
        let ask = |arguments: &[&str]| {
            let mut words = vec!["env", "STATE_DIRECTORY"];
            let state = format!("STATE_DIRECTORY=/var/lib/kithd-{name}");
            words[1] = &state;
            words.extend(["kithd", "--config", &file]);
            words.extend(arguments);
            let out = machine.run_as(name, uid, &words);
            assert!(out.status.success(), "{out:?}");
            String::from_utf8(out.stdout).unwrap()
        };
        wait("their mail is read", || ask(&["contacts"]).contains("Dana Ito"));
        assert_eq!(machine.show(&unit, "ActiveState"), "active");
        let main = machine.show(&unit, "MainPID");
        assert_eq!(machine.says(&["stat", "-c", "%u", &format!("/proc/{main}")]).trim(), uid.to_string());
        assert_eq!(
            machine.says(&["stat", "-c", "%a %u", &format!("/var/lib/kithd-{name}")]).trim(),
            format!("700 {uid}")
        );
        // as it sees the world: its own home, read-only, and no other
        let other = if name == "alex" { "dana" } else { "alex" };
        let inside = |path: &str| machine.run(&["ls", &format!("/proc/{main}/root{path}")]).status.success();
        assert!(inside(&format!("/home/{name}/Maildir")) && !inside(&format!("/home/{other}")), "{name}");
    }
    let alone = machine.run_as("dana", DANA, &["ls", "/var/lib/kithd-alex"]);
    assert!(!alone.status.success());
    machine.says(&["systemctl", "stop", "kithd@alex", "kithd@dana"]);
}

/// `systemctl --user enable --now kithd`, as README says it.
fn one_for_myself(machine: &Machine) {
    let text = config("~/Maildir", "/home/alex/delivered");
    machine.put("/home/alex/.config/kithd/config.toml", ALEX, 0o600, &text);
    machine.says(&["systemctl", "start", "user@1000"]);
    let user = |arguments: &[&str]| machine.run_as("alex", ALEX, arguments);
    let enabled = user(&["systemctl", "--user", "enable", "--now", "kithd"]);
    assert!(enabled.status.success(), "{enabled:?}");
    wait("it delivers", || std::fs::read_dir(machine.path("/home/alex/delivered/new")).is_ok_and(|d| d.count() == 1));
    let show = |property: &str| {
        let out = user(&["systemctl", "--user", "show", "-P", property, "kithd"]);
        String::from_utf8(out.stdout).unwrap().trim().to_string()
    };
    wait("it says what it does", || show("StatusText").ends_with("1 open reminder"));
    let status = user(&["kithd", "status"]);
    assert!(status.status.success(), "{status:?}");
    assert!(machine.path("/home/alex/.local/state/kithd/kithd.sock").exists());
    let reload = user(&["systemctl", "--user", "reload", "kithd"]);
    assert!(reload.status.success(), "{reload:?}");
    let stopped = user(&["systemctl", "--user", "stop", "kithd"]);
    assert!(stopped.status.success(), "{stopped:?}");
    assert_eq!(show("Result"), "success");
}
