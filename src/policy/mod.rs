//! What is owed to one contact, and why or why not. Floor 4.
//!
//! Invariant: [`review`] is a pure function of history, policies and `now`; a verdict carries every
//! point and every veto that made it, so that `explain` has nothing to guess.

pub mod follow_up;
pub mod keep_in_touch;
pub mod milestone;
pub mod promise;
pub mod reply_owed;
pub mod thank_you;
pub mod verdict;

use std::collections::BTreeMap;

use crate::evidence::{Class, Marks};
use crate::ledger::{ContactHistory, Direction, Letter};
use crate::time::{DAY, Delay, Hours, Span, Timestamp};

pub use verdict::{About, Fact, Needs, Occasion, Point, Rule, Standing, Verdict};

/// Points (in tenths) from which a reminder is its own mail.
pub const OWN: i32 = 70;
/// Points (in tenths) from which it stands in the weekly summary.
pub const SUMMARY: i32 = 50;
/// Causes older than this are past every window.
pub const HORIZON: i64 = 100 * DAY;

/// Mails of a writer from which on a habit shows.
const HABIT: usize = 5;

/// `[rules.NAME]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RuleSetting {
    /// Switched on.
    pub enabled: bool,
    /// How long after the cause; `None`: the rule's own.
    pub after: Option<Delay>,
}

impl Default for RuleSetting {
    fn default() -> Self {
        RuleSetting { enabled: true, after: None }
    }
}

/// `[relationships.NAME]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interval {
    /// When a contact is due for the summary.
    pub every: Span,
    /// When it is due for a reminder of its own.
    pub at_most: Span,
}

/// What the rules go by.
#[derive(Clone, PartialEq, Debug)]
pub struct Policies {
    /// Working hours and holidays.
    pub hours: Hours,
    /// Settings that differ from the default.
    pub rules: BTreeMap<Rule, RuleSetting>,
    /// By name. `family` has none: milestones only.
    pub relationships: BTreeMap<String, Interval>,
    /// Times the user is away, sorted: expiry stands still meanwhile.
    pub away: Vec<(Timestamp, Timestamp)>,
}

impl Policies {
    /// The setting of a rule.
    pub fn rule(&self, rule: Rule) -> RuleSetting {
        self.rules.get(&rule).copied().unwrap_or_default()
    }

    /// Is the user away at `at`? Gives the end of it.
    pub fn away_until(&self, at: Timestamp) -> Option<Timestamp> {
        self.away.iter().filter(|(from, until)| *from <= at && at < *until).map(|(_, until)| *until).max()
    }

    /// Seconds between two times in which the user is away; periods that overlap count once.
    pub fn away_between(&self, from: Timestamp, until: Timestamp) -> i64 {
        let mut counted = from;
        let mut sum = 0_i64;
        for (begins, ends) in &self.away {
            let (begins, ends) = ((*begins).max(counted), (*ends).min(until));
            if ends > begins {
                sum = sum.saturating_add(ends.since(begins));
                counted = ends;
            }
        }
        sum
    }

    /// `expires`, moved by the time the user is away after `due`.
    pub fn stretch(&self, due: Timestamp, expires: Timestamp) -> Timestamp {
        let mut end = expires;
        for (from, until) in &self.away {
            let overlap = until.since((*from).max(due));
            if *from < end && overlap > 0 {
                end = end.plus(overlap);
            }
        }
        end
    }
}

/// The relationships everybody knows (INFERENCE 7).
pub fn default_relationships() -> BTreeMap<String, Interval> {
    let table = [
        ("mentor", 30, 60),
        ("sponsor", 30, 60),
        ("manager", 14, 30),
        ("report", 14, 30),
        ("peer", 60, 120),
        ("client", 30, 45),
        ("mentee", 30, 60),
        ("industry", 90, 180),
        ("weak_tie", 180, 365),
        ("trusted", 30, 60),
    ];
    let interval = |every, at_most| Interval { every: Span::days(every), at_most: Span::days(at_most) };
    table.into_iter().map(|(name, every, at_most)| (name.to_string(), interval(every, at_most))).collect()
}

/// The relationship that asks for nothing but milestones.
pub const FAMILY: &str = "family";

/// What a review found.
#[derive(Clone, PartialEq, Debug)]
pub struct Review {
    /// Every cause inside the rules' windows, due or not, vetoed or not.
    pub verdicts: Vec<Verdict>,
    /// When looking again may give something else, without new evidence.
    pub next_at: Option<Timestamp>,
}

/// What a rule looks at.
pub struct Case<'a> {
    /// The history.
    pub h: &'a ContactHistory,
    /// The policies.
    pub p: &'a Policies,
    /// Now.
    pub now: Timestamp,
    /// What their mails always hold.
    pub habits: Habits,
}

