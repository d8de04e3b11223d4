//! Output people like to read: aligned columns, colour only on a terminal, wide characters right. Part of `cli`.
//!
//! Invariant: data goes to standard output, messages to standard error; what a pipe gets is never cut and has no
//! colour; a reader that went away (`kithd contacts | head`) is no error.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::time::{HOUR, MINUTE, Timestamp, Zone, days_between};

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

/// One row of a table.
pub type Row = Vec<(Look, String)>;

/// Fewer columns than these say nothing: the column is left out.
const NARROWEST: usize = 8;

/// Standard output.
pub struct Out {
    /// Somebody looks at it: colour, and nothing beyond the right edge.
    pub terminal: bool,
    /// See [`Out::look`].
    pub colour: bool,
    /// Columns of the terminal; 80 where there is none.
    pub width: usize,
    /// Zone of the dates.
    pub zone: Zone,
    /// What "ago" counts from.
    pub now: Timestamp,
    /// Where a test reads what was printed.
    #[cfg(test)]
    pub page: std::cell::RefCell<String>,
}

impl Out {
    /// Standard output as it is now.
    pub fn new(zone: Zone, now: Timestamp) -> Out {
        let terminal = io::stdout().is_terminal();
        let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
        let width = columns.unwrap_or_else(|| match terminal {
            true => usize::from(console::Term::stdout().size().1),
            false => 80,
        });
        let colour = terminal
            && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
            && std::env::var_os("TERM").is_none_or(|t| t != "dumb");
        Out {
            terminal,
            colour,
            width: width.clamp(40, 160),
            zone,
            now,
            #[cfg(test)]
            page: std::cell::RefCell::default(),
        }
    }

    /// One line.
    pub fn line(&self, text: &str) {
        #[cfg(test)]
        self.page.borrow_mut().push_str(&format!("{text}\n"));
        // a reader that went away is no error
        #[cfg(not(test))]
        let _ = writeln!(io::stdout().lock(), "{text}");
    }

    /// One value as JSON, on one line.
    pub fn json<T: Serialize>(&self, value: &T) {
        if let Ok(text) = serde_json::to_string(value) {
            self.line(&text);
        }
    }

    /// Text with a look. The six colours everybody's theme keeps readable on its own background; no yellow, which
    /// vanishes on white.
    pub fn look(&self, look: Look, text: &str) -> String {
        let code = match look {
            _ if !self.colour || text.is_empty() => return text.to_string(),
            Look::Plain => return text.to_string(),
            Look::Bold => "1",
            Look::Dim => "2",
            Look::Good => "32",
            Look::Warn => "35",
            Look::Bad => "31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// A heading with an empty line before it.
    pub fn heading(&self, text: &str) {
        self.line("");
        self.line(&self.look(Look::Bold, text));
    }

    /// Rows in columns. On a terminal, what does not fit is cut, the last column first; a column for which hardly any
    /// room is left falls away.
    pub fn table(&self, rows: &[Row]) {
        self.lines(rows).iter().for_each(|l| self.line(l));
    }

    /// The lines of a table, for what stands between them.
    pub fn lines(&self, rows: &[Row]) -> Vec<String> {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let widest = |n: usize| rows.iter().filter_map(|r| r.get(n)).map(|(_, t)| t.width()).max().unwrap_or(0);
        let mut left = if self.terminal { self.width } else { usize::MAX };
        let mut rooms = Vec::new();
        for n in 0..columns {
            let most = if self.terminal && n + 1 < columns { self.width / 2 } else { usize::MAX };
            let natural = widest(n).min(most);
            if natural > left && left < NARROWEST {
                break;
            }
            rooms.push(natural.min(left));
            left = left.saturating_sub(natural.saturating_add(2));
        }
        let line = |row: &Row| {
            let mut line = String::new();
            for ((look, text), room) in row.iter().zip(&rooms) {
                let cut = fit(text, *room);
                line.push_str(&self.look(*look, &cut));
                line.push_str(&" ".repeat(room.saturating_sub(cut.width()) + 2));
            }
            line.trim_end().to_string()
        };
        rows.iter().map(line).collect()
    }

    /// A paragraph, wrapped and indented.
    pub fn paragraph(&self, indent: usize, text: &str) {
        self.flow(indent, &[(Look::Plain, text)]);
    }

    /// A paragraph whose pieces have looks.
    pub fn flow(&self, indent: usize, pieces: &[(Look, &str)]) {
        let room = self.width.saturating_sub(indent).max(20);
        let words = pieces.iter().flat_map(|(look, text)| text.split_whitespace().map(move |w| (*look, w)));
        let words = words.flat_map(|(look, word)| broken(word, room).into_iter().map(move |w| (look, w)));
        let mut line: Vec<(Look, String)> = Vec::new();
        let mut used = 0;
        for (look, word) in words {
            let width = word.width();
            if used > 0 && used + 1 + width > room {
                self.pieces(indent, &line);
                line.clear();
                used = 0;
            }
            used += width + usize::from(used > 0);
            match line.last_mut() {
                Some((last, text)) if *last == look => text.push_str(&format!(" {word}")),
                _ => line.push((look, word)),
            }
        }
        self.pieces(indent, &line);
    }

    fn pieces(&self, indent: usize, pieces: &[(Look, String)]) {
        let looks: Vec<String> = pieces.iter().map(|(look, text)| self.look(*look, text)).collect();
        if !looks.is_empty() {
            self.line(&format!("{}{}", " ".repeat(indent), looks.join(" ")));
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

    /// `3 days ago, 2026-05-12 09:00`.
    pub fn both(&self, at: Timestamp) -> String {
        format!("{}, {}", self.ago(at), self.time(at))
    }

    /// `3 days ago`, `in 2 weeks`; days as the calendar counts them.
    pub fn ago(&self, at: Timestamp) -> String {
        let seconds = self.now.since(at);
        let days = days_between(self.zone.date(at), self.zone.date(self.now));
        let (n, unit) = match (days.abs(), seconds.abs()) {
            (0, ..MINUTE) => return "just now".to_string(),
            (0, s @ ..HOUR) => (s / MINUTE, "minute"),
            (0, s) => (s / HOUR, "hour"),
            (1, _) => return if seconds >= 0 { "yesterday" } else { "tomorrow" }.to_string(),
            (d @ ..21, _) => (d, "day"),
            (d @ ..92, _) => (d / 7, "week"),
            (d @ ..730, _) => (d / 30, "month"),
            (d, _) => (d / 365, "year"),
        };
        let s = if n == 1 { "" } else { "s" };
        if seconds >= 0 { format!("{n} {unit}{s} ago") } else { format!("in {n} {unit}{s}") }
    }

    /// Sentences of the engine with their RFC 3339 times in the user's zone.
    pub fn local(&self, text: &str) -> String {
        let word = |w: &str| Timestamp::parse(w).map_or_else(|| w.to_string(), |at| self.time(at));
        text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }
}

/// A word that is wider than a line, in pieces where its writing knows no spaces; anything else stays whole, so that
/// an address can be copied.
fn broken(word: &str, room: usize) -> Vec<String> {
    if word.width() <= room || word.width() < word.chars().count() * 3 / 2 {
        return vec![word.to_string()];
    }
    let mut pieces = vec![String::new()];
    for c in word.chars() {
        match pieces.last_mut() {
            Some(piece) if piece.width() + c.width().unwrap_or(0) <= room => piece.push(c),
            _ => pieces.push(c.to_string()),
        }
    }
    pieces
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
