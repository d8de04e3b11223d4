//! One mailbox that is open: what is in it, and its messages. Part of `source::imap`.
//!
//! Invariant: a message is left out only where the server gives others and not this one, and that is
//! said; what the server does not give whole is read by its header.

use std::collections::VecDeque;

use super::Kept;
use super::choice::Chosen;
use super::cursor::{State, Way};
use super::errand::{End, Errand, Left};
use super::plan::{Kind, Lump, Pass, Survey};
use crate::evidence::Level;
use crate::imap::{Error, Items, MailboxName, Row, Uid, UidSet, UidValidity};
use crate::limits;
use crate::net::Trouble;

/// The open mailbox.
pub(super) struct Visit<'a> {
    /// Whose reading it is.
    pub errand: &'a mut Errand,
    kept: &'a mut Kept,
    folder: &'a Chosen,
    /// UIDVALIDITY.
    pub validity: UidValidity,
    exists: u32,
}

impl<'a> Visit<'a> {
    /// Opens a mailbox; gives its UIDNEXT, too.
    pub(super) async fn begin(
        errand: &'a mut Errand,
        kept: &'a mut Kept,
        folder: &'a Chosen,
        known: Option<State>,
    ) -> Result<(Visit<'a>, Uid), Left> {
        let examined = kept.session.examine(&folder.name).await?;
        kept.folder = Some(folder.name.clone());
        if examined.uid_not_sticky {
            let what = "the server gives messages new UIDs in each session, so kithd cannot know what it has read";
            return Err(Left::Refused(Trouble { level: Level::Wait, what: what.to_string() }));
        }
        // a server without UIDVALIDITY (RFC 3501 7.1 wants one) keeps its UIDs, or so it seems
        let validity = examined.uid_validity.unwrap_or(0);
        let seen = known.filter(|k| k.validity == validity).map_or(1, |k| k.next);
        let mut visit = Visit { errand, kept, folder, validity, exists: examined.exists };
        let uid_next = match examined.uid_next {
            Some(uid_next) => uid_next.max(1),
            None if examined.exists == 0 => seen,
            None => visit.next_after(seen).await?,
        };
        Ok((visit, uid_next))
    }

    /// Courier, some Exchange: no UIDNEXT is said. The last message tells.
    async fn next_after(&mut self, seen: Uid) -> Result<Uid, Left> {
        let mut next = seen;
        let mut fetch = self.kept.session.uid_fetch(vec![UidSet::from(seen)], Items::default());
        while let Some(row) = fetch.next().await? {
            if let Row::Message(message) = row {
                next = next.max(message.uid.saturating_add(1));
            }
        }
        Ok(next)
    }

    /// What a pass has to read, in lumps.
    pub(super) async fn survey(&mut self, pass: Pass) -> Result<Vec<Lump>, Left> {
        let (first, last) = pass.range();
        let lumps = if self.exists == 0 {
            Vec::new()
        } else if pass.is_short() {
            vec![Lump::unseen((first, last))]
        } else {
            let mut survey = Survey::default();
            let items = Items { flags: true, internal_date: true, ..Items::default() };
            let mut fetch = self.kept.session.uid_fetch(vec![UidSet::range(first, last)], items);
            while let Some(row) = fetch.next().await? {
                if let Row::Message(row) = row {
                    survey.add(row.uid, self.errand.times.kind(&row));
                }
            }
            survey.lumps(pass)
        };
        self.errand.left = lumps.iter().map(|l| u64::from(l.count())).sum();
        Ok(lumps)
    }

    /// Reads a lump: recent mail with its text, older mail by its header. Gives how many messages.
    pub(super) async fn read_lump(&mut self, pass: Pass, lump: &Lump, way: Way) -> Result<u64, Left> {
        let about = Items { flags: true, internal_date: true, gmail: self.folder.role.is_none(), ..Items::default() };
        let header = Items { header: Some(limits::FETCH_HEADER_BYTES), ..about.clone() };
        let whole = Items { message: Some(limits::FETCH_MESSAGE_BYTES), ..about };
        let (texts, mut heads) = if !way.bodies {
            (Vec::new(), lump.sets(Kind::Recent, limits::FETCH_HEADERS))
        } else if pass.is_short() {
            (lump.sets(Kind::Recent, limits::FETCH_MESSAGES), Vec::new())
        } else {
            self.by_date(lump).await?
        };
        heads.extend(lump.sets(Kind::Older, limits::FETCH_HEADERS));
        let (mut count, not_whole) = self.fetch(texts, &whole).await?;
        for (set, why) in not_whole {
            let place = format!("{} UID {set}", self.folder.path);
            self.errand.complain(&place, &format!("only its header is read: {why}")).await?;
            heads.push(set);
        }
        let (more, not_given) = self.fetch(heads, &header).await?;
        count += more;
        for (set, why) in not_given {
            let place = format!("{} UID {set}", self.folder.path);
            self.errand.complain(&place, &format!("the server does not give it: {why}")).await?;
        }
        Ok(count)
    }

