//! What all fields that one writes in have in common.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Style;
use ratatui_textarea::{CursorMove, TextArea};

/// A field of one line.
pub(super) fn line(text: String, hint: &str) -> TextArea<'static> {
    made(TextArea::new(vec![text]), hint)
}

/// Any field, with what it looks like and the hint that stands in it while it is empty.
pub(super) fn made(mut field: TextArea<'static>, hint: &str) -> TextArea<'static> {
    field.set_placeholder_text(hint);
    field.set_cursor_line_style(Style::new());
    field.set_max_histories(0); // where no key undoes, each step would be a copy of what was typed
    field
}

/// Gives it a key.
pub(super) fn input(field: &mut TextArea<'static>, key: KeyEvent) {
    match (key.code, key.modifiers) {
        // As in a shell; the text area would undo.
        (KeyCode::Char('u'), KeyModifiers::CONTROL) => _ = field.delete_line_by_head(),
        (KeyCode::Home, KeyModifiers::CONTROL) => go(field, &[CursorMove::Top, CursorMove::Head]),
        (KeyCode::End, KeyModifiers::CONTROL) => go(field, &[CursorMove::Bottom, CursorMove::End]),
        _ => _ = field.input(key),
    }
}

/// Moves the cursor. What was marked is so no more, or the next letter would take its place.
pub(super) fn go(field: &mut TextArea<'static>, moves: &[CursorMove]) {
    field.cancel_selection();
    moves.iter().for_each(|step| field.move_cursor(*step));
}

/// Has as much of a text on a screen of another height as there is room for.
pub(super) fn resized(field: &mut TextArea<'static>) {
    let cursor = field.cursor();
    field.scroll((i16::MIN / 2, 0));
    let at = |place: usize| u16::try_from(place).unwrap_or(u16::MAX);
    field.move_cursor(CursorMove::Jump(at(cursor.0), at(cursor.1)));
}
