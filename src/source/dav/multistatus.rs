//! Answers of a WebDAV server (RFC 4918 13, RFC 6578 3.2), read as they come and in no tree. Part of `dav`.
//!
//! Invariant: what breaks off is an error and never an answer with less in it; a value the server
//! says it could not give is not there; no entity is ever expanded but those of XML itself.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::limits;

/// One answer.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Multistatus {
    /// What it says of each resource, in its order.
    pub entries: Vec<Entry>,
    /// `sync-token` of a `sync-collection`.
    pub token: Option<String>,
}

/// What is said of one resource.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Entry {
    /// As the server writes it.
    pub href: String,
    /// Of the resource as a whole; `None` where only its properties have one.
    pub status: Option<u16>,
    /// Those that were there.
    pub props: Props,
}

/// Properties that are looked at.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Props {
    /// `getetag`.
    pub etag: Option<String>,
    /// `calendar-data` or `address-data`.
    pub data: Option<String>,
    /// `displayname`.
    pub name: Option<String>,
    /// `getctag` (calendarserver.org).
    pub ctag: Option<String>,
    /// `sync-token`.
    pub token: Option<String>,
    /// `collection` among its types.
    pub collection: bool,
    /// `calendar` among its types.
    pub calendar: bool,
    /// `addressbook` among its types.
    pub address_book: bool,
    /// `supported-calendar-component-set`.
    pub components: Vec<String>,
    /// `sync-collection` among its reports.
    pub syncs: bool,
    /// `current-user-principal`.
    pub principal: Option<String>,
    /// `calendar-home-set` or `addressbook-home-set`.
    pub homes: Vec<String>,
}

impl Props {
    fn take_in(&mut self, other: Props) {
        let either = |a: &mut Option<String>, b: Option<String>| {
            if let Some(b) = b {
                *a = Some(b);
            }
        };
        either(&mut self.etag, other.etag);
        either(&mut self.data, other.data);
        either(&mut self.name, other.name);
        either(&mut self.ctag, other.ctag);
        either(&mut self.token, other.token);
        either(&mut self.principal, other.principal);
        self.collection |= other.collection;
        self.calendar |= other.calendar;
        self.address_book |= other.address_book;
        self.syncs |= other.syncs;
        self.components.extend(other.components);
        self.homes.extend(other.homes);
    }
}

/// Names are told apart by their local part alone: Cyrus (2026-10) puts some into another namespace
/// than their RFC does, and no two that are asked for share one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tag {
    Multistatus,
    Response,
    Href,
    Status,
    Propstat,
    SyncToken,
    ResourceType,
    Collection,
    Calendar,
    AddressBook,
    Etag,
    Data,
    DisplayName,
    Ctag,
    Component,
    SyncCollection,
    Principal,
    HomeSet,
    Other,
}

impl Tag {
    fn of(name: &str) -> Tag {
        match name {
            "multistatus" => Tag::Multistatus,
            "response" => Tag::Response,
            "href" => Tag::Href,
            "status" => Tag::Status,
            "propstat" => Tag::Propstat,
            "sync-token" => Tag::SyncToken,
            "resourcetype" => Tag::ResourceType,
            "collection" => Tag::Collection,
            "calendar" => Tag::Calendar,
            "addressbook" => Tag::AddressBook,
            "getetag" => Tag::Etag,
            "calendar-data" | "address-data" => Tag::Data,
            "displayname" => Tag::DisplayName,
            "getctag" => Tag::Ctag,
            "comp" => Tag::Component,
            "sync-collection" => Tag::SyncCollection,
            "current-user-principal" => Tag::Principal,
            "calendar-home-set" | "addressbook-home-set" => Tag::HomeSet,
            _ => Tag::Other,
        }
    }

    /// Is its text wanted?
    const fn has_text(self) -> bool {
        matches!(self, Tag::Href | Tag::Status | Tag::SyncToken | Tag::Etag | Tag::Data | Tag::DisplayName | Tag::Ctag)
    }
}

