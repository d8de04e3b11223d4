//! What machines answer: failed deliveries (RFC 3464) and absences. Part of `read::mail`.

use super::fields::{self, Fields};
use super::parts::Parts;
use crate::address::AddrSpec;
use crate::evidence::{Bounce, MessageId, OutOfOffice};
use crate::limits;
use crate::read::class::words::words;
use crate::time::Date;

/// The failure a delivery status notification tells of; `None` for delays, receipts and what names
/// neither a mail nor a recipient.
pub fn bounce(fields: &Fields<'_>, parts: &Parts<'_>, text: &str) -> Option<Bounce> {
    let report = fields.parameters("content-type").and_then(|t| t.get("report-type").map(str::to_lowercase));
    if report.as_deref().is_some_and(|r| r != "delivery-status" && r != "global-delivery-status") {
        return None;
    }
    let of = returned_id(parts, text).or_else(|| fields.ids("in-reply-to").into_iter().next());
    let mut failed = None;
    for leaf in &parts.delivery_status {
        let bytes = leaf.bytes(limits::TEXT_BYTES);
        let mut rest: &[u8] = &bytes;
        while !rest.is_empty() {
            let (block, after) = fields::split(rest);
            rest = after;
            match Recipient::of(&block) {
                Some(Recipient::Failed { hard, address }) if failed.is_none() => failed = Some((hard, address)),
                Some(Recipient::Delayed) if failed.is_none() => return None,
                _ => {}
            }
        }
    }
    let (hard, recipient) = failed.unwrap_or_else(|| {
        let named = fields.token("x-failed-recipients").unwrap_or_default();
        (is_hard(text), named.split(',').find_map(AddrSpec::parse))
    });
    (of.is_some() || recipient.is_some()).then_some(Bounce { hard, recipient, of })
}

enum Recipient {
    Failed { hard: bool, address: Option<AddrSpec> },
    Delayed,
}

impl Recipient {
    /// From a per-recipient block (RFC 3464 2.3).
    fn of(block: &Fields<'_>) -> Option<Recipient> {
        let status = block.token("status");
        let action = block.token("action").map(|a| a.to_ascii_lowercase());
        if status.is_none() && action.is_none() {
            return None;
        }
        let delayed = action.as_deref().is_some_and(|a| a != "failed");
        if delayed || (action.is_none() && status.as_deref().is_some_and(|s| !s.starts_with('5'))) {
            return Some(Recipient::Delayed);
        }
        let address = block.token("final-recipient").or_else(|| block.token("original-recipient"));
        let address = address.and_then(|a| AddrSpec::parse(a.rsplit_once(';').map_or(a.as_str(), |(_, a)| a)));
        let said = format!("{} {}", status.unwrap_or_default(), block.token("diagnostic-code").unwrap_or_default());
        Some(Recipient::Failed { hard: is_hard(&said), address })
    }
}

/// RFC 3463 3.2: 5.1.x is about the address itself.
fn is_hard(text: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.')).any(|code| {
        let code = code.trim_matches('.');
        code.strip_prefix("5.1.").is_some_and(|d| !d.is_empty() && d.len() <= 3 && !d.contains('.'))
    })
}

/// Message-ID of the mail that came back: from its headers, else from a line that shows them.
fn returned_id(parts: &Parts<'_>, text: &str) -> Option<MessageId> {
    let returned = parts.returned.as_ref().and_then(|leaf| {
        let bytes = leaf.bytes(limits::HEADER_BYTES);
        fields::split(&bytes).0.ids("message-id").into_iter().next()
    });
    returned.or_else(|| {
        let mut lines = text.lines().map(|l| l.trim_start_matches(['>', ' ', '\t']));
        let line = lines.find(|l| l.get(..11).is_some_and(|n| n.eq_ignore_ascii_case("message-id:")))?;
        fields::ids(line.get(11..)?).into_iter().next()
    })
}

/// The absence an automatic answer tells of. A receipt of a ticket system is none.
pub fn out_of_office(fields: &Fields<'_>, subject: &str, text: &str, written_on: Date) -> Option<OutOfOffice> {
    let answered =
        ["auto-submitted", "precedence", "x-precedence"].iter().filter_map(|name| fields.token(name)).any(|t| {
            matches!(t.to_lowercase().split([';', ' ']).next(), Some("auto-replied" | "auto_reply" | "auto-reply"))
        });
    let answered = answered
        || ["x-autoreply", "x-autorespond", "x-auto-reply-from", "x-mail-autoreply"].iter().any(|n| fields.has(n));
    let named = words().is_out_of_office_subject(subject) || words().is_absence_subject(subject);
    let away = named || fields.has("x-vacation") || (answered && words().is_away(text));
    away.then(|| OutOfOffice {
        until: words().day_of_return(text, written_on).or_else(|| words().day_of_return(subject, written_on)),
    })
}
