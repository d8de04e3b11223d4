//! Messages as their writers' clients make them (RFC 5322, MIME), and the Maildir they lie in.
//! Room of `demo`.
//!
//! Invariant: what is posted answers only what was posted before it.

use std::fs;
use std::io;
use std::path::Path;

use super::days::{Days, Dice, english_day, english_month};
use super::people::{Client, Language, Person};
use crate::time::Timestamp;

/// Characters of an encoded-word's text: 75 in all (RFC 2047 section 2), four to each three bytes.
const ENCODED_CHUNK: usize = 36;
/// Length of a line of base64 or quoted-printable (RFC 2045 section 6.7).
const ENCODED_LINE: usize = 76;

/// A message before it is posted.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Date.
    pub at: Timestamp,
    /// Writer.
    pub from: Person,
    /// `To`.
    pub to: Vec<Person>,
    /// `Cc`.
    pub cc: Vec<Person>,
    /// `Subject`, without `Re:`.
    pub subject: String,
    /// What is new in it, without the signature.
    pub text: String,
    /// Further header fields.
    pub fields: Vec<(&'static str, String)>,
    /// Name of a file attached.
    pub file: Option<&'static str>,
    /// An iTIP body (RFC 6047) and its method.
    pub invitation: Option<(&'static str, String)>,
    /// HTML instead of what the client would make of the text.
    pub html: Option<String>,
}

impl Draft {
    /// From one to another.
    pub fn new(at: Timestamp, from: Person, to: Person, subject: &str, text: &str) -> Draft {
        Draft {
            at,
            from,
            to: vec![to],
            cc: Vec::new(),
            subject: subject.to_string(),
            text: text.to_string(),
            fields: Vec::new(),
            file: None,
            invitation: None,
            html: None,
        }
    }

    /// With others in `Cc`.
    #[must_use]
    pub fn cc(mut self, who: Person) -> Draft {
        self.cc.push(who);
        self
    }

    /// To one more.
    #[must_use]
    pub fn and(mut self, who: Person) -> Draft {
        self.to.push(who);
        self
    }

    /// With a file.
    #[must_use]
    pub fn with_file(mut self, name: &'static str) -> Draft {
        self.file = Some(name);
        self
    }

    /// With one more header field.
    #[must_use]
    pub fn field(mut self, name: &'static str, value: &str) -> Draft {
        self.fields.push((name, value.to_string()));
        self
    }

    /// With an invitation or an answer to one.
    #[must_use]
    pub fn inviting(mut self, method: &'static str, calendar: String) -> Draft {
        self.invitation = Some((method, calendar));
        self
    }
}

/// What an answer needs to know of the message it answers.
#[derive(Clone, Debug)]
pub struct Written {
    /// Message-ID without `<>`.
    pub id: String,
    ancestors: Vec<String>,
    at: Timestamp,
    from: Person,
    to: Vec<Person>,
    subject: String,
    text: String,
}

impl Written {
    /// For a machine that answers under a subject of its own.
    pub fn set_subject(&mut self, subject: &str) {
        self.subject = subject.to_string();
    }
}

/// One file of the Maildir.
#[derive(Clone, Debug)]
struct File {
    sent: bool,
    name: String,
    bytes: Vec<u8>,
}

/// All mail of the year.
#[derive(Debug)]
pub struct Mailbox<'a> {
    days: &'a Days,
    dice: Dice,
    files: Vec<File>,
}

