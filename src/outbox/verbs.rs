//! What the user answered to a reminder. Part of `outbox`.
//!
//! Invariant: only the first line speaks (in a summary every line that begins with a number);
//! whatever it does not plainly say is unknown, never guessed.

use super::words::answer_word;
use crate::time::{BareM, Date, Hours, Span, Timestamp, add_days};

/// One verb of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verb {
    /// `done`.
    Done,
    /// `snooze 2w`.
    Snooze(Timestamp),
    /// `dismiss`.
    Dismiss,
    /// `mute` (`false`: `unmute`).
    Mute(bool),
    /// `every 6w`.
    Every(Span),
    /// `mentor`, or any other relationship.
    Relationship(String),
    /// `ignore`.
    Ignore,
    /// `pause 2w`.
    Pause(Timestamp),
    /// `without NAME`.
    Without(String),
    /// `help`, or an empty answer.
    Help,
    /// Anything else.
    Unknown(String),
}

/// A verb, and the number of the item it speaks of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// 1 for the first line of a summary; `None`: the mail as a whole.
    pub item: Option<usize>,
    /// The verb.
    pub verb: Verb,
}

/// Reads an answer given at `at`. `relationships` are the names that are known.
pub fn read_answer(text: &str, relationships: &[&str], hours: &Hours, at: Timestamp) -> Vec<Answer> {
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    let Some(first) = lines.next() else { return vec![Answer { item: None, verb: Verb::Help }] };
    let read = |line: &str| {
        let (item, rest) = numbered(line);
        Answer { item, verb: verb(rest, relationships, hours, at) }
    };
    let mut answers = vec![read(first)];
    if answers.iter().all(|a| a.item.is_some()) {
        answers.extend(lines.map(read).take_while(|a| a.item.is_some() && !matches!(a.verb, Verb::Unknown(_))));
    }
    answers
}

