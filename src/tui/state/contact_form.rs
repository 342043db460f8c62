//! Where a contact is written down, or given another name.

use crossterm::event::KeyEvent;
use ratatui_textarea::{CursorMove, TextArea};

use super::contact_list::Change;
use super::field;
use kkv_client::contacts::{Contact, Link, Name};
use kkv_protocol::ids::SenderId;
use kkv_ui::fields::sender;

/// What each line is for.
pub(in crate::tui) const TITLES: [&str; 3] = [" Name ", " Address ", " Signs with (may be empty) "];

/// A form of three lines; of the first alone if it is for another name.
pub(in crate::tui) struct ContactForm {
    pub(in crate::tui) lines: Vec<TextArea<'static>>,
    pub(in crate::tui) line: usize,
    /// It isn't known yet what has come of it: until then it stays as it is.
    pub(in crate::tui) is_being_saved: bool,
    renamed: Option<Name>,
    /// What stood in it at first.
    began_with: Vec<String>,
}

impl ContactForm {
    /// For somebody new, who signs with `sender` if that is known.
    pub(in crate::tui) fn new(sender: Option<SenderId>) -> Self {
        let sender = sender.map_or_else(String::new, |key| key.to_string());
        let hints = [
            "what you call them",
            "onion address, 56 characters",
            "64 digits, as `kkvc identity` says",
        ];
        let texts = [String::new(), String::new(), sender];
        let began_with = texts.to_vec();
        let lines = texts.into_iter().zip(hints);
        Self {
            lines: lines.map(|(text, hint)| line(text, hint)).collect(),
            line: 0,
            is_being_saved: false,
            renamed: None,
            began_with,
        }
    }

    /// For another name of somebody.
    pub(in crate::tui) fn renaming(name: &Name) -> Self {
        Self {
            lines: vec![line(name.to_string(), "what you call them")],
            line: 0,
            is_being_saved: false,
            renamed: Some(name.clone()),
            began_with: vec![name.to_string()],
        }
    }

    /// Whether something was written into it that would be lost.
    pub(in crate::tui) fn is_begun(&self) -> bool {
        let texts = self.lines.iter().map(|line| line.lines().concat());
        !self.is_being_saved && !texts.eq(self.began_with.iter().cloned())
    }

    pub(in crate::tui) fn next_line(&mut self) {
        self.line = (self.line + 1) % self.lines.len();
    }

    /// Whether the cursor is in the last line.
    pub(in crate::tui) fn is_at_its_end(&self) -> bool {
        self.line + 1 == self.lines.len()
    }

    /// A key that is no command. The character that it would have written, and that nobody would see.
    pub(in crate::tui) fn input(&mut self, key: KeyEvent) -> Option<char> {
        let line = &mut self.lines[self.line];
        let hidden = field::hidden(line, key);
        if hidden.is_none() {
            field::input(line, key);
        }
        hidden
    }

    /// Text that was pasted; each of these is one line. Which characters of it nobody would see, and were left out.
    pub(in crate::tui) fn paste(&mut self, pasted: &str) -> Vec<char> {
        field::paste(&mut self.lines[self.line], pasted)
    }

    /// What is to be done, if it can be.
    ///
    /// # Errors
    /// Which line is wrong, and why.
    pub(in crate::tui) fn ready(&self) -> Result<Change, (usize, String)> {
        let text = |line: usize| self.lines[line].lines().concat().trim().to_owned();
        let name: Name = text(0).parse().map_err(|fault| (0, format!("{fault}")))?;
        if let Some(old) = &self.renamed {
            return Ok(Change::Rename(old.clone(), name));
        }
        if text(1).is_empty() {
            return Err((1, "where is their inbox?".to_owned()));
        }
        let link: Link = text(1).parse().map_err(|fault| (1, format!("{fault}")))?;
        let key = match text(2) {
            none if none.is_empty() => None,
            key => Some(sender(&key).map_err(|why| (2, why))?),
        };
        Ok(Change::Add(Contact::of_link(name, link, key)))
    }
}

fn line(text: String, hint: &str) -> TextArea<'static> {
    let mut line = field::line(text, hint);
    line.move_cursor(CursorMove::End);
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use kkv_protocol::crypto::identity::SenderKey;

    const ADDRESS: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

    fn filled(texts: [&str; 3]) -> Result<Change, (usize, String)> {
        let mut form = ContactForm::new(None);
        for text in texts {
            form.paste(text);
            form.next_line();
        }
        form.ready()
    }

    #[test]
    fn what_is_written_becomes_a_contact() {
        let key = SenderKey::generate(&mut rand::rng()).public();
        let digits = key.id().to_string();
        for (text, sender) in [("", None), (digits.as_str(), Some(key))] {
            let Change::Add(contact) = filled(["Alice B", ADDRESS, text]).unwrap() else {
                panic!("it is new");
            };
            assert_eq!(contact.name().as_str(), "Alice B");
            assert_eq!(contact.sender(), sender);
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (texts, line) in [
            (["", ADDRESS, ""], 0),
            (["127.0.0.1:80", ADDRESS, ""], 0),
            (["Alice", "example.org", ""], 1),
            (["Alice", ADDRESS, "abc"], 2),
        ] {
            assert_eq!(filled(texts).unwrap_err().0, line, "{texts:?}");
        }
    }

    #[test]
    fn another_name_is_asked_for_in_one_line() {
        let mut form = ContactForm::renaming(&"Bob".parse().unwrap());
        assert!(form.is_at_its_end());
        form.paste("by");
        let Ok(Change::Rename(old, new)) = form.ready() else {
            panic!("it has another name");
        };
        assert_eq!((old.as_str(), new.as_str()), ("Bob", "Bobby"));
    }
}