impl<'a> Mailbox<'a> {
    /// An empty one.
    pub fn new(days: &'a Days) -> Mailbox<'a> {
        Mailbox { days, dice: Dice::new(0x6b69_7468), files: Vec::new() }
    }

    /// Messages posted.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Posts a new message.
    pub fn post(&mut self, draft: Draft) -> Written {
        self.deliver(draft, None)
    }

    /// Posts an answer; its subject is that of what it answers.
    pub fn answer(&mut self, to: &Written, mut draft: Draft) -> Written {
        draft.subject.clone_from(&to.subject);
        self.deliver(draft, Some(to))
    }

    fn deliver(&mut self, draft: Draft, parent: Option<&Written>) -> Written {
        let id = self.message_id(&draft);
        let mut ancestors = parent.map(|p| p.ancestors.clone()).unwrap_or_default();
        ancestors.extend(parent.map(|p| p.id.clone()));
        let sent = draft.from.is_alex();
        let serial = self.files.len();
        let bytes = self.render(&draft, &id, &ancestors, parent).into_bytes();
        let name = format!("{}.M{:06}P4711Q{serial}.demo:2,S", draft.at.second(), serial * 97 % 1_000_000);
        self.files.push(File { sent, name, bytes });
        Written {
            id,
            ancestors,
            at: draft.at,
            from: draft.from,
            to: draft.to,
            subject: draft.subject,
            text: draft.text,
        }
    }

    fn message_id(&mut self, draft: &Draft) -> String {
        let (key, n) = (self.dice.hex(), self.files.len());
        let domain = draft.from.domain();
        match draft.from.client {
            Client::Gmail => format!("CA+{key}{n:04}@mail.{domain}"),
            Client::Outlook => format!("{}.{n:04}@EXCH01.{domain}", key.to_uppercase()),
            Client::Apple | Client::Phone => format!("{key}-{n:04}@{domain}"),
            Client::Thunderbird => format!("{n:04}.{key}@{domain}"),
        }
    }

    fn render(&self, draft: &Draft, id: &str, ancestors: &[String], parent: Option<&Written>) -> String {
        let mut head = String::new();
        if !draft.from.is_alex() {
            let (host, date) = (draft.from.domain(), self.days.rfc5322(draft.at.plus(4)));
            head.push_str(&format!("Return-Path: <{}>\n", draft.from.address));
            head.push_str(&format!(
                "Received: from mail.{host} (mail.{host} [192.0.2.25])\n\tby mx.example.org with ESMTPS id {}; {date}\n",
                id.chars().filter(char::is_ascii_alphanumeric).take(12).collect::<String>()
            ));
        }
        head.push_str(&format!("Date: {}\n", self.days.rfc5322(draft.at)));
        head.push_str(&format!("From: {}\n", mailbox(&draft.from)));
        head.push_str(&addresses("To", &draft.to));
        head.push_str(&addresses("Cc", &draft.cc));
        let subject = if parent.is_some() && !draft.fields.iter().any(|(name, _)| *name == "Auto-Submitted") {
            format!("{} {}", reply_prefix(&draft.from), draft.subject)
        } else {
            draft.subject.clone()
        };
        head.push_str(&format!("Subject: {}\n", encoded(&subject)));
        head.push_str(&format!("Message-ID: <{id}>\n"));
        if let Some(parent) = parent {
            head.push_str(&format!("In-Reply-To: <{}>\n", parent.id));
            let all: Vec<String> = ancestors.iter().map(|a| format!("<{a}>")).collect();
            head.push_str(&format!("References: {}\n", all.join("\n ")));
        }
        for (name, value) in &draft.fields {
            head.push_str(&format!("{name}: {value}\n"));
        }
        head.push_str("MIME-Version: 1.0\n");
        let plain = format!("{}{}", draft.text.trim_end(), tail(self.days, draft, parent));
        head + &self.body(draft, parent, &plain, id)
    }

    /// The parts: text, HTML beside it, an invitation beside it, a file behind it.
    fn body(&self, draft: &Draft, parent: Option<&Written>, plain: &str, id: &str) -> String {
        let mark: String = id.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
        let text = text_part("text/plain", plain, draft.from.client);
        let html = draft.html.clone().or_else(|| html(self.days, draft, parent));
        let mut parts = vec![text];
        parts.extend(html.map(|h| text_part("text/html", &h, draft.from.client)));
        if let Some((method, calendar)) = &draft.invitation {
            let kind = format!("text/calendar; method={method}");
            parts.push(text_part(&kind, &calendar.replace("\r\n", "\n"), Client::Thunderbird));
        }
        let body = multipart("alternative", &format!("alt_{mark}"), parts);
        let Some(name) = draft.file else { return body };
        let content = format!("%PDF-1.4\n% {name}, a sample without content\n%%EOF\n");
        let file = format!(
            "Content-Type: application/pdf; name=\"{name}\"\nContent-Disposition: attachment; filename=\"{name}\"\nContent-Transfer-Encoding: base64\n\n{}",
            lines_of(&base64(content.as_bytes()))
        );
        multipart("mixed", &format!("mix_{mark}"), vec![body, file])
    }

    /// Writes a Maildir++ with what Alex received at its root and what Alex sent in `.Sent`.
    pub fn write(&self, root: &Path) -> io::Result<()> {
        let sent = root.join(".Sent");
        for folder in [root, sent.as_path()] {
            for part in ["cur", "new", "tmp"] {
                fs::create_dir_all(folder.join(part))?;
            }
        }
        fs::write(sent.join("maildirfolder"), "")?;
        for file in &self.files {
            let folder = if file.sent { sent.join("cur") } else { root.join("cur") };
            fs::write(folder.join(&file.name), &file.bytes)?;
        }
        Ok(())
    }
}

fn multipart(kind: &str, mark: &str, mut parts: Vec<String>) -> String {
    if parts.len() < 2 {
        return parts.pop().unwrap_or_default();
    }
    let body: String = parts.iter().map(|p| format!("--{mark}\n{}\n", p.trim_end())).collect();
    format!("Content-Type: multipart/{kind}; boundary=\"{mark}\"\n\n{body}--{mark}--\n")
}

/// One text in the transfer encoding its client would choose.
fn text_part(kind: &str, text: &str, client: Client) -> String {
    let (name, coded) = match client {
        _ if text.is_ascii() && text.lines().all(|l| l.len() < 900) => ("7bit", format!("{text}\n")),
        Client::Outlook => ("base64", lines_of(&base64(text.as_bytes()))),
        Client::Thunderbird => ("8bit", format!("{text}\n")),
        _ => ("quoted-printable", quoted_printable(text)),
    };
    format!("Content-Type: {kind}; charset=utf-8\nContent-Transfer-Encoding: {name}\n\n{coded}")
}

fn mailbox(who: &Person) -> String {
    format!("{} <{}>", encoded(who.name), who.address)
}

fn addresses(field: &str, who: &[Person]) -> String {
    if who.is_empty() {
        return String::new();
    }
    let all: Vec<String> = who.iter().map(mailbox).collect();
    format!("{field}: {}\n", all.join(",\n "))
}

fn reply_prefix(from: &Person) -> &'static str {
    match (from.client, from.language) {
        (Client::Outlook, Language::German) => "AW:",
        _ => "Re:",
    }
}

