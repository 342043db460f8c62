//! What is on the screen, and what each event changes. Nothing here waits or reaches outside: what is to be done is
//! given as [`Order`]s.

mod deeds;
mod finding;
mod folks;
mod hands;
mod news;
mod offers;
mod pages;
mod pasted;

use crossterm::event::{KeyEvent, MouseEvent};
use zeroize::Zeroizing;

use super::ask::{Question, Questions};
use super::clipboard::Clipboard;
use super::compose::Compose;
use super::draw::Areas;
use super::inbox::Inbox;
use super::keys::Place;
use super::layout::Layout;
use super::link::News;
use super::outbox::{Outbox, Stage};
use super::people::{Change, Kept, People};
use super::person::Person;
use super::post::Told;
use super::reading::Reading;
use super::search::{Look, Search};
use super::theme::Theme;
use crate::contacts::{Book, Name};
use crate::private::Private;
use crate::protocol::ids::RelayId;
use crate::protocol::text::Text;
use crate::queue::MessageId;
use crate::tor::Target;
use kkv_owner::{Delete, Status};
use kkv_terminal::visible::OneLine;

/// Everything that is known here.
pub(super) struct App {
    pub(super) theme: Theme,
    pub(super) relay: RelayState,
    pub(super) inbox: Inbox,
    pub(super) search: Search,
    pub(super) reading: Option<Reading>,
    pub(super) compose: Option<Compose>,
    pub(super) outbox: Outbox,
    pub(super) people: People,
    pub(super) person: Option<Person>,
    /// The screen that keys go to, and where one comes back to from writing.
    pub(super) place: Place,
    before: Place,
    pub(super) questions: Questions,
    /// Whether a question was closed before the keys had rested: what comes in the same burst was meant neither for it
    /// nor for what is below.
    is_hushed: bool,
    /// What deliveries ask, until one looks at them.
    waiting: Vec<(u64, Question)>,
    /// Whether something was pasted and no key has rested since: until then keys are no commands, see [`pasted`].
    pub(super) is_pasting: bool,
    /// The message that was asked for last.
    wanted: Option<MessageId>,
    /// The page of all keys, if it is there: its first line on the screen.
    pub(super) help: Option<usize>,
    pub(super) note: Option<Note>,
    /// What is copied goes this way.
    /// Whether every option that a text names is one of the interactive client, too.
    pub(super) takes_options: fn(&str) -> bool,
    pub(super) clipboard: Clipboard,
    /// What letters of other keyboards count as, where nothing is written.
    pub(super) layout: Layout,
    /// The newest message that was seen, and of which relay: what comes after it is new.
    newest: Option<(RelayId, Option<MessageId>)>,
    /// Where things are on the screen, for the mouse.
    pub(super) areas: Areas,
}

/// The owner's relay.
pub(super) enum RelayState {
    /// It has not answered yet.
    Asking,
    Here(Box<Status>),
    /// It isn't there: in words, and what may help.
    Away {
        what: String,
        hint: String,
        can_start: bool,
    },
}

/// One line about what has just happened, until the next key.
pub(super) struct Note {
    pub(super) text: String,
    pub(super) good: bool,
    about: About,
}

/// What a note is about, which may make it go before the next key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Anything,
    /// The relay that is there: nothing to say once it has ended.
    Relay,
    /// That none is there: nothing to say once one is.
    Absence,
    /// A paste that goes on: nothing to say once it is over.
    Paste,
}

/// Something happens.
pub(super) enum Event {
    Key(KeyEvent),
    Mouse(MouseEvent),
    /// Text was pasted: all of it, or what came before a pause.
    Paste(Zeroizing<String>),
    /// More was pasted than is taken.
    PasteCut,
    /// A paste has begun, and its end doesn't come.
    PasteStalled,
    /// Such a paste is over.
    PasteEnded,
    /// No key was pressed for a while.
    Rest,
    /// The relay, or a request to it.
    News(News),
    /// A delivery.
    Told(Told),
    /// What has come of a change of contacts.
    Kept(Box<Kept>),
    /// Another program has written the file of contacts: these are in it now, or why it can't be read.
    Contacts(Result<Box<Book>, String>),
}

/// What is to be done outside.
#[derive(Debug)]
pub(super) enum Order {
    /// Have this message read to us.
    Fetch(MessageId),
    /// See which of these messages have what is looked for.
    Look(Look),
    /// Nothing is looked for any more.
    LookNoMore,
    Mark(Vec<MessageId>, bool),
    Delete(Delete),
    Send {
        id: u64,
        target: Target,
        /// The contact with whom nothing less than kkv/2 is spoken.
        better: Option<Name>,
        text: Text,
    },
    Cancel(u64),
    /// Change the file of contacts.
    Keep(Change),
    Copy(Private<Zeroizing<String>>),
    /// Messages have come: ring the bell, if that is wished.
    Ring,
    StartRelay,
    Suspend,
    Redraw,
    Quit,
}

impl App {
    pub(super) fn new(theme: Theme, people: People) -> Self {
        Self {
            theme,
            relay: RelayState::Asking,
            inbox: Inbox::default(),
            search: Search::default(),
            reading: None,
            compose: None,
            outbox: Outbox::default(),
            people,
            person: None,
            place: Place::Inbox,
            before: Place::Inbox,
            questions: Questions::default(),
            is_hushed: false,
            waiting: Vec::new(),
            wanted: None,
            is_pasting: false,
            help: None,
            note: None,
            takes_options: |_| true,
            clipboard: Clipboard::default(),
            layout: Layout::default(),
            newest: None,
            areas: Areas::default(),
        }
    }

