//! What the relay says, and what becomes of the screen when it has ended.

use super::{About, App, Order, RelayState};
use crate::tui::ask::Question;
use crate::tui::keys::Place;
use crate::tui::link::News;
use crate::tui::reading::Reading;
use kkv_owner::{List, Message};

impl App {
    pub(super) fn news(&mut self, news: News) -> Vec<Order> {
        match news {
            News::Here(status, list) => {
                let is_another = match &self.relay {
                    RelayState::Here(before) => before.relay != status.relay,
                    RelayState::Away { .. } | RelayState::Asking => {
                        self.questions
                            .retain(|question| !matches!(question, Question::Start));
                        self.tell_no_more(About::Absence);
                        false
                    }
                };
                if is_another {
                    self.tell_no_more(About::Relay);
                    let gone = self.forget_messages();
                    self.tell(
                        false,
                        format!("your relay has ended{gone}; this is another"),
                    );
                }
                self.inbox.follow(list);
                let newest = self.inbox.all().map(|message| message.id).max();
                let seen = self.newest.replace((status.relay, newest));
                let any_new = match seen {
                    None => false, // they were there before this was
                    Some((relay, seen)) if relay == status.relay => newest > seen,
                    Some(_) => newest.is_some(),
                };
                self.relay = RelayState::Here(status);
                self.close_if_gone();
                let mut orders = self.look();
                orders.extend(any_new.then_some(Order::Ring));
                return orders;
            }
            News::Looked(number, looked) => self.looked(number, &looked),
            News::NotLooked(number, left, why) => self.not_looked(number, &left, &why),
            News::How(status) => {
                self.relay = RelayState::Here(status);
                return self.go_on_looking();
            }
            News::Away {
                what,
                hint,
                can_start,
            } => {
                let was_here = matches!(self.relay, RelayState::Here(_));
                self.relay = RelayState::Away {
                    what,
                    hint,
                    can_start,
                };
                self.tell_no_more(About::Relay);
                let gone = self.forget_messages();
                // Where it is known why it has ended, that says more.
                let is_told = self
                    .note
                    .as_ref()
                    .is_some_and(|note| note.about == About::Absence);
                if was_here && can_start && (!gone.is_empty() || !is_told) {
                    self.tell_of_absence(false, format!("your relay has ended{gone}"));
                }
            }
            News::Message(message) => return self.show(*message),
            News::Starting => self.tell_of_absence(true, "starting your relay…"),
            News::Ended(why) => self.tell_of_absence(false, why),
            News::Done(what) => self.tell(true, what),
            News::Failed(why) => self.tell(false, why),
        }
        Vec::new()
    }

    /// The relay that had them has ended. The next one begins with number 1 again, so nothing that is asked about a
    /// number may reach it. What is said of them, if there were any.
    fn forget_messages(&mut self) -> &'static str {
        let had_some = self.inbox.all().next().is_some();
        self.wanted = None;
        self.questions
            .retain(|question| !question.is_about_messages());
        self.search.look_anew(true);
        self.inbox.follow(List::default());
        self.close_if_gone();
        if had_some {
            ", and its messages are gone"
        } else {
            ""
        }
    }

    fn close_if_gone(&mut self) {
        let Some(id) = self.reading.as_ref().map(|reading| reading.summary().id) else {
            return;
        };
        // What a search hides is still there.
        if self.inbox.all().any(|message| message.id == id) {
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

    pub(super) fn show(&mut self, message: Message) -> Vec<Order> {
        if !matches!(self.place, Place::Inbox | Place::Message) {
            return Vec::new(); // one has gone elsewhere meanwhile
        }
        if self.wanted != Some(message.summary.id) {
            return Vec::new(); // or on to another
        }
        if self.run() != Some(message.relay) {
            return Vec::new(); // or the relay is another one
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
}
