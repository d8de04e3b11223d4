//! Appointments and address cards, as a calendar and an address book hold them.

use kithd::time::{Date, HOUR, Timestamp, Zone};

use super::author::{Author, Happening, ME, What};
use super::cast::Id;
use super::gold::Meeting;

/// An appointment to be made.
#[derive(Clone, Debug)]
pub struct Appointment {
    pub title: String,
    pub start: Timestamp,
    pub minutes: i64,
    pub with: Vec<(Id, &'static str)>,
    /// Who invites; `None`: the user.
    pub by: Option<Id>,
    /// Who organizes and is nobody: a calendar bot, by name and address.
    pub bot: Option<(&'static str, String)>,
    pub mine: &'static str,
    pub said_at: Timestamp,
    pub rrule: Option<String>,
    pub room: bool,
    /// Others who are nobody here.
    pub crowd: usize,
    pub text: String,
    pub story: &'static str,
}

impl Author {
    /// Puts an appointment into the calendar; returns its uid.
    pub fn meet(&mut self, a: Appointment) -> String {
        self.written += 1;
        let uid = format!("{:x}-{}@calendar.example", self.dice.roll() & 0xffff_ffff, self.written);
        self.publish(&uid, &a, 0, false, a.said_at);
        let takes_place = a.mine == "ACCEPTED" || a.by.is_none();
        self.gold.meetings.insert(
            uid.clone(),
            Meeting {
                start: a.start,
                minutes: a.minutes,
                title: a.title.clone(),
                with: a.with.iter().map(|(p, _)| *p).collect(),
                took_place: takes_place,
                story: a.story,
            },
        );
        self.events.insert(uid.clone(), (a, 0));
        uid
    }

    pub fn cancel(&mut self, uid: &str, at: Timestamp) {
        let Some((a, sequence)) = self.events.get(uid).cloned() else { return };
        self.publish(uid, &a, sequence + 1, true, at);
        self.gold.meetings.get_mut(uid).unwrap().took_place = false;
    }

    pub fn put_off(&mut self, uid: &str, start: Timestamp, at: Timestamp) {
        let Some((mut a, sequence)) = self.events.get(uid).cloned() else { return };
        a.start = start;
        self.publish(uid, &a, sequence + 1, false, at);
        self.gold.meetings.get_mut(uid).unwrap().start = start;
        self.events.insert(uid.to_string(), (a, sequence + 1));
    }

    fn publish(&mut self, uid: &str, a: &Appointment, sequence: u32, cancelled: bool, at: Timestamp) {
        let stamp = |t: Timestamp| Zone::utc().local(t).strftime("%Y%m%dT%H%M%SZ").to_string();
        let local = |t: Timestamp| self.zone.local(t).strftime("%Y%m%dT%H%M%S").to_string();
        let zone = self.zone.name().to_string();
        let mut lines = vec![
            format!("UID:{uid}"),
            format!("SEQUENCE:{sequence}"),
            format!("DTSTAMP:{}", stamp(at)),
            format!("LAST-MODIFIED:{}", stamp(at)),
            format!("SUMMARY:{}", a.title.replace(',', "\\,")),
        ];
        if a.minutes >= 24 * 60 {
            let day = |t: Timestamp| self.zone.local(t).strftime("%Y%m%d").to_string();
            lines.push(format!("DTSTART;VALUE=DATE:{}", day(a.start)));
            lines.push(format!("DTEND;VALUE=DATE:{}", day(a.start.plus(a.minutes * 60 + 12 * HOUR))));
            lines.push("TRANSP:TRANSPARENT".to_string());
        } else {
            lines.push(format!("DTSTART;TZID={zone}:{}", local(a.start)));
            lines.push(format!("DTEND;TZID={zone}:{}", local(a.start.plus(a.minutes * 60))));
        }
        if cancelled {
            lines.push("STATUS:CANCELLED".to_string());
        }
        if let Some(rule) = &a.rrule {
            lines.push(format!("RRULE:{rule}"));
        }
        if !a.text.is_empty() {
            lines.push(format!("DESCRIPTION:{}", a.text.replace(',', "\\,").replace('\n', "\\n")));
        }
        if !a.with.is_empty() || a.crowd > 0 {
            let other = a.with.first().map(|(p, _)| *p);
            let person = |p: Id| format!(";CN=\"{}\"", self.cast[p].name());
            let organizer = match (&a.bot, a.by) {
                (Some((name, address)), _) => format!("ORGANIZER;CN={name}:mailto:{address}"),
                (None, by) => {
                    let by = by.unwrap_or(ME);
                    format!("ORGANIZER{}:mailto:{}", person(by), self.address(by, other, at))
                }
            };
            lines.push(organizer);
            let mine = if a.by.is_none() { "ACCEPTED" } else { a.mine };
            lines.push(format!("ATTENDEE{};PARTSTAT={mine}:mailto:{}", person(ME), self.address(ME, other, at)));
            for (p, stat) in &a.with {
                lines.push(format!("ATTENDEE{};PARTSTAT={stat}:mailto:{}", person(*p), self.address(*p, None, at)));
            }
            for n in 0..a.crowd {
                lines.push(format!("ATTENDEE;PARTSTAT=ACCEPTED:mailto:guest{n}@visitors{}.example", n % 7));
            }
            if a.room {
                lines.push(
                    "ATTENDEE;CUTYPE=ROOM;CN=Room 3.14;PARTSTAT=ACCEPTED:mailto:room314@rooms.example".to_string(),
                );
            }
        }
        let ics = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//calendar//EN\r\nBEGIN:VEVENT\r\n{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
            lines.join("\r\n")
        );
        self.happenings.push(Happening { at, what: What::Event { uid: uid.to_string(), ics } });
    }

    pub fn card(&mut self, who: Id, birthday: Option<Date>, at: Timestamp) {
        let p = &self.cast[who];
        let mut vcf = format!(
            "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:card-{}\r\nFN:{}\r\nN:{};{};;;\r\n",
            p.address,
            p.name(),
            p.last,
            p.first
        );
        for a in p.addresses() {
            vcf.push_str(&format!("EMAIL:{a}\r\n"));
        }
        if let Some(d) = birthday {
            vcf.push_str(&format!("BDAY:{}\r\n", d.strftime("%Y%m%d")));
        }
        vcf.push_str("END:VCARD\r\n");
        let name = format!("{}.vcf", p.address);
        self.happenings.push(Happening { at, what: What::Card { name, vcf } });
    }
}
