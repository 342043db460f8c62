//! The sender's side of answers: all that follows from the words (PROTOCOL.md §17).
//!
//! Whoever has the words needs nothing else. The relay tells which messages it has had (their salts) and which answers
//! wait (salt, place in the chain, ciphertext), and every key is derived anew.

use std::fmt;

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::MAX_WAITING;
use super::ask::{parts, request_tail};
use super::box_part::BoxPart;
use super::keys::{Acknowledgement, AnswerRoot, BoxSecret, Claim, Salt};
use super::status::BoxStatus;
use crate::crypto::chunks::AskNumber;
use crate::error::ProtocolError;
use crate::ids::{RelayId, SessionId};
use crate::v2::ask::sender::{AskAnswer, AskRequest, Asking, BadAsk};
use crate::v2::ask::{AskKind, AskOutcome};
use crate::v2::purpose::BodySize;

/// What follows from the words of a conversation.
#[derive(Debug)]
pub struct ReplySecrets {
    secret: BoxSecret,
    root: AnswerRoot,
}

/// What a relay has for whoever has the words.
#[derive(Debug)]
pub enum Replies {
    /// It has no box of these words: it never had, or the box is gone.
    NoBox,
    /// What it says of the box, and the answers that wait, oldest first.
    Box(BoxStatus, Vec<Answer>),
}

/// An answer.
pub struct Answer {
    /// Names the message whose chain it was sealed under: the newest that the relay had then.
    pub salt: Salt,
    /// Its place among the answers under that chain, from 0.
    pub index: u16,
    /// When it was sealed, by the relay's clock, in unix seconds.
    pub time: u64,
    /// 1 to 3,500 bytes of UTF-8: its author's, as unfit for a terminal as any stranger's.
    pub text: Zeroizing<String>,
    /// To be given to [`ReplySecrets::ask`] once it was shown; the relay deletes it then.
    pub acknowledgement: Acknowledgement,
}

impl ReplySecrets {
    /// Those of these words.
    #[must_use]
    pub fn new(entropy: &[u8; 16]) -> Self {
        Self {
            secret: BoxSecret::derive(entropy),
            root: AnswerRoot::derive(entropy),
        }
    }

    /// The box part of the first message of a conversation, or of one that may have been. 16 bytes are drawn.
    pub fn opens(&self, rng: &mut impl CryptoRng) -> BoxPart {
        let salt = Salt::generate(rng);
        BoxPart::Opens {
            secret: BoxSecret(self.secret.0.clone()),
            salt,
            key: self.root.first_key(&salt),
        }
    }

    /// The box part of a message that goes on with a conversation, in this session. 16 bytes are drawn.
    pub fn follows_up(&self, session: &SessionId, rng: &mut impl CryptoRng) -> BoxPart {
        let salt = Salt::generate(rng);
        let key = self.root.first_key(&salt);
        let proof = self.secret.prove(&Claim::follow_up(session, &salt, &key));
        BoxPart::FollowsUp { proof, salt, key }
    }

    /// Asks for what waits, in a session of 16 KiB, and acknowledges what has been shown.
    ///
    /// # Errors
    /// The session is used up or of another size, or more than [`MAX_WAITING`] are acknowledged.
    pub fn ask(
        &self,
        asking: &mut Asking,
        acknowledgements: &[&Acknowledgement],
    ) -> Result<AskRequest, BadAsk> {
        if asking.size() != BodySize::Kib16 || acknowledgements.len() > MAX_WAITING {
            return Err(BadAsk::TooLarge);
        }
        let number = asking.next_number().ok_or(BadAsk::UsedUp)?;
        let content = self.request(&asking.session(), number, acknowledgements);
        asking.request(AskKind::Replies as u8, &content, BodySize::Kib4)
    }

    /// The content of a request: what [`ask`](Self::ask) seals. A relay's page asks itself with it.
    #[must_use]
    pub fn request(
        &self,
        session: &SessionId,
        number: AskNumber,
        acknowledgements: &[&Acknowledgement],
    ) -> Zeroizing<Vec<u8>> {
        let tail = request_tail(acknowledgements);
        let claim = Claim::ask(session, number, &tail);
        let mut content = Zeroizing::new(Vec::with_capacity(32 + tail.len()));
        content.extend_from_slice(&self.secret.prove(&claim).0);
        content.extend_from_slice(&tail);
        content
    }

    /// Reads what a relay with this key has answered to a request of [`ask`](Self::ask).
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`] or [`ProtocolError::BadSeal`]: it is not what a relay says that holds this box, or
    /// that holds none.
    pub fn read(
        &self,
        relay: &RelayId,
        request: &AskRequest,
        answer: &AskAnswer,
    ) -> Result<Replies, ProtocolError> {
        if answer.outcome != AskOutcome::Done {
            return Err(ProtocolError::Malformed);
        }
        self.read_content(relay, &request.session(), request.number(), &answer.content)
    }

    /// Reads the content of an answer: what [`read`](Self::read) finds under its seals.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn read_content(
        &self,
        relay: &RelayId,
        session: &SessionId,
        number: AskNumber,
        content: &[u8],
    ) -> Result<Replies, ProtocolError> {
        let (record, places) = parts(content).ok_or(ProtocolError::Malformed)?;
        if content.iter().all(|byte| *byte == 0) {
            return Ok(Replies::NoBox);
        }
        let status = BoxStatus::open(record, &self.secret, session, number)?;
        let mut answers = Vec::new();
        for (place, sealed) in places.enumerate() {
            // No gaps, and as many as it says.
            if sealed.is_some() != (place < usize::from(status.waiting)) {
                return Err(ProtocolError::Malformed);
            }
            let Some(sealed) = sealed else { continue };
            let opened = sealed.open(relay, &self.secret, &self.root)?;
            answers.push(Answer {
                salt: sealed.salt,
                index: sealed.index,
                time: opened.time,
                text: opened.text,
                acknowledgement: opened.acknowledgement,
            });
        }
        Ok(Replies::Box(status, answers))
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("index", &self.index)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}
