//! One message on standard output: as people read it, as a line of JSON, or its bare text.

use std::io::{self, IsTerminal};

use rustix::termios::tcgetwinsize;
use zeroize::Zeroizing;

use super::exit::Failed;
use super::inbox::head;
use super::named::Names;
use super::output::{json_line, written};
use super::visible::Visible;
use super::wrapped::wrapped;
use crate::openpgp::Block;
use crate::owner::api::Message;
use crate::queue::MessageId;

/// What each line of a text stands behind. Nothing that is said of a message does, so no text can pass for that, nor for another message.
pub(super) const BAR: &str = "│";
/// The bar and a space, in columns.
const BAR_COLUMNS: usize = 2;
/// A terminal that says it is narrower than that isn't taken at its word.
const NARROWEST: usize = 10;

/// Shows it, behind what stands `before` it. Whether it was taken: false if nobody reads any more.
pub(super) fn show(
    before: &str,
    message: &Message,
    names: &Names,
    json: bool,
) -> Result<bool, Failed> {
    let shown = Zeroizing::new(format!("{before}{}", *shown(message, names, json)));
    written(shown.as_bytes())
}

/// It as it is shown.
pub(super) fn shown(message: &Message, names: &Names, json: bool) -> Zeroizing<String> {
    if json {
        return Zeroizing::new(json_line(&names.named(message, &message.summary.sender)));
    }
    let head = head(&message.summary, names);
    let text = behind_a_bar(&message.text, columns());
    Zeroizing::new(format!("{head}\n{}", *text))
}

/// Writes its text to the byte, and nothing else. Whether it was taken, as above.
pub(super) fn show_raw(message: &Message) -> Result<bool, Failed> {
    written(message.text.as_bytes())
}

/// Refuses to write bare text where it could do harm.
pub(super) fn raw_may_go_out(id: MessageId) -> Result<(), Failed> {
    if !io::stdout().is_terminal() {
        return Ok(());
    }
    Err(
        Failed::usage("--raw gives the text as it came, which could steer this terminal").hint(
            format!("Give it to a program (| gpg -d | less) or a file (> FILE); `kkvc read {id}` shows it in safety."),
        ),
    )
}

/// What a message is as OpenPGP, and what to do with it.
pub(super) fn openpgp(id: MessageId, block: Block) -> String {
    let raw = format!("kkvc read {id} --raw");
    let what = match block {
        Block::Message => format!("to open it: {raw} | gpg -d | less"),
        Block::SignedMessage => format!("to check it: {raw} | gpg --verify"),
        Block::PublicKey => {
            format!(
                "to see whose it is: {raw} | gpg --show-keys\n          to take it: {raw} | gpg --import"
            )
        }
        Block::Signature => format!("to check it: {raw} | gpg --verify - FILE"),
        Block::PrivateKey => {
            "it is no secret any more, so don't use it;\n          whose it is should revoke it"
                .to_owned()
        }
    };
    format!("{block}; {what}")
}

/// Columns of the terminal behind standard output, if it is one.
pub(super) fn columns() -> Option<usize> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then(|| size.ws_col.into())
}

/// The text in lines that stand behind a bar. On a terminal they are broken to fit: what it broke by itself would begin without one.
fn behind_a_bar(text: &str, columns: Option<usize>) -> Zeroizing<String> {
    let shown = Zeroizing::new(Visible(text).to_string());
    let room = columns.map_or(usize::MAX, |all| all.saturating_sub(BAR_COLUMNS));
    let lines = wrapped(&shown, room.max(NARROWEST));
    let mut barred = Zeroizing::new(String::with_capacity(
        shown.len() + lines.len() * (BAR.len() + 2),
    ));
    for line in lines {
        let line = &shown[line];
        // Spaces may hang over the edge, and do so without being seen.
        let line = columns.map_or(line, |_| line.trim_end_matches(' '));
        barred.push_str(BAR);
        if !line.is_empty() {
            barred.push(' ');
        }
        barred.push_str(line);
        barred.push('\n');
    }
    barred
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn every_line_stands_behind_a_bar_and_no_text_changes() {
        for (text, want) in [
            ("one", "│ one\n"),
            ("one\n", "│ one\n"),
            ("one\n\n", "│ one\n│\n"),
            ("\none\r\n  two  ", "│\n│ one<U+000D>\n│   two  \n"),
            ("\n", "│\n"),
            ("│", "│ │\n"),
        ] {
            assert_eq!(*behind_a_bar(text, None), want, "{text:?}");
        }
    }

    #[test]
    fn long_lines_are_broken_where_the_terminal_ends() {
        let text = "a text that is longer than the line\nand      another";
        let want = "│ a text that is\n│ longer than the\n│ line\n│ and\n│ another\n";
        assert_eq!(*behind_a_bar(text, Some(17)), want);
        let text = "x".repeat(25);
        let want = format!("│ {0}\n│ {0}\n│ xxxxx\n", "x".repeat(10));
        assert_eq!(*behind_a_bar(&text, Some(0)), want);
    }

    proptest! {
        #[test]
        fn nothing_in_a_text_can_pass_for_what_is_said_of_one(
            text in "(Message   [0-9]|Received|\n|\r|\t| |日本|\\PC|x{30}){0,40}",
            columns in prop::option::of(12_usize..100),
        ) {
            let shown = behind_a_bar(&text, columns);
            prop_assert!(shown.ends_with('\n'));
            for line in shown.lines() {
                prop_assert!(line == BAR || line.starts_with("│ "), "{line:?}");
                // Each character for itself, as terminals see them.
                let width: usize = line.chars().map(|c| c.to_string().width()).sum();
                prop_assert!(columns.is_none_or(|columns| width <= columns), "{line:?}");
            }
        }
    }
}
