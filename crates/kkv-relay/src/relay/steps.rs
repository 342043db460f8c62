//! The protocol's steps over the queue, without HTTP.
//!
//! Each step is one call that takes a parsed request and returns the body of its response or a [`Refusal`]. Messages,
//! and exchanges for them, are idempotent: the same bytes get the same response, for as long as it is remembered.
//! `/pow` makes a new challenge each time.
//!
//! No lock that sessions share is held during cryptography, but for two. That of one mapping of the memory for files
//! (1 MiB), for which nobody waits but who wants something of the same mapping (an owner who reads or deletes a message
//! in it has the queue's lock meanwhile): while a piece is opened, 50 µs in a
//! release build on an AMD EPYC, and while a whole message is checked, of which the hash of 1 MiB is 0.1 ms. And that
//! of the boxes, while a proof is tried on all of them, 0.3 ms at most, and a record or an answer is sealed.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use rand::CryptoRng;

use super::asks::ReadingLarge;
use super::sessions::{Entry, Held, Moment, PaidRequest, Sessions, Stage};
use super::spent::Challenge;
use super::{Relay, json};
use kkv_base::limits::{SESSION_LIFETIME, SLOT_BYTES};
use kkv_pow::Cost;
use kkv_protocol::crypto::chunks::AskNumber;
use kkv_protocol::ids::{RequestDigest, SessionId};
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::Suite;
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::v2::ask::relay::{AskSession, SealingAnswer};
use kkv_protocol::v2::ask::{AskOutcome, Asked};
use kkv_protocol::v2::invitation::InvitationNumber;
use kkv_protocol::v2::purpose::{BodySize, Purpose};
use kkv_protocol::{MessageHeader, Terms, v1, v2};
use zeroize::{Zeroize, Zeroizing};

/// A message that is good, but for its place in a box, and what it is answered once it is in the queue.
pub(super) struct Checked<R> {
    length: usize,
    header: MessageHeader,
    box_part: BoxPart,
    answer: R,
}

impl Relay {
    /// `POST /pow` in kkv/1.
    ///
    /// # Errors
    /// The suite is off, or the queue is full: refused before the sender pays.
    pub fn pow_v1(
        &self,
        request: &v1::wire::PowRequest,
        rng: &mut impl CryptoRng,
    ) -> Result<v1::wire::PowAnswer, Refusal> {
        let terms = self.terms(Suite::V1)?;
        Ok(v1::relay::issue(&self.keys, request, &terms, rng))
    }

    /// `POST /pow` in kkv/2.
    ///
    /// # Errors
    /// What [`v2::relay::purpose`] refuses, `uninvited`, and for a message as [`pow_v1`](Self::pow_v1).
    pub fn pow_v2(
        &self,
        request: &v2::wire::PowRequest,
        rng: &mut impl CryptoRng,
    ) -> Result<v2::wire::PowAnswer, Refusal> {
        self.speaks(Suite::V2)?;
        let purpose = v2::relay::purpose(request)?;
        if let Some(proof) = &request.invitation {
            let invited = &self.invitations;
            let number = invited.find(&request.sender, proof, self.clock.elapsed())?;
            let terms = match purpose {
                Purpose::Large(size) => self.large_terms(size)?,
                Purpose::Message | Purpose::Ask(_) => self.terms(Suite::V2)?,
            };
            let terms = Terms {
                cost: Cost::FREE,
                ..terms
            };
            let keys = &self.keys;
            return Ok(v2::relay::issue_invited(
                keys, request, purpose, number, &terms, rng,
            ));
        }
        let terms = match purpose {
            Purpose::Message => self.terms(Suite::V2)?,
            Purpose::Large(size) => self.large_terms(size)?,
            Purpose::Ask(size) => self.terms_at(self.asks.cost(size), self.moment(Suite::V2)),
        };
        Ok(v2::relay::issue(&self.keys, request, purpose, &terms, rng))
    }

