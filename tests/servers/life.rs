//! One user on a bed of servers: a config, mail that has come, and kithd as a process.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use kithd::time::{DAY, Timestamp, Zone, now};

use super::bed::Bed;
use super::canary;
use super::certs::Certs;
use super::dovecot::{Dovecot, PASSWORD, Wishes};
use super::exim::Exim;
use super::raw::Raw;

/// What stands in the config beside the user.
pub struct Life {
    pub bed: Bed,
    pub certs: Certs,
    pub dovecot: Dovecot,
    /// The lines of `[[mailbox]]` after its name and type.
    pub mailbox: String,
    /// The lines of `[delivery]` after `to`.
    pub delivery: String,
    /// The user's address.
    pub me: String,
    /// Further lines of `[schedule]`.
    pub schedule: String,
}

/// `host`, `port` and so on of a server on loopback, with the bed's authority.
pub fn place(certs: &Certs, port: u16, security: &str) -> String {
    format!("host = \"localhost\"\nport = {port}\nsecurity = \"{security}\"\nca_file = \"{}\"\n", certs.ca.display())
}

impl Life {
    /// A user `alex` of Dovecot over TLS; reminders go into a Maildir until told otherwise.
    pub fn new() -> Life {
        Life::with(&Wishes::default())
    }

    pub fn with(wishes: &Wishes<'_>) -> Life {
        let bed = Bed::new();
        let certs = Certs::new(&bed);
        let dovecot = Dovecot::start(&bed, &certs, wishes);
        let mailbox = place(&certs, dovecot.imaps, "tls");
        let delivery = format!("type = \"maildir\"\npath = \"{}\"\n", bed.path("reminders").display());
        let life = Life {
            bed,
            certs,
            dovecot,
            mailbox,
            delivery,
            me: "alex@example.org".to_string(),
            schedule: String::new(),
        };
        life.secret("password", PASSWORD);
        life
    }

    /// Reminders go by SMTP over TLS into the same Dovecot.
    pub fn exim(&mut self) -> Exim {
        let exim = Exim::start(&self.bed, &self.certs, None, &self.dovecot);
        self.delivery = format!("type = \"smtp\"\n{}{}", place(&self.certs, exim.submissions, "tls"), self.login());
        exim
    }

    pub fn secret(&self, name: &str, text: &str) -> PathBuf {
        let path = self.bed.path(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        path
    }

    pub fn login(&self) -> String {
        let password = self.bed.path("password");
        format!("username = \"alex\"\npassword = {{ file = \"{}\" }}\n", password.display())
    }

    /// Writes the config as it stands now.
    pub fn config(&self) -> PathBuf {
        let login = if self.mailbox.contains("username") { String::new() } else { self.login() };
        let text = format!(
            "[me]\nname = \"Alex Doe\"\naddresses = [\"{me}\"]\ntimezone = \"UTC\"\nlanguage = \"en\"\n\
             [store]\npath = \"{store}\"\n\
             [[mailbox]]\nname = \"work\"\ntype = \"imap\"\n{mailbox}{login}\
             [delivery]\nto = \"{me}\"\ninbox = \"work\"\n{delivery}\
             [schedule]\ndays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]\n\
             hours = \"00:00-24:00\"\nsummary = \"never\"\n{schedule}",
            me = self.me,
            store = self.bed.path("store").display(),
            mailbox = self.mailbox,
            delivery = self.delivery,
            schedule = self.schedule,
        );
        let path = self.bed.path("config.toml");
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kithd"));
        command.arg("--config").arg(self.config()).args(arguments).env_remove("RUST_LOG").stdin(Stdio::null());
        command
    }

    pub fn kithd(&self, arguments: &[&str]) -> Said {
        let output = self.command(arguments).output().unwrap();
        let canary = canary::searcher(PASSWORD);
        let tells = canary.is_match(&output.stdout) || canary.is_match(&output.stderr);
        assert!(!tells, "the password is in what `{arguments:?}` says");
        Said::of(output)
    }

    /// One round that must succeed.
    pub fn round(&self) -> Said {
        let said = self.kithd(&["run", "--once"]);
        assert_eq!(said.code, 0, "{said:?}");
        said
    }

    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let said = self.kithd(arguments);
        serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {said:?}"))
    }

