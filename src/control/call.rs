//! Methods and parameters of the protocol. Part of `control`.
//!
//! Invariant: [`Call`] is the protocol: its serde form is `{"method", "params"}`, and each request of
//! the engine has exactly one method.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Fault;
use crate::address::{AddrSpec, safe_text};
use crate::engine::Request;
use crate::engine::reply::{Act, Setting};
use crate::evidence::ReminderId;
use crate::limits;
use crate::time::Timestamp;

/// Every method.
pub const METHODS: [&str; 22] = [
    "status",
    "contacts",
    "contact",
    "reminders",
    "explain",
    "plan",
    "waiting",
    "done",
    "snooze",
    "dismiss",
    "pause",
    "without",
    "set",
    "merge",
    "split",
    "forget",
    "export",
    "backup",
    "restore",
    "check",
    "round",
    "reload",
];

/// A method with its parameters.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "method", content = "params", rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs)] // docs/protocol.md has them, held to this by a test
pub enum Call {
    Status {},
    Contacts {
        #[serde(default)]
        all: bool,
    },
    Contact {
        who: String,
    },
    Reminders {
        #[serde(default)]
        all: bool,
    },
    Explain {
        what: String,
    },
    Plan {
        until: Timestamp,
    },
    Waiting {},
    Done {
        id: ReminderId,
    },
    Snooze {
        id: ReminderId,
        until: Timestamp,
    },
    Dismiss {
        id: ReminderId,
    },
    Pause {
        until: Timestamp,
    },
    Without {
        source: String,
        out: bool,
    },
    Set {
        who: String,
        settings: Vec<Setting>,
    },
    Merge {
        who: String,
        other: String,
    },
    Split {
        who: String,
        address: AddrSpec,
    },
    Forget {
        who: String,
    },
    Export {},
    Backup {},
    Restore {
        file: PathBuf,
    },
    Check {},
    Round {},
    Reload {},
}

/// Who is to do it.
#[derive(Clone, PartialEq, Debug)]
pub enum Order {
    /// The engine.
    Ask(Request),
    /// The service: read every source once and deliver what is due.
    Round,
    /// The service: read the config again.
    Reload,
    /// The service: a copy of the store, as the answer.
    Backup,
    /// The service: go on with the store of a backup.
    Restore(PathBuf),
}

impl Call {
    /// Reads a method and its parameters; missing parameters are none.
    ///
    /// # Errors
    /// What a client made wrong.
    pub fn read(method: &str, params: Option<Value>) -> Result<Call, Fault> {
        if !METHODS.contains(&method) {
            let method = safe_text(method, limits::CONFIG_WORD_BYTES);
            return Err(Fault::new(Fault::UNKNOWN, format!("there is no method `{method}`: see docs/protocol.md")));
        }
        let params = params.unwrap_or_else(|| Value::Object(Map::new()));
        serde_json::from_value(json!({ "method": method, "params": params })).map_err(|e| {
            let what = safe_text(&e.to_string(), limits::ERROR_BYTES);
            Fault::new(Fault::PARAMS, format!("parameters of `{method}`: {what}; see docs/protocol.md"))
        })
    }

    /// Whose it is.
    pub fn order(self) -> Order {
        Order::Ask(match self {
            Call::Round {} => return Order::Round,
            Call::Reload {} => return Order::Reload,
            Call::Backup {} => return Order::Backup,
            Call::Restore { file } => return Order::Restore(file),
            Call::Status {} => Request::Status,
            Call::Contacts { all } => Request::Contacts { all },
            Call::Contact { who } => Request::Contact(who),
            Call::Reminders { all } => Request::Reminders { all },
            Call::Explain { what } => Request::Explain(what),
            Call::Plan { until } => Request::Plan(until),
            Call::Waiting {} => Request::Waiting,
            Call::Done { id } => Request::Act(id, Act::Done),
            Call::Snooze { id, until } => Request::Act(id, Act::Snooze(until)),
            Call::Dismiss { id } => Request::Act(id, Act::Dismiss),
            Call::Pause { until } => Request::Pause(until),
            Call::Without { source, out } => Request::Without(source, out),
            Call::Set { who, settings } => Request::Set(who, settings),
            Call::Merge { who, other } => Request::Merge(who, other),
            Call::Split { who, address } => Request::Split(who, address),
            Call::Forget { who } => Request::Forget(who),
            Call::Export {} => Request::Export,
            Call::Check {} => Request::Check,
        })
    }

