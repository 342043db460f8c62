//! `kkvc send`: takes the text, has it delivered, and says what has become of it.

use std::io::{self, IsTerminal};

use serde::Serialize;

use super::book::ResolvedRecipient;
use super::commands::Send;
use super::common::Common;
use super::output::print_json;
use super::progress::Progress;
use super::receipt::ReceiptPlace;
use super::{cancel, compose, identity};
use kkv_client::sender::{Accepted, DeliveryOptions, Reply};
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::crypto::{random, scrub};
use kkv_protocol::ids::{RelayId, SenderId};
use kkv_protocol::proof::Proof;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_terminal::signals;
use kkv_terminal::stderr::{info, warn};
use kkv_ui::error::{CliError, Exit};
use kkv_ui::outcome::{accepted_words, cancelled};
use kkv_ui::way::{Load, Way};

#[derive(Serialize)]
struct Delivered {
    accepted: bool,
    suite: Suite,
    relay: RelayId,
    relay_fingerprint: String,
    sender: SenderId,
    sender_fingerprint: String,
    cost: u8,
    invited: bool,
    receipt: Option<Proof>,
}

/// Leaves a message.
pub(super) async fn send(common: &Common, mut args: Send) -> Result<(), CliError> {
    let mut stopped = std::pin::pin!(signals::stopped()?);
    let prepared = tokio::select! {
        prepared = prepared(common, &mut args) => match prepared {
            Err(failed) if cancel::have_cancelled(&failed) => Err(cancelled(false)),
            prepared => prepared,
        },
        () = &mut stopped => Err(cancelled_at_the_keys()),
    };
    let Prepared {
        suites,
        key,
        mut addressee,
        way,
    } = prepared?;
    let target = addressee.target;
    let mut receipt = args.receipt.take().map(ReceiptPlace::of).transpose()?;
    // Whoever types knows it before; else what is wrong with the text comes first.
    let is_typed = args.message.is_none() && compose::is_typed(args.file.as_deref());
    let warn_of_way = || {
        if let Way::Loopback(_) = way {
            info("This address is on this machine: the message does not go through Tor.");
        }
    };
    if is_typed {
        warn_of_way();
    }
    // On a thread of its own, since a signal can't interrupt somebody who types, or a pipe that nothing comes through.
    let (message, file) = (
        args.message.take().map(|message| message.0),
        args.file.take(),
    );
    let compose = move || compose::text(message, file.as_deref());
    let text = tokio::task::spawn_blocking(|| scrub::run_then_wipe_stack(compose));
    let text = tokio::select! {
        biased;
        () = &mut stopped => return Err(cancelled_at_the_keys()),
        text = text => text.expect("reading does not panic")?,
    };
    if !is_typed {
        warn_of_way();
    }

    let load = Load {
        options: DeliveryOptions {
            invitation: addressee.invitation.clone(),
            ..args.carrying.options(target, suites)
        },
        better: addressee.better(),
        key,
        text: &text,
        reply: Reply::No,
    };
    let progress = Progress::start(way.state(), args.carrying.anyway);
    let result = tokio::select! {
        biased; // what is known is told
        result = way.carry(load, &progress) => result,
        () = stopped => Err(cancelled(progress.was_sending())),
    };
    progress.finish();
    let accepted = result.map_err(|failed| match (failed.exit, addressee.paying()) {
        (Exit::NotPaid, Some(words)) => {
            let command = common.contacts().map(|contacts| contacts.command(&words));
            failed
                .more("Or have the invitation forgotten, once it has been paid:")
                .command("  ", &command.unwrap_or(words))
        }
        _ => failed,
    })?;
    let proof = accepted.receipt.as_ref().map(Proof::from);
    let written = match (&mut receipt, &proof) {
        (Some(place), Some(proof)) => place.fill(proof, common.json),
        _ => Ok(()),
    };
    // Whatever of the three fails, the others are done.
    let remembered = addressee.remember(accepted.suite);
    let reported = report(&accepted, proof, args.identity.is_some(), common.json);
    let reported = reported.map_err(|failed| {
        let what = format!("the message was accepted, but {}", failed.what);
        CliError::new(Exit::DoneUnreported, what)
    });
    reported.and(written).and(remembered)
}

/// What there is before anything is dialled, and before somebody has typed: whatever can be wrong on this side is found
/// by then.
struct Prepared {
    suites: SuitePolicy,
    key: SenderKey,
    addressee: ResolvedRecipient,
    way: Way,
}

async fn prepared(common: &Common, args: &mut Send) -> Result<Prepared, CliError> {
    let suites = suites(args.suite, args.receipt.is_some())?;
    let key = match &args.identity {
        Some(path) => identity::load(path).await?,
        None => SenderKey::generate(&mut random::kernel()),
    };
    let mut addressee = ResolvedRecipient::find(args.address.clone(), common.contacts()).await?;
    if args.pay {
        addressee.pay();
    }
    addressee.require_suite(suites)?;
    addressee.require_invitations(suites)?;
    let way = args.carrying.way(common, addressee.target, suites).await?;
    Ok(Prepared {
        suites,
        key,
        addressee,
        way,
    })
}

fn cancelled_at_the_keys() -> CliError {
    if io::stdin().is_terminal() {
        warn(""); // the cursor may be behind what was typed
    }
    CliError::new(Exit::Cancelled, "cancelled; nothing was delivered")
}

fn suites(asked: SuitePolicy, receipt: bool) -> Result<SuitePolicy, CliError> {
    match asked {
        SuitePolicy::Only(Suite::V1) if receipt => Err(CliError::usage(
            "kkv/1 has no receipts; leave out --receipt or --suite 1",
        )),
        _ if receipt => Ok(SuitePolicy::Only(Suite::V2)),
        _ => Ok(asked),
    }
}

fn report(
    accepted: &Accepted,
    receipt: Option<Proof>,
    kept: bool,
    json: bool,
) -> Result<(), CliError> {
    if json {
        return print_json(&Delivered {
            accepted: true,
            suite: accepted.suite,
            relay: accepted.relay.id(),
            relay_fingerprint: accepted.relay.fingerprint().to_string(),
            sender: accepted.sender.id(),
            sender_fingerprint: accepted.sender.fingerprint().to_string(),
            cost: accepted.cost.bits(),
            invited: accepted.invited,
            receipt,
        });
    }
    info(format_args!(
        "Accepted: the message is in the inbox.\n{}",
        accepted_words(accepted, kept).trim_end()
    ));
    Ok(())
}
