//! One message (RFC 5322, MIME) to evidence. Part of `read`; the only owner of mail-parser.
//!
//! Invariant: whatever is broken, what can be read of a message is read. Headers are always read;
//! the body is looked at only inside the text window, and a bound that is met cuts and complains.

mod dates;
mod fields;
mod notices;
mod parts;

use std::collections::BTreeSet;

use crate::address::{AddrSpec, clip, safe_text};
use crate::evidence::{
    Class, Complaint, EvidenceId, Mail, Marks, Meeting, MessageId, Method, Place, Role, Speaker, TextFacts,
};
use crate::limits;
use crate::read::acts::{ActContext, text_facts};
use crate::read::calendar::{CalendarContext, read_invitation};
use crate::read::class::words::{is_forward_subject, is_reply_subject};
use crate::read::class::{self, Body, Facts, ReturnPath};
use crate::read::html::{HtmlText, read_mail_html};
use crate::read::new_text::{NewText, new_text};
use crate::time::{Timestamp, Zone};

use fields::Fields;
use parts::Parts;

/// Where and when a message was found.
#[derive(Clone, Debug)]
pub struct MailContext<'a> {
    /// Mailbox of the config, or the path given to `read`.
    pub source: &'a str,
    /// File or UID, for complaints.
    pub place: &'a str,
    /// What its folder is for.
    pub role: Role,
    /// INTERNALDATE or file time: its time where neither `Date` nor `Received` can be believed.
    pub arrived_at: Timestamp,
    /// Now; nothing is dated later than two days after the arrival.
    pub now: Timestamp,
    /// Text is read of mail from this time on; of earlier mail the headers only.
    pub text_since: Timestamp,
    /// The user's zone: relative dates and floating times are taken in it.
    pub zone: &'a Zone,
}

/// What one message holds.
#[derive(Clone, PartialEq, Debug)]
pub struct Message {
    /// The message.
    pub mail: Mail,
    /// The whole new text, for `kithd read`; never stored.
    pub new_text: String,
    /// What its calendar parts say.
    pub meetings: Vec<Meeting>,
    /// What could not be read of it.
    pub complaints: Vec<Complaint>,
}

/// Reads one message from at most [`crate::limits::MESSAGE_BYTES`] of its bytes. `Err` only where it
/// is no message at all (empty, or without a single header field).
pub fn read_message(bytes: &[u8], context: &MailContext<'_>) -> Result<Message, Complaint> {
    let complain = |what: &str| Complaint::new(context.source, context.place, what, context.now);
    let bytes = bytes.get(..limits::MESSAGE_BYTES).unwrap_or(bytes);
    let (fields, body) = fields::split(bytes);
    if fields.is_empty() {
        return Err(complain(if bytes.trim_ascii().is_empty() { "empty file" } else { "no mail: no header field" }));
    }
    let mut complaints = Vec::new();
    if fields.cut || bytes.len().saturating_sub(body.len()) > limits::HEADER_BYTES {
        complaints.push(complain("header too large; read in part"));
    }
    let (at, doubt) = time_of(&fields, context);
    complaints.extend(doubt.map(|d| complain(&d)));

    let mut mail = headers(&fields, at, context);
    // what the decoder leaves standing was no encoded-word (RFC 2047) after all
    if mail.subject.contains("=?") && mail.subject.contains("?=") {
        complaints.push(complain("Subject with a broken encoded-word; kept as it is"));
    }
    let mut new_text = String::new();
    let mut meetings = Vec::new();
    let delivered = delivered_aside(&fields, &mail);
    let facts = class_facts(&fields, &mail, delivered);
    if at < context.text_since {
        let verdict = class::classify(&facts);
        (mail.class, mail.class_reasons, mail.signals) = (verdict.class, verdict.reasons, verdict.signals);
    } else {
        let parts = parts::walk(&fields, body);
        if parts.cut {
            complaints.push(complain("too many or too deep MIME parts; read in part"));
        }
        let text = Text::of(&parts, &mail, &facts);
        let verdict = class::classify(&Facts { body: Some(text.class_body(&parts)), ..facts });
        (mail.class, mail.class_reasons, mail.signals) = (verdict.class, verdict.reasons, verdict.signals);
        mail.text = Some(facts_of_text(&text, &parts, &mail, context));
        mail.answer = answer(&mail, &text.new.text);
        if mail.class == Class::Dsn {
            mail.bounce = notices::bounce(&fields, &parts, &text.whole);
        }
        if mail.class == Class::Auto {
            let written_on = context.zone.date(at);
            mail.out_of_office = notices::out_of_office(&fields, &mail.subject, &text.new.text, written_on);
        }
        let (found, doubts) = invitations(&parts, mail.sender().map(|a| &a.address), at, context);
        meetings = found;
        complaints.extend(doubts);
        new_text = text.new.text;
    }
    Ok(Message { mail, new_text, meetings, complaints })
}

