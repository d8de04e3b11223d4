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
/// Bytes of a line of an mbox that are looked at in one go; longer ones come in pieces.
pub const LINE_BYTES: usize = 8 << 10;
/// Bytes of one header field that are kept before it is parsed.
pub const FIELD_BYTES: usize = 64 << 10;
/// Bytes of all address fields of one name handed to the parser: it looks ahead for the end of each
/// encoded word, so hostile ones cost the square of this.
pub const ADDRESS_FIELD_BYTES: usize = 16 << 10;
/// Bytes of one unstructured or parametrized field handed to the parser, for the same reason.
pub const TEXT_FIELD_BYTES: usize = 4 << 10;
/// Fields of one header block; mail that passed ten relays with all their seals has about 120.
pub const HEADER_FIELDS: usize = 1_000;
/// Bytes of a date as a header writes it.
pub const DATE_BYTES: usize = 120;
/// Bytes of decoded text that class, new text and acts look at.
pub const TEXT_BYTES: usize = 64 << 10;
/// Bytes of an automatic answer in which absence and the day of return are looked for.
pub const AWAY_BYTES: usize = 4 << 10;
/// Longest absence that is believed, in days: a parental leave.
pub const AWAY_DAYS: i64 = 400;
/// Bytes of an HTML attribute that are looked at.
pub const ATTRIBUTE_BYTES: usize = 1 << 10;
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
/// Bytes of one sentence that phrases are looked for in; rules compare phrases in pairs, and what is
/// longer was not written as a sentence.
pub const SENTENCE_READ_BYTES: usize = 2_000;
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
/// Bytes of an attribution ("On ... wrote:"), folded lines together; names and addresses are short.
pub const ATTRIBUTION_BYTES: usize = 400;
/// Lines above its verb that an attribution may begin in (clients fold at 72 columns, one empty line included).
pub const ATTRIBUTION_BEFORE: usize = 4;
/// Lines below its verb that an attribution may end in.
pub const ATTRIBUTION_AFTER: usize = 2;
/// Lines that are no header field among those of a quoted header.
pub const HEADER_GAP_LINES: usize = 7;
/// Lines of a quoted header, folded recipients included.
pub const HEADER_BLOCK_LINES: usize = 60;
/// Lines of a signature after `--` without the blank that makes it certain.
pub const SIGNATURE_LINES: usize = 15;
/// Lines from the end in which a closing or the line of a phone is looked for.
pub const CLOSING_LINES: usize = 12;
/// Bytes of a line of a closing: a name, a title, a telephone number, no sentence.
pub const CLOSING_BYTES: usize = 80;
/// Words above a quote that are no more than a greeting: the answer follows below.
pub const GREETING_WORDS: usize = 6;
/// Bytes of a rule that sets a footer apart.
pub const FOOTER_RULE_BYTES: usize = 10;
/// Quoted lines this long may have been folded on their way (mail is set in 72 to 78 columns).
pub const FOLDED_BYTES: usize = 60;
/// How long before `now` the text of mail is read; older mail gives its headers only. Longer than
/// any rule's window (a second follow-up of an unanswered question, and what it rests on).
pub const TEXT_WINDOW: i64 = 120 * DAY;
/// A `Date` header is believed from 1995 on (RFC 5322 mail without a sane clock is older) ...
pub const DATE_EARLIEST: i64 = 788_918_400;
/// ... until this long after the arrival.
pub const DATE_AHEAD: i64 = 2 * DAY;

