//! What is asked and answered about answers to messages.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use kkv_base::private::Private;

use crate::id::MessageId;

/// The conversation that a message belongs to: all messages of one sender's words, and the answers to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// Its number, counted from 1 since the relay's start.
    pub number: u64,
    /// Answers to it so far; 65,535 for more.
    pub answers: u16,
    /// Those of them that the sender hasn't fetched yet.
    pub waiting: u8,
    /// Answers since this message came: 0 if it hasn't been answered.
    pub answered: u16,
}

/// Answers a message.
#[derive(Debug, Serialize, Deserialize)]
pub struct Reply {
    /// Which.
    pub id: MessageId,
    /// What to say: 1 to 3,500 bytes.
    pub text: Private<Zeroizing<String>>,
}

/// The answer is sealed, and waits to be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replied {
    /// Where.
    pub conversation: Conversation,
}

/// Why a message can't be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum CantReply {
    /// Its sender has not asked for answers.
    #[error("its sender hasn't asked for an answer")]
    NotAnswerable,
    /// Its box is gone: nothing has changed in it for too long.
    #[error("its sender can't be answered any more: nothing has come or been fetched for too long")]
    BoxGone,
    /// Its box was pushed out by newer ones: see PROTOCOL.md §17, "Bounds".
    #[error("its sender can't be answered any more: newer conversations have taken its place")]
    PushedOut,
    /// The chain of the newest message of its box has sealed as many answers as it can.
    #[error(
        "65,536 answers were sealed since its sender wrote last, and no more can be: the next can follow once they write \
         again"
    )]
    ChainOver,
    /// As many answers wait in its box as there may be.
    #[error("4 answers wait for its sender already; the next can follow once one is fetched")]
    Unfetched,
    /// As many answers wait in all boxes as there is room for.
    #[error(
        "there is no room for another answer until one of those that wait is fetched; those of conversation {conversation} \
         have waited longest"
    )]
    NoPlace {
        /// The one with the answer that has waited longest.
        conversation: u64,
        /// How many wait there.
        waiting: u8,
        /// When that one was sealed, in seconds since 1970.
        since: u64,
    },
}

/// Asks what waits in a conversation.
#[derive(Debug, Serialize, Deserialize)]
pub struct Waits {
    /// Its number.
    pub conversation: u64,
}

/// What waits there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingAnswers {
    /// How many answers; none if there is no such conversation.
    pub answers: Option<u8>,
    /// When the oldest was sealed, in seconds since 1970; none if none waits.
    pub since: Option<u64>,
    /// The newest message of this conversation that is there. (A relay from before doesn't say.)
    #[serde(default)]
    pub newest: Option<MessageId>,
}

/// Takes back what waits in a conversation.
#[derive(Debug, Serialize, Deserialize)]
pub struct Withdraw {
    /// Its number.
    pub conversation: u64,
}

/// It is wiped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// How many answers were; none if there is no such conversation.
    pub answers: Option<u8>,
}

/// Says so.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReplyRefused {
    /// Why.
    pub code: CantReply,
    /// The same for people, in one line.
    pub error: String,
}
