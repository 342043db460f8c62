//! Where one goes: to other screens, and up and down in them.

use crossterm::event::KeyEvent;

use super::App;
use super::bindings::{Action, binding};
use crate::tui::event::Effect;
use crate::tui::state::overlay_page::{OverlayPage, Subject};
use crate::tui::state::screen::Screen;

impl App {
    pub(super) fn show_outbox(&mut self) {
        self.screen = Screen::Outbox;
        self.ask_pending();
    }

    pub(super) fn show_contacts(&mut self) {
        self.screen = Screen::Contacts;
    }

    pub(super) fn show_help(&mut self) {
        self.overlay = Some(OverlayPage::of(Subject::Keys));
    }

    pub(super) fn suspend(&mut self) -> Vec<Effect> {
        vec![Effect::Suspend]
    }

    pub(super) fn redraw(&mut self) -> Vec<Effect> {
        vec![Effect::Redraw]
    }

    /// Picks none; if none was picked, ends the search.
    pub(super) fn back_in_inbox(&mut self) -> Vec<Effect> {
        self.requested = None;
        if self.inbox.clear_picked() {
            Vec::new()
        } else {
            self.end_search()
        }
    }

    /// Leaves a screen for the one before.
    pub(super) fn back(&mut self) {
        self.requested = None;
        self.screen = match self.screen {
            Screen::Composer => {
                self.save_draft();
                self.previous_screen
            }
            Screen::ContactForm => {
                self.contact_form = None;
                Screen::Contacts
            }
            Screen::Search => {
                self.search.line = None;
                Screen::Inbox
            }
            Screen::Saving => {
                self.saving = None;
                Screen::Message
            }
            Screen::Message | Screen::Outbox | Screen::Contacts | Screen::Inbox => {
                self.reading = None;
                Screen::Inbox
            }
        };
    }

    pub(super) fn up(&mut self) {
        self.scroll(-1);
    }

    pub(super) fn down(&mut self) {
        self.scroll(1);
    }

    pub(super) fn page_up(&mut self) {
        self.scroll(-self.page());
    }

    pub(super) fn page_down(&mut self) {
        self.scroll(self.page());
    }

    pub(super) fn top(&mut self) {
        self.scroll(isize::MIN / 2);
    }

    pub(super) fn bottom(&mut self) {
        self.scroll(isize::MAX / 2);
    }

    /// A page back in what has become of the selected message.
    pub(super) fn status_up(&mut self) {
        self.scroll_status(-1);
    }

    pub(super) fn status_down(&mut self) {
        self.scroll_status(1);
    }

    fn scroll_status(&mut self, pages: isize) {
        let page = self.areas.page;
        let top = self.outbox.top;
        let top = top.saturating_add_signed(pages * page.step());
        self.outbox.top = top.min(page.last());
    }

    fn page(&self) -> isize {
        let height = match (self.screen, &self.reading) {
            (Screen::Message, Some(reading)) => reading.height(),
            _ => self.inbox.height(),
        };
        // One line stays, to find the place again.
        isize::try_from(height)
            .unwrap_or(1)
            .saturating_sub(1)
            .max(1)
    }

    pub(super) fn scroll(&mut self, lines: isize) {
        match (self.screen, &mut self.reading) {
            (Screen::Inbox | Screen::Search, _) => self.inbox.move_by(lines),
            (Screen::Message | Screen::Saving, Some(reading)) => reading.scroll(lines),
            (Screen::Outbox, _) => self.outbox.move_by(lines),
            (Screen::Contacts, _) => self.contacts.move_by(lines),
            (Screen::Message | Screen::Saving | Screen::Composer | Screen::ContactForm, _) => {}
        }
    }

    /// A key while a page stands over the screen: it goes on in it as in a message, if there is more of it than is
    /// seen, or back.
    pub(super) fn scroll_overlay(&mut self, key: KeyEvent) {
        let binding = binding(Screen::Message, self.keyboard.key(key));
        let lines = match binding.map(|binding| binding.action) {
            Some(Action::Up) => -1,
            Some(Action::Down) => 1,
            Some(Action::PageUp) => -self.areas.page.step(),
            Some(Action::PageDown) => self.areas.page.step(),
            Some(Action::Top) => isize::MIN / 2,
            Some(Action::Bottom) => isize::MAX / 2,
            _ => 0,
        };
        let last = self.areas.page.last();
        self.overlay = match self.overlay {
            Some(page) if lines != 0 && last > 0 => Some(OverlayPage {
                top: page.top.saturating_add_signed(lines).min(last),
                ..page
            }),
            _ => None,
        };
    }
}
