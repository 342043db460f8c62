//! Arguments of what is given out, and of whom one knows: `card`, `invite` and `contact`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::super::value_parsers::from_one_to;
use super::values::{Signer, invitation, link, recipient, signer, target, time_to_live};
use crate::tor::Target;
use kkv_base::limits::MAX_INVITATION_USES;
use kkv_client::contacts::{Link, Name, Recipient};
use kkv_protocol::v2::invitation::InvitationNumber;

/// Arguments of `kkvc card`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Card {
    /// Another's address, or yours where kkv doesn't know it, as behind a system Tor; with --contacts also a name
    /// [default: yours]
    #[arg(value_parser = recipient)]
    pub(in crate::cli) address: Option<Recipient>,

    /// Leave out the QR code
    #[arg(long)]
    pub(in crate::cli) no_qr: bool,
}

/// Arguments of `kkvc invite`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct Invite {
    #[command(flatten)]
    pub(in crate::cli) new: NewInvitation,

    #[command(subcommand)]
    pub(in crate::cli) command: Option<InviteCommand>,
}

/// What a new invitation is like.
#[derive(Debug, Args)]
pub(in crate::cli) struct NewInvitation {
    /// How many messages it lets in for nothing
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = from_one_to(MAX_INVITATION_USES))]
    pub(in crate::cli) uses: u32,

    /// How long it can be used, like 12h or 30days
    #[arg(long, value_name = "DURATION", default_value = "7days", allow_negative_numbers = true, value_parser = time_to_live)]
    pub(in crate::cli) expires: Duration,

    /// Your address where kkv doesn't know it, as behind a system Tor [default: the one it knows]
    #[arg(long, value_name = "ADDRESS", value_parser = target)]
    pub(in crate::cli) address: Option<Target>,

    /// Leave out the QR code
    #[arg(long)]
    pub(in crate::cli) no_qr: bool,
}

/// The commands of `kkvc invite`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum InviteCommand {
    /// List the invitations that can be used; nobody is shown their links again
    List,
    /// End an invitation
    Revoke {
        /// Its number, as `invite list` shows it
        #[arg(value_parser = invitation, allow_negative_numbers = true)]
        number: InvitationNumber,
    },
}

/// Arguments of `kkvc contact add`.
#[derive(Debug, Args)]
pub(in crate::cli) struct AddContact {
    /// What to call them: up to 32 characters
    pub(in crate::cli) name: Name,

    /// Their inbox; with an invitation behind it, that is kept, too, also if they are there already
    #[arg(value_parser = link)]
    pub(in crate::cli) address: Link,

    /// The key that they sign with, as `kkvc identity` shows it to them, or the fingerprint of one that has signed a
    /// message in your inbox: messages there show the name then
    #[arg(long, value_name = "KEY", value_parser = signer)]
    pub(in crate::cli) sender: Option<Signer>,

    /// Don't ask whether an invitation is to take the place of another, which goes for good
    #[arg(long, short)]
    pub(in crate::cli) yes: bool,
}

/// The commands of `kkvc contact`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ContactCommand {
    /// Take somebody in
    Add(Box<AddContact>),
    /// List your contacts
    List,
    /// Give somebody another name
    Rename {
        /// The name so far
        old: Name,
        /// The new one
        new: Name,
    },
    /// Forget somebody
    Remove {
        /// Whom
        name: Name,
        /// Don't ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Show the words of an address, to compare them with its owner's, and remember that they are the same
    Verify {
        /// Whose
        name: Name,
        /// Don't ask: they have been compared
        #[arg(long, short)]
        yes: bool,
    },
}
