//! The faults of the published relay, each with a test that fails if it comes back, in both suites where it applies.

mod by_hand;
mod clock_set;
mod cut_and_paste;
mod owner_routes;
mod owners;
mod small_order;
mod solution_twice;
mod texts;
mod told;
mod weak_keys;
mod zero_exchange;
