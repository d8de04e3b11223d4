//! Alex's calendar (RFC 5545): a year of meetings, and the invitations that came by mail. Room of `demo`.
//!
//! Invariant: no line is longer than 75 octets; wall clock times are Berlin's.

use super::days::{Days, ZONE};
use super::people::{
    ALEX, ALEX_WORK, AMARA, BEN, BOT, CARLOS, CLAIRE, DANA, FELIX, GREGOR, HANNA, INES, JONAS, LEE, LUKAS, MARTA, MAYA,
    MINA, PRIYA, Person, RAFAEL, RUTH, SAM, TOM, ZOE,
};
use crate::time::{Date, DateTime, MINUTE, Timestamp, Weekday, add_days};

/// Octets of a line (RFC 5545 section 3.1).
pub const LINE: usize = 75;

/// One `VEVENT`.
#[derive(Clone, Debug)]
pub struct Event {
    uid: String,
    summary: String,
    start: DateTime,
    end: DateTime,
    all_day: bool,
    organizer: Option<Person>,
    attendees: Vec<(Person, &'static str)>,
    sequence: u8,
    more: Vec<String>,
}

impl Event {
    fn new(uid: &str, summary: &str, days: &Days, start: Timestamp, minutes: i64) -> Event {
        Event {
            uid: format!("{uid}@calendar.example"),
            summary: summary.to_string(),
            start: days.local(start),
            end: days.local(start.plus(minutes * MINUTE)),
            all_day: false,
            organizer: None,
            attendees: Vec::new(),
            sequence: 0,
            more: Vec::new(),
        }
    }

    fn all_day(uid: &str, summary: &str, from: Date, until: Date) -> Event {
        let (start, end) = (from.at(0, 0, 0, 0), until.at(0, 0, 0, 0));
        Event {
            uid: format!("{uid}@calendar.example"),
            summary: summary.to_string(),
            start,
            end,
            all_day: true,
            organizer: None,
            attendees: Vec::new(),
            sequence: 0,
            more: vec!["TRANSP:OPAQUE".to_string()],
        }
    }

    fn by(mut self, organizer: Person) -> Event {
        self.organizer = Some(organizer);
        self
    }

    fn with(self, who: Person) -> Event {
        self.answering(who, "ACCEPTED")
    }

    fn answering(mut self, who: Person, answer: &'static str) -> Event {
        self.attendees.push((who, answer));
        self
    }

    fn line(mut self, line: String) -> Event {
        self.more.push(line);
        self
    }

    /// As it is sent by mail, with the method it is sent for.
    pub fn invitation(&self, method: &str, days: &Days) -> String {
        calendar(std::slice::from_ref(self), Some(method), days)
    }

    /// Before Alex answered.
    #[must_use]
    pub fn unanswered(mut self) -> Event {
        for (_, answer) in self.attendees.iter_mut().filter(|(who, _)| who.is_alex()) {
            *answer = "NEEDS-ACTION";
        }
        self
    }

    /// With Alex alone, as an answer speaks.
    #[must_use]
    pub fn answer_of_alex(mut self) -> Event {
        self.attendees.retain(|(who, _)| who.is_alex());
        self
    }

