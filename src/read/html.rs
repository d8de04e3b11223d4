//! HTML mail to plain text, quoted parts dropped. Part of `read`; the only owner of html5gum.
//!
//! Invariant: one pass over at most [`limits::HTML_BYTES`] without a tree (a second one only for a
//! mail that is nothing but a quote), so hostile nesting costs no more than any other markup.

use std::convert::Infallible;

use html5gum::Tokenizer;
use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};

use crate::address::clip;
use crate::limits;

/// What the HTML of a mail holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HtmlText {
    /// The text as a reader sees it, quotes of known clients (blockquote, gmail_quote, ...) left out.
    pub text: String,
    /// Links to the web.
    pub links: u32,
    /// Pictures of one pixel, or hidden ones.
    pub tracking_pixels: u32,
    /// Bytes of markup beside each byte of text, in tenths.
    pub markup_ratio: u32,
}

/// Turns the HTML of an answer into text: every blockquote is taken for a quote.
pub fn read_html(html: &str) -> HtmlText {
    read_mail_html(html, true)
}

/// Turns HTML into text. In a mail that is no answer (`is_reply` false) a blockquote without the
/// marks of a quote is the writer's own emphasis, and stays. A mail that is only a quote keeps it.
pub fn read_mail_html(html: &str, is_reply: bool) -> HtmlText {
    let html = clip(html, limits::HTML_BYTES);
    let first = pass(html, is_reply, false);
    let reader = if first.dropped && first.text.trim().is_empty() { pass(html, is_reply, true) } else { first };
    let text = reader.text.trim_matches(['\n', ' ']).to_string();
    let markup = html.len().saturating_sub(text.len()).saturating_mul(10) / text.len().max(1);
    HtmlText {
        text,
        links: reader.links,
        tracking_pixels: reader.tracking_pixels,
        markup_ratio: u32::try_from(markup).unwrap_or(u32::MAX),
    }
}

fn pass(html: &str, is_reply: bool, keep_quotes: bool) -> Reader {
    let mut reader = Reader { is_reply, keep_quotes, ..Reader::default() };
    let mut tag = Tag::default();
    let mut name: Option<Attribute> = None;
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: html5gum::Span<()>| -> Option<Infallible> {
        match event {
            CallbackEvent::OpenStartTag { name } => tag = Tag::named(name),
            CallbackEvent::AttributeName { name: attribute } => {
                name = Attribute::of(attribute);
                tag.hidden |= attribute == b"hidden";
            }
            CallbackEvent::AttributeValue { value } => tag.set(name.take(), value),
            CallbackEvent::CloseStartTag { .. } => reader.start(std::mem::take(&mut tag)),
            CallbackEvent::EndTag { name } => reader.end(&String::from_utf8_lossy(name)),
            CallbackEvent::String { value } => reader.characters(&String::from_utf8_lossy(value)),
            _ => {}
        }
        None
    });
    emitter.naively_switch_states(true);
    // A reader over a &str cannot fail.
    let _ = Tokenizer::new_with_emitter(html, emitter).finish();
    reader
}

/// The attributes that say something.
#[derive(Clone, Copy)]
enum Attribute {
    Class,
    Id,
    Name,
    Style,
    Href,
    Width,
    Height,
    Cite,
}

impl Attribute {
    fn of(name: &[u8]) -> Option<Attribute> {
        Some(match name {
            b"class" => Attribute::Class,
            b"id" => Attribute::Id,
            b"name" => Attribute::Name,
            b"style" => Attribute::Style,
            b"href" => Attribute::Href,
            b"width" => Attribute::Width,
            b"height" => Attribute::Height,
            b"cite" | b"type" => Attribute::Cite,
            _ => return None,
        })
    }
}

/// A start tag.
#[derive(Default)]
struct Tag {
    name: String,
    class: String,
    id: String,
    label: String,
    style: String,
    web_link: bool,
    tiny: bool,
    cited: bool,
    hidden: bool,
}

impl Tag {
    fn named(name: &[u8]) -> Tag {
        Tag { name: String::from_utf8_lossy(name).into_owned(), ..Tag::default() }
    }

