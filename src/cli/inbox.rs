//! The owner's commands beside `list`: read, mark, delete, wipe, status.

use std::time::Duration;

use serde::Serialize;

use super::ask::{confirm, require_yes_or_terminal};
use super::bar::{columns, hanging, rows};
use super::book::Contacts;
use super::common::Common;
use super::contact::shown;
use super::exit::{CliError, Exit};
use super::message::{openpgp, openpgp_inside, raw_may_go_out, show, show_raw};
use super::output::{json_line, print, print_json, print_outcome, require_output};
use super::selection::{IdRange, Selection};
use super::senders::SenderNames;
use super::signals;
use super::stderr::{info, warn};
use super::tor_lines::{PLACE_RISK, is_for_the_taking};
use super::visible::OneLine;
use crate::count::counted;
use crate::crypto::identity::{PublicKey, Relay, Sender};
use crate::owner::api::{Delete, Done, Status, Summary};
use crate::owner::{Client, ClientError};
use crate::pow::Cost;
use crate::protocol::suite::Suite;
use crate::protocol::wire::Hex;
use crate::queue::{Counts, MessageId};
use crate::sandbox::{Confined, Sandbox};
use crate::tor::TorMode;

const DELETED: &str = "Deleted and wiped";
const FOR_GOOD: &str = "It can't be undone.";

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
        if !show(before, &message, &names, json)? {
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
        return Err(CliError::usage(
            "--raw gives the text alone, and --json all that is known of it: leave out one of them",
        ));
    }
    let [numbers] = which else {
        return Err(one_alone());
    };
    let id = numbers.single().ok_or_else(one_alone)?;
    raw_may_go_out(id)?;
    require_output("nothing was marked as read")?;
    let client = common.client()?;
    if show_raw(&client.message(id).await?)? {
        client.mark(vec![id], true).await?;
    }
    Ok(())
}

/// Where one text ends and the next begins, its reader could not tell.
fn one_alone() -> CliError {
    CliError::usage("--raw gives one text alone: name one message")
}

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

/// Deletes `which`, once that is confirm to.
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
    said(&done, DELETED, json, "There was nothing to delete.")
}

/// Asks whether `these` are to be deleted. Blocks.
fn must_agree_to_delete(these: &str) -> Result<(), CliError> {
    if confirm(&format!("Delete {these}? {FOR_GOOD}"))? {
        return Ok(());
    }
    Err(CliError::new(Exit::Cancelled, "nothing was deleted"))
}

/// Wipes everything, open sessions too.
pub(super) async fn wipe(client: &Client, yes: bool, json: bool) -> Result<(), CliError> {
    require_yes_or_terminal(yes, "wipe every message")?;
    if !yes {
        let counts = client.status().await?.queue;
        let question = format!("Wipe everything ({})? {FOR_GOOD}", what_is_wiped(&counts));
        if !confirm(&question)? {
            return Err(CliError::new(Exit::Cancelled, "nothing was wiped"));
        }
    }
    let done = client.wipe().await?;
    let wiped = format!(
        "Wiped everything; messages that were there: {}.",
        done.done.len()
    );
    if json {
        return print_outcome(wiped.trim_end_matches('.'), &json_line(&done));
    }
    info(wiped);
    Ok(())
}

/// How much that is: messages, and exchanges that are under way.
fn what_is_wiped(counts: &Counts) -> String {
    let mut what = match counts.stored {
        0 => "no messages".to_owned(),
        stored => format!("{}, {} unread", counted(stored, "message"), counts.unread),
    };
    if counts.reserved > 0 {
        what += &format!(", {} more expected", counts.reserved);
    }
    what
}

fn counted_or_named(ids: &[MessageId]) -> String {
    match ids {
        [id] => format!("message {id}"),
        ids => counted(ids.len() as u64, "message"),
    }
}

/// Says what was done. Of what is missing, only what was named by itself counts.
fn report(done: Done, chosen: &Selection, verb: &str, json: bool) -> Result<(), CliError> {
    let done = Done {
        missing: chosen.explicit(&done.missing),
        ..done
    };
    said(&done, verb, json, "")?;
    chosen.require_all(&done.missing)
}