/// Reads a whole answer. `Err` says in plain words what it is instead.
pub(super) fn read(body: &[u8]) -> Result<Multistatus, String> {
    let text = String::from_utf8_lossy(body);
    let mut xml = Reader::from_str(&text);
    xml.config_mut().allow_dangling_amp = true;
    let mut reading = Reading::default();
    loop {
        let event = xml.read_event().map_err(|error| format!("an answer that is no XML ({error})"))?;
        match event {
            Event::Start(start) => reading.begin(&start)?,
            Event::Empty(start) => {
                reading.begin(&start)?;
                reading.end();
            }
            Event::End(_) => reading.end(),
            Event::Text(text) => reading.text(&text.xml10_content()),
            Event::CData(text) => reading.text(&text.xml10_content()),
            Event::GeneralRef(entity) => reading.text(&resolved(&entity)),
            Event::DocType(_) => return Err("a web page, or XML with a document type".to_string()),
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    match (reading.begun, reading.path.is_empty()) {
        (true, true) => Ok(reading.answer),
        (true, false) => Err("an answer that breaks off".to_string()),
        (false, _) => Err("an answer that is no multistatus".to_string()),
    }
}

/// The five entities of XML, and characters by number; whatever a document defines itself is nothing.
fn resolved(entity: &BytesRef<'_>) -> Cow<'static, str> {
    if let Ok(Some(character)) = entity.resolve_char_ref() {
        return Cow::Owned(character.to_string());
    }
    Cow::Borrowed(match entity.as_ref() {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    })
}

#[derive(Default)]
struct Reading {
    answer: Multistatus,
    path: Vec<Tag>,
    text: String,
    hrefs: Vec<String>,
    entry: Entry,
    props: Props,
    props_status: Option<u16>,
    begun: bool,
}

impl Reading {
    fn begin(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        let tag = Tag::of(start.local_name().as_ref());
        if self.path.is_empty() {
            if tag != Tag::Multistatus {
                return Err("an answer that is no multistatus".to_string());
            }
            self.begun = true;
        }
        if self.path.len() >= limits::DAV_DEPTH {
            return Err("an answer that is nested too deep".to_string());
        }
        let in_types = self.path.last() == Some(&Tag::ResourceType);
        match tag {
            Tag::Response => {
                if self.answer.entries.len() >= limits::RESOURCES {
                    return Err(format!("more than {} resources", limits::RESOURCES));
                }
                self.entry = Entry::default();
                self.hrefs.clear();
            }
            Tag::Propstat => (self.props, self.props_status) = (Props::default(), None),
            Tag::Collection => self.props.collection |= in_types,
            Tag::Calendar => self.props.calendar |= in_types,
            Tag::AddressBook => self.props.address_book |= in_types,
            Tag::SyncCollection => self.props.syncs = true,
            Tag::Component => {
                if let Ok(Some(name)) = start.try_get_attribute("name") {
                    self.props.components.push(name.value.to_ascii_uppercase());
                }
            }
            _ => {}
        }
        self.text.clear();
        self.path.push(tag);
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if self.path.last().is_some_and(|tag| tag.has_text()) {
            self.text.push_str(text);
        }
    }

    fn end(&mut self) {
        let Some(tag) = self.path.pop() else { return };
        let text = std::mem::take(&mut self.text);
        let parent = self.path.last().copied();
        let trimmed = || text.trim().to_string();
        let some = || Some(trimmed()).filter(|t| !t.is_empty());
        match (tag, parent) {
            (Tag::Href, Some(Tag::Response)) => self.hrefs.push(trimmed()),
            (Tag::Href, Some(Tag::Principal)) => self.props.principal = some(),
            (Tag::Href, Some(Tag::HomeSet)) => self.props.homes.extend(some()),
            (Tag::Status, Some(Tag::Response)) => self.entry.status = status(&text),
            (Tag::Status, Some(Tag::Propstat)) => self.props_status = status(&text),
            (Tag::SyncToken, Some(Tag::Multistatus)) => self.answer.token = some(),
            (Tag::SyncToken, _) => self.props.token = some(),
            (Tag::Etag, _) => self.props.etag = some(),
            (Tag::DisplayName, _) => self.props.name = some(),
            (Tag::Ctag, _) => self.props.ctag = some(),
            (Tag::Data, _) => self.props.data = Some(text).filter(|t| !t.trim().is_empty()),
            (Tag::Propstat, _) => {
                let props = std::mem::take(&mut self.props);
                if self.props_status.is_none_or(is_good) {
                    self.entry.props.take_in(props);
                }
            }
            (Tag::Response, _) => {
                for href in std::mem::take(&mut self.hrefs) {
                    self.answer.entries.push(Entry { href, ..self.entry.clone() });
                }
            }
            _ => {}
        }
    }
}

/// `HTTP/1.1 200 OK`.
fn status(line: &str) -> Option<u16> {
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Is it a success?
pub(super) fn is_good(status: u16) -> bool {
    (200..300).contains(&status)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn answer(inner: &str) -> Multistatus {
        let text = format!(
            "<?xml version='1.0' encoding='utf-8'?>\n<D:multistatus xmlns:D='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav'>{inner}</D:multistatus>"
        );
        read(text.as_bytes()).unwrap()
    }

    #[test]
    fn collections_are_described() {
        let found = answer(
            "<D:response><D:href>/cal/</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop>\
             <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>\
             <D:response><D:href> /cal/work/ </D:href><D:propstat><D:prop><D:resourcetype><D:collection/><C:calendar/></D:resourcetype>\
             <D:displayname>Work &amp; &#x4d;ore</D:displayname><D:sync-token>t1</D:sync-token><x:getctag xmlns:x='y'>c1</x:getctag>\
             <C:supported-calendar-component-set><C:comp name='VEVENT'/><C:comp name='vtodo'/></C:supported-calendar-component-set>\
             <D:supported-report-set><D:supported-report><D:report><D:sync-collection/></D:report></D:supported-report></D:supported-report-set>\
             </D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>\
             <D:propstat><D:prop><D:getetag>none</D:getetag></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat></D:response>",
        );
        assert_eq!(found.entries.len(), 2);
        let work = &found.entries[1];
        assert_eq!((work.href.as_str(), work.status), ("/cal/work/", None));
        let expected = Props {
            name: Some("Work & More".into()),
            ctag: Some("c1".into()),
            token: Some("t1".into()),
            collection: true,
            calendar: true,
            components: vec!["VEVENT".into(), "VTODO".into()],
            syncs: true,
            ..Props::default()
        };
        assert_eq!(work.props, expected);
    }

    #[test]
    fn principals_and_homes_are_found() {
        let found = answer(
            "<D:response><D:href>/</D:href><D:propstat><D:prop><D:current-user-principal><D:href>/me/</D:href></D:current-user-principal>\
             <C:calendar-home-set><D:href>/cal/</D:href><D:href>https://p7.example/cal/</D:href></C:calendar-home-set></D:prop>\
             <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>",
        );
        let props = &found.entries[0].props;
        assert_eq!(props.principal.as_deref(), Some("/me/"));
        assert_eq!(props.homes, ["/cal/", "https://p7.example/cal/"]);
    }

    #[test]
    fn changes_deletions_and_truncation_are_told_apart() {
        let found = answer(
            "<D:response><D:href>/cal/a.ics</D:href><D:propstat><D:prop><D:getetag>\"1\"</D:getetag></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>\
             <D:response><D:href>/cal/b.ics</D:href><D:href>/cal/c.ics</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>\
             <D:response><D:href>/cal/</D:href><D:status>HTTP/1.1 507 Insufficient Storage</D:status></D:response><D:sync-token>t2</D:sync-token>",
        );
        let said: Vec<(&str, Option<u16>, Option<&str>)> =
            found.entries.iter().map(|e| (e.href.as_str(), e.status, e.props.etag.as_deref())).collect();
        assert_eq!(
            said,
            [
                ("/cal/a.ics", None, Some("\"1\"")),
                ("/cal/b.ics", Some(404), None),
                ("/cal/c.ics", Some(404), None),
                ("/cal/", Some(507), None)
            ]
        );
        assert_eq!(found.token.as_deref(), Some("t2"));
    }

    #[test]
    fn data_comes_in_either_form() {
        for data in
            ["BEGIN:VCALENDAR\nX:a&lt;b\nEND:VCALENDAR\n", "<![CDATA[BEGIN:VCALENDAR\r\nX:a<b\r\nEND:VCALENDAR\r\n]]>"]
        {
            let found = answer(&format!(
                "<D:response><D:href>/a</D:href><D:propstat><D:prop><C:calendar-data>{data}</C:calendar-data></D:prop></D:propstat></D:response>"
            ));
            assert_eq!(found.entries[0].props.data.as_deref(), Some("BEGIN:VCALENDAR\nX:a<b\nEND:VCALENDAR\n"));
        }
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><multistatus>&b;</multistatus>";
        let deep = format!("<multistatus>{}", "<a>".repeat(100_000));
        for (text, word) in [
            ("", "no multistatus"),
            ("<html><body>login</body></html>", "no multistatus"),
            ("<!DOCTYPE html><p>", "web page"),
            (bomb, "document type"),
            (&deep, "nested too deep"),
            ("<multistatus><response><href>/a</href>", "breaks off"),
            ("<multistatus><response><href>/a</wrong>", "no XML"),
            ("<multistatus><response>", "breaks off"),
            ("BEGIN:VCALENDAR", "no multistatus"),
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.contains(word), "{text:.60}: {error}");
        }
        // an entity that nobody knows is nothing, and a lone ampersand is one
        let found = answer("<D:response><D:href>/a&nope;b&c</D:href></D:response>");
        assert!(found.entries[0].href.starts_with("/ab"), "{found:?}");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let _ = read(&bytes);
        }

        #[test]
        fn no_pieces_panic(pieces in proptest::collection::vec("(<(/)?(multistatus|response|href|propstat|prop|status|getetag|calendar-data|comp name='x')/?>)|&[a-z#0-9]{0,4};?|<!\\[CDATA\\[|\\]\\]>|\\PC{0,6}", 0..30)) {
            let _ = read(format!("<multistatus>{}", pieces.concat()).as_bytes());
        }
    }
}
