//! IMAP: a first reading, a poll with nothing new, news by IDLE.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::bed::Bed;
use crate::certs::Certs;
use crate::cyrus::Cyrus;
use crate::dovecot::{Dovecot, PASSWORD, Wishes};
use crate::drain::drain;
use crate::mailbox;
use crate::measure::{Cost, Table, high_water, mib, run, time};
use crate::raw::Raw;

/// What kithd asks for: the headers of the whole history, and the first part of what lies in the window of text.
fn fetches(total: usize, in_window: usize) -> Vec<String> {
    let old = total - in_window;
    let mut commands = Vec::new();
    if in_window > 0 {
        commands.push(format!("UID FETCH {}:* (UID INTERNALDATE RFC822.SIZE FLAGS BODY.PEEK[]<0.65536>)", old + 1));
    }
    if old > 0 {
        commands.push(format!("UID FETCH 1:{old} (UID INTERNALDATE RFC822.SIZE FLAGS BODY.PEEK[HEADER]<0.65536>)"));
    }
    commands
}

pub fn kithd(config: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kithd"));
    command.arg("--config").arg(config).args(arguments);
    command
}

/// A config of its own store for one user of a server.
fn config(bed: &Bed, name: &str, user: &str, port: u16, security: &str, ca: &Path) -> PathBuf {
    bed.file("password", PASSWORD);
    std::fs::set_permissions(bed.path("password"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let text = format!(
        "[me]\nname = \"Alex Doe\"\naddresses = [\"alex@example.org\"]\ntimezone = \"Europe/Berlin\"\n\
         [store]\npath = \"{store}\"\n[[mailbox]]\nname = \"mail\"\ntype = \"imap\"\nhost = \"localhost\"\n\
         port = {port}\nsecurity = \"{security}\"\nca_file = \"{ca}\"\nusername = \"{user}\"\n\
         password = {{ file = \"{password}\" }}\n[delivery]\nto = \"alex@example.org\"\ntype = \"maildir\"\n\
         path = \"{inbox}\"\n[schedule]\nsummary = \"never\"\n",
        store = bed.path(&format!("{name}.store")).display(),
        ca = ca.display(),
        password = bed.path("password").display(),
        inbox = bed.path(&format!("{name}.inbox")).display(),
    );
    bed.file(&format!("{name}.toml"), &text)
}

/// Takes Dovecot's indexes away, so that it must open each message again.
fn forget_caches(root: &Path) {
    for entry in walk(root)
        .into_iter()
        .filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("dovecot.index")))
    {
        std::fs::remove_file(entry).unwrap();
    }
}

fn walk(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        let name = entry.file_name();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !["cur", "new", "tmp"].contains(&&*name.to_string_lossy()) => {
                found.extend(walk(&entry.path()));
            }
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
    found
}

pub fn measure(size: usize, table: &mut Table) {
    let bed = Bed::new();
    let certs = Certs::new(&bed);
    let dovecot = Dovecot::start(&bed, &certs, &Wishes::default());
    let until = kithd::time::now().minus(kithd::time::HOUR);
    let small = size / 5;
    for (user, count) in [("alex", size), ("bea", small)] {
        mailbox::write(&dovecot.maildir(user, "INBOX"), count, 7, until);
        bed.give_all(&dovecot.maildir(user, "INBOX"));
        // the first opening makes the index: its cost is nobody's
        Raw::login(dovecot.imap, user).ask("EXAMINE INBOX");
        Raw::login(dovecot.imap, user).ask("EXAMINE Sent");
    }
    let window = |count: usize| count * 120 / 720;
    let read = |user: &str, count: usize, cold: bool, name: &str| -> (Cost, Duration) {
        let root = dovecot.maildir(user, "INBOX");
        let config = config(&bed, name, user, dovecot.imap, "none", &certs.ca);
        if cold {
            forget_caches(&root);
        }
        let sent = count / 8;
        let (_, floor) = time(|| {
            drain(dovecot.imap, user, "INBOX", &fetches(count - sent, window(count - sent)));
            drain(dovecot.imap, user, "Sent", &fetches(sent, window(sent)));
        });
        if cold {
            forget_caches(&root);
        }
        (run(&mut kithd(&config, &["run", "--once"])), floor)
    };
    let ratio = |a: Duration, b: Duration| a.as_secs_f64() / b.as_secs_f64();
    let (cold, floor) = read("alex", size, true, "cold");
    let x = ratio(cold.wall, floor);
    let seconds = |d: Duration| format!("{:.1} s", d.as_secs_f64());
    let both = |a: Duration, b: Duration, x: f64| format!("{x:.2}x ({} / {})", seconds(a), seconds(b));
    table.row(
        &format!("first reading of {size}, stored, to the same FETCH drained; caches cold"),
        both(cold.wall, floor, x),
        "<= 1.2x",
        x <= 1.2,
    );
    let (warm, floor) = read("alex", size, false, "warm");
    let x = ratio(warm.wall, floor);
    table.row("the same, caches warm", both(warm.wall, floor, x), "<= 2.5x", x <= 2.5);
    let (less, _) = read("bea", small, false, "small");
    let most = warm.peak.max(cold.peak);
    table.row("peak memory of a first reading", format!("{:.0} MiB", mib(most)), "<= 64 MiB", mib(most) <= 64.0);
    let x = most as f64 / less.peak as f64;
    table.row(
        &format!("peak memory, {size} to {small} messages"),
        format!("{x:.2}x ({:.0} / {:.0} MiB)", mib(most), mib(less.peak)),
        "<= 1.1x",
        x <= 1.1,
    );

    let pull = mbsync(&bed, &dovecot, &certs);
    let full = run(&mut pull());
    let x = ratio(full.wall, warm.wall);
    table.row("mbsync, full pull of the same, to kithd (warm)", both(full.wall, warm.wall, x), ">= 5x", x >= 5.0);

    let config = bed.path("warm.toml");
    let polls: Vec<Duration> = (0..7).map(|_| run(&mut kithd(&config, &["run", "--once"])).wall).collect();
    let floors: Vec<Duration> = (0..7)
        .map(|_| {
            time(|| {
                drain(dovecot.imap, "alex", "INBOX", &[]);
            })
            .1
        })
        .collect();
    let (poll, floor) = (median(polls), median(floors));
    let x = ratio(poll, floor);
    let ms = |d: Duration| format!("{:.0} ms", d.as_secs_f64() * 1000.0);
    table.row(
        "a poll with nothing new, from process start, to login + EXAMINE",
        format!("{x:.1}x ({} / {})", ms(poll), ms(floor)),
        "<= 2x",
        x <= 2.0,
    );
    let again = run(&mut pull());
    table.row(
        "mbsync, nothing new, to kithd's poll",
        format!("{:.1}x ({} / {})", ratio(again.wall, poll), ms(again.wall), ms(poll)),
        "",
        true,
    );
    crate::living::measure(&config, table);
    idle(&bed, &certs, table);
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 2]
}

