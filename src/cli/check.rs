//! `check`. Part of `cli`.

use std::path::Path;

use clap::Args;

use super::print::Look;
use super::session::{Session, unexpected};
use super::{Outcome, Trouble};
use crate::config::Config;
use crate::daemon::{self, Tried};
use crate::engine::reply::Finding;
use crate::engine::{Reply, Request};

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
    let tried = try_doors(&session.config, arguments.offline)?;
    findings.extend(tried.iter().map(|t| finding(&t.finding.level, format!("{}: {}", t.door, t.finding.what))));
    let Reply::Checked(store) = session.ask(Request::Check)? else { return Err(unexpected()) };
    findings.extend(store);
    let Reply::Status(status) = session.ask(Request::Status)? else { return Err(unexpected()) };
    for source in status.sources {
        let failed = tried.iter().any(|t| t.door == source.name && t.finding.level == "fail");
        match (source.state.as_str(), source.last_error) {
            ("ok", _) => {}
            // what is wrong now has just been said
            _ if failed => {}
            // where it was tried and works, this is over with the next reading
            (_, Some(error)) => {
                let level = if arguments.offline { "fail" } else { "note" };
                findings.push(finding(level, format!("{}: the last reading failed: {error}", source.name)));
            }
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

/// Tries every door; `init` does the same before it writes.
pub fn try_doors(config: &Config, offline: bool) -> Result<Vec<Tried>, Trouble> {
    let (runtime, config) = (super::run::runtime()?, config.clone());
    let tried = runtime.block_on(runtime.spawn_blocking(move || daemon::check(&config, offline)));
    tried.map_err(|_| Trouble::Failed("trying the servers ended in a fault of kithd's own".to_string()))
}

fn finding(level: &str, what: String) -> Finding {
    Finding { level: level.to_string(), what }
}
