//! The side of `kkv` that strangers reach: the protocol's steps over the queue, without HTTP.
//!
//! Each step is one call that takes a parsed request and returns the body of its answer or a [`Refusal`]. No lock that
//! others wait for is held during cryptography. An exchange or a message that is asked for again, word for word, is
//! answered the same; `/pow` makes another challenge.

mod price;
mod router;
mod sessions;
mod spent;

use std::sync::Arc;
use std::time::Duration;

use rand::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::queue::{MessageId, Now, Queue};
use kkv_base::clock::Clock;
use kkv_base::limits::{MAX_TEXT_BYTES, PURGE_INTERVAL, SESSION_LIFETIME};
use kkv_pow::Cost;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::relay_keys::RelayKeys;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::{Envelope, Terms, v1, v2};
use sessions::{Claim, Entry, Moment, Name, Sessions, Stage};
use spent::Challenge;

pub use price::Pricing;
pub use router::router;

/// What an owner decides about a relay.
#[derive(Debug, Clone, Copy)]
pub struct RelayConfig {
    /// The price of a session.
    pub pricing: Pricing,
    /// Seconds that a sender has to pay it.
    pub expected_seconds: u32,
    /// Which suites are spoken.
    pub suites: SuitePolicy,
}

/// What anyone may know about a relay (`GET /status`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicStatus {
    /// Suites spoken, best first.
    pub suites: Vec<Suite>,
    /// Cost of a challenge asked for now.
    pub cost: u8,
    /// Seconds to solve it in.
    pub expected_seconds: u32,
    /// Longest text, in bytes of UTF-8.
    pub max_text_bytes: usize,
}

/// A relay at work.
#[derive(Debug)]
pub struct Relay {
    keys: RelayKeys,
    config: RelayConfig,
    queue: Queue<Envelope>,
    sessions_v1: Sessions<v1::relay::Session, ()>,
    sessions_v2: Sessions<v2::relay::Session, v2::wire::MessageAnswer>,
    clock: Arc<dyn Clock>,
    /// By how much kkv/2's expiries are ahead of the steady clock.
    origin: Duration,
}

impl Relay {
    /// A relay with new keys from `rng` that puts what it accepts into `queue`.
    pub fn new(
        config: RelayConfig,
        queue: Queue<Envelope>,
        clock: Arc<dyn Clock>,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let origin = Duration::from_secs(clock.unix()).saturating_sub(clock.elapsed());
        Self {
            keys: RelayKeys::generate(rng),
            origin,
            config,
            queue,
            sessions_v1: Sessions::new(),
            sessions_v2: Sessions::new(),
            clock,
        }
    }

    /// Its keys.
    #[must_use]
    pub fn keys(&self) -> &RelayKeys {
        &self.keys
    }

    /// What its owner decided.
    #[must_use]
    pub fn config(&self) -> &RelayConfig {
        &self.config
    }

    /// Where its messages are.
    #[must_use]
    pub fn queue(&self) -> &Queue<Envelope> {
        &self.queue
    }

    /// The time by which messages are dated and live.
    #[must_use]
    pub fn now(&self) -> Now {
        Now {
            unix: self.clock.wall(),
            elapsed: self.clock.elapsed(),
        }
    }

    /// The time by which a suite's challenges and sessions live. What kkv/2 calls unix seconds are its relay's alone to
    /// read: they count on from its start by the steady clock, so that no challenge lives longer or shorter when the
    /// machine's clock is set. A published sender of kkv/1 reads them by a clock of its own, so these follow the
    /// machine's wherever that doesn't have them go back.
    fn moment(&self, suite: Suite) -> Moment {
        let elapsed = self.clock.elapsed();
        let challenges = match suite {
            Suite::V1 => self.clock.unix(),
            Suite::V2 => (self.origin + elapsed).as_secs(),
        };
        Moment {
            challenges,
            elapsed,
        }
    }

    /// The price of a challenge asked for at this moment.
    #[must_use]
    pub fn cost(&self) -> Cost {
        let counts = self.queue.counts(self.clock.elapsed());
        self.config.pricing.cost(&counts)
    }

    /// `GET /status`.
    #[must_use]
    pub fn public_status(&self) -> PublicStatus {
        PublicStatus {
            suites: self.config.suites.suites(),
            cost: self.cost().bits(),
            expected_seconds: self.config.expected_seconds,
            max_text_bytes: MAX_TEXT_BYTES,
        }
    }

    /// `POST /pow` in kkv/1.
    ///
    /// # Errors
    /// The suite is off, or the queue is full: better said before the sender pays.
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
    /// As [`pow_v1`](Self::pow_v1).
    pub fn pow_v2(
        &self,
        request: &v2::wire::PowRequest,
        rng: &mut impl CryptoRng,
    ) -> Result<v2::wire::PowAnswer, Refusal> {
        let terms = self.terms(Suite::V2)?;
        v2::relay::issue(&self.keys, request, &terms, rng)
    }

