//! `kithd init` at a terminal, asked and answered as by a person, against a real server on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]
#![allow(dead_code, missing_docs)]

#[path = "servers/bed.rs"]
mod bed;
#[path = "servers/canary.rs"]
mod canary;
#[path = "servers/certs.rs"]
mod certs;
#[path = "servers/dovecot.rs"]
mod dovecot;
#[path = "servers/exim.rs"]
mod exim;
#[path = "servers/life.rs"]
mod life;
#[path = "servers/raw.rs"]
mod raw;

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dovecot::PASSWORD;
use life::Life;

/// A command on a terminal of its own (script(1) makes it), and what it has shown.
struct Terminal {
    child: Child,
    shown: Arc<Mutex<String>>,
    seen: usize,
}

impl Terminal {
    fn run(home: &Path, arguments: &str) -> Terminal {
        let command = format!("{} {arguments}", env!("CARGO_BIN_EXE_kithd"));
        let mut script = Command::new("script");
        script.args(["-qefc", &command, "/dev/null"]);
        script.env("HOME", home).env_remove("XDG_CONFIG_HOME").env_remove("KITHD_CONFIG").env("TERM", "xterm");
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let shown = Arc::<Mutex<String>>::default();
        let (mut out, sink) = (child.stdout.take().unwrap(), shown.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 512];
            while let Ok(n @ 1..) = out.read(&mut buffer) {
                sink.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..n]));
            }
        });
        Terminal { child, shown, seen: 0 }
    }

    fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    /// Waits for a question, then types; ^C is a key too.
    fn answer(&mut self, question: &str, keys: &str) {
        let begun = Instant::now();
        loop {
            let shown = self.shown();
            if let Some(at) = shown.get(self.seen..).and_then(|new| new.find(question)) {
                self.seen += at + question.len();
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "it never asked `{question}`:\n{shown}");
            std::thread::sleep(Duration::from_millis(20));
        }
        // the question is shown a moment before the echo is off
        std::thread::sleep(Duration::from_millis(100));
        self.child.stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    fn end(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                std::thread::sleep(Duration::from_millis(50));
                return status;
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "it does not end:\n{}", self.shown());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Everything below a folder.
fn files(dir: &Path) -> Vec<String> {
    let out = Command::new("find").arg(dir).args(["-type", "f"]).output().unwrap();
    String::from_utf8(out.stdout).unwrap().lines().map(str::to_string).collect()
}

fn asked(life: &Life) -> String {
    let ca = life.certs.ca.display();
    format!("init --imap localhost:{} --append --username alex --ca-file {ca}", life.dovecot.imaps)
}

#[test]
fn three_answers_make_a_config_that_works() {
    let life = Life::new();
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::run(home.path(), &asked(&life));
    terminal.answer("Your mail address: ", "alex at example\n");
    terminal.answer("one looks like alex@example.org", "");
    terminal.answer("Your mail address: ", "alex@example.org\n");
    terminal.answer("(or Enter, to type the password): ", "\n");
    terminal.answer("Password (not shown): ", "wrong\n");
    // what the server says, and the password again; nothing else is asked twice
    terminal.answer("refuses the login of alex", "");
    terminal.answer("Password, once more (not shown): ", &format!("{PASSWORD}\n"));
    terminal.answer("mail: logged in to localhost", "");
    terminal.answer("delivery: into INBOX of localhost", "");
    terminal.answer("Write the systemd unit ", "\n");
    let status = terminal.end();
    let shown = terminal.shown();
    assert!(status.success(), "{shown}");
    assert!(!shown.contains(PASSWORD) && !shown.contains("wrong\r"), "a password was shown: {shown}");
    assert!(shown.contains("systemctl --user enable --now kithd"), "{shown}");
    assert_eq!(shown.matches("Your mail address").count(), 2, "{shown}");

    let (config, unit) = (home.path().join(".config/kithd/config.toml"), ".config/systemd/user/kithd.service");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&config), mode(&config.with_file_name("mail.password"))), (0o600, 0o600));
    let unit = std::fs::read_to_string(home.path().join(unit)).unwrap();
    assert!(unit.contains(&format!("ExecStart={} run", env!("CARGO_BIN_EXE_kithd"))), "{unit}");
    assert_eq!(files(home.path()).len(), 3, "{:?}", files(home.path()));
    let kithd = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kithd"));
        command.args(arguments).env("HOME", home.path()).env_remove("XDG_CONFIG_HOME").env_remove("KITHD_CONFIG");
        command.env("XDG_STATE_HOME", home.path().join("state")).output().unwrap()
    };
    let text = std::fs::read_to_string(&config).unwrap();
    // root keeps its store elsewhere
    std::fs::write(&config, format!("{text}\n[store]\npath = \"{}\"\n", home.path().join("store").display())).unwrap();
    let checked = kithd(&["check"]);
    assert!(checked.status.success(), "{checked:?}");
    let round = kithd(&["run", "--once"]);
    assert!(round.status.success(), "{round:?}");
    // a second time it does not touch what is there
    let again = kithd(&["init", "--address", "alex@example.org"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("is there already"), "{again:?}");
}