    fn set(&mut self, attribute: Option<Attribute>, value: &[u8]) {
        let Some(attribute) = attribute else { return };
        let value = String::from_utf8_lossy(value.get(..limits::ATTRIBUTE_BYTES).unwrap_or(value)).to_ascii_lowercase();
        match attribute {
            Attribute::Class => self.class = value,
            Attribute::Id => self.id = value.strip_prefix("x_").unwrap_or(&value).to_string(),
            Attribute::Name => self.label = value,
            Attribute::Style => self.style = value.split_whitespace().collect(),
            Attribute::Href => self.web_link = value.trim_start().starts_with("http"),
            Attribute::Width | Attribute::Height => self.tiny |= matches!(value.trim(), "0" | "1" | "1px" | "0px"),
            Attribute::Cite => self.cited = true,
        }
    }

    fn has_class(&self, wanted: &[&str]) -> bool {
        self.class.split_whitespace().any(|c| wanted.contains(&c.strip_prefix("x_").unwrap_or(c)))
    }

    /// Not shown to a reader.
    fn is_hidden(&self) -> bool {
        self.hidden
            || matches!(
                self.name.as_str(),
                "style" | "script" | "head" | "title" | "template" | "svg" | "object" | "select"
            )
            || ["display:none", "visibility:hidden", "mso-hide:all", "max-height:0", "font-size:0"]
                .iter()
                .any(|s| self.style.match_indices(s).any(|(at, found)| ends_value(&self.style, at + found.len())))
    }

    fn is_void(&self) -> bool {
        matches!(
            self.name.as_str(),
            "area" | "base" | "br" | "col" | "embed" | "hr" | "img" | "input" | "link" | "meta" | "source" | "wbr"
        )
    }

    /// From here on everything is the message that is answered or forwarded (Outlook).
    fn begins_original(&self) -> bool {
        matches!(
            self.id.as_str(),
            "divrplyfwdmsg" | "appendonsend" | "mail-editor-reference-message-container" | "olk_src_body_section"
        ) || self.has_class(&["ms-outlook-mobile-reference-message"])
    }

    /// The container of quoted mail in clients that name theirs, or the line above a quote.
    fn is_quote_container(&self) -> bool {
        self.has_class(&[
            "moz-cite-prefix",
            "moz-forward-container",
            "yahoo_quoted",
            "protonmail_quote",
            "proton_quote",
            "tutanota_quote",
            "zmail_extra",
            "missive_quote",
            "front-blockquote",
            "nylas-quote",
            "gmail_attr",
        ]) || self.class.split_whitespace().any(|c| c.ends_with("yahoo_quoted")) // "ydp1f5b3a7eyahoo_quoted", 2026
            || self.id.contains("yahoo_quoted")
            || matches!(self.id.as_str(), "reply-intro" | "replybody" | "isreplycontent" | "isforwardcontent")
            || matches!(self.label.as_str(), "messagereplysection" | "quote")
    }

    /// The line that an app puts below a text, marked as its own.
    fn is_app_signature(&self) -> bool {
        let ids = ["ymail_android_signature", "ymail_ios_signature", "ms-outlook-mobile-signature"];
        ids.contains(&self.id.as_str()) || self.has_class(&["ms-outlook-ios-signature"])
    }

    /// A blockquote with the marks of a quote: mail clients cite, or draw a line at its left.
    fn is_cited(&self) -> bool {
        self.cited || self.style.contains("border-left") || self.class.contains("quote") || self.class.contains("cite")
    }
}

/// Does a style value end at `at`? `font-size:0.9em` is no `font-size:0`.
fn ends_value(style: &str, at: usize) -> bool {
    let rest = style.get(at..).unwrap_or_default();
    let rest = rest.strip_prefix("px").or_else(|| rest.strip_prefix('%')).unwrap_or(rest);
    rest.is_empty() || rest.starts_with([';', '!'])
}

/// An element whose content is left out: until its end tag, nested ones of its name counted.
struct Skip {
    name: String,
    depth: u32,
    /// Gmail's blockquote, right inside its container.
    gmail_quote: bool,
}

