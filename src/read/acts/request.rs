//! Requests to the reader. Room of `read::acts`.
//!
//! Invariant: what is asked only in a case that may never come ("if you have any questions, please
//! call") asks nothing. What denies may be found in a neighbouring language: "por favor" has two.

use super::phrases::{Group, Hit, Sentence};

/// Does the sentence ask the reader to do something?
pub fn is_request(sentence: &Sentence) -> bool {
    let candidates = [Group::Ask, Group::Please, Group::Request];
    candidates.into_iter().flat_map(|g| sentence.of(g)).any(|hit| asks(sentence, hit))
}

fn asks(sentence: &Sentence, hit: &Hit) -> bool {
    let denied = sentence.of(Group::NotRequest).any(|n| n.start <= hit.end && n.end >= hit.start);
    let machine = hit.group == Group::Please && sentence.of(Group::Machinery).any(|m| m.language == hit.language);
    !denied && !machine && !sentence.is_quoted(hit.start) && !conditional(sentence, hit) && !offers(sentence, hit)
}

/// "Call me if you have any questions" offers to be asked.
fn offers(sentence: &Sentence, hit: &Hit) -> bool {
    if hit.group == Group::Ask {
        return false;
    }
    let contact = sentence.of(Group::Contact).filter(|c| {
        c.language == hit.language
            && c.end >= hit.end
            && (c.start <= hit.end || sentence.between(hit.end, c.start).trim().is_empty())
    });
    let Some(end) = contact.map(|c| c.end).max() else { return false };
    let after = |group: Group, at: usize| {
        sentence.of(group).find(|h| h.language == hit.language && h.start >= at).map(|h| h.end)
    };
    // "sag Bescheid, falls du noch etwas brauchst": what is needed may stand at the end
    let condition = after(Group::Condition, end).or_else(|| after(Group::IfYou, end));
    let trailing = sentence.of(Group::TrailingCondition).any(|t| t.start >= end);
    trailing || condition.is_some_and(|at| after(Group::Need, at).is_some())
}

/// Is it asked only under a condition that is named first and is no politeness?
fn conditional(sentence: &Sentence, hit: &Hit) -> bool {
    sentence.of(Group::Condition).any(|c| {
        c.end <= hit.start && !sentence.of(Group::PoliteCondition).any(|p| p.start <= c.start && p.end >= c.end)
    })
}
