//! What a scenario expects.

use kithd::engine::reply::{ContactRow, Explanation, ReminderRow};
use kithd::engine::{Reply, Request};

use crate::play::Play;
use crate::text::Words;

/// `rule` or `rule/occasion` against a row's.
fn is_rule(wanted: &str, rule: &str, occasion: &str) -> bool {
    match wanted.split_once('/') {
        Some((r, o)) => r == rule && o == occasion,
        None => wanted == rule,
    }
}

fn is_about(row: &ReminderRow, address: &str) -> bool {
    address.is_empty()
        || row.contact.as_ref().is_some_and(|c| c.address.as_ref().is_some_and(|a| a.as_str() == address))
}

impl Play {
    pub fn expect(&mut self, w: &mut Words<'_>) -> Result<(), String> {
        match w.peek() {
            "nothing" => {
                w.word()?;
                self.end_of(w)?;
                self.claimed = None;
                self.unclaimed
                    .first()
                    .map_or(Ok(()), |d| Err(format!("there is {} {:?}\n    {}", d.rule, d.subject, d.body)))
            }
            "subject" => {
                w.word()?;
                let wanted = w.quoted()?;
                self.end_of(w)?;
                let d = self.claimed.as_ref().ok_or("no mail was expected before this line")?;
                if d.subject == wanted { Ok(()) } else { Err(format!("the subject is {:?}", d.subject)) }
            }
            "body" => {
                w.word()?;
                let lacks = w.take("lacks");
                let wanted = w.quoted()?;
                self.end_of(w)?;
                let d = self.claimed.as_ref().ok_or("no mail was expected before this line")?;
                if d.body.contains(wanted) != lacks { Ok(()) } else { Err(format!("the body is\n    {}", d.body)) }
            }
            "said" => {
                w.word()?;
                let wanted = w.quoted()?;
                self.end_of(w)?;
                if self.said.contains(wanted) { Ok(()) } else { Err(format!("it said {:?}", self.said)) }
            }
            "check" => {
                w.word()?;
                let wanted = w.quoted()?;
                self.end_of(w)?;
                let Reply::Checked(found) = self.ask(Request::Check)? else { return Err("no findings".to_string()) };
                if found.iter().any(|f| f.what.contains(wanted)) { Ok(()) } else { Err(format!("it found {found:?}")) }
            }
            "state" => self.expect_state(w),
            "veto" | "point" | "reason" | "score" | "no" => self.expect_explained(w),
            "plan" => self.expect_plan(w),
            "contact" => self.expect_contact(w),
            "source" => self.expect_source(w),
            _ => self.expect_mail(w),
        }
    }

    fn end_of(&self, w: &Words<'_>) -> Result<(), String> {
        if w.is_empty() { Ok(()) } else { Err(format!("what is `{}`?", w.rest())) }
    }

    /// `RULE[/OCCASION] [ADDR] [because <id>] [on DATE]`
    fn expect_mail(&mut self, w: &mut Words<'_>) -> Result<(), String> {
        let rule = w.word()?;
        let address = if w.peek().contains('@') { w.word()? } else { "" };
        let because = if w.take("because") { w.try_id().or_else(|| w.word().ok()) } else { None };
        let on = if w.take("on") { Some(w.date()?) } else { None };
        self.end_of(w)?;
        let (rows, zone) = (self.reminders()?, self.world.zone.clone());
        let wanted = |d: &crate::play::Delivered| {
            let (r, o) = d.rule.split_once('/').unwrap_or((&d.rule, ""));
            let row = rows.iter().find(|row| row.id.to_string() == d.reminder);
            let about = address.is_empty() || row.is_some_and(|row| is_about(row, address));
            let caused = because.is_none_or(|id| row.is_some_and(|row| row.evidence.iter().any(|e| e == id)));
            is_rule(rule, r, o) && about && caused && on.is_none_or(|date| zone.date(d.at) == date)
        };
        match self.unclaimed.iter().position(wanted) {
            Some(n) => {
                self.claimed = Some(self.unclaimed.remove(n));
                Ok(())
            }
            None => Err(self.why_not(rule, address)?),
        }
    }

    /// What there is instead, and what `explain` says.
    fn why_not(&mut self, rule: &str, address: &str) -> Result<String, String> {
        let mut text = String::from("it did not come; there is");
        for d in &self.unclaimed {
            text.push_str(&format!("\n      {} {:?} {}", d.rule, d.subject, self.world.zone.local(d.at)));
        }
        for r in self.reminders()? {
            text.push_str(&format!(
                "\n      {}/{} {} {} {} due {} {:?} {:?}",
                r.rule, r.occasion, r.channel, r.state, r.score, r.due_at, r.closed_by, r.trouble
            ));
        }
        if !address.is_empty() {
            for e in self.explained(address)? {
                text.push_str(&format!(
                    "\n      explain {}/{} {} due {} until {}: {:?} vetoes {:?} closed {:?}",
                    e.rule, e.occasion, e.standing, e.due_at, e.expires_at, e.points, e.vetoes, e.closed_by
                ));
            }
        }
        Ok(text + &format!("\n      (wanted {rule})"))
    }

    pub fn explained(&mut self, who: &str) -> Result<Vec<Explanation>, String> {
        match self.ask(Request::Explain(who.to_string()))? {
            Reply::Explained(all) => Ok(all),
            Reply::Refused { .. } => Ok(Vec::new()),
            other => Err(format!("{other:?}")),
        }
    }

