//! The command that `--exec` runs for a message: what it is given, and its end.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use data_encoding::HEXLOWER;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::time::{interval, timeout};

use super::Stop;
use super::files::FilesDirectory;
use kkv_owner::{Message, Summary};
use kkv_protocol::openpgp::Block;
use kkv_ui::error::{CliError, Exit};

/// A command that is stopped has so long to end by itself.
const GRACE: Duration = Duration::from_secs(5);
/// Nothing announces the end of what a command has started itself, so it is looked for so often.
const LOOK: Duration = Duration::from_millis(20);

/// Which OpenPGP block a message is. It may be missing,
const OPENPGP: &str = "KKV_MESSAGE_OPENPGP";
/// as may this: which are in a message that is none itself.
const OPENPGP_INSIDE: &str = "KKV_MESSAGE_OPENPGP_INSIDE";
/// Number of its conversation; missing if it can't be answered.
const CONVERSATION: &str = "KKV_MESSAGE_CONVERSATION";
/// The directory with its files; missing if it has none.
const FILES: &str = "KKV_MESSAGE_FILES";

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
    files: Option<&FilesDirectory>,
    stop: &mut Stop,
) -> Result<Ended, CliError> {
    let no_shell =
        |fault| CliError::new(Exit::Refused, format!("can't run setsid and sh: {fault}"));
    let lock = files.map(FilesDirectory::lock).transpose();
    let lock = lock.map_err(no_shell)?;
    // In a session of its own: what it starts can be ended with it, and what asks for a terminal has an error instead
    // of standing still in the background.
    let mut child = Command::new("setsid")
        .args(["sh", "-c", command])
        .env_remove(OPENPGP)
        .env_remove(OPENPGP_INSIDE) // of the command that this one is part of, perhaps
        .env_remove(CONVERSATION)
        .env_remove(FILES)
        .envs(environment(&message.summary))
        .envs(files.map(|directory| (FILES, directory.path())))
        .stdin(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(no_shell)?;
    drop(lock);
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
        Some(group) => ended(&mut child, group, GRACE).await,
        None => child.wait().await, // it had ended, and nobody has seen it yet
    };
    status.map(Ended::Stopped).map_err(no_shell)
}

/// Ends the whole group: by SIGTERM, and by SIGKILL what is left after the `grace`.
async fn ended(child: &mut Child, group: Pid, grace: Duration) -> std::io::Result<ExitStatus> {
    let gone = async {
        let mut looks = interval(LOOK);
        // The group is there once setsid has done its part.
        while test_kill_process_group(group).is_err() && child.try_wait()?.is_none() {
            looks.tick().await;
        }
        let _ = kill_process_group(group, Signal::TERM);
        let _ = kill_process_group(group, Signal::CONT); // what is stopped would not notice
        let status = child.wait().await;
        while is_running(group) {
            looks.tick().await;
        }
        status
    };
    if let Ok(status) = timeout(grace, gone).await {
        return status;
    }
    let _ = kill_process_group(group, Signal::KILL);
    child.wait().await
}

/// Whether a process of the group runs. One that has ended, and whose parent has not taken note of that, does not: what
/// has lost its parent is init's to wait for, and some take more than a second.
fn is_running(group: Pid) -> bool {
    if test_kill_process_group(group) == Err(Errno::SRCH) {
        return false;
    }
    let Ok(processes) = fs::read_dir("/proc") else {
        return true; // it can't be known
    };
    let stats = processes.filter_map(|process| {
        let process = process.ok()?;
        let id: u32 = process.file_name().to_str()?.parse().ok()?;
        fs::read(format!("/proc/{id}/stat")).ok()
    });
    stats.into_iter().any(|stat| is_member_alive(&stat, group))
}

/// By a line of /proc/PID/stat (proc_pid_stat(5)): behind the name, which ends with the last parenthesis, stand the
/// state, the parent and the group.
fn is_member_alive(stat: &[u8], group: Pid) -> bool {
    let stat = String::from_utf8_lossy(stat);
    let behind = stat.rsplit(')').next().unwrap_or_default();
    let mut fields = behind.split_ascii_whitespace();
    let is_alive = fields
        .next()
        .is_some_and(|state| state != "Z" && state != "X");
    let of = fields.nth(1).and_then(|group| group.parse().ok());
    is_alive && of == Some(group.as_raw_nonzero().get())
}

