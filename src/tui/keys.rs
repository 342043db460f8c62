//! What each key does where: one table for what is done, for the bar at the bottom and for the page of all keys.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Something that a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Open,
    Back,
    Next,
    Previous,
    Write,
    Mark,
    Delete,
    Pick,
    DeleteAll,
    /// Type what is looked for.
    Find,
    /// Look for it.
    Look,
    Copy,
    CopyLink,
    CopyAddress,
    Outbox,
    Start,
    People,
    Add,
    Rename,
    Verify,
    Save,
    Send,
    OtherField,
    Undo,
    Redo,
    Cancel,
    Help,
    Suspend,
    Redraw,
    Quit,
}

/// A screen with keys of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Inbox,
    /// The same, while one types what is looked for.
    Find,
    Message,
    Compose,
    Outbox,
    /// The contacts.
    People,
    /// One of them, being written down.
    Person,
}

/// Keys that all do the same.
pub(super) struct Binding {
    keys: &'static [(KeyCode, KeyModifiers)],
    /// How the keys are written.
    pub(super) keys_shown: &'static str,
    /// What they do, in a word or two for the bar; nothing if it isn't shown there.
    pub(super) short: &'static str,
    /// What they do, for the page of all keys.
    pub(super) long: &'static str,
    pub(super) act: Act,
}

const PLAIN: KeyModifiers = KeyModifiers::NONE;
const CONTROL: KeyModifiers = KeyModifiers::CONTROL;

const fn key(letter: char) -> (KeyCode, KeyModifiers) {
    (KeyCode::Char(letter), PLAIN)
}

const fn control(letter: char) -> (KeyCode, KeyModifiers) {
    (KeyCode::Char(letter), CONTROL)
}

const fn named(code: KeyCode) -> (KeyCode, KeyModifiers) {
    (code, PLAIN)
}

macro_rules! bindings {
    ($($act:ident: $keys:expr, $shown:literal, $short:literal, $long:literal;)*) => {
        &[$(Binding { keys: &$keys, keys_shown: $shown, short: $short, long: $long, act: Act::$act }),*]
    };
}

const INBOX: &[Binding] = bindings! {
    Open: [named(KeyCode::Enter), key('l'), named(KeyCode::Right)], "Enter", "read", "read the message";
    Write: [key('c')], "c", "write", "write a message to somebody";
    Delete: [key('d'), named(KeyCode::Delete)], "d", "delete", "delete the message";
    Mark: [key('u')], "u", "unread", "mark it as unread, or as read";
    Outbox: [key('o')], "o", "sent", "what you have written, and what has become of it";
    People: [key('a')], "a", "contacts", "whom you know";
    Quit: [key('q')], "q", "quit", "leave; your relay runs on";
    Find: [key('/')], "/", "search", "look for messages by words";
    CopyAddress: [key('y')], "y", "copy address", "copy your address to the clipboard";
    Pick: [key(' ')], "Space", "", "pick several, which d and u act on; Esc picks none";
    Back: [named(KeyCode::Esc)], "Esc", "back", "pick none; then end the search";
    DeleteAll: [key('D')], "D", "", "delete every message in the list";
    Start: [key('s')], "s", "start your relay", "start your relay, if it isn't running";
    Down: [named(KeyCode::Down), key('j')], "↓ j", "", "to the next message";
    Up: [named(KeyCode::Up), key('k')], "↑ k", "", "to the message before";
    PageDown: [named(KeyCode::PageDown), control('f')], "PgDn", "", "a page on";
    PageUp: [named(KeyCode::PageUp), control('b')], "PgUp", "", "a page back";
    Top: [named(KeyCode::Home), key('g')], "Home g", "", "to the first";
    Bottom: [named(KeyCode::End), key('G')], "End G", "", "to the last";
};

const FIND: &[Binding] = bindings! {
    Look: [named(KeyCode::Enter)], "Enter", "search", "list the messages that have each of the words";
    Back: [named(KeyCode::Esc)], "Esc", "back", "back to the list as it is";
};

