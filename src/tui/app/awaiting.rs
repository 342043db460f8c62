//! Answers to what was written here: asked for, shown as they come, and written back to.

use std::sync::Arc;

use super::App;
use crate::tor::Target;
use crate::tui::event::{AnswersEvent, Effect, SendReply};
use crate::tui::state::awaited::{Begun, Known};
use crate::tui::state::composer::Composer;
use crate::tui::state::outbox::Outgoing;
use crate::tui::state::overlay_page::{OverlayPage, Subject};
use crate::tui::state::screen::Screen;
use kkv_protocol::crypto::random;
use kkv_protocol::reply_words::ReplyWords;
use kkv_protocol::text::Text;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::replies::{require_own_words_out_of, require_reply_words_out_of};

impl App {
    /// Whether the message that is being written asks for an answer, or not any more.
    pub(super) fn toggle_answer(&mut self) {
        if let Some(composer) = self.composer.as_mut().filter(|one| one.is_addressed()) {
            composer.wants_answer = !composer.wants_answer;
        }
    }

    pub(super) fn can_ask_for_answer(&self) -> bool {
        let composer = self.composer.as_ref();
        composer.is_some_and(Composer::is_addressed)
    }

    /// The conversation of the selected message of those that were written, if it has one.
    pub(in crate::tui) fn selected_conversation(&self) -> Option<&Begun> {
        let conversation = self.outbox.selected()?.conversation?;
        self.awaited.get(conversation)
    }

    pub(super) fn has_words(&self) -> bool {
        self.selected_conversation().is_some()
    }

    pub(super) fn awaits_answer(&self) -> bool {
        self.selected_conversation().is_some_and(Begun::is_alive)
    }

    /// What a message that is being sent is answered by, if that is wished: new words, or those that it had when it
    /// was sent to the same inbox before. Nothing of it is sent if they stand in it.
    pub(super) fn reply_for(
        &mut self,
        id: u64,
        target: Target,
        text: &Text,
    ) -> Result<Option<SendReply>, CliError> {
        let Some(outgoing) = self.outbox.get_mut(id).filter(|one| one.wants_answer) else {
            return require_reply_words_out_of(text.as_str()).map(|()| None);
        };
        let follows_up = outgoing.follows_up;
        // Two inboxes with the same words could tell that they are one person's.
        let known = outgoing.conversation.and_then(|id| self.awaited.get(id));
        let conversation = match known.filter(|known| follows_up || known.target == target) {
            Some(known) => known.id,
            None => {
                let words = ReplyWords::generate(&mut random::kernel());
                self.awaited.begin(target, words)
            }
        };
        outgoing.conversation = Some(conversation);
        let secret = self.awaited.get(conversation).map(|one| &one.secret);
        let Some(secret) = secret else {
            return Ok(None);
        };
        require_own_words_out_of(text.as_str(), &secret.words)?;
        require_reply_words_out_of(text.as_str())?;
        let secret = Arc::clone(secret);
        Ok(Some(SendReply { secret, follows_up }))
    }

    /// Refuses a text that gives away the words which its message had so far.
    pub(super) fn require_known_words_out_of(&self, id: u64, text: &Text) -> Result<(), CliError> {
        let conversation = self.outbox.get(id).and_then(|one| one.conversation);
        let begun = conversation.and_then(|id| self.awaited.get(id));
        begun.map_or(Ok(()), |begun| {
            require_own_words_out_of(text.as_str(), &begun.secret.words)
        })
    }

    /// A message of it was accepted, or it can't be known (`is_certain` says which): it is looked into from now on.
    pub(super) fn follow(&mut self, id: u64, is_certain: bool) -> Option<Effect> {
        let outgoing = self.outbox.get(id).filter(|one| one.wants_answer)?;
        let conversation = outgoing.conversation?;
        let begun = self.awaited.get_mut(conversation)?;
        begun.open(is_certain);
        Some(Effect::Follow {
            id: conversation,
            target: begun.target,
            secret: Arc::clone(&begun.secret),
        })
    }

