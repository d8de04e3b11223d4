//! Commands as they go over the wire. Part of `imap`.
//!
//! Invariant: a value of anybody's becomes one string of IMAP: no value ends a command or begins
//! another one, and none is logged.

use secrecy::{ExposeSecret, SecretString};

/// A piece of a command.
pub(super) enum Part {
    /// As it stands: constants, numbers, sets, quoted strings.
    Text(String),
    /// The same, and nobody may see it.
    Secret(SecretString),
    /// A literal (RFC 3501 4.3), for what cannot be quoted.
    Literal(Vec<u8>),
    /// The same, and nobody may see it.
    SecretLiteral(SecretString),
}

impl Part {
    /// The bytes of a literal.
    pub(super) fn literal(&self) -> Option<&[u8]> {
        match self {
            Part::Literal(bytes) => Some(bytes),
            Part::SecretLiteral(text) => Some(text.expose_secret().as_bytes()),
            Part::Text(_) | Part::Secret(_) => None,
        }
    }

    /// The bytes of anything else.
    pub(super) fn plain(&self) -> Option<&[u8]> {
        match self {
            Part::Text(text) => Some(text.as_bytes()),
            Part::Secret(text) => Some(text.expose_secret().as_bytes()),
            Part::Literal(_) | Part::SecretLiteral(_) => None,
        }
    }
}

/// A string as a criterion of SEARCH takes it. `None` where it cannot be one: not ASCII, or control
/// characters.
pub fn quoted(text: &str) -> Option<String> {
    let sound = text.bytes().all(|b| (b' '..=b'~').contains(&b));
    sound.then(|| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// What [`quoted`] did, undone. async-imap hands over quoted strings as they stand.
pub(super) fn unquoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.peek() {
            Some(escaped @ ('\\' | '"')) if c == '\\' => {
                out.push(*escaped);
                chars.next();
            }
            _ => out.push(c),
        }
    }
    out
}

/// An astring: quoted where it can be, else a literal.
pub(super) fn astring(text: &str) -> Part {
    match quoted(text) {
        Some(quoted) => Part::Text(quoted),
        None => Part::Literal(text.as_bytes().to_vec()),
    }
}

/// The same for a secret.
pub(super) fn secret_astring(secret: &SecretString) -> Part {
    match quoted(secret.expose_secret()) {
        Some(quoted) => Part::Secret(SecretString::from(quoted)),
        None => Part::SecretLiteral(secret.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_or_refused() {
        assert_eq!(quoted(r#"a "b" \c"#).as_deref(), Some(r#""a \"b\" \\c""#));
        assert_eq!(quoted(""), Some("\"\"".to_string()));
        for bad in ["a\r\nA2 DELETE INBOX", "ü", "a\0", "\u{7f}"] {
            assert_eq!(quoted(bad), None, "{bad:?}");
        }
        assert!(matches!(astring("a\r\nb"), Part::Literal(_)));
    }

    proptest::proptest! {
        #[test]
        fn what_is_quoted_is_unquoted(text in "[ -~]*") {
            let inner = quoted(&text).unwrap_or_default();
            let inner = inner.trim_start_matches('"');
            let inner = inner.strip_suffix('"').unwrap_or_default();
            let leading = text.chars().take_while(|c| *c == '"').count();
            proptest::prop_assume!(leading == 0);
            proptest::prop_assert_eq!(unquoted(inner), text);
        }
    }
}
