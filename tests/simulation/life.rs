//! One invented life: who is in it, and what happens in which week.

use kithd::time::{Date, Zone, add_days};

use super::author::{Author, Happening, ME};
use super::cast::{Agency, Id, Person, Style, TONGUES};
use super::dice::Dice;
use super::gold::Gold;
use super::stories::{asked, given, met, noise, untidy, year};

/// Days of mail that lie there before kithd is installed.
const BEFORE: i64 = 240;

pub struct Life {
    pub seed: u64,
    pub cast: Vec<Person>,
    pub zone: Zone,
    pub gold: Gold,
    pub happenings: Vec<Happening>,
    pub start: Date,
    pub end: Date,
    pub away: Vec<(Date, Date)>,
    /// Everything that is "me".
    pub addresses: Vec<String>,
    /// Whom the user wants to hear from, and how often, in days.
    pub wishes: Vec<(Id, i64)>,
    /// Until then the private account has no Sent folder.
    pub sent_from: Option<Date>,
}

type Story = fn(&mut Author, &[Id], Date);

/// The life of a seed; the same seed, the same life.
pub fn live(seed: u64, months: i64) -> Life {
    let n = usize::try_from(seed % 60).unwrap();
    let mut dice = Dice::new(seed);
    let tongue = TONGUES[n % 6];
    let zones = [
        "Europe/Berlin",
        "Europe/London",
        "Europe/Madrid",
        "America/New_York",
        "Europe/Rome",
        "Europe/Amsterdam",
        "America/Sao_Paulo",
    ];
    let zone = Zone::named(zones[n % zones.len()]).unwrap();
    let start = Date::new(2026, 1, 5).unwrap();
    let (born, end) = (add_days(start, -BEFORE), add_days(start, months * 365 / 12));
    let mut agency = Agency::default();
    let firm = agency.firm();
    let mut me = agency.person(&mut dice, tongue, Some(&firm));
    (me.style, me.banner) = (Style::Plain, None);
    let home = format!("{}@gmail.com", me.address.split('@').next().unwrap_or_default());
    let mut a = Author::new(dice, zone.clone(), me, home.clone(), born, start, end);
    a.agency = agency;
    let length = a.days();
    // -- the frame: holiday, job
    let from = add_days(start, length / 2 + a.dice.between(0, length / 8));
    year::holiday(&mut a, add_days(from, 5 - i64::from(from.weekday().to_monday_zero_offset())));
    let job = (n % 5 == 4).then(|| add_days(start, length * 2 / 3 + 20));
    if let Some(job) = job {
        year::new_job(&mut a, job);
    }
    let sent_from = (n % 10 == 7).then(|| add_days(start, 60));
    // -- the circle
    let mut circle: Vec<Id> = (0..7).map(|_| a.stranger_of(&firm)).collect();
    circle.extend((0..13).map(|_| a.stranger()));
    for _ in 0..4 {
        let (tongue, mut dice) = (a.tongue(), a.dice.clone());
        let mut friend = a.agency.person(&mut dice, tongue, None);
        a.dice = dice;
        friend.private = true;
        circle.push(a.add(friend));
    }
    let outsider = |a: &mut Author, circle: &mut Vec<Id>| {
        let at = circle.len() - 1 - a.dice.below(12);
        circle.remove(at)
    };
    let (drifting, second) = (outsider(&mut a, &mut circle), outsider(&mut a, &mut circle));
    let wished = outsider(&mut a, &mut circle);
    let house = outsider(&mut a, &mut circle);
    let pair = outsider(&mut a, &mut circle);
    let boss = circle.remove(0);
    let spouse = circle.pop().unwrap();
    a.cast[spouse].private = true;
    // -- currents that need nobody's leave
    let share = |part: i64| add_days(start, length * part / 100);
    let every = a.dice.between(18, 35);
    year::rhythm(&mut a, drifting, every, Some(share(25)));
    let every = a.dice.between(14, 24);
    year::rhythm(&mut a, second, every, Some(share(50)));
    let wish = a.dice.between(30, 45);
    year::wished_for(&mut a, wished, wish, share(45));
    year::moves_house(&mut a, house, share(50));
    let every = a.dice.between(18, 26);
    year::rhythm(&mut a, house, every, None);
    year::couple(&mut a, pair);
    year::spouse(&mut a, spouse);
    if job.is_none() {
        year::manager(&mut a, boss);
    }
    for (n, who) in circle.clone().into_iter().rev().take(8).enumerate() {
        let day = a.dice.between(10, length - 5);
        year::birthday(&mut a, who, day, n % 3 == 2);
    }
    // -- stories, week by week
    let noisy = noise::Noisy::new(&mut a);
    let mut monday = add_days(born, (7 - i64::from(born.weekday().to_monday_zero_offset())) % 7);
    let mut gone = false;
    while monday < end {
        if !a.is_away(monday) {
            noisy.week(&mut a, monday);
        }
        let playing =
            monday >= start && add_days(monday, 4) < end && !a.is_away(monday) && !a.is_away(add_days(monday, 6));
        let share = if playing { kithd::time::days_between(start, monday) * 100 / length } else { 0 };
        // who leaves a company hands over: no new stories in the old account's last weeks
        let leaving = job.is_some_and(|j| monday >= add_days(j, -10) && monday < j);
        if playing && !leaving {
            let searching = n % 3 == 0 && (20..45).contains(&share);
            let hiring = n % 3 == 1 && (55..75).contains(&share);
            for _ in 0..a.dice.between(3, 5) {
                let date = add_days(monday, a.dice.between(0, 4));
                let circle: Vec<Id> = match job {
                    // the old colleagues stay behind
                    Some(j) if monday >= j => circle.iter().copied().filter(|p| a.cast[*p].domain() != firm).collect(),
                    _ => circle.clone(),
                };
                story(&mut a, &circle, date, searching || hiring);
            }
            if !gone && share > 30 && n % 2 == 0 {
                gone = true;
                if let Some(left) = noise::left(&mut a, &circle, monday) {
                    circle.retain(|p| *p != left);
                    year::rhythm(&mut a, left, 20, Some(add_days(monday, -4)));
                    // whoever left is not drifting away
                    a.gold.debts.pop();
                }
            }
        }
        monday = add_days(monday, 7);
    }
    if n % 4 == 1 {
        let day = workday(&a, share(38));
        met::conference(&mut a, day);
    }
    if n % 4 == 2 {
        let day = share(60);
        year::namesakes(&mut a, &circle, day);
    }
    year::project(&mut a, share(10));
    year::while_away(&mut a, &circle);
    // -- what goes on beside it
    for who in circle.clone() {
        let every = a.dice.between(10, 40);
        let until = job.filter(|_| a.cast[who].domain() == firm);
        if let Some(until) = until {
            let debts = a.gold.debts.len();
            year::rhythm(&mut a, who, every, Some(until));
            // who is left behind at the old company need not be missed, nor is it wrong to miss them
            for d in &mut a.gold.debts[debts..] {
                d.optional = d.optional || d.cause.is_empty();
            }
        } else {
            year::rhythm(&mut a, who, every, None);
        }
    }
    if let Some(job) = job {
        year::close_account(&mut a, job);
    }
    a.settle();
    a.finish();
    let mut addresses: Vec<String> = a.work.iter().map(|(_, w, _)| w.clone()).collect();
    addresses.push(home);
    let wishes = vec![(wished, wish)];
    Life {
        seed,
        cast: a.cast,
        zone,
        gold: a.gold,
        happenings: a.happenings,
        start,
        end,
        away: a.away,
        addresses,
        wishes,
        sent_from,
    }
}

