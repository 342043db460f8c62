//! `kkvc send --file`: files, with a text or without, and how another run goes on with them.

use std::sync::Mutex;

use zeroize::Zeroizing;

use super::super::commands::Send;
use super::super::common::{Common, is_typed};
use super::super::progress::Progress;
use super::super::receipt::ReceiptPlace;
use super::super::words;
use super::contents::{composed, laid_out};
use super::ending::Ending;
use super::{Prepared, cancelled_at_the_keys, prepared, reply, state};
use kkv_base::lock;
use kkv_client::sender::DeliveryOptions;
use kkv_protocol::crypto::scrub;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::v2::upload::sender::Upload;
use kkv_terminal::signals;
use kkv_terminal::stderr::info;
use kkv_terminal::visible::quoted;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::fields::address;
use kkv_ui::outcome::cancelled;
use kkv_ui::replies::{
    require_own_words_out_of, require_own_words_out_of_file, require_reply_words_out_of,
};
use kkv_ui::way::{self, FilesFailed, FilesLoad, Paid, Way};

/// Stands before the command that goes on.
const GOES_ON: &str = "For ten minutes this goes on where it stopped, without paying again: ";

/// Where nobody can go on with what may have arrived.
const GIVEN_UP: &str = "The file of --resume is gone: the command that has begun it sends it anew.";

pub(in crate::cli) async fn send(common: &Common, mut args: Send) -> Result<(), CliError> {
    let mut stopped = std::pin::pin!(signals::stopped()?);
    if args.suite == SuitePolicy::Only(Suite::V1) {
        return Err(CliError::usage(
            "kkv/1 carries text only: leave out --file or --suite 1; nothing was sent",
        ));
    }
    if args.resume.is_some() && args.words_file.is_some() && is_typed("--words-file") {
        return Err(CliError::usage(
            "--resume can't be used with --words-file; nothing was sent",
        ));
    }
    let state = args.resume.take();
    let begun = state.as_deref().map(state::read).transpose()?.flatten();
    let (begun, kept_in) = begun.unzip();
    if begun.is_none() && args.files.is_empty() {
        return Err(CliError::usage(
            "nothing was begun there, or it was delivered since; nothing was sent",
        )
        .hint("To send files, name them with --file."));
    }
    let is_new = begun.is_none();
    let go_on = state.as_ref().map(|path| {
        let send = words::command(common, "send", &args.address, None);
        format!("{send} --resume {}", quoted(path))
    });
    // The command that has begun it, once more; or another message, which must not be taken for one that was sent.
    let is_named = args.message.is_some() || args.file.is_some() || !args.files.is_empty();
    let (message, file) = (args.message.take().map(|text| text.0), args.file.take());
    let paths = std::mem::take(&mut args.files);
    let compose = move || match is_named {
        true => composed(message, file.as_deref(), &paths),
        false => Ok((Zeroizing::new(String::new()), Vec::new())),
    };
    let read = tokio::task::spawn_blocking(|| scrub::run_then_wipe_stack(compose));
    let (text, read) = tokio::select! {
        biased;
        () = &mut stopped => return Err(cancelled_at_the_keys()),
        read = read => read.expect("reading does not panic")?,
    };
    let files = is_named.then(|| laid_out(&text, &read));
    if let (Some(begun), Some(files), Some(go_on), Some(path)) = (&begun, &files, &go_on, &state)
        && !files.as_ref().is_ok_and(|files| begun.upload.is_of(files))
    {
        let what = "another message was begun there; nothing was sent";
        let failed = CliError::new(Exit::Refused, what);
        let give_up = format!("rm -- {}", quoted(path));
        return Err(failed
            .command("Go on with that one: ", go_on)
            .command("Or give it up, to send this one: ", &give_up));
    }
    let files = files.transpose()?;

    let Prepared {
        key,
        addressee,
        way,
        words: reply_words,
        ..
    } = tokio::select! {
        prepared = prepared(common, &args) => prepared?,
        () = &mut stopped => return Err(cancelled(false)),
    };
    if let Some(place) = &reply_words {
        require_own_words_out_of(&text, place.words())?;
        for file in &read {
            require_own_words_out_of(&file.name, place.words())?;
            require_own_words_out_of_file(&file.bytes, place.words())?;
        }
    }
    require_reply_words_out_of(&text)?;
    let receipt = args.receipt.take().map(ReceiptPlace::of).transpose()?;
    if let Way::Loopback(_) = way {
        info("This address is on this machine: the message does not go through Tor.");
    }
    let target = addressee.target;
    let to = address(target);
    if begun.as_ref().is_some_and(|begun| begun.to != to) {
        let what = "what was begun there is for another address; nothing was sent";
        return Err(CliError::new(Exit::Refused, what));
    }
    let answers = reply_words.as_ref().map(|place| place.words().secrets());
    let ending = Ending {
        common,
        has_files: true,
        // What another run has begun, it has signed.
        kept: is_new && args.identity.is_some(),
        args: &args,
        addressee,
        words: reply_words,
        receipt,
    };
    let only = SuitePolicy::Only(Suite::V2);
    let options = DeliveryOptions {
        invitation: ending.addressee.invitation.clone(),
        ..args.carrying.options(target, only)
    };
    // A file that another program has made there meanwhile is not this run's to remove.
    let kept_in = Mutex::new(kept_in);
    let keep = |upload: &Upload, paid: Paid| {
        if let Some(path) = &state {
            *lock(&kept_in) = Some(state::write(path, &to, upload, paid)?);
        }
        Ok(())
    };
    let progress = Progress::start(way.state(), args.carrying.anyway);
    let sending = async {
        let what = match (begun, &files) {
            (Some(begun), _) => {
                progress.line("Going on with what was begun.");
                way::Files::Begun(Box::new(begun.upload), begun.paid)
            }
            (None, Some(files)) => {
                let looking = || args.carrying.options(target, only);
                let answered = answers.as_ref().zip(ending.words.as_ref());
                let reply = reply(common, &args, &way, looking, answered, &progress).await?;
                let key = Box::new(key);
                way::Files::New { key, files, reply }
            }
            (None, None) => unreachable!("one of both is there"),
        };
        let load = FilesLoad { options, what };
        way.carry_files(load, keep, &progress).await
    };
    let result = tokio::select! {
        biased; // what is known is told
        result = sending => result,
        () = stopped => Err(FilesFailed {
            told: cancelled(progress.was_sending()),
            may_go_on: true,
        }),
    };
    progress.finish();
    let kept_in = lock(&kept_in).take();
    let result = match (result, &kept_in, &go_on) {
        (Err(failed), Some(_), Some(go_on)) if failed.may_go_on => {
            return Err(failed.told.command(GOES_ON, go_on));
        }
        (result, ..) => result,
    };
    let was_kept = kept_in.is_some();
    if let Some(file) = kept_in {
        file.remove(); // it has served, or nobody can go on with it
    }
    match result {
        Ok(accepted) => ending.accepted(&accepted),
        Err(failed) if was_kept && failed.told.exit == Exit::InDoubt => {
            Err(ending.failed(failed.told, true).more(GIVEN_UP))
        }
        Err(failed) => Err(ending.failed(failed.told, progress.was_sending())),
    }
}
