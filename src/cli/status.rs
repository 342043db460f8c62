//! `kkvc status`: how the relay is.

use std::time::Duration;

use serde::Serialize;

use super::output::{print, print_json};
use super::tor_lines::{PLACE_RISK, is_for_the_taking};
use kkv_base::count::counted;
use kkv_client::owner::Client;
use kkv_owner::{PageStatus, Reach, Room, Status};
use kkv_pow::Cost;
use kkv_protocol::crypto::identity::Relay;
use kkv_protocol::suite::Suite;
use kkv_relay::sandbox::{Confined, Sandbox};
use kkv_terminal::bar::{columns, hanging, rows};
use kkv_terminal::visible::OneLine;
use kkv_ui::error::CliError;
use kkv_ui::fields::{fingerprint, size, time};

/// What `status --json` prints.
#[derive(Serialize)]
struct StatusJson<'s> {
    #[serde(flatten)]
    status: &'s Status,
    relay_fingerprint: String,
}

/// Prints it.
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
    let memory = if status.locked {
        "messages are locked: never swapped to a disk"
    } else {
        "not locked: messages may be swapped to a disk"
    };
    let memory = format!("{memory}{}", unlocked_files(&status.room));
    let mut reach = match status.reach() {
        Reach::Onion(onion) => OneLine(onion).to_string(),
        Reach::SystemTor => "through a system Tor".to_owned(),
        Reach::ThisMachine => "from this machine".to_owned(),
    };
    if let Some(keys) = status.lets_in {
        reach += &format!("\n{}", closed(keys));
    }
    if let Some(state) = status.tor_state {
        reach += &format!("\nTor: {state}");
    }
    let uptime = Duration::from_secs(status.uptime_seconds);
    let (version, uptime) = (OneLine(&status.version), lasting(uptime));
    let head = format!("kkv {version}, up {uptime}\n");
    let expected = match queue.reserved {
        0 => String::new(),
        _ => format!(", {} more expected", queue.reserved),
    };
    let mut messages = format!(
        "{} ({} unread){expected}, {} of {} free",
        status.messages(),
        queue.unread,
        queue.free(),
        counted(queue.capacity, "slot"),
    );
    if status.read_receipts {
        messages += "\nsenders who want answers see whether theirs is read";
    }
    let page = status.page.map(|page| ("page", page_in_words(page)));
    let reached = [("reach it", reach)].into_iter().chain(page);
    let all: Vec<(&str, String)> = [
        ("messages", messages),
        ("kept", kept(&status)),
        ("files", files(&status.room)),
        ("memory", memory),
        ("confined", OneLine(&confined(&status.sandbox)).to_string()),
    ]
    .into_iter()
    .chain(reached)
    .chain([
        ("listens", listens(&status, "")),
        ("cost", cost(&status)),
        ("key", relay_fingerprint),
    ])
    .collect();
    let rows = rows(&all, columns());
    print(&format!("{}{}", *hanging(&head, columns()), *rows))
}

/// Who may write by the page.
fn page_in_words(page: PageStatus) -> String {
    match page.free {
        0 => "for people who are invited or pay".to_owned(),
        free => format!(
            "for people who are invited or pay, and {} of {free} places for others",
            free.saturating_sub(page.taken)
                .saturating_sub(page.reserved)
        ),
    }
}

/// What there is of memory for files.
fn files(room: &Room) -> String {
    if room.bytes == 0 {
        return "not taken".to_owned();
    }
    let expected = match room.reserved {
        0 => String::new(),
        bytes => format!(", {} more expected", size(bytes)),
    };
    let taken = match room.messages {
        0 => "none".to_owned(),
        // More than their files: see PROTOCOL.md §16.
        many => format!(
            "{} in {} of memory",
            counted(many, "message"),
            size(room.stored)
        ),
    };
    format!(
        "{taken}{expected}, {} of {} free",
        size(room.free()),
        size(room.bytes)
    )
}

/// Adds what is not locked, if texts are and not all files.
fn unlocked_files(room: &Room) -> String {
    match room.bytes.saturating_sub(room.locked) {
        0 => String::new(),
        bytes => format!("; of that for files {} are not", size(bytes)),
    }
}

/// Where it listens, what it speaks there, and what somebody else could do at that place, with `advice` about it.
pub(super) fn listens(status: &Status, advice: &str) -> String {
    let suites: Vec<String> = status.suites.iter().map(Suite::to_string).collect();
    let place = status.place();
    let mut listens = format!("{}, speaks {}", OneLine(&place), suites.join(" and "));
    if is_for_the_taking(status.tor, status.listens.as_ref()) {
        listens += &format!("\n({PLACE_RISK}{advice})");
    }
    listens
}

/// What is said of an inbox that is closed to all but the owners of so many keys.
pub(super) fn closed(keys: u32) -> String {
    format!("closed: lets in {}", counted(keys, "key"))
}

/// A time in days, hours and what is less: a month or a year of humantime's has no whole number of days.
pub(super) fn lasting(time: Duration) -> String {
    const DAY: u64 = 24 * 60 * 60;
    let days = time.as_secs() / DAY;
    let rest = time - Duration::from_secs(days * DAY);
    let less = humantime::format_duration(rest);
    match (days, rest.is_zero()) {
        (0, _) => less.to_string(),
        (1, true) => "1day".to_owned(),
        (1, false) => format!("1day {less}"),
        (_, true) => format!("{days}days"),
        (_, false) => format!("{days}days {less}"),
    }
}

/// How long messages live.
fn kept(status: &Status) -> String {
    let words = |seconds| lasting(Duration::from_secs(seconds));
    let mut life = status
        .ttl_seconds
        .map_or_else(|| "until deleted".to_owned(), words);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_times_are_told_in_days() {
        for (seconds, told) in [
            (0, "0s"),
            (1, "1s"),
            (43_200, "12h"),
            (86_400, "1day"),
            (86_461, "1day 1m 1s"),
            (7 * 86_400, "7days"),
            (49 * 86_400, "49days"),
            (100 * 365 * 86_400 + 7200, "36500days 2h"),
        ] {
            assert_eq!(lasting(Duration::from_secs(seconds)), told);
        }
        assert_eq!(lasting(Duration::from_millis(86_400_500)), "1day 500ms");
    }

    #[test]
    fn how_many_a_closed_inbox_lets_in_is_said() {
        assert_eq!(closed(1), "closed: lets in 1 key");
        assert_eq!(closed(3), "closed: lets in 3 keys");
    }
}
