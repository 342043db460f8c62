//! What contacts are good for: a name to write to, in no worse suite than before, and one to read from.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::contacts::{Desk, ONION};
use super::meddler::{Meddler, Verdict};
use super::send::older;
use crate::programs::{Relay, kkvc};

#[test]
fn a_message_goes_to_a_name_and_the_best_suite_is_remembered() {
    let (desk, relay) = (Desk::new(), Relay::start(&[]));
    desk.add("bob", relay.address());
    let send = |args: &[&str]| desk.with(kkvc(["send", "bob", "-m", "x"]).with(|c| c.args(args)));
    for (args, best) in [
        (&["--suite", "1"][..], "kkv/1"),
        (&[], "kkv/2"),
        (&["--suite", "2"], "kkv/2"),
    ] {
        send(args).finish().must_end_with(0);
        assert_eq!(desk.list()[0]["suite"], best);
    }
    let before = desk.contacts();
    send(&[]).finish().must_end_with(0);
    assert_eq!(desk.contacts(), before, "nothing was news");
    assert_eq!(relay.list().len(), 4);
    let unknown = desk
        .with(kkvc(["send", "bobb", "-m", "x"]))
        .finish()
        .must_end_with(2);
    let unknown = unknown
        .must_say("there is no contact 'bobb'")
        .must_say("Did you mean bob?");
    assert!(!unknown.stderr.contains("Connecting"));
}

#[test]
fn who_has_spoken_kkv_1_alone_is_written_to_in_it_and_who_has_spoken_kkv_2_never() {
    let (desk, relay) = (Desk::new(), Relay::start(&[]));
    let older = older(&relay);
    let send = |to: &str, args: &[&str]| {
        let run = kkvc(["send", to, "-m", "x", "--json"]).with(|c| c.args(args));
        desk.with(run).finish()
    };
    desk.add("bob", &older.address);
    let fell_back = send("bob", &[]).must_end_with(0);
    assert_eq!(fell_back.json()["suite"], "kkv/1");
    assert_eq!(desk.list()[0]["suite"], "kkv/1");
    desk.add("carol", relay.address());
    send("carol", &[]).must_end_with(0);
    let file = desk.contacts();
    let count = relay.list().len();
    let asked_for = send("carol", &["--suite", "1"]).must_end_with(2);
    asked_for.must_say("carol has spoken kkv/2 before");
    assert_eq!((relay.list().len(), desk.contacts()), (count, file));
}

#[test]
fn a_contact_whose_kkv_2_is_suppressed_is_told_of_and_gets_nothing() {
    let (desk, relay) = (Desk::new(), Relay::start(&[]));
    let suppressed = Arc::new(AtomicBool::new(false));
    let rule = Arc::clone(&suppressed);
    let between = Meddler::start(relay.address(), move |asked| {
        if asked.json && rule.load(Ordering::SeqCst) {
            Verdict::Answer(415, "Unsupported Media Type")
        } else {
            Verdict::Pass
        }
    });
    let send = |to: &str| desk.with(kkvc(["send", to, "-m", "x"])).finish();
    desk.add("bob", &between.address);
    send("bob").must_end_with(0);
    assert_eq!(desk.list()[0]["suite"], "kkv/2");
    suppressed.store(true, Ordering::SeqCst);
    for to in ["bob", &between.address] {
        let refused = send(to).must_end_with(1);
        let refused = refused.must_say("bob has spoken kkv/2 before");
        refused
            .must_say("nothing was delivered")
            .must_say("kkvc contact remove");
    }
    assert_eq!(relay.list().len(), 1);
}

