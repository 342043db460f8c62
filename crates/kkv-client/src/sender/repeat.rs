//! Which refusals are answered by the same request again, after how long, and until when: the one rule for all steps
//! (PROTOCOL.md §9).
//!
//! What was paid for is worth waiting for: work of minutes may be at stake. What was not is soon given up, since it can
//! be begun again at any time.

use std::time::Duration;

use rand::CryptoRng;
use tokio::time::Instant;

use kkv_base::limits::{
    MAX_REPEAT_PAUSE, PAID_REPEATS, REPEAT_JITTER, REPEAT_MARGIN, REPEAT_PAUSE, SLOW_DOWN_PAUSE,
    UNPAID_REPEATS,
};
use kkv_protocol::refusal::Refusal;

/// How far one step is repeated.
#[derive(Debug, Clone, Copy)]
pub(super) struct RepeatPolicy {
    paid: bool,
    until: Instant,
    /// By what pauses are longer than they have to be.
    jitter: f64,
}

impl RepeatPolicy {
    /// A step before anything was paid.
    pub(super) fn unpaid(rng: &mut impl CryptoRng) -> Self {
        Self {
            paid: false,
            until: Instant::now() + UNPAID_REPEATS,
            jitter: jitter(rng),
        }
    }

    /// A step of what was paid for, which the relay takes until `end`.
    pub(super) fn paid(end: Instant, rng: &mut impl CryptoRng) -> Self {
        let now = Instant::now();
        let until = end.checked_sub(REPEAT_MARGIN).unwrap_or(now);
        Self {
            paid: true,
            until: until.min(now + PAID_REPEATS),
            jitter: jitter(rng),
        }
    }

    /// When the request is to be sent again that was refused so, after so many repetitions; `None` if it is not.
    pub(super) fn after(&self, refusal: Refusal, repetitions: u32) -> Option<Instant> {
        let doubled = REPEAT_PAUSE.saturating_mul(2_u32.saturating_pow(repetitions));
        let pause = match refusal {
            Refusal::TimedOut => doubled.min(MAX_REPEAT_PAUSE),
            Refusal::Full if self.paid => doubled.min(MAX_REPEAT_PAUSE),
            Refusal::SlowDown => SLOW_DOWN_PAUSE,
            _ => return None,
        };
        let next = Instant::now() + pause.mul_f64(1.0 + self.jitter);
        (next <= self.until).then_some(next)
    }

    /// Whether anything was paid.
    pub(super) fn is_paid(&self) -> bool {
        self.paid
    }

    /// How long it is repeated from now on, at most.
    pub(super) fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

fn jitter(rng: &mut impl CryptoRng) -> f64 {
    let mut byte = [0];
    rng.fill_bytes(&mut byte);
    REPEAT_JITTER * f64::from(byte[0]) / 256.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_repeated_until_its_end_and_nothing_else_is() {
        let rng = &mut rand::rng();
        let end = Instant::now() + Duration::from_secs(60);
        let (paid, unpaid) = (RepeatPolicy::paid(end, rng), RepeatPolicy::unpaid(rng));
        for refusal in Refusal::ALL {
            let passes = [Refusal::TimedOut, Refusal::SlowDown].contains(&refusal);
            let waits = refusal != Refusal::SlowDown; // a minute is as long as there is
            let full = refusal == Refusal::Full;
            assert_eq!(
                paid.after(refusal, 0).is_some(),
                (passes || full) && waits,
                "{refusal}"
            );
            assert_eq!(unpaid.after(refusal, 0).is_some(), passes, "{refusal}");
        }
        let now = Instant::now();
        for (repetitions, pause) in [(0, 1), (1, 2), (4, 16), (5, 30), (u32::MAX, 30)] {
            let next = paid.after(Refusal::Full, repetitions);
            let pause = Duration::from_secs(pause);
            let next = next.expect("there is time") - now;
            assert!(next >= pause && next <= pause.mul_f64(1.25), "{next:?}");
        }
        tokio::time::advance(Duration::from_secs(55)).await;
        assert_eq!(paid.after(Refusal::Full, 0), None, "too near to the end");
        assert_eq!(paid.left(), Duration::ZERO);
    }

    #[test]
    fn a_challenge_of_a_day_is_not_waited_for() {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let _guard = runtime.as_ref().expect("a runtime").enter();
        let day = Instant::now() + Duration::from_secs(24 * 60 * 60);
        let again = RepeatPolicy::paid(day, &mut rand::rng());
        assert!(again.left() <= PAID_REPEATS);
        assert!(RepeatPolicy::paid(Instant::now(), &mut rand::rng()).left() <= REPEAT_MARGIN);
    }
}
