//! Identity is a lens: addresses are seen as contacts, and nothing that is stored changes. Floor 2.
//!
//! Invariant: [`People::resolve`] is a pure function of its arguments, the same in whatever order
//! facts arrived; the user's word always holds against evidence.

mod blocks;
mod find;
mod join;
mod names;
mod nicknames;
mod points;
mod profile;
mod said;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::address::{AddrSpec, safe_text};
use crate::evidence::Word;
use crate::limits;
use crate::time::Timestamp;

pub use find::Found;
pub(crate) use names::Name;
use profile::Profile;
use said::Said;

/// What is known of one address, counted over all facts.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct AddressFacts {
    /// Display names seen with it (From, To, Cc, CN) and how often, most seen first; kept by [`AddressFacts::see_name`].
    pub names: Vec<(String, u32)>,
    /// Names on the address-book cards that hold it.
    pub card_names: Vec<String>,
    /// Mails from it to me, class person.
    pub received: u32,
    /// Mails from me to it, in To or Cc.
    pub sent: u32,
    /// Meetings with it that count.
    pub met: u32,
    /// Its earliest fact.
    pub first_at: Option<Timestamp>,
    /// Its latest fact, down to [`limits::ADDRESS_SIGHT`].
    pub last_at: Option<Timestamp>,
}

impl AddressFacts {
    /// Counts a display name. At most [`limits::NAMES`] are kept: the most seen, then the first by
    /// alphabet, so that the order of arrival shows only where there are more of them than that.
    pub fn see_name(&mut self, name: &str) {
        let name = safe_text(name, limits::NAME_BYTES);
        if name.is_empty() {
            return;
        }
        match self.names.iter_mut().find(|(n, _)| *n == name) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.names.push((name, 1)),
        }
        self.names.sort_by(|(a, x), (b, y)| y.cmp(x).then_with(|| a.cmp(b)));
        self.names.truncate(limits::NAMES);
    }

    /// The full names it is called by, folded, the words in any order.
    pub fn full_names(&self) -> impl Iterator<Item = String> {
        let full = self.names.iter().filter_map(|(n, _)| Name::read(n)).filter(|n| n.full);
        full.map(|n| {
            let mut words = n.words;
            words.sort();
            words.join(" ")
        })
    }

    /// Notes the time of a fact. The latest is kept roughly, so that a mail a day changes nothing most days, and
    /// the same whatever the order.
    pub fn see_at(&mut self, at: Timestamp) {
        let roughly = Timestamp::from_second(at.second() - at.second().rem_euclid(limits::ADDRESS_SIGHT));
        self.first_at = Some(self.first_at.map_or(at, |t| t.min(at)));
        self.last_at = Some(self.last_at.map_or(roughly, |t| t.max(roughly)));
    }
}

/// The user.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Me {
    /// The configured addresses.
    pub addresses: BTreeSet<AddrSpec>,
    /// The configured name and its variants: they say nothing about anybody else.
    pub names: Vec<String>,
}

impl Me {
    /// Is it one of mine, or the same mailbox under a `+tag`?
    pub fn is_me(&self, addr: &AddrSpec) -> bool {
        self.addresses.iter().any(|a| a.is_same_mailbox(addr))
    }
}

/// A `[[contact]]` of the config.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConfigContact {
    /// One person's addresses.
    pub addresses: Vec<AddrSpec>,
    /// What they are called.
    pub name: Option<String>,
}

/// What ties addresses together beside their looks. That I wrote to both is read off their facts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ties {
    /// Pairs that speak in one thread, in any order.
    pub threads: BTreeSet<(AddrSpec, AddrSpec)>,
    /// The addresses of each card of the address books.
    pub cards: Vec<Vec<AddrSpec>>,
    /// The `[[contact]]`s of the config; the user's later words win over them.
    pub config: Vec<ConfigContact>,
}

/// Four bytes, written as eight hexadecimal digits: BLAKE3 of an address. Every address of a contact
/// names it; the contact's own id is that of the address known longest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContactId(u32);

impl ContactId {
    /// The id an address gives.
    pub fn of(addr: &AddrSpec) -> ContactId {
        let [a, b, c, d, ..] = *blake3::hash(addr.as_str().as_bytes()).as_bytes();
        ContactId(u32::from_be_bytes([a, b, c, d]))
    }

    /// Reads eight hexadecimal digits.
    pub fn parse(text: &str) -> Option<ContactId> {
        let text = text.trim();
        let sound = text.len() == 8 && text.bytes().all(|b| b.is_ascii_hexdigit());
        sound.then(|| u32::from_str_radix(text, 16).ok()).flatten().map(ContactId)
    }