#[test]
fn whoever_gives_up_leaves_nothing_behind() {
    let life = Life::new();
    // ^C at each question, and after three wrong passwords
    for questions in 0..4 {
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Terminal::run(home.path(), &asked(&life));
        let answers = [
            ("Your mail address: ", "alex@example.org\n"),
            ("to type the password): ", "\n"),
            ("Password (not shown): ", "wrong\n"),
            ("Password, once more (not shown): ", "wrong\n"),
        ];
        for (question, keys) in &answers[..questions] {
            terminal.answer(question, keys);
        }
        terminal.answer(answers[questions].0, "\u{3}");
        assert!(!terminal.end().success());
        assert_eq!(files(home.path()), [""; 0], "after {questions} answers");
    }
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::run(home.path(), &asked(&life));
    terminal.answer("Your mail address: ", "alex@example.org\n");
    terminal.answer("to type the password): ", "\n");
    terminal.answer("Password (not shown): ", "wrong\n");
    terminal.answer("Password, once more (not shown): ", "wrong\n");
    terminal.answer("Password, once more (not shown): ", "wrong\n");
    assert!(!terminal.end().success());
    assert!(terminal.shown().contains("nothing was written"), "{}", terminal.shown());
    assert_eq!(files(home.path()), [""; 0]);
}

/// Whoever has not begun yet is told how to.
#[test]
fn every_command_without_a_config_names_init() {
    let home = tempfile::tempdir().unwrap();
    for line in [
        "run",
        "run --once",
        "plan",
        "status",
        "check",
        "contacts",
        "contact dana",
        "reminders",
        "explain dana",
        "done 0123456789abcdef",
        "snooze 0123456789abcdef 2w",
        "dismiss 0123456789abcdef",
        "pause 2w",
        "set dana --mute",
        "merge a b",
        "split a a@b.example",
        "forget a",
        "export",
        "backup x",
        "restore x",
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kithd"));
        command.args(line.split(' ')).env("HOME", home.path()).env_remove("XDG_CONFIG_HOME").env_remove("KITHD_CONFIG");
        let out = command.output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{line}: {said}");
        assert!(said.contains("`kithd init` writes one for you"), "{line}: {said}");
    }
}

/// Where reminders go by IMAP is tried as well: the login, and whether the mailbox is there.
#[test]
fn a_delivery_by_append_is_tried() {
    let mut life = Life::new();
    for (folder, expected) in
        [("INBOX", "into INBOX of localhost, by IMAP"), ("Nowhere", "there is no mailbox Nowhere")]
    {
        life.delivery = format!("type = \"append\"\nmailbox = \"work\"\nfolder = \"{folder}\"\n");
        let shown = life.kithd(&["check"]).all();
        assert!(shown.contains(expected), "{shown}");
    }
}
