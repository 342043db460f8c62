//! The price of a session: it follows demand (PROTOCOL.md §5).

use crate::queue::Counts;
use kkv_base::limits::MAX_SURCHARGE;
use kkv_pow::Cost;

/// What an owner asks for a session.
#[derive(Debug, Clone, Copy)]
pub struct Pricing {
    /// The cost while most slots are free.
    pub base: Cost,
    /// Whether it rises as they run out.
    pub adaptive: bool,
}

impl Pricing {
    /// The cost of a slot: base + min(6, ⌊2 · log2(capacity / free)⌋), 60 at most.
    ///
    /// With half of the slots taken it is four times the base. Each of the last eighth costs sixty-four times as much.
    /// If none is free, it is that of the last slot.
    #[must_use]
    pub fn cost(&self, counts: &Counts) -> Cost {
        self.of_one_of(counts.free(), counts.capacity)
    }

    /// Whether `paid` is still taken for a slot: the price has not risen since, whoever was the last to take one aside.
    #[must_use]
    pub fn honours(&self, paid: Cost, counts: &Counts) -> bool {
        self.of_one_of(counts.free() + 1, counts.capacity) <= paid
    }

    fn of_one_of(&self, free: u32, capacity: u32) -> Cost {
        if !self.adaptive {
            return self.base;
        }
        // 2 · log2(x) is log2(x²), and rounding down first changes nothing, as only powers of two matter.
        let square = |n: u32| u64::from(n.max(1)) * u64::from(n.max(1));
        let scarcity = square(capacity) / square(free);
        let surcharge = scarcity.max(1).ilog2().min(MAX_SURCHARGE);
        Cost::new(u32::from(self.base.bits()) + surcharge).unwrap_or(Cost::HIGHEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(capacity: u32, free: u32) -> Counts {
        Counts {
            capacity,
            stored: capacity - free,
            reserved: 0,
            unread: 0,
        }
    }

    fn pricing(base: u32) -> Pricing {
        Pricing {
            base: Cost::new(base).unwrap(),
            adaptive: true,
        }
    }

    /// By the formula itself, in floating point, away from where it is exact.
    #[test]
    fn it_grows_with_the_square_of_how_scarce_slots_are_up_to_its_bound() {
        for capacity in [1, 2, 3, 50, 1000, 100_000] {
            let mut last = 0;
            for free in (1..=capacity).rev() {
                let bits = u32::from(pricing(0).cost(&counts(capacity, free)).bits());
                let exact = 2.0 * (f64::from(capacity) / f64::from(free)).log2();
                if (exact - exact.round()).abs() > 1e-9 {
                    assert_eq!(bits, (exact.floor() as u32).min(6), "{free} of {capacity}");
                }
                assert!(bits >= last, "{free} of {capacity}");
                last = bits;
            }
        }
        let bits = |free| pricing(30).cost(&counts(50, free)).bits();
        assert_eq!(
            [50, 36, 35, 25, 17, 12, 8, 6, 1, 0].map(bits),
            [30, 30, 31, 32, 33, 34, 35, 36, 36, 36]
        );
    }

    #[test]
    fn the_base_alone_is_asked_where_it_is_pinned_and_no_more_than_there_is() {
        let mut pinned = pricing(30);
        pinned.adaptive = false;
        assert_eq!(pinned.cost(&counts(50, 1)).bits(), 30);
        assert_eq!(pricing(58).cost(&counts(50, 1)), Cost::HIGHEST);
    }

    #[test]
    fn what_was_paid_is_taken_until_the_price_has_risen_but_for_the_last_taker() {
        let paid = Cost::new(30).unwrap();
        assert!(pricing(30).honours(paid, &counts(50, 35)));
        assert!(!pricing(30).honours(paid, &counts(50, 34)));
        assert!(
            pricing(30).honours(paid, &counts(2, 1)),
            "one other alone is no reason"
        );
        assert!(pricing(30).honours(Cost::new(36).unwrap(), &counts(50, 50)));
    }
}
