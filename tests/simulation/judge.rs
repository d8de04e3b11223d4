//! Sets what was shown against what was owed.

use std::collections::BTreeMap;

use kithd::time::{DAY, Timestamp, add_days};

use super::gold::{Debt, KINDS, Kind};
use super::life::Life;
use super::play::{Played, Shown};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Judgement {
    True,
    /// Neither wanted nor wrong.
    Neutral,
    Early,
    Late,
    False,
}

#[derive(Clone, Debug, Default)]
pub struct Row {
    pub counts: BTreeMap<Judgement, u32>,
    pub own: u32,
    pub owed: u32,
    pub met: u32,
    pub delays: Vec<i64>,
}

/// Figures of one or many lives.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub rows: BTreeMap<Kind, Row>,
    /// Mails a week, one entry a week and life.
    pub weeks: Vec<u32>,
    pub most_a_day: u32,
    pub false_facts: Vec<String>,
    pub noise: Vec<String>,
    pub notes: Vec<String>,
    /// What the checkers outside the engine found.
    pub broken: Vec<String>,
    pub rounds: u32,
}

impl Tally {
    pub fn add(&mut self, other: Tally) {
        for (kind, row) in other.rows {
            let mine = self.rows.entry(kind).or_default();
            for (judgement, n) in row.counts {
                *mine.counts.entry(judgement).or_default() += n;
            }
            mine.own += row.own;
            mine.owed += row.owed;
            mine.met += row.met;
            mine.delays.extend(row.delays);
        }
        self.weeks.extend(other.weeks);
        self.most_a_day = self.most_a_day.max(other.most_a_day);
        self.false_facts.extend(other.false_facts);
        self.noise.extend(other.noise);
        self.notes.extend(other.notes);
        self.broken.extend(other.broken);
        self.rounds += other.rounds;
    }
}

impl Tally {
    /// Mails a week that so many percent of the weeks do not exceed.
    pub fn week(&self, percent: usize) -> u32 {
        let mut weeks = self.weeks.clone();
        weeks.sort_unstable();
        weeks.get((weeks.len() * percent / 100).min(weeks.len().saturating_sub(1))).copied().unwrap_or(0)
    }

    pub fn median_week(&self) -> u32 {
        self.week(50)
    }
}

impl Row {
    pub fn n(&self, j: Judgement) -> u32 {
        self.counts.get(&j).copied().unwrap_or(0)
    }

    pub fn shown(&self) -> u32 {
        self.counts.values().sum()
    }

    /// In percent, of what was right or wrong.
    pub fn precision(&self) -> Option<u32> {
        let wrong = self.n(Judgement::Early) + self.n(Judgement::Late) + self.n(Judgement::False);
        let all = self.n(Judgement::True) + wrong;
        (all > 0).then(|| self.n(Judgement::True) * 100 / all)
    }

    pub fn recall(&self) -> Option<u32> {
        (self.owed > 0).then(|| self.met * 100 / self.owed)
    }
}

fn concerns(life: &Life, shown: &Shown, debt: &Debt) -> bool {
    if Kind::of(&shown.row.occasion) != debt.kind {
        return false;
    }
    if debt.cause.is_empty() {
        let address = shown.row.contact.as_ref().and_then(|c| c.address.as_ref());
        // birthdays and news are both milestones
        return shown.row.occasion != "announced"
            && address.is_some_and(|a| life.who(a.as_str()).iter().any(|p| debt.who.contains(p)));
    }
    shown.row.evidence.iter().any(|e| *e == debt.cause || e.split(';').next() == Some(debt.cause.as_str()))
}

fn judge_one(shown: &Shown, debts: &[&Debt]) -> Judgement {
    let of = |d: &&Debt| match (shown.at < d.from, shown.at > d.until) {
        (true, _) => Judgement::Early,
        (_, true) => Judgement::Late,
        _ if d.optional || shown.at > d.fades => Judgement::Neutral,
        _ => Judgement::True,
    };
    debts.iter().map(of).min().unwrap_or(Judgement::False)
}

