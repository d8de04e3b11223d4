//! Answers as the clients of their writers make them: text and HTML with the whole quote, in their encodings.

/// A reminder as it lies in the inbox.
#[derive(Clone, Debug)]
pub struct Reminder {
    pub message_id: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

pub const ME: &str = "Alex Doe <alex@example.org>";
pub const KITHD: &str = "kithd <alex@example.org>";

/// Who the answer is written with.
pub const STYLES: [fn(&Reminder, &str) -> String; 10] = [
    gmail_web,
    gmail_android,
    outlook_desktop,
    outlook_web,
    apple_mail,
    iphone,
    thunderbird_text,
    thunderbird_html,
    k9,
    mutt,
];

/// The head of a genuine answer.
pub fn head(reminder: &Reminder, id: &str) -> String {
    let (subject, date, parent) = (&reminder.subject, crate::life::date(0), &reminder.message_id);
    format!(
        "From: {ME}\nTo: {KITHD}\nSubject: Re: {subject}\nDate: {date}\nMessage-ID: <{id}>\n\
         In-Reply-To: <{parent}>\nReferences: <d1@uni.example> <{parent}>\nMIME-Version: 1.0\n"
    )
}

fn quoted(text: &str) -> String {
    text.trim_end().lines().map(|l| if l.is_empty() { ">\n".to_string() } else { format!("> {l}\n") }).collect()
}

/// The body of the reminder's page, as a client quotes it.
fn body(html: &str) -> &str {
    let start = html.find("<body").and_then(|at| html[at..].find('>').map(|end| at + end + 1)).unwrap_or(0);
    &html[start..html.find("</body>").unwrap_or(html.len())]
}

fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, b| bits << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for n in 0..4 {
            let sign = ALPHABET[(bits >> (18 - 6 * n) & 63) as usize] as char;
            out.push(if n <= chunk.len() { sign } else { '=' });
        }
    }
    out.as_bytes().chunks(76).map(|l| format!("{}\n", std::str::from_utf8(l).unwrap())).collect()
}

fn printable(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut length = 0;
        for b in line.bytes() {
            let one = if b.is_ascii_graphic() && b != b'=' || b == b' ' {
                (b as char).to_string()
            } else {
                format!("={b:02X}")
            };
            if length + one.len() > 74 {
                out.push_str("=\n");
                length = 0;
            }
            length += one.len();
            out.push_str(&one);
        }
        if out.ends_with(' ') {
            out.pop();
            out.push_str("=20");
        }
        out.push('\n');
    }
    out
}

fn part(kind: &str, encoding: &str, text: &str) -> String {
    let coded = match encoding {
        "base64" => base64(text),
        "quoted-printable" => printable(text),
        _ => text.to_string(),
    };
    format!("Content-Type: {kind}; charset=\"UTF-8\"\nContent-Transfer-Encoding: {encoding}\n\n{coded}\n")
}

fn alternative(mark: &str, encoding: &str, text: &str, html: &str) -> String {
    format!(
        "Content-Type: multipart/alternative; boundary=\"{mark}\"\n\n--{mark}\n{}--{mark}\n{}--{mark}--\n",
        part("text/plain", encoding, text),
        part("text/html", encoding, html)
    )
}

fn gmail_web(r: &Reminder, say: &str) -> String {
    let said = "On Mon, Nov 23, 2026 at 8:00\u{202f}AM kithd <alex@example.org> wrote:";
    let text = format!("{say}\n\n{said}\n\n{}", quoted(&r.text));
    let html = format!(
        "<div dir=\"ltr\">{}</div><br><div class=\"gmail_quote gmail_quote_container\"><div dir=\"ltr\" class=\"gmail_attr\">{}<br></div><blockquote class=\"gmail_quote\" style=\"margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex\">{}</blockquote></div>",
        say.replace('\n', "<br>"),
        said.replace('<', "&lt;").replace('>', "&gt;"),
        body(&r.html)
    );
    alternative("00000000000061f1c8062", "quoted-printable", &text, &html)
}

