//! Invitations: made by the owner, used by whoever has the link, and of no more use once they are used up, over or
//! revoked.

use serde_json::{Value, json};

use super::contacts::{Desk, ONION};
use super::send::older;
use crate::programs::{Outcome, Relay, kkvc};

/// A link to this relay, good for `uses` messages.
fn link(relay: &Relay, uses: &str) -> String {
    let made = relay.owner(["invite", "--uses", uses, "--json"]).finish();
    let link = made.must_end_with(0).json()["link"].clone();
    link.as_str().expect("a string").to_owned()
}

fn send(link: &str, more: &[&str]) -> Outcome {
    let send = kkvc(["send", link, "-m", "hello"]);
    send.with(|c| c.args(more)).finish()
}

#[test]
fn who_makes_one_for_a_full_inbox_is_told_so() {
    let relay = Relay::start(&["-m", "1"]);
    let says = "Your inbox is full: a message that comes by this invitation is refused";
    let invite = || relay.owner(["invite"]).finish().must_end_with(0);
    assert!(!invite().stderr.contains(says));
    relay.deliver(b"It takes the only slot.");
    let made = invite().must_say(says);
    assert!(made.stderr.contains("Good for 1 message"));
}

fn invitations(relay: &Relay) -> Value {
    let list = relay.owner(["invite", "list", "--json"]).finish();
    list.must_end_with(0).json()["invitations"].clone()
}

#[test]
fn who_is_invited_pays_nothing_as_often_as_the_invitation_has_uses() {
    let relay = Relay::start(&[]);
    let link = link(&relay, "2");
    for _ in 0..2 {
        let sent = send(&link, &[]).must_end_with(0);
        let sent = sent.must_say("Nothing to pay: you are invited.");
        assert!(
            sent.stderr
                .contains("paid    nothing, by invitation, kkv/2")
        );
    }
    let used_up = send(&link, &[]).must_end_with(5);
    let used_up = used_up.must_say("your invitation can't be used: it is used up");
    let alone = format!(
        "To pay instead, write to the address alone: {}",
        relay.address()
    );
    assert!(used_up.stderr.contains(&alone), "{}", used_up.stderr);
    let list = relay.list();
    assert_eq!(list.len(), 2);
    for message in &list {
        assert_eq!(
            (&message["invitation"], &message["cost"]),
            (&json!(1), &json!(0))
        );
    }
    assert_eq!(invitations(&relay), json!([]));
}

#[test]
fn what_is_sent_says_in_json_that_it_came_by_invitation() {
    let relay = Relay::start(&[]);
    let invited = send(&link(&relay, "1"), &["--json"])
        .must_end_with(0)
        .json();
    assert_eq!(
        (&invited["invited"], &invited["cost"]),
        (&json!(true), &json!(0))
    );
    let plain = send(relay.address(), &["--json"]).must_end_with(0).json();
    assert_eq!(plain["invited"], json!(false));
    assert_eq!(relay.list()[1].get("invitation"), None);
}

#[test]
fn a_list_and_a_status_never_show_a_link_again() {
    let relay = Relay::start(&[]);
    let links = [link(&relay, "1"), link(&relay, "3")];
    let list = invitations(&relay);
    assert_eq!(list[0]["number"], 1);
    assert_eq!(
        (&list[1]["uses_left"], &list[1]["in_use"]),
        (&json!(3), &json!(0))
    );
    let week = 7 * 24 * 60 * 60;
    let expires = list[0]["expires"].as_u64().unwrap();
    assert!(expires > 1_700_000_000 + week, "{list}");
    let words = [
        relay.owner(["invite", "list"]).finish().stdout_text(),
        relay
            .owner(["invite", "list", "--json"])
            .finish()
            .stdout_text(),
        relay.owner(["status", "--json"]).finish().stdout_text(),
    ];
    for link in links {
        let (_, token) = link.split_once('+').unwrap();
        assert!(
            words.iter().all(|words| !words.contains(token)),
            "{words:?}"
        );
    }
}

