//! What is pasted, and the keys that come with it.
//!
//! A terminal says where a paste begins and ends. Not every terminal takes the sign of its end (`ESC [201~`) out of
//! what is pasted, and what stands behind one that a stranger has put there comes as if somebody pressed those keys: it
//! would send, delete, or leave for the shell and go on there. So what comes with a paste is text where text is written
//! and nothing anywhere else, until the keys have rested.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::App;
use crate::tui::state::composer::Field;
use crate::tui::state::note::Topic;
use crate::tui::state::screen::Screen;
use crate::tui::terminal::decode::MAX_PASTE_BYTES;

impl App {
    pub(super) fn paste(&mut self, text: &str) {
        self.is_pasting = true;
        self.clear_note_about(Topic::Hidden);
        if !self.questions.is_empty() {
            return;
        }
        match (self.screen, &mut self.composer, &mut self.contact_form) {
            (Screen::Composer, Some(composer), _) => {
                let hidden = composer.paste(text);
                self.notify_of_hidden(&hidden);
            }
            (Screen::ContactForm, _, Some(form)) if !form.is_being_saved => {
                let hidden = form.paste(text);
                self.notify_of_hidden(&hidden);
            }
            (Screen::ContactForm, ..) => self.inform("saving…"),
            (Screen::Saving, ..) => {
                let hidden = self.saving.as_mut().map(|saving| saving.paste(text));
                self.notify_of_hidden(&hidden.unwrap_or_default());
            }
            (Screen::Search, ..) => {
                let hidden = self.search.paste(text);
                self.notify_of_hidden(&hidden);
            }
            _ => self.warn("press c to write a message; then paste it"),
        }
    }

    pub(super) fn notify_of_cut_paste(&mut self) {
        let what = format!("too much was pasted: {MAX_PASTE_BYTES} bytes of it were taken");
        self.warn(what);
    }

    /// A paste without an end takes all that is typed.
    pub(super) fn notify_of_stalled_paste(&mut self) {
        let what = "a paste has begun and not ended: Ctrl-C ends it";
        self.notify_about(Topic::Paste, false, what);
    }

    /// A paste that had stalled is over. What may still come of it is none the less no command.
    pub(super) fn end_paste(&mut self) {
        self.is_pasting = true;
        self.clear_note_about(Topic::Paste);
    }

    /// Says which characters of what was pasted or typed were left out.
    pub(super) fn notify_of_hidden(&mut self, hidden: &[char]) {
        if let Some(first) = hidden.first() {
            let (count, first) = (hidden.len(), u32::from(*first));
            let what =
                format!("left out what nobody would see: {count} in all, the first U+{first:04X}");
            self.notify_about(Topic::Hidden, false, what);
        }
    }

    /// Whether this key may have come with what was pasted, and would do more than write. It is said.
    pub(super) fn is_blocked_by_paste(&mut self, key: KeyEvent) -> bool {
        if !self.is_pasting || self.writes(key) {
            return false;
        }
        self.warn("a key that came with what was pasted did nothing: press it again");
        true
    }