    /// `POST /exchange_keys` in kkv/1. Returns the JSON of the answer.
    ///
    /// # Errors
    /// Whatever [`v1::relay`] finds; spent; full; dearer meanwhile.
    pub fn exchange_v1(
        &self,
        request: &v1::wire::Exchange,
        rng: &mut impl CryptoRng,
    ) -> Result<String, Refusal> {
        self.speaks(Suite::V1)?;
        let admitted = v1::relay::admit(&self.keys, request, self.moment(Suite::V1).challenges)?;
        let claim = Claim {
            challenge: Challenge::new(admitted.expiry(), &admitted.seed()),
            paid: admitted.cost(),
            request: admitted.repeat_digest(),
        };
        self.open(&self.sessions_v1, Suite::V1, claim, || {
            let (session, answer) = admitted.open(&self.keys, rng)?;
            let name = Name(self.keys.session_name_v1(session.sender()));
            Ok((name, Box::new(session), json(&answer)))
        })
    }

    /// `POST /exchange_keys` in kkv/2. Returns the JSON of the answer.
    ///
    /// # Errors
    /// Whatever [`v2::relay`] finds; spent; full; dearer meanwhile.
    pub fn exchange_v2(
        &self,
        request: &v2::wire::ExchangeRequest,
        rng: &mut impl CryptoRng,
    ) -> Result<String, Refusal> {
        self.speaks(Suite::V2)?;
        let admitted = v2::relay::admit(&self.keys, request, self.moment(Suite::V2).challenges)?;
        let claim = Claim {
            challenge: Challenge::new(admitted.expiry(), &admitted.seed()),
            paid: admitted.cost(),
            request: admitted.repeat_digest(),
        };
        self.open(&self.sessions_v2, Suite::V2, claim, || {
            let (session, answer) = admitted.open(&self.keys, rng)?;
            let name = Name(*session.id());
            Ok((name, Box::new(session), json(&answer)))
        })
    }

    /// `POST /msg` in kkv/1. The answer is empty: the message is in the queue.
    ///
    /// # Errors
    /// No such session, or whatever [`v1::relay::signed`] and [`v1::relay::Session::open`] find. Who has not signed is
    /// told the same whether there is a session of this sender or not.
    pub fn message_v1(&self, request: &v1::wire::MessageRequest) -> Result<String, Refusal> {
        self.speaks(Suite::V1)?;
        let message = v1::relay::signed(request)?;
        let name = Name(self.keys.session_name_v1(message.sender()));
        let digest = message.repeat_digest();
        self.take(&self.sessions_v1, name, digest, |session, slot| {
            let (length, envelope) = session.open(&message, slot)?;
            Ok((length, envelope, ()))
        })?;
        Ok(String::new())
    }

    /// `POST /msg` in kkv/2. Returns the JSON of the answer: the message is in the queue, and this is the receipt.
    ///
    /// # Errors
    /// No such session, or whatever [`v2::relay::Session::open`] finds.
    pub fn message_v2(&self, request: &v2::wire::MessageRequest) -> Result<String, Refusal> {
        self.speaks(Suite::V2)?;
        let digest = sessions::request_digest(&[&request.session.0, &request.sealed.0]);
        let name = Name(request.session.0);
        let answer = self.take(&self.sessions_v2, name, digest, |session, slot| {
            session.open(&self.keys, request, slot)
        })?;
        Ok(json(&answer))
    }

    /// Ends what has outlived its time, sessions and messages alike, and says at what time there is something to do
    /// again.
    pub fn purge(&self) -> Option<Duration> {
        let next = [
            self.sessions_v1.purge(self.moment(Suite::V1)),
            self.sessions_v2.purge(self.moment(Suite::V2)),
            self.queue.next_expiry(self.clock.elapsed()),
        ];
        next.into_iter().flatten().min()
    }

    /// Runs [`purge`](Self::purge) whenever it is due, until dropped, so that what has ended is wiped even if nobody
    /// comes.
    pub async fn purge_when_due(&self) {
        let mut news = self.queue.watch();
        loop {
            let wait = self.purge().map(|due| {
                // No longer than this at a time: while the machine sleeps, the clock of these lifetimes goes on and a
                // timer stands still.
                due.saturating_sub(self.clock.elapsed()).min(PURGE_INTERVAL)
            });
            tokio::select! {
                () = async {
                    match wait {
                        // A little late rather than a little early, which would be a second round for nothing.
                        Some(wait) => tokio::time::sleep(wait + Duration::from_millis(10)).await,
                        None => std::future::pending().await,
                    }
                } => {}
                _ = news.changed() => {}
                () = self.sessions_v1.opened() => {}
                () = self.sessions_v2.opened() => {}
            }
        }
    }

    /// Forgets every message and session now, and returns which messages. New ones are taken; spent challenges stay
    /// spent, and what is repeated is answered as before.
    pub fn wipe(&self) -> Vec<MessageId> {
        self.sessions_v1.wipe();
        self.sessions_v2.wipe();
        self.queue.delete_all(self.clock.elapsed())
    }