    /// The bytes, as used in keys.
    pub const fn bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for ContactId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContactId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        ContactId::parse(&text).ok_or_else(|| serde::de::Error::custom("not a contact id"))
    }
}

/// Who put two addresses together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergedBy {
    /// Names and addresses that agree.
    Evidence,
    /// A card of an address book.
    Card,
    /// The config.
    Config,
    /// The user's word.
    User,
}

/// Why two addresses are one person's, or may be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Merge {
    /// The smaller address.
    pub a: AddrSpec,
    /// The larger address.
    pub b: AddrSpec,
    /// Points, in tenths.
    pub points: i32,
    /// In plain words.
    pub reasons: Vec<String>,
    /// On whose authority.
    pub by: MergedBy,
}

impl Merge {
    /// Likely by its looks, and nothing shows yet that the user deals with both.
    pub fn lacks_a_tie(&self) -> bool {
        self.points < points::MERGE && self.points + points::TIED >= points::MERGE
    }
}

/// One person, as far as kithd can tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contact {
    /// Given by the first of `addresses`.
    pub id: ContactId,
    /// What to call them.
    pub name: String,
    /// The one known longest first, then by address.
    pub addresses: Vec<AddrSpec>,
    /// Why these addresses are together.
    pub merges: Vec<Merge>,
    /// A person: not a desk, a placeholder or a relay, unless the user said so.
    pub person: bool,
    /// Folded words of every name it is known by, for [`People::find`].
    known_as: Vec<Vec<String>>,
}

impl Contact {
    /// Somebody with one address, whom the lens does not hold.
    pub fn alone(address: AddrSpec, name: String) -> Contact {
        let (merges, known_as) = (Vec::new(), Vec::new());
        Contact { id: ContactId::of(&address), name, addresses: vec![address], merges, person: true, known_as }
    }
}

/// The lens: address to contact.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct People {
    contacts: Vec<Contact>,
    by_address: BTreeMap<AddrSpec, usize>,
    by_id: BTreeMap<ContactId, usize>,
    proposals: Vec<Merge>,
}

impl People {
    /// Resolves every address of `addresses` that is not me. `words` are the user's, oldest first;
    /// only merges, splits, names and "person" matter here.
    pub fn resolve(me: &Me, addresses: &BTreeMap<AddrSpec, AddressFacts>, ties: &Ties, words: &[Word]) -> People {
        let my_names: Vec<Name> = me.names.iter().filter_map(|n| Name::read(n)).collect();
        let mine: BTreeSet<AddrSpec> = me.addresses.iter().map(AddrSpec::without_tag).collect();
        let others: Vec<(&AddrSpec, &AddressFacts)> =
            addresses.iter().filter(|(a, _)| !mine.contains(&a.without_tag())).collect();
        let profiles: Vec<Profile<'_>> = others.iter().map(|(a, f)| Profile::of(a, f, &my_names)).collect();
        let (clusters, proposals) = join::join(&profiles, &Said::read(ties, words), ties);
        let naming = Naming::read(ties, words);
        let mut contacts: Vec<Contact> = clusters
            .into_iter()
            .map(|cluster| {
                let members = cluster.members.iter().filter_map(|i| Some((others.get(*i)?, profiles.get(*i)?)));
                let mut members: Vec<Member<'_>> =
                    members.map(|((addr, facts), profile)| Member { addr, facts, profile }).collect();
                members.sort_by_key(|m| (m.facts.first_at.unwrap_or(Timestamp::MAX), m.addr));
                contact(&members, cluster.merges, &naming)
            })
            .collect();
        contacts.sort_by(|a, b| a.addresses.cmp(&b.addresses));
        let mut people = People { contacts, proposals, ..People::default() };
        for (at, contact) in people.contacts.iter().enumerate() {
            people.by_address.extend(contact.addresses.iter().map(|a| (a.clone(), at)));
            people.by_id.entry(contact.id).or_insert(at);
        }
        for (addr, at) in &people.by_address {
            people.by_id.entry(ContactId::of(addr)).or_insert(*at);
        }
        people
    }

    /// The contact an address belongs to; a `+tag` never seen finds its mailbox.
    pub fn contact_of(&self, addr: &AddrSpec) -> Option<&Contact> {
        let at = self.by_address.get(addr).or_else(|| self.by_address.get(&addr.without_tag()))?;
        self.contacts.get(*at)
    }

    /// All contacts, by their first address.
    pub fn contacts(&self) -> impl Iterator<Item = &Contact> {
        self.contacts.iter()
    }

