//! Answers on the page: what is there for words, or for what script has in their place.

use rand::CryptoRng;

use super::random_session;
use crate::relay::Relay;
use kkv_protocol::crypto::chunks::AskNumber;
use kkv_protocol::error::ProtocolError;
use kkv_protocol::reply_words::ReplyWords;
use kkv_protocol::v2::answers::ask::RepliesRequest;
use kkv_protocol::v2::answers::keys::{Acknowledgement, BoxSecret};
use kkv_protocol::v2::answers::sender::{Replies, SealedReplies};

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

    /// What is there for these words, after what is `seen` was deleted.
    ///
    /// # Errors
    /// An answer there doesn't open with them: whoever wrote the message may have given the box any key.
    pub(in crate::relay) fn page_opened(
        &self,
        words: &ReplyWords,
        seen: &[Acknowledgement],
        rng: &mut impl CryptoRng,
    ) -> Result<Replies, ProtocolError> {
        let secrets = words.secrets();
        let sealed = self.page_replies(secrets.secret(), seen, rng);
        secrets.open(&self.keys.public().id(), sealed)
    }
}
