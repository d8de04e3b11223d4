//! The flags of a new text. Room of `read::acts`.
//!
//! Invariant: a flag is set by one sentence of the writer; only thanks are also looked for in the
//! closing, where most of them stand.

use super::phrases::{Group, Purpose, Sentence};
use super::{request, sentences};
use crate::evidence::{Announcement, Marks};
use crate::read::new_text::NewText;

/// Words of a line that a signature may have: "Web: www.lang.example".
const LINK_WORDS: usize = 3;

/// Reads the flags; `body` are the sentences of `read`, the body without its salutation.
pub fn of(body: &[Sentence], read: &str, text: &NewText, attachment: bool) -> Marks {
    let any = |group: Group| body.iter().any(|s| s.has(group));
    let asked = |s: &Sentence| super::question::is_question(s) || request::is_request(s);
    Marks {
        attachment,
        link: body.iter().any(has_link),
        thanks_token: any(Group::Thank) || thanks_token(read, text),
        delivers: any(Group::Delivers) || any(Group::Favour),
        no_reply_needed: any(Group::NoReply),
        no_rush: any(Group::NoRush),
        declines: any(Group::Declines),
        congratulates: any(Group::Congratulates),
        advice: any(Group::Advice),
        favour_asked: body.iter().any(|s| s.has(Group::FavourWord) && asked(s)),
        offers_call: any(Group::OffersCall),
        announces: announces(body),
        promises_meeting: body
            .iter()
            .any(|s| s.has(Group::Meeting) && (super::commitment::is_commitment(s) || request::is_request(s))),
    }
}

/// An address of the web that was sent: a page, or named inside a sentence. A bare site on a line of its
/// own is most often the last line of a signature that no mark sets apart.
fn has_link(sentence: &Sentence) -> bool {
    // most sentences have none
    if !sentence.text.contains("http") && !sentence.text.contains("www.") {
        return false;
    }
    let inside = sentence.text.split(' ').count() > LINK_WORDS;
    sentence.text.split(' ').any(|word| {
        let Some(at) = ["http://", "https://", "www."].iter().filter_map(|scheme| word.find(scheme)).min() else {
            return false;
        };
        let address = word.get(at..).unwrap_or("").trim_start_matches("http://").trim_start_matches("https://");
        inside || address.split_once('/').is_some_and(|(_, page)| page.chars().any(char::is_alphanumeric))
    })
}

/// Thanks in the lines that are not among those read already: closing, salutation, what was set aside.
fn thanks_token(read: &str, text: &NewText) -> bool {
    let mut read = read.lines().peekable();
    let mut rest = text.text.lines().filter(|line| read.next_if_eq(line).is_none());
    rest.any(|l| Sentence::for_purpose(sentences::fold(l), Purpose::Thanks).has(Group::Thank))
}

/// Does it name a year of the last century? Then it tells of old times: "they got married in 1950".
fn is_history(sentence: &Sentence) -> bool {
    let mut numbers = sentence.low.split(|c: char| !c.is_ascii_digit());
    numbers.any(|n| n.len() == 4 && n.starts_with("19"))
}

/// The first announcement, in the order of the text; questions about one are none.
fn announces(body: &[Sentence]) -> Option<Announcement> {
    let kinds = [
        (Group::Baby, Announcement::Baby),
        (Group::Wedding, Announcement::Wedding),
        (Group::Promotion, Announcement::Promotion),
        (Group::NewJob, Announcement::NewJob),
        (Group::Farewell, Announcement::Farewell),
    ];
    let told = body.iter().filter(|s| !super::question::is_question(s) && !is_history(s));
    told.flat_map(|s| kinds.iter().filter(|(group, _)| s.has(*group))).map(|(_, kind)| *kind).next()
}
