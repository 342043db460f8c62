//! What is done with messages: opened, written, sent, marked, deleted, copied.

use zeroize::Zeroizing;

use super::{App, Order, RelayState};
use crate::count::counted;
use crate::tui::ask::Question;
use crate::tui::compose::Compose;
use crate::tui::keys::Place;
use crate::tui::outbox::Stage;
use crate::tui::post::Step;
use crate::tui::reading::Reading;
use kkv_owner::{Reach, Summary};
use kkv_terminal::visible::OneLine;

impl App {
    pub(super) fn open(&mut self) -> Vec<Order> {
        match self.place {
            Place::Inbox | Place::Message => {
                self.wanted = self.inbox.chosen().map(|message| message.id);
                self.wanted.map(Order::Fetch).into_iter().collect()
            }
            Place::Outbox => {
                let Some(letter) = self.outbox.chosen() else {
                    return Vec::new();
                };
                match letter.stage {
                    Stage::Draft | Stage::Failed(_) => {
                        let id = letter.id;
                        self.edit(id);
                    }
                    Stage::UnderWay(_) => self.tell(false, "it is on its way; x cancels it"),
                    Stage::Accepted(_) => self.tell(true, "it has arrived, and is not kept here"),
                }
                Vec::new()
            }
            Place::People => {
                self.write_to_chosen();
                Vec::new()
            }
            Place::Compose | Place::Person | Place::Find => Vec::new(),
        }
    }

    pub(super) fn write(&mut self) {
        // Where those that were written are listed, drafts are seen and can be opened; elsewhere one goes on with the
        // last.
        let draft = self.outbox.draft().filter(|_| self.place != Place::Outbox);
        let id = draft.unwrap_or_else(|| self.outbox.begin());
        self.edit(id);
    }

    pub(super) fn edit(&mut self, id: u64) {
        let Some(letter) = self.outbox.get(id) else {
            return;
        };
        self.compose = Some(Compose::new(id, &letter.to, &letter.text));
        if self.place != Place::Compose {
            self.before = self.place;
        }
        self.place = Place::Compose;
    }

    pub(super) fn put_aside(&mut self) {
        let Some(compose) = self.compose.take() else {
            return;
        };
        let (to, text) = (compose.address(), compose.text());
        let Some(letter) = self.outbox.get_mut(compose.id) else {
            return;
        };
        // Who is written to is known at once from the contacts; where nothing was written to them, there is no draft.
        let is_untouched = text.is_empty() && letter.text.is_empty() && letter.to == to;
        if compose.is_empty() || is_untouched {
            self.outbox.forget(compose.id);
            return;
        }
        // One that was only looked at stays what it is: perhaps its fate is unknown.
        if letter.to == to && *letter.text == *text {
            return;
        }
        (letter.to, letter.text) = (to, text);
        letter.bytes = letter.text.len();
        letter.stage = Stage::Draft;
        let is_next = self.outbox.draft() == Some(compose.id);
        let told = match self.before {
            Place::Inbox | Place::Message if is_next => {
                "put aside: c goes on writing it; o has it, and there c begins another"
            }
            Place::Outbox => "put aside: Enter goes on writing it",
            Place::People if is_next => "put aside: Esc, then c goes on writing it",
            _ => "put aside: it is with what you have written, where o leads from the list",
        };
        self.tell(true, told);
    }

    pub(super) fn send(&mut self) -> Vec<Order> {
        let Some(compose) = &mut self.compose else {
            return Vec::new();
        };
        let (target, text) = match compose.ready(self.people.book()) {
            Ok(ready) => ready,
            Err(unready) => {
                compose.field = unready.field;
                self.tell(false, unready.why);
                return Vec::new();
            }
        };
        let id = compose.id;
        self.put_aside();
        // From here on it can be neither sent again nor forgotten, also by a key that is pressed already.
        self.set_stage(id, Stage::UnderWay(Step::default()));
        if let Some(letter) = self.outbox.get_mut(id) {
            letter.bytes = text.as_str().len();
            letter.is_declined = false;
        }
        self.note = None;
        self.place = Place::Outbox;
        self.outbox.choose(id);
        let better = self.people.better(target);
        vec![Order::Send {
            id,
            target,
            better,
            text,
        }]
    }

    /// Takes the last change of what is being written back, or does it again.
    pub(super) fn undo(&mut self, back: bool) {
        let done = match &mut self.compose {
            Some(compose) if back => compose.undo(),
            Some(compose) => compose.redo(),
            None => false,
        };
        if !done {
            let which = if back { "undo" } else { "do again" };
            self.tell(true, format!("there is nothing to {which}"));
        }
    }

    pub(super) fn cancel(&mut self) -> Vec<Order> {
        match self.outbox.chosen() {
            Some(letter) if matches!(letter.stage, Stage::UnderWay(_)) => {
                vec![Order::Cancel(letter.id)]
            }
            _ => {
                self.tell(false, "it is not on its way");
                Vec::new()
            }
        }
    }

