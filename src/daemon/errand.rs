//! What the engine wants done outside: a delivery, a search, a mail taken away. Part of `daemon`.
//!
//! Invariant: a delivery and a search end in one event for the engine; where nobody knows what came of
//! a delivery, that is what is said.

use super::post::Post;
use crate::address::veil;
use crate::engine::{Effect, Event, Found};
use crate::evidence::{Delivery, Envelope, Showing};
use crate::fail;

/// What came of an errand.
#[derive(Debug)]
pub struct Done {
    /// For the engine.
    pub event: Option<Event>,
    /// What reached the user by it.
    pub sent: Option<Box<Envelope>>,
    /// What kept it from the user, in plain words.
    pub trouble: Option<String>,
}

/// Runs an errand on a thread of its own: doors block.
pub async fn run(effect: Effect, post: Post) -> Done {
    let fault = match &effect {
        Effect::Deliver(envelope) => {
            settled(envelope.showing, Delivery::Unknown("the delivery ended in a fault of kithd's own".to_string()))
        }
        Effect::Find { showing, .. } => found(*showing, Found::CannotSearch),
        Effect::Retire(_) => Done { event: None, sent: None, trouble: None },
    };
    fail::point("errand.begin");
    let done = tokio::task::spawn_blocking(move || perform(effect, &post)).await.unwrap_or(fault);
    fail::point("errand.done");
    done
}

/// An errand that was never begun: nothing left the process.
pub fn dropped(effect: &Effect) -> Option<Event> {
    let why = || Delivery::Transient("kithd was stopped before it left".to_string());
    match effect {
        Effect::Deliver(envelope) => Some(Event::Settled { showing: envelope.showing, delivery: why() }),
        Effect::Find { .. } | Effect::Retire(_) => None,
    }
}

fn perform(effect: Effect, post: &Post) -> Done {
    match effect {
        Effect::Deliver(envelope) => {
            let done = settled(envelope.showing, post.deliver(&envelope));
            match &done.trouble {
                None => Done { sent: Some(envelope), ..done },
                Some(why) => {
                    tracing::warn!(reminder = %envelope.showing.reminder, "{}", veil(why));
                    done
                }
            }
        }
        Effect::Find { showing, message_id } => found(showing, post.find(&message_id)),
        Effect::Retire(message_id) => {
            if let Err(why) = post.retire(&message_id) {
                tracing::warn!("{}", veil(&why.to_string()));
            }
            Done { event: None, sent: None, trouble: None }
        }
    }
}

const fn found(showing: Showing, answer: Found) -> Done {
    Done { event: Some(Event::Found { showing, answer }), sent: None, trouble: None }
}

fn settled(showing: Showing, delivery: Delivery) -> Done {
    let trouble = match &delivery {
        Delivery::Accepted => None,
        Delivery::Transient(why) | Delivery::Permanent(why) | Delivery::Unknown(why) => Some(why.clone()),
    };
    Done { event: Some(Event::Settled { showing, delivery }), sent: None, trouble }
}
