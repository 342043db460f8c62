//! `kkvc list`: the messages in a table, one line for each.

use serde::Serialize;
use unicode_width::UnicodeWidthStr;
use zeroize::Zeroizing;

use super::bar::{BAR, columns, hanging};
use super::book::Contacts;
use super::colour::strong;
use super::commands;
use super::contact::padded;
use super::exit::Failed;
use super::inbox::time;
use super::message::openpgp_in_short;
use super::named::{Named, Names};
use super::output::{print, print_json, say};
use super::visible::first_words;
use crate::owner::api::Summary;
use crate::owner::{Client, ClientError};

/// With less room than that there are no first words.
const LEAST_WORDS: usize = 10;

/// What `list --json` prints.
#[derive(Serialize)]
struct Messages<'m> {
    messages: Vec<Named<'m, Summary>>,
}

pub(super) async fn list(
    client: &Client,
    args: commands::List,
    contacts: Option<Contacts<'_>>,
    json: bool,
) -> Result<(), Failed> {
    // Texts are for people: without a terminal, and in JSON, they are not asked for.
    let width = columns().filter(|_| !json && !args.no_preview);
    let list = match width {
        Some(width) => client.list_with_first(width).await?,
        None => client.list().await?,
    };
    let names = Names::open(contacts).await?;
    let mut messages = list.messages;
    if args.unread {
        messages.retain(|message| !message.read);
    }
    if let Some(words) = &args.find {
        messages = found(client, messages, words, &names).await?;
    }
    if json {
        let messages = messages.iter();
        let messages = messages.map(|m| names.named(m, &m.sender)).collect();
        return print_json(&Messages { messages });
    }
    if messages.is_empty() {
        say(match (&args.find, args.unread) {
            (Some(_), false) => "No messages with these words.",
            (Some(_), true) => "No unread messages with these words.",
            (None, true) => "No unread messages.",
            (None, false) => "No messages.",
        });
        return Ok(());
    }
    print(&table(&messages, &names, width))
}

/// Those with each of the words in their text or in their sender's name, whatever the case.
async fn found(
    client: &Client,
    messages: Vec<Summary>,
    words: &str,
    names: &Names,
) -> Result<Vec<Summary>, Failed> {
    let words = words.to_lowercase();
    let mut found = Vec::new();
    for summary in messages {
        let message = match client.message(summary.id).await {
            Ok(message) => message,
            Err(ClientError::NoMessage(_)) => continue, // it has gone since
            Err(fault) => return Err(fault.into()),
        };
        let text = Zeroizing::new(message.text.to_lowercase());
        let name = names.of(&summary.sender);
        let name = name.map_or_else(String::new, |name| name.as_str().to_lowercase());
        let mut words = words.split_whitespace();
        if words.all(|word| text.contains(word) || name.contains(word)) {
            found.push(summary);
        }
    }
    Ok(found)
}

/// All of them; with the first words of each where a terminal of so many columns has room for them.
fn table(messages: &[Summary], names: &Names, columns: Option<usize>) -> String {
    let from: Vec<String> = messages.iter().map(|m| names.of_message(m)).collect();
    let width = from.iter().map(|name| name.width()).max().unwrap_or(0);
    let any_openpgp = messages.iter().any(|m| openpgp_in_short(m).is_some());
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
    let taken = head.width() + longest.saturating_sub(5) + "  │ ".width();
    let room = columns.and_then(|all| all.checked_sub(taken));
    let room = room.filter(|room| *room >= LEAST_WORDS);
    let last = match (room, any_openpgp) {
        (Some(_), _) => "  FIRST WORDS",
        (None, true) => "  OPENPGP",
        (None, false) => "",
    };
    let mut table = format!("{head}{last}\n");
    for (message, from) in messages.iter().zip(&from) {
        let mark = if message.read { ' ' } else { '*' };
        let inside = if message.openpgp_inside.is_empty() {
            ""
        } else {
            "  OpenPGP in part"
        };
        let left = room.map(|room| room.saturating_sub(inside.len()));
        let last = match (openpgp_in_short(message), &message.first, left) {
            (Some(block), _, None) => format!("  {block}"),
            (Some(block), None, Some(_)) => format!("  OpenPGP {block}"),
            (_, Some(first), Some(left)) if left >= LEAST_WORDS => {
                format!("{inside}  {BAR} {}", *first_words(first, left))
            }
            _ => inside.to_owned(),
        };
        let line = format!(
            "{:>5} {mark}  {:<16}  {}  {:>5}  {:>4}  {}{last}",
            message.id.0,
            time(message.received),
            padded(from, width),
            message.bytes,
            message.cost,
            message.suite,
        );
        let line = hanging(line.trim_end(), columns);
        table += &if message.read {
            line.to_string()
        } else {
            strong(&line)
        };
        table.push('\n');
    }
    table
}
