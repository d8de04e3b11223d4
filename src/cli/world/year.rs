//! The ordinary mail of the year: who writes how often, newsletters, a mailing list, machines. Room of `demo`.

use super::days::{Days, Dice};
use super::mail::{Draft, Mailbox};
use super::people::{
    ALEX, ALEX_WORK, ANTON, CARLOS, DANA, FARID, HANNA, INES, JONAS, JULIA, LEE, LENA, LUKAS, Language, MARTA, NORA,
    PRIYA, Person, RUTH, SAM, TOM, TOMASZ, XENIA,
};
use super::talks::{ARBEIT, ELSEWHERE, ESPANOL, FAMILIE, FRANCAIS, FRIENDS, MENTOR, TOPICS, Talk, WORK};
use crate::time::{MINUTE, Timestamp, Weekday, add_days};

/// The year begins this many days before today.
const YEAR: i64 = 362;

/// How often two people write.
struct Rhythm {
    who: Person,
    me: Person,
    /// Days from one conversation to the next.
    every: i64,
    /// The last one ended at least this many days ago.
    silent: i64,
    talks: &'static [Talk],
}

const fn rhythm(who: Person, me: Person, every: i64, silent: i64, talks: &'static [Talk]) -> Rhythm {
    Rhythm { who, me, every, silent, talks }
}

const RHYTHMS: &[Rhythm] = &[
    rhythm(JONAS, ALEX_WORK, 12, 2, ARBEIT),
    rhythm(PRIYA, ALEX_WORK, 11, 5, WORK),
    rhythm(MARTA, ALEX_WORK, 14, 3, WORK),
    rhythm(LUKAS, ALEX_WORK, 23, 7, ARBEIT),
    rhythm(HANNA, ALEX_WORK, 23, 5, WORK),
    rhythm(TOMASZ, ALEX_WORK, 41, 12, WORK),
    rhythm(LEE, ALEX_WORK, 17, 11, ELSEWHERE),
    rhythm(INES, ALEX_WORK, 21, 12, FRANCAIS),
    rhythm(TOM, ALEX_WORK, 30, 16, ELSEWHERE),
    rhythm(ANTON, ALEX_WORK, 52, 18, ELSEWHERE),
    rhythm(FARID, ALEX_WORK, 60, 14, ELSEWHERE),
    rhythm(JULIA, ALEX_WORK, 55, 20, ARBEIT),
    rhythm(CARLOS, ALEX, 33, 9, ESPANOL),
    rhythm(DANA, ALEX, 29, 71, MENTOR),
    rhythm(SAM, ALEX, 26, 94, FRIENDS),
    rhythm(RUTH, ALEX, 88, 20, ELSEWHERE),
    rhythm(NORA, ALEX, 58, 25, ELSEWHERE),
    rhythm(XENIA, ALEX, 75, 24, ELSEWHERE),
    rhythm(LENA, ALEX, 24, 6, FAMILIE),
];

/// Posts all of it.
pub fn post(days: &Days, mailbox: &mut Mailbox<'_>) {
    for (n, rhythm) in (0..).zip(RHYTHMS) {
        talk_on(days, mailbox, rhythm, Dice::new(1_000 + n));
    }
    newsletters(days, mailbox);
    mailing_list(days, mailbox);
    machines(days, mailbox);
}

/// One rhythm, from the beginning of the year until it falls silent.
fn talk_on(days: &Days, mailbox: &mut Mailbox<'_>, rhythm: &Rhythm, mut dice: Dice) {
    let until = days.ago(rhythm.silent, 23, 0);
    let swing = (rhythm.every / 5).max(1);
    let mut talks = rhythm.talks.iter().cycle().skip(usize::try_from(dice.between(0, 5)).unwrap_or(0));
    // backwards, so that the last conversation lies where the silence begins
    let mut starts = Vec::new();
    let mut ago = rhythm.silent + 3;
    while ago < YEAR {
        starts.push(ago);
        ago += rhythm.every + dice.between(-swing, swing);
    }
    for ago in starts.into_iter().rev() {
        let hour = u16::try_from(dice.between(9, 16)).unwrap_or(9);
        let minute = u16::try_from(dice.between(0, 59)).unwrap_or(0);
        let start = awake(days, days.ago(ago, hour, minute));
        if let Some(talk) = talks.next().filter(|_| start < until) {
            converse(days, mailbox, rhythm, talk, start, &mut dice);
        }
    }
}

