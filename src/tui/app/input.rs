//! Where keys and the mouse go.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::App;
use super::bindings::{Action, binding};
use crate::tui::event::Effect;
use crate::tui::state::composer::Field;
use crate::tui::state::screen::Screen;

/// Lines that the mouse wheel goes.
const WHEEL_LINES: isize = 3;

impl App {
    pub(super) fn key(&mut self, key: KeyEvent) -> Vec<Effect> {
        // A line feed is Ctrl-J to a terminal, and a new line to everyone else.
        let is_line_feed = key.code == KeyCode::Char('j') && key.modifiers == KeyModifiers::CONTROL;
        let key = match key {
            _ if is_line_feed => KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE),
            key => key,
        };
        if self.is_blocked_by_paste(key) {
            return Vec::new();
        }
        if let Some(binding) = binding(self.screen, key)
            && matches!(binding.action, Action::Suspend | Action::Redraw)
        {
            return binding.run(self);
        }
        if self.areas.nothing_fits {
            // Nobody sees what a key would do.
            let leaves = self.leaves(key) && self.can_quit_without_loss();
            return if leaves {
                vec![Effect::Quit]
            } else {
                Vec::new()
            };
        }
        if !self.is_pasting {
            self.note = None;
        }
        if self.overlay.is_some() {
            self.scroll_overlay(key);
            return Vec::new();
        }
        if self.ignores_burst && !self.leaves(key) {
            return Vec::new();
        }
        if self.question_waits_for_rest() && !self.leaves(key) {
            let first = self.questions.first();
            let is_no = first.is_some_and(|one| self.is_bare_no(one, key));
            if !is_no {
                return Vec::new();
            }
            self.ignores_burst = true;
        }
        let is_no = matches!(key.code, KeyCode::Esc | KeyCode::Char('n'));
        let is_hidden = self.areas.question_is_hidden && !self.questions.is_empty();
        if is_hidden && !is_no && !self.leaves(key) {
            return Vec::new();
        }
        if let Some(question) = self.questions.take_first() {
            return self.answer(question, key);
        }
        let latin = self.as_latin_key(key);
        let binding = binding(self.screen, latin);
        let action = binding.map(|binding| binding.action);
        // A phonetic keyboard has д on d, which deletes, and no terminal tells it from one that has it on l.
        if action == Some(Action::Open) && latin != key && latin.code == KeyCode::Char('l') {
            self.warn("Enter opens it; a letter that isn't Latin does not");
            return Vec::new();
        }
        // What is being saved stays as it was written; only out of here one can go.
        let form = self.contact_form.as_ref();
        if form.is_some_and(|form| form.is_being_saved) && action != Some(Action::Quit) {
            self.inform("saving…");
            return Vec::new();
        }
        match binding {
            Some(binding) => binding.run(self),
            None => self.write_key(key),
        }
    }

    /// A key that is no command: where something is written, it writes.
    fn write_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        match (self.screen, &mut self.composer) {
            (Screen::Composer, Some(composer)) => {
                let hidden = composer.input(key);
                self.notify_of_hidden(hidden.as_slice());
            }
            (Screen::ContactForm, _) => return self.contact_form_key(key),
            (Screen::Saving, _) => {
                let hidden = self.saving.as_mut().and_then(|saving| saving.input(key));
                self.notify_of_hidden(hidden.as_slice());
            }
            (Screen::Search, _) => {
                let hidden = self.search.input(key);
                self.notify_of_hidden(hidden.as_slice());
            }
            _ => {}
        }
        Vec::new()
    }

    /// The key, or where nothing is written the Latin one in its place.
    pub(super) fn as_latin_key(&self, key: KeyEvent) -> KeyEvent {
        if self.screen.is_for_writing() {
            key
        } else {
            self.keyboard.key(key)
        }
    }

    /// Whether this key is the one out of here, whatever is on the screen.
    pub(super) fn leaves(&self, key: KeyEvent) -> bool {
        let binding = binding(self.screen, key);
        binding.is_some_and(|binding| binding.action == Action::Quit)
            && key.modifiers == KeyModifiers::CONTROL
    }

    pub(super) fn mouse(&mut self, mouse: MouseEvent) -> Vec<Effect> {
        // Its bytes can come with a paste as well as keys can.
        if !self.questions.is_empty() || self.overlay.is_some() || self.ignores_keys() {
            return Vec::new();
        }
        let at = Position::new(mouse.column, mouse.row);
        match mouse.kind {
            MouseEventKind::ScrollDown => self.scroll(WHEEL_LINES),
            MouseEventKind::ScrollUp => self.scroll(-WHEEL_LINES),
            MouseEventKind::Down(MouseButton::Left) if self.areas.list.contains(at) => {
                return self.clicked(usize::from(mouse.row - self.areas.list.y));
            }
            MouseEventKind::Down(MouseButton::Left) if self.screen == Screen::Composer => {
                let fields = [(Field::To, self.areas.to), (Field::Text, self.areas.text)];
                let here = fields.into_iter().find(|(_, area)| area.contains(at));
                if let (Some((field, area)), Some(composer)) = (here, &mut self.composer) {
                    composer.click(field, at.y - area.y, at.x - area.x);
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn clicked(&mut self, row: usize) -> Vec<Effect> {
        match self.screen {
            Screen::Inbox | Screen::Message => {
                let Some(position) = self.inbox.at(row) else {
                    return Vec::new();
                };
                let again = self.inbox.position() == Some(position);
                self.inbox.select(position);
                if again || self.screen == Screen::Message {
                    self.open_selected()
                } else {
                    Vec::new()
                }
            }
            Screen::Outbox if self.areas.top + row < self.outbox.messages().len() => {
                let position = self.areas.top + row;
                let again = self.outbox.selected == position;
                self.outbox.selected = position;
                self.outbox.top = 0;
                if again {
                    self.edit_outgoing();
                }
                Vec::new()
            }
            Screen::Contacts => {
                let position = self.areas.top + row;
                let again = self.contacts.position() == position;
                if self.contacts.select(position) && again {
                    self.write_to_selected();
                }
                Vec::new()
            }
            Screen::Outbox
            | Screen::Composer
            | Screen::ContactForm
            | Screen::Search
            | Screen::Saving => Vec::new(),
        }
    }
}
