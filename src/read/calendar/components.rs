//! Bytes of a feed to single components (RFC 5545 3.1, 3.4). Part of `read::calendar`; the only
//! place that hands text to the icalendar and calcard parsers.
//!
//! Invariant: whatever the bytes, one component of at most [`limits::COMPONENT_BYTES`] is held at a
//! time, nesting is counted and never followed, and what is handed to a parser is flat, unfolded,
//! upper-case in its names, and has a colon in every line.

use std::io::{self, BufRead};

use icalendar::parser as ical;

use crate::limits;

/// Names of components that stand on their own and can never lie in one another, so that the
/// beginning of one is the end of the one before.
const ROOTS: &[&str] = &["VEVENT", "VTIMEZONE", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"];

/// Properties of an event that are read, and those of a time zone; sorted. All others are left out
/// before parsing: an inlined attachment may be larger than the rest of the feed.
const WANTED: &[&str] = &[
    "ATTENDEE",
    "CATEGORIES",
    "DESCRIPTION",
    "DTEND",
    "DTSTART",
    "DURATION",
    "EXDATE",
    "EXRULE",
    "LAST-MODIFIED",
    "LOCATION",
    "ORGANIZER",
    "RDATE",
    "RECURRENCE-ID",
    "RRULE",
    "SEQUENCE",
    "STATUS",
    "SUMMARY",
    "TRANSP",
    "TZID",
    "TZOFFSETFROM",
    "TZOFFSETTO",
    "UID",
    "X-LIC-LOCATION",
    "X-MICROSOFT-CDO-ALLDAYEVENT",
    "X-MICROSOFT-CDO-BUSYSTATUS",
    "X-MICROSOFT-CDO-TZID",
];

/// Wanted ones that may take at most half of a component's bytes, so that a long list or text
/// does not push out the date that follows it.
const BULKY: &[&str] = &["ATTENDEE", "CATEGORIES", "DESCRIPTION"];

/// One `BEGIN` to `END`, cleaned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Component {
    /// `VEVENT` or `VTIMEZONE`.
    pub name: String,
    /// Line of its `BEGIN`, from 1.
    pub line: u64,
    /// Its own wanted properties, one a line.
    pub text: String,
    /// `STANDARD` and `DAYLIGHT` of a time zone, as the same.
    pub parts: Vec<String>,
    /// Something was left out because it was too large.
    pub cut: bool,
    /// Bytes taken so far.
    pub bytes: usize,
}

/// What the splitter finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// An event or a time zone.
    Component(Component),
    /// `METHOD` of the calendar.
    Method(String),
}

/// One property as the rest of `read::calendar` sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// Upper-case.
    pub name: String,
    /// Names upper-case, values without quotes.
    pub params: Vec<(String, String)>,
    /// Unescaped where the property is TEXT.
    pub value: String,
}

impl Property {
    /// The value of a parameter; `name` in upper case.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// Parses one flat list of property lines, all at once; where icalendar refuses that, line by line,
/// those it refuses as calcard writes them. The second value counts lines that neither can read.
pub fn properties(text: &str) -> (Vec<Property>, usize) {
    if let Some(all) = parse(&wrapped(text)) {
        return (all, 0);
    }
    let mut all = Vec::new();
    let mut refused = 0;
    for line in text.lines() {
        let line = wrapped(&format!("{line}\n"));
        match parse(&line).or_else(|| rewritten(&line)) {
            Some(mut one) => all.append(&mut one),
            None => refused += 1,
        }
    }
    (all, refused)
}

fn wrapped(text: &str) -> String {
    format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{text}END:VEVENT\nEND:VCALENDAR\n")
}

fn rewritten(wrapped: &str) -> Option<Vec<Property>> {
    let calendar = calcard::icalendar::ICalendar::parse(wrapped).ok()?.to_string();
    parse(&ical::unfold(&calendar)).filter(|all| !all.is_empty())
}

fn parse(wrapped: &str) -> Option<Vec<Property>> {
    let roots = ical::read_calendar_simple(wrapped).ok()?;
    let event = roots.into_iter().next()?.components.into_iter().next()?;
    let properties = event.properties.into_iter().map(|p| Property {
        name: p.name.as_str().to_ascii_uppercase(),
        params: p
            .params
            .iter()
            .map(|q| {
                let value = q.val.as_ref().map_or("", |v| v.as_str());
                (q.key.as_str().to_ascii_uppercase(), value.trim().trim_matches('"').to_string())
            })
            .collect(),
        value: p.val.as_str().to_string(),
    });
    Some(properties.collect())
}

/// Cuts a calendar stream into [`Piece`]s.
pub struct Splitter<R> {
    lines: Lines<R>,
    /// Names of what is open below the calendar, at most [`limits::COMPONENT_DEPTH`].
    path: Vec<String>,
    /// Levels beyond.
    deeper: u64,
    open: Option<Component>,
    /// Any calendar or event began.
    pub begun: bool,
    /// Some nesting went beyond the limit.
    pub too_deep: bool,
    calendar_open: bool,
    /// The stream ended inside a calendar or component.
    pub truncated: bool,
}

impl<R: BufRead> Splitter<R> {
    /// Starts at the reader's position.
    pub fn new(reader: R) -> Splitter<R> {
        Splitter {
            lines: Lines { reader, number: 0, starts_at: 0, raw: Vec::new() },
            path: Vec::new(),
            deeper: 0,
            open: None,
            begun: false,
            too_deep: false,
            calendar_open: false,
            truncated: false,
        }
    }

