//! What the mails say, in every language.

use std::collections::BTreeSet;
use std::path::Path;

use kithd::outbox::words::{Words, languages};
use kithd::time::Zone;

use crate::samples::{all, merged, now, words};

/// White space folded.
fn fold(text: &str) -> String {
    text.split([' ', '\n']).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Every leaf of a language's file, by its path.
fn leaves(language: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(format!("src/outbox/words/{language}.toml")).unwrap();
    let tables: toml::Table = toml::from_str(&text).unwrap();
    let mut found = BTreeSet::new();
    for (table, keys) in &tables {
        for (key, value) in keys.as_table().unwrap() {
            let several =
                value.as_array().filter(|_| table != "answer").map_or(String::new(), |a| format!(" x{}", a.len()));
            found.insert(format!("{table}.{key}{several}"));
        }
    }
    found
}

#[test]
fn every_language_has_every_phrase() {
    for language in languages() {
        assert_eq!(leaves(language), leaves("en"), "src/outbox/words/{language}.toml");
    }
}

/// `tests/corpus/mails/LANGUAGE.txt` holds the text of every mail.
#[test]
fn mails_say_what_they_said() {
    for language in languages() {
        let mut got = String::new();
        for (title, mail) in all(&words(language)) {
            got.push_str(&format!("== {title}\nSubject: {}\n\n{}\n", mail.subject, mail.text));
        }
        let file = format!("tests/corpus/mails/{language}.txt");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&file, &got).unwrap();
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(got == expected, "{file} says otherwise: UPDATE_EXPECT=1 rewrites it. Now:\n{got}");
    }
}

#[test]
fn phrases_are_whole_and_short() {
    for language in languages() {
        for (title, mail) in all(&words(language)) {
            let whole = format!("{}\n{}\n{}", mail.subject, mail.text, html_text(&mail.html));
            for wrong in ["{", "}", "%", "..", " .", " ,", "none", "undefined", "()"] {
                let places: Vec<&str> = whole.lines().filter(|l| !l.contains("mailto:") && l.contains(wrong)).collect();
                assert!(places.is_empty(), "{language}, {title}: {wrong:?} in {places:?}");
            }
            assert!(!mail.text.trim_start().is_empty() && !mail.subject.is_empty(), "{language}, {title}");
            assert!(!mail.text.contains("  \n") && !mail.text.contains("\n\n\n"), "{language}, {title}: {}", mail.text);
            let (subject, first) = (mail.subject.chars().count(), mail.text.lines().next().unwrap().chars().count());
            assert!(subject <= 90, "{language}, {title}: a subject of {subject} characters: {}", mail.subject);
            assert!(first <= 420, "{language}, {title}: a reason of {first} characters");
        }
    }
}

/// What a reader of the HTML reads, in order: no tags, no head.
fn html_text(html: &str) -> String {
    let (_, body) = html.split_once("<body").unwrap();
    let mut text = String::new();
    for piece in body.split('<') {
        let (tag, words) = piece.split_once('>').unwrap();
        let is_block = ["h1", "/h", "/p", "/li", "br", "/td", "ul", "ol"].iter().any(|t| tag.starts_with(t));
        text.push_str(if is_block { " " } else { "" });
        text.push_str(words);
    }
    let named = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#x2f;", "/"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    named.iter().fold(text, |t, (name, c)| t.replace(name, c))
}

#[test]
fn text_and_html_say_the_same_in_the_same_order() {
    for language in languages() {
        let words = words(language);
        for (title, mail) in all(&words).into_iter().chain([("merged".to_string(), merged(&words))]) {
            // list marks are the client's, the link is the button, the subject stands above the page
            let mut text = String::new();
            for line in mail.text.lines().filter(|l| *l != "--") {
                let line = line.trim_start();
                let marked = line
                    .strip_prefix("- ")
                    .or_else(|| line.split_once(". ").filter(|(n, _)| n.parse::<u8>().is_ok()).map(|(_, l)| l));
                let line = marked.unwrap_or(line);
                let word = line
                    .split_once("mailto:")
                    .map(|(w, _)| w.trim_end_matches(|c: char| c == ':' || c.is_whitespace()));
                text.push_str(word.unwrap_or(line));
                text.push('\n');
            }
            let html = html_text(&mail.html);
            assert_eq!(fold(&html), fold(&format!("{}\n{text}", mail.subject)), "{language}, {title}");
            assert!(mail.html.contains(&format!("<html lang=\"{language}\">")), "{language}, {title}");
            if let Some(link) = mail.text.split("mailto:").nth(1) {
                let link = link.lines().next().unwrap().replace('&', "&amp;");
                assert!(mail.html.contains(&format!("href=\"mailto:{link}\"")), "{language}, {title}: {link}");
            }
        }
    }
}

#[test]
fn nothing_is_fetched_and_nothing_runs() {
    for language in languages() {
        let words = words(language);
        for (title, mail) in all(&words).into_iter().chain([("merged".to_string(), merged(&words))]) {
            for banned in
                ["<img", "<script", "<link", "<iframe", "<svg", "src=", "url(", "@import", "http:", "https:", "<b>"]
            {
                assert!(!mail.html.contains(banned), "{language}, {title}: {banned}");
            }
        }
    }
}

#[test]
fn a_language_without_a_file_is_english_and_says_so() {
    let zone = Zone::named("Europe/Berlin").unwrap();
    for (asked, given) in
        [("pt", "en"), ("", "en"), ("C", "en"), ("english", "en"), ("de-CH", "de"), ("fr_CA.UTF-8", "fr"), ("ES", "es")]
    {
        assert_eq!(Words::new(asked, &zone, now()).unwrap().language, given, "{asked}");
    }
}

#[test]
fn no_word_of_an_answer_means_two_things() {
    let mut seen = std::collections::BTreeMap::new();
    for language in languages() {
        assert!(Path::new(&format!("src/outbox/words/{language}.toml")).exists());
        let text = std::fs::read_to_string(format!("src/outbox/words/{language}.toml")).unwrap();
        let tables: toml::Table = toml::from_str(&text).unwrap();
        let answer = tables["answer"].as_table().unwrap().clone();
        let english: Vec<String> = answer.keys().cloned().collect();
        for (meaning, natives) in answer {
            for native in natives.as_array().unwrap().iter().map(|w| w.as_str().unwrap().to_string()) {
                assert_eq!(native, native.to_lowercase());
                assert!(!native.contains(char::is_whitespace) && !english.contains(&native), "{language}: {native}");
                let before = seen.insert(native.clone(), meaning.clone());
                assert!(before.is_none_or(|m| m == meaning), "{language}: {native} means two things");
            }
        }
    }
}
