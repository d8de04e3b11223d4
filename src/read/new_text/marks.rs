//! Where somebody else's words begin: separators, header blocks, attributions. Part of `new_text`.

use super::lines::{Line, dated, has_address, is_arrow, is_rule, is_space, only_rule, undecorated};
use super::words::{Label, WORDS, lower};
use crate::limits;

/// The lines that say "what follows is quoted".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Mark {
    /// First line.
    pub first: usize,
    /// Last line.
    pub last: usize,
    /// An attribution: at the top of a mail without quote marks, the rest may be the answer.
    pub attribution: bool,
}

/// A verb such as "wrote", in line `line`, from byte `from` to byte `until` of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verb {
    pub line: usize,
    pub from: usize,
    pub until: usize,
}

/// The marks of a text in order, none overlapping.
pub(super) fn marks(text: &str, lines: &[Line<'_>], verbs: &[Verb]) -> Vec<Mark> {
    let mut found: Vec<Mark> = Vec::new();
    let mut verbs = verbs.iter().peekable();
    let mut free = 0;
    for (i, line) in lines.iter().enumerate() {
        let mut verb = None;
        while let Some(v) = verbs.next_if(|v| v.line == i) {
            verb = verb.or_else(|| attribution(text, lines, free, i, Some(*v)));
        }
        if i < free || line.blank() || line.quoted {
            continue;
        }
        let mark = separator(lines, i)
            .or(verb)
            .or_else(|| headers(lines, free, i))
            .or_else(|| attribution(text, lines, free, i, None));
        if let Some(mark) = mark {
            free = mark.last + 1;
            found.push(mark);
        }
    }
    found
}

/// "-----Original Message-----", "Begin forwarded message:", `>>> Dana 2/16/01 10:41 >>>`.
fn separator(lines: &[Line<'_>], at: usize) -> Option<Mark> {
    let core = lines.get(at)?.core;
    if is_arrow(core) {
        let named = has_address(core) || dated(core).day;
        return named.then_some(Mark { first: at, last: at, attribution: false });
    }
    if core.len() > limits::ATTRIBUTION_BYTES {
        return None;
    }
    let ruled = core.chars().next().is_some_and(|c| is_rule(c) || c == '<' || c == '[');
    if !ruled && !core.ends_with([':', '：']) {
        return None;
    }
    let name =
        core.trim_matches(|c| is_rule(c) || is_space(c) || matches!(c, '<' | '>' | '[' | ']' | ':' | '：' | '.'));
    let name = lower(name).replace("&nbsp;", " ");
    let name = name.trim();
    let hit = WORDS.is_original(name) || WORDS.is_forwarded(name) || ruled && WORDS.is_forwarded_by(name);
    if !hit {
        return None;
    }
    // "Original message:" without rules is prose unless header fields or a quote follow.
    let rules = core.chars().take_while(|c| is_rule(*c)).count();
    if rules < 2 && WORDS.is_original(name) && !WORDS.is_forwarded(name) {
        let next = lines.get(lines.get(at)?.next)?;
        if !next.quoted && WORDS.label(next.core).is_none() {
            return None;
        }
    }
    Some(Mark { first: at, last: block_end(lines, at), attribution: false })
}

/// A block of two or more different header fields.
fn headers(lines: &[Line<'_>], free: usize, at: usize) -> Option<Mark> {
    let mut block = Block::default();
    if !block.read(lines.get(at)?.core) {
        return None;
    }
    let (mut last, mut budget) = (at, limits::HEADER_GAP_LINES);
    for (i, line) in lines.iter().enumerate().skip(at + 1).take(limits::HEADER_BLOCK_LINES) {
        let folded = block.open && !line.blank() || is_recipients(line.core);
        let seen = block.seen.len();
        if !line.quoted && block.read(line.core) {
            last = i;
            // The same field again is a waste of lines like any other.
            budget -= usize::from(block.seen.len() == seen);
            if budget == 0 {
                break;
            }
        } else if line.core.starts_with("--") {
            break;
        } else if !folded {
            budget -= 1;
            if budget == 0 {
                break;
            }
        }
    }
    // A rule above one field and a quote below it say as much as a second field.
    let above = at.checked_sub(1).and_then(|a| lines.get(a));
    let ruled = block.seen == [Label::From] && block.addressed && above.is_some_and(|l| only_rule(l.core));
    if !(block.is_sure() || ruled && followed_by_quote(lines, last)) {
        return None;
    }
    let top = name_above(lines, free, at);
    // A memo of one's own begins with TO, FROM and SUBJECT.
    let own = |l: &Line<'_>| l.blank() || is_capitals(l.core) && WORDS.label(l.core).is_some();
    if block.capitals == block.count && top < limits::HEADER_GAP_LINES && lines.iter().take(top).all(own) {
        return None;
    }
    Some(Mark { first: top, last, attribution: false })
}

/// The header fields of a block.
#[derive(Default)]
struct Block {
    seen: Vec<Label>,
    /// Fields, and how many of their labels are in capitals.
    count: usize,
    capitals: usize,
    /// An address stands in one of them.
    addressed: bool,
    /// The last line ended in the middle of a list.
    open: bool,
}

impl Block {
    /// Takes the fields a line begins with, or that stand in columns in it; false if there is none.
    fn read(&mut self, core: &str) -> bool {
        let before = self.count;
        self.open = core.ends_with([',', ';', '<']);
        if !core.contains(':') && !core.contains('：') {
            return false;
        }
        self.add(core);
        if core.contains("  ") || core.contains('\t') {
            for piece in core.split('\t').flat_map(|c| c.split("  ")).skip(1).filter(|p| p.contains(':')) {
                self.add(piece);
            }
        }
        self.count > before
    }

    fn add(&mut self, field: &str) {
        let Some((label, value)) = WORDS.label(field) else { return };
        if !self.seen.contains(&label) {
            self.seen.push(label);
        }
        self.count += 1;
        self.capitals += usize::from(is_capitals(field));
        self.addressed |= has_address(value);
    }

    /// Enough of a message header to be one.
    fn is_sure(&self) -> bool {
        let has = |label| self.seen.contains(&label);
        (has(Label::From) || has(Label::To))
            && (self.seen.len() > 2
                || self.seen.len() == 2 && (has(Label::Subject) || has(Label::Date) || self.addressed))
    }
}

/// A folded list of recipients: it goes on for many lines in Notes.
fn is_recipients(core: &str) -> bool {
    core.contains('@') || core.contains('/') && core.contains([',', ';'])
}

/// A label in capitals.
fn is_capitals(core: &str) -> bool {
    let label = core.split([':', '：']).next().unwrap_or_default();
    label.chars().any(char::is_uppercase) && !label.chars().any(char::is_lowercase)
}

/// The last line of the header fields right below a separator.
fn block_end(lines: &[Line<'_>], at: usize) -> usize {
    let mut last = at;
    while let Some(line) = lines.get(last) {
        match lines.get(line.next).and_then(|next| WORDS.label(next.core)) {
            Some(_) if line.next - at < limits::HEADER_BLOCK_LINES => last = line.next,
            _ => break,
        }
    }
    last
}

/// Notes writes the sender and the date above `To:`, without labels: where that begins.
fn name_above(lines: &[Line<'_>], free: usize, at: usize) -> usize {
    let (mut top, mut blanks) = (at, 0);
    // In columns: the sender stands to the left of the fields, and begins above them.
    let indented = |i: usize| lines.get(i).is_some_and(|l| l.raw.starts_with("          ") && !l.blank());
    while top > free && indented(top) && indented(top - 1) && at - top < limits::HEADER_GAP_LINES {
        top -= 1;
    }
    if top < at {
        return top;
    }
    for i in (free..at).rev().take(limits::HEADER_GAP_LINES) {
        let Some(line) = lines.get(i) else { break };
        if line.blank() {
            blanks += 1;
            if blanks > 2 {
                break;
            }
            continue;
        }
        let date = dated(line.core);
        let short = line.core.len() < 120
            && line.core.split_whitespace().count() <= 12
            && !line.core.ends_with(['.', '!', '?']);
        let below_is_date =
            lines.get(top).is_some_and(|l| top == i + 1 && top != at && dated(l.core).time || is_sent_by(l.core));
        let folded = short && date.time && !date.day && i > free;
        if let Some(above) = lines.get(i.wrapping_sub(1)).filter(|l| folded && dated(l.core).day && has_address(l.core))
        {
            return if above.quoted { top } else { i - 1 };
        }
        let begins = short && date.day && date.time;
        if !(begins || is_sent_by(line.core) || short && below_is_date) {
            break;
        }
        let whole = begins && undecorated(line.core).starts_with(|c: char| !c.is_ascii_digit());
        top = i;
        if whole || !begins && !is_sent_by(line.core) {
            break;
        }
    }
    top
}

/// Lines that Notes puts between sender and date.
fn is_sent_by(core: &str) -> bool {
    ["Sent by:", "Please respond to", "Gesendet von:", "Envoyé par"].iter().any(|s| core.starts_with(s))
}

/// The line or lines that name who is quoted and when, around the verb in line `at`, or ending in
/// a colon there.
fn attribution(text: &str, lines: &[Line<'_>], free: usize, at: usize, verb: Option<Verb>) -> Option<Mark> {
    let line = lines.get(at)?;
    if at < free || line.quoted || line.blank() || line.core.len() > limits::ATTRIBUTION_BYTES {
        return None;
    }
    let last = match verb {
        Some(verb) => attribution_end(text, lines, at, verb)?,
        None if ends_in_colon(line.core) => at,
        None => return iso_line(lines, at),
    };
    let followed = followed_by_quote(lines, last);
    if verb.is_none() && !followed && !has_address(line.core) {
        return None;
    }
    let lead = verb.and_then(|v| text.get(line.at..v.from)).map(|l| undecorated(l.trim_start_matches('>')));
    let self_said = verb.and_then(|v| text.get(line.at..v.until)).is_some_and(|said| WORDS.is_self(said));
    if self_said && !followed {
        return None;
    }
    let first = attribution_start(lines, free, at, last, lead)?;
    let joined = join(lines, first.line, last)?;
    let (date, address) = (dated(&joined), has_address(&joined));
    let alone = first.line == 0 || lines.get(first.line - 1).is_some_and(Line::blank);
    let sure = match (first.strong, verb.is_some()) {
        (true, true) => date.day || date.time || address || followed,
        (true, false) => followed && (date.day || date.time || address) || address && date.time,
        (false, true) => {
            let name = lead.map_or(0, |l| l.split_whitespace().count()) <= 6;
            followed && (address || date.day || joined.split_whitespace().count() <= 12)
                || alone && address && (date.day || date.time)
                || address && name && address_is_near(&joined, lead)
        }
        (false, false) => followed && (address || date.day && date.time) || alone && address && date.day && date.time,
    };
    sure.then_some(Mark { first: first.line, last, attribution: true })
}

/// The address stands at the verb, not somewhere in a sentence.
fn address_is_near(joined: &str, lead: Option<&str>) -> bool {
    match lead.and_then(|l| l.split_whitespace().next_back()) {
        Some(word) if word.contains('@') || word.ends_with('>') => true,
        Some(_) => joined.split_whitespace().next_back().is_some_and(has_address),
        None => true,
    }
}

/// The line a verb's attribution ends in: its own, or one of the next two that ends in a colon.
fn attribution_end(text: &str, lines: &[Line<'_>], at: usize, verb: Verb) -> Option<usize> {
    let line = lines.get(at)?;
    let rest = text.get(verb.until..line.at + line.raw.len())?;
    let bare = rest.trim_matches(|c| is_rule(c) || is_space(c) || matches!(c, ':' | '：' | '.' | ')' | '>'));
    if bare.is_empty() || bare == "[...]" || matches!(bare, ";" | ",") && followed_by_quote(lines, at) {
        return Some(at);
    }
    if rest.starts_with([':', '：']) {
        return None;
    }
    for i in at..=at + limits::ATTRIBUTION_AFTER {
        let line = lines.get(i).filter(|l| !l.blank() && !l.quoted)?;
        if ends_in_colon(line.core) {
            return Some(i);
        }
    }
    None
}

/// Where an attribution begins.
struct Start {
    line: usize,
    /// It begins like one: with a date, or a word such as "On".
    strong: bool,
}

fn attribution_start(lines: &[Line<'_>], free: usize, at: usize, last: usize, lead: Option<&str>) -> Option<Start> {
    let lowest = at.saturating_sub(limits::ATTRIBUTION_BEFORE).max(free);
    let mut line = at;
    let mut weak = None;
    loop {
        let core = lines.get(line)?.core;
        let name = core.trim_start_matches(|c: char| is_rule(c) || is_space(c) || matches!(c, '<' | '>' | '(' | '['));
        let digits = name.starts_with(|c: char| c.is_numeric());
        let joined = join(lines, line, last)?;
        if digits && (dated(&joined).day || dated(core).time)
            || WORDS.begins_on(name) && joined.contains(char::is_numeric)
        {
            return Some(Start { line, strong: true });
        }
        let open = joined.matches('<').count() >= joined.matches('>').count();
        let whole = open && !core.starts_with('<') && !(line == at && lead.is_some_and(str::is_empty));
        if whole && weak.is_none() {
            weak = Some(Start { line, strong: false });
        }
        if line <= lowest {
            return weak;
        }
        // Fields of an address are sometimes set apart by empty lines.
        let above = match lines.get(line - 1) {
            Some(above) if !above.blank() => line - 1,
            _ if core.starts_with('<') && line >= lowest + 2 => line - 2,
            _ => return weak,
        };
        let next = lines.get(above)?;
        if next.blank() || next.quoted && !next.core.starts_with(">>> ") {
            return weak;
        }
        line = above;
    }
}

/// Gmail in some languages: "2016-03-03 17:21 GMT+01:00 Dana Ito", without a verb or colon.
fn iso_line(lines: &[Line<'_>], at: usize) -> Option<Mark> {
    let core = lines.get(at)?.core;
    let year = core.get(..5).filter(|y| y.ends_with(['-', '/']))?;
    let date = dated(core);
    let zoned = core.contains(" GMT") && date.time;
    let line_end = [at, at + 1]
        .into_iter()
        .find(|i| lines.get(*i).is_some_and(|l| !l.blank() && (ends_in_colon(l.core) || l.core.ends_with('>'))));
    let sure = year.bytes().take(4).all(|b| b.is_ascii_digit()) && date.day;
    match line_end {
        Some(last) if sure && join(lines, at, last).is_some_and(|j| has_address(&j) && (zoned || date.day)) => {
            Some(Mark { first: at, last, attribution: true })
        }
        _ => (sure && zoned && core.len() < 100).then_some(Mark { first: at, last: at, attribution: true }),
    }
}

/// The lines of an attribution as one, if it is not too long to be one.
fn join(lines: &[Line<'_>], first: usize, last: usize) -> Option<String> {
    let mut joined = String::new();
    for line in lines.get(first..=last)? {
        if joined.len() + line.core.len() > limits::ATTRIBUTION_BYTES {
            return None;
        }
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(line.core);
    }
    Some(joined)
}

/// Ends in a colon, emphasis and rules aside.
fn ends_in_colon(core: &str) -> bool {
    core.trim_end_matches(|c| is_rule(c) || is_space(c)).ends_with([':', '：'])
}

/// The next line with something in it is marked as somebody else's.
pub(super) fn followed_by_quote(lines: &[Line<'_>], at: usize) -> bool {
    lines.get(at).and_then(|l| lines.get(l.next)).is_some_and(|next| next.quoted || is_bar(next.core))
}

/// A quote marked with a bar, where an attribution stands above it.
pub(super) fn is_bar(core: &str) -> bool {
    core == "|" || core.starts_with("| ")
}