/// Gmail's `div.gmail_quote`: holds the attribution and the quote, and answers written between the
/// pieces of a quote.
struct Container {
    depth: u32,
    answered: bool,
}

#[derive(Default)]
struct Reader {
    text: String,
    skip: Option<Skip>,
    container: Option<Container>,
    /// Everything from here on is an older message.
    ended: bool,
    pre: u32,
    is_reply: bool,
    keep_quotes: bool,
    /// Something that may have been text was left out.
    dropped: bool,
    links: u32,
    tracking_pixels: u32,
}

impl Reader {
    fn start(&mut self, tag: Tag) {
        if self.ended || self.still_skipped(&tag) {
            return;
        }
        self.links = self.links.saturating_add(u32::from(tag.name == "a" && tag.web_link));
        if tag.name == "img" {
            let tiny = tag.tiny || tag.is_hidden() || tag.style.contains("width:1px");
            self.tracking_pixels = self.tracking_pixels.saturating_add(u32::from(tiny));
        }
        if tag.is_hidden() && !tag.is_void() {
            self.skip = Some(Skip { name: tag.name, depth: 1, gmail_quote: false });
            return;
        }
        if !self.keep_quotes && self.drops(&tag) {
            self.dropped = true;
            return;
        }
        if tag.name == "div"
            && let Some(container) = &mut self.container
        {
            container.depth = container.depth.saturating_add(1);
        }
        self.layout(&tag);
    }

    /// Inside an element that is left out? Tags of the same name are counted; a body ends a head,
    /// and a block ends a paragraph, whose end tags may be missing.
    fn still_skipped(&mut self, tag: &Tag) -> bool {
        let Some(skip) = &mut self.skip else { return false };
        let over = match skip.name.as_str() {
            "head" | "title" => tag.name == "body",
            "p" => is_block(&tag.name),
            _ => false,
        };
        if over {
            self.skip = None;
            return false;
        }
        if tag.name == skip.name {
            skip.depth = skip.depth.saturating_add(1);
        }
        true
    }

    /// Takes a quote out of the text. `true` if the tag began one.
    fn drops(&mut self, tag: &Tag) -> bool {
        if tag.begins_original() {
            self.ended = true;
            return true;
        }
        if tag.name == "div" && self.container.is_none() && tag.has_class(&["gmail_quote", "gmail_quote_container"]) {
            self.line_start();
            self.container = Some(Container { depth: 1, answered: false });
            return true;
        }
        let blockquote = tag.name == "blockquote";
        let attributed = blockquote && self.attribution_start().is_some();
        if blockquote && (self.is_reply || tag.is_cited() || attributed)
            || tag.is_quote_container()
            || tag.is_app_signature()
        {
            if blockquote {
                self.remove_attribution();
            }
            self.line_start();
            let gmail_quote =
                blockquote && tag.has_class(&["gmail_quote"]) && self.container.as_ref().is_some_and(|c| c.depth == 1);
            if !tag.is_void() {
                self.skip = Some(Skip { name: tag.name.clone(), depth: 1, gmail_quote });
            }
            return true;
        }
        false
    }

    /// Where the line above a quote begins ("On 3 May, Ada wrote:"): the last line, where it ends
    /// in a colon and holds a digit or an address.
    fn attribution_start(&self) -> Option<usize> {
        let text = self.text.trim_end();
        if !text.ends_with([':', '：']) {
            return None;
        }
        let start = text.rfind('\n').map_or(0, |n| n + 1);
        let line = text.get(start..)?;
        (line.len() <= 300 && line.contains(|c: char| c.is_ascii_digit() || c == '@')).then_some(start)
    }

    fn remove_attribution(&mut self) {
        if let Some(start) = self.attribution_start() {
            self.text.truncate(start);
        }
    }

