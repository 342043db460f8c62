//! What the relay says, and what becomes of the screen when it has ended.

use super::App;
use crate::tui::event::{Effect, RelayEvent};
use crate::tui::state::note::Topic;
use crate::tui::state::overlay_page::Subject;
use crate::tui::state::question::Question;
use crate::tui::state::reading::Reading;
use crate::tui::state::relay::RelayState;
use crate::tui::state::screen::Screen;
use kkv_owner::{List, Message};

impl App {
    pub(super) fn on_relay_event(&mut self, event: RelayEvent) -> Vec<Effect> {
        match event {
            RelayEvent::Listed(status, list) => {
                let is_another = match &self.relay {
                    RelayState::Running(before) => before.relay != status.relay,
                    RelayState::Unreachable { .. } | RelayState::Unknown => {
                        self.questions
                            .retain(|question| !matches!(question, Question::Start));
                        self.clear_note_about(Topic::Absence);
                        false
                    }
                };
                if is_another {
                    self.clear_note_about(Topic::Relay);
                    let gone = self.forget_messages();
                    self.warn(format!("your relay has ended{gone}; this is another"));
                }
                self.inbox.follow(list);
                let newest = self.inbox.all().map(|message| message.id).max();
                let seen = self.last_seen.replace((status.relay, newest));
                let any_new = match seen {
                    None => false, // they were there before this was
                    Some((relay, seen)) if relay == status.relay => newest > seen,
                    Some(_) => newest.is_some(),
                };
                self.relay = RelayState::Running(status);
                self.close_if_gone();
                let mut effects = self.continue_search();
                effects.extend(any_new.then_some(Effect::RingBell));
                return effects;
            }
            RelayEvent::Answered {
                id,
                conversation,
                at,
            } => self.on_answered(id, conversation, at),
            RelayEvent::NotAnswered(id, failed) => self.on_not_answered(id, failed),
            RelayEvent::SearchResults(number, results) => self.on_search_results(number, &results),
            RelayEvent::SearchFailed(number, left, why) => {
                self.on_search_failed(number, &left, &why);
            }
            RelayEvent::Status(status) => {
                self.relay = RelayState::Running(status);
                return self.resume_search();
            }
            RelayEvent::Unreachable {
                what,
                hint,
                can_start,
            } => {
                let was_here = matches!(self.relay, RelayState::Running(_));
                self.relay = RelayState::Unreachable {
                    what,
                    hint,
                    can_start,
                };
                self.clear_note_about(Topic::Relay);
                let gone = self.forget_messages();
                // Where it is known why it has ended, that says more.
                let is_told = self
                    .note
                    .as_ref()
                    .is_some_and(|note| note.topic == Topic::Absence);
                if was_here && can_start && (!gone.is_empty() || !is_told) {
                    self.notify_of_absence(false, format!("your relay has ended{gone}"));
                }
            }
            RelayEvent::Message(message) => return self.show(*message),
            RelayEvent::Starting => self.notify_of_absence(true, "starting your relay…"),
            RelayEvent::Ended(why) => self.notify_of_absence(false, why),
            RelayEvent::Done(what) => self.inform(what),
            RelayEvent::Failed(why) => self.warn(why),
        }
        Vec::new()
    }

    /// The relay that had them has ended. The next one begins with number 1 again, so nothing that is asked about a
    /// number may reach it. What is said of them, if there were any.
    fn forget_messages(&mut self) -> &'static str {
        let had_some = self.inbox.all().next().is_some();
        self.requested = None;
        self.questions
            .retain(|question| !question.is_about_messages());
        self.search.restart(true);
        self.sealing_times.clear();
        self.inbox.follow(List::default());
        self.close_if_gone();
        if had_some {
            ", and its messages are gone"
        } else {
            ""
        }
    }

    fn close_if_gone(&mut self) {
        if let Some(Subject::Message(id)) = self.overlay.map(|page| page.subject)
            && self.inbox.get(id).is_none()
        {
            self.overlay = None;
        }
        let Some(id) = self.reading.as_ref().map(|reading| reading.summary().id) else {
            return;
        };
        // What a search hides is still there.
        if self.inbox.get(id).is_some() {
            return;
        }
        (self.reading, self.saving) = (None, None);
        for screen in [&mut self.screen, &mut self.previous_screen] {
            if matches!(*screen, Screen::Message | Screen::Saving) {
                *screen = Screen::Inbox;
            }
        }
        if self.note.is_none() {
            self.inform(format!("message {id} is gone"));
        }
    }

    pub(super) fn show(&mut self, message: Message) -> Vec<Effect> {
        if !matches!(self.screen, Screen::Inbox | Screen::Message) {
            return Vec::new(); // one has gone elsewhere meanwhile
        }
        if self.requested != Some(message.summary.id) {
            return Vec::new(); // or on to another
        }
        if self.run() != Some(message.relay) {
            return Vec::new(); // or the relay is another one
        }
        let (id, read) = (message.summary.id, message.summary.read);
        let mut reading = Reading::new(message);
        reading.set_read(true);
        self.reading = Some(reading);
        self.screen = Screen::Message;
        if read {
            Vec::new()
        } else {
            vec![Effect::Mark(vec![id], true)]
        }
    }
}
