//! stub
use crate::address::AddrSpec;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Me.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Me {
    /// a
    pub addresses: BTreeSet<AddrSpec>,
    /// n
    pub names: Vec<String>,
}
impl Me {
    /// Is it me?
    pub fn is_me(&self, address: &AddrSpec) -> bool {
        self.addresses.contains(address) || self.addresses.iter().any(|a| a.without_tag() == address.without_tag())
    }
}
/// Id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContactId([u8; 4]);
impl fmt::Display for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}
impl fmt::Debug for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
