//! `kkvc send --resume`: what becomes of what one run has begun.

use std::fs;

use super::files::make;
use crate::cli::meddler::{Meddler, Verdict};
use crate::programs::{Relay, Signal, kkvc};

/// A run that was ended while a piece was on its way, and left "state" for the relay itself.
fn broken_off(relay: &Relay, whom: impl Fn(&str) -> String) {
    let held = Meddler::start(relay.address(), |asked| match asked.path.as_str() {
        "/msg" => Verdict::Hold,
        _ => Verdict::Pass,
    });
    let run = kkvc(["send", &whom(&held.address), "--file", "file"]);
    let run = run.with(|command| command.args(["--resume", "state"]));
    let run = run.with(|command| command.current_dir(relay.directory()));
    let run = run.start();
    held.wait_for("/msg");
    run.signal(Signal::INT);
    drop(run.finish().must_end_with(130));
    let state = relay.directory().join("state");
    let kept = fs::read(&state).expect("it was kept");
    let behind = kept
        .strip_prefix(held.address.as_bytes())
        .expect("it begins with the address");
    fs::write(&state, [relay.address().as_bytes(), behind].concat()).expect("it was kept");
}

#[test]
fn after_its_session_is_over_nothing_goes_on_and_it_is_said_once() {
    let relay = Relay::start(&["-c", "0"]);
    // Of several pieces: what has all of them is told, also after a wipe, that it has arrived.
    make(relay.directory(), "file", 200_000);
    let run = |args: &[&str]| {
        let run = kkvc(["send", relay.address(), "--resume", "state"]);
        let run = run.with(|c| c.args(args).current_dir(relay.directory()));
        run.finish()
    };
    broken_off(&relay, str::to_owned);
    let wiped = relay.owner(["wipe", "--yes"]).finish();
    drop(wiped.must_end_with(0));
    let over = run(&[]).must_end_with(7);
    let over = over
        .must_say("what was begun is over there (10 minutes passed, or the inbox was wiped")
        .must_say("whether the message arrived can't be known")
        .must_say("The file of --resume is gone");
    for untrue in ["answer was lost", "goes on where it stopped"] {
        assert!(!over.stderr.contains(untrue), "{}", over.stderr);
    }
    assert!(!relay.directory().join("state").exists());
    let none = run(&[]).must_end_with(2);
    drop(none.must_say("or it was delivered since"));
    drop(run(&["--file", "file"]).must_end_with(0));
    assert_eq!(relay.list().len(), 1);
}

#[test]
fn what_came_by_an_invitation_is_told_so_by_who_goes_on() {
    let relay = Relay::start(&[]);
    make(relay.directory(), "file", 20_000);
    let made = relay.owner(["invite", "--json"]).finish();
    let link = made.must_end_with(0).json()["link"].clone();
    let link = link.as_str().expect("a string");
    let (_, token) = link.split_once('+').expect("it has one");
    broken_off(&relay, |address| format!("{address}+{token}"));
    let run = kkvc(["send", relay.address(), "--resume", "state", "--json"]);
    let run = run.with(|c| c.current_dir(relay.directory())).finish();
    let told = run.must_end_with(0).json();
    assert_eq!((&told["invited"], &told["cost"]), (&true.into(), &0.into()));
}
