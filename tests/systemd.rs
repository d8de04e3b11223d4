//! The units and the package: systemd itself finds nothing wrong with them, what they leave open is little, and
//! they do under a real systemd what they promise.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice
)]
#![allow(missing_docs)]

#[path = "systemd/machine.rs"]
mod machine;
#[path = "systemd/package.rs"]
mod package;
#[path = "systemd/running.rs"]
mod running;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const UNITS: [&str; 3] = ["kithd.service", "kithd@.service", "user/kithd.service"];

fn text(unit: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd").join(unit)).unwrap()
}

fn analyze(arguments: &[&str], unit: &Path) -> Output {
    let mut command = Command::new("systemd-analyze");
    // the user's units are looked up below it
    command.env("XDG_RUNTIME_DIR", unit.parent().unwrap());
    command.args(arguments).arg(unit).output().unwrap_or_else(|e| panic!("systemd-analyze: {e}: see tests/run"))
}

/// The unit with the binary of this build, so that systemd finds what it starts.
fn installed(dir: &Path, unit: &str, change: &dyn Fn(String) -> String) -> PathBuf {
    let binary = env!("CARGO_BIN_EXE_kithd");
    let name = Path::new(unit).file_name().unwrap().to_string_lossy().replace("@.", "@alex.");
    let path = dir.join(name);
    std::fs::write(&path, change(text(unit).replace("/usr/bin/kithd", binary))).unwrap();
    path
}

#[test]
fn systemd_understands_every_line() {
    let dir = tempfile::tempdir().unwrap();
    for unit in UNITS {
        let place = if unit.starts_with("user/") { "--user" } else { "--system" };
        let verify = ["verify", place, "--man=no", "--recursive-errors=no"];
        let path = installed(dir.path(), unit, &|t| t);
        let out = analyze(&verify, &path);
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success() && said.trim().is_empty(), "{unit}: {said}");
        // and it would have told: a misspelt key is an error
        let path = installed(dir.path(), unit, &|t| t.replace("WatchdogSec=", "WatchdogSecs="));
        assert!(!analyze(&verify, &path).stderr.is_empty(), "{unit}: a misspelt key went unnoticed");
    }
}

#[test]
fn the_services_of_the_system_are_shut() {
    let dir = tempfile::tempdir().unwrap();
    // tenths of exposure; the template may not remove the shared memory its user's other programs use
    for (unit, most) in [("kithd.service", "--threshold=12"), ("kithd@.service", "--threshold=13")] {
        let shut = ["security", "--offline=true", most, "--no-pager"];
        let out = analyze(&shut, &installed(dir.path(), unit, &|t| t));
        let said = String::from_utf8_lossy(&out.stdout);
        assert!(out.status.success(), "{unit}: {}", said.lines().last().unwrap_or_default());
        let open = analyze(&shut, &installed(dir.path(), unit, &|t| t.replace("CapabilityBoundingSet=\n", "")));
        assert!(!open.status.success(), "{unit}: capabilities went unnoticed");
    }
}

#[test]
fn every_setting_has_its_reason() {
    for unit in UNITS {
        let text = text(unit);
        let said: Vec<&str> = text.lines().filter(|l| l.starts_with("# ")).collect();
        assert!(said.len() >= 8, "{unit} says too little of why");
    }
    let text = text("kithd.service");
    let mut reason = false;
    for line in text.lines() {
        // a group of lines shares the comment above it
        reason = match line {
            "" => false,
            l if l.starts_with('#') => true,
            l if l.starts_with('[') => false,
            l => {
                let plain = ["Description", "Documentation", "ExecStart", "WantedBy"];
                assert!(reason || plain.iter().any(|p| l.starts_with(p)), "kithd.service: `{l}` has no reason");
                reason
            }
        };
    }
}
