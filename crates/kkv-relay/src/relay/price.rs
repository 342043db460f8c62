//! The price of a session, which rises as the queue fills (PROTOCOL.md §5).

use crate::memory::UNIT_BYTES;
use crate::queue::{Occupancy, Room};
use kkv_base::limits::{ASK_COST, MAX_ASK_SURCHARGE, MAX_SURCHARGE};
use kkv_pow::Cost;
use kkv_protocol::v2::purpose::{BodySize, LargeSize};

/// How an owner prices a session.
#[derive(Debug, Clone, Copy)]
pub struct Pricing {
    /// The cost with all slots free.
    pub base: Cost,
    /// Whether it rises as they run out.
    pub adaptive: bool,
}

impl Pricing {
    /// The cost of the next slot, in bits: base + min(6, ⌊2 · log2(capacity / free)⌋), 60 at most.
    ///
    /// With half of the slots taken that is four times the base price; for the last eighth, sixty-four times. With no
    /// slot free, the price of the last slot.
    #[must_use]
    pub fn cost(&self, occupancy: &Occupancy) -> Cost {
        self.cost_at(occupancy.free(), occupancy.capacity)
    }

    /// Whether `paid` still buys a slot, at the price with one more slot free: one concurrent sender alone doesn't void
    /// a payment.
    #[must_use]
    pub fn accepts(&self, paid: Cost, occupancy: &Occupancy) -> bool {
        self.cost_at(occupancy.free() + 1, occupancy.capacity) <= paid
    }

    /// The cost of a message with files of this size, in bits: base + size + min(6, ⌊2 · log2(N / F)⌋), 60 at
    /// most, with F of N units of 16 KiB free (PROTOCOL.md §16).
    pub(super) fn large_cost(&self, size: LargeSize, room: &Room) -> Cost {
        self.large_cost_at(size, units(room.free()), units(room.bytes))
    }

    /// Whether `paid` still buys it, at the price with as much more free as it takes itself.
    #[must_use]
    pub fn accepts_large(&self, paid: Cost, size: LargeSize, room: &Room) -> bool {
        let free = room.free() + size.bytes() as u64;
        self.large_cost_at(size, units(free), units(room.bytes)) <= paid
    }

    fn large_cost_at(&self, size: LargeSize, free: u32, capacity: u32) -> Cost {
        let cost = self.cost_at(free, capacity);
        Cost::new(u32::from(cost.bits()) + size as u32).unwrap_or(Cost::HIGHEST)
    }

    fn cost_at(&self, free: u32, capacity: u32) -> Cost {
        if !self.adaptive {
            return self.base;
        }
        let surcharge = surcharge(free, capacity, MAX_SURCHARGE);
        Cost::new(u32::from(self.base.bits()) + surcharge).unwrap_or(Cost::HIGHEST)
    }
}

/// The cost of a session for asks with bodies of this size, in bits: 16 + 2 · size + min(12, ⌊2 · log2(capacity /
/// free)⌋) (PROTOCOL.md §14).
pub(super) fn ask_cost(size: BodySize, free: u32, capacity: u32) -> Cost {
    let surcharge = surcharge(free, capacity, MAX_ASK_SURCHARGE);
    Cost::new(ASK_COST + 2 * size as u32 + surcharge).unwrap_or(Cost::HIGHEST)
}

/// Units of 16 KiB in so many bytes.
fn units(bytes: u64) -> u32 {
    u32::try_from(bytes / UNIT_BYTES as u64).unwrap_or(u32::MAX)
}