/// Everything the header block says, its class aside.
fn headers(fields: &Fields<'_>, at: Timestamp, context: &MailContext<'_>) -> Mail {
    let (from, _) = fields.addresses("from");
    let (to, in_to) = fields.addresses("to");
    let (cc, in_cc) = fields.addresses("cc");
    let (bcc, _) = fields.addresses("bcc");
    Mail {
        id: evidence_id(fields),
        message_id: fields.ids("message-id").into_iter().next(),
        at,
        from,
        to,
        cc,
        bcc,
        recipients: in_to.saturating_add(in_cc),
        in_reply_to: fields.ids("in-reply-to").into_iter().next(),
        references: ends(fields.ids("references")),
        subject: fields.text("subject", limits::SUBJECT_BYTES).unwrap_or_default(),
        places: vec![Place { source: context.source.to_string(), role: context.role }],
        class: Class::Person,
        class_reasons: Vec::new(),
        signals: crate::evidence::Signals::default(),
        text: None,
        out_of_office: None,
        bounce: None,
        own: fields.token("x-kithd-reminder").map(|t| safe_text(&t, limits::NAME_BYTES)),
        answer: None,
        reader: crate::read::READER,
    }
}

/// What the message is: never where it lies or when it was found.
fn evidence_id(fields: &Fields<'_>) -> EvidenceId {
    let raw = |name| fields.raw_unfolded(name);
    let message_id = raw("message-id");
    let (from, date) = (raw("from"), raw("date"));
    if message_id.is_empty() {
        EvidenceId::of("mail", &[&from, &raw("to"), &date, &raw("subject")])
    } else {
        EvidenceId::of("mail", &[&message_id, &from, &date])
    }
}

/// The first id and the last ones: the thread's root and the nearest ancestors.
fn ends(mut ids: Vec<MessageId>) -> Vec<MessageId> {
    let surplus = ids.len().saturating_sub(limits::REFERENCES);
    ids.drain(1.min(ids.len())..(1 + surplus).min(ids.len()));
    ids
}

/// The `Date` where it can be believed, else the arrival; and what is to be said of the `Date`.
fn time_of(fields: &Fields<'_>, context: &MailContext<'_>) -> (Timestamp, Option<String>) {
    let latest = context.now.max(context.arrived_at).plus(limits::DATE_AHEAD);
    let received = fields
        .first("received")
        .and_then(|raw| fields::decode_raw(raw).rsplit_once(';').and_then(|(_, date)| dates::read_date(date)))
        .filter(|at| at.second() >= limits::DATE_EARLIEST && *at <= latest);
    let arrival = received.unwrap_or(context.arrived_at);
    let believed = |at: &Timestamp| at.second() >= limits::DATE_EARLIEST && *at <= arrival.plus(limits::DATE_AHEAD);
    let Some(text) = fields.token("date") else { return (arrival, None) };
    match dates::read_date(&text) {
        Some(at) if believed(&at) => (at, None),
        _ => (arrival, Some(format!("Date cannot be believed: {}", clip(&text, 60)))),
    }
}

/// Did it come to an address that `To` and `Cc` do not name?
fn delivered_aside(fields: &Fields<'_>, mail: &Mail) -> bool {
    let named: BTreeSet<AddrSpec> = mail.to.iter().chain(&mail.cc).map(|a| a.address.without_tag()).collect();
    let whole = usize::try_from(mail.recipients).is_ok_and(|n| n <= named.len());
    let mut envelope = ["delivered-to", "x-original-to", "envelope-to", "x-delivered-to"]
        .iter()
        .filter_map(|name| AddrSpec::parse(&fields.token(name)?))
        .peekable();
    whole && envelope.peek().is_some() && !envelope.any(|a| named.contains(&a.without_tag()))
}

