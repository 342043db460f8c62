//! `kkvc send`: takes the text, has it delivered, and says what has become of it.

mod files;

use std::io::{self, IsTerminal};

use serde::Serialize;

use super::book::ResolvedRecipient;
use super::commands::Send;
use super::common::{Common, is_typed};
use super::output::print_json;
use super::progress::Progress;
use super::receipt::ReceiptPlace;
use super::words::{self, ReplyWordsPlace};
use super::{
    cancel,
    compose::{self, Purpose},
    identity,
};
use kkv_client::replies::{CollectError, secrets};
use kkv_client::sender::{Accepted, DeliveryOptions, Reply};
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::crypto::{random, scrub};
use kkv_protocol::ids::{RelayId, SenderId};
use kkv_protocol::proof::Proof;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::v2::answers::sender::ReplySecrets;
use kkv_terminal::signals;
use kkv_terminal::stderr::{info, warn};
use kkv_ui::error::{CliError, Exit};
use kkv_ui::explain::unseen;
use kkv_ui::outcome::{accepted_words, cancelled};
use kkv_ui::replies::{no_conversation, require_own_words_out_of};
use kkv_ui::way::{Load, Wanted, Way};

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
    answerable: bool,
    receipt: Option<Proof>,
}

/// Leaves a message.
pub(super) async fn send(common: &Common, mut args: Send) -> Result<(), CliError> {
    if !args.files.is_empty() || args.resume.is_some() {
        return files::send(common, args).await;
    }
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
        mut words,
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

    let answers = words.as_ref().map(|place| secrets(place.words()));
    let options = DeliveryOptions {
        invitation: addressee.invitation.clone(),
        ..args.carrying.options(target, suites)
    };
    let progress = Progress::start(way.state(), args.carrying.anyway);
    let sending = async {
        let looking = || args.carrying.options(target, suites);
        let answered = answers.as_ref().zip(words.as_ref());
        let reply = reply(common, &args, &way, looking, answered, &progress).await?;
        let load = Load {
            options,
            better: addressee.better(),
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
    let accepted = match result {
        Ok(accepted) => accepted,
        Err(failed) => {
            let failed = with_way_to_pay(failed, common, &addressee);
            let was_sending = progress.was_sending();
            return Err(words_of_failed(
                failed,
                &mut words,
                was_sending,
                common,
                &args,
            ));
        }
    };
    if let Some(place) = &mut words {
        place.keep();
    }
    let proof = accepted.receipt.as_ref().map(Proof::from);
    let written = match (&mut receipt, &proof) {
        (Some(place), Some(proof)) => place.fill(proof, common.json),
        _ => Ok(()),
    };
    // Whatever of the three fails, the others are done.
    let remembered = addressee.remember(accepted.suite);
    let kept = args.identity.is_some();
    let reported = report(&accepted, proof, kept, words.is_some(), common.json);
    let reported = reported.map_err(|failed| {
        let what = format!("the message was accepted, but {}", failed.what);
        CliError::new(Exit::DoneUnreported, what)
    });
    if let Some(place) = &words {
        show_again(place, common, &args);
    }
    reported.and(written).and(remembered)
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

async fn prepared(common: &Common, args: &mut Send) -> Result<Prepared, CliError> {
    // A variable may lie there for other commands.
    args.replies |= args.words_file.is_some() && is_typed("--words-file");
    let suites = suites(args.suite, args.receipt.is_some(), args.replies)?;
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
    let words = match args.replies {
        true => Some(ReplyWordsPlace::of(args.words_file.as_deref()).await?),
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

/// Says what the words of a message are worth that was not delivered, or may not have been.
fn words_of_failed(
    failed: CliError,
    words: &mut Option<ReplyWordsPlace>,
    was_sending: bool,
    common: &Common,
    args: &Send,
) -> CliError {
    let may_be_there =
        failed.exit == Exit::InDoubt || failed.exit == Exit::Cancelled && was_sending;
    match words {
        Some(place) if may_be_there => {
            place.keep();
            ask_whether_it_arrived(failed, place, &replies_command(common, args))
        }
        Some(place) if place.are_on_the_terminal() => {
            failed.more("The words that were shown open nothing: forget them.")
        }
        _ => failed,
    }
}

fn show_again(place: &ReplyWordsPlace, common: &Common, args: &Send) {
    place.show("Your words once more:");
    info(format_args!("Later: {}", replies_command(common, args)));
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

/// Says how it goes on without a contact's invitation that doesn't count any more.
fn with_way_to_pay(failed: CliError, common: &Common, addressee: &ResolvedRecipient) -> CliError {
    match (failed.exit, addressee.paying()) {
        (Exit::NotPaid, Some(words)) => {
            let command = common.contacts().map(|contacts| contacts.command(&words));
            failed
                .more("Or have the invitation forgotten, once it has been paid:")
                .command("  ", &command.unwrap_or(words))
        }
        _ => failed,
    }
}

/// Says how a sender finds out what can't be known now.
fn ask_whether_it_arrived(failed: CliError, place: &ReplyWordsPlace, command: &str) -> CliError {
    let failed = CliError {
        hint: None,
        ..failed
    };
    let failed = failed.hint(if place.are_on_the_terminal() {
        "Keep your words: if it arrived, they open its conversation."
    } else {
        "Keep the file with the words: if it arrived, they open its conversation."
    });
    failed.command("Whether it arrived, this tells: ", command)
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

fn report(
    accepted: &Accepted,
    receipt: Option<Proof>,
    kept: bool,
    answerable: bool,
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
            answerable,
            receipt,
        });
    }
    info(format_args!(
        "Accepted: the message is in the inbox.\n{}",
        accepted_words(accepted, kept).trim_end()
    ));
    Ok(())
}
