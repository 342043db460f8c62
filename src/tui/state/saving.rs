//! Where one types into which directory the files of a message are saved.

use std::path::PathBuf;

use crossterm::event::KeyEvent;
use ratatui_textarea::TextArea;

use super::field;
use kkv_owner::MessageId;
use kkv_protocol::ids::RelayId;

/// A line for a directory, and whose files go there.
pub(in crate::tui) struct Saving {
    /// The run of the relay that has the message.
    pub(in crate::tui) run: RelayId,
    pub(in crate::tui) message: MessageId,
    pub(in crate::tui) line: TextArea<'static>,
}

impl Saving {
    /// Nothing typed yet.
    pub(in crate::tui) fn new(run: RelayId, message: MessageId) -> Self {
        let hint = "a directory; it is made if there is none";
        Self {
            run,
            message,
            line: field::line(String::new(), hint),
        }
    }

    /// A key that is no command. The character that it would have written, and that nobody would see.
    pub(in crate::tui) fn input(&mut self, key: KeyEvent) -> Option<char> {
        let hidden = field::hidden(&self.line, key);
        if hidden.is_none() {
            field::input(&mut self.line, key);
        }
        hidden
    }

    /// Text that was pasted. Which characters of it nobody would see, and were left out.
    pub(in crate::tui) fn paste(&mut self, pasted: &str) -> Vec<char> {
        field::paste(&mut self.line, pasted)
    }

    /// The directory that was typed, if any was: `~/` is in `home`, as no shell has seen it.
    pub(in crate::tui) fn directory(&self, home: Option<PathBuf>) -> Option<PathBuf> {
        let typed = self.line.lines().concat();
        let typed = typed.trim();
        match (typed.strip_prefix('~'), home) {
            _ if typed.is_empty() => None,
            (Some(""), Some(home)) => Some(home),
            (Some(rest), Some(home)) if rest.starts_with('/') => {
                Some(home.join(rest.trim_start_matches('/')))
            }
            _ => Some(PathBuf::from(typed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_meant_as_in_a_shell() {
        let directory = |typed: &str| {
            let mut saving = Saving::new(RelayId([7; 32]), MessageId(1));
            saving.line.insert_str(typed);
            saving.directory(Some(PathBuf::from("/home/me")))
        };
        for (typed, meant) in [
            ("~", "/home/me"),
            ("~/in/here", "/home/me/in/here"),
            ("~//etc", "/home/me/etc"),
            ("~other", "~other"),
            (" /tmp/x ", "/tmp/x"),
            ("here", "here"),
        ] {
            assert_eq!(directory(typed), Some(PathBuf::from(meant)), "{typed}");
        }
        assert_eq!(directory("  "), None);
    }
}
