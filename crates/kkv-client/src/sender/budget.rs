//! How long a sender may pay: for all payments of one message together, and for the next one.

use std::time::Duration;

use tokio::time::Instant;

use kkv_base::limits::{MAX_PAYMENTS, MAX_UNASKED_PAYING};

/// The time that a sender is ready to spend on all payments for one message, which it may have to make again.
#[derive(Debug)]
pub(super) struct TimeBudget {
    /// If it is to be paid anyway: as much as the relay gives for the first.
    left: Option<Duration>,
    /// Whether nobody has said how much, so that it is what is paid without asking.
    unasked: bool,
    payments: u32,
}

/// The time for one payment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    /// When the challenge was there.
    begins: Instant,
    pub(super) ends: Instant,
    /// Until when the relay takes the solution.
    pub(super) expires: Instant,
    /// Whether it ends only because no more is paid without asking: the relay gives longer.
    pub(super) capped: bool,
    /// How long that is, as a person is told.
    pub(super) time: Duration,
}

impl TimeBudget {
    /// With what somebody has said; `anyway`: as much as the relay gives, whatever that is.
    pub(super) fn new(left: Option<Duration>, anyway: bool) -> Self {
        let unasked = left.is_none() && !anyway;
        Self {
            left: if unasked {
                Some(MAX_UNASKED_PAYING)
            } else {
                left
            },
            unasked,
            payments: 0,
        }
    }

    /// Somebody has agreed to pay for as long as the relay gives.
    pub(super) fn agreed(&mut self, given: Duration) {
        if self.unasked {
            self.unasked = false;
            self.left = Some(given);
        }
    }

    /// The time for a payment for which the relay gives `time` since it was `asked`. What the sender gives is counted
    /// from now: it is for paying, not for the way of the answer.
    pub(super) fn deadline(&mut self, begins: Instant, asked: Instant, time: Duration) -> Deadline {
        let longest = self.allows(time);
        let (mine, expires) = (begins + longest, asked + time);
        Deadline {
            begins,
            ends: mine.min(expires),
            expires,
            capped: self.unasked && mine < expires,
            time: longest,
        }
    }

    /// How long a payment may take for which the relay gives so much time.
    fn allows(&mut self, time: Duration) -> Duration {
        time.min(*self.left.get_or_insert(time))
    }

    /// A payment is over.
    pub(super) fn paid(&mut self, deadline: Deadline) {
        self.spent(deadline.begins.elapsed());
    }

    fn spent(&mut self, time: Duration) {
        self.left = self.left.map(|left| left.saturating_sub(time));
        self.payments += 1;
    }

    /// Whether another payment for the same message makes sense.
    pub(super) fn pays_again(&self) -> bool {
        self.payments < MAX_PAYMENTS && self.left.is_none_or(|left| !left.is_zero())
    }

