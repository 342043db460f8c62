//! What is done with contacts: written to, added, renamed, compared, removed.

use crossterm::event::{KeyCode, KeyEvent};

use super::{App, Order};
use crate::contacts::{Contact, Name};
use crate::tor::Target;
use crate::tui::ask::Question;
use crate::tui::keys::Place;
use crate::tui::people::{Change, Kept};
use crate::tui::person::Person;
use kkv_ui::fields::{address, words};

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
            _ => {
                let hidden = person.input(key);
                self.tell_hidden(hidden.as_slice());
            }
        }
        Vec::new()
    }

    pub(super) fn save_person(&mut self) -> Vec<Order> {
        let Some(person) = &mut self.person else {
            return Vec::new();
        };
        match person.ready() {
            Ok(change) => {
                person.is_being_saved = true;
                self.change(change)
            }
            Err((line, why)) => {
                person.line = line;
                self.tell(false, why);
                Vec::new()
            }
        }
    }

    /// Has it done: at once, or in the file of contacts first if there is one.
    pub(super) fn change(&mut self, change: Change) -> Vec<Order> {
        if self.people.are_kept() {
            if !matches!(change, Change::Spoke(..)) {
                self.tell(true, "saving…");
            }
            return vec![Order::Keep(change)];
        }
        let mut book = self.people.book().clone();
        let done = change.apply(&mut book).map_err(|fault| fault.to_string());
        self.changed(Kept { change, done, book });
        self.look_anew()
    }

    pub(super) fn changed(&mut self, kept: Kept) {
        let Kept { change, done, book } = kept;
        self.people.set(book);
        let is_of_form = matches!(change, Change::Add(_) | Change::Rename(..));
        if let Err(why) = done {
            if let Some(form) = self.person.as_mut().filter(|_| is_of_form) {
                form.is_being_saved = false;
            }
            let what = match change {
                Change::Spoke(..) => "accepted, but its suite can't be noted: ",
                _ => "",
            };
            return self.tell(false, format!("{what}{why}"));
        }
        let (written, told) = match &change {
            Change::Add(contact) => (
                Some(contact.name()),
                format!("{} is a contact", contact.name()),
            ),
            Change::Rename(old, new) => (Some(new), format!("{old} is now {new}")),
            Change::Verify(name, _) => (None, format!("{name} is verified")),
            Change::Distrust(name, _) => (None, format!("{name} is not verified any more")),
            Change::Remove(name, _) => (None, format!("{name} is no contact any more")),
            Change::Spoke(..) => return,
        };
        let mut until = "";
        if let Some(name) = written {
            self.person = None;
            self.place = Place::People;
            self.people.choose_name(name);
            if !self.people.are_kept() {
                until = ", until you end kkvc: --contacts FILE keeps them";
            }
        }
        self.tell(true, told + until);
    }

    /// The words were compared, and are not the same.
    pub(super) fn differs(&mut self, name: Name, target: Target) -> Vec<Order> {
        let was_verified = self.people.book().get(&name);
        if was_verified.is_ok_and(Contact::is_verified) {
            return self.change(Change::Distrust(name, target));
        }
        let what =
            format!("{name} is not verified; if the words differ, it is somebody else's address");
        self.tell(false, what);
        Vec::new()
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
