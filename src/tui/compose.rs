//! Where a message is written: to whom, and the text.

use crossterm::event::{KeyEvent, KeyModifiers};
use ratatui_textarea::{CursorMove, TextArea, WrapMode};
use zeroize::Zeroizing;

use crate::limits::MAX_TEXT_BYTES;
use crate::protocol::text::Text;
use crate::tor::Target;

/// Steps that can be undone: as many copies of what was typed are kept.
const UNDOS: usize = 200;

/// A form of two fields.
pub(super) struct Compose {
    /// Which of the written messages it is.
    pub(super) id: u64,
    pub(super) to: TextArea<'static>,
    pub(super) text: TextArea<'static>,
    pub(super) field: Field,
}

/// Where the keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    To,
    Text,
}

/// Why it can't be sent as it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unready {
    /// Where to mend it.
    pub(super) field: Field,
    pub(super) why: String,
}

impl Compose {
    /// With what was written before.
    pub(super) fn new(id: u64, to: &str, text: &str) -> Self {
        let mut to_field = TextArea::new(vec![to.to_owned()]);
        to_field.set_placeholder_text("onion address: 56 characters and .onion");
        let mut text_field = TextArea::from(text.split('\n'));
        text_field.set_placeholder_text("your message");
        text_field.set_wrap_mode(WrapMode::WordOrGlyph);
        for field in [&mut to_field, &mut text_field] {
            field.set_cursor_line_style(ratatui::style::Style::new());
            field.set_max_histories(UNDOS);
        }
        text_field.move_cursor(CursorMove::Bottom);
        text_field.move_cursor(CursorMove::End);
        to_field.move_cursor(CursorMove::End);
        Self {
            id,
            to: to_field,
            text: text_field,
            field: if to.is_empty() {
                Field::To
            } else {
                Field::Text
            },
        }
    }

    pub(super) fn other_field(&mut self) {
        self.field = match self.field {
            Field::To => Field::Text,
            Field::Text => Field::To,
        };
    }

    /// A key that is no command.
    pub(super) fn input(&mut self, key: KeyEvent) {
        use crossterm::event::KeyCode::{Char, Down, Enter};
        let field = match self.field {
            Field::To => &mut self.to,
            Field::Text => &mut self.text,
        };
        // As in a shell; the text area would undo.
        if key.code == Char('u') && key.modifiers == KeyModifiers::CONTROL {
            field.delete_line_by_head();
            return;
        }
        match self.field {
            // An address is one line.
            Field::To if matches!(key.code, Enter | Down) => self.field = Field::Text,
            Field::To => _ = self.to.input(key),
            Field::Text => _ = self.text.input(key),
        }
    }

    /// Text that was pasted, all at once.
    pub(super) fn paste(&mut self, pasted: &str) {
        let pasted = Zeroizing::new(pasted.replace("\r\n", "\n").replace('\r', "\n"));
        match self.field {
            Field::To => {
                let address: String = pasted.split_whitespace().collect();
                self.to.insert_str(address);
            }
            Field::Text => _ = self.text.insert_str(pasted.as_str()),
        }
    }

    pub(super) fn address(&self) -> String {
        self.to.lines().concat().trim().to_owned()
    }

    /// The text, without line feeds at its end: an editor shows one where there is none.
    pub(super) fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(self.text.lines().join("\n"));
        let length = text.trim_end_matches('\n').len();
        text.truncate(length);
        text
    }

    /// Bytes of the text, and how many there may be.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.text().len(), MAX_TEXT_BYTES)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.address().is_empty() && self.text().is_empty()
    }

    /// Address and text, if both can be sent.
    pub(super) fn ready(&self) -> Result<(Target, Text), Unready> {
        let unready = |field, why: String| Unready { field, why };
        let address = self.address();
        if address.is_empty() {
            return Err(unready(Field::To, "whom is it for?".to_owned()));
        }
        let target = address.parse::<Target>();
        let target = target.map_err(|fault| unready(Field::To, fault.to_string()))?;
        let text = Text::new(self.text());
        let text = text.map_err(|fault| unready(Field::Text, fault.to_string()))?;
        Ok((target, text))
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyCode;

    use super::*;

    const ADDRESS: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

    fn typed(compose: &mut Compose, text: &str) {
        for c in text.chars() {
            let code = if c == '\n' {
                KeyCode::Enter
            } else {
                KeyCode::Char(c)
            };
            compose.input(KeyEvent::new(code, KeyModifiers::NONE));
        }
    }

    #[test]
    fn enter_goes_from_the_address_to_the_text_and_then_is_a_line() {
        let mut compose = Compose::new(1, "", "");
        typed(&mut compose, &format!("{ADDRESS}\none\ntwo"));
        let (target, text) = compose.ready().unwrap();
        assert_eq!(target.to_string(), format!("{ADDRESS}:45069"));
        assert_eq!(text.as_str(), "one\ntwo");
    }

    #[test]
    fn a_whole_block_is_pasted_as_it_is() {
        let block = "-----BEGIN PGP MESSAGE-----\n\nhQEMA5\n=abcd\n-----END PGP MESSAGE-----\n";
        for pasted in [
            block.to_owned(),
            block.replace('\n', "\r\n"),
            block.replace('\n', "\r"),
        ] {
            let mut compose = Compose::new(1, ADDRESS, "");
            compose.paste(&pasted);
            assert_eq!(*compose.text(), block.trim_end());
        }
    }

    #[test]
    fn an_address_that_was_pasted_in_two_lines_is_one() {
        let mut compose = Compose::new(1, "", "");
        let (first, second) = ADDRESS.split_at(30);
        compose.paste(&format!("  {first}\n{second}\n"));
        assert_eq!(compose.address(), ADDRESS);
    }

    #[test]
    fn what_is_missing_or_wrong_is_told_with_its_field() {
        for (to, text, field) in [
            ("", "text", Field::To),
            ("example.org", "text", Field::To),
            (ADDRESS, "", Field::Text),
            (ADDRESS, &"x".repeat(MAX_TEXT_BYTES + 1), Field::Text),
        ] {
            let unready = Compose::new(1, to, text).ready().unwrap_err();
            assert_eq!(unready.field, field, "{unready:?}");
        }
        assert!(
            Compose::new(1, ADDRESS, &"x".repeat(MAX_TEXT_BYTES))
                .ready()
                .is_ok()
        );
    }

    #[test]
    fn what_was_written_is_there_again() {
        let text = "one\n\n  two";
        let compose = Compose::new(1, ADDRESS, text);
        assert_eq!(
            (compose.address().as_str(), compose.text().as_str()),
            (ADDRESS, text)
        );
        assert_eq!(compose.size(), (text.len(), MAX_TEXT_BYTES));
        assert!(Compose::new(1, "", "").is_empty());
    }
}
