//! What a collection's news mean for what is known of it. Part of `dav`.
//!
//! Invariant: a plan is a value: it is looked at before anything of it is done.

use std::collections::BTreeSet;

use super::known::{Known, etag_digest, href_digest};

/// A resource as a listing names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Listed {
    /// As the server writes it.
    pub href: String,
    /// Its version, where the server says one.
    pub etag: Option<String>,
}

/// What a server said of a collection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum News {
    /// Everything in it.
    All(Vec<Listed>),
    /// What changed since the token that was shown.
    Since {
        /// New or changed.
        changed: Vec<Listed>,
        /// Hrefs of what was deleted.
        deleted: Vec<String>,
    },
}

/// A resource to be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fetch {
    /// As the server writes it.
    pub href: String,
    /// Digest of its href.
    pub key: u64,
    /// Digest of its etag.
    pub etag: u64,
}

/// What is to be done for one collection.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Plan {
    /// To be read, in the server's order.
    pub fetch: Vec<Fetch>,
    /// Known resources that are there no more.
    pub gone: Vec<u64>,
    /// Resources the collection has now.
    pub left: u64,
}

/// Makes it. With `anew` also what is known with the same etag is read.
pub(super) fn plan(known: &Known, news: News, anew: bool) -> Plan {
    let (listed, deleted) = match news {
        News::All(listed) => (listed, None),
        News::Since { changed, deleted } => (changed, Some(deleted)),
    };
    let mut there = BTreeSet::new();
    let mut fetch = Vec::new();
    for Listed { href, etag } in listed {
        let (key, etag) = (href_digest(&href), etag_digest(etag.as_deref()));
        if !there.insert(key) {
            continue;
        }
        let same = known.resources.get(&key).is_some_and(|held| held.etag == etag && etag != 0);
        if anew || !same {
            fetch.push(Fetch { href, key, etag });
        }
    }
    let gone: Vec<u64> = match deleted {
        None => known.resources.keys().filter(|key| !there.contains(key)).copied().collect(),
        Some(deleted) => {
            let keys: BTreeSet<u64> = deleted.iter().map(|href| href_digest(href)).collect();
            keys.into_iter().filter(|key| known.resources.contains_key(key) && !there.contains(key)).collect()
        }
    };
    let new = there.iter().filter(|key| !known.resources.contains_key(key)).count();
    let left = (known.resources.len() + new).saturating_sub(gone.len());
    Plan { fetch, gone, left: u64::try_from(left).unwrap_or(u64::MAX) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::source::dav::known::Held;

    fn known(resources: &[(&str, Option<&str>)]) -> Known {
        let mut known = Known::load("c", Vec::new());
        for (href, etag) in resources {
            known.resources.insert(href_digest(href), Held { etag: etag_digest(*etag), events: Vec::new() });
        }
        known
    }

    fn listed(resources: &[(&str, Option<&str>)]) -> Vec<Listed> {
        resources.iter().map(|(href, etag)| Listed { href: (*href).into(), etag: etag.map(String::from) }).collect()
    }

    /// Hrefs to read, how many are gone, and how many are left.
    fn shown(plan: &Plan) -> (Vec<&str>, usize, u64) {
        (plan.fetch.iter().map(|f| f.href.as_str()).collect(), plan.gone.len(), plan.left)
    }

    const OLD: &[(&str, Option<&str>)] = &[("/a", Some("1")), ("/b", Some("1")), ("/c", None)];

    #[test]
    fn a_listing_tells_what_is_new_changed_and_gone() {
        let now = listed(&[("/a", Some("1")), ("/b", Some("2")), ("/d", Some("1")), ("/d", Some("9"))]);
        let made = plan(&known(OLD), News::All(now.clone()), false);
        assert_eq!(shown(&made), (vec!["/b", "/d"], 1, 3));
        assert_eq!(made.gone, [href_digest("/c")]);
        let anew = plan(&known(OLD), News::All(now), true);
        assert_eq!(shown(&anew), (vec!["/a", "/b", "/d"], 1, 3));
        // without an etag nothing is known to be the same
        let bare = plan(&known(OLD), News::All(listed(&[("/a", None), ("/b", Some("1")), ("/c", None)])), false);
        assert_eq!(shown(&bare), (vec!["/a", "/c"], 0, 3));
        assert_eq!(shown(&plan(&known(OLD), News::All(Vec::new()), false)), (vec![], 3, 0));
    }

    #[test]
    fn changes_tell_the_same() {
        let changed = listed(&[("/a", Some("1")), ("/b", Some("2")), ("/e", Some("1"))]);
        let deleted = vec!["/c".to_string(), "/never".to_string(), "/e".to_string()];
        let made = plan(&known(OLD), News::Since { changed, deleted }, false);
        assert_eq!(shown(&made), (vec!["/b", "/e"], 1, 3));
        let nothing = News::Since { changed: Vec::new(), deleted: Vec::new() };
        assert_eq!(shown(&plan(&known(OLD), nothing, false)), (vec![], 0, 3));
    }
}
