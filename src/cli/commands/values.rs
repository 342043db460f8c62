//! The values that options and arguments of `kkvc` take, and what is said of those that are none.

use std::fmt;
use std::time::Duration;

use super::super::value_parsers::duration;
use crate::tor::{ParseTargetError, Target};
use kkv_base::limits::{MAX_PAYING, MAX_TIMEOUT, MAX_TTL, MIN_TTL};
use kkv_client::contacts::{Link, ParseLinkError, Recipient};
use kkv_owner::{Audience, BadPostId, PostId};
use kkv_protocol::crypto::identity::{PublicKey, Sender};
use kkv_protocol::files::MAX_FILES;
use kkv_protocol::onion::{OnionAddress, OnionAddressError};
use kkv_protocol::v2::invitation::InvitationNumber;
use kkv_relay::queue::MessageId;
use kkv_ui::fields::sender;
use kkv_ui::selection::IdRange;

/// Of a fingerprint: 16 bytes in hex.
const FINGERPRINT_DIGITS: usize = 32;

pub(super) fn target(text: &str) -> Result<Target, ParseTargetError> {
    text.parse()
}

/// The address of an onion service, however it was copied; its port doesn't matter.
pub(super) fn link(text: &str) -> Result<Link, ParseLinkError> {
    text.parse()
}

pub(super) fn onion(text: &str) -> Result<OnionAddress, ParseTargetError> {
    match text.parse() {
        Ok(Target::Onion { address, .. }) => Ok(address),
        Ok(Target::Loopback(_)) | Err(ParseTargetError::OutsideTor) => {
            Err(OnionAddressError::NoSuffix.into())
        }
        Err(fault) => Err(fault),
    }
}

pub(super) fn recipient(text: &str) -> Result<Recipient, ParseLinkError> {
    text.parse()
}

/// Who signs, as it is typed.
#[derive(Clone)]
pub(in crate::cli) enum Signer {
    Key(PublicKey<Sender>),
    /// As fingerprints are shown.
    Fingerprint(String),
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(..)")
    }
}

pub(super) fn signer(text: &str) -> Result<Signer, String> {
    let bare: String = text.split([' ', ':']).collect::<String>().to_lowercase();
    if bare.len() == FINGERPRINT_DIGITS && bare.bytes().all(|c| c.is_ascii_hexdigit()) {
        let groups = bare.as_bytes().chunks(4).map(String::from_utf8_lossy);
        return Ok(Signer::Fingerprint(groups.collect::<Vec<_>>().join(" ")));
    }
    sender(text)
        .map(Signer::Key)
        .map_err(|what| format!("{what}; or the fingerprint of a message in your inbox, in '…'"))
}

pub(in crate::cli) fn patience(text: &str) -> Result<Duration, String> {
    let fits = |time: &Duration| (Duration::from_secs(1)..=MAX_TIMEOUT).contains(time);
    duration(text, fits, "it is a duration from 1s to 1h")
}

pub(in crate::cli) fn time_to_pay(text: &str) -> Result<Duration, String> {
    let fits = |time: &Duration| (Duration::from_secs(1)..=MAX_PAYING).contains(time);
    duration(text, fits, "it is a duration from 1s to 24h")
}

pub(super) fn time_to_live(text: &str) -> Result<Duration, String> {
    let fits = |time: &Duration| (MIN_TTL..=MAX_TTL).contains(time);
    duration(
        text,
        fits,
        "it is a duration from 1s to 100 years, like 12h or 30days",
    )
}

pub(super) fn invitation(text: &str) -> Result<InvitationNumber, String> {
    text.parse()
        .map(InvitationNumber)
        .map_err(|_| "an invitation has a number, as `kkvc invite list` shows it".to_owned())
}

pub(super) fn id_range(text: &str) -> Result<IdRange, &'static str> {
    text.parse()
}

/// What `read` and `delete` take: messages, or a post.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) enum Named {
    Messages(IdRange),
    Post(PostId),
}

pub(super) fn named(text: &str) -> Result<Named, String> {
    if text.starts_with(['p', 'P']) {
        let id = text.parse().map(Named::Post);
        return id.map_err(|bad: BadPostId| bad.to_string());
    }
    id_range(text).map(Named::Messages).map_err(str::to_owned)
}

pub(super) fn post_id(text: &str) -> Result<PostId, BadPostId> {
    text.parse()
}

pub(super) fn audience(text: &str) -> Result<Audience, &'static str> {
    match text {
        "friends" => Ok(Audience::Friends),
        "everyone" => Ok(Audience::Everyone),
        "me" => Ok(Audience::Me),
        _ => Err("it is friends, everyone or me"),
    }
}

pub(super) fn number(text: &str) -> Result<MessageId, String> {
    text.parse()
        .map(MessageId)
        .map_err(|_| "a message has a number, as `kkvc list` shows it".to_owned())
}

pub(super) fn conversation(text: &str) -> Result<u64, String> {
    let why = "a conversation has a number: 2, if `kkvc list` marks its messages with ↩2";
    text.parse().map_err(|_| why.to_owned())
}

/// Number of a file of a message.
pub(super) fn file_number(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=MAX_FILES) => Ok(number),
        _ => Err(format!("it is a whole number from 1 to {MAX_FILES}")),
    }
}