/// Says what was done, or that it was `nothing`.
fn said(done: &Done, verb: &str, json: bool, nothing: &str) -> Result<(), CliError> {
    let of = match numbers(&done.done) {
        none if none.is_empty() => "nothing".to_owned(),
        some => some,
    };
    match (json, done.done.is_empty()) {
        (true, _) => return print_outcome(format_args!("{verb}: {of}"), &json_line(done)),
        (false, true) if nothing.is_empty() => {}
        (false, true) => info(nothing),
        (false, false) => info(format_args!("{verb}: {of}.")),
    }
    Ok(())
}

pub(crate) fn numbers(ids: &[MessageId]) -> String {
    let ids: Vec<String> = ids.iter().map(MessageId::to_string).collect();
    ids.join(", ")
}

/// What `status --json` prints.
#[derive(Serialize)]
struct StatusJson<'s> {
    #[serde(flatten)]
    status: &'s Status,
    relay_fingerprint: String,
}

pub(super) async fn status(client: &Client, json: bool) -> Result<(), CliError> {
    let status = client.status().await?;
    let relay_fingerprint = fingerprint::<Relay>(&status.relay);
    if json {
        return print_json(&StatusJson {
            status: &status,
            relay_fingerprint,
        });
    }
    let queue = status.queue;
    let suites: Vec<String> = status.suites.iter().map(Suite::to_string).collect();
    let memory = if status.locked {
        "messages are locked: never swapped to a disk"
    } else {
        "not locked: messages may be swapped to a disk"
    };
    let reach = match (&status.onion, status.tor_state) {
        (Some(onion), Some(state)) => format!("{}\nTor: {state}", OneLine(onion)),
        _ => match status.tor {
            TorMode::External => "through a system Tor",
            TorMode::Embedded | TorMode::Off => "from this machine",
        }
        .to_owned(),
    };
    let risk = if is_for_the_taking(status.tor, status.listens.as_ref()) {
        format!("\n({PLACE_RISK})")
    } else {
        String::new()
    };
    let (place, suites) = (status.place(), suites.join(" and "));
    let uptime = Duration::from_secs(status.uptime_seconds);
    let (version, uptime) = (OneLine(&status.version), humantime::format_duration(uptime));
    let head = format!("kkv {version}, up {uptime}\n");
    let messages = format!(
        "{} ({} unread), {} more expected, {} of {} free",
        queue.stored,
        queue.unread,
        queue.reserved,
        queue.free(),
        counted(queue.capacity, "slot"),
    );
    let rows = rows(
        &[
            ("messages", messages),
            ("kept", kept(&status)),
            ("memory", memory.to_owned()),
            ("confined", OneLine(&confined(&status.sandbox)).to_string()),
            ("reach it", reach),
            (
                "listens",
                format!("{}, speaks {suites}{risk}", OneLine(&place)),
            ),
            ("cost", cost(&status)),
            ("key", relay_fingerprint),
        ],
        columns(),
    );
    print(&format!("{}{}", *hanging(&head, columns()), *rows))
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
        life += &format!("\n(which was so on {})", time(wiped));
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
        _ if !status.adaptive => ", however many slots are free".to_owned(),
        0 if base == Cost::HIGHEST.bits() => ", the highest there is".to_owned(),
        0 => ", while most slots are free".to_owned(),
        more => format!(
            ", raised by {more} from {base}, since {} of {} are taken",
            queue.capacity - queue.free(),
            counted(queue.capacity, "slot")
        ),
    };
    let time = counted(status.expected_seconds, "second");
    format!("{}{why} (senders have {time} to pay it)", status.cost)
}

pub(super) fn head(summary: &Summary, names: &SenderNames, on_a_terminal: bool) -> String {
    let openpgp = summary.openpgp.map(|block| openpgp(summary.id, block));
    let openpgp = openpgp.or_else(|| openpgp_inside(summary.id, &summary.openpgp_inside));
    let openpgp = openpgp.map(|line| format!("OpenPGP   {line}\n"));
    let name = names.of(&summary.sender);
    format!(
        "Message   {}\nReceived  {}\nFrom      {}{} ({}, paid 2^{})\n{}",
        summary.id,
        time(summary.received),
        name.map_or_else(String::new, |name| format!(
            "{}, ",
            shown(name, on_a_terminal)
        )),
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
