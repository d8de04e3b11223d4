//! Servers that mean harm: dialogues in `tests/hostile/*.txt`, all sources of a file read in one round
//! of the real binary, beside one that is sound. Each is shown in words, none ends the process, none
//! keeps the sound one from being read. `UPDATE_EXPECT=1` writes what is shown.
//!
//! A dialogue is a paragraph: `PROTOCOL what it does`, then `> COMMAND` and what the server says to it
//! instead of what it should, line by line (`\r \n \0 \xHH`, `{N*text}` repeats, `{tag}`, a line that
//! ends with `\` has no line end, `<reset>` ends with RST). What does not answer its command ends the
//! connection. The line `=` is what the user is shown.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kithd::delivery::smtp;
use kithd::evidence::Delivery;
use kithd::net::{Security, Server};

use crate::tale::KITHD;

/// A dialogue as it stands in its file.
#[derive(Clone, Default)]
struct Dialogue {
    protocol: String,
    title: String,
    /// Command, what is said, whether RST follows.
    says: Vec<(String, Vec<String>)>,
    shown: String,
}

fn read(path: &Path) -> Vec<Dialogue> {
    let mut all: Vec<Dialogue> = Vec::new();
    for paragraph in std::fs::read_to_string(path).unwrap().split("\n\n").map(str::trim).filter(|p| !p.is_empty()) {
        let mut dialogue = Dialogue::default();
        for line in paragraph.lines().filter(|l| !l.starts_with('#')) {
            if let Some(command) = line.strip_prefix("> ") {
                dialogue.says.push((command.to_string(), Vec::new()));
            } else if let Some(shown) = line.strip_prefix("= ") {
                dialogue.shown = shown.to_string();
            } else if let Some(text) = line.strip_prefix("  ") {
                dialogue.says.last_mut().unwrap().1.push(text.to_string());
            } else {
                let (protocol, title) = line.split_once(' ').unwrap_or_else(|| panic!("no dialogue: {line}"));
                (dialogue.protocol, dialogue.title) = (protocol.to_string(), title.to_string());
            }
        }
        if !dialogue.protocol.is_empty() {
            all.push(dialogue);
        }
    }
    all
}

/// Bytes of the lines of a reply.
fn bytes(lines: &[String], tag: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines.iter().filter(|l| *l != "<reset>") {
        let (text, end) = line.strip_suffix('\\').map_or((line.as_str(), "\r\n"), |text| (text, ""));
        let mut text = text.replace("{tag}", tag);
        while let Some(at) = text.find('{') {
            let Some((count, word)) = text[at + 1..].split_once('*') else { break };
            let (Ok(count), Some(close)) = (count.parse::<usize>(), word.find('}')) else { break };
            let all = word[..close].repeat(count);
            let after = at + 1 + count.to_string().len() + 1 + close + 1;
            text = format!("{}{all}{}", &text[..at], &text[after..]);
        }
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match (c, c == '\\') {
                (_, true) => match chars.next().unwrap() {
                    'r' => out.push(b'\r'),
                    'n' => out.push(b'\n'),
                    '0' => out.push(0),
                    'x' => {
                        let hex: String = chars.by_ref().take(2).collect();
                        out.push(u8::from_str_radix(&hex, 16).unwrap());
                    }
                    other => out.push(other as u8),
                },
                _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        out.extend_from_slice(end.as_bytes());
    }
    out
}

/// Listens; each connection follows the dialogue.
fn start(dialogue: &Dialogue) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let dialogue = Arc::new(dialogue.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let dialogue = dialogue.clone();
            std::thread::spawn(move || {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
                // whatever ends a connection ends it
                let _ = match dialogue.protocol.as_str() {
                    "imap" => imap(&dialogue, &stream),
                    "smtp" => smtp(&dialogue, &stream),
                    _ => http(&dialogue, &stream),
                };
            });
        }
    });
    port
}

/// Says what the dialogue wants said to this command; `None`: it does not speak of it. `Some(true)`:
/// the connection goes on.
fn harm(dialogue: &Dialogue, command: &str, tag: &str, mut stream: &TcpStream) -> Option<bool> {
    let (_, lines) = dialogue.says.iter().find(|(on, _)| command.to_ascii_uppercase().starts_with(on.as_str()))?;
    let _ = stream.write_all(&bytes(lines, tag));
    if lines.last().is_some_and(|l| l == "<reset>") {
        // bytes that were not read make the kernel send RST
        let _ = stream.write_all(b"");
        return Some(false);
    }
    Some(lines.iter().any(|l| l.contains("{tag} ")))
}

