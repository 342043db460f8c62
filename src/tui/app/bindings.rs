//! What each key does on each screen: one table of the keys, of when they do something, of what they do, and of the
//! words for them in the bar at the bottom and on the page of all keys.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::App;
use crate::tui::event::Effect;
use crate::tui::state::screen::Screen;

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Action {
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
    Answer,
    AskForAnswer,
    Look,
    Words,
    Details,
    Mark,
    Delete,
    Pick,
    DeleteAll,
    /// Type what is looked for.
    Search,
    /// Look for it.
    StartSearch,
    Copy,
    CopyLink,
    CopyAddress,
    Outbox,
    StartRelay,
    Contacts,
    Add,
    Rename,
    Verify,
    Save,
    AskWhereToSave,
    SaveFiles,
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

/// A key, and what is held down with it.
type Key = (KeyCode, KeyModifiers);

/// Keys that all do the same.
pub(in crate::tui) struct Binding {
    pub(in crate::tui) action: Action,
    keys: &'static [Key],
    /// How the keys are written.
    pub(in crate::tui) keys_shown: &'static str,
    /// What they do, in a word or two for the bar; nothing if it isn't shown there.
    pub(in crate::tui) short: &'static str,
    /// What they do, for the page of all keys.
    pub(in crate::tui) long: &'static str,
    /// Whether they do more now than to say why not.
    is_available: fn(&App) -> bool,
    run: fn(&mut App) -> Vec<Effect>,
}

/// What methods that do something give back.
trait IntoEffects {
    fn into_effects(self) -> Vec<Effect>;
}

impl IntoEffects for () {
    fn into_effects(self) -> Vec<Effect> {
        Vec::new()
    }
}

impl IntoEffects for Vec<Effect> {
    fn into_effects(self) -> Vec<Effect> {
        self
    }
}

const PLAIN: KeyModifiers = KeyModifiers::NONE;
const SHIFT: KeyModifiers = KeyModifiers::SHIFT;
const CONTROL: KeyModifiers = KeyModifiers::CONTROL;

const ENTER: Key = (KeyCode::Enter, PLAIN);
const ESC: Key = (KeyCode::Esc, PLAIN);
const TAB: Key = (KeyCode::Tab, PLAIN);
const BACK_TAB: Key = (KeyCode::BackTab, SHIFT);
const BACKSPACE: Key = (KeyCode::Backspace, PLAIN);
const DELETE: Key = (KeyCode::Delete, PLAIN);
const UP: Key = (KeyCode::Up, PLAIN);
const DOWN: Key = (KeyCode::Down, PLAIN);
const LEFT: Key = (KeyCode::Left, PLAIN);
const RIGHT: Key = (KeyCode::Right, PLAIN);
const PAGE_UP: Key = (KeyCode::PageUp, PLAIN);
const PAGE_DOWN: Key = (KeyCode::PageDown, PLAIN);
const HOME: Key = (KeyCode::Home, PLAIN);
const END: Key = (KeyCode::End, PLAIN);
const F1: Key = (KeyCode::F(1), PLAIN);

const fn key(letter: char) -> Key {
    (KeyCode::Char(letter), PLAIN)
}

const fn control(letter: char) -> Key {
    (KeyCode::Char(letter), CONTROL)
}

/// `Action if condition => method: keys, how they are written, word for the bar, words for the page of keys;` where
/// condition and method are [`App`]'s.
macro_rules! bindings {
    ($($action:ident $(if $when:ident)? => $run:ident: $keys:expr, $shown:literal, $short:literal, $long:literal;)*) => {
        &[$(Binding {
            action: Action::$action,
            keys: &$keys,
            keys_shown: $shown,
            short: $short,
            long: $long,
            is_available: bindings!(@condition $($when)?),
            run: |app| App::$run(app).into_effects(),
        }),*]
    };
    (@condition) => { |_| true };
    (@condition $when:ident) => { App::$when };
}

static INBOX: &[Binding] = bindings! {
    Open if has_messages => open_selected: [ENTER, key('l'), RIGHT], "Enter", "read", "read the message";
    Answer if can_answer => answer_message: [key('r')], "r", "reply", "answer it, if it is marked ↩";
    Write => write: [key('c')], "c", "write", "write a message to somebody";
    Delete if has_messages => ask_to_delete: [key('d'), DELETE], "d", "delete", "delete the message";
    Mark if has_messages => mark: [key('u')], "u", "unread", "mark it as unread, or as read";
    Outbox => show_outbox: [key('o')], "o", "sent", "what you have written, and what has become of it";
    Contacts => show_contacts: [key('a')], "a", "contacts", "whom you know";
    Quit => quit: [key('q')], "q", "quit", "leave; your relay runs on";
    Search if can_search => edit_search: [key('/')], "/", "search", "look for messages by words";
    CopyAddress if has_address => copy_address:
        [key('y')], "y", "copy address", "copy your address to the clipboard";
    Details if has_messages => show_details: [key('i')], "i", "", "all that is known of the message";
    Pick => toggle_picked: [key(' ')], "Space", "", "pick several, which d and u act on; Esc picks none";
    Back if has_picked_or_found => back_in_inbox: [ESC], "Esc", "back", "pick none; then end the search";
    DeleteAll => ask_to_delete_all: [key('D')], "D", "", "delete every message in the list";
    StartRelay if can_start_relay => ask_to_start_relay:
        [key('s')], "s", "start your relay", "start your relay, if it isn't running";
    Down => down: [DOWN, key('j')], "↓ j", "", "to the next message";
    Up => up: [UP, key('k')], "↑ k", "", "to the message before";
    PageDown => page_down: [PAGE_DOWN, control('f')], "PgDn", "", "a page on";
    PageUp => page_up: [PAGE_UP, control('b')], "PgUp", "", "a page back";
    Top => top: [HOME, key('g')], "Home g", "", "to the first";
    Bottom => bottom: [END, key('G')], "End G", "", "to the last";
};

static SEARCH: &[Binding] = bindings! {
    StartSearch => start_search: [ENTER], "Enter", "search", "list the messages that have each of the words";
    Back => back: [ESC], "Esc", "back", "back to the list as it is";
};

static MESSAGE: &[Binding] = bindings! {
    Back => back: [ESC, key('h'), LEFT, key('q'), BACKSPACE], "Esc", "back", "back to the list";
    Down => down: [DOWN, key('j'), ENTER], "↓ j", "", "a line on";
    Up => up: [UP, key('k')], "↑ k", "", "a line back";
    PageDown => page_down: [PAGE_DOWN, control('f'), key(' ')], "Space", "on", "a page on";
    PageUp => page_up: [PAGE_UP, control('b')], "PgUp", "", "a page back";
    Top => top: [HOME, key('g')], "Home g", "", "to its beginning";
    Bottom => bottom: [END, key('G')], "End G", "", "to its end";
    Answer if can_answer => answer_message: [key('r')], "r", "reply", "answer it, if that was asked for";
    Next => open_next: [key('n'), key('J')], "n", "next", "the next message";
    Previous => open_previous: [key('p'), key('K')], "p", "previous", "the message before";
    AskWhereToSave if has_files => ask_where_to_save: [key('s')], "s", "save", "save its files in a directory";
    Delete => ask_to_delete_open: [key('d'), DELETE], "d", "delete", "delete it";
    Mark => mark_open: [key('u')], "u", "unread", "mark it as unread, or as read";
    Copy => copy: [key('y')], "y", "copy", "copy the text to the clipboard";
    Details => show_details: [key('i')], "i", "details", "all that is known of it, and its conversation";
    CopyLink => copy_link: [key('l')], "l", "", "copy a link in it, whole; again for the next";
    Add => add_contact: [key('a')], "a", "", "write down who signs with this key, as a contact";
    Write => write: [key('c')], "c", "", "write a message to somebody";
    Outbox => show_outbox: [key('o')], "o", "", "what you have written, and what has become of it";
};

static SAVING: &[Binding] = bindings! {
    SaveFiles => save_files: [ENTER], "Enter", "save", "save the files there, over none that is there already";
    Back => back: [ESC], "Esc", "back", "back to the message, without";
};

static COMPOSER: &[Binding] = bindings! {
    Send => send: [control('s')], "Ctrl-S", "send", "send it";
    OtherField if has_two_fields => other_field: [TAB, BACK_TAB], "Tab", "address/text", "from the address to the text, and back";
    AskForAnswer if can_ask_for_answer => toggle_answer:
        [control('t')], "Ctrl-T", "answer?", "ask for an answer to it, or don't";
    Back => back: [ESC], "Esc", "put it aside", "put it aside: it is kept until you end kkvc";
    // The byte that terminals send for it is called Ctrl-7, see `terminal::decode`.
    Undo => undo:
        [control('7'), control('_')], "Ctrl-_", "undo", "take the last change back (so does Ctrl-/ on most terminals)";
    Redo => redo: [control('r')], "Ctrl-R", "", "do again what was taken back";
};

static OUTBOX: &[Binding] = bindings! {
    Open if can_edit_outgoing => edit_outgoing:
        [ENTER], "Enter", "open", "go on writing it, if it was not delivered";
    Answer if awaits_answer => write_back: [key('r')], "r", "reply", "write on in the same conversation";
    PageDown if has_more_status => status_down:
        [PAGE_DOWN, control('f'), key(' ')], "Space", "more", "on in what has become of it, and its answers";
    Look if awaits_answer => look_for_answers: [key('f')], "f", "fetch", "look for answers to it now";
    Words if has_words => show_words:
        [key('w')], "w", "words", "the 12 words that open its answers, to be written down";
    Write => write: [key('c')], "c", "write", "write another";
    Cancel if can_cancel => cancel: [key('x')], "x", "cancel", "cancel its delivery";
    Delete if can_forget => forget_outgoing: [key('d'), DELETE], "d", "forget", "forget it";
    Back => back: [ESC, key('h'), key('q'), LEFT], "Esc", "back", "back to the list of messages";
    Down => down: [DOWN, key('j')], "↓ j", "", "to the next";
    Up => up: [UP, key('k')], "↑ k", "", "to the one before";
    PageUp => status_up: [PAGE_UP, control('b')], "PgUp", "", "back in it";
    Top => top: [HOME, key('g')], "Home g", "", "to the first";
    Bottom => bottom: [END, key('G')], "End G", "", "to the last";
};

static CONTACTS: &[Binding] = bindings! {
    Open if has_contacts => write_to_selected: [ENTER, key('c')], "Enter", "write", "write them a message";
    Add => add_contact: [key('a')], "a", "add", "add a contact";
    Verify if has_contacts => ask_to_verify:
        [key('v')], "v", "compare", "compare the words of their address with those on their card";
    Rename if has_contacts => rename_contact: [key('r')], "r", "rename", "give them another name";
    Delete if has_contacts => ask_to_remove_contact: [key('d'), DELETE], "d", "remove", "remove them";
    Back => back: [ESC, key('h'), key('q'), LEFT], "Esc", "back", "back to the list of messages";
    Down => down: [DOWN, key('j')], "↓ j", "", "to the next";
    Up => up: [UP, key('k')], "↑ k", "", "to the one before";
    Top => top: [HOME, key('g')], "Home g", "", "to the first";
    Bottom => bottom: [END, key('G')], "End G", "", "to the last";
};

static CONTACT_FORM: &[Binding] = bindings! {
    Save => save_contact: [control('s')], "Ctrl-S", "save", "keep it (so does Enter in the last line)";
    OtherField => next_line: [TAB, BACK_TAB], "Tab", "next line", "to the next line (so does Enter)";
    Back => back: [ESC], "Esc", "leave it", "back to the contacts, without it";
};

/// Where no text is written.
static READING: &[Binding] = bindings! {
    Help => show_help: [key('?'), F1], "?", "keys", "this page; letters that aren't Latin count by their key";
};

/// Where text is written, and letters are letters.
static WRITING: &[Binding] = bindings! {
    Help => show_help: [F1], "F1", "keys", "this page";
};

/// On every screen.
static ALWAYS: &[Binding] = bindings! {
    Quit => quit: [control('c'), control('q')], "Ctrl-C", "", "leave; your relay runs on";
    Suspend => suspend: [control('z')], "Ctrl-Z", "", "back to the shell, until you type fg";
    Redraw => redraw: [control('l')], "Ctrl-L", "", "draw the screen anew";
};

impl Binding {
    /// Whether it is not of one screen alone.
    pub(in crate::tui) fn is_common(&self) -> bool {
        [READING, WRITING, ALWAYS]
            .into_iter()
            .flatten()
            .any(|common| std::ptr::eq(common, self))
    }

    /// Whether who doesn't know it can't do what the screen is for, or not leave it.
    pub(in crate::tui) fn is_needed(&self) -> bool {
        matches!(
            self.action,
            Action::Quit | Action::StartRelay | Action::Send | Action::Save | Action::OtherField
        )
    }

    /// Whether it does more now than to say why not.
    pub(in crate::tui) fn is_available(&self, app: &App) -> bool {
        (self.is_available)(app)
    }

    pub(super) fn run(&self, app: &mut App) -> Vec<Effect> {
        (self.run)(app)
    }
}

/// Those of one screen alone, what is most used first.
fn own(screen: Screen) -> &'static [Binding] {
    match screen {
        Screen::Inbox => INBOX,
        Screen::Search => SEARCH,
        Screen::Message => MESSAGE,
        Screen::Saving => SAVING,
        Screen::Outbox => OUTBOX,
        Screen::Composer => COMPOSER,
        Screen::Contacts => CONTACTS,
        Screen::ContactForm => CONTACT_FORM,
    }
}

