//! One round: every source read once, what is due delivered. Part of `daemon`.

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::doors::{Post, Source};
use crate::engine::{Effect, Engine, Event, Result};
use crate::evidence::{Batch, Delivery, Envelope, Level, SourceName};
use crate::limits;
use crate::source::{Occasion, Report, Stopped};
use crate::time::{Timestamp, Zone};

/// How far a reading has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Progress {
    /// The source.
    pub source: SourceName,
    /// Things read by this batch.
    pub read: u64,
    /// Things left, where the door knows.
    pub left: Option<u64>,
}

/// What a round did.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Round {
    /// Mails that reached the user.
    pub sent: Vec<Envelope>,
    /// Sources that failed, and why.
    pub failed: Vec<(SourceName, String)>,
    /// Deliveries that failed, and why.
    pub undelivered: Vec<String>,
    /// Things looked at.
    pub read: u64,
    /// Observations among them that were handed to the store.
    pub observed: u64,
}

/// Reads every source as of `now` and delivers what is due. An error is the store's: what was
/// committed stays, and the next round goes on from there.
pub async fn once(
    engine: &mut Engine,
    sources: &[Source],
    post: &Post,
    zone: &Zone,
    now: Timestamp,
    progress: &mut dyn FnMut(Progress),
) -> Result<Round> {
    let mut round = Round::default();
    // what was left open by a crash is looked for before anything else is sent
    for effect in engine.searches(now) {
        perform(effect, engine, post, now, &mut round)?;
    }
    read_all(engine, sources, zone, now, progress, &mut round).await?;
    tracing::debug!(read = round.read, observed = round.observed, "sources read");
    let mut effects = engine.apply(Event::Woke, now)?;
    tracing::debug!(effects = effects.len(), "reviewed");
    while !effects.is_empty() {
        let mut more = Vec::new();
        for effect in effects {
            more.extend(perform(effect, engine, post, now, &mut round)?);
        }
        effects = more;
    }
    Ok(round)
}

async fn read_all(
    engine: &mut Engine,
    sources: &[Source],
    zone: &Zone,
    now: Timestamp,
    progress: &mut dyn FnMut(Progress),
    round: &mut Round,
) -> Result<()> {
    let (sender, mut receiver) = mpsc::channel::<(SourceName, Report)>(limits::QUEUE);
    let mut tasks = JoinSet::new();
    for source in sources {
        let (source, zone, sender) = (source.clone(), zone.clone(), sender.clone());
        let cursors = engine.cursors(source.name())?;
        tasks.spawn_blocking(move || {
            let name = source.name().to_string();
            let failed = sender.clone();
            let read = std::panic::AssertUnwindSafe(|| read(&source, cursors, &zone, now, &sender));
            if std::panic::catch_unwind(read).is_err() {
                let what = format!("reading `{name}` ended in a fault of kithd's own; the other sources go on");
                // a receiver that is gone has nothing left to be told
                let _ = failed.blocking_send((name, Report::Failed { level: Level::Wait, what }));
            }
        });
    }
    drop(sender);
    while let Some((source, report)) = receiver.recv().await {
        let event = match report {
            Report::Batch(batch) => {
                seen(&batch, progress, round);
                Event::Observed(batch)
            }
            Report::Through { until, folders, sent_found } => Event::ReadThrough { source, until, folders, sent_found },
            Report::Failed { level, what } => {
                tracing::warn!(source, "{what}");
                round.failed.push((source.clone(), what.clone()));
                Event::SourceFailed { source, level, what }
            }
        };
        engine.apply(event, now)?;
    }
    while tasks.join_next().await.is_some() {}
    Ok(())
}

fn read(
    source: &Source,
    cursors: Vec<crate::evidence::Cursor>,
    zone: &Zone,
    now: Timestamp,
    sender: &mpsc::Sender<(SourceName, Report)>,
) {
    let occasion = Occasion { now, zone, text_since: now.minus(limits::TEXT_WINDOW) };
    let name = source.name().to_string();
    let mut send = |report: Report| sender.blocking_send((name.clone(), report)).map_err(|_| Stopped);
    if source.read(cursors, &occasion, &mut send).is_err() {
        tracing::debug!(source = name, "stopped in the middle of a reading");
    }
}

fn seen(batch: &Batch, progress: &mut dyn FnMut(Progress), round: &mut Round) {
    round.read = round.read.saturating_add(batch.read);
    round.observed = round.observed.saturating_add(u64::try_from(batch.observations.len()).unwrap_or(0));
    progress(Progress { source: batch.source.clone(), read: batch.read, left: batch.left });
}

fn perform(effect: Effect, engine: &mut Engine, post: &Post, now: Timestamp, round: &mut Round) -> Result<Vec<Effect>> {
    let event = match effect {
        Effect::Deliver(envelope) => {
            let delivery = post.deliver(&envelope);
            let showing = envelope.showing;
            match &delivery {
                Delivery::Accepted => round.sent.push(*envelope),
                Delivery::Transient(why) | Delivery::Permanent(why) | Delivery::Unknown(why) => {
                    tracing::warn!(reminder = %showing.reminder, "{why}");
                    round.undelivered.push(why.clone());
                }
            }
            Event::Settled { showing, delivery }
        }
        Effect::Find { showing, message_id } => Event::Found { showing, answer: post.find(&message_id) },
        Effect::Retire(message_id) => {
            if let Err(why) = post.retire(&message_id) {
                tracing::warn!("{why}");
            }
            return Ok(Vec::new());
        }
    };
    engine.apply(event, now)
}