fn imap(dialogue: &Dialogue, mut stream: &TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    match harm(dialogue, "GREETING", "*", stream) {
        None => stream.write_all(b"* OK [CAPABILITY IMAP4rev1 LITERAL+ UIDPLUS] ready\r\n")?,
        Some(_) => {
            let (_, lines) = dialogue.says.iter().find(|(on, _)| on == "GREETING").unwrap();
            if !lines.iter().any(|l| l.starts_with("* OK") || l.starts_with("* PREAUTH")) {
                return Ok(());
            }
        }
    }
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        let text = line.trim_end().to_string();
        line.clear();
        let (tag, command) = text.split_once(' ').unwrap_or((&text, ""));
        match harm(dialogue, command, tag, stream) {
            Some(true) => continue,
            Some(false) => return Ok(()),
            None => {}
        }
        let verb = command.split(' ').next().unwrap_or_default();
        let mut out = match verb {
            "CAPABILITY" => "* CAPABILITY IMAP4rev1 LITERAL+ UIDPLUS\r\n".to_string(),
            "LIST" => "* LIST () \"/\" INBOX\r\n* LIST (\\Sent) \"/\" Sent\r\n".to_string(),
            "STATUS" => {
                let name = command.split(' ').nth(1).unwrap_or("INBOX");
                format!("* STATUS {name} (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 7)\r\n")
            }
            "EXAMINE" => "* 2 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n* OK [UIDNEXT 3] next\r\n".to_string(),
            "UID" if command.contains("FETCH") => rows(command),
            "LOGOUT" => "* BYE\r\n".to_string(),
            _ => String::new(),
        };
        write!(out, "{tag} OK done\r\n").unwrap();
        stream.write_all(out.as_bytes())?;
    }
    Ok(())
}

fn rows(command: &str) -> String {
    let mut out = String::new();
    for uid in 1..3 {
        let header = format!(
            "From: P{uid} <p{uid}@x.example>\r\nTo: alex@example.org\r\nSubject: s\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000\r\nMessage-ID: <m{uid}@x.example>\r\n\r\n"
        );
        let (section, text) = match command {
            c if c.contains("HEADER.FIELDS") => {
                ("HEADER.FIELDS (DATE)", "Date: Mon, 2 Mar 2026 10:00:00 +0000\r\n\r\n".to_string())
            }
            c if c.contains("BODY.PEEK[HEADER]") => ("HEADER", header),
            _ => ("", format!("{header}Hello?\r\n")),
        };
        let origin = if section.contains("FIELDS") { "" } else { "<0>" };
        write!(out, "* {uid} FETCH (UID {uid} FLAGS () INTERNALDATE \"02-Mar-2026 10:00:00 +0000\"").unwrap();
        if command.contains("BODY.PEEK") {
            write!(out, " BODY[{section}]{origin} {{{}}}\r\n{text}", text.len()).unwrap();
        }
        out.push_str(")\r\n");
    }
    out
}

const EVENT: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:u1\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260302T100000Z\r\nDURATION:PT1H\r\nSUMMARY:Lunch\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

