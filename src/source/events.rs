//! A calendar's bytes into batches, wherever they came from. Part of `source`.
//!
//! Invariant: bytes the reader does not stand are set aside, and not what lies beside them.

use std::io::{BufReader, Read, Seek};

use super::{Batches, Stopped, guarded};
use crate::evidence::{Meeting, Observation};
use crate::read::calendar::{CalendarContext, CalendarReading, read_calendar};

/// Bytes that are read twice.
pub(super) trait Bytes: Read + Seek {}

impl<B: Read + Seek> Bytes for B {}

/// Reads a calendar; tests put a simpler one in its place.
pub(super) type CalendarReader =
    dyn Fn(&mut dyn Bytes, &CalendarContext<'_>, &mut dyn FnMut(Meeting)) -> CalendarReading;

pub(super) fn calendar_reader(
    bytes: &mut dyn Bytes,
    context: &CalendarContext<'_>,
    sink: &mut dyn FnMut(Meeting),
) -> CalendarReading {
    read_calendar(&mut BufReader::new(bytes), context, sink)
}

/// Reads a calendar into `batches`; `also` sees each meeting. `None`: the reader did not stand it.
pub(super) fn observe_calendar(
    bytes: &mut dyn Bytes,
    context: &CalendarContext<'_>,
    reader: &CalendarReader,
    batches: &mut Batches<'_, '_>,
    also: &mut dyn FnMut(&Meeting),
) -> Result<Option<CalendarReading>, Stopped> {
    let mut outcome = Ok(());
    let mut sink = |meeting| {
        also(&meeting);
        if outcome.is_ok() {
            outcome = batches.observe(Observation::Meeting(meeting));
        }
    };
    let read = guarded(|| reader(bytes, context, &mut sink));
    outcome?;
    let Some(mut read) = read else { return Ok(None) };
    batches.batch.read += read.events;
    std::mem::take(&mut read.complaints).into_iter().for_each(|c| batches.complain(c));
    Ok(Some(read))
}