/// What it is told beside the text. Other programs of this user can see it, so nothing that a stranger wrote is in it.
fn environment(summary: &Summary) -> Vec<(&'static str, String)> {
    let mut known = vec![
        ("KKV_MESSAGE_ID", summary.id.to_string()),
        (
            "KKV_MESSAGE_SENDER",
            summary
                .sender
                .map_or_else(String::new, |key| HEXLOWER.encode(&key.0)),
        ),
        ("KKV_MESSAGE_RECEIVED", summary.received.to_string()),
        ("KKV_MESSAGE_BYTES", summary.bytes.to_string()),
        ("KKV_MESSAGE_SUITE", summary.via.to_string()),
    ];
    let name = |block: &Block| block.to_string().replace(' ', "_");
    if let Some(block) = &summary.openpgp {
        known.push((OPENPGP, name(block)));
    }
    if !summary.openpgp_inside.is_empty() {
        let names: Vec<String> = summary.openpgp_inside.iter().map(name).collect();
        known.push((OPENPGP_INSIDE, names.join(",")));
    }
    if let Some(conversation) = &summary.conversation {
        known.push((CONVERSATION, conversation.number.to_string()));
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
    use rustix::process::{WaitId, WaitIdOptions, waitid};

    use super::*;
    use kkv_owner::Conversation;
    use kkv_protocol::Via;
    use kkv_protocol::ids::SenderId;
    use kkv_protocol::kind::Kind;
    use kkv_relay::queue::MessageId;

    #[test]
    fn the_environment_says_what_is_known_of_a_message_under_names_that_never_change() {
        let mut summary = Summary {
            id: MessageId(3),
            received: 1_800_000_000,
            read: false,
            via: Via::V1,
            kind: Kind::Text,
            cost: 4,
            invitation: None,
            bytes: 17,
            sender: Some(SenderId([0xab; 32])),
            openpgp: None,
            openpgp_inside: Vec::new(),
            files: Vec::new(),
            first: None,
            conversation: None,
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
        summary.conversation = Some(Conversation {
            number: 7,
            answers: 2,
            waiting: 1,
            answered: 0,
        });
        want.push(("KKV_MESSAGE_CONVERSATION", "7"));
        assert_eq!(environment(&summary), owned(&want));
    }

    #[test]
    fn only_what_runs_and_is_of_the_group_keeps_it_alive() {
        let group = Pid::from_raw(70).unwrap();
        for (stat, alive) in [
            ("71 (sleep) S 1 70 70 0 -1", true),
            ("71 (a) Z 9 8 (b) R 1 70 70 0", true),
            ("71 (a) S 1 70) Z 1 70 70 0", false),
            ("71 (sleep) Z 1 70 70 0 -1", false),
            ("71 (sleep) S 70 71 70 0 -1", false),
            ("", false),
        ] {
            assert_eq!(is_member_alive(stat.as_bytes(), group), alive, "{stat}");
        }
    }

    #[tokio::test]
    async fn what_nobody_has_taken_note_of_is_not_waited_for() {
        let mut leader = Command::new("sleep")
            .arg("1000")
            .process_group(0)
            .spawn()
            .unwrap();
        let group = leader.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let group = group.unwrap();
        let mut member = std::process::Command::new("true");
        let member = std::os::unix::process::CommandExt::process_group(
            &mut member,
            group.as_raw_nonzero().get(),
        );
        let mut member = member.spawn().unwrap();
        // It has ended, and stays in the group until it is waited for.
        let id = Pid::from_child(&member);
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(id), look).unwrap();
        let minute = Duration::from_secs(60); // nothing waits for so long but a test that fails
        let ended = timeout(minute, ended(&mut leader, group, 2 * minute)).await;
        assert_eq!(ended.expect("in time").unwrap().signal(), Some(15));
        assert!(member.wait().unwrap().success());
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
