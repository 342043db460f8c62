//! Where a message is written: to whom, and the text.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui_textarea::{CursorMove, TextArea, WrapMode};
use zeroize::Zeroizing;

use super::conversation::AnswerTo;
use super::{field, undo};
use kkv_base::limits::MAX_TEXT_BYTES;
use kkv_client::contacts::Book;
use kkv_client::contacts::{Link, Recipient};
use kkv_protocol::text::Text;
use kkv_terminal::visible::without_hidden;
use kkv_ui::fields::did_you_mean;

/// So many changes of a field can be undone. What they keep goes with the form, and is wiped like all memory that is
/// given back.
const UNDONE: usize = 1000;

/// A form of two fields.
pub(in crate::tui) struct Composer {
    /// Which of the written messages it is.
    pub(in crate::tui) id: u64,
    pub(in crate::tui) to: TextArea<'static>,
    pub(in crate::tui) text: TextArea<'static>,
    pub(in crate::tui) field: Field,
    pub(in crate::tui) purpose: Purpose,
    /// Whether an answer is asked for.
    pub(in crate::tui) wants_answer: bool,
    /// Lines of the text on the screen.
    height: usize,
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Purpose {
    /// A message to somebody.
    Message,
    /// An answer to a message here.
    Answer(AnswerTo),
    /// A message in a conversation that was begun here.
    FollowUp(u64),
}

/// Where the keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Field {
    To,
    Text,
}

/// Why it can't be sent as it is.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::tui) struct Invalid {
    /// Where to mend it.
    pub(in crate::tui) field: Field,
    pub(in crate::tui) why: String,
}

impl Composer {
    /// With what was written before.
    pub(in crate::tui) fn new(id: u64, to: &str, text: &str) -> Self {
        let mut to_field = field::line(to.to_owned(), "onion address, or a contact's name");
        let mut text_field = field::made(TextArea::from(text.split('\n')), "your message");
        text_field.set_wrap_mode(WrapMode::WordOrGlyph);
        text_field.move_cursor(CursorMove::Bottom);
        text_field.move_cursor(CursorMove::End);
        to_field.move_cursor(CursorMove::End);
        to_field.set_max_histories(UNDONE);
        text_field.set_max_histories(UNDONE);
        Self {
            id,
            to: to_field,
            text: text_field,
            field: if to.is_empty() {
                Field::To
            } else {
                Field::Text
            },
            purpose: Purpose::Message,
            wants_answer: false,
            height: 0,
        }
    }

    /// An answer to a message, with what was written before.
    pub(in crate::tui) fn answering(id: u64, to: AnswerTo, text: &str) -> Self {
        Self {
            purpose: Purpose::Answer(to),
            field: Field::Text,
            ..Self::new(id, "", text)
        }
    }

    /// A message that goes on with a conversation that was begun here, with what was written before.
    pub(in crate::tui) fn following_up(id: u64, conversation: u64, text: &str) -> Self {
        Self {
            purpose: Purpose::FollowUp(conversation),
            wants_answer: true,
            field: Field::Text,
            ..Self::new(id, "", text)
        }
    }

    /// Whether it is to be written whom it is for.
    pub(in crate::tui) fn is_addressed(&self) -> bool {
        matches!(self.purpose, Purpose::Message)
    }

    pub(in crate::tui) fn other_field(&mut self) {
        if !self.is_addressed() {
            return;
        }
        self.field = match self.field {
            Field::To => Field::Text,
            Field::Text => Field::To,
        };
    }

    /// A key that is no command. The character that it would have written, and that nobody would see.
    pub(in crate::tui) fn input(&mut self, key: KeyEvent) -> Option<char> {
        let hidden = field::hidden(self.here(), key);
        if hidden.is_some() {
            return hidden;
        }
        match self.field {
            // An address is one line.
            Field::To if matches!(key.code, KeyCode::Enter | KeyCode::Down) => {
                self.field = Field::Text;
            }
            Field::To => field::input(&mut self.to, key),
            // The text area would move what is seen, and the cursor only as far as it has to.
            Field::Text if key.code == KeyCode::PageUp => {
                field::go(&mut self.text, &vec![CursorMove::Up; self.height]);
            }
            Field::Text if key.code == KeyCode::PageDown => {
                field::go(&mut self.text, &vec![CursorMove::Down; self.height]);
            }
            Field::Text => field::input(&mut self.text, key),
        }
        None
    }

    /// A click into a field, so many rows and columns from where its text begins on the screen.
    pub(in crate::tui) fn click(&mut self, field: Field, row: u16, column: u16) {
        self.field = field;
        field::click(self.here(), row, column);
    }

    /// Takes the last word that was written, or the last other change of the field, back; whether there was one.
    pub(in crate::tui) fn undo(&mut self) -> bool {
        undo::undo(self.here())
    }

