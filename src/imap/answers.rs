//! What servers answer, typed. Part of `imap`; plain data.
//!
//! Invariant: what a server did not say is `None`, never a guess.

use std::collections::BTreeSet;
use std::fmt;

use super::MailboxName;
use crate::time::Timestamp;

/// Unique identifier of a message within one UIDVALIDITY of one mailbox (RFC 3501 2.3.1.1); never 0.
pub type Uid = u32;
/// While it stays the same, UIDs mean the same messages (RFC 3501 2.3.1.1).
pub type UidValidity = u32;
/// Mod-sequence (RFC 7162).
pub type ModSeq = u64;

/// What a server can do, as of the login.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Capabilities(pub(super) BTreeSet<String>);

impl Capabilities {
    /// Is it offered? In any case: `IDLE`, `AUTH=XOAUTH2`, `X-GM-EXT-1`.
    pub fn has(&self, capability: &str) -> bool {
        self.0.contains(&capability.to_ascii_uppercase())
    }

    /// Nothing was said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// RFC 7162, or the older RFC 4551; QRESYNC implies it.
    pub fn has_condstore(&self) -> bool {
        self.has("CONDSTORE") || self.has("QRESYNC")
    }

    /// All of them, in upper case.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// What a mailbox is for (RFC 6154, RFC 8457).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SpecialUse {
    /// Every message of the user.
    All,
    /// Archive.
    Archive,
    /// Drafts.
    Drafts,
    /// A view of what is flagged.
    Flagged,
    /// A view of what the server takes for important.
    Important,
    /// Junk.
    Junk,
    /// Sent mail.
    Sent,
    /// Trash.
    Trash,
}

/// One mailbox of a LIST.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its name.
    pub name: MailboxName,
    /// Between the levels of the name; `None` where there are none.
    pub delimiter: Option<char>,
    /// Neither `\Noselect` nor `\NonExistent`.
    pub selectable: bool,
    /// What it is for, by attributes alone: names are not looked at.
    pub special_use: Vec<SpecialUse>,
    /// Of a LIST that asked for it too (RFC 5819), unless the server left it out for this one.
    pub status: Option<Status>,
}

impl Listed {
    /// The name as a person reads it, its levels separated by `/`.
    pub fn path(&self) -> String {
        match self.delimiter {
            Some(delimiter) if delimiter != '/' => {
                let levels = self.name.raw().split(delimiter).map(super::name::decode_utf7);
                levels.collect::<Vec<_>>().join("/")
            }
            _ => self.name.text(),
        }
    }
}

/// What STATUS says of a mailbox.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Status {
    /// MESSAGES.
    pub messages: Option<u32>,
    /// UIDNEXT.
    pub uid_next: Option<Uid>,
    /// UIDVALIDITY.
    pub uid_validity: Option<UidValidity>,
    /// HIGHESTMODSEQ; `None` also where the server says 0 (RFC 7162 3.1.1: no mod-sequences here).
    pub highest_mod_seq: Option<ModSeq>,
}

/// What EXAMINE (or SELECT) says of a mailbox.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Examined {
    /// EXISTS: messages in it.
    pub exists: u32,
    /// UIDVALIDITY.
    pub uid_validity: Option<UidValidity>,
    /// UIDNEXT; Courier and some Exchange servers do not say it.
    pub uid_next: Option<Uid>,
    /// HIGHESTMODSEQ; `None` with NOMODSEQ or 0.
    pub highest_mod_seq: Option<ModSeq>,
    /// UIDNOTSTICKY (RFC 4315): UIDs mean nothing beyond this session.
    pub uid_not_sticky: bool,
}

/// What is asked of each message of a FETCH. UID always comes along; nothing of it sets `\Seen`.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Items {
    /// FLAGS.
    pub flags: bool,
    /// INTERNALDATE.
    pub internal_date: bool,
    /// RFC822.SIZE.
    pub size: bool,
    /// MODSEQ; only where the server has CONDSTORE.
    pub mod_seq: bool,
    /// X-GM-MSGID and X-GM-LABELS; only where the server has X-GM-EXT-1.
    pub gmail: bool,
    /// `BODY.PEEK[HEADER]<0.n>`: at most so many bytes of the header.
    pub header: Option<u32>,
    /// `BODY.PEEK[HEADER.FIELDS (...)]`, whose answer is [`Fetched::header`] too; not with `header`.
    pub header_fields: &'static [&'static str],
    /// `BODY.PEEK[TEXT]<0.n>`: at most so many bytes of what follows the header.
    pub text: Option<u32>,
    /// `BODY.PEEK[]<0.n>`: at most so many bytes of the message.
    pub message: Option<u32>,
    /// Only messages whose mod-sequence is higher (CHANGEDSINCE of RFC 7162).
    pub changed_since: Option<ModSeq>,
}

/// Flags of a message.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Flags {
    /// `\Seen`.
    pub seen: bool,
    /// `\Answered`.
    pub answered: bool,
    /// `\Flagged`.
    pub flagged: bool,
    /// `\Deleted`.
    pub deleted: bool,
    /// `\Draft`.
    pub draft: bool,
    /// Keywords (`$Forwarded`, `$Junk`), and system flags not named above but `\Recent`.
    pub keywords: Vec<String>,
}

