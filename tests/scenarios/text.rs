//! A scenario's text to statements, and a statement to words.

use kithd::time::{Date, Timestamp, Zone};

/// One statement: its first line, and the indented lines beneath it.
#[derive(Clone, Debug)]
pub struct Statement {
    pub number: usize,
    pub line: String,
    pub more: Vec<String>,
}

pub fn statements(told: &str) -> Vec<Statement> {
    let mut all: Vec<Statement> = Vec::new();
    for (n, line) in told.lines().enumerate() {
        let is_more = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match all.last_mut() {
            Some(last) if is_more => last.more.push(if line == "." { String::new() } else { line.to_string() }),
            _ => all.push(Statement { number: n + 1, line: line.to_string(), more: Vec::new() }),
        }
    }
    all
}

/// Words of a line: bare ones, `"quoted"`, `<ids>`.
pub struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    pub fn new(line: &'a str) -> Words<'a> {
        Words { rest: line.trim() }
    }

    pub fn rest(&self) -> &'a str {
        self.rest
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn peek(&self) -> &'a str {
        self.rest.split_whitespace().next().unwrap_or_default()
    }

    /// The next bare word.
    pub fn word(&mut self) -> Result<&'a str, String> {
        let word = self.peek();
        if word.is_empty() {
            return Err("a word is missing at the end".to_string());
        }
        self.rest = self.rest[word.len()..].trim_start();
        Ok(word)
    }

    /// Takes `word` if it is next.
    pub fn take(&mut self, word: &str) -> bool {
        let is_next = self.peek() == word;
        if is_next {
            self.rest = self.rest[word.len()..].trim_start();
        }
        is_next
    }

    pub fn need(&mut self, word: &str) -> Result<(), String> {
        if self.take(word) { Ok(()) } else { Err(format!("`{word}` is missing before `{}`", self.rest)) }
    }

    /// `"text"`.
    pub fn quoted(&mut self) -> Result<&'a str, String> {
        self.try_quoted().ok_or_else(|| format!("a quoted text is missing before `{}`", self.rest))
    }

    pub fn try_quoted(&mut self) -> Option<&'a str> {
        let (text, rest) = self.rest.strip_prefix('"')?.split_once('"')?;
        self.rest = rest.trim_start();
        Some(text)
    }

    /// `<id>`.
    pub fn try_id(&mut self) -> Option<&'a str> {
        let (id, rest) = self.rest.strip_prefix('<')?.split_once('>')?;
        self.rest = rest.trim_start();
        Some(id)
    }

    /// `2026-03-04` or `2026-03-04 17:00`, local.
    pub fn time(&mut self, zone: &Zone) -> Result<Timestamp, String> {
        let date = self.date()?;
        let minute = match self.peek().split_once(':') {
            Some((h, m)) => {
                let minute = h.parse::<u16>().ok().zip(m.parse::<u16>().ok()).map(|(h, m)| h * 60 + m);
                self.word()?;
                minute.ok_or("no time of day")?
            }
            None => 0,
        };
        Ok(zone.at(date, minute))
    }

    pub fn date(&mut self) -> Result<Date, String> {
        let word = self.word()?;
        word.parse().map_err(|_| format!("`{word}` is no date"))
    }
}