    /// Any bytes beside white space?
    pub fn is_empty(&self) -> bool {
        self.lines.number == 0
    }

    /// The next piece; `None` at the end. An error of the reader is passed on.
    pub fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        while self.lines.next_line()? {
            let line = decoded(&self.lines.raw);
            let Some((name, rest)) = split_name(&line) else { continue };
            let piece = match name.as_str() {
                "BEGIN" => self.begin(value_of(rest)),
                "END" => self.end(value_of(rest)),
                "METHOD" if self.open.is_none() && self.path.is_empty() => {
                    Some(Piece::Method(value_of(rest).to_string()))
                }
                _ => {
                    self.property(&name, rest);
                    None
                }
            };
            if piece.is_some() {
                return Ok(piece);
            }
        }
        self.truncated |= self.open.is_some() || self.calendar_open;
        self.calendar_open = false;
        Ok(self.open.take().map(Piece::Component))
    }

    fn begin(&mut self, name: &str) -> Option<Piece> {
        let name = name.trim().to_ascii_uppercase();
        let is_root = ROOTS.contains(&name.as_str());
        let mut finished = None;
        if is_root || name == "VCALENDAR" {
            self.begun = true;
            self.path.clear();
            self.deeper = 0;
            finished = self.open.take();
        }
        if name == "VCALENDAR" {
            self.calendar_open = true;
        } else if self.path.len() >= limits::COMPONENT_DEPTH {
            self.deeper = self.deeper.saturating_add(1);
            self.too_deep = true;
        } else {
            if is_root && matches!(name.as_str(), "VEVENT" | "VTIMEZONE") {
                self.open = Some(Component { name: name.clone(), line: self.lines.starts_at, ..Component::default() });
            } else if let (Some(open), [zone]) = (&mut self.open, self.path.as_slice())
                && zone == "VTIMEZONE"
                && open.bytes < limits::COMPONENT_BYTES
            {
                open.bytes = open.bytes.saturating_add(size_of::<String>());
                open.parts.push(String::new());
            }
            self.path.push(name);
        }
        finished.map(Piece::Component)
    }

    fn end(&mut self, name: &str) -> Option<Piece> {
        let name = name.trim().to_ascii_uppercase();
        if name == "VCALENDAR" {
            self.path.clear();
            self.deeper = 0;
            self.calendar_open = false;
            return self.open.take().map(Piece::Component);
        }
        let is_root = ROOTS.contains(&name.as_str());
        if self.deeper > 0 && !is_root {
            self.deeper -= 1;
            return None;
        }
        let at = self.path.iter().rposition(|open| *open == name)?;
        self.deeper = 0;
        self.path.truncate(at);
        if at == 0 { self.open.take().map(Piece::Component) } else { None }
    }

