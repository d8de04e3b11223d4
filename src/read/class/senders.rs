//! What addresses and hosts say about who or what is writing. Part of `read::class`.

use crate::address::{AddrSpec, Address};

/// `Return-Path`, as the last relay wrote it (RFC 5321 4.4).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum ReturnPath {
    /// No such field: mail that was never delivered over SMTP, or a store that dropped it.
    #[default]
    Absent,
    /// `<>`: nobody wants to hear of it; automatic mail.
    Empty,
    /// An address.
    Address(AddrSpec),
}

/// What kind of envelope sender it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Envelope {
    /// A person's, a forwarder's, or nothing that could be told.
    Plain,
    /// A list's or mailing's owner or bounce box.
    Owner,
    /// One address per recipient (VERP).
    Verp,
    /// The bounce box of a relay that also carries single mails.
    Relay,
}

impl ReturnPath {
    /// From the field's value.
    pub fn read(value: &str) -> ReturnPath {
        let inner = value.trim();
        let inner = inner.rsplit_once('<').map_or(inner, |(_, a)| a.trim_end_matches('>'));
        match AddrSpec::parse(inner) {
            Some(address) => ReturnPath::Address(address),
            None if inner.trim().is_empty() => ReturnPath::Empty,
            None => ReturnPath::Absent,
        }
    }

    /// The address.
    pub fn address(&self) -> Option<&AddrSpec> {
        match self {
            ReturnPath::Address(address) => Some(address),
            _ => None,
        }
    }

    /// What kind of sender it is, beside the visible ones.
    pub fn kind(&self, from: &[Address]) -> Envelope {
        let Some(address) = self.address() else { return Envelope::Plain };
        if from.iter().any(|a| a.address == *address) {
            return Envelope::Plain;
        }
        let local = address.local();
        // Forwarders rewrite the envelope too: SRS (also Exchange Online's), BATV, Gmail.
        let forwarded = ["srs0", "srs1", "prvs=", "btv1=", "bounces+srs=", "bounce+srs="];
        if forwarded.iter().any(|p| local.starts_with(p)) || local.contains("+caf_=") {
            return Envelope::Plain;
        }
        if is_relay(address.domain()) || is_numbered_bounce(local) {
            return Envelope::Relay;
        }
        if local.starts_with("owner-")
            || ["-owner", "-bounces", "-request", "-errors", "-return", "-admin", "-bounce"]
                .iter()
                .any(|s| local.ends_with(s))
            || local.starts_with("errors-")
            || local == "nobody"
        {
            return Envelope::Owner;
        }
        let tracked = local.contains('=')
            || local.starts_with("bounce")
            || local.contains("-return-")
            || local.contains("-bounce")
            || local.contains("bounces+")
            || local.starts_with("return-")
            || local.starts_with("msprvs1")
            || address.domain().split('.').any(|label| label.starts_with("bounce"));
        if tracked { Envelope::Verp } else { Envelope::Plain }
    }
}

/// `bounces+12345-ab1c-ada=example.org`: SendGrid's, for newsletters and single mails alike.
fn is_numbered_bounce(local: &str) -> bool {
    local
        .strip_prefix("bounces+")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains('='))
}

/// Is this a machine's mailbox beyond doubt? The reason code if so.
pub fn machine(address: &Address) -> Option<String> {
    let local = address.address.local();
    let tokens: Vec<&str> = tokens(local).collect();
    let code = |what: &str| Some(format!("local-part:{what}"));
    if is_no_reply(&tokens) {
        return code("noreply");
    }
    if tokens.first().is_some_and(|t| t.starts_with("bounce")) || local.ends_with("-bounces") {
        return code("bounce");
    }
    if local.ends_with("-owner") || local.starts_with("owner-") {
        return code("owner");
    }
    if let Some(token) = tokens.iter().find(|t| matches!(**t, "notification" | "notifications")) {
        return code(token);
    }
    if matches!(local, "cron" | "root" | "crond" | "anacron" | "nobody" | "www-data" | "apache") {
        return code(local);
    }
    let named = address.name.as_deref().unwrap_or_default().to_lowercase();
    let named = named.split(|c: char| !c.is_alphanumeric()).any(|t| t == "bot");
    if tokens.contains(&"bot") || named { Some("bot".to_string()) } else { None }
}

/// Tokens of a local part.
fn tokens(local: &str) -> impl Iterator<Item = &str> {
    local.split(|c: char| !c.is_alphanumeric()).filter(|t| !t.is_empty())
}