fn numbered(line: &str) -> (Option<usize>, &str) {
    let (head, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match head.trim_end_matches(['.', ')', ':']).parse::<usize>() {
        Ok(n) if !rest.trim().is_empty() => (Some(n), rest.trim()),
        _ => (None, line),
    }
}

fn verb(line: &str, relationships: &[&str], hours: &Hours, at: Timestamp) -> Verb {
    let line = line.trim().trim_end_matches(['.', '!', ',']).to_lowercase();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((&line, ""));
    let rest = rest.trim();
    let until = || when(rest, hours, at);
    // a relationship of that name was there first
    let native = answer_word(word).filter(|_| !relationships.contains(&line.as_str()));
    match (native.unwrap_or(word), rest) {
        ("done", "") => Verb::Done,
        ("dismiss", "") => Verb::Dismiss,
        ("mute", "") => Verb::Mute(true),
        ("unmute", "") => Verb::Mute(false),
        ("ignore", "") => Verb::Ignore,
        ("help" | "?", "") => Verb::Help,
        ("snooze", _) => until().map_or_else(|| Verb::Unknown(line.clone()), Verb::Snooze),
        ("pause", _) => until().map_or_else(|| Verb::Unknown(line.clone()), Verb::Pause),
        ("every", _) => Span::parse(rest, BareM::Months).map_or_else(|| Verb::Unknown(line.clone()), Verb::Every),
        ("without", name) if !name.is_empty() => Verb::Without(name.to_string()),
        _ => match relationships.iter().find(|r| **r == line.replace(' ', "_")) {
            Some(name) => Verb::Relationship((*name).to_string()),
            None => Verb::Unknown(line.clone()),
        },
    }
}

/// The point a person means by `2w`, `tomorrow`, `monday`, `2026-05-12`: the first delivery hour of
/// that day. `None` where it is not understood or not in the future.
pub fn when(text: &str, hours: &Hours, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim().to_lowercase();
    let today = hours.zone.date(now);
    let date = match answer_word(&text).unwrap_or(&text) {
        "tomorrow" => add_days(today, 1),
        "next week" => next_weekday(today, 0),
        name => match weekday(name) {
            Some(day) => next_weekday(today, day),
            None => match name.parse::<Date>() {
                Ok(date) => date,
                Err(_) => hours.zone.date(Span::parse(name, BareM::Months)?.after(now, &hours.zone)),
            },
        },
    };
    let at = hours.next_open(hours.zone.at(date, 0));
    (at > now).then_some(at)
}

fn weekday(name: &str) -> Option<i64> {
    let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let found = names.iter().position(|n| *n == name || (name.len() == 3 && n.starts_with(name)))?;
    i64::try_from(found).ok()
}

fn next_weekday(today: Date, day: i64) -> Date {
    let ahead = (day - i64::from(today.weekday().to_monday_zero_offset())).rem_euclid(7);
    add_days(today, if ahead == 0 { 7 } else { ahead })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::time::Zone;

    fn check(text: &str, expected: &str) {
        let hours = Hours {
            zone: Zone::named("Europe/Berlin").unwrap(),
            days: [true, true, true, true, true, false, false],
            opens: 480,
            closes: 1080,
            holidays: std::collections::BTreeSet::new(),
        };
        let at = Timestamp::parse("2026-05-13T10:00:00Z").unwrap(); // a Wednesday
        let got: Vec<String> = read_answer(text, &["mentor", "weak_tie"], &hours, at)
            .iter()
            .map(|a| format!("{}{:?}", a.item.map(|n| format!("{n} ")).unwrap_or_default(), a.verb))
            .collect();
        assert_eq!(got.join("; "), expected, "{text:?}");
    }

    #[test]
    fn verbs_in_any_case_and_dress() {
        check("Done", "Done");
        check("\n  DONE!\n\nBest, Alex", "Done");
        check("snooze 2w", "Snooze(2026-05-27T06:00:00Z)");
        check("Snooze tomorrow.", "Snooze(2026-05-14T06:00:00Z)");
        check("snooze monday", "Snooze(2026-05-18T06:00:00Z)");
        check("snooze wednesday", "Snooze(2026-05-20T06:00:00Z)");
        check("snooze 2026-05-16", "Snooze(2026-05-18T06:00:00Z)"); // a Saturday
        check("snooze 1m", "Snooze(2026-06-15T06:00:00Z)"); // 13 June is a Saturday
        check("every 6w", "Every(Span { months: 0, seconds: 3628800 })");
        check("mentor", "Relationship(\"mentor\")");
        check("weak tie", "Relationship(\"weak_tie\")");
        check("pause 2w", "Pause(2026-05-27T06:00:00Z)");
        check("without work", "Without(\"work\")");
        check("mute", "Mute(true)");
        check("ignore", "Ignore");
        check("", "Help");
    }

    #[test]
    fn words_of_other_languages_say_the_same() {
        check("Erledigt!", "Done");
        check("Später morgen", "Snooze(2026-05-14T06:00:00Z)");
        check("reporter lundi", "Snooze(2026-05-18T06:00:00Z)");
        check("snooze miércoles", "Snooze(2026-05-20T06:00:00Z)");
        check("cada 6w", "Every(Span { months: 0, seconds: 3628800 })");
        check("2 fait", "2 Done");
        check("ohne arbeit", "Without(\"arbeit\")");
        check("silence", "Mute(true)");
        check("aide", "Help");
        check("erledigt morgen", "Unknown(\"erledigt morgen\")");
        check("morgen", "Unknown(\"morgen\")");
    }

    #[test]
    fn what_is_not_plain_is_unknown() {
        check("I am done with this", "Unknown(\"i am done with this\")");
        check("done tomorrow", "Unknown(\"done tomorrow\")");
        check("snooze", "Unknown(\"snooze\")");
        check("snooze 2020-01-01", "Unknown(\"snooze 2020-01-01\")");
        check("snooze forever", "Unknown(\"snooze forever\")");
    }

    #[test]
    fn numbers_name_the_items_of_a_summary() {
        check("2 done", "2 Done");
        check("1. done\n3) snooze 2w\nthanks", "1 Done; 3 Snooze(2026-05-27T06:00:00Z)");
    }
}
