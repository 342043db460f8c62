//! What follows a delivery, of a text or of files: what becomes of the words, the receipt and the contact, and what is
//! said.

use serde::Serialize;

use super::super::book::ResolvedRecipient;
use super::super::commands::Send;
use super::super::common::Common;
use super::super::output::print_json;
use super::super::receipt::ReceiptPlace;
use super::super::words::{InDoubt, ReplyWordsPlace};
use super::replies_command;
use kkv_client::sender::Accepted;
use kkv_protocol::ids::{RelayId, SenderId};
use kkv_protocol::proof::Proof;
use kkv_protocol::suite::Suite;
use kkv_terminal::stderr::info;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::outcome::accepted_words;

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

/// What a message was sent with.
pub(super) struct Ending<'e> {
    pub(super) common: &'e Common,
    pub(super) args: &'e Send,
    pub(super) addressee: ResolvedRecipient,
    pub(super) words: Option<ReplyWordsPlace>,
    pub(super) receipt: Option<ReceiptPlace>,
    pub(super) has_files: bool,
    /// Whether the key that signs it is a lasting one.
    pub(super) kept: bool,
}

impl Ending<'_> {
    /// It is accepted. Whatever fails of what follows, the rest is done.
    pub(super) fn accepted(mut self, accepted: &Accepted) -> Result<(), CliError> {
        if let Some(place) = &mut self.words {
            place.keep();
        }
        let proof = accepted.receipt.as_ref().map(Proof::from);
        let written = match (&mut self.receipt, &proof) {
            (Some(place), Some(proof)) => place.fill(proof, self.common.json),
            _ => Ok(()),
        };
        let remembered = self.addressee.remember(accepted.suite);
        let reported = self.report(accepted, proof).map_err(|failed| {
            let what = format!("the message was accepted, but {}", failed.what);
            CliError::new(Exit::DoneUnreported, what)
        });
        if let Some(place) = &self.words {
            place.show("Your words once more:");
            let later = replies_command(self.common, self.args);
            info(format_args!("Later: {later}"));
        }
        reported.and(written).and(remembered)
    }

    /// It is not delivered, or may not be: says what to do about an invitation, and what its words are worth.
    pub(super) fn failed(mut self, failed: CliError, was_sending: bool) -> CliError {
        let failed = self.with_way_to_pay(failed);
        let may_be_there =
            failed.exit == Exit::InDoubt || failed.exit == Exit::Cancelled && was_sending;
        match &mut self.words {
            Some(place) if may_be_there => {
                place.keep();
                let look = replies_command(self.common, self.args);
                let doubt = InDoubt {
                    on_the_terminal: place.are_on_the_terminal(),
                    follows_up: place.go_on(),
                    has_files: self.has_files,
                };
                doubt.explained(failed, &look)
            }
            Some(place) if place.are_on_the_terminal() => {
                failed.more("The words that were shown open nothing: forget them.")
            }
            _ => failed,
        }
    }

    /// Says how it goes on without a contact's invitation that doesn't count any more.
    fn with_way_to_pay(&self, failed: CliError) -> CliError {
        match (failed.exit, self.addressee.paying()) {
            (Exit::NotPaid, Some(words)) => {
                let contacts = self.common.contacts();
                let command = contacts.map(|contacts| contacts.command(&words));
                failed
                    .more("Or have the invitation forgotten, once it has been paid:")
                    .command("  ", &command.unwrap_or(words))
            }
            _ => failed,
        }
    }

    fn report(&self, accepted: &Accepted, receipt: Option<Proof>) -> Result<(), CliError> {
        if self.common.json {
            return print_json(&Delivered {
                accepted: true,
                suite: accepted.suite,
                relay: accepted.relay.id(),
                relay_fingerprint: accepted.relay.fingerprint().to_string(),
                sender: accepted.sender.id(),
                sender_fingerprint: accepted.sender.fingerprint().to_string(),
                cost: accepted.cost.bits(),
                invited: accepted.invited,
                answerable: self.words.is_some(),
                receipt,
            });
        }
        info(format_args!(
            "Accepted: the message is in the inbox.\n{}",
            accepted_words(accepted, self.kept).trim_end()
        ));
        Ok(())
    }
}
