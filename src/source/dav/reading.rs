//! One reading of an account: what is new in each collection, read and told. Part of `dav`.
//!
//! Invariant: a collection's cursor is written only after all it speaks of was sent; a collection
//! that fails leaves its cursor and the other collections alone.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::account::{ACCOUNT, Account, COLLECTION, Collection, collections};
use super::known::{Held, Known, State, digest, href_digest, path_of};
use super::multistatus::{Multistatus, Props, is_good};
use super::plan::{Fetch, Listed, News, Plan, plan};
use super::wire::{Fault, Refusal, Wire, wait};
use super::{Halt, Kind, Params};
use crate::evidence::{Complaint, Cursor, EvidenceId, Folder, Meeting, Observation, Speaker};
use crate::limits;
use crate::net::Trouble;
use crate::read::calendar::CalendarContext;
use crate::read::cards::read_cards;
use crate::source::events::{calendar_reader, observe_calendar};
use crate::source::files;
use crate::source::{Batches, Occasion, READER_FAILED, guarded};
use crate::time::{Date, Timestamp, days_between};

/// One collection, while it is read.
struct Visit {
    /// `None`: it is not there any more, or not picked.
    collection: Option<Collection>,
    known: Known,
    plan: Plan,
    /// Its cursor afterwards; `None`: as it was.
    next: Option<State>,
    /// Resources that were read.
    fetched: BTreeSet<u64>,
    /// Events and cards of which everything there is was read.
    of: BTreeSet<EvidenceId>,
    /// Why it could not be read.
    trouble: Option<Trouble>,
}

pub(super) fn read(
    params: &Params,
    cursors: Vec<Cursor>,
    occasion: &Occasion<'_>,
    batches: &mut Batches<'_, '_>,
) -> Result<Vec<Folder>, Halt> {
    let mut by_place: BTreeMap<String, Vec<Cursor>> = BTreeMap::new();
    for cursor in cursors {
        by_place.entry(cursor.place.clone()).or_default().push(cursor);
    }
    let salt = Account::salt_of(params);
    let stored = by_place.remove(ACCOUNT).and_then(|cursors| Account::load(&cursors)).filter(|a| a.salt == salt);
    let mut account = stored.clone().unwrap_or_else(|| Account::new(salt));
    if let Some(until) = account.not_before.take().filter(|until| occasion.now < *until) {
        return Err(wait(format!("{} asked to be left in peace until {until}", params.web.url.host())).into());
    }
    let wire = Wire::new(params.kind, &params.web, params.credentials.as_ref(), occasion.now);
    let reading = Reading { params, occasion, wire };
    let read = reading.read(&mut account, by_place, batches);
    account.not_before = reading.wire.patience();
    if (read.is_ok() || account.not_before.is_some()) && stored.as_ref() != Some(&account) {
        batches.cursor(account.cursor())?;
    }
    read?.map_err(Halt::from)
}

struct Reading<'a> {
    params: &'a Params,
    occasion: &'a Occasion<'a>,
    wire: Wire<'a>,
}