// -- reading calendars and cards --------------------------------------------------------------------

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
/// Bytes of changed instances that are read only after the rest of their calendar, because they are
/// older than their series.
pub const OLDER_BYTES: usize = 1 << 20;
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
pub const BATCH: usize = 250;
/// Batches waiting between the doors and the engine.
pub const QUEUE: usize = 2;
/// Folders below one Maildir++.
pub const FOLDERS: usize = 2_000;
/// Nested folders of a Maildir or of a folder of calendars; people use three.
pub const FOLDER_DEPTH: usize = 10;
/// Unread names of one Maildir folder held at once (some 100 bytes each); a larger folder is read
/// in rounds.
pub const LISTED: usize = 100_000;
/// Threads that parse messages of one mailbox, the reading one included: the machine is not ours.
pub const PARSERS: usize = 2;
/// Messages handed to those threads at once; they wait for each other at the end of each lot.
pub const LOT: usize = 500;
/// Cursors of one batch: with values of [`VALUE_BYTES`] a quarter of a megabyte.
pub const CURSORS: usize = 64;
/// Bytes in one bucket of a cursor's records before their number is doubled: far enough from
/// [`VALUE_BYTES`] that chance does not fill one over the brim.
pub const BUCKET_BYTES: usize = 2 << 10;
/// Most bits of a record's hash that choose its bucket: 4,096 buckets hold a million names.
pub const BUCKET_BITS: u8 = 12;
/// A file or folder changed this few seconds ago may change again within the same time stamp (FAT
/// counts in two seconds).
pub const MTIME_SETTLES: i64 = 2;
/// Files of one calendar or address book folder; vdirsyncer keeps one an event.
pub const FILES: usize = 200_000;
/// A feed may lose so many items at once without being doubted ...
pub const SHRINK_ITEMS: u64 = 5;
/// ... or this share of them, in percent.
pub const SHRINK_PERCENT: u64 = 70;
// -- doors: CalDAV, CardDAV and feeds over HTTP --

/// Nested elements of a WebDAV answer; real ones have eight.
pub const DAV_DEPTH: usize = 32;
/// Resources of one collection, and entries of one answer; each takes some 400 bytes of memory.
pub const RESOURCES: usize = 100_000;
/// Bytes of one WebDAV answer: 50,000 hrefs with their etags take 20 MB.
pub const DAV_BYTES: usize = 32 << 20;
/// Resources asked for at once; their text comes in one answer, which is held in memory.
pub const MULTIGET: usize = 50;
/// Resources of one reading that a server may refuse one by one before the collection is given up.
pub const RESOURCES_REFUSED: usize = 5;
/// Resources read between two places a first reading can be taken up again from.
pub const DAV_LOT: usize = 2_000;
/// Rounds of one `sync-collection` that a server cuts into pieces (RFC 6578 3.6).
pub const SYNC_ROUNDS: usize = 1_000;
/// Collections of one account.
pub const COLLECTIONS: usize = 500;
/// Requests that finding one account may take.
pub const DISCOVERY_REQUESTS: usize = 12;
/// Seconds that DNS has to name a server; the address that was given does without.
pub const DNS_SECS: u64 = 4;
/// Records of one answer of DNS that are looked at.
pub const DNS_ANSWERS: usize = 20;
/// Events that are fetched without asking which of them lie in the window at all; for fewer the
/// question costs more than it saves, and not every server answers it well.
pub const TIME_RANGE_FROM: usize = 500;
/// Days after which a collection is read anew: the window of its instances has moved, and a server
/// whose etags lie is caught up with.
pub const DAV_ANEW_DAYS: i64 = 7;
/// Bytes of one feed after decompression; 50,000 events take 63 MB.
pub const FEED_BYTES: u64 = 128 << 20;
/// Bytes of a feed held in memory; what is longer goes through an unnamed file.
pub const FEED_MEMORY_BYTES: usize = 4 << 20;
/// Bytes of an `ETag` or `Last-Modified` that is shown again.
pub const VALIDATOR_BYTES: usize = 500;
/// Longest wait a server may ask for (`Retry-After`, RFC 9110 10.2.3), in seconds.
pub const RETRY_AFTER_SECS_MAX: i64 = DAY;

/// Complaints kept for `status`, newest first.
pub const COMPLAINTS: usize = 200;
/// Bytes of an error text taken from elsewhere.
pub const ERROR_BYTES: usize = 160;

// -- reading an IMAP account -------------------------------------------------------------------------------

