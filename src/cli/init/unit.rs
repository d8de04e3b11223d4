//! The systemd user unit, from the binary itself. Part of `cli::init`.

use std::path::PathBuf;

use super::{Trouble, ask, tell, write};

const UNIT: &str = include_str!("../../../systemd/user/kithd.service");

/// Writes the unit where it is wanted, and says how it is started.
pub fn offer(wanted: bool, can_ask: bool) -> Result<(), Trouble> {
    let of = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let Some(home) = of("XDG_CONFIG_HOME").or_else(|| of("HOME").map(|h| h.join(".config"))) else { return Ok(()) };
    let path = home.join("systemd/user/kithd.service");
    if path.exists() && !wanted {
        return Ok(());
    }
    let agreed = || can_ask && ask::yes(&format!("Write the systemd unit {}?", path.display()));
    if !(wanted || agreed()) {
        return Ok(());
    }
    let binary = std::env::current_exe().map_or_else(|_| "/usr/bin/kithd".to_string(), |p| p.display().to_string());
    write(&path, &UNIT.replace("/usr/bin/kithd", &binary))?;
    tell(&format!("wrote {}; start it with: systemctl --user enable --now kithd", path.display()));
    Ok(())
}