    /// `POST /exchange_keys` in kkv/1. Returns the JSON of the answer.
    ///
    /// # Errors
    /// What [`v1::relay::admit`] refuses, `spent`, `full`, or `price_rose`.
    pub fn exchange_v1(
        &self,
        request: &v1::wire::Exchange,
        rng: &mut impl CryptoRng,
    ) -> Result<String, Refusal> {
        self.speaks(Suite::V1)?;
        let admitted = v1::relay::admit(&self.keys, request, self.moment(Suite::V1).challenges)?;
        let paid = PaidRequest {
            challenge: Challenge::new(admitted.expiry(), &admitted.seed()),
            cost: admitted.cost(),
            invitation: None,
            digest: admitted.repeat_digest(),
        };
        self.open(&self.sessions_v1, Suite::V1, paid, || {
            let (session, answer) = admitted.open(&self.keys, rng)?;
            let id = self.keys.session_id_v1(&session.sender());
            Ok((id, Box::new(session), json(&answer)))
        })
    }

    /// `POST /exchange_keys` in kkv/2. Returns the JSON of the answer.
    ///
    /// # Errors
    /// What [`v2::relay::admit`] refuses, `spent`, `price_rose`, for a message `full` and `uninvited`, for asks
    /// `stopping`.
    pub fn exchange_v2(
        &self,
        request: &v2::wire::ExchangeRequest,
        rng: &mut impl CryptoRng,
    ) -> Result<String, Refusal> {
        self.speaks(Suite::V2)?;
        let admitted = v2::relay::admit(&self.keys, request, self.moment(Suite::V2).challenges)?;
        let challenge = Challenge::new(admitted.expiry(), &admitted.seed());
        if let Purpose::Ask(size) = admitted.purpose() {
            let cost = admitted.cost();
            self.asks.check(&challenge, size, cost)?;
            let (session, answer) = admitted.open_asks(&self.keys, size, rng)?;
            self.asks
                .open(challenge, session, cost, self.moment(Suite::V2))?;
            return Ok(json(&answer));
        }
        let paid = PaidRequest {
            challenge,
            cost: admitted.cost(),
            invitation: admitted.invitation(&self.keys),
            digest: admitted.repeat_digest(),
        };
        if let Purpose::Large(size) = admitted.purpose() {
            return self.open_large(paid, size, || {
                let (session, answer) = admitted.open_large(&self.keys, size, rng)?;
                Ok((session, json(&answer)))
            });
        }
        self.open(&self.sessions_v2, Suite::V2, paid, || {
            let (session, answer) = admitted.open(&self.keys, rng)?;
            let id = session.id();
            Ok((id, Box::new(session), json(&answer)))
        })
    }

    /// `POST /msg` in kkv/1. The answer is empty: the message is in the queue.
    ///
    /// # Errors
    /// What [`v1::relay::signed`] and [`v1::relay::Session::open`] refuse, or no such session. The signature is checked
    /// first, so a third party can't find out whether a sender has a session.
    pub fn message_v1(&self, request: &v1::wire::MessageRequest) -> Result<String, Refusal> {
        self.speaks(Suite::V1)?;
        let message = v1::relay::signed(request)?;
        let id = self.keys.session_id_v1(&message.sender());
        let digest = message.repeat_digest();
        self.accept_message(&self.sessions_v1, id, digest, |session, slot| {
            let (length, header) = session.open(&message, slot)?;
            Ok(Checked {
                length,
                header,
                box_part: BoxPart::None,
                answer: (),
            })
        })?;
        Ok(String::new())
    }

    /// `POST /msg` in kkv/2. Returns the JSON of the answer: the message is in the queue, and this is the receipt.
    ///
    /// # Errors
    /// No such session, or what [`v2::relay::Session::open`] refuses.
    pub fn message_v2(&self, request: &v2::wire::MessageRequest) -> Result<String, Refusal> {
        self.speaks(Suite::V2)?;
        let digest = v2::relay::message_digest(request);
        let id = request.session;
        let answer = self.accept_message(&self.sessions_v2, id, digest, |session, slot| {
            let opened = session.open(&self.keys, request, slot)?;
            Ok(Checked {
                length: opened.length,
                header: opened.header,
                box_part: opened.box_part,
                answer: opened.answer,
            })
        })?;
        Ok(json(&answer))
    }

