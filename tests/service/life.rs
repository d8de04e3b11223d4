//! Beginning, changing, ending, and what systemd is told.

use std::fs;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::world::{Service, World, wait, wait_secs};

#[test]
fn new_mail_is_seen_at_the_next_poll() {
    let world = World::new();
    let text = world.config_text().replacen("type = \"maildir\"\n", "type = \"maildir\"\npoll = \"1min\"\n", 1);
    world.write_config(&text);
    let mut service = world.start();
    wait("everything was read", || service.log().matches("reading ended").count() >= 3);
    world.mail("poll-1", "Have you seen this?");
    assert!(!world.says(&["contact", "dana"]).contains("poll-1"));
    wait_secs(75, "the mail was seen", &mut || world.says(&["contact", "dana"]).contains("poll-1"));
    service.stop();
}

#[test]
fn a_second_service_is_refused_and_a_killed_one_replaced() {
    let world = World::new();
    let mut first = world.start();
    let second = world.run(&["run"]);
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("kithd runs already: it answers at "), "{said}");
    first.signal("KILL");
    first.end();
    assert!(world.socket().exists(), "a killed service leaves its socket");
    assert!(world.says(&["contact", "dana"]).contains("Dana Ito"), "and commands go to the store");
    let mut third = world.start();
    assert!(third.call("status", serde_json::json!({}))["result"]["version"].is_string());
    third.stop();
    assert!(!world.socket().exists());
}

#[test]
fn killed_at_any_moment_it_begins_again() {
    let world = World::new();
    let known = world.json(&["status", "--json"])["counts"]["interactions"].as_u64().unwrap();
    for n in 0..12 {
        world.mail(&format!("kill-{n}"), "One more.");
        let mut service = world.start();
        std::thread::sleep(Duration::from_millis(n * 9));
        service.signal("KILL");
        service.end();
    }
    let mut service = world.start();
    world.says(&["run", "--once"]);
    let status = world.json(&["status", "--json"]);
    assert_eq!(status["counts"]["interactions"].as_u64().unwrap(), known + 12, "each mail once");
    service.stop();
    let checked = world.says(&["check", "--offline"]);
    assert!(checked.contains("store: sound"), "{checked}");
}

