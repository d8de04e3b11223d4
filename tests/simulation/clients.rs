//! How clients write: attributions, quotes, signatures, HTML.
//!
//! Written after what these programs put on the wire; the quoting style is the writer's, the words
//! of the attribution are of the writer's language.

use kithd::time::{Timestamp, Zone};

use super::cast::{Client, Person, Tongue};
use super::phrases::untidy;

/// What is quoted.
pub struct Quoted<'a> {
    pub at: Timestamp,
    pub from: &'a Person,
    pub from_address: &'a str,
    pub to: String,
    pub subject: &'a str,
    pub text: &'a str,
}

pub struct Rendered {
    pub plain: String,
    pub html: Option<String>,
}

fn weekday(tongue: Tongue, n: i8) -> &'static str {
    let all = match tongue {
        Tongue::En => ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        Tongue::De => ["Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So."],
        Tongue::Fr => ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."],
        Tongue::Es => ["lun", "mar", "mié", "jue", "vie", "sáb", "dom"],
        Tongue::It => ["lun", "mar", "mer", "gio", "ven", "sab", "dom"],
        Tongue::Nl => ["ma", "di", "wo", "do", "vr", "za", "zo"],
    };
    all[usize::try_from(n).unwrap()]
}

pub fn month(tongue: Tongue, n: i8) -> &'static str {
    let all = match tongue {
        Tongue::En => ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
        Tongue::De => ["Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."],
        Tongue::Fr => {
            ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."]
        }
        Tongue::Es => ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"],
        Tongue::It => ["gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic"],
        Tongue::Nl => ["jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"],
    };
    all[usize::try_from(n - 1).unwrap()]
}

fn attribution(client: Client, tongue: Tongue, q: &Quoted<'_>, zone: &Zone) -> String {
    let t = zone.local(q.at);
    let (name, address) = (q.from.name(), q.from_address);
    let (d, m, y, h, min) = (t.day(), t.month(), t.year(), t.hour(), t.minute());
    let (wd, mon) = (weekday(tongue, t.weekday().to_monday_zero_offset()), month(tongue, m));
    let (h12, half) = (if h % 12 == 0 { 12 } else { h % 12 }, if h < 12 { "AM" } else { "PM" });
    match (client, tongue) {
        (Client::Gmail, Tongue::En) => {
            format!("On {wd}, {mon} {d}, {y} at {h12}:{min:02}\u{202f}{half} {name} <{address}> wrote:")
        }
        (Client::Gmail, Tongue::De) => {
            format!("Am {wd}, {d}. {mon} {y} um {h:02}:{min:02} Uhr schrieb {name} <{address}>:")
        }
        (Client::Gmail, Tongue::Fr) => format!("Le {wd} {d} {mon} {y} à {h:02}:{min:02}, {name} <{address}> a écrit :"),
        (Client::Gmail, Tongue::Es) => {
            format!("El {wd}, {d} {mon} {y} a las {h}:{min:02}, {name} (<{address}>) escribió:")
        }
        (Client::Gmail, Tongue::It) => {
            format!("Il giorno {wd} {d} {mon} {y} alle ore {h:02}:{min:02} {name} <{address}> ha scritto:")
        }
        (Client::Gmail, Tongue::Nl) => format!("Op {wd} {d} {mon} {y} om {h:02}:{min:02} schreef {name} <{address}>:"),
        (Client::Thunderbird, Tongue::En) => format!("On {m}/{d}/{} {h12}:{min:02} {half}, {name} wrote:", y % 100),
        (Client::Thunderbird, Tongue::De) => format!("Am {d:02}.{m:02}.{} um {h:02}:{min:02} schrieb {name}:", y % 100),
        (Client::Thunderbird, Tongue::Fr) => format!("Le {d:02}/{m:02}/{y} à {h:02}:{min:02}, {name} a écrit :"),
        (Client::Thunderbird, Tongue::Es) => format!("El {d}/{m}/{} a las {h}:{min:02}, {name} escribió:", y % 100),
        (Client::Thunderbird, Tongue::It) => {
            format!("Il {d:02}/{m:02}/{} {h:02}:{min:02}, {name} ha scritto:", y % 100)
        }
        (Client::Thunderbird, Tongue::Nl) => format!("Op {d:02}-{m:02}-{y} om {h:02}:{min:02} schreef {name}:"),
        (Client::Mutt, _) => {
            format!("On {wd}, {} {d:02}, {y} at {h:02}:{min:02}:00PM +0200, {name} wrote:", month(Tongue::En, m))
        }
        (_, Tongue::En) => format!("On {d} {mon} {y}, at {h:02}:{min:02}, {name} <{address}> wrote:"),
        (_, Tongue::De) => format!("Am {d:02}.{m:02}.{y} um {h:02}:{min:02} schrieb {name} <{address}>:"),
        (_, Tongue::Fr) => format!("Le {d} {mon} {y} à {h:02}:{min:02}, {name} <{address}> a écrit :"),
        (_, Tongue::Es) => format!("El {d} {mon} {y}, a las {h}:{min:02}, {name} <{address}> escribió:"),
        (_, Tongue::It) => format!("Il giorno {d} {mon} {y}, alle ore {h:02}:{min:02}, {name} <{address}> ha scritto:"),
        (_, Tongue::Nl) => {
            format!("Op {d} {mon} {y}, om {h:02}:{min:02} heeft {name} <{address}> het volgende geschreven:")
        }
    }
}