fn http(dialogue: &Dialogue, mut stream: &TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    if harm(dialogue, &first, "", stream).is_some() {
        return Ok(());
    }
    let (status, body) = match first.split(' ').next().unwrap_or_default() {
        "GET" => (200, EVENT.to_string()),
        "PROPFIND" => (207, PROPFIND.to_string()),
        "REPORT" => (207, REPORT.replace("@EVENT@", EVENT)),
        _ => (405, String::new()),
    };
    write!(stream, "HTTP/1.1 {status} So\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// One calendar at every path.
const PROPFIND: &str = "<?xml version=\"1.0\"?><multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><response><href>/cal/</href><propstat><prop><current-user-principal><href>/me/</href></current-user-principal><C:calendar-home-set><href>/home/</href></C:calendar-home-set><resourcetype><collection/><C:calendar/></resourcetype><displayname>Cal</displayname><supported-report-set/></prop><status>HTTP/1.1 200 OK</status></propstat></response><response><href>/cal/u1.ics</href><propstat><prop><resourcetype/><getetag>\"1\"</getetag></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>";
const REPORT: &str = "<?xml version=\"1.0\"?><multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><response><href>/cal/u1.ics</href><propstat><prop><getetag>\"1\"</getetag><C:calendar-data>@EVENT@</C:calendar-data></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>";

fn smtp(dialogue: &Dialogue, mut stream: &TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let goes_on = |command: &str| {
        dialogue.says.iter().find(|(on, _)| command.to_ascii_uppercase().starts_with(on.as_str())).is_some_and(
            |(_, l)| {
                l.last().is_some_and(|l| {
                    l.len() > 4 && l.as_bytes()[3] == b' ' && l.starts_with(|c: char| "23".contains(c))
                })
            },
        )
    };
    if harm(dialogue, "GREETING", "", stream).is_none() {
        stream.write_all(b"220 ready\r\n")?;
    } else if !goes_on("GREETING") {
        return Ok(());
    }
    let mut data = false;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        let text = std::mem::take(&mut line).trim_end().to_string();
        let command = match (data, text.as_str()) {
            (true, ".") => {
                data = false;
                "DOT"
            }
            (true, _) => continue,
            (false, text) => text,
        };
        if harm(dialogue, command, "", stream).is_some() {
            if !goes_on(command) {
                return Ok(());
            }
            data = command == "DATA";
            continue;
        }
        let reply = match command.split(' ').next().unwrap_or_default() {
            "DATA" => {
                data = true;
                "354 go on\r\n"
            }
            "QUIT" => "221 bye\r\n",
            _ => "250 ok\r\n",
        };
        stream.write_all(reply.as_bytes())?;
    }
    Ok(())
}

/// Plays all of a file; `show` says what the user is shown of each, in their order.
fn play(file: &str, show: impl FnOnce(&[Dialogue], &[u16]) -> Vec<String>) -> usize {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/hostile").join(file);
    let all = read(&path);
    let ports: Vec<u16> = all.iter().map(start).collect();
    let shown: Vec<String> = show(&all, &ports);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut shown = shown.iter();
        let paragraphs = text.trim_end().split("\n\n").map(|p| {
            if p.lines().all(|l| l.starts_with('#')) {
                return p.to_string();
            }
            let kept: Vec<&str> = p.trim_end().lines().filter(|l| !l.starts_with("= ")).collect();
            format!("{}\n= {}", kept.join("\n"), shown.next().unwrap())
        });
        std::fs::write(&path, paragraphs.collect::<Vec<_>>().join("\n\n") + "\n").unwrap();
        return all.len();
    }
    let wrong: Vec<String> = all
        .iter()
        .zip(&shown)
        .filter(|(d, s)| d.shown != **s)
        .map(|(d, s)| format!("{} {}\n  expected {}\n  shown    {s}", d.protocol, d.title, d.shown))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
    all.len()
}

