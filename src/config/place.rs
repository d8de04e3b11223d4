//! Where the config lies, what surrounds it, and what its paths mean. Part of `config`.
//!
//! Invariant: nothing here reads the environment or the disk; both are given.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use crate::time::Zone;

/// What the machine says before the config says anything.
#[derive(Clone, PartialEq, Debug)]
pub struct Surroundings {
    /// `$HOME`: what `~` means.
    pub home: Option<PathBuf>,
    /// `$XDG_STATE_HOME`.
    pub state_home: Option<PathBuf>,
    /// `$STATE_DIRECTORY`, the first of them: set by systemd for a unit with `StateDirectory=`.
    pub state_directory: Option<PathBuf>,
    /// Do we run as root?
    pub is_root: bool,
    /// The zone of the machine.
    pub zone: Zone,
    /// `$LC_ALL`, `$LC_MESSAGES` or `$LANG`: `de_DE.UTF-8`.
    pub locale: Option<String>,
}

impl Surroundings {
    /// From the environment, as `var` looks it up. Relative paths in it are ignored, as the XDG
    /// Base Directory Specification wants it.
    pub fn of(var: impl Fn(&str) -> Option<OsString>, is_root: bool, zone: Zone) -> Surroundings {
        let path = |name: &str| var(name).map(PathBuf::from).filter(|p| p.is_absolute());
        let states = var("STATE_DIRECTORY").and_then(|v| std::env::split_paths(&v).next());
        let set = |name: &&str| var(name).is_some_and(|v| !v.is_empty());
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find(|n| set(n)).and_then(|n| var(n));
        Surroundings {
            home: path("HOME"),
            state_home: path("XDG_STATE_HOME"),
            state_directory: states.filter(|p| p.is_absolute()),
            is_root,
            zone,
            locale: locale.and_then(|l| l.into_string().ok()),
        }
    }

    /// Where the store lies when the config does not say.
    pub(super) fn store(&self) -> Option<PathBuf> {
        if let Some(given) = &self.state_directory {
            return Some(given.clone());
        }
        if self.is_root {
            return Some(PathBuf::from("/var/lib/kithd"));
        }
        let state = self.state_home.clone().or_else(|| self.home.as_ref().map(|h| h.join(".local/state")));
        state.map(|s| s.join("kithd"))
    }

    /// The language of the locale, two letters; English where it names none.
    pub(super) fn language(&self) -> String {
        let code = self.locale.as_deref().unwrap_or_default().split(['_', '-', '.', '@']).next().unwrap_or_default();
        let sound = code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphabetic());
        if sound { code.to_lowercase() } else { "en".to_string() }
    }

    /// `text` with `~` resolved.
    pub(super) fn expand(&self, text: &str) -> Result<PathBuf, String> {
        if text.trim().is_empty() || text.contains('\0') {
            return Err("a path must not be empty".to_string());
        }
        let Some(rest) = text.strip_prefix('~') else { return Ok(PathBuf::from(text)) };
        let Some(home) = &self.home else {
            return Err("`~` needs $HOME, which is not set: write the whole path".to_string());
        };
        match rest.strip_prefix('/') {
            Some(inside) => Ok(home.join(inside.trim_start_matches('/'))),
            None if rest.is_empty() => Ok(home.clone()),
            None => Err("only `~/` is understood, not another user's home: write the whole path".to_string()),
        }
    }
}

