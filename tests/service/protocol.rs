//! docs/protocol.md is held to the code: what it names exists, what exists it names, its examples work.

use std::collections::BTreeSet;
use std::path::Path;

use kithd::control::{Call, Fault, METHODS};
use serde_json::Value;

use crate::world::World;

fn text() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/protocol.md")).unwrap()
}

#[test]
fn every_method_is_described_and_every_described_one_exists() {
    let text = text();
    let described: BTreeSet<&str> =
        text.lines().filter_map(|l| l.strip_prefix("| `")).filter_map(|l| l.split('`').next()).collect();
    let known: BTreeSet<&str> = METHODS.iter().copied().collect();
    let methods: BTreeSet<&str> = described.iter().copied().filter(|d| !d.starts_with('-') && *d != "1").collect();
    assert_eq!(methods, known);
    for code in
        [Fault::PARSE, Fault::INVALID, Fault::UNKNOWN, Fault::PARAMS, Fault::FAILED, Fault::FORBIDDEN, Fault::REFUSED]
    {
        assert!(text.contains(&format!("| `{code}` |")), "error {code}");
    }
}

#[test]
fn its_examples_are_understood() {
    let text = text();
    let requests: Vec<Value> = text
        .lines()
        .filter(|l| l.starts_with("{\"jsonrpc\"") && l.contains("\"method\""))
        .map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}")))
        .collect();
    let shown: BTreeSet<&str> = requests.iter().map(|r| r["method"].as_str().unwrap()).collect();
    assert_eq!(shown, METHODS.iter().copied().collect(), "one example a method");
    for request in &requests {
        let method = request["method"].as_str().unwrap();
        Call::read(method, request.get("params").cloned()).unwrap_or_else(|e| panic!("{request}: {e:?}"));
    }
    // and the service takes them
    let world = World::new();
    let mut service = world.start();
    for request in &requests {
        let params = request.get("params").cloned().unwrap_or(Value::Null);
        let params = if params.is_null() { serde_json::json!({}) } else { params };
        let method = request["method"].as_str().unwrap();
        let answer = service.call(method, params);
        let refused = answer["error"]["code"] == Fault::REFUSED;
        assert!(answer.get("result").is_some() || refused, "{request} -> {answer}");
    }
    service.stop();
}

#[test]
fn its_script_works() {
    let text = text();
    let script = text.split("```sh\n").nth(1).and_then(|s| s.split("```").next()).expect("a script");
    let world = World::new();
    let mut service = world.start();
    let mut shell = std::process::Command::new("sh");
    let output = shell.arg("-c").arg(script).env("SOCKET", world.socket()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("reminder"), "{output:?}");
    service.stop();
}
