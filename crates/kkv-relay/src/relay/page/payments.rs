//! What script pays on the page (PROTOCOL.md §18): the same price as for a session, by the same puzzle or by one of
//! PBKDF2, for one message.
//!
//! A challenge costs the relay no memory until a message was paid for with it; that one it remembers as spent.

use std::time::Duration;

use data_encoding::HEXLOWER;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};

use super::{NotTaken, Offers, Page, State, Wants};
use crate::relay::Relay;
use crate::relay::spent;
use kkv_page::challenge::{Challenge, Checked};
use kkv_page::class::Class;
use kkv_page::derived::Claim;
use kkv_page::form_id::FormId;
use kkv_page::html::Paid;
use kkv_pow::Cost;
use kkv_protocol::ids::Seed;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::v2::purpose::LargeSize;

/// Highest cost that the page offers to pay: its script looks at 32 bits of each of sixteen hashes.
const MAX_COST: u8 = 36;

/// What a form pays with, as it stands there; both are empty if it doesn't.
#[derive(Debug, Default, Clone)]
pub(in crate::relay) struct Payment {
    pub(in crate::relay) challenge: String,
    pub(in crate::relay) nonces: String,
}

impl Payment {
    /// It as it stands in a page.
    pub(in crate::relay) fn as_paid(&self) -> Paid<'_> {
        Paid {
            challenge: &self.challenge,
            nonces: &self.nonces,
        }
    }
}

/// What script asks the price of.
#[derive(Debug, Deserialize)]
pub(in crate::relay) struct PriceRequest {
    /// Length of a message with files as it is stored; 0 for a text alone.
    bytes: usize,
    /// How tries are to be made; by hashes if it doesn't say.
    class: Option<String>,
}

/// The price of a message, and what to solve for it.
#[derive(Debug, Serialize)]
pub(in crate::relay) struct Price {
    /// What stands in the form, together with what is found.
    challenge: String,
    class: &'static str,
    /// Those that may be asked for.
    classes: [&'static str; Class::ALL.len()],
    /// Key of the puzzle, in hex.
    puzzle: String,
    cost: u8,
    /// How long the challenge is good.
    seconds: u32,
}

impl State {
    pub(super) fn spend(&mut self, challenge: &Challenge) {
        self.spent.insert(spendable(challenge));
    }

    pub(super) fn is_spent(&self, challenge: &Challenge) -> bool {
        let spendable = spendable(challenge);
        self.spent.contains(&spendable)
            || self.spent.is_expired(&spendable)
            || challenge.class() == Class::Pbkdf2 && self.verdicts.is_wrong(&spendable)
    }
}

/// By what a challenge is known as spent.
pub(super) fn spendable(challenge: &Challenge) -> spent::Challenge {
    let mut seed = Seed([0; 32]);
    seed.0[..16].copy_from_slice(challenge.random());
    spent::Challenge::new(challenge.expiry(), &seed)
}

impl Relay {
    /// Whether script is to offer to pay.
    pub(super) fn page_takes_payments(&self) -> bool {
        self.cost().bits() <= MAX_COST
    }

    /// A new challenge at the price of this moment. Nothing is kept of it.
    ///
    /// # Errors
    /// No slot is free, no form can be remembered, or there is no room for files of this size, now or ever; or there is
    /// no such class.
    pub(in crate::relay) fn page_price(
        &self,
        page: &Page,
        asked: &PriceRequest,
        rng: &mut impl CryptoRng,
    ) -> Result<Price, Refusal> {
        let class = match &asked.class {
            None => Class::Hash,
            Some(name) => Class::named(name).ok_or(Refusal::Malformed)?,
        };
        let now = self.clock.elapsed();
        let occupancy = self.queue.occupancy(now);
        // What would be refused is not paid for.
        if page.state().forms.are_full(now) {
            return Err(Refusal::Full);
        }
        let cost = if asked.bytes == 0 {
            if occupancy.free() == 0 {
                return Err(Refusal::Full);
            }
            self.config.pricing.cost(&occupancy)
        } else {
            let size = LargeSize::for_content(asked.bytes).ok_or(Refusal::TooLarge)?;
            self.check_room(size, now)?;
            self.config.pricing.large_cost(size, &self.queue.room(now))
        };
        let seconds = self.config.expected_seconds;
        let expiry = now.as_secs() + u64::from(seconds);
        let challenge = page.key.challenge(cost, class, expiry, rng);
        Ok(Price {
            challenge: challenge.to_text(),
            class: class.name(),
            classes: Class::ALL.map(Class::name),
            puzzle: HEXLOWER.encode(&challenge.puzzle_key().0),
            cost: cost.bits(),
            seconds,
        })
    }

    /// The challenge of a payment that buys the message; `None` if there is no payment.
    pub(super) fn paid(
        &self,
        page: &Page,
        state: &State,
        form: FormId,
        offers: &Offers<'_>,
        now: Duration,
    ) -> Option<Result<Challenge, NotTaken>> {
        if offers.payment.challenge.is_empty() {
            return None;
        }
        let challenge = unspent(page, state, offers.payment, now);
        let challenge = challenge.filter(|challenge| !state.uploads.holds(challenge, form));
        let Some(challenge) = challenge else {
            return Some(Err(NotTaken::BadPayment));
        };
        let buys = self.buys(challenge.cost(), offers.wants, now);
        Some(buys.then_some(challenge).ok_or(NotTaken::PriceRose))
    }

    pub(super) fn buys(&self, paid: Cost, wants: Wants, now: Duration) -> bool {
        let pricing = &self.config.pricing;
        let slot = || pricing.accepts(paid, &self.queue.occupancy(now));
        let files = |size| pricing.accepts_large(paid, size, &self.queue.room(now));
        match wants {
            Wants::Slot => slot(),
            Wants::Files(size) => files(size),
            Wants::Either => slot() || files(LargeSize::Kib16),
        }
    }

    /// What a form that goes back to its sender has paid with, if that is still good for a text: nobody pays twice for
    /// a message that has only to be mended.
    pub(in crate::relay) fn page_payment<'p>(
        &self,
        page: &Page,
        payment: &'p Payment,
    ) -> Option<Paid<'p>> {
        let now = self.clock.elapsed();
        let (challenge, _) = plausible(page, &page.state(), payment, now)?;
        self.buys(challenge.cost(), Wants::Slot, now)
            .then(|| payment.as_paid())
    }
}

/// The challenge of a payment that is good but for its price.
fn unspent(page: &Page, state: &State, payment: &Payment, now: Duration) -> Option<Challenge> {
    let (challenge, claim) = plausible(page, state, payment, now)?;
    claim
        .is_none_or(|_| state.verdicts.is_right(&challenge, payment))
        .then_some(challenge)
}

/// The same with what is left to check of it, which takes long (`checks`): cheapest fault first.
pub(super) fn plausible(
    page: &Page,
    state: &State,
    payment: &Payment,
    now: Duration,
) -> Option<(Challenge, Option<Claim>)> {
    let challenge = page.key.check_challenge(&payment.challenge, now.as_secs());
    let challenge = challenge
        .ok()
        .filter(|challenge| !state.is_spent(challenge))?;
    match challenge.check(&payment.nonces).ok()? {
        Checked::Solved => Some((challenge, None)),
        Checked::Claimed(claim) => Some((challenge, Some(claim))),
    }
}
