//! What all fields that one writes in have in common.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Style;
use ratatui_textarea::TextArea;

/// A field of one line.
pub(super) fn line(text: String, hint: &str) -> TextArea<'static> {
    made(TextArea::new(vec![text]), hint)
}

/// Any field, with what it looks like and the hint that stands in it while it is empty.
pub(super) fn made(mut field: TextArea<'static>, hint: &str) -> TextArea<'static> {
    field.set_placeholder_text(hint);
    field.set_cursor_line_style(Style::new());
    field.set_max_histories(0); // no key undoes, and each step would be a copy of what was typed
    field
}

/// Gives it a key.
pub(super) fn input(field: &mut TextArea<'static>, key: KeyEvent) {
    // As in a shell; the text area would undo.
    if key.code == KeyCode::Char('u') && key.modifiers == KeyModifiers::CONTROL {
        field.delete_line_by_head();
    } else {
        field.input(key);
    }
}
