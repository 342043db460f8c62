//! What keys and the mouse do: where they go, and what each asks for.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::{App, Order, RelayState};
use crate::tui::ask::Question;
use crate::tui::compose::Field;
use crate::tui::keys::{Act, Place};
use crate::tui::people::Change;
use kkv_owner::Delete;

/// Lines that the mouse wheel goes.
const WHEEL_LINES: isize = 3;

impl App {
    pub(super) fn key(&mut self, key: KeyEvent) -> Vec<Order> {
        // A line feed is Ctrl-J to a terminal, and a new line to everyone else.
        let is_line_feed = key.code == KeyCode::Char('j') && key.modifiers == KeyModifiers::CONTROL;
        let key = match key {
            _ if is_line_feed => KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE),
            key => key,
        };
        if self.came_with_a_paste(key) {
            return Vec::new();
        }
        if self.place.act(key) == Some(Act::Suspend) {
            return vec![Order::Suspend];
        }
        if self.place.act(key) == Some(Act::Redraw) {
            return vec![Order::Redraw];
        }
        if self.areas.nothing_fits {
            // Nobody sees what a key would do.
            let leaves = self.leaves(key) && self.has_nothing_to_lose();
            return if leaves {
                vec![Order::Quit]
            } else {
                Vec::new()
            };
        }
        if !self.is_pasting {
            self.note = None;
        }
        if self.help.is_some() {
            self.turn_page(key);
            return Vec::new();
        }
        if self.is_hushed && !self.leaves(key) {
            return Vec::new();
        }
        if self.asks_in_vain() && !self.leaves(key) {
            let first = self.questions.first();
            let is_no = first.is_some_and(|one| self.is_bare_no(one, key));
            if !is_no {
                return Vec::new();
            }
            self.is_hushed = true;
        }
        let is_no = matches!(key.code, KeyCode::Esc | KeyCode::Char('n'));
        let is_hidden = self.areas.question_is_hidden && !self.questions.is_empty();
        if is_hidden && !is_no && !self.leaves(key) {
            return Vec::new();
        }
        if let Some(question) = self.questions.take_first() {
            return self.answer(question, key);
        }
        let place_key = self.by_its_place(key);
        let act = self.place.act(place_key);
        // A phonetic keyboard has д on d, which deletes, and no terminal tells it from one that has it on l.
        if act == Some(Act::Open) && place_key != key {
            self.tell(false, "Enter opens it; a letter that isn't Latin does not");
            return Vec::new();
        }
        // What is being saved stays as it was written; only out of here one can go.
        let is_being_saved = self.person.as_ref().is_some_and(|form| form.is_being_saved);
        if is_being_saved && act != Some(Act::Quit) {
            self.tell(true, "saving…");
            return Vec::new();
        }
        let Some(act) = act else {
            match (self.place, &mut self.compose, &mut self.person) {
                (Place::Compose, Some(compose), _) => {
                    let hidden = compose.input(key);
                    self.tell_hidden(hidden.as_slice());
                }
                (Place::Person, _, Some(_)) => return self.write_down(key),
                (Place::Find, ..) => {
                    let hidden = self.search.input(key);
                    self.tell_hidden(hidden.as_slice());
                }
                _ => {}
            }
            return Vec::new();
        };
        self.act(act)
    }

    /// The key, or where nothing is written the Latin one in its place.
    pub(super) fn by_its_place(&self, key: KeyEvent) -> KeyEvent {
        if self.place.is_for_writing() {
            key
        } else {
            self.layout.key(key)
        }
    }

    /// Whether this key is the one out of here, whatever is on the screen.
    fn leaves(&self, key: KeyEvent) -> bool {
        self.place.act(key) == Some(Act::Quit) && key.modifiers == KeyModifiers::CONTROL
    }

    /// Whether this key does nothing but close the question, so that it needn't wait until the keys have rested.
    fn is_bare_no(&self, question: &Question, key: KeyEvent) -> bool {
        match (question, key.code) {
            // It comes by itself, perhaps under a key for something else.
            (Question::Pay { .. }, _) => false,
            // To say that the words differ does something, too.
            (Question::Verify { .. }, KeyCode::Char('n' | 'N')) => false,
            (_, KeyCode::Char('y' | 'Y')) => false,
            (_, KeyCode::Esc | KeyCode::Char('n')) => true,
            _ => !self.areas.question_is_hidden,
        }
    }

    pub(super) fn answer(&mut self, question: Question, key: KeyEvent) -> Vec<Order> {
        if self.leaves(key) {
            // Out of here, which answers whatever else was asked with a no.
            let is_quitting = matches!(question, Question::Quit { .. });
            for declined in self.questions.take_all().chain([question]) {
                if let Question::Pay { letter, .. } = declined {
                    self.outbox.decline(letter);
                }
            }
            return if is_quitting {
                vec![Order::Quit]
            } else {
                self.quit()
            };
        }
        // Only of what was seen; and only a yes is one, while a no that says something is spelled out.
        let is_seen = !self.areas.question_is_hidden;
        let is_plain = (key.modifiers - KeyModifiers::SHIFT).is_empty();
        let is = |letters: [char; 2]| {
            is_seen && is_plain && letters.map(KeyCode::Char).contains(&key.code)
        };
        let (yes, is_no) = (is(['y', 'Y']), is(['n', 'N']));
        // One key is a yes, whatever is in its place elsewhere: a Bulgarian no is where a Russian keyboard has y.
        if matches!(key.code, KeyCode::Char(letter) if !letter.is_ascii()) {
            self.tell(false, "that was no yes: a yes is the Latin letter y");
        }
        match question {
            Question::Pay { letter, answer, .. } => {
                if !yes {
                    self.outbox.decline(letter);
                }
                let _ = answer.send(yes); // if nobody waits any more, the delivery was cancelled
                Vec::new()
            }
            Question::Verify { name, target, .. } if !yes && is_no => self.differs(name, target),
            Question::Quit { writing, .. } if !yes => {
                if let Some(id) = writing {
                    self.edit(id);
                }
                self.ask_what_waits(); // nothing was asked meanwhile
                Vec::new()
            }
            _ if !yes => Vec::new(),
            Question::Delete(id) => vec![Order::Delete(Delete::Ids(vec![id]))],
            // Those that were counted in the question.
            Question::DeleteSeveral(ids) => vec![Order::Delete(Delete::Ids(ids))],
            Question::DeleteAll {
                ids,
                are_found,
                sure: false,
            } => {
                let sure = true;
                self.questions.ask_first(Question::DeleteAll {
                    ids,
                    are_found,
                    sure,
                });
                Vec::new()
            }
            // Those that were there when it was asked: another one may have come since.
            Question::DeleteAll {
                ids, sure: true, ..
            } => vec![Order::Delete(Delete::Ids(ids))],
            Question::Forget(id) => {
                self.outbox.forget(id);
                Vec::new()
            }
            Question::Remove(name, target) => self.change(Change::Remove(name, target)),
            Question::Verify { name, target, .. } => self.change(Change::Verify(name, target)),
            Question::Quit { .. } => vec![Order::Quit],
            Question::Start => vec![Order::StartRelay],
        }
    }

    pub(super) fn act(&mut self, act: Act) -> Vec<Order> {
        match act {
            Act::Quit => return self.quit(),
            Act::Suspend => return vec![Order::Suspend],
            Act::Redraw => return vec![Order::Redraw],
            Act::Help => self.help = Some(0),
            Act::Write => self.write(),
            Act::Outbox => {
                self.place = Place::Outbox;
                self.ask_what_waits();
            }
            Act::Back => return self.back(),
            Act::Previous if self.place == Place::Message => return self.step(-1),
            Act::Next if self.place == Place::Message => return self.step(1),
            Act::Up | Act::Previous => self.scroll(-1),
            Act::Down | Act::Next => self.scroll(1),
            Act::PageUp if self.place == Place::Outbox => self.turn_letter(-1),
            Act::PageDown if self.place == Place::Outbox => self.turn_letter(1),
            Act::PageUp => self.scroll(-self.page()),
            Act::PageDown => self.scroll(self.page()),
            Act::Top => self.scroll(isize::MIN / 2),
            Act::Bottom => self.scroll(isize::MAX / 2),
            Act::Open => return self.open(),
            Act::Mark => return self.mark(),
            Act::Delete => self.ask_to_delete(),
            Act::Pick => self.inbox.pick(),
            Act::DeleteAll => self.ask_to_delete_all(),
            Act::Find => self.type_words(),
            Act::Look => return self.begin_search(),
            Act::Copy => return self.copy(),
            Act::CopyLink => return self.copy_link(),
            Act::CopyAddress => return self.copy_address(),
            Act::Start => match &self.relay {
                RelayState::Away {
                    can_start: true, ..
                } => self.ask(Question::Start),
                RelayState::Away { what, .. } => {
                    let what = what.clone();
                    self.tell(false, what);
                }
                RelayState::Asking => {}
                RelayState::Here(_) => self.tell_of_relay(true, "your relay is running"),
            },
            Act::People => self.place = Place::People,
            Act::Add => self.begin_person(),
            Act::Rename => self.begin_renaming(),
            Act::Verify => self.ask_to_verify(),
            Act::Save => return self.save_person(),
            Act::Send => return self.send(),
            Act::OtherField => match (self.place, &mut self.compose, &mut self.person) {
                (Place::Compose, Some(compose), _) => compose.other_field(),
                (Place::Person, _, Some(person)) => person.next_line(),
                _ => {}
            },
            Act::Undo | Act::Redo => self.undo(act == Act::Undo),
            Act::Cancel => return self.cancel(),
        }
        Vec::new()
    }

    pub(super) fn step(&mut self, lines: isize) -> Vec<Order> {
        let before = self.inbox.place();
        self.inbox.move_by(lines);
        if self.inbox.place() == before {
            let which = if lines < 0 { "first" } else { "last" };
            self.tell(true, format!("this is the {which} in the list"));
            return Vec::new();
        }
        self.open()
    }

    pub(super) fn page(&self) -> isize {
        let height = match (self.place, &self.reading) {
            (Place::Message, Some(reading)) => reading.height(),
            _ => self.inbox.height(),
        };
        // One line stays, to find the place again.
        isize::try_from(height)
            .unwrap_or(1)
            .saturating_sub(1)
            .max(1)
    }

    pub(super) fn scroll(&mut self, lines: isize) {
        match (self.place, &mut self.reading) {
            (Place::Inbox | Place::Find, _) => self.inbox.move_by(lines),
            (Place::Message, Some(reading)) => reading.scroll(lines),
            (Place::Outbox, _) => self.outbox.move_by(lines),
            (Place::People, _) => self.people.move_by(lines),
            (Place::Message | Place::Compose | Place::Person, _) => {}
        }
    }

    pub(super) fn back(&mut self) -> Vec<Order> {
        self.wanted = None;
        if self.place == Place::Inbox {
            return if self.inbox.pick_none() {
                Vec::new()
            } else {
                self.end_search()
            };
        }
        match self.place {
            Place::Compose => {
                self.put_aside();
                self.place = self.before;
            }
            Place::Message => {
                self.reading = None;
                self.place = Place::Inbox;
            }
            Place::Person => {
                self.person = None;
                self.place = Place::People;
            }
            Place::Outbox | Place::People | Place::Inbox => {
                self.reading = None;
                self.place = Place::Inbox;
            }
            Place::Find => {
                self.search.line = None;
                self.place = Place::Inbox;
            }
        }
        Vec::new()
    }

    pub(super) fn mouse(&mut self, mouse: MouseEvent) -> Vec<Order> {
        // Its bytes can come with a paste as well as keys can.
        if !self.questions.is_empty() || self.help.is_some() || self.ignores_keys() {
            return Vec::new();
        }
        let at = Position::new(mouse.column, mouse.row);
        match mouse.kind {
            MouseEventKind::ScrollDown => self.scroll(WHEEL_LINES),
            MouseEventKind::ScrollUp => self.scroll(-WHEEL_LINES),
            MouseEventKind::Down(MouseButton::Left) if self.areas.list.contains(at) => {
                return self.clicked(usize::from(mouse.row - self.areas.list.y));
            }
            MouseEventKind::Down(MouseButton::Left) if self.place == Place::Compose => {
                let fields = [(Field::To, self.areas.to), (Field::Text, self.areas.text)];
                let here = fields.into_iter().find(|(_, area)| area.contains(at));
                if let (Some((field, area)), Some(compose)) = (here, &mut self.compose) {
                    compose.click(field, at.y - area.y, at.x - area.x);
                }
            }
            _ => {}
        }
        Vec::new()
    }

    pub(super) fn clicked(&mut self, row: usize) -> Vec<Order> {
        match self.place {
            Place::Inbox | Place::Message => {
                let Some(place) = self.inbox.at(row) else {
                    return Vec::new();
                };
                let again = self.inbox.place() == Some(place);
                self.inbox.choose(place);
                if again || self.place == Place::Message {
                    self.open()
                } else {
                    Vec::new()
                }
            }
            Place::Outbox if self.areas.top + row < self.outbox.letters().len() => {
                let place = self.areas.top + row;
                let again = self.outbox.chosen == place;
                self.outbox.chosen = place;
                self.outbox.top = 0;
                if again { self.open() } else { Vec::new() }
            }
            Place::People => {
                let place = self.areas.top + row;
                let again = self.people.place() == place;
                if self.people.choose(place) && again {
                    self.write_to_chosen();
                }
                Vec::new()
            }
            Place::Outbox | Place::Compose | Place::Person | Place::Find => Vec::new(),
        }
    }
}
