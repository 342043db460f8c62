//! What is asked about messages, and what a relay answers.

use std::collections::BTreeSet;

use http::HeaderName;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use kkv_base::limits::{
    MAX_LISTED_FILES_BYTES, MAX_MESSAGES, MAX_OWNER_ANSWER_BYTES, MAX_OWNER_LIST_BYTES,
    MAX_PREVIEW_CHARACTERS,
};
use kkv_base::private::Private;
use kkv_protocol::Via;
use kkv_protocol::files::{MAX_FILE_NAME_BYTES, MAX_FILES, MAX_MEDIA_TYPE_BYTES};
use kkv_protocol::ids::{BoxDigest, RelayId, SenderId, SessionId};
use kkv_protocol::kind::Kind;
use kkv_protocol::openpgp::Block;
use kkv_protocol::proof::{MessageV1, MessageV2, Proof};
use kkv_protocol::v2::invitation::InvitationNumber;
use kkv_protocol::wire::Hex;

use crate::id::MessageId;
use crate::replies::{Conversation, Replied, WaitingAnswers, Withdrawn};
use crate::status::Status;

/// What a relay answers. Whatever is longer is no answer of one.
pub trait Answer: DeserializeOwned {
    /// Bytes of JSON that it takes at most.
    const MAX_BYTES: usize = MAX_OWNER_ANSWER_BYTES;
}

impl Answer for Status {}
impl Answer for Message {
    const MAX_BYTES: usize = MAX_OWNER_ANSWER_BYTES + MAX_FILES * MAX_FILE_INFO_BYTES;
}
impl Answer for Version {}
impl Answer for Replied {}
impl Answer for Withdrawn {}
impl Answer for WaitingAnswers {}
impl Answer for List {
    const MAX_BYTES: usize = MAX_OWNER_LIST_BYTES + MAX_LISTED_FILES_BYTES;
}
impl List {
    /// Bytes of JSON that a list takes at most that begins each text with so many characters: six for each that is
    /// escaped.
    #[must_use]
    pub fn max_bytes_with_first(characters: usize) -> usize {
        let each = 6 * characters.min(MAX_PREVIEW_CHARACTERS) + ",\"first\":\"\"".len();
        Self::MAX_BYTES + MAX_MESSAGES as usize * each
    }
}
impl Answer for Done {
    const MAX_BYTES: usize = MAX_OWNER_LIST_BYTES;
}

/// A header of requests that are no sign of the owner's presence, such as those of a program that was left open.
pub const UNATTENDED: HeaderName = HeaderName::from_static("kkv-unattended");

/// Every message, without its text (of which it may have the beginning); or those that have changed, if that was asked
/// for.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct List {
    /// Oldest first.
    pub messages: Vec<Summary>,
    /// What the list is, if it was asked what has changed. (A relay from before lists every message and says nothing of
    /// it.)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
}

/// From which version of a queue to which a list leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// The relay's public key, which is another one at each start.
    pub relay: RelayId,
    /// What is to be named when it is asked next. What changed while the list was made is listed again then.
    pub version: u64,
    /// The version that was named, since which the listed messages have come or been marked otherwise. None: every
    /// message is listed.
    pub since: Option<u64>,
    /// There is no message with a lower number.
    pub oldest: MessageId,
    /// Those with a higher one that are there no more.
    pub gone: Vec<MessageId>,
}

impl List {
    /// Brings `known`, the messages at the version that was named, up to this list. Both have the oldest first.
    pub fn onto(self, known: &mut Vec<Summary>) {
        let Some(changes) = self.changes.filter(|changes| changes.since.is_some()) else {
            *known = self.messages;
            return;
        };
        let gone: BTreeSet<MessageId> = changes.gone.into_iter().collect();
        known.retain(|message| message.id >= changes.oldest && !gone.contains(&message.id));
        for message in self.messages {
            match known.binary_search_by_key(&message.id, |known| known.id) {
                Ok(place) => known[place] = message,
                Err(place) => known.insert(place, message),
            }
        }
    }

