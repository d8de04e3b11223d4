//! `check`. Part of `cli`.

use std::path::Path;

use clap::Args;

use super::print::Look;
use super::session::{Session, unexpected};
use super::{Outcome, Trouble};
use crate::daemon::doors::{self, Post, Source};
use crate::engine::reply::Finding;
use crate::engine::{Reply, Request};
use crate::source::feed;

/// Arguments of `check`.
#[derive(Args, Debug)]
pub struct CheckArguments {
    /// Try no server
    #[arg(long)]
    offline: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn check(config: Option<&Path>, arguments: &CheckArguments) -> Outcome {
    let mut session = Session::open(config)?;
    let mut findings = vec![finding("ok", "config: read without errors".to_string())];
    let me: Vec<&str> = session.config.setup.me.addresses.iter().map(|a| a.as_str()).collect();
    findings.push(finding("ok", format!("you are {}", me.join(", "))));
    findings.extend(session.config.warnings.iter().map(|what| finding("note", what.clone())));
    findings.extend(sources(&session));
    // every door of this version is a file: there is no server that --offline would leave out
    let _ = arguments.offline;
    let Reply::Checked(store) = session.ask(Request::Check)? else { return Err(unexpected()) };
    findings.extend(store);
    let Reply::Status(status) = session.ask(Request::Status)? else { return Err(unexpected()) };
    for source in status.sources {
        match (source.state.as_str(), source.last_error) {
            ("ok", _) => {}
            (_, Some(error)) => findings.push(finding("fail", format!("{}: {error}", source.name))),
            (state, None) => {
                findings.push(finding("note", format!("{}: {state}, not read to its end yet", source.name)))
            }
        }
    }
    let out = session.out();
    if arguments.json {
        out.json(&findings);
    } else {
        for f in &findings {
            let look = match f.level.as_str() {
                "ok" => Look::Good,
                "fail" => Look::Bad,
                _ => Look::Warn,
            };
            out.line(&format!("{} {}", out.look(look, &format!("{:4}", f.level)), f.what));
        }
    }
    if findings.iter().any(|f| f.level == "fail") { Err(Trouble::Failed(String::new())) } else { Ok(()) }
}

/// What can be said of the doors without reading through them.
fn sources(session: &Session) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in doors::sources(&session.config) {
        let (name, path) = match &source {
            Source::Maildir(p) => (&p.name, p.path.clone()),
            Source::Feed(p) => {
                let feed::Place::Path(path) = &p.place;
                (&p.name, path.clone())
            }
            Source::Cards(p) => (&p.name, p.path.clone()),
            // only the server could say more of it
            Source::Imap(_) => continue,
            Source::Missing { what, .. } => {
                findings.push(finding("fail", what.clone()));
                continue;
            }
        };
        findings.push(match std::fs::metadata(&path) {
            Ok(_) => finding("ok", format!("{name}: {} is there", path.display())),
            Err(e) => finding("fail", format!("{name}: {} cannot be read ({e}): check its path", path.display())),
        });
    }
    match doors::post(&session.config) {
        Post::Maildir(path) => findings.push(finding("ok", format!("delivery: into the Maildir {}", path.display()))),
        Post::Missing(what) => findings.push(finding("fail", what)),
    }
    findings
}

fn finding(level: &str, what: String) -> Finding {
    Finding { level: level.to_string(), what }
}
