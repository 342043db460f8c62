//! A relay with embedded Tor and no network: all that needs none works, and its owner is told what is the matter.

use super::place::Place;
use super::stage::{send, status};
use crate::programs::Signal;

#[test]
fn without_a_network_the_relay_says_so_and_works_on_this_machine() {
    let place = Place::new();
    let relay = place.start("state");
    let shown = relay.relay.process().stdout();
    assert!(
        shown.contains(&format!("reach it  {}\n", relay.onion)),
        "{shown}"
    );

    relay.relay.deliver(b"over loopback");
    assert_eq!(relay.relay.text(1), "over loopback");

    let told = |state: &serde_json::Value| state["trouble"] == "unreachable";
    relay.must_become_such("told what is the matter", told);
    let process = relay.relay.process();
    process.wait_for_stdout("the trouble", |out| {
        out.contains("Tor's relays don't answer") && out.contains("trying on")
    });
    let people = relay.relay.owner(["status"]).finish().must_end_with(0);
    assert!(people.stdout_text().contains("Tor's relays don't answer"));
    assert_eq!(status(&relay.relay)["tor"], "embedded");

    let senders = place.path("senders");
    let sent = send(
        &place.path("arti.toml"),
        &senders,
        &relay.onion,
        &["--timeout", "3s"],
        "text",
    );
    let ended = sent.finish().must_end_with(3);
    let ended = ended.must_say("Tor's relays don't answer");
    ended.must_say("nothing was delivered");

    process.signal(Signal::TERM);
    process.finish().must_end_with(0);
}

#[test]
fn files_that_go_away_are_told_with_what_to_do_and_missed_no_longer_when_they_are_back() {
    let place = Place::new();
    let relay = place.start("state");
    let (files, away) = (
        place.path("state/relay/state"),
        place.path("state/relay/away"),
    );
    std::fs::rename(&files, &away).unwrap();
    std::fs::write(&files, "no directory").unwrap();
    // When Tor is begun anew, as there is no network.
    relay.must_become_such("told of the files", |state| state["trouble"] == "files");
    let process = relay.relay.process();
    process.wait_for_stdout("the trouble", |out| {
        out.contains("Tor's files can't be read or written") && out.contains("--state-dir")
    });
    let people = relay.relay.owner(["status"]).finish().must_end_with(0);
    let people = people.stdout_text();
    assert!(
        people.contains("Tor's files can't be read or written"),
        "{people}"
    );
    let doctor = relay.relay.owner(["doctor"]).finish().stdout_text();
    assert!(
        doctor.contains("see that the directory of Tor's files"),
        "{doctor}"
    );
    relay.relay.deliver(b"the rest goes on");

    std::fs::remove_file(&files).unwrap();
    std::fs::rename(&away, &files).unwrap();
    relay.must_become_such("well as before", |state| state["trouble"] == "unreachable");
    let told = process.stdout();
    assert_eq!(told.matches("Tor's files can't").count(), 1, "{told}");
}

#[test]
fn a_key_that_goes_away_is_told_and_no_other_takes_its_place() {
    let place = Place::new();
    let relay = place.start("state");
    let keys = place.path("state/relay/state/keystore/hss/kkv");
    let of_address = || {
        let names = std::fs::read_dir(&keys).unwrap();
        let mut paths = names.map(|entry| entry.unwrap().path());
        paths.find(|path| path.display().to_string().contains("ks_hs_id."))
    };
    let key = of_address().expect("the key of the address");
    let away = place.path("away");
    std::fs::rename(&key, &away).unwrap();
    // When Tor is begun anew, as there is no network.
    relay.must_become_such("told of the files", |state| state["trouble"] == "files");
    assert_eq!(of_address(), None, "nobody knows another address");
    std::fs::rename(&away, &key).unwrap();
    relay.must_become_such("well as before", |state| state["trouble"] == "unreachable");
    assert_eq!(status(&relay.relay)["onion"], relay.onion);
}
