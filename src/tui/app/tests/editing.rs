//! What keys and the mouse do to a text that is being written.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::*;

/// Begins a message with this text.
fn writing(text: &str) -> App {
    let mut app = app(1..=1);
    press(&mut app, "c\t");
    press(&mut app, text);
    app
}

fn key(app: &mut App, code: KeyCode) {
    app.input(Input::Key(KeyEvent::new(code, KeyModifiers::NONE)));
}

fn text(app: &App) -> String {
    app.composer
        .as_ref()
        .expect("it is written")
        .text()
        .to_string()
}

#[test]
fn a_key_moves_over_or_deletes_all_that_is_seen_as_one_character() {
    for one in ["e\u{301}", "👩\u{200d}⚕\u{fe0f}", "🇩🇪", "น้ำ", "x", "नि"] {
        let mut app = writing(&format!("a{one}b"));
        assert_eq!(text(&app), format!("a{one}b"));
        key(&mut app, KeyCode::Left);
        key(&mut app, KeyCode::Backspace);
        assert_eq!(text(&app), "ab", "{one}");
        assert!(app.composer.as_mut().unwrap().undo());
        assert_eq!(text(&app), format!("a{one}b"), "one step takes it back");

        let mut app = writing(&format!("a{one}b"));
        for code in [KeyCode::Left, KeyCode::Left, KeyCode::Delete] {
            key(&mut app, code);
        }
        assert_eq!(text(&app), "ab", "{one}");
        press(&mut app, "-");
        key(&mut app, KeyCode::Right);
        press(&mut app, "+");
        assert_eq!(text(&app), "a-b+");
    }
    let mut app = writing("a\nb");
    key(&mut app, KeyCode::Left);
    key(&mut app, KeyCode::Backspace);
    assert_eq!(text(&app), "ab");
}

#[test]
fn what_is_typed_and_nobody_would_see_is_left_out_and_said() {
    for hidden in ['\u{200b}', '\u{202e}', '\u{200d}', '\u{fe0f}', '\u{3164}'] {
        let mut app = writing(&format!("pay{hidden}"));
        assert_eq!(text(&app), "pay");
        let shown = screen(&mut app, 80, 24);
        let told = format!("1 in all, the first U+{:04X}", u32::from(hidden));
        assert!(shown.contains(&told), "{shown}");
        press(&mut app, " me");
        assert_eq!(text(&app), "pay me");
        assert!(app.note.is_none());
    }
    // What languages and emoji are spelled with.
    for seen in [
        "می\u{200c}خواهم",
        "👩\u{200d}⚕\u{fe0f}",
        "1\u{fe0f}\u{20e3}",
        "a\u{a0}b",
        "한",
        "🏳\u{fe0f}\u{200d}🌈",
    ] {
        assert_eq!(text(&writing(seen)), seen);
    }
}

#[test]
fn a_click_places_the_cursor_and_selects_the_field() {
    let mut app = writing("one two\nthree");
    let shown = screen(&mut app, 80, 24);
    let (row, line) = (0..)
        .zip(shown.lines())
        .find(|(_, line)| line.contains("one two"))
        .unwrap();
    let column = line.chars().take_while(|c| *c != 'o').count() - 1; // the line is quoted
    let click = |app: &mut App, row: u16, column: usize| {
        app.input(Input::Mouse(MouseEvent {
            kind: MouseEventKind::Down(MouseButton::Left),
            column: u16::try_from(column).unwrap(),
            row,
            modifiers: KeyModifiers::NONE,
        }));
    };
    click(&mut app, row, column + 4);
    press(&mut app, "or ");
    assert_eq!(text(&app), "one or two\nthree");
    click(&mut app, row + 1, column + 60);
    press(&mut app, "!");
    assert_eq!(
        text(&app),
        "one or two\nthree!",
        "behind the end of a line is its end"
    );
    click(&mut app, row - 3, column);
    press(&mut app, "alice");
    assert_eq!(app.composer.as_ref().unwrap().address(), "alice");
    click(&mut app, row + 9, column);
    press(&mut app, "?");
    assert_eq!(
        text(&app),
        "one or two\n?three!",
        "below the last line is that"
    );
    let many = "\n".repeat(40);
    let mut app = writing(&format!("{many}end"));
    let shown = screen(&mut app, 80, 24);
    let row = shown.lines().position(|line| line.contains("end")).unwrap();
    click(&mut app, u16::try_from(row).unwrap(), column + 1);
    press(&mut app, "-");
    assert_eq!(
        text(&app),
        format!("{many}e-nd"),
        "where the screen has gone on"
    );
}

#[test]
fn what_nobody_would_see_of_a_contact_is_left_out_and_said() {
    for is_pasted in [false, true] {
        let mut app = app(1..=1);
        press(&mut app, "aa");
        let name = "Ali\u{202e}ce";
        if is_pasted {
            app.input(Input::Paste(Zeroizing::new(name.to_owned())));
            assert!(app.note.is_some());
        } else {
            press(&mut app, "Ali\u{202e}");
            assert!(app.note.is_some());
            press(&mut app, "ce");
        }
        let person = app.contact_form.as_ref().expect("it is written");
        assert_eq!(person.lines[0].lines(), ["Alice"]);
    }
}
