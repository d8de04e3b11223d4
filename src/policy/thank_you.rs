//! Thanks that are owed: an interview, a first meeting, an introduction, a favour. Part of `policy`.

use super::{Case, Fact, HORIZON, Needs, Occasion, Verdict};
use crate::address::{AddrSpec, Address};
use crate::evidence::{ActKind, Class, MessageId};
use crate::ledger::{Attendance, Direction, Encounter, Letter, Part};
use crate::time::{DAY, HOUR, Timestamp};

const SENT: Needs = Needs { sent: true, folders: false, calendars: true };

/// Every thank-you of one contact.
pub fn verdicts(case: &Case<'_>) -> Vec<Verdict> {
    let recent = case.h.encounters.iter().filter(|e| e.start > case.now.minus(HORIZON) && e.end <= case.now);
    let mut found: Vec<Verdict> =
        recent.filter_map(|e| if e.marks.interview { interview(case, e) } else { first_meeting(case, e) }).collect();
    for letter in case.recent(Direction::Received).filter(|l| l.part != Part::Unnamed) {
        found.extend(introduction(case, letter));
        found.extend(favour(case, letter));
    }
    found
}

/// Why an encounter is no cause, as a veto; nothing where it counts.
fn veto_attendance(verdict: &mut Verdict, encounter: &Encounter) {
    if let Attendance::None(why) = encounter.attendance {
        verdict.veto_if(true, why);
    }
}

/// People whom an interview is thanked for: humans with an address of their own.
fn interviewers(encounter: &Encounter) -> Vec<&Address> {
    encounter.others.iter().filter(|a| !a.is_desk()).collect()
}

fn is_external(case: &Case<'_>, who: &Address) -> bool {
    crate::ledger::is_external(&std::iter::once(who.address.clone()).collect(), &case.h.me)
}

/// Who stands for all of a meeting's people: the organizer where it is one of them, else the first.
fn leads(case: &Case<'_>, encounter: &Encounter) -> bool {
    let mut people = interviewers(encounter);
    people.retain(|a| is_external(case, a));
    let organizer = encounter.organizer.as_ref().and_then(|o| people.iter().find(|a| a.address == o.address));
    organizer.or_else(|| people.first()).is_some_and(|a| case.h.person.addresses.contains(&a.address))
}

fn interview(case: &Case<'_>, e: &Encounter) -> Option<Verdict> {
    if !leads(case, e) {
        return None;
    }
    let (due, expires) = (e.end.plus(3 * HOUR), e.end.plus(5 * DAY));
    let mut v = Verdict::new(Occasion::Interview, e.key.to_string(), 1, due, expires, 80);
    v.about_meeting(e);
    veto_attendance(&mut v, e);
    let colleague = e.others.iter().any(|a| !is_external(case, a));
    v.veto_if(colleague, "somebody of your own work domain takes part: you interview");
    v.veto_if(e.organizer.as_ref().is_some_and(|o| case.h.me.is_me(&o.address)), "you organized it: you interview");
    let people = interviewers(e);
    let thanks: Vec<(&&Address, Option<&Letter>)> =
        people.iter().map(|a| (a, thanked(case, &a.address, e.start))).collect();
    let open: Vec<&Address> = thanks.iter().filter(|(_, l)| l.is_none()).map(|(a, _)| **a).collect();
    if open.is_empty() {
        v.close_by_letter(thanks.iter().filter_map(|(_, l)| *l).max_by_key(|l| l.mail.at));
    }
    let names = open.iter().map(|a| case.h.name_of(&a.address)).collect();
    v.fact("names", Fact::List(names));
    let addresses = open.iter().map(|a| a.address.to_string()).collect();
    v.fact("addresses", Fact::List(addresses));
    v.address = open.first().map(|a| a.address.clone());
    v.needs = SENT;
    v.pressing = true;
    Some(v)
}

/// Thanks from the user after `since` to the person an address belongs to.
fn thanked<'a>(case: &'a Case<'_>, address: &AddrSpec, since: Timestamp) -> Option<&'a Letter> {
    let owner = case.h.contact_of(address);
    let to_them = |l: &&Letter| {
        let mut named = l.mail.to.iter().chain(&l.mail.cc).chain(&l.mail.bcc);
        named.any(|a| a.address == *address || (owner.is_some() && case.h.contact_of(&a.address) == owner))
    };
    let all = case.h.letters.iter().chain(&case.h.aside);
    all.filter(|l| l.direction == Direction::Sent && l.mail.at > since && l.thanks()).find(to_them)
}

