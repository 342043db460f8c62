//! What is on the screen, and what each event changes. Nothing here waits or reaches outside: what is to be done is given as [`Order`]s.

mod deeds;
mod folks;
mod hands;
mod offers;
mod pages;
mod pasted;

use std::collections::VecDeque;

use crossterm::event::{KeyEvent, MouseEvent};
use zeroize::Zeroizing;

use super::ask::Question;
use super::clipboard::Clipboard;
use super::compose::Compose;
use super::draw::Areas;
use super::inbox::Inbox;
use super::keys::Place;
use super::link::News;
use super::outbox::{Outbox, Stage};
use super::people::{Change, Kept, People};
use super::person::Person;
use super::post::Told;
use super::reading::Reading;
use super::theme::Theme;
use crate::cli::commands::options_are_of_the_screen;
use crate::cli::visible::OneLine;
use crate::contacts::Name;
use crate::owner::api::{Delete, List, Message, Status};
use crate::private::Private;
use crate::protocol::text::Text;
use crate::protocol::wire::Hex;
use crate::queue::MessageId;
use crate::tor::Target;

/// Everything that is known here.
pub(super) struct App {
    pub(super) theme: Theme,
    pub(super) relay: RelayState,
    pub(super) inbox: Inbox,
    pub(super) reading: Option<Reading>,
    pub(super) compose: Option<Compose>,
    pub(super) outbox: Outbox,
    pub(super) people: People,
    pub(super) person: Option<Person>,
    /// The screen that keys go to, and where one comes back to from writing.
    pub(super) place: Place,
    before: Place,
    /// Asked one after the other: the first is on the screen.
    pub(super) questions: VecDeque<Question>,
    /// Whether the first takes an answer: not before the keys have rested. What was pasted or typed fast was not meant for it.
    pub(super) is_answerable: bool,
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
    pub(super) clipboard: Clipboard,
    /// The newest message that was seen, and of which relay: what comes after it is new.
    newest: Option<(Hex<32>, Option<MessageId>)>,
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
}

/// Something happens.
pub(super) enum Event {
    Key(KeyEvent),
    Mouse(MouseEvent),
    Paste(Zeroizing<String>),
    /// No key was pressed for a while.
    Rest,
    /// The relay, or a request to it.
    News(News),
    /// A delivery.
    Told(Told),
    /// The file of contacts.
    Kept(Box<Kept>),
}

