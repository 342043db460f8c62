//! `kkvc watch`: each new message as it arrives, shown or given to a command, until stopped.

mod arrivals;
mod handler;

use std::panic;
use std::pin::Pin;

use super::commands;
use super::common::Common;
use super::exit::Failed;
use super::message::show;
use super::named::Names;
use super::output::{complain, written};
use super::signals;
use arrivals::Arrivals;
use handler::Ended;

/// Comes when the program is told to end.
type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Ends well when it is told to: there is no other end that it could have.
pub(super) async fn watch(common: &Common, args: commands::Watch) -> Result<(), Failed> {
    if common.json && args.exec.is_some() {
        return Err(Failed::usage(
            "--json is for what is shown, and with --exec nothing is: leave out one of them",
        ));
    }
    let stop: Stop = Box::pin(signals::stopped()?);
    let arrivals = Arrivals::new(common.client()?.socket(), args.unread);
    if let Some(command) = args.exec {
        return apart(given(arrivals, command, stop)).await;
    }
    let names = Names::open(common.contacts()).await?;
    tokio::select! {
        biased;
        () = stop => Ok(()), // also while a reader takes nothing, or the relay doesn't answer
        ended = apart(shown(arrivals, names, common.json)) => ended,
    }
}

/// Does `work` on a thread that forgets what it has shown whenever it waits.
async fn apart(
    work: impl Future<Output = Result<(), Failed>> + Send + 'static,
) -> Result<(), Failed> {
    match tokio::spawn(work).await {
        Ok(ended) => ended,
        Err(fault) => panic::resume_unwind(fault.into_panic()), // it is never cancelled
    }
}

/// Shows each message, until nobody reads any more.
async fn shown(mut arrivals: Arrivals, names: Names, json: bool) -> Result<(), Failed> {
    let mut between = false;
    loop {
        let message = arrivals.next().await?;
        if between && !written(b"\n")? || !show(&message, &names, json)? {
            return Ok(());
        }
        between = !json;
        arrivals.mark(&message).await?;
    }
}

/// Gives each message to the command, one after the other, until told to stop.
async fn given(mut arrivals: Arrivals, command: String, mut stop: Stop) -> Result<(), Failed> {
    loop {
        let message = tokio::select! {
            biased;
            () = &mut stop => return Ok(()),
            message = arrivals.next() => message?,
        };
        let (status, goes_on) = match handler::run(&command, &message, &mut stop).await? {
            Ended::ByItself(status) => (status, true),
            Ended::Stopped(status) => (status, false),
        };
        if status.success() {
            arrivals.mark(&message).await?;
        } else {
            let how = handler::told(status);
            let id = message.summary.id;
            complain(format_args!(
                "kkvc: the command {how}; message {id} stays unread"
            ));
        }
        if !goes_on {
            return Ok(());
        }
    }
}