fn class_facts<'m>(fields: &Fields<'_>, mail: &'m Mail, delivered_aside: bool) -> Facts<'m> {
    let lower = |name: &str| fields.token(name).map(|t| t.to_lowercase());
    let names = fields.iter().map(|f| String::from_utf8_lossy(f.name).to_lowercase());
    Facts {
        from: &mail.from,
        sender: fields.addresses("sender").0.into_iter().next().map(|a| a.address),
        return_path: fields
            .first("return-path")
            .map_or(ReturnPath::Absent, |raw| ReturnPath::read(&fields::decode_raw(raw))),
        message_id: mail.message_id.as_ref().map(MessageId::as_str),
        subject: &mail.subject,
        answers: mail.in_reply_to.is_some() || !mail.references.is_empty(),
        recipients: mail.recipients,
        delivered_aside,
        content_type: fields.parameters("content-type").map(|p| p.value).unwrap_or_default(),
        content_class: lower("content-class").unwrap_or_default(),
        auto_submitted: lower("auto-submitted").and_then(|t| t.split([';', ' ', '(']).next().map(str::to_string)),
        precedence: lower("precedence").into_iter().chain(lower("x-precedence")).collect(),
        names: names.collect(),
        body: None,
    }
}

/// The text of a message and what its markup shows.
struct Text {
    /// As it stands in the message.
    whole: String,
    /// Without quotes and signature.
    new: NewText,
    html: Option<HtmlText>,
    /// Quoted or forwarded mail is likely: only the new text speaks for this message.
    answers: bool,
}

impl Text {
    fn of(parts: &Parts<'_>, mail: &Mail, facts: &Facts<'_>) -> Text {
        let answers = facts.answers || is_reply_subject(&mail.subject) || is_forward_subject(&mail.subject);
        let plain = parts.plain_text().filter(|t| !is_stub(t, parts));
        // The markup says something only where the headers have left the class open.
        let wanted = plain.is_none() || parts.html_alone || !class::decided_by_headers(facts);
        let html = parts.html_source().filter(|_| wanted).map(|source| read_mail_html(&source, answers));
        let rich = html.as_ref().map(|h| clip(&h.text, limits::TEXT_BYTES).to_string());
        let whole = match (plain, rich) {
            // A list's footer or a scanner's note beside a mail in HTML.
            (Some(plain), Some(rich)) if parts.html_alone && parts.html_first => format!("{rich}\n{plain}"),
            (Some(plain), Some(rich)) if parts.html_alone => format!("{plain}\n{rich}"),
            (Some(text), _) | (None, Some(text)) => text,
            (None, None) => String::new(),
        };
        let new = new_text(clip(&whole, limits::TEXT_BYTES));
        Text { whole, new, html, answers }
    }

