//! Class of a message by its headers and wording (INFERENCE 1). Part of `read`.
//!
//! Invariant: pure over [`Facts`]; the first rule that hits decides, its code is kept, and nothing
//! here knows who the user is or what was written before: history settles the class in the ledger.

mod senders;
pub mod words;

use std::collections::BTreeSet;

use crate::address::{AddrSpec, Address};
use crate::evidence::{Class, Signals};

pub use senders::{ReturnPath, machine};

/// What a message shows of itself.
#[derive(Clone, Debug, Default)]
pub struct Facts<'a> {
    /// `From`.
    pub from: &'a [Address],
    /// `Sender`.
    pub sender: Option<AddrSpec>,
    /// `Return-Path`.
    pub return_path: ReturnPath,
    /// `Message-ID`, without brackets.
    pub message_id: Option<&'a str>,
    /// `Subject`, decoded.
    pub subject: &'a str,
    /// `In-Reply-To` or `References` is there.
    pub answers: bool,
    /// Mailboxes in `To` and `Cc`.
    pub recipients: u32,
    /// The envelope's recipient (`Delivered-To`, `X-Original-To`) is in neither `To` nor `Cc`.
    pub delivered_aside: bool,
    /// `Content-Type` of the whole, lower-case.
    pub content_type: String,
    /// `Content-Class`, lower-case: Outlook's name for invitations and their answers.
    pub content_class: String,
    /// `Auto-Submitted`, lower-case, without parameters (RFC 3834).
    pub auto_submitted: Option<String>,
    /// `Precedence` and `X-Precedence`, lower-case.
    pub precedence: Vec<String>,
    /// Lower-case names of all header fields.
    pub names: BTreeSet<String>,
    /// What the body shows; `None` when only headers were read.
    pub body: Option<Body<'a>>,
}

/// What the body of a message shows.
#[derive(Clone, Debug, Default)]
pub struct Body<'a> {
    /// What this message says itself: quoted and forwarded mail left out.
    pub text: &'a str,
    /// Links to the web in it.
    pub links: u32,
    /// Pictures of one pixel, or hidden ones.
    pub tracking_pixels: u32,
    /// There is no plain text part.
    pub html_only: bool,
    /// As in [`crate::read::html::HtmlText`].
    pub markup_ratio: u32,
    /// There is a calendar part.
    pub calendar: bool,
}

/// The class with its reasons and what the ledger needs to settle it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// The class.
    pub class: Class,
    /// Codes such as `list-id`, `local-part:noreply`, `points:unsubscribe`.
    pub reasons: Vec<String>,
    /// Signals.
    pub signals: Signals,
}

/// Points at which a message without any decisive sign is a mailing.
const BULK_POINTS: i16 = 4;
/// Markup beside each byte of text, in tenths, from which HTML is that of a template: mail clients
/// stay below 15 bytes, a short answer in Outlook's HTML does not, so it gives one point only.
const TEMPLATE_RATIO: u32 = 120;

/// Classifies a message.
pub fn classify(facts: &Facts<'_>) -> Verdict {
    let points = points(facts);
    let total = points.iter().map(|(n, _)| n).sum::<i16>();
    let signals = Signals {
        list_unsubscribe: facts.has("list-unsubscribe"),
        list: list(facts).is_some(),
        sales_tool: sales_tool(facts),
        bulk_points: total,
    };
    let decided = |class, reason: String| Verdict { class, reasons: vec![reason], signals: signals.clone() };
    if let Some(reason) = dsn(facts) {
        return decided(Class::Dsn, reason);
    }
    let (auto, calendar) = (auto(facts), calendar(facts));
    // A calendar that marks what it sends for its user as auto-generated still sends
    // an invitation; every other sign of a machine comes first.
    let generated =
        auto.as_deref() == Some("auto-submitted") && facts.auto_submitted.as_deref() == Some("auto-generated");
    match (auto, calendar) {
        (Some(_), Some(reason)) if generated => return decided(Class::Calendar, reason.to_string()),
        (Some(reason), _) => return decided(Class::Auto, reason),
        (None, Some(reason)) => return decided(Class::Calendar, reason.to_string()),
        (None, None) => {}
    }
    if let Some(reason) = list(facts) {
        return decided(Class::List, reason);
    }
    if let Some(reason) = bulk(facts) {
        return decided(Class::Bulk, reason);
    }
    let reasons = points.into_iter().filter(|(n, _)| *n > 0).map(|(_, why)| format!("points:{why}"));
    let class = if total >= BULK_POINTS { Class::Bulk } else { Class::Person };
    let reasons = if class == Class::Bulk { reasons.collect() } else { Vec::new() };
    Verdict { class, reasons, signals }
}