impl Reading<'_> {
    /// All of it. The collections for `status`; or the first trouble, where everything else was read.
    fn read(
        &self,
        account: &mut Account,
        stored: BTreeMap<String, Vec<Cursor>>,
        batches: &mut Batches<'_, '_>,
    ) -> Result<Result<Vec<Folder>, Trouble>, Halt> {
        let found = collections(&self.wire, self.params, account).map_err(|refusal| refusal.trouble)?;
        let mut visits = self.visits(found, stored)?;
        let doubt = self.doubt(account, &mut visits);
        for visit in &mut visits {
            self.fetch(visit, batches)?;
        }
        let folders = self.close(visits, batches)?;
        Ok(doubt.map_or(folders, Err))
    }

    /// Every collection that is picked, and those that once were, each with its plan.
    fn visits(&self, found: Vec<Collection>, mut stored: BTreeMap<String, Vec<Cursor>>) -> Result<Vec<Visit>, Halt> {
        let all: Vec<String> = found.iter().map(|c| c.name.clone()).collect();
        let mut visits = Vec::new();
        for collection in found.into_iter().filter(|c| c.is_picked(&self.params.picked)) {
            let place = format!("{COLLECTION}{}", collection.path);
            let known = Known::load(&place, stored.remove(&place).unwrap_or_default());
            visits.push(self.visit(collection, known)?);
        }
        if visits.is_empty() {
            let what = format!("none of these is picked by `include` or `exclude`: {}", all.join(", "));
            return Err(wait(what).into());
        }
        for (place, cursors) in stored.into_iter().filter(|(place, _)| place.starts_with(COLLECTION)) {
            let known = Known::load(&place, cursors);
            let plan = plan(&known, News::All(Vec::new()), false);
            visits.push(Visit::new(None, known, plan, None));
        }
        Ok(visits)
    }

    /// What is to be done for a collection.
    fn visit(&self, collection: Collection, known: Known) -> Result<Visit, Halt> {
        let (salt, today) = (self.salt(), self.today());
        let state = known.state.as_ref();
        let anew =
            state.is_none_or(|s| s.salt != salt || !(s.read_on..s.read_on + limits::DAV_ANEW_DAYS).contains(&today));
        let unread = Plan { left: u64::try_from(known.resources.len()).unwrap_or(u64::MAX), ..Plan::default() };
        if !anew && state.is_some_and(|s| s.mark.is_some() && s.mark == collection.mark) {
            return Ok(Visit::new(Some(collection), known, unread, None));
        }
        let token = state.and_then(|s| s.token.as_deref()).filter(|_| !anew && collection.token.is_some());
        let read_on = state.map_or(today, |s| s.read_on);
        match self.news(&collection, token) {
            Ok((news, token)) => {
                let mut known = known;
                let mut plan = plan(&known, news, anew);
                self.narrow(&collection, &mut known, &mut plan);
                let next = State::new(salt, if anew { today } else { read_on }, collection.mark.clone(), token);
                Ok(Visit::new(Some(collection), known, plan, Some(next)))
            }
            Err(Refusal { fault: Fault::Nobody, trouble, .. }) => Err(trouble.into()),
            Err(refusal) => {
                let mut visit = Visit::new(Some(collection), known, unread, None);
                visit.trouble = Some(refusal.trouble);
                Ok(visit)
            }
        }
    }

    /// What a server says of a collection, and the token to ask with the next time.
    fn news(&self, collection: &Collection, token: Option<&str>) -> Result<(News, Option<String>), Refusal> {
        if let Some(token) = token {
            match self.since(collection, token) {
                Ok(Some((news, token))) => return Ok((news, Some(token))),
                Ok(None) => {}
                // Radicale 3.9 says 403 to a token it does not know, Xandikos 0.4 412, others 400, 409 or 507
                Err(refusal) => match refusal.fault {
                    Fault::Nobody | Fault::Status(401 | 429 | 503) => return Err(refusal),
                    _ => tracing::debug!(collection = collection.name, "the sync-token is not known any more"),
                },
            }
        }
        let answer = self.wire.list(&collection.url)?;
        let mut listed = Vec::new();
        for entry in answer.entries {
            if is_same(&entry.href, collection) {
                if entry.status == Some(507) {
                    let what = format!("{} tells only a part of \"{}\"", collection.url.host(), collection.name);
                    return Err(Refusal { fault: Fault::Garbled, trouble: wait(what), url: None });
                }
            } else if entry.status.is_none_or(is_good) && !entry.props.collection {
                listed.push(Listed { href: entry.href, etag: entry.props.etag });
            }
        }
        Ok((News::All(listed), collection.token.clone()))
    }

    /// Of many events only those are read that the server says lie in the window; the others are known
    /// to be there.
    fn narrow(&self, collection: &Collection, known: &mut Known, plan: &mut Plan) {
        if self.params.kind != Kind::Calendars || plan.fetch.len() < limits::TIME_RANGE_FROM {
            return;
        }
        let (from, until) = self.window();
        let Some(answer) = self.wire.between(&collection.url, from, until) else { return };
        let inside: BTreeSet<u64> = answer.entries.iter().map(|e| href_digest(&e.href)).collect();
        // a filter that lets nothing through is rather one that does not work
        if !plan.fetch.iter().any(|f| inside.contains(&f.key)) {
            return;
        }
        // an event that moved out of the window leaves something behind in it
        let nothing_lost =
            |f: &Fetch| known.resources.get(&f.key).is_none_or(|held| held.events.is_empty() || held.etag == f.etag);
        let outside: Vec<Fetch> = plan.fetch.extract_if(.., |f| !inside.contains(&f.key) && nothing_lost(f)).collect();
        for fetch in outside {
            known.resources.entry(fetch.key).or_default().etag = fetch.etag;
        }
    }

    /// Changes since a token, however many pieces the server cuts them into. `None` where they do not end.
    fn since(&self, collection: &Collection, token: &str) -> Result<Option<(News, String)>, Refusal> {
        let mut token = token.to_string();
        let mut said: BTreeMap<String, (String, Option<Props>)> = BTreeMap::new();
        for _ in 0..limits::SYNC_ROUNDS {
            let answer = self.wire.changes(&collection.url, &token)?;
            let mut is_cut = false;
            for entry in answer.entries {
                if is_same(&entry.href, collection) {
                    is_cut |= entry.status == Some(507);
                } else if matches!(entry.status, Some(404 | 410)) {
                    said.insert(path_of(&entry.href), (entry.href, None));
                } else if entry.status.is_none_or(is_good) && !entry.props.collection {
                    said.insert(path_of(&entry.href), (entry.href, Some(entry.props)));
                }
            }
            let Some(next) = answer.token else { return Ok(None) };
            let is_stuck = next == token;
            token = next;
            if !is_cut {
                let (mut changed, mut deleted) = (Vec::new(), Vec::new());
                for (href, props) in said.into_values() {
                    match props {
                        Some(props) => changed.push(Listed { href, etag: props.etag }),
                        None => deleted.push(href),
                    }
                }
                return Ok(Some((News::Since { changed, deleted }, token)));
            }
            if is_stuck {
                break;
            }
        }
        Ok(None)
    }

    /// Are there so few resources left that it is rather a fault? Then nothing is taken as gone.
    fn doubt(&self, account: &mut Account, visits: &mut [Visit]) -> Option<Trouble> {
        let left = visits.iter().map(|v| v.plan.left).sum();
        let now = self.occasion.now;
        let last =
            files::State { items: account.items, doubted_since: account.doubted_since, ..files::State::default() };
        if !last.doubts(left, now) {
            (account.items, account.doubted_since) = (left, None);
            return None;
        }
        account.doubted_since.get_or_insert(now);
        for visit in visits.iter_mut().filter(|v| !v.plan.gone.is_empty()) {
            visit.plan.gone.clear();
            if let Some(next) = &mut visit.next {
                // what was deleted is asked for again
                next.mark = None;
                next.token = visit.known.state.as_ref().and_then(|s| s.token.clone());
            }
        }
        Some(wait(last.doubt(left)))
    }

    /// Reads what the plan of a collection names.
    fn fetch(&self, visit: &mut Visit, batches: &mut Batches<'_, '_>) -> Result<(), Halt> {
        let Some(collection) = visit.collection.clone() else { return Ok(()) };
        let fetch = std::mem::take(&mut visit.plan.fetch);
        let is_first = visit.known.state.is_none();
        let mut left = fetch.len();
        let mut queue: Vec<&[Fetch]> = fetch.chunks(limits::MULTIGET).rev().collect();
        let (mut refused, mut since_kept) = (0, 0);
        while let Some(some) = queue.pop() {
            let hrefs: Vec<&str> = some.iter().map(|f| f.href.as_str()).collect();
            match self.wire.texts(&collection.url, &hrefs) {
                Ok(answer) => {
                    left = left.saturating_sub(some.len());
                    batches.batch.left = u64::try_from(left).ok();
                    self.take(visit, &collection, some, answer, batches)?;
                    since_kept += some.len();
                }
                Err(refusal) if refusal.fault == Fault::Nobody => return Err(refusal.trouble.into()),
                Err(refusal) if refusal.may_be_the_size() && some.len() > 1 => {
                    let (first, second) = some.split_at(some.len() / 2);
                    queue.extend([second, first]);
                }
                Err(refusal) if refusal.may_be_the_size() && refused < limits::RESOURCES_REFUSED => {
                    refused += 1;
                    self.pass_over(visit, some, &refusal.trouble.what, batches);
                }
                Err(refusal) => {
                    visit.trouble = Some(refusal.trouble);
                    return Ok(());
                }
            }
            // a long first reading can be taken up again; any other is made again
            if is_first && since_kept >= limits::DAV_LOT && !queue.is_empty() {
                since_kept = 0;
                batches.flush()?;
                let so_far = State::new(self.salt(), self.today(), None, None);
                for cursor in visit.known.update(so_far) {
                    batches.cursor(cursor)?;
                }
            }
        }
        Ok(())
    }

    /// Takes in one answer.
    fn take(
        &self,
        visit: &mut Visit,
        collection: &Collection,
        asked: &[Fetch],
        answer: Multistatus,
        batches: &mut Batches<'_, '_>,
    ) -> Result<(), Halt> {
        let mut waiting: BTreeMap<u64, &Fetch> = asked.iter().map(|f| (f.key, f)).collect();
        for entry in answer.entries {
            let Some(fetch) = waiting.remove(&href_digest(&entry.href)) else { continue };
            if matches!(entry.status, Some(404 | 410)) {
                // deleted while this went on: the next reading says so
                continue;
            }
            let Some(text) = entry.props.data else {
                self.pass_over(visit, std::slice::from_ref(fetch), "the server gives no text of it", batches);
                continue;
            };
            let place = format!("{}: {}", collection.name, path_of(&fetch.href));
            let events = match self.params.kind {
                Kind::Calendars => self.events(&text, &place, batches)?,
                Kind::AddressBooks => self.cards(&text, &place, batches)?,
            };
            let held = visit.known.resources.entry(fetch.key).or_default();
            held.etag = fetch.etag;
            if let Some(events) = events {
                let before = std::mem::replace(&mut held.events, events);
                visit.of.extend(before.into_iter().chain(held.events.iter().copied()));
                visit.fetched.insert(fetch.key);
            }
        }
        for fetch in waiting.into_values() {
            self.pass_over(visit, std::slice::from_ref(fetch), "the server does not give it", batches);
        }
        Ok(())
    }

    /// A resource that cannot be read is complained of, and asked for again when anything changes.
    fn pass_over(&self, visit: &mut Visit, resources: &[Fetch], why: &str, batches: &mut Batches<'_, '_>) {
        for fetch in resources {
            let held: &mut Held = visit.known.resources.entry(fetch.key).or_default();
            held.etag = 0;
            let place = path_of(&fetch.href);
            batches.complain(Complaint::new(&self.params.name, &place, why, self.occasion.now));
        }
    }

    /// Events of one resource. `None`: not all of it could be read, and nothing follows from what it lacks.
    fn events(&self, text: &str, place: &str, batches: &mut Batches<'_, '_>) -> Result<Option<Vec<EvidenceId>>, Halt> {
        let occasion = self.occasion;
        let (from, until) = self.window();
        let context = CalendarContext {
            source: &self.params.name,
            place,
            speaker: Speaker::Feed(self.params.name.clone()),
            read_at: occasion.now,
            from,
            until,
            zone: occasion.zone,
        };
        let mut events = BTreeSet::new();
        let mut also = |meeting: &Meeting| {
            events.insert(meeting.key.event());
        };
        let mut bytes = io::Cursor::new(text.as_bytes());
        let read = observe_calendar(&mut bytes, &context, &calendar_reader, batches, &mut also)?;
        if read.is_none() {
            batches.complain(Complaint::new(&self.params.name, place, READER_FAILED, occasion.now));
        }
        Ok(read.filter(|read| read.complete).map(|_| events.into_iter().collect()))
    }

    fn cards(&self, text: &str, place: &str, batches: &mut Batches<'_, '_>) -> Result<Option<Vec<EvidenceId>>, Halt> {
        let (name, now) = (&self.params.name, self.occasion.now);
        let Some((cards, complaints)) = guarded(|| read_cards(text.as_bytes(), name, place, now)) else {
            batches.complain(Complaint::new(name, place, READER_FAILED, now));
            return Ok(None);
        };
        batches.batch.read += 1;
        complaints.into_iter().for_each(|c| batches.complain(c));
        let mut ids = Vec::new();
        for card in cards {
            ids.push(card.id);
            batches.observe(Observation::Card(card))?;
        }
        Ok(Some(ids))
    }

    /// Says what is gone, and writes the cursors. The collections for `status`, or what failed of them.
    fn close(
        &self,
        mut visits: Vec<Visit>,
        batches: &mut Batches<'_, '_>,
    ) -> Result<Result<Vec<Folder>, Trouble>, Halt> {
        let mut of = BTreeSet::new();
        for visit in visits.iter_mut().filter(|v| v.trouble.is_none()) {
            for key in &visit.plan.gone {
                let held = visit.known.resources.remove(key);
                visit.of.extend(held.into_iter().flat_map(|h| h.events));
            }
            of.append(&mut visit.of);
        }
        if !of.is_empty() {
            // an event that another resource holds as well is not gone with this one
            for visit in &visits {
                let kept = visit.known.resources.iter().filter(|(key, _)| !visit.fetched.contains(key));
                kept.flat_map(|(_, held)| &held.events).for_each(|event| {
                    of.remove(event);
                });
            }
            let until = match self.params.kind {
                Kind::Calendars => self.window().1,
                Kind::AddressBooks => Timestamp::MAX,
            };
            batches.full(self.occasion.now, until, Some(of.into_iter().collect()))?;
        }
        let mut folders = Vec::new();
        let mut trouble = None;
        for mut visit in visits {
            let cursors = match (visit.next.take(), &visit.collection) {
                _ if visit.trouble.is_some() => Vec::new(),
                (Some(next), _) => visit.known.update(next),
                (None, None) if visit.known.resources.is_empty() => visit.known.forget(),
                (None, _) => Vec::new(),
            };
            for cursor in cursors {
                batches.cursor(cursor)?;
            }
            let Some(collection) = visit.collection else { continue };
            if let Some(failed) = visit.trouble {
                let what = format!("\"{}\": {}; `exclude` leaves it out", collection.name, failed.what);
                trouble.get_or_insert(Trouble { what, ..failed });
            }
            let read = u64::try_from(visit.known.resources.len()).unwrap_or(u64::MAX);
            folders.push(Folder { name: collection.name, read, role: self.params.kind.role() });
        }
        Ok(trouble.map_or(Ok(folders), Err))
    }

    /// Between what meetings are taken.
    fn window(&self) -> (Timestamp, Timestamp) {
        let now = self.occasion.now;
        (self.params.history.before(now, self.occasion.zone), now.plus(limits::CALENDAR_AHEAD))
    }

    /// Whatever else makes a new reading necessary.
    fn salt(&self) -> u64 {
        let text = format!("{} {} {}", crate::read::READER, self.params.history, self.occasion.zone.name());
        digest("reading", &text)
    }

    fn today(&self) -> i64 {
        days_between(Date::constant(1970, 1, 1), self.occasion.zone.date(self.occasion.now))
    }
}

impl Visit {
    fn new(collection: Option<Collection>, known: Known, plan: Plan, next: Option<State>) -> Visit {
        Visit { collection, known, plan, next, fetched: BTreeSet::new(), of: BTreeSet::new(), trouble: None }
    }
}

/// Is it the collection itself, which some servers list with its members?
fn is_same(href: &str, collection: &Collection) -> bool {
    path_of(href).trim_end_matches('/') == collection.path.trim_end_matches('/')
}
