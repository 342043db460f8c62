//! Whole conversations: a client that writes to its own inbox has both sides of one.

use super::tmux::Tmux;
use crate::programs::Relay;

/// A client whose own message asks for an answer, at the list of what it has written.
fn asking(relay: &Relay) -> Tmux {
    let terminal = Tmux::with_client(relay, "", 80, 24);
    terminal.press(&["c"]);
    terminal.wait_for("onion address");
    terminal.types(relay.address());
    terminal.press(&["Tab"]);
    terminal.types("Is the flat free?");
    terminal.press(&["C-t"]);
    terminal.wait_for("asks for an answer");
    terminal.press(&["C-s"]);
    terminal.wait_until("it, also in the inbox", |screen| {
        screen.contains("Accepted: the message") && screen.contains("1 of 50")
    });
    terminal
}

/// The words that it shows.
fn words(terminal: &Tmux) -> Vec<String> {
    terminal.press(&["w"]);
    let shown = terminal.wait_until("the words", |screen| {
        screen.contains("Only these open") && screen.contains(" 12 ")
    });
    let rows = shown.lines().filter(|line| {
        let numbers = line
            .split_whitespace()
            .filter(|part| part.parse::<u8>().is_ok());
        numbers.count() == 4
    });
    let words: Vec<String> = rows
        .flat_map(str::split_whitespace)
        .filter(|part| part.len() > 2 && part.chars().all(|c| c.is_ascii_lowercase()))
        .map(str::to_owned)
        .collect();
    assert_eq!(words.len(), 12, "{shown}");
    terminal.press(&["Escape"]);
    words
}

#[test]
fn a_message_is_answered_at_the_screen_and_its_sender_reads_that_and_writes_back() {
    let relay = Relay::start(&["--read-receipts"]);
    let terminal = asking(&relay);
    let words = words(&terminal);
    terminal.press(&["Escape"]);
    terminal.wait_for("↩1 ");
    terminal.press(&["r"]);
    terminal.wait_for("Answer to message 1");
    terminal.types("Yes. Come at six.");
    terminal.press(&["C-s"]);
    terminal.wait_for("Sealed. Nobody can read it here now, not even you.");
    terminal.wait_for("↩1✓");

    terminal.press(&["o"]);
    terminal.wait_for("f fetch");
    terminal.press(&["f"]);
    terminal.wait_for("│ Yes. Come at six.");
    let screen = terminal.wait_for("1 answer");
    assert!(!screen.contains(" fetched "), "{screen}");
    // It was seen: the next look says so to the relay, and takes it out.
    terminal.press(&["f"]);
    terminal.wait_for(" fetched ");
    terminal.press(&["r"]);
    terminal.wait_for("In the same conversation");
    terminal.types("Thank you.");
    terminal.press(&["C-s"]);
    terminal.wait_until("it", |screen| screen.contains("2 of 50"));
    terminal.press(&["Escape"]);
    terminal.wait_until("both alike", |screen| {
        screen.contains("↩1✓") && screen.contains("↩1 ")
    });
    terminal.press(&["g", "Enter"]);
    terminal.wait_until("what came before", |screen| {
        screen.contains("Thank you.")
            && screen.contains("Earlier  message 1,")
            && screen.contains("(fetched)")
    });
    // The smallest window has the text, and all of it behind keys.
    terminal.resize(40, 8);
    terminal.wait_for("│Thank you.");
    terminal.press(&["i"]);
    terminal.wait_for("more line");
    terminal.press(&["G"]);
    terminal.wait_for("this one");
    terminal.resize(80, 24);
    terminal.press(&["Escape"]);
    terminal.press(&["C-c"]);
    terminal.wait_for("Answers may come in 1 conversation.");
    terminal.agrees();
    terminal.wait_for_shell();
    let left = terminal.everything();
    let stays = words.iter().filter(|word| left.contains(word.as_str()));
    assert!(stays.count() < words.len() / 2, "{left}");
    assert!(!left.contains("Come at six"), "{left}");
}

#[test]
fn who_has_asked_is_told_that_the_relay_was_started_anew() {
    let relay = Relay::start(&[]);
    let terminal = asking(&relay);
    relay.owner(["wipe", "--yes"]).finish().must_end_with(0);
    terminal.wait_for("0 of 50");
    terminal.press(&["f"]);
    terminal.wait_for("Nothing of this conversation is there any more.");
    // Nothing is lost by leaving then.
    terminal.press(&["C-c"]);
    terminal.wait_for_shell();
}
