//! Answers on the page: what is there for whoever has a box's secret, of the words or as script tells it.

use rand::CryptoRng;

use super::random_session;
use crate::relay::Relay;
use kkv_protocol::crypto::chunks::AskNumber;
use kkv_protocol::v2::answers::ask::RepliesRequest;
use kkv_protocol::v2::answers::keys::{Acknowledgement, BoxSecret};
use kkv_protocol::v2::answers::sender::SealedReplies;

impl Relay {
    /// What is in the box of this secret, after what is `seen` was deleted.
    pub(in crate::relay) fn page_replies(
        &self,
        secret: &BoxSecret,
        seen: &[Acknowledgement],
        rng: &mut impl CryptoRng,
    ) -> SealedReplies {
        let (session, number) = (random_session(rng), AskNumber::FIRST);
        let seen: Vec<&Acknowledgement> = seen.iter().collect();
        let request = secret.request(&session, number, &seen);
        let request = RepliesRequest::parse(&request).expect("it was laid out just now");
        let (receipts, now) = (self.config.read_receipts, self.now());
        let answer = self
            .boxes
            .replies(&request, &session, number, receipts, &self.queue, now);
        secret
            .read(&session, number, &answer.into_bytes())
            .expect("the relay has just sealed it")
    }
}
