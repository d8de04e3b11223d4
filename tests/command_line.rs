//! What the command line says of itself: help, manual page, completions.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::process::{Command, Stdio};

fn kithd(arguments: &[&str]) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_kithd")).args(arguments).output().unwrap();
    assert!(out.status.success(), "kithd {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// The commands that `--help` lists.
fn commands() -> Vec<String> {
    let help = kithd(&["--help"]);
    let list = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let named = list.lines().filter(|l| l.starts_with("  ") && !l.starts_with("   "));
    named.map(|l| l.split_whitespace().next().unwrap().to_string()).collect()
}

#[test]
fn the_manual_page_holds_every_command_and_option() {
    let page = kithd(&["man"]);
    let commands = commands();
    assert!(commands.len() > 20, "{commands:?}");
    for command in commands {
        assert!(page.contains(&format!(".SH \"{}\"", command.to_uppercase())), "{command}");
        for option in kithd(&[&command, "--help"]).split_whitespace().filter(|w| w.starts_with("--") && w.len() > 2) {
            let name = option.trim_matches(|c: char| !c.is_alphanumeric()).replace('-', "\\-");
            assert!(page.contains(&name), "{command} {option}");
        }
    }
}

#[test]
fn completions_are_scripts_of_their_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = kithd(&["completions", shell]);
        assert!(commands().iter().all(|c| script.contains(c.as_str())), "{shell}");
    }
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut bash.stdin.take().unwrap(), kithd(&["completions", "bash"]).as_bytes()).unwrap();
    assert!(bash.wait().unwrap().success());
    let wrong = Command::new(env!("CARGO_BIN_EXE_kithd")).args(["completions", "tcsh"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}