/// One round over all of them and a sound mailbox. What `status` says of each, without its port.
fn round(all: &[Dialogue], ports: &[u16], section: impl Fn(usize, u16) -> String) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let mail = dir.path().join("mail");
    for part in ["cur", "new", "tmp"] {
        std::fs::create_dir_all(mail.join(part)).unwrap();
    }
    let sound = "From: Ada <ada@example.net>\r\nTo: alex@example.org\r\nSubject: s\r\nMessage-ID: <sound@x.example>\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000\r\n\r\nHello.\r\n";
    std::fs::write(mail.join("cur/1.sound:2,S"), sound).unwrap();
    let password = dir.path().join("password");
    std::fs::write(&password, "secret").unwrap();
    std::fs::set_permissions(&password, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let login = format!("username = \"alex\"\npassword = {{ file = \"{}\" }}\n", password.display());
    let mut config = format!(
        "[me]\nname = \"Alex\"\naddresses = [\"alex@example.org\"]\ntimezone = \"UTC\"\nlanguage = \"en\"\n[store]\npath = \"{}\"\n\
         [[mailbox]]\nname = \"sound\"\ntype = \"maildir\"\npath = \"{}\"\n",
        dir.path().join("state").display(),
        mail.display()
    );
    for (n, port) in ports.iter().enumerate() {
        config.push_str(&section(n, *port).replace("@LOGIN@", &login));
    }
    write!(
        config,
        "[delivery]\nto = \"alex@example.org\"\ninbox = \"sound\"\ntype = \"maildir\"\npath = \"{}\"\n",
        dir.path().join("out").display()
    )
    .unwrap();
    let file = dir.path().join("config.toml");
    std::fs::write(&file, config).unwrap();
    let kithd = |arguments: &[&str]| {
        let mut command = std::process::Command::new(KITHD);
        command.arg("--config").arg(&file).args(arguments).env_remove("RUST_LOG").current_dir(dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let begun = Instant::now();
    let mut child = kithd(&["run", "--once", "--at", "2026-03-10T10:00:00Z"]).spawn().unwrap();
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let reader = std::thread::spawn(move || {
        let (mut a, mut b) = (String::new(), String::new());
        let _ = out.read_to_string(&mut a);
        let _ = err.read_to_string(&mut b);
        (a, b)
    });
    let mut peak = 0;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(begun.elapsed() < Duration::from_secs(150), "the round does not end");
        let memory = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let high =
            memory.lines().find_map(|l| l.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(high.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(10));
    };
    let (_, said) = reader.join().unwrap();
    assert!(
        status.code().is_some_and(|c| c < 2) && !said.contains("panicked") && !said.contains("fault of kithd"),
        "{status} {said}"
    );
    eprintln!("{} dialogues at once: {:?}, peak {} MiB", all.len(), begun.elapsed(), peak >> 10);
    assert!(peak < 256 << 10, "{peak} kB");
    let output = kithd(&["status", "--json"]).output().unwrap();
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let sources = status["sources"].as_array().unwrap();
    let one = |name: &str| sources.iter().find(|s| s["name"] == name).unwrap_or_else(|| panic!("{name} is not shown"));
    assert_eq!((&one("sound")["state"], &one("sound")["read"]), (&"ok".into(), &1.into()), "the sound one is read");
    let complaints = status["complaints"].as_array().unwrap();
    (0..all.len())
        .map(|n| {
            let name = format!("h{n}");
            let source = one(&name);
            let mut shown = format!("{}, {} read", source["state"].as_str().unwrap(), source["read"]);
            if let Some(error) = source["last_error"].as_str() {
                write!(shown, ": {error}").unwrap();
            }
            let more = complaints.iter().filter(|c| c["source"] == name.as_str()).map(|c| c["what"].as_str().unwrap());
            let more: std::collections::BTreeSet<&str> = more.collect();
            more.iter().for_each(|what| write!(shown, "; {what}").unwrap());
            shown.replace(&ports[n].to_string(), "PORT").replace(&name, "NAME").replace('\n', " ")
        })
        .collect()
}

#[test]
fn imap_servers_that_mean_harm() {
    let count = play("imap.txt", |all, ports| {
        round(all, ports, |n, port| {
            format!(
                "[[mailbox]]\nname = \"h{n}\"\ntype = \"imap\"\nhost = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\n@LOGIN@"
            )
        })
    });
    assert!(count >= 80, "{count}");
}

#[test]
fn web_servers_that_mean_harm() {
    let feeds = play("http.txt", |all, ports| {
        round(all, ports, |n, port| {
            format!("[[calendar]]\nname = \"h{n}\"\ntype = \"ics\"\nurl = \"http://127.0.0.1:{port}/a.ics\"\n")
        })
    });
    let accounts = play("caldav.txt", |all, ports| {
        round(all, ports, |n, port| {
            format!("[[calendar]]\nname = \"h{n}\"\ntype = \"caldav\"\nurl = \"http://127.0.0.1:{port}/\"\n@LOGIN@")
        })
    });
    assert!(feeds + accounts >= 70, "{feeds} {accounts}");
}

#[test]
fn smtp_servers_that_mean_harm() {
    let envelope = crate::fuzz::targets::envelope("h@kithd.local");
    let count = play("smtp.txt", |_, ports| {
        let all: Vec<_> = ports
            .iter()
            .map(|port| {
                let server = Server { host: "127.0.0.1".into(), port: *port, security: Security::None, ca_file: None };
                let (params, envelope) = (smtp::Params { server, credentials: None }, envelope.clone());
                std::thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    runtime.block_on(smtp::deliver(&params, &envelope))
                })
            })
            .collect();
        all.into_iter()
            .zip(ports)
            .map(|(task, port)| {
                let shown = match task.join().expect("no panic") {
                    Delivery::Accepted => "accepted".to_string(),
                    Delivery::Transient(what) => format!("transient: {what}"),
                    Delivery::Permanent(what) => format!("permanent: {what}"),
                    Delivery::Unknown(what) => format!("unknown: {what}"),
                };
                shown.replace(&port.to_string(), "PORT")
            })
            .collect()
    });
    assert!(count >= 40, "{count}");
}