impl Case<'_> {
    /// Mail that is recent enough for any window, oldest first.
    pub fn recent(&self, direction: Direction) -> impl Iterator<Item = &Letter> {
        let since = self.now.minus(HORIZON);
        self.h.letters.iter().filter(move |l| l.direction == direction && l.mail.at > since && l.class == Class::Person)
    }

    /// Did the other side begin this thread?
    pub fn is_their_thread(&self, letter: &Letter) -> bool {
        match self.h.thread(&letter.mail).first() {
            Some(first) => first.direction == Direction::Received && first.mail.ancestors().next().is_none(),
            None => letter.direction == Direction::Received,
        }
    }

    /// Does a letter hold a file or a link that was sent on purpose? What stands in nearly every mail of its
    /// writer is the signature's.
    pub fn gives(&self, letter: &Letter) -> bool {
        self.gives_file(letter) || letter.mail.marks().link && !self.habits.of(letter.direction).link
    }

    /// The same of a file alone.
    pub fn gives_file(&self, letter: &Letter) -> bool {
        letter.mail.marks().attachment && !self.habits.of(letter.direction).file
    }

    /// A thread they began without earlier contact, with the headers of a sales tool or an offer of
    /// a call in its first mail.
    pub fn is_selling(&self, letter: &Letter) -> bool {
        let thread = self.h.thread(&letter.mail);
        let Some(first) = thread.first() else { return false };
        let earlier = self.h.interactions.iter().any(|i| i.counts && i.at < first.mail.at);
        let tool = first.mail.signals.sales_tool || first.mail.signals.list_unsubscribe;
        first.direction == Direction::Received && !earlier && (tool || first.mail.marks().offers_call)
    }

    /// n working days, or the delay the user set for this rule.
    pub fn delay(&self, rule: Rule, working_days: u32) -> Delay {
        self.p.rule(rule).after.unwrap_or(Delay::Working(working_days))
    }
}

/// What nearly every mail of the user, or of the contact, holds.
#[derive(Clone, Copy, Default, Debug)]
pub struct Habits {
    sent: Habit,
    received: Habit,
}

#[derive(Clone, Copy, Default, Debug)]
struct Habit {
    link: bool,
    file: bool,
}

impl Habits {
    /// Of the mail between the two.
    pub fn read(h: &ContactHistory) -> Habits {
        let of = |direction| {
            let mut marks: Vec<Marks> = Vec::new();
            let person = |l: &&Letter| l.direction == direction && l.class == Class::Person && !l.is_unread();
            marks.extend(h.letters.iter().filter(person).map(|l| l.mail.marks()));
            let nearly_all = |mark: fn(&Marks) -> bool| {
                marks.len() >= HABIT && marks.iter().filter(|m| mark(m)).count().saturating_mul(4) >= marks.len() * 3
            };
            Habit { link: nearly_all(|m| m.link), file: nearly_all(|m| m.attachment) }
        };
        Habits { sent: of(Direction::Sent), received: of(Direction::Received) }
    }

    fn of(&self, direction: Direction) -> Habit {
        match direction {
            Direction::Sent => self.sent,
            Direction::Received => self.received,
        }
    }
}

/// A rule: every cause of one contact inside its windows.
type RuleOf = fn(&Case<'_>) -> Vec<Verdict>;

/// Reviews one contact as of `now`.
pub fn review(h: &ContactHistory, p: &Policies, now: Timestamp) -> Review {
    let case = Case { h, p, now, habits: Habits::read(h) };
    let verdicts = verdicts(&case, None);
    // what is closed stays so; what is vetoed or low changes with evidence, or by a date that is looked at daily
    let times = verdicts.iter().filter_map(|v| match v.standing(now) {
        Standing::Waiting => Some(v.due_at),
        Standing::Due => Some(v.expires_at),
        Standing::Closed | Standing::Vetoed | Standing::Low | Standing::Expired => None,
    });
    let next_at = times.chain(milestone::next_look(&case)).filter(|t| *t > now).min();
    Review { verdicts, next_at }
}

/// The verdicts of one rule alone, as [`review`] finds them.
pub fn review_rule(h: &ContactHistory, p: &Policies, now: Timestamp, rule: Rule) -> Vec<Verdict> {
    verdicts(&Case { h, p, now, habits: Habits::read(h) }, Some(rule))
}

/// What the rules say, or one of them.
fn verdicts(case: &Case<'_>, only: Option<Rule>) -> Vec<Verdict> {
    let (h, p) = (case.h, case.p);
    let mut verdicts = Vec::new();
    if h.is_contact && !h.person.ignored {
        let rules: [(Rule, RuleOf); 6] = [
            (Rule::ThankYou, thank_you::verdicts),
            (Rule::FollowUp, follow_up::verdicts),
            (Rule::ReplyOwed, reply_owed::verdicts),
            (Rule::Promise, promise::verdicts),
            (Rule::KeepInTouch, keep_in_touch::verdicts),
            (Rule::Milestone, milestone::verdicts),
        ];
        for (rule, verdicts_of) in rules {
            if p.rule(rule).enabled && only.is_none_or(|only| only == rule) {
                verdicts.extend(verdicts_of(case));
            }
        }
    }
    for v in &mut verdicts {
        v.expires_at = p.stretch(v.due_at, v.expires_at);
        v.veto_if(h.person.muted, "you muted this contact");
        if let Some(Fact::Time(at)) = v.facts.get("at") {
            let doubtful = h.doubtful_since(*at, v.needs.folders);
            v.veto_if(doubtful, "mail since with an address that may be theirs as well: see kithd check");
        }
        if h.is_role {
            let kept = matches!(v.occasion.rule(), Rule::FollowUp | Rule::ReplyOwed);
            v.veto_if(!kept || v.occasion == Occasion::AfterMeeting, "a desk, not a person");
            v.summary_at_most("a desk, not a person");
        }
        v.contact = Some(h.person.id);
    }
    verdicts
}