    /// What is known of a relay with this list.
    #[must_use]
    pub fn known(&self) -> Option<Known> {
        let changes = self.changes.as_ref()?;
        Some(Known {
            relay: changes.relay,
            version: changes.version,
        })
    }
}

impl From<Vec<Summary>> for List {
    fn from(messages: Vec<Summary>) -> Self {
        Self {
            messages,
            changes: None,
        }
    }
}

/// A version of a relay's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The relay's public key.
    pub relay: RelayId,
    /// As it says in [`Changes`].
    pub version: u64,
}

/// What is known of a message beside its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Its number.
    pub id: MessageId,
    /// When it was accepted, in unix seconds.
    pub received: u64,
    /// Whether it is marked as read.
    pub read: bool,
    /// By what it came.
    #[serde(rename = "suite")]
    pub via: Via,
    /// What it is.
    pub kind: Kind,
    /// What its sender paid.
    pub cost: u8,
    /// Which invitation it came by, if by one. (A relay from before has none.)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<InvitationNumber>,
    /// Length of its content.
    pub bytes: usize,
    /// The sender's public key; none if it came by the page, where nobody signs.
    pub sender: Option<SenderId>,
    /// Which OpenPGP block its text is, if it is one. (A relay from before says nothing of it.)
    #[serde(default)]
    pub openpgp: Option<Block>,
    /// Which kinds of OpenPGP blocks are in a text that is none itself. (A relay from before says nothing of them.)
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub openpgp_inside: Vec<Block>,
    /// Its files, in the sender's order; none in a message of text alone. In a list, names and types have at most
    /// [`kkv_base::limits::MAX_LISTED_CHARACTERS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileInfo>,
    /// What its text begins with, in a list that was asked for it; none if it is an OpenPGP block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Private<Zeroizing<String>>>,
    /// To which conversation it belongs; none if it can't be answered, or not any more. (A relay from before says
    /// nothing of it.)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Conversation>,
}

/// What is known of a file beside its bytes. Name and type are the sender's, and say anything at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInfo {
    /// Its name.
    pub name: Private<Zeroizing<String>>,
    /// Its length.
    pub bytes: u64,
    /// Its media type; empty if none was given.
    pub media_type: Private<Zeroizing<String>>,
}

/// Bytes of JSON that a file takes at most: six for each byte of its name, two for each of its type, and its length.
pub const MAX_FILE_INFO_BYTES: usize = 6 * MAX_FILE_NAME_BYTES + 2 * MAX_MEDIA_TYPE_BYTES + 80;

/// Query of a file.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct GetFile {
    /// Of which message.
    pub id: MessageId,
    /// Which of its files, from 1.
    pub file: usize,
}

/// Query of a list.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Wanted {
    /// Characters of each text that are wanted, if any are; no more than [`MAX_PREVIEW_CHARACTERS`] come.
    pub first: Option<usize>,
    /// The version of the queue since which messages have changed that are wanted, with [`Changes`]; 0 for every one.
    pub since: Option<u64>,
    /// The relay that it is a version of.
    pub relay: Option<RelayId>,
}

/// Asks for one message.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Get {
    /// Which.
    pub id: MessageId,
}

/// One message with all that a third party needs to check it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Message {
    /// What is known of it beside its text.
    #[serde(flatten)]
    pub summary: Summary,
    /// The relay it was sent to.
    pub relay: RelayId,
    /// Its session (kkv/2; zeros in kkv/1).
    pub session: SessionId,
    /// Digest of what it said of its box (kkv/2; zeros in kkv/1).
    #[serde(rename = "box")]
    pub box_digest: BoxDigest,
    /// The sender's signature.
    pub signature: Hex<64>,
    /// The text.
    pub text: Private<Zeroizing<String>>,
}