/// Working days from `from` to `until` on which the user is there.
fn open_days(life: &Life, from: Timestamp, until: Timestamp) -> i64 {
    let (mut date, last) = (life.zone.date(from), life.zone.date(until.min(life.zone.at(life.end, 0))));
    let mut n = 0;
    while date < last {
        let away = life.away.iter().any(|(a, b)| *a <= date && date <= *b);
        if date.weekday().to_monday_zero_offset() < 5 && !away {
            n += 1;
        }
        date = add_days(date, 1);
    }
    n
}

fn story(life: &Life, evidence: &[String]) -> String {
    let gold = &life.gold;
    let of = |e: &String| {
        let key = e.split(';').next().unwrap_or_default();
        let noise = gold.noise.get(key).map(|n| format!("NOISE {n}"));
        let told = gold.letters.get(key).map(|l| l.story).or_else(|| gold.meetings.get(key).map(|m| m.story));
        noise.or_else(|| told.map(str::to_string)).unwrap_or_default()
    };
    evidence.iter().map(of).collect::<Vec<_>>().join(", ")
}

/// Judges everything that was shown in one life.
pub fn judge(life: &Life, played: &Played) -> Tally {
    let broken = played.broken.iter().map(|b| format!("seed {} {b}", life.seed)).collect();
    let mut tally = Tally { rounds: played.rounds, broken, ..Tally::default() };
    for kind in KINDS {
        tally.rows.entry(kind).or_default();
    }
    for shown in &played.shown {
        let debts: Vec<&Debt> = life.gold.debts.iter().filter(|d| concerns(life, shown, d)).collect();
        let neutral = shown.row.occasion == "first_meeting_year";
        let judgement = if neutral { Judgement::Neutral } else { judge_one(shown, &debts) };
        let row = tally.rows.entry(Kind::of(&shown.row.occasion)).or_default();
        *row.counts.entry(judgement).or_default() += 1;
        row.own += u32::from(shown.own);
        let whence = story(life, &shown.row.evidence);
        if !matches!(judgement, Judgement::True | Judgement::Neutral) {
            tally.notes.push(format!(
                "seed {} {} {judgement:?} {} [{whence}] {} {:?} | {}",
                life.seed,
                shown.at,
                shown.row.occasion,
                shown
                    .row
                    .contact
                    .as_ref()
                    .and_then(|c| c.address.as_ref())
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                shown.row.subject,
                shown.row.reason
            ));
        }
        if whence.contains("NOISE") {
            tally.noise.push(format!(
                "seed {} {} {} [{whence}] {}",
                life.seed, shown.at, shown.row.occasion, shown.row.subject
            ));
        }
        tally.false_facts.extend(
            super::facts::check(life, shown).into_iter().map(|f| {
                format!("seed {} {} {}: {f}\n    {}", life.seed, shown.at, shown.row.occasion, shown.row.reason)
            }),
        );
    }
    recall(life, played, &mut tally);
    let mut days: BTreeMap<_, u32> = BTreeMap::new();
    for at in &played.mails {
        *days.entry(life.zone.date(*at)).or_default() += 1;
    }
    tally.most_a_day = days.values().copied().max().unwrap_or(0);
    let weeks = usize::try_from(kithd::time::days_between(life.start, life.end) / 7).unwrap();
    tally.weeks = vec![0; weeks];
    for (date, n) in days {
        let week = usize::try_from(kithd::time::days_between(life.start, date) / 7).unwrap();
        if let Some(slot) = tally.weeks.get_mut(week) {
            *slot += n;
        }
    }
    tally
}

