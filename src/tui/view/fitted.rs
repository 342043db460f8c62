//! Texts in columns of a fixed width.

use kkv_terminal::wrapped::drawn;
use ratatui::layout::Rect;

/// `text` in exactly so many columns: filled up, or cut with a sign that it was.
pub(super) fn fitted(text: &str, width: usize) -> String {
    let mut shown = String::new();
    let mut taken = 0;
    for c in text.chars() {
        let wide = drawn(c);
        if taken + wide > width {
            while taken + 1 > width {
                taken -= shown.pop().map_or(taken, drawn);
            }
            shown.push('…');
            taken += 1;
            break;
        }
        shown.push(c);
        taken += wide;
    }
    shown + &" ".repeat(width.saturating_sub(taken))
}

/// Where sentences stand in an otherwise empty `area`: each line begins two columns further in, also one that is
/// wrapped.
pub(super) fn indented(area: Rect) -> Rect {
    let x = area.x.saturating_add(2).min(area.right());
    Rect {
        x,
        width: area.right() - x,
        ..area
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_takes_the_columns_that_it_is_given() {
        for (text, shown) in [
            ("Bob", "Bob  "),
            ("Alice", "Alice"),
            ("Alicia", "Alic…"),
            ("日本語", "日本…"),
            ("a日本語", "a日… "),
            ("", "     "),
        ] {
            assert_eq!(fitted(text, 5), shown, "{text}");
        }
    }
}
