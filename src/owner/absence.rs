//! The dead man's switch: when the owner has not been there for too long, everything is wiped.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::sleep;

use super::Host;
use crate::limits::PURGE_INTERVAL;
use crate::queue::Now;

/// The step of the runtime's timers.
const TICK: Duration = Duration::from_millis(1);

/// How long the owner has been away. Whatever an owner asks for ends it.
#[derive(Debug)]
pub struct Absence {
    longest: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When the owner was last there, or an absence was over.
    since: Duration,
    wiped: Option<u64>,
}

impl Absence {
    /// It begins `now`, and may last for `longest`.
    #[must_use]
    pub fn new(longest: Duration, now: Now) -> Self {
        let state = State {
            since: now.elapsed,
            wiped: None,
        };
        Self {
            longest,
            state: Mutex::new(state),
        }
    }

    /// How long it may last.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// The owner is there. What was over before is over: whoever comes after a suspend may be sooner than the timer, and gets no message.
    pub fn end(&self, host: &dyn Host, tell: impl Fn(usize)) {
        self.wipe_if_over(host, tell);
        crate::lock(&self.state).since = host.now().elapsed;
    }

    /// When messages were last wiped for it, in unix seconds, if ever.
    #[must_use]
    pub fn wiped(&self) -> Option<u64> {
        crate::lock(&self.state).wiped
    }

    /// How much longer it may last; zero if it is over. Then the next one begins.
    fn left(&self, now: Now) -> Duration {
        let mut state = crate::lock(&self.state);
        let left = state.since.saturating_add(self.longest);
        let left = left.saturating_sub(now.elapsed);
        if left.is_zero() {
            state.since = now.elapsed;
        }
        left
    }

    /// Wipes everything whenever it has lasted too long, and tells of how many messages, if there were any, until dropped.
    pub async fn wipe_when_over(&self, host: &dyn Host, tell: impl Fn(usize)) {
        loop {
            let left = self.wipe_if_over(host, &tell);
            // No longer than this at a time: while the machine sleeps, the clock goes on and a timer stands still.
            // And no shorter than a timer can: whatever the time is, others have their turn.
            sleep(left.clamp(TICK, PURGE_INTERVAL)).await;
        }
    }

    /// Returns how much longer this one may last, or the next one if this one was over.
    fn wipe_if_over(&self, host: &dyn Host, tell: impl Fn(usize)) -> Duration {
        let now = host.now();
        let left = self.left(now);
        if !left.is_zero() {
            return left;
        }
        let wiped = host.wipe();
        if !wiped.is_empty() {
            crate::lock(&self.state).wiped = Some(now.unix);
            tell(wiped.len());
        }
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::clock::{Clock, ManualClock};
    use crate::owner::api::Status;
    use crate::pow::Cost;
    use crate::protocol::Envelope;
    use crate::protocol::kind::Kind;
    use crate::protocol::suite::Suite;
    use crate::queue::{MessageId, Queue};

    const HOUR: Duration = Duration::from_secs(3600);
    const START: u64 = 1_800_000_000;

    /// What a running relay is to an absence.
    struct Inbox {
        queue: Queue<Envelope>,
        clock: ManualClock,
    }

    impl Inbox {
        fn new() -> Self {
            Self {
                queue: Queue::new(4, None).unwrap(),
                clock: ManualClock::new(START),
            }
        }

        fn takes_a_message(&self) {
            let slot = self.queue.reserve(self.now().elapsed).unwrap();
            let envelope = Envelope {
                suite: Suite::V2,
                kind: Kind::Text,
                cost: Cost::new(0).unwrap(),
                sender: [1; 32],
                session: [2; 32],
                signature: [3; 64],
            };
            slot.store(0, envelope, self.now()).unwrap();
        }

        fn messages(&self) -> u32 {
            self.queue.counts(self.now().elapsed).stored
        }
    }

    impl Host for Inbox {
        fn queue(&self) -> &Queue<Envelope> {
            &self.queue
        }

        fn now(&self) -> Now {
            Now {
                unix: self.clock.unix(),
                elapsed: self.clock.elapsed(),
            }
        }

        fn relay_key(&self) -> [u8; 32] {
            unreachable!("nobody asks")
        }

        fn status(&self) -> Status {
            unreachable!("nobody asks")
        }

        fn wipe(&self) -> Vec<MessageId> {
            self.queue.delete_all(self.now().elapsed)
        }

        fn seen(&self) {}
    }

    fn at(seconds: u64) -> Now {
        Now {
            unix: START + seconds,
            elapsed: Duration::from_secs(seconds),
        }
    }

    #[test]
    fn it_is_over_after_its_time_unless_the_owner_was_there_and_then_begins_anew() {
        let absence = Absence::new(HOUR, at(0));
        assert_eq!(absence.left(at(3599)), Duration::from_secs(1));
        let inbox = Inbox::new();
        inbox.clock.advance(at(3599).elapsed);
        absence.end(&inbox, |_| unreachable!("it was not over"));
        assert_eq!(absence.left(at(3600)), Duration::from_secs(3599));
        assert_eq!(absence.left(at(7199)), Duration::ZERO);
        assert_eq!(absence.left(at(7199)), HOUR);
    }

    #[test]
    fn an_owner_who_comes_before_the_timer_when_it_is_over_finds_nothing() {
        let inbox = Inbox::new();
        let absence = Absence::new(HOUR, inbox.now());
        inbox.takes_a_message();
        let told = RefCell::new(Vec::new());
        let come = || absence.end(&inbox, |messages| told.borrow_mut().push(messages));
        inbox.clock.advance(HOUR - Duration::from_secs(1));
        come();
        assert_eq!(inbox.messages(), 1);
        // The machine sleeps for a week; the timer has some seconds to go.
        inbox.clock.advance(7 * 24 * HOUR);
        come();
        assert_eq!(inbox.messages(), 0);
        assert_eq!(*told.borrow(), [1]);
        assert_eq!(absence.wiped(), Some(inbox.now().unix));
        // And what comes now stays, for as long as the owner does.
        inbox.takes_a_message();
        inbox.clock.advance(HOUR - Duration::from_secs(1));
        come();
        assert_eq!(inbox.messages(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn however_short_it_may_last_others_have_their_turn() {
        for longest in [Duration::ZERO, Duration::from_nanos(1)] {
            let inbox = Inbox::new();
            let absence = Absence::new(longest, inbox.now());
            inbox.takes_a_message();
            inbox.clock.advance(TICK);
            tokio::select! {
                biased;
                () = absence.wipe_when_over(&inbox, |_| ()) => {}
                () = sleep(100 * TICK) => {}
            }
            assert_eq!(inbox.messages(), 0);
        }
    }

    #[test]
    fn a_century_is_no_overflow() {
        let absence = Absence::new(Duration::MAX, at(1));
        assert!(absence.left(at(2)) > HOUR);
    }
}
