//! Messages in the owner's inbox are answered: their senders fetch that with their words.

use zeroize::Zeroizing;

use super::App;
use crate::tui::event::Effect;
use crate::tui::state::conversation::AnswerTo;
use crate::tui::state::outbox::DeliveryState;
use crate::tui::state::reading::Reading;
use crate::tui::state::screen::Screen;
use kkv_owner::{CantReply, Conversation, Summary};
use kkv_protocol::Via;
use kkv_protocol::v2::answers::MAX_WAITING;
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_ui::error::CliError;

/// What is said of an answer that waits to be fetched, or was.
pub(in crate::tui) const SEALED: &str = "Sealed. Nobody can read it here now, not even you.";

impl App {
    /// The message that one reads, or else the selected one, as it is known now.
    pub(super) fn message_in_front(&self) -> Option<&Summary> {
        match &self.reading {
            Some(reading) if self.screen == Screen::Message => self.inbox.get(reading.summary().id),
            _ => self.inbox.selected(),
        }
    }

    /// Begins an answer, or goes on with one that was put aside.
    pub(super) fn answer_message(&mut self) {
        let Some((run, message)) = self.run().zip(self.message_in_front()) else {
            return;
        };
        let id = message.id;
        if let Some(why) = self.why_unanswerable(message) {
            self.warn(format!("message {id} can't be answered: {why}"));
            return;
        }
        let to = AnswerTo { run, message: id };
        let draft = self.outbox.begin_answer(to);
        self.edit(draft);
    }

    /// Why nothing need be written, as far as it is known here.
    fn why_unanswerable(&self, message: &Summary) -> Option<String> {
        if let Some(conversation) = message.conversation {
            let is_full = usize::from(conversation.waiting) >= MAX_WAITING;
            let withdraw = format!("`kkvc reply --withdraw {}`", conversation.number);
            return is_full
                .then(|| format!("{}; {withdraw} takes them back", CantReply::Unfetched));
        }
        let read = self.reading.as_ref().map(Reading::box_digest);
        let has_asked = match read.filter(|_| self.screen == Screen::Message) {
            _ if message.via == Via::V1 => Some(false),
            Some(digest) => Some(digest != BoxPart::None.digest()),
            // Only who reads it knows.
            None => None,
        };
        Some(match has_asked {
            Some(false) => CantReply::NotAnswerable.to_string(),
            // Why, only the relay knows.
            Some(true) => "its sender can't be answered any more".to_owned(),
            None => {
                "its sender hasn't asked for an answer, or can't be answered any more".to_owned()
            }
        })
    }

    /// Has what was written sealed.
    pub(super) fn send_answer(&mut self, to: AnswerTo) -> Vec<Effect> {
        let Some(composer) = &mut self.composer else {
            return Vec::new();
        };
        let text = match composer.ready_text() {
            Ok(text) => text,
            Err(invalid) => {
                self.warn(invalid.why);
                return Vec::new();
            }
        };
        let id = composer.id;
        self.save_draft();
        self.set_state(id, DeliveryState::Sealing);
        if let Some(outgoing) = self.outbox.get_mut(id) {
            outgoing.bytes = text.as_str().len();
        }
        self.note = None;
        self.screen = self.previous_screen;
        if self.screen == Screen::Outbox {
            self.outbox.select(id);
        }
        vec![Effect::Answer { id, to, text }]
    }

    pub(super) fn on_answered(&mut self, id: u64, conversation: Conversation, at: u64) {
        let Some(outgoing) = self.outbox.get_mut(id) else {
            return;
        };
        outgoing.text = Zeroizing::default();
        outgoing.at = Some(at);
        outgoing.state = DeliveryState::Sealed(conversation);
        let run = outgoing.answers.map(|to| to.run);
        if run == self.run() {
            self.sealing_times.note(&conversation, at);
        }
        self.inform(SEALED);
    }

    pub(super) fn on_not_answered(&mut self, id: u64, mut failed: CliError) {
        failed.hint = failed.hint.filter(|hint| (self.takes_options)(hint));
        self.warn(format!("{}; o has what you wrote", failed.what));
        self.set_state(id, DeliveryState::Failed(failed));
    }

    /// What has become of an answer that was sealed, in a word or two: first as it is in a list.
    pub(in crate::tui) fn state_of_sealed(
        &self,
        to: Option<AnswerTo>,
        sealed: &Conversation,
    ) -> (&'static str, &'static str) {
        let is_there = to.is_some_and(|to| Some(to.run) == self.run());
        let mut all = self.inbox.all().filter_map(|message| message.conversation);
        let now = all.find(|now| is_there && now.number == sealed.number);
        match now {
            _ if !is_there => (
                "gone",
                "Its relay has ended, and with it what was not fetched.",
            ),
            Some(now) if crate::tui::state::conversation::is_fetched(&now, sealed.answers) => {
                ("fetched", "Its sender has fetched it.")
            }
            Some(_) => ("sealed", "It waits to be fetched by its sender."),
            None => (
                "sealed",
                "Whether it was fetched can't be seen any more: no message of that conversation is here.",
            ),
        }
    }
}
