//! What all fields that one writes in have in common.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Style;
use ratatui_textarea::{CursorMove, TextArea};
use unicode_segmentation::UnicodeSegmentation;

use kkv_terminal::visible::{is_hidden_as_typed, without_hidden};

/// A field of one line.
pub(in crate::tui) fn line(text: String, hint: &str) -> TextArea<'static> {
    made(TextArea::new(vec![text]), hint)
}

/// Any field, with what it looks like and the hint that stands in it while it is empty.
pub(in crate::tui) fn made(mut field: TextArea<'static>, hint: &str) -> TextArea<'static> {
    field.set_placeholder_text(hint);
    field.set_cursor_line_style(Style::new());
    field.set_max_histories(0); // where no key undoes, each step would be a copy of what was typed
    field
}

/// Gives it a key.
pub(in crate::tui) fn input(field: &mut TextArea<'static>, key: KeyEvent) {
    match (key.code, key.modifiers) {
        // As in a shell; the text area would undo.
        (KeyCode::Char('u'), KeyModifiers::CONTROL) => _ = field.delete_line_by_head(),
        (KeyCode::Home, KeyModifiers::CONTROL) => go(field, &[CursorMove::Top, CursorMove::Head]),
        (KeyCode::End, KeyModifiers::CONTROL) => go(field, &[CursorMove::Bottom, CursorMove::End]),
        (KeyCode::Backspace, KeyModifiers::NONE) | (KeyCode::Char('h'), KeyModifiers::CONTROL) => {
            delete(field, CursorMove::Back, key);
        }
        (KeyCode::Delete, KeyModifiers::NONE) | (KeyCode::Char('d'), KeyModifiers::CONTROL) => {
            delete(field, CursorMove::Forward, key);
        }
        (KeyCode::Left, KeyModifiers::NONE | KeyModifiers::SHIFT) => {
            step(field, CursorMove::Back, key);
        }
        (KeyCode::Right, KeyModifiers::NONE | KeyModifiers::SHIFT) => {
            step(field, CursorMove::Forward, key);
        }
        _ => _ = field.input(key),
    }
}

/// Text that was pasted into one line, which all of it is. Which characters of it nobody would see, and were left out.
pub(in crate::tui) fn paste(field: &mut TextArea<'static>, pasted: &str) -> Vec<char> {
    let words: Vec<&str> = pasted.split_whitespace().collect();
    let (words, hidden) = without_hidden(&words.join(" "));
    field.insert_str(words.as_str());
    hidden
}

/// What stands before the cursor in its line, and behind it.
fn around<'a>(field: &'a TextArea<'static>) -> (&'a str, &'a str) {
    let cursor = field.cursor();
    let line = field.lines().get(cursor.0).map_or("", String::as_str);
    let at = line.char_indices().nth(cursor.1);
    line.split_at(at.map_or(line.len(), |(at, _)| at))
}

/// Letters of what is seen as the one character that lies there; none at the end of the line.
fn characters(field: &TextArea<'static>, to: CursorMove) -> usize {
    let (before, behind) = around(field);
    let one = if to == CursorMove::Back {
        before.graphemes(true).next_back()
    } else {
        behind.graphemes(true).next()
    };
    one.map_or(0, |one| one.chars().count())
}

/// Deletes what is seen as one character, as one change.
fn delete(field: &mut TextArea<'static>, to: CursorMove, key: KeyEvent) {
    let characters = characters(field, to);
    if field.is_selecting() || characters < 2 {
        field.input(key);
        return;
    }
    if to == CursorMove::Back {
        go(field, &vec![to; characters]);
    }
    field.delete_str(characters);
}

/// Moves over what is seen as one character.
fn step(field: &mut TextArea<'static>, to: CursorMove, key: KeyEvent) {
    let characters = characters(field, to);
    field.input(key);
    for _ in 1..characters {
        field.move_cursor(to);
    }
}

/// The letter that this key would write where nobody would see it.
pub(in crate::tui) fn hidden(field: &TextArea<'static>, key: KeyEvent) -> Option<char> {
    let KeyCode::Char(typed) = key.code else {
        return None;
    };
    let (before, behind) = around(field);
    let (before, after) = (before.chars().next_back(), behind.chars().next());
    is_hidden_as_typed(before, typed, after).then_some(typed)
}

/// Places the cursor where the screen shows this row and column of the field.
pub(in crate::tui) fn click(field: &mut TextArea<'static>, row: u16, column: u16) {
    let (top, left) = field.scroll_offset();
    let at = field.screen_to_data(
        top.saturating_add(row).into(),
        left.saturating_add(column).into(),
    );
    field.cancel_selection();
    jump(field, at.0, at.1);
}

pub(in crate::tui) fn jump(field: &mut TextArea<'static>, row: usize, column: usize) {
    let at = |place: usize| u16::try_from(place).unwrap_or(u16::MAX);
    field.move_cursor(CursorMove::Jump(at(row), at(column)));
}

/// Moves the cursor. What was marked is so no more, or the next letter would take its place.
pub(in crate::tui) fn go(field: &mut TextArea<'static>, moves: &[CursorMove]) {
    field.cancel_selection();
    moves.iter().for_each(|step| field.move_cursor(*step));
}

/// Has as much of a text on a screen of another height as there is room for.
pub(in crate::tui) fn resized(field: &mut TextArea<'static>) {
    let cursor = field.cursor();
    field.scroll((i16::MIN / 2, 0));
    jump(field, cursor.0, cursor.1);
}
