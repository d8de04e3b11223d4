//! SIGHUP, SIGTERM and SIGINT. Part of `daemon`.
//!
//! Invariant: a stop ends in time whatever the loop is doing; the store is made so that it may.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::limits;

/// What the system or the user wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// SIGHUP: read the config again.
    Reload,
    /// SIGTERM, SIGINT.
    Stop,
}

/// Listens from now on.
///
/// # Errors
/// What the system says.
pub fn listen() -> std::io::Result<mpsc::Receiver<Signal>> {
    let (sender, receiver) = mpsc::channel(8);
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        let mut stopping = false;
        loop {
            let heard = tokio::select! {
                _ = hangup.recv() => Signal::Reload,
                _ = terminate.recv() => Signal::Stop,
                _ = interrupt.recv() => Signal::Stop,
            };
            if heard == Signal::Stop && std::mem::replace(&mut stopping, true) {
                tracing::warn!("stopped at once, for the second time of asking; nothing that was acknowledged is lost");
                std::process::exit(1);
            }
            if heard == Signal::Stop {
                tokio::spawn(give_up());
            }
            // many reloads that wait are one
            let _ = sender.try_send(heard);
        }
    });
    Ok(receiver)
}

async fn give_up() {
    tokio::time::sleep(Duration::from_secs(limits::STOP_SECS)).await;
    tracing::warn!("stopped in the middle of something long; nothing that was acknowledged is lost");
    std::process::exit(0);
}
