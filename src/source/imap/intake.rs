//! The blocking half of a reading: parses the messages the network hands over, and sends batches.
//! Part of `source::imap`.
//!
//! Invariant: what came before a mark is observed before its cursor leaves.

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Params;
use super::errand::{Item, Raw};
use crate::evidence::{Complaint, Folder, Level, Observation};
use crate::limits;
use crate::net::Trouble;
use crate::read::mail::{MailContext, Message, read_message};
use crate::source::{Batches, Occasion, READER_FAILED, Send, Stopped, guarded, in_parallel};
use crate::time::Timestamp;

/// Takes in everything a reading hands over, until it ends.
pub(super) fn take_in(
    params: &Params,
    mut items: mpsc::Receiver<Item>,
    task: JoinHandle<Result<(), Trouble>>,
    occasion: &Occasion<'_>,
    send: &mut Send<'_>,
) -> Result<(), Stopped> {
    let since = params.history.before(occasion.now, occasion.zone);
    let mut intake = Intake { params, occasion, since, batches: Batches::new(&params.name, send), folders: Vec::new() };
    let mut lot: Vec<Raw> = Vec::new();
    let mut through = None;
    while let Some(item) = items.blocking_recv() {
        match item {
            Item::Raw(raw) => {
                lot.push(raw);
                // what has come meanwhile is parsed in one go
                if lot.len() < limits::LOT && !items.is_empty() {
                    continue;
                }
                intake.take(&mut lot)?;
            }
            other => {
                intake.take(&mut lot)?;
                match other {
                    Item::Mark(cursor) => intake.batches.cursor(cursor)?,
                    Item::Complaint(complaint) => intake.batches.complain(complaint),
                    Item::Folder(folder) => intake.folders.push(folder),
                    Item::Through { sent_found } => through = Some(sent_found),
                    Item::Raw(_) => {}
                }
            }
        }
    }
    intake.take(&mut lot)?;
    let Intake { mut batches, folders, .. } = intake;
    match (tokio::runtime::Handle::current().block_on(task), through) {
        (Ok(Ok(())), Some(sent_found)) => batches.through(occasion.now, folders, sent_found),
        (Ok(Err(trouble)), _) => batches.failed(trouble.level, trouble.what),
        _ => {
            let what = format!("reading `{}` ended in a fault of kithd's own; the other sources go on", params.name);
            batches.failed(Level::Wait, what)
        }
    }
}

struct Intake<'a, 's> {
    params: &'a Params,
    occasion: &'a Occasion<'a>,
    since: Timestamp,
    batches: Batches<'a, 's>,
    folders: Vec<Folder>,
}

impl Intake<'_, '_> {
    /// Parses a lot and hands on what it holds.
    fn take(&mut self, lot: &mut Vec<Raw>) -> Result<(), Stopped> {
        let outcomes = in_parallel(lot, &|raw| read(self.params, self.occasion, raw));
        for (raw, outcome) in lot.drain(..).zip(outcomes) {
            self.batches.looked_at(Some(raw.left))?;
            match outcome {
                Ok(message) if message.mail.at < self.since => {}
                Ok(message) => {
                    let Message { mail, meetings, complaints, .. } = *message;
                    self.batches.observe(Observation::Mail(mail))?;
                    for meeting in meetings {
                        self.batches.observe(Observation::Meeting(meeting))?;
                    }
                    complaints.into_iter().for_each(|c| self.batches.complain(c));
                }
                Err(complaint) => self.batches.complain(complaint),
            }
        }
        Ok(())
    }
}

fn read(params: &Params, occasion: &Occasion<'_>, raw: &Raw) -> Result<Box<Message>, Complaint> {
    let context = MailContext {
        source: &params.name,
        place: &raw.place,
        role: raw.role,
        arrived_at: raw.arrived_at,
        now: occasion.now,
        text_since: if raw.text { occasion.text_since } else { Timestamp::MAX },
        zone: occasion.zone,
    };
    let message = guarded(|| read_message(&raw.bytes, &context))
        .unwrap_or_else(|| Err(Complaint::new(context.source, context.place, READER_FAILED, context.now)))?;
    // of a whole lot the texts are much, and nobody wants them here
    Ok(Box::new(Message { new_text: String::new(), ..message }))
}
