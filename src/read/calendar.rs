//! A calendar (RFC 5545) to meetings. Part of `read`. Not built yet.

use std::io::{BufRead, Seek};

use crate::evidence::{Complaint, Meeting, Speaker};
use crate::time::{Timestamp, Zone};

/// Where and when a calendar was found, and which window of it counts.
#[derive(Clone, Debug)]
pub struct CalendarContext<'a> {
    /// Calendar of the config, or the path given to `read`.
    pub source: &'a str,
    /// File or collection, for complaints.
    pub place: &'a str,
    /// Who says so.
    pub speaker: Speaker,
    /// When it is read.
    pub read_at: Timestamp,
    /// Instances that end before this are left out.
    pub from: Timestamp,
    /// Instances that start after this are left out.
    pub until: Timestamp,
    /// The zone floating times are taken in.
    pub zone: &'a Zone,
}

/// What came of a calendar.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CalendarReading {
    /// Events it holds, inside the window or not.
    pub events: u64,
    /// What could not be read of it.
    pub complaints: Vec<Complaint>,
}

/// Reads a calendar and hands over each instance inside the window.
pub fn read_calendar<R: BufRead + Seek>(
    _reader: R,
    _context: &CalendarContext<'_>,
    _sink: &mut dyn FnMut(Meeting),
) -> CalendarReading {
    CalendarReading::default()
}
