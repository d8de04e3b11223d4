//! What is said of a source that cannot be read, in the language of the mails. Part of `outbox`.
//!
//! Invariant: only sentences of kithd's own are put into another language; what a server, a program or the operating
//! system said, and every name, path and number, stays as it was.

use std::sync::LazyLock;

use serde::Deserialize;

/// One sentence, in each language the mails have.
#[derive(Deserialize)]
struct Fault {
    en: String,
    de: String,
    fr: String,
    es: String,
}

#[derive(Deserialize)]
struct Faults {
    fault: Vec<Fault>,
}

static FAULTS: LazyLock<Vec<Fault>> =
    LazyLock::new(|| toml::from_str(include_str!("words/faults.toml")).map_or(Vec::new(), |all: Faults| all.fault));

/// Places of a sentence that hold sentences themselves.
const NESTED: &[&str] = &["why", "doing", "place"];

/// As deep as sentences are put together, with room.
const DEPTH: usize = 8;

/// `text` in `language`, as far as its sentences are known. `colon` is how the language writes one.
pub(super) fn translated(text: &str, language: &str, colon: &str) -> String {
    if language == "en" { text.to_string() } else { piece(text, language, colon, DEPTH) }
}

fn piece(text: &str, language: &str, colon: &str, depth: usize) -> String {
    let part = |text: &str| match depth.checked_sub(1) {
        Some(depth) => piece(text, language, colon, depth),
        None => text.to_string(),
    };
    if let Some((head, mark, tail)) = split(text) {
        let mark = if mark == ':' { colon.to_string() } else { colon.replace(':', ";") };
        return format!("{}{}", part(head), if tail.is_empty() { mark } else { mark + &part(tail) });
    }
    let known = FAULTS.iter().find_map(|fault| Some((fault, matched(&fault.en, text)?)));
    let Some((fault, facts)) = known else { return text.to_string() };
    let template = match language {
        "de" => &fault.de,
        "fr" => &fault.fr,
        "es" => &fault.es,
        _ => &fault.en,
    };
    filled(template, &facts, &part)
}

/// What stands in the places of `template`, where the rest of it is `text`: each as short as can be.
fn matched<'a>(template: &'a str, text: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let mut places = template.split('{');
    let mut rest = text.strip_prefix(places.next()?)?;
    let mut facts = Vec::new();
    let mut places = places.peekable();
    while let Some(place) = places.next() {
        let (name, after) = place.split_once('}')?;
        let (fact, left) = match places.peek() {
            None => (rest.strip_suffix(after)?, ""),
            Some(_) => rest.split_once(after)?,
        };
        let one_word = matches!(name, "host" | "n");
        if fact.is_empty() || (one_word && fact.contains(' ')) {
            return None;
        }
        facts.push((name, fact));
        rest = left;
    }
    rest.is_empty().then_some(facts)
}

fn filled(template: &str, facts: &[(&str, &str)], nested: &dyn Fn(&str) -> String) -> String {
    let mut places = template.split('{');
    let mut out = places.next().unwrap_or_default().to_string();
    for place in places {
        let (name, after) = place.split_once('}').unwrap_or(("", place));
        let fact = facts.iter().find(|(n, _)| *n == name).map_or("", |(_, fact)| fact);
        if NESTED.contains(&name) {
            out.push_str(&nested(fact))
        } else {
            out.push_str(fact)
        }
        out.push_str(after);
    }
    out
}

