//! What a failed delivery means for a person: its exit code, whether the message arrived, and what to do.

use crate::error::{CliError, Exit};
use crate::estimate::{about, roughly};
use crate::fields::address;
use crate::tor::HAS_EMBEDDED_TOR;
use kkv_client::contacts::Name;
use kkv_client::sender::{DeliveryOptions, Failure};
use kkv_net::tor::{DialError, NoService, Target};
use kkv_protocol::error::ProtocolError;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::text::BadText;

/// What failed, as far as it makes a difference to what is said.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Message,
    Looking,
}

impl Act {
    /// What has not happened.
    fn undone(self) -> &'static str {
        match self {
            Self::Message => "nothing was delivered",
            Self::Looking => "nothing was fetched",
        }
    }
}

/// What a failed delivery with these `options` means for a person.
pub(crate) fn explained(failure: &Failure, options: &DeliveryOptions) -> CliError {
    explained_of(Act::Message, failure, options)
}

/// What it means that a box could not be looked into.
#[must_use]
pub fn unseen(failure: &Failure, options: &DeliveryOptions) -> CliError {
    match failure {
        Failure::NoCommonSuite(_) => CliError::new(
            Exit::Refused,
            "this inbox speaks kkv/1 alone, in which nobody is answered; nothing was fetched",
        )
        .hint("Check the address: `kkvc send --replies` has written to no such inbox."),
        Failure::Refused(Refusal::UnknownPurpose) => CliError::new(
            Exit::Refused,
            "this inbox has no answers to give; nothing was fetched",
        )
        .hint("Its relay is of an earlier version."),
        _ => explained_of(Act::Looking, failure, options),
    }
}

/// What it means that answers were shown, and it can't be known whether the relay has deleted them.
#[must_use]
pub fn unacknowledged(failure: &Failure) -> CliError {
    let what = format!("{failure}; what is above was shown, and may still be there");
    let exit = match failure {
        Failure::Unreachable(_) | Failure::Silent(_) | Failure::Broken => Exit::Unreachable,
        Failure::Protocol(_) => Exit::BadSignature,
        _ => Exit::Refused,
    };
    CliError::new(exit, what)
        .hint("It comes once more then when you look again, and is deleted there after that.")
}

/// What it means that a message with files was not delivered, or may have been.
pub(crate) fn explained_with_files(failure: &Failure, options: &DeliveryOptions) -> CliError {
    match failure {
        Failure::NoCommonSuite(_) => CliError::new(
            Exit::Refused,
            "this inbox speaks kkv/1 alone, which carries text only; nothing was paid, and nothing was delivered",
        )
        .hint("Leave out --file to write to it."),
        Failure::Refused(Refusal::UnknownPurpose) => CliError::new(
            Exit::Refused,
            "this inbox takes no files, or none of this size; nothing was paid, and nothing was delivered",
        )
        .hint("Leave out --file to write to it, or send less at once."),
        Failure::Refused(Refusal::Full) => CliError::new(
            Exit::Full,
            "the inbox has no room for files of this size now; nothing was delivered",
        )
        .hint("Try again later, send less at once, or leave out --file: texts have room of their own."),
        _ => explained(failure, options),
    }
}

/// What it means that a message was to be answered, and there is only kkv/1.
pub(crate) fn unanswerable() -> CliError {
    CliError::new(
        Exit::Refused,
        "this inbox speaks kkv/1 alone, in which nobody is answered; nothing was paid, and nothing was delivered",
    )
    .hint("Leave out --replies to write to it without an answer.")
}