fn gmail_android(r: &Reminder, say: &str) -> String {
    let text = format!("{say}\n\nOn Mon, 23 Nov 2026, 08:00 kithd, <alex@example.org> wrote:\n\n{}", quoted(&r.text));
    let html = format!(
        "<div dir=\"auto\">{}</div><br><div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">On Mon, 23 Nov 2026, 08:00 kithd, &lt;<a href=\"mailto:alex@example.org\">alex@example.org</a>&gt; wrote:<br></div><blockquote class=\"gmail_quote\" style=\"margin:0 0 0 .8ex;border-left:1px #ccc solid;padding-left:1ex\">{}</blockquote></div>",
        say.replace('\n', "<br>"),
        body(&r.html)
    );
    alternative("000000000000a2", "base64", &text, &html)
}

fn outlook_head(r: &Reminder) -> String {
    format!(
        "From: kithd <alex@example.org>\nSent: Monday, November 23, 2026 8:00 AM\nTo: Alex Doe <alex@example.org>\nSubject: {}\n",
        r.subject
    )
}

fn outlook_desktop(r: &Reminder, say: &str) -> String {
    let text = format!("{say}\n\n \n\n{}\n{}", outlook_head(r), r.text);
    let lines: String = say.lines().map(|l| format!("<p class=\"MsoNormal\">{l}<o:p></o:p></p>")).collect();
    let html = format!(
        "<html xmlns:o=\"urn:schemas-microsoft-com:office:office\"><head><style><!--\np.MsoNormal {{margin:0cm;}}\n--></style></head><body lang=\"EN-US\"><div class=\"WordSection1\">{lines}<p class=\"MsoNormal\"><o:p>&nbsp;</o:p></p><div><div style=\"border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm\"><p class=\"MsoNormal\"><b>From:</b> kithd &lt;alex@example.org&gt; <br><b>Sent:</b> Monday, November 23, 2026 8:00 AM<br><b>To:</b> Alex Doe &lt;alex@example.org&gt;<br><b>Subject:</b> {}<o:p></o:p></p></div></div>{}</div></body></html>",
        r.subject,
        body(&r.html)
    );
    alternative("_000_DB9PR", "base64", &text, &html)
}

/// HTML only.
fn outlook_web(r: &Reminder, say: &str) -> String {
    let html = format!(
        "<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body dir=\"ltr\"><div class=\"elementToProof\" style=\"font-family: Aptos, sans-serif;\">{}</div><div id=\"appendonsend\"></div><hr style=\"display:inline-block;width:98%\" tabindex=\"-1\"><div id=\"divRplyFwdMsg\" dir=\"ltr\"><font face=\"Calibri, sans-serif\"><b>From:</b> kithd &lt;alex@example.org&gt;<br><b>Sent:</b> Monday, November 23, 2026 8:00 AM<br><b>To:</b> Alex Doe &lt;alex@example.org&gt;<br><b>Subject:</b> {}</font><div>&nbsp;</div></div><div>{}</div></body></html>",
        say.replace('\n', "<br>"),
        r.subject,
        body(&r.html)
    );
    part("text/html", "quoted-printable", &html)
}

fn apple_mail(r: &Reminder, say: &str) -> String {
    let text =
        format!("{say}\n\n> On 23. Nov 2026, at 08:00, kithd <alex@example.org> wrote:\n> \n{}\n", quoted(&r.text));
    let html = format!(
        "<html><head><meta http-equiv=\"content-type\" content=\"text/html; charset=utf-8\"></head><body style=\"overflow-wrap: break-word; -webkit-nbsp-mode: space; line-break: after-white-space;\">{}<br id=\"lineBreakAtBeginningOfMessage\"><div><br><blockquote type=\"cite\"><div>On 23. Nov 2026, at 08:00, kithd &lt;alex@example.org&gt; wrote:</div><br class=\"Apple-interchange-newline\"><div>{}</div></blockquote></div><br></body></html>",
        say.replace('\n', "<br>"),
        body(&r.html)
    );
    alternative("Apple-Mail=_1D3C", "quoted-printable", &text, &html)
}

