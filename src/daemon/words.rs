//! What the service is doing, in plain words, for `systemctl status`. Part of `daemon`.
//!
//! Invariant: said only when it has changed, and at most once a second.

use std::collections::BTreeMap;

use crate::evidence::{Batch, SourceName};
use crate::notify;
use crate::time::{Timestamp, Zone};

/// What there is to say.
#[derive(Debug, Default)]
pub struct Words {
    /// Sources that are being read: things read, and left where that is known.
    reading: BTreeMap<SourceName, (u64, Option<u64>)>,
    failing: BTreeMap<SourceName, String>,
    open: u64,
    held: usize,
    /// Why the last reload was refused.
    refused: Option<String>,
    /// What was said, and when.
    said: String,
    said_at: Option<Timestamp>,
}

impl Words {
    /// A batch came.
    pub fn brought(&mut self, batch: &Batch) {
        let (read, left) = self.reading.entry(batch.source.clone()).or_default();
        *read = read.saturating_add(batch.read);
        *left = batch.left;
    }

    /// Has any reading brought something?
    pub fn is_reading(&self) -> bool {
        !self.reading.is_empty()
    }

    /// A reading is over.
    pub fn ended(&mut self, source: &str) {
        self.reading.remove(source);
    }

    /// A source fails, or is well again.
    pub fn failing(&mut self, source: &str, why: Option<String>) {
        match why {
            Some(why) => drop(self.failing.insert(source.to_string(), why)),
            None => drop(self.failing.remove(source)),
        }
    }

    /// Sources that are not there any more are not spoken of.
    pub fn keep(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.reading.retain(|name, _| is_kept(name));
        self.failing.retain(|name, _| is_kept(name));
    }

    /// Open reminders, and those held back.
    pub const fn open(&mut self, open: u64, held: usize) {
        (self.open, self.held) = (open, held);
    }

    /// A reload was refused, or taken.
    pub fn refused(&mut self, why: Option<String>) {
        self.refused = why;
    }

    /// Says it, where it is new. `true` where it is new and must wait.
    pub fn say(&mut self, next_at: Timestamp, zone: &Zone, now: Timestamp) -> bool {
        let text = self.text(next_at, zone);
        if text == self.said {
            return false;
        }
        if self.said_at == Some(now) {
            return true;
        }
        notify::status(&text);
        (self.said, self.said_at) = (text, Some(now));
        false
    }

    fn text(&self, next_at: Timestamp, zone: &Zone) -> String {
        let mut parts: Vec<String> =
            self.refused.iter().map(|why| format!("config refused, the old one goes on: {why}")).collect();
        parts.extend(self.reading.iter().map(|(name, (read, left))| match left {
            Some(left) => format!("reading {name}: {} of {}", thousands(*read), thousands(read.saturating_add(*left))),
            None => format!("reading {name}: {}", thousands(*read)),
        }));
        if self.reading.is_empty() {
            let local = zone.local(next_at);
            parts.push(format!("idle; next look {:02}:{:02}", local.hour(), local.minute()));
        }
        let open = if self.open == 1 {
            "1 open reminder".to_string()
        } else {
            format!("{} open reminders", thousands(self.open))
        };
        parts.push(if self.held == 0 { open } else { format!("{open}, {} held back", self.held) });
        parts.extend(self.failing.iter().map(|(name, why)| format!("{name} fails: {why}")));
        parts.join("; ")
    }
}

/// `84,000`.
fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_reads_like_a_sentence() {
        let at = Timestamp::parse("2026-05-12T14:05:00Z").unwrap();
        let mut words = Words::default();
        words.open(2, 0);
        assert_eq!(words.text(at, &Zone::utc()), "idle; next look 14:05; 2 open reminders");
        words.brought(&Batch { source: "work".into(), read: 12_000, left: Some(72_000), ..Batch::default() });
        assert_eq!(words.text(at, &Zone::utc()), "reading work: 12,000 of 84,000; 2 open reminders");
        words.ended("work");
        words.failing("work", Some("no route to host".into()));
        words.open(1, 1);
        let text = words.text(at, &Zone::utc());
        assert_eq!(text, "idle; next look 14:05; 1 open reminder, 1 held back; work fails: no route to host");
        words.failing("work", None);
        words.refused(Some("c.toml:3: no such key".into()));
        words.open(0, 0);
        let text = words.text(at, &Zone::utc());
        assert_eq!(
            text,
            "config refused, the old one goes on: c.toml:3: no such key; idle; next look 14:05; 0 open reminders"
        );
    }

    #[test]
    fn numbers_are_grouped() {
        for (n, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(n), expected);
        }
    }
}
