//! `kkvc me`: the owner's identity in the running kkv, made, shown, restored and forgotten.

use super::ask::{confirm, require_yes_or_terminal};
use super::commands::MeCommand;
use super::done::FOR_GOOD;
use super::output::{json_line, print, print_json, print_outcome};
use super::words::{NewRecoveryWords, recovery_words};
use kkv_base::count::counted;
use kkv_client::owner::{Client, ClientError};
use kkv_owner::{CantPost, Me};
use kkv_terminal::stderr::info;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::fields::size;

/// Runs one of the commands; without one, shows the identity.
pub(super) async fn me(
    client: &Client,
    command: Option<MeCommand>,
    json: bool,
) -> Result<(), CliError> {
    match command {
        None | Some(MeCommand::Show) => show(client, json).await,
        Some(MeCommand::New { words_file }) => {
            require_none(client, "no identity was made").await?;
            let mut words = NewRecoveryWords::make(words_file.as_deref())?;
            let taken = client.take_in(&words.line()).await;
            if may_be_done(&taken) {
                words.hand_over();
            }
            let me = taken.map_err(|failed| undone(failed, "no identity was made"))?;
            came_in(&me, "You have an identity now", json)
        }
        Some(MeCommand::Restore { words_file }) => {
            require_none(client, "nothing was restored").await?;
            let words = recovery_words(words_file.as_deref()).await?;
            let taken = client.take_in(&words).await;
            let me = taken.map_err(|failed| undone(failed, "nothing was restored"))?;
            came_in(&me, "Your identity is back", json)
        }
        Some(MeCommand::Forget { yes }) => forget(client, yes, json).await,
    }
}

/// Before anybody writes down words, or types them.
async fn require_none(client: &Client, undone_so: &str) -> Result<(), CliError> {
    match client.me().await {
        Err(ClientError::NoIdentity) => Ok(()),
        Err(failed) => Err(failed.into()),
        Ok(_) => Err(undone(
            ClientError::CantPost(CantPost::HasIdentity),
            undone_so,
        )),
    }
}

/// Whether there is an identity of these words now, as far as is known.
fn may_be_done(taken: &Result<Me, ClientError>) -> bool {
    matches!(
        taken,
        Ok(_) | Err(ClientError::Silent | ClientError::HungUp | ClientError::Unexpected(_))
    )
}

fn undone(failed: ClientError, so: &str) -> CliError {
    let is_sure = matches!(
        failed,
        ClientError::CantPost(_) | ClientError::TooOldForIdentities
    );
    let mut failed = CliError::from(failed);
    if is_sure {
        failed.what += &format!("; {so}");
    }
    failed
}

fn came_in(me: &Me, what: &str, json: bool) -> Result<(), CliError> {
    if json {
        return print_outcome(what, &json_line(me));
    }
    info(format_args!(
        "{what}, in this kkv's memory alone: it goes when kkv ends. Its check number is {}.",
        me.check_number
    ));
    Ok(())
}

async fn show(client: &Client, json: bool) -> Result<(), CliError> {
    let me = client.me().await?;
    if json {
        return print_json(&me);
    }
    print(&format!(
        "check number  {}\nposts         {}\nroom          {} of {} taken\n",
        me.check_number,
        me.posts,
        size(me.bytes),
        size(me.most_bytes)
    ))
}

async fn forget(client: &Client, yes: bool, json: bool) -> Result<(), CliError> {
    require_yes_or_terminal(yes, "forget your identity")?;
    let me = client.me().await?;
    if !yes {
        let posts = match me.posts {
            0 => String::new(),
            posts => format!(" and {}", counted(posts, "post")),
        };
        let question = format!(
            "Forget your identity{posts}? Its 12 words bring back the identity alone. {FOR_GOOD}"
        );
        if !confirm(&question)? {
            return Err(CliError::new(Exit::Cancelled, "nothing was forgotten"));
        }
    }
    let forgotten = client.forget_me().await?;
    let done = format!(
        "Forgotten and wiped: your identity, and {}",
        counted(forgotten.posts, "post")
    );
    if json {
        return print_outcome(done, &json_line(&forgotten));
    }
    info(format_args!("{done}."));
    Ok(())
}
