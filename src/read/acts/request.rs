//! Requests to the reader. Room of `read::acts`.
//!
//! Invariant: what is asked only in a case that may never come ("if you have any questions, please
//! call") asks nothing.

use super::phrases::{Group, Hit, Sentence};

/// Does the sentence ask the reader to do something?
pub fn is_request(sentence: &Sentence) -> bool {
    let candidates = [Group::Ask, Group::Please, Group::Request];
    candidates.into_iter().flat_map(|g| sentence.of(g)).any(|hit| asks(sentence, hit))
}

fn asks(sentence: &Sentence, hit: &Hit) -> bool {
    let denied =
        sentence.of(Group::NotRequest).any(|n| n.language == hit.language && n.start <= hit.end && n.end >= hit.start);
    !denied && !conditional(sentence, hit)
}

/// Is it asked only under a condition that is named first and is no politeness?
fn conditional(sentence: &Sentence, hit: &Hit) -> bool {
    sentence.of(Group::Condition).any(|c| {
        c.language == hit.language
            && c.end <= hit.start
            && !sentence.of(Group::PoliteCondition).any(|p| p.start <= c.start && p.end >= c.end)
    })
}