    pub(super) fn on_answers_event(&mut self, event: AnswersEvent) -> Vec<Effect> {
        match event {
            AnswersEvent::Planned { id, at } => {
                if let Some(begun) = self.awaited.get_mut(id) {
                    begun.next = Some(at);
                }
            }
            AnswersEvent::Looking(id) => {
                if let Some(begun) = self.awaited.get_mut(id) {
                    (begun.next, begun.failed) = (None, None);
                }
            }
            AnswersEvent::Failed(id, why) => {
                if let Some(begun) = self.awaited.get_mut(id) {
                    begun.failed = Some(why);
                }
            }
            AnswersEvent::Found {
                id,
                asked,
                at,
                started,
                inside,
                answers,
            } => {
                let may_still_come = self.may_still_come(id, asked);
                let Some(begun) = self.awaited.get_mut(id) else {
                    return Vec::new();
                };
                begun.failed = None;
                let was_certain = begun.is_certain;
                begun.known = match inside {
                    Some(inside) => Known::There(inside, at),
                    None if may_still_come => Known::NotYet,
                    None => Known::Gone { started },
                };
                begun.is_certain |= matches!(begun.known, Known::There(..));
                let is_gone = !begun.is_alive();
                let new = begun.take_in(answers);
                if is_gone {
                    self.settle_as_gone(id);
                    self.warn(match was_certain {
                        true => "a conversation that you began is over: o says more",
                        false => "a message in doubt is not there: o says more",
                    });
                    return vec![Effect::Unfollow(id)];
                }
                self.settle(id, asked);
                if new > 0 {
                    let what = if new == 1 {
                        "an answer has"
                    } else {
                        "answers have"
                    };
                    let selected = self.selected_conversation().map(|begun| begun.id);
                    let place = match (self.screen == Screen::Outbox, selected == Some(id)) {
                        (true, true) => "Space shows more of this one",
                        (true, false) => "it stands with its message",
                        (false, _) => "o shows it",
                    };
                    self.inform(format!("{what} come: {place}"));
                    return vec![Effect::RingBell];
                }
            }
        }
        Vec::new()
    }

    /// Looks for answers to the selected message now.
    pub(super) fn look_for_answers(&mut self) {
        match self.selected_conversation() {
            Some(begun) if begun.is_alive() => {
                begun.secret.look.notify_one();
                self.inform("looking for answers…");
            }
            Some(_) => self.warn("no answer can come to it"),
            None => self.warn("it has not asked for an answer"),
        }
    }

    /// Shows the words by which the selected message is answered.
    pub(super) fn show_words(&mut self) {
        match self.selected_conversation() {
            Some(begun) => self.overlay = Some(OverlayPage::of(Subject::Words(begun.id))),
            None => self.warn("it has no words: it has not asked for an answer"),
        }
    }

    /// Begins a message in the same conversation, or goes on with one that was put aside.
    pub(super) fn write_back(&mut self) {
        let Some(begun) = self.selected_conversation() else {
            return self.warn("it has not asked for an answer; c writes another message");
        };
        if !begun.is_alive() {
            return self.warn("that conversation is over; c writes with new words");
        }
        let id = begun.id;
        let to = self.outbox.selected().map(|one| one.to.clone());
        let draft = self.outbox.begin_follow_up(id, &to.unwrap_or_default());
        self.edit(draft);
    }

    /// A message that followed up was refused, as there is nothing to follow.
    pub(super) fn on_follow_up_failed(&mut self, id: u64, failed: &CliError) {
        let outgoing = self.outbox.get(id).filter(|one| one.follows_up);
        let conversation = outgoing.and_then(|one| one.conversation);
        if let Some(conversation) = conversation
            && failed.exit == Exit::NoConversation
            && let Some(begun) = self.awaited.get(conversation)
        {
            // Which of the ways to end it was, the next look says.
            begun.secret.look.notify_one();
        }
    }

    /// Whether the words of this message, which no other has, may still bring answers.
    pub(super) fn has_last_words(&self, outgoing: &Outgoing) -> bool {
        let alive = |id: &u64| self.awaited.get(*id).is_some_and(Begun::is_alive);
        let Some(conversation) = outgoing.conversation.filter(alive) else {
            return false;
        };
        let mut all = self.outbox.messages().iter();
        !all.any(|other| other.id != outgoing.id && other.conversation == Some(conversation))
    }

    /// Forgets a message, and its words if no other message has them.
    pub(super) fn forget_written(&mut self, id: u64) -> Vec<Effect> {
        let conversation = self.outbox.get(id).and_then(|one| one.conversation);
        self.outbox.forget(id);
        let Some(conversation) = conversation else {
            return Vec::new();
        };
        let mut all = self.outbox.messages().iter();
        if all.any(|other| other.conversation == Some(conversation)) {
            return Vec::new();
        }
        self.awaited.forget(conversation);
        vec![Effect::Unfollow(conversation)]
    }
}
