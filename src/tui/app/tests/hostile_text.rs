//! Texts that try to steer the terminal.

use super::*;
use crate::tui::event::RelayEvent;

#[test]
fn nothing_that_a_stranger_sends_steers_the_terminal() {
    let text = "\x1b]52;c;aGk=\x07\x1b[2J\u{202e}\u{9b}31mred\r\n\tend\0";
    let mut app = app(1..=1);
    arrives(&mut app, summary(1), text);
    for (width, height) in [(80, 24), (200, 50), (40, 8)] {
        let shown = screen(&mut app, width, height);
        assert!(
            shown.chars().all(|c| c == '\n' || !c.is_control()),
            "{shown}"
        );
        assert!(!shown.contains(['\u{202e}', '\u{9b}']), "{shown}");
        assert!(height < 24 || shown.contains("<U+001B>"), "{shown}");
    }
    // A paste into a shell could be steered as well.
    let shown = Visible(text).to_string();
    assert!(
        matches!(&press(&mut app, "y")[..], [Effect::Copy(copied)] if copied.as_str() == shown)
    );
    assert!(app.note.as_ref().unwrap().text.contains("read 1 --raw"));
    for (text, copied) in [
        ("ls\n", "ls"),
        ("one\r\ntwo\n\n", "one\ntwo"),
        ("a\tb ", "a       b"),
    ] {
        arrives(&mut app, summary(1), text);
        assert!(
            matches!(&press(&mut app, "y")[..], [Effect::Copy(is)] if is.as_str() == copied),
            "{text:?}"
        );
        assert!(
            !app.note.as_ref().unwrap().text.contains("--raw"),
            "the same to people"
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_byte_that_steers_a_terminal_comes_out_of_any_text(text: String, width in 40_u16..130, height in 8_u16..40) {
        let mut app = app(1..=1);
        arrives(&mut app, summary(1), &text);
        let reading = screen(&mut app, width, height);
        // What others say of what went wrong may have their words in it.
        app.update(Event::Relay(RelayEvent::Failed(text.clone())));
        let told = screen(&mut app, width, height);
        let away = RelayEvent::Unreachable { what: text.clone(), hint: text.clone(), can_start: false };
        app.update(Event::Relay(away));
        let without = screen(&mut app, width, height);
        let id = sent(&mut app, "my words");
        app.update(Event::Delivery(DeliveryEvent::Failed(id, CliError::new(Exit::Unreachable, text.clone()).hint(text))));
        let failed = screen(&mut app, width, height);
        for shown in [reading, told, without, failed] {
            proptest::prop_assert!(steering(&shown).is_none(), "{shown:?}");
        }
    }
}

/// A character that does more than to be there.
fn steering(screen: &str) -> Option<char> {
    let reorders = [
        '\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}', '\u{feff}',
    ];
    screen.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            || reorders.contains(c)
    })
}