    fn property(&mut self, name: &str, rest: &str) {
        let Some(open) = &mut self.open else { return };
        if self.deeper > 0 || WANTED.binary_search(&name).is_err() {
            return;
        }
        let inside_part = self.path.len() == 2 && open.name == "VTIMEZONE";
        if self.path.len() != 1 && !inside_part {
            return;
        }
        let budget = if BULKY.contains(&name) { limits::COMPONENT_BYTES / 2 } else { limits::COMPONENT_BYTES };
        let bytes = open.bytes.saturating_add(name.len()).saturating_add(rest.len()).saturating_add(1);
        if bytes > budget {
            open.cut = true;
            return;
        }
        open.bytes = bytes;
        let text = match open.parts.last_mut() {
            Some(part) if inside_part => part,
            _ => &mut open.text,
        };
        text.push_str(name);
        text.push_str(rest);
        text.push('\n');
    }
}

/// Name in upper case, and the rest with its `;` or `:`. `None` for a line without a colon or with
/// something else than a name in front.
fn split_name(line: &str) -> Option<(String, &str)> {
    let (name, rest) = line.split_at_checked(line.find([':', ';'])?)?;
    let name = name.trim();
    let sound = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (sound && rest.contains(':')).then(|| (name.to_ascii_uppercase(), rest))
}

/// What follows the first colon.
fn value_of(rest: &str) -> &str {
    rest.split_once(':').map_or("", |(_, value)| value).trim()
}

/// UTF-8, or what is not as Windows-1252's common part (Latin-1); without control characters.
fn decoded(raw: &[u8]) -> String {
    let text = match std::str::from_utf8(raw) {
        Ok(text) => text.to_string(),
        Err(_) => raw.iter().map(|b| char::from(*b)).collect(),
    };
    if text.chars().any(|c| c.is_control()) {
        text.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()).collect()
    } else {
        text
    }
}

/// Logical lines: CR, LF and CRLF end a physical one, a following blank or tab continues it.
struct Lines<R> {
    reader: R,
    /// Line ends passed so far.
    number: u64,
    /// Line at which the current logical line begins, from 1.
    starts_at: u64,
    raw: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// Reads the next logical line into `raw`, cut at [`limits::COMPONENT_LINE_BYTES`].
    fn next_line(&mut self) -> io::Result<bool> {
        self.raw.clear();
        self.starts_at = self.number.saturating_add(1);
        loop {
            let more = self.physical()?;
            let (ends, next) = self.line_ends()?;
            self.number = self.number.saturating_add(ends.max(1));
            match next {
                Some(b' ' | b'\t') if !self.raw.is_empty() => self.reader.consume(1),
                None => {
                    let any = more || !self.raw.is_empty();
                    if !any {
                        self.number = self.number.saturating_sub(1);
                    }
                    return Ok(any);
                }
                Some(_) => return Ok(true),
            }
        }
    }

    /// Appends up to the next line end, which stays; `false` when nothing was there.
    fn physical(&mut self) -> io::Result<bool> {
        let mut any = false;
        loop {
            let buffer = fill(&mut self.reader)?;
            if buffer.is_empty() {
                return Ok(any);
            }
            any = true;
            let found = buffer.iter().position(|b| matches!(b, b'\n' | b'\r'));
            let taken = found.unwrap_or(buffer.len());
            let room = limits::COMPONENT_LINE_BYTES.saturating_sub(self.raw.len()).min(taken);
            self.raw.extend_from_slice(buffer.get(..room).unwrap_or_default());
            self.reader.consume(taken);
            if self.number == 0 && self.raw.starts_with(b"\xef\xbb\xbf") {
                self.raw.drain(..3);
            }
            if found.is_some() {
                return Ok(true);
            }
        }
    }

    /// Passes all line ends, blank lines included, so that `\r\r\n` is no end of a folded text.
    /// How many there were, and the byte that follows.
    fn line_ends(&mut self) -> io::Result<(u64, Option<u8>)> {
        let mut ends = 0_u64;
        let mut after_cr = false;
        loop {
            match fill(&mut self.reader)?.first() {
                Some(b'\r') => {
                    ends = ends.saturating_add(1);
                    after_cr = true;
                }
                Some(b'\n') => {
                    ends = ends.saturating_add(u64::from(!after_cr));
                    after_cr = false;
                }
                other => return Ok((ends, other.copied())),
            }
            self.reader.consume(1);
        }
    }
}

/// `fill_buf` that goes on after an interrupted call.
fn fill<R: BufRead>(reader: &mut R) -> io::Result<&[u8]> {
    loop {
        match reader.fill_buf() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
            Ok(_) => break,
        }
    }
    reader.fill_buf()
}