    /// Forgets everything and takes nothing more.
    pub fn close(&self) {
        self.queue.close();
        self.sessions_v1.close();
        self.sessions_v2.close();
    }

    fn speaks(&self, suite: Suite) -> Result<(), Refusal> {
        if self.config.suites.allows(suite) {
            Ok(())
        } else {
            Err(Refusal::UnsupportedSuite)
        }
    }

    fn terms(&self, suite: Suite) -> Result<Terms, Refusal> {
        self.speaks(suite)?;
        let now = self.moment(suite);
        let counts = self.queue.counts(now.elapsed);
        if counts.free() == 0 {
            return Err(Refusal::Full);
        }
        Ok(Terms {
            cost: self.config.pricing.cost(&counts),
            lifetime: self.config.expected_seconds,
            expiry: now.challenges + u64::from(self.config.expected_seconds),
            session_lifetime: u16::try_from(SESSION_LIFETIME.as_secs())
                .expect("two minutes are a few seconds"),
        })
    }

    /// Whether there is a slot for who has paid so much.
    fn honours(&self, paid: Cost, now: Duration) -> Result<(), Refusal> {
        let counts = self.queue.counts(now);
        if counts.free() == 0 {
            Err(Refusal::Full)
        } else if self.config.pricing.honours(paid, &counts) {
            Ok(())
        } else {
            Err(Refusal::PriceRose)
        }
    }

    /// Opens a session for a claim that was paid. The claim is checked before and after `exchange`, which takes 200 µs
    /// without a lock.
    fn open<S, R: Copy>(
        &self,
        sessions: &Sessions<S, R>,
        suite: Suite,
        claim: Claim,
        exchange: impl FnOnce() -> Result<(Name, Box<S>, String), Refusal>,
    ) -> Result<String, Refusal> {
        let now = self.moment(suite);
        if let Some(answer) = sessions.repeated(&claim, now.elapsed)? {
            return Ok(answer);
        }
        match self.honours(claim.paid, now.elapsed) {
            Ok(()) => {}
            // A sender of kkv/1 may have a slot to give up. That he is the sender has to be shown first, or anyone
            // could ask for it.
            Err(Refusal::Full) if suite == Suite::V1 => {}
            // The last slot may have gone to this very request, sent twice at once.
            Err(refusal) => return sessions.repeated(&claim, now.elapsed)?.ok_or(refusal),
        }
        let (name, session, answer) = exchange()?;
        let reserve = |older: Option<&Entry<S>>| match self.honours(claim.paid, now.elapsed) {
            Ok(()) => self.queue.reserve(now.elapsed).map_err(|_| Refusal::Full),
            Err(Refusal::Full) if self.pays_for_the_last(claim.paid, now.elapsed) => {
                older.and_then(Entry::give_way).ok_or(Refusal::Full)
            }
            Err(refusal) => Err(refusal),
        };
        sessions.open(claim, name, session, answer, now, reserve)
    }

    /// Whether so much is still enough for a slot that the same sender gives up when no other is free.
    fn pays_for_the_last(&self, paid: Cost, now: Duration) -> bool {
        self.config.pricing.honours(paid, &self.queue.counts(now))
    }

    /// Takes the message of a session. The session's own lock is held meanwhile, for which only a repetition of this
    /// request can wait.
    ///
    /// A session ends with its message. The same request is answered the same for a while; another one finds nothing,
    /// whoever it is from.
    fn take<S, R: Copy>(
        &self,
        sessions: &Sessions<S, R>,
        name: Name,
        digest: [u8; 32],
        open: impl FnOnce(
            &S,
            &mut [u8; kkv_base::limits::SLOT_BYTES],
        ) -> Result<(usize, Envelope, R), Refusal>,
    ) -> Result<R, Refusal> {
        let now = self.now();
        let accepted = || sessions.accepted(&digest, now.elapsed);
        if let Some(answer) = accepted() {
            return Ok(answer);
        }
        let first = || {
            let entry = sessions.find(&name, now.elapsed).ok_or(Refusal::Unproven)?;
            let mut stage = crate::lock(&entry.stage);
            let Stage::Open { session, slot } = &mut *stage else {
                return Err(Refusal::Unproven);
            };
            let (length, envelope, answer) = open(session, slot.bytes_mut())?;
            let Stage::Open { slot, .. } = std::mem::replace(&mut *stage, Stage::Ended) else {
                return Err(Refusal::Unproven);
            };
            slot.store(length, envelope, now)
                .map_err(|_| Refusal::Stopping)?;
            sessions.accept(&name, &entry, digest, answer, now.elapsed);
            Ok(answer)
        };
        // Asked once more: this very message, sent twice at once, may have been taken and its session ended meanwhile.
        first().or_else(|refusal| accepted().ok_or(refusal))
    }
}

fn json(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).expect("answers are objects of strings")
}
