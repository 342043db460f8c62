//! What drives a command: a runtime, if there are file descriptors for it.

use std::io;
use std::os::fd::AsFd;

use rustix::io::Errno;
use tokio::runtime::{Builder, Runtime};

use kkv_ui::error::{CliError, Exit};

/// File descriptors that a runtime opens as it begins, and a few for what it is begun for. It takes some of its own for
/// granted (those by which it hears of signals), and would panic.
const DESCRIPTORS: usize = 8;

/// Starts it.
///
/// # Errors
/// The system doesn't give what it needs.
pub(super) fn start(builder: &mut Builder) -> Result<Runtime, CliError> {
    let stdin = io::stdin();
    let all = (0..DESCRIPTORS).map(|_| stdin.as_fd().try_clone_to_owned());
    all.collect::<io::Result<Vec<_>>>()
        .and_then(|all| {
            drop(all); // so many are free
            builder.build()
        })
        .map_err(|fault| failed(&fault))
}

fn failed(fault: &io::Error) -> CliError {
    if fault.raw_os_error() != Some(Errno::MFILE.raw_os_error()) {
        return CliError::new(Exit::Refused, format!("can't start: {fault}"));
    }
    let what = "can't start: this user's programs may have too few file descriptors";
    CliError::new(Exit::Refused, what).hint("Raise the limit, with `ulimit -n 1024` for one.")
}
