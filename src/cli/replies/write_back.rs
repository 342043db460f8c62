//! A message back in a conversation, by who has just read its answers. What was typed is tried again for as long as its
//! writer wants: it is nowhere else.

use super::super::ask::confirm;
use super::super::book::ResolvedRecipient;
use super::super::cancel;
use super::super::compose::{self, Purpose};
use super::super::progress::Progress;
use super::super::words::InDoubt;
use super::Conversation;
use kkv_client::sender::{Accepted, DeliveryOptions, Reply};
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::crypto::{random, scrub};
use kkv_protocol::text::Text;
use kkv_terminal::signals;
use kkv_terminal::stderr::{info, warn};
use kkv_ui::error::{CliError, Exit};
use kkv_ui::outcome::{accepted_words, cancelled};
use kkv_ui::replies::{require_own_words_out_of, require_reply_words_out_of};
use kkv_ui::way::Load;

impl Conversation<'_> {
    /// Asks whether to write back, with the same words, and does.
    pub(super) async fn write_back(
        &self,
        addressee: &mut ResolvedRecipient,
    ) -> Result<(), CliError> {
        let asked = tokio::task::spawn_blocking(|| confirm("Write back?")).await;
        match asked.expect("asking does not panic") {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(failed) if cancel::have_cancelled(&failed) => return Ok(()), // all that was asked for is done
            Err(failed) => return Err(failed),
        }
        let stopped = signals::stopped()?;
        let compose = || scrub::run_then_wipe_stack(|| compose::text(None, None, Purpose::Message));
        let text = tokio::select! {
            biased;
            () = stopped => return Err(cancelled(false)),
            text = tokio::task::spawn_blocking(compose) => text.expect("reading does not panic")?,
        };
        require_own_words_out_of(text.as_str(), self.words)?;
        require_reply_words_out_of(text.as_str())?;
        let accepted = self.carried(&text, addressee).await?;
        info(format_args!(
            "Accepted: the message is in the inbox.\n{}\nThe same words open its answers: {}",
            accepted_words(&accepted, false).trim_end(),
            self.again()
        ));
        addressee.remember(accepted.suite)
    }

    /// Has the text carried, and asks whether to try once more where that may help.
    async fn carried(
        &self,
        text: &Text,
        addressee: &mut ResolvedRecipient,
    ) -> Result<Accepted, CliError> {
        loop {
            let (failed, was_sending) = match self.carry(text, addressee).await {
                Ok(accepted) => return Ok(accepted),
                Err(failed) => failed,
            };
            let may_be_there =
                failed.exit == Exit::InDoubt || failed.exit == Exit::Cancelled && was_sending;
            if may_be_there {
                let doubt = InDoubt {
                    on_the_terminal: self.args.words_file.is_none(),
                    follows_up: true,
                    has_files: false,
                };
                return Err(doubt.explained(failed, &self.again()));
            }
            let is_invited = addressee.invitation.is_some();
            let (question, pays) = match failed.exit {
                Exit::NotPaid if is_invited => ("Pay for it instead?", true),
                Exit::Unreachable | Exit::Full | Exit::NotPaid | Exit::Refused => {
                    ("Try once more?", false)
                }
                _ => return Err(failed.more(STANDS_ABOVE)),
            };
            warn(&failed.what);
            let again = tokio::task::spawn_blocking(|| confirm(question)).await;
            if !again.expect("asking does not panic")? {
                let given_up = CliError::new(failed.exit, "nothing was delivered");
                return Err(given_up.hint(STANDS_ABOVE));
            }
            if pays {
                addressee.pay_once();
            }
        }
    }

    /// Has it carried once. Whether it was on its way, if it is not accepted.
    async fn carry(
        &self,
        text: &Text,
        addressee: &ResolvedRecipient,
    ) -> Result<Accepted, (CliError, bool)> {
        let stopped = signals::stopped().map_err(|fault| (fault.into(), false))?;
        let load = Load {
            // A look costs what it costs; a message may come by an invitation.
            options: DeliveryOptions {
                invitation: addressee.invitation.clone(),
                ..self.options.clone()
            },
            better: addressee.better(),
            key: SenderKey::generate(&mut random::kernel()),
            text,
            reply: Reply::FollowsUp(self.secrets),
        };
        let progress = Progress::start(self.way.state(), self.args.carrying.anyway);
        let result = tokio::select! {
            biased; // what is known is told
            result = self.way.carry(load, &progress) => result,
            () = stopped => Err(cancelled(progress.was_sending())),
        };
        progress.finish();
        result.map_err(|failed| (failed, progress.was_sending()))
    }
}

/// Where a text is that was typed and is not delivered.
const STANDS_ABOVE: &str = "What you wrote stands above, on this terminal; nothing else keeps it.";
