//! The words of the languages kithd reads, one TOML file each beside this one, compiled in. Part of `read`.
//!
//! Invariant: a file holds words and nothing that needs code to understand; a speaker of the
//! language can mend it. Each table is read by one module, which also says what its keys mean.

use serde::de::DeserializeOwned;

/// Language code (ISO 639-1) and text of each lexicon file.
pub const FILES: &[(&str, &str)] = &[
    ("ar", include_str!("lexicon/ar.toml")),
    ("cs", include_str!("lexicon/cs.toml")),
    ("da", include_str!("lexicon/da.toml")),
    ("de", include_str!("lexicon/de.toml")),
    ("en", include_str!("lexicon/en.toml")),
    ("es", include_str!("lexicon/es.toml")),
    ("fr", include_str!("lexicon/fr.toml")),
    ("he", include_str!("lexicon/he.toml")),
    ("it", include_str!("lexicon/it.toml")),
    ("ja", include_str!("lexicon/ja.toml")),
    ("ko", include_str!("lexicon/ko.toml")),
    ("nl", include_str!("lexicon/nl.toml")),
    ("no", include_str!("lexicon/no.toml")),
    ("pl", include_str!("lexicon/pl.toml")),
    ("pt", include_str!("lexicon/pt.toml")),
    ("ru", include_str!("lexicon/ru.toml")),
    ("sv", include_str!("lexicon/sv.toml")),
    ("tr", include_str!("lexicon/tr.toml")),
    ("uk", include_str!("lexicon/uk.toml")),
    ("zh", include_str!("lexicon/zh.toml")),
];

/// The table `name` of every file that has it, with its language. The files are part of the
/// program and a test reads them all, so one that does not parse is left out here.
pub fn tables<T: DeserializeOwned>(name: &str) -> Vec<(&'static str, T)> {
    let table = |text: &'static str| toml::from_str(section(text, name)?).ok();
    FILES.iter().filter_map(|(language, text)| Some((*language, table(text)?))).collect()
}

/// What stands below the line `[name]`, up to the next such line: whoever wants one table of twenty
/// files does not parse the other three.
fn section<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut from = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let begins = at;
        at += line.len();
        let table = line.trim_end().strip_prefix('[').and_then(|l| l.strip_suffix(']'));
        match table.filter(|t| t.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')) {
            Some(_) if from.is_some() => return text.get(from?..begins),
            Some(found) if found == name => from = Some(at),
            _ => {}
        }
    }
    text.get(from?..)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_file_is_sound_toml() {
        for (language, text) in FILES {
            toml::from_str::<toml::Table>(text).map_err(|e| format!("{language}: {e}")).unwrap();
        }
    }

    #[test]
    fn a_section_says_what_its_table_says() {
        for (language, text) in FILES {
            let whole: toml::Table = toml::from_str(text).unwrap();
            for (name, table) in whole {
                let alone: toml::Table = toml::from_str(section(text, &name).unwrap()).unwrap();
                assert_eq!(Some(&alone), table.as_table(), "[{name}] of {language}");
            }
            assert_eq!(section(text, "none"), None);
        }
    }
}
