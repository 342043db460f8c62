//! What is copied, on its way to the clipboard of the terminal (OSC 52): also out of tmux and GNU screen, which stand
//! between.

use data_encoding::BASE64;
use zeroize::Zeroizing;

/// GNU screen drops a string with more bytes than that (768 in its present version).
const PIECE: usize = 512;

/// What stands between this program and the terminal.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Clipboard {
    /// Nothing.
    #[default]
    Straight,
    Tmux,
    Screen,
}

impl Clipboard {
    /// As the environment tells; `variable` looks something up there.
    pub(in crate::tui) fn here(variable: impl Fn(&str) -> Option<String>) -> Self {
        let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
        // tmux may call itself screen in TERM.
        if is_set("TMUX") {
            Self::Tmux
        } else if is_set("STY") {
            Self::Screen
        } else {
            Self::Straight
        }
    }

    /// On what it depends whether the text arrives, which nobody says.
    pub(in crate::tui) fn condition(self) -> &'static str {
        match self {
            Self::Straight => "if the terminal allows that",
            Self::Tmux => {
                "if tmux (set-clipboard on, or allow-passthrough on) and the terminal allow that"
            }
            Self::Screen => "if the terminal outside of screen allows that",
        }
    }

    /// What takes `text` there. No byte of it is anything but letters of base64.
    pub(in crate::tui) fn sequences(self, text: &str) -> Zeroizing<Vec<u8>> {
        let text = Zeroizing::new(BASE64.encode(text.as_bytes()));
        let plain = Zeroizing::new(format!("\x1b]52;c;{}\x07", *text).into_bytes());
        let mut out = Zeroizing::new(Vec::with_capacity(3 * plain.len()));
        match self {
            Self::Straight => return plain,
            // tmux takes it itself with `set-clipboard on`, and lets it through with `allow-passthrough on`: each may
            // be off.
            Self::Tmux => {
                out.extend_from_slice(&plain);
                out.extend_from_slice(b"\x1bPtmux;\x1b");
                out.extend_from_slice(&plain);
                out.extend_from_slice(b"\x1b\\");
            }
            Self::Screen => {
                for piece in plain.chunks(PIECE) {
                    out.extend_from_slice(b"\x1bP");
                    out.extend_from_slice(piece);
                    out.extend_from_slice(b"\x1b\\");
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_is_known_by_what_it_sets() {
        let here = |set: &[(&str, &str)]| {
            let found = |name: &str| set.iter().find(|(known, _)| *known == name);
            Clipboard::here(|name| found(name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(here(&[]), Clipboard::Straight);
        assert_eq!(here(&[("TMUX", ""), ("STY", "")]), Clipboard::Straight);
        assert_eq!(here(&[("TMUX", "/tmp/tmux,1,0")]), Clipboard::Tmux);
        assert_eq!(here(&[("STY", "1.pts-0")]), Clipboard::Screen);
    }

    #[test]
    fn each_gets_what_it_lets_through_and_nothing_of_the_text_steers_it() {
        let sent = |through: Clipboard, text: &str| {
            String::from_utf8(through.sequences(text).to_vec()).unwrap()
        };
        let plain = "\x1b]52;c;aGk=\x07";
        assert_eq!(sent(Clipboard::Straight, "hi"), plain);
        let through = format!("{plain}\x1bPtmux;\x1b{plain}\x1b\\");
        assert_eq!(sent(Clipboard::Tmux, "hi"), through);
        assert_eq!(sent(Clipboard::Screen, "hi"), format!("\x1bP{plain}\x1b\\"));
        // A long one goes through screen in pieces, which the terminal puts together.
        let long = "\x1b\\\x07 long".repeat(1000);
        let pieces = sent(Clipboard::Screen, &long);
        let pieces: Vec<&str> = pieces.split_inclusive("\x1b\\").collect();
        assert!(pieces.len() > 2 && pieces.iter().all(|piece| piece.len() < 768));
        let inner = |piece: &&str| {
            let inner = piece.strip_prefix("\x1bP").unwrap();
            inner.strip_suffix("\x1b\\").unwrap().to_owned()
        };
        let arrived: String = pieces.iter().map(inner).collect();
        assert_eq!(arrived, sent(Clipboard::Straight, &long));
    }
}
