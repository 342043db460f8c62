//! Wiping everything: by command, and by itself when the owner stays away.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::programs::{Relay, kkvc};

#[test]
fn wiping_empties_the_inbox_which_goes_on_taking_messages() {
    let relay = Relay::start(&[]);
    relay.deliver(b"first");
    relay.deliver(b"second");
    let done = relay.owner(["wipe", "--yes"]).finish().must_end_with(0);
    assert_eq!(
        done.stderr,
        "Wiped everything, invitations too; messages that were there: 2.\n"
    );
    assert!(relay.list().is_empty());
    relay.deliver(b"third");
    let done = relay.owner(["wipe", "--yes", "--json"]).finish().json();
    assert_eq!(done, json!({"schema": 1, "done": [3], "missing": []}));
    let again = relay.owner(["wipe", "--yes"]).finish().must_end_with(0);
    assert!(again.stderr.ends_with("were there: 0.\n"));
}

#[test]
fn wiping_asks_first_and_where_it_can_not_ask_it_says_what_to_do() {
    let relay = Relay::start(&[]);
    let mut terminal = relay.owner(["wipe"]).start_on(80, 24);
    terminal.wait_for("Wipe everything (no messages)? It can't be undone. [y/N] ");
    terminal.press("n\n");
    assert_eq!(terminal.finish().0, Some(130));
    relay.deliver(b"a message");
    let mut terminal = relay.owner(["wipe"]).start_on(80, 24);
    terminal.wait_for("Wipe everything (1 message, 1 unread)? It can't be undone. [y/N] ");
    terminal.press("n\n");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(130), "{screen}");
    assert!(screen.contains("nothing was wiped"), "{screen}");
    let refused = relay.owner(["wipe"]).finish().must_end_with(2);
    refused.must_say("say --yes to wipe every message");
    assert_eq!(relay.list().len(), 1);
    let mut terminal = relay.owner(["wipe"]).start_on(80, 24);
    terminal.wait_for("[y/N] ");
    terminal.press("y\n");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("Wiped everything"), "{screen}");
    assert!(relay.list().is_empty());
}

#[test]
fn without_a_relay_there_is_nothing_to_wipe() {
    let none = kkvc(["wipe", "--yes", "--socket", "/nonexistent/kkv.sock"]);
    none.finish().must_end_with(3).must_say("no kkv is running");
}

#[test]
fn when_the_owner_stays_away_too_long_everything_is_wiped_and_told() {
    let relay = Relay::start(&["--wipe-after", "6s"]);
    relay.deliver_between_wipes(&[], b"a message");
    let told = "You have not been there for 6s; messages wiped: 1\n";
    let times = |number| move |out: &str| out.matches(told).count() == number;
    relay.process().wait_for_stdout(told, times(1));
    let status = relay.owner(["status", "--json"]).finish().json();
    assert_eq!(status["queue"]["stored"], 0);
    assert_eq!(status["wipe_after_seconds"], 6);
    assert!(status["wiped"].as_u64() > Some(1_700_000_000), "{status}");
    let status = relay
        .owner(["status"])
        .finish()
        .must_end_with(0)
        .stdout_text();
    assert!(
        status.contains("until deleted, or until you have not been there for 6s"),
        "{status}"
    );
    assert!(status.contains("(which was so on "), "{status}");
    relay.deliver_between_wipes(&[], b"another");
    relay.process().wait_for_stdout(told, times(2));
    // Which goes into the journal of a service.
    assert_eq!(relay.process().stderr(), "");
}

/// How long that owner may stay away.
const ABSENCE: Duration = Duration::from_secs(12);

#[expect(
    clippy::disallowed_methods,
    reason = "a real owner is away in real time"
)]
fn now() -> Instant {
    Instant::now()
}

/// Whether the message of a relay that was started after `before` is there for as long as its owner looks, and longer
/// than it may be alone. None if the machine let the owner wait so long between two looks that this says nothing.
fn stays(relay: &Relay, mut before: Instant) -> Option<bool> {
    loop {
        let asked = now();
        let uptime = relay.owner(["status", "--json"]).finish().json()["uptime_seconds"].as_u64();
        let is_there = relay.list().len() == 1;
        if now() - before >= ABSENCE {
            return None;
        }
        if !is_there || uptime > Some(ABSENCE.as_secs() + 1) {
            return Some(is_there);
        }
        before = asked;
    }
}

#[test]
fn whatever_the_owner_asks_for_shows_that_he_is_there() {
    const TRIES: usize = 20;
    let says = (0..TRIES).find_map(|_| {
        let before = now();
        let relay = Relay::start(&["--wipe-after", "12s"]);
        relay.deliver_between_wipes(&[], b"a message");
        let stays = stays(&relay, before);
        assert_eq!(relay.process().stderr(), "");
        stays
    });
    assert_eq!(says, Some(true));
}