    fn end(&mut self, name: &str) {
        if self.ended {
            return;
        }
        if let Some(skip) = &mut self.skip {
            if name == skip.name {
                skip.depth -= 1;
            }
            let over = skip.depth == 0;
            if over {
                if skip.gmail_quote
                    && let Some(container) = &mut self.container
                {
                    container.answered = true;
                }
                self.skip = None;
            }
            return;
        }
        if name == "div"
            && let Some(container) = &mut self.container
        {
            container.depth -= 1;
            if container.depth == 0 {
                self.container = None;
                self.line_start();
            }
        }
        match name {
            "td" | "th" => self.blank(),
            "pre" => {
                self.pre = self.pre.saturating_sub(1);
                self.line_start();
            }
            _ if is_block(name) => self.line_start(),
            _ => {}
        }
    }

    fn layout(&mut self, tag: &Tag) {
        if self.is_muted() {
            return;
        }
        match tag.name.as_str() {
            "br" => self.line_end(),
            "p" if !tag.class.contains("mso") => self.paragraph(),
            "blockquote" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.paragraph(),
            "pre" => {
                self.line_start();
                self.pre = self.pre.saturating_add(1);
            }
            name if is_block(name) => self.line_start(),
            _ => {}
        }
    }

    fn characters(&mut self, text: &str) {
        if self.ended || self.skip.is_some() || self.is_muted() || self.text.len() >= limits::TEXT_BYTES {
            return;
        }
        let mut rest = text;
        while let Some(end) = rest.find(is_space_or_invisible) {
            let (run, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
            self.text.push_str(run);
            let mut tail = tail.chars();
            match tail.next() {
                Some('\n') if self.pre > 0 => self.line_end(),
                Some(' ' | '\t') if self.pre > 0 => self.text.push(' '),
                // Not folded: a paragraph that holds one is how Outlook writes an empty line.
                Some('\u{a0}') => self.text.push(' '),
                Some(' ' | '\t' | '\n' | '\r' | '\x0c') => self.blank(),
                _ => {}
            }
            rest = tail.as_str();
        }
        self.text.push_str(rest);
    }

    /// In Gmail's container before any answer between quotes.
    fn is_muted(&self) -> bool {
        !self.keep_quotes && self.container.as_ref().is_some_and(|c| !c.answered)
    }

    fn blank(&mut self) {
        if !(self.text.is_empty() || self.text.ends_with([' ', '\n'])) {
            self.text.push(' ');
        }
    }

    fn line_start(&mut self) {
        if !(self.text.is_empty() || self.text.ends_with('\n')) {
            self.line_end();
        }
    }

    fn paragraph(&mut self) {
        self.line_start();
        if !self.text.is_empty() {
            self.line_end();
        }
    }

    /// Ends a line, its blanks gone but those of a signature's `-- `; empty lines do not pile up.
    fn line_end(&mut self) {
        let kept = self.text.trim_end_matches(' ').len();
        self.text.truncate(kept);
        if self.text == "--" || self.text.ends_with("\n--") {
            self.text.push(' ');
        }
        if !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }
}

fn is_space_or_invisible(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t'
            | '\n'
            | '\r'
            | '\x0c'
            | '\0'
            | '\u{a0}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{200b}'
            | '\u{200c}'
            | '\u{feff}'
    )
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "center"
            | "dd"
            | "details"
            | "dir"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hr"
            | "li"
            | "main"
            | "nav"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "tr"
            | "ul"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, expected: &str) {
        assert_eq!(read_html(html).text, expected, "{html}");
    }

    #[test]
    fn text_is_laid_out_as_a_browser_would() {
        check("<p>Hello&nbsp;Ada,</p>\n<p>see   you\n<b>soon</b> &amp; well</p>", "Hello Ada,\n\nsee you soon & well");
        check("<div>a</div><div><br></div><div>b<br></div><div>c</div>", "a\n\nb\nc");
        check("a<ul><li>one<li>two</ul>b", "a\none\ntwo\nb");
        check(
            "<p class=MsoNormal>a<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>b</p>",
            "a\n\nb",
        );
        check("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc");
        check("<pre>a\n  b</pre>c", "a\n  b\nc");
        check("x<div>--&nbsp;</div><div>Ada</div>", "x\n-- \nAda");
        check("plain text &lt;3", "plain text <3");
    }

    #[test]
    fn what_is_not_shown_is_not_read() {
        check("<head><title>T</title><style>p{}</style></head><body>a<script>if(1<2){}</script>b", "ab");
        check("<head><title>T<body>a", "");
        check("<div style=\"display: none; max-height:0px\">preview<div>x</div></div>a", "a");
        check("<span style='font-size:0.9em'>small</span>", "small");
        check("<p hidden>x<p>a", "a");
        check("a<!-- <p>no</p> -->b", "ab");
    }

    #[test]
    fn quotes_are_dropped() {
        for quote in [
            "<blockquote type=cite>old</blockquote>",
            "<div class=\"gmail_quote gmail_quote_container\"><div class=gmail_attr>On Mon, Ada wrote:</div><blockquote class=gmail_quote>old</blockquote></div>",
            "<div class=gmail_quote>---------- Forwarded message ---------<br>From: x<br><br>old<blockquote>older</blockquote> old</div>",
            "<div id=appendonsend></div><hr><div id=divRplyFwdMsg><b>From:</b> x</div><div>old</div>",
            "<div class=moz-cite-prefix>On 3 May Ada wrote:<br></div><blockquote type=cite cite='mid:x'>old</blockquote>",
            "<div id=yahoo_quoted_123 class=yahoo_quoted><div>On Mon, x wrote:</div>old</div>",
            "<div class=protonmail_quote>On Mon x wrote:<blockquote type=cite>old</blockquote></div>",
            "<div class=zmail_extra>---- On Mon x wrote ----<blockquote>old</blockquote></div>",
            "<div><br><blockquote type=cite><div>On 3 May 2026, at 10:00, Ada &lt;a@b.example&gt; wrote:</div>old</blockquote></div>",
            "<div name=messageReplySection>On 3 May, Ada wrote:<blockquote>old</blockquote></div>",
            "<div>Am 3. Mai schrieb Ada:</div><blockquote>old</blockquote>",
        ] {
            check(&format!("<div>new</div>{quote}"), "new");
        }
    }

    #[test]
    fn answers_below_and_between_quotes_stay() {
        check("<div>On 3 May Ada wrote:</div><blockquote type=cite>old</blockquote><div>new</div>", "new");
        check("<blockquote type=cite>q1</blockquote>a1<blockquote type=cite>q2</blockquote>a2", "a1\na2");
        check(
            "<div>top</div><div class=gmail_quote><div class=gmail_attr>On Mon x wrote:</div><blockquote class=gmail_quote>q1</blockquote>\
             <div>a1</div><blockquote class=gmail_quote>q2</blockquote><div>a2</div></div><div>end</div>",
            "top\na1\na2\nend",
        );
    }

    #[test]
    fn own_emphasis_and_lone_quotes_stay() {
        let own = "<p>She said:</p><blockquote>Be bold</blockquote><p>and left.</p>";
        assert_eq!(read_mail_html(own, false).text, "She said:\n\nBe bold\n\nand left.");
        assert_eq!(read_mail_html(own, true).text, "She said:\n\nand left.");
        check("<blockquote type=cite>only this</blockquote>", "only this");
        check("<div class=gmail_quote>fwd only</div>", "fwd only");
    }

    #[test]
    fn links_and_pixels_are_counted() {
        let html = "<a href='https://x.example'>a</a><a href='mailto:a@b'>m</a><img width=1 height=1 src=x><img style='display:none'><img width=600>";
        let read = read_html(html);
        assert_eq!((read.links, read.tracking_pixels, read.text.as_str()), (1, 2, "am"));
        assert!(read.markup_ratio > 100);
    }

    #[test]
    fn hostile_markup_is_cheap() {
        for piece in [
            "<div>",
            "<blockquote>",
            "<ul><li>",
            "<a href='",
            "&amp",
            "<table><tr><td>",
            "</div>",
            "<!--",
            "<p hidden>",
            "x:<blockquote></blockquote>",
        ] {
            let html = piece.repeat(limits::HTML_BYTES / piece.len() + 1);
            let began = std::time::Instant::now();
            read_html(&html);
            assert!(began.elapsed().as_secs() < 5, "{piece}");
        }
    }
}
