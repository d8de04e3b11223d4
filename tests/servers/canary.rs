//! Looks for secrets where none may be: raw, in base64, URL-encoded, in hexadecimal digits.
#![allow(clippy::string_slice, clippy::indexing_slicing)] // ASCII of its own making

use std::fs;
use std::path::Path;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The forms a secret may take on its way out.
pub fn forms(secret: &str) -> Vec<Vec<u8>> {
    let url: String = secret
        .bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect();
    let hex: String = secret.bytes().map(|b| format!("{b:02x}")).collect();
    let json = serde_json::to_string(secret).unwrap();
    let mut all =
        vec![secret.to_string(), url.clone(), url.to_lowercase(), url.replace("%20", "+"), hex.to_uppercase(), hex];
    all.push(json.trim_matches('"').to_string());
    // in base64 at each offset, without what its neighbours change
    for offset in 0..3 {
        let padded = [" ".repeat(offset).as_bytes(), secret.as_bytes()].concat();
        for engine in [&STANDARD, &STANDARD_NO_PAD] {
            let text = engine.encode(&padded);
            let text = text.trim_end_matches('=');
            let start = [0, 2, 3][offset];
            all.push(text[start..text.len() - 2].to_string());
        }
        let text = URL_SAFE_NO_PAD.encode(&padded);
        all.push(text[[0, 2, 3][offset]..text.len() - 2].to_string());
    }
    all.into_iter().map(String::into_bytes).filter(|f| f.len() >= 6).collect()
}

/// Finds a secret in any of its forms.
pub fn searcher(secret: &str) -> AhoCorasick {
    AhoCorasick::new(forms(secret)).unwrap()
}

/// Every file below `path` that holds a secret in some form; `except` are where the secrets are kept.
pub fn hits(path: &Path, secrets: &[&str], except: &dyn Fn(&Path) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    let forms: Vec<(&str, AhoCorasick)> = secrets.iter().map(|s| (*s, searcher(s))).collect();
    let mut open = vec![path.to_path_buf()];
    while let Some(path) = open.pop() {
        if except(&path) {
            continue;
        }
        if path.is_dir() {
            open.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|e| e.path()));
        } else if let Ok(bytes) = fs::read(&path) {
            for (secret, forms) in &forms {
                if forms.is_match(&bytes) {
                    found.push(format!("{secret} in {}", path.display()));
                }
            }
        }
    }
    found
}