const MESSAGE: &[Binding] = bindings! {
    Back: [named(KeyCode::Esc), key('h'), named(KeyCode::Left), key('q'), named(KeyCode::Backspace)], "Esc", "back", "back to the list";
    Down: [named(KeyCode::Down), key('j'), named(KeyCode::Enter)], "↓ j", "", "a line on";
    Up: [named(KeyCode::Up), key('k')], "↑ k", "", "a line back";
    PageDown: [named(KeyCode::PageDown), control('f'), key(' ')], "Space", "on", "a page on";
    PageUp: [named(KeyCode::PageUp), control('b')], "PgUp", "", "a page back";
    Top: [named(KeyCode::Home), key('g')], "Home g", "", "to its beginning";
    Bottom: [named(KeyCode::End), key('G')], "End G", "", "to its end";
    Next: [key('n'), key('J')], "n", "next", "the next message";
    Previous: [key('p'), key('K')], "p", "previous", "the message before";
    Delete: [key('d'), named(KeyCode::Delete)], "d", "delete", "delete it";
    Mark: [key('u')], "u", "unread", "mark it as unread, or as read";
    Copy: [key('y')], "y", "copy", "copy the text to the clipboard";
    CopyLink: [key('l')], "l", "", "copy a link in it, whole; again for the next";
    Add: [key('a')], "a", "", "write down who signs with this key, as a contact";
    Write: [key('c')], "c", "", "write a message to somebody";
    Outbox: [key('o')], "o", "", "what you have written, and what has become of it";
};

const COMPOSE: &[Binding] = bindings! {
    Send: [control('s')], "Ctrl-S", "send", "send it";
    OtherField: [named(KeyCode::Tab), (KeyCode::BackTab, KeyModifiers::SHIFT)], "Tab", "address/text", "from the address to the text, and back";
    Back: [named(KeyCode::Esc)], "Esc", "put it aside", "put it aside: it is kept until you end kkvc";
    // The byte that terminals send for it is called Ctrl-7 by the library.
    Undo: [control('7'), control('_')], "Ctrl-_", "undo", "take the last change back (so does Ctrl-/ on most terminals)";
    Redo: [control('r')], "Ctrl-R", "", "do again what was taken back";
};

const OUTBOX: &[Binding] = bindings! {
    Open: [named(KeyCode::Enter)], "Enter", "open", "go on writing it, if it was not delivered";
    Write: [key('c')], "c", "write", "write another";
    Cancel: [key('x')], "x", "cancel", "cancel its delivery";
    Delete: [key('d'), named(KeyCode::Delete)], "d", "forget", "forget it";
    Back: [named(KeyCode::Esc), key('h'), key('q'), named(KeyCode::Left)], "Esc", "back", "back to the list of messages";
    Down: [named(KeyCode::Down), key('j')], "↓ j", "", "to the next";
    Up: [named(KeyCode::Up), key('k')], "↑ k", "", "to the one before";
    PageDown: [named(KeyCode::PageDown), control('f'), key(' ')], "Space", "", "on in what has become of it";
    PageUp: [named(KeyCode::PageUp), control('b')], "PgUp", "", "back in it";
    Top: [named(KeyCode::Home), key('g')], "Home g", "", "to the first";
    Bottom: [named(KeyCode::End), key('G')], "End G", "", "to the last";
};

const PEOPLE: &[Binding] = bindings! {
    Open: [named(KeyCode::Enter), key('c')], "Enter", "write", "write them a message";
    Add: [key('a')], "a", "add", "add a contact";
    Verify: [key('v')], "v", "compare", "compare the words of their address with those on their card";
    Rename: [key('r')], "r", "rename", "give them another name";
    Delete: [key('d'), named(KeyCode::Delete)], "d", "remove", "remove them";
    Back: [named(KeyCode::Esc), key('h'), key('q'), named(KeyCode::Left)], "Esc", "back", "back to the list of messages";
    Down: [named(KeyCode::Down), key('j')], "↓ j", "", "to the next";
    Up: [named(KeyCode::Up), key('k')], "↑ k", "", "to the one before";
    Top: [named(KeyCode::Home), key('g')], "Home g", "", "to the first";
    Bottom: [named(KeyCode::End), key('G')], "End G", "", "to the last";
};

const PERSON: &[Binding] = bindings! {
    Save: [control('s')], "Ctrl-S", "save", "keep it (so does Enter in the last line)";
    OtherField: [named(KeyCode::Tab), (KeyCode::BackTab, KeyModifiers::SHIFT)], "Tab", "next line", "to the next line (so does Enter)";
    Back: [named(KeyCode::Esc)], "Esc", "leave it", "back to the contacts, without it";
};

/// Where no text is written.
const READING: &[Binding] = bindings! {
    Help: [key('?'), named(KeyCode::F(1))], "?", "keys", "this page; letters that aren't Latin count by their key";
};