/// Bytes of a header that is fetched; the parser takes no more.
pub const FETCH_HEADER_BYTES: u32 = 64 << 10;
/// Bytes of a message that are fetched where its text counts. Text, its HTML form and an invitation
/// lie before what is attached; a long thread quoted in HTML has 100 KB.
pub const FETCH_MESSAGE_BYTES: u32 = 128 << 10;
/// Headers fetched by one command: 12.5 MiB if each is as large as it may be.
pub const FETCH_HEADERS: u32 = 200;
/// Messages fetched with their text by one command: the same.
pub const FETCH_MESSAGES: u32 = 100;
/// So many new UIDs are fetched at once; of more the dates are looked at first.
pub const FETCH_AT_ONCE: u32 = 20;
/// Neighbouring messages that a look at a mailbox keeps as one entry; a set is made of whole ones.
pub const STRETCH: u32 = 100;
/// Messages read before the cursor moves: a connection that breaks costs no more than that, and a
/// few round trips for each are little beside it.
pub const LUMP: u32 = 2_000;
/// Bytes of messages between the network and the parser. The network is the faster one, so this is always full in a
/// first reading: of 16 MiB all were taken (measured).
pub const RAW_BYTES: usize = 4 << 20;
/// Messages between the network and the parser.
pub const RAW_QUEUE: usize = 500;
/// Refused fetches of one reading that are tried again in halves: a few messages that a server
/// cannot give (each takes about 8) and not a server that gives nothing.
pub const REFUSALS: u32 = 64;
/// Connections that one reading may lose. Where a message ends them the first tells its set, two more
/// the message, another two that its header does the same, and the next does without it.
pub const CONNECTIONS_LOST: u32 = 6;
/// Seconds before IDLE is renewed; RFC 2177 allows 29 minutes, and many a router forgets a quiet
/// connection before that.
pub const IDLE_SECS: u64 = 14 * 60;

// -- store ---------------------------------------------------------------------------------------------

/// Operations of one transaction; larger ones make sled hold every touched page (measured).
pub const TRANSACTION: usize = 200;
/// Bytes of sled's page cache, which take several times as much of memory: while 100,000 mails are
/// written 16 MiB cost 70 MiB, 4 MiB 49, 2 MiB 34, all at the same speed (measured).
pub const CACHE_BYTES: u64 = 2 << 20;
/// Reads after each transaction: sled frees what a transaction replaced only after 128 of them.
pub const BREATHERS: usize = 128;
/// Bytes the journal may hold beyond four times what it says.
pub const JOURNAL_SLACK: u64 = 64 << 10;
/// Records of one shelf carried over from a damaged store.
pub const SALVAGED_RECORDS: usize = 10_000;
/// Bytes of one key or value of a backup; anything longer is no backup of ours.
pub const BACKUP_FIELD: u32 = 16 << 20;
/// Mails found by one Message-ID; more name it only where somebody plays games.
pub const MENTIONS: usize = 1_000;
/// Bytes of one stored value; larger ones leave sled's log for files of their own (measured).
pub const VALUE_BYTES: usize = 4 << 10;
/// Seconds a command waits for a store that another process holds.
pub const LOCK_WAIT_SECS: u64 = 5;

// -- the wire ----------------------------------------------------------------------------------------------

/// Bytes of a secret or token, first line; tokens of large providers have 4 KB.
pub const SECRET_BYTES: usize = 16 << 10;
/// Seconds a command may take that prints a secret: a locked keyring asks its user for ever.
pub const SECRET_SECS: u64 = 10;
/// Seconds a token that a command printed is used before the command is asked again: it alone knows
/// when the token expires, and a request each for it would start a process each.
pub const TOKEN_COMMAND_SECS: u64 = 5 * 60;
/// Seconds before it expires that a token is renewed (clocks differ, requests take time).
pub const TOKEN_MARGIN_SECS: u64 = 60;
/// Seconds a token without `expires_in` is used (RFC 6749 5.1 only recommends the field).
pub const TOKEN_SECS: u64 = 10 * 60;
/// Longest life of a token that is believed, in seconds.
pub const TOKEN_SECS_MAX: u64 = 24 * 60 * 60;
/// Bytes of an answer of a token endpoint.
pub const TOKEN_ANSWER_BYTES: usize = 64 << 10;
/// Bytes of a `ca_file`; the whole store of Debian has 220 KB.
pub const CA_FILE_BYTES: u64 = 4 << 20;
/// Seconds a token endpoint may take.
pub const TOKEN_ANSWER_SECS: u64 = 30;
/// Bytes of a server's text that an error shows.
pub const SERVER_TEXT_BYTES: usize = 120;
/// Addresses of one host that are tried.
pub const HOST_ADDRESSES: usize = 8;
/// Seconds to look up a name.
pub const RESOLVE_SECS: u64 = 15;
/// Seconds to connect to one address; a SYN is sent three times in 7 s.
pub const CONNECT_SECS: u64 = 10;
/// Seconds for a TLS handshake.
pub const HANDSHAKE_SECS: u64 = 20;