/// At the first `: ` or `; ` that is not in parentheses, where a server's words stand.
fn split(text: &str) -> Option<(&str, char, &str)> {
    let mut depth = 0_i32;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ':' | ';' if depth <= 0 => {
                let (head, rest) = text.split_at_checked(at)?;
                match rest.get(1..) {
                    Some("") => return Some((head, c, "")),
                    Some(rest) if rest.starts_with(' ') => return Some((head, c, rest.trim_start())),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;

    fn german(text: &str) -> String {
        translated(text, "de", ": ")
    }

    #[test]
    fn sentences_are_taken_apart_and_facts_stay() {
        for (text, expected) in [
            (
                "`work`: imap.example.org refuses the login of alex (AUTHENTICATIONFAILED: check the network): check `username` and `password`",
                "`work`: imap.example.org weist die Anmeldung von alex ab (AUTHENTICATIONFAILED: check the network): prüfe `username` und `password`",
            ),
            (
                "the calendar `team` cannot be read: \"Cal\": dav.example has a fault of its own (503); it is asked again later; `exclude` leaves it out",
                "der Kalender `team` lässt sich nicht lesen: \"Cal\": dav.example hat selbst einen Fehler (503); ich frage später wieder; `exclude` lässt es weg",
            ),
            (
                "the folder `INBOX` of `a b` cannot be read: h refuses to open INBOX (SERVERBUG: broken): it is tried again later",
                "der Ordner `INBOX` von `a b` lässt sich nicht lesen: h weigert sich, INBOX zu öffnen (SERVERBUG: broken): ich versuche es später wieder",
            ),
            ("nothing listens at h:993: check `host` and `port`", "an h:993 nimmt niemand ab: prüfe `host` und `port`"),
            ("what nobody ever heard of: check `url`", "what nobody ever heard of: prüfe `url`"),
            ("", ""),
        ] {
            assert_eq!(german(text), expected);
        }
        let french = translated("h has nothing there (404): check `url`", "fr", " : ");
        assert_eq!(french, "h n’a rien à cet endroit (404) : vérifie `url`");
        assert_eq!(translated("h has nothing there (404)", "en", ": "), "h has nothing there (404)");
    }

    #[test]
    fn each_language_has_the_facts_of_the_sentence() {
        let places = |text: &str| {
            let mut all: Vec<String> =
                text.split('{').skip(1).map(|p| p.split_once('}').unwrap().0.to_string()).collect();
            all.sort();
            all
        };
        assert!(FAULTS.len() > 200, "faults.toml is read");
        for fault in FAULTS.iter() {
            for other in [&fault.de, &fault.fr, &fault.es] {
                assert_eq!(places(&fault.en), places(other), "{other}");
                assert!(*other != fault.en && !other.trim().is_empty(), "{other}");
            }
        }
    }

    /// Whoever changes the English sentence in the code finds its translations here.
    #[test]
    fn the_code_says_each_of_them() {
        let mut code = String::new();
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("outbox/faults.rs") {
                    code.push_str(&std::fs::read_to_string(path).unwrap());
                }
            }
        }
        let code = code.replace("\\\"", "\"").replace("\\\n", "\n");
        let code = code.split_whitespace().collect::<Vec<_>>().join(" ");
        // what the code puts into its sentences
        let words = ["`", "calendar", "address book", "of the environment", "the secret file"];
        for fault in FAULTS.iter() {
            let open: String =
                fault.en.split('{').map(|p| p.split_once('}').map_or(p, |(_, p)| p)).collect::<Vec<_>>().join("\0");
            let open = words.iter().fold(open, |text, word| text.replace(word, "\0"));
            for piece in open.split('\0').map(|p| p.trim_matches(|c: char| !c.is_alphanumeric())) {
                let piece = piece.strip_suffix(" to").unwrap_or(piece);
                assert!(piece.len() < 4 || code.contains(piece), "{piece:?} of {:?}", fault.en);
            }
        }
    }

    /// What hostile servers make kithd say (tests/hostile) is known to the end, but for their own words.
    #[test]
    fn what_servers_make_kithd_say_is_known() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile");
        let mut seen = 0;
        for file in ["imap.txt", "http.txt", "caldav.txt"] {
            let text = std::fs::read_to_string(folder.join(file)).unwrap();
            let said = text.lines().filter_map(|l| l.strip_prefix("= failing, ")?.split_once(" read: "));
            for (_, said) in said {
                let told = german(said);
                let own = told.split('(').next().unwrap().split("kein IMAP ist:").next().unwrap();
                let english = [" the ", " is ", " sends ", " check ", " answers", "cannot", " to "];
                assert!(!english.iter().any(|word| format!(" {own} ").contains(word)), "{said}\n{told}");
                assert_ne!(said, told);
                seen += 1;
            }
        }
        assert!(seen > 50, "{seen}");
    }

    proptest::proptest! {
        #[test]
        fn any_text_passes(text in ".{0,200}") {
            let _ = translated(&text, "fr", " : ");
        }
    }
}
