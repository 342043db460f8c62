//! Posts: `kkvc post`, `kkvc edit` and `kkvc feed`, and what `read` and `delete` do with posts.

use std::path::PathBuf;

use serde::Serialize;
use zeroize::Zeroizing;

use super::ask::{confirm, require_yes_or_terminal};
use super::commands;
use super::common::Common;
use super::compose::{self, Purpose};
use super::done::FOR_GOOD;
use super::message::raw_may_go_out;
use super::output::{json_line, print, print_json, print_outcome, require_output, write_all};
use super::read::{one_alone, raw_or_json};
use kkv_client::owner::{Client, ClientError};
use kkv_owner::{Audience, CantPost, MAX_POST_PREVIEW, Post, PostId, PostSummary, Posted};
use kkv_protocol::crypto::scrub;
use kkv_terminal::bar::{behind_a_bar, columns};
use kkv_terminal::signals;
use kkv_terminal::stderr::info;
use kkv_terminal::visible::OneLine;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::fields::time;

/// What stands above a feed.
const HEAD: &str = "ID     WRITTEN           FOR       POST";
/// Characters of a post in a feed where nobody sees how wide it is.
const SHORT: usize = 60;
/// Columns that stand before them.
const BEFORE: usize = 36;

/// Writes a post.
pub(super) async fn post(
    client: &Client,
    mut args: commands::Post,
    json: bool,
) -> Result<(), CliError> {
    client.me().await?; // before anybody types
    if args.to == Audience::Everyone {
        require_yes_or_terminal(args.yes, "post to everyone")?;
        if !args.yes && !confirm("May everyone read it, and keep it?")? {
            return Err(CliError::new(Exit::Cancelled, "nothing was posted"));
        }
    }
    let message = args.message.take().map(|text| text.0);
    let text = composed(message, args.file.take(), Purpose::Post).await?;
    let posted = done(client.write_post(text, args.to).await, Purpose::Post)?;
    if json {
        let done = format!("it is posted as {}", posted.id);
        return print_outcome(done, &json_line(&posted));
    }
    info(says(&posted));
    Ok(())
}

/// Puts another text in the place of a post's.
pub(super) async fn edit(
    client: &Client,
    mut args: commands::Edit,
    json: bool,
) -> Result<(), CliError> {
    client.read_post(args.id).await?; // before anybody types
    let message = args.message.take().map(|text| text.0);
    let text = composed(message, args.file.take(), Purpose::Edit).await?;
    let posted = done(client.edit_post(args.id, text).await, Purpose::Edit)?;
    if json {
        let done = format!("{} is changed", posted.id);
        return print_outcome(done, &json_line(&posted));
    }
    info(format_args!(
        "{} is changed, and ends on {}.",
        posted.id,
        time(posted.expires)
    ));
    Ok(())
}

/// Takes the text of a post.
async fn composed(
    message: Option<String>,
    file: Option<PathBuf>,
    purpose: Purpose,
) -> Result<Zeroizing<String>, CliError> {
    let stopped = signals::stopped()?;
    let compose = move || {
        let compose = || compose::unchecked(message, file.as_deref(), purpose);
        scrub::run_then_wipe_stack(compose)
    };
    let text = tokio::select! {
        biased;
        () = stopped => {
            let cancelled = format!("cancelled; {}", purpose.undone());
            return Err(CliError::new(Exit::Cancelled, cancelled));
        }
        text = tokio::task::spawn_blocking(compose) => text,
    };
    text.expect("reading does not panic")
}

fn done(posted: Result<Posted, ClientError>, purpose: Purpose) -> Result<Posted, CliError> {
    posted.map_err(|failed| match failed {
        ClientError::CantPost(why) if !matches!(why, CantPost::NoPost(_)) => {
            not_posted(why, purpose)
        }
        failed => failed.into(),
    })
}

fn not_posted(why: CantPost, purpose: Purpose) -> CliError {
    let failed = CliError::usage(format!("{why}; {}", purpose.undone()));
    match why {
        CantPost::NoRoom => CliError {
            exit: Exit::Full,
            ..failed
        }
        .hint("`kkvc delete` makes room, and so does time: posts live for a week."),
        CantPost::TooLong(_) => failed.hint("Shorten it, or write several."),
        _ => failed,
    }
}

/// Who can read it, and where it is.
fn says(posted: &Posted) -> String {
    let who = match posted.to {
        Audience::Me => "Only you can read it",
        Audience::Friends => "Your friends could read it, and you have none yet",
        Audience::Everyone => "Everyone could read it",
    };
    format!(
        "{}: {who}. It is in this kkv alone, until {}: posts don't travel to others yet. To change it: kkvc edit {}",
        posted.id,
        time(posted.expires),
        posted.id
    )
}

