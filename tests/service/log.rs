//! What the log says at its usual level: what goes on, and nobody's name, address or subject.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use crate::world::{World, wait};

/// An SMTP server that refuses everybody, by their address.
fn refusing_server() -> u16 {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = server.accept() {
            let _ = stream.write_all(b"220 ready\r\n");
            let Ok(read) = stream.try_clone() else { continue };
            for line in BufReader::new(read).lines().map_while(Result::ok) {
                let answer: &[u8] = match line.split([' ', ':']).next().unwrap_or_default() {
                    "EHLO" => b"250 ready\r\n",
                    "RCPT" => {
                        b"451 4.7.1 <alex@example.org>: greylisted, see https://x.example/?r=alex%40example.org\r\n"
                    }
                    _ => b"250 fine\r\n",
                };
                let _ = stream.write_all(answer);
            }
        }
    });
    port
}

#[test]
fn the_log_names_nobody() {
    let world = World::new();
    world.open_all_day(2);
    let export = world.json(&["export"]);
    let mut private: BTreeSet<String> = BTreeSet::new();
    for contact in export["contacts"].as_array().unwrap() {
        private.insert(contact["name"].as_str().unwrap().to_string());
        private.extend(contact["addresses"].as_array().unwrap().iter().map(|a| a.as_str().unwrap().to_string()));
        let subjects = contact["interactions"].as_array().unwrap().iter().filter_map(|i| i["subject"].as_str());
        private.extend(subjects.filter(|s| s.contains(' ')).map(str::to_string));
    }
    let config = world.config_text();
    for word in config.split('"').filter(|w| w.contains('@')) {
        private.insert(word.trim_start_matches("kithd <").trim_end_matches('>').to_string());
    }
    assert!(private.len() > 100, "{}", private.len());

    let mut service = world.start_with(&[], |command| {
        command.env_remove("RUST_LOG");
    });
    wait("reminders leave", || service.log().matches("a reminder was delivered").count() >= 2);
    let open = world.json(&["reminders", "--json"]);
    world.says(&["done", open[0]["id"].as_str().unwrap()]);
    world.says(&["run", "--once"]);
    // a config that is refused, and a server that refuses
    world.write_config(&config.replace("to = \"", "to = \"somebody.else@example.net\" # \""));
    service.signal("HUP");
    wait("it is refused", || service.log().contains("config refused"));
    let at = config.find("type = \"maildir\"\npath = \"").map(|_| config.rfind("type = \"maildir\"").unwrap()).unwrap();
    let smtp = format!("type = \"smtp\"\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\n", refusing_server());
    let rest = &config[at..];
    let after = rest.match_indices('\n').nth(1).unwrap().0;
    world
        .write_config(&format!("{}{smtp}{}", &config[..at], &rest[after..]).replace("per_day = 2\n", "per_day = 20\n"));
    service.signal("HUP");
    wait("the new config is taken", || service.log().contains("the config was read again"));
    wait("the server refuses", || service.log().contains("greylisted"));
    service.stop();
    let log = service.log();
    assert!(log.contains("the user's word was taken"), "{log}");
    let shown = log.replace(&world.dir.path().display().to_string(), "");
    for word in private.iter().map(String::as_str).chain(["somebody.else", "alex%40", "alex@"]) {
        assert!(!shown.contains(word), "{word}: {log}");
    }
}