/// Refused logins of one account within [`LOGINS_WITHIN_SECS`]; servers lock accounts after five or ten.
pub const LOGINS_REFUSED: usize = 3;
/// The span in which refused logins are counted, in seconds.
pub const LOGINS_WITHIN_SECS: u64 = 60 * 60;
/// Redirects followed of one request; discovery (RFC 6764) needs two.
pub const REDIRECTS: usize = 5;
/// Seconds until an HTTP server is connected, TLS included.
pub const HTTP_CONNECT_SECS: u64 = 30;
/// Seconds without a byte of an answer; Radicale thinks 47 s about 5,000 new events (measured).
pub const HTTP_SILENT_SECS: u64 = 120;
/// Seconds for one HTTP request with all its redirects and its body.
pub const HTTP_SECS: u64 = 10 * 60;
/// Bytes of one HTTP body, after decompression.
pub const HTTP_BODY_BYTES: usize = 16 << 20;
/// Bytes of a line of an SMTP reply; RFC 5321 4.5.3.1.5 allows 512, Postfix 1,000.
pub const SMTP_LINE_BYTES: usize = 1_000;
/// Lines of an SMTP reply; an EHLO has about 20.
pub const SMTP_REPLY_LINES: usize = 100;
/// Seconds for greeting and EHLO; some servers let strangers wait half a minute.
pub const SMTP_GREETING_SECS: u64 = 90;
/// Seconds for the answer to a command (RFC 5321 4.5.3.2 allows 300; submission servers ask nobody else).
pub const SMTP_COMMAND_SECS: u64 = 120;
/// Seconds for the mail and the answer to its dot (RFC 5321 4.5.3.2.6; Postfix waits as long).
pub const SMTP_DATA_SECS: u64 = 600;
/// Seconds to wait for a goodbye.
pub const SMTP_QUIT_SECS: u64 = 5;

// -- people and history -----------------------------------------------------------------------------------

/// Facts of one contact that the ledger looks at, newest first.
pub const FACTS: usize = 5_000;
/// Newest facts that name the user, of which their own reply times are measured.
pub const OWN_MAILS: usize = 2_000;
/// Proposed merges that are looked at for a common thread, best first ...
pub const DOUBTS: usize = 50;
/// ... and the newest facts of each of their addresses.
pub const DOUBT_MAILS: usize = 100;
/// Mails of one contact's threads by other people.
pub const THREAD_MAILS: usize = 500;
/// Humans of a meeting that still counts fully, me included.
pub const MEETING_HUMANS: u32 = 8;
/// Humans of a meeting that counts as attendance only.
pub const ATTENDANCE_HUMANS: u32 = 15;
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
/// Names in "you met" and "you wrote to": what a phone shows at a glance.
pub const SUMMARY_NAMES: usize = 12;
/// People in each of the summary's two pictures, near and drifting.
pub const SUMMARY_PICTURE: usize = 5;
/// Steps of a plan: more than a year has openings and reviews for one person.
pub const PLAN_STEPS: usize = 9_000;
/// Mails of every kind that kithd may send in an hour, against loops.
pub const MAILS_AN_HOUR: usize = 20;
/// Coverage must be this fresh before a delivery (mailboxes), in seconds.
pub const COVERAGE_MAIL: i64 = 15 * MINUTE;
/// Coverage must be this fresh before a delivery (calendars), in seconds.
pub const COVERAGE_FEED: i64 = DAY;
/// The files named in `sync_state` must be this fresh before a delivery, in seconds: a fetcher that
/// had nothing to fetch touches nothing.
pub const COVERAGE_SYNC_STATE: i64 = DAY;
/// A source that fails this long is reported and can be left out by `without NAME`.
pub const SOURCE_LOST: i64 = 14 * DAY;