/// Shows the newest posts.
pub(super) async fn feed(
    client: &Client,
    args: &commands::Feed,
    json: bool,
) -> Result<(), CliError> {
    let width = columns().map_or(SHORT, |columns| columns.saturating_sub(BEFORE).max(20));
    let first = if json { 0 } else { width.min(MAX_POST_PREVIEW) };
    let mut feed = client.feed(args.most as usize, first).await?;
    if json {
        for post in &mut feed.posts {
            post.first = None;
        }
        return print_json(&feed);
    }
    if feed.posts.is_empty() {
        info("No posts.");
        return Ok(());
    }
    let mut lines = Zeroizing::new(format!("{HEAD}\n"));
    for post in &feed.posts {
        lines.push_str(&line(post, first));
    }
    print(&lines)?;
    if feed.more {
        info("There are older ones: --most shows more.");
    }
    Ok(())
}

fn line(post: &PostSummary, room: usize) -> Zeroizing<String> {
    let first = post.first.as_ref().map_or("", |first| first.as_str());
    let text = first.split_whitespace().fold(
        Zeroizing::new(String::with_capacity(first.len() + 1)),
        |mut text, word| {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
            text
        },
    );
    let more = if post.bytes > first.len() && room > 0 {
        "…"
    } else {
        ""
    };
    let edited = if post.earlier > 0 { "(edited) " } else { "" };
    Zeroizing::new(format!(
        "{:<6} {:<16}  {:<8}  {edited}{}{more}\n",
        post.id.to_string(),
        time(post.created),
        whom(post.to),
        OneLine(&text)
    ))
}

fn whom(to: Option<Audience>) -> &'static str {
    match to {
        Some(Audience::Me) => "you",
        Some(Audience::Friends) => "friends",
        Some(Audience::Everyone) => "everyone",
        None => "some",
    }
}

/// Shows posts, one after the other; in JSON each in a line.
pub(super) async fn read(client: &Client, ids: &[PostId], json: bool) -> Result<(), CliError> {
    require_output("nothing was read")?;
    let mut before = "";
    for id in ids {
        let post = client.read_post(*id).await?;
        let text = match json {
            true => Zeroizing::new(json_line(&post)),
            false => Zeroizing::new(format!("{before}{}", *render(&post))),
        };
        if !write_all(text.as_bytes())? {
            return Ok(());
        }
        before = "\n";
    }
    Ok(())
}

fn render(post: &Post) -> Zeroizing<String> {
    let PostSummary {
        id,
        created,
        expires,
        to,
        earlier,
        ..
    } = post.summary;
    let edited = if earlier > 0 { ", edited" } else { "" };
    let who = match to {
        Some(Audience::Me) => "you alone",
        Some(Audience::Friends) => "your friends",
        Some(Audience::Everyone) => "everyone",
        None => "some people",
    };
    let text = behind_a_bar(&post.text, columns());
    Zeroizing::new(format!(
        "Post      {id}\nWritten   {}{edited}, until {}\nFor       {who}\n\n{}",
        time(created),
        time(expires),
        *text
    ))
}

/// The bare text, for another program.
pub(super) async fn read_raw(common: &Common, ids: &[PostId]) -> Result<(), CliError> {
    if common.json {
        return Err(raw_or_json());
    }
    let [id] = ids else {
        return Err(one_alone());
    };
    let (client, id) = (common.client()?, *id);
    raw_may_go_out(id)?;
    require_output("nothing was read")?;
    let post = client.read_post(id).await?;
    write_all(post.text.as_bytes()).map(|_| ())
}

/// What `delete --json` prints of posts.
#[derive(Serialize)]
struct Deleted {
    posts: Vec<PostId>,
    missing: Vec<PostId>,
}

/// Deletes posts, once that is agreed to.
pub(super) async fn delete(
    client: &Client,
    ids: &[PostId],
    yes: bool,
    json: bool,
) -> Result<(), CliError> {
    require_yes_or_terminal(yes, "delete them")?;
    let named: Vec<_> = ids.iter().map(ToString::to_string).collect();
    let named = named.join(", ");
    if !yes && !confirm(&format!("Delete {named}? {FOR_GOOD}"))? {
        return Err(CliError::new(Exit::Cancelled, "nothing was deleted"));
    }
    let deleted = client.delete_posts(ids.to_vec()).await?;
    let missing = deleted.missing.first().copied();
    let done: Vec<_> = deleted.done.iter().map(ToString::to_string).collect();
    let done = format!("Deleted and wiped: {}", done.join(", "));
    if json {
        let deleted = Deleted {
            posts: deleted.done,
            missing: deleted.missing,
        };
        print_outcome(&done, &json_line(&deleted))?;
    } else if !deleted.done.is_empty() {
        info(format_args!("{done}."));
    }
    match missing {
        None => Ok(()),
        Some(id) => Err(ClientError::CantPost(CantPost::NoPost(id)).into()),
    }
}
