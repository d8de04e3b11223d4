//! Every numeric bound of kithd, each with its why. Floor 0.
//!
//! Invariant: no other module writes a bound as a bare number, so that what hostile or merely
//! enormous input can cost is read off this one page.

use crate::time::{DAY, HOUR, MINUTE};

// -- reading mail ---------------------------------------------------------------------------------

/// Bytes of one message file that are looked at; headers and text come first in practice, and
/// what attachments hold is never read.
pub const MESSAGE_BYTES: usize = 1 << 20;
/// Bytes of the header block handed to the parser (real ones stay under 32 KiB).
pub const HEADER_BYTES: usize = 64 << 10;
/// Bytes of decoded text that class, new text and acts look at.
pub const TEXT_BYTES: usize = 64 << 10;
/// Bytes of HTML source turned into text.
pub const HTML_BYTES: usize = 256 << 10;
/// MIME parts of one message; 9 MB of empty parts cost mail-parser 648 MB (measured).
pub const MIME_PARTS: usize = 200;
/// Nested `message/rfc822`; 50,000 overflow the stack when dropped (measured).
pub const MIME_DEPTH: usize = 20;
/// Bytes kept of a subject.
pub const SUBJECT_BYTES: usize = 200;
/// Bytes kept of the one sentence a reminder may quote.
pub const SENTENCE_BYTES: usize = 240;
/// Acts kept of one message.
pub const ACTS: usize = 8;
/// Addresses kept of one header field; the total is kept as a number.
pub const RECIPIENTS: usize = 16;
/// Bytes of an address (RFC 5321 4.5.3.1: 64 + 1 + 255).
pub const ADDRESS_BYTES: usize = 320;
/// Bytes of a display name.
pub const NAME_BYTES: usize = 100;
/// Bytes of a Message-ID; a line may hold 998.
pub const MESSAGE_ID_BYTES: usize = 250;
/// Message-IDs kept of `References`: the first and the last ones.
pub const REFERENCES: usize = 6;
/// Bytes kept of an answer to one of our own mails; verbs are short.
pub const ANSWER_BYTES: usize = 400;
/// How long before `now` the text of mail is read; older mail gives its headers only. Longer than
/// any rule's window (a second follow-up of an unanswered question, and what it rests on).
pub const TEXT_WINDOW: i64 = 120 * DAY;
/// A `Date` header is believed from 1995 on (RFC 5322 mail without a sane clock is older) ...
pub const DATE_EARLIEST: i64 = 788_918_400;
/// ... until this long after the arrival.
pub const DATE_AHEAD: i64 = 2 * DAY;

// -- reading calendars and cards --------------------------------------------------------------------

/// Bytes of a feed or file held in memory; a larger one is read component by component.
pub const FEED_BYTES: u64 = 1 << 30;
/// Bytes of one calendar component; icalendar needs about 13 KB an event (measured).
pub const COMPONENT_BYTES: usize = 256 << 10;
/// Nested `BEGIN`; icalendar overflows the stack at 2,000 (measured).
pub const COMPONENT_DEPTH: usize = 8;
/// Bytes of one unfolded line of a calendar; a longer one is an attachment or a novel.
pub const COMPONENT_LINE_BYTES: usize = 64 << 10;
/// Custom zones of one calendar, and names of zones remembered while it is read.
pub const TIMEZONES: usize = 200;
/// `STANDARD` and `DAYLIGHT` parts of one zone; each may have a rule of its own.
pub const TIMEZONE_PARTS: usize = 100;
/// Bytes of a `UID` (RFC 7986 5.3 asks for less than 255); a longer one is known by its digest.
pub const UID_BYTES: usize = 255;
/// Bytes of a title that words are looked for in.
pub const TITLE_BYTES: usize = 400;
/// Addresses kept that the text of an event names.
pub const NAMED: usize = 4;
/// Changed instances of one calendar that also hold for all later ones (`RANGE=THISANDFUTURE`).
pub const RANGED: usize = 200;
/// Rules of one event; real ones have one.
pub const RULES: usize = 16;
/// Steps that all rules of one calendar may take together, so that a feed of traps ends as well.
/// 50,000 events of a large calendar take 300,000 (measured).
pub const RECURRENCE_STEPS_FEED: u64 = 5_000_000;
/// What a rule is charged that never hits: rrule gives up after so many steps.
pub const RECURRENCE_STEPS_BARREN: u64 = 100_000;
/// Times that one calendar may give the same series with changed instances; each is checked
/// against all of those.
pub const SERIES_VERSIONS: u32 = 16;
/// Series of one calendar whose SEQUENCE is remembered, to tell an old version from the new one.
pub const SEQUENCES: usize = 1_000_000;
/// How long before the window an instance may begin and still reach into it.
pub const LOOKBACK: i64 = 366 * DAY;
/// Instances of one series inside the window.
pub const INSTANCES: usize = 2_000;
/// Steps of the recurrence iterator for one series, so that SECONDLY without an end is no trap.
pub const RECURRENCE_STEPS: usize = 200_000;
/// Future that is kept of a calendar, for "meeting planned ahead".
pub const CALENDAR_AHEAD: i64 = 180 * DAY;
/// Attendees kept of one meeting; above 15 humans it is no meeting for us.
pub const ATTENDEES: usize = 16;
/// Revisions kept of one meeting, one a speaker.
pub const REVISIONS: usize = 4;
/// Bytes of one vCard that are looked at, photos included.
pub const CARD_BYTES: usize = 2 << 20;
/// Addresses of one card.
pub const CARD_ADDRESSES: usize = 10;
/// Categories of one card.
pub const CARD_CATEGORIES: usize = 50;