fn recall(life: &Life, played: &Played, tally: &mut Tally) {
    let covered_from = life.sent_from.map_or(Timestamp::MIN, |d| life.zone.at(d, 0));
    let start = life.zone.at(life.start, 0);
    for debt in life.gold.debts.iter().filter(|d| !d.optional && d.ripe >= covered_from && d.ripe >= start) {
        let open = open_days(life, debt.ripe, debt.until.min(debt.fades));
        // a birthday has one morning
        let fits = if debt.kind == Kind::Milestone && debt.cause.is_empty() {
            debt.until > debt.ripe.plus(DAY / 4)
        } else {
            open > debt.kind.patience()
        };
        if !fits || debt.ripe > life.zone.at(life.end, 0).minus(DAY) {
            continue;
        }
        let row = tally.rows.entry(debt.kind).or_default();
        row.owed += 1;
        let first = played
            .shown
            .iter()
            .filter(|s| s.at >= debt.from && s.at <= debt.until && concerns(life, s, debt))
            .map(|s| s.at)
            .min();
        match first {
            Some(at) => {
                row.met += 1;
                row.delays.push(at.since(debt.ripe).max(0));
            }
            None => {
                let (said, told) = life
                    .gold
                    .letters
                    .get(&debt.cause)
                    .map_or((String::new(), ""), |l| (l.said.replace('\n', " / "), l.story));
                let names: Vec<String> = debt.who.iter().map(|p| life.cast[*p].address.clone()).collect();
                tally.notes.push(format!(
                    "seed {} MISSED {:?} ripe {} until {} {} [{told}] {said} <{}>",
                    life.seed,
                    debt.kind,
                    debt.ripe,
                    debt.until,
                    names.join(" "),
                    debt.cause
                ));
            }
        }
    }
}

/// One line of the table.
fn line(rule: &str, row: &Row, median: &str) -> String {
    let percent = |p: Option<u32>| p.map_or("-".to_string(), |p| format!(".{p:02}").replace(".100", "1.00"));
    let cells = [
        rule.to_string(),
        row.shown().to_string(),
        row.own.to_string(),
        row.n(Judgement::True).to_string(),
        row.n(Judgement::Neutral).to_string(),
        row.n(Judgement::Early).to_string(),
        row.n(Judgement::Late).to_string(),
        row.n(Judgement::False).to_string(),
        percent(row.precision()),
        row.owed.to_string(),
        row.met.to_string(),
        percent(row.recall()),
    ];
    let median = if median.is_empty() { String::new() } else { format!(" {median}") };
    format!("| {} |{median} |\n", cells.join(" | "))
}

/// The table, as it stands in the documents.
pub fn table(tally: &Tally) -> String {
    let mut out = String::from(
        "| rule | shown | own | right | neutral | early | late | wrong | precision | owed | reminded | recall | median delay |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut all = Row::default();
    for kind in KINDS {
        let row = &tally.rows[&kind];
        let mut delays = row.delays.clone();
        delays.sort_unstable();
        let median =
            delays.get(delays.len() / 2).map_or("-".to_string(), |d| format!("{}.{} d", d / DAY, d % DAY * 10 / DAY));
        out.push_str(&line(kind.as_str(), row, &median));
        for (j, n) in &row.counts {
            *all.counts.entry(*j).or_default() += n;
        }
        (all.own, all.owed, all.met) = (all.own + row.own, all.owed + row.owed, all.met + row.met);
    }
    out.push_str(&line("all", &all, ""));
    out.push_str(&format!(
        "\nmails a week: median {}, 90 % at most {}, most {}; most a day {}; false facts {}; resting on noise {}\n",
        tally.week(50),
        tally.week(90),
        tally.week(100),
        tally.most_a_day,
        tally.false_facts.len(),
        tally.noise.len()
    ));
    out
}

/// Recall over all rules, in percent.
pub fn recall_of_all(tally: &Tally) -> u32 {
    let (owed, met) = tally.rows.values().fold((0, 0), |(o, m), r| (o + r.owed, m + r.met));
    met * 100 / owed.max(1)
}