/// All that can be pressed on a screen, what is most used first.
pub(in crate::tui) fn bindings(screen: Screen) -> impl Iterator<Item = &'static Binding> {
    let common = if screen.is_for_writing() {
        WRITING
    } else {
        READING
    };
    own(screen).iter().chain(common).chain(ALWAYS)
}

/// What this key does on a screen, if anything.
pub(super) fn binding(screen: Screen, pressed: KeyEvent) -> Option<&'static Binding> {
    // A capital letter may come with or without its Shift.
    let modifiers = match pressed.code {
        KeyCode::Char(_) => pressed.modifiers - KeyModifiers::SHIFT,
        _ => pressed.modifiers,
    };
    let pressed = (pressed.code, modifiers);
    bindings(screen).find(|binding| binding.keys.contains(&pressed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREENS: [Screen; 8] = [
        Screen::Inbox,
        Screen::Search,
        Screen::Message,
        Screen::Saving,
        Screen::Composer,
        Screen::Outbox,
        Screen::Contacts,
        Screen::ContactForm,
    ];

    fn action(screen: Screen, code: KeyCode, modifiers: KeyModifiers) -> Option<Action> {
        binding(screen, KeyEvent::new(code, modifiers)).map(|binding| binding.action)
    }

    #[test]
    fn vim_keys_and_arrows_do_the_same() {
        for (letter, arrow) in [
            ('j', KeyCode::Down),
            ('k', KeyCode::Up),
            ('g', KeyCode::Home),
        ] {
            for screen in [Screen::Inbox, Screen::Message, Screen::Outbox] {
                let arrow = action(screen, arrow, PLAIN);
                assert!(arrow.is_some());
                assert_eq!(action(screen, KeyCode::Char(letter), PLAIN), arrow);
            }
        }
    }

    #[test]
    fn a_capital_letter_counts_with_and_without_shift() {
        for modifiers in [PLAIN, SHIFT] {
            let found = action(Screen::Inbox, KeyCode::Char('D'), modifiers);
            assert_eq!(found, Some(Action::DeleteAll));
        }
    }

    #[test]
    fn no_letter_does_anything_where_text_is_written() {
        for letter in (' '..='~').chain(['é', '日']) {
            for screen in SCREENS.into_iter().filter(|screen| screen.is_for_writing()) {
                assert_eq!(
                    action(screen, KeyCode::Char(letter), PLAIN),
                    None,
                    "{letter}"
                );
            }
        }
    }

    #[test]
    fn no_key_has_two_meanings_on_one_screen_and_each_is_explained() {
        for screen in SCREENS {
            let mut seen = Vec::new();
            for binding in own(screen) {
                assert!(!binding.long.is_empty() && !binding.keys_shown.is_empty());
                for key in binding.keys {
                    assert!(!seen.contains(key), "{screen:?}: {key:?}");
                    seen.push(*key);
                }
            }
        }
    }
}