fn signature(who: &Person) -> String {
    let greeting = match who.language {
        Language::English => "Best",
        Language::German => "Viele Grüße",
        Language::French => "Bien à toi",
        Language::Spanish => "Un abrazo",
    };
    let name = who.first();
    match who.client {
        Client::Phone => format!("\n\n{name}"),
        Client::Thunderbird if !who.role.is_empty() => format!("\n\n{name}\n\n-- \n{}\n{}", who.name, who.role),
        Client::Outlook if !who.role.is_empty() => {
            format!("\n\n{greeting},\n{name}\n\n-- \n{}\n{}", who.name, who.role)
        }
        _ => format!("\n\n{greeting},\n{name}"),
    }
}

/// Closing, signature and the quote of what is answered, as the client lays them out.
fn tail(days: &Days, draft: &Draft, parent: Option<&Written>) -> String {
    if draft.fields.iter().any(|(name, _)| matches!(*name, "List-Id" | "Auto-Submitted")) || draft.html.is_some() {
        return String::new();
    }
    let closing = signature(&draft.from);
    let Some(parent) = parent else {
        let phone = if draft.from.client == Client::Phone { "\n\nSent from my iPhone" } else { "" };
        return closing + phone;
    };
    let said = attribution(days, &draft.from, parent);
    let quote: String = parent.text.trim_end().lines().map(|l| format!("> {l}\n")).collect();
    let quote = quote.trim_end();
    match draft.from.client {
        Client::Thunderbird | Client::Gmail => format!("{closing}\n\n{said}\n\n{quote}"),
        Client::Phone => format!("{closing}\n\nSent from my iPhone\n\n> {said}\n>\n{quote}"),
        Client::Apple => format!("{closing}\n\n> {said}\n>\n{quote}"),
        Client::Outlook => format!("{closing}\n\n{}\n{}", said, parent.text.trim_end()),
    }
}