    /// Does again what was taken back last; whether there is anything.
    pub(in crate::tui) fn redo(&mut self) -> bool {
        undo::redo(self.here())
    }

    fn here(&mut self) -> &mut TextArea<'static> {
        match self.field {
            Field::To => &mut self.to,
            Field::Text => &mut self.text,
        }
    }

    /// The screen has so many lines for the text.
    pub(in crate::tui) fn set_height(&mut self, height: usize) {
        if self.height != height {
            self.height = height;
            field::resized(&mut self.text);
        }
    }

    /// Text that was pasted, all at once. Which characters of it nobody would see, and were left out.
    pub(in crate::tui) fn paste(&mut self, pasted: &str) -> Vec<char> {
        let pasted = Zeroizing::new(pasted.replace("\r\n", "\n").replace('\r', "\n"));
        let (pasted, hidden) = without_hidden(&pasted);
        match self.field {
            Field::To => {
                // An address may come in two lines; a name has spaces.
                let words: Vec<&str> = pasted.split_whitespace().collect();
                let address = words.concat();
                let is_address = address.parse::<Link>().is_ok();
                let text = if is_address { address } else { words.join(" ") };
                self.to.insert_str(text);
            }
            Field::Text => _ = self.text.insert_str(pasted.as_str()),
        }
        hidden
    }

    pub(in crate::tui) fn address(&self) -> String {
        self.to.lines().concat().trim().to_owned()
    }

    /// The text, without line feeds at its end: an editor shows one where there is none.
    pub(in crate::tui) fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(self.text.lines().join("\n"));
        let length = text.trim_end_matches('\n').len();
        text.truncate(length);
        text
    }

    /// Bytes of the text, and how many there may be.
    pub(in crate::tui) fn size(&self) -> (usize, usize) {
        (self.text().len(), MAX_TEXT_BYTES)
    }

    pub(in crate::tui) fn is_empty(&self) -> bool {
        self.address().is_empty() && self.text().is_empty()
    }

    /// Address and text, if both can be sent. An address may be a name in `book`.
    pub(in crate::tui) fn ready(&self, book: &Book) -> Result<(Link, Text), Invalid> {
        let invalid = |field, why: String| Invalid { field, why };
        let address = self.address();
        if address.is_empty() {
            return Err(invalid(Field::To, "whom is it for?".to_owned()));
        }
        let link = link(&address, book).map_err(|why| invalid(Field::To, why))?;
        Ok((link, self.ready_text()?))
    }

    /// The text, if it can be sent.
    pub(in crate::tui) fn ready_text(&self) -> Result<Text, Invalid> {
        Text::new(self.text()).map_err(|fault| Invalid {
            field: Field::Text,
            why: fault.to_string(),
        })
    }
}

