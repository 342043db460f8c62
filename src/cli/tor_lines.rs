//! Tells an owner how Tor is doing: one live line on a terminal until it is reachable, and a line that stays for each
//! change that matters.

use std::io;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use rustix::process::getpgrp;
use rustix::termios::tcgetpgrp;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use super::live::target;
use super::output;
use crate::tor::{Listen, TorMode, TorState};
use kkv_net::unix_socket;
use kkv_terminal::stderr::{Verbosity, verbosity};

/// What is said of a port that a system Tor leads to, or a socket where all may make one.
pub(super) const PLACE_RISK: &str =
    "any user here can take that place, and messages, while kkv is down";

/// Whether somebody else could stand in the relay's place behind a system Tor.
pub(super) fn is_for_the_taking(tor: TorMode, listens: Option<&Listen>) -> bool {
    let open = match listens {
        None => false,
        Some(Listen::Loopback(_)) => true,
        Some(Listen::Unix(path)) => unix_socket::others_can_replace(path),
    };
    tor == TorMode::External && open
}

/// Trouble is told when it has lasted for so long: most of it passes.
const PATIENCE: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(100);

/// Tells until Tor ends; nothing, if little is to be said: `kkvc status` does.
pub(super) async fn follow(mut state: watch::Receiver<TorState>, lets_in: Option<u32>) {
    if verbosity() == Verbosity::Quiet {
        return;
    }
    let bar = ProgressBar::with_draw_target(None, target());
    bar.set_style(ProgressStyle::with_template("{spinner} {msg}").expect("the template is fixed"));
    let mut live = JoinSet::new();
    live.spawn(show(state.clone(), bar.clone()));
    let mut last = None;
    loop {
        let now = *state.borrow_and_update();
        let line = line(now, lets_in);
        if last.as_ref() != Some(&line) {
            let other = |next: &TorState| self::line(*next, lets_in) != line;
            if now.trouble().is_some() && timeout(PATIENCE, state.wait_for(other)).await.is_ok() {
                continue; // it has passed
            }
            bar.suspend(|| output::notice(format_args!("{line}\n")));
            last = Some(line);
        }
        if state.changed().await.is_err() {
            return;
        }
    }
}

/// What is said of a state: percents are not worth a line each. `lets_in`: so many keys, where it is closed to others.
fn line(state: TorState, lets_in: Option<u32>) -> String {
    match (state, state.trouble()) {
        (_, Some(trouble)) => format!("Tor: {trouble}; trying on ({})", trouble.advice()),
        (TorState::Connecting { .. } | TorState::Lost { .. }, None) => {
            "Tor: connecting…".to_owned()
        }
        (TorState::Connected, None) => "Tor: connected".to_owned(),
        (TorState::Publishing { .. }, None) => "Tor: publishing the address…".to_owned(),
        (TorState::Reachable, None) => match lets_in {
            None => "Tor: reachable; whoever has the address can write to you".to_owned(),
            Some(1) => {
                "Tor: reachable; whoever has the key that it lets in can write to you".to_owned()
            }
            Some(keys) => {
                format!("Tor: reachable; whoever has one of the {keys} keys can write to you")
            }
        },
    }
}

/// The live line, until all is well, as long as the program is in the foreground of a terminal: behind `kkv &` it would
/// write into somebody's typing.
async fn show(state: watch::Receiver<TorState>, bar: ProgressBar) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tor::TorTrouble;

    #[test]
    fn a_percent_more_is_no_line_more_and_trouble_comes_with_advice() {
        let connecting = |percent, trouble| line(TorState::Connecting { percent, trouble }, None);
        assert_eq!(connecting(1, None), connecting(99, None));
        let offline = connecting(1, Some(TorTrouble::Offline));
        assert!(offline.contains("offline") && offline.contains("check the network"));
    }

    #[test]
    fn of_a_closed_inbox_it_is_not_said_that_it_is_open() {
        for (lets_in, who) in [
            (None, "whoever has the address"),
            (Some(1), "whoever has the key that it lets in"),
            (Some(2), "whoever has one of the 2 keys"),
        ] {
            let told = line(TorState::Reachable, lets_in);
            assert_eq!(told, format!("Tor: reachable; {who} can write to you"));
        }
    }
}
