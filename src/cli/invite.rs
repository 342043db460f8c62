//! `kkvc invite`: invitations, made, listed and revoked. A token is shown once, when it is made.

use std::io::{self, IsTerminal};

use serde::Serialize;
use zeroize::Zeroizing;

use super::card::{self, in_capitals, picture};
use super::commands::{Invite, InviteCommand, NewInvitation};
use super::common::Common;
use super::output::{json_line, print, print_json, print_outcome};
use crate::tor::{Listen, Target};
use kkv_base::count::counted;
use kkv_client::contacts::link_text;
use kkv_client::owner::Client;
use kkv_owner::{Invitation, Reach};
use kkv_protocol::v2::invitation::InvitationNumber;
use kkv_terminal::colour::on_stdout;
use kkv_terminal::stderr::{info, warn};
use kkv_ui::error::{CliError, Exit};
use kkv_ui::fields::{address, time};

/// A new invitation in JSON.
#[derive(Serialize)]
struct InvitedJson {
    #[serde(flatten)]
    invitation: Invitation,
    link: Zeroizing<String>,
}

#[derive(Serialize)]
struct RevokedJson {
    revoked: InvitationNumber,
}

/// Runs one of the commands; without one, makes an invitation.
pub(super) async fn invite(common: &Common, args: Invite) -> Result<(), CliError> {
    let client = common.client()?;
    match args.command {
        None => make(&client, args.new, common.json).await,
        Some(InviteCommand::List) => list(&client, common.json).await,
        Some(InviteCommand::Revoke { number }) => revoke(&client, number, common.json).await,
    }
}

async fn make(client: &Client, args: NewInvitation, json: bool) -> Result<(), CliError> {
    let target = match args.address {
        Some(target) => {
            require_own(client, target).await?;
            target
        }
        None => own(client).await?,
    };
    let invited = client.invite(args.uses, args.expires).await?;
    let invitation = invited.invitation;
    let link = link_text(&address(target), &invited.token);
    let done = format!("Invitation {} was made", invitation.number);
    // Nothing else depends on it, so nothing fails by it.
    let is_full = client
        .status()
        .await
        .is_ok_and(|status| status.queue.free() == 0);
    if is_full {
        warn(
            "Your inbox is full: a message that comes by this invitation is refused until you have deleted one, or one \
             has expired.",
        );
    }
    if json {
        let invited = InvitedJson { invitation, link };
        return print_outcome(done, &json_line(&invited));
    }
    let mut card = Zeroizing::new(format!(
        "Invitation {}\n{}\n",
        invitation.number,
        link.as_str()
    ));
    if !args.no_qr {
        let link = Zeroizing::new(in_capitals(&link));
        card.push_str(&picture(&link, io::stdout().is_terminal() && on_stdout()));
    }
    print_outcome(done, &card)?;
    info(format_args!(
        "Good for {}, until {}. It is shown this once. Whoever has it can use it: `kkvc invite revoke {}` ends it, and \
         so does the end of kkv.",
        counted(invitation.uses_left, "message"),
        time(invitation.expires),
        invitation.number,
    ));
    Ok(())
}

/// Refuses an address that isn't that of the owner's inbox, where kkv knows which is: whoever is invited there is
/// refused, and shows what was to be secret to somebody else's inbox.
async fn require_own(client: &Client, typed: Target) -> Result<(), CliError> {
    let status = client.status().await?;
    let onion = match status.reach() {
        Reach::SystemTor => return Ok(()),
        Reach::Onion(onion) => Some(onion),
        Reach::ThisMachine => None,
    };
    let is_own = match (typed, onion, &status.listens) {
        (Target::Onion { address, .. }, Some(onion), _) => onion.parse() == Ok(address),
        (Target::Loopback(typed), _, Some(Listen::Loopback(own))) => typed == *own,
        _ => false,
    };
    if is_own {
        return Ok(());
    }
    let what = format!(
        "{} is not the address of your inbox; no invitation was made",
        address(typed)
    );
    let own = match (onion, &status.listens) {
        (Some(onion), _) => onion.to_owned(),
        (None, Some(listens)) => listens.to_string(),
        (None, None) => return Err(CliError::usage(what)),
    };
    Err(CliError::usage(what).hint(format!("It is {own}, which is taken without --address.")))
}

/// Where the owner's inbox is, for those who are invited.
async fn own(client: &Client) -> Result<Target, CliError> {
    let status = client.status().await?;
    // Who is invited from this machine alone is on it.
    match (status.reach(), &status.listens) {
        (Reach::ThisMachine, Some(Listen::Loopback(address))) => Ok(Target::Loopback(*address)),
        _ => card::own(client).await.map_err(|failed| match failed.exit {
            Exit::Refused => failed.more("With --address, an invitation takes one, too."),
            _ => failed,
        }),
    }
}

async fn list(client: &Client, json: bool) -> Result<(), CliError> {
    let open = client.invitations().await?;
    if json {
        return print_json(&open);
    }
    if open.invitations.is_empty() {
        info("No invitations.");
        return Ok(());
    }
    let mut table = format!(
        "{:>6}  {:>9}  {:>6}  EXPIRES\n",
        "NUMBER", "USES LEFT", "IN USE"
    );
    for one in &open.invitations {
        table += &format!(
            "{:>6}  {:>9}  {:>6}  {}\n",
            one.number.0,
            one.uses_left,
            one.in_use,
            time(one.expires)
        );
    }
    print(&table)
}

async fn revoke(client: &Client, number: InvitationNumber, json: bool) -> Result<(), CliError> {
    if !client.revoke(number).await?.revoked {
        let what = format!("there is no invitation {number}");
        return Err(CliError::new(Exit::Refused, what).hint(
            "It may be used up or expired; `kkvc invite list` shows those that can be used.",
        ));
    }
    let done = format!("Invitation {number} is revoked.");
    if json {
        return print_outcome(
            done.trim_end_matches('.'),
            &json_line(&RevokedJson { revoked: number }),
        );
    }
    info(done);
    Ok(())
}