    fn write(&self, days: &Days, out: &mut String) {
        let mut lines = vec!["BEGIN:VEVENT".to_string(), format!("UID:{}", self.uid)];
        lines.push(format!("DTSTAMP:{}", utc(days.ago(1, 6, 0))));
        if self.all_day {
            lines.push(format!("DTSTART;VALUE=DATE:{}", date(self.start.date())));
            lines.push(format!("DTEND;VALUE=DATE:{}", date(self.end.date())));
        } else {
            lines.push(format!("DTSTART;TZID={ZONE}:{}", wall(self.start)));
            lines.push(format!("DTEND;TZID={ZONE}:{}", wall(self.end)));
        }
        lines.push(format!("SUMMARY:{}", escaped(&self.summary)));
        lines.push(format!("SEQUENCE:{}", self.sequence));
        lines.extend(self.organizer.map(|o| format!("ORGANIZER;CN=\"{}\":mailto:{}", o.name, o.address)));
        lines.extend(self.attendees.iter().map(|(who, answer)| {
            format!("ATTENDEE;CN=\"{}\";ROLE=REQ-PARTICIPANT;PARTSTAT={answer}:mailto:{}", who.name, who.address)
        }));
        lines.extend(self.more.iter().cloned());
        lines.push("END:VEVENT".to_string());
        lines.iter().for_each(|line| fold(line, out));
    }
}

/// A whole calendar.
fn calendar(events: &[Event], method: Option<&str>, days: &Days) -> String {
    let mut out = String::new();
    let head = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//kithd//sample world//EN\nCALSCALE:GREGORIAN";
    let zone = "BEGIN:VTIMEZONE\nTZID:Europe/Berlin\nBEGIN:DAYLIGHT\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nTZNAME:CEST\n\
        DTSTART:19700329T020000\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\nEND:DAYLIGHT\nBEGIN:STANDARD\n\
        TZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nTZNAME:CET\nDTSTART:19701025T030000\n\
        RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nEND:STANDARD\nEND:VTIMEZONE";
    head.lines().for_each(|line| fold(line, &mut out));
    if let Some(method) = method {
        fold(&format!("METHOD:{method}"), &mut out);
    }
    zone.lines().for_each(|line| fold(line, &mut out));
    events.iter().for_each(|event| event.write(days, &mut out));
    fold("END:VCALENDAR", &mut out);
    out
}

/// Alex's whole calendar.
pub fn whole(days: &Days) -> String {
    let mut events = regular(days);
    events.extend(months_ago(days));
    events.extend([
        interview(days),
        coffee_with_maya(days),
        coffee_with_ben(days),
        demo_by_gregor(days),
        lunch_with_rafael(days),
        call_with_zoe(days),
    ]);
    events.extend(lately(days));
    calendar(&events, None, days)
}

/// What comes again: the one-on-one with one instance moved, one called off and one left out; the team.
fn regular(days: &Days) -> Vec<Event> {
    let tuesday = days.back_to(days.date(350), Weekday::Tuesday);
    let monday = days.back_to(days.date(340), Weekday::Monday);
    let nth = |first: Date, n: i64| days.on(add_days(first, 7 * n), 11, 0);
    let one_on_one = |start, minutes| {
        Event::new("one-on-one", "Marta / Alex", days, start, minutes).by(MARTA).with(MARTA).with(ALEX_WORK)
    };
    let instance = |n: i64| format!("RECURRENCE-ID;TZID={ZONE}:{}", wall(days.local(nth(tuesday, n))));
    let mut moved = one_on_one(days.on(add_days(tuesday, 7 * 40 + 1), 15, 0), 30).line(instance(40));
    let mut off = one_on_one(nth(tuesday, 31), 30).line(instance(31)).line("STATUS:CANCELLED".to_string());
    (moved.sequence, off.sequence) = (1, 1);
    let series = one_on_one(nth(tuesday, 0), 30)
        .line("RRULE:FREQ=WEEKLY;BYDAY=TU".to_string())
        .line(format!("EXDATE;TZID={ZONE}:{}", wall(days.local(nth(tuesday, 23)))));
    let team = Event::new("design-weekly", "Design weekly", days, days.on(monday, 9, 30), 45)
        .by(MARTA)
        .line("RRULE:FREQ=WEEKLY;BYDAY=MO".to_string());
    let team = [MARTA, ALEX_WORK, JONAS, PRIYA, LUKAS, HANNA].into_iter().fold(team, Event::with);
    vec![series, moved, off, team]
}

/// Meetings of the year, with people known for long.
fn months_ago(days: &Days) -> Vec<Event> {
    let hosted = |uid: &str, summary: &str, ago: i64, hour: u16, minutes: i64, host: Person| {
        let day = days.date(ago);
        let day = (0..4).map(|n| add_days(day, -n)).find(|d| days.is_working_day(*d)).unwrap_or(day);
        Event::new(uid, summary, days, days.on(day, hour, 0), minutes).by(host).with(host)
    };
    let mut events = vec![
        hosted("dana-1", "Mentoring: Dana and Alex", 305, 16, 60, DANA).with(ALEX),
        hosted("dana-2", "Mentoring: Dana and Alex", 214, 16, 60, DANA).with(ALEX),
        hosted("dana-3", "Mentoring: Dana and Alex", 118, 16, 60, DANA).with(ALEX),
        hosted("sam-1", "Dinner with Sam", 160, 19, 120, ALEX).with(SAM),
        hosted("ruth-1", "Ruth: programme for next year", 92, 11, 45, RUTH).with(ALEX),
        hosted("tom-1", "Spring pilot: start", 190, 10, 90, TOM).with(ALEX_WORK).with(PRIYA),
        hosted("ines-1", "Atelier: premiers croquis", 145, 14, 60, INES).with(ALEX_WORK),
        hosted("carlos-1", "Visita al estudio", 128, 12, 60, CARLOS).with(ALEX),
    ];
    let lee = [310, 240, 170, 110, 60].into_iter().enumerate();
    events.extend(lee.map(|(n, ago)| {
        hosted(&format!("lee-{n}"), "Brightfield: progress", ago, 10, 60, LEE).with(ALEX_WORK).with(HANNA)
    }));
    events
}

/// What happened in the last weeks beside the causes, and what is ahead.
fn lately(days: &Days) -> Vec<Event> {
    let leave = days.back_to(days.date(26), Weekday::Monday);
    let summit = days.back_to(days.date(40), Weekday::Thursday);
    let candidate = Event::new("intern", "Interview: Mina Castellano (internship)", days, days.working(4, 10, 30), 45);
    let mut called_off = Event::new("ruth-2", "Ruth: call about the jury", days, days.working(3, 9, 0), 30)
        .by(RUTH)
        .with(RUTH)
        .with(ALEX)
        .line("STATUS:CANCELLED".to_string());
    called_off.sequence = 1;
    vec![
        Event::all_day("leave", "Vacation", leave, add_days(leave, 5)),
        Event::all_day("summit", "Service Design Summit Hamburg", summit, add_days(summit, 1)),
        candidate.by(PRIYA).with(PRIYA).with(ALEX_WORK).with(MINA),
        called_off,
        Event::new("webshop", "Web shop: reading the numbers", days, days.working(5, 13, 0), 60)
            .by(LUKAS)
            .with(LUKAS)
            .with(JONAS)
            .answering(ALEX_WORK, "DECLINED"),
        Event::new("dentist", "Dentist", days, days.working(-2, 8, 30), 30),
        Event::new("hanna-next", "Voice and tone, next round", days, days.working(-3, 14, 0), 60)
            .by(ALEX_WORK)
            .with(ALEX_WORK)
            .with(HANNA),
    ]
}

/// Three people interview Alex; a booking tool's address organizes.
pub fn interview(days: &Days) -> Event {
    Event::new("aurora-7c21", "Interview: Alex Doe, Lead Service Designer", days, days.working(2, 14, 0), 90)
        .by(BOT)
        .with(CLAIRE)
        .with(FELIX)
        .with(AMARA)
        .with(ALEX)
        .line("LOCATION:Aurora Health\\, Torstrasse 7\\, Berlin".to_string())
}

/// The first coffee with Maya, who asked Alex over.
pub fn coffee_with_maya(days: &Days) -> Event {
    Event::new("maya-coffee", "Coffee: Maya and Alex", days, days.working(2, 16, 30), 45)
        .by(MAYA)
        .with(MAYA)
        .with(ALEX)
        .line("LOCATION:Kaffee am Kanal".to_string())
}

/// A first coffee that Alex has given thanks for already.
pub fn coffee_with_ben(days: &Days) -> Event {
    Event::new("ben-coffee", "Coffee with Ben", days, days.working(4, 15, 0), 45).by(BEN).with(BEN).with(ALEX)
}

/// Somebody sells something.
pub fn demo_by_gregor(days: &Days) -> Event {
    Event::new("pipelinely-demo", "Pipelinely product demo", days, days.working(3, 11, 30), 30)
        .by(GREGOR)
        .with(GREGOR)
        .with(ALEX_WORK)
}

/// A first lunch that nothing came of.
pub fn lunch_with_rafael(days: &Days) -> Event {
    Event::new("rafael-lunch", "Lunch with Rafael", days, days.working(11, 12, 30), 60)
        .by(RAFAEL)
        .with(RAFAEL)
        .with(ALEX)
}

/// What came of the introduction: a call ahead.
fn call_with_zoe(days: &Days) -> Event {
    Event::new("zoe-call", "Zoe and Alex: comparing notes", days, days.working(-3, 15, 0), 30)
        .by(ALEX)
        .with(ALEX)
        .with(ZOE)
}

fn wall(t: DateTime) -> String {
    format!("{}T{:02}{:02}00", date(t.date()), t.hour(), t.minute())
}

fn date(date: Date) -> String {
    format!("{:04}{:02}{:02}", date.year(), date.month(), date.day())
}

fn utc(at: Timestamp) -> String {
    format!("{}Z", wall(crate::time::Zone::utc().local(at)))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace(',', "\\,").replace(';', "\\;")
}

/// One content line, folded between characters (RFC 5545 section 3.1).
fn fold(line: &str, out: &mut String) {
    let mut width = 0;
    for c in line.chars() {
        if width + c.len_utf8() > LINE {
            out.push_str("\r\n ");
            width = 1;
        }
        out.push(c);
        width += c.len_utf8();
    }
    out.push_str("\r\n");
}