    pub(super) fn speaks(&self, suite: Suite) -> Result<(), Refusal> {
        if self.config.suites.allows(suite) {
            Ok(())
        } else {
            Err(Refusal::UnsupportedSuite)
        }
    }

    fn terms(&self, suite: Suite) -> Result<Terms, Refusal> {
        self.speaks(suite)?;
        let now = self.moment(suite);
        let occupancy = self.queue.occupancy(now.elapsed);
        if occupancy.free() == 0 {
            return Err(Refusal::Full);
        }
        Ok(self.terms_at(self.config.pricing.cost(&occupancy), now))
    }

    pub(super) fn terms_at(&self, cost: Cost, now: Moment) -> Terms {
        Terms {
            cost,
            lifetime: self.config.expected_seconds,
            expiry: now.challenges + u64::from(self.config.expected_seconds),
            session_lifetime: u16::try_from(SESSION_LIFETIME.as_secs())
                .expect("two minutes are a few seconds"),
        }
    }

    /// The session for a request to `POST /ask` whose head has come.
    ///
    /// # Errors
    /// `unsupported_suite`, or unproven: see [`Asks::get`](super::asks::Asks::get).
    pub(super) fn ask_session(
        &self,
        id: &SessionId,
        size: BodySize,
        number: AskNumber,
    ) -> Result<Arc<AskSession>, Refusal> {
        self.speaks(Suite::V2)?;
        self.asks.get(id, size, number, self.clock.elapsed())
    }

