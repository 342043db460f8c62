//! Pages that may be longer than the screen: the one of all keys, and what has become of a letter.

use crossterm::event::KeyEvent;

use super::App;
use crate::tui::keys::{Act, Place};

impl App {
    /// A key while the page of all keys is there: it goes on in it as in a message, if there is more of it than is
    /// seen, or back.
    pub(super) fn turn_page(&mut self, key: KeyEvent) {
        let lines = match Place::Message.act(self.layout.key(key)) {
            Some(Act::Up) => -1,
            Some(Act::Down) => 1,
            Some(Act::PageUp) => -self.areas.page.step(),
            Some(Act::PageDown) => self.areas.page.step(),
            Some(Act::Top) => isize::MIN / 2,
            Some(Act::Bottom) => isize::MAX / 2,
            _ => 0,
        };
        let last = self.areas.page.last();
        self.help = match self.help {
            Some(top) if lines != 0 && last > 0 => Some(top.saturating_add_signed(lines).min(last)),
            _ => None,
        };
    }

    /// So many pages on in what has become of the chosen letter.
    pub(super) fn turn_letter(&mut self, pages: isize) {
        let page = self.areas.page;
        let top = self.outbox.top;
        let top = top.saturating_add_signed(pages * page.step());
        self.outbox.top = top.min(page.last());
    }
}