/// One message of a FETCH: what was asked for, as far as the server gave it. One that has nothing but
/// its UID is there, and what the server said of it was no IMAP.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Fetched {
    /// Which message.
    pub uid: Uid,
    /// FLAGS.
    pub flags: Option<Flags>,
    /// INTERNALDATE; `None` too where the server says NIL or no date.
    pub internal_date: Option<Timestamp>,
    /// RFC822.SIZE, in bytes.
    pub size: Option<u32>,
    /// MODSEQ.
    pub mod_seq: Option<ModSeq>,
    /// X-GM-MSGID.
    pub gm_msgid: Option<u64>,
    /// X-GM-LABELS, decoded: `\Sent`, `\Inbox`, `Clients/Acme`.
    pub gm_labels: Vec<String>,
    /// The header, or its fields that were asked for; ends in an empty line unless it was cut.
    pub header: Option<Vec<u8>>,
    /// What follows the header.
    pub text: Option<Vec<u8>>,
    /// The message, header and all.
    pub message: Option<Vec<u8>>,
}

/// What a running FETCH gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Row {
    /// A message.
    Message(Box<Fetched>),
    /// The set with this index was answered whole, with the tagged OK: what it named and did not
    /// come is not there. Sets end in order.
    Through(usize),
}

/// What came while the mailbox was watched.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct News {
    /// EXISTS: so many messages now.
    pub exists: Option<u32>,
    /// Something was removed.
    pub expunged: bool,
    /// Flags changed.
    pub flags: bool,
}

impl News {
    /// Nothing happened.
    pub fn is_none(&self) -> bool {
        *self == News::default()
    }
}

/// Where an appended message lies now (APPENDUID of RFC 4315).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AppendUid {
    /// UIDVALIDITY of the mailbox.
    pub uid_validity: UidValidity,
    /// UID of the message.
    pub uid: Uid,
}

/// A set of UIDs, as `UID FETCH` takes it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct UidSet(Vec<(Uid, Uid)>);

impl UidSet {
    /// From the first to the last, both included; the other way round it is the same.
    pub fn range(first: Uid, last: Uid) -> UidSet {
        UidSet(vec![(first.min(last).max(1), first.max(last).max(1))])
    }

    /// From this one on. Servers answer `n:*` with the last message even where its UID is lower;
    /// such an answer is dropped.
    pub fn from(first: Uid) -> UidSet {
        UidSet(vec![(first.max(1), Uid::MAX)])
    }

    /// These, in any order.
    pub fn of(uids: impl IntoIterator<Item = Uid>) -> UidSet {
        let sorted: BTreeSet<Uid> = uids.into_iter().filter(|uid| *uid > 0).collect();
        let mut ranges: Vec<(Uid, Uid)> = Vec::new();
        for uid in sorted {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(uid) => *last = uid,
                _ => ranges.push((uid, uid)),
            }
        }
        UidSet(ranges)
    }

    /// These ranges, ascending or descending, none of which touches another.
    pub fn ranges(mut ranges: Vec<(Uid, Uid)>) -> UidSet {
        ranges.sort_unstable();
        UidSet(ranges)
    }

    /// Two sets that hold half of it each; `None` where it is one UID or empty.
    pub fn halves(&self) -> Option<(UidSet, UidSet)> {
        match self.0.as_slice() {
            [] => None,
            [(first, last)] if first == last => None,
            [(first, last)] => {
                let middle = first + (last - first) / 2;
                Some((UidSet(vec![(*first, middle)]), UidSet(vec![(middle + 1, *last)])))
            }
            many => {
                let (one, other) = many.split_at(many.len() / 2);
                Some((UidSet(one.to_vec()), UidSet(other.to_vec())))
            }
        }
    }

    /// Is this one in it?
    pub fn contains(&self, uid: Uid) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= uid);
        after.checked_sub(1).and_then(|i| self.0.get(i)).is_some_and(|(_, last)| uid <= *last)
    }

    /// `n:*`?
    pub(super) fn has_no_end(&self) -> bool {
        self.0.last().is_some_and(|(_, last)| *last == Uid::MAX)
    }

    /// How many UIDs it names, whether there are such messages or not.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|(first, last)| u64::from(*last - *first) + 1).sum()
    }

    /// Nothing in it?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (first, last)) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            match (*first, *last) {
                (first, Uid::MAX) => write!(f, "{comma}{first}:*")?,
                (first, last) if first == last => write!(f, "{comma}{first}")?,
                (first, last) => write!(f, "{comma}{first}:{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_written_short_and_know_their_members() {
        for (set, expected) in [
            (UidSet::of([7, 3, 4, 5, 9, 9, 0]), "3:5,7,9"),
            (UidSet::range(9, 2), "2:9"),
            (UidSet::from(0), "1:*"),
            (UidSet::of([]), ""),
        ] {
            assert_eq!(set.to_string(), expected);
        }
        let set = UidSet::of([3, 4, 5, 7]);
        let inside: Vec<Uid> = (0..10).filter(|uid| set.contains(*uid)).collect();
        assert_eq!(inside, [3, 4, 5, 7]);
        assert!(!UidSet::from(500).contains(499) && UidSet::from(500).contains(Uid::MAX));
    }

    #[test]
    fn paths_have_slashes_between_levels() {
        let listed = |raw: &str, delimiter| Listed {
            name: MailboxName::from_raw(raw),
            delimiter,
            selectable: true,
            special_use: Vec::new(),
            status: None,
        };
        assert_eq!(listed("INBOX.Entw&APw-rfe", Some('.')).path(), "INBOX/Entwürfe");
        assert_eq!(listed("a/b", Some('/')).path(), "a/b");
        assert_eq!(listed("a.b", None).path(), "a.b");
    }
}