    /// Those picked out of the list, where that is where one is.
    fn picked(&self) -> Vec<&Summary> {
        match self.place {
            Place::Inbox => self.inbox.picked().collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn mark(&mut self) -> Vec<Order> {
        let picked = self.picked();
        if !picked.is_empty() {
            // Several become alike.
            let read = picked.iter().any(|message| !message.read);
            let ids: Vec<_> = picked.iter().map(|message| message.id).collect();
            if let Some(reading) = &mut self.reading
                && ids.contains(&reading.summary().id)
            {
                reading.set_read(read);
            }
            let marked = counted(ids.len() as u64, "message");
            let how = if read { "read" } else { "unread" };
            self.inbox.pick_none();
            self.tell(true, format!("marked {marked} as {how}"));
            return vec![Order::Mark(ids, read)];
        }
        let open = self
            .reading
            .as_ref()
            .filter(|_| self.place == Place::Message);
        let message = open.map(Reading::summary).or_else(|| self.inbox.chosen());
        let order = message.map(|message| Order::Mark(vec![message.id], !message.read));
        if let (Some(reading), Some(Order::Mark(ids, read))) = (&mut self.reading, &order)
            && ids.contains(&reading.summary().id)
        {
            reading.set_read(*read);
        }
        order.into_iter().collect()
    }

    pub(super) fn ask_to_delete(&mut self) {
        let open = self
            .reading
            .as_ref()
            .filter(|_| self.place == Place::Message);
        let question = match self.place {
            Place::Inbox if !self.picked().is_empty() => {
                let ids = self.picked().iter().map(|message| message.id).collect();
                Some(Question::DeleteSeveral(ids))
            }
            Place::Message | Place::Inbox => {
                let message = open.map(Reading::summary).or_else(|| self.inbox.chosen());
                message.map(|message| Question::Delete(message.id))
            }
            Place::Outbox => match self.outbox.chosen() {
                Some(letter) if matches!(letter.stage, Stage::UnderWay(_)) => {
                    self.tell(false, "it is on its way; x cancels it");
                    None
                }
                Some(letter)
                    if matches!(letter.stage, Stage::Accepted(_)) || letter.text.is_empty() =>
                {
                    let id = letter.id;
                    self.outbox.forget(id);
                    None
                }
                Some(letter) => Some(Question::Forget(letter.id)),
                None => None,
            },
            Place::People => {
                let chosen = self.people.chosen();
                chosen.map(|contact| Question::Remove(contact.name().clone(), contact.target()))
            }
            Place::Compose | Place::Person | Place::Find => None,
        };
        if let Some(question) = question {
            self.ask(question);
        }
    }

    /// Those in the list: what a search leaves out of it stays.
    pub(super) fn ask_to_delete_all(&mut self) {
        let ids: Vec<_> = self.inbox.messages().map(|m| m.id).collect();
        if ids.is_empty() {
            return self.tell(false, "there is no message to delete");
        }
        let are_found = self.search.under_way.is_some();
        self.ask(Question::DeleteAll {
            ids,
            are_found,
            sure: false,
        });
    }

    pub(super) fn copy(&mut self) -> Vec<Order> {
        let Some(reading) = &self.reading else {
            return Vec::new();
        };
        let (text, id) = (reading.to_copy(), reading.summary().id);
        let allowed = self.clipboard.condition();
        let mut told = format!("copied to the clipboard, {allowed}");
        // What a line feed at its end would do in a shell, or a tab, is no part of what was said.
        let is_said = |text: &str| {
            let words: Vec<&str> = text.split_whitespace().collect();
            words.join(" ")
        };
        if Zeroizing::new(is_said(&text)) != Zeroizing::new(is_said(reading.text())) {
            told = format!("copied as it is shown, {allowed}; as it came: kkvc read {id} --raw");
        } else if text.contains('\n') {
            told += "; pasted into a shell, each line may be run";
        }
        self.tell(true, told);
        vec![Order::Copy(text.into())]
    }

    pub(super) fn copy_link(&mut self) -> Vec<Order> {
        let allowed = self.clipboard.condition();
        let Some(found) = self.reading.as_mut().map(Reading::next_link) else {
            return Vec::new();
        };
        let Some((link, number, of)) = found else {
            self.tell(false, "there is no link in it (http:// or https://)");
            return Vec::new();
        };
        let told = format!("copied link {number} of {of}, {allowed}: {}", *link);
        self.tell(true, told);
        vec![Order::Copy(link.into())]
    }

    pub(super) fn copy_address(&mut self) -> Vec<Order> {
        let RelayState::Here(status) = &self.relay else {
            self.tell(false, "there is no address: your relay isn't running");
            return Vec::new();
        };
        let (address, told) = match status.reach() {
            Reach::Onion(onion) => (OneLine(onion).to_string(), "copied your address"),
            Reach::ThisMachine => (
                OneLine(&status.place()).to_string(),
                "copied an address for this machine alone",
            ),
            Reach::SystemTor => {
                let why = "your relay doesn't know its address: the system's Tor has it in its file hostname";
                self.tell_of_relay(false, why);
                return Vec::new();
            }
        };
        self.tell_of_relay(true, format!("{told}, {}", self.clipboard.condition()));
        vec![Order::Copy(Zeroizing::new(address).into())]
    }

    /// Whether all that was written is delivered or forgotten.
    pub(in crate::tui) fn has_nothing_to_lose(&self) -> bool {
        self.outbox.undelivered() == 0 && self.compose.is_none() && self.person.is_none()
    }

    pub(super) fn quit(&mut self) -> Vec<Order> {
        let mut writing = None;
        if self.place == Place::Compose {
            writing = self.compose.as_ref().map(|compose| compose.id);
            self.put_aside();
            self.place = self.before;
        }
        match self.outbox.undelivered() {
            0 => vec![Order::Quit],
            undelivered => {
                let under_way = self.outbox.under_way();
                self.ask(Question::Quit {
                    undelivered,
                    under_way,
                    writing,
                });
                Vec::new()
            }
        }
    }
}
