//! `kkvc send`: takes the text, has it delivered, and says what has become of it.

mod contents;
mod ending;
mod files;
mod state;

use std::io::{self, IsTerminal};

use super::book::ResolvedRecipient;
use super::commands::Send;
use super::common::{Common, is_typed};
use super::progress::Progress;
use super::receipt::ReceiptPlace;
use super::words::{self, ReplyWordsPlace};
use super::{
    cancel,
    compose::{self, Purpose},
    identity,
};
use kkv_client::replies::CollectError;
use kkv_client::sender::{DeliveryOptions, Reply};
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::crypto::{random, scrub};
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::v2::answers::sender::ReplySecrets;
use kkv_terminal::signals;
use kkv_terminal::stderr::{info, warn};
use kkv_ui::error::{CliError, Exit};
use kkv_ui::explain::unseen;
use kkv_ui::outcome::cancelled;
use kkv_ui::replies::{no_conversation, require_own_words_out_of, require_reply_words_out_of};
use kkv_ui::way::{Load, Wanted, Way};

use ending::Ending;

/// Leaves a message.
pub(super) async fn send(common: &Common, mut args: Send) -> Result<(), CliError> {
    if !args.files.is_empty() || args.resume.is_some() {
        return files::send(common, args).await;
    }
    let mut stopped = std::pin::pin!(signals::stopped()?);
    let prepared = tokio::select! {
        prepared = prepared(common, &args) => match prepared {
            Err(failed) if cancel::have_cancelled(&failed) => Err(cancelled(false)),
            prepared => prepared,
        },
        () = &mut stopped => Err(cancelled_at_the_keys()),
    };
    let Prepared {
        suites,
        key,
        addressee,
        way,
        words,
    } = prepared?;
    let target = addressee.target;
    let receipt = args.receipt.take().map(ReceiptPlace::of).transpose()?;
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
    let compose = move || compose::text(message, file.as_deref(), Purpose::Message);
    let text = tokio::task::spawn_blocking(|| scrub::run_then_wipe_stack(compose));
    let text = tokio::select! {
        biased;
        () = &mut stopped => return Err(cancelled_at_the_keys()),
        text = text => text.expect("reading does not panic")?,
    };
    if !is_typed {
        warn_of_way();
    }
    if let Some(place) = &words {
        require_own_words_out_of(text.as_str(), place.words())?;
    }
    require_reply_words_out_of(text.as_str())?;

    let answers = words.as_ref().map(|place| place.words().secrets());
    let ending = Ending {
        common,
        has_files: false,
        kept: args.identity.is_some(),
        args: &args,
        addressee,
        words,
        receipt,
    };
    let options = DeliveryOptions {
        invitation: ending.addressee.invitation.clone(),
        ..args.carrying.options(target, suites)
    };
    let progress = Progress::start(way.state(), args.carrying.anyway);
    let sending = async {
        let looking = || args.carrying.options(target, suites);
        let answered = answers.as_ref().zip(ending.words.as_ref());
        let reply = reply(common, &args, &way, looking, answered, &progress).await?;
        let load = Load {
            options,
            better: ending.addressee.better(),
            key,
            text: &text,
            reply,
        };
        way.carry(load, &progress).await
    };
    let result = tokio::select! {
        biased; // what is known is told
        result = sending => result,
        () = stopped => Err(cancelled(progress.was_sending())),
    };
    progress.finish();
    match result {
        Ok(accepted) => ending.accepted(&accepted),
        Err(failed) => Err(ending.failed(failed, progress.was_sending())),
    }
}

/// What there is before anything is dialled, and before somebody has typed: whatever can be wrong on this side is found
/// by then.
struct Prepared {
    suites: SuitePolicy,
    key: SenderKey,
    addressee: ResolvedRecipient,
    way: Way,
    words: Option<ReplyWordsPlace>,
}

async fn prepared(common: &Common, args: &Send) -> Result<Prepared, CliError> {
    // A variable may lie there for other commands.
    let goes_on = args.words_file.is_some() && is_typed("--words-file");
    let answerable = args.replies || goes_on;
    let suites = suites(args.suite, args.receipt.is_some(), answerable)?;
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
    let words = match answerable {
        true => Some(ReplyWordsPlace::of(args.words_file.as_deref(), args.replies).await?),
        false => None,
    };
    let way = args.carrying.way(common, addressee.target, suites).await?;
    Ok(Prepared {
        suites,
        key,
        addressee,
        way,
        words,
    })
}

/// Whether the message can be answered, and by what: the words are shown now, or the conversation that they go on with
/// is looked for.
async fn reply<'w>(
    common: &Common,
    args: &Send,
    way: &Way,
    looking: impl FnOnce() -> DeliveryOptions,
    answered: Option<(&'w ReplySecrets, &ReplyWordsPlace)>,
    progress: &Progress,
) -> Result<Reply<'w>, CliError> {
    match answered {
        Some((secrets, place)) if place.go_on() => {
            require_conversation(common, args, way, looking(), secrets, progress).await?;
            Ok(Reply::FollowsUp(secrets))
        }
        Some((secrets, place)) => {
            progress.aside(|| place.show("Write these down; only they open the answer:"));
            Ok(Reply::Opens(secrets))
        }
        None => Ok(Reply::No),
    }
}

/// Looks whether the conversation that the words go on with is there, before anything is paid for a message.
async fn require_conversation(
    common: &Common,
    args: &Send,
    way: &Way,
    options: DeliveryOptions,
    secrets: &ReplySecrets,
    progress: &Progress,
) -> Result<(), CliError> {
    let wanted = Wanted {
        options: options.clone(),
        secrets,
        keep: true,
    };
    let looked = way.collect(wanted, progress, |_| Ok(true)).await;
    let found = match looked {
        Ok(collected) => collected.last,
        Err(CollectError::Unseen(failure) | CollectError::Unacknowledged(failure)) => {
            return Err(unseen(&failure, &options));
        }
        Err(CollectError::Unshown(failed)) => return Err(failed),
    };
    if found.inside.is_none() {
        let anew = words::command(common, "send", &args.address, None) + " --replies";
        return Err(no_conversation(
            found.started,
            Some("nothing was sent"),
            &anew,
        ));
    }
    if !found.answers.is_empty() {
        let look = replies_command(common, args);
        progress.line(&format!("An answer waits for you: {look}"));
    }
    Ok(())
}

fn replies_command(common: &Common, args: &Send) -> String {
    words::command(common, "replies", &args.address, args.words_file.as_deref())
}

fn cancelled_at_the_keys() -> CliError {
    if io::stdin().is_terminal() {
        warn(""); // the cursor may be behind what was typed
    }
    CliError::new(Exit::Cancelled, "cancelled; nothing was delivered")
}

fn suites(asked: SuitePolicy, receipt: bool, replies: bool) -> Result<SuitePolicy, CliError> {
    match asked {
        SuitePolicy::Only(Suite::V1) if receipt => Err(CliError::usage(
            "kkv/1 has no receipts; leave out --receipt or --suite 1",
        )),
        SuitePolicy::Only(Suite::V1) if replies => Err(CliError::usage(
            "in kkv/1 nobody is answered; leave out --replies or --suite 1",
        )),
        // With --replies, too: whether it is spoken is known before anything is paid.
        _ if receipt || replies => Ok(SuitePolicy::Only(Suite::V2)),
        _ => Ok(asked),
    }
}
