//! The config that `init` writes. Part of `cli::init`.
//!
//! Invariant: every value is quoted as TOML; what was found out is written, what has a default is
//! named in a comment.

use std::fmt::Write;
use std::path::PathBuf;

use crate::address::AddrSpec;
use crate::net::{Security, Server, Url};

/// Where the password is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Password {
    /// The first line a program prints.
    Command(Vec<String>),
    /// The first line of a file.
    File(PathBuf),
}

/// How reminders reach the user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Way {
    /// By the provider's server.
    Smtp(Server),
    /// Straight into the inbox (IMAP APPEND).
    Append,
}

/// What is known of the user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// What they are called.
    pub name: Option<String>,
    /// Their addresses; the first gets the reminders.
    pub addresses: Vec<AddrSpec>,
    /// Their mailbox.
    pub imap: Server,
    /// What the server calls them.
    pub username: String,
    /// Where their password is.
    pub password: Password,
    /// How reminders reach them.
    pub way: Way,
    /// Feeds.
    pub feeds: Vec<Url>,
    /// A CalDAV server.
    pub caldav: Option<Url>,
    /// A CardDAV server.
    pub carddav: Option<Url>,
}

impl Draft {
    /// The config.
    pub fn text(&self) -> String {
        let mut out = String::from(
            "# Written by kithd init. Every key and its default: config.example.toml; try it: kithd check.\n\n[me]\n",
        );
        match &self.name {
            Some(name) => line(&mut out, "name", &quoted(name)),
            None => out.push_str("# name = \"Alex Doe\"\n"),
        }
        let addresses: Vec<String> = self.addresses.iter().map(|a| quoted(a.as_str())).collect();
        line(&mut out, "addresses", &format!("[{}]", addresses.join(", ")));
        out.push_str("# all addresses you write from; kithd check proposes those it finds in Sent\n");
        out.push_str("\n[[mailbox]]\nname = \"mail\"\ntype = \"imap\"\n");
        self.server(&mut out, &self.imap);
        out.push_str("# history = \"2y\"       how far back the first reading goes\n");
        for url in &self.feeds {
            let _ = writeln!(out, "\n[[calendar]]\nname = {}\ntype = \"ics\"", quoted(&self.feed_name(url)));
            line(&mut out, "url", &quoted(url.as_str()));
        }
        for (table, name, kind, url) in
            [("calendar", "calendar", "caldav", &self.caldav), ("address_book", "people", "carddav", &self.carddav)]
        {
            let Some(url) = url else { continue };
            let _ = writeln!(out, "\n[[{table}]]\nname = \"{name}\"\ntype = \"{kind}\"");
            line(&mut out, "url", &quoted(url.as_str()));
            self.proof(&mut out, &self.imap);
        }
        self.delivery(&mut out);
        out.push_str(
            "\n[schedule]\n# days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\"]\n# hours = \"08:00-18:00\"\n# per_day = 3\n# summary = \"mon 08:00\"\n",
        );
        out
    }

    fn delivery(&self, out: &mut String) {
        let me = self.addresses.first().map_or("", AddrSpec::as_str);
        out.push_str("\n[delivery]\n");
        line(out, "to", &quoted(me));
        line(out, "from", &quoted(&format!("kithd <{me}>")));
        line(out, "inbox", "\"mail\"");
        match &self.way {
            Way::Smtp(server) => {
                out.push_str("type = \"smtp\"\n");
                self.server(out, server);
            }
            Way::Append => out.push_str("type = \"append\"\nmailbox = \"mail\"\n"),
        }
    }

    fn server(&self, out: &mut String, server: &Server) {
        line(out, "host", &quoted(&server.host));
        line(out, "port", &server.port.to_string());
        let security = match server.security {
            Security::Tls => "tls",
            Security::StartTls => "starttls",
            Security::None => "none",
        };
        line(out, "security", &quoted(security));
        self.proof(out, server);
    }

    fn proof(&self, out: &mut String, server: &Server) {
        if let Some(ca) = &server.ca_file {
            line(out, "ca_file", &quoted(&ca.display().to_string()));
        }
        line(out, "username", &quoted(&self.username));
        let place = match &self.password {
            Password::Command(words) => {
                format!("{{ command = [{}] }}", words.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(", "))
            }
            Password::File(path) => format!("{{ file = {} }}", quoted(&path.display().to_string())),
        };
        line(out, "password", &place);
    }

    /// Feeds are numbered where there are several: their URLs are secret and give no name.
    fn feed_name(&self, url: &Url) -> String {
        match self.feeds.iter().position(|u| u == url) {
            Some(0) | None => "feed".to_string(),
            Some(n) => format!("feed {}", n.saturating_add(1)),
        }
    }
}

fn line(out: &mut String, key: &str, value: &str) {
    let _ = writeln!(out, "{key} = {value}");
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_string()).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use std::path::Path;

    use super::*;
    use crate::config::{Surroundings, read};
    use crate::time::Zone;

    #[test]
    fn what_is_written_is_a_config() {
        let server = |host: &str, port| Server { host: host.to_string(), port, security: Security::Tls, ca_file: None };
        let draft = Draft {
            name: Some("Alex \"the\" Doe\\".to_string()),
            addresses: vec![AddrSpec::parse("alex@example.org").unwrap()],
            imap: Server { ca_file: Some("/etc/ca \"1\".pem".into()), ..server("imap.example.org", 993) },
            username: "alex@example.org".to_string(),
            password: Password::Command(vec!["pass".into(), "show".into(), "it's \"mail\"".into()]),
            way: Way::Smtp(server("smtp.example.org", 465)),
            feeds: vec![
                Url::parse("https://cal.example/a.ics").unwrap(),
                Url::parse("webcal://cal.example/b.ics").unwrap(),
            ],
            caldav: Url::parse("https://dav.example.org/").ok(),
            carddav: Url::parse("https://dav.example.org/").ok(),
        };
        let none = |_: &str| None;
        let mut surroundings = Surroundings::of(none, false, Zone::utc());
        surroundings.home = Some("/home/alex".into());
        for way in [draft.way.clone(), Way::Append] {
            for password in [draft.password.clone(), Password::File("/home/alex/a \"b\"".into())] {
                let draft = Draft { way: way.clone(), password, ..draft.clone() };
                let config = read(&draft.text(), Path::new("/c.toml"), &surroundings);
                let config = config.unwrap_or_else(|e| panic!("{e}\n{}", draft.text()));
                assert_eq!((config.mailboxes.len(), config.calendars.len(), config.address_books.len()), (1, 3, 1));
                assert_eq!(config.setup.me.names, ["Alex \"the\" Doe\\"]);
                assert!(config.warnings.is_empty(), "{:?}", config.warnings);
            }
        }
    }
}
