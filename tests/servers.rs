//! The real binary against real servers on loopback: Dovecot, Cyrus and Exim, started here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]
#![allow(dead_code)]

#[path = "servers/bed.rs"]
mod bed;
#[path = "servers/canary.rs"]
mod canary;
#[path = "servers/certs.rs"]
mod certs;
#[path = "servers/cyrus.rs"]
mod cyrus;
#[path = "servers/delivery.rs"]
mod delivery;
#[path = "servers/dovecot.rs"]
mod dovecot;
#[path = "servers/exim.rs"]
mod exim;
#[path = "servers/imap.rs"]
mod imap;
#[path = "servers/life.rs"]
mod life;
#[path = "servers/oauth.rs"]
mod oauth;
#[path = "servers/proxy.rs"]
mod proxy;
#[path = "servers/raw.rs"]
mod raw;

use cyrus::Cyrus;
use dovecot::Wishes;
use life::{Life, Service, letter, place};
use oauth::OAuth;
use proxy::{Harm, Plan, Proxy, Way};
use raw::Raw;

/// The reminder of Ada's question lies in the inbox once, in her conversation, and all else is as it was.
fn ada_is_told_of_once(life: &Life) {
    let before = life.raw().messages("INBOX");
    let said = life.round();
    let arrived = life::until("the reminder", || life.reminders("INBOX").into_iter().next());
    assert!(arrived.contains("In-Reply-To: <d1@example.net>"), "{arrived}");
    assert!(arrived.contains("Could you send me the deck?"), "{arrived}");
    let again = life.round();
    assert!(again.out.contains("0 sent"), "{said:?} {again:?}");
    assert_eq!(life.reminders("INBOX").len(), 1);
    // no flag of the user's changed, nor was one set on the reminder
    let after = life.raw().messages("INBOX");
    for (flags, text) in &before {
        assert!(after.iter().any(|(f, t)| t == text && f.replace(" \\Recent", "") == flags.replace(" \\Recent", "")));
    }
    let (flags, _) = after.iter().find(|(_, t)| t.contains("X-Kithd-Reminder")).unwrap();
    assert!(!flags.contains("Seen"), "{flags}");
    let rows = life.json(&["reminders", "--all", "--json"]);
    assert_eq!(rows[0]["state"], "sent", "{rows}");
}

#[test]
fn mail_in_by_imap_and_a_reminder_out_by_smtp() {
    let mut life = Life::new();
    let _exim = life.exim();
    life.ada_waits(&mut life.raw());
    ada_is_told_of_once(&life);
}

#[test]
fn the_same_by_starttls_on_both_sides() {
    let mut life = Life::new();
    let exim = life.exim();
    life.mailbox = place(&life.certs, life.dovecot.imap, "starttls");
    life.delivery = format!("type = \"smtp\"\n{}{}", place(&life.certs, exim.submission, "starttls"), life.login());
    life.ada_waits(&mut life.raw());
    ada_is_told_of_once(&life);
}

#[test]
fn the_same_without_condstore_idle_and_special_use() {
    let wishes = Wishes { capability: Some("IMAP4rev1 LITERAL+ SASL-IR"), ..Wishes::default() };
    let mut life = Life::with(&wishes);
    let _exim = life.exim();
    life.ada_waits(&mut life.raw());
    ada_is_told_of_once(&life);
}

#[test]
fn the_same_by_append() {
    let mut life = Life::new();
    life.delivery = "type = \"append\"\nmailbox = \"work\"\n".to_string();
    life.ada_waits(&mut life.raw());
    ada_is_told_of_once(&life);
}