    /// Whether all that this key does here is to write what stands on it.
    fn writes(&self, key: KeyEvent) -> bool {
        let is_covered = self.areas.nothing_fits || self.overlay.is_some();
        if is_covered || !self.questions.is_empty() {
            return false;
        }
        let field = self.composer.as_ref().map(|composer| composer.field);
        match (self.screen, key.code) {
            (
                Screen::Composer | Screen::ContactForm | Screen::Search | Screen::Saving,
                KeyCode::Char(_),
            ) => (key.modifiers - KeyModifiers::SHIFT).is_empty(),
            (Screen::Composer, KeyCode::Enter) => {
                key.modifiers.is_empty() && field == Some(Field::Text)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
    use zeroize::Zeroizing;

    use super::super::tests::{ADDRESS, app, press, press_fast, screen};
    use super::*;
    use crate::tui::app::{Effect, Event, Input};

    fn paste(app: &mut App, text: &str) {
        app.input(Input::Paste(Zeroizing::new(text.to_owned())));
    }

    #[test]
    fn what_comes_behind_the_end_of_a_paste_is_text_or_nothing() {
        // Sent, put aside, deleted, left, suspended, answered: whatever keys could do.
        let keys = "\x13\x1bdydY\x03\x1a\tdq\x1b";
        let mut app = app(1..=3);
        press(&mut app, "c");
        paste(&mut app, ADDRESS);
        press(&mut app, "\t");
        paste(&mut app, "harmless ");
        assert!(press_fast(&mut app, keys).is_empty());
        assert!(press_fast(&mut app, "\n end").is_empty());
        let shown = screen(&mut app, 80, 24);
        assert!(
            shown.contains("a key that came with what was pasted did nothing"),
            "{shown}"
        );
        assert!(!shown.contains("Ctrl-S send"), "{shown}");
        let written = app.composer.as_ref().expect("it is still written");
        assert_eq!(*written.text(), "harmless dydYdq\n end");
        // Once the keys have rested, they are keys.
        app.update(Event::KeysRested);
        assert!(screen(&mut app, 80, 24).contains("Ctrl-S send"));
        assert!(matches!(press(&mut app, "\x13")[..], [Effect::Send { .. }]));
    }

    #[test]
    fn where_nothing_is_written_what_comes_with_a_paste_does_nothing() {
        for before in ["", "\n", "o", "a", "?", "d", "D"] {
            let mut app = app(1..=3);
            press(&mut app, before);
            let (screen_before, questions) = (app.screen, app.questions.iter().count());
            paste(&mut app, "words");
            assert!(
                press_fast(&mut app, "dyDyyqcx\x03\x1a\n\x1bn").is_empty(),
                "{before}"
            );
            screen(&mut app, 80, 24);
            let click = MouseEvent {
                kind: MouseEventKind::Down(MouseButton::Left),
                column: app.areas.list.x,
                row: app.areas.list.y,
                modifiers: KeyModifiers::NONE,
            };
            for _ in 0..2 {
                assert!(app.input(Input::Mouse(click)).is_empty(), "{before}");
            }
            assert_eq!(
                (app.screen, app.questions.iter().count()),
                (screen_before, questions),
                "{before}"
            );
        }
    }

    #[test]
    fn a_paste_without_an_end_is_told_until_it_is_over() {
        let mut app = app(1..=1);
        press(&mut app, "c\t");
        paste(&mut app, "half");
        app.input(Input::PasteCut);
        assert!(screen(&mut app, 80, 24).contains("65536 bytes of it were taken"));
        app.input(Input::PasteStalled);
        app.update(Event::KeysRested);
        assert!(screen(&mut app, 80, 24).contains("Ctrl-C ends it"));
        app.input(Input::PasteEnded);
        assert!(!screen(&mut app, 80, 24).contains("Ctrl-C ends it"));
        // What may still come of it is no command.
        assert!(press_fast(&mut app, "\x13").is_empty() && app.waits_for_rest());
        app.update(Event::KeysRested);
        assert!(!app.waits_for_rest());
    }

    #[test]
    fn what_was_left_out_of_one_paste_is_not_told_of_the_next() {
        let mut app = app(1..=1);
        press(&mut app, "c\t");
        paste(&mut app, "pay\u{200b}");
        assert!(screen(&mut app, 80, 24).contains("left out what nobody would see: 1"));
        paste(&mut app, " me");
        assert!(!screen(&mut app, 80, 24).contains("left out"));
    }

    #[test]
    fn a_contact_is_not_saved_by_what_comes_with_a_paste() {
        let mut app = app(1..=1);
        press(&mut app, "aaAlice\t");
        paste(&mut app, ADDRESS);
        press_fast(&mut app, "\t\n\x13\n\x1b");
        assert!(app.contact_form.is_some() && app.contacts.book().is_empty());
        press(&mut app, "\x13");
        assert!(app.contact_form.is_none() && !app.contacts.book().is_empty());
    }
}