/// "Do not reply" in the spellings that are in use.
fn is_no_reply(tokens: &[&str]) -> bool {
    const JOINED: &[&str] = &[
        "noreply",
        "donotreply",
        "dontreply",
        "noresponse",
        "noresponder",
        "noresponda",
        "nepasrepondre",
        "nichtantworten",
        "keineantwort",
        "naoresponda",
        "naoresponder",
        "nonrispondere",
        "nietbeantwoorden",
        "noreplay",
        "unattended",
        "unmonitored",
    ];
    (0..tokens.len()).any(|start| {
        (1..=3).any(|n| {
            let joined: String = tokens.iter().skip(start).take(n).copied().collect();
            let digits = joined.trim_end_matches(|c: char| c.is_ascii_digit());
            JOINED.contains(&digits) || (n == 1 && (joined.starts_with("noreply") || joined.starts_with("donotreply")))
        })
    })
}

/// Local parts that are rather a machine's than a person's.
pub fn is_machine_local(local: &str) -> bool {
    tokens(local).any(|t| {
        matches!(
            t,
            "admin"
                | "alert"
                | "alerts"
                | "auto"
                | "autoconfirm"
                | "automailer"
                | "automated"
                | "autoreply"
                | "confirm"
                | "confirmation"
                | "daemon"
                | "daily"
                | "deals"
                | "digest"
                | "gitlab"
                | "invitations"
                | "invite"
                | "jenkins"
                | "jira"
                | "lists"
                | "listserv"
                | "listmaster"
                | "mailbot"
                | "mailer"
                | "mailing"
                | "majordomo"
                | "messages"
                | "monitor"
                | "monitoring"
                | "nagios"
                | "newsletters"
                | "notice"
                | "notices"
                | "notify"
                | "offers"
                | "promo"
                | "promotions"
                | "receipts"
                | "reminder"
                | "reminders"
                | "reply"
                | "robot"
                | "server"
                | "specials"
                | "statements"
                | "subscribe"
                | "subscriptions"
                | "subscription"
                | "survey"
                | "system"
                | "tracking"
                | "unsubscribe"
                | "update"
                | "updates"
                | "weekly"
                | "www"
                | "wwwrun"
        )
    }) || local.contains("newsletter")
        || is_numbered(local)
}

/// One address per mailing: long, and more digits than anybody's name or year of birth.
fn is_numbered(local: &str) -> bool {
    local.len() >= 16 && local.bytes().filter(u8::is_ascii_digit).count() >= 8
}

/// Is the host below its domain one that mailings are sent from (`news.`, `mail.`, `e.`)?
pub fn is_bulk_host(address: &AddrSpec) -> bool {
    let domain = address.domain();
    let Some(below) = domain.strip_suffix(address.registrable_domain()) else { return false };
    below.split('.').any(|label| {
        matches!(
            label.trim_end_matches(|c: char| c.is_ascii_digit()),
            "alert"
                | "alerts"
                | "announce"
                | "campaign"
                | "campaigns"
                | "comms"
                | "connect"
                | "crm"
                | "deals"
                | "e"
                | "edm"
                | "email"
                | "emails"
                | "em"
                | "engage"
                | "info"
                | "insider"
                | "list"
                | "lists"
                | "m"
                | "mail"
                | "mailer"
                | "mailing"
                | "mailings"
                | "mails"
                | "marketing"
                | "member"
                | "members"
                | "mkt"
                | "news"
                | "newsletter"
                | "newsletters"
                | "notice"
                | "notifications"
                | "notify"
                | "offers"
                | "promo"
                | "promotions"
                | "reply"
                | "send"
                | "service"
                | "updates"
                | "transactional"
        )
    })
}

/// Hosts of platforms that send mailings and nothing else; matched at a label.
const PLATFORMS: &[&str] = &[
    "acems1.com",
    "activehosted.com",
    "aweber.com",
    "beehiiv.com",
    "bluehornet.com",
    "ccsend.com",
    "chtah.com",
    "cmail19.com",
    "cmail20.com",
    "constantcontact.com",
    "convertkit-mail.com",
    "convertkit-mail2.com",
    "createsend.com",
    "customeriomail.com",
    "dartmail.net",
    "dotmailer.com",
    "emarsys.net",
    "emlnk.com",
    "en25.com",
    "exacttarget.com",
    "flonetwork.com",
    "getresponse-mail.com",
    "hubspotemail.net",
    "iterable.com",
    "klaviyomail.com",
    "lyris.net",
    "m0.net",
    "mailchimpapp.net",
    "mailerlite.com",
    "mcdlv.net",
    "mcsv.net",
    "mktomail.com",
    "mlsend.com",
    "postdirect.com",
    "responsys.net",
    "roving.com",
    "rsgsv.net",
    "sailthru.com",
    "sender-sib.com",
    "sparklist.com",
    "substack.com",
    "topica.com",
    "xmr3.com",
];

/// Hosts that relay single mails as well as mailings.
const RELAYS: &[&str] = &[
    "amazonses.com",
    "mailgun.net",
    "mailgun.org",
    "mailjet.com",
    "mandrillapp.com",
    "mtasv.net",
    "postmarkapp.com",
    "sendgrid.net",
    "smtp2go.com",
    "sparkpostmail.com",
];