fn explained_of(act: Act, failure: &Failure, options: &DeliveryOptions) -> CliError {
    let (exit, hint) = match failure {
        Failure::Unreachable(fault) => (Exit::Unreachable, unreachable_hint(fault)),
        Failure::Silent(_) => (
            Exit::Unreachable,
            "Try again later, or wait longer with --timeout; the relay or the way to it is in trouble.".to_owned(),
        ),
        Failure::Broken => (
            Exit::Unreachable,
            "Try again later; the relay or the way to it is in trouble.".to_owned(),
        ),
        Failure::Refused(Refusal::Uninvited) => return uninvited(options.target),
        Failure::Refused(refusal) => return refused(act, *refusal, &failure.to_string(), false),
        Failure::StillRefused(refusal, _) => {
            return refused(act, *refusal, &failure.to_string(), true);
        }
        // What comes to a port of this machine may have been passed on to another one, whose relay goes by no name but
        // its own (PROTOCOL.md §9). To a relay behind an onion service, any onion address is one.
        Failure::RefusedUnread(403) if matches!(options.target, Target::Loopback(_)) => (
            Exit::Refused,
            "It may be no kkv relay. One answers like this, too, if it listens on another address or port than this: \
             `ssh -L` needs the same on both sides."
                .to_owned(),
        ),
        Failure::RefusedUnread(_) => (
            Exit::Refused,
            "It may be no kkv relay, or one of another version.".to_owned(),
        ),
        Failure::RefusedUnknown(_) => (
            Exit::Refused,
            "The relay may be of a later version: a newer kkvc would say why.".to_owned(),
        ),
        Failure::RefusedFilled => (
            Exit::Refused,
            "Relays of the older kkv/1 don't say more. The proof of work may have come too late; try again.".to_owned(),
        ),
        Failure::NoInvitations => {
            let what = format!("{failure}; nothing was delivered");
            return CliError::new(Exit::Refused, what).hint(without_invitation(options.target));
        }
        Failure::Protocol(ProtocolError::NotFree) => {
            let what = format!("{failure}; nothing was delivered");
            return CliError::new(Exit::NotPaid, what).hint(without_invitation(options.target));
        }
        Failure::NoCommonSuite(_) => (
            Exit::Refused,
            "Leave out --suite 2 and --receipt to speak kkv/1 with it.".to_owned(),
        ),
        Failure::NotInTime(time) if options.max_time == Some(*time) => (
            Exit::NotPaid,
            "Give it a longer --max-time; a faster machine, or one with nothing else to do, helps, too.".to_owned(),
        ),
        Failure::NotInTime(_) => (
            Exit::NotPaid,
            "Trying again may go better; a faster machine, or one with nothing else to do, helps.".to_owned(),
        ),
        Failure::UnaskedTimeOver => (
            Exit::NotPaid,
            "Give it longer with --max-time, or as long as the relay gives with --anyway; it begins anew then.".to_owned(),
        ),
        Failure::TooDear(price) if options.max_time.is_some() && price.is_likely_in(price.given) => (
            Exit::NotPaid,
            format!(
                "It takes {} here, and the relay gives {}: give it a longer --max-time, or --anyway.",
                roughly(price.odds.mean()),
                about(price.given)
            ),
        ),
        Failure::TooDear(price) if price.is_likely() => (
            Exit::NotPaid,
            format!(
                "It takes {} here. Give it that with --max-time, or as long as the relay gives with --anyway.",
                roughly(price.odds.mean())
            ),
        ),
        Failure::TooDear(_) => (
            Exit::NotPaid,
            "A faster machine may do it, or a later time if the inbox is filling up; --anyway tries all the same.".to_owned(),
        ),
        Failure::Text(BadText::NulInV1) => (Exit::Usage, limit_of_v1(options.suites, "take it out")),
        Failure::Text(BadText::TooLongForV1(_)) => {
            (Exit::Usage, limit_of_v1(options.suites, "shorten it, or split it"))
        }
        Failure::Text(_) => (Exit::Usage, "Shorten it, or split it.".to_owned()),
        Failure::Protocol(_) => (
            Exit::BadSignature,
            "Check the address. If it is right, that relay is broken or not what it says.".to_owned(),
        ),
        Failure::Indeterminate(_) => {
            return CliError::new(Exit::InDoubt, format!("{failure}: whether the message arrived can't be known"))
                .hint("Ask the owner if you can. Sending it again may leave it there twice.");
        }
    };
    CliError::new(exit, format!("{failure}; {}", act.undone())).hint(hint)
}

/// What it means that an invitation is of no use (any more).
fn uninvited(target: Target) -> CliError {
    let what = "your invitation can't be used: it is used up, has expired or was revoked, or its inbox was started \
                anew; nothing was delivered";
    CliError::new(Exit::NotPaid, what).hint(format!(
        "If a message with it was cut off just now, it may be good again in two minutes; with files in ten, in \
         which --resume goes on with them. {}",
        without_invitation(target)
    ))
}

/// How one writes to an inbox all the same.
fn without_invitation(target: Target) -> String {
    format!(
        "To pay instead, write to the address alone: {}",
        address(target)
    )
}

/// What is done about a text that kkv/1 can't carry, which may have been spoken because it was asked for.
fn limit_of_v1(suites: SuitePolicy, otherwise: &str) -> String {
    match suites {
        SuitePolicy::Only(Suite::V1) => {
            format!("Leave out --suite 1: kkv/2 carries it. Or {otherwise}.")
        }
        _ => format!("This relay speaks nothing better than kkv/1: {otherwise}."),
    }
}

/// What it means that a contact who has spoken kkv/2 has none now.
pub(crate) fn gone_back(name: &Name) -> CliError {
    let what = format!(
        "{name} has spoken kkv/2 before, and now there is only the weaker kkv/1; nothing was delivered"
    );
    CliError::new(Exit::Refused, what).hint(format!(
        "Who stands between the two of you could make it look so. If {name} says that the relay is an older one now, \
         take the contact out and in again (kkvc contact remove, and add)."
    ))
}

