//! Undo and redo by words. A text area keeps a step for each character that was typed or deleted; here those of one
//! word, with the blanks behind it, go together.

use ratatui_textarea::TextArea;
use zeroize::Zeroizing;

use super::field::jump;

/// Takes back what was last done; whether there was anything.
pub(in crate::tui) fn undo(field: &mut TextArea<'static>) -> bool {
    steps(field, TextArea::undo, TextArea::redo)
}

/// Does again what was last taken back; whether there was anything.
pub(in crate::tui) fn redo(field: &mut TextArea<'static>) -> bool {
    steps(field, TextArea::redo, TextArea::undo)
}

type Go = fn(&mut TextArea<'static>) -> bool;

/// Goes one step, and on to the end of the word.
fn steps(field: &mut TextArea<'static>, go: Go, back: Go) -> bool {
    let Some(mut last) = step(field, go) else {
        return false;
    };
    loop {
        let cursor = field.cursor();
        let Some(next) = step(field, go) else {
            return true;
        };
        if !last.goes_on_with(&next) {
            back(field);
            jump(field, cursor.0, cursor.1);
            return true;
        }
        last = next;
    }
}

/// What one step has done to the text.
enum Step {
    Appeared(Character),
    Vanished(Character),
    /// More than to one character.
    Other,
}

/// One character, and where it stands or stood.
struct Character {
    row: usize,
    column: usize,
    is_blank: bool,
}

fn step(field: &mut TextArea<'static>, go: Go) -> Option<Step> {
    let before = Zeroizing::new(field.lines().to_vec());
    if !go(field) {
        return None;
    }
    let cursor = field.cursor();
    let (row, column) = (cursor.0, cursor.1);
    // Behind a character that appeared, and where one was that vanished.
    let appeared = column.checked_sub(1).and_then(|column| {
        let is_blank = one_less(field.lines(), &before, row, column)?;
        Some(Step::Appeared(Character {
            row,
            column,
            is_blank,
        }))
    });
    let vanished = || {
        let is_blank = one_less(&before, field.lines(), row, column)?;
        Some(Step::Vanished(Character {
            row,
            column,
            is_blank,
        }))
    };
    Some(appeared.or_else(vanished).unwrap_or(Step::Other))
}

/// Whether the character there in `with` is blank, if `without` is the same text but for that.
fn one_less(with: &[String], without: &[String], row: usize, column: usize) -> Option<bool> {
    let (line, shorter) = (with.get(row)?, without.get(row)?);
    let (at, character) = line.char_indices().nth(column)?;
    let (before, behind) = (&line[..at], &line[at + character.len_utf8()..]);
    let is_same = with.len() == without.len()
        && shorter.strip_prefix(before) == Some(behind)
        && with
            .iter()
            .zip(without)
            .enumerate()
            .all(|(at_row, (one, other))| at_row == row || one == other);
    is_same.then(|| character.is_whitespace())
}

impl Step {
    /// Whether `next` belongs to the same word.
    fn goes_on_with(&self, next: &Self) -> bool {
        let (left, right) = match (self, next) {
            // Typed, or deleted with the cursor behind it.
            (Self::Appeared(last), Self::Appeared(next)) if next.column == last.column + 1 => {
                (last, next)
            }
            (Self::Vanished(last), Self::Vanished(next)) if next.column + 1 == last.column => {
                (next, last)
            }
            // Deleted with the cursor before it.
            (Self::Appeared(last), Self::Appeared(next)) if next.column == last.column => {
                (next, last)
            }
            (Self::Vanished(last), Self::Vanished(next)) if next.column == last.column => {
                (last, next)
            }
            _ => return false,
        };
        left.row == right.row && (!left.is_blank || right.is_blank)
    }
}

#[cfg(test)]
mod tests {
    use ratatui_textarea::CursorMove;

    use super::*;
    use crate::tui::state::field::made;

    fn field(typed: &str) -> TextArea<'static> {
        let mut field = made(TextArea::default(), "");
        field.set_max_histories(1000);
        typed.chars().for_each(|c| field.insert_char(c));
        field
    }

    /// The text after each step, until there are no more.
    fn each(
        field: &mut TextArea<'static>,
        step: fn(&mut TextArea<'static>) -> bool,
    ) -> Vec<String> {
        let mut texts = Vec::new();
        while step(field) {
            texts.push(field.lines().join("\n"));
        }
        texts
    }

    #[test]
    fn what_was_typed_is_taken_back_and_done_again_by_words() {
        let mut field = field("two  words,\nand e\u{301}t\u{e9}");
        let back = [
            "two  words,\nand ",
            "two  words,\n",
            "two  words,",
            "two  ",
            "",
        ];
        assert_eq!(each(&mut field, undo), back);
        let again = [
            "two  ",
            "two  words,",
            "two  words,\n",
            "two  words,\nand ",
            "two  words,\nand e\u{301}t\u{e9}",
        ];
        assert_eq!(each(&mut field, redo), again);
    }

    #[test]
    fn so_is_what_was_deleted_on_either_side_of_the_cursor() {
        let mut behind = field("one two");
        (0..7).for_each(|_| _ = behind.delete_char());
        let mut before = field("one two");
        before.move_cursor(CursorMove::Head);
        (0..7).for_each(|_| _ = before.delete_next_char());
        for (mut field, restored) in [(behind, ["one ", "one two"]), (before, ["two", "one two"])] {
            for restored in restored {
                assert!(undo(&mut field));
                assert_eq!(field.lines().concat(), restored);
            }
            assert!(redo(&mut field) && redo(&mut field));
            assert_eq!(field.lines().concat(), "");
        }
    }

    #[test]
    fn what_was_done_elsewhere_is_a_step_of_its_own() {
        let mut field = field("one");
        field.move_cursor(CursorMove::Head);
        field.insert_char('x');
        field.insert_str("pasted");
        field.insert_char('y');
        let texts = ["xpastedone", "xone", "one", ""];
        for (text, column) in texts.into_iter().zip([7, 1, 0, 0]) {
            assert!(undo(&mut field));
            assert_eq!(
                (field.lines().concat().as_str(), field.cursor().1),
                (text, column)
            );
        }
        assert!(!undo(&mut field));
    }
}
