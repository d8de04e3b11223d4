//! The user's answers by mail: which count, and what they say. Part of `engine`.
//!
//! Invariant: an answer counts only if its In-Reply-To names a showing, its one From and its only
//! recipient are the user, no machine wrote it, and it lies in Sent (or, seen only elsewhere, the showing's id was never
//! sent to anybody else). Everything else is ignored and never answered.

use super::{Engine, Result, mails};
use crate::address::AddrSpec;
use crate::evidence::{Choice, Class, Mail, MessageId, Observation, ReminderId, Word};
use crate::outbox::verbs::{Verb, read_answer};
use crate::outbox::{Entry, EntryKind};
use crate::time::Timestamp;

/// What an answer amounts to.
#[derive(Default)]
pub(super) struct Heard {
    pub choices: Vec<Choice>,
    pub help: Vec<Entry>,
}

pub(super) fn hear(engine: &Engine, mail: &Mail, now: Timestamp) -> Result<Heard> {
    let Some(entry) = answered(engine, mail)? else { return Ok(Heard::default()) };
    let at = mail.at.min(now);
    let names = engine.setup.relationship_names();
    let answers = read_answer(mail.answer.as_deref().unwrap_or_default(), &names, &engine.policies().hours, at);
    let mut heard = Heard::default();
    for (n, answer) in answers.into_iter().enumerate() {
        let targets = targets(engine, &entry, answer.item);
        let whom = targets.first().and_then(|e| e.whom.as_ref()).and_then(|w| w.address.clone());
        let words = match words(&answer.verb, &targets, whom) {
            Ok(words) => words,
            // whoever cannot be understood is told once how to speak: a machine would answer that too, for ever
            Err(_) if entry.kind == EntryKind::Help => continue,
            Err(unknown) => {
                heard.help.extend(
                    mails::help(&engine.words(now)?, mail, unknown, now)
                        .filter(|e| !engine.memory.entries.contains_key(&e.id)),
                );
                continue;
            }
        };
        for (k, word) in words.into_iter().enumerate() {
            let item = u32::try_from(n.saturating_mul(100).saturating_add(k)).unwrap_or(u32::MAX);
            heard.choices.push(Choice::by_answer(word, mail.id, item, at));
        }
    }
    let known: std::collections::BTreeSet<_> = engine.memory.choices.iter().map(|c| c.id).collect();
    heard.choices.retain(|c| !known.contains(&c.id));
    Ok(heard)
}

/// The entry a genuine answer speaks of.
fn answered(engine: &Engine, mail: &Mail) -> Result<Option<Entry>> {
    let Some(parent) = mail.in_reply_to.as_ref() else { return Ok(None) };
    let me = |a: &AddrSpec| engine.setup.me.is_me(a);
    let from_me = mail.sender().is_some_and(|s| me(&s.address));
    let only_to_me = mail.recipients == 1
        && mail.to.len() == 1
        && mail.cc.is_empty()
        && mail.bcc.is_empty()
        && mail.to.iter().all(|a| me(&a.address));
    if !from_me || !only_to_me || mail.own.is_some() || is_automatic(mail) {
        return Ok(None);
    }
    let named = |e: &&Entry| e.message_id.as_ref() == Some(parent) || e.earlier_ids.contains(parent);
    // a line of a summary, or a merged reminder, carries the id of the mail it stood in
    let entry = engine.memory.entries.values().filter(named).find(|e| e.shown_in.is_none());
    let Some(entry) = entry.cloned() else { return Ok(None) };
    let genuine = mail.lies_in_sent() || !leaked(engine, parent)?;
    if !genuine {
        tracing::warn!(reminder = %entry.id, "an answer seen only outside Sent was ignored: the reminder's id was sent to somebody else");
    }
    Ok(Some(entry).filter(|_| genuine))
}

/// Does it say of itself that a machine wrote it? Its subject may be quoted, and is not asked.
fn is_automatic(mail: &Mail) -> bool {
    let says = |r: &String| r == "auto-submitted" || r.starts_with("x-") || r.starts_with("precedence:");
    mail.class == Class::Dsn || (mail.class == Class::Auto && mail.class_reasons.iter().any(says))
}

/// Has any mail to somebody else carried this Message-ID?
fn leaked(engine: &Engine, id: &MessageId) -> Result<bool> {
    let stranger = |m: &Mail| m.to.iter().chain(&m.cc).chain(&m.bcc).any(|a| !engine.setup.me.is_me(&a.address));
    let all = engine.store.conversation(id)?;
    Ok(all.iter().any(|o| matches!(o, Observation::Mail(m) if stranger(m))))
}

/// The entries an answer speaks of: the numbered line, or the mail and all that stood in it.
fn targets(engine: &Engine, entry: &Entry, item: Option<usize>) -> Vec<Entry> {
    let get = |id: &ReminderId| engine.memory.entries.get(id).cloned();
    match (item, entry.kind) {
        (Some(n), EntryKind::Summary) => {
            n.checked_sub(1).and_then(|n| entry.items.get(n)).and_then(get).into_iter().collect()
        }
        (Some(_), _) => Vec::new(),
        (None, EntryKind::Summary) => entry.items.iter().filter_map(get).collect(),
        (None, _) => std::iter::once(entry.clone()).chain(entry.items.iter().filter_map(get)).collect(),
    }
}

/// The words a verb means; `Err`: what was not understood (empty: help was asked for).
fn words(verb: &Verb, targets: &[Entry], whom: Option<AddrSpec>) -> std::result::Result<Vec<Word>, String> {
    let each = |word: fn(ReminderId) -> Word| targets.iter().map(|e| word(e.id)).collect();
    let about = |word: &dyn Fn(AddrSpec) -> Word| {
        whom.clone().map(|a| vec![word(a)]).ok_or_else(|| "there is nobody in that line".to_string())
    };
    match verb {
        Verb::Done | Verb::Dismiss | Verb::Snooze(_) if targets.is_empty() => {
            Err("that line does not exist".to_string())
        }
        Verb::Done => Ok(each(Word::Done)),
        Verb::Dismiss => Ok(each(Word::Dismiss)),
        Verb::Snooze(until) => Ok(targets.iter().map(|e| Word::Snooze(e.id, *until)).collect()),
        Verb::Mute(mute) => about(&|a| Word::Mute(a, *mute)),
        Verb::Every(span) => about(&|a| Word::Every(a, Some(*span))),
        Verb::Relationship(name) => about(&|a| Word::Relationship(a, name.clone())),
        Verb::Ignore => about(&Word::Ignore),
        Verb::Pause(until) => Ok(vec![Word::Pause(*until)]),
        Verb::Without(name) => Ok(vec![Word::Without(name.clone(), true)]),
        Verb::Help => Err(String::new()),
        Verb::Unknown(text) => Err(text.clone()),
    }
}
