//! A short story over files alone: mail in a Maildir, a calendar, reminders into the same Maildir. It
//! is told step by step; before each the whole folder can be copied and put back.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

pub const KITHD: &str = env!("CARGO_BIN_EXE_kithd");

/// The folder of the story.
pub struct Tale {
    pub dir: tempfile::TempDir,
}

/// One command, and what happened before it.
pub struct Step {
    pub name: &'static str,
    pub before: fn(&Tale),
    pub command: fn(&Tale) -> Vec<String>,
}

fn round(at: &str) -> Vec<String> {
    ["run", "--once", "--at", at].map(String::from).to_vec()
}

/// Mail and a meeting, reminders, answers by mail and by command, merge, snooze, summary, forget.
pub const STEPS: &[Step] = &[
    Step {
        name: "the first reading",
        before: |tale| {
            for (n, who) in ["ada", "ben", "cleo"].iter().enumerate() {
                let address = format!("{who}@example.net");
                for day in 1..5 {
                    let id = format!("{who}{day}");
                    tale.mail(
                        "",
                        &address,
                        "alex@example.org",
                        &id,
                        "",
                        &format!("2026-01-{:02}", day * 5 + n),
                        "Hello.",
                    );
                    let re = format!("<{id}@x.example>");
                    tale.mail(
                        ".Sent",
                        "alex@example.org",
                        &address,
                        &format!("re-{id}"),
                        &re,
                        &format!("2026-01-{:02}", day * 5 + n + 1),
                        "Hello.",
                    );
                }
            }
            tale.event("lunch", "20260204T110000Z", "Lunch", "ben@example.net", "Ben Bold");
        },
        command: |_| round("2026-03-02T09:00:00Z"),
    },
    Step {
        name: "a question and a coffee",
        before: |tale| {
            tale.mail("", "ada@example.net", "alex@example.org", "q1", "", "2026-03-02", "Could you send me the deck?");
            tale.mail(
                "",
                "ada@other.example",
                "alex@example.org",
                "o1",
                "",
                "2026-03-02",
                "It is me, from my other address.",
            );
            tale.event("coffee", "20260303T140000Z", "Coffee with Dana", "dana@uni.example", "Dana Ito");
        },
        command: |_| round("2026-03-05T11:00:00Z"),
    },
    Step {
        name: "merge",
        before: |_| {},
        command: |_| ["merge", "ada@example.net", "ada@other.example"].map(String::from).to_vec(),
    },
    Step {
        name: "done by an answer",
        before: |tale| tale.answer("done", "first_meeting", "2026-03-05"),
        command: |_| round("2026-03-06T10:00:00Z"),
    },
    Step {
        name: "closed by a mail",
        before: |tale| {
            tale.mail(
                ".Sent",
                "alex@example.org",
                "ada@example.net",
                "a1",
                "<q1@x.example>",
                "2026-03-06",
                "Here is the deck.",
            );
            tale.mail("", "ben@example.net", "alex@example.org", "q2", "", "2026-03-06", "Which floor is ours?");
        },
        command: |_| round("2026-03-10T12:00:00Z"),
    },
    Step {
        name: "snooze",
        before: |_| {},
        command: |tale| {
            let open = tale.json(&["reminders", "--json"]);
            vec!["snooze".into(), open[0]["id"].as_str().unwrap().to_string(), "2d".into()]
        },
    },
    Step { name: "it comes back", before: |_| {}, command: |_| round("2026-03-13T10:00:00Z") },
    Step {
        name: "the summary",
        before: |tale| {
            tale.mail(
                "",
                "cleo@example.net",
                "alex@example.org, eva@example.net",
                "q3",
                "",
                "2026-03-12",
                "Which room is ours?",
            );
        },
        command: |_| round("2026-03-16T08:00:00Z"),
    },
    Step { name: "forget", before: |_| {}, command: |_| ["forget", "cleo@example.net"].map(String::from).to_vec() },
    Step { name: "the end", before: |_| {}, command: |_| round("2026-03-17T10:00:00Z") },
];

impl Tale {
    pub fn new() -> Tale {
        // a process that dies does not take memory with it, and waiting for a disk would be the longest part
        let place = if Path::new("/dev/shm").is_dir() { "/dev/shm".into() } else { std::env::temp_dir() };
        let tale = Tale { dir: tempfile::Builder::new().prefix("kithd-tale-").tempdir_in(place).unwrap() };
        for folder in ["mail", "mail/.Sent"] {
            for part in ["cur", "new", "tmp"] {
                fs::create_dir_all(tale.path(folder).join(part)).unwrap();
            }
        }
        fs::create_dir_all(tale.path("cal")).unwrap();
        tale.write_config();
        tale
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("w").join(name)
    }

    fn write_config(&self) {
        let text = format!(
            "[me]\nname = \"Alex Doe\"\naddresses = [\"alex@example.org\"]\ntimezone = \"UTC\"\nlanguage = \"en\"\n\
             [store]\npath = \"{state}\"\n\
             [[mailbox]]\nname = \"work\"\ntype = \"maildir\"\npath = \"{mail}\"\n\
             [[calendar]]\nname = \"cal\"\ntype = \"ics\"\npath = \"{cal}\"\n\
             [delivery]\nto = \"alex@example.org\"\ninbox = \"work\"\ntype = \"maildir\"\npath = \"{mail}\"\n\
             [schedule]\ndays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]\n\
             hours = \"00:00-24:00\"\nper_day = 9\nper_contact = \"1d\"\nsummary = \"mon 08:00\"\n",
            state = self.path("state").display(),
            mail = self.path("mail").display(),
            cal = self.path("cal").display(),
        );
        fs::write(self.path("config.toml"), text).unwrap();
    }