#[test]
fn one_that_is_revoked_or_wiped_lets_nobody_in() {
    let relay = Relay::start(&[]);
    let (revoked, wiped) = (link(&relay, "9"), link(&relay, "9"));
    let done = relay.owner(["invite", "revoke", "1"]).finish();
    done.must_end_with(0).must_say("Invitation 1 is revoked.");
    let again = relay.owner(["invite", "revoke", "1"]).finish();
    again.must_end_with(1).must_say("there is no invitation 1");
    send(&revoked, &[]).must_end_with(5).must_say("was revoked");
    send(&wiped, &[]).must_end_with(0);
    let mut terminal = relay.owner(["wipe"]).start_on(80, 24);
    terminal.wait_for(
        "Wipe everything (1 message, 1 unread; 1 invitation)? It can't be undone. [y/N] ",
    );
    terminal.press("y\n");
    terminal.wait_for("Wiped everything, invitations too; messages that were there: 1.");
    assert_eq!(terminal.finish().0, Some(0));
    send(&wiped, &[])
        .must_end_with(5)
        .must_say("nothing was delivered");
    assert!(relay.list().is_empty());
}

#[test]
fn one_that_has_expired_lets_nobody_in() {
    let relay = Relay::start(&[]);
    let made = relay
        .owner(["invite", "--expires", "1s", "--json"])
        .finish()
        .json();
    crate::programs::until("it is over", || invitations(&relay) == json!([]));
    let link = made["link"].as_str().unwrap();
    send(link, &[]).must_end_with(5).must_say("has expired");
    assert!(relay.list().is_empty());
}

#[test]
fn a_typing_mistake_is_told_before_anything_is_sent_and_where_it_is() {
    let relay = Relay::start(&[]);
    let link = link(&relay, "1");
    let (address, token) = link.split_once('+').unwrap();
    let first = if token.starts_with('a') { "b" } else { "a" };
    let mistyped = format!("{address}+{first}{}", &token[1..]);
    let refused = send(&mistyped, &[]).must_end_with(2);
    let refused = refused.must_say("the address is right, but the invitation behind its + is not");
    assert!(!refused.stderr.contains("Connecting"), "{}", refused.stderr);
    let other = format!("{}+{token}", ONION.replacen('w', "v", 1));
    let refused = send(&other, &[]).must_end_with(2);
    assert!(
        !refused.stderr.contains("the address is right"),
        "{}",
        refused.stderr
    );
    assert_eq!(invitations(&relay)[0]["uses_left"], 1);
}

#[test]
fn kkv_1_knows_no_invitations_and_nobody_is_made_to_pay_for_it_unasked() {
    let relay = Relay::start(&[]);
    let link = link(&relay, "1");
    let refused = send(&link, &["--suite", "1"]).must_end_with(2);
    refused.must_say("kkv/1 has no invitations; nothing was sent");
    // Where the inbox has nothing better, nobody is made to pay unasked.
    let older = older(&relay);
    let (_, token) = link.split_once('+').unwrap();
    let refused = send(&format!("{}+{token}", older.address), &[]).must_end_with(1);
    let refused = refused.must_say("there are no invitations without it; nothing was delivered");
    assert!(
        refused.stderr.contains("To pay instead"),
        "{}",
        refused.stderr
    );
    assert!(relay.list().is_empty());
}

#[test]
fn nobody_is_invited_to_another_inbox_where_ones_own_is_known() {
    let relay = Relay::start(&[]);
    for other in [ONION, "127.0.0.1:1"] {
        let refused = relay.owner(["invite", "--address", other]).finish();
        let refused = refused.must_end_with(2);
        assert_eq!(refused.stdout_text(), "");
        refused
            .must_say("is not the address of your inbox; no invitation was made")
            .must_say(relay.address());
    }
    assert_eq!(invitations(&relay), json!([]));
    let own = ["invite", "--address", relay.address(), "--json"];
    relay.owner(own).finish().must_end_with(0);
    let behind_tor = Relay::start(&["--tor", "external"]);
    let made = behind_tor.owner(["invite", "--address", ONION, "--json"]);
    let link = made.finish().must_end_with(0).json()["link"].clone();
    assert!(link.as_str().is_some_and(|link| link.starts_with(ONION)));
}

