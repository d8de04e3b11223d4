//! The socket under clients that mean harm or know no better.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::{KITHD, World, exchange, wait};

#[test]
fn garbage_is_answered_in_words_and_costs_nothing() {
    let world = World::new();
    let mut service = world.start();
    let before = service.memory();
    let codes = |bytes: &[u8]| -> Value {
        let line = exchange(&service.socket, bytes);
        serde_json::from_str::<Value>(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"))["error"]["code"].clone()
    };
    assert_eq!(codes(b"hello\n"), -32700);
    assert_eq!(codes(b"{\"jsonrpc\":\"2.0\"\n"), -32700);
    assert_eq!(codes(format!("{}\n", "[".repeat(60_000)).as_bytes()), -32700);
    assert_eq!(codes(b"[]\n"), -32600);
    assert_eq!(codes(b"{\"id\":1,\"method\":\"status\"}\n"), -32600);
    assert_eq!(codes(b"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"status\"}\n"), -32600);
    assert_eq!(codes(b"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"status\"}\n"), -32600);
    assert_eq!(codes(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rm -rf\"}\n"), -32601);
    assert_eq!(codes(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"done\",\"params\":{\"id\":\"x\"}}\n"), -32602);
    assert_eq!(codes(b"\xff\xfe\x00\x01\n"), -32700);
    assert_eq!(
        codes(format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{}\"}}\n", "x".repeat(65_000)).as_bytes()),
        -32601
    );

    let mut stream = UnixStream::connect(&service.socket).unwrap();
    let chunk = vec![b'x'; 1 << 20];
    let mut sent = 0;
    for _ in 0..100 {
        match stream.write_all(&chunk) {
            Ok(()) => sent += 1,
            Err(_) => break,
        }
    }
    assert!(sent < 100, "100 MB without a line end were taken");
    assert!(service.memory() < before + 24, "{} MiB, before {before}", service.memory());
    assert!(service.call("status", json!({}))["result"].is_object());
    service.stop();
}

#[test]
fn several_requests_on_one_line_each_and_one_without_an_answer() {
    let world = World::new();
    let mut service = world.start();
    let mut stream = UnixStream::connect(&service.socket).unwrap();
    let lines = "{\"jsonrpc\":\"2.0\",\"method\":\"status\"}\n\n{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"waiting\",\"params\":{}}\n{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"contact\",\"params\":{\"who\":\"nobody\"}}";
    stream.write_all(lines.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let answers: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(answers.len(), 2, "{text}");
    assert_eq!(answers[0]["id"], "a");
    assert!(answers[0]["result"].is_array());
    assert_eq!(answers[1]["id"], Value::Null);
    assert_eq!(answers[1]["error"]["code"], 1);
    service.stop();
}

#[test]
fn clients_that_say_nothing_are_sent_away() {
    let world = World::new();
    let mut service = world.start();
    let mut silent: Vec<UnixStream> = (0..40).map(|_| UnixStream::connect(&service.socket).unwrap()).collect();
    let begun = Instant::now();
    world.says(&["status"]);
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    let mut first = silent.remove(0);
    first.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    assert_eq!(first.read(&mut [0; 10]).unwrap(), 0, "it was closed");
    // one that asks and never reads holds nobody up either
    let mut deaf = UnixStream::connect(&service.socket).unwrap();
    for _ in 0..50 {
        let _ = deaf.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"export\"}\n");
    }
    world.says(&["status"]);
    let took = service.stop();
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn only_a_socket_is_replaced() {
    let world = World::new();
    fs::write(world.socket(), "precious").unwrap();
    let refused = world.run(&["run"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("the socket"), "{refused:?}");
    assert_eq!(fs::read_to_string(world.socket()).unwrap(), "precious");
}

#[test]
fn it_is_the_user_s_own() {
    let world = World::new();
    let mut service = world.start();
    let mode = fs::metadata(&service.socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    service.stop();
}

/// Needs root: a process of another user must be started.
#[test]
fn another_user_gets_nothing_unless_allowed() {
    let world = World::new();
    let is_root = std::os::unix::fs::MetadataExt::uid(&fs::metadata(world.path("")).unwrap()) == 0;
    if !is_root {
        println!("skipped: only root can start a process of another user");
        return;
    }
    // what the other user must reach: the program, the config, the folder of the socket
    let open = |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    open(world.dir.path(), 0o755);
    open(&world.path(""), 0o755);
    open(&world.config, 0o644);
    let program = world.dir.path().join("kithd");
    fs::copy(KITHD, &program).unwrap();
    let socket = world.path("kithd.sock");
    let text = format!("{}\n[control]\nsocket = \"{}\"\n", world.config_text(), socket.display());
    world.write_config(&text);
    let mut service = world.start_at(&socket);
    let as_uid = |uid: u32, arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.args(arguments).env_clear().env("KITHD_CONFIG", &world.config).current_dir("/tmp");
        command.uid(uid).gid(uid).output().unwrap()
    };
    let refused = as_uid(1, &["status"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("you may not use the socket"), "{refused:?}");

    // uid 2 is let in, by number; uid 1 by the name it has in /etc/passwd
    world.write_config(&format!("{text}allow = [\"2\"]\n"));
    service.signal("HUP");
    wait("uid 2 is let in", || as_uid(2, &["status"]).status.success());
    assert!(String::from_utf8_lossy(&as_uid(2, &["contact", "dana"]).stdout).contains("Dana Ito"));
    let refused = as_uid(1, &["contacts", "--json"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stdout.is_empty(), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("uid 1 may not talk to this service"), "{refused:?}");
    // a backup is written with the rights of whoever asks for it
    let folder = world.dir.path().join("of-uid-2");
    fs::create_dir(&folder).unwrap();
    std::os::unix::fs::chown(&folder, Some(2), Some(2)).unwrap();
    let file = folder.join("copy.kithd");
    let backup = as_uid(2, &["backup", file.to_str().unwrap()]);
    assert!(backup.status.success(), "{backup:?}");
    let copy = fs::metadata(&file).unwrap();
    assert_eq!((std::os::unix::fs::MetadataExt::uid(&copy), copy.permissions().mode() & 0o777), (2, 0o600));
    let refused = as_uid(2, &["backup", world.path("copy.kithd").to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("cannot be written"), "{refused:?}");
    assert_eq!(as_uid(1, &["backup", folder.join("x").to_str().unwrap()]).status.code(), Some(1));

    world.write_config(&text);
    service.signal("HUP");
    wait("uid 2 is shut out again", || !as_uid(2, &["status"]).status.success());
    service.stop();
}