/// What is to be done outside.
#[derive(Debug)]
pub(super) enum Order {
    /// Have this message read to us.
    Fetch(MessageId),
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
            reading: None,
            compose: None,
            outbox: Outbox::default(),
            people,
            person: None,
            place: Place::Inbox,
            before: Place::Inbox,
            questions: VecDeque::new(),
            is_answerable: false,
            waiting: Vec::new(),
            wanted: None,
            is_pasting: false,
            help: None,
            note: None,
            clipboard: Clipboard::default(),
            newest: None,
            areas: Areas::default(),
        }
    }

    pub(super) fn take(&mut self, event: Event) -> Vec<Order> {
        let questions = self.questions.len();
        let orders = self.taken(event);
        if self.questions.len() != questions {
            self.is_answerable = false;
        }
        orders
    }

    /// Whether something waits until the keys have rested.
    pub(super) fn waits_for_rest(&self) -> bool {
        self.is_pasting || self.asks_in_vain()
    }

    /// Whether something is asked that takes no answer until the keys have rested.
    fn asks_in_vain(&self) -> bool {
        !self.questions.is_empty() && !self.is_answerable
    }

    fn taken(&mut self, event: Event) -> Vec<Order> {
        match event {
            Event::Key(key) => self.key(key),
            Event::Rest => {
                self.is_answerable = true;
                self.is_pasting = false;
                Vec::new()
            }
            Event::Mouse(mouse) => self.mouse(mouse),
            Event::Paste(text) => {
                self.paste(&text);
                Vec::new()
            }
            Event::News(news) => self.news(news),
            Event::Told(told) => self.told(told),
            Event::Kept(kept) => {
                self.changed(*kept);
                Vec::new()
            }
        }
    }

    fn tell(&mut self, good: bool, text: impl Into<String>) {
        let text = text.into();
        self.note = Some(Note { text, good });
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
            self.questions.push_back(question);
        }
    }

    fn ask(&mut self, question: Question) {
        self.questions.push_back(question);
    }

    fn news(&mut self, news: News) -> Vec<Order> {
        match news {
            News::Here(status, list) => {
                let is_another = match &self.relay {
                    RelayState::Here(before) => before.relay != status.relay,
                    RelayState::Away { .. } | RelayState::Asking => false,
                };
                if is_another {
                    self.forget_messages();
                }
                self.inbox.follow(list);
                let newest = self.inbox.messages().next().map(|message| message.id);
                let seen = self.newest.replace((status.relay, newest));
                let any_new = match seen {
                    None => false, // they were there before this was
                    Some((relay, seen)) if relay == status.relay => newest > seen,
                    Some(_) => newest.is_some(),
                };
                self.relay = RelayState::Here(status);
                self.close_if_gone();
                if any_new {
                    return vec![Order::Ring];
                }
            }
            News::How(status) => self.relay = RelayState::Here(status),
            News::Away {
                what,
                hint,
                can_start,
            } => {
                self.relay = RelayState::Away {
                    what,
                    hint,
                    can_start,
                };
                let had_some = !self.inbox.is_empty();
                self.forget_messages();
                if had_some && can_start {
                    self.tell(false, "your relay has ended, and its messages are gone");
                }
            }
            News::Message(message) => return self.show(*message),
            News::Done(what) => self.tell(true, what),
            News::Failed(why) => self.tell(false, why),
        }
        Vec::new()
    }

    /// The relay that had them has ended. The next one begins with number 1 again, so nothing that is asked about a number may reach it.
    fn forget_messages(&mut self) {
        self.wanted = None;
        self.questions
            .retain(|question| !question.is_about_messages());
        self.inbox.follow(List::default());
        self.close_if_gone();
    }

    fn close_if_gone(&mut self) {
        let Some(id) = self.reading.as_ref().map(|reading| reading.summary().id) else {
            return;
        };
        if self.inbox.messages().any(|message| message.id == id) {
            return;
        }
        self.reading = None;
        for place in [&mut self.place, &mut self.before] {
            if *place == Place::Message {
                *place = Place::Inbox;
            }
        }
        if self.note.is_none() {
            self.tell(true, format!("message {id} is gone"));
        }
    }

    fn show(&mut self, message: Message) -> Vec<Order> {
        if !matches!(self.place, Place::Inbox | Place::Message) {
            return Vec::new(); // one has gone elsewhere meanwhile
        }
        if self.wanted != Some(message.summary.id) {
            return Vec::new(); // or on to another
        }
        let (id, read) = (message.summary.id, message.summary.read);
        let mut reading = Reading::new(message);
        reading.set_read(true);
        self.reading = Some(reading);
        self.place = Place::Message;
        if read {
            Vec::new()
        } else {
            vec![Order::Mark(vec![id], true)]
        }
    }

    fn told(&mut self, told: Told) -> Vec<Order> {
        match told {
            Told::Begun(id, step) => self.set_stage(id, Stage::UnderWay(step)),
            Told::Asks { id, words, answer } => {
                let to = self.outbox.get(id).map_or("somebody", |letter| &letter.to);
                let words = format!("To {}: {words}", OneLine(to));
                self.waiting.push((id, Question::Pay { words, answer }));
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
                failed.hint = failed.hint.filter(|hint| options_are_of_the_screen(hint));
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
mod kept;
#[cfg(test)]
mod sizes;
#[cfg(test)]
pub(super) mod tests;
#[cfg(test)]
mod writing;
