//! What is written: begun, put aside, sent, cancelled, forgotten.

use super::App;
use crate::tor::Target;
use crate::tui::event::Effect;
use crate::tui::state::composer::{Composer, Purpose};
use crate::tui::state::contact_form::ContactForm;
use crate::tui::state::outbox::{DeliveryState, Outgoing, Progress};
use crate::tui::state::question::Question;
use crate::tui::state::screen::Screen;
use kkv_client::contacts::{Book, Contact, Invitation, Link, Recipient};

impl App {
    pub(super) fn write(&mut self) {
        // Where those that were written are listed, drafts are seen and can be opened; elsewhere one goes on with the
        // last.
        let draft = self
            .outbox
            .draft()
            .filter(|_| self.screen != Screen::Outbox);
        let id = draft.unwrap_or_else(|| self.outbox.begin());
        self.edit(id);
    }

    pub(super) fn edit(&mut self, id: u64) {
        let Some(outgoing) = self.outbox.get(id) else {
            return;
        };
        let mut composer = match (outgoing.answers, outgoing.conversation) {
            (Some(to), _) => Composer::answering(id, to, &outgoing.text),
            (None, Some(conversation)) if outgoing.follows_up => {
                Composer::following_up(id, conversation, &outgoing.text)
            }
            (None, _) => Composer::new(id, &outgoing.to, &outgoing.text),
        };
        composer.wants_answer = outgoing.wants_answer;
        self.composer = Some(composer);
        if self.screen != Screen::Composer {
            self.previous_screen = self.screen;
        }
        self.screen = Screen::Composer;
    }

    pub(super) fn save_draft(&mut self) {
        self.keep_what_may_have_arrived(None);
        let Some(composer) = self.composer.take() else {
            return;
        };
        let (mut to, text) = (composer.address(), composer.text());
        let Some(outgoing) = self.outbox.get_mut(composer.id) else {
            return;
        };
        if !composer.is_addressed() {
            to.clone_from(&outgoing.to);
        }
        outgoing.wants_answer = composer.wants_answer;
        // Who is written to is known at once from the contacts; where nothing was written to them, there is no draft.
        let is_untouched = text.is_empty() && outgoing.text.is_empty() && outgoing.to == to;
        if composer.is_empty() || is_untouched {
            self.outbox.forget(composer.id);
            return;
        }
        // One that was only looked at stays what it is: perhaps its fate is unknown.
        if outgoing.to == to && *outgoing.text == *text {
            return;
        }
        if outgoing.to != to {
            outgoing.is_paid_for = false;
        }
        (outgoing.to, outgoing.text) = (to, text);
        outgoing.bytes = outgoing.text.len();
        outgoing.state = DeliveryState::Draft;
        let is_next = self.outbox.draft() == Some(composer.id);
        let note = match self.previous_screen {
            Screen::Inbox | Screen::Message if matches!(composer.purpose, Purpose::Answer(_)) => {
                "put aside: r at its message goes on writing it, and o has it"
            }
            Screen::Inbox | Screen::Message if is_next => {
                "put aside: c goes on writing it; o has it, and there c begins another"
            }
            Screen::Outbox => "put aside: Enter goes on writing it",
            Screen::Contacts if is_next => "put aside: Esc, then c goes on writing it",
            _ => "put aside: it is with what you have written, where o leads from the list",
        };
        self.inform(note);
    }

    pub(super) fn send(&mut self) -> Vec<Effect> {
        let Some(composer) = &mut self.composer else {
            return Vec::new();
        };
        let composer_id = composer.id;
        let ready = match composer.purpose {
            Purpose::Answer(to) => return self.send_answer(to),
            Purpose::Message => {
                let outgoing = self.outbox.get(composer.id);
                let address = composer.address();
                let is_paid_for = outgoing.is_some_and(|one| one.is_paid_for && one.to == address);
                composer.ready(self.contacts.book()).map(|(link, text)| {
                    let invitation = link.invitation.filter(|_| !is_paid_for);
                    (Link { invitation, ..link }, text)
                })
            }
            Purpose::FollowUp(conversation) => {
                let Some(begun) = self.awaited.get(conversation) else {
                    return Vec::new(); // it was forgotten
                };
                let target = begun.target;
                let outgoing = self.outbox.get(composer.id);
                let book = self.contacts.book();
                let invitation = outgoing.and_then(|one| invitation_of(book, one, target));
                let link = Link { target, invitation };
                composer.ready_text().map(|text| (link, text))
            }
        };
        let (link, text) = match ready {
            Ok(ready) => ready,
            Err(invalid) => {
                composer.field = invalid.field;
                self.warn(invalid.why);
                return Vec::new();
            }
        };
        let wants_answer = composer.wants_answer;
        if let Err(failed) = self.require_known_words_out_of(composer_id, &text) {
            self.warn(failed.what);
            return Vec::new();
        }
        self.keep_what_may_have_arrived(Some(link.target));
        let id = self.composer.as_ref().map_or(composer_id, |one| one.id);
        if let Some(outgoing) = self.outbox.get_mut(id) {
            outgoing.wants_answer = wants_answer;
        }
        let reply = match self.reply_for(id, link.target, &text) {
            Ok(reply) => reply,
            Err(failed) => {
                self.warn(failed.what);
                return Vec::new();
            }
        };
        self.save_draft();
        // From here on it can be neither sent again nor forgotten, also by a key that is pressed already.
        self.set_state(id, DeliveryState::InProgress(Progress::default()));
        if let Some(outgoing) = self.outbox.get_mut(id) {
            outgoing.bytes = text.as_str().len();
            outgoing.is_declined = false;
        }
        self.note = None;
        let Link { target, invitation } = link;
        if let Target::Loopback(_) = target {
            self.inform("this address is on this machine: the message does not go through Tor");
        }
        self.screen = Screen::Outbox;
        self.outbox.select(id);
        let better = self.contacts.better(target);
        vec![Effect::Send {
            id,
            target,
            invitation,
            better,
            text,
            reply,
        }]
    }

