//! `kkvc watch`: each new message as it arrives, shown or given to a command, until stopped.

mod arrivals;
mod files;
mod handler;

use std::panic;
use std::pin::Pin;

use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::cancel;
use super::commands;
use super::common::Common;
use super::message::render;
use super::output::{require_output, write_all};
use super::senders::SenderNames;
use arrivals::Arrivals;
use handler::Ended;
use kkv_owner::Message;
use kkv_protocol::crypto::scrub;
use kkv_terminal::signals;
use kkv_terminal::stderr::{ring_bell, warn};
use kkv_ui::error::{CliError, Exit};

/// Comes when the program is told to end.
type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Ends well when it is told to, or when nobody reads any more what is shown.
pub(super) async fn watch(common: &Common, args: commands::Watch) -> Result<(), CliError> {
    if common.json && args.exec.is_some() {
        return Err(CliError::usage(
            "--json is for what is shown, and with --exec nothing is: leave out one of them",
        ));
    }
    if args.exec.is_none() {
        require_output("nothing is marked as read")?;
    }
    let arrivals = Arrivals::new(common.client()?.socket(), args.unread);
    // On a thread that forgets what it has shown whenever it waits.
    let mut stop = stop()?;
    let watching = match args.exec {
        Some(command) => tokio::spawn(given(arrivals, command, args.bell, stop)),
        None => {
            let names = tokio::select! {
                names = SenderNames::open(common.contacts()) => match names {
                    Err(failed) if cancel::have_cancelled(&failed) => return Ok(()),
                    names => names?,
                },
                () = &mut stop => return Ok(()), // it watches nothing yet
            };
            tokio::spawn(all_shown(arrivals, names, common.json, args.bell, stop))
        }
    };
    match watching.await {
        Ok(ended) => ended,
        Err(fault) => panic::resume_unwind(fault.into_panic()), // it is never cancelled
    }
}

fn stop() -> Result<Stop, CliError> {
    Ok(Box::pin(signals::stopped()?))
}

/// The next message; none if `stop` comes first.
async fn next(arrivals: &mut Arrivals, stop: &mut Stop) -> Result<Option<Message>, CliError> {
    tokio::select! {
        biased;
        () = stop => Ok(None),
        message = arrivals.next() => message.map(Some),
    }
}

/// Marks a message as read. Whether to go on: not if `stop` comes before the relay has answered.
async fn marked(arrivals: &Arrivals, message: &Message, stop: &mut Stop) -> Result<bool, CliError> {
    tokio::select! {
        biased;
        done = arrivals.mark(message) => done.map(|()| true),
        () = stop => {
            let id = message.summary.id;
            warn(format_args!("kkvc: message {id} may stay unread: kkv has not answered yet"));
            Ok(false)
        }
    }
}

/// Shows each message, one after the other.
async fn all_shown(
    mut arrivals: Arrivals,
    names: SenderNames,
    json: bool,
    bell: bool,
    mut stop: Stop,
) -> Result<(), CliError> {
    let mut before = "";
    while let Some(message) = next(&mut arrivals, &mut stop).await? {
        let text = Zeroizing::new(format!("{before}{}", *render(&message, &names, json)));
        // On a thread of its own, since a signal can't interrupt it if its reader takes nothing.
        let taken = spawn_blocking(move || {
            if bell {
                ring_bell();
            }
            scrub::run_then_wipe_stack(|| write_all(text.as_bytes()))
        });
        let taken = tokio::select! {
            taken = taken => match taken.expect("writing does not panic") {
                Err(failed) if failed.exit == Exit::Cancelled => false, // it has been told to stop, too
                taken => taken?,
            },
            () = &mut stop => false,
        };
        if !taken || !marked(&arrivals, &message, &mut stop).await? {
            break;
        }
        before = if json { "" } else { "\n" };
    }
    Ok(())
}

/// Gives each message to the command, one after the other.
async fn given(
    mut arrivals: Arrivals,
    command: String,
    bell: bool,
    mut stop: Stop,
) -> Result<(), CliError> {
    while let Some(message) = next(&mut arrivals, &mut stop).await? {
        if bell {
            ring_bell();
        }
        let files = tokio::select! {
            biased;
            () = &mut stop => break,
            files = arrivals.files(&message) => files,
        };
        let files = match files {
            Ok(files) => files,
            // Nobody who writes ends this.
            Err(failed) => {
                let id = message.summary.id;
                warn(format_args!(
                    "kkvc: {}; message {id} stays unread",
                    failed.what
                ));
                continue;
            }
        };
        let ended = handler::run(&command, &message, files.as_ref(), &mut stop).await?;
        drop(files);
        let (status, mut goes_on) = match ended {
            Ended::ByItself(status) => (status, true),
            Ended::Stopped(status) => {
                stop = self::stop()?; // another one: this has come
                (status, false)
            }
        };
        if status.success() {
            goes_on &= marked(&arrivals, &message, &mut stop).await?;
        } else {
            let how = handler::describe(status);
            let id = message.summary.id;
            warn(format_args!(
                "kkvc: the command {how}; message {id} stays unread"
            ));
        }
        if !goes_on {
            break;
        }
    }
    Ok(())
}
