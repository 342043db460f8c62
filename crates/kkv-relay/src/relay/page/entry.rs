//! By what a message of the page is let in: an invitation, what script has paid, an answer of the owner's, or a place
//! that is given away.

use std::time::Duration;

use super::{NOBODY, NotTaken, Page, Payment, State};
use crate::boxes::LetIn;
use crate::queue::MessageId;
use crate::relay::Relay;
use crate::relay::invitations::ReservedUse;
use kkv_page::challenge::Challenge;
use kkv_page::form_id::FormId;
use kkv_protocol::v2::answers::keys::BoxSecret;
use kkv_protocol::v2::invitation::Token;
use kkv_protocol::v2::purpose::LargeSize;

/// What a form offers to be let in for.
pub(in crate::relay) struct Offers<'a> {
    pub(in crate::relay) invitation: &'a str,
    pub(in crate::relay) payment: &'a Payment,
    /// Of the box with whose conversation it goes on.
    pub(in crate::relay) follows: Option<&'a BoxSecret>,
    pub(in crate::relay) wants: Wants,
}

/// What it wants for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::relay) enum Wants {
    /// A slot for a text.
    Slot,
    /// Room for files.
    Files(LargeSize),
    /// One of both, which isn't known yet.
    Either,
}

/// By what a message is let in.
#[derive(Debug)]
pub(super) enum Entry {
    Invited(ReservedUse),
    Paid(Challenge),
    /// Its conversation was answered.
    Answered(LetIn),
    /// One of the places that are given away.
    Free,
}

impl Entry {
    pub(super) fn paid(&self) -> Option<&Challenge> {
        match self {
            Self::Paid(challenge) => Some(challenge),
            Self::Invited(_) | Self::Answered(_) | Self::Free => None,
        }
    }

    /// Its message is in the queue.
    pub(super) fn spend(self, state: &mut State, id: MessageId) {
        match self {
            Self::Invited(used) => used.spend(),
            Self::Paid(challenge) => state.spend(&challenge),
            Self::Answered(answer) => answer.spend(),
            Self::Free => state.free.push(id),
        }
    }
}

impl Relay {
    /// By what the message of a form is let in: an invitation if there is one, else a payment if that is good, else an
    /// answer in its conversation, else a place that is given away. What an upload of another form holds is not had
    /// twice.
    pub(super) fn let_in(
        &self,
        page: &Page,
        state: &mut State,
        form: FormId,
        offers: &Offers<'_>,
        now: Duration,
    ) -> Result<Entry, NotTaken> {
        let entry = self.entry(page, state, form, offers, now);
        match entry {
            Err(NotTaken::Uninvited | NotTaken::BadInvitation) => {
                self.must_go_on(offers).and(entry)
            }
            _ => entry,
        }
    }

    /// The conversation with which it goes on is not over: that is said before anything of an invitation, for which
    /// nobody is to look in vain.
    pub(super) fn must_go_on(&self, offers: &Offers<'_>) -> Result<(), NotTaken> {
        let Some(secret) = offers.follows else {
            return Ok(());
        };
        let lets_in = self.boxes.lets_in(secret, &self.queue, self.now());
        lets_in.map(drop).ok_or(NotTaken::Over)
    }

    fn entry(
        &self,
        page: &Page,
        state: &mut State,
        form: FormId,
        offers: &Offers<'_>,
        now: Duration,
    ) -> Result<Entry, NotTaken> {
        self.must_have_room(offers.wants, now)?;
        let invitation = offers.invitation.trim();
        if invitation.is_empty() {
            let fault = match self.paid(page, state, form, offers, now) {
                Some(Ok(challenge)) => return Ok(Entry::Paid(challenge)),
                Some(Err(fault)) => fault,
                None => NotTaken::Uninvited,
            };
            let answer = offers.follows.and_then(|secret| self.boxes.let_in(secret));
            if let Some(answer) = answer {
                return Ok(Entry::Answered(answer));
            }
            return if self.has_free_place(page, state, Some(form), now) {
                Ok(Entry::Free)
            } else {
                Err(fault)
            };
        }
        // Of a link, what stands behind the address.
        let token = invitation.rsplit('+').next().unwrap_or(invitation);
        let token: Token = token.parse().map_err(|_| NotTaken::BadInvitation)?;
        let proof = token.key().proof(&NOBODY);
        let reserved = self
            .invitations
            .find(&NOBODY, &proof, now)
            .and_then(|number| self.invitations.reserve(number, now));
        let reserved = reserved.map_err(|_| NotTaken::BadInvitation)?;
        Ok(Entry::Invited(reserved))
    }

    /// Files take no slot, and a text no room of files.
    pub(super) fn must_have_room(&self, wants: Wants, now: Duration) -> Result<(), NotTaken> {
        let has_slot = || self.queue.occupancy(now).free() > 0;
        let has_room = |size| self.check_room(size, now).is_ok();
        match wants {
            Wants::Slot if !has_slot() => Err(NotTaken::Full),
            Wants::Files(size) if !has_room(size) => Err(NotTaken::NoRoom),
            Wants::Either if !has_slot() && !has_room(LargeSize::Kib16) => Err(NotTaken::Full),
            _ => Ok(()),
        }
    }

    /// Whether a place that is given away is neither taken nor held by an upload, but that of `form`.
    pub(super) fn has_free_place(
        &self,
        page: &Page,
        state: &mut State,
        form: Option<FormId>,
        now: Duration,
    ) -> bool {
        state.forget_gone(&self.queue, now);
        let (all, taken) = (page.config.free as usize, state.free.len());
        // Uploads are looked through only if it depends on them.
        taken < all && taken + state.uploads.free(form) < all
    }
}
