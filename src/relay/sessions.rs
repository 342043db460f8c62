//! The sessions between strangers and this relay, and what is remembered of them so that a repeated request is answered
//! the same.
//!
//! What is remembered for strangers doesn't depend on what the owner does: a deletion or a wipe changes no answer to a
//! repetition.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use super::spent::{Challenge, Spent};
use crate::crypto::labels;
use crate::limits::{MAX_ACCEPTED, MAX_SPENT, SESSION_LIFETIME};
use crate::pow::Cost;
use crate::protocol::Envelope;
use crate::protocol::refusal::Refusal;
use crate::queue::Reservation;

/// By what a message finds its session among those of its suite: in kkv/1 a keyed hash of the sender's key, in kkv/2 the digest of the
/// transcript.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name(pub(super) [u8; 32]);

/// A paid request for a session.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    /// What was paid for.
    pub(super) challenge: Challenge,
    /// What was paid.
    pub(super) paid: Cost,
    /// Digest of the whole request.
    pub(super) request: [u8; 32],
}

/// How far a session is.
#[derive(Debug)]
pub(super) enum Stage<S> {
    /// It has a slot and waits for its message.
    Open {
        session: Box<S>,
        slot: Reservation<Envelope>,
    },
    /// Its message has been taken, or has come too late; or a newer session of the same sender has taken its place.
    Ended,
}

/// A session that waits for its message.
#[derive(Debug)]
pub(super) struct Entry<S> {
    pub(super) stage: Mutex<Stage<S>>,
    challenge: Challenge,
    end: Duration,
}

/// An exchange whose answer is given again to the same request: until its session has taken a message or its time is
/// over.
struct Exchange {
    request: [u8; 32],
    /// JSON.
    answer: String,
    /// `None` after a wipe: then there is no such session any more.
    session: Option<Name>,
    end: Duration,
}

/// A point in time, by both of the readings that sessions know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// As expiries of this suite's challenges count: they never go back, so what has been forgotten as expired stays so.
    pub(super) challenges: u64,
    /// Of the steady clock.
    pub(super) elapsed: Duration,
}

/// All sessions of one suite, each for its time. `S` is what the suite knows of a session that waits for its message,
/// `R` what it answers when that is in the queue.
#[derive(Debug)]
pub(super) struct Sessions<S, R> {
    table: Mutex<Table<S, R>>,
    opened: Notify,
}

struct Table<S, R> {
    spent: Spent,
    exchanges: HashMap<Challenge, Exchange>,
    /// Ends of exchanges, and of their sessions with them.
    ends: BTreeSet<(Duration, Challenge)>,
    sessions: HashMap<Name, Arc<Entry<S>>>,
    /// Slots of sessions that newer ones have replaced, until these would have ended: see [`Sessions::open`].
    held: BTreeMap<(Duration, Challenge), Reservation<Envelope>>,
    /// By the digest of its request: what was answered to a message that is in the queue, or was. It names neither
    /// sender nor session.
    accepted: HashMap<[u8; 32], R>,
    accepted_ends: VecDeque<(Duration, [u8; 32])>,
}

/// Digest by which a repeated message is known.
pub(super) fn request_digest(fields: &[&[u8]]) -> [u8; 32] {
    labels::REPEAT.digest(fields)
}

impl<S, R: Copy> Sessions<S, R> {
    /// None yet.
    pub(super) fn new() -> Self {
        let table = Table {
            spent: Spent::new(MAX_SPENT),
            exchanges: HashMap::new(),
            ends: BTreeSet::new(),
            sessions: HashMap::new(),
            held: BTreeMap::new(),
            accepted: HashMap::new(),
            accepted_ends: VecDeque::new(),
        };
        Self {
            table: Mutex::new(table),
            opened: Notify::new(),
        }
    }

    /// The answer that this very request has had, if it has had one.
    ///
    /// # Errors
    /// Its challenge was spent on another request, or on a session that has ended; or it is over.
    pub(super) fn repeated(&self, claim: &Claim, now: Duration) -> Result<Option<String>, Refusal> {
        crate::lock(&self.table).repeated(claim, now)
    }

