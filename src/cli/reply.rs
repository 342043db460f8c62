//! `kkvc reply`: an answer to a message, sealed at once for its sender alone; and those that wait, taken back.

mod edited;

use std::path::Path;

use serde::Serialize;

use super::ask::{confirm, require_yes_or_terminal};
use super::commands::Reply;
use super::common::{Common, is_typed};
use super::compose::{self, Purpose};
use super::done::FOR_GOOD;
use super::output::{json_line, print_outcome};
use kkv_base::count::counted;
use kkv_client::owner::{Client, ClientError};
use kkv_owner::{CantReply, Conversation};
use kkv_protocol::crypto::scrub;
use kkv_protocol::text::Text;
use kkv_relay::queue::MessageId;
use kkv_terminal::signals;
use kkv_terminal::stderr::info;
use kkv_terminal::visible::quoted;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::fields::time;

#[derive(Serialize)]
struct Sealed {
    id: MessageId,
    conversation: u64,
    answers: u16,
    waiting: u8,
}

#[derive(Serialize)]
struct TakenBack {
    conversation: u64,
    withdrawn: u8,
}

/// Takes back the answers that wait in a conversation.
async fn withdraw(
    client: &Client,
    conversation: u64,
    yes: bool,
    json: bool,
) -> Result<(), CliError> {
    require_yes_or_terminal(yes, "take back the answers that wait there")?;
    let missing = || {
        let what = format!("there is no conversation {conversation}; nothing was taken back");
        CliError::new(Exit::Refused, what)
            .hint("In `kkvc list` the messages of conversation 2 have the mark ↩2.")
    };
    if !yes {
        let there = client.waiting(conversation).await?;
        let waiting = there.answers.ok_or_else(missing)?;
        if let Some(since) = there.since
            && !confirm(&question(conversation, waiting, since))?
        {
            return Err(CliError::new(Exit::Cancelled, "nothing was taken back"));
        }
    }
    let withdrawn = client.withdraw(conversation).await?;
    let withdrawn = withdrawn.ok_or_else(missing)?;
    if json {
        let line = json_line(&TakenBack {
            conversation,
            withdrawn,
        });
        return print_outcome("what waited there is taken back", &line);
    }
    info(match withdrawn {
        0 => "Nothing waited there.".to_owned(),
        many => format!(
            "Took back {}. Who hasn't read {} can't any more; whether somebody has isn't known.",
            counted(many, "answer"),
            if many == 1 { "it" } else { "them" }
        ),
    });
    Ok(())
}

fn question(conversation: u64, waiting: u8, since: u64) -> String {
    let since = time(since);
    let what = match waiting {
        1 => format!("the answer that waits in conversation {conversation} since {since}"),
        _ => format!(
            "the {waiting} answers that wait in conversation {conversation}, the oldest since {since}"
        ),
    };
    format!("Take back {what}? {FOR_GOOD}")
}

/// An answer that was not sealed, as far as is known.
struct NotSealed {
    said: CliError,
    /// Whether it may be sealed all the same.
    may_be: bool,
    /// Whether the same may be taken later.
    passes: bool,
}

impl NotSealed {
    /// `conversation`: of the message; `socket`: if one was named.
    fn new(failed: ClientError, conversation: u64, socket: Option<&Path>) -> Self {
        let may_be = may_be_done(&failed);
        let passes = match &failed {
            ClientError::CantReply(_, why) => {
                matches!(why, CantReply::Unfetched | CantReply::NoPlace { .. })
            }
            ClientError::NoMessage(_) | ClientError::AnotherRun => false,
            _ => true,
        };
        Self {
            said: not_sealed(failed, conversation, socket),
            may_be,
            passes,
        }
    }
}

/// Whether what was asked for may be done: whoever was silent, or hung up, may have sealed it.
fn may_be_done(failed: &ClientError) -> bool {
    matches!(
        failed,
        ClientError::Silent | ClientError::HungUp | ClientError::Unexpected(_)
    )
}

fn cancelled() -> CliError {
    CliError::new(Exit::Cancelled, "cancelled; nothing was sealed")
}

