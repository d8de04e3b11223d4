//! How the service begins, changes and ends. Part of `daemon`.
//!
//! Invariant: a config that cannot be taken whole is not taken at all; an end leaves nothing begun
//! that is not known.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::doors::{self, Pace};
use super::errand;
use super::post::Post;
use super::rounds::Rounds;
use super::schedule::Schedule;
use super::service::{Happened, Inbox, Load, Seated, Senders, Service, Wake};
use super::signals::{self, Signal};
use super::trace::{Trace, What};
use super::watch::Watcher;
use super::words::Words;
use crate::address::veil;
use crate::config::Config;
use crate::control::{self, Asked, Fault, Peers, Socket};
use crate::engine::{Engine, EngineError, Reply, Result, SourceKind};
use crate::limits;
use crate::notify;
use crate::store::StoreError;
use crate::time::{self, DAY, HOUR, MINUTE, Timestamp};

/// Runs the service until SIGTERM or SIGINT. `load` reads the config again, for SIGHUP.
///
/// # Errors
/// In plain words why it could not begin or go on.
pub fn run(engine: Engine, config: Config, load: Load, record: Option<&Path>) -> std::result::Result<(), String> {
    let trace = match record {
        Some(path) => Trace::create(path).map_err(|e| format!("cannot record to {}: {e}", path.display()))?,
        None => Trace::none(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|e| format!("no thread can be started: {e}"))?;
    let outcome = runtime.block_on(serve(engine, config, load, trace));
    // a reading that hangs in the system is not waited for
    runtime.shutdown_background();
    outcome
}

async fn serve(engine: Engine, config: Config, load: Load, trace: Trace) -> std::result::Result<(), String> {
    let signals = signals::listen().map_err(|e| format!("signals cannot be heard: {e}"))?;
    let place = control::place(config.control.socket.as_deref(), &config.store);
    let socket = Socket::bind(&place)?;
    let (peers, peers_seen) = watch::channel(peers(&config, socket.own, &place));
    let (asks, asked) = mpsc::channel::<Asked>(limits::ASKED);
    let (said_sender, said) = mpsc::channel(limits::QUEUE);
    let (news_sender, news) = mpsc::channel(64);
    let senders = Senders { said: said_sender, news: news_sender };
    let mut inbox = Inbox { said, news, asked, signals };
    let mut service = Service::new(engine, config, load, trace, peers, senders);
    service.begin().map_err(|e| e.to_string())?;
    let own = socket.own;
    let control = tokio::spawn(control::serve(socket, peers_seen, asks));
    notify::ready();
    tracing::info!(uid = own, socket = %place.display(), "kithd {} runs", env!("CARGO_PKG_VERSION"));
    let served = service.serve(&mut inbox).await;
    notify::stopping();
    control.abort();
    // the socket goes before the store is closed, so that who finds none waits for the lock
    let _ = control.await;
    let stopped = service.stop(inbox).await;
    tracing::info!("kithd stopped");
    served.and(stopped).map_err(|e| e.to_string())
}

fn peers(config: &Config, own: u32, place: &Path) -> Peers {
    let (peers, unknown) = Peers::of(own, &config.control.allow);
    for name in unknown {
        tracing::warn!("[control] allow: there is no user `{name}` in /etc/passwd; a number is understood too");
    }
    if let Err(error) = Socket::open_to(place, &peers) {
        tracing::warn!("the rights of the socket {} cannot be set: {error}", place.display());
    }
    peers
}

impl Service {
    fn new(
        engine: Engine,
        config: Config,
        load: Load,
        trace: Trace,
        peers: watch::Sender<Peers>,
        senders: Senders,
    ) -> Service {
        let now = time::now();
        let seconds = |every: Duration| i64::try_from(every.as_secs() / 2).unwrap_or(MINUTE).max(1);
        Service {
            engine,
            post: Post::of(&config, &[]),
            config,
            load,
            trace,
            schedule: Schedule::default(),
            sources: BTreeMap::new(),
            running: BTreeMap::new(),
            rounds: Rounds::default(),
            words: Words::default(),
            peers,
            wake: Wake { at: now.plus(DAY), wanted_at: None, holds: false },
            errands: std::collections::VecDeque::new(),
            abroad: None,
            senders,
            now,
            unsynced: None,
            mend_secs: 1,
            watchdog: notify::watchdog().map(seconds),
            alive_at: now,
        }
    }

    /// Takes up what an earlier process left open.
    fn begin(&mut self) -> Result<()> {
        let now = self.now;
        for warning in &self.config.warnings {
            tracing::warn!("{}", veil(warning));
        }
        if let Some(told) = &self.engine.rebuilt {
            tracing::warn!("{told}");
        }
        self.trace.write(now, || What::Began {});
        if let Some(back) = self.engine.begin_round(now, false)? {
            tracing::warn!("the clock is {back} s behind the store's last time; kithd goes on");
        }
        self.errands.extend(self.engine.searches(now));
        self.seat_sources(now);
        self.look_around(now)?;
        // what fell due while nobody looked
        self.wake.wanted_at = Some(now);
        Ok(())
    }

    /// Sets the sources to those of the config; what has not changed goes on as it is.
    fn seat_sources(&mut self, now: Timestamp) {
        let paces = doors::paces(&self.config);
        let mut old = std::mem::take(&mut self.sources);
        for source in doors::sources(&self.config) {
            let name = source.name().to_string();
            let pace = paces.get(&name).copied().unwrap_or(Pace { poll: HOUR, idle: false });
            self.schedule.seat(&name, pace.poll.max(limits::SOURCE_REST), self.fresh(&name), now);
            let mut seated = old.remove(&name).filter(|was| was.source == source).unwrap_or_else(|| {
                self.give_up(&name);
                self.schedule.ask(&name, now);
                Seated { source, watcher: None }
            });
            seated.watcher = pace.idle.then(|| {
                let start = || Watcher::start(seated.source.clone(), self.senders.news.clone());
                seated.watcher.take().unwrap_or_else(start)
            });
            self.sources.insert(name, seated);
        }
        old.keys().for_each(|name| self.give_up(name));
        let sources: Vec<_> = self.sources.values().map(|seated| seated.source.clone()).collect();
        let post = Post::of(&self.config, &sources);
        // one that stays as it is keeps its logins, and what it knows of refused ones
        if post != self.post {
            self.post = post;
        }
        let sources = &self.sources;
        let is_kept = |name: &str| sources.contains_key(name);
        self.schedule.keep(is_kept);
        self.rounds.keep(is_kept);
        self.words.keep(is_kept);
    }

    /// Lets a reading end at its next word.
    fn give_up(&self, source: &str) {
        if let Some(running) = self.running.get(source) {
            running.stop.store(true, Ordering::Relaxed);
        }
    }

    /// Seconds the last reading of a source may be old when reminders are sent: less than what the
    /// engine asks for, so that it is so still when the reading has ended.
    fn fresh(&self, name: &str) -> i64 {
        let spec = self.config.setup.sources.iter().find(|s| s.name == name);
        match spec.map(|s| s.kind) {
            Some(SourceKind::Mailbox) => limits::COVERAGE_MAIL * 2 / 3,
            _ => limits::COVERAGE_FEED * 2 / 3,
        }
    }

    /// Reads the config again. The inner result is for whoever asked: what was done, or why not.
    pub fn reload(&mut self, now: Timestamp) -> Result<std::result::Result<String, String>> {
        notify::reloading();
        let outcome = match (self.load)().and_then(|config| self.movable(config)) {
            Ok(config) => {
                self.adopt(config, now)?;
                tracing::info!("the config was read again");
                Ok("the config was read again".to_string())
            }
            Err(what) => {
                for line in what.lines() {
                    tracing::error!("config refused, the old one goes on: {}", veil(line));
                }
                Err(what)
            }
        };
        self.words.refused(outcome.as_ref().err().cloned());
        notify::ready();
        Ok(outcome)
    }

    /// What a running service holds open stays where it is.
    fn movable(&self, config: Config) -> std::result::Result<Config, String> {
        let socket = |c: &Config| control::place(c.control.socket.as_deref(), &c.store);
        if config.store != self.config.store {
            return Err("[store] path is another: restart the service for that".to_string());
        }
        if socket(&config) != socket(&self.config) {
            return Err("[control] socket is another: restart the service for that".to_string());
        }
        Ok(config)
    }

    fn adopt(&mut self, config: Config, now: Timestamp) -> Result<()> {
        self.trace.write(now, || What::Configured {});
        self.engine.configure(config.setup.clone(), now)?;
        for warning in &config.warnings {
            tracing::warn!("{}", veil(warning));
        }
        let place = control::place(config.control.socket.as_deref(), &config.store);
        let own = self.peers.borrow().own();
        self.peers.send_replace(peers(&config, own, &place));
        self.config = config;
        self.seat_sources(now);
        // what failed may work by now: a password lies outside the config
        self.sources
            .keys()
            .filter(|n| self.schedule.failures(n) > 0)
            .cloned()
            .collect::<Vec<_>>()
            .iter()
            .for_each(|name| self.schedule.ask(name, now));
        self.wake.wanted_at.get_or_insert(now);
        Ok(())
    }

    /// Goes on with the store of a backup. What is wrong with the file is told and changes nothing; a store
    /// that does not open afterwards is an error.
    pub fn restore(&mut self, file: &Path, now: Timestamp) -> Result<Reply> {
        let refused = |why: String| Ok(Reply::Refused { why, several: Vec::new() });
        if self.abroad.is_some() {
            return refused("a reminder is on its way at this moment: try again".to_string());
        }
        let aside = match self.engine.restore(file, now) {
            Ok(aside) => aside,
            Err(error) => {
                self.engine.sync()?;
                return refused(error.to_string());
            }
        };
        // what they read belongs to the store that was
        self.running.keys().for_each(|name| self.give_up(name));
        self.rounds.fail("the store was restored meanwhile");
        self.errands.clear();
        self.trace = Trace::none();
        self.engine.begin_round(now, false)?;
        self.errands.extend(self.engine.searches(now));
        self.sources.keys().for_each(|name| self.schedule.ask(name, now));
        self.look_around(now)?;
        self.wake.wanted_at = Some(now);
        tracing::info!("the store was restored from a backup");
        let aside =
            aside.map(|a| format!("; the store that was there lies in {} now", a.display())).unwrap_or_default();
        Ok(Reply::Done(format!("restored {} from {}{aside}", self.config.store.display(), file.display())))
    }

    /// After a failure of the store: opens it again as soon as that works, while clients are told why
    /// they must wait. `false`: the service was told to stop meanwhile.
    pub async fn mend(&mut self, error: EngineError, inbox: &mut Inbox) -> Result<bool> {
        let mut why = error.to_string();
        tracing::error!("{why}");
        notify::status(&why);
        self.rounds.fail(&why);
        // what they have read is read again: its cursor was not kept
        self.running.keys().for_each(|name| self.give_up(name));
        let (mut outcomes, mut reload) = (Vec::new(), false);
        loop {
            let until = time::now().plus(self.mend_secs);
            self.mend_secs = (self.mend_secs * 2).min(limits::SLEEP_SECS);
            // a delivery that is under way ends first: only then is it known what is
            while time::now() < until || self.abroad.is_some() {
                match inbox.next(Duration::from_secs(1), &mut self.abroad).await {
                    Happened::Signal(Signal::Stop) => return Ok(false),
                    Happened::Signal(Signal::Reload) => reload = true,
                    Happened::Asked(asked) => drop(asked.answer.send(Err(Fault::new(Fault::FAILED, why.as_str())))),
                    happened @ (Happened::Said(_) | Happened::News(_)) => self.take(happened, time::now())?,
                    Happened::Errand(done) => {
                        self.abroad = None;
                        outcomes.extend(done.and_then(|done| done.event));
                    }
                    Happened::Time => {}
                }
            }
            match self.engine.reopen(time::now()) {
                Ok(()) => break,
                Err(EngineError::Store(full @ StoreError::Full { .. })) => why = full.to_string(),
                Err(other) => return Err(other),
            }
        }
        if let Some(told) = &self.engine.rebuilt {
            tracing::warn!("{told}");
        }
        tracing::info!("the store works again");
        let now = time::now();
        outcomes.extend(self.errands.drain(..).filter_map(|effect| errand::dropped(&effect)));
        outcomes.into_iter().try_for_each(|event| self.apply(event, now))?;
        if reload {
            self.reload(now)?.ok();
        }
        self.sources.keys().for_each(|name| self.schedule.ask(name, now));
        self.look_around(now)?;
        self.wake.wanted_at = Some(now);
        Ok(true)
    }

    /// The end: what was not begun is said to be so, what is under way may end, and the store is closed.
    async fn stop(mut self, mut inbox: Inbox) -> Result<()> {
        self.running.keys().for_each(|name| self.give_up(name));
        self.sources.clear();
        inbox.said.close();
        inbox.asked.close();
        while inbox.asked.recv().await.is_some() {}
        let now = time::now();
        let unbegun: Vec<_> = self.errands.drain(..).filter_map(|effect| errand::dropped(&effect)).collect();
        unbegun.into_iter().try_for_each(|event| self.apply(event, now))?;
        if let Some(mut abroad) = self.abroad.take() {
            let patience = Duration::from_secs(limits::STOP_DELIVERY_SECS);
            match tokio::time::timeout(patience, &mut abroad).await {
                Ok(Ok(done)) => done.event.map_or(Ok(()), |event| self.apply(event, time::now()))?,
                _ => tracing::warn!("a delivery was under way; whether it arrived is looked for at the next start"),
            }
        }
        self.engine.sync()
    }
}
