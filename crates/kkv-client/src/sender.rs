//! Carries a message to a relay: dials, asks step by step, pays, and says exactly what has become of the message. And
//! asks a relay in a session for asks.
//!
//! Every step may be asked again, word for word, so a connection that breaks costs a new one and nothing else. Only
//! when the whole message was on its way and no answer came is the outcome unknown, and then that is what the sender
//! is told.

mod asker;
mod budget;
mod connection;
mod delivery;
mod failure;
mod pay;
mod reading;
mod repeat;
mod request;
mod session;
mod v1;
mod v2;

use rand::CryptoRng;

use connection::Connection;
use kkv_net::tor::Dial;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::text::Text;
use session::Negotiated;

pub use asker::{Answered, Asker};
pub use delivery::{Accepted, Consent, Delivery, DeliveryOptions, Event, Observer, Price};
pub use failure::{Failure, Indeterminate};

/// Leaves `text` with the relay at `delivery.options.target`, signed by `key`.
///
/// # Errors
/// See [`Failure`]: the message is not there, except that [`Failure::Indeterminate`] can't say.
pub async fn deliver<D: Dial>(
    delivery: &Delivery<'_, D>,
    key: SenderKey,
    text: &Text,
    rng: &mut (impl CryptoRng + Send),
) -> Result<Accepted, Failure> {
    let mut connection = Connection::new(delivery);
    let suites = delivery.options.suites;
    let key = match suites {
        SuitePolicy::Only(Suite::V1) => key,
        SuitePolicy::Any | SuitePolicy::Only(Suite::V2) => {
            match v2::deliver(delivery, &mut connection, key, text, rng).await? {
                Negotiated::Done(accepted) => return Ok(*accepted),
                Negotiated::NotSpoken(key) if suites.allows(Suite::V1) => {
                    delivery.observer.event(Event::FellBack);
                    *key
                }
                Negotiated::NotSpoken(_) => return Err(Failure::NoCommonSuite(Suite::V2)),
            }
        }
    };
    text.fits(Suite::V1)?;
    v1::deliver(delivery, &mut connection, key, text, rng).await
}
