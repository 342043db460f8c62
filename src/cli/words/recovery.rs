//! Recovery words, between a person and the program: those of a new identity, shown or written down once; those of one
//! that is restored.

use std::io;
use std::path::Path;

use zeroize::Zeroizing;

use super::{MAX_TYPED_BYTES, TRIES, Terminal, capital};
use crate::cli::cancel::unless_stopped;
use kkv_protocol::crypto::random;
use kkv_terminal::visible::quoted;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::new_file::NewFile;
use kkv_ui::replies::words_in_rows;
use kkv_ui::secret_file;
use kkv_words::{Kind, Words};

/// The words of a new identity, and where its owner will have them.
pub(in crate::cli) struct NewRecoveryWords {
    words: Words,
    place: Place,
}

enum Place {
    Terminal(Terminal),
    /// A new file, which goes with this value unless it is kept.
    File(NewFile),
}

impl NewRecoveryWords {
    /// New ones: written to the new `file`, or shown later on the terminal.
    ///
    /// # Errors
    /// There is no terminal, or the file can't be made.
    pub(in crate::cli) fn make(file: Option<&Path>) -> Result<Self, CliError> {
        let words = Words::generate(Kind::Recovery, &mut random::kernel());
        let Some(path) = file else {
            let terminal = Terminal::of_its_own("no identity was made")?;
            let place = Place::Terminal(terminal);
            return Ok(Self { words, place });
        };
        let mut line = Zeroizing::new(String::with_capacity(MAX_TYPED_BYTES));
        line.push_str(&words.line());
        line.push('\n');
        let unmade = |fault: io::Error| {
            let what = format!("can't make {} for the words: {fault}", quoted(path));
            CliError::new(Exit::of_io(&fault), format!("{what}; no identity was made"))
        };
        let file = secret_file::written(path, line.as_bytes()).map_err(unmade)?;
        let place = Place::File(file);
        Ok(Self { words, place })
    }

    pub(in crate::cli) fn line(&self) -> Zeroizing<String> {
        self.words.line()
    }

    /// They are those of an identity now: shows them, or keeps the file.
    pub(in crate::cli) fn hand_over(&mut self) {
        match &mut self.place {
            Place::Terminal(terminal) => terminal.show(&Zeroizing::new(format!(
                "Write these down; they are shown this once, and bring your identity back:\n{}",
                *words_in_rows(self.words.iter())
            ))),
            Place::File(file) => file.keep(),
        }
    }
}

/// The words of an identity that is restored: from `file`, or asked for.
pub(in crate::cli) async fn recovery_words(
    file: Option<&Path>,
) -> Result<Zeroizing<String>, CliError> {
    if let Some(path) = file {
        return Ok(secret_file::read_recovery_words(path).await?.line());
    }
    let terminal = Terminal::for_questions()?;
    let mut tries = TRIES;
    loop {
        tries -= 1;
        let typed = unless_stopped(terminal.typed("recovery ")).await?;
        match Words::parse(Kind::Recovery, &typed) {
            Ok(words) => return Ok(words.line()),
            Err(bad) if tries == 0 => {
                return Err(CliError::usage(format!("{bad}; nothing was restored"))
                    .hint("They are the words that `kkvc me new` has shown, in their order."));
            }
            Err(bad) => terminal.show(&format!("{}; try again.\n", capital(&bad))),
        }
    }
}