/// Who is meant, or why nobody is.
fn link(typed: &str, book: &Book) -> Result<Link, String> {
    let name = match typed.parse::<Recipient>() {
        Ok(Recipient::Address(link)) => return Ok(link),
        Ok(Recipient::Name(name)) => name,
        Err(fault) => return Err(fault.to_string()),
    };
    let contact = book.get(&name).map_err(|fault| {
        let meant = did_you_mean(book, &name);
        let meant = meant.unwrap_or_else(|| "And it is no onion address.".to_owned());
        format!("{fault}. {meant}")
    })?;
    Ok(Link {
        target: contact.target(),
        invitation: contact.invitation().cloned(),
    })
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyModifiers;

    use super::*;
    use kkv_client::contacts::Contact;

    const ADDRESS: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

    fn typed(composer: &mut Composer, text: &str) {
        for c in text.chars() {
            let code = if c == '\n' {
                KeyCode::Enter
            } else {
                KeyCode::Char(c)
            };
            composer.input(KeyEvent::new(code, KeyModifiers::NONE));
        }
    }

    #[test]
    fn enter_goes_from_the_address_to_the_text_and_then_is_a_line() {
        let mut composer = Composer::new(1, "", "");
        typed(&mut composer, &format!("{ADDRESS}\none\ntwo"));
        let (link, text) = composer.ready(&Book::default()).unwrap();
        assert_eq!(link.target.to_string(), format!("{ADDRESS}:45069"));
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
            let mut composer = Composer::new(1, ADDRESS, "");
            composer.paste(&pasted);
            assert_eq!(*composer.text(), block.trim_end());
        }
    }

    #[test]
    fn nothing_is_sent_that_nobody_sees() {
        let mut composer = Composer::new(1, ADDRESS, "");
        let hidden = composer
            .paste("pay\u{200b} \u{202e}me\x1b[201~\tnow\u{a0}👩\u{200d}⚕\u{fe0f} می\u{200c}خواهم");
        assert_eq!(hidden, ['\u{200b}', '\u{202e}', '\x1b']);
        let text = composer.text();
        assert!(text.starts_with("pay me[201~"), "{text:?}");
        assert!(
            text.ends_with("now\u{a0}👩\u{200d}⚕\u{fe0f} می\u{200c}خواهم"),
            "{text:?}"
        );
        assert!(composer.paste("plain\nwords").is_empty());
    }

    #[test]
    fn what_was_done_to_a_field_is_taken_back_and_done_again() {
        let mut composer = Composer::new(1, ADDRESS, "from before\n");
        assert!(!composer.undo(), "what was there is not to be undone");
        typed(&mut composer, "words");
        composer.paste("a whole\nblock");
        let control = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        composer.input(control('u'));
        assert_eq!(*composer.text(), "from before\nwordsa whole");
        assert!(composer.undo());
        assert_eq!(*composer.text(), "from before\nwordsa whole\nblock");
        assert!(composer.undo());
        assert_eq!(*composer.text(), "from before\nwords");
        assert!(composer.undo());
        assert_eq!(*composer.text(), "from before", "a word at once");
        assert!(composer.redo());
        assert_eq!(*composer.text(), "from before\nwords");
        while composer.undo() {}
        assert_eq!(*composer.text(), "from before");
        // The address has changes of its own.
        composer.other_field();
        assert!(!composer.undo());
        composer.input(control('u'));
        assert!(composer.address().is_empty() && composer.undo());
        assert_eq!(composer.address(), ADDRESS);
    }

    #[test]
    fn an_address_that_was_pasted_in_two_lines_is_one() {
        let mut composer = Composer::new(1, "", "");
        let (first, second) = ADDRESS.split_at(30);
        composer.paste(&format!("  {first}\n{second}\n"));
        assert_eq!(composer.address(), ADDRESS);
    }

    #[test]
    fn what_is_missing_or_wrong_is_told_with_its_field() {
        for (to, text, field) in [
            ("", "text", Field::To),
            ("example.org", "text", Field::To),
            (ADDRESS, "", Field::Text),
            (ADDRESS, &"x".repeat(MAX_TEXT_BYTES + 1), Field::Text),
        ] {
            let invalid = Composer::new(1, to, text)
                .ready(&Book::default())
                .unwrap_err();
            assert_eq!(invalid.field, field, "{invalid:?}");
        }
        assert!(
            Composer::new(1, ADDRESS, &"x".repeat(MAX_TEXT_BYTES))
                .ready(&Book::default())
                .is_ok()
        );
    }

    #[test]
    fn a_contact_is_written_to_by_name_and_a_name_nearly_right_is_asked_about() {
        let mut book = Book::default();
        let alice = Contact::new("Alice".parse().unwrap(), ADDRESS.parse().unwrap(), None);
        book.add(alice).unwrap();
        let (link, _) = Composer::new(1, "alice", "text").ready(&book).unwrap();
        assert_eq!(link.target, ADDRESS.parse().unwrap());
        for (typed, why) in [
            ("Alicce", "Did you mean Alice?"),
            ("Bob", "no contact 'Bob'"),
        ] {
            let invalid = Composer::new(1, typed, "text").ready(&book).unwrap_err();
            assert_eq!(invalid.field, Field::To);
            assert!(invalid.why.contains(why), "{invalid:?}");
        }
    }

    #[test]
    fn an_invitation_that_is_pasted_or_a_contacts_goes_with_the_message() {
        let link = format!("{ADDRESS}+aaaaaaaaaaaaaaaaaaaaaaaaadvanoxi");
        let mut composer = Composer::new(1, "", "text");
        let (first, second) = link.split_at(70);
        composer.paste(&format!("{first}\n{second}\n"));
        assert_eq!(composer.address(), link);
        let (typed, _) = composer.ready(&Book::default()).unwrap();
        assert!(typed.target == ADDRESS.parse().unwrap() && typed.invitation.is_some());
        let mut book = Book::default();
        let alice = Contact::of_link("Alice".parse().unwrap(), typed.clone(), None);
        book.add(alice).unwrap();
        let (named, _) = Composer::new(1, "alice", "text").ready(&book).unwrap();
        assert_eq!(named.invitation, typed.invitation);
        let (alone, _) = Composer::new(1, ADDRESS, "text").ready(&book).unwrap();
        assert_eq!(alone.invitation, None);
        let invalid = Composer::new(1, &link.replace("noxi", "noxx"), "text").ready(&book);
        let invalid = invalid.unwrap_err();
        assert_eq!(invalid.field, Field::To);
        assert!(invalid.why.contains("the address is right"), "{invalid:?}");
    }

    #[test]
    fn what_was_written_is_there_again() {
        let text = "one\n\n  two";
        let composer = Composer::new(1, ADDRESS, text);
        assert_eq!(
            (composer.address().as_str(), composer.text().as_str()),
            (ADDRESS, text)
        );
        assert_eq!(composer.size(), (text.len(), MAX_TEXT_BYTES));
        assert!(Composer::new(1, "", "").is_empty());
    }
}
