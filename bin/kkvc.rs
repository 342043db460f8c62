//! The name `kkvc`: becomes the program `kkv` beside it, which is a client when it is called so.
//!
//! Most of both is Tor. Linked once, it takes half of the time to build and half of the space.

use std::env;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let fault = match beside() {
        Ok(kkv) => become_client(&kkv),
        Err(fault) => format!("can't find out where this program is: {fault}"),
    };
    // A closed standard error changes nothing of how this ends.
    _ = writeln!(io::stderr(), "kkvc: {fault}\n  Nothing was done.");
    ExitCode::FAILURE
}

/// Where `kkv` is: never looked for elsewhere, since another one may be another's.
fn beside() -> io::Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name("kkv"))
}

/// Why it can't.
fn become_client(kkv: &Path) -> String {
    let fault = Command::new(kkv)
        .arg0("kkvc")
        .args(env::args_os().skip(1))
        .exec();
    format!("can't start {kkv:?}, which it is a name of ({fault}): keep both in one directory")
}