/// Is the class plain from the headers alone, whatever the body holds?
pub fn decided_by_headers(facts: &Facts<'_>) -> bool {
    dsn(facts).is_some() || auto(facts).is_some() || list(facts).is_some() || bulk(facts).is_some()
}

impl Facts<'_> {
    fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The first of `names` that is there.
    fn any(&self, names: &[&str]) -> Option<String> {
        names.iter().find(|n| self.has(n)).map(|n| (*n).to_string())
    }

    /// The first header whose name begins with one of `prefixes`.
    fn any_prefix(&self, prefixes: &[&str]) -> Option<String> {
        self.names.iter().find(|name| prefixes.iter().any(|p| name.starts_with(p))).cloned()
    }

    fn locals(&self) -> impl Iterator<Item = &str> {
        self.from.iter().map(|a| a.address.local())
    }
}

fn dsn(facts: &Facts<'_>) -> Option<String> {
    if facts.content_type == "multipart/report" {
        return Some("multipart-report".to_string());
    }
    if let Some(name) = facts.any(&["x-failed-recipients"]) {
        return Some(name);
    }
    if let Some(local) = facts.locals().find(|l| matches!(*l, "mailer-daemon" | "postmaster" | "mailerdaemon")) {
        return Some(format!("local-part:{local}"));
    }
    let empty = matches!(facts.return_path, ReturnPath::Empty);
    (empty && words::words().is_bounce_subject(facts.subject)).then(|| "return-path:empty".to_string())
}

/// Headers that only automatic answers carry.
const AUTO_HEADERS: &[&str] = &[
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-reply-from",
    "x-mail-autoreply",
    "x-autogenerated",
    "x-fc-machinegenerated",
    "x-vacation",
];

fn auto(facts: &Facts<'_>) -> Option<String> {
    if facts.auto_submitted.as_deref().is_some_and(|a| !a.is_empty() && a != "no") {
        return Some("auto-submitted".to_string());
    }
    if let Some(name) = facts.any(AUTO_HEADERS) {
        return Some(name);
    }
    if facts.precedence.iter().any(|p| matches!(p.as_str(), "auto_reply" | "auto-reply" | "autoreply")) {
        return Some("precedence:auto_reply".to_string());
    }
    let answered =
        facts.answers || matches!(facts.return_path, ReturnPath::Empty) || facts.has("x-auto-response-suppress");
    let words = words::words();
    if words.is_out_of_office_subject(facts.subject) || (answered && words.is_absence_subject(facts.subject)) {
        return Some("subject:out-of-office".to_string());
    }
    facts.from.iter().find_map(senders::machine)
}

