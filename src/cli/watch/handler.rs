//! The command that `--exec` runs for a message: what it is given, and its end.

use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use data_encoding::HEXLOWER;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::time::{interval, timeout};

use super::super::exit::{CliError, Exit};
use super::Stop;
use crate::openpgp::Block;
use crate::owner::api::{Message, Summary};

/// A command that is stopped has so long to end by itself.
const GRACE: Duration = Duration::from_secs(5);
/// Nothing announces the end of what a command has started itself, so it is looked for so often.
const LOOK: Duration = Duration::from_millis(20);

/// Which OpenPGP block a message is. It may be missing,
const OPENPGP: &str = "KKV_MESSAGE_OPENPGP";
/// as may this: which are in a message that is none itself.
const OPENPGP_INSIDE: &str = "KKV_MESSAGE_OPENPGP_INSIDE";

/// How a command has ended.
pub(super) enum Ended {
    ByItself(ExitStatus),
    /// It was told to, with all that it had started.
    Stopped(ExitStatus),
}

/// Runs `command` by a shell, with the message's text to read. If `stop` comes first, it is ended, and waited for.
pub(super) async fn run(
    command: &str,
    message: &Message,
    stop: &mut Stop,
) -> Result<Ended, CliError> {
    let no_shell =
        |fault| CliError::new(Exit::Refused, format!("can't run setsid and sh: {fault}"));
    // In a session of its own: what it starts can be ended with it, and what asks for a terminal has an error instead
    // of standing still in the background.
    let mut child = Command::new("setsid")
        .args(["sh", "-c", command])
        .env_remove(OPENPGP)
        .env_remove(OPENPGP_INSIDE) // of the command that this one is part of, perhaps
        .envs(environment(&message.summary))
        .stdin(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(no_shell)?;
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let input = child.stdin.take();
    let done = async {
        if let Some(mut input) = input {
            let _ = input.write_all(message.text.as_bytes()).await; // a command need not read it
        }
        child.wait().await
    };
    tokio::select! {
        status = done => return status.map(Ended::ByItself).map_err(no_shell),
        () = stop => {}
    }
    let status = match group {
        Some(group) => ended(&mut child, group).await,
        None => child.wait().await, // it had ended, and nobody has seen it yet
    };
    status.map(Ended::Stopped).map_err(no_shell)
}

/// Ends the whole group, politely at first.
async fn ended(child: &mut Child, group: Pid) -> std::io::Result<ExitStatus> {
    let gone = async {
        let mut looks = interval(LOOK);
        // The group is there once setsid has done its part.
        while test_kill_process_group(group).is_err() && child.try_wait()?.is_none() {
            looks.tick().await;
        }
        let _ = kill_process_group(group, Signal::TERM);
        let _ = kill_process_group(group, Signal::CONT); // what is stopped would not notice
        let status = child.wait().await;
        while test_kill_process_group(group) != Err(Errno::SRCH) {
            looks.tick().await;
        }
        status
    };
    if let Ok(status) = timeout(GRACE, gone).await {
        return status;
    }
    let _ = kill_process_group(group, Signal::KILL);
    child.wait().await
}

/// What it is told beside the text. Other programs of this user can see it, so nothing that a stranger wrote is in it.
fn environment(summary: &Summary) -> Vec<(&'static str, String)> {
    let mut known = vec![
        ("KKV_MESSAGE_ID", summary.id.to_string()),
        ("KKV_MESSAGE_SENDER", HEXLOWER.encode(&summary.sender.0)),
        ("KKV_MESSAGE_RECEIVED", summary.received.to_string()),
        ("KKV_MESSAGE_BYTES", summary.bytes.to_string()),
        ("KKV_MESSAGE_SUITE", summary.suite.to_string()),
    ];
    let name = |block: &Block| block.to_string().replace(' ', "_");
    if let Some(block) = &summary.openpgp {
        known.push((OPENPGP, name(block)));
    }
    if !summary.openpgp_inside.is_empty() {
        let names: Vec<String> = summary.openpgp_inside.iter().map(name).collect();
        known.push((OPENPGP_INSIDE, names.join(",")));
    }
    known
}

/// In words.
pub(super) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::kind::Kind;
    use crate::protocol::suite::Suite;
    use crate::protocol::wire::Hex;
    use crate::queue::MessageId;

    #[test]
    fn the_environment_says_what_is_known_of_a_message_under_names_that_never_change() {
        let mut summary = Summary {
            id: MessageId(3),
            received: 1_800_000_000,
            read: false,
            suite: Suite::V1,
            kind: Kind::Text,
            cost: 4,
            bytes: 17,
            sender: Hex([0xab; 32]),
            openpgp: None,
            openpgp_inside: Vec::new(),
            first: None,
        };
        let sender = "ab".repeat(32);
        let mut want = vec![
            ("KKV_MESSAGE_ID", "3"),
            ("KKV_MESSAGE_SENDER", &sender),
            ("KKV_MESSAGE_RECEIVED", "1800000000"),
            ("KKV_MESSAGE_BYTES", "17"),
            ("KKV_MESSAGE_SUITE", "kkv/1"),
        ];
        let owned = |known: &[(&'static str, &str)]| -> Vec<_> {
            let owned = known
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()));
            owned.collect()
        };
        assert_eq!(environment(&summary), owned(&want));
        for (block, name) in [
            (Block::SignedMessage, "signed_message"),
            (Block::PublicKey, "public_key"),
        ] {
            assert_eq!(serde_json::to_value(block).unwrap(), name);
            summary.openpgp = Some(block);
            want.truncate(5);
            want.push(("KKV_MESSAGE_OPENPGP", name));
            assert_eq!(environment(&summary), owned(&want), "as in JSON");
        }
        summary.openpgp = None;
        summary.openpgp_inside = vec![Block::Message, Block::PublicKey];
        want.truncate(5);
        want.push(("KKV_MESSAGE_OPENPGP_INSIDE", "message,public_key"));
        assert_eq!(environment(&summary), owned(&want));
    }

    #[test]
    fn every_end_of_a_command_has_its_words() {
        for (status, want) in [
            (0, "ended with 0"),
            (7 << 8, "ended with 7"),
            (9, "was ended by signal 9"),
        ] {
            assert_eq!(describe(ExitStatus::from_raw(status)), want);
        }
    }
}
