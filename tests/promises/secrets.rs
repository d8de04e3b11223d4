//! Canary secrets: every kind a config can hold, with the log at TRACE. Logs, what is printed, the state
//! folder, argv, the environment of children and cores are searched, raw, in base64, URL-encoded and in
//! hexadecimal digits.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::canary::{forms, hits};
use crate::dovecot::PASSWORD;
use crate::life::{self, Life, Service, place};

#[test]
fn the_searcher_finds_what_was_planted() {
    let dir = tempfile::tempdir().unwrap();
    let secret = "canary pass/word+7";
    let planted = [
        format!("login with {secret} failed"),
        STANDARD.encode(format!("\0alex\0{secret}")),
        STANDARD.encode(format!("\0al\0{secret}")),
        STANDARD.encode(format!("user=x\x01auth=Bearer {secret}\x01\x01")),
        "grant_type=x&refresh_token=canary%20pass%2Fword%2B7".to_string(),
        "x=canary+pass%2Fword%2B7".to_string(),
        secret.bytes().map(|b| format!("{b:02x}")).collect(),
        URL_SAFE_NO_PAD.encode(format!("abc{secret}")),
    ];
    for (n, text) in planted.iter().enumerate() {
        fs::create_dir_all(dir.path().join(n.to_string())).unwrap();
        fs::write(dir.path().join(n.to_string()).join("log"), text).unwrap();
    }
    fs::write(dir.path().join("clean"), "canary pass word 7").unwrap();
    let found = hits(dir.path(), &[secret], &|_| false);
    assert_eq!(found.len(), planted.len(), "{found:#?}");
}

#[test]
fn secrets_are_nowhere() {
    let mut life = Life::new();
    let _exim = life.exim();
    life.ada_waits(&mut life.raw());
    let wrong = "canary-wrong-password-93";
    let feed = "canary-feed-path-51f2";
    let token = "canary-token-77aa";
    let from_command = "canary-command-4711";
    let wrong_file = life.secret("canary-wrong", wrong);
    let refused = format!(
        "[[mailbox]]\nname = \"refused\"\ntype = \"imap\"\n{}username = \"alex\"\npassword = {{ file = \"{}\" }}\n\
         [[mailbox]]\nname = \"command\"\ntype = \"imap\"\n{}username = \"bea\"\npassword = {{ command = [\"sh\", \"-c\", \"cat {}\"] }}\n\
         [[mailbox]]\nname = \"token\"\ntype = \"imap\"\n{}username = \"carl\"\noauth2 = {{ token_command = [\"cat\", \"{}\"] }}\n\
         [[calendar]]\nname = \"feed\"\ntype = \"ics\"\nurl = \"http://127.0.0.1:1/{feed}/basic.ics\"\n\
         [[calendar]]\nname = \"dav\"\ntype = \"caldav\"\nurl = \"http://127.0.0.1:1/\"\nusername = \"alex\"\npassword = {{ file = \"{}\" }}\n",
        place(&life.certs, life.dovecot.imaps, "tls"),
        wrong_file.display(),
        place(&life.certs, life.dovecot.imap, "starttls"),
        life.secret("canary-command", from_command).display(),
        place(&life.certs, life.dovecot.imaps, "tls"),
        life.secret("canary-token", token).display(),
        wrong_file.display(),
    );
    life.delivery = format!("{}{refused}", life.delivery);
    let out = life.bed.folder("said");
    let secrets = [PASSWORD, wrong, feed, token, from_command];
    let say = |name: &str, arguments: &[&str]| {
        let output = life.command(arguments).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full").output().unwrap();
        fs::write(out.join(format!("{name}.out")), output.stdout).unwrap();
        fs::write(out.join(format!("{name}.err")), output.stderr).unwrap();
    };
    say("once", &["run", "--once"]);
    say("check", &["check"]);
    say("status", &["status", "--json"]);
    say("export", &["export", "--format", "json"]);
    say("backup", &["backup", out.join("copy").to_str().unwrap()]);
    // the service: what /proc shows of it and of its children while it logs in
    let log = fs::File::create(out.join("service.err")).unwrap();
    let mut command = life.command(&["run", "--record", out.join("trace.ndjson").to_str().unwrap()]);
    let child = command.env("RUST_LOG", "trace").stdout(Stdio::null()).stderr(log).current_dir(&out).spawn().unwrap();
    let service = Service(child);
    let mut seen = 0;
    life::until("the first readings", || {
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
            let parent = status.lines().find_map(|l| l.strip_prefix("PPid:\t")?.parse::<u32>().ok());
            let pid: u32 = entry.file_name().to_string_lossy().parse().unwrap_or(0);
            if pid == service.0.id() || parent == Some(service.0.id()) {
                for part in ["cmdline", "environ"] {
                    if let Ok(bytes) = fs::read(entry.path().join(part)) {
                        seen += 1;
                        fs::write(out.join(format!("proc-{seen}-{part}")), bytes).unwrap();
                    }
                }
            }
        }
        fs::read_to_string(out.join("service.err")).unwrap().contains("refuses the login").then_some(())
    });
    say("client", &["status", "--json"]);
    // a core: kithd says that none is to be made, and if one is, it lies here
    service.signal("-ABRT");
    let mut service = service;
    life::until("its end", || service.0.try_wait().unwrap());
    assert!(seen > 2);
    let store = life.bed.path("store");
    let log = fs::read_to_string(out.join("once.err")).unwrap();
    assert!(
        log.contains("refuses the login") && log.contains("TRACE"),
        "the log is not at TRACE, or nothing was refused"
    );
    let kept: Vec<PathBuf> =
        ["password", "canary-wrong", "canary-command", "canary-token"].iter().map(|n| life.bed.path(n)).collect();
    let except = |path: &Path| kept.iter().any(|k| k == path);
    let mut found = hits(&out, &secrets, &except);
    found.extend(hits(&store, &secrets, &except));
    // the secret part of a feed's address stands in the config, and nowhere else
    found.retain(|hit| !hit.ends_with("config.toml"));
    assert!(found.is_empty(), "{found:#?}");
    let searched = fs::read_dir(&out).unwrap().count();
    eprintln!(
        "{} secrets in {} forms each: 0 hits in {searched} outputs and the state folder",
        secrets.len(),
        forms(PASSWORD).len()
    );
}