#[test]
fn the_same_with_a_token_that_is_refreshed() {
    let oauth = OAuth::start("alex");
    let url = format!("http://127.0.0.1:{}", oauth.port);
    let wishes = Wishes { introspection: Some(format!("{url}/introspect")), ..Wishes::default() };
    let mut life = Life::with(&wishes);
    life.delivery = "type = \"append\"\nmailbox = \"work\"\n".to_string();
    let refresh = life.secret("refresh", "r1");
    let client = life.secret("client", "c1");
    life.mailbox = format!(
        "{}username = \"alex\"\n[mailbox.oauth2]\ntoken_url = \"{url}/token\"\nclient_id = \"kithd\"\n\
         client_secret = {{ file = \"{}\" }}\nrefresh_token = {{ file = \"{}\" }}\n",
        place(&life.certs, life.dovecot.imaps, "tls"),
        client.display(),
        refresh.display()
    );
    life.ada_waits(&mut life.raw());
    ada_is_told_of_once(&life);
    assert!(oauth.given() >= 1);
    let asked = oauth.seen.lock().unwrap().join("\n");
    assert!(asked.contains("grant_type=refresh_token"), "{asked}");
}

#[test]
fn the_same_from_cyrus() {
    let mut life = Life::new();
    let cyrus = Cyrus::start(&life.bed, &life.certs, &["alex"]);
    life.mailbox = place(&life.certs, cyrus.imaps, "tls");
    life.ada_waits(&mut Raw::login(cyrus.imap, "alex"));
    life.delivery = "type = \"append\"\nmailbox = \"work\"\n".to_string();
    life.round();
    let reminders = || {
        let all = Raw::login(cyrus.imap, "alex").messages("INBOX");
        all.into_iter().filter(|(_, t)| t.contains("X-Kithd-Reminder:")).count()
    };
    assert_eq!(reminders(), 1);
    life.round();
    assert_eq!(reminders(), 1);
    let status = life.json(&["status", "--json"]);
    let folders = status["sources"][0]["folders"].as_array().unwrap();
    assert!(folders.iter().any(|f| f["name"] == "Sent" && f["role"] == "sent"), "{status}");
}

#[test]
fn what_is_wrong_is_said_in_words_and_the_rest_goes_on() {
    let mut life = Life::new();
    life.ada_waits(&mut life.raw());
    let good = life.mailbox.clone();
    let wrong = life.secret("wrong", "not it");
    let cases = [
        (
            format!("{good}username = \"alex\"\npassword = {{ file = \"{}\" }}\n", wrong.display()),
            "AUTHENTICATIONFAILED",
        ),
        (good.replace(&life.dovecot.imaps.to_string(), "1"), "localhost:1"),
        (good.lines().filter(|l| !l.starts_with("ca_file")).collect::<Vec<_>>().join("\n") + "\n", "ca_file"),
    ];
    for (mailbox, word) in cases {
        life.mailbox = mailbox;
        let said = life.kithd(&["run", "--once"]);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.err.contains(word) && said.err.contains("work"), "{word}: {said:?}");
        let check = life.kithd(&["check"]);
        assert_eq!(check.code, 1, "{check:?}");
        assert!(check.out.contains(word), "{word}: {check:?}");
        assert!(!said.all().contains("not it") && !check.all().contains("not it"));
    }
    life.mailbox = good;
    life.round();
    assert_eq!(life.kithd(&["check"]).code, 0, "{:?}", life.kithd(&["check"]));
}

#[test]
fn certificates_that_do_not_fit_are_refused() {
    for (expired, word) in [(true, "expired"), (false, "elsewhere.example")] {
        let mut life = Life::new();
        let cert = if expired { &life.certs.expired } else { &life.certs.wrong_host };
        let odd = dovecot::Dovecot::start(&life.bed, &life.certs, &Wishes { cert: Some(cert), ..Wishes::default() });
        for (port, security) in [(odd.imaps, "tls"), (odd.imap, "starttls")] {
            life.mailbox = place(&life.certs, port, security);
            let said = life.kithd(&["run", "--once"]);
            assert_eq!(said.code, 1, "{said:?}");
            assert!(said.err.contains(word), "{word}: {said:?}");
        }
    }
}

