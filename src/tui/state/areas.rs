//! Where things are on the screen, as it was drawn last.

use ratatui::layout::Rect;

use kkv_base::count::counted;

/// Where things are, for the mouse.
#[derive(Debug, Default, Clone, Copy)]
pub(in crate::tui) struct Areas {
    /// Lines of the list that is in front.
    pub(in crate::tui) list: Rect,
    /// The first of it that is shown, where the list itself doesn't know.
    pub(in crate::tui) top: usize,
    /// What is written of whom a message is for, and of the message.
    pub(in crate::tui) to: Rect,
    pub(in crate::tui) text: Rect,
    /// The page in front that may be longer than its room.
    pub(in crate::tui) page: Page,
    /// There is no room for anything.
    pub(in crate::tui) nothing_fits: bool,
    /// There is none for the question that is asked.
    pub(in crate::tui) question_is_hidden: bool,
}

/// How long a page is, and how much of it has room.
#[derive(Debug, Default, Clone, Copy)]
pub(in crate::tui) struct Page {
    pub(in crate::tui) lines: usize,
    pub(in crate::tui) height: usize,
}

impl Page {
    /// Its first line on the screen when its last is there.
    pub(in crate::tui) fn last(self) -> usize {
        self.lines.saturating_sub(self.height)
    }

    /// How far one goes on in it at once: one line stays, to find the place again.
    pub(in crate::tui) fn step(self) -> isize {
        isize::try_from(self.height.saturating_sub(1).max(1)).unwrap_or(isize::MAX)
    }

    /// What is said at its end when this is its first line on the screen; nothing if all of it is there.
    pub(in crate::tui) fn more(self, top: usize) -> Option<String> {
        match self.last().saturating_sub(top) {
            _ if self.last() == 0 => None,
            0 => Some(" ↑ ".to_owned()),
            more => Some(format!(" ↓ {} ", counted(more as u64, "more line"))),
        }
    }
}