    /// The contact named by the id of any of its addresses, so that ids outlive merges.
    pub fn by_id(&self, id: ContactId) -> Option<&Contact> {
        self.by_id.get(&id).and_then(|at| self.contacts.get(*at))
    }

    /// Merges that are likely but not certain, best first; never made by themselves.
    pub fn proposals(&self) -> &[Merge] {
        &self.proposals
    }
}

struct Member<'a> {
    addr: &'a AddrSpec,
    facts: &'a AddressFacts,
    profile: &'a Profile<'a>,
}

/// Names and labels the user gave, by address; the number tells which came last.
struct Naming<'a> {
    names: BTreeMap<&'a AddrSpec, (usize, &'a str)>,
    persons: BTreeSet<&'a AddrSpec>,
}

impl<'a> Naming<'a> {
    fn read(ties: &'a Ties, words: &'a [Word]) -> Naming<'a> {
        let mut naming = Naming { names: BTreeMap::new(), persons: BTreeSet::new() };
        for contact in &ties.config {
            let name = contact.name.as_deref();
            naming.names.extend(contact.addresses.iter().filter_map(|a| Some((a, (0, name?)))));
            naming.persons.extend(&contact.addresses);
        }
        for (at, word) in words.iter().enumerate() {
            match word {
                Word::Name(addr, name) => drop(naming.names.insert(addr, (at + 1, name))),
                Word::Person(addr) => drop(naming.persons.insert(addr)),
                Word::Ignore(addr) => drop(naming.persons.remove(addr)),
                _ => {}
            }
        }
        naming
    }
}

fn contact(members: &[Member<'_>], mut merges: Vec<Merge>, naming: &Naming<'_>) -> Contact {
    merges.sort_by(|x, y| (&x.a, &x.b).cmp(&(&y.a, &y.b)));
    let addresses: Vec<AddrSpec> = members.iter().map(|m| m.addr.clone()).collect();
    let name = contact_name(members, naming);
    let relays = members.iter().all(|m| !m.profile.person);
    let mut known_as: Vec<Vec<String>> = vec![names::find_words(&name)];
    if !relays {
        let on_cards = members.iter().flat_map(|m| &m.facts.card_names).filter_map(|n| Name::read(n));
        known_as.extend(
            members.iter().flat_map(|m| &m.profile.seen).map(|(n, _)| n.words.clone()).chain(on_cards.map(|n| n.words)),
        );
        known_as.extend(members.iter().filter_map(|m| Name::from_local(m.addr)).map(|n| n.words));
    }
    known_as.sort();
    known_as.dedup();
    Contact {
        id: addresses.first().map_or(ContactId(0), ContactId::of),
        name,
        person: !relays || members.iter().any(|m| naming.persons.contains(m.addr)),
        addresses,
        merges,
        known_as,
    }
}

/// The user's word, then the card, then the full name used most, then the local part, then a single
/// name, then the address.
fn contact_name(members: &[Member<'_>], naming: &Naming<'_>) -> String {
    let said = members.iter().filter_map(|m| naming.names.get(m.addr)).max_by_key(|(at, name)| (*at, *name));
    if let Some((_, name)) = said {
        return safe_text(name, limits::NAME_BYTES);
    }
    let on_cards = members.iter().flat_map(|m| &m.facts.card_names).filter(|n| !n.trim().is_empty());
    if let Some(name) = on_cards.min_by_key(|n| (!Name::read(n).is_some_and(|n| n.full), n.as_str())) {
        return safe_text(name, limits::NAME_BYTES);
    }
    let mut counts: BTreeMap<&str, (bool, u32)> = BTreeMap::new();
    for member in members.iter().filter(|m| m.profile.person) {
        for (name, count) in &member.profile.seen {
            let seen = counts.entry(&name.display).or_insert((name.full, 0));
            seen.1 = seen.1.saturating_add(*count);
        }
    }
    let most = |full: bool| {
        let fitting = counts.iter().filter(|(_, (f, _))| *f == full);
        fitting.max_by(|(a, (_, x)), (b, (_, y))| x.cmp(y).then_with(|| b.cmp(a))).map(|(name, _)| (*name).to_string())
    };
    // `d.ito` spells no name that anybody is called by: then the address itself is plainer
    let in_full = |n: &Name| n.words.iter().all(|w| w.chars().count() >= 2);
    let spelled = || {
        let people = members.iter().filter(|m| m.profile.person);
        people.filter_map(|m| Name::from_local(m.addr)).find(in_full).map(|n| n.display)
    };
    let address = || members.first().map(|m| m.addr.to_string()).unwrap_or_default();
    most(true).or_else(spelled).or_else(|| most(false)).unwrap_or_else(address)
}
