//! Calendar parts of mail (RFC 5546, RFC 6047). Part of `read::calendar`.
//!
//! Invariant: who may say what is not decided here; each meeting carries its speaker.

use std::io::Cursor;

use super::{CalendarContext, read_calendar};
use crate::address::AddrSpec;
use crate::evidence::{Complaint, EventStatus, Meeting, Method, Recurrence, Speaker};
use crate::time::Timestamp;

/// Reads an invitation, an answer or a cancellation. `method_param` is the `method` of the
/// `Content-Type`, used where the calendar names none; `from` the mail's one From address.
/// A series is expanded inside the context's window; the context's speaker is not looked at.
pub fn read_invitation(
    bytes: &[u8],
    method_param: Option<&str>,
    from: Option<&AddrSpec>,
    in_sent: bool,
    context: &CalendarContext<'_>,
) -> (Vec<Meeting>, Vec<Complaint>) {
    let speaker = |method| Speaker::Mail { from: from.cloned(), method, in_sent };
    let context = CalendarContext { speaker: speaker(Method::Other), ..context.clone() };
    let mut meetings = Vec::new();
    let mut reading = read_calendar(Cursor::new(bytes), &context, &mut |meeting| meetings.push(meeting));
    let method = match reading.method.as_deref().or(method_param).map(|m| m.trim().to_ascii_uppercase()).as_deref() {
        Some("REQUEST") => Method::Request,
        Some("REPLY") => Method::Reply,
        Some("CANCEL") => Method::Cancel,
        _ => Method::Other,
    };
    if method == Method::Cancel && meetings.is_empty() {
        // a series is called off under its first date, which may lie years back
        let ever = CalendarContext { from: Timestamp::MIN, ..context.clone() };
        reading = read_calendar(Cursor::new(bytes), &ever, &mut |mut meeting| {
            if meeting.key.recurrence == Recurrence::Main {
                for revision in &mut meeting.revisions {
                    revision.start = revision.start.max(context.from);
                    revision.end = revision.end.max(context.from);
                }
                meetings.push(meeting);
            }
        });
    }
    for revision in meetings.iter_mut().flat_map(|m| &mut m.revisions) {
        revision.said_by = speaker(method);
        if method == Method::Cancel {
            revision.status = EventStatus::Cancelled;
        }
    }
    (meetings, reading.complaints)
}
