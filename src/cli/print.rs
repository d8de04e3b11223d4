//! Output people like to read: aligned columns, colour only on a terminal, wide characters right. Part of `cli`.
//!
//! Invariant: data goes to standard output, messages to standard error; a reader that went away
//! (`kithd contacts | head`) is no error.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::time::{DAY, HOUR, MINUTE, Timestamp, Zone};

/// How a piece of text stands out on a terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    /// As it is.
    Plain,
    /// A name, a heading.
    Bold,
    /// What matters less.
    Dim,
    /// Well.
    Good,
    /// Look here.
    Warn,
    /// Wrong.
    Bad,
}

/// Standard output.
pub struct Out {
    colour: bool,
    /// Columns of the terminal; 100 where there is none.
    pub width: usize,
    /// Zone of the dates.
    pub zone: Zone,
    /// What "ago" counts from.
    pub now: Timestamp,
}

impl Out {
    /// Standard output as it is now.
    pub fn new(zone: Zone, now: Timestamp) -> Out {
        let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
        let terminal = || usize::from(console::Term::stdout().size().1);
        let width = columns.unwrap_or_else(|| if io::stdout().is_terminal() { terminal() } else { 100 });
        Out { colour, width: width.clamp(40, 160), zone, now }
    }

    /// One line.
    pub fn line(&self, text: &str) {
        // a reader that went away is no error
        let _ = writeln!(io::stdout().lock(), "{text}");
    }

    /// One value as JSON, on one line.
    pub fn json<T: Serialize>(&self, value: &T) {
        if let Ok(text) = serde_json::to_string(value) {
            self.line(&text);
        }
    }

    /// Text with a look.
    pub fn look(&self, look: Look, text: &str) -> String {
        let code = match look {
            _ if !self.colour => return text.to_string(),
            Look::Plain => return text.to_string(),
            Look::Bold => "1",
            Look::Dim => "2",
            Look::Good => "32",
            Look::Warn => "33",
            Look::Bad => "31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// A heading with an empty line before it.
    pub fn heading(&self, text: &str) {
        self.line("");
        self.line(&self.look(Look::Bold, text));
    }

    /// Rows in columns. The last column takes what is left of the width.
    pub fn table(&self, rows: &[Vec<(Look, String)>]) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let widest = |n: usize| rows.iter().filter_map(|r| r.get(n)).map(|(_, t)| t.width()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(|n| widest(n).min(self.width / 2)).collect();
        for row in rows {
            let mut line = String::new();
            let mut used = 0;
            for (n, (look, text)) in row.iter().enumerate() {
                let last = n + 1 == row.len();
                let room =
                    if last { self.width.saturating_sub(used).max(8) } else { widths.get(n).copied().unwrap_or(0) };
                let cut = fit(text, room);
                let pad = if last { 0 } else { room.saturating_sub(cut.width()) + 2 };
                line.push_str(&self.look(*look, &cut));
                line.push_str(&" ".repeat(pad));
                used += room + 2;
            }
            self.line(line.trim_end());
        }
    }

    /// A paragraph, wrapped and indented.
    pub fn paragraph(&self, indent: usize, text: &str) {
        let room = self.width.saturating_sub(indent).max(20);
        let mut line = String::new();
        for word in text.split_whitespace() {
            if !line.is_empty() && line.width() + 1 + word.width() > room {
                self.line(&format!("{}{line}", " ".repeat(indent)));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        if !line.is_empty() {
            self.line(&format!("{}{line}", " ".repeat(indent)));
        }
    }

    /// `2026-05-12 09:00` in the user's zone.
    pub fn time(&self, at: Timestamp) -> String {
        let local = self.zone.local(at);
        format!("{} {:02}:{:02}", local.date(), local.hour(), local.minute())
    }

    /// `2026-05-12`.
    pub fn date(&self, at: Timestamp) -> String {
        self.zone.date(at).to_string()
    }

    /// `3 days ago`, `in 2 weeks`.
    pub fn ago(&self, at: Timestamp) -> String {
        let seconds = self.now.since(at);
        let (n, unit) = match seconds.abs() {
            s if s < HOUR => (s / MINUTE, "minute"),
            s if s < 2 * DAY => (s / HOUR, "hour"),
            s if s < 21 * DAY => (s / DAY, "day"),
            s if s < 92 * DAY => (s / (7 * DAY), "week"),
            s if s < 730 * DAY => (s / (30 * DAY), "month"),
            s => (s / (365 * DAY), "year"),
        };
        let s = if n == 1 { "" } else { "s" };
        if seconds >= 0 { format!("{n} {unit}{s} ago") } else { format!("in {n} {unit}{s}") }
    }
}

/// Text cut to `room` columns, with an ellipsis where something is missing.
pub fn fit(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_string();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w + 1 > room {
            break;
        }
        used += w;
        out.push(c);
    }
    out.push('…');
    out
}

/// A message on standard error.
pub fn tell(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(fit("田中太郎", 8), "田中太郎");
        assert_eq!(fit("田中太郎", 6), "田中…");
        assert_eq!(fit("Dana Ito", 5), "Dana…");
    }
}
