//! `cargo xtask COMMAND`: what developers run by hand. What must hold without it is in tests.
//!
//! It stands on nothing but cargo, so that it is built in a second. What is generated is made by the test that also
//! fails when the kept file is out of date: one place says what it should be, and needs nothing public for it.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that talks to developers"
)]

mod generated;
mod mutants;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const HELP: &str = "\
Usage: cargo xtask COMMAND

  manual         write dist/man from the definitions of the command line
  completions    write dist/completions
  map            write the map of files in ARCHITECTURE.md, of what each says in its first line
  screens        draw docs/pictures, and tests/screen/looks in a real terminal (tmux)
  pages          take the pictures of the page for browsers in docs/pictures, with Chromium
  mutants [...]  change the code in small ways, and see that a test fails for each (CONTRIBUTING.md); what follows goes
                 to cargo-mutants, like --package kkv-pow";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["manual"] => generated::write(&generated::MANUAL),
        ["completions"] => generated::write(&generated::COMPLETIONS),
        ["map"] => generated::write(&generated::MAP),
        ["screens"] => needs("tmux").and_then(|()| generated::write(&generated::SCREENS)),
        ["pages"] => needs("chromium")
            .and_then(|()| needs("chromedriver=chromium-driver"))
            .and_then(|()| generated::write(&generated::PAGES)),
        ["mutants", ref rest @ ..] => mutants::run(rest),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(format!("there is no such command\n{HELP}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The directory of the project.
fn root() -> PathBuf {
    let this = Path::new(env!("CARGO_MANIFEST_DIR"));
    this.parent()
        .expect("this package is in a directory of the project")
        .to_owned()
}

/// The cargo that runs this, in the directory of the project.
fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

/// Runs a command to its end.
///
/// # Errors
/// In words, if it can't be run or ends with anything but 0.
fn run(command: &mut Command) -> Result<(), String> {
    let status = command.status();
    let status = status.map_err(|why| format!("{}: {why}", command.get_program().display()))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!(
            "{} ended with {status}",
            command.get_program().display()
        ))
    }
}

/// Installs a program that is missing, as the scripts do.
fn needs(program: &str) -> Result<(), String> {
    run(Command::new(root().join("scripts/need")).arg(program))
}