    /// Can it take as long as it takes?
    pub(super) const fn is_long(&self) -> bool {
        matches!(
            self,
            Call::Round {}
                | Call::Export {}
                | Call::Backup {}
                | Call::Restore { .. }
                | Call::Check {}
                | Call::Forget { .. }
        )
    }
}

impl From<Request> for Call {
    fn from(request: Request) -> Call {
        match request {
            Request::Status => Call::Status {},
            Request::Contacts { all } => Call::Contacts { all },
            Request::Contact(who) => Call::Contact { who },
            Request::Reminders { all } => Call::Reminders { all },
            Request::Explain(what) => Call::Explain { what },
            Request::Plan(until) => Call::Plan { until },
            Request::Waiting => Call::Waiting {},
            Request::Act(id, Act::Done) => Call::Done { id },
            Request::Act(id, Act::Snooze(until)) => Call::Snooze { id, until },
            Request::Act(id, Act::Dismiss) => Call::Dismiss { id },
            Request::Pause(until) => Call::Pause { until },
            Request::Without(source, out) => Call::Without { source, out },
            Request::Set(who, settings) => Call::Set { who, settings },
            Request::Merge(who, other) => Call::Merge { who, other },
            Request::Split(who, address) => Call::Split { who, address },
            Request::Forget(who) => Call::Forget { who },
            Request::Export => Call::Export {},
            // the copy comes as the answer: where it goes is for whoever asks to say
            Request::Backup(_) => Call::Backup {},
            Request::Check => Call::Check {},
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_request_of_the_engine_survives_the_wire() {
        let id = ReminderId::parse("00112233445566aa").unwrap();
        let at = Timestamp::from_second(1_770_000_000);
        let address = AddrSpec::parse("a@example.org").unwrap();
        let settings = vec![Setting::Mute(true), Setting::Person, Setting::Every(None), Setting::Name("A".into())];
        let all = [
            Request::Status,
            Request::Contacts { all: true },
            Request::Contact("a".into()),
            Request::Reminders { all: false },
            Request::Explain("a".into()),
            Request::Plan(at),
            Request::Waiting,
            Request::Act(id, Act::Done),
            Request::Act(id, Act::Snooze(at)),
            Request::Act(id, Act::Dismiss),
            Request::Pause(at),
            Request::Without("work".into(), true),
            Request::Set("a".into(), settings),
            Request::Merge("a".into(), "b".into()),
            Request::Split("a".into(), address),
            Request::Forget("a".into()),
            Request::Export,
            Request::Check,
        ];
        let mut methods = ["round", "reload", "backup", "restore"].map(String::from).to_vec();
        for request in all {
            let wire = serde_json::to_value(Call::from(request.clone())).unwrap();
            let method = wire.get("method").unwrap().as_str().unwrap().to_string();
            let back = Call::read(&method, wire.get("params").cloned()).unwrap();
            assert_eq!(back.order(), Order::Ask(request));
            methods.push(method);
        }
        methods.sort();
        let mut known = METHODS.map(String::from).to_vec();
        known.sort();
        assert_eq!(methods, known);
        assert_eq!(Call::read("round", None).unwrap().order(), Order::Round);
        assert_eq!(Call::read("reload", Some(json!({}))).unwrap().order(), Order::Reload);
    }

    #[test]
    fn mistakes_of_a_client_are_told() {
        let check = |method: &str, params: Value, code: i64, word: &str| {
            let fault = Call::read(method, Some(params)).unwrap_err();
            assert_eq!(fault.code, code, "{fault:?}");
            assert!(fault.message.contains(word), "{fault:?}");
        };
        check("stats", json!({}), Fault::UNKNOWN, "`stats`");
        check("contact", json!({}), Fault::PARAMS, "who");
        check("contact", json!({ "who": 1 }), Fault::PARAMS, "string");
        check("contacts", json!({ "al": true }), Fault::PARAMS, "al");
        check("done", json!({ "id": "x" }), Fault::PARAMS, "reminder id");
        check("plan", json!({ "until": "soon" }), Fault::PARAMS, "RFC 3339");
        assert_eq!(Call::read("contacts", None).unwrap(), Call::Contacts { all: false });
    }
}
