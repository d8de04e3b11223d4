//! Peers that do neighbouring work over the same files: notmuch and mu index a Maildir, libical expands a
//! calendar. A peer that is not installed has a row that says so.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use kithd::time::{DAY, Timestamp, Zone};

use crate::bed::Bed;
use crate::imap::kithd;
use crate::mailbox;
use crate::measure::{Cost, Table, children, mib, run};

pub fn measure(size: usize, table: &mut Table) {
    let bed = Bed::new();
    maildir(&bed, size, table);
    calendar(&bed, size / 4, table);
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success())
}

/// Processor time in seconds, and the rest.
fn cost(command: &mut Command) -> (f64, Cost) {
    let before = children();
    let cost = run(command);
    ((children() - before).as_secs_f64(), cost)
}

/// Kithd and a peer, first reading and again.
fn row(table: &mut Table, what: &str, ours: &(f64, Cost), theirs: &(f64, Cost)) {
    let of = |(seconds, cost): &(f64, Cost)| format!("{seconds:.2} s, {:.0} MiB", mib(cost.peak));
    let x = theirs.0 / ours.0.max(0.01);
    table.row(what, format!("{x:.1}x ({} / {})", of(theirs), of(ours)), "", true);
}

fn maildir(bed: &Bed, size: usize, table: &mut Table) {
    let root = bed.folder("files");
    let mail = root.join("mail");
    mailbox::write(&mail, size, 7, kithd::time::now().minus(kithd::time::HOUR));
    let config = bed.file(
        "files.toml",
        &format!(
            "[me]\nname = \"Alex Doe\"\naddresses = [\"alex@example.org\"]\n[store]\npath = \"{root}/store\"\n\
             [[mailbox]]\nname = \"mail\"\ntype = \"maildir\"\npath = \"{mail}\"\n[delivery]\nto = \"alex@example.org\"\n\
             type = \"maildir\"\npath = \"{root}/inbox\"\n[schedule]\nsummary = \"never\"\n",
            root = root.display(),
            mail = mail.display(),
        ),
    );
    let ours = [0, 1].map(|_| cost(&mut kithd(&config, &["run", "--once"])));
    let peers = [("notmuch", notmuch as fn(&Bed, &Path) -> [Command; 2]), ("mu", mu)];
    for (name, commands) in peers {
        if !is_there(name) {
            table.row(&format!("{name} over the same Maildir"), "not installed".to_string(), "", true);
            continue;
        }
        let [mut first, mut again] = commands(bed, &mail);
        let first = cost(&mut first);
        row(table, &format!("{name}, Maildir of {size}, first time, to kithd: processor time"), &ours[0], &first);
        row(table, &format!("{name}, nothing new, to kithd: processor time"), &ours[1], &cost(&mut again));
    }
}

fn notmuch(bed: &Bed, mail: &Path) -> [Command; 2] {
    let text = format!(
        "[database]\npath={}\n[user]\nname=Alex\nprimary_email=alex@example.org\n[new]\ntags=new\nignore=\n",
        mail.display()
    );
    let config = bed.file("notmuch-config", &text);
    [0, 1].map(|_| {
        let mut command = Command::new("notmuch");
        command.arg(format!("--config={}", config.display())).args(["new", "--quiet", "--no-hooks"]);
        command
    })
}

fn mu(bed: &Bed, mail: &Path) -> [Command; 2] {
    let home = bed.folder("mu");
    let muhome = format!("--muhome={}", home.display());
    let mut init = Command::new("mu");
    run(init.args(["init", &muhome, "--my-address=alex@example.org"]).arg(format!("--maildir={}", mail.display())));
    [0, 1].map(|_| {
        let mut command = Command::new("mu");
        command.args(["index", "--quiet", &muhome]);
        command
    })
}

/// Single, weekly and daily events, a third each, with attendees.
fn events(count: usize, from: Timestamp) -> String {
    let mut text = String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bench//EN\r\n");
    for n in 0..count {
        let day = from.plus(DAY * (n % 600) as i64).plus(3600 * (8 + (n % 9) as i64));
        let stamp = |at: Timestamp| Zone::utc().local(at).strftime("%Y%m%dT%H%M%SZ").to_string();
        let (start, end) = (stamp(day), stamp(day.plus(1800)));
        let _ = write!(
            text,
            "BEGIN:VEVENT\r\nUID:e{n}@bench.example\r\nDTSTAMP:{start}\r\nDTSTART:{start}\r\nDTEND:{end}\r\n"
        );
        let _ = write!(text, "SUMMARY:Project {}\r\nORGANIZER:mailto:alex@example.org\r\n", n % 50);
        let _ = write!(text, "ATTENDEE;PARTSTAT=ACCEPTED:mailto:alex@example.org\r\n");
        let _ = write!(text, "ATTENDEE;CN=P {n};PARTSTAT=ACCEPTED:mailto:p{}@firm.example\r\n", n % 300);
        match n % 3 {
            1 => text.push_str("RRULE:FREQ=WEEKLY;COUNT=26\r\n"),
            2 => text.push_str("RRULE:FREQ=DAILY;COUNT=10\r\n"),
            _ => {}
        }
        text.push_str("END:VEVENT\r\n");
    }
    text.push_str("END:VCALENDAR\r\n");
    text
}

fn calendar(bed: &Bed, count: usize, table: &mut Table) {
    let begins = Timestamp::from_second(1_767_225_600);
    let file = bed.file("bench.ics", &events(count, begins));
    let window = ["--from", "2026-01-01T00:00:00Z", "--until", "2028-01-01T00:00:00Z", "--at", "2026-11-01T00:00:00Z"];
    let mut read = Command::new(env!("CARGO_BIN_EXE_kithd"));
    read.arg("read").arg(&file).args(window).args(["--me", "alex@example.org", "--json"]);
    let what = format!("libical, {count} events over two years, to kithd read: processor time");
    let Some(libical) = libical(bed) else {
        table.row(&what, "not installed, or no compiler".to_string(), "", true);
        return;
    };
    let ours = cost(&mut read);
    row(table, &what, &ours, &cost(Command::new(libical).arg(&file).args(["20260101T000000Z", "20280101T000000Z"])));
}

fn libical(bed: &Bed) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/ical.c");
    let program = bed.path("ical");
    let built = Command::new("cc").args(["-O2", "-o"]).arg(&program).arg(source).arg("-lical").output().ok()?;
    built.status.success().then_some(program)
}