    /// Spends the challenge and opens `session` in the slot that `reserve` gives. Returns the answer to give: if the
    /// same request has come twice at once, the first one's.
    ///
    /// `reserve` is called under the lock: a repeated request takes no second slot, not even for a moment. It is given
    /// the session that this one replaces, whose slot it may take. Otherwise that slot stays taken for as long as it
    /// would have been: who opens session after session with one key takes slot after slot, and pays for them as
    /// everyone else does.
    ///
    /// # Errors
    /// Spent or over meanwhile, or what `reserve` finds.
    pub(super) fn open(
        &self,
        claim: Claim,
        name: Name,
        session: Box<S>,
        answer: String,
        now: Moment,
        reserve: impl FnOnce(Option<&Entry<S>>) -> Result<Reservation<Envelope>, Refusal>,
    ) -> Result<String, Refusal> {
        // Declared before the lock, so that what ends here is wiped after the lock is gone.
        let mut ended = Vec::new();
        let mut table = crate::lock(&self.table);
        ended.extend(table.purge(now));
        if let Some(first) = table.repeated(&claim, now.elapsed)? {
            return Ok(first);
        }
        let slot = reserve(table.sessions.get(&name).map(|older| &**older))?;
        ended.extend(table.replace(&name));
        let (challenge, end) = (claim.challenge, now.elapsed + SESSION_LIFETIME);
        let exchange = Exchange {
            request: claim.request,
            answer: answer.clone(),
            session: Some(name),
            end,
        };
        let entry = Entry {
            stage: Mutex::new(Stage::Open { session, slot }),
            challenge,
            end,
        };
        table.spent.insert(challenge);
        table.exchanges.insert(challenge, exchange);
        table.ends.insert((end, challenge));
        table.sessions.insert(name, Arc::new(entry));
        drop(table);
        self.opened.notify_one();
        Ok(answer)
    }

    /// The session of this name, if it has not ended.
    pub(super) fn find(&self, name: &Name, now: Duration) -> Option<Arc<Entry<S>>> {
        let table = crate::lock(&self.table);
        let entry = table.sessions.get(name)?;
        (now < entry.end).then(|| Arc::clone(entry))
    }

    /// The message of this session, with this digest, is in the queue: the session is over, and `answer` is given to
    /// the same message again. To be called before the session's own lock is let go of, so that there is no moment in
    /// which neither of the two knows the message.
    pub(super) fn accept(
        &self,
        name: &Name,
        entry: &Arc<Entry<S>>,
        digest: [u8; 32],
        answer: R,
        now: Duration,
    ) {
        let mut table = crate::lock(&self.table);
        let held = table.sessions.get(name);
        if held.is_some_and(|held| Arc::ptr_eq(held, entry)) {
            table.sessions.remove(name);
        }
        table.end_exchange(&entry.challenge);
        table.accepted.insert(digest, answer);
        table
            .accepted_ends
            .push_back((now + SESSION_LIFETIME, digest));
        if table.accepted_ends.len() > MAX_ACCEPTED {
            table.forget_first_accepted();
        }
    }

    /// What was answered to the message of this digest when it was put into the queue, if that was not long ago.
    pub(super) fn accepted(&self, digest: &[u8; 32], now: Duration) -> Option<R> {
        let mut table = crate::lock(&self.table);
        table.forget_accepted(now);
        table.accepted.get(digest).copied()
    }

    /// Ends what is due; says when there is something to end again.
    pub(super) fn purge(&self, now: Moment) -> Option<Duration> {
        let mut table = crate::lock(&self.table);
        let expired = table.purge(now);
        let next = table.next_end(now);
        drop(table);
        drop(expired);
        next
    }

    /// Ends every session. Spent challenges stay spent, and what is repeated is answered as before, so that no stranger
    /// sees this; but what it is answered by tells nothing of sessions or senders any more.
    pub(super) fn wipe(&self) {
        let mut table = crate::lock(&self.table);
        for exchange in table.exchanges.values_mut() {
            exchange.session = None;
        }
        let ended = table.take_sessions();
        drop(table);
        drop(ended);
    }

    /// Ends every session and forgets every answer. Spent challenges stay spent.
    pub(super) fn close(&self) {
        let mut table = crate::lock(&self.table);
        table.exchanges.clear();
        table.ends.clear();
        table.accepted.clear();
        table.accepted_ends.clear();
        let ended = table.take_sessions();
        drop(table);
        drop(ended);
    }

