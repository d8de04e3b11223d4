//! Reading again adds nothing, and servers are not worn out: UIDVALIDITY storms, refused logins, how
//! many connections are open at once. Counted at the servers.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::life::{self, Life, Service, letter};

/// Twenty times the folders get a new UIDVALIDITY, new names, or both.
#[test]
fn a_storm_of_new_uid_validities_adds_nothing() {
    let life = Life::new();
    life.ada_waits(&mut life.raw());
    let cur = life.dovecot.maildir("alex", "INBOX").join("cur");
    for n in 0..1000 {
        let who = format!("Bea {} <bea{}@example.net>", n % 40, n % 40);
        let mail = letter(
            &who,
            &life.me,
            &format!("Mail {n}"),
            &format!("s{n}@example.net"),
            30 + n % 200,
            "Hello, how are you?",
        );
        std::fs::write(cur.join(format!("{n}.storm.test:2,S")), mail).unwrap();
    }
    let sent = life.dovecot.maildir("alex", "Sent").join("cur");
    for n in 0..40 {
        let mail =
            letter(&life.me, &format!("bea{n}@example.net"), "Hello", &format!("h{n}@example.org"), 300, "Hello");
        std::fs::write(sent.join(format!("{n}.storm.test:2,S")), mail).unwrap();
    }
    life.bed.give_all(&life.dovecot.maildir("alex", "Sent"));
    life.bed.give_all(&life.dovecot.maildir("alex", "INBOX"));
    life.round();
    let state = || {
        (
            life.json(&["status", "--json"])["counts"].clone(),
            life.json(&["reminders", "--all", "--json"]).as_array().unwrap().len(),
        )
    };
    let before = state();
    assert!(before.0["interactions"].as_u64().unwrap() >= 1000, "{before:?}");
    let mut name = String::from("Sent");
    for storm in 0..20 {
        for folder in ["INBOX", "Archive", "Old1", "Old2", "Old3"] {
            for entry in std::fs::read_dir(life.dovecot.maildir("alex", folder)).into_iter().flatten().flatten() {
                if entry.file_name().to_string_lossy().starts_with("dovecot") {
                    std::fs::remove_file(entry.path()).unwrap();
                }
            }
        }
        let mut raw = life.raw();
        match storm % 5 {
            1 => {
                raw.ask("SELECT INBOX");
                raw.ask("UID COPY 1:100 Archive");
            }
            3 => {
                let new = format!("Old{}", storm / 5 + 1);
                if name != "Sent" {
                    raw.ask(&format!("RENAME {name} {new}"));
                } else {
                    raw.ask(&format!("CREATE {new}"));
                    raw.ask("SELECT INBOX");
                    raw.ask(&format!("UID COPY 1:50 {new}"));
                }
                name = new;
            }
            _ => {}
        }
        drop(raw);
        life.round();
        assert_eq!(state(), before, "storm {storm}");
    }
    eprintln!("1,000 messages, 20 storms: nothing new");
}

/// A server that refuses each login, and counts.
fn refusing() -> (u16, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let logins = Arc::<AtomicU64>::default();
    let counted = logins.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let counted = counted.clone();
            std::thread::spawn(move || {
                let _ = stream.write_all(b"* OK [CAPABILITY IMAP4rev1] ready\r\n");
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while let Some(Ok(line)) = lines.next() {
                    let tag = line.split(' ').next().unwrap_or_default();
                    let says = if line.contains("LOGIN") {
                        counted.fetch_add(1, Ordering::SeqCst);
                        format!("{tag} NO [AUTHENTICATIONFAILED] wrong\r\n")
                    } else {
                        format!("{tag} OK\r\n")
                    };
                    if stream.write_all(says.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, logins)
}

/// Whatever the user asks of the service, a refused login is not tried more than three times an hour.
#[test]
fn a_refused_login_is_not_tried_on_and_on() {
    let mut life = Life::new();
    let (port, logins) = refusing();
    life.mailbox = format!("host = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\n{}", life.login());
    let mut service = Service::start(&life);
    life::until("a refusal", || (logins.load(Ordering::SeqCst) > 0).then_some(()));
    for _ in 0..12 {
        let _ = life.kithd(&["run", "--once"]);
        service.signal("-HUP");
    }
    let tried = logins.load(Ordering::SeqCst);
    service.signal("-TERM");
    life::until("the end", || service.0.try_wait().unwrap());
    assert!((1..=3).contains(&tried), "{tried} logins were tried");
}

/// Connections to a port of this machine that are open now, as the kernel counts them.
fn open_connections(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let wanted = format!(":{port:04X}");
    // remote end is the server, state is ESTABLISHED
    let is_client = |l: &&str| {
        let fields: Vec<&str> = l.split_whitespace().collect();
        fields.get(2).is_some_and(|remote| remote.ends_with(&wanted)) && fields.get(3) == Some(&"01")
    };
    table.lines().skip(1).filter(is_client).count()
}

#[test]
fn an_account_has_two_connections_at_most() {
    let mut life = Life::new();
    life.delivery = "type = \"append\"\nmailbox = \"work\"\n".to_string();
    life.ada_waits(&mut life.raw());
    let port = life.dovecot.imaps;
    let service = Service::start(&life);
    let mut most = 0;
    life::until("the reminder", || {
        most = most.max(open_connections(port));
        life.reminders("INBOX").into_iter().next()
    });
    let mut raw = life.raw();
    for n in 0..30 {
        let mail = letter("Ada <ada@example.net>", &life.me, "More", &format!("c{n}@example.net"), 0, "Hello");
        raw.append("INBOX", "", &mail);
        for _ in 0..20 {
            most = most.max(open_connections(port));
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
    drop(service);
    assert!(most <= 2, "{most} connections at once");
}