/// Finds the config: `--config`, `$KITHD_CONFIG`, `$XDG_CONFIG_HOME/kithd/config.toml` (without that
/// variable `~/.config`), `/etc/kithd/config.toml`. What is named must be there; of the other two the
/// first that is.
///
/// # Errors
/// Where all was looked, when nothing is there.
pub fn find(
    explicit: Option<&Path>,
    var: impl Fn(&str) -> Option<OsString>,
    exists: impl Fn(&Path) -> bool,
) -> Result<PathBuf, String> {
    let set = |name: &str| var(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let named = explicit.map(|p| (p.to_path_buf(), "--config"));
    if let Some((file, by)) = named.or_else(|| set("KITHD_CONFIG").map(|p| (p, "$KITHD_CONFIG"))) {
        let missing =
            || format!("{}: there is no such file ({by} names it); `kithd init` writes a config", file.display());
        return if exists(&file) { Ok(file) } else { Err(missing()) };
    }
    let config_home = set("XDG_CONFIG_HOME").filter(|p| p.is_absolute());
    let config_home = config_home.or_else(|| set("HOME").map(|h| h.join(".config")));
    let mut places: Vec<PathBuf> = config_home.into_iter().map(|c| c.join("kithd/config.toml")).collect();
    places.push(PathBuf::from("/etc/kithd/config.toml"));
    if let Some(found) = places.iter().find(|p| exists(p)) {
        return Ok(found.clone());
    }
    let looked: Vec<String> = places.iter().map(|p| p.display().to_string()).collect();
    let looked = looked.join(" nor ");
    Err(format!(
        "there is no config: neither {looked}. `kithd init` writes one for you; or name another with --config FILE"
    ))
}

/// Does `inner` lie in `outer`, or is it the same? By their names only.
pub(super) fn is_inside(inner: &Path, outer: &Path) -> bool {
    plain(inner).starts_with(plain(outer))
}

fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if out.parent().is_some() => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_comes_first_and_must_be_there() {
        let var =
            |vars: &'static [(&str, &str)]| move |n: &str| vars.iter().find(|(k, _)| *k == n).map(|(_, v)| v.into());
        let vars = var(&[("KITHD_CONFIG", "/k.toml"), ("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")]);
        let found = |exists: &'static [&str]| move |p: &Path| exists.iter().any(|e| Path::new(e) == p);
        let all = found(&["/a.toml", "/k.toml", "/x/kithd/config.toml", "/etc/kithd/config.toml"]);
        assert_eq!(find(Some(Path::new("/a.toml")), vars, all), Ok("/a.toml".into()));
        assert_eq!(find(None, vars, all), Ok("/k.toml".into()));
        assert_eq!(
            find(None, vars, found(&["/x/kithd/config.toml"])),
            Err("/k.toml: there is no such file ($KITHD_CONFIG names it); `kithd init` writes a config".to_string())
        );
        let vars = var(&[("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")]);
        assert_eq!(find(None, vars, all), Ok("/x/kithd/config.toml".into()));
        assert_eq!(find(None, vars, found(&["/etc/kithd/config.toml"])), Ok("/etc/kithd/config.toml".into()));
        let vars = var(&[("HOME", "/h")]);
        assert_eq!(
            find(None, vars, found(&["/h/.config/kithd/config.toml"])),
            Ok("/h/.config/kithd/config.toml".into())
        );
        assert_eq!(
            find(None, vars, found(&[])),
            Err("there is no config: neither /h/.config/kithd/config.toml nor /etc/kithd/config.toml. \
                 `kithd init` writes one for you; or name another with --config FILE"
                .to_string())
        );
    }

    #[test]
    fn the_store_lies_where_the_system_keeps_state() {
        let check = |vars: &'static [(&str, &str)], is_root, expected: Option<&str>| {
            let var = |n: &str| vars.iter().find(|(k, _)| *k == n).map(|(_, v)| v.into());
            assert_eq!(Surroundings::of(var, is_root, Zone::utc()).store(), expected.map(PathBuf::from), "{vars:?}");
        };
        check(&[("HOME", "/h")], false, Some("/h/.local/state/kithd"));
        check(&[("HOME", "/h"), ("XDG_STATE_HOME", "/s")], false, Some("/s/kithd"));
        check(&[("HOME", "/h"), ("XDG_STATE_HOME", "s")], false, Some("/h/.local/state/kithd"));
        check(&[("HOME", "/root")], true, Some("/var/lib/kithd"));
        check(&[("STATE_DIRECTORY", "/var/lib/kithd-alex:/b")], false, Some("/var/lib/kithd-alex"));
        check(&[], false, None);
    }

    #[test]
    fn the_language_comes_from_the_locale() {
        for (locale, expected) in [("de_DE.UTF-8", "de"), ("C.UTF-8", "en"), ("POSIX", "en"), ("", "en"), ("FR", "fr")]
        {
            let var = |n: &str| (n == "LANG").then(|| locale.into());
            assert_eq!(Surroundings::of(var, false, Zone::utc()).language(), expected, "{locale}");
        }
    }

    #[test]
    fn dots_do_not_hide_where_a_path_leads() {
        assert!(is_inside(Path::new("/a/b/../b/c"), Path::new("/a/./b")));
        assert!(!is_inside(Path::new("/a/b/../c"), Path::new("/a/b")));
        assert!(!is_inside(Path::new("/a/bc"), Path::new("/a/b")));
    }
}
