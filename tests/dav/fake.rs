//! A CalDAV server of a few lines, for what no real one can be brought to do.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

use kithd::net::{Url, Web};
use kithd::source::dav::{self, Kind, Params, Picked};
use kithd::time::Span;

use crate::http::{Asked, Reply, Server};
use crate::world::{Seen, World};

/// One calendar, `/cal/a/`.
pub struct Fake {
    /// Text and the number of the change that made it; `None`: deleted.
    resources: BTreeMap<String, (Option<String>, usize)>,
    changes: usize,
    /// Changes told in one answer to `sync-collection`.
    pub page: usize,
    /// Where the calendars are said to be.
    pub home: String,
}

impl Fake {
    pub fn put(&mut self, name: &str, text: &str) {
        self.changes += 1;
        self.resources.insert(format!("/cal/a/{name}.ics"), (Some(text.to_string()), self.changes));
    }

    pub fn delete(&mut self, name: &str) {
        self.changes += 1;
        self.resources.insert(format!("/cal/a/{name}.ics"), (None, self.changes));
    }

    fn answer(&self, asked: &Asked) -> Reply {
        let mut out =
            "<?xml version=\"1.0\"?><multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">".to_string();
        let there = || self.resources.iter().filter_map(|(href, (text, n))| Some((href, text.as_ref()?, n)));
        let etag = |out: &mut String, href: &str, n: usize, more: &str| {
            let _ = write!(
                out,
                "<response><href>{href}</href><propstat><prop><getetag>\"{n}\"</getetag>{more}</prop><status>HTTP/1.1 200 OK</status></propstat></response>"
            );
        };
        match (asked.method.as_str(), asked.path.as_str()) {
            ("PROPFIND", "/") => {
                let _ = write!(
                    out,
                    "<response><href>/</href><propstat><prop><C:calendar-home-set><href>{}</href></C:calendar-home-set></prop><status>HTTP/1.1 200 OK</status></propstat></response>",
                    self.home
                );
            }
            ("PROPFIND", "/cal/") => {
                let _ = write!(
                    out,
                    "<response><href>/cal/a/</href><propstat><prop><resourcetype><collection/><C:calendar/></resourcetype><displayname>A</displayname>\
                     <sync-token>{}</sync-token><supported-report-set><supported-report><report><sync-collection/></report></supported-report></supported-report-set></prop>\
                     <status>HTTP/1.1 200 OK</status></propstat></response>",
                    self.changes
                );
            }
            ("PROPFIND", "/cal/a/") => there().for_each(|(href, _, n)| etag(&mut out, href, *n, "")),
            ("REPORT", "/cal/a/") if asked.body.contains("sync-collection") => self.changed(asked, &mut out),
            ("REPORT", "/cal/a/") if asked.body.contains("calendar-query") => {
                let bound = |name: &str| {
                    asked
                        .body
                        .split(&format!("{name}=\""))
                        .nth(1)
                        .and_then(|b| b.split('"').next())
                        .unwrap()
                        .to_string()
                };
                let (from, until) = (bound("start"), bound("end"));
                for (href, text, n) in there() {
                    let start = text.split("DTSTART:").nth(1).and_then(|t| t.lines().next()).unwrap();
                    if (from.as_str()..until.as_str()).contains(&start) {
                        etag(&mut out, href, *n, "");
                    }
                }
            }
            ("REPORT", "/cal/a/") => {
                let wanted = asked.body.split("<D:href>").skip(1).filter_map(|h| h.split("</D:href>").next());
                for href in wanted {
                    match self.resources.get(href) {
                        Some((Some(text), n)) => {
                            etag(&mut out, href, *n, &format!("<C:calendar-data>{text}</C:calendar-data>"))
                        }
                        _ => {
                            let _ = write!(
                                out,
                                "<response><href>{href}</href><status>HTTP/1.1 404 Not Found</status></response>"
                            );
                        }
                    }
                }
            }
            _ => return Reply::new(404, &[], ""),
        }
        out.push_str("</multistatus>");
        Reply::new(207, &[("Content-Type", "application/xml")], out)
    }

    fn changed(&self, asked: &Asked, out: &mut String) {
        let token = asked.body.split("sync-token>").nth(1).and_then(|t| t.split('<').next()).unwrap();
        let since: usize = token.parse().unwrap();
        let mut news: Vec<(usize, &String, bool)> = self
            .resources
            .iter()
            .map(|(href, (text, n))| (*n, href, text.is_some()))
            .filter(|(n, ..)| *n > since)
            .collect();
        news.sort_unstable();
        let is_cut = news.len() > self.page;
        news.truncate(self.page);
        for (n, href, is_there) in &news {
            let what = if *is_there {
                format!("<propstat><prop><getetag>\"{n}\"</getetag></prop><status>HTTP/1.1 200 OK</status></propstat>")
            } else {
                "<status>HTTP/1.1 404 Not Found</status>".to_string()
            };
            let _ = write!(out, "<response><href>{href}</href>{what}</response>");
        }
        if is_cut {
            out.push_str("<response><href>/cal/a/</href><status>HTTP/1.1 507 Insufficient Storage</status></response>");
        }
        let next = if is_cut { news.last().map_or(since, |(n, ..)| *n) } else { self.changes };
        let _ = write!(out, "<sync-token>{next}</sync-token>");
    }
}

/// The fake, and a world that reads it.
pub struct Faked {
    pub fake: Arc<Mutex<Fake>>,
    pub server: Server,
    pub world: World,
    pub params: Params,
}

impl Faked {
    pub fn new() -> Faked {
        let fake = Fake { resources: BTreeMap::new(), changes: 0, page: 1_000_000, home: "/cal/".into() };
        let fake = Arc::new(Mutex::new(fake));
        let answers = fake.clone();
        let server = Server::start(move |asked| answers.lock().unwrap().answer(asked));
        let web = Web { url: Url::parse(&server.url("/")).unwrap(), login: None, ca_file: None };
        let history = Span { months: 24, seconds: 0 };
        let params =
            Params { name: "work".into(), kind: Kind::Calendars, web, credentials: None, picked: Picked::All, history };
        Faked { fake, server, world: World::new(), params }
    }

    pub fn read(&mut self) -> Seen {
        self.server.asked();
        let params = self.params.clone();
        self.world.read(|cursors, occasion, send| dav::read(&params, cursors, occasion, send))
    }
}