/// Is `e` the first meeting with them? `None`: no. `Some(false)`: the first known, with less than 90 days of history.
pub fn is_first(case: &Case<'_>, e: &Encounter) -> Option<bool> {
    let earlier = case
        .h
        .encounters
        .iter()
        .any(|o| o.start < e.start && (o.met() || matches!(o.attendance, Attendance::Attended { .. })));
    let long_ago = e.start.minus(60 * DAY);
    let before = |d| case.h.letters.iter().any(|l| l.interacts && l.direction == d && l.mail.at < long_ago);
    let known = before(Direction::Sent) && before(Direction::Received);
    (!earlier && !known).then(|| case.h.known_since <= e.start.minus(90 * DAY))
}

fn first_meeting(case: &Case<'_>, e: &Encounter) -> Option<Verdict> {
    let is_meeting = e.mine && !e.all_day && !e.marks.working_location;
    if !is_meeting || e.others.is_empty() || e.others.len() > 3 {
        return None;
    }
    let long_known = is_first(case, e)?;
    let cause = format!("{} {}", e.key, listed_as(case, e));
    let mut v = Verdict::new(Occasion::FirstMeeting, cause, 1, e.end.plus(20 * HOUR), e.end.plus(14 * DAY), 60);
    v.about_meeting(e);
    veto_attendance(&mut v, e);
    v.point_if(e.others.len() == 1, 10, "one-to-one");
    let selling = e.marks.sales || is_sales_meeting(case, e);
    // who sells invites: that is no favour
    v.point_if(e.hosted && !selling, 10, "they hosted");
    v.point_if(advice(case, e), 10, "advice, or a coffee");
    v.point_if(!long_known, -10, "less than 90 days of history: only the first I know of");
    v.point_if(selling, -30, "they are selling");
    if !case.h.external {
        v.summary_at_most("your own domain");
    }
    v.close_by_letter(case.h.sent_since(e.end).next().or_else(|| case.h.thanked_since(e.start)));
    v.address = case.h.preferred_address();
    v.fact("one_to_one", Fact::Number(i64::from(e.others.len() == 1)));
    v.needs = SENT;
    Some(v)
}

/// The address the meeting lists them by, which no later merge changes.
pub fn listed_as(case: &Case<'_>, e: &Encounter) -> String {
    let theirs = e.others.iter().find(|a| case.h.person.addresses.contains(&a.address));
    theirs.map(|a| a.address.to_string()).unwrap_or_default()
}

fn advice(case: &Case<'_>, e: &Encounter) -> bool {
    let before = |l: &&Letter| l.mail.at > e.start.minus(30 * DAY) && l.mail.at <= e.end;
    e.marks.advice || case.h.letters.iter().filter(before).any(|l| l.mail.marks().advice)
}

/// The meeting came out of a thread in which they sold something.
pub fn is_sales_meeting(case: &Case<'_>, e: &Encounter) -> bool {
    let before =
        |l: &&Letter| l.direction == Direction::Received && l.mail.at < e.start && l.mail.at > e.start.minus(60 * DAY);
    case.h.letters.iter().filter(before).any(|l| case.is_selling(l))
}

