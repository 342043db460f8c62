//! `kkvc mark`: messages, marked as read or unread.

use super::done::report;
use kkv_client::owner::Client;
use kkv_owner::Done;
use kkv_ui::error::CliError;
use kkv_ui::selection::{IdRange, Selection};

/// Marks `which`.
pub(super) async fn mark(
    client: &Client,
    which: &[IdRange],
    read: bool,
    json: bool,
) -> Result<(), CliError> {
    let chosen = Selection::resolve(which, client).await?;
    let done = if chosen.is_empty() {
        Done::default()
    } else {
        client.mark(chosen.ids.clone(), read).await?
    };
    let verb = if read {
        "Marked as read"
    } else {
        "Marked as unread"
    };
    report(done, &chosen, verb, json)
}
