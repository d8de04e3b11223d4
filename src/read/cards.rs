//! Address books (RFC 6350, RFC 2426, vCard 2.1) to cards. Part of `read`.
//!
//! Invariant: cards are cut apart before they are parsed, so that one bad card is a complaint and
//! stops nothing; pictures and keys are never parsed.

use std::collections::BTreeMap;

use calcard::vcard::{VCard, VCardEntry, VCardProperty, VCardValue};

use crate::address::{AddrSpec, safe_text};
use crate::evidence::{AnnualDay, Card, Complaint, EvidenceId};
use crate::limits;
use crate::time::{Date, Timestamp};

/// Properties that are read; the names of all others are not even handed to the parser.
const WANTED: &[&str] = &[
    "ANNIVERSARY",
    "BDAY",
    "CATEGORIES",
    "EMAIL",
    "FN",
    "KIND",
    "N",
    "NICKNAME",
    "UID",
    "VERSION",
    "X-ABDATE",
    "X-ABLABEL",
    "X-ADDRESSBOOKSERVER-KIND",
    "X-ANNIVERSARY",
    "X-EVOLUTION-ANNIVERSARY",
    "X-KADDRESSBOOK-X-ANNIVERSARY",
];

/// Reads all cards of a file. `place` names it in complaints; `at` is now. A card without any
/// address is kept too (a birthday has a name); one with neither name nor address is a complaint,
/// groups are passed over.
pub fn read_cards(bytes: &[u8], source: &str, place: &str, at: Timestamp) -> (Vec<Card>, Vec<Complaint>) {
    let text = decoded(bytes);
    let mut cards = Vec::new();
    let mut complaints: Vec<Complaint> = Vec::new();
    let mut complain = |inside: &str, what: &str| {
        if complaints.len() < limits::COMPLAINTS {
            complaints.push(Complaint::new(source, &format!("{place}: {inside}"), what, at));
        }
    };
    let blocks = split(&text);
    if blocks.is_empty() && !text.trim().is_empty() {
        complain("line 1", "this is no address book: it holds no BEGIN:VCARD");
    }
    for block in blocks {
        let line = format!("line {}", block.line);
        if block.cut {
            complain(&line, "a card that is too large; part of it was left out");
        }
        if !block.ended {
            complain(&line, "a card without its end");
        }
        match VCard::parse(&block.text) {
            Ok(vcard) => match card(&vcard, source) {
                Read::Card(card) => {
                    if !vcard.entries.iter().any(|e| e.name == VCardProperty::Fn) {
                        complain(&line, "a card without FN");
                    }
                    cards.push(card);
                }
                Read::Group => {}
                Read::Nobody => complain(&line, "a card without a name and without an address"),
            },
            Err(_) => complain(&line, "a card that cannot be read"),
        }
    }
    (cards, complaints)
}

enum Read {
    Card(Card),
    Group,
    Nobody,
}

/// One `BEGIN:VCARD` to `END:VCARD`, wanted properties only.
struct Block {
    line: usize,
    text: String,
    cut: bool,
    ended: bool,
}