/// The line or block above a quote.
fn attribution(days: &Days, by: &Person, parent: &Written) -> String {
    let t = days.local(parent.at);
    let (name, address) = (parent.from.name, parent.from.address);
    let time = format!("{:02}:{:02}", t.hour(), t.minute());
    let numbers = format!("{:02}.{:02}.{}", t.day(), t.month(), t.year());
    let slashes = format!("{:02}/{:02}/{}", t.day(), t.month(), t.year());
    let (day, month) = (english_day(t.date()), english_month(t.date()));
    if by.client == Client::Outlook {
        let to = parent.to.iter().map(|p| p.name).collect::<Vec<_>>().join("; ");
        let subject = &parent.subject;
        return match by.language {
            Language::German => format!(
                "________________________________\nVon: {name} <{address}>\nGesendet: {numbers} {time}\nAn: {to}\nBetreff: {subject}\n"
            ),
            _ => format!(
                "________________________________\nFrom: {name} <{address}>\nSent: {day}, {month} {}, {} {time}\nTo: {to}\nSubject: {subject}\n",
                t.day(),
                t.year()
            ),
        };
    }
    match by.language {
        Language::German => format!("Am {numbers} um {time} schrieb {name} <{address}>:"),
        Language::French => format!("Le {slashes} à {time}, {name} <{address}> a écrit :"),
        Language::Spanish => format!("El {slashes} a las {time}, {name} <{address}> escribió:"),
        Language::English if by.client == Client::Gmail => {
            let (day, month) = (day.get(..3).unwrap_or_default(), month.get(..3).unwrap_or_default());
            format!("On {day}, {month} {}, {} at {time} {name} <{address}> wrote:", t.day(), t.year())
        }
        Language::English => format!("On {slashes} {time}, {name} wrote:"),
    }
}

/// What a client that writes HTML makes of it.
fn html(days: &Days, draft: &Draft, parent: Option<&Written>) -> Option<String> {
    if !matches!(draft.from.client, Client::Gmail | Client::Apple) || draft.from.is_alex() || !draft.fields.is_empty() {
        return None;
    }
    let own = paragraphs(&format!("{}{}", draft.text.trim_end(), signature(&draft.from)));
    let quote = parent.map(|p| {
        let (said, text) = (escaped(&attribution(days, &draft.from, p)), paragraphs(p.text.trim_end()));
        match draft.from.client {
            Client::Gmail => format!(
                "<div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">{said}<br></div>\n<blockquote class=\"gmail_quote\">{text}</blockquote></div>"
            ),
            _ => format!("<blockquote type=\"cite\">{said}<br>{text}</blockquote>"),
        }
    });
    Some(format!("<html><body><div dir=\"ltr\">{own}</div>\n{}</body></html>", quote.unwrap_or_default()))
}

fn paragraphs(text: &str) -> String {
    text.split("\n\n").map(|p| format!("<p>{}</p>\n", escaped(p).replace('\n', "<br>\n"))).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A header value, in encoded-words where it is not ASCII.
fn encoded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_string();
    }
    let mut words: Vec<String> = vec![String::new()];
    for c in text.chars() {
        if words.last().is_some_and(|w| w.len() + c.len_utf8() > ENCODED_CHUNK) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    let words: Vec<String> = words.iter().map(|w| format!("=?utf-8?B?{}?=", base64(w.as_bytes()))).collect();
    words.join("\n ")
}

fn quoted_printable(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut width = 0;
        let last = line.chars().count().saturating_sub(1);
        for (n, c) in line.chars().enumerate() {
            let plain = c.is_ascii_graphic() && c != '=' || c == ' ' && n < last;
            let mut buffer = [0; 4];
            let bytes = c.encode_utf8(&mut buffer).as_bytes();
            let coded = if plain { c.to_string() } else { bytes.iter().map(|b| format!("={b:02X}")).collect() };
            if width + coded.len() >= ENCODED_LINE {
                out.push_str("=\n");
                width = 0;
            }
            width += coded.len();
            out.push_str(&coded);
        }
        out.push('\n');
    }
    out
}

/// RFC 4648 section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let word = group.iter().fold(0u32, |word, b| word << 8 | u32::from(*b)) << (8 * (3 - group.len().min(3)));
        for place in 0..4usize {
            let index = usize::try_from(word >> (18 - 6 * place) & 63).unwrap_or(0);
            let letter = ALPHABET.get(index).copied().map_or('A', char::from);
            out.push(if place > group.len() { '=' } else { letter });
        }
    }
    out
}

fn lines_of(coded: &str) -> String {
    let (mut out, mut rest) = (String::new(), coded);
    while !rest.is_empty() {
        let (line, more) = rest.split_at_checked(ENCODED_LINE).unwrap_or((rest, ""));
        out.push_str(line);
        out.push('\n');
        rest = more;
    }
    out
}