/// Says that an answer was not sealed. Where taking others back makes room, it says how: at the inbox of `socket`, if
/// one was named. `conversation`: of the message.
fn not_sealed(failed: ClientError, conversation: u64, socket: Option<&Path>) -> CliError {
    let full = match &failed {
        ClientError::CantReply(_, CantReply::NoPlace { conversation, .. }) => Some(*conversation),
        ClientError::CantReply(_, CantReply::Unfetched) => Some(conversation),
        _ => None,
    };
    let says_so = matches!(failed, ClientError::CantReply(..)) || may_be_done(&failed);
    let mut failed = CliError::from(failed);
    let Some(conversation) = full else {
        if !says_so {
            failed.what += "; nothing was sealed";
        }
        return failed;
    };
    let socket = socket.map_or_else(String::new, |path| format!("--socket {} ", quoted(path)));
    let command = format!("kkvc {socket}reply --withdraw {conversation}");
    failed.command("To take back what waits there: ", &command)
}

/// Answers one message, or takes answers back.
pub(super) async fn reply(common: &Common, mut args: Reply) -> Result<(), CliError> {
    let (client, json) = (&common.client()?, common.json);
    if let Some(conversation) = args.withdraw {
        return withdraw(client, conversation, args.yes, json).await;
    }
    let id = args.id.expect("clap wants one or the other");
    // Before anybody types: it is looked at once more when the answer is there.
    let Some(conversation) = client.message(id).await?.summary.conversation else {
        let what = format!("message {id} can't be answered; nothing was sealed");
        return Err(CliError::new(Exit::Refused, what)
            .hint("Its sender hasn't asked for an answer, or the time for one is over."));
    };
    // A relay from before doesn't say it, and what else goes wrong shows when the answer is sealed.
    let there = client.waiting(conversation.number).await;
    if let Ok(Some(newest)) = there.map(|there| there.newest)
        && newest != id
    {
        info(format_args!(
            "An answer is to the whole conversation. Its sender sees this one after message {newest}, the newest."
        ));
    }
    let stopped = signals::stopped()?;
    // A variable with the socket is there for the next command as well.
    let socket = common.socket.as_deref().filter(|_| is_typed("--socket"));
    let seal = async |text: &Text| -> Result<Conversation, NotSealed> {
        let sealed = client.reply(id, text).await;
        sealed.map_err(|failed| NotSealed::new(failed, conversation.number, socket))
    };
    let conversation = if args.edit {
        edited::sealed(seal).await?
    } else {
        let (message, file) = (args.message.take().map(|text| text.0), args.file.take());
        let compose = move || {
            let compose = || compose::text(message, file.as_deref(), Purpose::Answer);
            scrub::run_then_wipe_stack(compose)
        };
        let text = tokio::select! {
            biased;
            () = stopped => return Err(cancelled()),
            text = tokio::task::spawn_blocking(compose) => text,
        };
        let text = text.expect("reading does not panic")?;
        seal(&text).await.map_err(|failed| failed.said)?
    };
    if json {
        let line = json_line(&Sealed {
            id,
            conversation: conversation.number,
            answers: conversation.answers,
            waiting: conversation.waiting,
        });
        return print_outcome("the answer is sealed", &line);
    }
    info("Sealed. Nobody can read it here now, not even you.");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_that_nothing_was_sealed_unless_something_may_have_been() {
        let missing = ClientError::NoMessage(MessageId(7));
        let away = ClientError::NotRunning("/run/kkv.sock".into());
        for (failed, is_known) in [(missing, true), (away, true), (ClientError::Silent, false)] {
            let what = not_sealed(failed, 1, None).what;
            assert_eq!(what.ends_with("; nothing was sealed"), is_known, "{what}");
        }
        let full = ClientError::CantReply(MessageId(7), CantReply::Unfetched);
        let hint = not_sealed(full, 3, Some(Path::new("/tmp/a b")))
            .hint
            .unwrap();
        let command = "kkvc --socket '/tmp/a b' reply --withdraw 3";
        assert!(
            hint.ends_with(command) && hint.contains("Nothing was sealed."),
            "{hint}"
        );
    }
}