    /// Waits until a session is opened.
    pub(super) async fn opened(&self) {
        self.opened.notified().await;
    }
}

impl<S> Entry<S> {
    /// Ends it for a newer session and gives its slot away. `None` if it has none, or if its message is being looked at
    /// in this moment: then that is decided first.
    pub(super) fn give_way(&self) -> Option<Reservation<Envelope>> {
        let mut stage = self.stage.try_lock().ok()?;
        match std::mem::replace(&mut *stage, Stage::Ended) {
            Stage::Open { slot, .. } => Some(slot),
            Stage::Ended => None,
        }
    }
}

impl<S, R> Table<S, R> {
    fn repeated(&self, claim: &Claim, now: Duration) -> Result<Option<String>, Refusal> {
        if self.spent.is_over(&claim.challenge) {
            return Err(Refusal::Expired);
        }
        if !self.spent.contains(&claim.challenge) {
            return Ok(None);
        }
        match self.exchanges.get(&claim.challenge) {
            Some(exchange) if now < exchange.end && exchange.request == claim.request => {
                Ok(Some(exchange.answer.clone()))
            }
            _ => Err(Refusal::Spent),
        }
    }

    /// Takes out the session of this name, whose slot is held until the session would have ended.
    fn replace(&mut self, name: &Name) -> Option<Arc<Entry<S>>> {
        let older = self.sessions.remove(name)?;
        self.end_exchange(&older.challenge);
        if let Some(slot) = older.give_way() {
            self.held.insert((older.end, older.challenge), slot);
        }
        Some(older)
    }

    fn end_exchange(&mut self, challenge: &Challenge) -> Option<Exchange> {
        let exchange = self.exchanges.remove(challenge)?;
        self.ends.remove(&(exchange.end, *challenge));
        Some(exchange)
    }

    /// Takes out what is due; dropping it, which wipes keys and slots, is left to the caller, outside the lock.
    fn purge(&mut self, now: Moment) -> Vec<Arc<Entry<S>>> {
        let mut expired = Vec::new();
        while let Some((end, challenge)) = self.ends.first().copied() {
            if now.elapsed < end {
                break;
            }
            self.ends.pop_first();
            let session = self.end_exchange(&challenge).and_then(|it| it.session);
            expired.extend(session.and_then(|name| self.sessions.remove(&name)));
        }
        while let Some(first) = self.held.first_entry()
            && first.key().0 <= now.elapsed
        {
            first.remove();
        }
        self.forget_accepted(now.elapsed);
        self.spent.forget(now.challenges);
        expired
    }

    fn next_end(&self, now: Moment) -> Option<Duration> {
        let expiry = self.spent.next_expiry().map(|unix| {
            let left = Duration::from_secs(unix.saturating_sub(now.challenges));
            now.elapsed + left
        });
        let ends = [
            self.ends.first().map(|(end, _)| *end),
            self.held.keys().next().map(|(end, _)| *end),
            self.accepted_ends.front().map(|(end, _)| *end),
            expiry,
        ];
        ends.into_iter().flatten().min()
    }

    fn forget_accepted(&mut self, now: Duration) {
        while self
            .accepted_ends
            .front()
            .is_some_and(|(end, _)| *end <= now)
        {
            self.forget_first_accepted();
        }
    }

    fn forget_first_accepted(&mut self) {
        if let Some((_, digest)) = self.accepted_ends.pop_front() {
            self.accepted.remove(&digest);
        }
    }

    fn take_sessions(&mut self) -> impl Sized + use<S, R> {
        let sessions = std::mem::take(&mut self.sessions);
        (sessions, std::mem::take(&mut self.held))
    }
}

