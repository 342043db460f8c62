//! The faults of the published relay, each with a test that fails if it comes back, in both suites where it applies.

#[path = "hostile_relay/between.rs"]
mod between;
#[path = "faults/by_hand.rs"]
mod by_hand;
#[path = "faults/clock_set.rs"]
mod clock_set;
#[path = "faults/cut_and_paste.rs"]
mod cut_and_paste;
#[path = "kkv1/delivery.rs"]
mod delivery;
#[path = "support/in_process.rs"]
mod in_process;
#[path = "hostile_relay/known_relay.rs"]
mod known_relay;
#[path = "faults/owner_routes.rs"]
mod owner_routes;
#[path = "faults/owners.rs"]
mod owners;
#[path = "kkv1/published.rs"]
mod published;
#[path = "kkv1/published_server.rs"]
mod published_server;
#[path = "kkv1/raw_http.rs"]
mod raw_http;
#[path = "faults/small_order.rs"]
mod small_order;
#[path = "faults/solution_twice.rs"]
mod solution_twice;
#[path = "faults/texts.rs"]
mod texts;
#[path = "faults/told.rs"]
mod told;
#[path = "kkv1/visit.rs"]
mod visit;
#[path = "faults/weak_keys.rs"]
mod weak_keys;
#[path = "faults/zero_exchange.rs"]
mod zero_exchange;
