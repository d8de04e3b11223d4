//! A text as lines, and what one line looks like. Part of `new_text`.

/// One line of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// Byte offset of `raw` in the text.
    pub at: usize,
    /// The line without its line end.
    pub raw: &'a str,
    /// `raw` without white space, direction marks and undecoded quoted-printable blanks around it.
    pub core: &'a str,
    /// Marked with `>` as somebody else's words.
    pub quoted: bool,
    /// Index of the next line with something in it, after this one; `usize::MAX` if there is none.
    pub next: usize,
}

impl Line<'_> {
    /// Nothing to see.
    pub fn blank(&self) -> bool {
        self.core.is_empty()
    }
}

/// White space, and what stands for it invisibly: direction marks around Hebrew and Arabic,
/// zero-width characters, byte order marks.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// `s` without white space around it; `=20` and `=09` are blanks of mail that was never decoded.
pub(super) fn trim(s: &str) -> &str {
    let mut s = s.trim_matches(is_space);
    if !s.starts_with('=') && !s.bytes().rev().take(3).any(|b| b == b'=') {
        return s;
    }
    loop {
        let shorter = ["=20", "=09", "=0A", "=A0"].iter().find_map(|q| s.strip_prefix(q).or_else(|| s.strip_suffix(q)));
        match shorter {
            Some(rest) => s = rest.trim_matches(is_space),
            None => return s.strip_suffix('=').map_or(s, |rest| rest.trim_end_matches(is_space)),
        }
    }
}

/// Characters of rules and emphasis around a line.
pub(super) fn is_rule(c: char) -> bool {
    matches!(c, '-' | '_' | '=' | '*' | '~' | '#' | '+' | '|' | '\u{2010}'..='\u{2015}' | '\u{2500}'..='\u{257f}')
}

/// `s` without rules and white space around it.
pub(super) fn undecorated(s: &str) -> &str {
    s.trim_matches(|c| is_rule(c) || is_space(c))
}

/// A line of nothing but a rule, two characters at least.
pub(super) fn only_rule(core: &str) -> bool {
    core.len() > 1 && undecorated(core).is_empty()
}

/// Marked with `>`: but `>>> shop now <<<` is an arrow, and `>>> name, date >>>` begins a quote.
fn is_quoted(core: &str) -> bool {
    core.starts_with('>') && !(core.starts_with(">>") && core.ends_with("<<")) && !is_arrow(core)
}

/// What is left of an address or link that was folded before its `>`: `>:`, `> wrote:`.
fn is_folded_address(core: &str, above: &str) -> bool {
    let rest = core.strip_prefix('>').unwrap_or_default();
    let open = above.rsplit_once('<').map_or("", |(_, open)| open);
    !open.contains('>') && (open.contains("http") || has_address(open))
        || rest.ends_with(':') && rest.split_whitespace().count() <= 3 && has_address(above)
}

/// The line by which GroupWise begins a quote.
pub(super) fn is_arrow(core: &str) -> bool {
    let name = core.strip_prefix(">>>").and_then(|rest| rest.strip_suffix(">>>"));
    name.is_some_and(|name| name.contains(char::is_alphanumeric) && !name.starts_with('>'))
}

/// Takes a text apart; line ends may be of any kind.
pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut all: Vec<Line<'_>> = Vec::with_capacity(text.len() / 32);
    let mut at = 0usize;
    for piece in text.split_inclusive(['\n', '\r']) {
        let raw = piece.trim_end_matches(['\n', '\r']);
        let crlf = piece == "\n" && text.as_bytes().get(at.wrapping_sub(1)) == Some(&b'\r');
        if !crlf {
            let core = trim(raw);
            let above = all.last().filter(|l| !l.quoted).map_or("", |l| l.core);
            let quoted = is_quoted(core) && !is_folded_address(core, above);
            all.push(Line { at, raw, core, quoted, next: usize::MAX });
        }
        at += piece.len();
    }
    mark_initials(&mut all);
    unmark_from(&mut all);
    let mut next = usize::MAX;
    for (i, line) in all.iter_mut().enumerate().rev() {
        line.next = next;
        if !line.blank() {
            next = i;
        }
    }
    all
}

