//! `kkvc delete`: messages, deleted once that is agreed to.

use super::ask::{confirm, require_yes_or_terminal};
use super::done::{FOR_GOOD, report, say_done};
use kkv_base::count::counted;
use kkv_client::owner::Client;
use kkv_owner::{Delete, Done};
use kkv_relay::queue::MessageId;
use kkv_terminal::stderr::warn;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::selection::{IdRange, Selection};

const DELETED: &str = "Deleted and wiped";

/// Deletes `which`, once that is agreed to.
pub(super) async fn delete(
    client: &Client,
    which: &[IdRange],
    yes: bool,
    json: bool,
) -> Result<(), CliError> {
    require_yes_or_terminal(yes, "delete them")?;
    // What is not there isn't asked about.
    let (chosen, gone) = if yes {
        (Selection::resolve(which, client).await?, Vec::new())
    } else {
        Selection::resolve_existing(which, client).await?
    };
    let mut done = if chosen.is_empty() {
        Done::default()
    } else {
        if !yes {
            if let Some(lacks) = chosen.missing_words(&gone) {
                warn(format_args!("kkvc: {lacks}"));
            }
            must_agree_to_delete(&counted_or_named(&chosen.ids))?;
        }
        client.delete(&Delete::Ids(chosen.ids.clone())).await?
    };
    done.missing.extend(gone);
    report(done, &chosen, DELETED, json)
}

/// Deletes every message.
pub(super) async fn delete_all(client: &Client, yes: bool, json: bool) -> Result<(), CliError> {
    require_yes_or_terminal(yes, "delete every message")?;
    let which = if yes {
        Delete::All
    } else {
        // Those that are asked about, and none that comes meanwhile.
        let list = client.list().await?;
        let ids: Vec<_> = list.messages.iter().map(|message| message.id).collect();
        match &*ids {
            [] => {}
            [_] => must_agree_to_delete(&counted_or_named(&ids))?,
            _ => must_agree_to_delete(&format!("all {}", counted_or_named(&ids)))?,
        }
        Delete::Ids(ids)
    };
    let done = Done {
        missing: Vec::new(), // whatever has gone by itself meanwhile
        ..client.delete(&which).await?
    };
    say_done(&done, DELETED, json, "There was nothing to delete.")
}

/// Asks whether `these` are to be deleted. Blocks.
fn must_agree_to_delete(these: &str) -> Result<(), CliError> {
    if confirm(&format!("Delete {these}? {FOR_GOOD}"))? {
        return Ok(());
    }
    Err(CliError::new(Exit::Cancelled, "nothing was deleted"))
}

fn counted_or_named(ids: &[MessageId]) -> String {
    match ids {
        [id] => format!("message {id}"),
        ids => counted(ids.len() as u64, "message"),
    }
}
