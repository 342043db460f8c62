//! A relay that is asked for anything in any order, and beside it a model that knows what the queue must hold
//! (docs/THREATS.md, the third promise).

mod model;

use std::sync::Arc;
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use kkv_base::clock::Clock;
use kkv_base::limits::SESSION_LIFETIME;
use kkv_pow::Cost;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::ids::SenderId;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::{MessageHeader, Via};
use kkv_relay::queue::{MessageId, MessageRef, Queue};
use kkv_relay::relay::{Pricing, Relay, RelayConfig};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::in_process::{InProcess, START};
use crate::queue_model::Seen;
use crate::request::Request;
use crate::stranger::{Paid, Session, hello, sender_key, uninvited};
use model::{Claim, Expected, Model};

/// Operations in one run at most: enough to fill the queue, empty it and fill it again.
const MAX_OPERATIONS: usize = 48;
/// Strangers in one run at most.
const MAX_STRANGERS: usize = 8;
/// Senders' keys: strangers share them, since a session of kkv/1 is named by its sender's key.
const KEYS: u8 = 2;

/// Somebody with a challenge.
#[derive(Debug)]
struct Stranger {
    suite: Suite,
    key: usize,
    challenge: String,
    expiry: u64,
    paid: Cost,
    /// What was paid for it, each with other keys.
    tries: Vec<Paid>,
    /// The try that has opened its session, the answer, and what came of it.
    opened: Option<(usize, String, Session)>,
}

#[derive(Debug)]
struct Responder {
    inbox: InProcess,
    model: Model,
    strangers: Vec<Stranger>,
    keys: Vec<SenderKey>,
    rng: StdRng,
}

/// Does what the bytes say, and looks at everything after each step.
///
/// # Errors
/// The bytes are at their end.
///
/// # Panics
/// The relay does what it must not: a finding.
pub fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let mut responder = Responder::new(u)?;
    for _ in 0..MAX_OPERATIONS {
        if u.is_empty() {
            break;
        }
        let done = responder.operation(u);
        responder.compare();
        done?;
    }
    responder.end();
    Ok(())
}

/// A byte that says how many half seconds.
fn halves(u: &mut Unstructured<'_>) -> Result<Duration> {
    Ok(Duration::from_millis(500) * u.arbitrary::<u8>()?.into())
}

/// How the queue and the model show a message.
fn seen(message: &MessageRef<'_, MessageHeader>) -> Seen {
    let MessageHeader {
        via, cost, sender, ..
    } = message.header;
    Seen {
        id: message.id.0,
        received: message.received,
        read: message.read,
        header: header(*via, *cost, *sender),
        content: message.content.to_vec(),
    }
}

fn header(via: Via, cost: Cost, sender: SenderId) -> u32 {
    u32::from_be_bytes([via as u8, cost.bits(), sender.0[0], sender.0[1]])
}

impl Responder {
    fn new(u: &mut Unstructured<'_>) -> Result<Self> {
        let mut rng = StdRng::seed_from_u64(0);
        let suites = *u.choose(&[
            SuitePolicy::Any,
            SuitePolicy::Any,
            SuitePolicy::Only(Suite::V1),
            SuitePolicy::Only(Suite::V2),
        ])?;
        let capacity = u.int_in_range(0..=4)?;
        let life = if u.ratio(1, 2)? {
            Some(halves(u)?)
        } else {
            None
        };
        let config = RelayConfig {
            read_receipts: false,
            pricing: Pricing {
                base: Cost::new(u.int_in_range(0..=5)?).expect("that little can be asked for"),
                adaptive: u.arbitrary()?,
            },
            expected_seconds: u.int_in_range(1..=u8::MAX)?.into(),
            suites,
        };
        Ok(Self {
            inbox: InProcess::with(
                config,
                Queue::new(capacity, life).expect("so much memory"),
                &mut rng,
            ),
            model: Model::new(config, capacity, life),
            strangers: Vec::new(),
            keys: (1..=KEYS).map(sender_key).collect(),
            rng,
        })
    }

    fn relay(&self) -> &Relay {
        &self.inbox.relay
    }

