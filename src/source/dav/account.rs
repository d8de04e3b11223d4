//! The account: where its collections are, which there are, and its own cursor. Part of `dav`.
//!
//! Invariant: an address that was found is kept until it fails; then it is looked for anew, once.

use libdav::Depth;
use serde::{Deserialize, Serialize};

use super::discovery::{Home, discover};
use super::known::{digest, path_of};
use super::wire::{Refusal, Wire, wait};
use super::{Params, Picked};
use crate::address::safe_text;
use crate::evidence::Cursor;
use crate::limits;
use crate::net::{Trouble, Url};
use crate::time::Timestamp;

/// Version of the cursor's bytes.
const VERSION: u8 = 1;
/// What the account's own cursor speaks of; collections begin with [`COLLECTION`].
pub(super) const ACCOUNT: &str = "account";
/// Before the path of a collection.
pub(super) const COLLECTION: &str = "collection ";

/// The account's cursor.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Account {
    /// Digest of URL and choice of collections: what the user says of the account.
    pub salt: u64,
    /// Where the collections are, and whether the place is itself the one.
    homes: Vec<(String, bool)>,
    /// Resources of all collections at the last good reading.
    pub items: u64,
    /// Since when there are so few that they are doubted.
    pub doubted_since: Option<Timestamp>,
    /// The server wants to be left in peace until then.
    pub not_before: Option<Timestamp>,
}

impl Account {
    pub(super) fn new(salt: u64) -> Account {
        Account { salt, ..Account::default() }
    }

    pub(super) fn salt_of(params: &Params) -> u64 {
        digest("account", &format!("{} {:?}", params.web.url.as_str(), params.picked))
    }

    pub(super) fn load(cursors: &[Cursor]) -> Option<Account> {
        let (version, rest) = cursors.iter().find(|c| c.part == 0)?.value.split_first()?;
        (*version == VERSION).then(|| postcard::from_bytes(rest).ok()).flatten()
    }

    pub(super) fn cursor(&self) -> Cursor {
        let mut kept = self.clone();
        kept.homes.retain(|(url, _)| url.len() <= limits::VALUE_BYTES / 8);
        kept.homes.truncate(4);
        let mut value = vec![VERSION];
        // writing into memory does not fail; if it did, the account would only be looked for again
        value.extend(postcard::to_allocvec(&kept).unwrap_or_default());
        Cursor { place: ACCOUNT.to_string(), part: 0, value }
    }
}

/// A collection as the account's listing shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Collection {
    /// Where.
    pub url: Url,
    /// Its path, in one way of writing.
    pub path: String,
    /// For people.
    pub name: String,
    /// Changes with anything in it; `None` where the server tells nothing of the kind.
    pub mark: Option<String>,
    /// Where to begin asking for changes from now on.
    pub token: Option<String>,
}

impl Collection {
    pub(super) fn last_part(&self) -> &str {
        self.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }

    pub(super) fn is_picked(&self, picked: &Picked) -> bool {
        picked.picks(&self.name, self.last_part())
    }
}

/// All collections of the kind, wherever they have to be looked for.
pub(super) fn find(params: &Params, now: Timestamp) -> Result<Vec<Collection>, Trouble> {
    let wire = Wire::new(params.kind, &params.web, params.credentials.as_ref(), now);
    collections(&wire, params, &mut Account::default()).map_err(|refusal| refusal.trouble)
}

/// All collections of the kind. Homes that are known are asked; where that fails, or there are
/// none, they are looked for.
pub(super) fn collections(wire: &Wire<'_>, params: &Params, account: &mut Account) -> Result<Vec<Collection>, Refusal> {
    let parsed = |(url, is_collection): &(String, bool)| {
        Some(Home { url: Url::parse(url).ok()?, is_collection: *is_collection })
    };
    let known: Vec<Home> = account.homes.iter().filter_map(parsed).collect();
    if !known.is_empty() {
        match list(wire, params, &known) {
            Ok(found) if !found.is_empty() => return Ok(found),
            Err(refusal) if !refusal.is_elsewhere() => return Err(refusal),
            _ => {}
        }
    }
    let homes = discover(wire, params.kind)?;
    account.homes = homes.iter().map(|home| (home.url.as_str().to_string(), home.is_collection)).collect();
    let found = list(wire, params, &homes)?;
    if found.is_empty() {
        let what = format!("{} has no {} for this login", wire.url().host(), params.kind.word());
        return Err(Refusal { fault: super::wire::Fault::Nobody, trouble: wait(what), url: None });
    }
    Ok(found)
}

fn list(wire: &Wire<'_>, params: &Params, homes: &[Home]) -> Result<Vec<Collection>, Refusal> {
    let mut found: Vec<Collection> = Vec::new();
    for home in homes {
        let depth = if home.is_collection { Depth::Zero } else { Depth::One };
        let (listed, at) = wire.collections(&home.url, depth)?;
        for entry in listed.entries {
            let props = entry.props;
            // one for tasks alone has no events
            let has_events = props.components.is_empty() || props.components.iter().any(|c| c == "VEVENT");
            let Some(url) = at.join(&entry.href).filter(|_| params.kind.is_of(&props) && has_events) else { continue };
            let path = path_of(url.as_str());
            if found.iter().any(|c| c.path == path) || found.len() >= limits::COLLECTIONS {
                continue;
            }
            let mark = match (&props.ctag, &props.token) {
                (None, None) => None,
                (ctag, token) => Some(format!("{} {}", ctag.as_deref().unwrap_or(""), token.as_deref().unwrap_or(""))),
            };
            let token = props.token.filter(|_| props.syncs);
            let mut collection = Collection { url, path, name: String::new(), mark, token };
            let name = safe_text(props.name.as_deref().unwrap_or(""), limits::NAME_BYTES);
            collection.name = if name.is_empty() { collection.last_part().to_string() } else { name };
            found.push(collection);
        }
    }
    Ok(found)
}