    /// A bare connection to look with.
    pub fn raw(&self) -> Raw {
        Raw::login(self.dovecot.imap, "alex")
    }

    /// Ada and the user know each other; four days ago she asked something that is not answered.
    pub fn ada_waits(&self, raw: &mut Raw) {
        let me = &self.me;
        raw.append(
            "Sent",
            "\\Seen",
            &letter(me, "ada@example.net", "News", "n1@example.org", 90, "Hello Ada, how are you?"),
        );
        raw.append(
            "INBOX",
            "\\Seen",
            &letter("Ada Abel <ada@example.net>", me, "Re: News", "n2@example.net", 89, "Fine, thanks."),
        );
        raw.append(
            "INBOX",
            "\\Seen \\Flagged",
            &letter("Ada Abel <ada@example.net>", me, "Deck", "d1@example.net", 4, "Could you send me the deck?"),
        );
    }

    /// As if kithd had never run: no store, no reminder in the inbox.
    pub fn forget(&self) {
        let _ = std::fs::remove_dir_all(self.bed.path("store"));
        let mut raw = self.raw();
        raw.ask("SELECT INBOX");
        let found = raw.ask("UID SEARCH HEADER X-Kithd-Rule \"/\"").join(" ");
        for uid in found.split_whitespace().filter(|w| w.bytes().all(|b| b.is_ascii_digit())) {
            raw.ask(&format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)"));
        }
        raw.ask("EXPUNGE");
    }

    /// Reminders in a folder, by the Message-ID of each.
    pub fn reminders(&self, folder: &str) -> Vec<String> {
        let found = self.raw().messages(folder).into_iter().map(|(_, text)| text);
        found.filter(|t| t.contains("X-Kithd-Reminder:")).collect()
    }
}

/// The password of every test is a canary: where it ends, neither the store, nor what was delivered, nor the log of the
/// service (at TRACE) may hold it in any form.
impl Drop for Life {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let places = ["store", "reminders", "service.log"].map(|name| self.bed.path(name));
        let found: Vec<String> = places.iter().flat_map(|place| canary::hits(place, &[PASSWORD], &|_| false)).collect();
        assert!(found.is_empty(), "{found:#?}");
    }
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    fn of(output: Output) -> Said {
        Said {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).to_string(),
            err: String::from_utf8_lossy(&output.stderr).to_string(),
        }
    }

    pub fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// RFC 5322 date of so many days ago.
pub fn date(days: i64) -> String {
    at(now().minus(days * DAY))
}

fn at(time: Timestamp) -> String {
    Zone::utc().local(time).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

pub fn letter(from: &str, to: &str, subject: &str, id: &str, days: i64, body: &str) -> String {
    let date = date(days);
    format!("From: {from}\nTo: {to}\nSubject: {subject}\nDate: {date}\nMessage-ID: <{id}>\n\n{body}\n")
}

/// `kithd run`, ended when dropped.
pub struct Service(pub Child);

impl Service {
    pub fn start(life: &Life) -> Service {
        let log = std::fs::File::create(life.bed.path("service.log")).unwrap();
        let mut command = life.command(&["run"]);
        command.env("RUST_LOG", "trace");
        Service(command.stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }

    pub fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.0.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if self.0.try_wait().ok().flatten().is_none() {
            self.signal("-KILL");
        }
        let _ = self.0.wait();
    }
}

/// Waits for something; panics after a while.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(180), "{what} did not come about");
        std::thread::sleep(Duration::from_millis(20));
    }
}
