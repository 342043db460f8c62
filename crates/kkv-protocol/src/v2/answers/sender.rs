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
use super::keys::{Acknowledgement, AnswerKey, AnswerRoot, BoxSecret, Claim, Salt};
use super::sealed::SealedAnswer;
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

/// The chain of a new message's answers, and whose box it is of: what a relay is given with the message.
#[derive(Debug)]
pub struct NewChain {
    secret: BoxSecret,
    salt: Salt,
    key: AnswerKey,
}

/// What a relay has for whoever has a box's secret, who can open none of its answers by that.
#[derive(Debug)]
pub enum SealedReplies {
    /// It has no such box: it never had, or the box is gone.
    NoBox,
    /// What it says of the box, and the answers that wait, oldest first.
    Box(BoxStatus, Vec<SealedAnswer>),
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

    /// That of their box.
    #[must_use]
    pub fn secret(&self) -> &BoxSecret {
        &self.secret
    }

    /// The chain of a new message. 16 bytes are drawn.
    pub fn new_chain(&self, rng: &mut impl CryptoRng) -> NewChain {
        let salt = Salt::generate(rng);
        NewChain {
            secret: self.secret.copy(),
            salt,
            key: self.root.first_key(&salt),
        }
    }

    /// The box part of the first message of a conversation, or of one that may have been. 16 bytes are drawn.
    pub fn opens(&self, rng: &mut impl CryptoRng) -> BoxPart {
        self.new_chain(rng).opens()
    }

    /// The box part of a message that goes on with a conversation, in this session. 16 bytes are drawn.
    pub fn follows_up(&self, session: &SessionId, rng: &mut impl CryptoRng) -> BoxPart {
        self.new_chain(rng).follows_up(session)
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
        let session = asking.session();
        let content = self.secret.request(&session, number, acknowledgements);
        asking.request(AskKind::Replies as u8, &content, BodySize::Kib4)
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
        self.open(relay, self.secret.read(session, number, content)?)
    }

    /// Opens what a relay with this key has in the box.
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`] or [`ProtocolError::BadSeal`]: an answer was not sealed for these words.
    pub fn open(&self, relay: &RelayId, sealed: SealedReplies) -> Result<Replies, ProtocolError> {
        let SealedReplies::Box(status, sealed) = sealed else {
            return Ok(Replies::NoBox);
        };
        let open = |sealed| self.open_one(relay, sealed);
        let answers = sealed.iter().map(open).collect::<Result<_, _>>()?;
        Ok(Replies::Box(status, answers))
    }

    /// Opens one of the answers that a relay with this key has in the box.
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`] or [`ProtocolError::BadSeal`]: it was not sealed for these words.
    pub fn open_one(
        &self,
        relay: &RelayId,
        sealed: &SealedAnswer,
    ) -> Result<Answer, ProtocolError> {
        let opened = sealed.open(relay, &self.secret, &self.root)?;
        Ok(Answer {
            salt: sealed.salt,
            index: sealed.index,
            time: opened.time,
            text: opened.text,
            acknowledgement: opened.acknowledgement,
        })
    }
}

impl BoxSecret {
    /// The content of a request: what [`ReplySecrets::ask`] seals. A relay's page asks itself with it.
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
        content.extend_from_slice(&self.prove(&claim).0);
        content.extend_from_slice(&tail);
        content
    }

    /// Reads the content of an answer to a request of this session and number.
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`] or [`ProtocolError::BadSeal`]: it is not what a relay says that holds this box, or
    /// that holds none.
    pub fn read(
        &self,
        session: &SessionId,
        number: AskNumber,
        content: &[u8],
    ) -> Result<SealedReplies, ProtocolError> {
        let (record, places) = parts(content).ok_or(ProtocolError::Malformed)?;
        if content.iter().all(|byte| *byte == 0) {
            return Ok(SealedReplies::NoBox);
        }
        let status = BoxStatus::open(record, self, session, number)?;
        let mut answers = Vec::new();
        for (place, sealed) in places.enumerate() {
            // No gaps, and as many as it says.
            if sealed.is_some() != (place < usize::from(status.waiting)) {
                return Err(ProtocolError::Malformed);
            }
            answers.extend(sealed);
        }
        Ok(SealedReplies::Box(status, answers))
    }
}

impl NewChain {
    /// Of a box with this secret, with K(0) = D(`answer key`, answer root ‖ salt): its sender has derived them.
    #[must_use]
    pub fn new(secret: BoxSecret, salt: Salt, key: AnswerKey) -> Self {
        Self { secret, salt, key }
    }

    /// That of its box.
    #[must_use]
    pub fn secret(&self) -> &BoxSecret {
        &self.secret
    }

    /// The box part of a message that opens the box.
    #[must_use]
    pub fn opens(self) -> BoxPart {
        BoxPart::Opens {
            secret: self.secret,
            salt: self.salt,
            key: self.key,
        }
    }

    /// The box part of a message that follows up, in this session.
    #[must_use]
    pub fn follows_up(self, session: &SessionId) -> BoxPart {
        let claim = Claim::follow_up(session, &self.salt, &self.key);
        BoxPart::FollowsUp {
            proof: self.secret.prove(&claim),
            salt: self.salt,
            key: self.key,
        }
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