fn iphone(r: &Reminder, say: &str) -> String {
    let text = format!(
        "{say}\n\nSent from my iPhone\n\n> On 23. Nov 2026, at 08:00, kithd <alex@example.org> wrote:\n> \n> \u{feff}{}",
        quoted(&r.text).trim_start_matches("> ")
    );
    let html = format!(
        "<html><head><meta http-equiv=\"content-type\" content=\"text/html; charset=utf-8\"></head><body dir=\"auto\">{}<br id=\"lineBreakAtBeginningOfSignature\"><div dir=\"ltr\">Sent from my iPhone</div><div dir=\"ltr\"><br><blockquote type=\"cite\">On 23. Nov 2026, at 08:00, kithd &lt;alex@example.org&gt; wrote:<br><br></blockquote></div><blockquote type=\"cite\"><div dir=\"ltr\">\u{feff}{}</div></blockquote></body></html>",
        say.replace('\n', "<br>"),
        body(&r.html)
    );
    alternative("Apple-Mail-0B3F", "base64", &text, &html)
}

fn thunderbird_text(r: &Reminder, say: &str) -> String {
    let text = format!("On 23.11.26 08:00, kithd wrote:\n{}\n\n-- \nAlex Doe\n", quoted(&r.text));
    // the answer above the quote, as the account is set
    let text = format!("{say}\n\n{text}");
    format!("Content-Type: text/plain; charset=UTF-8; format=flowed\nContent-Transfer-Encoding: 8bit\n\n{text}")
}

fn thunderbird_html(r: &Reminder, say: &str) -> String {
    let text = format!("{say}\n\nOn 23.11.26 08:00, kithd wrote:\n{}", quoted(&r.text));
    let html = format!(
        "<!DOCTYPE html>\n<html>\n  <head>\n    <meta http-equiv=\"Content-Type\" content=\"text/html; charset=UTF-8\">\n  </head>\n  <body>\n    <p>{}</p>\n    <p><br>\n    </p>\n    <div class=\"moz-cite-prefix\">On 23.11.26 08:00, kithd wrote:<br>\n    </div>\n    <blockquote type=\"cite\" cite=\"mid:{}\">{}</blockquote>\n  </body>\n</html>\n",
        say.replace('\n', "<br>\n"),
        r.message_id,
        body(&r.html)
    );
    alternative("------------T0x", "8bit", &text, &html)
}

fn k9(r: &Reminder, say: &str) -> String {
    let text = format!(
        "{say}\n\nOn 23 November 2026 08:00:00 CET, kithd <alex@example.org> wrote:\n{}",
        quoted(&r.text).replace("> ", ">")
    );
    let html = format!(
        "<!DOCTYPE html><html><body><div dir=\"auto\">{}</div><br><br><div class=\"gmail_quote\"><div dir=\"auto\">On 23 November 2026 08:00:00 CET, kithd &lt;alex@example.org&gt; wrote:</div><blockquote class=\"gmail_quote\" style=\"margin: 0pt 0pt 0pt 0.8ex; border-left: 1px solid rgb(204, 204, 204); padding-left: 1ex;\">{}</blockquote></div></body></html>",
        say.replace('\n', "<br>"),
        body(&r.html)
    );
    alternative("----K9", "quoted-printable", &text, &html)
}

fn mutt(r: &Reminder, say: &str) -> String {
    let text = format!("{say}\n\nOn Mon, Nov 23, 2026 at 08:00:00AM +0100, kithd wrote:\n{}", quoted(&r.text));
    format!(
        "Content-Type: text/plain; charset=utf-8\nContent-Disposition: inline\nContent-Transfer-Encoding: 8bit\n\n{text}"
    )
}
