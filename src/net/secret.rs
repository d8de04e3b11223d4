//! Secrets, read where the config says they lie. Part of `net`.
//!
//! Invariant: a secret is read anew each time and never kept here; an error names the place of a
//! secret, never what was found there.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use super::{Secret, Trouble};
use crate::address::safe_text;
use crate::evidence::Level;
use crate::limits;

/// Reads a secret: the first line of what lies there.
///
/// # Errors
/// [`Level::Wait`] with what is wrong with the place, and what to do.
pub async fn reveal(secret: &Secret) -> Result<SecretString, Trouble> {
    let found = match secret {
        Secret::Command(words) => first_line_of(words).await,
        Secret::File(path) => from_file(path),
        Secret::Env(name) => from_variable(name),
        Secret::Credential(name) => from_credential(name),
    };
    found.map_err(|what| Trouble { level: Level::Wait, what })
}

/// What the first line a program prints is, for secrets and tokens. No shell; stopped after
/// [`limits::SECRET_SECS`], with all it started.
pub(super) async fn first_line_of(words: &[String]) -> Result<SecretString, String> {
    first_line_within(words, Duration::from_secs(limits::SECRET_SECS)).await
}

async fn first_line_within(words: &[String], limit: Duration) -> Result<SecretString, String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("the command of a secret names no program".to_string());
    };
    let place = format!("the command `{}`", safe_text(program, limits::ERROR_BYTES));
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // a group of its own: `pass` is a script, and what waits for the user is the gpg it started
    command.process_group(0).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("{place} is not installed, or not on the PATH of kithd"),
        std::io::ErrorKind::PermissionDenied => format!("{place} may not be run: check its permissions"),
        _ => format!("{place} could not be started: {error}"),
    })?;
    let (printed, said) = (child.stdout.take(), child.stderr.take());
    let run = async { tokio::join!(beginning(printed), beginning(said), child.wait()) };
    let Ok((printed, said, ended)) = tokio::time::timeout(limit, run).await else {
        stop(&child).await;
        return Err(format!(
            "{place} had not ended after {} s and was stopped: run it by hand and see what it waits for (it gets \
             no terminal)",
            limit.as_secs()
        ));
    };
    match ended {
        Ok(status) if status.success() => first_line(&printed, &place),
        Ok(status) => {
            let said = String::from_utf8_lossy(&said);
            let said = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
            let said = safe_text(said, limits::ERROR_BYTES);
            Err(format!("{place} failed ({status}): {said}"))
        }
        Err(error) => Err(format!("{place} was lost: {error}")),
    }
}

/// Ends a program and all it started.
async fn stop(child: &Child) {
    if let Some(group) = child.id().map(|id| format!("-{id}")) {
        let mut kill = Command::new("kill");
        kill.args(["-KILL", "--", &group]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // where there is no `kill`, the program itself ends when it is dropped
        let _ = kill.status().await;
    }
}

/// What comes first of a stream; the rest is read and thrown away, so that nobody waits for a reader.
async fn beginning(stream: Option<impl AsyncRead + Unpin>) -> Zeroizing<Vec<u8>> {
    // with its full size at once: what grows leaves copies behind
    let mut found = Zeroizing::new(Vec::with_capacity(limits::SECRET_BYTES + 1));
    if let Some(mut stream) = stream {
        let most = u64::try_from(limits::SECRET_BYTES + 1).unwrap_or(u64::MAX);
        // a stream that breaks is judged by how the program ended
        let _ = (&mut stream).take(most).read_to_end(&mut found).await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    }
    found
}

fn from_file(path: &Path) -> Result<SecretString, String> {
    let place = format!("the secret file {}", path.display());
    let file = File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("{place} is not there: check its path"),
        std::io::ErrorKind::PermissionDenied => {
            format!("kithd may not read {place}: give it to the user kithd runs as")
        }
        _ => format!("{place} cannot be read: {error}"),
    })?;
    // asked of what was opened, not of the name, which may be another file by now
    let about = file.metadata().map_err(|error| format!("{place} cannot be read: {error}"))?;
    if !about.is_file() {
        return Err(format!("{place} is no ordinary file"));
    }
    // systemd hands credentials out as 0440 of root, and keeps others away by the folder
    let by_systemd = about.uid() == 0 && credentials().is_some_and(|folder| path.starts_with(folder));
    if about.mode() & 0o077 != 0 && !by_systemd {
        return Err(format!("others can read {place}, so it is not used: chmod 600 {}", path.display()));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(limits::SECRET_BYTES + 1));
    let most = u64::try_from(limits::SECRET_BYTES + 1).unwrap_or(u64::MAX);
    file.take(most).read_to_end(&mut bytes).map_err(|error| format!("{place} cannot be read: {error}"))?;
    first_line(&bytes, &place)
}

fn from_variable(name: &str) -> Result<SecretString, String> {
    let place = format!("the variable {name} of the environment");
    match std::env::var(name) {
        Ok(value) => first_line(Zeroizing::new(value).as_bytes(), &place),
        Err(std::env::VarError::NotPresent) => Err(format!("{place} is not set where kithd runs")),
        Err(std::env::VarError::NotUnicode(_)) => Err(format!("{place} is not UTF-8")),
    }
}

