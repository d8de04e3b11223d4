//! `init`: a config from an address and a password. Part of `cli`.
//!
//! Invariant: nothing is asked that can be found out or was given by a flag, and nothing is written
//! before it was tried (unless told not to try).

mod ask;
mod draft;
mod unit;

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clap::Args;

use super::check::try_doors;
use super::print::tell;
use super::run::runtime;
use super::{Outcome, Trouble};
use crate::address::AddrSpec;
use crate::config::{Config, Surroundings};
use crate::daemon::Tried;
use crate::discover::{self, Servers};
use crate::net::dns::Dns;
use crate::net::{Security, Server, Url};
use crate::time::Zone;
use ask::Typed;
use draft::{Draft, Password, Way};

/// Arguments of `init`.
#[derive(Args, Debug)]
pub struct InitArguments {
    /// Your mail address; further ones of yours after it
    #[arg(long, value_parser = super::address, num_args = 1.., value_name = "ADDRESS")]
    address: Vec<AddrSpec>,
    /// Your name, as it stands in mails
    #[arg(long)]
    name: Option<String>,
    /// What the servers call you, where it is not the address
    #[arg(long)]
    username: Option<String>,
    /// A program that prints the password, with its arguments: "pass show mail"
    #[arg(long, value_name = "COMMAND")]
    password_command: Option<String>,
    /// A file whose first line is the password; nobody else may be able to read it
    #[arg(long, value_name = "FILE", conflicts_with = "password_command")]
    password_file: Option<PathBuf>,
    /// The IMAP server, where it is not found: HOST or HOST:PORT
    #[arg(long, value_name = "HOST")]
    imap: Option<String>,
    /// The SMTP server, where it is not found: HOST or HOST:PORT
    #[arg(long, value_name = "HOST", conflicts_with = "append")]
    smtp: Option<String>,
    /// Reminders go straight into the inbox, by IMAP; no SMTP server
    #[arg(long)]
    append: bool,
    /// Both servers speak STARTTLS (ports 143 and 587)
    #[arg(long)]
    starttls: bool,
    /// A certificate authority to trust beside the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// A secret iCal address; may be given several times
    #[arg(long, value_name = "URL", value_parser = Url::parse)]
    calendar: Vec<Url>,
    /// A CalDAV server, where it is not found
    #[arg(long, value_name = "URL", value_parser = Url::parse)]
    caldav: Option<Url>,
    /// A CardDAV server, where it is not found
    #[arg(long, value_name = "URL", value_parser = Url::parse)]
    carddav: Option<Url>,
    /// Where the config goes [default: $XDG_CONFIG_HOME/kithd/config.toml]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write over a config that is there
    #[arg(long)]
    force: bool,
    /// Log in nowhere before writing
    #[arg(long)]
    no_try: bool,
    /// Write the systemd user unit too, without asking
    #[arg(long)]
    unit: bool,
}

/// What is tried a second and a third time where somebody mistyped a password.
const TRIES: usize = 3;

pub fn init(config: Option<&Path>, arguments: &InitArguments) -> Outcome {
    let output = output(config, arguments)?;
    if output.exists() && !arguments.force {
        return Err(Trouble::Usage(format!(
            "{} is there already: change it with an editor, or give --force to write over it",
            output.display()
        )));
    }
    let addresses = match arguments.address.is_empty() {
        true => vec![ask::address()?],
        false => arguments.address.clone(),
    };
    let [first, ..] = addresses.as_slice() else { return Err(Trouble::Usage("--address is missing".to_string())) };
    let servers = servers(first, arguments)?;
    let mut typed = None;
    let mut draft = draft(addresses.clone(), &servers, arguments, &mut typed)?;
    if !arguments.no_try {
        prove(&mut draft, arguments, &output, &mut typed)?;
    }
    if let Some(typed) = &typed {
        draft.password = typed.keep(&output)?;
    }
    write(&output, &draft.text())?;
    tell(&format!("wrote {}", output.display()));
    unit::offer(arguments.unit, arguments.address.is_empty())?;
    tell("next: kithd check, then kithd run (or the unit); kithd status shows how far it has read");
    Ok(())
}

fn output(config: Option<&Path>, arguments: &InitArguments) -> Result<PathBuf, Trouble> {
    if let Some(path) = arguments.output.as_deref().or(config) {
        return Ok(path.to_path_buf());
    }
    let of = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let home = of("XDG_CONFIG_HOME").or_else(|| of("HOME").map(|h| h.join(".config")));
    let missing = || Trouble::Usage("neither $XDG_CONFIG_HOME nor $HOME is set: give --output".to_string());
    Ok(home.ok_or_else(missing)?.join("kithd/config.toml"))
}

