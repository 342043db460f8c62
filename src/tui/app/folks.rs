//! What is done with contacts: written to, added, renamed, compared, removed.

use crossterm::event::{KeyCode, KeyEvent};

use super::App;
use crate::cli::contact::{address, words};
use crate::contacts::{Book, Name};
use crate::tor::Target;
use crate::tui::ask::Question;
use crate::tui::keys::Place;
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
    pub(super) fn write_down(&mut self, key: KeyEvent) {
        let Some(person) = &mut self.person else {
            return;
        };
        match key.code {
            KeyCode::Enter if person.is_at_its_end() => self.save_person(),
            KeyCode::Enter | KeyCode::Down => person.next_line(),
            _ => person.input(key),
        }
    }

    pub(super) fn save_person(&mut self) {
        let Some(person) = &mut self.person else {
            return;
        };
        let written = match person.ready() {
            Ok(written) => written,
            Err((line, why)) => {
                person.line = line;
                self.tell(false, why);
                return;
            }
        };
        let chosen = match &written {
            Written::Add(contact) => contact.name().clone(),
            Written::Rename(_, new) => new.clone(),
        };
        let saved = match written {
            Written::Add(contact) => {
                let told = format!("{} is a contact", contact.name());
                self.people.change(|book| book.add(contact)).map(|()| told)
            }
            Written::Rename(old, new) => {
                let told = format!("{old} is now {new}");
                let renamed = self
                    .people
                    .change(|book| book.rename(&old, new).map(|_| ()));
                renamed.map(|()| told)
            }
        };
        match saved {
            Ok(told) => {
                self.person = None;
                self.place = Place::People;
                self.people.choose_name(&chosen);
                let until = if self.people.are_kept() {
                    ""
                } else {
                    ", until you end kkvc: --contacts FILE keeps them"
                };
                self.tell(true, told + until);
            }
            Err(why) => self.tell(false, why),
        }
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

    /// The words of `target` were compared, and nobody else's: the file may have been changed meanwhile.
    pub(super) fn verified(&mut self, name: &Name, target: Target) {
        let verify = |book: &mut Book| book.verify(name, target).map(|_| ());
        match self.people.change(verify) {
            Ok(()) => self.tell(true, format!("{name} is verified")),
            Err(why) => self.tell(false, why),
        }
    }

    pub(super) fn remove(&mut self, name: &Name) {
        match self.people.change(|book| book.remove(name).map(|_| ())) {
            Ok(()) => self.tell(true, format!("{name} is no contact any more")),
            Err(why) => self.tell(false, why),
        }
    }
}