impl Message {
    /// What of it is signed; `None` if nothing is.
    #[must_use]
    pub fn into_proof(mut self) -> Option<Proof> {
        let sender = self.summary.sender?;
        let text = std::mem::take(&mut *self.text);
        let signature = self.signature;
        match self.summary.via {
            Via::V1 => Some(Proof::MessageV1(MessageV1 {
                sender,
                text,
                signature,
            })),
            Via::V2 => Some(Proof::MessageV2(MessageV2 {
                relay: self.relay,
                session: self.session,
                sender,
                kind: self.summary.kind,
                box_digest: self.box_digest,
                text,
                signature,
            })),
            Via::Web => None,
        }
    }
}

/// Marks messages.
#[derive(Debug, Serialize, Deserialize)]
pub struct Mark {
    /// Which.
    pub ids: Vec<MessageId>,
    /// As read, or as unread.
    pub read: bool,
}

/// Deletes messages.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delete {
    /// These.
    Ids(Vec<MessageId>),
    /// Every one there is at this moment.
    All,
}

/// What was done.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The messages it was done to.
    pub done: Vec<MessageId>,
    /// Those that are not there (any more).
    pub missing: Vec<MessageId>,
}

/// Query of `/watch`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Watch {
    /// The version last seen; 0 at first.
    pub seen: u64,
}

/// Grows with each change of the queue; as in [`Changes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The present one.
    pub version: u64,
}

/// Why something could not be done.
#[derive(Debug, Serialize, Deserialize)]
pub struct Problem {
    /// In one line.
    pub error: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use kkv_base::limits::MAX_DELETED_IDS;

    #[test]
    fn the_longest_answers_of_a_relay_are_read() {
        let summary = Summary {
            id: MessageId(u64::MAX),
            received: u64::MAX,
            read: false,
            via: Via::V2,
            kind: Kind::Text,
            cost: u8::MAX,
            invitation: Some(InvitationNumber(u64::MAX)),
            bytes: usize::MAX,
            sender: Some(SenderId([0xff; 32])),
            openpgp: None,
            files: Vec::new(),
            openpgp_inside: vec![
                Block::Message,
                Block::SignedMessage,
                Block::PublicKey,
                Block::Signature,
                Block::PrivateKey,
            ],
            first: None,
            conversation: Some(Conversation {
                number: u64::MAX,
                answers: u16::MAX,
                waiting: u8::MAX,
                answered: u16::MAX,
            }),
        };
        let file = FileInfo {
            name: Private(Zeroizing::new("\u{1}".repeat(MAX_FILE_NAME_BYTES))),
            bytes: u64::MAX,
            media_type: Private(Zeroizing::new("\\".repeat(MAX_MEDIA_TYPE_BYTES))),
        };
        assert!(serde_json::to_string(&file).unwrap().len() < MAX_FILE_INFO_BYTES);
        let message = Message {
            summary: Summary {
                files: vec![file; MAX_FILES],
                ..summary.clone()
            },
            relay: RelayId([0xff; 32]),
            session: SessionId([0xff; 32]),
            box_digest: BoxDigest([0xff; 32]),
            signature: Hex([0xff; 64]),
            text: Private(Zeroizing::new("\u{1}".repeat(kkv_base::limits::SLOT_BYTES))),
        };
        let message = serde_json::to_string(&message).unwrap();
        assert!(message.len() <= Message::MAX_BYTES);
        let each = serde_json::to_string(&summary).unwrap().len() + ",".len();
        let most = MAX_MESSAGES as usize;
        let changes = Changes {
            relay: RelayId([0xff; 32]),
            version: u64::MAX,
            since: Some(u64::MAX),
            oldest: MessageId(u64::MAX),
            gone: vec![MessageId(u64::MAX); MAX_DELETED_IDS],
        };
        let rest = serde_json::to_string(&changes).unwrap().len() + 100;
        assert!(each * most + rest <= List::MAX_BYTES, "{each}, {rest}");
        let first = Private(Zeroizing::new("\u{1}".repeat(MAX_PREVIEW_CHARACTERS)));
        let summary = Summary {
            first: Some(first),
            ..summary
        };
        let long = serde_json::to_string(&summary).unwrap().len() + ",".len();
        assert!(long * most + rest <= List::max_bytes_with_first(usize::MAX));
        assert!(u64::MAX.to_string().len() < each);
    }
}
