//! How a program ends: what `--help` says of exit codes, and how an error is printed.

use std::process::ExitCode;

use kkv_terminal::stderr::{error, warn, warn_unwrapped};
use kkv_terminal::visible::{OneLine, Visible};
use kkv_ui::error::CliError;

/// The table in `--help` of the client.
pub(super) const CODES: &str = "\
Exit codes:
  0    done; for send: the relay has accepted the message; for watch: it was told to stop, or nobody reads any more
  1    refused, by the relay or the system (a full disk, an output that can't be written), or there is no such message; it says by whom and why; for doctor: something is wrong
  2    wrong usage or input; nothing was tried
  3    the relay (or Tor) can't be reached; nothing was delivered
  4    the inbox is full; nothing was delivered
  5    the proof of work wasn't found in time, is out of reach, or isn't enough; nothing was delivered
  6    a signature doesn't fit, or an answer is wrong; nothing was delivered
  7    the message was sent, but it can't be known whether it arrived
  8    done, but its result couldn't be written; for send: accepted, don't send it again
  9    for replies: no answer yet
  10   for replies and send: there is no conversation of these words, or not any more; nothing was delivered
  101  internal error (a bug; please report it); what it was doing may have been done or not
  130  cancelled; it says whether anything was sent";

/// The table in `--help` of the relay.
pub(super) const RELAY_CODES: &str = "\
Exit codes:
  0    it was told to stop, and has wiped everything
  1    it can't start, or do it; it says why
  2    wrong usage; nothing was tried
  8    for kkv address: done, but its result couldn't be written
  101  internal error (a bug; please report it); its messages are gone";

/// Prints the error for `program`, and returns the code to end with.
pub(super) fn report_error(program: &str, failed: &CliError) -> ExitCode {
    // A path or a pasted address may be in it.
    error(&format!("{program}:"), OneLine(&failed.what));
    if let Some(hint) = &failed.hint {
        for line in Visible(hint).to_string().split('\n') {
            if failed.commands.iter().any(|command| command == line) {
                warn_unwrapped(format_args!("  {line}"));
            } else {
                warn(format_args!("  {line}"));
            }
        }
    }
    ExitCode::from(failed.exit as u8)
}