fn split(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    let mut keeping = false;
    let mut soft = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_end_matches('\r');
        let continued = line.starts_with([' ', '\t']) || soft;
        if continued && inside {
            if keeping && let Some(block) = blocks.last_mut() {
                push(block, line);
            }
            soft = soft && line.ends_with('=');
            continue;
        }
        let name = line.split([':', ';']).next().unwrap_or("");
        let bare = name.rsplit('.').next().unwrap_or("").trim().to_ascii_uppercase();
        let (head, value) = line.split_once(':').map_or((line, ""), |(head, value)| (head, value.trim()));
        if bare == "BEGIN" && value.eq_ignore_ascii_case("VCARD") {
            let begin = Block { line: number + 1, text: "BEGIN:VCARD\r\n".into(), cut: false, ended: false };
            blocks.push(begin);
            (inside, keeping, soft) = (true, false, false);
        } else if bare == "END" && value.eq_ignore_ascii_case("VCARD") {
            inside = false;
            if let Some(block) = blocks.last_mut() {
                block.ended = true;
            }
        } else if inside {
            keeping = line.contains(':') && WANTED.binary_search(&bare.as_str()).is_ok();
            let quoted = line.to_ascii_uppercase().contains("QUOTED-PRINTABLE");
            soft = quoted && line.ends_with('=');
            if keeping && let Some(block) = blocks.last_mut() {
                // calcard reads a day without a year, and in 4.0 any day, in its basic form only
                match value.strip_prefix("--").and_then(|date| date.split_once('-')) {
                    Some((month, day)) => push(block, &format!("{head}:--{month}{day}")),
                    None => match value.split(['T', 't']).next().filter(|date| is_extended_date(date)) {
                        Some(date) => push(block, &format!("{head}:{}", date.replace('-', ""))),
                        None => push(block, line),
                    },
                }
            }
        }
    }
    for block in &mut blocks {
        block.text.push_str("END:VCARD\r\n");
    }
    blocks
}

/// `1985-05-12`.
fn is_extended_date(value: &str) -> bool {
    value.len() == 10
        && value.bytes().enumerate().all(|(n, b)| if n == 4 || n == 7 { b == b'-' } else { b.is_ascii_digit() })
}

fn push(block: &mut Block, line: &str) {
    if block.text.len().saturating_add(line.len()) > limits::CARD_BYTES {
        block.cut = true;
        return;
    }
    block.text.push_str(line);
    block.text.push_str("\r\n");
}

/// UTF-8, or Latin-1 where it is none; any line ends.
fn decoded(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_string(),
        Err(_) => bytes.iter().map(|b| char::from(*b)).collect(),
    };
    if text.contains('\r') && !text.contains('\n') { text.replace('\r', "\n") } else { text }
}

fn card(vcard: &VCard, source: &str) -> Read {
    let all = |name: &VCardProperty| vcard.entries.iter().filter(move |e| e.name == *name).collect::<Vec<_>>();
    let kind = |e: &&VCardEntry| {
        let named = matches!(&e.name, VCardProperty::Other(n) if n.eq_ignore_ascii_case("X-ADDRESSBOOKSERVER-KIND"));
        (e.name == VCardProperty::Kind || named) && text_of(e).eq_ignore_ascii_case("group")
    };
    if vcard.entries.iter().any(|e| kind(&e)) {
        return Read::Group;
    }
    let mut names: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        let name = safe_text(name, limits::NAME_BYTES);
        if !name.is_empty() && names.len() < limits::NAMES && !names.contains(&name) {
            names.push(name);
        }
    };
    all(&VCardProperty::Fn).iter().for_each(|e| add(&text_of(e)));
    all(&VCardProperty::N).iter().for_each(|e| add(&full_name(e)));
    all(&VCardProperty::Nickname).iter().flat_map(|e| texts(e)).for_each(|n| add(&n));
    let mut addresses: Vec<AddrSpec> = Vec::new();
    for address in all(&VCardProperty::Email).iter().filter_map(|e| AddrSpec::parse(&text_of(e))) {
        if addresses.len() < limits::CARD_ADDRESSES && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if names.is_empty() && addresses.is_empty() {
        return Read::Nobody;
    }
    let uid = all(&VCardProperty::Uid).first().map(|e| text_of(e)).filter(|u| !u.trim().is_empty());
    let id = match &uid {
        Some(uid) => EvidenceId::of("card", &[source.as_bytes(), uid.trim().as_bytes()]),
        None => {
            let listed: Vec<&str> = addresses.iter().map(AddrSpec::as_str).collect();
            EvidenceId::of("card", &[source.as_bytes(), names.join("\n").as_bytes(), listed.join("\n").as_bytes()])
        }
    };
    let mut categories: Vec<String> = all(&VCardProperty::Categories)
        .iter()
        .flat_map(|e| texts(e))
        .map(|c| safe_text(&c, limits::NAME_BYTES).to_lowercase())
        .filter(|c| !c.is_empty())
        .take(limits::CARD_CATEGORIES)
        .collect();
    categories.sort();
    categories.dedup();
    Read::Card(Card {
        id,
        source: source.to_string(),
        names,
        addresses,
        birthday: all(&VCardProperty::Bday).iter().find_map(|e| annual_day(e)),
        anniversary: anniversary(vcard),
        categories,
        gone: false,
    })
}