/// min(most, ⌊2 · log2(capacity / free)⌋), with one free at least, and no more than there are.
fn surcharge(free: u32, capacity: u32, most: u32) -> u32 {
    // ⌊2 · log2(x)⌋ = ⌊log2(x²)⌋, and rounding x² down first changes nothing, as ⌊log2⌋ steps at
    // integers.
    let square = |n: u32| u64::from(n.max(1)) * u64::from(n.max(1));
    let scarcity = square(capacity) / square(free);
    scarcity.max(1).ilog2().min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn occupancy(capacity: u32, free: u32) -> Occupancy {
        Occupancy {
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
    fn it_grows_with_the_square_of_scarcity_up_to_its_bound() {
        for capacity in [1, 2, 3, 50, 1000, 100_000] {
            let mut last = 0;
            for free in (1..=capacity).rev() {
                let bits = u32::from(pricing(0).cost(&occupancy(capacity, free)).bits());
                let exact = 2.0 * (f64::from(capacity) / f64::from(free)).log2();
                if (exact - exact.round()).abs() > 1e-9 {
                    assert_eq!(bits, (exact.floor() as u32).min(6), "{free} of {capacity}");
                }
                assert!(bits >= last, "{free} of {capacity}");
                last = bits;
            }
        }
        let bits = |free| pricing(30).cost(&occupancy(50, free)).bits();
        assert_eq!(
            [50, 36, 35, 25, 17, 12, 8, 6, 1, 0].map(bits),
            [30, 30, 31, 32, 33, 34, 35, 36, 36, 36]
        );
    }

    #[test]
    fn a_session_for_asks_costs_by_its_size_and_by_how_many_there_are() {
        let most = 16_384;
        let bits = |size, free| ask_cost(size, free, most).bits();
        let all = BodySize::ALL.map(|size| bits(size, most));
        assert_eq!(all, [16, 18, 20, 22, 24]);
        let rising = [most / 2, most / 4, most / 64, 1, 0].map(|free| bits(BodySize::Kib4, free));
        assert_eq!(rising, [18, 20, 28, 28, 28]);
        assert_eq!(bits(BodySize::Kib4, most + 1), 16);
    }

    #[test]
    fn a_message_with_files_costs_by_its_size_and_by_what_is_free_of_their_memory() {
        const MIB: u64 = 1 << 20;
        let room = |free: u64| Room {
            bytes: 16 * MIB,
            messages: 1,
            stored: 15 * MIB - free.min(15 * MIB),
            reserved: 16 * MIB - free - (15 * MIB - free.min(15 * MIB)),
            locked: 0,
        };
        let bits = |size, free| pricing(30).large_cost(size, &room(free)).bits();
        let all = LargeSize::ALL.map(|size| bits(size, 16 * MIB));
        assert_eq!(all, [31, 32, 33, 34]);
        let free = [8 * MIB, 4 * MIB, 2 * MIB, MIB / 64, 0];
        let rising = free.map(|free| bits(LargeSize::Kib16, free));
        assert_eq!(rising, [33, 35, 37, 37, 37]);
        assert_eq!(
            pricing(58).large_cost(LargeSize::Mib1, &room(MIB)),
            Cost::HIGHEST
        );
        let mut fixed = pricing(30);
        fixed.adaptive = false;
        assert_eq!(fixed.large_cost(LargeSize::Mib1, &room(0)).bits(), 34);

        let accepts = |size, paid, free| {
            pricing(30).accepts_large(Cost::new(paid).unwrap(), size, &room(free))
        };
        assert!(accepts(LargeSize::Mib1, 34, 15 * MIB));
        assert!(
            accepts(LargeSize::Mib1, 34, 11 * MIB),
            "with its own still free"
        );
        assert!(!accepts(LargeSize::Mib1, 34, 10 * MIB));
        assert!(!accepts(LargeSize::Mib1, 33, 16 * MIB));
        assert!(accepts(LargeSize::Kib16, 37, 0));
    }

    #[test]
    fn a_fixed_price_is_the_base_and_none_exceeds_the_highest_cost() {
        let mut fixed = pricing(30);
        fixed.adaptive = false;
        assert_eq!(fixed.cost(&occupancy(50, 1)).bits(), 30);
        assert_eq!(pricing(58).cost(&occupancy(50, 1)), Cost::HIGHEST);
    }

    #[test]
    fn what_was_paid_is_accepted_until_the_price_has_risen_by_more_than_one_taker() {
        let paid = Cost::new(30).unwrap();
        assert!(pricing(30).accepts(paid, &occupancy(50, 35)));
        assert!(!pricing(30).accepts(paid, &occupancy(50, 34)));
        assert!(
            pricing(30).accepts(paid, &occupancy(2, 1)),
            "one concurrent sender is no reason"
        );
        assert!(pricing(30).accepts(Cost::new(36).unwrap(), &occupancy(50, 50)));
    }
}
