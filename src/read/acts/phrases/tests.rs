#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;

#[test]
fn every_key_of_the_files_is_known_and_no_phrase_is_empty() {
    for (language, text) in lexicon::FILES {
        let file: toml::Table = toml::from_str(text).unwrap();
        let Some(act) = file.get("act") else { panic!("{language} has no [act]") };
        for (key, words) in act.as_table().unwrap() {
            assert!(Group::ALL.iter().any(|(name, _)| name == key), "{language}: {key}");
            let words: List = words.clone().try_into().unwrap();
            let words = match words {
                List::Flat(words) => words,
                List::Placed(lists) => lists.concat(),
            };
            assert!(words.iter().all(|w| w.trim() == w && w.chars().any(char::is_alphanumeric)), "{language}: {key}");
        }
    }
    assert!(Group::ALL.len() <= 128);
}

#[test]
fn alternatives_are_spelled_out() {
    let check = |phrase: &str, all: &[&str]| {
        assert_eq!(spelled_out(phrase).iter().map(String::as_str).collect::<Vec<_>>(), all, "{phrase}");
    };
    check(
        "je (te |vous |)(dis|fais) ça",
        &["je dis ça", "je fais ça", "je te dis ça", "je te fais ça", "je vous dis ça", "je vous fais ça"],
    );
    check("(a|b (c|d))", &["a", "b c", "b d"]);
    check("^done$", &["^done$"]);
    check("(a|b", &["(a|b"]);
}

#[test]
fn debris_of_quoted_printable_is_read_over() {
    let check = |text: &str, expected: &str| assert_eq!(repaired(text).as_deref(), Some(expected), "{text}");
    check("My= =20 family w= ill come", "My family will come");
    check("input =20 and customer=01,s plan", "input and customer's plan");
    check("see http://x.example/?a=20b", "see http://x.example/?a b");
    assert_eq!(repaired("a = b".replace('=', "-").as_str()), None);
}

#[test]
fn a_word_is_found_only_as_a_word() {
    let has = |text: &str, group| Sentence::new(text.to_string()).has(group);
    assert!(has("Darf ich dir Frau Klein vorstellen?", Group::Introduction));
    assert!(!has("Darf ich dir etwas zeigen, das du dir vorstellen kannst?", Group::Introduction));
    assert!(has("we\u{2019}ll send it", Group::WillWe));
    assert!(!has("well send it", Group::WillWe));
    assert!(has("Please call", Group::Please));
    assert!(!has("displeased", Group::Please));
}
