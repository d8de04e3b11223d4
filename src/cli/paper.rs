//! `completions` and `man`: what the command line says of itself, in other forms. Part of `cli`.

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Arguments, Outcome, Trouble};

/// Arguments of `completions`.
#[derive(Args, Debug)]
pub struct CompletionsArguments {
    /// Which shell
    shell: Shell,
}

/// Prints what a shell completes commands by.
pub fn completions(arguments: &CompletionsArguments) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "kithd", &mut text);
    write(&text)
}

/// Prints the manual page: the command and, in sections of their own, its subcommands.
pub fn man() -> Outcome {
    let failed = |e: std::io::Error| Trouble::Failed(format!("the manual page cannot be written: {e}"));
    let mut command = Arguments::command();
    command.build();
    let page = clap_mangen::Man::new(command.clone()).section("1");
    let mut text = Vec::new();
    page.render_title(&mut text).map_err(failed)?;
    page.render_name_section(&mut text).map_err(failed)?;
    page.render_synopsis_section(&mut text).map_err(failed)?;
    page.render_description_section(&mut text).map_err(failed)?;
    page.render_options_section(&mut text).map_err(failed)?;
    for below in command.get_subcommands() {
        // what holds for all of them stands above
        let mut below = below.clone().mut_args(|a| match a.get_id().as_str() {
            "config" | "help" => a.hide(true),
            _ => a,
        });
        let usage = below.render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").replace('-', "\\-");
        writeln!(text, ".SH \"{}\"\n\\fB{usage}\\fR\n.br", below.get_name().to_uppercase()).map_err(failed)?;
        if let Some(about) = below.get_about() {
            writeln!(text, "{about}.").map_err(failed)?;
        }
        let mut options = Vec::new();
        clap_mangen::Man::new(below).render_options_section(&mut options).map_err(failed)?;
        let options = String::from_utf8_lossy(&options).replace(".SH OPTIONS", ".SS OPTIONS");
        text.extend_from_slice(options.as_bytes());
    }
    text.extend_from_slice(TAIL.as_bytes());
    write(&text)
}

const TAIL: &str = ".SH FILES
.TP
$XDG_CONFIG_HOME/kithd/config.toml, /etc/kithd/config.toml
The configuration, in this order; --config and $KITHD_CONFIG come first.
.TP
$XDG_STATE_HOME/kithd, /var/lib/kithd
The store: history, reminders, and a journal of what cannot be read again.
.SH \"EXIT STATUS\"
0 done, 1 failed, 2 bad usage or configuration.
.SH SIGNALS
SIGHUP reads the configuration again; a bad one is refused and the old one goes on. SIGTERM ends the service.
";

fn write(text: &[u8]) -> Outcome {
    // a reader that went away is no error
    let _ = std::io::stdout().write_all(text);
    Ok(())
}
