//! Questions to somebody at a terminal. Part of `cli::init`.
//!
//! Invariant: without a terminal nothing is asked; the flag that answers the question is named.

use std::fs::{File, Permissions};
use std::io::{IsTerminal, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use console::Term;

use super::draft::Password;
use super::{Trouble, write};
use crate::address::AddrSpec;

/// Is somebody there?
pub fn is_possible() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn question(text: &str, flag: &str) -> Result<String, Trouble> {
    if !is_possible() {
        return Err(Trouble::Usage(format!("{flag} is missing, and there is no terminal to ask at")));
    }
    let term = Term::stderr();
    let asked = term.write_str(&format!("{text}: ")).and_then(|()| term.read_line());
    let line = asked.map_err(|e| Trouble::Failed(format!("the terminal is gone: {e}")))?;
    Ok(line.trim().to_string())
}

/// The user's address.
pub fn address() -> Result<AddrSpec, Trouble> {
    for _ in 0..3 {
        match AddrSpec::parse(&question("Your mail address", "--address")?) {
            Some(address) => return Ok(address),
            None => super::tell("that is no mail address; one looks like alex@example.org"),
        }
    }
    Err(Trouble::Usage("--address is missing".to_string()))
}

/// Where the password is. One that is typed lies in a file without a name until everything works: whoever
/// gives up on the way leaves nothing behind.
pub fn password(typed: &mut Option<Typed>) -> Result<Password, Trouble> {
    let text = "A command that prints your password, such as `pass show mail` (or Enter, to type the password)";
    let again = typed.is_some();
    let command = if again { String::new() } else { question(text, "--password-command or --password-file")? };
    if !command.is_empty() {
        return Ok(Password::Command(command.split_whitespace().map(str::to_string).collect()));
    }
    let gone = |e| Trouble::Failed(format!("the terminal is gone: {e}"));
    let term = Term::stderr();
    let prompt = if again { "Password, once more (not shown): " } else { "Password (not shown): " };
    let line = term.write_str(prompt).and_then(|()| term.read_secure_line()).map_err(gone)?;
    let kept = Typed::of(&line).map_err(|e| Trouble::Failed(format!("the password cannot be kept: {e}")))?;
    Ok(Password::File(typed.insert(kept).path()))
}

/// A password that was typed, in a file that ends with this process.
pub struct Typed(File);

impl Typed {
    fn of(line: &str) -> std::io::Result<Typed> {
        let mut file = tempfile::tempfile()?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        writeln!(file, "{line}")?;
        Ok(Typed(file))
    }

    /// Where this process, and no other, can read it.
    fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
    }

    /// Keeps it in a file of its own beside the config.
    pub fn keep(&self, config: &Path) -> Result<Password, Trouble> {
        let line = std::fs::read_to_string(self.path());
        let line = line.map_err(|e| Trouble::Failed(format!("the password cannot be kept: {e}")))?;
        let path = config.with_file_name("mail.password");
        let path = std::path::absolute(&path).unwrap_or(path);
        write(&path, &line)?;
        super::tell(&format!("the password is kept in {}, which only you can read", path.display()));
        Ok(Password::File(path))
    }
}

/// The user's name as the system knows it (the GECOS field of passwd).
pub fn name() -> Option<String> {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).ok()?;
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let mut fields = users.lines().map(|l| l.split(':')).find(|f| f.clone().next() == Some(user.as_str()))?;
    let name = fields.nth(4)?.split(',').next()?.trim();
    // accounts of the system have words there that are nobody's name
    let is_name = name.contains(' ') && name != user && !name.to_lowercase().contains("daemon");
    is_name.then(|| name.to_string())
}

/// Yes, unless the answer begins with n.
pub fn yes(text: &str) -> bool {
    is_possible() && question(&format!("{text} [Y/n]"), "").is_ok_and(|a| !a.to_lowercase().starts_with('n'))
}