    /// Whether something waits until the keys have rested.
    pub(super) fn waits_for_rest(&self) -> bool {
        self.ignores_keys() || self.asks_in_vain()
    }

    /// Whether keys do nothing until they have rested.
    pub(super) fn ignores_keys(&self) -> bool {
        self.is_pasting || self.is_hushed
    }

    /// Whether something is asked that takes no answer until the keys have rested.
    fn asks_in_vain(&self) -> bool {
        !self.questions.is_empty() && !self.questions.is_answerable()
    }

    pub(super) fn take(&mut self, event: Event) -> Vec<Order> {
        match event {
            Event::Key(key) => self.key(key),
            Event::Rest => {
                self.questions.keys_rested();
                self.is_pasting = false;
                self.is_hushed = false;
                Vec::new()
            }
            Event::Mouse(mouse) => self.mouse(mouse),
            Event::Paste(text) => {
                self.paste(&text);
                Vec::new()
            }
            Event::PasteCut => {
                self.tell_of_cut();
                Vec::new()
            }
            Event::PasteStalled => {
                self.tell_of_stalled_paste();
                Vec::new()
            }
            Event::PasteEnded => {
                self.end_paste();
                Vec::new()
            }
            Event::News(news) => self.news(news),
            Event::Told(told) => self.told(told),
            Event::Kept(kept) => {
                self.changed(*kept);
                self.look_anew()
            }
            Event::Contacts(Ok(book)) => {
                self.people.set(*book);
                self.look_anew()
            }
            Event::Contacts(Err(why)) => {
                self.tell(
                    false,
                    format!("the file of contacts can't be read any more: {why}"),
                );
                Vec::new()
            }
        }
    }

    fn tell(&mut self, good: bool, text: impl Into<String>) {
        self.tell_about(About::Anything, good, text);
    }

    fn tell_about(&mut self, about: About, good: bool, text: impl Into<String>) {
        let text = text.into();
        self.note = Some(Note { text, good, about });
    }

    /// The run of the relay whose messages are shown: orders about them are for no other.
    pub(super) fn run(&self) -> Option<RelayId> {
        match &self.relay {
            RelayState::Here(status) => Some(status.relay),
            RelayState::Asking | RelayState::Away { .. } => None,
        }
    }

    /// The same of the relay that is there, for as long as it is.
    fn tell_of_relay(&mut self, good: bool, text: impl Into<String>) {
        self.tell_about(About::Relay, good, text);
    }

    /// What is told of this is over.
    fn tell_no_more(&mut self, about: About) {
        self.note = self.note.take().filter(|note| note.about != about);
    }

    /// The same of a relay that isn't there, until one is.
    fn tell_of_absence(&mut self, good: bool, text: impl Into<String>) {
        self.tell_about(About::Absence, good, text);
    }

    /// Asks what a delivery waits for, if that is what one looks at: keys for something else must not answer it.
    fn ask_what_waits(&mut self) {
        self.waiting.retain(|(_, question)| question.is_open());
        self.questions.retain(Question::is_open);
        let is_leaving = |question: &Question| matches!(question, Question::Quit { .. });
        if self.waiting.is_empty() || self.questions.iter().any(is_leaving) {
            return;
        }
        if self.place != Place::Outbox {
            self.tell(
                false,
                "a message that you are sending waits for your answer: o asks you",
            );
            return;
        }
        for (id, question) in self.waiting.drain(..) {
            self.outbox.choose(id);
            self.questions.ask(question);
        }
    }

    fn ask(&mut self, question: Question) {
        self.questions.ask(question);
    }

    fn told(&mut self, told: Told) -> Vec<Order> {
        match told {
            Told::Begun { id, step, at } => {
                self.set_stage(id, Stage::UnderWay(step));
                if let Some(letter) = self.outbox.get_mut(id) {
                    letter.at = Some(at);
                }
            }
            Told::Asks { id, words, answer } => {
                let to = self.outbox.get(id).map_or("somebody", |letter| &letter.to);
                let words = format!("To {}: {words}", OneLine(to));
                let letter = id;
                self.waiting.push((
                    id,
                    Question::Pay {
                        letter,
                        words,
                        answer,
                    },
                ));
                self.ask_what_waits();
            }
            Told::Accepted {
                id,
                words,
                target,
                suite,
            } => {
                if let Some(letter) = self.outbox.get_mut(id) {
                    letter.text = Zeroizing::default();
                }
                self.set_stage(id, Stage::Accepted(words));
                self.tell(true, "accepted: the message is in the inbox");
                if let Some(learnt) = self.people.learn(target, suite) {
                    return self.change(learnt);
                }
            }
            Told::Failed(id, mut failed) => {
                // What helps with the command may be an option that there is not here.
                failed.hint = failed.hint.filter(|hint| (self.takes_options)(hint));
                self.ask_what_waits();
                self.tell(false, failed.what.clone());
                self.set_stage(id, Stage::Failed(failed));
            }
        }
        Vec::new()
    }

    fn set_stage(&mut self, id: u64, stage: Stage) {
        if let Some(letter) = self.outbox.get_mut(id) {
            letter.stage = stage;
        }
    }
}

#[cfg(test)]
mod edges;
#[cfg(test)]
mod hasty;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod letters;
#[cfg(test)]
mod pictures;
#[cfg(test)]
mod sizes;
#[cfg(test)]
pub(super) mod tests;
#[cfg(test)]
mod widths;
#[cfg(test)]
mod writing;
