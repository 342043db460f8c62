//! One delivery for each byte of a delivery: what an undisturbed one takes, and what is asked of each disturbed one.

use std::fmt::Debug;
use std::sync::Mutex;
use std::time::Duration;

use kkv_base::limits::SESSION_LIFETIME;
use kkv_client::sender::{Accepted, Event, Failure, Observer};
use kkv_protocol::suite::{Suite, SuitePolicy};

use crate::cut::{Cut, CutLine, End, Moment, Then, Way};
use crate::in_process::{InProcess, send, send_observed};

pub(crate) const TEXT: &str = "Meet me where the river bends.";

/// Slots of the relay: more than one, so that a second reservation for one message would show.
const SLOTS: u32 = 3;

/// The bytes of one direction of a delivery, dealt out to tests that run side by side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sweep {
    pub(crate) suite: Suite,
    pub(crate) way: Way,
    /// The first position that is this test's.
    pub(crate) first: usize,
    /// How far the next one is.
    pub(crate) step: usize,
}

/// Tests, each with its share of a sweep: `sweeps! { test; name: (arguments) suite way from first by step; … }`.
macro_rules! sweeps {
    ($test:ident; $(
        $name:ident: ($($argument:expr),+) $suite:ident $way:ident from $first:literal by $step:literal;
    )+) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            let sweep = super::sweep::Sweep {
                suite: kkv_protocol::suite::Suite::$suite,
                way: crate::cut::Way::$way,
                first: $first,
                step: $step,
            };
            $test(sweep, $($argument),+).await;
        }
    )+};
}
pub(crate) use sweeps;

/// Bytes to the relay and to the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lengths {
    /// Of a whole delivery.
    pub(crate) whole: [u64; 2],
    /// Of what goes before the exchange of keys.
    pub(crate) before_exchange: [u64; 2],
    /// Of what goes before the message.
    pub(crate) before_message: [u64; 2],
}

/// What came of one delivery.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) relay: InProcess,
    pub(crate) result: Result<Accepted, Failure>,
    pub(crate) taken: [u64; 2],
    pub(crate) struck: u32,
}

impl Sweep {
    /// The positions of this test, up to a few behind the end, where nothing is cut any more.
    pub(crate) fn positions(self, lengths: Lengths) -> impl Iterator<Item = u64> {
        let end = lengths.whole[self.way as usize] + 4;
        (0..=end).skip(self.first).step_by(self.step)
    }
}

/// Where a request or an answer can be cut that has so many bytes of head, and a sealed body of pieces of 64 KiB:
/// every byte of the head; of each piece the first ones, which are session, number and the begin of a chunk, and the
/// last ones, which have its tag; and some between.
///
/// That is all that matters: between these the reader of a body only counts, on either side, and opens a chunk when the
/// whole piece is there.
pub(crate) fn that_matter(head: u64, body: u64) -> impl Iterator<Item = u64> {
    const PIECE: u64 = 65_536;
    const FIRST: u64 = 44;
    const LAST: u64 = 20;
    const BETWEEN: u64 = 4999;
    (0..head + body).filter(move |at| {
        let Some(within) = at.checked_sub(head) else {
            return true;
        };
        let left = (PIECE - within % PIECE).min(body - within);
        within % PIECE < FIRST || left <= LAST || within % BETWEEN == 0
    })
}

/// Calls a function at each event.
pub(crate) struct AtEvent<F>(pub(crate) F);

impl<F> Debug for AtEvent<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AtEvent")
    }
}

impl<F: Fn(Event) + Sync> Observer for AtEvent<F> {
    fn event(&self, event: Event) {
        (self.0)(event);
    }
}

/// What an undisturbed delivery takes. It is the same each time: everything of variable value is hex.
pub(crate) async fn undisturbed(suite: Suite) -> Lengths {
    let first = measure(suite).await;
    assert_eq!(first, measure(suite).await, "lengths vary");
    first
}

async fn measure(suite: Suite) -> Lengths {
    let relay = relay(suite);
    let line = CutLine::new(&relay, [], Then::Works);
    let steps = Mutex::new(Vec::new());
    let observer = AtEvent(|event| {
        if matches!(event, Event::Exchanging | Event::Sending) {
            let mut steps = steps.lock().expect("no holder panics");
            steps.push(line.taken());
        }
    });
    let sent = send_observed(&line, SuitePolicy::Only(suite), TEXT, &observer).await;
    assert!(sent.is_ok(), "{sent:?}");
    let steps = steps.lock().expect("no holder panics");
    let &[before_exchange, before_message] = steps.as_slice() else {
        panic!("{} steps", steps.len());
    };
    Lengths {
        whole: line.taken(),
        before_exchange,
        before_message,
    }
}

pub(crate) fn relay(suite: Suite) -> InProcess {
    InProcess::new(SuitePolicy::Only(suite), SLOTS, 0)
}

/// Delivers to a new relay over a line with these cuts, then waits until everything that was on its way has arrived.
pub(crate) async fn deliver(
    suite: Suite,
    cuts: impl IntoIterator<Item = Cut>,
    then: Then,
) -> Outcome {
    let relay = relay(suite);
    let line = CutLine::new(&relay, cuts, then);
    let result = send(&line, SuitePolicy::Only(suite), TEXT).await;
    settle().await;
    let (taken, struck) = (line.taken(), line.struck());
    drop(line);
    Outcome {
        relay,
        result,
        taken,
        struck,
    }
}

/// Lets every other task run until it waits for something: paused time moves on only then.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// A cut in all four pairs of moment and plain end, over four positions in a row.
pub(crate) fn varied(way: Way, after: u64) -> Cut {
    Cut {
        way,
        after,
        moment: if after & 1 == 0 {
            Moment::Passed
        } else {
            Moment::Next
        },
        end: if after & 2 == 0 {
            End::Closed
        } else {
            End::Reset
        },
        failed_dials: 0,
    }
}

impl Outcome {
    /// The message is there once, and nothing is held for it any more.
    pub(crate) fn assert_delivered(&self, what: &dyn Debug) {
        assert!(self.result.is_ok(), "{what:?}: {:?}", self.result);
        assert_eq!(self.relay.texts(), [TEXT], "{what:?}");
        assert_eq!(self.relay.reserved(), 0, "{what:?}: a slot is reserved");
    }

    /// What the sender was told is true, and every slot but the message's comes back.
    pub(crate) fn assert_truthful(&self, what: &dyn Debug) {
        let texts = self.relay.texts();
        match &self.result {
            Ok(_) => assert_eq!(texts, [TEXT], "{what:?}: accepted"),
            Err(Failure::Indeterminate(_)) => {
                assert!(texts.is_empty() || texts == [TEXT], "{what:?}: {texts:?}");
            }
            Err(fault) => assert!(
                texts.is_empty(),
                "{what:?}: {fault:?}, but the message is there"
            ),
        }
        assert_sessions_end(&self.relay, what);
    }
}

/// Once their time is over, no session keeps a slot, and no message goes with its session.
pub(crate) fn assert_sessions_end(relay: &InProcess, what: &dyn Debug) {
    let texts = relay.texts();
    relay.clock.advance(SESSION_LIFETIME);
    relay.relay.purge();
    assert_eq!(relay.reserved(), 0, "{what:?}: a slot stays reserved");
    assert_eq!(relay.texts(), texts, "{what:?}: a message is gone");
}
