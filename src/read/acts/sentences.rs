//! A text into sentences. Room of `read::acts`.
//!
//! Invariant: each sentence stands in the text, white space aside; nothing is reworded.

use super::phrases::{Group, Purpose, Sentence, is_abbreviation, is_unspaced};

/// Columns from which on a line was probably wrapped, so that the next one continues it.
const WRAPPED: usize = 50;

/// Splits a text into its sentences, in their order; wrapped lines are joined, list items stand alone.
pub fn split(text: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    for paragraph in paragraphs(text) {
        cut(&paragraph, &mut sentences);
    }
    sentences
}

/// White space folded to single blanks.
pub fn fold(text: &str) -> String {
    let trimmed = text.trim();
    // most lines are folded already
    let mut before = 0;
    let folded = |byte: u8| {
        let single = byte.is_ascii() && !matches!(byte, b'\t'..=b'\r') && (byte, before) != (b' ', b' ');
        before = byte;
        single
    };
    if trimmed.bytes().all(folded) {
        return trimmed.to_string();
    }
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded
}

fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs: Vec<String> = Vec::new();
    let mut open = false;
    let mut columns = 0;
    for line in text.lines() {
        let (item, line) = unmarked(fold(line));
        if !line.chars().any(char::is_alphanumeric) {
            open = false;
            continue;
        }
        let joins = open && !item && continues(paragraphs.last().map_or("", String::as_str), columns, &line);
        let wide = |c: char| if is_unspaced(c) { 2 } else { 1 };
        columns = if line.is_ascii() { line.len() } else { line.chars().map(wide).sum() };
        match paragraphs.last_mut() {
            Some(last) if joins => {
                let close =
                    last.chars().next_back().is_some_and(is_unspaced) && line.chars().next().is_some_and(is_unspaced);
                if !close {
                    last.push(' ');
                }
                last.push_str(&line);
            }
            _ => paragraphs.push(line),
        }
        open = true;
    }
    paragraphs
}

/// Does `line` go on with the sentence of a line of so many columns?
fn continues(before: &str, columns: usize, line: &str) -> bool {
    // an address on a line of its own begins a new thing
    if before.ends_with(':') || columns < WRAPPED && ["http", "www."].iter().any(|site| line.starts_with(site)) {
        return false;
    }
    let lower = line.chars().find(|c| c.is_alphanumeric()).is_some_and(char::is_lowercase);
    columns >= WRAPPED || (lower && !before.ends_with(['.', '!', '?', '。']))
}

/// Without the mark of a list item, and whether there was one.
fn unmarked(line: String) -> (bool, String) {
    let bare = line.trim_start_matches(['-', '*', '•', '–', '·', '●', '○', '▪', '‣', '➢', '>', '◦', '□']).trim_start();
    let number: usize = bare.chars().take_while(char::is_ascii_digit).count();
    let rest = bare.get(number..).unwrap_or("");
    let numbered = (1..=2).contains(&number) && (rest.starts_with(") ") || rest.starts_with(". "));
    let bare = if numbered { rest.get(2..).unwrap_or("") } else { bare };
    if bare.len() == line.len() { (false, line) } else { (true, bare.to_string()) }
}

const CLOSERS: &[char] = &['"', '\'', ')', '”', '’', '»', ']', '*', '_', '」', '』', '）'];

fn cut(paragraph: &str, sentences: &mut Vec<String>) {
    let mut start = 0;
    let plain = paragraph.is_ascii();
    let mut from = 0;
    while let Some((at, c)) = next_mark(paragraph, from, plain) {
        let wide = matches!(c, '。' | '！' | '？' | '｡');
        let mut marks = 1;
        let mut bracket = false;
        let mut end = at + c.len_utf8();
        for c in paragraph.get(end..).unwrap_or("").chars() {
            let mark = matches!(c, '.' | '!' | '?' | '؟' | '…' | '。' | '！' | '？');
            if !mark && !CLOSERS.contains(&c) {
                break;
            }
            marks += usize::from(mark);
            bracket |= c == ')';
            end += c.len_utf8();
        }
        from = end;
        let before = paragraph.get(start..at).unwrap_or("");
        let after = paragraph.get(end..).unwrap_or("");
        let ends = after.is_empty()
            || (wide && !bracket)
            || (after.starts_with(char::is_whitespace) && is_end(c, marks, bracket, before, after.trim_start()));
        if ends {
            push(paragraph.get(start..end).unwrap_or(""), sentences);
            start = end;
        }
    }
    push(paragraph.get(start..).unwrap_or(""), sentences);
}