fn converse(days: &Days, mailbox: &mut Mailbox<'_>, rhythm: &Rhythm, talk: &Talk, start: Timestamp, dice: &mut Dice) {
    let topic = dice.one_of(TOPICS);
    let topic = if rhythm.who.language == Language::German { german(topic) } else { topic };
    let fill = |text: &str| capital(&text.replace("{t}", topic));
    let mut at = start;
    let mut last = None;
    for (n, turn) in talk.turns.iter().enumerate() {
        let alex_writes = talk.by_alex == (n % 2 == 0);
        let (from, to) = if alex_writes { (rhythm.me, rhythm.who) } else { (rhythm.who, rhythm.me) };
        let text = format!("{}\n\n{}", greeting(&rhythm.who, &to, n), fill_turn(turn, topic, rhythm.who.language));
        let draft = Draft::new(at, from, to, &fill(talk.subject), &text);
        last = Some(match &last {
            None => mailbox.post(draft),
            Some(before) => mailbox.answer(before, draft),
        });
        at = awake(days, at.plus(dice.between(25, 420) * MINUTE));
    }
}

fn fill_turn(turn: &str, topic: &str, language: Language) -> String {
    let text = turn.replace("{t}", topic);
    if language == Language::German { text } else { capital(&text) }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
}

/// Colleagues speak German about things with English names in a language of their own.
fn german(topic: &'static str) -> &'static str {
    match topic {
        "the booking form" | "the registration desk" => "Anmeldung",
        "the clinic tour" | "the waiting room study" => "Wartezimmer",
        "the ticket machines" | "the map of stops" => "Haltestellen",
        "the onboarding letters" | "the help pages" => "Hilfetexte",
        "the signage" | "the icon set" => "Leitsystem",
        "the diary study" | "the interview guide" => "Tagebuchstudie",
        _ => "Herbstfassung",
    }
}

/// How a mail begins, by the language of the two and by how far the conversation is.
fn greeting(other: &Person, to: &Person, turn: usize) -> String {
    let name = to.first();
    match (other.language, turn) {
        (Language::German, 0) => format!("Hallo {name},"),
        (Language::German, _) => format!("Hi {name},"),
        (Language::French, _) => format!("Bonjour {name},"),
        (Language::Spanish, _) => format!("Hola {name}:"),
        (Language::English, 0) => format!("Hi {name},"),
        (Language::English, 1) => format!("{name},"),
        (Language::English, _) => format!("Hello {name},"),
    }
}

/// Between 8:30 and 18:30, on a working day that Alex does not spend on leave.
fn awake(days: &Days, at: Timestamp) -> Timestamp {
    let local = days.local(at);
    let minute = i64::from(local.hour()) * 60 + i64::from(local.minute());
    let mut date = local.date();
    let leave = days.back_to(days.date(26), Weekday::Monday);
    let away = |d| d >= leave && d < add_days(leave, 5);
    let works = |d| days.is_working_day(d) && !away(d);
    if works(date) && (510..1_110).contains(&minute) {
        return at;
    }
    if minute >= 1_110 {
        date = add_days(date, 1);
    }
    while !works(date) {
        date = add_days(date, 1);
    }
    let minute = u16::try_from(minute % 50).unwrap_or(0);
    days.on(date, 9, minute)
}

const fn sender(name: &'static str, address: &'static str) -> Person {
    Person { name, address, role: "", language: Language::English, client: super::people::Client::Gmail }
}

const WEEKLY: Person = sender("Sofia from The Service Letter", "sofia@news.serviceletter.example");
const MONTHLY: Person = sender("Paper & Type Weekly", "newsletter@papertype.example");
const SHOP: Person = sender("Kettle and Bean", "offers@kettlebean.example");
const TRACKER: Person = sender("Tracker", "notifications@tracker.example");
const TRAIN: Person = sender("Regio Tickets", "noreply@regiotickets.example");
const LIST: Person = sender("Civic Design", "civic-design@lists.example.net");
const POSTERS: &[Person] = &[
    sender("Oona Laine", "oona@laine.example.net"),
    sender("Mateo Ruiz", "mateo.ruiz@barrio.example.net"),
    sender("Bea Thornton", "bea@thornton.example.net"),
    sender("Kofi Mensah", "kofi@mensah.example.net"),
];

const LETTERS: &[&str] = &[
    "why good queues have two ends",
    "the form that asked too much",
    "five minutes at a ticket desk",
    "the quiet power of a printed map",
    "a waiting room without a clock",
    "what the night porter knows",
];

fn newsletters(days: &Days, mailbox: &mut Mailbox<'_>) {
    let mut dice = Dice::new(77);
    for week in (0..51).rev() {
        let title = dice.one_of(LETTERS);
        let at = days.ago(week * 7 + 2, 7, 5);
        let text = format!(
            "Hi Alex,\n\nthis week: {title}. I spent a morning watching, and I would love to know what you think. Have you seen something like it?\n\nWarmly,\nSofia\n\nYou are receiving this because you subscribed. Unsubscribe: https://news.serviceletter.example/u/8a1"
        );
        let html = format!(
            "<html><body><h1>The Service Letter</h1><p>Hi Alex,</p><p>this week: {title}. What do you think?</p><p>Warmly,<br>Sofia</p><p><a href=\"https://news.serviceletter.example/u/8a1\">Unsubscribe</a></p><img src=\"https://news.serviceletter.example/o.gif\" width=\"1\" height=\"1\"></body></html>"
        );
        let mut draft = Draft::new(at, WEEKLY, ALEX, &format!("The Service Letter: {title}"), &text)
            .field("List-Unsubscribe", "<https://news.serviceletter.example/u/8a1>")
            .field("List-Id", "The Service Letter <letter.serviceletter.example>");
        draft.html = Some(html);
        mailbox.post(draft);
        if week % 4 == 1 {
            let text = "New this month: three books on lettering and a poster.\n\nView this email in your browser. Unsubscribe at any time.";
            let draft = Draft::new(at.plus(9_000), MONTHLY, ALEX, "Lettering, three books and a poster", text);
            mailbox.post(draft.field("List-Unsubscribe", "<mailto:leave@papertype.example>"));
        }
        if week % 5 == 2 {
            let text = "Free delivery until Sunday on all beans.\n\nManage your preferences or unsubscribe here.";
            let draft = Draft::new(at.plus(14_000), SHOP, ALEX, "Freshly roasted, delivered free", text);
            mailbox.post(draft.field("Precedence", "bulk").field("List-Unsubscribe", "<https://kettlebean.example/u>"));
        }
    }
}

fn mailing_list(days: &Days, mailbox: &mut Mailbox<'_>) {
    let mut dice = Dice::new(99);
    let mut ago = 355;
    while ago > 4 {
        let mut posters = POSTERS.iter().cycle().skip(usize::try_from(dice.between(0, 3)).unwrap_or(0));
        let topic = dice.one_of(TOPICS);
        let lines = [
            format!("Has anybody here tested {topic} with people who read on paper? I would be glad of examples."),
            "We did, last winter. Large margins, one question a page, and a pencil on a string.".to_string(),
        ];
        let mut last = None;
        for (n, text) in (0..).zip(lines) {
            let Some(who) = posters.next() else { continue };
            let at = days.ago(ago - n, 11, 20);
            let footer =
                format!("{text}\n\n_______________________________________________\ncivic-design mailing list");
            let draft = Draft::new(at, *who, LIST, &format!("[civic-design] Testing {topic}"), &footer)
                .field("List-Id", "Civic Design <civic-design.lists.example.net>")
                .field("List-Post", "<mailto:civic-design@lists.example.net>")
                .field("Precedence", "list");
            last = Some(match &last {
                None => mailbox.post(draft),
                Some(before) => mailbox.answer(before, draft),
            });
        }
        ago -= dice.between(9, 15);
    }
}

fn machines(days: &Days, mailbox: &mut Mailbox<'_>) {
    let mut dice = Dice::new(55);
    let mut ago = 358;
    while ago > 0 {
        let (at, topic) = (days.ago(ago, 17, 40), dice.one_of(TOPICS));
        let text = format!(
            "Priya Nair commented on \"{topic}\":\n\n  Looks good from here. Can you close it?\n\nThis is an automated notification."
        );
        let draft = Draft::new(at, TRACKER, ALEX_WORK, &format!("[tracker] {topic}"), &text);
        mailbox.post(draft.field("Auto-Submitted", "auto-generated"));
        if ago % 3 == 0 {
            let text = "Your ticket Berlin to Hamburg is attached. Please have it ready on your phone.";
            let draft = Draft::new(at.plus(3_000), TRAIN, ALEX, "Your ticket", text).with_file("ticket.pdf");
            mailbox.post(draft.field("Auto-Submitted", "auto-generated"));
        }
        ago -= dice.between(8, 14);
    }
}
