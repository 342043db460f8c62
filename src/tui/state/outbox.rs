//! What has been written here, and what has become of it. Nothing that was not delivered is lost while the program
//! runs.

use std::sync::{Arc, Mutex};

use tokio::time::Instant;
use zeroize::Zeroizing;

use super::conversation::AnswerTo;
use kkv_base::limits::SESSION_LIFETIME;
use kkv_base::lock;
use kkv_owner::Conversation;
use kkv_protocol::v2::answers::keys::Salt;
use kkv_protocol::v2::answers::status::BoxStatus;
use kkv_ui::error::CliError;
use kkv_ui::steps::Steps;

/// How far a delivery is, to look at.
pub(in crate::tui) type Progress = Arc<Mutex<Steps>>;

/// Everything written, oldest first.
#[derive(Default)]
pub(in crate::tui) struct Outbox {
    messages: Vec<Outgoing>,
    last: u64,
    pub(in crate::tui) selected: usize,
    /// The first line on the screen of what has become of the selected one.
    pub(in crate::tui) top: usize,
}

/// One message.
pub(in crate::tui) struct Outgoing {
    pub(in crate::tui) id: u64,
    /// Whom it is for, as it was typed.
    pub(in crate::tui) to: String,
    /// Wiped when it has arrived.
    pub(in crate::tui) text: Zeroizing<String>,
    pub(in crate::tui) state: DeliveryState,
    /// When it was sent last, in Unix time.
    pub(in crate::tui) at: Option<u64>,
    /// How long it is, also when it is wiped.
    pub(in crate::tui) bytes: usize,
    /// Whether its owner did not want to pay for it.
    pub(in crate::tui) is_declined: bool,
    /// The message that it answers, if it is for the sender of one.
    pub(in crate::tui) answers: Option<AnswerTo>,
    /// Whether it asks for an answer.
    pub(in crate::tui) wants_answer: bool,
    /// The conversation that it begins or goes on with, once it was sent.
    pub(in crate::tui) conversation: Option<u64>,
    /// Whether it goes on with it.
    pub(in crate::tui) follows_up: bool,
    /// Its tries of which it isn't known whether they arrived, if it asks for an answer: all with this very text.
    pub(in crate::tui) tries: Vec<Try>,
    /// Whether it is paid for, as the invitation of the one it is for was refused.
    pub(in crate::tui) is_paid_for: bool,
}

/// A try to send a message, of which it isn't known whether it arrived.
pub(in crate::tui) struct Try {
    /// What names it among the messages of its conversation.
    pub(in crate::tui) salt: Salt,
    /// When it was given up here.
    pub(in crate::tui) ended: Instant,
}

impl Try {
    /// Whether what hadn't arrived by then never will: its session is over, which was open when the try ended, if at
    /// all (PROTOCOL.md §3).
    pub(in crate::tui) fn is_over_by(&self, then: Instant) -> bool {
        then >= self.ended + SESSION_LIFETIME
    }
}

/// What a look into its conversation says of a message in doubt.
#[cfg_attr(test, derive(Debug, PartialEq, Eq))]
pub(in crate::tui) enum Fate {
    /// One of its tries is there, or was.
    Arrived,
    /// None of them is, nor will be.
    NotThere,
}

/// How far a message is.
pub(in crate::tui) enum DeliveryState {
    /// Not sent.
    Draft,
    /// On its way.
    InProgress(Progress),
    /// In the inbox it was for, which has signed for it: with the words of the relay's answer.
    Accepted(String),
    /// It has arrived by what a look has told, which nobody signs. Its text is kept.
    Arrived,
    /// An answer that is being sealed.
    Sealing,
    /// An answer that is sealed: in which conversation, as that was then.
    Sealed(Conversation),
    /// Not there, or perhaps: it says which.
    Failed(CliError),
}

impl Outgoing {
    fn is_unsent(&self) -> bool {
        matches!(self.state, DeliveryState::Draft | DeliveryState::Failed(_))
    }

    /// Whether this very text may be in its inbox, without a receipt for it.
    pub(in crate::tui) fn may_have_arrived(&self) -> bool {
        !self.tries.is_empty() || matches!(self.state, DeliveryState::Arrived)
    }

    /// What has become of its tries, if a status that was `asked` for then tells. A status names sixteen messages at
    /// most: who isn't among them may have come before these.
    pub(in crate::tui) fn fate(&self, inside: &BoxStatus, asked: Instant) -> Option<Fate> {
        let named = |of: &Try| inside.entries.iter().any(|entry| entry.salt == of.salt);
        let names_all = inside.entries.len() == usize::from(inside.messages);
        if self.tries.iter().any(named) {
            return Some(Fate::Arrived);
        }
        let is_over = !self.tries.is_empty() && self.tries.iter().all(|of| of.is_over_by(asked));
        (is_over && names_all).then_some(Fate::NotThere)
    }
}

impl Outbox {
    pub(in crate::tui) fn messages(&self) -> &[Outgoing] {
        &self.messages
    }