/// The next mark that may end a sentence; in a `plain` paragraph every character is one byte.
fn next_mark(paragraph: &str, from: usize, plain: bool) -> Option<(usize, char)> {
    let rest = paragraph.get(from..)?;
    if plain {
        let at = rest.bytes().position(|b| matches!(b, b'.' | b'!' | b'?'))?;
        return Some((from + at, rest.as_bytes().get(at).copied()?.into()));
    }
    let is_mark = |c: &char| matches!(c, '.' | '!' | '?' | '؟' | '…' | '。' | '！' | '？' | '｡');
    rest.char_indices().find(|(_, c)| is_mark(c)).map(|(at, c)| (from + at, c))
}

/// A mark that a blank follows: does it end the sentence?
fn is_end(mark: char, marks: usize, bracket: bool, before: &str, after: &str) -> bool {
    let lower = after.chars().next().is_some_and(char::is_lowercase);
    if mark != '.' || marks > 1 {
        // "(right?) and", "well ... no"
        return !(lower && (bracket || matches!(mark, '.' | '…')));
    }
    let word = before.rsplit([' ', '(', '"', '/']).next().unwrap_or("");
    let word = word.to_lowercase();
    if is_abbreviation(&word) {
        return false;
    }
    if word.chars().count() == 1 && word.chars().all(char::is_alphabetic) && !word.chars().all(is_unspaced) {
        return false;
    }
    if word.contains('.') && word.len() <= 6 && !word.contains(|c: char| c.is_ascii_digit()) {
        return !lower; // "5 p.m. Please", "p.m. on Friday"
    }
    if !word.is_empty() && word.chars().all(|c| c.is_ascii_digit()) && word.len() <= 2 {
        let next = after.split(' ').next().unwrap_or("");
        return !lower && !Sentence::for_purpose(next.to_string(), Purpose::Month).has(Group::Month); // "am 12. Mai"
    }
    true
}

/// Adds a sentence; a mere rest such as ":-)" belongs to none.
fn push(sentence: &str, sentences: &mut Vec<String>) {
    let sentence = sentence.trim();
    if sentence.chars().any(char::is_alphanumeric) {
        sentences.push(sentence.to_string());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn sentences_end_where_a_reader_ends_them() {
        let check = |text: &str, expected: &[&str]| assert_eq!(split(text), expected, "{text}");
        check("One. Two! Three? four", &["One.", "Two!", "Three?", "four"]);
        check("Ask Mr. Smith at 5 p.m. on Friday. Thanks", &["Ask Mr. Smith at 5 p.m. on Friday.", "Thanks"]);
        check("Be there at 5 p.m. Please bring it.", &["Be there at 5 p.m.", "Please bring it."]);
        check(
            "Das geht z.B. so. Bis zum 12. Mai schicke ich es.",
            &["Das geht z.B. so.", "Bis zum 12. Mai schicke ich es."],
        );
        check("Some tools, e.g. Excel, help.", &["Some tools, e.g. Excel, help."]);
        check("See https://x.example/?a=1 now", &["See https://x.example/?a=1 now"]);
        check("Jim (sp?), your VP, said so.", &["Jim (sp?), your VP, said so."]);
        check("確認しました。送ってください。", &["確認しました。", "送ってください。"]);
        check("Version 2.5 is out. It is fast.", &["Version 2.5 is out.", "It is fast."]);
        check("He said \"no.\" Then he left.", &["He said \"no.\"", "Then he left."]);
        check("Well ... maybe. J. Doe knows.", &["Well ... maybe.", "J. Doe knows."]);
    }

    #[test]
    fn wrapped_lines_are_one_and_items_are_several() {
        let check = |text: &str, expected: &[&str]| assert_eq!(split(text), expected, "{text}");
        check(
            "This is a line that was wrapped by the mail client, which\nmakes one sentence of two lines.",
            &["This is a line that was wrapped by the mail client, which makes one sentence of two lines."],
        );
        check("short\ngoes on. Yes", &["short goes on.", "Yes"]);
        check("To do:\n- send it\n- call me\n2. rest", &["To do:", "send it", "call me", "rest"]);
        check("Alex\nDoe Company\n\nHello", &["Alex", "Doe Company", "Hello"]);
        check("今日は\nいい天気です。", &["今日は", "いい天気です。"]);
        check("", &[]);
        check("...\n!!!", &[]);
    }
}