// -- who is who --------------------------------------------------------------------------------------------

/// Words of one display name that are compared; longer ones are sentences.
pub const NAME_WORDS: usize = 6;
/// Incompatible full names that make an address a relay.
pub const RELAY_NAMES: usize = 3;
/// Letters a handle or local part needs before it tells people apart.
pub const HANDLE_CHARS: usize = 6;
/// Letters a one-word name needs to be a handle without a number or a local part like it.
pub const LONG_HANDLE_CHARS: usize = 10;
/// Letters a handle needs that is its own local part, or a given name with a number.
pub const OWN_HANDLE_CHARS: usize = 7;
/// Letters a first name may be cut by: fewer make another name (Paul, Paula; Jan, Jane).
pub const SHORTENED_BY: usize = 3;
/// Letters a spelling of a name (`dito`) needs before it counts.
pub const SPELLING_CHARS: usize = 5;
/// Letters two names need before a slip of the pen is believed.
pub const NEAR_NAME_CHARS: usize = 9;
/// A name is common, and alone no proof, where each of its words stands in this many full names ...
pub const COMMON_NAME: usize = 3;
/// ... and chance alone would make a second person of that name with more than 1 in this many.
pub const COMMON_NAME_SHARE: usize = 50;
/// Seconds to which the latest sight of an address is kept.
pub const ADDRESS_SIGHT: i64 = 14 * 86_400;
/// Seconds two addresses of one name may both be in use while their holder moves from one to the other ...
pub const ADDRESS_OVERLAP: i64 = 30 * 86_400;
/// ... and seconds the old one must be silent, the new one speaking, before that is believed.
pub const ADDRESS_SILENCE: i64 = 60 * 86_400;
/// Addresses sharing a name key that are all weighed against each other ...
pub const BLOCK: usize = 100;
/// ... and neighbours each is weighed against where more share it.
pub const BLOCK_REACH: usize = 20;
/// Addresses that evidence may join into one contact; nobody has more, and checking them is quadratic.
pub const CONTACT_ADDRESSES: usize = 40;
/// Proposals kept, best first.
pub const PROPOSALS: usize = 500;

// -- IMAP --------------------------------------------------------------------------------------------------

/// Bytes of one line of an answer, literals apart; a SEARCH is cut into several before it gets there.
pub const IMAP_LINE_BYTES: usize = 64 << 10;
/// Bytes of one literal; what kithd asks for are parts of at most 64 KiB, a few servers send the whole.
pub const IMAP_LITERAL_BYTES: usize = 4 << 20;
/// Bytes of one answer with its literals, and of one SEARCH. It is one answer that is held in memory,
/// never those of a whole command: a FETCH of a hundred thousand headers is read with as much as one.
pub const IMAP_ANSWER_BYTES: usize = 16 << 20;
/// Bytes read from a server in one go.
pub const IMAP_READ_BYTES: usize = 64 << 10;

/// How long a delivery or a search waits for a reading of the same account: what reads for longer is a first reading,
/// and a delivery is tried again.
pub const IMAP_TURN_SECS: u64 = 60;
/// Seconds without a byte, to or from the server, after which it is given up.
pub const IMAP_QUIET_SECS: u64 = 60;
/// Seconds for one command, or for the next row of a FETCH, however busily the server says other things.
pub const IMAP_COMMAND_SECS: u64 = 10 * 60;
/// FETCH commands on their way at a time: enough to hide the way to the server, few enough to forget.
pub const IMAP_FETCH_WINDOW: usize = 4;
/// STATUS commands on their way at a time.
pub const IMAP_STATUS_WINDOW: usize = 16;
/// Mailboxes of one server; somebody with a thousand clients has fewer.
pub const IMAP_MAILBOXES: usize = 20_000;
/// UIDs that one SEARCH may find.
pub const IMAP_SEARCH_UIDS: usize = 2_000_000;
/// Longest IDLE before it is renewed: servers may log off after 30 minutes (RFC 2177), and routers
/// forget connections sooner.
pub const IMAP_IDLE_SECS: u64 = 29 * 60;
/// Seconds that saying good-bye may take.
pub const IMAP_LOGOUT_SECS: u64 = 5;
/// Lines before and within the STARTTLS dialogue.
pub const IMAP_STARTTLS_LINES: usize = 20;

