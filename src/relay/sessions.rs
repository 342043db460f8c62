//! The sessions between strangers and this relay, and the challenges that have been spent on them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use crate::crypto::labels;
use crate::limits::{MAX_SPENT, REQUEST_TIMEOUT, SESSION_LIFETIME};
use crate::pow::Cost;
use crate::protocol::Envelope;
use crate::protocol::refusal::Refusal;
use crate::queue::{Now, Reservation};

/// By what a message finds its session among those of its suite: in kkv/1 a keyed hash of the sender's key, in kkv/2 the digest of the
/// transcript. Neither tells the sender's key, so a name may be remembered longer than its session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name(pub(super) [u8; 32]);

/// A paid request for a session.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    /// The challenge's seed, by which it is remembered.
    pub(super) seed: [u8; 32],
    /// When the challenge ends, in unix seconds.
    pub(super) expiry: u64,
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
    /// Its message is in the queue. Kept for a while, so that the same message is answered the same.
    Accepted { request: [u8; 32], answer: String },
    /// Its message came too late: the relay is stopping.
    Ended,
}

#[derive(Debug)]
pub(super) struct Entry<S> {
    pub(super) stage: Mutex<Stage<S>>,
    /// Digest of the exchange request that opened it.
    request: [u8; 32],
    /// JSON of the exchange's answer, for a request that is repeated.
    answer: String,
}

/// All sessions of one suite, each for its time. `S` is what the suite knows of a session that waits for its message.
#[derive(Debug)]
pub(super) struct Sessions<S> {
    table: Mutex<Table<S>>,
    opened: Notify,
}

struct Table<S> {
    sessions: HashMap<Name, (Duration, Arc<Entry<S>>)>,
    session_ends: BTreeSet<(Duration, Name)>,
    /// By seed: the session that the challenge has opened.
    spent: HashMap<[u8; 32], Name>,
    spent_ends: BTreeSet<(u64, [u8; 32])>,
}

/// Digest by which a repeated message is known.
pub(super) fn request_digest(fields: &[&[u8]]) -> [u8; 32] {
    labels::REPEAT.digest(fields)
}

impl<S> Sessions<S> {
    /// None yet.
    pub(super) fn new() -> Self {
        let table = Table {
            sessions: HashMap::new(),
            session_ends: BTreeSet::new(),
            spent: HashMap::new(),
            spent_ends: BTreeSet::new(),
        };
        Self {
            table: Mutex::new(table),
            opened: Notify::new(),
        }
    }

    /// The answer that this very request has had, if it has had one.
    ///
    /// # Errors
    /// Its challenge was spent on another request, or on a session that has ended.
    pub(super) fn repeated(&self, claim: &Claim, now: Duration) -> Result<Option<String>, Refusal> {
        crate::lock(&self.table).repeated(claim, now)
    }

    /// Spends the challenge and opens the session in `stage`. Returns the answer to give: if the same request has come twice at once, the
    /// first one's.
    ///
    /// `stage` is made, and its slot reserved, under the lock: a repeated request takes no second slot, not even for a moment.
    ///
    /// # Errors
    /// Spent meanwhile, too many remembered, or what `stage` finds.
    pub(super) fn open(
        &self,
        claim: Claim,
        name: Name,
        answer: String,
        now: Now,
        stage: impl FnOnce() -> Result<Stage<S>, Refusal>,
    ) -> Result<String, Refusal> {
        // Declared before the lock, so that what ends here is wiped after the lock is gone.
        let mut ended = Vec::new();
        let mut table = crate::lock(&self.table);
        ended.extend(table.purge(now));
        if let Some(first) = table.repeated(&claim, now.elapsed)? {
            return Ok(first);
        }
        if table.spent.len() >= MAX_SPENT {
            return Err(Refusal::SlowDown);
        }
        let entry = Entry {
            stage: Mutex::new(stage()?),
            request: claim.request,
            answer: answer.clone(),
        };
        table.spent.insert(claim.seed, name);
        // A little longer than it lives, for a request that was checked just before its end and comes here just after.
        let end = claim.expiry.saturating_add(REQUEST_TIMEOUT.as_secs());
        table.spent_ends.insert((end, claim.seed));
        ended.extend(table.insert(name, now.elapsed + SESSION_LIFETIME, Arc::new(entry)));
        drop(table);
        self.opened.notify_one();
        Ok(answer)
    }

    /// The session of this name, if it has not ended.
    pub(super) fn find(&self, name: &Name, now: Duration) -> Option<Arc<Entry<S>>> {
        let table = crate::lock(&self.table);
        let (end, entry) = table.sessions.get(name)?;
        (now < *end).then(|| Arc::clone(entry))
    }

    /// Moves a session's end, unless it has ended or another one has taken its place: in kkv/1 a newer one of the same sender does.
    pub(super) fn keep(&self, name: &Name, entry: &Arc<Entry<S>>, end: Duration) {
        let mut table = crate::lock(&self.table);
        let held = table.sessions.get(name);
        if held.is_some_and(|(_, held)| Arc::ptr_eq(held, entry)) {
            // The old end stays in the index, is found to be out of date when it comes, and does nothing.
            table.insert(*name, end, Arc::clone(entry));
        }
    }

    /// Ends what is due; says when the next session ends.
    pub(super) fn purge(&self, now: Now) -> Option<Duration> {
        let mut table = crate::lock(&self.table);
        let expired = table.purge(now);
        let next = table.session_ends.first().map(|(end, _)| *end);
        drop(table);
        drop(expired);
        next
    }

