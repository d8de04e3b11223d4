//! RFC 5322 addresses and the names beside them. Floor 0.
//!
//! Invariant: an [`AddrSpec`] is always lower-case, without control characters and not longer than
//! [`limits::ADDRESS_BYTES`], so that it can be a key; a display name went through [`safe_text`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits;

/// `local-part@domain` (RFC 5322 3.4.1), lower-cased as a whole: RFC 5321 lets the local part
/// depend on case, no mailbox anybody uses does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AddrSpec(String);

impl AddrSpec {
    /// Reads a bare address. `None` when there is no `@` with something on both sides, when it holds
    /// blanks or control characters, or when it is too long.
    pub fn parse(text: &str) -> Option<AddrSpec> {
        let text = text.trim().trim_start_matches('<').trim_end_matches('>');
        let text = text.strip_prefix("mailto:").or_else(|| text.strip_prefix("MAILTO:")).unwrap_or(text);
        let (local, domain) = text.rsplit_once('@')?;
        let fine = !local.is_empty()
            && !domain.is_empty()
            && text.len() <= limits::ADDRESS_BYTES
            && !domain.contains(['<', '>', ',', ';', '"'])
            && !text.chars().any(|c| c.is_control() || c.is_whitespace() || is_bidi_or_invisible(c));
        fine.then(|| AddrSpec(text.to_lowercase()))
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`.
    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// What stands after the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The same mailbox without a `+tag`, and for Gmail without dots and under one domain.
    #[must_use]
    pub fn without_tag(&self) -> AddrSpec {
        let local = self.local();
        let local = local.split_once('+').map_or(local, |(plain, _)| if plain.is_empty() { local } else { plain });
        match self.domain() {
            "gmail.com" | "googlemail.com" => AddrSpec(format!("{}@gmail.com", local.replace('.', ""))),
            domain => AddrSpec(format!("{local}@{domain}")),
        }
    }

    /// Is it the same but for what [`AddrSpec::without_tag`] takes away?
    pub fn is_same_mailbox(&self, other: &AddrSpec) -> bool {
        let is_gmail = |a: &AddrSpec| matches!(a.domain(), "gmail.com" | "googlemail.com");
        // asked of every address of every mail, and mostly of another domain
        let may_be = self.domain() == other.domain() || is_gmail(self) && is_gmail(other);
        may_be && self.without_tag() == other.without_tag()
    }

    /// The registrable domain (public suffix list), e.g. `work.example` of `mail.work.example`.
    pub fn registrable_domain(&self) -> &str {
        registrable_domain(self.domain())
    }

    /// Does the domain give mailboxes to anybody? It then says nothing about who somebody works for.
    pub fn is_free_mail(&self) -> bool {
        FREE_MAIL.binary_search(&self.domain()).is_ok()
    }

    /// Is this a desk rather than a person (`support@`, `info@`)?
    pub fn is_role(&self) -> bool {
        let local = self.local().split_once('+').map_or(self.local(), |(plain, _)| plain);
        ROLES.binary_search(&local).is_ok()
    }
}

impl TryFrom<String> for AddrSpec {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        AddrSpec::parse(&text).ok_or("not a mail address")
    }
}

impl From<AddrSpec> for String {
    fn from(addr: AddrSpec) -> String {
        addr.0
    }
}

impl fmt::Display for AddrSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AddrSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A mailbox of a header field (RFC 5322 3.4): an address, and the name shown with it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Address {
    /// Display name, safe to show; `None` where there is none or it only repeats the address.
    pub name: Option<String>,
    /// The address.
    pub address: AddrSpec,
}

impl Address {
    /// From what a parser found. A name that only repeats the address is dropped.
    pub fn new(name: Option<&str>, address: AddrSpec) -> Address {
        let name = name
            .map(|n| safe_text(n, limits::NAME_BYTES))
            .map(|n| n.trim_matches(['"', '\'']).trim().to_string())
            .filter(|n| !n.is_empty() && !n.eq_ignore_ascii_case(address.as_str()));
        Address { name, address }
    }

    /// Reads `Dana Ito <dana@uni.example>` or a bare address, as written in a config.
    pub fn parse(text: &str) -> Option<Address> {
        match text.trim().strip_suffix('>').and_then(|t| t.rsplit_once('<')) {
            Some((name, addr)) => Some(Address::new(Some(name.trim()), AddrSpec::parse(addr)?)),
            None => Some(Address::new(None, AddrSpec::parse(text)?)),
        }
    }
}

impl Address {
    /// Is this a desk rather than a person: a role mailbox, or a booking tool's, whose name, where it shows
    /// one, is no person's? `hello@dana.example` called Dana Ito is hers.
    pub fn is_desk(&self) -> bool {
        let name = self.name.as_deref().unwrap_or_default().to_lowercase();
        if BOOKING_TOOLS.iter().any(|tool| name == *tool) {
            return true;
        }
        let tool = self.address.registrable_domain().split('.').next().unwrap_or_default();
        if !self.address.is_role() && !BOOKING_TOOLS.contains(&tool) {
            return false;
        }
        let words = || self.name.iter().flat_map(|n| n.split(|c: char| !c.is_alphanumeric())).filter(|w| !w.is_empty());
        let is_capital = |w: &str| w.chars().next().is_some_and(|c| !c.is_lowercase());
        let is_role = |w: &str| ROLES.binary_search(&w.to_lowercase().as_str()).is_ok();
        words().count() < 2 || !words().all(|w| is_capital(w) && !is_role(w))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => self.address.fmt(f),
        }
    }
}

/// What of a host name one can register (public suffix list); the name itself where that is unknown.
pub fn registrable_domain(domain: &str) -> &str {
    psl::domain_str(domain).unwrap_or(domain)
}

/// `text` without the mail addresses in it: the log is read by others too. `<alex@example.org>` becomes `<…@…>`.
pub fn veil(text: &str) -> String {
    let is_edge = |c: char| c.is_whitespace() || c.is_control() || "<>()[]{},;:\"'`|/=&?".contains(c);
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(is_edge) {
        let word = piece.trim_end_matches(is_edge);
        let has = |at: &str| word.split_once(at).is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
        // %40: in the web addresses of refusals
        let shown = if has("@") || has("%40") { "…@…" } else { word };
        out.push_str(shown);
        out.push_str(piece.get(word.len()..).unwrap_or_default());
    }
    out
}

/// Text from elsewhere made safe to show, log and put into a header: control characters, bidi
/// overrides and invisible characters gone, white space folded, cut at `bytes` on a character.
pub fn safe_text(text: &str, bytes: usize) -> String {
    let mut out = String::with_capacity(text.len().min(bytes));
    let mut blank = false;
    for c in text.chars() {
        if c.is_whitespace() || c == '\0' || (c.is_control() && c != '\u{7f}') {
            blank = !out.is_empty();
            continue;
        }
        if c == '\u{7f}' || is_bidi_or_invisible(c) {
            continue;
        }
        if out.len() + c.len_utf8() + usize::from(blank) > bytes {
            break;
        }
        if blank {
            out.push(' ');
            blank = false;
        }
        out.push(c);
    }
    out
}

/// The longest beginning of `text` that is at most `bytes` long and ends on a character.
pub fn clip(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let end = (0..=bytes).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    text.get(..end).unwrap_or("")
}

fn is_bidi_or_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Domains that give mailboxes to anybody; sorted.
const FREE_MAIL: &[&str] = &[
    "126.com",
    "163.com",
    "aol.com",
    "arcor.de",
    "att.net",
    "bluewin.ch",
    "btinternet.com",
    "comcast.net",
    "daum.net",
    "fastmail.com",
    "fastmail.fm",
    "free.fr",
    "freenet.de",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hanmail.net",
    "hey.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.de",
    "hotmail.fr",
    "hushmail.com",
    "icloud.com",
    "laposte.net",
    "libero.it",
    "live.com",
    "mac.com",
    "mail.com",
    "mail.ru",
    "mailbox.org",
    "me.com",
    "msn.com",
    "naver.com",
    "orange.fr",
    "outlook.com",
    "outlook.de",
    "pm.me",
    "posteo.de",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "rocketmail.com",
    "seznam.cz",
    "sfr.fr",
    "t-online.de",
    "tutanota.com",
    "verizon.net",
    "wanadoo.fr",
    "web.de",
    "wp.pl",
    "yahoo.co.jp",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.de",
    "yahoo.fr",
    "yandex.ru",
    "ymail.com",
    "zoho.com",
];

/// Booking tools that put themselves into calendars, as their name and as the label of their domain.
const BOOKING_TOOLS: &[&str] = &[
    "acuity scheduling",
    "acuityscheduling",
    "cal.com",
    "calcom",
    "calendly",
    "chili piper",
    "chilipiper",
    "doodle",
    "google calendar",
    "hubspot",
    "hubspot meetings",
    "microsoft bookings",
    "savvycal",
    "youcanbook",
    "youcanbook.me",
    "youcanbookme",
];

/// Local parts of desks; sorted.
const ROLES: &[&str] = &[
    "abuse",
    "accounting",
    "accounts",
    "admin",
    "administrator",
    "agenda",
    "appointment",
    "appointments",
    "assistenz",
    "billing",
    "booker",
    "booking",
    "bookings",
    "buchhaltung",
    "calendar",
    "calendars",
    "calendly",
    "career",
    "careers",
    "citas",
    "contact",
    "contacto",
    "customercare",
    "customerservice",
    "customersupport",
    "enquiries",
    "events",
    "feedback",
    "hallo",
    "hello",
    "help",
    "helpdesk",
    "hiring",
    "hostmaster",
    "hr",
    "info",
    "information",
    "inquiries",
    "interview",
    "interviews",
    "invoice",
    "invoices",
    "it",
    "jobs",
    "kalender",
    "kontakt",
    "kundenservice",
    "legal",
    "mail",
    "marketing",
    "media",
    "meeting",
    "meetings",
    "news",
    "newsletter",
    "office",
    "orders",
    "payments",
    "postmaster",
    "pr",
    "prenotazioni",
    "press",
    "presse",
    "privacy",
    "rdv",
    "recepcion",
    "reception",
    "rechnung",
    "recruiting",
    "recruitment",
    "registration",
    "reservas",
    "reservations",
    "reservierung",
    "reservierungen",
    "sales",
    "schedule",
    "scheduler",
    "schedulers",
    "scheduling",
    "secretaria",
    "security",
    "segreteria",
    "sekretariat",
    "service",
    "servicedesk",
    "shop",
    "store",
    "support",
    "talent",
    "team",
    "termin",
    "terminbuchung",
    "termine",
    "terminvergabe",
    "vertrieb",
    "webmaster",
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lists_are_sorted() {
        assert!(FREE_MAIL.is_sorted() && ROLES.is_sorted());
    }

    #[test]
    fn addresses_are_read_and_folded() {
        let a = |t| AddrSpec::parse(t).unwrap();
        assert_eq!(a("MAILTO:Dana@Uni.Example").as_str(), "dana@uni.example");
        assert_eq!(a("d.ana+x@googlemail.com").without_tag().as_str(), "dana@gmail.com");
        for (one, other, same) in [
            ("d.ana+x@googlemail.com", "dana@gmail.com", true),
            ("dana+x@uni.example", "dana@uni.example", true),
            ("d.ana@uni.example", "dana@uni.example", false),
            ("dana@gmail.com", "dana@uni.example", false),
        ] {
            assert_eq!(a(one).is_same_mailbox(&a(other)), same, "{one} {other}");
        }
        assert_eq!(a("x@mail.firm.co.uk").registrable_domain(), "firm.co.uk");
        for bad in ["", "dana", "@x", "a@", "a b@c", "a@b\r\nBcc: c@d", "a@bc@d,e"] {
            assert_eq!(AddrSpec::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn desks_are_told_from_people() {
        for (text, desk) in [
            ("Scheduling <scheduling@firm.example>", true),
            ("Firm Recruiting <recruiting@firm.example>", true),
            ("bookings@tool.example", true),
            ("Hello <hello@dana.example>", true),
            ("Calendly <invitee-7@tool.example>", true),
            ("x7@calendly.com", true),
            ("Dana Ito <dana@calendly.com>", false),
            ("Dana Ito <hello@dana.example>", false),
            ("Dana Ito <dana@firm.example>", false),
        ] {
            assert_eq!(Address::parse(text).unwrap().is_desk(), desk, "{text}");
        }
    }

    #[test]
    fn hostile_names_become_plain() {
        assert_eq!(safe_text("Dana\r\nBcc: v@x\u{202e}evil", 100), "Dana Bcc: v@xevil");
        assert_eq!(safe_text("ééé", 5), "éé");
        assert_eq!(clip("ééé", 5), "éé");
    }

    #[test]
    fn the_log_has_no_addresses() {
        for (text, expected) in [
            ("550 5.1.1 <alex@example.org>: unknown", "550 5.1.1 <…@…>: unknown"),
            ("a@b", "…@…"),
            ("at 10:00 @ home, costs 5@", "at 10:00 @ home, costs 5@"),
            ("see https://spam.example/?r=alex%40example.org&x=1", "see https://spam.example/?r=…@…&x=1"),
            ("\"Dana\" <dana@uni.example>,eve@é.example;", "\"Dana\" <…@…>,…@…;"),
        ] {
            assert_eq!(veil(text), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_address_gets_through(before in ".{0,9}", local in "[a-z0-9.+_-]{1,9}", after in ".{0,9}") {
            let veiled = veil(&format!("{before} <{local}@uni.example>{after}"));
            proptest::prop_assert!(!veiled.contains("@uni"), "{}", veiled);
        }
    }
}
