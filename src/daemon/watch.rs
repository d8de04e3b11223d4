//! Waiting for news of a source. Part of `daemon`.
//!
//! Invariant: a watcher that breaks or panics costs only its news; the source is read at its poll.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::doors::Source;
use super::schedule::{backoff, spread};
use crate::address::veil;
use crate::evidence::{Level, SourceName};
use crate::limits;
use crate::net::Trouble;

/// A watcher; it ends with this.
#[derive(Debug)]
pub struct Watcher(JoinHandle<()>);

impl Drop for Watcher {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Watcher {
    /// Starts watching.
    pub fn start(source: Source, news: mpsc::Sender<SourceName>) -> Watcher {
        Watcher(tokio::spawn(async move {
            let mut failures = 0_u32;
            loop {
                let begun = Instant::now();
                let trouble = watch(source.clone(), news.clone()).await;
                if trouble.level == Level::Stop {
                    tracing::info!(source = source.name(), "not watched any more: {}", veil(&trouble.what));
                    return;
                }
                // what worked for a while breaks for another reason than the last time
                let lasted = begun.elapsed() > Duration::from_secs(limits::SOURCE_BACKOFF_MIN.unsigned_abs() * 10);
                failures = if lasted { 1 } else { failures.saturating_add(1) };
                tracing::debug!(source = source.name(), failures, "watching ended: {}", trouble.what);
                let wait = spread(backoff(failures), chance());
                tokio::time::sleep(Duration::from_secs(wait.unsigned_abs())).await;
            }
        }))
    }
}

/// One watch, in a task of its own: a panic in it ends only the watch.
async fn watch(source: Source, news: mpsc::Sender<SourceName>) -> Trouble {
    let watched = tokio::spawn(async move {
        let name = source.name().to_string();
        // a loop that is busy hears of it with the news that wait already
        source.watch(|| drop(news.try_send(name.clone()))).await
    });
    let guard = Abort(watched.abort_handle());
    let trouble =
        watched.await.unwrap_or_else(|_| Trouble { level: Level::Wait, what: "a fault of kithd's own".to_string() });
    drop(guard);
    trouble
}

struct Abort(tokio::task::AbortHandle);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Something that differs each time.
pub fn chance() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0)
}
