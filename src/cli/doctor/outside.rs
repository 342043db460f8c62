//! What connects this machine to others: Tor, for who writes to you and for what you send, and the clock.

use super::super::status::closed;
use super::relay::Seen;
use super::{Finding, behind, lowered};
use crate::tor::{TorTrouble, TorWay};
use kkv_base::limits::EARLIEST_CLOCK;
use kkv_owner::Reach;
use kkv_ui::explain::unreachable_hint;
use kkv_ui::fields::time;

/// How the relay's Tor is doing, if there is a relay to ask.
pub(super) fn tor(seen: &Seen) -> Option<Finding> {
    const CHECK: &str = "tor";
    let status = seen.running()?;
    let Some(state) = status.tor_state else {
        return Some(match (status.reach(), &status.listens) {
            (Reach::SystemTor, Some(listens)) => behind::external(listens),
            _ => Finding::warning(
                CHECK,
                "off: only who is on this machine can write to you",
                "start kkv without --tor off",
            ),
        });
    };
    Some(match state.trouble() {
        Some(trouble) => Finding::wrong(CHECK, state.to_string(), trouble.advice()),
        None if state == crate::tor::TorState::Reachable => {
            let closed = status.lets_in.map(|keys| format!("; {}", closed(keys)));
            Finding::ok(CHECK, format!("reachable{}", closed.unwrap_or_default()))
        }
        None => Finding::warning(
            CHECK,
            format!("not reachable yet: {state}"),
            "look again in a minute",
        ),
    })
}

/// Whether what `--tor` asks for is there.
pub(super) async fn sending(way: TorWay) -> Finding {
    const CHECK: &str = "sending";
    match way {
        TorWay::Embedded => Finding::ok(CHECK, "by the Tor inside kkvc"),
        TorWay::Socks(proxy) => match proxy.probe().await {
            Ok(()) => Finding::ok(CHECK, format!("by the Tor at {proxy}, which answers")),
            Err(fault) => {
                let hint = unreachable_hint(&fault);
                Finding::wrong(CHECK, fault.to_string(), lowered(&hint))
            }
        },
    }
}

/// Whether it can be `unix` seconds past 1970, and what Tor finds of that.
pub(super) fn clock(seen: &Seen, unix: u64) -> Finding {
    const CHECK: &str = "clock";
    let now = time(unix);
    if unix < EARLIEST_CLOCK {
        let what = format!("it says {now}, when there was no kkvc yet");
        return Finding::wrong(CHECK, what, TorTrouble::Clock.advice());
    }
    let tor = seen.running().and_then(|status| status.tor_state);
    if tor.and_then(crate::tor::TorState::trouble) == Some(TorTrouble::Clock) {
        let what = format!("it says {now}, and Tor's network is at another time");
        return Finding::wrong(CHECK, what, TorTrouble::Clock.advice());
    }
    Finding::ok(CHECK, now)
}

#[cfg(test)]
mod tests {
    use super::super::State::{self, Ok as Well, Warning, Wrong};
    use super::super::relay::tests::{seen, well};
    use super::*;
    use crate::tor::TorMode;
    use crate::tor::TorState;
    use kkv_client::owner::ClientError;
    use kkv_owner::Status;

    fn with_state(state: TorState) -> Seen {
        seen(Ok(Status {
            tor: TorMode::Embedded,
            tor_state: Some(state),
            ..well()
        }))
    }

    #[test]
    fn tors_own_state_is_told_with_what_to_do_about_it() {
        let trouble = Some(TorTrouble::Blocked);
        for (state, found, told) in [
            (TorState::Reachable, Well, "reachable"),
            (
                TorState::Publishing { trouble: None },
                Warning,
                "publishing",
            ),
            (
                TorState::Connecting {
                    percent: 40,
                    trouble: None,
                },
                Warning,
                "40 %",
            ),
            (
                TorState::Connecting {
                    percent: 40,
                    trouble,
                },
                Wrong,
                "bridges",
            ),
            (
                TorState::Lost {
                    trouble: TorTrouble::Offline,
                },
                Wrong,
                "check the network",
            ),
        ] {
            let finding = tor(&with_state(state)).unwrap();
            assert_eq!(finding.state, found);
            assert!(finding.line().contains(told), "{finding:?}");
        }
        let off = seen(Ok(Status {
            tor: TorMode::Off,
            ..well()
        }));
        assert_eq!(tor(&off).unwrap().state, Warning);
        let behind_a_port = well();
        assert_eq!(tor(&seen(Ok(behind_a_port))).unwrap().state, Warning);
        assert_eq!(tor(&seen(Err(ClientError::Silent))), None);
    }

    #[test]
    fn a_clock_is_wrong_before_there_was_this_program_or_if_tor_says_so() {
        let skewed = TorState::Connecting {
            percent: 20,
            trouble: Some(TorTrouble::Clock),
        };
        let of = |seen: &Seen, unix| -> State { clock(seen, unix).state };
        let fine = with_state(TorState::Reachable);
        assert_eq!(of(&fine, EARLIEST_CLOCK), Well);
        assert_eq!(of(&fine, EARLIEST_CLOCK - 1), Wrong);
        assert_eq!(of(&fine, 0), Wrong);
        assert_eq!(of(&with_state(skewed), EARLIEST_CLOCK), Wrong);
        assert_eq!(of(&seen(Err(ClientError::Silent)), EARLIEST_CLOCK), Well);
    }
}