    /// A new draft; its number.
    pub(in crate::tui) fn begin(&mut self) -> u64 {
        self.last += 1;
        self.messages.push(Outgoing {
            id: self.last,
            to: String::new(),
            text: Zeroizing::default(),
            state: DeliveryState::Draft,
            at: None,
            bytes: 0,
            is_declined: false,
            answers: None,
            wants_answer: false,
            conversation: None,
            follows_up: false,
            tries: Vec::new(),
            is_paid_for: false,
        });
        self.last
    }

    /// The draft of an answer to this message: the one that was put aside, or could not be sealed, or else a new one.
    pub(in crate::tui) fn begin_answer(&mut self, to: AnswerTo) -> u64 {
        let is_begun = |message: &&Outgoing| message.is_unsent() && message.answers == Some(to);
        if let Some(begun) = self.messages.iter().rev().find(is_begun) {
            return begun.id;
        }
        let id = self.begin();
        if let Some(message) = self.get_mut(id) {
            message.answers = Some(to);
        }
        id
    }

    /// The draft of a message that goes on with a conversation, likewise; `to` is whom that is with.
    pub(in crate::tui) fn begin_follow_up(&mut self, conversation: u64, to: &str) -> u64 {
        let is_begun = |message: &&Outgoing| {
            message.is_unsent()
                && !message.may_have_arrived()
                && message.follows_up
                && message.conversation == Some(conversation)
        };
        if let Some(begun) = self.messages.iter().rev().find(is_begun) {
            return begun.id;
        }
        let id = self.begin();
        if let Some(message) = self.get_mut(id) {
            to.clone_into(&mut message.to);
            message.conversation = Some(conversation);
            (message.follows_up, message.wants_answer) = (true, true);
        }
        id
    }

    pub(in crate::tui) fn get(&self, id: u64) -> Option<&Outgoing> {
        self.messages.iter().find(|message| message.id == id)
    }

    pub(in crate::tui) fn get_mut(&mut self, id: u64) -> Option<&mut Outgoing> {
        self.messages.iter_mut().find(|message| message.id == id)
    }

    /// Its owner doesn't want to pay for it.
    pub(in crate::tui) fn decline(&mut self, id: u64) {
        if let Some(message) = self.get_mut(id) {
            message.is_declined = true;
        }
    }

    pub(in crate::tui) fn forget(&mut self, id: u64) {
        self.messages.retain(|message| message.id != id);
        self.move_by(0);
    }

    pub(in crate::tui) fn selected(&self) -> Option<&Outgoing> {
        self.messages.get(self.selected)
    }

    /// Selects this one, wherever it is in the list.
    pub(in crate::tui) fn select(&mut self, id: u64) {
        let position = self.messages.iter().position(|message| message.id == id);
        self.selected = position.unwrap_or(self.selected);
        self.top = 0;
    }

    pub(in crate::tui) fn move_by(&mut self, lines: isize) {
        let last = self.messages.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(lines).min(last);
        self.top = 0;
    }

    /// The last draft that was put aside, but for those that are gone on with elsewhere: at the message that
    /// they answer, or the one that they follow.
    pub(in crate::tui) fn draft(&self) -> Option<u64> {
        let mut drafts = self.messages.iter().rev();
        drafts
            .find(|message| {
                let is_plain = message.answers.is_none() && !message.follows_up;
                matches!(message.state, DeliveryState::Draft) && is_plain
            })
            .map(|message| message.id)
    }

    /// How many are on their way.
    pub(in crate::tui) fn in_progress(&self) -> usize {
        let sealing = |message: &&Outgoing| matches!(message.state, DeliveryState::Sealing);
        self.all_progress().count() + self.messages.iter().filter(sealing).count()
    }

    /// How far each is that is on its way.
    fn all_progress(&self) -> impl Iterator<Item = &Progress> {
        self.messages
            .iter()
            .filter_map(|message| match &message.state {
                DeliveryState::InProgress(step) => Some(step),
                _ => None,
            })
    }

    /// That some are on their way, in a few words; with how far it is, if it is one and that is known.
    pub(in crate::tui) fn progress_in_short(&self) -> Option<String> {
        let mut steps = self.all_progress();
        let first = steps.next()?;
        Some(match (steps.count(), lock(first).now().0) {
            (0, Some(done)) => format!("1 on its way, {:.0} %", done.clamp(0.0, 1.0) * 100.0),
            (0, None) => "1 on its way".to_owned(),
            (more, _) => format!("{} on their way", more + 1),
        })
    }

    /// How many would be lost now: written, and not delivered.
    pub(in crate::tui) fn undelivered(&self) -> usize {
        let kept = |message: &&Outgoing| {
            let is_done = matches!(
                message.state,
                DeliveryState::Accepted(_) | DeliveryState::Arrived | DeliveryState::Sealed(_)
            );
            !is_done && !message.text.is_empty()
        };
        self.messages.iter().filter(kept).count()
    }
}