fn workday(a: &Author, date: Date) -> Date {
    let mut date = date;
    while !a.is_working_day(date) || !a.is_working_day(add_days(date, 1)) {
        date = add_days(date, 1);
    }
    date
}

fn story(a: &mut Author, circle: &[Id], date: Date, interviews: bool) {
    let alone: [(usize, Story); 7] = [
        (22, untidy::any),
        (20, asked::i_ask),
        (22, asked::they_ask),
        (16, asked::i_promise),
        (7, given::introduced),
        (9, given::favour),
        (5, given::everyday),
    ];
    let others: [(usize, Story); 7] = [
        (4, given::news),
        (12, |a, _, d| met::coffee(a, d)),
        (if interviews { 30 } else { 0 }, met::interview),
        (4, |a, _, d| noise::recruiter(a, d)),
        (4, |a, _, d| noise::sales(a, d)),
        (2, |a, _, d| noise::support(a, d)),
        (3, met::met_again),
    ];
    let all: Vec<(usize, Story)> = alone.into_iter().chain(others).collect();
    let told = a.dice.weighed(&all);
    told(a, circle, date);
}

impl Life {
    /// Whose an address is; several where they share it.
    pub fn who(&self, address: &str) -> Vec<Id> {
        let theirs = |p: &&Id| {
            let person = &self.cast[**p];
            person.addresses().contains(&address)
                || self.gold.letters.values().any(|l| l.from == **p)
                    && address.split('@').next() == Some(alias(person).as_str())
        };
        let all: Vec<Id> = (0..self.cast.len()).filter(|p| *p != ME).collect();
        all.iter().filter(theirs).copied().collect()
    }
}

/// The local part of the private address somebody answers from now and then.
fn alias(person: &Person) -> String {
    let fold = |name: &str| name.to_lowercase().chars().filter(char::is_ascii_alphabetic).collect::<String>();
    format!("{}.{}", fold(&person.first), fold(&person.last))
}
