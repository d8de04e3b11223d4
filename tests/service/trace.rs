//! A recorded trace, played again, gives the same end.

use std::fs;
use std::io::BufReader;

use kithd::config::{Config, Surroundings};
use kithd::daemon::trace::replay;
use kithd::engine::{Effect, Engine, Reply, Request};
use kithd::time::{Timestamp, Zone};
use serde_json::Value;

use crate::world::World;

fn config(world: &World) -> Config {
    let surroundings = Surroundings::of(|_| None, false, Zone::utc());
    kithd::config::read(&world.config_text(), &world.config, &surroundings).unwrap()
}

/// Contacts, timelines and reminders; without the Message-IDs, which hold a secret of the store.
fn end(engine: &mut Engine, now: Timestamp) -> Value {
    let Reply::Exported(export) = engine.answer(Request::Export, now).unwrap() else { panic!("no export") };
    let mut value = serde_json::to_value(export).unwrap();
    forget_ids(&mut value);
    value
}

fn forget_ids(value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(forget_ids),
        Value::Object(fields) => {
            fields.remove("message_id");
            fields.values_mut().for_each(forget_ids);
        }
        _ => {}
    }
}

#[test]
fn a_trace_gives_the_same_end() {
    let world = World::new();
    // from the very beginning, and with hours that let reminders out
    fs::remove_dir_all(world.path("state")).unwrap();
    fs::remove_dir_all(world.path("delivered")).unwrap();
    world.open_all_day(5);
    let trace = world.path("trace.ndjson");
    let mut service = world.start_with(&["--record", trace.to_str().unwrap()], |_| {});
    world.says(&["run", "--once"]);
    world.mail("trace-1", "Could you send me the plan by Friday?");
    world.says(&["run", "--once"]);
    let open = world.json(&["reminders", "--json"]);
    let id = open[0]["id"].as_str().unwrap().to_string();
    world.says(&["done", &id]);
    world.says(&["set", "dana", "--every", "6w"]);
    world.says(&["merge", "dana", "tom"]);
    world.says(&["run", "--once"]);
    service.stop();

    let refused = world.run(&["run", "--record", trace.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("cannot record"), "a trace is not written over");

    let now = Timestamp::from_second(4_000_000_000);
    let config = config(&world);
    let expected = end(&mut Engine::open(&config.store, config.setup.clone(), now).unwrap(), now);
    let sent = fs::read_dir(world.path("delivered/new")).unwrap().count();
    assert!(sent >= 3, "{sent}");

    let first: Value = serde_json::from_str(fs::read_to_string(&trace).unwrap().lines().next().unwrap()).unwrap();
    let begun = Timestamp::parse(first["now"].as_str().unwrap()).unwrap();
    let mut engine = Engine::open(&world.path("again"), config.setup.clone(), begun).unwrap();
    let effects = replay(&mut engine, BufReader::new(fs::File::open(&trace).unwrap())).unwrap();
    drop(engine);
    let mut engine = Engine::open(&world.path("again"), config.setup, now).unwrap();
    let again = end(&mut engine, now);
    assert_eq!(again["reminders"], expected["reminders"]);
    let contacts = |end: &Value| end["contacts"].as_array().unwrap().clone();
    assert_eq!(contacts(&again).len(), contacts(&expected).len());
    for (again, expected) in contacts(&again).iter().zip(&contacts(&expected)) {
        assert_eq!(again, expected);
    }
    let delivered = effects.iter().filter(|e| matches!(e, Effect::Deliver(_))).count();
    assert_eq!(delivered, sent, "it wants the same mails sent");
}