    /// `RULE[/OCCASION] [ADDR]` of the latest such reminder.
    pub fn row(&mut self, w: &mut Words<'_>) -> Result<ReminderRow, String> {
        let rule = w.word()?;
        let address = if w.peek().contains('@') { w.word()? } else { "" };
        let rows = self.reminders()?;
        let found = rows.iter().rev().find(|r| is_rule(rule, &r.rule, &r.occasion) && is_about(r, address)).cloned();
        match found {
            Some(row) => Ok(row),
            None => Err(self.why_not(rule, address)?),
        }
    }

    /// `state RULE[/OCCASION] [ADDR] STATE [by evidence|user|<id>] [because "text"]`
    fn expect_state(&mut self, w: &mut Words<'_>) -> Result<(), String> {
        w.word()?;
        let row = self.row(w)?;
        let state = w.word()?;
        if row.state != state {
            return Err(format!("it is {} ({:?}, {:?})", row.state, row.closed_by, row.trouble));
        }
        if w.take("by") {
            let by = row.closed_by.clone().unwrap_or_default();
            let fits = match w.try_id() {
                Some(id) => by == id,
                None => match w.word()? {
                    "evidence" => !by.is_empty() && by != "user",
                    other => by == other,
                },
            };
            if !fits {
                return Err(format!("it was closed by {by:?}"));
            }
        }
        if w.take("because") {
            let wanted = w.quoted()?;
            let trouble = row.trouble.unwrap_or_default();
            if !trouble.contains(wanted) {
                return Err(format!("it says {trouble:?}"));
            }
        }
        self.end_of(w)
    }

    /// `veto RULE ADDR "text"`, `point RULE ADDR "text"`, `score RULE ADDR 7.5`, `no RULE ADDR`
    fn expect_explained(&mut self, w: &mut Words<'_>) -> Result<(), String> {
        let (what, rule, who) = (w.word()?, w.word()?, w.word()?);
        let mut all = self.explained(who)?;
        all.retain(|e| is_rule(rule, &e.rule, &e.occasion));
        let fits = match what {
            "no" => all.is_empty(),
            "score" => {
                let score: f64 = w.word()?.parse().map_err(|_| "no number")?;
                all.iter().any(|e| (e.score - score).abs() < 0.01)
            }
            _ => {
                let text = w.quoted()?;
                let has = |list: &[String]| list.iter().any(|l| l.contains(text));
                all.iter().any(|e| match what {
                    "veto" => has(&e.vetoes),
                    "point" => has(&e.points),
                    _ => e.reason.contains(text),
                })
            }
        };
        self.end_of(w)?;
        if fits { Ok(()) } else { Err(self.why_not(rule, who)?) }
    }

    /// `plan RULE[/OCCASION] ADDR at TIME`, `plan nothing`; over the next 60 days.
    fn expect_plan(&mut self, w: &mut Words<'_>) -> Result<(), String> {
        w.word()?;
        let until = self.now.plus(60 * kithd::time::DAY);
        let Reply::Reminders(rows) = self.ask(Request::Plan(until))? else { return Err("no plan".to_string()) };
        let zone = self.world.zone.clone();
        let shown = rows.iter().map(|r| {
            let at = r.would_send_at.map(|t| zone.local(t).to_string()).unwrap_or_default();
            format!("\n      {}/{} {} at {at}", r.rule, r.occasion, r.subject)
        });
        let shown: String = shown.collect();
        let fits = if w.take("nothing") {
            rows.is_empty()
        } else {
            let (rule, who) = (w.word()?, w.word()?);
            w.need("at")?;
            let at = w.time(&zone)?;
            let is_it = |r: &ReminderRow| is_rule(rule, &r.rule, &r.occasion) && is_about(r, who);
            rows.iter().any(|r| is_it(r) && r.would_send_at.is_some_and(|t| t.second() / 60 == at.second() / 60))
        };
        self.end_of(w)?;
        if fits { Ok(()) } else { Err(format!("the plan is{shown}")) }
    }

    /// `contact WHO name "N"`, `contact WHO sent N received N met N`, `contact WHO is none`, `contact WHO has ADDR`
    fn expect_contact(&mut self, w: &mut Words<'_>) -> Result<(), String> {
        w.word()?;
        let who = w.word()?;
        let Reply::Contacts(rows) = self.ask(Request::Contacts { all: true })? else { return Err("?".to_string()) };
        let row: Option<&ContactRow> = rows.iter().find(|r| r.addresses.iter().any(|a| a.as_str() == who));
        while !w.is_empty() {
            let what = w.word()?;
            if what == "is" {
                w.need("none")?;
                if row.is_some_and(|r| r.is_contact) {
                    return Err(format!("{row:?}"));
                }
                continue;
            }
            let row = row.ok_or("nobody knows them")?;
            let mut number = |n: u64| w.word().map(|word| word == n.to_string());
            let fits = match what {
                "sent" => number(row.counts.sent)?,
                "received" => number(row.counts.received)?,
                "met" => number(row.counts.meetings)?,
                "name" => w.quoted()? == row.name,
                "has" => {
                    let address = w.word()?;
                    row.addresses.iter().any(|a| a.as_str() == address)
                }
                "lacks" => {
                    let address = w.word()?;
                    !row.addresses.iter().any(|a| a.as_str() == address)
                }
                other => return Err(format!("what is `{other}`?")),
            };
            if !fits {
                return Err(format!("{row:?}"));
            }
        }
        Ok(())
    }

    /// `source NAME STATE`
    fn expect_source(&mut self, w: &mut Words<'_>) -> Result<(), String> {
        w.word()?;
        let (name, state) = (w.word()?, w.word()?);
        let Reply::Status(status) = self.ask(Request::Status)? else { return Err("?".to_string()) };
        let found = status.sources.iter().find(|s| s.name == name).ok_or("no such source")?;
        if found.state == state { Ok(()) } else { Err(format!("{found:?}")) }
    }
}