fn calendar(facts: &Facts<'_>) -> Option<&'static str> {
    if facts.content_type == "text/calendar" || facts.body.as_ref().is_some_and(|b| b.calendar) {
        return Some("text-calendar");
    }
    if facts.content_class.contains("calendarmessage") {
        return Some("content-class");
    }
    let sender = facts.sender.as_ref().map(AddrSpec::local);
    matches!(sender, Some("calendar-notification")).then_some("sender:calendar-notification")
}

/// Headers that only mailing lists write (RFC 2369, 2919, and what came before them).
const LIST_HEADERS: &[&str] = &[
    "list-id",
    "list-post",
    "mailing-list",
    "x-mailing-list",
    "list-archive",
    "list-subscribe",
    "list-owner",
    "x-beenthere",
    "x-mailman-version",
];

fn list(facts: &Facts<'_>) -> Option<String> {
    if let Some(name) = facts.any(LIST_HEADERS) {
        return Some(name);
    }
    if facts.precedence.iter().any(|p| p == "list") {
        return Some("precedence:list".to_string());
    }
    (facts.sender.is_some() && facts.precedence.iter().any(|p| p == "bulk")).then(|| "sender:bulk".to_string())
}

/// Headers of campaigns, beginnings.
const CAMPAIGN_HEADERS: &[&str] = &[
    "x-bulkmail",
    "x-campaign",
    "x-icontact",
    "x-klaviyo",
    "x-mailchimp",
    "x-mailing-id",
    "x-mailingid",
    "x-mailerlite",
    "x-marketo",
    "x-mass-mail",
    "x-mc-user",
    "x-newsletter",
    "x-roving-",
    "x-rpcampaign",
    "x-sfmc",
    "x-subscriber",
    "x-unsubscribe",
    "x-list-unsubscribe",
];

/// Headers of tools that send one person's mail to many, beginnings.
const SALES_HEADERS: &[&str] = &[
    "x-apollo",
    "x-groove",
    "x-hs-",
    "x-hubspot",
    "x-lemlist",
    "x-mailshake",
    "x-mixmax",
    "x-outreach",
    "x-reply-io",
    "x-salesloft",
    "x-woodpecker",
    "x-yesware",
];

fn bulk(facts: &Facts<'_>) -> Option<String> {
    if let Some(name) = facts.any(&["list-unsubscribe", "list-unsubscribe-post", "list-help"]) {
        return Some(name);
    }
    if let Some(name) = facts.any_prefix(CAMPAIGN_HEADERS) {
        return Some(name);
    }
    if let Some(word) = facts.precedence.iter().find(|p| matches!(p.as_str(), "bulk" | "junk")) {
        return Some(format!("precedence:{word}"));
    }
    if let Some(domain) = platform(facts) {
        return Some(format!("sent-by:{domain}"));
    }
    match facts.return_path.kind(facts.from) {
        senders::Envelope::Owner => Some("return-path:owner".to_string()),
        // Answers by people also come through systems that track each delivery; see `points`.
        senders::Envelope::Verp if !facts.answers => Some("return-path:verp".to_string()),
        _ => None,
    }
}

/// The mailing platform that sent the message, by envelope, sender and Message-ID; never by `From`,
/// where its own staff would be meant.
fn platform(facts: &Facts<'_>) -> Option<&'static str> {
    hosts(facts).find_map(senders::platform)
}

fn hosts<'f>(facts: &'f Facts<'_>) -> impl Iterator<Item = &'f str> {
    let id = facts.message_id.and_then(|id| id.rsplit_once('@')).map(|(_, host)| host);
    let sender = facts.sender.as_ref().map(AddrSpec::domain);
    facts.return_path.address().map(AddrSpec::domain).into_iter().chain(sender).chain(id)
}

fn sales_tool(facts: &Facts<'_>) -> bool {
    facts.any_prefix(SALES_HEADERS).is_some()
        || facts.any_prefix(CAMPAIGN_HEADERS).is_some()
        || platform(facts).is_some()
        || hosts(facts).any(senders::is_sales_tool)
}

/// The points of INFERENCE 1.5, each with its code.
fn points(facts: &Facts<'_>) -> Vec<(i16, &'static str)> {
    let words = words::words();
    let mut points = Vec::new();
    let mut add = |hit: bool, n: i16, why: &'static str| {
        if hit {
            points.push((n, why));
        }
    };
    let from = facts.from.first();
    add(from.is_some_and(|a| a.address.is_role()), 2, "role");
    add(from.is_some_and(|a| senders::is_bulk_host(&a.address)), 2, "subdomain");
    add(facts.locals().any(senders::is_machine_local), 2, "machine");
    let name = from.and_then(|a| a.name.as_deref());
    add(name.is_some_and(|n| words.is_mailing_name(n)), 2, "name");
    add(facts.recipients == 0 || facts.delivered_aside, 1, "aside");
    let relayed = hosts(facts).any(senders::is_relay) || facts.any_prefix(senders::RELAY_HEADERS).is_some();
    add(relayed || matches!(facts.return_path.kind(facts.from), senders::Envelope::Relay), 1, "relay");
    let verp = matches!(facts.return_path.kind(facts.from), senders::Envelope::Verp);
    add(verp && facts.answers, 3, "verp");
    if let Some(body) = &facts.body {
        let spoken = words.spoken(body.text);
        // Without a link or an address to write to it is people speaking of mailings.
        let way_out = body.links > 0 || body.text.contains('@');
        add(spoken.unsubscribe, if way_out { 3 } else { 1 }, "unsubscribe");
        add(spoken.notice, 2, "notice");
        add(body.tracking_pixels > 0, 2, "pixel");
        add((10..25).contains(&body.links), 1, "links");
        add(body.links >= 25, 2, "many-links");
        add(body.html_only && body.markup_ratio > TEMPLATE_RATIO, 1, "html");
    }
    add(facts.answers, -3, "answers");
    let prefixed = words::is_reply_subject(facts.subject) || words::is_forward_subject(facts.subject);
    add(prefixed, -2, "re");
    points
}

#[cfg(test)]
mod tests;
