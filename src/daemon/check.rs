//! Tries every door of a config, for `check` and `init`. Part of `daemon`.
//!
//! Invariant: nothing is read through, sent or changed; what does not work is said with what to do.

use std::path::Path;

use tokio::runtime::Handle;

use super::doors::{self, Source};
use super::post::Post;
use crate::config::Config;
use crate::engine::reply::Finding;
use crate::limits;
use crate::source::imap::{Account, Checked};
use crate::source::{Occasion, dav, feed};
use crate::time;

/// What became of trying one door.
#[derive(Clone, PartialEq, Debug)]
pub struct Tried {
    /// Name of the source, or `delivery`.
    pub door: String,
    /// What was found.
    pub finding: Finding,
}

/// Tries them all; `offline`: only what lies on this machine. Blocks, on a thread of a runtime.
pub fn check(config: &Config, offline: bool) -> Vec<Tried> {
    let sources = doors::sources(config);
    let (now, zone) = (time::now(), &config.setup.hours.zone);
    let occasion = Occasion { now, zone, text_since: now.minus(limits::TEXT_WINDOW) };
    let mut tried: Vec<Tried> = sources.iter().flat_map(|source| of_source(source, offline, &occasion)).collect();
    let post = Post::of(config, &sources);
    let delivery = |level, what| tell("delivery", level, what);
    tried.push(match post.is_near() || !offline {
        true => match post.check() {
            Ok(what) => delivery("ok", what),
            Err(trouble) => delivery("fail", trouble.what),
        },
        false => delivery("note", "not tried (--offline)".to_string()),
    });
    if !post.can_search() {
        tried.push(delivery(
            "note",
            "no inbox to search: set `inbox` under [delivery] to the imap mailbox that receives the reminders; \
             until then one whose outcome is unknown is sent again after six hours"
                .to_string(),
        ));
    }
    tried
}

fn of_source(source: &Source, offline: bool, occasion: &Occasion<'_>) -> Vec<Tried> {
    let name = source.name();
    let findings = |found: Vec<Finding>| -> Vec<Tried> {
        found.into_iter().map(|finding| Tried { door: name.to_string(), finding }).collect()
    };
    match source {
        Source::Maildir(p) => vec![is_there(name, &p.path)],
        Source::Cards(p) => vec![is_there(name, &p.path)],
        Source::Feed(feed::Params { place: feed::Place::Path(path), .. }) => vec![is_there(name, path)],
        _ if offline => vec![tell(name, "note", "not tried (--offline)".to_string())],
        Source::Imap(account) => account_found(name, account),
        Source::Feed(p) => findings(feed::check(p, occasion)),
        Source::Dav(p) => findings(dav::check(p, occasion)),
    }
}

fn is_there(name: &str, path: &Path) -> Tried {
    match std::fs::metadata(path) {
        Ok(_) => tell(name, "ok", format!("{} is there", path.display())),
        Err(e) => tell(name, "fail", format!("{} cannot be read ({e}): check its path", path.display())),
    }
}

fn account_found(name: &str, account: &Account) -> Vec<Tried> {
    let found = match Handle::current().block_on(account.check()) {
        Ok(found) => found,
        Err(trouble) => return vec![tell(name, "fail", trouble.what)],
    };
    let Checked { folders, sent, sent_found, missing, listed, idle, condstore: _ } = found;
    let news = if idle { "new mail is told at once (IDLE)" } else { "no IDLE: new mail is found by polling" };
    let host = &account.params().server.host;
    let mut tried =
        vec![tell(name, "ok", format!("logged in to {host}; {} of {listed} folders are read; {news}", folders.len()))];
    let not_there = |name: &String| format!("`{name}` is no folder there: correct it in `folders` or `sent`");
    tried.extend(missing.iter().map(|m| tell(name, "note", not_there(m))));
    tried.push(match (sent_found, sent.as_slice()) {
        (true, []) => tell(name, "ok", "each message says whether you sent it".to_string()),
        (true, sent) => tell(name, "ok", format!("Sent is {}", sent.join(", "))),
        (false, _) => tell(
            name,
            "note",
            "no Sent folder was found: kithd cannot tell what you answered and holds such reminders; name it with \
             sent = [\"...\"]"
                .to_string(),
        ),
    });
    tried
}

fn tell(door: &str, level: &str, what: String) -> Tried {
    Tried { door: door.to_string(), finding: Finding { level: level.to_string(), what } }
}
