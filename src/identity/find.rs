//! Finding a contact by what a user types. Part of floor 2, `identity`.
//!
//! Invariant: the closest kind of match decides alone; what matches no closer is never mixed in.

use super::names::find_words;
use super::{Contact, ContactId, People};
use crate::address::AddrSpec;

/// Who was meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found<'a> {
    /// This one.
    One(&'a Contact),
    /// One of these; by name.
    Many(Vec<&'a Contact>),
    /// Nobody known.
    None,
}

impl People {
    /// Finds by address, id, full name, words of a name, beginnings of words, or local part; case
    /// and accents do not matter.
    pub fn find(&self, who: &str) -> Found<'_> {
        let who = who.trim();
        if let Some(contact) = AddrSpec::parse(who).and_then(|a| self.contact_of(&a)) {
            return Found::One(contact);
        }
        if let Some(contact) = ContactId::parse(who).and_then(|id| self.by_id(id)) {
            return Found::One(contact);
        }
        let wanted = find_words(who);
        if wanted.is_empty() {
            return Found::None;
        }
        let whole =
            |have: &[String]| have.len() == wanted.len() && wanted.len() >= 2 && each(&wanted, have, |a, b| a == b);
        let words = |have: &[String]| each(&wanted, have, |a, b| a == b);
        let beginnings = |have: &[String]| each(&wanted, have, |a, b| b.starts_with(a));
        let stages: [&dyn Fn(&[String]) -> bool; 3] = [&whole, &words, &beginnings];
        for stage in stages {
            let found = self.contacts().filter(|c| c.known_as.iter().any(|have| stage(have)));
            match pick(found.collect()) {
                Found::None => {}
                found => return found,
            }
        }
        let folded = who.to_lowercase();
        pick(self.contacts().filter(|c| c.addresses.iter().any(|a| a.local() == folded)).collect())
    }
}

fn pick(mut found: Vec<&Contact>) -> Found<'_> {
    found.sort_by(|a, b| (&a.name, &a.addresses).cmp(&(&b.name, &b.addresses)));
    match found.as_slice() {
        [] => Found::None,
        [one] => Found::One(one),
        _ => Found::Many(found),
    }
}

/// Does each wanted word have its own word among `have`?
fn each(wanted: &[String], have: &[String], fits: impl Fn(&str, &str) -> bool) -> bool {
    let mut free: Vec<&String> = have.iter().collect();
    wanted.iter().all(|w| match free.iter().position(|h| fits(w, h)) {
        Some(at) => {
            free.remove(at);
            true
        }
        None => false,
    })
}