    fn ask(&mut self, request: &Request) -> std::result::Result<String, Refusal> {
        request.ask(&Arc::clone(&self.inbox.relay), &mut self.rng)
    }

    fn operation(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let now = self.relay().now().elapsed;
        match u.int_in_range(0..=15)? {
            0 | 1 => self.pow(u)?,
            2 | 3 => self.exchange(u)?,
            4 => self.exchange_changed(u)?,
            5 | 6 => self.message(u)?,
            7 => self.message_changed(u)?,
            8 => {
                let time = halves(u)?;
                self.inbox.clock.advance(time);
                self.model.queue.advance(time);
            }
            9 => {
                let (id, read) = (self.some_id(u)?, u.arbitrary()?);
                let marked = self.relay().queue().mark(MessageId(id), read, now);
                assert_eq!(marked, self.model.queue.mark(id, read));
            }
            10 | 11 => {
                let id = self.some_id(u)?;
                let deleted = self.relay().queue().delete(MessageId(id), now);
                assert_eq!(deleted, self.model.queue.delete(id));
            }
            12 => {
                let deleted = self.relay().queue().delete_all(now);
                let deleted: Vec<u64> = deleted.into_iter().map(|id| id.0).collect();
                assert_eq!(deleted, self.model.queue.delete_all());
            }
            13 => {
                let next = self.relay().purge();
                self.model.purge();
                assert!(next.is_none_or(|next| next > now), "nothing due is left");
            }
            14 => {
                self.relay().wipe();
                self.model.wipe();
            }
            _ => {
                self.relay().close();
                self.model.close();
            }
        }
        Ok(())
    }

    /// One of the ids given so far, or one that was not.
    fn some_id(&self, u: &mut Unstructured<'_>) -> Result<u64> {
        u.int_in_range(0..=self.model.queue.last_id + 1)
    }

    fn pow(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        if self.strangers.len() == MAX_STRANGERS {
            return Ok(());
        }
        let suite = *u.choose(&[Suite::V1, Suite::V2])?;
        let key = u.choose_index(self.keys.len())?;
        if suite == Suite::V2 && u.ratio(1, 8)? {
            let forged = uninvited(&self.keys[key], u.arbitrary()?);
            let refused = match self.relay().config().suites.allows(suite) {
                true => Refusal::Uninvited,
                false => Refusal::UnsupportedSuite,
            };
            assert_eq!(self.ask(&forged).err(), Some(refused));
            return Ok(());
        }
        let paid = self.relay().cost();
        let answer = self.ask(&hello(suite, &self.keys[key]));
        self.model.challenge(suite).check(&answer);
        let Ok(challenge) = answer else {
            return Ok(());
        };
        assert!(
            self.model.costs().contains(&paid),
            "{paid} is no price of now"
        );
        self.strangers.push(Stranger {
            suite,
            key,
            challenge,
            expiry: self.inbox.clock.unix() + u64::from(self.relay().config().expected_seconds),
            paid,
            tries: Vec::new(),
            opened: None,
        });
        Ok(())
    }

    fn some_stranger(&self, u: &mut Unstructured<'_>) -> Result<Option<usize>> {
        match self.strangers.len() {
            0 => Ok(None),
            strangers => u.choose_index(strangers).map(Some),
        }
    }

    /// Somebody who has paid, and by which of its tries it goes on. It makes at most two.
    fn some_payer(&mut self, u: &mut Unstructured<'_>) -> Result<Option<(usize, usize)>> {
        let Some(who) = self.some_stranger(u)? else {
            return Ok(None);
        };
        let number = u.choose_index(2)?;
        let stranger = &mut self.strangers[who];
        let number = number.min(stranger.tries.len());
        if number == stranger.tries.len() {
            let key = &self.keys[stranger.key];
            let seed = number as u64;
            let paid = Paid::new(stranger.suite, key, &stranger.challenge, seed);
            stranger.tries.push(paid);
        }
        Ok(Some((who, number)))
    }

    fn exchange(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        if let Some((who, number)) = self.some_payer(u)? {
            let request = self.strangers[who].tries[number].request();
            self.ask_for_session(who, number, &request);
        }
        Ok(())
    }