/// What a refusal means; `what` says it, and how often. `again`: whether it was asked again, as for what is paid.
fn refused(act: Act, refusal: Refusal, what: &str, again: bool) -> CliError {
    let (exit, hint) = match refusal {
        Refusal::NoBox => (
            Exit::NoConversation,
            "The conversation of these words ended meanwhile. Send it with --replies and new words.",
        ),
        Refusal::Full if !again => (
            Exit::Full,
            "Its owner has to delete something first; try again later.",
        ),
        Refusal::Full => (
            Exit::Full,
            "Its owner has to delete something first; try again later. Work that was done for it doesn't count then.",
        ),
        Refusal::Expired => (
            Exit::NotPaid,
            "The proof of work came too late; try again, or on a faster machine.",
        ),
        Refusal::PriceRose => (
            Exit::NotPaid,
            "The inbox is filling up while you pay; try again later.",
        ),
        Refusal::SlowDown | Refusal::Stopping | Refusal::TimedOut => {
            (Exit::Refused, "Try again in a minute.")
        }
        Refusal::Unpaid | Refusal::Unproven => (
            Exit::Refused,
            "The relay may have been started anew meanwhile; try again.",
        ),
        Refusal::UnsupportedSuite => (
            Exit::Refused,
            "It refuses the older kkv/1; leave out --suite 1.",
        ),
        _ => (
            Exit::Refused,
            "Try again; if it stays so, the two programs don't fit each other.",
        ),
    };
    CliError::new(exit, format!("the relay refused: {what}; {}", act.undone())).hint(hint)
}

/// What helps where a relay, or Tor, can't be reached.
#[must_use]
pub fn unreachable_hint(fault: &DialError) -> String {
    match fault {
        DialError::NoTor { .. } => {
            let embedded = if HAS_EMBEDDED_TOR {
                "; or leave out --tor to use the one inside"
            } else {
                ""
            };
            format!("Start Tor (on Debian: apt install tor), or name its SOCKS port with --tor{embedded}.")
        }
        DialError::NotTor { .. } => "Name Tor's own SOCKS port with --tor.".to_owned(),
        DialError::NotConnected(trouble) => format!("What may help: {}.", trouble.advice()),
        DialError::NoService(NoService::Closed) => {
            "Make a key with `kkvc key`, have its owner let it in, and name it with --key (a system Tor: see docs/guide/closed-inboxes.md)."
                .to_owned()
        }
        DialError::NoService(_) => {
            "The inbox may be offline, or the address wrong; its owner knows.".to_owned()
        }
        DialError::NoRelay { .. } => "Start the relay, or check the port.".to_owned(),
        _ => {
            "Try again, or for longer with --timeout; Tor finds another way each time.".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_to_a_port_of_this_machine_a_relay_may_have_another_name() {
        let onion = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
        for (status, target, told) in [
            (403, "127.0.0.1:9000", true),
            (403, "[::1]:45069", true),
            (401, "127.0.0.1:9000", false),
            (403, onion, false),
        ] {
            let options = DeliveryOptions::new(target.parse().expect("an address"));
            let failed = explained(&Failure::RefusedUnread(status), &options);
            let hint = failed.hint.expect("there is one");
            assert!(hint.starts_with("It may be no kkv relay"), "{hint}");
            assert_eq!(hint.contains("ssh -L"), told, "{status} {target}");
        }
    }

    #[test]
    fn what_kkv_1_can_not_carry_is_laid_to_the_relay_only_where_nothing_better_was_refused() {
        for (suites, option) in [
            (SuitePolicy::Only(Suite::V1), true),
            (SuitePolicy::Any, false),
        ] {
            let target = "127.0.0.1:9000".parse().expect("an address");
            let options = DeliveryOptions {
                suites,
                ..DeliveryOptions::new(target)
            };
            for fault in [BadText::TooLongForV1(3000), BadText::NulInV1] {
                let failed = explained(&Failure::Text(fault), &options);
                let hint = failed.hint.expect("there is one");
                assert_eq!(hint.contains("--suite 1"), option, "{hint}");
                assert_eq!(hint.contains("This relay"), !option, "{hint}");
            }
        }
    }

    #[test]
    fn the_tor_inside_is_advised_only_where_there_is_one() {
        let proxy = "127.0.0.1:9050".parse().expect("an address");
        let fault = std::io::ErrorKind::ConnectionRefused.into();
        let hint = unreachable_hint(&DialError::NoTor { proxy, fault });
        assert!(hint.contains("with --tor"), "{hint}");
        assert_eq!(hint.contains("inside"), HAS_EMBEDDED_TOR, "{hint}");
    }
}
