//! What a signal means for what a command is doing.

use std::io::{self, IsTerminal};

use kkv_terminal::signals::{stop_is_requested, stopped};
use kkv_terminal::stderr::info;
use kkv_ui::error::{CliError, Exit};

/// Whether it is by one of them that something was cancelled. Of those who wait for the same signal, it is open who
/// hears of it first: who has a question asked may hear by what has become of that.
pub(super) fn have_cancelled(failed: &CliError) -> bool {
    failed.exit == Exit::Cancelled && stop_is_requested()
}

/// Does `work`, which changes nothing until it is done, unless the program is asked to end before.
pub(super) async fn unless_stopped<T>(
    work: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    let stopped = stopped()?;
    tokio::select! {
        biased; // what has come is heard
        () = stopped => {
            if io::stdin().is_terminal() {
                info(""); // the cursor is still behind a question
            }
            Err(CliError::new(Exit::Cancelled, "cancelled; nothing was done"))
        }
        done = work => done,
    }
}
