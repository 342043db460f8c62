//! Messages of which it isn't known whether they arrived: what a look into their conversation settles, and what is kept
//! of them until then.
//!
//! Each try has a salt of its own, by which the status record names what has arrived. So "arrived" is said of the very
//! message whose salt is there, and "not arrived" once no session of a try can be open any more.

use tokio::time::Instant;

use super::App;
use crate::tor::Target;
use crate::tui::state::awaited::{Begun, Known};
use crate::tui::state::outbox::{DeliveryState, Fate, Try};
use kkv_base::lock;
use kkv_protocol::v2::answers::keys::Salt;
use kkv_ui::error::{CliError, Exit};

/// What is done about a message in doubt.
const LOOKED_FOR: &str = "Whether it has arrived is looked for (f does it now), and w shows the words that open its \
                          conversation. Keep them until you know.";
/// A later try of it has failed for sure.
const EARLIER_TRY: &str =
    "An earlier try of it may have arrived: that is looked for (f does it now).";
const NOT_IN_IT: &str =
    "it has not arrived: its conversation is in the inbox, and this message is not in it";
const NOTHING_THERE: &str =
    "it has not arrived, or is gone again: nothing of its conversation is in the inbox";

impl App {
    /// A try of this message has `failed`, and may have arrived all the same if `may_be_there`: remembers it.
    pub(super) fn remember_try(
        &mut self,
        id: u64,
        failed: CliError,
        may_be_there: bool,
    ) -> CliError {
        let salt = self.sent_salt(id).filter(|_| may_be_there);
        let Some(outgoing) = self.outbox.get_mut(id).filter(|one| one.wants_answer) else {
            return failed;
        };
        let had_tries = !outgoing.tries.is_empty();
        outgoing.tries.extend(salt.map(|salt| Try {
            salt,
            ended: Instant::now(),
        }));
        match (may_be_there, had_tries) {
            (true, _) => failed.more(LOOKED_FOR),
            (false, true) => failed.more(EARLIER_TRY),
            (false, false) => failed,
        }
    }

    /// What names a message that is on its way among those of its conversation.
    fn sent_salt(&self, id: u64) -> Option<Salt> {
        match &self.outbox.get(id)?.state {
            DeliveryState::InProgress(progress) => lock(progress).salt(),
            _ => None,
        }
    }

    /// Whether a message of this conversation may have come to its inbox since this moment, or may still come.
    pub(super) fn may_still_come(&self, conversation: u64, asked: Instant) -> bool {
        let mut all = self.outbox.messages().iter();
        all.any(|one| {
            let may_come = |of: &Try| !of.is_over_by(asked);
            one.conversation == Some(conversation) && one.tries.iter().any(may_come)
        })
    }

    /// Says what is known now of the messages in doubt of a conversation that is there, which was `asked` for then.
    pub(super) fn settle(&mut self, conversation: u64, asked: Instant) {
        let known = self.awaited.get(conversation).map(|begun| &begun.known);
        let Some(Known::There(inside, _)) = known else {
            return;
        };
        let of_it = self.outbox.messages().iter().filter(|one| {
            let has_failed = matches!(one.state, DeliveryState::Failed(_));
            has_failed && one.conversation == Some(conversation)
        });
        let fates = of_it.filter_map(|one| Some((one.id, one.fate(inside, asked)?)));
        let fates: Vec<_> = fates.collect();
        for (id, fate) in fates {
            match fate {
                Fate::Arrived => {
                    self.set_state(id, DeliveryState::Arrived);
                    self.inform("a message in doubt has arrived, by what its inbox says");
                }
                Fate::NotThere => {
                    self.is_not_there(id, NOT_IN_IT);
                    self.warn("a message in doubt has not arrived: o has it");
                }
            }
        }
    }

    /// Nothing of a conversation is there, and no message of it can come any more.
    pub(super) fn settle_as_gone(&mut self, conversation: u64) {
        let of_it = self.outbox.messages().iter();
        let of_it = of_it.filter(|one| one.conversation == Some(conversation));
        let ids: Vec<_> = of_it.map(|one| one.id).collect();
        for id in ids {
            self.is_not_there(id, NOTHING_THERE);
        }
    }

    fn is_not_there(&mut self, id: u64, why: &str) {
        let Some(outgoing) = self.outbox.get_mut(id) else {
            return;
        };
        let had_tries = !std::mem::take(&mut outgoing.tries).is_empty();
        if had_tries && matches!(outgoing.state, DeliveryState::Failed(_)) {
            outgoing.state = DeliveryState::Failed(CliError::new(Exit::Unreachable, why));
        }
    }

    /// Makes a message of its own of what is being written, if it is another than the one that may have arrived: that
    /// one stays as it was sent, with its words, until it is known what became of it. `target`: where it is sent now,
    /// if it is; a contact may have another address by then.
    pub(super) fn keep_what_may_have_arrived(&mut self, target: Option<Target>) {
        let Some(composer) = &mut self.composer else {
            return;
        };
        let outgoing = self.outbox.get(composer.id);
        let Some(outgoing) = outgoing.filter(|one| one.may_have_arrived()) else {
            return;
        };
        let begun = outgoing.conversation.and_then(|id| self.awaited.get(id));
        let is_there = |begun: &Begun| target.is_none_or(|target| target == begun.target);
        let is_to_the_same = (!composer.is_addressed() || composer.address() == outgoing.to)
            && begun.is_none_or(is_there);
        let is_asked_the_same = composer.wants_answer == outgoing.wants_answer;
        if is_to_the_same && is_asked_the_same && *composer.text() == *outgoing.text {
            return;
        }
        let to = outgoing.to.clone();
        let followed = outgoing.conversation.filter(|_| outgoing.follows_up);
        let is_paid_for = outgoing.is_paid_for;
        let id = self.outbox.begin();
        if let Some(another) = self.outbox.get_mut(id) {
            another.to = to;
            another.is_paid_for = is_paid_for;
            another.conversation = followed;
            another.follows_up = followed.is_some();
            another.wants_answer = composer.wants_answer;
        }
        composer.id = id;
        self.outbox.select(id);
    }
}
