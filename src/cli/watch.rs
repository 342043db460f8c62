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
use super::output::{say, written};
use super::signals;
use crate::owner::api::Message;
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
    let watching = Watching {
        arrivals: Arrivals::new(common.client()?.socket(), args.unread),
        names: Names::open(common.contacts()).await?,
        json: common.json,
        command: args.exec,
        shown: false,
    };
    // On a thread that forgets what it has shown whenever it waits.
    match tokio::spawn(watching.until(stop)).await {
        Ok(ended) => ended,
        Err(fault) => panic::resume_unwind(fault.into_panic()), // it is never cancelled
    }
}

/// What is done with a message, one after the other.
struct Watching {
    arrivals: Arrivals,
    names: Names,
    json: bool,
    command: Option<String>,
    /// Whether one was shown before.
    shown: bool,
}

impl Watching {
    async fn until(mut self, mut stop: Stop) -> Result<(), Failed> {
        loop {
            let message = tokio::select! {
                biased;
                () = &mut stop => return Ok(()),
                message = self.arrivals.next() => message?,
            };
            let goes_on = match self.command.clone() {
                None => self.show(&message).await?,
                Some(command) => self.give(&command, &message, &mut stop).await?,
            };
            if !goes_on {
                return Ok(());
            }
        }
    }

    /// Whether somebody reads it: else there is nobody to show the next one to.
    async fn show(&mut self, message: &Message) -> Result<bool, Failed> {
        let between = self.shown && !self.json;
        self.shown = true;
        if between && !written(b"\n")? || !show(message, &self.names, self.json)? {
            return Ok(false);
        }
        self.arrivals.mark(message).await?;
        Ok(true)
    }

    /// Whether to go on: not if it was stopped meanwhile.
    async fn give(
        &self,
        command: &str,
        message: &Message,
        stop: &mut Stop,
    ) -> Result<bool, Failed> {
        let (status, goes_on) = match handler::run(command, message, stop).await? {
            Ended::ByItself(status) => (status, true),
            Ended::Stopped(status) => (status, false),
        };
        if status.success() {
            self.arrivals.mark(message).await?;
        } else {
            let how = handler::told(status);
            let id = message.summary.id;
            say(format_args!(
                "kkvc: the command {how}; message {id} stays unread"
            ));
        }
        Ok(goes_on)
    }
}
