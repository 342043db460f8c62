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
mod files;
mod pay;
mod pipeline;
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
use kkv_protocol::ids::SessionId;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::v2::answers::sender::ReplySecrets;
use session::Negotiated;

pub use asker::{Answered, Asker};
pub use delivery::{Accepted, Consent, Delivery, DeliveryOptions, Event, Observer, Price};
pub use failure::{Failure, Indeterminate};
pub use files::Uploader;

/// Whether a message can be answered.
#[derive(Debug, Clone, Copy, Default)]
pub enum Reply<'r> {
    /// It can't.
    #[default]
    No,
    /// By who has these secrets: a conversation begins.
    Opens(&'r ReplySecrets),
    /// The same, in a conversation that is there already. If it isn't any more, the message is refused.
    FollowsUp(&'r ReplySecrets),
}

impl Reply<'_> {
    /// The box part of one message, of whose salt `observer` is told.
    fn box_part(
        self,
        session: &SessionId,
        observer: &dyn Observer,
        rng: &mut impl CryptoRng,
    ) -> BoxPart {
        let part = match self {
            Self::No => BoxPart::None,
            Self::Opens(secrets) => secrets.opens(rng),
            Self::FollowsUp(secrets) => secrets.follows_up(session, rng),
        };
        if let Some(salt) = part.salt() {
            observer.event(Event::Answerable(salt));
        }
        part
    }
}

/// Leaves `text` with the relay at `delivery.options.target`, signed by `key`. One that can be answered goes in kkv/2
/// alone.
///
/// # Errors
/// See [`Failure`]: the message is not there, except that [`Failure::Indeterminate`] can't say.
pub async fn deliver<D: Dial>(
    delivery: &Delivery<'_, D>,
    key: SenderKey,
    text: &Text,
    reply: Reply<'_>,
    rng: &mut (impl CryptoRng + Send),
) -> Result<Accepted, Failure> {
    let mut connection = Connection::new(delivery);
    let suites = delivery.options.suites;
    let is_answerable = !matches!(reply, Reply::No);
    let is_invited = delivery.options.invitation.is_some();
    let key = match suites {
        SuitePolicy::Only(Suite::V1) if is_invited => return Err(Failure::NoInvitations),
        SuitePolicy::Only(Suite::V1) if is_answerable => {
            return Err(Failure::NoCommonSuite(Suite::V2));
        }
        SuitePolicy::Only(Suite::V1) => key,
        SuitePolicy::Any | SuitePolicy::Only(Suite::V2) => {
            match v2::deliver(delivery, &mut connection, key, text, reply, rng).await? {
                Negotiated::Done(accepted) => return Ok(*accepted),
                Negotiated::NotSpoken(_) if is_invited => return Err(Failure::NoInvitations),
                Negotiated::NotSpoken(key) if suites.allows(Suite::V1) && !is_answerable => {
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