#[test]
fn reading_again_adds_nothing_whatever_the_server_forgot() {
    let life = Life::new();
    let mut raw = life.raw();
    life.ada_waits(&mut raw);
    for n in 0..40 {
        let id = format!("m{n}@example.net");
        raw.append("INBOX", "", &letter("Bea <bea@example.net>", &life.me, &format!("Mail {n}"), &id, 30 + n, "Hello"));
    }
    life.round();
    let counts = life.json(&["status", "--json"])["counts"].clone();
    for round in 0..3 {
        // what Dovecot knows of the folder's UIDs: without it there is a new UIDVALIDITY
        for folder in ["INBOX", "Sent"] {
            for entry in std::fs::read_dir(life.dovecot.maildir("alex", folder)).unwrap().flatten() {
                if entry.file_name().to_string_lossy().starts_with("dovecot") {
                    std::fs::remove_file(entry.path()).unwrap();
                }
            }
        }
        let mut raw = life.raw();
        if round == 1 {
            raw.ask("CREATE Moved");
            raw.ask("SELECT INBOX");
            raw.ask("UID COPY 1:* Moved");
        }
        if round == 2 {
            raw.ask("RENAME Moved Elsewhere");
        }
        life.round();
        assert_eq!(life.json(&["status", "--json"])["counts"], counts, "round {round}");
    }
}

#[test]
fn new_mail_is_noticed_while_the_service_waits() {
    let life = Life::new();
    let mut raw = life.raw();
    life.ada_waits(&mut raw);
    let service = Service::start(&life);
    let status = || life.json(&["status", "--json"]);
    life::until("the first reading", || (status()["sources"][0]["state"] == "ok").then_some(()));
    let before = status()["counts"]["interactions"].as_u64().unwrap();
    // `poll` is five minutes: what comes sooner came by IDLE
    raw.append("INBOX", "", &letter("Ada Abel <ada@example.net>", &life.me, "And", "d2@example.net", 0, "Hello again"));
    let begun = std::time::Instant::now();
    life::until("the new mail", || (status()["counts"]["interactions"].as_u64() == Some(before + 1)).then_some(()));
    assert!(begun.elapsed() < std::time::Duration::from_secs(240), "{:?}", begun.elapsed());
    service.signal("-TERM");
    let mut service = service;
    let ended = life::until("the end", || service.0.try_wait().unwrap());
    assert_eq!(ended.code(), Some(0), "{}", std::fs::read_to_string(life.bed.path("service.log")).unwrap());
}

#[test]
fn a_connection_that_breaks_anywhere_leaves_one_reminder() {
    let mut life = Life::new();
    let exim = life.exim();
    let (imap, smtp) = (Proxy::start(life.dovecot.imaps), Proxy::start(exim.submissions));
    life.mailbox = place(&life.certs, imap.port, "tls");
    life.delivery = format!("type = \"smtp\"\n{}{}", place(&life.certs, smtp.port, "tls"), life.login());
    life.ada_waits(&mut life.raw());
    // what a whole round needs, in bytes on each way
    life.round();
    let (sent, got) = smtp.passed();
    life::until("the reminder", || life.reminders("INBOX").into_iter().next());
    assert_eq!(life.reminders("INBOX").len(), 1);
    let mut cuts = 0;
    for (way, whole) in [(Way::ToServer, sent), (Way::ToClient, got)] {
        for part in 1..8 {
            let after = whole * part / 8;
            life.forget();
            smtp.harm(Plan { way, after, harm: Harm::Close, times: 1 });
            let _ = life.kithd(&["run", "--once"]);
            // the next rounds set it right: what may be on its way is searched for, for an hour
            for minutes in [2, 10, 20, 70, 80, 200] {
                let at = kithd::time::now().plus(minutes * kithd::time::MINUTE).to_string();
                let _ = life.kithd(&["run", "--once", "--at", &at]);
            }
            life::until("the reminder", || life.reminders("INBOX").into_iter().next());
            assert_eq!(life.reminders("INBOX").len(), 1, "cut {way:?} after {after} of {whole} bytes");
            cuts += 1;
        }
    }
    eprintln!("{cuts} cuts of the SMTP dialogue, each one reminder");
}

