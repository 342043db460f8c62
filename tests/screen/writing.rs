//! Writing and sending.

use super::looks::must_become;
use super::tmux::Tmux;
use crate::programs::Relay;

const BLOCK: &str = "-----BEGIN PGP MESSAGE-----\n\nhQEMA5J8T2sKQ3x9AQf/abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH\nIJKLMNOPQRSTUVWXYZ\n=abcd\n-----END PGP MESSAGE-----";

#[test]
fn a_message_is_written_sent_and_arrives() {
    let relay = Relay::start(&[]);
    let terminal = Tmux::with_client(&relay, "", 80, 24);
    terminal.press(&["c"]);
    terminal.wait_for("onion address");
    terminal.types(relay.address());
    terminal.press(&["Tab"]);
    terminal.types("Dear you,\nthis is j, k, q and ? in a text.");
    terminal.wait_for("in a text.");
    must_become(&terminal, "compose");
    terminal.press(&["C-s"]);
    terminal.wait_until("it, also in the inbox", |screen| {
        screen.contains("Accepted: the message") && screen.contains("1 of 50")
    });
    must_become(&terminal, "sent");
    assert_eq!(relay.text(1), "Dear you,\nthis is j, k, q and ? in a text.");
    // It is in nobody's way afterwards.
    terminal.press(&["Escape"]);
    terminal.wait_for("RECEIVED");
    terminal.press(&["q"]);
    terminal.wait_for_shell();
}

#[test]
fn a_whole_block_is_pasted_and_arrives_as_it_was() {
    let relay = Relay::start(&[]);
    let terminal = Tmux::with_client(&relay, "", 80, 24);
    terminal.press(&["c"]);
    terminal.wait_for("onion address");
    terminal.pastes(relay.address(), &format!("│{}", relay.address()));
    terminal.press(&["Enter"]);
    terminal.pastes(BLOCK, "END PGP");
    terminal.press(&["C-s"]);
    terminal.wait_for("Accepted: the message");
    assert_eq!(relay.text(1), BLOCK);
}

#[test]
fn no_key_within_what_is_pasted_sends_leaves_or_deletes() {
    let relay = Relay::start(&[]);
    relay.deliver(b"kept\n");
    let terminal = Tmux::with_client(&relay, "", 80, 24);
    let evil = "words\x1b[201~\x13\x1bdy\x03echo gone\r";
    terminal.pastes_unfiltered(evil);
    terminal.wait_for("a key that came with what was pasted did nothing");
    terminal.wait_for("? keys");
    terminal.press(&["c"]);
    terminal.wait_for("onion address");
    terminal.types(&format!("{}\n", relay.address()));
    terminal.pastes_unfiltered(evil);
    // All that they could do is to write.
    terminal.wait_for("a key that came with what was pasted did nothing");
    let shown = terminal.wait_for("Ctrl-S send");
    assert!(shown.contains("wordsyecho gone"), "{shown}");
    assert_eq!(relay.list().len(), 1);
    // Once they rest, keys are commands again.
    terminal.press(&["C-s"]);
    terminal.wait_for("Accepted: the message");
    assert_eq!(relay.text(2), "wordsyecho gone");
}

#[test]
fn half_a_paste_is_text_and_ctrl_c_ends_it() {
    let relay = Relay::start(&[]);
    let terminal = Tmux::with_client(&relay, "", 80, 24);
    terminal.press(&["c"]);
    terminal.wait_for("onion address");
    terminal.types(&format!("{}\n", relay.address()));
    terminal.sends("\x1b[200~half a paste");
    terminal.wait_for("half a paste");
    terminal.wait_for("Ctrl-C ends it");
    // What is typed then is text, and nothing but Ctrl-C a command.
    terminal.sends("\x13 and more");
    terminal.wait_for("half a paste and more");
    terminal.wait_for("Ctrl-C ends it");
    terminal.press(&["C-c"]);
    terminal.wait_until("keys", |screen| {
        !screen.contains("Ctrl-C ends it") && screen.contains("Ctrl-S send")
    });
    terminal.press(&["C-s"]);
    terminal.wait_for("Accepted: the message");
    assert_eq!(relay.text(1), "half a paste and more");
}

#[test]
fn one_reads_on_while_it_is_paid_for_and_cancels_it_without_losing_a_word() {
    let dear = Relay::start(&["-c", "50", "--adaptive", "off"]);
    let relay = Relay::start(&[]);
    relay.deliver(b"Something to read.\n");
    let terminal = Tmux::with_client(&relay, "", 80, 24);
    terminal.press(&["c"]);
    terminal.wait_for("onion address");
    terminal.types(&format!("{}\nPrecious words.", dear.address()));
    terminal.press(&["C-s"]);
    terminal.wait_for("Try all the same?");
    terminal.agrees();
    terminal.wait_for("MH/s");
    terminal.press(&["Escape"]);
    terminal.wait_for("RECEIVED");
    terminal.press(&["Enter"]);
    terminal.wait_for("Message 1, 19 bytes");
    terminal.press(&["o"]);
    terminal.wait_for("MH/s");
    terminal.press(&["x"]);
    terminal.wait_for("cancelled; nothing was delivered");
    terminal.press(&["Escape"]);
    terminal.wait_for("RECEIVED");
    terminal.press(&["q"]);
    terminal.wait_for("Leave?");
    terminal.wait_for("y yes");
    terminal.press(&["n", "o", "Enter"]);
    terminal.wait_for("Precious words.");
    assert!(dear.list().is_empty());
}

#[test]
fn what_cannot_be_sent_is_told_where_it_is_written() {
    let relay = Relay::start(&[]);
    let terminal = Tmux::with_client(&relay, "", 80, 24);
    terminal.press(&["c"]);
    terminal.wait_for("onion address");
    terminal.press(&["C-s"]);
    terminal.wait_for("whom is it for?");
    terminal.types("example.org");
    terminal.press(&["C-s"]);
    terminal.wait_for("example.org");
    terminal.wait_for("onion address");
    terminal.press(&["C-u"]);
    terminal.types(&format!("{}\n:", relay.address()));
    terminal.wait_for("1 of 3500 bytes");
    terminal.pastes(&" much".repeat(700), "3501 of 3500 bytes");
    terminal.wait_for("3501 of 3500 bytes");
    must_become(&terminal, "too_long");
    terminal.press(&["C-s"]);
    terminal.wait_for("3500");
    assert!(relay.list().is_empty());
}