/// The block of header lines Outlook puts above what it quotes.
fn outlook_block(tongue: Tongue, q: &Quoted<'_>, zone: &Zone) -> String {
    let t = zone.local(q.at);
    let words = match tongue {
        Tongue::En => ["From", "Sent", "To", "Subject"],
        Tongue::De => ["Von", "Gesendet", "An", "Betreff"],
        Tongue::Fr => ["De ", "Envoyé ", "À ", "Objet "],
        Tongue::Es => ["De", "Enviado", "Para", "Asunto"],
        Tongue::It => ["Da", "Inviato", "A", "Oggetto"],
        Tongue::Nl => ["Van", "Verzonden", "Aan", "Onderwerp"],
    };
    format!(
        "{}: {} <{}>\n{}: {} {} {} {:02}:{:02}\n{}: {}\n{}: {}",
        words[0],
        q.from.name(),
        q.from_address,
        words[1],
        t.day(),
        month(tongue, t.month()),
        t.year(),
        t.hour(),
        t.minute(),
        words[2],
        q.to,
        words[3],
        q.subject
    )
}

fn phone_line(tongue: Tongue) -> &'static str {
    match tongue {
        Tongue::En => "Sent from my iPhone",
        Tongue::De => "Von meinem iPhone gesendet",
        Tongue::Fr => "Envoyé de mon iPhone",
        Tongue::Es => "Enviado desde mi iPhone",
        Tongue::It => "Inviato da iPhone",
        Tongue::Nl => "Verstuurd vanaf mijn iPhone",
    }
}

fn signature(who: &Person) -> Option<String> {
    let firm = who.domain().split('.').next().unwrap_or_default();
    match who.client {
        Client::Outlook => {
            let banner = who.banner.and_then(|n| untidy(who.tongue).banner.get(n)).map(|b| format!("\n\n{b}"));
            let (name, tel, domain) = (who.name(), who.last.len(), who.domain());
            let banner = banner.unwrap_or_default();
            Some(format!("\n{name}\n{firm} | Tel. +49 30 5550{tel:02}\nwww.{domain}{banner}"))
        }
        Client::Thunderbird | Client::Mutt => Some(format!("\n-- \n{}\n{}", who.name(), who.domain())),
        Client::Phone => Some(format!("\n{}", phone_line(who.tongue))),
        Client::Gmail | Client::Apple => None,
    }
}

fn marked(text: &str) -> String {
    text.lines()
        .map(|l| {
            if l.is_empty() {
                ">".to_string()
            } else if l.starts_with('>') {
                format!(">{l}")
            } else {
                format!("> {l}")
            }
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\n', "<br>\n")
}

/// A writer's text with signature and quote, as their client sends it.
pub fn render(who: &Person, text: &str, quoted: Option<&Quoted<'_>>, zone: &Zone) -> Rendered {
    let (client, tongue) = (who.client, who.tongue);
    let signature = signature(who).unwrap_or_default();
    let own = format!("{text}\n{signature}");
    let plain = match quoted {
        None => own.clone(),
        Some(q) if client == Client::Outlook => {
            format!("{own}\n\n________________________________\n{}\n\n{}", outlook_block(tongue, q, zone), q.text)
        }
        Some(q) if client == Client::Mutt => {
            format!("{}\n\n{}\n{text}\n{signature}", attribution(client, tongue, q, zone), marked(q.text))
        }
        Some(q) => format!("{own}\n\n{}\n\n{}\n", attribution(client, tongue, q, zone), marked(q.text)),
    };
    let html = match client {
        Client::Gmail => Some(match quoted {
            None => format!("<div dir=\"ltr\">{}</div>", escape(&own)),
            Some(q) => format!(
                "<div dir=\"ltr\">{}</div><br><div class=\"gmail_quote gmail_quote_container\"><div dir=\"ltr\" class=\"gmail_attr\">{}<br></div><blockquote class=\"gmail_quote\" style=\"margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex\">{}</blockquote></div>",
                escape(&own),
                escape(&attribution(client, tongue, q, zone)),
                escape(q.text)
            ),
        }),
        Client::Outlook => Some(match quoted {
            None => format!(
                "<html><body><div class=\"WordSection1\"><p class=\"MsoNormal\">{}</p></div></body></html>",
                escape(&own)
            ),
            Some(q) => format!(
                "<html><body><div class=\"WordSection1\"><p class=\"MsoNormal\">{}</p></div><hr style=\"display:inline-block;width:98%\"><div id=\"divRplyFwdMsg\" dir=\"ltr\"><font face=\"Calibri\">{}</font></div><div>{}</div></body></html>",
                escape(&own),
                escape(&outlook_block(tongue, q, zone)),
                escape(q.text)
            ),
        }),
        Client::Apple | Client::Phone => Some(match quoted {
            None => format!("<html><body dir=\"auto\">{}</body></html>", escape(&own)),
            Some(q) => format!(
                "<html><body dir=\"auto\"><div dir=\"ltr\">{}</div><div dir=\"ltr\"><br><blockquote type=\"cite\">{}<br><br></blockquote></div><blockquote type=\"cite\"><div dir=\"ltr\">{}</div></blockquote></body></html>",
                escape(&own),
                escape(&attribution(client, tongue, q, zone)),
                escape(q.text)
            ),
        }),
        Client::Thunderbird | Client::Mutt => None,
    };
    Rendered { plain, html }
}