    /// A message was refused. Whether it went by a contact's invitation, and is sent without it the next time.
    pub(super) fn pay_next_time(&mut self, id: u64) -> bool {
        let book = self.contacts.book();
        let target_of = |one: &Outgoing| match one.follows_up {
            true => Some(self.awaited.get(one.conversation?)?.target),
            false => contact_of(book, one).map(Contact::target),
        };
        let outgoing = self.outbox.get(id).filter(|one| one.answers.is_none());
        let went_by_it = outgoing.is_some_and(|one| {
            target_of(one).is_some_and(|target| invitation_of(book, one, target).is_some())
        });
        if let Some(outgoing) = self.outbox.get_mut(id) {
            outgoing.is_paid_for |= went_by_it;
        }
        went_by_it
    }

    pub(super) fn other_field(&mut self) {
        if let Some(composer) = &mut self.composer {
            composer.other_field();
        }
    }

    /// Takes the last word, or other change, of what is being written back.
    pub(super) fn undo(&mut self) {
        if !self.composer.as_mut().is_some_and(Composer::undo) {
            self.inform("there is nothing to undo");
        }
    }

    /// Does it again.
    pub(super) fn redo(&mut self) {
        if !self.composer.as_mut().is_some_and(Composer::redo) {
            self.inform("there is nothing to do again");
        }
    }

    /// Goes on writing the selected one.
    pub(super) fn edit_outgoing(&mut self) {
        let Some(outgoing) = self.outbox.selected() else {
            return;
        };
        match outgoing.state {
            DeliveryState::Draft | DeliveryState::Failed(_) | DeliveryState::Arrived => {
                let id = outgoing.id;
                self.edit(id);
            }
            DeliveryState::InProgress(_) => self.warn("it is on its way; x cancels it"),
            DeliveryState::Sealing => self.warn("it is being sealed"),
            DeliveryState::Sealed(_) => self.inform(super::answering::SEALED),
            DeliveryState::Accepted(_) => {
                let begun = self.selected_conversation();
                let is_answered = begun.is_some_and(|begun| !begun.answers.is_empty());
                self.inform(match is_answered {
                    true => {
                        "it is not kept here; its answer is below: Space shows more, r writes back"
                    }
                    false => "it has arrived, and is not kept here",
                });
            }
        }
    }

    pub(super) fn cancel(&mut self) -> Vec<Effect> {
        match self.outbox.selected() {
            Some(outgoing) if matches!(outgoing.state, DeliveryState::InProgress(_)) => {
                vec![Effect::Cancel(outgoing.id)]
            }
            _ => {
                self.warn("it is not on its way");
                Vec::new()
            }
        }
    }

    /// Forgets the selected one, at once if nothing is lost by that.
    pub(super) fn forget_outgoing(&mut self) -> Vec<Effect> {
        let Some(outgoing) = self.outbox.selected() else {
            return Vec::new();
        };
        let id = outgoing.id;
        match outgoing.state {
            DeliveryState::InProgress(_) => self.warn("it is on its way; x cancels it"),
            DeliveryState::Sealing => self.warn("it is being sealed"),
            _ if self.has_last_words(outgoing) => self.ask(Question::ForgetWords(id)),
            DeliveryState::Accepted(_) | DeliveryState::Sealed(_) => {
                return self.forget_written(id);
            }
            _ if outgoing.text.is_empty() => return self.forget_written(id),
            DeliveryState::Arrived => self.ask(Question::ForgetUnsigned(id)),
            _ => self.ask(Question::Forget(id)),
        }
        Vec::new()
    }

    /// Whether all that was written is delivered or forgotten.
    pub(in crate::tui) fn can_quit_without_loss(&self) -> bool {
        self.outbox.undelivered() == 0
            && self.awaited.alive() == 0
            && self.composer.is_none()
            && self.contact_form.is_none()
    }

    pub(super) fn quit(&mut self) -> Vec<Effect> {
        let mut writing = None;
        if self.screen == Screen::Composer {
            self.keep_what_may_have_arrived(None);
            writing = self.composer.as_ref().map(|composer| composer.id);
            self.save_draft();
            self.screen = self.previous_screen;
        }
        let is_begun = self
            .contact_form
            .as_ref()
            .is_some_and(ContactForm::is_begun);
        let awaited = self.awaited.alive();
        match self.outbox.undelivered() {
            0 if !is_begun && awaited == 0 => vec![Effect::Quit],
            undelivered => {
                let under_way = self.outbox.in_progress();
                self.ask(Question::Quit {
                    undelivered,
                    under_way,
                    awaited,
                    is_begun,
                    writing,
                });
                Vec::new()
            }
        }
    }
}

/// That of the contact who a message is for by name, unless it was refused already: then it is paid for.
fn invitation_of(book: &Book, outgoing: &Outgoing, target: Target) -> Option<Invitation> {
    let contact = contact_of(book, outgoing)?;
    let may_be_used = contact.target() == target && !outgoing.is_paid_for;
    contact.invitation().filter(|_| may_be_used).cloned()
}

/// The contact who a message is for by name.
fn contact_of<'b>(book: &'b Book, outgoing: &Outgoing) -> Option<&'b Contact> {
    match outgoing.to.parse() {
        Ok(Recipient::Name(name)) => book.get(&name).ok(),
        _ => None,
    }
}
