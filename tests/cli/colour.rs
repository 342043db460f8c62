//! Colour is for terminals, and for those who have not asked for none.

use crate::programs::{Relay, Run, kkvc};

/// What begins every change of style.
const ESCAPE: char = '\x1b';

/// Three ways to ask for none.
fn without(run: Run, way: usize) -> Run {
    run.with(|command| match way {
        0 => command.arg("--no-color"),
        1 => command.env("NO_COLOR", "1"),
        _ => command.env("KKVC_NO_COLOR", "yes"),
    })
}

#[test]
fn unread_messages_are_bold_on_a_terminal_unless_no_colour_is_wanted() {
    let relay = Relay::start(&[]);
    relay.deliver(b"read");
    relay.deliver(b"unread");
    relay.owner(["mark", "1"]).finish().must_end_with(0);
    let (_, screen) = relay.owner(["list"]).start_on(80, 24).finish();
    let bold: Vec<&str> = screen
        .lines()
        .filter(|line| line.contains("\x1b[1m"))
        .collect();
    assert!(bold.len() == 1 && bold[0].contains("2 *"), "{screen:?}");
    for way in 0..3 {
        let (_, screen) = without(relay.owner(["list"]), way)
            .start_on(80, 24)
            .finish();
        assert!(!screen.contains(ESCAPE), "{screen:?}");
    }
    let piped = relay.owner(["list"]).finish().stdout_text();
    assert!(!piped.contains(ESCAPE), "{piped:?}");
    let no = relay
        .owner(["list"])
        .with(|c| c.env("KKVC_NO_COLOR", "no").env("NO_COLOR", ""));
    let (_, screen) = no.start_on(80, 24).finish();
    assert!(screen.contains(ESCAPE), "{screen:?}");
}

#[test]
fn errors_and_help_are_coloured_on_a_terminal_unless_no_colour_is_wanted() {
    for words in [
        &["list", "--socket", "/nonexistent/kkv.sock"][..],
        &["list", "--loud"],
        &["--help"],
    ] {
        let (_, screen) = kkvc(words).start_on(80, 24).finish();
        assert!(screen.contains(ESCAPE), "{screen:?}");
        for way in 0..3 {
            let (_, screen) = without(kkvc(words), way).start_on(80, 24).finish();
            assert!(!screen.contains(ESCAPE), "{words:?} {way}: {screen:?}");
        }
        let piped = kkvc(words).finish();
        assert!(!piped.stderr.contains(ESCAPE) && !piped.stdout_text().contains(ESCAPE));
    }
}