#[test]
fn there_is_an_end_to_how_many_can_be_made() {
    let relay = Relay::start(&[]);
    for _ in 0..64 {
        relay.owner(["invite", "--no-qr"]).finish().must_end_with(0);
    }
    let one_more = relay.owner(["invite"]).finish().must_end_with(1);
    one_more.must_say("there are 64 invitations already");
}

#[test]
fn a_contact_keeps_its_invitation_which_is_forgotten_when_one_would_rather_pay() {
    let (desk, relay) = (Desk::new(), Relay::start(&[]));
    desk.add("bob", relay.address());
    assert_eq!(desk.list()[0]["invited"], json!(false));
    // Somebody who is there already is given an invitation by adding him once more.
    let (first, second) = (link(&relay, "1"), link(&relay, "1"));
    desk.add("bob", &first);
    assert_eq!(desk.list().len(), 1);
    assert_eq!(desk.list()[0]["invited"], json!(true));
    let send = |args: &[&str]| {
        let run = kkvc(["send", "bob", "-m", "x"]).with(|c| c.args(args));
        desk.with(run).finish()
    };
    send(&[]).must_end_with(0).must_say("you are invited");
    let used_up = send(&[])
        .must_end_with(5)
        .must_say("your invitation can't be used");
    assert!(
        used_up.stderr.contains("kkvc send --pay bob"),
        "{}",
        used_up.stderr
    );
    // Another doesn't take the place of one that is there unasked: it may be the good one.
    let (third, fourth) = (link(&relay, "1"), link(&relay, "1"));
    let add = |args: &[&str]| {
        let run = kkvc(["contact", "add"]).with(|c| c.args(args));
        desk.with(run).finish()
    };
    let unasked = add(&["Bob", &third]).must_end_with(2);
    unasked.must_say("say --yes to put this invitation in place of the one that Bob has");
    send(&[]).must_end_with(5);
    let changed = add(&["Bob", &third, "--yes"]).must_end_with(0);
    let changed = changed.must_say("Changed bob: ");
    assert!(!changed.stderr.contains("Added"), "{}", changed.stderr);
    add(&["bob", &third])
        .must_end_with(0)
        .must_say("Changed bob: ");
    send(&[]).must_end_with(0).must_say("you are invited");
    add(&["bob", &fourth]).must_end_with(2);
    // The address alone is paid for, and forgets nothing.
    desk.with(kkvc(["send", relay.address(), "-m", "x"]))
        .finish()
        .must_end_with(0);
    assert_eq!(desk.list()[0]["invited"], json!(true));
    // Nor does another link to it, whose invitation one won't use.
    desk.with(kkvc(["send", &second, "--pay", "-m", "x"]))
        .finish()
        .must_end_with(0);
    assert_eq!(desk.list()[0]["invited"], json!(true));
    send(&["--pay"]).must_end_with(0);
    assert_eq!(desk.list()[0]["invited"], json!(false));
    send(&[]).must_end_with(0);
    desk.add("bob", &second);
    send(&[]).must_end_with(0).must_say("you are invited");
    let words = desk.with(kkvc(["contact", "list"])).finish().stdout_text();
    let (_, token) = second.split_once('+').unwrap();
    assert!(!words.contains(token), "{words}");
}

#[test]
fn a_card_has_the_invitation_that_was_typed_and_never_a_contacts() {
    let token = "aaaaaaaaaaaaaaaaaaaaaaaaadvanoxi";
    let link = format!("{ONION}+{token}");
    let card = kkvc(["card", &link, "--json"])
        .finish()
        .must_end_with(0)
        .json();
    assert_eq!(card["address"], ONION);
    assert_eq!(card["link"], link.to_uppercase());
    let desk = Desk::new();
    desk.add("bob", &link);
    let card = desk.with(kkvc(["card", "bob", "--json"])).finish().json();
    assert_eq!(card["link"], ONION.to_uppercase());
}
