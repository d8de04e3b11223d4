//! A feed over HTTP. Part of `source::feed`.
//!
//! Invariant: a poll with nothing new is one request without a body; the URL, which is a secret,
//! is named by its host alone.

use std::io::{self, Seek, SeekFrom, Write};

use serde::{Deserialize, Serialize};
use tempfile::SpooledTempFile;
use tokio::runtime::Handle;

use super::{Params, context, day, salt};
use crate::engine::reply::Finding;
use crate::evidence::{Cursor, EvidenceId, Folder, Level, Role};
use crate::limits;
use crate::net::http::{Bounds, Client, Request};
use crate::net::token::Credentials;
use crate::net::{Trouble, Web};
use crate::source::answer::{not_before, refusal};
use crate::source::events::{CalendarReader, calendar_reader, observe_calendar};
use crate::source::files::{Held, Reading, State, what_instead};
use crate::source::{Batches, Occasion, READER_FAILED, Stopped, finding, guarded};
use crate::time::Timestamp;

/// Version of the cursor's bytes.
const VERSION: u8 = 1;

/// What the server said of itself at the last answer.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Told {
    /// Digest of the URL, and of whatever else makes a new reading necessary.
    of: [u8; 16],
    /// `ETag`.
    etag: Option<String>,
    /// `Last-Modified`.
    modified: Option<String>,
    /// It wants to be left in peace until then.
    not_before: Option<Timestamp>,
}

impl Told {
    fn load(cursors: &[Cursor]) -> Option<Told> {
        let value = &cursors.iter().find(|c| c.place == PLACE)?.value;
        let (version, rest) = value.split_first()?;
        (*version == VERSION).then(|| postcard::from_bytes(rest).ok()).flatten()
    }

    fn cursor(&self) -> Cursor {
        let mut value = vec![VERSION];
        // writing into memory does not fail; if it did, the feed would only be fetched again
        value.extend(postcard::to_allocvec(self).unwrap_or_default());
        Cursor { place: PLACE.to_string(), part: 1, value }
    }
}

/// What its cursor speaks of.
const PLACE: &str = "web";

/// What came of asking.
enum Answer {
    /// 304.
    Same,
    /// The feed.
    Feed { bytes: SpooledTempFile, digest: [u8; 16], told: Told },
    /// Anything else, in plain words.
    Refused(String, Option<Timestamp>),
}

pub(super) fn read(
    params: &Params,
    web: &Web,
    credentials: Option<&Credentials>,
    cursors: &[Cursor],
    occasion: &Occasion<'_>,
    mut batches: Batches<'_, '_>,
    reader: &CalendarReader,
) -> Result<(), Stopped> {
    let now = occasion.now;
    let sorry = |what: &str| format!("the calendar `{}` cannot be read: {what}", params.name);
    let (salt, day) = (salt(params, occasion), day(occasion));
    let of = EvidenceId::of("feed", &[web.url.as_str().as_bytes(), salt.as_bytes()]).bytes();
    // of another feed, or for another window, nothing is known
    let known = Told::load(cursors).filter(|told| told.of == of);
    let last = State::load(cursors).filter(|_| known.is_some()).unwrap_or_default();
    let told = known.unwrap_or(Told { of, ..Told::default() });
    if let Some(until) = told.not_before.filter(|until| now < *until) {
        let what = format!("{} asked to be left in peace until {until}", web.url.host());
        return batches.failed(Level::Wait, sorry(&what));
    }
    // what the same bytes would say changes with the day, and with doubts
    let same_would_do = last.digest.is_some() && last.day == day && last.doubted_since.is_none();
    let shown = if same_would_do { told.clone() } else { Told { of, ..Told::default() } };
    let folder = |read| vec![Folder { name: web.url.host().to_string(), read, role: Role::Calendar }];
    let fetched = Handle::current().block_on(fetch(web, credentials, &shown, now));
    let (mut bytes, digest, told) = match fetched {
        Err(Trouble { level, what }) => return batches.failed(level, sorry(&what)),
        Ok(Answer::Refused(what, not_before)) => {
            batches.cursor(Told { not_before, ..told }.cursor())?;
            return batches.failed(Level::Wait, sorry(&what));
        }
        Ok(Answer::Same) => return batches.through(now, folder(last.items), false),
        Ok(Answer::Feed { digest, told, .. }) if same_would_do && last.digest == Some(digest) => {
            batches.cursor(told.cursor())?;
            return batches.through(now, folder(last.items), false);
        }
        Ok(Answer::Feed { bytes, digest, told }) => (bytes, digest, told),
    };
    let host = web.url.host();
    let mut reading = Reading::new();
    match what_instead(&mut bytes, "VCALENDAR") {
        Err(error) => reading.could_not(&params.name, host, (error.to_string(), true), now, &mut batches),
        Ok(Some(instead)) => reading.could_not(&params.name, host, (instead, false), now, &mut batches),
        Ok(None) => {
            match observe_calendar(&mut bytes, &context(params, host, occasion), reader, &mut batches, &mut |_| {})? {
                Some(found) => reading.held(&Held { items: found.events, whole: found.complete }),
                None => reading.could_not(&params.name, host, (READER_FAILED.to_string(), false), now, &mut batches),
            }
        }
    }
    if reading.good > 0 {
        batches.cursor(told.cursor())?;
    }
    let next = State { digest: Some(digest), day, ..State::default() };
    let folders = folder(reading.items);
    let until = now.plus(limits::CALENDAR_AHEAD);
    reading.end("calendar", &last, next, (now, until), batches, folders)
}

