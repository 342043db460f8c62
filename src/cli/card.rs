//! `kkvc card`: an address to be given to others, with words to compare it by and a QR code to take a picture of.

use std::io::{self, IsTerminal};

use qrcode::{Color, EcLevel, QrCode};
use serde::Serialize;
use zeroize::Zeroizing;

use super::book::ResolvedRecipient;
use super::commands::Card;
use super::common::Common;
use super::output::{print, print_json};
use crate::tor::Target;
use kkv_base::limits::DEFAULT_PORT;
use kkv_client::contacts::{Recipient, Words};
use kkv_client::owner::Client;
use kkv_owner::Reach;
use kkv_terminal::colour::on_stdout;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::fields::{address, in_two_lines};

/// Light modules around a code, by which a camera finds it (ISO/IEC 18004 §6.3.8).
const QUIET: usize = 4;

/// Black on white, from the colours that no theme changes: a code with its colours the other way round is none to some
/// cameras.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const AS_BEFORE: &str = "\x1b[0m";

/// A card in JSON.
#[derive(Serialize)]
struct CardJson {
    address: String,
    words: String,
    link: Zeroizing<String>,
}

/// Shows the card of whom it is asked for, or the owner's.
pub(super) async fn card(common: &Common, args: Card) -> Result<(), CliError> {
    // What was typed goes on the card; a contact's invitation is that of whom it was given to.
    let typed = match &args.address {
        Some(Recipient::Address(link)) => link.invitation.clone(),
        Some(Recipient::Name(_)) | None => None,
    };
    let target = match args.address {
        Some(whom) => {
            ResolvedRecipient::find(whom, common.contacts())
                .await?
                .target
        }
        None => own(&common.client()?).await?,
    };
    let Target::Onion { address: onion, .. } = target else {
        return Err(CliError::usage(
            "an address on this machine is of no use to anybody else, and has no card",
        ));
    };
    let (address, words) = (address(target), Words::of(&onion));
    let link = typed.map_or_else(|| Zeroizing::new(address.clone()), |it| it.link(&address));
    let link = Zeroizing::new(in_capitals(&link));
    if common.json {
        return print_json(&CardJson {
            address,
            words: words.to_string(),
            link,
        });
    }
    let mut card = format!(
        "Address  {address}\n{}\n",
        in_two_lines(&words, "Words    ")
    );
    if !args.no_qr {
        card += &picture(&link, io::stdout().is_terminal() && on_stdout());
    }
    print(&card)
}

/// The address of the owner's relay.
pub(super) async fn own(client: &Client) -> Result<Target, CliError> {
    let status = client.status().await?;
    let onion = match status.reach() {
        Reach::Onion(onion) => onion.parse().ok(),
        Reach::ThisMachine => {
            let what = "your kkv is for this machine alone (--tor off), and has no onion address";
            return Err(CliError::new(Exit::Refused, what).hint("Start it without --tor off."));
        }
        Reach::SystemTor => None,
    };
    let address = onion.ok_or_else(|| {
        let what = "your kkv has no Tor inside, and doesn't know its onion address";
        CliError::new(Exit::Refused, what).hint(
            "Name it: kkvc card ADDRESS. A system Tor keeps it in a file `hostname` (see torrc.example).",
        )
    })?;
    Ok(Target::Onion {
        address,
        port: DEFAULT_PORT,
    })
}

/// What a camera reads: an address in capitals, which take less room in a code, and mean the same.
pub(super) fn in_capitals(link: &str) -> String {
    link.to_uppercase()
}

/// A QR code, two modules in each character. Without colours, what is printed is dark: right on paper, and on a light
/// terminal.
pub(super) fn picture(text: &str, colours: bool) -> String {
    let code = QrCode::with_error_correction_level(text, EcLevel::L);
    let code = code.expect("an address is short");
    let dark = |x: usize, y: usize| {
        let within = |at: usize| (QUIET..QUIET + code.width()).contains(&at);
        within(x) && within(y) && code[(x - QUIET, y - QUIET)] == Color::Dark
    };
    let size = code.width() + 2 * QUIET;
    let mut picture = String::new();
    for y in (0..size).step_by(2) {
        let line: String = (0..size)
            .map(|x| match (dark(x, y), dark(x, y + 1)) {
                (false, false) => ' ',
                (true, false) => '▀',
                (false, true) => '▄',
                (true, true) => '█',
            })
            .collect();
        if colours {
            picture += &format!("{BLACK_ON_WHITE}{line}{AS_BEFORE}\n");
        } else {
            picture += &format!("{line}\n");
        }
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_fits_on_the_smallest_terminal_with_the_command_and_the_next_prompt() {
        let onion = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:65535";
        let target: Target = onion.parse().unwrap();
        let picture = picture(&in_capitals(&address(target)), false);
        assert!(picture.lines().all(|line| line.chars().count() <= 80));
        assert!(picture.lines().count() + 3 + 2 <= 24);
    }
}