    /// A message in `cur` of a folder of the Maildir.
    #[allow(clippy::too_many_arguments)]
    pub fn mail(&self, folder: &str, from: &str, to: &str, id: &str, re: &str, day: &str, text: &str) {
        let (year, rest) = day.split_once('-').unwrap();
        let (month, day) = rest.split_once('-').unwrap();
        let names = ["Jan", "Feb", "Mar"];
        let month = names[month.parse::<usize>().unwrap() - 1];
        let re = if re.is_empty() { String::new() } else { format!("In-Reply-To: {re}\r\nReferences: {re}\r\n") };
        let mail = format!(
            "From: {from}\r\nTo: {to}\r\nSubject: {id}\r\nMessage-ID: <{id}@x.example>\r\n{re}Date: {day} {month} {year} 09:00:00 +0000\r\n\r\n{text}\r\n"
        );
        fs::write(self.path("mail").join(folder).join("cur").join(format!("1.{id}.test:2,S")), mail).unwrap();
    }

    fn event(&self, uid: &str, start: &str, summary: &str, address: &str, name: &str) {
        let text = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n\
             DTSTART:{start}\r\nDURATION:PT45M\r\nSUMMARY:{summary}\r\nORGANIZER;CN={name}:mailto:{address}\r\n\
             ATTENDEE;CN={name};PARTSTAT=ACCEPTED:mailto:{address}\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:alex@example.org\r\n\
             END:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        fs::write(self.path("cal").join(format!("{uid}.ics")), text).unwrap();
    }

    /// The user answers the last reminder of a rule or occasion.
    fn answer(&self, word: &str, rule: &str, day: &str) {
        let shown = self.delivered().into_iter().rfind(|m| m.contains(&format!("/{rule}\r\n")));
        let shown = shown.unwrap_or_else(|| panic!("no reminder of {rule}"));
        let id = header(&shown, "Message-ID").to_string();
        self.mail(".Sent", "alex@example.org", "alex@example.org", &format!("answer-{rule}"), &id, day, word);
    }

    /// The reminders in the inbox.
    pub fn delivered(&self) -> Vec<String> {
        let mut found = Vec::new();
        for part in ["new", "cur"] {
            for entry in fs::read_dir(self.path("mail").join(part)).unwrap() {
                found.push(fs::read_to_string(entry.unwrap().path()).unwrap());
            }
        }
        found.retain(|m| m.contains("X-Kithd-Reminder:"));
        found.sort();
        found
    }

    pub fn command(&self, arguments: &[String]) -> Command {
        let mut command = Command::new(KITHD);
        command.arg("--config").arg(self.path("config.toml")).args(arguments);
        command.env_remove("RUST_LOG").current_dir(self.dir.path()).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[String]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let output = self.run(&arguments);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
    }

    /// Everything a user could see: history, reminders, and how often each of them lies in the inbox.
    pub fn end(&self) -> (Value, BTreeMap<String, usize>) {
        let mut export = self.json(&["export", "--format", "json"]);
        plain(&mut export);
        let (mut mails, mut ids) = (BTreeMap::new(), std::collections::BTreeSet::new());
        for mail in self.delivered() {
            assert!(ids.insert(header(&mail, "Message-ID").to_string()), "twice in the inbox: {mail}");
            // the secret of a store is another each time, what it signs too; a snoozed one comes again
            let name = format!("{} {}", header(&mail, "X-Kithd-Reminder"), header(&mail, "Subject"));
            *mails.entry(name).or_insert(0) += 1;
        }
        (export, mails)
    }

    pub fn keep(&self, name: &str) {
        copy(&self.path(""), &self.dir.path().join(name));
    }

    pub fn put_back(&self, name: &str) {
        copy(&self.dir.path().join(name), &self.path(""));
    }
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

pub fn header<'a>(mail: &'a str, name: &str) -> &'a str {
    let start = format!("{name}: ");
    mail.lines().find_map(|l| l.strip_prefix(&start)).unwrap_or_else(|| panic!("no {name} in {mail}")).trim_end()
}

/// Without what a secret of the store went into.
fn plain(value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(plain),
        Value::Object(fields) => {
            fields.remove("message_id");
            fields.values_mut().for_each(plain);
        }
        _ => {}
    }
}

/// Lines of the one that the other lacks.
pub fn difference(found: &Value, expected: &Value) -> String {
    let lines = |v: &Value| serde_json::to_string_pretty(v).unwrap();
    let (found, expected) = (lines(found), lines(expected));
    let only = |a: &str, b: &str, sign: &str| -> String {
        a.lines().filter(|l| !b.lines().any(|other| other == *l)).map(|l| format!("{sign} {l}\n")).collect()
    };
    only(&found, &expected, "+") + &only(&expected, &found, "-")
}