/// Headers of the same, beginnings.
pub const RELAY_HEADERS: &[&str] = &[
    "x-mailgun-sid",
    "x-mandrill-user",
    "x-mj-mid",
    "x-msys-api",
    "x-pm-message-id",
    "x-ses-outgoing",
    "x-sg-eid",
    "x-sib-id",
];

/// Hosts of tools that send one person's mail to many.
const SALES_TOOLS: &[&str] = &[
    "apollo.io",
    "hubspot.com",
    "lemlist.com",
    "mailshake.com",
    "mixmax.com",
    "outreach.io",
    "reply.io",
    "salesloft.com",
    "yesware.com",
];

/// The platform `host` belongs to.
pub fn platform(host: &str) -> Option<&'static str> {
    belongs(host, PLATFORMS)
}

/// Is `host` a relay?
pub fn is_relay(host: &str) -> bool {
    belongs(host, RELAYS).is_some()
}

/// Is `host` a sales tool's?
pub fn is_sales_tool(host: &str) -> bool {
    belongs(host, SALES_TOOLS).is_some()
}

/// The domain of `list` that `host` is or lies below; never a mere ending (`x.com` is not pobox.com).
fn belongs(host: &str, list: &[&'static str]) -> Option<&'static str> {
    let host = host.trim_end_matches('.');
    list.iter().copied().find(|domain| {
        let above = host.len().checked_sub(domain.len()).and_then(|at| host.get(at..).map(|tail| (at, tail)));
        above.is_some_and(|(at, tail)| {
            tail.eq_ignore_ascii_case(domain) && (at == 0 || host.as_bytes().get(at - 1) == Some(&b'.'))
        })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn machines_are_known_by_their_local_part() {
        for (text, code) in [
            ("no-reply@x.example", "local-part:noreply"),
            ("do_not_reply@x.example", "local-part:noreply"),
            ("orders-noreply+7@x.example", "local-part:noreply"),
            ("noreply2@x.example", "local-part:noreply"),
            ("ne-pas-repondre@x.example", "local-part:noreply"),
            ("bounce-12@x.example", "local-part:bounce"),
            ("chess-bounces@x.example", "local-part:bounce"),
            ("chess-owner@x.example", "local-part:owner"),
            ("pull-notifications@x.example", "local-part:notifications"),
            ("root@x.example", "local-part:root"),
            ("build.bot@x.example", "bot"),
            ("Review [bot] <x@x.example>", "bot"),
            ("casinoreply@x.example", ""),
            ("abbott@x.example", ""),
            ("Ada Talbot <ada@x.example>", ""),
            ("cronin@x.example", ""),
        ] {
            assert_eq!(machine(&Address::parse(text).unwrap()).unwrap_or_default(), code, "{text}");
        }
    }

    #[test]
    fn envelopes_are_told_apart() {
        let from = [Address::parse("ada@example.org").unwrap()];
        for (text, kind) in [
            ("<ada@example.org>", Envelope::Plain),
            ("<>", Envelope::Plain),
            ("<ada@mail.example.org>", Envelope::Plain),
            ("<SRS0=x+y=Z=example.org=ada@fwd.example>", Envelope::Plain),
            ("<bounces+SRS=ab1=CD@x.example>", Envelope::Plain),
            ("<me+caf_=you=example.net@example.net>", Envelope::Plain),
            ("<prvs=1234=ada@example.org>", Envelope::Plain),
            ("<owner-chess@x.example>", Envelope::Owner),
            ("<chess-bounces@x.example>", Envelope::Owner),
            ("<news-bounce-17@x.example>", Envelope::Verp),
            ("<news-me=example.net@x.example>", Envelope::Verp),
            ("<20260512a1b2@bounces.shop.example>", Envelope::Verp),
            ("<bounces+1234-ab-me=example.net@em.example.org>", Envelope::Relay),
            ("<0100018f-x@amazonses.com>", Envelope::Relay),
            ("<0100018f-x@notamazonses.com>", Envelope::Plain),
        ] {
            assert_eq!(ReturnPath::read(text).kind(&from), kind, "{text}");
        }
    }

    #[test]
    fn hosts_match_at_a_label() {
        assert_eq!(platform("mail12.mcsv.net"), Some("mcsv.net"));
        assert_eq!(platform("MCSV.NET."), Some("mcsv.net"));
        assert_eq!(platform("notmcsv.net"), None);
        assert!(is_bulk_host(&AddrSpec::parse("x@news.example.com").unwrap()));
        assert!(is_bulk_host(&AddrSpec::parse("x@e2.example.co.uk").unwrap()));
        assert!(!is_bulk_host(&AddrSpec::parse("x@mail.com").unwrap()));
        assert!(!is_bulk_host(&AddrSpec::parse("x@cs.example.edu").unwrap()));
    }
}