    fn class_body(&self, parts: &Parts<'_>) -> Body<'_> {
        let text = if self.answers { &self.new.text } else { &self.whole };
        let plain_links = web_links(text);
        let html = self.html.as_ref();
        Body {
            text,
            links: html.map_or(0, |h| h.links).max(plain_links),
            tracking_pixels: html.map_or(0, |h| h.tracking_pixels),
            html_only: parts.plain.is_empty() && html.is_some(),
            markup_ratio: html.map_or(0, |h| h.markup_ratio),
            calendar: !parts.calendars.is_empty(),
        }
    }
}

/// A plain part that only says that there is an HTML one.
fn is_stub(plain: &str, parts: &Parts<'_>) -> bool {
    let plain = plain.trim();
    plain.is_empty() || (!parts.html.is_empty() && plain.len() < 300 && plain.to_lowercase().contains("html"))
}

fn web_links(text: &str) -> u32 {
    let found = text.match_indices("://").filter(|(at, _)| {
        let before = text.get(..*at).unwrap_or_default().as_bytes();
        before.ends_with(b"http") || before.ends_with(b"https")
    });
    u32::try_from(found.count()).unwrap_or(u32::MAX)
}

fn facts_of_text(text: &Text, parts: &Parts<'_>, mail: &Mail, context: &MailContext<'_>) -> TextFacts {
    let facts = text_facts(
        &text.new,
        &ActContext {
            subject: &mail.subject,
            written_on: context.zone.date(mail.at),
            attachment: parts.attachment,
            recipients: mail.recipients,
        },
    );
    // In HTML the address of a link stands behind its words.
    let behind_words = parts.plain.is_empty() && text.html.as_ref().is_some_and(|h| h.links > 0);
    let link = facts.marks.link || behind_words || web_links(&text.new.text) > 0;
    TextFacts { marks: Marks { attachment: parts.attachment, link, ..facts.marks }, ..facts }
}

/// Domain of the Message-IDs of our own mails.
const OWN_DOMAIN: &str = "kithd.local";

/// The first lines of an answer to one of our own mails. The user writes a verb on top; whatever
/// looks like the beginning of a quote ends it.
fn answer(mail: &Mail, new_text: &str) -> Option<String> {
    let domain = mail.in_reply_to.as_ref()?.as_str().rsplit_once('@').map(|(_, domain)| domain)?;
    if !domain.eq_ignore_ascii_case(OWN_DOMAIN) {
        return None;
    }
    let lines = new_text.lines().map(str::trim).skip_while(|l| l.is_empty()).take_while(|l| !begins_quote(l));
    let text = lines.collect::<Vec<_>>().join("\n");
    Some(clip(text.trim(), limits::ANSWER_BYTES).trim_end().to_string())
}

fn begins_quote(line: &str) -> bool {
    let header = line.split_once([':', '：']).is_some_and(|(name, _)| {
        let name = name.trim_matches(['*', ' ']).to_lowercase();
        [
            "from",
            "von",
            "de",
            "da",
            "van",
            "från",
            "fra",
            "od",
            "от",
            "від",
            "kimden",
            "发件人",
            "寄件者",
            "差出人",
            "보낸 사람",
        ]
        .contains(&name.as_str())
    });
    let attribution = line.ends_with([':', '：']) && line.contains(|c: char| c.is_ascii_digit() || c == '@');
    line.starts_with(['>', '|'])
        || line.starts_with("---")
        || line.starts_with("___")
        || line == "--"
        || header
        || attribution
}

/// What the calendar parts say. They are the word of `from`, said at `at`.
fn invitations(
    parts: &Parts<'_>,
    from: Option<&AddrSpec>,
    at: Timestamp,
    context: &MailContext<'_>,
) -> (Vec<Meeting>, Vec<Complaint>) {
    let in_sent = context.role == Role::Sent;
    let calendar = CalendarContext {
        source: context.source,
        place: context.place,
        speaker: Speaker::Mail { from: from.cloned(), method: Method::Other, in_sent },
        read_at: at,
        from: context.text_since,
        until: context.now.plus(limits::CALENDAR_AHEAD),
        zone: context.zone,
    };
    let (mut meetings, mut complaints) = (Vec::new(), Vec::new());
    for leaf in &parts.calendars {
        let bytes = leaf.bytes(limits::COMPONENT_BYTES);
        let bytes = whole_events(&bytes);
        if bytes.is_empty() {
            let what = "an invitation that ends in the middle; it is not read";
            complaints.push(Complaint::new(context.source, context.place, what, context.now));
            continue;
        }
        let (said, doubts) = read_invitation(bytes, leaf.content_type.get("method"), from, in_sent, &calendar);
        meetings.extend(said);
        complaints.extend(doubts);
    }
    (meetings, complaints)
}

/// An invitation up to the end of its last whole event: of a message that was cut somewhere the rest
/// would be an event at a time that nobody said.
fn whole_events(bytes: &[u8]) -> &[u8] {
    let last = |word: &[u8]| bytes.windows(word.len()).rposition(|w| w.eq_ignore_ascii_case(word));
    let is_whole = last(b"END:VCALENDAR").is_some() || last(b"BEGIN:VEVENT").is_none();
    match last(b"END:VEVENT") {
        _ if is_whole => bytes,
        Some(at) => bytes.get(..at + b"END:VEVENT".len()).unwrap_or(bytes),
        None => &[],
    }
}

#[cfg(test)]
mod tests;
