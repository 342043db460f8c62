//! What deliveries tell and ask.

use zeroize::Zeroizing;

use super::App;

use crate::tui::event::{DeliveryEvent, Effect};
use crate::tui::state::outbox::DeliveryState;
use crate::tui::state::question::Question;
use crate::tui::state::screen::Screen;
use kkv_base::lock;
use kkv_client::contacts::without_token;
use kkv_terminal::visible::OneLine;
use kkv_ui::error::Exit;

impl App {
    pub(super) fn on_delivery_event(&mut self, event: DeliveryEvent) -> Vec<Effect> {
        match event {
            DeliveryEvent::Started { id, progress, at } => {
                self.set_state(id, DeliveryState::InProgress(progress));
                if let Some(outgoing) = self.outbox.get_mut(id) {
                    outgoing.at = Some(at);
                }
            }
            DeliveryEvent::PaymentQuestion { id, words, answer } => {
                let to = self
                    .outbox
                    .get(id)
                    .map_or("somebody", |outgoing| &outgoing.to);
                let words = format!("To {}: {words}", OneLine(&without_token(to)));
                let question = Question::Pay { id, words, answer };
                self.pending_questions.push((id, question));
                self.ask_pending();
            }
            DeliveryEvent::Accepted {
                id,
                words,
                target,
                suite,
            } => {
                if let Some(outgoing) = self.outbox.get_mut(id) {
                    outgoing.text = Zeroizing::default();
                    outgoing.tries.clear();
                }
                self.set_state(id, DeliveryState::Accepted(words));
                let followed = self.follow(id, true);
                self.inform(match followed {
                    Some(_) => {
                        "accepted; w shows the 12 words that open the answers: write them down"
                    }
                    None => "accepted: the message is in the inbox",
                });
                let mut effects: Vec<Effect> = followed.into_iter().collect();
                if let Some(learnt) = self.contacts.learn(target, suite) {
                    effects.extend(self.change_contacts(learnt));
                }
                return effects;
            }
            DeliveryEvent::Failed(id, mut failed) => {
                // What helps with the command may be an option that there is not here.
                failed.hint = failed.hint.filter(|hint| (self.takes_options)(hint));
                self.ask_pending();
                self.on_follow_up_failed(id, &failed);
                self.warn(failed.what.clone());
                let may_be_there = failed.exit == Exit::InDoubt
                    || failed.exit == Exit::Cancelled && self.was_sending(id);
                let followed = may_be_there.then(|| self.follow(id, false)).flatten();
                failed = self.remember_try(id, failed, may_be_there);
                if failed.exit == Exit::NotPaid && self.pay_next_time(id) {
                    failed = failed.more("Enter opens it, and Ctrl-S pays for it then.");
                }
                self.set_state(id, DeliveryState::Failed(failed));
                return followed.into_iter().collect();
            }
        }
        Vec::new()
    }

    /// Whether a message was on its way to the inbox itself.
    fn was_sending(&self, id: u64) -> bool {
        let state = self.outbox.get(id).map(|outgoing| &outgoing.state);
        matches!(state, Some(DeliveryState::InProgress(progress)) if lock(progress).was_sending())
    }

    pub(super) fn set_state(&mut self, id: u64, state: DeliveryState) {
        if let Some(outgoing) = self.outbox.get_mut(id) {
            outgoing.state = state;
        }
    }

    /// Asks what a delivery waits for, if that is what one looks at: keys for something else must not answer it.
    pub(super) fn ask_pending(&mut self) {
        self.pending_questions
            .retain(|(_, question)| question.is_open());
        self.questions.retain(Question::is_open);
        let is_leaving = |question: &Question| matches!(question, Question::Quit { .. });
        if self.pending_questions.is_empty() || self.questions.iter().any(is_leaving) {
            return;
        }
        if self.screen != Screen::Outbox {
            self.warn("a message that you are sending waits for your answer: o asks you");
            return;
        }
        for (id, question) in self.pending_questions.drain(..) {
            self.outbox.select(id);
            self.questions.ask(question);
        }
    }
}
