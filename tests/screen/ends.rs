//! However the client ends, the terminal is as before, and no message stays in it.

use super::tmux::Tmux;
use crate::programs::{Relay, Signal};

const SECRET: &str = "words-that-must-not-stay";
/// What the list shows of it.
const BEGINNING: &str = "words-that-must";

/// A client that shows a message, in a terminal where something was done before.
fn reading(relay: &Relay) -> Tmux {
    relay.deliver(SECRET.as_bytes());
    let terminal = Tmux::new(relay, 80, 24);
    terminal.types("echo bef''ore\n");
    terminal.wait_for("before");
    terminal.types("\"$KKVC\" --socket \"$SOCKET\"\n");
    terminal.wait_for("RECEIVED");
    terminal.wait_for(BEGINNING);
    terminal.press(&["Enter"]);
    terminal.wait_for(SECRET);
    terminal
}

fn must_be_as_before(terminal: &Tmux) {
    terminal.wait_for_shell();
    let everything = terminal.everything();
    assert!(everything.contains("before"), "{everything}");
    assert!(!everything.contains(BEGINNING), "{everything}");
    // Lines are edited and shown by the terminal again, and keys that end programs do so.
    terminal.types("clear; stty -a; echo do''ne\n");
    let settings =
        terminal.wait_until("done", |screen| screen.trim_end().ends_with("done\nready>"));
    for setting in ["icanon", "echo", "isig", "opost"] {
        let there = settings.split_whitespace().any(|word| word == setting);
        assert!(there, "no {setting}: {settings}");
    }
    // A click or a paste is no longer told to whoever reads keys.
    let modes = terminal.modes();
    assert_eq!(
        modes, "0 0 0 0 1",
        "alternate screen, mouse, its reports, its moves; cursor"
    );
    terminal.types("clear; echo bef''ore\n"); // so that it can be done again
    terminal.wait_until("before", |screen| {
        screen.trim_end().ends_with("before\nready>")
    });
}

#[test]
fn leaving_gives_the_terminal_back() {
    let relay = Relay::start(&[]);
    let terminal = reading(&relay);
    terminal.press(&["q", "q"]);
    must_be_as_before(&terminal);
}

#[test]
fn so_does_a_signal_that_ends_it() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let relay = Relay::start(&[]);
        let terminal = reading(&relay);
        terminal.signal(signal);
        must_be_as_before(&terminal);
    }
}

#[test]
fn so_does_stopping_it_for_a_while_and_it_goes_on_as_it_was() {
    let relay = Relay::start(&[]);
    let terminal = reading(&relay);
    terminal.press(&["C-z"]);
    must_be_as_before(&terminal);
    terminal.types("fg\n");
    terminal.wait_for(SECRET);
    terminal.signal(Signal::TSTP);
    must_be_as_before(&terminal);
    terminal.types("fg\n");
    terminal.wait_for(SECRET);
    terminal.press(&["q", "q"]);
    must_be_as_before(&terminal);
}

#[test]
fn a_relay_that_ends_takes_the_message_off_the_screen() {
    let relay = Relay::start(&[]);
    let terminal = reading(&relay);
    relay.process().signal(Signal::TERM);
    let screen = terminal.wait_for("no relay is running");
    assert!(!screen.contains(BEGINNING), "{screen}");
    assert!(screen.contains("s starts it"), "{screen}");
}

#[test]
fn a_text_is_copied_to_the_clipboard_when_asked_for_and_not_before() {
    let relay = Relay::start(&[]);
    let terminal = reading(&relay);
    terminal.press(&["y"]);
    terminal.wait_for("copied");
    assert_eq!(terminal.clipboard(), SECRET);
}

#[test]
fn the_terminal_tells_of_clicks_and_of_no_move_and_of_nothing_if_that_is_not_wished() {
    let relay = Relay::start(&[]);
    for (arguments, modes) in [("tui", "1 1 1 0 0"), ("tui --no-mouse", "1 0 0 0 0")] {
        let terminal = Tmux::with_client(&relay, arguments, 80, 24);
        assert_eq!(
            terminal.modes(),
            modes,
            "alternate screen, mouse, its reports, its moves; cursor"
        );
    }
}

#[test]
fn new_messages_ring_the_bell_if_that_is_wished() {
    let relay = Relay::start(&[]);
    relay.deliver(b"There already.");
    for (arguments, rings) in [("tui", 0), ("tui --bell", 1)] {
        let terminal = Tmux::with_client(&relay, arguments, 80, 24);
        terminal.wait_for(" * ");
        let before = terminal.screen().matches(" * ").count();
        assert_eq!(terminal.bells(), 0);
        relay.deliver(b"Another.");
        terminal.wait_until("it", |screen| screen.matches(" * ").count() > before);
        // It is rung before the message is drawn.
        terminal.wait_for_bells(rings);
        assert_eq!(terminal.bells(), rings);
    }
}

#[test]
fn what_is_copied_runs_nothing_when_it_is_pasted_into_a_shell() {
    let relay = Relay::start(&[]);
    let text =
        "echo one\x1b[201~\ntouch pasted\n\x1b[200~\u{9b}201~\ntouch pasted\n\u{202e}end\r\n";
    relay.deliver(text.as_bytes());
    let terminal = Tmux::with_client(&relay, "", 80, 24);
    terminal.wait_for(" * ");
    terminal.press(&["Enter"]);
    terminal.wait_for("<U+202E>end");
    terminal.press(&["y"]);
    terminal.wait_for("copied as it is shown");
    let copied = terminal.clipboard();
    let shown =
        "echo one<U+001B>[201~\ntouch pasted\n<U+001B>[200~<U+009B>201~\ntouch pasted\n<U+202E>end";
    assert_eq!(copied, shown);
    terminal.press(&["C-c"]);
    terminal.wait_for_shell();
    // A shell that takes a paste as one: nothing of it is run until Enter.
    let directory = relay.directory().display();
    terminal.types(&format!(
        "cd '{directory}' && exec bash --norc --noprofile -i\n"
    ));
    terminal.wait_for("bash-");
    terminal.types("bind 'set enable-bracketed-paste on'; echo is-$((40 + 2))\n");
    terminal.wait_for("is-42");
    terminal.paste_what_was_copied();
    terminal.wait_for("<U+202E>end");
    // What a signal does to a shell on a busy machine, nobody knows; this key kills the line.
    terminal.press(&["C-u"]);
    terminal.types("echo done-$((40 + 2))\n");
    terminal.wait_for("done-42");
    assert!(!relay.directory().join("pasted").exists(), "it was run");
}