// -- config ------------------------------------------------------------------------------------------------

/// Bytes of a config; a big one has 20 KB.
pub const CONFIG_BYTES: usize = 1 << 20;
/// Bytes of a word or value of the config that a message shows, and that is compared with others.
pub const CONFIG_WORD_BYTES: usize = 60;
/// Reminders a day that may be asked for; more is a stream, not a reminder.
pub const PER_DAY: u16 = 20;
/// Bytes of the path of a unix socket (`sun_path` of unix(7), less the NUL).
pub const SOCKET_PATH_BYTES: usize = 107;

// -- service and socket --------------------------------------------------------------------------------------

/// Seconds the service sleeps before it looks at the wall clock again: timers stand still while the
/// machine is suspended.
pub const SLEEP_SECS: i64 = MINUTE;
/// A clock that is this many seconds behind the last look has gone back; less is its usual correction.
pub const CLOCK_SLACK: i64 = 5;
/// First wait after a failed reading, in seconds; doubled each time.
pub const SOURCE_BACKOFF_MIN: i64 = MINUTE;
/// Longest wait between attempts to read a source, in seconds.
pub const SOURCE_BACKOFF_MAX: i64 = HOUR;
/// Wait after a failure that only the user can mend, such as a refused login: at most three an hour.
pub const SOURCE_STOPPED: i64 = HOUR;
/// Seconds between two readings of one source, whatever news it claims to have.
pub const SOURCE_REST: i64 = 5;
/// Waits vary by so many percent either way, so that many users of one server do not come at once.
pub const JITTER_PERCENT: i64 = 10;
/// A reading that says nothing for so many seconds is given up; the first word of an IMAP server over
/// a slow line may take minutes.
pub const READING_SILENCE: i64 = 30 * MINUTE;
/// Seconds without a word after which reminders no longer wait for a reading.
pub const WAKE_SILENCE: i64 = MINUTE;
/// Seconds that reminders wait for readings that go on: what is due rests on what is just being read.
pub const WAKE_PATIENCE: i64 = HOUR;
/// Seconds between two times a long reading is made durable.
pub const SYNC_SECS: i64 = 5;
/// Seconds a stop may take; systemd kills after 90, people sooner.
pub const STOP_SECS: u64 = 8;
/// Seconds a stop waits for a delivery that is under way; its outcome is looked for at the next start.
pub const STOP_DELIVERY_SECS: u64 = 5;
/// Bytes of one line that a client may send; the longest command has a few hundred.
pub const FRAME_BYTES: usize = 64 << 10;
/// Bytes of one answer that a client takes; an export of 100,000 interactions has 30 MB.
pub const ANSWER_LINE_BYTES: u64 = 1 << 30;
/// Bytes of an answer written at once.
pub const ANSWER_CHUNK_BYTES: usize = 64 << 10;
/// Bytes of a backup turned into text at once; whole groups of three.
pub const BACKUP_PIECE_BYTES: usize = 48 << 10;
/// Connections to the socket at once; further ones wait.
pub const CONNECTIONS: usize = 32;
/// Seconds a client may take for its next line, or to take a piece of its answer.
pub const CLIENT_SECS: u64 = 10;
/// Seconds a command waits for the service's answer; rounds, exports and the like take what they take.
pub const SERVICE_SECS: u64 = 120;
/// Requests that wait for the engine.
pub const ASKED: usize = 4;
/// Bytes of /etc/passwd that are looked at for a name of `[control] allow`.
pub const PASSWD_BYTES: u64 = 4 << 20;

// -- finding servers -----------------------------------------------------------------------------------------

/// Seconds one host may take to answer while servers are looked for.
pub const DISCOVER_SECS: u64 = 5;
/// Bytes of an autoconfig file: real ones have 2 KiB.
pub const AUTOCONFIG_BYTES: usize = 64 << 10;
