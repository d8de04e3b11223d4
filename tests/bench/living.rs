//! Living with a store of that size: what commands cost, and what the service costs while nothing happens.

use std::path::Path;
use std::time::Duration;

use crate::imap::{Service, kithd};
use crate::measure::{Table, children, high_water, mib, run, ticks};

/// Runs of each command: the kernel counts processor time in hundredths of a second.
const RUNS: u32 = 20;

/// Seconds the idle service is watched; `BENCH_IDLE=600` for ten minutes.
fn watched() -> u64 {
    std::env::var("BENCH_IDLE").ok().and_then(|n| n.parse().ok()).unwrap_or(120)
}

pub fn measure(config: &Path, table: &mut Table) {
    commands(config, table);
    idle(config, table);
}

fn commands(config: &Path, table: &mut Table) {
    let rows = kithd(config, &["contacts", "--json"]).output().unwrap().stdout;
    let rows: serde_json::Value = serde_json::from_slice(&rows).unwrap();
    let all = |row: &serde_json::Value| -> u64 {
        ["sent", "received", "meetings"].iter().filter_map(|k| row["counts"][k].as_u64()).sum()
    };
    let rows = rows.as_array().unwrap();
    let interactions: u64 = rows.iter().map(all).sum();
    let busiest = rows.iter().max_by_key(|r| all(r)).map(|r| r["addresses"][0].as_str().unwrap().to_string());
    let busiest = busiest.unwrap_or_default();
    for arguments in [
        vec!["status"],
        vec!["reminders"],
        vec!["contacts"],
        vec!["contact", &busiest],
        vec!["explain", &busiest],
        vec!["plan", "--within", "30d"],
    ] {
        let before = children();
        let costs: Vec<u64> = (0..RUNS).map(|_| run(&mut kithd(config, &arguments)).peak).collect();
        let each = (children() - before) / RUNS;
        let ms = each.as_secs_f64() * 1000.0;
        let peak = costs.into_iter().max().unwrap_or(0);
        table.row(
            &format!("kithd {}, no service, {interactions} interactions: processor time", arguments[0]),
            format!("{ms:.0} ms; peak {:.0} MiB", mib(peak)),
            "<= 50 ms",
            ms <= 50.0,
        );
    }
}

fn idle(config: &Path, table: &mut Table) {
    let service = Service::start(config);
    std::thread::sleep(Duration::from_secs(20));
    let pid = service.0.id();
    let (cpu, woken) = (processor(pid), wakes(pid));
    std::thread::sleep(Duration::from_secs(watched()));
    let (cpu, woken) = (processor(pid) - cpu, wakes(pid) - woken);
    let percent = cpu.as_secs_f64() / watched() as f64 * 100.0;
    let resident = field(pid, "VmRSS:").unwrap_or(0) * 1024;
    let peak = high_water(pid).unwrap_or(0);
    let anonymous = field(pid, "RssAnon:").unwrap_or(0) * 1024;
    table.row(
        "the idle service: resident memory",
        format!("{:.0} MiB ({:.0} of its own; peak {:.0})", mib(resident), mib(anonymous), mib(peak)),
        "<= 32 MiB",
        mib(resident) <= 32.0,
    );
    table.row(
        &format!("the idle service over {} s: processor, wake-ups of all its threads", watched()),
        format!("{percent:.3} %, {woken}"),
        "< 0.1 %",
        percent < 0.1,
    );
}

/// A number of `/proc/PID/status`.
fn field(pid: u32, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|l| l.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// Voluntary context switches of all threads.
fn wakes(pid: u32) -> u64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let switches = threads.filter_map(|t| {
        let status = std::fs::read_to_string(t.path().join("status")).ok()?;
        status.lines().find_map(|l| l.strip_prefix("voluntary_ctxt_switches:"))?.trim().parse::<u64>().ok()
    });
    switches.sum()
}

/// Processor time of a process that goes on.
fn processor(pid: u32) -> Duration {
    ticks(&format!("/proc/{pid}/stat"), 11)
}
