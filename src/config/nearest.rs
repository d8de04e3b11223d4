//! What somebody may have meant. Part of `config`.
//!
//! Invariant: only words near enough to be a slip are proposed; a wild guess helps nobody.

use crate::limits;

/// The candidate nearest to `word`, if it is near: a slip of a letter in three (Damerau-Levenshtein),
/// another way to write it (`per-day`), or a shorter form (`user` for `username`).
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if word.len() > limits::CONFIG_WORD_BYTES {
        return None;
    }
    let plain = word.trim().to_lowercase().replace(['-', ' '], "_");
    let allowed = (plain.chars().count() / 3).max(1);
    let short = plain.chars().count() < 3;
    let near = candidates.into_iter().filter_map(|c| {
        let folded = c.to_lowercase();
        let stem = !short && (folded.starts_with(&plain) || plain.starts_with(&folded));
        let distance = strsim::damerau_levenshtein(&plain, &folded);
        (distance <= allowed || stem).then_some((if stem { distance.min(allowed) } else { distance }, c))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, c)| c)
}

/// `` `a`, `b` or `c` ``.
pub fn list<'c>(words: impl IntoIterator<Item = &'c str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|w| format!("`{w}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// `` did you mean `x`? `` where something is near, else what there is to choose from.
pub fn advice<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str> + Clone) -> String {
    match nearest(word, candidates.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("use {}", list(candidates)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, expected: Option<&str>) {
        let keys = ["per_day", "per_contact", "hours", "days", "summary", "username", "to"];
        assert_eq!(nearest(word, keys), expected, "{word}");
    }

    #[test]
    fn slips_are_seen_and_wild_guesses_are_not_made() {
        check("per_dya", Some("per_day"));
        check("per-day", Some("per_day"));
        check("PerDay", Some("per_day"));
        check("user", Some("username"));
        check("hour", Some("hours"));
        check("tx", Some("to"));
        check("banana", None);
        check("x", None);
        check("", None);
        check(&"per_day".repeat(1000), None);
    }
}
