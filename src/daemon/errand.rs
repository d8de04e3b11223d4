//! What the engine wants done outside: a delivery, a search. Part of `daemon`.
//!
//! Invariant: each errand ends in one event for the engine; where nobody knows what came of a
//! delivery, that is what is said.

use super::doors::Post;
use crate::engine::{Effect, Event, Found};
use crate::evidence::{Delivery, Envelope, Showing};

/// What came of an errand.
#[derive(Debug)]
pub struct Done {
    /// For the engine.
    pub event: Event,
    /// What reached the user by it.
    pub sent: Option<Box<Envelope>>,
    /// What kept it from the user, in plain words.
    pub trouble: Option<String>,
}

/// Whose errand it is.
pub fn showing(effect: &Effect) -> Showing {
    match effect {
        Effect::Deliver(envelope) => envelope.showing,
        Effect::Find { showing, .. } => *showing,
    }
}

/// Runs an errand on a thread of its own: doors block.
pub async fn run(effect: Effect, post: Post) -> Done {
    let showing = showing(&effect);
    let delivers = matches!(effect, Effect::Deliver(_));
    let fault = || match delivers {
        true => settled(showing, Delivery::Unknown("the delivery ended in a fault of kithd's own".to_string())),
        false => Done { event: Event::Found { showing, answer: Found::CannotSearch }, sent: None, trouble: None },
    };
    tokio::task::spawn_blocking(move || perform(effect, &post)).await.unwrap_or_else(|_| fault())
}

/// An errand that was never begun: nothing left the process.
pub fn dropped(effect: &Effect) -> Option<Event> {
    let why = || Delivery::Transient("kithd was stopped before it left".to_string());
    match effect {
        Effect::Deliver(envelope) => Some(Event::Settled { showing: envelope.showing, delivery: why() }),
        Effect::Find { .. } => None,
    }
}

fn perform(effect: Effect, post: &Post) -> Done {
    match effect {
        Effect::Deliver(envelope) => {
            let done = settled(envelope.showing, post.deliver(&envelope));
            match done.trouble {
                None => Done { sent: Some(envelope), ..done },
                Some(_) => done,
            }
        }
        Effect::Find { showing, message_id } => {
            let answer = post.find(&message_id);
            Done { event: Event::Found { showing, answer }, sent: None, trouble: None }
        }
    }
}

fn settled(showing: Showing, delivery: Delivery) -> Done {
    let trouble = match &delivery {
        Delivery::Accepted => None,
        Delivery::Transient(why) | Delivery::Permanent(why) | Delivery::Unknown(why) => {
            tracing::warn!(reminder = %showing.reminder, "{why}");
            Some(why.clone())
        }
    };
    Done { event: Event::Settled { showing, delivery }, sent: None, trouble }
}