// -- doors ---------------------------------------------------------------------------------------------

/// Observations of one batch, and so of one commit.
pub const BATCH: usize = 500;
/// Batches waiting between the doors and the engine.
pub const QUEUE: usize = 4;
/// Folders below one Maildir++.
pub const FOLDERS: usize = 2_000;
/// Complaints kept for `status`, newest first.
pub const COMPLAINTS: usize = 200;
/// Bytes of an error text taken from elsewhere.
pub const ERROR_BYTES: usize = 160;

// -- store ---------------------------------------------------------------------------------------------

/// Operations of one transaction; larger ones make sled hold every touched page (measured).
pub const TRANSACTION: usize = 200;
/// Bytes of sled's page cache.
pub const CACHE_BYTES: u64 = 16 << 20;
/// Bytes of one stored value; larger ones leave sled's log for files of their own (measured).
pub const VALUE_BYTES: usize = 4 << 10;
/// Seconds a command waits for a store that another process holds.
pub const LOCK_WAIT_SECS: u64 = 5;

// -- people and history -----------------------------------------------------------------------------------

/// Facts of one contact that the ledger looks at, newest first.
pub const FACTS: usize = 5_000;
/// Mails of one contact's threads by other people.
pub const THREAD_MAILS: usize = 500;
/// Humans of a meeting that still counts fully, me included.
pub const MEETING_HUMANS: usize = 8;
/// Humans of a meeting that counts as attendance only.
pub const ATTENDANCE_HUMANS: usize = 15;
/// Names kept of one address; three incompatible ones make it a relay.
pub const NAMES: usize = 6;

// -- outbox ------------------------------------------------------------------------------------------------

/// Delivery attempts before a reminder is `failed`, so that a poison entry ends.
pub const ATTEMPTS: u32 = 12;
/// First wait after a transient failure, in seconds; doubled each time.
pub const BACKOFF_SECS_MIN: i64 = MINUTE;
/// Longest wait between attempts, in seconds.
pub const BACKOFF_SECS_MAX: i64 = 6 * HOUR;
/// An unknown outcome that cannot be searched for is sent again after this many seconds.
pub const UNKNOWN_SECS: i64 = 6 * HOUR;
/// Items of a weekly summary.
pub const SUMMARY_ITEMS: usize = 10;
/// Mails of every kind that kithd may send in an hour, against loops.
pub const MAILS_AN_HOUR: usize = 20;
/// Coverage must be this fresh before a delivery (mailboxes), in seconds.
pub const COVERAGE_MAIL: i64 = 15 * MINUTE;
/// Coverage must be this fresh before a delivery (calendars), in seconds.
pub const COVERAGE_FEED: i64 = DAY;
/// A source that fails this long is reported and can be left out by `without NAME`.
pub const SOURCE_LOST: i64 = 14 * DAY;
/// The loop looks at the wall clock at least this often, in seconds.
pub const WAKE_SECS_MAX: i64 = 60;
