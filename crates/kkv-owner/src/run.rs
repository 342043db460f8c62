//! Which run of a relay is meant. Numbers of messages count from one at each start, so those of one run say nothing of
//! another's: what was asked about a message, or begun with it, must not reach one of the same number that came later.

use http::{HeaderMap, HeaderName, HeaderValue};
use kkv_protocol::ids::RelayId;

/// A header of every answer, with the key of this run of the relay; and of requests that are meant for this run alone.
pub const RUN: HeaderName = HeaderName::from_static("kkv-run");

/// Whether requests with these headers are meant for the run with this key.
#[must_use]
pub fn is_meant(headers: &HeaderMap, key: &RelayId) -> bool {
    headers
        .get(RUN)
        .is_none_or(|meant| meant.as_bytes() == key.to_string().as_bytes())
}

/// The key as a header's value.
///
/// # Panics
/// Never: hex is a value.
#[must_use]
pub fn value(key: &RelayId) -> HeaderValue {
    HeaderValue::from_str(&key.to_string()).expect("hex is a value")
}
