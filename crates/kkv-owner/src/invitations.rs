//! What is asked about invitations, and what a relay answers.

use kkv_base::private::Private;
use kkv_protocol::v2::invitation::InvitationNumber;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::messages::Answer;

/// Asks for a new invitation.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Invite {
    /// How many messages it lets in, 1 at least.
    pub uses: u32,
    /// How long it can be used.
    pub lifetime_seconds: u64,
}

/// A new invitation.
#[derive(Debug, Serialize, Deserialize)]
pub struct Invited {
    /// How it is listed from now on.
    #[serde(flatten)]
    pub invitation: Invitation,
    /// Its token as it stands in a link. The relay doesn't keep it, so nobody is told it again.
    pub token: Private<Zeroizing<String>>,
}

/// An invitation that can be used. Those that are used up, expired or revoked are not there any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Its number.
    pub number: InvitationNumber,
    /// Messages that it lets in still, those that are under way included.
    pub uses_left: u32,
    /// How many of these are under way: a session is open, and its message has not come yet.
    pub in_use: u32,
    /// When it ends, in unix seconds.
    pub expires: u64,
}

/// Every invitation that there is.
#[derive(Debug, Serialize, Deserialize)]
pub struct Invitations {
    /// By number.
    pub invitations: Vec<Invitation>,
}

/// Ends an invitation.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Revoke {
    /// Which.
    pub number: InvitationNumber,
}

/// Whether there was one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// It was there, and is no more.
    pub revoked: bool,
}

impl Answer for Invited {}
impl Answer for Invitations {}
impl Answer for Revoked {}
