//! The owner's commands: list, read, mark, delete, wipe, status.

use std::time::Duration;

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::ask::{agreed, can_ask};
use super::book::Contacts;
use super::colour::strong;
use super::common::Common;
use super::contact::padded;
use super::exit::{Exit, Failed};
use super::message::{openpgp, raw_may_go_out, show, show_raw};
use super::named::{Named, Names};
use super::output::{print, print_json, say};
use super::visible::Visible;
use crate::crypto::identity::{PublicKey, Relay, Sender};
use crate::owner::Client;
use crate::owner::api::{Delete, Done, Status, Summary};
use crate::pow::Cost;
use crate::protocol::suite::Suite;
use crate::protocol::wire::Hex;
use crate::queue::MessageId;
use crate::sandbox::{Confined, Sandbox};
use crate::tor::TorMode;

/// What `list --json` prints.
#[derive(Serialize)]
struct Messages<'m> {
    messages: Vec<Named<'m, Summary>>,
}

pub(super) async fn list(
    client: &Client,
    contacts: Option<Contacts<'_>>,
    json: bool,
) -> Result<(), Failed> {
    let list = client.list().await?;
    let names = Names::open(contacts).await?;
    if json {
        let messages = list.messages.iter();
        let messages = messages.map(|m| names.named(m, &m.sender)).collect();
        return print_json(&Messages { messages });
    }
    if list.messages.is_empty() {
        say("No messages.");
        return Ok(());
    }
    let from: Vec<String> = list.messages.iter().map(|m| names.of_message(m)).collect();
    let width = from.iter().map(|name| name.width()).max().unwrap_or(0);
    let any_openpgp = list.messages.iter().any(|m| m.openpgp.is_some());
    let openpgp = if any_openpgp { "  OPENPGP" } else { "" };
    let mut table = format!(
        "{:>5}    {:<16}  {}  {:>5}  {:>4}  {}{openpgp}\n",
        "ID",
        "RECEIVED",
        padded("FROM", width),
        "BYTES",
        "COST",
        "SUITE"
    );
    for (message, from) in list.messages.iter().zip(&from) {
        let mark = if message.read { ' ' } else { '*' };
        let openpgp = message.openpgp.map(|block| format!("  {block}"));
        let line = format!(
            "{:>5} {mark}  {:<16}  {}  {:>5}  {:>4}  {}{}",
            message.id.0,
            time(message.received),
            padded(from, width),
            message.bytes,
            message.cost,
            message.suite,
            openpgp.unwrap_or_default(),
        );
        table += &if message.read { line } else { strong(&line) };
        table.push('\n');
    }
    print(&table)
}

pub(super) async fn read(
    client: &Client,
    id: MessageId,
    contacts: Option<Contacts<'_>>,
    json: bool,
) -> Result<(), Failed> {
    let message = client.message(id).await?;
    let names = Names::open(contacts).await?;
    // Only then: a message that could not be shown has not been read.
    if show(&message, &names, json)? {
        client.mark(vec![id], true).await?;
    }
    Ok(())
}

/// The bare text, for another program.
pub(super) async fn read_raw(common: &Common, id: MessageId) -> Result<(), Failed> {
    if common.json {
        return Err(Failed::usage(
            "--raw gives the text alone, and --json all that is known of it: leave out one of them",
        ));
    }
    raw_may_go_out(id)?;
    let client = common.client()?;
    if show_raw(&client.message(id).await?)? {
        client.mark(vec![id], true).await?;
    }
    Ok(())
}

pub(super) async fn mark(
    client: &Client,
    ids: Vec<MessageId>,
    read: bool,
    json: bool,
) -> Result<(), Failed> {
    let done = client.mark(once_each(ids), read).await?;
    let verb = if read {
        "Marked as read"
    } else {
        "Marked as unread"
    };
    report(&done, verb, json)
}

/// Deletes `which`, or every message.
pub(super) async fn delete(
    client: &Client,
    which: Option<Vec<MessageId>>,
    yes: bool,
    json: bool,
) -> Result<(), Failed> {
    let which = which.map(once_each);
    if !yes && !confirmed(which.as_deref(), "Delete")? {
        return Err(Failed::new(Exit::Cancelled, "nothing was deleted"));
    }
    let what = which.map_or(Delete::All, Delete::Ids);
    let done = client.delete(&what).await?;
    if done.done.is_empty() && done.missing.is_empty() && !json {
        say("There was nothing to delete.");
        return Ok(());
    }
    report(&done, "Deleted and wiped", json)
}

/// Wipes everything, open sessions too.
pub(super) async fn wipe(client: &Client, yes: bool, json: bool) -> Result<(), Failed> {
    if !yes && !confirmed(None, "Wipe")? {
        return Err(Failed::new(Exit::Cancelled, "nothing was wiped"));
    }
    let done = client.wipe().await?;
    if json {
        return print_json(&done);
    }
    say(format_args!(
        "Wiped everything; messages that were there: {}.",
        done.done.len()
    ));
    Ok(())
}

/// Asks before `act`, which can't be undone.
fn confirmed(which: Option<&[MessageId]>, act: &str) -> Result<bool, Failed> {
    let question = match which {
        Some([id]) => format!("Delete message {id}?"),
        Some(ids) => format!("Delete {} messages?", ids.len()),
        None => format!("{act} every message?"),
    };
    if !can_ask() {
        return match which {
            Some(_) => Ok(true),
            None => Err(Failed::usage(format!(
                "there is no terminal to ask on; say --yes to {} every message",
                act.to_lowercase()
            ))),
        };
    }
    agreed(&format!("{question} It can't be undone."))
}

/// Without repetitions: the second time a number is named, its message would seem to be missing.
fn once_each(mut ids: Vec<MessageId>) -> Vec<MessageId> {
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(*id));
    ids
}