/// `ANNIVERSARY`, the names other programs give it, and Apple's date with a label of its own.
fn anniversary(vcard: &VCard) -> Option<AnnualDay> {
    let other = |e: &VCardEntry| match &e.name {
        VCardProperty::Other(name) => name.to_ascii_uppercase(),
        VCardProperty::Anniversary => "ANNIVERSARY".to_string(),
        _ => String::new(),
    };
    let labels: BTreeMap<String, String> = vcard
        .entries
        .iter()
        .filter(|e| other(e) == "X-ABLABEL")
        .filter_map(|e| Some((e.group.clone()?.to_ascii_lowercase(), text_of(e).to_lowercase())))
        .collect();
    let labelled = |e: &VCardEntry| {
        let label = e.group.as_ref().and_then(|g| labels.get(&g.to_ascii_lowercase()));
        label.is_some_and(|l| l.contains("anniversary"))
    };
    vcard
        .entries
        .iter()
        .filter(|e| {
            let name = other(e);
            name.ends_with("ANNIVERSARY") || name == "X-ABDATE" && labelled(e)
        })
        .find_map(annual_day)
}

/// All texts of a property.
fn texts(entry: &VCardEntry) -> Vec<String> {
    let mut out = Vec::new();
    for value in &entry.values {
        match value {
            VCardValue::Component(parts) => out.extend(parts.iter().cloned()),
            other => out.extend(other.as_text().map(str::to_string)),
        }
    }
    out
}

fn text_of(entry: &VCardEntry) -> String {
    texts(entry).join(" ").trim().to_string()
}

/// `family;given;additional;prefix;suffix` as it is said: given, additional, family.
fn full_name(entry: &VCardEntry) -> String {
    let part = |n: usize| match entry.values.get(n) {
        Some(VCardValue::Component(parts)) => parts.join(" "),
        Some(value) => value.as_text().unwrap_or("").to_string(),
        None => String::new(),
    };
    [part(1), part(2), part(0)].iter().map(|p| p.trim()).filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" ")
}

fn annual_day(entry: &VCardEntry) -> Option<AnnualDay> {
    let no_year = entry.params.iter().any(|p| {
        matches!(&p.name, calcard::vcard::VCardParameterName::Other(n) if n.eq_ignore_ascii_case("X-APPLE-OMIT-YEAR"))
    });
    entry.values.iter().find_map(|value| match value {
        VCardValue::PartialDateTime(at) => day(at.year, at.month?, at.day?, no_year),
        other => written(other.as_text()?, no_year),
    })
}

/// A date as text: `1985-05-12`, `19850512T000000Z`, `--05-12`, `--0512`.
fn written(text: &str, no_year: bool) -> Option<AnnualDay> {
    let date = text.trim().split(['T', 't', ' ']).next()?;
    let (year, rest) = match date.strip_prefix("--") {
        Some(rest) => (None, rest.replace('-', "")),
        None => {
            let digits = date.replace(['-', '/', '.'], "");
            let (year, rest) = digits.split_at_checked(4)?;
            (Some(year.parse().ok()?), rest.to_string())
        }
    };
    let (month, day_of_month) = rest.split_at_checked(2).filter(|(_, d)| d.len() == 2)?;
    day(year, month.parse().ok()?, day_of_month.parse().ok()?, no_year)
}