    /// Begins to read a large body of this session: see [`Asks::begin_large`](super::asks::Asks::begin_large).
    ///
    /// # Errors
    /// Slow down or unproven.
    pub(super) fn begin_large_ask(
        &self,
        session: &AskSession,
    ) -> Result<ReadingLarge<'_>, Refusal> {
        self.asks.begin_large(&session.id())
    }

    /// A chunk of this session was opened or sealed.
    pub(super) fn ask_progress(&self, session: &AskSession) {
        self.asks.touch(&session.id(), self.clock.elapsed());
    }

    /// Answers a request that has come whole, and whose seals have opened. With this its number is taken.
    ///
    /// # Errors
    /// Unproven: see [`Asks::take`](super::asks::Asks::take).
    pub(super) fn ask(
        &self,
        session: &AskSession,
        number: AskNumber,
        asked: Result<Asked, AskOutcome>,
    ) -> Result<SealingAnswer, Refusal> {
        self.asks
            .take(&session.id(), number, self.clock.elapsed())?;
        let nothing = Vec::new;
        let (outcome, content) = match asked {
            Ok(Asked::Nothing) => (AskOutcome::Done, nothing()),
            Ok(Asked::Replies(request)) if session.size() == BodySize::Kib16 => {
                let (receipts, now) = (self.config.read_receipts, self.now());
                let id = session.id();
                let replies = self
                    .boxes
                    .replies(&request, &id, number, receipts, &self.queue, now);
                (AskOutcome::Done, replies.into_bytes())
            }
            Ok(Asked::Replies(_)) => (AskOutcome::Malformed, nothing()),
            Err(outcome) => (outcome, nothing()),
        };
        let content = Zeroizing::new(content);
        Ok(SealingAnswer::new(
            session,
            number,
            outcome,
            self.started,
            content,
        ))
    }

    /// Whether a slot is free, and what was paid still buys it, or the invitation can be used.
    fn check_price(&self, paid: &PaidRequest, now: Duration) -> Result<(), Refusal> {
        let occupancy = self.queue.occupancy(now);
        if occupancy.free() == 0 {
            Err(Refusal::Full)
        } else if let Some(number) = paid.invitation {
            self.invitations.check(number, now)
        } else if self.config.pricing.accepts(paid.cost, &occupancy) {
            Ok(())
        } else {
            Err(Refusal::PriceRose)
        }
    }

    /// Opens a session for a paid request. It is checked before and after `exchange`, which takes 200 µs and holds no
    /// lock.
    fn open<I: Copy + Eq + Hash, S, R: Copy>(
        &self,
        sessions: &Sessions<I, S, R>,
        suite: Suite,
        paid: PaidRequest,
        exchange: impl FnOnce() -> Result<(I, Box<S>, String), Refusal>,
    ) -> Result<String, Refusal> {
        let now = self.moment(suite);
        if let Some(answer) = sessions.cached_answer(&paid, now.elapsed)? {
            return Ok(answer);
        }
        match self.check_price(&paid, now.elapsed) {
            Ok(()) => {}
            // A sender of kkv/1 may have an open session whose slot this one takes over. `exchange` checks first that
            // it is the same sender, or anyone could end the session.
            Err(Refusal::Full) if suite == Suite::V1 => {}
            // The last slot, or use of an invitation, may have gone to a concurrent copy of this request.
            Err(refusal) => return sessions.cached_answer(&paid, now.elapsed)?.ok_or(refusal),
        }
        let (id, session, answer) = exchange()?;
        let reserve = |older: Option<&Entry<S>>| match self.check_price(&paid, now.elapsed) {
            Ok(()) => self.reserve(paid.invitation, now.elapsed),
            Err(Refusal::Full) if self.buys_last_slot(paid.cost, now.elapsed) => {
                let slot = older.and_then(Entry::take_slot);
                slot.map(Held::from).ok_or(Refusal::Full)
            }
            Err(refusal) => Err(refusal),
        };
        sessions.open(paid, id, session, answer, now, reserve)
    }

    /// Reserves a slot, and a use of the invitation if there is one.
    fn reserve(
        &self,
        invitation: Option<InvitationNumber>,
        now: Duration,
    ) -> Result<Held, Refusal> {
        let invitation = invitation.map(|number| self.invitations.reserve(number, now));
        Ok(Held {
            invitation: invitation.transpose()?,
            slot: self.queue.reserve(now).map_err(|_| Refusal::Full)?,
        })
    }

    /// Whether `paid` buys the last slot: its sender's own, when no other is free.
    fn buys_last_slot(&self, paid: Cost, now: Duration) -> bool {
        self.config
            .pricing
            .accepts(paid, &self.queue.occupancy(now))
    }

    /// Accepts the message of a session, which ends with it. A repetition gets the same answer while that is
    /// remembered; any other message finds no session.
    ///
    /// Holds the session's own lock, for which only a repetition of this request waits.
    pub(super) fn accept_message<I: Copy + Eq + Hash, S, R: Copy>(
        &self,
        sessions: &Sessions<I, S, R>,
        id: I,
        digest: RequestDigest,
        open: impl FnOnce(&S, &mut [u8; SLOT_BYTES]) -> Result<Checked<R>, Refusal>,
    ) -> Result<R, Refusal> {
        let now = self.now();
        let accepted = || sessions.accepted_answer(&digest, now.elapsed);
        if let Some(answer) = accepted() {
            return Ok(answer);
        }
        let first = || {
            let entry = sessions.get(&id, now.elapsed).ok_or(Refusal::Unproven)?;
            let mut stage = crate::lock(&entry.stage);
            let Stage::Open { session, slot, .. } = &mut *stage else {
                return Err(Refusal::Unproven);
            };
            let checked = open(session, slot.bytes_mut())?;
            let (length, header, answer) = (checked.length, checked.header, checked.answer);
            let name = header.session;
            let store = || {
                let Stage::Open {
                    slot, invitation, ..
                } = std::mem::replace(&mut *stage, Stage::Ended)
                else {
                    return Err(Refusal::Unproven);
                };
                let stored = slot.store(length, header, now);
                let id = stored.map_err(|_| Refusal::Stopping)?;
                if let Some(used) = invitation {
                    used.spend();
                }
                Ok(id)
            };
            let (box_part, queue) = (checked.box_part, &self.queue);
            if let Err(refusal) = self.boxes.accept(box_part, &name, queue, now, store) {
                // The session goes on, without what was refused.
                if let Stage::Open { slot, .. } = &mut *stage {
                    slot.bytes_mut().zeroize();
                }
                return Err(refusal);
            }
            sessions.record_accepted(&id, &entry, digest, answer, now.elapsed);
            Ok(answer)
        };
        // A concurrent copy of this request may have ended the session meanwhile.
        first().or_else(|refusal| accepted().ok_or(refusal))
    }
}
