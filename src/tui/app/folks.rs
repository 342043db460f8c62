//! What is done with contacts: written to, added, renamed, compared, removed.

use crossterm::event::{KeyCode, KeyEvent};

use super::{App, Order};
use crate::cli::contact::{address, words};
use crate::contacts::Book;
use crate::tui::ask::Question;
use crate::tui::keys::Place;
use crate::tui::people::Change;
use crate::tui::person::{Person, Written};

impl App {
    /// Begins a message to the chosen one.
    pub(super) fn write_to_chosen(&mut self) {
        let Some(contact) = self.people.chosen() else {
            return;
        };
        let to = contact.name().to_string();
        let id = self.outbox.begin();
        if let Some(letter) = self.outbox.get_mut(id) {
            letter.to = to;
        }
        self.edit(id);
    }

    /// Somebody new; from a message, who has signed it.
    pub(super) fn begin_person(&mut self) {
        let read = self
            .reading
            .as_ref()
            .filter(|_| self.place == Place::Message);
        let sender = read.map(|reading| reading.summary().sender);
        if let Some(name) = sender.and_then(|key| self.people.who_signs(&key)) {
            let told = format!("{name} signs with this key");
            self.tell(true, told);
            return;
        }
        self.person = Some(Person::new(sender));
        self.place = Place::Person;
    }

    pub(super) fn begin_renaming(&mut self) {
        if let Some(contact) = self.people.chosen() {
            self.person = Some(Person::renaming(contact.name()));
            self.place = Place::Person;
        }
    }

    /// A key in the form, which is no command.
    pub(super) fn write_down(&mut self, key: KeyEvent) -> Vec<Order> {
        let Some(person) = &mut self.person else {
            return Vec::new();
        };
        match key.code {
            KeyCode::Enter if person.is_at_its_end() => return self.save_person(),
            KeyCode::Enter | KeyCode::Down => person.next_line(),
            _ => person.input(key),
        }
        Vec::new()
    }

    pub(super) fn save_person(&mut self) -> Vec<Order> {
        let Some(person) = self.person.as_mut().filter(|form| !form.is_being_saved) else {
            return Vec::new();
        };
        let written = match person.ready() {
            Ok(written) => written,
            Err((line, why)) => {
                person.line = line;
                self.tell(false, why);
                return Vec::new();
            }
        };
        person.is_being_saved = true;
        self.change(match written {
            Written::Add(contact) => Change::Add(contact),
            Written::Rename(old, new) => Change::Rename(old, new),
        })
    }

    /// Has it done: at once, or in the file of contacts first if there is one.
    pub(super) fn change(&mut self, change: Change) -> Vec<Order> {
        if self.people.are_kept() {
            return vec![Order::Keep(change)];
        }
        let mut book = self.people.book().clone();
        let done = match change.apply(&mut book) {
            Ok(()) => Ok(book),
            Err(fault) => Err(fault.to_string()),
        };
        self.changed(&change, done);
        Vec::new()
    }

    /// It is done, and these are all contacts now; or why it isn't.
    pub(super) fn changed(&mut self, change: &Change, done: Result<Book, String>) {
        match done {
            Ok(book) => self.people.set(book),
            Err(why) => return self.not_changed(change, &why),
        }
        let (name, told) = match change {
            Change::Add(contact) => (contact.name(), format!("{} is a contact", contact.name())),
            Change::Rename(old, new) => (new, format!("{old} is now {new}")),
            Change::Verify(name, _) => return self.tell(true, format!("{name} is verified")),
            Change::Remove(name) => {
                return self.tell(true, format!("{name} is no contact any more"));
            }
            Change::Spoke(..) => return,
        };
        self.people.choose_name(name);
        // The form that it was written in, unless one has left that.
        let form = self.person.take_if(|form| form.is_being_saved);
        if form.is_some() && self.place == Place::Person {
            self.place = Place::People;
        }
        let until = if self.people.are_kept() {
            ""
        } else {
            ", until you end kkvc: --contacts FILE keeps them"
        };
        self.tell(true, told + until);
    }

    fn not_changed(&mut self, change: &Change, why: &str) {
        if let Change::Spoke(..) = change {
            let what = format!("accepted, but its suite can't be noted: {why}");
            return self.tell(false, what);
        }
        if let Some(form) = &mut self.person {
            form.is_being_saved = false;
        }
        self.tell(false, why);
    }

    pub(super) fn ask_to_verify(&mut self) {
        let Some(contact) = self.people.chosen() else {
            return;
        };
        let (name, target) = (contact.name().clone(), contact.target());
        match words(target) {
            Some(words) => {
                let words = words.to_string();
                self.ask(Question::Verify {
                    name,
                    target,
                    words,
                });
            }
            None => {
                let here = address(target);
                self.tell(
                    false,
                    format!("{here} is on this machine, and has no words"),
                );
            }
        }
    }
}