fn mbsync<'a>(bed: &'a Bed, dovecot: &Dovecot, certs: &Certs) -> impl Fn() -> Command + 'a {
    let root = bed.folder("mbsync");
    let text = format!(
        "FSync no\n\nIMAPAccount a\nHost localhost\nPort {port}\nUser alex\nPassCmd \"cat {password}\"\nSSLType None\n\
         CertificateFile {ca}\n\nIMAPStore far\nAccount a\n\nMaildirStore near\nPath {root}/\nInbox {root}/INBOX\n\n\
         Channel all\nFar :far:\nNear :near:\nPatterns INBOX Sent\nCreate Near\nSync Pull\nSyncState *\n",
        port = dovecot.imap,
        password = bed.path("password").display(),
        ca = certs.ca.display(),
        root = root.display(),
    );
    let file = bed.file("mbsyncrc", &text);
    move || {
        let mut command = Command::new("mbsync");
        command.arg("-q").arg("-q").arg("-c").arg(&file).arg("all");
        command
    }
}

/// From the APPEND's OK to the interaction in the store, as a command of another process sees it.
fn idle(bed: &Bed, certs: &Certs, table: &mut Table) {
    let cyrus = Cyrus::start(bed, certs, &["alex"]);
    let mut raw = Raw::login(cyrus.imap, "alex");
    let letter = |n: usize| {
        let date =
            kithd::time::Zone::utc().local(kithd::time::now()).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
        format!(
            "From: Dana Ito <dana{n}@uni.example>\nTo: alex@example.org\nSubject: Hello {n}\nDate: {date}\nMessage-ID: <i{n}@uni.example>\n\nHello\n"
        )
    };
    raw.append("INBOX", "", &letter(0));
    let config = config(bed, "idle", "alex", cyrus.imap, "none", &certs.ca);
    let service = Service::start(&config);
    let read = || -> u64 {
        let out = kithd(&config, &["status", "--json"]).output().unwrap();
        let status: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap_or_default();
        status["sources"][0]["read"].as_u64().unwrap_or(0)
    };
    let begun = Instant::now();
    while read() < 1 {
        assert!(begun.elapsed() < Duration::from_secs(30), "the first mail was not read");
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_secs(2));
    let mut delays = Vec::new();
    for n in 1..=9 {
        raw.append("INBOX", "", &letter(n));
        let begun = Instant::now();
        while read() < 1 + n as u64 {
            assert!(begun.elapsed() < Duration::from_secs(30), "mail {n} was not noticed");
        }
        delays.push(begun.elapsed());
        // a source has its rest after each reading
        std::thread::sleep(Duration::from_millis(6_000));
    }
    let peak = high_water(service.0.id()).unwrap_or(0);
    let middle = median(delays);
    let ms = middle.as_secs_f64() * 1000.0;
    table.row(
        "new mail to logged interaction by IDLE (Cyrus), median of 9",
        format!("{ms:.0} ms; peak {:.0} MiB", mib(peak)),
        "< 200 ms",
        ms < 200.0,
    );
}

/// `kithd run`, ended when dropped.
pub struct Service(pub Child);

impl Service {
    pub fn start(config: &Path) -> Service {
        Service(kithd(config, &["run"]).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}
