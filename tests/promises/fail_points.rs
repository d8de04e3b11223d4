//! The process is aborted at every step that changes the disk or the world outside, each time it is
//! reached, and started again: the end must be the one of an undisturbed run, each reminder in the
//! inbox once. `KITHD_FAILS=all` takes every time a point is reached, the short form the first and
//! last in each step, until a point was died at four times.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::exim::Exim;
use crate::life::{self, Life, letter};
use crate::tale::{STEPS, Tale};

fn wants_all() -> bool {
    std::env::var("KITHD_FAILS").is_ok_and(|v| v == "all")
}

/// Which points were passed, how often each.
fn passed(log: &Path) -> BTreeMap<String, u64> {
    let mut points = BTreeMap::new();
    for name in fs::read_to_string(log).unwrap_or_default().lines() {
        *points.entry(name.to_string()).or_insert(0) += 1;
    }
    points
}

/// The times of a point at which to die; `before`: how often that was done.
fn times(count: u64, before: usize) -> Vec<u64> {
    match (wants_all(), before) {
        (true, _) => (1..=count).collect(),
        (false, 0..4) => BTreeSet::from([1, count]).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn was_aborted(output: &Output) -> bool {
    use std::os::unix::process::ExitStatusExt;
    output.status.signal() == Some(6)
}

#[test]
fn aborted_at_each_step_over_files_it_comes_to_the_same_end() {
    let (mut points, mut aborts) = (BTreeMap::<String, usize>::new(), 0);
    let (tale, mut round) = (Tale::new(), Vec::new());
    for step in STEPS {
        (step.before)(&tale);
        let command = (step.command)(&tale);
        tale.keep("before");
        let log = tale.dir.path().join("points");
        let _ = fs::remove_file(&log);
        let said = tale.command(&command).env("KITHD_FAIL_LOG", &log).output().unwrap();
        assert!(said.status.success(), "{}: {said:?}", step.name);
        // what a command left to do is done by the next round
        if command[0] == "run" {
            round.clone_from(&command);
        } else {
            assert!(tale.run(&round).status.success(), "{}", step.name);
        }
        let expected = tale.end();
        tale.keep("after");
        for (point, count) in passed(&log) {
            for time in times(count, points.get(&point).copied().unwrap_or(0)) {
                let deadly = format!("{point}#{time}");
                tale.put_back("before");
                let died = tale.command(&command).env("KITHD_FAIL", &deadly).output().unwrap();
                // threads of the doors pass some points in another order each time
                assert!(was_aborted(&died) || died.status.success(), "{} {deadly}: {died:?}", step.name);
                aborts += usize::from(was_aborted(&died));
                // a command that had already done its work may say so
                let again = tale.run(&command);
                let is_round = command == round;
                assert!(again.status.success() || !is_round, "{} after {deadly}: {again:?}", step.name);
                if !is_round {
                    assert!(tale.run(&round).status.success(), "{} after {deadly}", step.name);
                }
                let end = tale.end();
                assert_eq!(end.1, expected.1, "{}: reminders after {deadly}", step.name);
                assert!(
                    end.0 == expected.0,
                    "{} after {deadly}:\n{}",
                    step.name,
                    crate::tale::difference(&end.0, &expected.0)
                );
                *points.entry(point.clone()).or_default() += 1;
            }
        }
        tale.put_back("after");
    }
    let last = tale.end();
    assert!(last.1.len() >= 4, "the story tells of several reminders: {:?}", last.1);
    let rules = tale.delivered().join("");
    for rule in ["reply_owed", "first_meeting", "summary"] {
        assert!(rules.contains(rule), "no {rule} in the story");
    }
    eprintln!("files: {} points, {aborts} aborts, {} steps: same end each time", points.len(), STEPS.len());
    assert!(points.len() >= 30 && aborts >= 90, "{} points, {aborts} aborts", points.len());
}

/// What one user of real servers sees: history, reminders, and the reminders in the inbox.
fn seen(life: &Life) -> (serde_json::Value, BTreeMap<String, usize>) {
    let rows = life.json(&["reminders", "--all", "--json"]);
    let rows: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|r| serde_json::json!([r["id"], r["rule"], r["state"], r["closed_by"], r["contact"]["address"]]))
        .collect();
    let contacts = life.json(&["contacts", "--all", "--json"]);
    let contacts: Vec<_> =
        contacts.as_array().unwrap().iter().map(|c| serde_json::json!([c["addresses"], c["counts"]])).collect();
    let mut mails = BTreeMap::new();
    for mail in life.reminders("INBOX") {
        *mails.entry(crate::tale::header(&mail, "X-Kithd-Reminder").to_string()).or_insert(0) += 1;
    }
    (serde_json::json!([rows, contacts]), mails)
}

/// Waits until Exim has nothing left to deliver.
fn settled(life: &Life, exim: &Exim) {
    let spool = exim.spool(&life.bed);
    life::until("an empty queue", || {
        let input = fs::read_dir(spool.join("input")).map(Iterator::count).unwrap_or(0);
        (input == 0).then_some(())
    });
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

#[test]
fn aborted_at_each_step_of_the_network_it_comes_to_the_same_end() {
    let mut life = Life::new();
    let exim = life.exim();
    let smtp = format!("retire = true\n{}", life.delivery);
    let append = "retire = true\ntype = \"append\"\nmailbox = \"work\"\n".to_string();
    let (store, mail) = (life.bed.path("store"), life.dovecot.maildir("alex", "INBOX"));
    let begin = kithd::time::now();
    let answer = letter(&life.me, "ada@example.net", "Re: Deck", "a1@example.org", 0, "Here it is.");
    let answer = answer.replace("\n\n", "\nIn-Reply-To: <d1@example.net>\n\n");
    type Before<'a> = Box<dyn Fn(&Life) + 'a>;
    let steps: Vec<(&str, &str, Before)> = vec![
        ("a reminder by SMTP", &smtp, Box::new(|life| life.ada_waits(&mut life.raw()))),
        ("answered, and taken away", &smtp, Box::new(|life| life.raw().append("Sent", "\\Seen", &answer))),
        (
            "a reminder by APPEND",
            &append,
            Box::new(|life| {
                let me = &life.me;
                let mut raw = life.raw();
                raw.append(
                    "Sent",
                    "\\Seen",
                    &letter(me, "ben@example.net", "News", "n3@example.org", 90, "Hello Ben?"),
                );
                raw.append(
                    "INBOX",
                    "",
                    &letter("Ben <ben@example.net>", me, "Re: News", "n4@example.net", 89, "Fine."),
                );
                raw.append(
                    "INBOX",
                    "",
                    &letter("Ben <ben@example.net>", me, "Plan", "d2@example.net", 5, "Could you send me the plan?"),
                );
            }),
        ),
    ];
    let (mut points, mut aborts) = (BTreeMap::<String, usize>::new(), 0);
    for (n, (name, delivery, before)) in steps.iter().enumerate() {
        life.delivery = delivery.to_string();
        before(&life);
        let at = begin.plus(i64::try_from(n).unwrap() * kithd::time::DAY);
        let round = |minutes: i64| {
            let at = at.plus(minutes * kithd::time::MINUTE).to_string();
            ["run", "--once", "--at"].iter().map(ToString::to_string).chain([at]).collect::<Vec<_>>()
        };
        let run = |minutes: i64, deadly: Option<&str>| {
            let arguments = round(minutes);
            let mut command = life.command(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
            command.current_dir(life.bed.path(""));
            if let Some(deadly) = deadly {
                command.env("KITHD_FAIL", deadly);
            }
            command.env("KITHD_FAIL_LOG", life.bed.path("points")).output().unwrap()
        };
        // stores and mailboxes as they are before the step
        if store.exists() {
            copy(&store, &life.bed.path("store.before"));
        }
        copy(&mail, &life.bed.path("mail.before"));
        let put_back = |from: &str| {
            let kept = life.bed.path(&format!("store.{from}"));
            if kept.exists() {
                copy(&kept, &store)
            } else {
                let _ = fs::remove_dir_all(&store);
            }
            copy(&life.bed.path(&format!("mail.{from}")), &mail);
        };
        let _ = fs::remove_file(life.bed.path("points"));
        let said = run(0, None);
        assert!(said.status.success(), "{name}: {said:?}");
        settled(&life, &exim);
        let expected = seen(&life);
        assert!(expected.1.values().all(|n| *n == 1), "{name}: {:?}", expected.1);
        copy(&store, &life.bed.path("store.after"));
        copy(&mail, &life.bed.path("mail.after"));
        let wanted = ["imap.", "smtp.", "errand."];
        let all = passed(&life.bed.path("points"));
        for (point, count) in all.into_iter().filter(|(p, _)| wanted.iter().any(|w| p.starts_with(w))) {
            for time in times(count, points.get(&point).copied().unwrap_or(0)) {
                let deadly = format!("{point}#{time}");
                put_back("before");
                let died = run(0, Some(&deadly));
                assert!(was_aborted(&died) || died.status.success(), "{name} {deadly}: {died:?}");
                aborts += usize::from(was_aborted(&died));
                settled(&life, &exim);
                // what may be on its way is looked for, for an hour
                let mut end = seen(&life);
                for minutes in [0, 2, 10, 20, 70, 80, 200] {
                    let again = run(minutes, None);
                    assert!(again.status.success(), "{name} after {deadly}: {again:?}");
                    settled(&life, &exim);
                    end = seen(&life);
                    if end == expected {
                        break;
                    }
                }
                assert_eq!(end, expected, "{name} after {deadly}");
                *points.entry(point.clone()).or_default() += 1;
            }
        }
        put_back("after");
    }
    eprintln!("servers: {} points, {aborts} aborts, {} steps: same end each time", points.len(), steps.len());
    assert!(points.len() >= 16 && aborts >= 30, "{points:?}, {aborts} aborts");
}