/// 1604 is what Apple writes for "no year", and a year before 1800 is nobody's.
fn day(year: Option<u16>, month: u8, day: u8, no_year: bool) -> Option<AnnualDay> {
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    // 2000 is a leap year: every day of the calendar is one of it
    Date::new(2000, month, day).ok()?;
    let year = year.and_then(|y| i16::try_from(y).ok()).filter(|y| !no_year && (1800..=9999).contains(y));
    Some(AnnualDay { month, day, year })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn at() -> Timestamp {
        Timestamp::parse("2026-05-20T00:00:00Z").unwrap()
    }

    fn read(text: &str) -> (Vec<Card>, Vec<String>) {
        let (cards, complaints) = read_cards(text.as_bytes(), "book", "people.vcf", at());
        (cards, complaints.into_iter().map(|c| format!("{} {}", c.place, c.what)).collect())
    }

    fn one(lines: &str) -> Card {
        let (cards, complaints) = read(&format!("BEGIN:VCARD\r\n{}\r\nEND:VCARD\r\n", lines.replace('\n', "\r\n")));
        assert_eq!((cards.len(), complaints), (1, vec![]), "{lines}");
        cards.into_iter().next().unwrap()
    }

    #[test]
    fn all_versions_are_read() {
        let four = one(
            "VERSION:4.0\nUID:urn:uuid:1\nFN:Dana Ito\nN:Ito;Dana;;Dr.;\nNICKNAME:Dan,D\nEMAIL;TYPE=work:Dana@Uni.Example\n\
             EMAIL:dana@home.example\nBDAY:19850512\nANNIVERSARY:--0620\nCATEGORIES:Mentor,Friends\nNOTE:x",
        );
        assert_eq!(four.names, ["Dana Ito", "Dan", "D"]);
        assert_eq!(
            four.addresses.iter().map(AddrSpec::as_str).collect::<Vec<_>>(),
            ["dana@uni.example", "dana@home.example"]
        );
        assert_eq!(four.birthday, Some(AnnualDay { month: 5, day: 12, year: Some(1985) }));
        assert_eq!(four.anniversary, Some(AnnualDay { month: 6, day: 20, year: None }));
        assert_eq!(four.categories, ["friends", "mentor"]);
        let three = one(
            "VERSION:3.0\nFN:Dana Ito\nN:Ito;Dana;;;\nitem1.EMAIL;type=INTERNET:dana@uni.example\nitem1.X-ABLabel:uni\nBDAY;VALUE=date:1985-05-12",
        );
        assert_eq!(three.addresses.len(), 1);
        assert_eq!(three.birthday, four.birthday);
        let two = one("VERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg;;;\n\
             FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg =\nM=C3=BCller\nEMAIL;INTERNET:j@firm.example\nBDAY:19850512");
        assert_eq!(two.names, ["Jörg Müller"]);
        assert_eq!(two.birthday, four.birthday);
    }

    #[test]
    fn days_are_read_in_their_spellings() {
        let day = |year| Some(AnnualDay { month: 5, day: 12, year });
        for (line, expected) in [
            ("BDAY:1985-05-12", day(Some(1985))),
            ("BDAY:19850512", day(Some(1985))),
            ("BDAY:1985-05-12T00:00:00Z", day(Some(1985))),
            ("BDAY;VALUE=text:1985-05-12", day(Some(1985))),
            ("BDAY:--0512", day(None)),
            ("BDAY:--05-12", day(None)),
            ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-05-12", day(None)),
            ("BDAY:1604-05-12", day(None)),
            ("BDAY;VALUE=text:circa 1800", None),
            ("BDAY:1985-02-30", None),
            ("BDAY:", None),
            ("BDAY:--0229", Some(AnnualDay { month: 2, day: 29, year: None })),
        ] {
            assert_eq!(one(&format!("VERSION:3.0\nFN:Dana\n{line}")).birthday, expected, "{line}");
            assert_eq!(one(&format!("VERSION:4.0\nFN:Dana\n{line}")).birthday, expected, "4.0 {line}");
        }
        for lines in [
            "ANNIVERSARY:20100512",
            "X-ANNIVERSARY:2010-05-12",
            "X-EVOLUTION-ANNIVERSARY:2010-05-12",
            "item2.X-ABDATE;type=pref:2010-05-12\nitem2.X-ABLabel:_$!<Anniversary>!$_",
        ] {
            assert_eq!(one(&format!("VERSION:3.0\nFN:Dana\n{lines}")).anniversary, day(Some(2010)), "{lines}");
        }
        let first_day = "item2.X-ABDATE:2010-05-12\nitem2.X-ABLabel:First day";
        assert_eq!(one(&format!("VERSION:3.0\nFN:Dana\n{first_day}")).anniversary, None);
    }

    #[test]
    fn damage_is_named_and_stops_nothing() {
        let good = "BEGIN:VCARD\nVERSION:3.0\nFN:Dana\nEMAIL:dana@uni.example\nEND:VCARD\n";
        for (bad, cards, complaint) in [
            ("BEGIN:VCARD\nVERSION:3.0\nEMAIL:x@y.example\nEND:VCARD\n", 3, "people.vcf: line 6 a card without FN"),
            (
                "BEGIN:VCARD\nVERSION:3.0\nNOTE:x\nEND:VCARD\n",
                2,
                "people.vcf: line 6 a card without a name and without an address",
            ),
            ("BEGIN:VCARD\nVERSION:3.0\nFN:Tom\n", 3, "people.vcf: line 6 a card without its end"),
        ] {
            let (found, complaints) = read(&format!("{good}{bad}{good}"));
            assert_eq!((found.len(), complaints), (cards, vec![complaint.to_string()]), "{bad}");
        }
        let (found, complaints) = read("<html>\n<body>Log in</body></html>");
        assert_eq!((found.len(), complaints.len()), (0, 1));
        assert_eq!(read(""), (vec![], vec![]));
        let group = "BEGIN:VCARD\nVERSION:3.0\nFN:Team\nX-ADDRESSBOOKSERVER-KIND:group\nEND:VCARD\n";
        assert_eq!(read(group), (vec![], vec![]));
    }

    #[test]
    fn pictures_are_passed_over() {
        let photo = format!("PHOTO;ENCODING=b;TYPE=JPEG:{}\n", "AAAA\n ".repeat(1_000_000));
        let card = one(&format!("VERSION:3.0\n{photo}FN:Dana\nEMAIL:dana@uni.example"));
        assert_eq!((card.names.len(), card.addresses.len()), (1, 1));
    }

    #[test]
    fn the_id_stays() {
        let with = |lines: &str| one(&format!("VERSION:3.0\nFN:Dana\n{lines}")).id;
        assert_eq!(with("UID:7\nNOTE:a"), with("UID:7\nEMAIL:dana@uni.example"));
        assert_ne!(with("EMAIL:a@b.example"), with("EMAIL:c@d.example"));
    }

    proptest::proptest! {
        #[test]
        fn no_lines_panic(lines in proptest::collection::vec(r"(BEGIN|END):VCARD|(item1\.)?(FN|N|EMAIL|BDAY|ANNIVERSARY|X-ABDATE|X-ABLABEL|CATEGORIES|PHOTO)(;(ENCODING|CHARSET|VALUE|TYPE)=[A-Za-z0-9-]{0,16}){0,2}:(-{0,2}[0-9]{0,8}|\PC{0,12}|=[0-9A-F]{0,3}=)", 0..20)) {
            read(&format!("BEGIN:VCARD\nVERSION:3.0\n{}\n", lines.join("\n")));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
            let _ = read_cards(&bytes, "book", "people.vcf", at());
        }
    }
}
