//! Who floods: works without end and does what is best for it.
//!
//! Challenges cost nothing to ask for, so it always has any number of each price that it has seen, asked for at the
//! last moment at which that was the price. It solves the cheapest that is still honoured. Before it takes the slot
//! that makes the price rise, it lays in solutions at the old price as far as it could not find them all in time
//! afterwards, and takes their slots at once then.

use std::collections::BTreeMap;

use kkv_base::limits::MIN_ODDS;
use kkv_pow::Cost;
use rand::rngs::StdRng;

use super::relay::{Answer, LIFETIME, Relay, chance, luck, mean};

/// How much of a challenge's time it plans with: luck differs.
const CAUTION: f64 = 0.95;

#[derive(Debug, Clone, Copy)]
struct Work {
    cost: Cost,
    began: f64,
    /// When the solution is found.
    found: f64,
    /// When the challenge ends.
    expiry: f64,
}

#[derive(Debug)]
pub(crate) struct Flooder {
    /// In machines.
    rate: f64,
    /// Whether it keeps challenges for when they have become dearer, or asks anew for each message.
    hoards: bool,
    asked: BTreeMap<Cost, f64>,
    work: Option<Work>,
    /// Solutions not used yet, each with the end of its challenge.
    stock: Vec<(Cost, f64)>,
    /// Messages of its own that were taken.
    pub(crate) kept: u64,
    /// Seconds of one machine that it has worked.
    pub(crate) machine_time: f64,
}

impl Flooder {
    pub(crate) fn new(rate: f64, hoards: bool) -> Self {
        Self {
            rate,
            hoards,
            asked: BTreeMap::new(),
            work: None,
            stock: Vec::new(),
            kept: 0,
            machine_time: 0.0,
        }
    }

    /// When its present work ends, well or not.
    pub(crate) fn next(&self) -> f64 {
        self.work
            .map_or(f64::INFINITY, |work| work.found.min(work.expiry))
    }

    /// Asks for as many challenges as it may want: done at each moment just before the price may change.
    pub(crate) fn ask(&mut self, relay: &Relay, now: f64) {
        if let Some(price) = relay.price() {
            self.asked.insert(price, now);
        }
    }

    /// Does what there is to do now, after anything has changed.
    pub(crate) fn act(&mut self, relay: &mut Relay, now: f64, rng: &mut StdRng) {
        if let Some(work) = self.work
            && (now >= self.next() || !relay.accepts(work.cost) || relay.free() == 0)
        {
            self.work = None;
            self.machine_time += (now - work.began) * self.rate;
            if now >= work.found && now < work.expiry {
                self.stock.push((work.cost, work.expiry));
            }
        }
        loop {
            self.ask(relay, now);
            self.stock
                .retain(|(cost, expiry)| now < *expiry && relay.accepts(*cost));
            self.stock.sort_by_key(|(cost, _)| *cost);
            if relay.free() == 0 {
                return;
            }
            let lay_in = self.lacking(relay, now);
            if self.stock.is_empty() || lay_in.is_some() {
                if self.work.is_none() {
                    let cost = lay_in.or_else(|| self.best(relay, now));
                    self.work = cost.map(|cost| self.begin(cost, now, rng));
                }
                return;
            }
            let (cost, _) = self.stock.remove(0);
            assert_eq!(relay.claim(cost), Answer::Taken, "looked at above");
            self.kept += 1;
        }
    }

    fn begin(&self, cost: Cost, now: f64, rng: &mut StdRng) -> Work {
        Work {
            cost,
            began: now,
            found: now + luck(cost, self.rate, rng),
            expiry: self.asked[&cost] + LIFETIME,
        }
    }

    /// What to solve for the next slot.
    fn best(&self, relay: &Relay, now: f64) -> Option<Cost> {
        if self.hoards {
            self.cheapest(relay.least(), now)
        } else {
            relay.price()
        }
    }

    /// The cheapest challenge that it has, `least` at least, that can be solved in time.
    fn cheapest(&self, least: Cost, now: f64) -> Option<Cost> {
        let mut enough = self.asked.range(least..);
        let kept = enough
            .find(|(cost, asked)| chance(**cost, self.rate, *asked + LIFETIME - now) > MIN_ODDS);
        kept.map(|(cost, _)| *cost)
    }

    /// What to solve before the next slot is taken, if taking it makes the price rise and what the present price is
    /// good for could not be solved afterwards.
    fn lacking(&self, relay: &Relay, now: f64) -> Option<Cost> {
        let ((_, first_expiry), rest) = self.stock.split_first()?;
        let price = relay.price()?;
        let next = relay.with_free(relay.free() - 1).price()?;
        if !self.hoards || next == price {
            return None;
        }
        let mut stock: Vec<Cost> = rest.iter().map(|(cost, _)| *cost).collect();
        let mut lacking = Vec::new();
        for free in (1..relay.free()).rev() {
            let least = relay.with_free(free).least();
            if least > price {
                break;
            }
            match stock.iter().position(|cost| *cost >= least) {
                Some(found) => drop(stock.remove(found)),
                None => lacking.extend(self.cheapest(least, now)),
            }
        }
        let work: f64 = lacking.iter().map(|cost| mean(*cost, self.rate)).sum();
        let first = *lacking.first()?;
        let end = rest
            .iter()
            .map(|(_, expiry)| *expiry)
            .fold(*first_expiry, f64::min);
        let in_time = chance(first, self.rate, end - now) > CAUTION;
        (work > CAUTION * LIFETIME && in_time).then_some(first)
    }
}