    /// Parts what arrived inside the text window into what was also written in it, and the rest: a
    /// mailbox that moved here lately may have given each message the day of the move.
    async fn by_date(&mut self, lump: &Lump) -> Result<(Vec<UidSet>, Vec<UidSet>), Left> {
        let (mut recent, mut older) = (Vec::new(), Vec::new());
        let items = Items { internal_date: true, header_fields: &["DATE"], ..Items::default() };
        let mut fetch = self.kept.session.uid_fetch(lump.sets(Kind::Recent, limits::FETCH_HEADERS), items);
        loop {
            match fetch.next().await {
                Ok(Some(Row::Message(row))) => {
                    let is_older = self.errand.was_written_at(&row) < self.errand.times.text_since;
                    if is_older { older.push(row.uid) } else { recent.push(row.uid) }
                }
                Ok(Some(Row::Through(_))) => {}
                Ok(None) => break,
                // one of them cannot be read at all; which one is found out when they are fetched
                Err(Error::Refused(_)) => return Ok((lump.sets(Kind::Recent, limits::FETCH_MESSAGES), Vec::new())),
                Err(lost) => return Err(lost.into()),
            }
        }
        let parted = |uids: Vec<Uid>, most: u32| {
            let most = usize::try_from(most).unwrap_or(usize::MAX).max(1);
            uids.chunks(most).map(|chunk| UidSet::of(chunk.iter().copied())).collect()
        };
        Ok((parted(recent, limits::FETCH_MESSAGES), parted(older, limits::FETCH_HEADERS)))
    }

    /// Fetches sets and hands on what comes. Gives how many messages, and those (each in a set of its
    /// own) that the server does not give like this, with the reason.
    async fn fetch(&mut self, sets: Vec<UidSet>, items: &Items) -> Result<(u64, Vec<(UidSet, String)>), Left> {
        let whole = items.message.is_some();
        // where messages end connections one at a time is on its way, and no other takes the blame
        let window = if sets.iter().any(|set| self.ends_in(set, whole) > 0) { 1 } else { usize::MAX };
        let (mut sets, mut not_given) = self.around_ends(sets, whole).await?;
        let mut count = 0;
        while !sets.is_empty() {
            let mut fetch = self.kept.session.uid_fetch(sets.iter().take(window).cloned().collect(), items.clone());
            let refused = loop {
                match fetch.next().await {
                    Ok(Some(Row::Message(m))) => count += u64::from(self.errand.hand_on(self.folder, *m).await?),
                    Ok(Some(Row::Through(_))) => drop(sets.pop_front()),
                    Ok(None) => break None,
                    Err(Error::Refused(trouble)) => break Some(trouble),
                    Err(Error::Lost(trouble)) => {
                        let end = sets.pop_front().map(|set| (self.folder.name.clone(), set, whole));
                        self.errand.ends.extend(end);
                        return Err(Left::Ended(End::Lost(trouble)));
                    }
                }
            };
            let Some(refused) = refused else { continue };
            let Some(first) = sets.pop_front().filter(|_| self.errand.patience > 0) else {
                return Err(Left::Refused(refused));
            };
            self.errand.patience -= 1;
            match first.halves() {
                Some((one, other)) => [other, one].into_iter().for_each(|half| sets.push_front(half)),
                None => {
                    self.is_served(&first).await?;
                    not_given.push((first, refused.what));
                }
            }
        }
        Ok((count, not_given))
    }

    /// A message was refused. Is it the same mailbox still, and does the server give anything of it?
    async fn is_served(&mut self, one: &UidSet) -> Result<(), Left> {
        let examined = self.kept.session.examine(&self.folder.name).await?;
        if examined.uid_validity.is_some_and(|validity| validity != self.validity) {
            let what = "it was made anew while it was read".to_string();
            return Err(Left::Refused(Trouble { level: Level::Wait, what }));
        }
        let items = Items { internal_date: true, ..Items::default() };
        let mut fetch = self.kept.session.uid_fetch(vec![one.clone()], items);
        while fetch.next().await?.is_some() {}
        Ok(())
    }

    /// Sets in the midst of which a connection ended are fetched message by message; a message that
    /// ended two of them is not fetched like this again.
    async fn around_ends(
        &mut self,
        sets: Vec<UidSet>,
        whole: bool,
    ) -> Result<(VecDeque<UidSet>, Vec<(UidSet, String)>), Left> {
        let (mut open, mut closed) = (VecDeque::new(), Vec::new());
        for set in sets {
            if self.ends_in(&set, whole) == 0 {
                open.push_back(set);
                continue;
            }
            let mut there = Vec::new();
            let mut fetch = self.kept.session.uid_fetch(vec![set], Items::default());
            while let Some(row) = fetch.next().await? {
                if let Row::Message(message) = row {
                    there.push(UidSet::range(message.uid, message.uid));
                }
            }
            for one in there {
                match self.ends_in(&one, whole) {
                    0 | 1 => open.push_back(one),
                    _ => closed.push((one, "the connection ends there".to_string())),
                }
            }
        }
        Ok((open, closed))
    }

    /// Connections that ended in the midst of this set.
    fn ends_in(&self, set: &UidSet, whole: bool) -> usize {
        let here =
            |(name, ended, w): &&(MailboxName, UidSet, bool)| *name == self.folder.name && ended == set && *w == whole;
        self.errand.ends.iter().filter(here).count()
    }
}