/// What flags say, and for the rest what can be found out.
fn servers(address: &AddrSpec, arguments: &InitArguments) -> Result<Servers, Trouble> {
    let told = arguments.imap.is_some() && (arguments.smtp.is_some() || arguments.append);
    let mut found = match told {
        true => Servers {
            imap: None,
            smtp: None,
            caldav: None,
            carddav: None,
            username: address.as_str().to_string(),
            advice: None,
            by: "your word",
        },
        false => {
            tell(&format!("looking for the servers of {}", address.domain()));
            runtime()?.block_on(async { discover::servers(address, &Dns::system()).await })
        }
    };
    let [imap, smtp] = if arguments.starttls { [143, 587] } else { [993, 465] };
    if let Some(place) = &arguments.imap {
        found.imap = Some(server(place, imap, arguments)?);
    }
    if let Some(place) = &arguments.smtp {
        found.smtp = Some(server(place, smtp, arguments)?);
    }
    found.caldav = arguments.caldav.clone().or(found.caldav);
    found.carddav = arguments.carddav.clone().or(found.carddav);
    if let Some(server) = &found.imap {
        let smtp = found.smtp.as_ref().map_or_else(String::new, |s| format!(", SMTP {}:{}", s.host, s.port));
        tell(&format!("IMAP {}:{}{smtp} (by {})", server.host, server.port, found.by));
    }
    if let Some(advice) = &found.advice {
        tell(advice);
    }
    Ok(found)
}

fn server(place: &str, usual: u16, arguments: &InitArguments) -> Result<Server, Trouble> {
    let wrong = || Trouble::Usage(format!("`{place}` is no server: write imap.example.org or imap.example.org:993"));
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| wrong())?),
        None => (place, usual),
    };
    let sound = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/');
    let security = if arguments.starttls { Security::StartTls } else { Security::Tls };
    sound.then(|| Server { host: host.to_string(), port, security, ca_file: None }).ok_or_else(wrong)
}

fn draft(
    addresses: Vec<AddrSpec>,
    servers: &Servers,
    arguments: &InitArguments,
    typed: &mut Option<Typed>,
) -> Result<Draft, Trouble> {
    let domain = addresses.first().map_or("", AddrSpec::domain);
    let Some(imap) = servers.imap.clone() else {
        return Err(Trouble::Failed(format!("no IMAP server was found for {domain}: give --imap HOST[:PORT]")));
    };
    let ca = |server: Server| Server { ca_file: arguments.ca_file.clone(), ..server };
    let way = match servers.smtp.clone().filter(|_| !arguments.append) {
        Some(smtp) => Way::Smtp(ca(smtp)),
        None => Way::Append,
    };
    let password = match (&arguments.password_command, &arguments.password_file) {
        (Some(command), _) => Password::Command(command.split_whitespace().map(str::to_string).collect()),
        (None, Some(path)) => Password::File(std::path::absolute(path).unwrap_or_else(|_| path.clone())),
        (None, None) => ask::password(typed)?,
    };
    Ok(Draft {
        name: arguments.name.clone().or_else(ask::name),
        addresses,
        imap: ca(imap),
        username: arguments.username.clone().unwrap_or_else(|| servers.username.clone()),
        password,
        way,
        feeds: arguments.calendar.clone(),
        caldav: servers.caldav.clone(),
        carddav: servers.carddav.clone(),
    })
}

/// Tries every door; what is optional and does not open is left out, with a word.
fn prove(draft: &mut Draft, arguments: &InitArguments, output: &Path, typed: &mut Option<Typed>) -> Outcome {
    for attempt in 1..=TRIES {
        let tried = try_doors(&read(draft, output)?, false)?;
        let failed = |door: &str| tried.iter().find(|t| t.door == door && t.finding.level == "fail");
        for t in &tried {
            tell(&format!("{}: {}", t.door, t.finding.what));
        }
        let Some(mail) = failed("mail") else {
            return adjust(draft, &tried, output);
        };
        let can_ask = arguments.password_command.is_none() && arguments.password_file.is_none();
        if !can_ask || attempt == TRIES || !ask::is_possible() {
            return Err(Trouble::Failed(format!("nothing was written: {}", mail.finding.what)));
        }
        draft.password = ask::password(typed)?;
    }
    Ok(())
}

/// The mailbox works: goes on without what does not.
fn adjust(draft: &mut Draft, tried: &[Tried], output: &Path) -> Outcome {
    let failed = |door: &str| tried.iter().any(|t| t.door == door && t.finding.level == "fail");
    if failed("calendar") {
        draft.caldav = None;
    }
    if failed("people") {
        draft.carddav = None;
    }
    if failed("delivery") && draft.way != Way::Append {
        tell("SMTP does not work: reminders will go straight into the inbox, by IMAP");
        draft.way = Way::Append;
        for t in try_doors(&read(draft, output)?, false)?.iter().filter(|t| t.door == "delivery") {
            tell(&format!("{}: {}", t.door, t.finding.what));
        }
    }
    Ok(())
}

/// The draft as the service would read it.
fn read(draft: &Draft, output: &Path) -> Result<Config, Trouble> {
    let surroundings = Surroundings::of(|name: &str| std::env::var_os(name), false, Zone::system());
    crate::config::read(&draft.text(), output, &surroundings).map_err(|e| Trouble::Usage(e.to_string()))
}

/// Writes a file that only its owner can read, whole or not at all.
fn write(path: &Path, text: &str) -> Outcome {
    let failed = |e: std::io::Error| Trouble::Failed(format!("{} cannot be written: {e}", path.display()));
    if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(failed)?;
    }
    let draft = path.with_extension("new");
    let _ = fs::remove_file(&draft);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&draft, path).map_err(failed)
}