#[test]
fn a_store_that_is_held_without_a_service_is_waited_for() {
    let world = World::new();
    let lock = fs::File::options().read(true).write(true).open(world.path("state/lock")).unwrap();
    lock.lock().unwrap();
    let begun = Instant::now();
    let refused = world.run(&["status"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("is in use by another process, and no service answers at"), "{said}");
    assert!((4..60).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    drop(lock);
    world.says(&["status"]);
}

#[test]
fn a_reload_takes_what_is_good_and_nothing_else() {
    let world = World::new();
    let good = world.config_text();
    let mut service = world.start();
    let names = |world: &World| -> Vec<String> {
        let status = world.json(&["status", "--json"]);
        status["sources"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap().to_string()).collect()
    };
    wait("everything was read", || service.log().matches("reading ended").count() >= 3);

    fs::create_dir_all(world.path("more")).unwrap();
    let more = format!("[[calendar]]\nname = \"more\"\ntype = \"ics\"\npath = \"{}\"\n", world.path("more").display());
    world.write_config(&format!("{good}\n{more}"));
    service.signal("HUP");
    wait("the calendar is there", || names(&world) == ["mail", "calendar", "more", "people"]);
    wait("it was read", || world.json(&["status", "--json"])["sources"][2]["state"] == "ok");
    assert_eq!(service.log().matches("reading ended").count(), 4, "the others were left alone: {}", service.log());

    let mut broken = 0;
    for (n, text) in broken_configs(&good).iter().enumerate() {
        world.write_config(text);
        let answer = service.call("reload", serde_json::json!({}));
        let why = answer["error"]["message"].as_str().unwrap_or_else(|| panic!("{n}: {answer}\n{text}"));
        assert_eq!(answer["error"]["code"], 1);
        let alone = world.run(&["status"]);
        if alone.status.code() == Some(2) {
            let said = String::from_utf8_lossy(&alone.stderr).into_owned();
            assert_eq!(said.trim_end(), why, "the same error as at the command line");
        }
        broken += 1;
    }
    assert!(broken >= 50, "{broken}");
    assert!(service.log().matches("config refused, the old one goes on").count() >= broken);

    world.write_config(&good);
    assert_eq!(service.call("status", serde_json::json!({}))["result"]["sources"].as_array().unwrap().len(), 4);
    service.signal("HUP");
    wait("the calendar is gone", || names(&world) == ["mail", "calendar", "people"]);
    service.stop();
}

/// The good one with one thing wrong each.
fn broken_configs(good: &str) -> Vec<String> {
    let mut broken = vec![
        String::new(),
        "[".to_string(),
        good.replacen("name = \"Alex Doe\"", "nane = \"Alex Doe\"", 1),
        good.replacen("timezone = \"Europe/Berlin\"", "timezone = \"Europe/Nowhere\"", 1),
        good.replacen("[delivery]", "[deliveries]", 1),
        good.replacen("[store]\npath = \"", "[store]\npath = \"/elsewhere", 1),
        format!("{good}\n[control]\nsocket = \"/elsewhere/kithd.sock\"\n"),
        format!("{good}\n[[mailbox]]\nname = \"mail\"\ntype = \"maildir\"\npath = \"/tmp/x\"\n"),
    ];
    for (n, line) in good.lines().enumerate().filter(|(_, l)| l.contains('=')) {
        let with = |new: &str| {
            let lines: Vec<&str> = good.lines().enumerate().map(|(m, l)| if m == n { new } else { l }).collect();
            lines.join("\n")
        };
        let (key, value) = line.split_once(" = ").unwrap();
        broken.push(with(&format!("{key}x = {value}")));
        broken.push(with(&format!("{key} = 7.5")));
        broken.push(with(&format!("{key} = \"")));
    }
    broken
}

/// What systemd would hear.
struct Notify {
    socket: UnixDatagram,
    heard: Vec<String>,
}

impl Notify {
    fn at(world: &World) -> Notify {
        let socket = UnixDatagram::bind(world.path("notify.sock")).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        Notify { socket, heard: Vec::new() }
    }

    fn count(&mut self, word: &str) -> usize {
        let mut buffer = [0; 4096];
        while let Ok(n) = self.socket.recv(&mut buffer) {
            self.heard.push(String::from_utf8_lossy(&buffer[..n]).into_owned());
        }
        self.heard.iter().filter(|h| h.contains(word)).count()
    }
}

fn notified(world: &World, service: impl FnOnce(&mut Command)) -> Service {
    let path = world.path("notify.sock");
    world.start_with(&[], |command| {
        command.env("NOTIFY_SOCKET", path);
        service(command);
    })
}

#[test]
fn systemd_is_told() {
    let world = World::new();
    let mut notify = Notify::at(&world);
    let mut service = notified(&world, |command| {
        command.env("WATCHDOG_USEC", "2000000");
    });
    wait("ready", || notify.count("READY=1\n") == 1);
    wait("status", || notify.count("STATUS=idle; next look ") >= 1);
    assert!(notify.count(" open reminders\n") >= 1);
    wait("the watchdog is fed", || notify.count("WATCHDOG=1\n") >= 2);

    service.signal("HUP");
    wait("a reload begins and ends", || notify.count("READY=1\n") == 2);
    assert_eq!(notify.count("RELOADING=1\nMONOTONIC_USEC="), 1);
    let good = world.config_text();
    world.write_config("[me]\nnane = 1\n");
    service.signal("HUP");
    wait("a bad reload is told", || notify.count("STATUS=config refused, the old one goes on: ") >= 1);
    assert_eq!(notify.count("READY=1\n"), 3);
    world.write_config(&good);
    service.signal("HUP");
    wait("and taken back", || notify.count("READY=1\n") == 4);

    // a loop that does not go on does not feed it
    service.signal("STOP");
    std::thread::sleep(Duration::from_secs(1));
    let fed = notify.count("WATCHDOG=1\n");
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(notify.count("WATCHDOG=1\n"), fed);
    service.signal("CONT");
    wait("it goes on", || notify.count("WATCHDOG=1\n") > fed);
    service.stop();
    assert_eq!(notify.count("STOPPING=1\n"), 1);
}

/// A server that takes connections and never says a word, and a mailbox there.
fn hanging_server(world: &World) -> TcpListener {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let port = server.local_addr().unwrap().port();
    let mailbox = format!(
        "[[mailbox]]\nname = \"slow\"\ntype = \"imap\"\nhost = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\nusername = \"alex\"\npassword = {{ command = [\"echo\", \"secret\"] }}\n"
    );
    world.write_config(&format!("{}\n{mailbox}", world.config_text()));
    server
}

#[test]
fn it_stops_in_time_while_a_server_hangs() {
    let world = World::new();
    let server = hanging_server(&world);
    world.mail("hang-1", "Hello!");
    let mut service = world.start();
    let mut connection = None;
    wait("it asks the server", || {
        connection = connection.take().or_else(|| server.accept().ok());
        connection.is_some()
    });
    // what hangs holds up neither the others nor the user
    wait("the mail was read", || world.says(&["contact", "dana"]).contains("hang-1"));
    assert_eq!(world.json(&["status", "--json"])["sources"][1]["state"], "reading");
    let took = service.stop();
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn it_stops_in_time_while_a_delivery_hangs() {
    let world = World::new();
    world.open_all_day(20);
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let port = server.local_addr().unwrap().port();
    let text = world.config_text();
    let at = text.find("[delivery]").unwrap();
    let smtp = format!("type = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\n");
    let path = format!("type = \"maildir\"\npath = \"{}\"\n", world.path("delivered").display());
    assert!(text[at..].contains(&path));
    world.write_config(&format!("{}{}", &text[..at], text[at..].replace(&path, &smtp)));
    let mut service = world.start();
    let mut connection = None;
    wait("it begins a delivery", || {
        connection = connection.take().or_else(|| server.accept().ok());
        connection.is_some()
    });
    world.says(&["status"]);
    let took = service.stop();
    assert!(took < Duration::from_secs(10), "{took:?}");
    // what was on its way is not forgotten, and what had not left goes out again
    let open = world.json(&["reminders", "--json"]);
    let states: Vec<&str> = open.as_array().unwrap().iter().filter_map(|r| r["state"].as_str()).collect();
    assert!(states.iter().filter(|s| **s == "sending").count() <= 1, "{states:?}");
    assert!(states.iter().filter(|s| **s == "due").count() >= 3, "{states:?}");
}

#[test]
fn it_stops_in_time_while_much_is_read() {
    let world = World::new();
    let new = world.path("mail/new");
    for n in 0..20_000 {
        let mail = format!(
            "From: P{m} <p{m}@many.example>\nTo: alex@example.org\nSubject: s{n}\nMessage-ID: <{n}@many.example>\nDate: Mon, 2 Nov 2026 10:00:00 +0100\n\nCould you look at {n}?\n",
            m = n % 500
        );
        fs::write(new.join(format!("1.{n}.test")), mail).unwrap();
    }
    let mut notify = Notify::at(&world);
    let mut service = notified(&world, |_| {});
    // words come once a second: no machine is done before the second
    let slow = service.slowed();
    wait("the reading is told", || notify.count("STATUS=reading mail: ") >= 2);
    drop(slow);
    assert!(notify.count(" of 20,") >= 1, "{:?}", notify.heard);
    let begun = Instant::now();
    let status = service.call("status", serde_json::json!({}));
    assert_eq!(status["result"]["sources"][0]["state"], "reading");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let took = service.stop();
    assert!(took < Duration::from_secs(10), "{took:?}");
    let read = world.json(&["status", "--json"])["sources"][0]["read"].as_u64().unwrap();
    assert!(read > 900, "what was read is kept: {read}");
}

#[test]
fn asked_twice_it_stops_at_once() {
    let world = World::new();
    let _server = hanging_server(&world);
    let mut service = world.start();
    service.signal("STOP");
    service.signal("INT");
    service.signal("TERM");
    service.signal("CONT");
    let (_, took) = service.end();
    assert!(took < Duration::from_secs(5), "{took:?}");
}

/// Needs root: the store lies on a small disk of its own, in a mount namespace that ends with the service.
#[test]
fn a_full_disk_is_waited_out() {
    let world = World::new();
    let can = Command::new("unshare").args(["--mount", "true"]).status().is_ok_and(|s| s.success());
    if !can {
        println!("skipped: a disk of its own needs root and unshare(1)");
        return;
    }
    let state = world.path("state");
    fs::remove_dir_all(&state).unwrap();
    fs::create_dir(&state).unwrap();
    // the socket lies outside, where commands of this namespace find it
    let socket = world.path("kithd.sock");
    let text = format!("{}\n[control]\nsocket = \"{}\"\n", world.config_text(), socket.display());
    world.write_config(&text);
    let mount = format!(
        "mount -t tmpfs -o size=12m,mode=700 tmpfs '{}' && exec '{}' run",
        state.display(),
        crate::world::KITHD
    );
    let mut service = world.start_by(&socket, &["unshare", "--mount", "sh", "-c", &mount]);
    world.says(&["run", "--once"]);
    assert!(world.says(&["contact", "dana"]).contains("Dana Ito"));

    let disk = std::path::PathBuf::from(format!("/proc/{}/root{}", service.pid(), state.display()));
    let filler = disk.join("filler");
    let fill = |filler: &std::path::Path| {
        use std::io::Write;
        let mut file = fs::File::create(filler).unwrap();
        for size in [1 << 20, 1 << 12, 1] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
    };
    fill(&filler);
    for n in 0..300 {
        world.mail(&format!("full-{n}"), "Hello, could you call me?");
    }
    let refused = world.run(&["run", "--once"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("is full"), "{said}");
    let asked = world.run(&["status"]);
    assert!(asked.status.code() == Some(0) || String::from_utf8_lossy(&asked.stderr).contains("is full"), "{asked:?}");

    fs::remove_file(&filler).unwrap();
    wait_secs(60, "it works again", &mut || service.log().contains("the store works again"));
    wait_secs(30, "the mail is known", &mut || world.says(&["contact", "dana"]).contains("full-299"));
    let known = world.json(&["contact", "dana", "--json"]);
    let full = known["interactions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|i| i["subject"].as_str().unwrap().starts_with("full-"));
    assert_eq!(full.count(), 300, "each once");
    let checked = world.says(&["check", "--offline"]);
    assert!(checked.contains("store: sound"), "{checked}");
    service.stop();
}
