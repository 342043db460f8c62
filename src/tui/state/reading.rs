//! The message that is being read, laid out for the width of the screen.

use zeroize::Zeroizing;

use kkv_owner::{Message, Summary};
use kkv_protocol::ids::BoxDigest;
use kkv_terminal::measured::measured;
use kkv_terminal::visible::Visible;
use kkv_terminal::wrapped::wrapped;

/// A message, and how far it has been scrolled.
pub(in crate::tui) struct Reading {
    message: Message,
    /// Its text as it is shown, and where each line of the screen is in it.
    shown: Zeroizing<String>,
    lines: Vec<std::ops::Range<usize>>,
    width: usize,
    height: usize,
    top: usize,
    /// The link that is copied next.
    link: usize,
}

/// The link in a word, without what stands around it in a sentence. It ends before a quotation mark or a bracket that
/// no link has in it, so also before a character that is shown as its code.
fn link(word: &str) -> Option<&str> {
    let starts = ["https://", "http://"].map(|scheme| word.find(scheme));
    let start = starts.into_iter().flatten().min()?;
    let (before, link) = word.split_at(start);
    let link = link.split(['<', '>', '"']).next().unwrap_or_default();
    // A bracket that is opened within it is its own.
    let mut link = link.trim_end_matches(|c: char| ".,;:!?'\">]}".contains(c));
    if before.contains('(') || !link.contains('(') {
        link = link.trim_end_matches(|c: char| ".,;:!?'\">]})".contains(c));
    }
    (!link.ends_with("//")).then_some(link)
}

impl Reading {
    /// `message` from its beginning.
    pub(in crate::tui) fn new(message: Message) -> Self {
        let shown = measured(|out| write!(out, "{}", Visible(&message.text)));
        let mut reading = Self {
            message,
            shown,
            lines: Vec::new(),
            width: 0,
            height: 0,
            top: 0,
            link: 0,
        };
        reading.lay_out(80, 20);
        reading
    }

    pub(in crate::tui) fn summary(&self) -> &Summary {
        &self.message.summary
    }

    /// Digest of what it says of how it is answered.
    pub(in crate::tui) fn box_digest(&self) -> BoxDigest {
        self.message.box_digest
    }

    /// The text as it came.
    pub(in crate::tui) fn text(&self) -> &str {
        &self.message.text
    }

    /// The text as it is shown, for the clipboard: as it came it could end a paste and go on as commands (`ESC [201~`).
    /// A line feed at its end would have a shell run it, too.
    pub(in crate::tui) fn to_copy(&self) -> Zeroizing<String> {
        Zeroizing::new(self.shown.trim_end().to_owned())
    }

    /// The next link in it, whole and as it is shown, however it is broken on the screen; which one that is, and of how
    /// many. After the last comes the first again.
    pub(in crate::tui) fn next_link(&mut self) -> Option<(Zeroizing<String>, usize, usize)> {
        let links: Vec<&str> = self.shown.split_whitespace().filter_map(link).collect();
        let at = if self.link < links.len() {
            self.link
        } else {
            0
        };
        let link = Zeroizing::new((*links.get(at)?).to_owned());
        self.link = at + 1;
        Some((link, at + 1, links.len()))
    }

    /// Notes that it was marked.
    pub(in crate::tui) fn set_read(&mut self, read: bool) {
        self.message.summary.read = read;
    }

    /// The screen has room for so many characters in so many lines.
    pub(in crate::tui) fn lay_out(&mut self, width: usize, height: usize) {
        if width != self.width {
            let at = self.lines.get(self.top).map_or(0, |line| line.start);
            self.lines = wrapped(&self.shown, width.max(1));
            self.top = self
                .lines
                .iter()
                .rposition(|line| line.start <= at)
                .unwrap_or(0);
            self.width = width;
        }
        self.height = height;
        self.scroll(0);
    }

    /// The lines that are on the screen.
    pub(in crate::tui) fn lines(&self) -> impl Iterator<Item = &str> {
        let lines = self.lines.iter().skip(self.top).take(self.height);
        lines.map(|line| &self.shown[line.clone()])
    }

    /// Scrolls so many lines on, or back, as far as there is something to see.
    pub(in crate::tui) fn scroll(&mut self, lines: isize) {
        let last = self.lines.len().saturating_sub(self.height);
        self.top = self.top.saturating_add_signed(lines).min(last);
    }

    pub(in crate::tui) fn height(&self) -> usize {
        self.height
    }

    /// First line on the screen, and how many there are in all.
    pub(in crate::tui) fn position(&self) -> (usize, usize) {
        (self.top, self.lines.len())
    }
}

#[cfg(test)]
mod tests {
    use super::link;

    #[test]
    fn a_link_is_taken_without_the_sentence_around_it() {
        for (word, found) in [
            (
                "https://example.org/a?b=c&d=(e)#f",
                Some("https://example.org/a?b=c&d=(e)#f"),
            ),
            ("(http://example.onion/x).", Some("http://example.onion/x")),
            ("<https://example.org/>,", Some("https://example.org/")),
            (
                "see:https://example.org/end!",
                Some("https://example.org/end"),
            ),
            ("https://example.org/<U+200B>", Some("https://example.org/")),
            (
                "https://example.org/a<U+202E>/b",
                Some("https://example.org/a"),
            ),
            ("https://example.org/a\">b", Some("https://example.org/a")),
            ("https://<U+200B>", None),
            ("https://", None),
            ("words", None),
        ] {
            assert_eq!(link(word), found, "{word}");
        }
    }
}
