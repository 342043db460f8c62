//! What is done with contacts: written to, added, renamed, compared, removed.

use crossterm::event::{KeyCode, KeyEvent};

use super::App;
use crate::tor::Target;
use crate::tui::event::{ContactsEvent, Effect};
use crate::tui::state::contact_form::ContactForm;
use crate::tui::state::contact_list::Change;
use crate::tui::state::question::Question;
use crate::tui::state::screen::Screen;
use kkv_client::contacts::{Contact, Name};
use kkv_ui::fields::{address, words};

impl App {
    /// Begins a message to the selected contact.
    pub(super) fn write_to_selected(&mut self) {
        let Some(contact) = self.contacts.selected() else {
            return;
        };
        let to = contact.name().to_string();
        let id = self.outbox.begin();
        if let Some(outgoing) = self.outbox.get_mut(id) {
            outgoing.to = to;
        }
        self.edit(id);
    }

    /// Somebody new; from a message, who has signed it.
    pub(super) fn add_contact(&mut self) {
        let read = self
            .reading
            .as_ref()
            .filter(|_| self.screen == Screen::Message);
        let sender = read.and_then(|reading| reading.summary().sender);
        if let Some(name) = self.contacts.who_signs(sender.as_ref()) {
            let note = format!("{name} signs with this key");
            self.inform(note);
            return;
        }
        self.contact_form = Some(ContactForm::new(sender));
        self.screen = Screen::ContactForm;
    }

    pub(super) fn rename_contact(&mut self) {
        if let Some(contact) = self.contacts.selected() {
            self.contact_form = Some(ContactForm::renaming(contact.name()));
            self.screen = Screen::ContactForm;
        }
    }

    /// A key in the form, which is no command.
    pub(super) fn contact_form_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let Some(form) = &mut self.contact_form else {
            return Vec::new();
        };
        match key.code {
            KeyCode::Enter if form.is_at_its_end() => return self.save_contact(),
            KeyCode::Enter | KeyCode::Down => form.next_line(),
            _ => {
                let hidden = form.input(key);
                self.notify_of_hidden(hidden.as_slice());
            }
        }
        Vec::new()
    }

    pub(super) fn save_contact(&mut self) -> Vec<Effect> {
        let Some(form) = &mut self.contact_form else {
            return Vec::new();
        };
        match form.ready() {
            Ok(Change::Add(contact)) if self.contacts.book().has_another_invitation(&contact) => {
                self.ask(Question::Replace(Box::new(contact)));
                Vec::new()
            }
            Ok(change) => {
                form.is_being_saved = true;
                self.change_contacts(change)
            }
            Err((line, why)) => {
                form.line = line;
                self.warn(why);
                Vec::new()
            }
        }
    }

    /// It was agreed that this one's invitation takes the place of another.
    pub(super) fn replace_invitation(&mut self, contact: Contact) -> Vec<Effect> {
        if let Some(form) = &mut self.contact_form {
            form.is_being_saved = true;
        }
        self.change_contacts(Change::AddOver(contact))
    }

    pub(super) fn next_line(&mut self) {
        if let Some(form) = &mut self.contact_form {
            form.next_line();
        }
    }

    pub(super) fn ask_to_remove_contact(&mut self) {
        if let Some(contact) = self.contacts.selected() {
            let (name, target) = (contact.name().clone(), contact.target());
            self.ask(Question::Remove(name, target));
        }
    }

    /// Has it done: at once, or in the file of contacts first if there is one.
    pub(super) fn change_contacts(&mut self, change: Change) -> Vec<Effect> {
        if self.contacts.are_kept() {
            if !matches!(change, Change::Spoke(..)) {
                self.inform("saving…");
            }
            return vec![Effect::ChangeContacts(change)];
        }
        let mut book = self.contacts.book().clone();
        let result = change.apply(&mut book).map_err(|fault| fault.to_string());
        self.on_contacts_event(ContactsEvent::Tried {
            change: Box::new(change),
            result,
            book,
        })
    }

    pub(super) fn on_contacts_event(&mut self, event: ContactsEvent) -> Vec<Effect> {
        match event {
            ContactsEvent::Tried {
                change,
                result,
                book,
            } => {
                self.contacts.set(book);
                self.on_change_tried(&change, result);
            }
            ContactsEvent::Refreshed(book) => self.contacts.set(book),
            ContactsEvent::Unreadable(why) => {
                let what = format!("the file of contacts can't be read any more: {why}");
                self.warn(what);
                return Vec::new();
            }
        }
        self.restart_search()
    }

    fn on_change_tried(&mut self, change: &Change, result: Result<(), String>) {
        let is_of_form = matches!(
            change,
            Change::Add(_) | Change::AddOver(_) | Change::Rename(..)
        );
        if let Err(why) = result {
            if let Some(form) = self.contact_form.as_mut().filter(|_| is_of_form) {
                form.is_being_saved = false;
            }
            let what = match change {
                Change::Spoke(..) => "accepted, but its suite can't be noted: ",
                _ => "",
            };
            return self.warn(format!("{what}{why}"));
        }
        let (written, note) = match change {
            Change::Add(contact) => {
                let invited = contact.invitation().map_or("", |_| ", and you are invited");
                let name = contact.name();
                (Some(name), format!("{name} is a contact{invited}"))
            }
            Change::AddOver(contact) => {
                let name = contact.name();
                (Some(name), format!("{name} has this invitation now"))
            }
            Change::Rename(old, new) => (Some(new), format!("{old} is now {new}")),
            Change::Verify(name, _) => (None, format!("{name} is verified")),
            Change::Distrust(name, _) => (None, format!("{name} is not verified any more")),
            Change::Remove(name, _) => (None, format!("{name} is no contact any more")),
            Change::Spoke(..) => return,
        };
        let mut until = "";
        if let Some(name) = written {
            self.contact_form = None;
            self.screen = Screen::Contacts;
            self.contacts.select_name(name);
            if !self.contacts.are_kept() {
                until = ", until you end kkvc: --contacts FILE keeps them";
            }
        }
        self.inform(note + until);
    }

    /// The words were compared, and are not the same.
    pub(super) fn on_words_differ(&mut self, name: Name, target: Target) -> Vec<Effect> {
        let was_verified = self.contacts.book().get(&name);
        if was_verified.is_ok_and(Contact::is_verified) {
            return self.change_contacts(Change::Distrust(name, target));
        }
        let what =
            format!("{name} is not verified; if the words differ, it is somebody else's address");
        self.warn(what);
        Vec::new()
    }

    pub(super) fn ask_to_verify(&mut self) {
        let Some(contact) = self.contacts.selected() else {
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
                self.warn(format!("{here} is on this machine, and has no words"));
            }
        }
    }
}
