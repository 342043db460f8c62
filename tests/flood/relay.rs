//! The relay's side of the model: fifty slots, and what each costs at the moment by the rule itself.

use kkv_base::limits::{DEFAULT_COST, DEFAULT_EXPECTED_SECONDS, DEFAULT_MESSAGES};
use kkv_pow::{Cost, Odds, Puzzle, PuzzleKey};
use kkv_relay::queue::Occupancy;
use kkv_relay::relay::Pricing;
use rand::RngExt;
use rand::rngs::StdRng;

/// Seconds to solve a challenge in.
pub(crate) const LIFETIME: f64 = DEFAULT_EXPECTED_SECONDS as f64;

/// Hashes a second of one machine: it pays the default cost in four seconds.
pub(crate) const MACHINE: f64 = (1u64 << DEFAULT_COST) as f64 / 4.0;

/// How the price is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Price {
    /// The base alone.
    Pinned,
    /// It follows demand.
    Adaptive,
    /// It follows demand, but whatever was paid is taken until its challenge ends: what the bound is there against.
    Unbounded,
}

/// What becomes of a solution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Taken,
    PriceRose,
    Full,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Relay {
    pricing: Pricing,
    unbounded: bool,
    occupancy: Occupancy,
}

impl Relay {
    pub(crate) fn new(price: Price) -> Self {
        let base = Cost::new(DEFAULT_COST.into()).expect("the default is a cost");
        let adaptive = price != Price::Pinned;
        Self {
            pricing: Pricing { base, adaptive },
            unbounded: price == Price::Unbounded,
            occupancy: Occupancy {
                capacity: DEFAULT_MESSAGES,
                stored: 0,
                reserved: 0,
                unread: 0,
            },
        }
    }

    pub(crate) fn free(&self) -> u32 {
        self.occupancy.free()
    }

    /// What a challenge costs that is asked for now. `None` if no slot is free: then the relay makes no challenge.
    pub(crate) fn price(&self) -> Option<Cost> {
        (self.free() > 0).then(|| self.pricing.cost(&self.occupancy))
    }

    pub(crate) fn accepts(&self, paid: Cost) -> bool {
        self.unbounded || self.pricing.accepts(paid, &self.occupancy)
    }

    pub(crate) fn claim(&mut self, paid: Cost) -> Answer {
        if self.free() == 0 {
            return Answer::Full;
        }
        if !self.accepts(paid) {
            return Answer::PriceRose;
        }
        self.occupancy.stored += 1;
        Answer::Taken
    }

    /// The owner deletes everything.
    pub(crate) fn empty(&mut self) {
        self.occupancy.stored = 0;
    }

    /// The same with so many slots free.
    pub(crate) fn with_free(mut self, free: u32) -> Self {
        self.occupancy.stored = self.occupancy.capacity - free;
        self
    }

    /// The least that is taken at the moment.
    pub(crate) fn least(&self) -> Cost {
        costs()
            .find(|cost| self.accepts(*cost))
            .unwrap_or(Cost::HIGHEST)
    }
}

/// Every price there is, lowest first.
pub(crate) fn costs() -> impl Iterator<Item = Cost> {
    (DEFAULT_COST.into()..).map_while(|bits| Cost::new(bits).ok())
}

/// Seconds to pay `cost` on average, at `rate` machines.
pub(crate) fn mean(cost: Cost, rate: f64) -> f64 {
    cost.expected_hashes() / (rate * MACHINE)
}

/// The chance to pay `cost` within `time`.
pub(crate) fn chance(cost: Cost, rate: f64, time: f64) -> f64 {
    let puzzle = Puzzle::V2 {
        key: PuzzleKey([0; 32]),
        cost,
    };
    let time = std::time::Duration::from_secs_f64(time.max(0.0));
    Odds::new(&puzzle, rate * MACHINE).by(time)
}

/// Seconds that it takes this time: the sum of as many exponential times as there are nonces to find. A product needs
/// one logarithm only.
pub(crate) fn luck(cost: Cost, rate: f64, rng: &mut StdRng) -> f64 {
    let count = Puzzle::V2 {
        key: PuzzleKey([0; 32]),
        cost,
    }
    .count();
    let product: f64 = (0..count).map(|_| 1.0 - rng.random::<f64>()).product();
    -product.ln() / count as f64 * mean(cost, rate)
}

/// Seconds to the next of events that come at random, one each `mean` seconds.
pub(crate) fn pause(mean: f64, rng: &mut StdRng) -> f64 {
    -(1.0 - rng.random::<f64>()).ln() * mean
}