impl<S, R> std::fmt::Debug for Table<S, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} sessions, {} spent",
            self.sessions.len(),
            self.spent.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::crypto::identity::SenderKey;
    use crate::protocol::relay_keys::RelayKeys;
    use crate::protocol::suite::SuitePolicy;
    use crate::protocol::text::Text;
    use crate::protocol::v1;
    use crate::protocol::wire::Hex;
    use crate::queue::Queue;
    use crate::relay::spent::resident;
    use crate::relay::{Pricing, Relay, RelayConfig};

    const NAME: Name = Name([7; 32]);
    const START: Moment = Moment {
        challenges: 1_800_000_000,
        elapsed: Duration::ZERO,
    };
    const DIGEST: [u8; 32] = [9; 32];

    /// Some time after the start.
    fn after(time: Duration) -> Moment {
        Moment {
            challenges: START.challenges + time.as_secs(),
            elapsed: time,
        }
    }

    fn claim(seed: u8) -> Claim {
        let expiry = START.challenges + 10 * SESSION_LIFETIME.as_secs();
        Claim {
            challenge: Challenge::new(expiry, &[seed; 32]),
            paid: Cost::HIGHEST,
            request: [seed; 32],
        }
    }

    /// As long as one of kkv/2.
    fn receipt(number: u8) -> [u8; 64] {
        [number; 64]
    }

    fn queue(slots: u32) -> Queue<Envelope> {
        Queue::new(slots, None).unwrap()
    }

    /// A session of [`NAME`], opened at the start by a challenge that outlives it.
    fn open(
        sessions: &Sessions<(), [u8; 64]>,
        queue: &Queue<Envelope>,
        seed: u8,
    ) -> Arc<Entry<()>> {
        let answer = format!("answer {seed}");
        let reserve = |_: Option<&_>| queue.reserve(START.elapsed).map_err(|_| Refusal::Full);
        let opened = sessions.open(
            claim(seed),
            NAME,
            Box::new(()),
            answer.clone(),
            START,
            reserve,
        );
        assert_eq!(opened, Ok(answer));
        sessions.find(&NAME, START.elapsed).unwrap()
    }

    #[test]
    fn a_repetition_that_comes_after_its_session_has_ended_is_spent_before_anyone_has_cleared_up() {
        let (sessions, queue) = (Sessions::new(), queue(1));
        open(&sessions, &queue, 1);
        let before = SESSION_LIFETIME - Duration::from_nanos(1);
        assert_eq!(
            sessions.repeated(&claim(1), before),
            Ok(Some("answer 1".to_owned()))
        );
        assert_eq!(
            sessions.repeated(&claim(1), SESSION_LIFETIME),
            Err(Refusal::Spent)
        );
    }

    #[test]
    fn a_session_that_was_replaced_while_its_message_was_taken_ends_no_other() {
        let (sessions, queue) = (Sessions::new(), queue(2));
        let older = open(&sessions, &queue, 1);
        let newer = open(&sessions, &queue, 2);
        sessions.accept(&NAME, &older, DIGEST, receipt(1), START.elapsed);
        let found = sessions.find(&NAME, START.elapsed).unwrap();
        assert!(Arc::ptr_eq(&found, &newer));
        assert_eq!(sessions.accepted(&DIGEST, START.elapsed), Some(receipt(1)));
        sessions.accept(&NAME, &newer, [8; 32], receipt(2), START.elapsed);
        assert!(sessions.find(&NAME, START.elapsed).is_none());
    }

    #[test]
    fn a_message_that_is_taken_while_it_is_refused_is_answered_as_it_was_taken() {
        let (relay, sessions, queue) = (relay(), Sessions::new(), queue(2));
        let older = open(&sessions, &queue, 1);
        let refused = |digest| {
            relay.take(&sessions, NAME, digest, |(), _| {
                // Of the session after it, which doesn't open it; meanwhile another thread is done with it.
                sessions.accept(&NAME, &older, DIGEST, receipt(1), START.elapsed);
                Err(Refusal::Unproven)
            })
        };
        open(&sessions, &queue, 2);
        assert_eq!(refused(DIGEST), Ok(receipt(1)));
        assert_eq!(refused([8; 32]), Err(Refusal::Unproven), "another message");
    }

    #[test]
    fn a_session_whose_message_is_looked_at_in_this_moment_gives_nothing_away() {
        let (sessions, queue) = (Sessions::new(), queue(1));
        let entry = open(&sessions, &queue, 1);
        let stage = crate::lock(&entry.stage);
        assert!(entry.give_way().is_none());
        drop(stage);
        assert!(entry.give_way().is_some());
        assert!(entry.give_way().is_none(), "it has given it away");
    }

    #[test]
    fn whatever_is_remembered_goes_when_it_is_due_though_nobody_comes() {
        let (sessions, queue) = (Sessions::new(), queue(3));
        let older = open(&sessions, &queue, 1);
        open(&sessions, &queue, 2);
        let accepted_at = SESSION_LIFETIME / 2;
        sessions.accept(&NAME, &older, DIGEST, receipt(1), accepted_at);
        let expiry = 10 * SESSION_LIFETIME;
        for (due, next) in [
            (Duration::ZERO, Some(SESSION_LIFETIME)),
            (SESSION_LIFETIME, Some(accepted_at + SESSION_LIFETIME)),
            (accepted_at + SESSION_LIFETIME, Some(expiry)),
            (expiry, None),
        ] {
            assert_eq!(sessions.purge(after(due)), next, "{due:?}");
        }
        let table = crate::lock(&sessions.table);
        assert_eq!(
            table.spent.len() + table.exchanges.len() + table.ends.len(),
            0
        );
        assert_eq!(table.sessions.len() + table.held.len(), 0);
        assert_eq!(table.accepted.len() + table.accepted_ends.len(), 0);
        assert_eq!(queue.counts(expiry).free(), 3);
        drop(table);
        assert_eq!(
            sessions.repeated(&claim(1), expiry),
            Err(Refusal::Expired),
            "nor is it good again"
        );
    }

    #[test]
    fn more_accepted_messages_than_are_remembered_push_out_the_oldest() {
        let (sessions, queue) = (Sessions::new(), queue(1));
        let entry = open(&sessions, &queue, 1);
        let before = resident();
        let digest = |number: usize| {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&number.to_le_bytes());
            digest
        };
        for number in 0..=MAX_ACCEPTED {
            sessions.accept(&NAME, &entry, digest(number), receipt(3), START.elapsed);
        }
        assert_eq!(sessions.accepted(&digest(0), START.elapsed), None);
        assert_eq!(
            sessions.accepted(&digest(1), START.elapsed),
            Some(receipt(3))
        );
        assert_eq!(
            sessions.accepted(&digest(MAX_ACCEPTED), START.elapsed),
            Some(receipt(3))
        );
        let each = (resident() - before) as f64 / MAX_ACCEPTED as f64;
        assert!(each <= 450.0, "{each} bytes");
    }

    /// Leaves a message in kkv/1.
    fn deliver(relay: &Relay, key: SenderKey) {
        let rng = &mut rand::rng();
        let hello = v1::sender::Hello::new(key);
        let challenge = relay.pow_v1(&hello.request(), rng).unwrap();
        let domain_key = Hex(*relay.keys().public().as_bytes()).to_string();
        let challenged = hello.challenged(&challenge).unwrap();
        let vouched = challenged.vouched(domain_key.as_bytes()).unwrap();
        let exchanging = vouched.solved([0; 32], rng);
        let answer = relay.exchange_v1(exchanging.request(), rng).unwrap();
        let answer = serde_json::from_str(&answer).unwrap();
        let text = Text::new("text".to_owned().into()).unwrap();
        let sent = exchanging.answered(&answer).unwrap().seal(&text).unwrap();
        assert_eq!(relay.message_v1(&sent.request), Ok(String::new()));
    }

    /// A relay with one slot, in kkv/1 and for nothing.
    fn relay() -> Relay {
        let config = RelayConfig {
            pricing: Pricing {
                base: Cost::new(0).unwrap(),
                adaptive: false,
            },
            expected_seconds: 60,
            suites: SuitePolicy::Any,
        };
        let clock = Arc::new(ManualClock::new(START.challenges));
        Relay::new(config, queue(1), clock, &mut rand::rng())
    }

    #[test]
    fn of_a_sender_whose_message_was_taken_no_table_holds_the_key_or_the_session() {
        let relay = relay();
        let key = SenderKey::generate(&mut rand::rng());
        let public = *key.public().as_bytes();
        let name = relay.keys().session_name_v1(&public);
        assert_ne!(name, public);
        let other = RelayKeys::generate(&mut rand::rng());
        assert_ne!(
            name,
            other.session_name_v1(&public),
            "no other relay knows it"
        );
        deliver(&relay, key);
        let table = crate::lock(&relay.sessions_v1.table);
        assert_eq!(table.sessions.len() + table.exchanges.len(), 0);
        assert_eq!((table.spent.len(), table.accepted.len()), (1, 1));
        let digest = *table.accepted.keys().next().unwrap();
        assert!(digest != name && digest != public);
    }
}