    fn exchange_changed(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let Some((who, number)) = self.some_payer(u)? else {
            return Ok(());
        };
        let right = self.strangers[who].tries[number].request();
        let (changed, same) = right.changed(u)?;
        if same {
            self.ask_for_session(who, number, &changed);
        } else {
            assert!(
                self.ask(&changed).is_err(),
                "{changed:?} is not what was paid for"
            );
        }
        Ok(())
    }

    fn ask_for_session(&mut self, who: usize, number: usize, request: &Request) {
        let stranger = &self.strangers[who];
        let opened = stranger.opened.as_ref();
        let claim = Claim {
            stranger: who,
            suite: stranger.suite,
            key: stranger.key,
            expiry: stranger.expiry,
            paid: stranger.paid,
            spent_on: opened.map(|(by, answer, _)| (*by == number, answer.clone())),
        };
        let expected = self.model.exchange(&claim);
        let answer = self.ask(request);
        expected.check(&answer);
        let Ok(answer) = answer else {
            return;
        };
        let stranger = &mut self.strangers[who];
        if stranger.opened.is_some() {
            return; // a repetition, answered the same
        }
        let relay = self.inbox.relay.keys().public();
        let session = stranger.tries[number].open(relay, &answer);
        stranger.opened = Some((number, answer, session));
        self.model.open(who, stranger.suite, stranger.key);
    }

    fn message(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let Some(who) = self.some_stranger(u)? else {
            return Ok(());
        };
        let length = u.int_in_range(0..=3)?;
        let text = u.bytes(length)?.to_vec();
        let stranger = &self.strangers[who];
        let Some((_, _, session)) = &stranger.opened else {
            return Ok(());
        };
        let key = &self.keys[stranger.key];
        let request = session.say(key, &text);
        let (suite, key_index) = (stranger.suite, stranger.key);
        let header = header(suite.into(), stranger.paid, key.public().id());

        let expected = self.model.message(who, suite, &text);
        let answer = self.ask(&request);
        expected.check(&answer);
        if let (Ok(answer), Expected::New) = (&answer, &expected) {
            let (_, _, session) = self.strangers[who].opened.as_ref().expect("seen above");
            let relay = self.inbox.relay.keys().public();
            session.accepted(relay, &self.keys[key_index], &text, answer);
            self.model.accept(who, header, text, answer.clone());
        }
        Ok(())
    }

    fn message_changed(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let Some(who) = self.some_stranger(u)? else {
            return Ok(());
        };
        let stranger = &self.strangers[who];
        if let Some((_, _, session)) = &stranger.opened {
            let right = session.say(&self.keys[stranger.key], b"right");
            let (changed, _) = right.changed(u)?;
            assert!(
                self.ask(&changed).is_err(),
                "{changed:?} is not signed and sealed"
            );
        }
        Ok(())
    }

    /// Looks at the queue in every way there is.
    fn compare(&mut self) {
        self.model.queue.advance(Duration::ZERO); // what has no lifetime at all is gone by now
        let now = self.relay().now().elapsed;
        let occupancy = self.relay().queue().occupancy(now);
        self.model.check(&occupancy);
        let messages = self.relay().queue().list(now, |message| seen(&message));
        assert_eq!(messages, self.model.queue.seen());
        let next = self.relay().queue().next_expiry(now);
        assert_eq!(next, self.model.queue.next_expiry());
        for message in messages {
            let alone = self
                .relay()
                .queue()
                .with(MessageId(message.id), now, |m| seen(&m));
            assert_eq!(alone, Some(message));
        }
    }

    /// When the last session has ended, no slot is left to it.
    fn end(&mut self) {
        let time = SESSION_LIFETIME;
        self.inbox.clock.advance(time);
        self.model.queue.advance(time);
        self.relay().purge();
        self.model.purge();
        self.compare();
        let now = self.relay().now();
        assert_eq!(now.unix, START + now.elapsed.as_secs());
        assert_eq!(self.relay().queue().occupancy(now.elapsed).reserved, 0);
    }
}
