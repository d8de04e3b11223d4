//! Radicale and Xandikos, started by the test that needs them, and a proxy before them that counts
//! requests and bends answers.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use kithd::net::token::Credentials;
use kithd::net::{Login, Proof, Secret, Url, Web};
use kithd::source::dav::{self, Kind, Params, Picked};
use kithd::time::Span;

use crate::bed::{Bed, Running, free_port};
use crate::certs::Certs;
use crate::http::{Asked, Reply, Server, call, forward};
use crate::world::{Seen, World};

pub const PASSWORD: &str = "it's a $ecret";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Make {
    Radicale,
    Xandikos,
}

/// One server with its user alex.
pub struct Dav {
    pub make: Make,
    pub port: u16,
    pub bed: Bed,
    pub certs: Option<Certs>,
    _running: Running,
}

fn program(name: &str) -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("target/servers/python/bin").join(name))
}

impl Dav {
    pub fn start(make: Make) -> Dav {
        Dav::start_with(make, false)
    }

    pub fn start_with(make: Make, tls: bool) -> Dav {
        let bed = Bed::new();
        let port = free_port();
        let certs = tls.then(|| Certs::new(&bed));
        let mut command = match make {
            Make::Radicale => {
                let users = bed.file("users", &format!("alex:{PASSWORD}\n"));
                let ssl = certs.as_ref().map_or(String::new(), |certs| {
                    let (cert, key) = (certs.good.cert.display(), certs.good.key.display());
                    format!("ssl = True\ncertificate = {cert}\nkey = {key}\n")
                });
                let config = bed.file(
                    "radicale.conf",
                    &format!(
                        "[server]\nhosts = 127.0.0.1:{port}\n{ssl}[auth]\ntype = htpasswd\nhtpasswd_filename = {}\n\
                         htpasswd_encryption = plain\ndelay = 0\n[rights]\ntype = owner_only\n[storage]\n\
                         filesystem_folder = {}\n[logging]\nlevel = warning\n",
                        users.display(),
                        bed.folder("collections").display()
                    ),
                );
                let mut command = program("radicale");
                command.arg("--config").arg(config);
                command
            }
            Make::Xandikos => {
                let mut command = program("xandikos");
                command.args([
                    "serve",
                    "-l",
                    "127.0.0.1",
                    "-p",
                    &port.to_string(),
                    "--current-user-principal",
                    "/alex/",
                ]);
                command.arg("--autocreate").arg("-d").arg(bed.folder("xandikos"));
                command.arg("--state-dir").arg(bed.folder("state"));
                command
            }
        };
        command.env("HOME", bed.path(""));
        let running = bed.start(&format!("{make:?}"), &mut command, port);
        Dav { make, port, bed, certs, _running: running }
    }

    /// Path of a collection of this name.
    pub fn path(&self, kind: Kind, name: &str) -> String {
        match (self.make, kind) {
            (Make::Radicale, _) => format!("/alex/{name}/"),
            (Make::Xandikos, Kind::Calendars) => format!("/alex/calendars/{name}/"),
            (Make::Xandikos, Kind::AddressBooks) => format!("/alex/contacts/{name}/"),
        }
    }

    fn ask(&self, method: &str, path: &str, kind: &str, body: &str) -> (u16, String) {
        use base64::Engine as _;
        let login = base64::engine::general_purpose::STANDARD.encode(format!("alex:{PASSWORD}"));
        let login = format!("Basic {login}");
        call(self.port, method, path, &[("Authorization", &login), ("Content-Type", kind)], body)
    }

    /// Makes a collection.
    pub fn make(&self, kind: Kind, name: &str, shown: &str) {
        let (types, more) = match kind {
            Kind::Calendars => ("<C:calendar/>", "xmlns:C='urn:ietf:params:xml:ns:caldav'"),
            Kind::AddressBooks => ("<C:addressbook/>", "xmlns:C='urn:ietf:params:xml:ns:carddav'"),
        };
        let body = format!(
            "<?xml version='1.0'?><D:mkcol xmlns:D='DAV:' {more}><D:set><D:prop><D:resourcetype><D:collection/>{types}\
             </D:resourcetype><D:displayname>{shown}</D:displayname></D:prop></D:set></D:mkcol>"
        );
        let (status, answer) = self.ask("MKCOL", &self.path(kind, name), "application/xml", &body);
        assert!((200..300).contains(&status), "{status} {answer}");
    }

    pub fn put(&self, path: &str, text: &str) {
        let kind = if path.ends_with(".vcf") { "text/vcard" } else { "text/calendar" };
        let (status, answer) = self.ask("PUT", path, kind, text);
        assert!((200..300).contains(&status), "{path} {status} {answer}");
    }

    pub fn delete(&self, path: &str) {
        let (status, answer) = self.ask("DELETE", path, "text/plain", "");
        assert!((200..300).contains(&status), "{path} {status} {answer}");
    }
}

/// What the proxy makes of an answer: status and body.
pub type Bend = dyn FnMut(&Asked, u16, String) -> (u16, String) + Send;

/// An account behind a proxy, and a world that reads it.
pub struct Account {
    pub dav: Dav,
    pub proxy: Server,
    pub world: World,
    pub params: Params,
    bend: Arc<Mutex<Box<Bend>>>,
}

pub fn login(password: &str) -> Login {
    let words = ["printf", "%s", password].map(str::to_string).to_vec();
    Login { username: "alex".into(), proof: Proof::Password(Secret::Command(words)) }
}

pub fn params(url: &str, kind: Kind, password: &str) -> Params {
    let login = login(password);
    let credentials = Some(Credentials::new(&login));
    let web = Web { url: Url::parse(url).unwrap(), login: Some(login), ca_file: None };
    let history = Span { months: 24, seconds: 0 };
    Params { name: "work".into(), kind, web, credentials, picked: Picked::All, history }
}

impl Account {
    pub fn new(make: Make, kind: Kind) -> Account {
        let dav = Dav::start(make);
        let port = dav.port;
        let bend: Arc<Mutex<Box<Bend>>> = Arc::new(Mutex::new(Box::new(|_, status, body| (status, body))));
        let bent = bend.clone();
        let proxy = Server::start(move |asked| {
            let (status, headers, body) = forward(port, asked);
            let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            let (status, body) = (bent.lock().unwrap())(asked, status, body);
            Reply::new(status, &headers, body)
        });
        let params = params(&proxy.url("/"), kind, PASSWORD);
        Account { dav, proxy, world: World::new(), params, bend }
    }

    /// From now on answers are bent like this.
    pub fn bends(&self, bend: impl FnMut(&Asked, u16, String) -> (u16, String) + Send + 'static) {
        *self.bend.lock().unwrap() = Box::new(bend);
    }

    pub fn read(&mut self) -> Seen {
        self.proxy.asked();
        let params = self.params.clone();
        self.world.read(|cursors, occasion, send| dav::read(&params, cursors, occasion, send))
    }

    /// Reads, and it goes well.
    pub fn read_well(&mut self) -> Seen {
        let seen = self.read();
        assert!(seen.through && seen.complaints.is_empty(), "{seen:?}");
        seen
    }

    /// Requests of the last reading, as `METHOD path`.
    pub fn asked(&self) -> Vec<String> {
        self.proxy.asked().iter().map(|a| format!("{} {}", a.method, a.path)).collect()
    }
}
