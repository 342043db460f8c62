//! A delivery in kkv/2.

use rand::CryptoRng;

use super::Reply;
use super::budget::TimeBudget;
use super::connection::Connection;
use super::delivery::{Accepted, Delivery, Event};
use super::failure::{Failure, Indeterminate};
use super::repeat::RepeatPolicy;
use super::request::Request;
use super::session::{self, Negotiated};
use kkv_net::tor::Dial;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::error::ProtocolError;
use kkv_protocol::suite::Suite;
use kkv_protocol::text::Text;
use kkv_protocol::v2::sender::Hello;
use kkv_protocol::wire::object;

pub(super) async fn deliver<D: Dial>(
    delivery: &Delivery<'_, D>,
    connection: &mut Connection<'_, D>,
    key: SenderKey,
    text: &Text,
    reply: Reply<'_>,
    rng: &mut (impl CryptoRng + Send),
) -> Result<Negotiated<Box<Accepted>>, Failure> {
    let sender = key.public();
    let mut budget = TimeBudget::new(delivery.options.max_time, delivery.options.anyway);
    let hello = match &delivery.options.invitation {
        Some(invitation) => Hello::invited(key, invitation.token()),
        None => Hello::new(key),
    };
    let session = match session::open(delivery, connection, hello, &mut budget, &[], rng).await? {
        Negotiated::Done(session) => session,
        Negotiated::NotSpoken(key) => return Ok(Negotiated::NotSpoken(key)),
    };

    let box_part = reply.box_part(&session.open.session(), delivery.observer, rng);
    delivery.observer.event(Event::Sending);
    let sent = session.open.seal(text, &box_part);
    let request = Request::json("/msg", sent.request());
    let response = connection
        .send_message(&request, RepeatPolicy::paid(session.ends, rng))
        .await?;
    let receipt = object(&response.body)
        .map_err(|_| ProtocolError::BadReceipt)
        .and_then(|answer| sent.accepted(&answer))
        .map_err(|_| Failure::Indeterminate(Indeterminate::Unclear))?;
    Ok(Negotiated::Done(Box::new(Accepted {
        suite: Suite::V2,
        relay: session.relay,
        sender,
        cost: session.terms.cost,
        invited: delivery.options.invitation.is_some(),
        receipt: Some(receipt),
    })))
}
