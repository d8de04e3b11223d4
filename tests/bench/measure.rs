//! Wall time and peak memory of a process, and the table that is printed.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What one run cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub wall: Duration,
    /// Peak resident memory in bytes; of the process itself.
    pub peak: u64,
}

/// Runs it to its end; it must succeed.
pub fn run(command: &mut Command) -> Cost {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    let begun = Instant::now();
    let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let mut peak = 0;
    loop {
        peak = peak.max(high_water(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{command:?}: {status}");
            return Cost { wall: begun.elapsed(), peak };
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// `VmHWM`.
pub fn high_water(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kb| kb * 1024)
}

/// Wall time of something.
pub fn time<T>(what: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let result = what();
    (result, begun.elapsed())
}

/// One row: what was measured, the result, the target, whether it is met.
pub struct Table(Vec<[String; 4]>);

impl Table {
    pub fn new() -> Table {
        Table(Vec::new())
    }

    pub fn row(&mut self, what: &str, result: String, target: &str, met: bool) {
        eprintln!("{what}: {result} (target {target})");
        let met = if target.is_empty() {
            ""
        } else if met {
            "met"
        } else {
            "NOT MET"
        };
        self.0.push([what.to_string(), result, target.to_string(), met.to_string()]);
    }

    pub fn print(&self) {
        println!("| measured | result | target | |\n|---|---|---|---|");
        for [what, result, target, met] in &self.0 {
            println!("| {what} | {result} | {target} | {met} |");
        }
    }
}

pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Processor time of all children that have ended.
pub fn children() -> Duration {
    ticks("/proc/self/stat", 13)
}

/// Two neighbouring counts of a `stat`, from the field after the name of the program on.
pub fn ticks(file: &str, from: usize) -> Duration {
    let stat = std::fs::read_to_string(file).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(from).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