async fn fetch(web: &Web, credentials: Option<&Credentials>, told: &Told, now: Timestamp) -> Result<Answer, Trouble> {
    let body_bytes = usize::try_from(limits::FEED_BYTES).unwrap_or(usize::MAX);
    let client = Client::new(web, credentials, Bounds { body_bytes, ..Bounds::default() })?;
    let mut request = Request::new("GET", web.url.as_str()).header("accept", "text/calendar, */*;q=0.5");
    if let Some(etag) = &told.etag {
        request = request.header("if-none-match", etag);
    }
    if let Some(modified) = &told.modified {
        request = request.header("if-modified-since", modified);
    }
    let mut incoming = client.open(request).await?;
    let answer = &incoming.response;
    match answer.status {
        200 => {}
        304 if told.etag.is_some() || told.modified.is_some() => return Ok(Answer::Same),
        _ => return Ok(Answer::Refused(refusal(answer, web.login.is_some()), not_before(answer, now))),
    }
    let kept = |name| answer.header(name).filter(|v| v.len() <= limits::VALIDATOR_BYTES).map(str::to_string);
    let told = Told { of: told.of, etag: kept("etag"), modified: kept("last-modified"), not_before: None };
    let mut bytes = SpooledTempFile::new(limits::FEED_MEMORY_BYTES);
    let mut hasher = blake3::Hasher::new();
    let full = |error: io::Error| Trouble {
        level: Level::Wait,
        what: format!("there is no room for it in the folder for temporary files ({error})"),
    };
    while let Some(chunk) = incoming.chunk().await? {
        hasher.update(&chunk);
        bytes.write_all(&chunk).map_err(full)?;
    }
    bytes.seek(SeekFrom::Start(0)).map_err(full)?;
    let mut digest = [0; 16];
    hasher.finalize_xof().fill(&mut digest);
    Ok(Answer::Feed { bytes, digest, told })
}

pub(super) fn check(
    params: &Params,
    web: &Web,
    credentials: Option<&Credentials>,
    occasion: &Occasion<'_>,
) -> Vec<Finding> {
    let host = web.url.host();
    let fetched = Handle::current().block_on(fetch(web, credentials, &Told::default(), occasion.now));
    let mut bytes = match fetched {
        Ok(Answer::Feed { bytes, .. }) => bytes,
        Ok(Answer::Refused(what, _)) | Err(Trouble { what, .. }) => {
            return vec![finding("fail", what)];
        }
        Ok(Answer::Same) => return Vec::new(),
    };
    match what_instead(&mut bytes, "VCALENDAR") {
        Err(error) => return vec![finding("fail", error.to_string())],
        Ok(Some(instead)) => {
            let what = format!("what {host} gives {instead}: check that `url` is the address of an .ics feed");
            return vec![finding("fail", what)];
        }
        Ok(None) => {}
    }
    let (mut meetings, mut with_people) = (0_u64, 0_u64);
    let mut sink = |meeting: crate::evidence::Meeting| {
        meetings += 1;
        with_people += u64::from(meeting.revisions.iter().any(|r| !r.attendees.is_empty()));
    };
    let read = guarded(|| calendar_reader(&mut bytes, &context(params, host, occasion), &mut sink));
    let Some(read) = read else { return vec![finding("fail", READER_FAILED.to_string())] };
    let mut findings = vec![finding("ok", format!("{} events at {host}", read.events))];
    if meetings > 0 && with_people == 0 {
        let what = "no event of this feed says who takes part (Outlook publishes such feeds): a meeting counts only \
                    where its title names a contact; CalDAV, where there is any, says more";
        findings.push(finding("note", what.to_string()));
    }
    if let Some(first) = read.complaints.first() {
        let what = format!("{} of it cannot be read, such as: {} {}", read.complaints.len(), first.place, first.what);
        findings.push(finding("note", what));
    }
    findings
}