fn from_credential(name: &str) -> Result<SecretString, String> {
    match credentials() {
        Some(folder) => from_file(&folder.join(name))
            .map_err(|what| format!("credential `{name}`: {what} (LoadCredential={name}:... in the unit)")),
        None => Err(format!(
            "credential `{name}` needs systemd: add LoadCredential={name}:/path to the unit, or use `file` or `command`"
        )),
    }
}

fn credentials() -> Option<PathBuf> {
    std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from).filter(|folder| folder.is_absolute())
}

fn first_line(bytes: &[u8], place: &str) -> Result<SecretString, String> {
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Err(format!("the first line of {place} is empty"));
    }
    if line.len() > limits::SECRET_BYTES {
        return Err(format!("the first line of {place} is longer than {} bytes", limits::SECRET_BYTES));
    }
    let text = std::str::from_utf8(line).map_err(|_| format!("the first line of {place} is not UTF-8"))?;
    if text.contains(char::is_control) {
        return Err(format!("the first line of {place} holds a control character"));
    }
    Ok(SecretString::from(text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;

    fn words(words: &[&str]) -> Secret {
        Secret::Command(words.iter().map(ToString::to_string).collect())
    }

    async fn shown(secret: &Secret) -> String {
        match reveal(secret).await {
            Ok(found) => found.expose_secret().to_string(),
            Err(trouble) => {
                assert_eq!(trouble.level, Level::Wait);
                format!("! {}", trouble.what)
            }
        }
    }

    #[tokio::test]
    async fn a_command_prints_it() {
        assert_eq!(shown(&words(&["printf", r"p\303\244ss  \nurl: x\n"])).await, "päss  ");
        assert_eq!(shown(&words(&["printf", r"pass\r\n"])).await, "pass");
        // no shell
        assert_eq!(shown(&words(&["printf", "%s", "$HOME;id"])).await, "$HOME;id");
        // more is read than is looked at
        assert_eq!(shown(&words(&["sh", "-c", "echo pass; head -c 1000000 /dev/zero"])).await, "pass");
    }

    #[tokio::test]
    async fn a_command_that_fails_says_why_and_shows_no_secret() {
        let told = shown(&words(&["sh", "-c", "echo hunter2; printf '\\033[31mno key\\r\\n more' >&2; exit 3"])).await;
        assert_eq!(told, "! the command `sh` failed (exit status: 3): [31mno key");
        let told = shown(&words(&["kithd-is-not-this", "hunter2"])).await;
        assert!(told.contains("not installed") && !told.contains("hunter2"), "{told}");
        assert!(shown(&words(&["true"])).await.contains("is empty"));
        assert!(shown(&words(&["printf", r"a\0b"])).await.contains("control character"));
        assert!(shown(&words(&["printf", r"\377"])).await.contains("not UTF-8"));
        assert!(shown(&words(&["head", "-c", "20000", "/dev/zero"])).await.contains("longer than"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_that_waits_is_stopped() {
        let told = shown(&words(&["sh", "-c", "echo hunter2; exec sleep 1000"])).await;
        assert!(told.contains("after 10 s and was stopped") && !told.contains("hunter2"), "{told}");
    }

    #[tokio::test]
    async fn and_what_it_started_is_stopped_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pid");
        let script = format!("sleep 1000 & echo $! > {}; wait", file.display());
        let words = ["sh".to_string(), "-c".to_string(), script];
        assert!(first_line_within(&words, Duration::from_secs(1)).await.is_err());
        let process = Path::new("/proc").join(std::fs::read_to_string(&file).unwrap().trim()).join("stat");
        // gone, or waiting for who collects orphans
        let lives = || std::fs::read_to_string(&process).is_ok_and(|state| !state.contains(") Z"));
        for _ in 0..100 {
            if lives() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        assert!(!lives());
    }

    #[tokio::test]
    async fn a_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pass");
        std::fs::write(&path, "hunter2\nmore").unwrap();
        let chmod = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        for mode in [0o644, 0o640, 0o604, 0o660, 0o601] {
            chmod(mode);
            let told = shown(&Secret::File(path.clone())).await;
            assert!(told.contains("chmod 600") && !told.contains("hunter2"), "{told}");
        }
        for mode in [0o600, 0o400] {
            chmod(mode);
            assert_eq!(shown(&Secret::File(path.clone())).await, "hunter2");
        }
        assert!(shown(&Secret::File(dir.path().join("none"))).await.contains("not there"));
        assert!(shown(&Secret::File(dir.path().to_path_buf())).await.contains("no ordinary file"));
    }

    #[tokio::test]
    async fn a_variable_holds_it() {
        assert_eq!(shown(&Secret::Env("PATH".into())).await, std::env::var("PATH").unwrap());
        assert!(shown(&Secret::Env("KITHD_NO_SUCH_VARIABLE".into())).await.contains("is not set"));
        // `cargo test` is no unit
        assert!(shown(&Secret::Credential("mail".into())).await.contains("LoadCredential=mail:"));
    }
}