/// Some clients mark quotes with initials (`DI> `): two lines of the same ones, one below the other.
fn mark_initials(lines: &mut [Line<'_>]) {
    let mut above: Option<(usize, &str)> = None;
    let mut found = Vec::new();
    for (i, line) in lines.iter().enumerate().filter(|(_, l)| !l.blank()) {
        let here = initials(line.core).map(|name| (i, name));
        if let (Some((j, before)), Some((_, name))) = (above, here)
            && before == name
        {
            found.extend([i, j]);
        }
        above = here;
    }
    for i in found {
        if let Some(line) = lines.get_mut(i) {
            line.quoted = true;
        }
    }
}

/// A mailbox file puts `>` before a line of anybody's that begins with "From ".
fn unmark_from(lines: &mut [Line<'_>]) {
    for i in 0..lines.len() {
        let marked = |at: usize| lines.get(at).is_some_and(|l| l.quoted);
        let escaped = lines.get(i).is_some_and(|l| l.raw.trim_start_matches('>').starts_with("From ") && l.quoted);
        if escaped
            && !marked(i + 1)
            && !marked(i.wrapping_sub(1))
            && let Some(line) = lines.get_mut(i)
        {
            line.quoted = false;
        }
    }
}

/// `DI` of `DI> text`.
fn initials(core: &str) -> Option<&str> {
    let (name, rest) = core.get(..16).unwrap_or(core).split_once('>')?;
    let marked = rest.is_empty() || rest.starts_with([' ', '>']);
    let named = (1..=12).contains(&name.len()) && name.starts_with(char::is_uppercase);
    (marked && named && name.chars().all(char::is_alphanumeric)).then_some(name)
}

/// Holds an address: `@` with a name before it and a domain after it.
pub(super) fn has_address(s: &str) -> bool {
    s.match_indices('@').any(|(at, _)| {
        let before = s.get(..at).and_then(|b| b.chars().next_back());
        let after = s.get(at + 1..).and_then(|a| a.chars().next());
        before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric)
    })
}

/// What of a date stands in a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Dated {
    /// A day: `12/07/2000`, `2016-03-03`, `2016年12月`, or a year beside another number.
    pub day: bool,
    /// A time of day: `10:45`.
    pub time: bool,
}

/// Looks for a date: numbers and what joins them, so in any language.
pub(super) fn dated(s: &str) -> Dated {
    let (mut found, mut numbers, mut year) = (Dated::default(), 0u32, false);
    let (mut value, mut digits, mut joints, mut joint) = (0u32, 0u32, 0u32, ' ');
    for c in s.chars().chain([' ']) {
        if let Some(digit) = digit(c) {
            (value, digits) = (value.saturating_mul(10).saturating_add(digit), digits + 1);
            continue;
        }
        if digits > 0 {
            numbers += 1;
            year |= digits == 4 && (1980..2100).contains(&value);
            found.time |= joint == ':' && digits == 2;
            let dates = matches!(joint, '/' | '-' | '.') && matches!(digits, 1 | 2 | 4);
            joints = if dates { joints + 1 } else { 0 };
            found.day |= joints == 2 || matches!(c, '年' | '년');
            joint = c;
        } else if !(joint == '.' && c == ' ') {
            (joint, joints) = (' ', 0);
        }
        (value, digits) = (0, 0);
    }
    found.day |= year && numbers > 1;
    found
}

/// Decimal digits of the scripts mail clients date in.
fn digit(c: char) -> Option<u32> {
    match c {
        '0'..='9' => c.to_digit(10),
        '\u{660}'..='\u{669}' => u32::from(c).checked_sub(0x660),
        '\u{6f0}'..='\u{6f9}' => u32::from(c).checked_sub(0x6f0),
        '\u{ff10}'..='\u{ff19}' => u32::from(c).checked_sub(0xff10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn line_ends_of_any_kind() {
        let cores = |s| lines(s).iter().map(|l| l.core).collect::<Vec<_>>();
        assert_eq!(cores("a\r\nb\n\nc\rd"), ["a", "b", "", "c", "d"]);
        assert_eq!(cores("=09To: x=20\r\n"), ["To: x"]);
        assert_eq!(cores("\u{202b}x:\u{202c}\n"), ["x:"]);
        assert!(cores("").is_empty());
    }

    #[test]
    fn dates() {
        let check = |s, day, time| assert_eq!(dated(s), Dated { day, time }, "{s}");
        check("12/07/2000 10:45 AM", true, true);
        check("2016-03-03 17:21 GMT+01:00", true, true);
        check("Mon, Feb 1, 2016 at 6:32 PM", true, true);
        check("1. 1. 2020", true, false);
        check("2016年12月12日，下午8:45", true, true);
        check("٢٠٢٠ ١", true, false);
        check("version 1.2", false, false);
        check("in 2 weeks", false, false);
        check("call 713-853-6577", false, false);
        check("", false, false);
    }

    #[test]
    fn quote_marks() {
        let check = |s: &str, quoted| assert_eq!(lines(s)[0].quoted, quoted, "{s}");
        check("> a", true);
        check("  >> a", true);
        check(">", true);
        check("-> a", false);
        check(">>> http://shop.example <<<", false);
        check(">>> <dana@uni.example> 2/16/01 10:41 am >>>", false);
    }

    #[test]
    fn addresses() {
        assert!(has_address("Dana <dana@uni.example>"));
        assert!(!has_address("lunch @ 10, me@ or @you"));
    }
}
