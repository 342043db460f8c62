//! `kkvc reply`: an answer to a message, sealed at once for its sender alone; and those that wait, taken back.

use serde::Serialize;

use super::ask::{confirm, require_yes_or_terminal};
use super::commands::Reply;
use super::compose::{self, Purpose};
use super::done::FOR_GOOD;
use super::editor;
use super::output::{json_line, print_outcome};
use kkv_base::count::counted;
use kkv_client::owner::Client;
use kkv_owner::Summary;
use kkv_protocol::crypto::scrub;
use kkv_relay::queue::MessageId;
use kkv_terminal::signals;
use kkv_terminal::stderr::info;
use kkv_ui::error::{CliError, Exit};

#[derive(Serialize)]
struct Sealed {
    id: MessageId,
    conversation: u64,
    answers: u16,
    waiting: u8,
}

/// The newest message of this conversation that is there.
async fn newest_in(client: &Client, number: u64) -> Result<Option<MessageId>, CliError> {
    let list = client.list().await?;
    let is_of_it = |message: &&Summary| message.conversation.is_some_and(|of| of.number == number);
    let of_it = list.messages.iter().filter(is_of_it);
    Ok(of_it.map(|message| message.id).max())
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
    let question = format!("Take back what waits in conversation {conversation}? {FOR_GOOD}");
    if !yes && !confirm(&question)? {
        return Err(CliError::new(Exit::Cancelled, "nothing was taken back"));
    }
    let Some(withdrawn) = client.withdraw(conversation).await? else {
        let what = format!("there is no conversation {conversation}; nothing was taken back");
        return Err(CliError::new(Exit::Refused, what)
            .hint("In `kkvc list` the messages of conversation 2 have the mark ↩2."));
    };
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
            "Took back {}. Their sender can't read them any more, and may write on.",
            counted(many, "answer")
        ),
    });
    Ok(())
}

/// Answers one message, or takes answers back.
pub(super) async fn reply(client: &Client, mut args: Reply, json: bool) -> Result<(), CliError> {
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
    if let Some(newest) = newest_in(client, conversation.number).await?
        && newest != id
    {
        info(format_args!(
            "An answer is to the whole conversation. Its sender sees this one after message {newest}, the newest."
        ));
    }
    let mut stopped = std::pin::pin!(signals::stopped()?);
    let (message, file) = (args.message.take().map(|text| text.0), args.file.take());
    let compose = move || {
        scrub::run_then_wipe_stack(|| match args.edit {
            true => editor::text().and_then(|text| compose::checked(text, Purpose::Answer)),
            false => compose::text(message, file.as_deref(), Purpose::Answer),
        })
    };
    let cancelled = || CliError::new(Exit::Cancelled, "cancelled; nothing was sealed");
    let composed = tokio::task::spawn_blocking(compose);
    let text = if args.edit {
        // An editor has the terminal, and its keys: it is waited for. What ends this program is no key, though the
        // editor may take it for its end and leave half an answer.
        let composed = composed.await;
        if signals::end_is_requested() {
            return Err(cancelled());
        }
        composed
    } else {
        tokio::select! {
            biased;
            () = &mut stopped => return Err(cancelled()),
            text = composed => text,
        }
    };
    let text = text.expect("reading does not panic")?;
    let conversation = client.reply(id, &text).await?;
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
