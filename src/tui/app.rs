//! What the client knows, and what each event changes in it. Nothing here waits or reaches outside: what is to be done
//! is given as [`Effect`]s.

mod actions;
pub(super) mod answering;
mod answers;
pub(super) mod awaiting;
pub(super) mod bindings;
mod contacts;
mod delivery_events;
pub(super) mod details;
mod hints;
mod in_doubt;
mod input;
mod navigation;
mod paste;
mod relay_events;
mod saving;
mod search;
mod writing;

use super::event::{Effect, Event, Input};
use super::keyboard_layout::KeyboardLayout;
use super::state::areas::Areas;
use super::state::awaited::Awaited;
use super::state::composer::Composer;
use super::state::contact_form::ContactForm;
use super::state::contact_list::ContactList;
use super::state::conversation::SealingTimes;
use super::state::inbox::Inbox;
use super::state::note::{Note, Topic};
use super::state::outbox::Outbox;
use super::state::overlay_page::OverlayPage;
use super::state::question::{Question, Questions};
use super::state::reading::Reading;
use super::state::relay::RelayState;
use super::state::saving::Saving;
use super::state::screen::Screen;
use super::state::search::Search;
use super::terminal::clipboard::Clipboard;
use super::theme::Theme;
use kkv_protocol::ids::RelayId;
use kkv_relay::queue::MessageId;

/// Everything that is known here.
pub(super) struct App {
    pub(super) theme: Theme,
    pub(super) relay: RelayState,
    pub(super) inbox: Inbox,
    pub(super) search: Search,
    pub(super) reading: Option<Reading>,
    /// Where its files are to be saved, while that is typed.
    pub(super) saving: Option<Saving>,
    pub(super) composer: Option<Composer>,
    pub(super) outbox: Outbox,
    /// Conversations that were begun here.
    pub(super) awaited: Awaited,
    /// When answers were sealed here.
    pub(super) sealing_times: SealingTimes,
    pub(super) contacts: ContactList,
    pub(super) contact_form: Option<ContactForm>,
    /// The screen that keys go to, and where one comes back to from writing.
    pub(super) screen: Screen,
    previous_screen: Screen,
    pub(super) questions: Questions,
    /// Whether a question was closed before the keys had rested: what comes in the same burst was meant neither for it
    /// nor for what is below.
    ignores_burst: bool,
    /// What deliveries ask, until one looks at them.
    pending_questions: Vec<(u64, Question)>,
    /// Whether something was pasted and no key has rested since: until then keys are no commands, see [`paste`].
    pub(super) is_pasting: bool,
    /// The message that was asked for last.
    requested: Option<MessageId>,
    /// The page that stands over the screen, if one does.
    pub(super) overlay: Option<OverlayPage>,
    pub(super) note: Option<Note>,
    /// What is copied goes this way.
    pub(super) clipboard: Clipboard,
    /// What letters of other keyboards count as, where nothing is written.
    pub(super) keyboard: KeyboardLayout,
    /// Whether every option that a text names is one of the interactive client, too.
    pub(super) takes_options: fn(&str) -> bool,
    /// The newest message that was seen, and of which relay: what comes after it is new.
    last_seen: Option<(RelayId, Option<MessageId>)>,
    /// Where things are on the screen, for the mouse.
    pub(super) areas: Areas,
}

impl App {
    pub(super) fn new(theme: Theme, contacts: ContactList) -> Self {
        Self {
            theme,
            relay: RelayState::Unknown,
            inbox: Inbox::default(),
            search: Search::default(),
            reading: None,
            saving: None,
            composer: None,
            outbox: Outbox::default(),
            awaited: Awaited::default(),
            sealing_times: SealingTimes::default(),
            contacts,
            contact_form: None,
            screen: Screen::Inbox,
            previous_screen: Screen::Inbox,
            questions: Questions::default(),
            ignores_burst: false,
            pending_questions: Vec::new(),
            requested: None,
            is_pasting: false,
            overlay: None,
            note: None,
            clipboard: Clipboard::default(),
            keyboard: KeyboardLayout::default(),
            takes_options: |_| true,
            last_seen: None,
            areas: Areas::default(),
        }
    }

    /// Whether something waits until the keys have rested.
    pub(super) fn waits_for_rest(&self) -> bool {
        self.ignores_keys() || self.question_waits_for_rest()
    }

    /// Whether keys do nothing until they have rested.
    pub(super) fn ignores_keys(&self) -> bool {
        self.is_pasting || self.ignores_burst
    }

    /// Whether something is asked that takes no answer until the keys have rested.
    fn question_waits_for_rest(&self) -> bool {
        !self.questions.is_empty() && !self.questions.is_answerable()
    }

    /// Takes an event into account. What is to be done about it.
    pub(super) fn update(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Inputs(inputs) => {
                let effects = inputs.into_iter().flat_map(|input| self.input(input));
                effects.collect()
            }
            Event::KeysRested => {
                self.questions.keys_rested();
                self.is_pasting = false;
                self.ignores_burst = false;
                Vec::new()
            }
            Event::Relay(event) => self.on_relay_event(event),
            Event::Delivery(event) => self.on_delivery_event(event),
            Event::Contacts(event) => self.on_contacts_event(event),
            Event::Answers(event) => self.on_answers_event(event),
        }
    }

    /// Takes into account what the terminal says.
    pub(super) fn input(&mut self, input: Input) -> Vec<Effect> {
        match input {
            Input::Key(key) => return self.key(key),
            Input::Mouse(mouse) => return self.mouse(mouse),
            Input::Paste(text) => self.paste(&text),
            Input::PasteCut => self.notify_of_cut_paste(),
            Input::PasteStalled => self.notify_of_stalled_paste(),
            Input::PasteEnded => self.end_paste(),
        }
        Vec::new()
    }

    /// The run of the relay whose messages are shown: effects on them are for no other.
    pub(super) fn run(&self) -> Option<RelayId> {
        match &self.relay {
            RelayState::Running(status) => Some(status.relay),
            RelayState::Unknown | RelayState::Unreachable { .. } => None,
        }
    }

    /// Says what has happened, until the next key.
    fn inform(&mut self, text: impl Into<String>) {
        self.notify_about(Topic::Anything, true, text);
    }

    /// Says what did not work, or needs attention, until the next key.
    fn warn(&mut self, text: impl Into<String>) {
        self.notify_about(Topic::Anything, false, text);
    }

    /// Says what has happened, until that is over.
    fn notify_about(&mut self, topic: Topic, good: bool, text: impl Into<String>) {
        let text = text.into();
        self.note = Some(Note { text, good, topic });
    }

    /// Says something of the relay that is there, for as long as it is.
    fn notify_of_relay(&mut self, good: bool, text: impl Into<String>) {
        self.notify_about(Topic::Relay, good, text);
    }

    /// What is told of this is over.
    fn clear_note_about(&mut self, topic: Topic) {
        self.note = self.note.take().filter(|note| note.topic != topic);
    }

    /// Says something of a relay that isn't there, until one is.
    fn notify_of_absence(&mut self, good: bool, text: impl Into<String>) {
        self.notify_about(Topic::Absence, good, text);
    }

    /// Asks a question after all that are asked already.
    fn ask(&mut self, question: Question) {
        self.questions.ask(question);
    }
}

#[cfg(test)]
mod pictures;
#[cfg(test)]
pub(super) mod tests;
