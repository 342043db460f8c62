//! kkv/1 interoperates: our relay says to a published client, and our sender to a published server, exactly the
//! published bytes.

#[path = "kkv1/clock_set.rs"]
mod clock_set;
#[path = "kkv1/delivery.rs"]
mod delivery;
#[path = "support/in_process.rs"]
mod in_process;
#[path = "kkv1/our_relay.rs"]
mod our_relay;
#[path = "kkv1/our_sender.rs"]
mod our_sender;
#[path = "kkv1/probes.rs"]
mod probes;
#[path = "kkv1/published.rs"]
mod published;
#[path = "kkv1/published_server.rs"]
mod published_server;
#[path = "kkv1/raw_http.rs"]
mod raw_http;
#[path = "kkv1/refusals.rs"]
mod refusals;
#[path = "kkv1/sessions.rs"]
mod sessions;
#[path = "kkv1/visit.rs"]
mod visit;
