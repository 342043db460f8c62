//! Starts the owner's relay, in the background and for longer than this program.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::tui::event::channel::EventSender;
use crate::tui::event::{Event, RelayEvent};

/// This very program, which is both: also where its file has gone or was replaced, and never another's.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// Starts `kkv`, with its socket at `socket` if it is to be another than usual. If it ends again, that is told, and
/// why.
pub(in crate::tui) fn start(socket: Option<&Path>, events: &EventSender) {
    let mut command = Command::new(THIS_PROGRAM);
    command.arg0("kkv");
    if let Some(socket) = socket {
        command.arg("--socket").arg(socket);
    }
    // In a group of its own, so that no Ctrl-C in this terminal is meant for it.
    command.process_group(0);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let events = events.clone();
    let send = move |event| events.send(Event::Relay(event));
    match command.spawn() {
        Ok(child) => {
            send(RelayEvent::Starting);
            thread::spawn(move || send(RelayEvent::Ended(end_of(child))));
        }
        Err(fault) => send(RelayEvent::Failed(format!("kkv can't be started: {fault}"))),
    }
}

/// Waits until it ends; what it has said of why.
fn end_of(mut child: Child) -> String {
    let mut said = String::new();
    let read = child
        .stderr
        .take()
        .map_or(Ok(0), |mut stderr| stderr.read_to_string(&mut said));
    let ended = read.and_then(|_| child.wait());
    match (why(&said), ended) {
        (Some(why), _) => why,
        (None, Ok(status)) => format!("your relay has ended ({status})"),
        (None, Err(fault)) => format!("your relay has ended ({fault})"),
    }
}

/// Why it has ended, and what to do then: what it says last. Warnings may come before it.
fn why(said: &str) -> Option<String> {
    let lines: Vec<&str> = said.lines().collect();
    let is_why = |line: &&str| line.starts_with("kkv: ") || line.starts_with("error: ");
    let last = lines.iter().rposition(is_why).unwrap_or(0);
    let line = *lines.get(last)?;
    let advice = lines[last + 1..].iter();
    let advice = advice.map_while(|line| line.strip_prefix("  "));
    let advice: Vec<&str> = advice.collect();
    Some(match advice.is_empty() {
        true => line.to_owned(),
        false => format!("{line}. {}", advice.join(" ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_it_has_ended_is_said_with_what_to_do_then() {
        for (said, told) in [
            ("", None),
            ("killed\n", Some("killed")),
            (
                "error: invalid value 'x'\n\nFor more information, try '--help'.\n",
                Some("error: invalid value 'x'"),
            ),
            (
                "kkv: this user may not lock so much memory.\n  To mend it, raise the limit.\n\
                 kkv: 127.0.0.1:7 is in use by another program\n  Stop the other one,\n  or name another port.\n",
                Some(
                    "kkv: 127.0.0.1:7 is in use by another program. Stop the other one, or name another port.",
                ),
            ),
        ] {
            assert_eq!(why(said).as_deref(), told);
        }
    }
}
