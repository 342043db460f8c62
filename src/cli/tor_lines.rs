//! Tells an owner how Tor is doing: one live line on a terminal until it is reachable, and a line that stays for each change that matters.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rustix::process::getpgrp;
use rustix::termios::tcgetpgrp;
use tokio::sync::watch;
use tokio::time::{interval, timeout};

use crate::tor::TorState;

/// Trouble is told when it has lasted for so long: most of it passes.
const PATIENCE: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(100);

/// Tells until Tor ends.
pub(super) async fn tell(mut state: watch::Receiver<TorState>) {
    let live = tokio::spawn(show(state.clone()));
    let mut told = None;
    loop {
        let now = *state.borrow_and_update();
        let line = line(now);
        if told.as_ref() != Some(&line) {
            let passes = now.trouble().is_some()
                && timeout(PATIENCE, state.wait_for(|next| self::line(*next) != line))
                    .await
                    .is_ok();
            if !passes {
                print(&line);
                told = Some(line);
            }
        }
        if state.changed().await.is_err() {
            live.abort();
            return;
        }
    }
}

/// What is said of a state: percents are not worth a line each.
fn line(state: TorState) -> String {
    match (state, state.trouble()) {
        (_, Some(trouble)) => format!("Tor: {trouble}; trying on ({})", trouble.advice()),
        (TorState::Connecting { .. } | TorState::Lost { .. }, None) => {
            "Tor: connecting…".to_owned()
        }
        (TorState::Connected, None) => "Tor: connected".to_owned(),
        (TorState::Publishing { .. }, None) => "Tor: publishing the address…".to_owned(),
        (TorState::Reachable, None) => {
            "Tor: reachable; whoever has the address can write to you".to_owned()
        }
    }
}

fn print(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// The live line, as long as the program is in the foreground of a terminal: behind `kkv &` it would write into somebody's typing.
async fn show(state: watch::Receiver<TorState>) {
    if !io::stderr().is_terminal() {
        return;
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(ProgressStyle::with_template("{spinner} {msg}").expect("the template is fixed"));
    let mut ticks = interval(TICK);
    loop {
        ticks.tick().await;
        let now = *state.borrow();
        if now == TorState::Reachable {
            bar.finish_and_clear();
            return;
        }
        if tcgetpgrp(io::stderr()).is_ok_and(|foreground| foreground == getpgrp()) {
            bar.set_message(format!("Tor: {now}"));
            bar.tick();
        }
    }
}