fn introduction(case: &Case<'_>, letter: &Letter) -> Option<Verdict> {
    if !letter.has(ActKind::Introduction) {
        return None;
    }
    let introducer = letter.mail.sender()?;
    let others = letter.mail.to.iter().chain(&letter.mail.cc);
    let others: Vec<&Address> = others
        .filter(|a| !case.h.me.is_me(&a.address) && a.address != introducer.address && !a.address.is_role())
        .filter(|a| !case.h.person.addresses.contains(&a.address))
        .collect();
    let (new, rest) = others.split_first()?;
    if rest.len() > 2 {
        return None;
    }
    let at = letter.mail.at;
    let mut v =
        Verdict::new(Occasion::Introduction, letter.mail.id.to_string(), 1, at.plus(4 * HOUR), at.plus(10 * DAY), 80);
    v.about_mail(letter);
    let known = case.h.aside.iter().chain(&case.h.letters).any(|l| {
        l.mail.at < at && l.direction == Direction::Sent && l.mail.to.iter().any(|a| a.address == new.address)
    });
    v.veto_if(known, "you knew the other person before");
    let wrote_new = |l: &&Letter| {
        l.direction == Direction::Sent && l.mail.at > at && l.mail.to.iter().any(|a| a.address == new.address)
    };
    let wrote = case.h.letters.iter().chain(&case.h.aside).any(|l| wrote_new(&l));
    let to_them = |l: &&Letter| l.part == Part::To || l.thanks();
    let answered = case.h.sent_since(at).find(to_them);
    v.point_if(wrote && answered.is_none(), 10, "you wrote to the one, not to the other");
    v.close_by_letter(answered);
    v.address = Some(introducer.address.clone());
    let name = new.name.clone().unwrap_or_else(|| case.h.name_of(&new.address));
    v.fact("introduced", Fact::Text(name));
    v.needs = Needs { calendars: false, ..SENT };
    Some(v)
}

/// The user's latest question above a letter in its thread, if nothing was given for it before: what they
/// add later is the same favour.
fn asked_by<'a>(case: &'a Case<'_>, letter: &'a Letter) -> Option<&'a Letter> {
    let all = || case.h.letters.iter().chain(&case.h.aside);
    let mine = |id: &MessageId| all().find(|l| l.is_by_hand() && l.mail.message_id.as_ref() == Some(id));
    let asked = letter.mail.ancestors().filter_map(mine).find(|l| l.ask().is_some())?;
    let before = |l: &&Letter| l.mail.at < letter.mail.at && l.direction == Direction::Received;
    let same = |l: &&Letter| l.mail.sender().map(|s| &s.address) == letter.mail.sender().map(|s| &s.address);
    let gave = |l: &Letter| case.gives(l) || l.mail.marks().delivers || l.has(ActKind::Favour);
    let given = case.h.answers_to(&asked.mail).filter(before).any(|l| same(&l) && gave(l));
    (!given).then_some(asked)
}

fn favour(case: &Case<'_>, letter: &Letter) -> Option<Verdict> {
    let marks = letter.mail.marks();
    let text = letter.mail.text.as_ref()?;
    let asked = asked_by(case, letter);
    let requested = asked.is_some_and(|l| l.has(ActKind::Request) || l.mail.marks().favour_asked);
    let done = letter.mail.acts().iter().find(|a| a.kind == ActKind::Favour);
    let said = marks.delivers || done.is_some();
    let on_request = asked.is_some() && (said || text.words >= 80) || requested && case.gives(letter);
    let unasked = done.filter(|_| asked.is_none() && letter.part == Part::To);
    if !on_request && unasked.is_none() || letter.class != Class::Person || letter.has(ActKind::Introduction) {
        return None;
    }
    let at = letter.mail.at;
    let mut v = Verdict::new(Occasion::Favour, letter.mail.id.to_string(), 1, at.plus(DAY), at.plus(21 * DAY), 55);
    v.about_mail(letter);
    let local_hours = &case.p.hours;
    v.point_if(asked.is_some_and(|l| l.mail.marks().favour_asked), 15, "you asked for a favour");
    v.point_if(case.h.external, 10, "they work elsewhere");
    v.point_if(case.gives_file(letter), 5, "with a file");
    v.point_if(!local_hours.is_open(at), 5, "outside working hours");
    let month =
        case.h.letters.iter().filter(|l| l.is_received_person() && l.mail.at > at.minus(30 * DAY) && l.mail.at <= at);
    let favours = month.filter(|l| l.has(ActKind::Favour) || l.mail.marks().attachment).count();
    v.point_if(favours >= 3, -30, "three or more of these in a month");
    v.close_by_letter(case.h.thanked_since(at));
    v.address = letter.mail.sender().map(|a| a.address.clone());
    if let Some(asked) = asked {
        v.fact("asked_at", Fact::Time(asked.mail.at));
        v.fact("asked", Fact::Text(asked.ask().unwrap_or_default().to_string()));
    }
    if let Some(done) = done {
        v.fact("quote", Fact::Text(done.text.clone()));
    }
    v.needs = Needs { calendars: false, ..SENT };
    Some(v)
}
