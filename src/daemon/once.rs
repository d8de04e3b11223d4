//! One round: every source read once, what is due delivered. Part of `daemon`.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::doors::Source;
use super::errand::{self, Done};
use super::post::Post;
use super::reading::{Reading, Said, Word, event};
use super::schedule::Number;
use crate::address::veil;
use crate::control::Round;
use crate::engine::{Effect, Engine, Event, Result};
use crate::evidence::{Level, SourceName};
use crate::limits;
use crate::source::Report;
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

/// The first reading of each source.
const FIRST: Number = 1;

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
    let left_open = engine.searches(now);
    perform(left_open, engine, post, now, &mut round).await?;
    read_all(engine, sources, zone, now, progress, &mut round).await?;
    tracing::debug!(read = round.read, observed = round.observed, "sources read");
    let effects = engine.apply(Event::Woke, now)?;
    tracing::debug!(effects = effects.len(), "reviewed");
    perform(effects, engine, post, now, &mut round).await?;
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
    let (sender, mut receiver) = mpsc::channel::<Said>(limits::QUEUE);
    let start = |engine: &Engine, source: &Source, number| -> Result<()> {
        let cursors = engine.cursors(source.name())?;
        let (source, zone, stop) = (source.clone(), zone.clone(), Arc::default());
        Reading { source, number, cursors, zone, now, stop }.start(sender.clone());
        Ok(())
    };
    for source in sources {
        start(engine, source, FIRST)?;
    }
    let mut open = sources.len();
    // whose connection broke: tried once more
    let mut broken: Vec<SourceName> = Vec::new();
    while open > 0 {
        let Some(said) = receiver.recv().await else { break };
        let report = match said.word {
            Word::Report(report) => report,
            Word::Ended => {
                let again = said.number == FIRST && broken.contains(&said.source);
                match sources.iter().find(|s| again && s.name() == said.source) {
                    Some(source) => start(engine, source, FIRST + 1)?,
                    None => open = open.saturating_sub(1),
                }
                continue;
            }
        };
        match &report {
            Report::Batch(batch) => {
                count(batch, round);
                progress(Progress { source: batch.source.clone(), read: batch.read, left: batch.left });
            }
            Report::Through { .. } => {}
            Report::Failed { level: Level::Retry, what } if said.number == FIRST => {
                tracing::debug!(source = said.source, "tried again at once: {what}");
                broken.push(said.source);
                continue;
            }
            Report::Failed { what, .. } => {
                tracing::warn!(source = said.source, "{}", veil(what));
                round.failed.push((said.source.clone(), what.clone()));
            }
        }
        engine.apply(event(said.source, report), now)?;
    }
    Ok(())
}

/// Counts what a batch brought.
pub(super) fn count(batch: &crate::evidence::Batch, round: &mut Round) {
    round.read = round.read.saturating_add(batch.read);
    round.observed = round.observed.saturating_add(u64::try_from(batch.observations.len()).unwrap_or(0));
}

/// Runs errands, and what follows from them.
async fn perform(
    mut effects: Vec<Effect>,
    engine: &mut Engine,
    post: &Post,
    now: Timestamp,
    round: &mut Round,
) -> Result<()> {
    while !effects.is_empty() {
        let mut more = Vec::new();
        for effect in effects {
            let Done { event, sent, trouble } = errand::run(effect, post.clone()).await;
            round.sent.extend(sent.map(|envelope| *envelope));
            round.undelivered.extend(trouble);
            if let Some(event) = event {
                more.extend(engine.apply(event, now)?);
            }
        }
        effects = more;
    }
    Ok(())
}
