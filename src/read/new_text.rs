//! What the sender wrote in this message. Part of `read`.

/// A text taken apart.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NewText {
    /// What remains without quotes and without the signature after `-- ` or of a mobile client
    /// (`new_text` of the contract): closings, disclaimers and footers are still in it.
    pub text: String,
    /// `text` without closing, disclaimer and footer: what acts are read from.
    pub body: String,
    /// The closing that was set aside ("Best, Dana"), empty where there is none.
    pub closing: String,
}

/// Takes quotes and signatures off a plain text (line ends of any kind, at most
/// [`crate::limits::TEXT_BYTES`]).
pub fn new_text(plain: &str) -> NewText {
    NewText { text: plain.to_string(), body: plain.to_string(), closing: String::new() }
}
