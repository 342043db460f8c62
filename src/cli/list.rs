//! `kkvc list`: the messages in a table, one line for each.

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::book::Contacts;
use super::commands;
use super::output::{print, print_json};
use super::senders::{SenderNames, WithSender};
use kkv_client::find::Wanted;
use kkv_client::owner::Client;
use kkv_owner::Summary;
use kkv_terminal::bar::{columns, hanging};
use kkv_terminal::colour::bold;
use kkv_terminal::direction::apart;
use kkv_terminal::stderr::info;
use kkv_ui::error::CliError;
use kkv_ui::fields::{padded, time};
use kkv_ui::preview::{answerable, last_column, room_for_words, title};

/// What `list --json` prints.
#[derive(Serialize)]
struct Messages<'m> {
    messages: Vec<WithSender<'m, Summary>>,
}

pub(super) async fn list(
    client: &Client,
    args: commands::List,
    contacts: Option<Contacts<'_>>,
    json: bool,
) -> Result<(), CliError> {
    // Texts are for people: without a terminal, and in JSON, they are not asked for.
    let width = columns().filter(|_| !json && !args.no_preview);
    let list = match width {
        Some(width) => client.list_with_first(width).await?,
        None => client.list().await?,
    };
    let names = SenderNames::open(contacts).await?;
    let mut messages = list.messages;
    if args.unread {
        messages.retain(|message| !message.read);
    }
    if let Some(words) = &args.find {
        messages = found(client, messages, &Wanted::new(words), &names).await?;
    }
    if json {
        let messages = messages.iter();
        let messages = messages
            .map(|m| names.named(m, m.sender.as_ref()))
            .collect();
        return print_json(&Messages { messages });
    }
    if messages.is_empty() {
        info(match (&args.find, args.unread) {
            (Some(_), false) => "No messages with these words.",
            (Some(_), true) => "No unread messages with these words.",
            (None, true) => "No unread messages.",
            (None, false) => "No messages.",
        });
        return Ok(());
    }
    print(&table(&messages, &names, width))
}

/// Those that have `wanted` in them.
async fn found(
    client: &Client,
    messages: Vec<Summary>,
    wanted: &Wanted,
    names: &SenderNames,
) -> Result<Vec<Summary>, CliError> {
    let mut found = Vec::new();
    for summary in messages {
        let sender = names.of(summary.sender.as_ref());
        if wanted.are_in(client, summary.id, sender).await? == Some(true) {
            found.push(summary);
        }
    }
    Ok(found)
}

/// All of them; with the first words of each where a terminal of so many columns has room for them.
fn table(messages: &[Summary], names: &SenderNames, columns: Option<usize>) -> String {
    let from = messages.iter().map(|m| names.of_message(m));
    let from: Vec<String> = match columns {
        Some(_) => from.map(apart).collect(),
        None => from.collect(),
    };
    let width = from.iter().map(|name| name.width()).max().unwrap_or(0);
    let head = format!(
        "{:>5}    {:<16}  {}  {:>5}  {:>4}  SUITE",
        "ID",
        "RECEIVED",
        padded("FROM", width),
        "BYTES",
        "COST",
    );
    // The lines are as wide as their head unless a number is longer than its column.
    let digits = |id: u64| id.to_string().len();
    let longest = messages.last().map_or(0, |last| digits(last.id.0));
    let answerable: Vec<String> = messages.iter().map(answerable).collect();
    let widest = answerable.iter().map(|marks| marks.width()).max();
    let marked = widest.filter(|widest| *widest > 0);
    let taken = head.width() + longest.saturating_sub(5) + marked.map_or(0, |widest| 2 + widest);
    let room = columns.and_then(|all| room_for_words(all.saturating_sub(taken)));
    let last = title(messages.iter(), room);
    let gap = " ".repeat(marked.map_or(0, |widest| 2 + widest));
    let head = format!("{head}{gap}{last}");
    let mut table = format!("{}\n", head.trim_end());
    for ((message, from), marks) in messages.iter().zip(&from).zip(&answerable) {
        let mark = if message.read { ' ' } else { '*' };
        let last = last_column(message, room);
        let marks =
            marked.map_or_else(String::new, |widest| format!("  {}", padded(marks, widest)));
        let line = format!(
            "{:>5} {mark}  {:<16}  {}  {:>5}  {:>4}  {}{marks}{}",
            message.id.0,
            time(message.received),
            padded(from, width),
            message.bytes,
            message.cost,
            message.via,
            *last,
        );
        let line = hanging(line.trim_end(), columns);
        table += &if message.read {
            line.to_string()
        } else {
            bold(&line)
        };
        table.push('\n');
    }
    table
}
