//! Values of all trees: a version byte, a CRC32, and the bytes. Floor 6.
//!
//! Invariant: a value is read whole and as it was written, or it is [`StoreError::Damaged`]; the
//! meaning of a stored field never changes, a new shape gets the next version.

use crate::address::{Address, clip};
use crate::evidence::{Mail, Meeting, Observation};
use crate::limits;

use super::fault::{Result, StoreError};

/// Version of everything written today.
const VERSION: u8 = 1;
/// Version byte and CRC.
const HEADER: usize = 5;

/// Bytes with their version and CRC.
pub fn seal(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER + bytes.len());
    out.push(VERSION);
    out.extend_from_slice(&crc(VERSION, bytes).to_le_bytes());
    out.extend_from_slice(bytes);
    out
}

/// The bytes that were [`seal`]ed.
pub fn unseal(value: &[u8]) -> Result<&[u8]> {
    let parts = value.split_first().and_then(|(version, rest)| Some((version, rest.split_first_chunk::<4>()?)));
    match parts {
        Some((&VERSION, (sum, bytes))) if u32::from_le_bytes(*sum) == crc(VERSION, bytes) => Ok(bytes),
        Some((&VERSION, _)) => Err(StoreError::damaged("a value does not match its checksum")),
        Some((version, _)) => Err(StoreError::damaged(format!("a value has the unknown version {version}"))),
        None => Err(StoreError::damaged("a value is too short")),
    }
}

/// An observation as it is stored, and as it will be read: what is too long is shortened first.
pub fn encode(mut observation: Observation) -> Result<(Observation, Vec<u8>)> {
    let encoded = |o: &Observation| {
        postcard::to_allocvec(o).map_err(|e| StoreError::damaged(format!("a fact cannot be written: {e}")))
    };
    let mut bytes = encoded(&observation)?;
    while bytes.len() + HEADER > limits::VALUE_BYTES && shorten(&mut observation) {
        bytes = encoded(&observation)?;
    }
    Ok((observation, seal(&bytes)))
}

/// The observation of a stored value.
pub fn decode(value: &[u8]) -> Result<Observation> {
    let bytes = unseal(value)?;
    match postcard::take_from_bytes(bytes) {
        Ok((observation, [])) => Ok(observation),
        Ok(_) => Err(StoreError::damaged("a fact has bytes too many")),
        Err(e) => Err(StoreError::damaged(format!("a fact cannot be read: {e}"))),
    }
}

fn crc(version: u8, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[version]);
    hasher.update(bytes);
    hasher.finalize()
}

/// Makes an observation smaller by one step, what matters least first; `false` when nothing is left
/// to take. The same observation always ends the same, so that reading again changes no byte.
fn shorten(observation: &mut Observation) -> bool {
    match observation {
        Observation::Mail(mail) => shorten_mail(mail),
        Observation::Meeting(meeting) => shorten_meeting(meeting),
        Observation::Card(card) => {
            halve(&mut card.categories, 0) || halve(&mut card.names, 1) || halve(&mut card.addresses, 1)
        }
        Observation::Choice(_) => false,
    }
}

fn shorten_mail(mail: &mut Mail) -> bool {
    // several From addresses must stay several: then the mail is nobody's word
    halve(&mut mail.bcc, 8)
        || halve(&mut mail.cc, 8)
        || halve(&mut mail.to, 8)
        || halve(&mut mail.class_reasons, 4)
        || halve(&mut mail.from, 2)
        || mail.text.as_mut().is_some_and(|t| halve(&mut t.acts, 4))
        || middle_out(&mut mail.references)
        || [&mut mail.cc, &mut mail.bcc, &mut mail.to].into_iter().any(|list| drop_names(list))
        || halve(&mut mail.places, 4)
        || halve(&mut mail.bcc, 0)
        || halve(&mut mail.cc, 1)
        || halve(&mut mail.to, 1)
        || mail.text.as_mut().is_some_and(|t| halve(&mut t.acts, 1))
        || halve(&mut mail.class_reasons, 0)
}

/// Keeps the first reference, which names the thread, and the last, which names the parent.
fn middle_out<T>(list: &mut Vec<T>) -> bool {
    let fits = list.len() <= 2;
    if !fits {
        list.remove(list.len() / 2);
    }
    !fits
}

fn drop_names(list: &mut [Address]) -> bool {
    list.iter_mut().filter_map(|a| a.name.take()).count() > 0
}

fn shorten_meeting(meeting: &mut Meeting) -> bool {
    let longest = meeting.revisions.iter().map(|r| r.attendees.len()).max().unwrap_or(0);
    let mut shorter = false;
    for revision in meeting.revisions.iter_mut().filter(|r| longest > 1 && r.attendees.len() == longest) {
        shorter |= halve(&mut revision.attendees, 1);
    }
    if shorter {
        return true;
    }
    for revision in &mut meeting.revisions {
        shorter |= halve(&mut revision.names, 1);
        let summary = clip(&revision.summary, 64).len();
        shorter |= summary < revision.summary.len();
        revision.summary.truncate(summary);
    }
    shorter
}

/// Halves a list that is longer than `least`, but not below it.
fn halve<T>(list: &mut Vec<T>, least: usize) -> bool {
    let longer = list.len() > least;
    if longer {
        list.truncate((list.len() / 2).max(least));
    }
    longer
}