fn report(done: &Done, verb: &str, json: bool) -> Result<(), Failed> {
    if json {
        print_json(done)?;
    } else if !done.done.is_empty() {
        say(format_args!("{verb}: {}.", numbers(&done.done)));
    }
    if done.missing.is_empty() {
        return Ok(());
    }
    let what = format!("there is no message {}", numbers(&done.missing));
    Err(Failed::new(Exit::Refused, what)
        .hint("It may have been deleted or have expired; `kkvc list` shows what is there."))
}

pub(crate) fn numbers(ids: &[MessageId]) -> String {
    let ids: Vec<String> = ids.iter().map(MessageId::to_string).collect();
    ids.join(", ")
}

pub(super) async fn status(client: &Client, json: bool) -> Result<(), Failed> {
    let status = client.status().await?;
    if json {
        return print_json(&status);
    }
    let queue = status.queue;
    let suites: Vec<String> = status.suites.iter().map(Suite::to_string).collect();
    let uptime = Duration::from_secs(status.uptime_seconds);
    let life = kept(&status);
    let memory = if status.locked {
        "messages are locked: never swapped to a disk"
    } else {
        "not locked: messages may be swapped to a disk"
    };
    let reach = match (&status.onion, status.tor_state) {
        (Some(onion), Some(state)) => format!("{}\n            Tor: {state}", Visible(onion)),
        _ => match status.tor {
            TorMode::External => "through a system Tor",
            TorMode::Embedded | TorMode::Off => "from this machine",
        }
        .to_owned(),
    };
    print(&format!(
        "kkv {}, up {}\n  \
         messages  {} ({} unread), {} more expected, {} of {} slots free\n  \
         kept      {life}\n  \
         memory    {}\n  \
         confined  {}\n  \
         reach it  {reach}\n  \
         listens   {}, speaks {}\n  \
         cost      {}\n  \
         key       {}\n",
        Visible(&status.version),
        humantime::format_duration(uptime),
        queue.stored,
        queue.unread,
        queue.reserved,
        queue.free(),
        queue.capacity,
        memory,
        Visible(&confined(&status.sandbox)),
        Visible(&status.listens.to_string()),
        suites.join(" and "),
        cost(&status),
        fingerprint::<Relay>(&status.relay),
    ))
}

/// How long messages live.
fn kept(status: &Status) -> String {
    let words = |seconds| humantime::format_duration(Duration::from_secs(seconds));
    let mut life = status
        .ttl_seconds
        .map_or_else(|| "until deleted".to_owned(), |ttl| words(ttl).to_string());
    if let Some(longest) = status.wipe_after_seconds {
        life += &format!(", or until you have not been there for {}", words(longest));
    }
    if let Some(wiped) = status.wiped {
        life += &format!("\n            (which was so on {})", time(wiped));
    }
    life
}

/// What the kernel holds the relay to.
fn confined(sandbox: &Sandbox) -> String {
    let where_to = sandbox.writes.as_ref().map_or_else(
        || "writes no file".to_owned(),
        |directory| format!("writes files only in {}", directory.display()),
    );
    let far = match sandbox.files {
        Confined::Fully => "by the kernel:",
        Confined::Partly => "by the kernel, as far as this one can:",
        Confined::Not => "not by this kernel, which has no Landlock, but by itself:",
    };
    let calls = match sandbox.calls {
        Confined::Fully | Confined::Partly => "starts no program",
        Confined::Not => "starts no program (this kernel has no seccomp to see to it)",
    };
    format!("{far} {where_to}, {calls}")
}

/// The present cost, and why it is that.
fn cost(status: &Status) -> String {
    let (base, queue) = (status.base_cost, status.queue);
    let why = match status.cost.saturating_sub(base) {
        _ if !status.adaptive => ", whatever is free".to_owned(),
        0 if base == Cost::HIGHEST.bits() => ", the highest there is".to_owned(),
        0 => ", while most slots are free".to_owned(),
        more => format!(
            ": {base}, and {more} more while {} of {} slots are free",
            queue.free(),
            queue.capacity
        ),
    };
    format!(
        "{}{why} ({} seconds to pay)",
        status.cost, status.expected_seconds
    )
}

pub(super) fn head(summary: &Summary, names: &Names) -> String {
    let openpgp = summary.openpgp.map(|block| openpgp(summary.id, block));
    let openpgp = openpgp.map(|line| format!("OpenPGP   {line}\n"));
    let name = names.of(&summary.sender);
    format!(
        "Message   {}\nReceived  {}\nFrom      {}{} ({}, paid 2^{})\n{}",
        summary.id,
        time(summary.received),
        name.map_or_else(String::new, |name| format!("{name}, ")),
        fingerprint::<Sender>(&summary.sender),
        summary.suite,
        summary.cost,
        openpgp.unwrap_or_default(),
    )
}

/// Local time to the minute; seconds say more than a person needs.
pub(crate) fn time(unix: u64) -> String {
    i64::try_from(unix)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(
            || "?".to_owned(),
            |at| {
                at.to_zoned(jiff::tz::TimeZone::system())
                    .strftime("%Y-%m-%d %H:%M")
                    .to_string()
            },
        )
}

pub(crate) fn fingerprint<Side>(key: &Hex<32>) -> String {
    PublicKey::<Side>::from_bytes(&key.0)
        .map_or_else(|_| "not a key".to_owned(), |k| k.fingerprint().to_string())
}

pub(crate) fn short(key: &Hex<32>) -> String {
    PublicKey::<Sender>::from_bytes(&key.0)
        .map_or_else(|_| "not a key".to_owned(), |k| k.fingerprint().short())
}
