//! An answer that is written with an editor: on a terminal it is tried again, or edited, for as long as its writer
//! wants, and shown in the end if it wasn't sealed: it is nowhere else.

use std::sync::Arc;

use super::super::ask::{can_ask, confirm};
use super::super::compose::{self, Purpose};
use super::super::editor::Draft;
use super::super::exit::report_error;
use super::{NotSealed, cancelled};
use kkv_protocol::crypto::scrub;
use kkv_protocol::text::Text;
use kkv_terminal::signals;
use kkv_ui::error::{CliError, Exit};

/// Has it written, and sealed.
pub(super) async fn sealed<T>(
    seal: impl AsyncFn(&Text) -> Result<T, NotSealed>,
) -> Result<T, CliError> {
    let draft = Arc::new(Draft::begin()?);
    let mut text = None;
    loop {
        let written = match text.take() {
            Some(text) => Ok(text),
            None => edit(&draft).await,
        };
        let failed = match written {
            Ok(written) => match seal(&written).await {
                Ok(done) => return Ok(done),
                Err(failed) => {
                    text = Some(written);
                    failed
                }
            },
            Err(failed) => NotSealed {
                // Who has an editor end with an error, or leaves nothing, wants no answer.
                passes: failed.exit != Exit::Cancelled,
                said: failed,
                may_be: false,
            },
        };
        let draft = Arc::clone(&draft);
        let is_written = text.is_some();
        let goes_on = move || goes_on(&draft, failed, is_written);
        let goes_on = tokio::task::spawn_blocking(goes_on).await;
        goes_on.expect("asking does not panic")?;
    }
}

async fn edit(draft: &Arc<Draft>) -> Result<Text, CliError> {
    let draft = Arc::clone(draft);
    let edit = move || {
        scrub::run_then_wipe_stack(|| {
            let text = draft.edit()?;
            compose::checked(text, Purpose::Answer)
        })
    };
    // An editor has the terminal, and its keys: it is waited for. What ends this program is no key, though the editor
    // may take it for its end and leave half an answer.
    let text = tokio::task::spawn_blocking(edit).await;
    if signals::end_is_requested() {
        return Err(cancelled());
    }
    text.expect("reading does not panic")
}

/// Asks whether to try again. Blocks.
///
/// # Errors
/// No: then what was written is shown, unless nobody is there to see it.
fn goes_on(draft: &Draft, failed: NotSealed, is_written: bool) -> Result<(), CliError> {
    let NotSealed {
        said,
        may_be,
        passes,
    } = failed;
    let is_over = signals::end_is_requested() || !can_ask();
    let Some(shown) = draft.shown().filter(|_| !is_over) else {
        return Err(said);
    };
    if !passes {
        shown.show();
        return Err(said.more(STANDS_ABOVE));
    }
    report_error("kkvc", &said);
    let question = match (is_written, may_be) {
        (false, _) => "Edit it once more?",
        (true, false) => "Try once more?",
        (true, true) => "Try once more? If it was sealed, its sender gets it twice.",
    };
    let again = confirm(question);
    if let Ok(true) = again {
        return Ok(());
    }
    if signals::end_is_requested() {
        return Err(cancelled());
    }
    shown.show();
    let exit = match again {
        Ok(_) => said.exit,
        Err(failed) => failed.exit,
    };
    let what = match may_be {
        true => "it isn't known whether your answer was sealed",
        false => "nothing was sealed",
    };
    Err(CliError::new(exit, what).hint(STANDS_ABOVE))
}

/// Where it is.
const STANDS_ABOVE: &str = "What you wrote stands above, on this terminal; nothing else keeps it.";