/// Where text is written, and letters are letters.
const WRITING: &[Binding] = bindings! {
    Help: [named(KeyCode::F(1))], "F1", "keys", "this page";
};

/// On every screen.
const ALWAYS: &[Binding] = bindings! {
    Quit: [control('c'), control('q')], "Ctrl-C", "", "leave; your relay runs on";
    Suspend: [control('z')], "Ctrl-Z", "", "back to the shell, until you type fg";
    Redraw: [control('l')], "Ctrl-L", "", "draw the screen anew";
};

impl Binding {
    /// Whether it is not of one screen alone.
    pub(super) fn is_common(&self) -> bool {
        [READING, WRITING, ALWAYS]
            .into_iter()
            .flatten()
            .any(|common| std::ptr::eq(common, self))
    }

    /// Whether who doesn't know it can't do what the screen is for, or not leave it.
    pub(super) fn is_needed(&self) -> bool {
        let needed = [Act::Quit, Act::Start, Act::Send, Act::Save, Act::OtherField];
        needed.contains(&self.act)
    }
}

impl Place {
    /// All that can be pressed here, what is most used first.
    pub(super) fn bindings(self) -> impl Iterator<Item = &'static Binding> {
        let (own, common) = match self {
            Self::Inbox => (INBOX, READING),
            Self::Find => (FIND, WRITING),
            Self::Message => (MESSAGE, READING),
            Self::Outbox => (OUTBOX, READING),
            Self::Compose => (COMPOSE, WRITING),
            Self::People => (PEOPLE, READING),
            Self::Person => (PERSON, WRITING),
        };
        own.iter().chain(common).chain(ALWAYS)
    }

    /// Whether letters are text here.
    pub(super) fn is_for_writing(self) -> bool {
        matches!(self, Self::Compose | Self::Person | Self::Find)
    }

    /// What this key asks for here.
    pub(super) fn act(self, pressed: KeyEvent) -> Option<Act> {
        // A capital letter may come with or without its Shift.
        let modifiers = match pressed.code {
            KeyCode::Char(_) => pressed.modifiers - KeyModifiers::SHIFT,
            _ => pressed.modifiers,
        };
        let pressed = (pressed.code, modifiers);
        let binding = self
            .bindings()
            .find(|binding| binding.keys.contains(&pressed))?;
        Some(binding.act)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: [Place; 7] = [
        Place::Inbox,
        Place::Find,
        Place::Message,
        Place::Compose,
        Place::Outbox,
        Place::People,
        Place::Person,
    ];

    #[test]
    fn vim_keys_and_arrows_do_the_same() {
        for (letter, arrow) in [
            ('j', KeyCode::Down),
            ('k', KeyCode::Up),
            ('g', KeyCode::Home),
        ] {
            for place in [Place::Inbox, Place::Message, Place::Outbox] {
                let act = |code| place.act(KeyEvent::new(code, PLAIN));
                assert!(act(arrow).is_some());
                assert_eq!(act(KeyCode::Char(letter)), act(arrow), "{place:?}");
            }
        }
    }

    #[test]
    fn a_capital_letter_counts_with_and_without_shift() {
        for modifiers in [PLAIN, KeyModifiers::SHIFT] {
            let pressed = KeyEvent::new(KeyCode::Char('D'), modifiers);
            assert_eq!(Place::Inbox.act(pressed), Some(Act::DeleteAll));
        }
    }

    #[test]
    fn no_letter_does_anything_where_text_is_written() {
        for letter in (' '..='~').chain(['é', '日']) {
            let pressed = KeyEvent::new(KeyCode::Char(letter), PLAIN);
            for place in [Place::Compose, Place::Person, Place::Find] {
                assert_eq!(place.act(pressed), None, "{letter}");
            }
        }
    }

    #[test]
    fn no_key_has_two_meanings_on_one_screen_and_each_is_explained() {
        for place in PLACES {
            let own = match place {
                Place::Inbox => INBOX,
                Place::Find => FIND,
                Place::Message => MESSAGE,
                Place::Compose => COMPOSE,
                Place::Outbox => OUTBOX,
                Place::People => PEOPLE,
                Place::Person => PERSON,
            };
            let mut seen = Vec::new();
            for binding in own {
                assert!(!binding.long.is_empty() && !binding.keys_shown.is_empty());
                for key in binding.keys {
                    assert!(!seen.contains(key), "{place:?}: {key:?}");
                    seen.push(*key);
                }
            }
        }
    }
}