#[test]
fn trouble_is_told_once_by_whatever_way_works_and_again_when_it_is_over() {
    let mut life = Life::new();
    life.ada_waits(&mut life.raw());
    let exim = life.exim();
    let good = life.delivery.clone();
    let second =
        format!("[[mailbox]]\nname = \"other\"\ntype = \"imap\"\n{}{}", place(&life.certs, 1, "tls"), life.login());
    // nobody listens at port 1: neither at the second mailbox nor at the SMTP server
    life.delivery = format!("{}{second}", good.replace(&exim.submissions.to_string(), "1"));
    for _ in 0..2 {
        let said = life.kithd(&["run", "--once"]);
        assert_eq!(said.code, 1, "{said:?}");
    }
    let told = life.reminders("INBOX");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("X-Kithd-Rule: notice/failing") && told[0].contains("other"), "{}", told[0]);
    let status = life.json(&["status", "--json"]);
    assert_eq!(status["held"][0]["source"], "other", "{status}");
    // mended: what was held comes, and a word that all is well
    life.delivery = format!("{good}{}", second.replace("port = 1", &format!("port = {}", life.dovecot.imaps)));
    life.round();
    let all = life::until("both", || Some(life.reminders("INBOX")).filter(|all| all.len() == 3));
    assert!(all.iter().any(|m| m.contains("X-Kithd-Rule: notice/well")), "{all:?}");
    assert!(all.iter().any(|m| m.contains("Could you send me the deck?")), "{all:?}");
}

#[test]
fn a_reminder_whose_reason_is_gone_is_taken_away_if_it_is_unread() {
    for is_read in [false, true] {
        let mut life = Life::new();
        life.delivery = "type = \"append\"\nmailbox = \"work\"\nretire = true\n".to_string();
        let mut raw = life.raw();
        life.ada_waits(&mut raw);
        life.round();
        assert_eq!(life.reminders("INBOX").len(), 1);
        if is_read {
            raw.ask("SELECT INBOX");
            raw.ask("UID STORE 1:* +FLAGS.SILENT (\\Seen)");
        }
        let before = life.raw().messages("INBOX").len();
        let answer = letter(&life.me, "ada@example.net", "Re: Deck", "a1@example.org", 0, "Here it is.");
        let answer = answer.replace("\n\n", "\nIn-Reply-To: <d1@example.net>\n\n");
        raw.append("Sent", "\\Seen", &answer);
        life.round();
        assert_eq!(life.reminders("INBOX").len(), usize::from(is_read));
        assert_eq!(life.raw().messages("INBOX").len(), before - usize::from(!is_read), "and nothing else");
        let rows = life.json(&["reminders", "--all", "--json"]);
        assert_eq!((&rows[0]["state"], &rows[0]["closed_by"]), (&"done".into(), &"a1@example.org".into()), "{rows}");
    }
}

#[test]
fn killed_at_any_moment_it_loses_and_doubles_nothing() {
    let mut life = Life::new();
    let _exim = life.exim();
    let mut raw = life.raw();
    life.ada_waits(&mut raw);
    for n in 0..60 {
        let id = format!("k{n}@example.net");
        raw.append("INBOX", "", &letter("Bea <bea@example.net>", &life.me, &format!("Mail {n}"), &id, 60 + n, "Hello"));
    }
    let kills = std::env::var("KITHD_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(12_u64);
    let begun = std::time::Instant::now();
    life.round();
    let whole = begun.elapsed();
    let counts = life.json(&["status", "--json"])["counts"].clone();
    life.forget();
    for n in 0..kills {
        if n % 12 == 0 {
            life.forget();
        }
        let mut child = life.command(&["run", "--once"]).stdout(std::process::Stdio::null()).spawn().unwrap();
        // later each time: a little further than the last one came
        std::thread::sleep(whole.mul_f64(f64::from(u32::try_from(n % 12).unwrap() + 1) / 12.0));
        let _ = child.kill();
        let _ = child.wait();
        if n % 12 == 11 {
            for minutes in [2, 10, 20, 70, 200] {
                let at = kithd::time::now().plus(minutes * kithd::time::MINUTE).to_string();
                let _ = life.kithd(&["run", "--once", "--at", &at]);
            }
            life::until("the reminder", || life.reminders("INBOX").into_iter().next());
            assert_eq!(life.reminders("INBOX").len(), 1, "after {n} kills");
            assert_eq!(life.json(&["status", "--json"])["counts"], counts, "after {n} kills");
        }
    }
    eprintln!("{kills} kills");
}