    /// Ends every session. Spent challenges stay spent.
    pub(super) fn clear(&self) {
        let mut table = crate::lock(&self.table);
        let sessions = std::mem::take(&mut table.sessions);
        table.session_ends.clear();
        drop(table);
        drop(sessions);
    }

    /// Waits until a session is opened.
    pub(super) async fn opened(&self) {
        self.opened.notified().await;
    }
}

impl<S> Table<S> {
    fn repeated(&self, claim: &Claim, now: Duration) -> Result<Option<String>, Refusal> {
        let Some(name) = self.spent.get(&claim.seed) else {
            return Ok(None);
        };
        match self.sessions.get(name) {
            // In kkv/1 a newer session of the same key has the same name, and another answer.
            Some((end, entry)) if now < *end && entry.request == claim.request => {
                Ok(Some(entry.answer.clone()))
            }
            _ => Err(Refusal::Spent),
        }
    }

    fn insert(&mut self, name: Name, end: Duration, entry: Arc<Entry<S>>) -> Option<Arc<Entry<S>>> {
        self.session_ends.insert((end, name));
        self.sessions
            .insert(name, (end, entry))
            .map(|(_, replaced)| replaced)
    }

    /// Takes out what is due; dropping it, which wipes keys and slots, is left to the caller, outside the lock.
    fn purge(&mut self, now: Now) -> Vec<Arc<Entry<S>>> {
        let mut expired = Vec::new();
        while let Some((end, name)) = self.session_ends.first().copied() {
            if now.elapsed < end {
                break;
            }
            self.session_ends.pop_first();
            if self.sessions.get(&name).is_some_and(|(e, _)| *e == end) {
                expired.extend(self.sessions.remove(&name).map(|(_, entry)| entry));
            }
        }
        while let Some((expiry, seed)) = self.spent_ends.first().copied() {
            if now.unix < expiry {
                break;
            }
            self.spent_ends.pop_first();
            self.spent.remove(&seed);
        }
        expired
    }
}

impl<S> std::fmt::Debug for Table<S> {
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
    use crate::relay::{Pricing, Relay, RelayConfig};

    const NAME: Name = Name([7; 32]);
    const START: Now = Now {
        unix: 1_800_000_000,
        elapsed: Duration::ZERO,
    };

    /// A session of [`NAME`] with nothing in it, opened at the start by a challenge that outlives it.
    fn open(sessions: &Sessions<()>, seed: u8) -> (Claim, Arc<Entry<()>>) {
        let claim = Claim {
            seed: [seed; 32],
            expiry: START.unix + 10 * SESSION_LIFETIME.as_secs(),
            paid: Cost::HIGHEST,
            request: [seed; 32],
        };
        let answer = format!("answer {seed}");
        let opened = sessions.open(claim, NAME, answer.clone(), START, || Ok(Stage::Ended));
        assert_eq!(opened, Ok(answer));
        let entry = sessions.find(&NAME, START.elapsed).unwrap();
        (claim, entry)
    }

    #[test]
    fn a_repetition_that_comes_after_its_session_has_ended_is_spent_before_anyone_has_cleared_up() {
        let sessions = Sessions::new();
        let (claim, _) = open(&sessions, 1);
        let before = SESSION_LIFETIME - Duration::from_nanos(1);
        assert_eq!(
            sessions.repeated(&claim, before),
            Ok(Some("answer 1".to_owned()))
        );
        assert_eq!(
            sessions.repeated(&claim, SESSION_LIFETIME),
            Err(Refusal::Spent)
        );
    }

    #[test]
    fn a_session_that_was_replaced_while_its_message_was_taken_moves_no_end_but_its_own() {
        let sessions = Sessions::new();
        let (_, replaced) = open(&sessions, 1);
        let (_, newer) = open(&sessions, 2);
        let later = 2 * SESSION_LIFETIME;
        sessions.keep(&NAME, &replaced, later);
        assert!(sessions.find(&NAME, SESSION_LIFETIME).is_none());
        sessions.keep(&NAME, &newer, later);
        assert!(sessions.find(&NAME, SESSION_LIFETIME).is_some());
        assert!(sessions.find(&NAME, later).is_none());
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

    #[test]
    fn no_table_holds_the_key_of_a_kkv1_sender() {
        let config = RelayConfig {
            pricing: Pricing {
                base: Cost::new(0).unwrap(),
                adaptive: false,
            },
            expected_seconds: 60,
            suites: SuitePolicy::Any,
        };
        let clock = Arc::new(ManualClock::new(START.unix));
        let relay = Relay::new(
            config,
            Queue::new(1, None).unwrap(),
            clock,
            &mut rand::rng(),
        );
        let key = SenderKey::generate(&mut rand::rng());
        let public = *key.public().as_bytes();
        deliver(&relay, key);
        let table = crate::lock(&relay.sessions_v1.table);
        let names: Vec<Name> = table.sessions.keys().copied().collect();
        assert_eq!(names.len(), 1);
        assert_ne!(names[0].0, public);
        let other = RelayKeys::generate(&mut rand::rng());
        assert_ne!(
            names[0].0,
            other.session_name_v1(&public),
            "no other relay knows it"
        );
        assert!(table.spent.values().all(|name| *name == names[0]));
        assert!(table.session_ends.iter().all(|(_, name)| *name == names[0]));
        let (_, entry) = &table.sessions[&names[0]];
        assert!(!entry.answer.contains(&Hex(public).to_string()));
        // The session itself, which verifies with the key, is gone with its message.
        assert!(matches!(*crate::lock(&entry.stage), Stage::Accepted { .. }));
    }
}