#[test]
fn messages_show_the_name_of_whoever_signs_with_a_known_key() {
    let (desk, relay) = (Desk::new(), Relay::start(&[]));
    let key = desk.path("key");
    let key = key.to_str().unwrap();
    let made = kkvc(["identity", key, "--json"]).finish().json();
    let sender = made["public_key"].as_str().unwrap();
    let add = ["add", "Zoë 日本", ONION, "--sender", sender];
    desk.contact(&add).must_end_with(0);
    let taken = desk.contact(&["add", "eve", "127.0.0.1:1", "--sender", sender]);
    taken
        .must_end_with(2)
        .must_say("'Zoë 日本' signs with this key already");
    relay
        .send(["-m", "known", "--identity", key])
        .finish()
        .must_end_with(0);
    relay.deliver(b"unknown");

    let list = desk
        .with(relay.owner(["list"]))
        .finish()
        .must_end_with(0)
        .stdout_text();
    let lines: Vec<&str> = list.lines().collect();
    assert!(
        lines[1].contains("  Zoë 日本  ") && !lines[2].contains("Zoë"),
        "{list}"
    );
    let json = desk.with(relay.owner(["list", "--json"])).finish().json();
    assert_eq!(
        json["messages"][0]["sender_fingerprint"],
        made["fingerprint"]
    );
    assert_eq!(json["messages"][0]["contact"], "Zoë 日本");
    assert_eq!(json["messages"][1]["contact"], Value::Null);
    let read = desk
        .with(relay.owner(["read", "1"]))
        .finish()
        .must_end_with(0)
        .stdout_text();
    let fingerprint = made["fingerprint"].as_str().unwrap();
    assert!(
        read.contains(&format!("From      Zoë 日本, {fingerprint} (")),
        "{read}"
    );
    let json = desk
        .with(relay.owner(["read", "1", "--json"]))
        .finish()
        .json();
    assert_eq!(
        (&json["contact"], &json["text"]),
        (&"Zoë 日本".into(), &"known".into())
    );
    for command in [&["list", "--json"][..], &["read", "1", "--json"]] {
        let without = relay.owner(command).finish().must_end_with(0).stdout_text();
        assert!(!without.contains("contact"), "{without}");
    }
}

#[test]
fn a_contact_signs_with_the_key_whose_fingerprint_a_message_shows() {
    let (desk, relay) = (Desk::new(), Relay::start(&[]));
    relay.deliver(b"of one");
    relay.deliver(b"of another");
    let listed = relay.list();
    let shown = |at: usize| listed[at]["sender_fingerprint"].as_str().unwrap();
    let add = |name, fingerprint: &str| {
        let add = ["contact", "add", name];
        let add = relay.owner(add).with(|c| match name {
            "bob" => c.args([ONION, "--sender", fingerprint]),
            _ => c.args(["127.0.0.1:1", "--sender", fingerprint]),
        });
        desk.with(add).finish()
    };
    let bare = shown(1).replace(' ', "").to_uppercase();
    add("bob", shown(0)).must_end_with(0);
    add("eve", &bare).must_end_with(0);
    let keys: Vec<_> = desk.list().iter().map(|c| c["sender"].clone()).collect();
    assert_eq!(
        keys,
        [listed[0]["sender"].clone(), listed[1]["sender"].clone()]
    );
    let unknown = add("dave", &"0".repeat(32)).must_end_with(1);
    unknown.must_say("no message in your inbox is signed by 0000 0000");
}

#[test]
fn no_number_behind_a_name_is_turned_round_with_it() {
    let (desk, relay) = (Desk::new(), Relay::start(&[]));
    let key = desk.path("key");
    let key = key.to_str().unwrap();
    let made = kkvc(["identity", key, "--json"]).finish().json();
    let sender = made["public_key"].as_str().unwrap();
    let add = ["contact", "add", "שלום", ONION, "--sender", sender];
    let (code, added) = desk.with(kkvc(add)).start_on(100, 24).finish();
    assert_eq!(code, Some(0));
    let apart = "\u{200e}שלום\u{200e}";
    assert!(
        added.contains(&format!("Added {apart}: {ONION}")),
        "{added:?}"
    );
    let sent = relay.send(["-m", "known", "--identity", key]);
    sent.finish().must_end_with(0);
    let read = || desk.with(relay.owner(["read", "1"]));
    let (code, shown) = read().start_on(100, 24).finish();
    assert_eq!(code, Some(0));
    let fingerprint = made["fingerprint"].as_str().unwrap();
    let from = format!("From      {apart}, {fingerprint} (");
    assert!(shown.contains(&from), "{shown:?}");
    let piped = read().finish().must_end_with(0).stdout_text();
    assert!(piped.contains("From      שלום, "), "{piped:?}");
}
