//! `kkvc wipe`: everything, wiped once that is agreed to.

use super::ask::{confirm, require_yes_or_terminal};
use super::done::FOR_GOOD;
use super::output::{json_line, print_outcome};
use kkv_base::count::counted;
use kkv_client::owner::Client;
use kkv_owner::Status;
use kkv_terminal::stderr::info;
use kkv_ui::error::{CliError, Exit};

/// Wipes everything, open sessions too.
pub(super) async fn wipe(client: &Client, yes: bool, json: bool) -> Result<(), CliError> {
    require_yes_or_terminal(yes, "wipe every message")?;
    if !yes {
        let status = client.status().await?;
        // One from before has none.
        let invitations = client
            .invitations()
            .await
            .map_or(0, |open| open.invitations.len());
        // Without an identity, and of one from before, there is none to be wiped.
        let posts = client.me().await.ok().map(|me| me.posts);
        let what = what_is_wiped(&status, invitations, posts);
        let question = format!("Wipe everything ({what})? {FOR_GOOD}");
        if !confirm(&question)? {
            return Err(CliError::new(Exit::Cancelled, "nothing was wiped"));
        }
    }
    let done = client.wipe().await?;
    let wiped = format!(
        "Wiped everything, invitations too; messages that were there: {}.",
        done.done.len()
    );
    if json {
        return print_outcome(wiped.trim_end_matches('.'), &json_line(&done));
    }
    info(wiped);
    Ok(())
}

/// How much that is: messages, exchanges that are under way, invitations, and the identity with so many posts.
fn what_is_wiped(status: &Status, invitations: usize, posts: Option<u64>) -> String {
    let counts = &status.queue;
    let mut what = match status.messages() {
        0 => "no messages".to_owned(),
        stored => format!("{}, {} unread", counted(stored, "message"), counts.unread),
    };
    if counts.reserved > 0 {
        what += &format!(", {} more expected", counts.reserved);
    }
    if invitations > 0 {
        what += &format!("; {}", counted(invitations as u64, "invitation"));
    }
    match posts {
        None => {}
        Some(0) => what += "; your identity",
        Some(posts) => what += &format!("; your identity with {}", counted(posts, "post")),
    }
    what
}