    /// Whether nothing was paid yet.
    pub(super) fn is_untouched(&self) -> bool {
        self.payments == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sender::Failure;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn all_payments_together_take_no_longer_than_the_budget_allows() {
        for (said, anyway) in [(None, true), (Some(2 * MINUTE), false)] {
            let mut budget = TimeBudget::new(said, anyway);
            assert_eq!(budget.allows(2 * MINUTE), 2 * MINUTE, "{said:?}");
            budget.spent(MINUTE);
            assert_eq!(budget.allows(10 * MINUTE), MINUTE, "{said:?}");
            assert!(budget.pays_again());
            budget.spent(MINUTE);
            assert!(!budget.pays_again(), "{said:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_word_all_payments_have_a_quarter_of_an_hour_and_each_no_more_than_is_given()
    {
        let now = Instant::now();
        let mut budget = TimeBudget::new(None, false);
        for (paid, given, time, capped) in [
            (0, 8, 8, false),
            (5, 8, 8, false), // three minutes of the first challenge are left, which say nothing of this one
            (5, 8, 5, true),
            (4, 8, 1, true),
            (0, 1, 1, false),
        ] {
            budget.spent(paid * MINUTE);
            let deadline = budget.deadline(now, now, given * MINUTE);
            assert_eq!(
                (deadline.time, deadline.capped),
                (time * MINUTE, capped),
                "{paid} {given}"
            );
            assert!(budget.pays_again());
        }
        budget.spent(MINUTE);
        assert!(!budget.pays_again());
        let told = Failure::UnaskedTimeOver.to_string();
        assert_eq!(
            told,
            "no solution was found within the 15 minutes that are paid without asking"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_ends_by_the_relay_first_is_not_put_down_to_nobody_having_been_asked() {
        let asked = Instant::now();
        tokio::time::advance(2 * MINUTE).await;
        let deadline = TimeBudget::new(None, false).deadline(Instant::now(), asked, 16 * MINUTE);
        assert_eq!(
            (deadline.ends, deadline.capped),
            (asked + 16 * MINUTE, false)
        );
        let deadline = TimeBudget::new(None, false).deadline(Instant::now(), asked, 18 * MINUTE);
        assert_eq!(
            (deadline.ends, deadline.capped),
            (asked + 17 * MINUTE, true)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_relay_counts_from_when_it_was_asked_and_a_sender_from_when_it_has_the_challenge() {
        let asked = Instant::now();
        tokio::time::advance(MINUTE / 2).await;
        for (said, ends) in [
            (None, asked + MINUTE),
            (Some(10 * MINUTE), asked + MINUTE),
            (Some(MINUTE / 6), Instant::now() + MINUTE / 6),
        ] {
            let mut budget = TimeBudget::new(said, false);
            let deadline = budget.deadline(Instant::now(), asked, MINUTE);
            assert_eq!(deadline.ends, ends, "{said:?}");
            assert_eq!(deadline.time, said.unwrap_or(MINUTE).min(MINUTE));
        }
        let mut budget = TimeBudget::new(Some(MINUTE), false);
        let deadline = budget.deadline(Instant::now(), asked, MINUTE);
        tokio::time::advance(MINUTE / 3).await;
        budget.paid(deadline);
        assert_eq!(budget.allows(MINUTE), MINUTE * 2 / 3);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_word_a_quarter_of_an_hour_is_paid_and_with_one_as_long_as_is_given() {
        let (now, day) = (Instant::now(), 24 * 60 * MINUTE);
        let mut budget = TimeBudget::new(None, false);
        let deadline = budget.deadline(now, now, day);
        assert_eq!((deadline.time, deadline.capped), (15 * MINUTE, true));
        assert_eq!(deadline.expires, now + day);
        budget.agreed(day);
        let deadline = budget.deadline(now, now, day);
        assert_eq!((deadline.time, deadline.capped), (day, false));
        for (said, anyway, time) in [
            (None, true, day),
            (Some(60 * MINUTE), false, 60 * MINUTE),
            (Some(MINUTE), true, MINUTE),
        ] {
            let mut budget = TimeBudget::new(said, anyway);
            let deadline = budget.deadline(now, now, day);
            assert_eq!((deadline.time, deadline.capped), (time, false), "{said:?}");
            budget.agreed(day);
            assert_eq!(budget.allows(day), time, "what was said stays said");
        }
        let mut budget = TimeBudget::new(None, false);
        assert_eq!(budget.allows(8 * MINUTE), 8 * MINUTE);
        assert!(!budget.deadline(now, now, 8 * MINUTE).capped);
    }

    #[test]
    fn there_are_no_more_payments_than_a_price_has_steps() {
        let mut budget = TimeBudget::new(Some(MINUTE), false);
        assert!(budget.is_untouched());
        for _ in 0..MAX_PAYMENTS {
            assert!(budget.pays_again());
            budget.spent(Duration::ZERO);
        }
        assert!(!budget.pays_again() && !budget.is_untouched());
    }
}
