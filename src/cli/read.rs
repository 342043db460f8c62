//! `kkvc read`: messages, shown and marked as read.

use super::book::Contacts;
use super::common::Common;
use super::message::{self, raw_may_go_out};
use super::output::require_output;
use super::senders::SenderNames;
use kkv_client::owner::{Client, ClientError};
use kkv_terminal::signals;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::selection::{IdRange, Selection};

/// Shows each of them, one after the other; in JSON each in a line.
pub(super) async fn read(
    client: &Client,
    which: &[IdRange],
    contacts: Option<Contacts<'_>>,
    json: bool,
) -> Result<(), CliError> {
    require_output("nothing was marked as read")?;
    let stopped = signals::stopped()?;
    tokio::select! {
        done = each_read(client, which, contacts, json) => done,
        () = stopped => {
            let what = "cancelled; the message that was shown last may stay unread";
            Err(CliError::new(Exit::Cancelled, what))
        }
    }
}

async fn each_read(
    client: &Client,
    which: &[IdRange],
    contacts: Option<Contacts<'_>>,
    json: bool,
) -> Result<(), CliError> {
    let chosen = Selection::resolve(which, client).await?;
    let names = SenderNames::open(contacts).await?;
    let mut missing = Vec::new();
    let mut before = "";
    for id in &chosen.ids {
        let message = match client.message(*id).await {
            Err(ClientError::NoMessage(id)) => {
                missing.push(id);
                continue;
            }
            message => message?,
        };
        // Only then: a message that could not be shown has not been read.
        if !message::print(before, &message, &names, json)? {
            return Ok(());
        }
        client.mark(vec![*id], true).await?;
        before = if json { "" } else { "\n" };
    }
    chosen.require_all(&missing)
}

/// The bare text, for another program.
pub(super) async fn read_raw(common: &Common, which: &[IdRange]) -> Result<(), CliError> {
    if common.json {
        return Err(raw_or_json());
    }
    let [numbers] = which else {
        return Err(one_alone());
    };
    let id = numbers.single().ok_or_else(one_alone)?;
    raw_may_go_out(id)?;
    require_output("nothing was marked as read")?;
    let client = common.client()?;
    if message::print_raw(&client.message(id).await?)? {
        client.mark(vec![id], true).await?;
    }
    Ok(())
}

pub(super) fn raw_or_json() -> CliError {
    CliError::usage(
        "--raw gives the text alone, and --json all that is known of it: leave out one of them",
    )
}

/// Where one text ends and the next begins, its reader could not tell.
pub(super) fn one_alone() -> CliError {
    CliError::usage("--raw gives one text alone: name one message")
}
