//! What is done with messages that have come: opened, marked, deleted, copied.

use zeroize::Zeroizing;

use super::App;
use crate::tui::event::Effect;
use crate::tui::state::question::Question;
use crate::tui::state::reading::Reading;
use crate::tui::state::relay::RelayState;
use kkv_base::count::counted;
use kkv_owner::Reach;
use kkv_relay::queue::MessageId;
use kkv_terminal::visible::OneLine;

impl App {
    /// Has the selected message read to us.
    pub(super) fn open_selected(&mut self) -> Vec<Effect> {
        self.requested = self.inbox.selected().map(|message| message.id);
        self.requested.map(Effect::Fetch).into_iter().collect()
    }

    pub(super) fn open_next(&mut self) -> Vec<Effect> {
        self.open_beside(1, "last")
    }

    pub(super) fn open_previous(&mut self) -> Vec<Effect> {
        self.open_beside(-1, "first")
    }

    /// Opens the message so many lines on; where there is none, the one that is open is the `end` of the list.
    fn open_beside(&mut self, lines: isize, end: &str) -> Vec<Effect> {
        let before = self.inbox.position();
        self.inbox.move_by(lines);
        if self.inbox.position() == before {
            self.inform(format!("this is the {end} in the list"));
            return Vec::new();
        }
        self.open_selected()
    }

    pub(super) fn toggle_picked(&mut self) {
        self.inbox.toggle_picked();
    }

    /// Marks those that are picked, or else the selected one.
    pub(super) fn mark(&mut self) -> Vec<Effect> {
        let picked: Vec<_> = self.inbox.picked().collect();
        if picked.is_empty() {
            let selected = self.inbox.selected();
            let selected = selected.map(|message| (message.id, !message.read));
            return self.marked(selected);
        }
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
        self.inbox.clear_picked();
        self.inform(format!("marked {marked} as {how}"));
        vec![Effect::Mark(ids, read)]
    }

    /// Marks the one that is open.
    pub(super) fn mark_open(&mut self) -> Vec<Effect> {
        let open = self.reading.as_ref().map(Reading::summary);
        let open = open.map(|message| (message.id, !message.read));
        self.marked(open)
    }

    /// One message that is to be marked so.
    fn marked(&mut self, message: Option<(MessageId, bool)>) -> Vec<Effect> {
        let Some((id, read)) = message else {
            return Vec::new();
        };
        if let Some(reading) = &mut self.reading
            && reading.summary().id == id
        {
            reading.set_read(read);
        }
        vec![Effect::Mark(vec![id], read)]
    }

    /// Asks about those that are picked, or else about the selected one.
    pub(super) fn ask_to_delete(&mut self) {
        let picked: Vec<_> = self.inbox.picked().map(|message| message.id).collect();
        if !picked.is_empty() {
            self.ask(Question::DeleteSeveral(picked));
        } else if let Some(message) = self.inbox.selected() {
            self.ask(Question::Delete(message.id));
        }
    }

    /// Asks about the one that is open.
    pub(super) fn ask_to_delete_open(&mut self) {
        if let Some(reading) = &self.reading {
            self.ask(Question::Delete(reading.summary().id));
        }
    }

    /// Those in the list: what a search leaves out of it stays.
    pub(super) fn ask_to_delete_all(&mut self) {
        let ids: Vec<_> = self.inbox.messages().map(|m| m.id).collect();
        if ids.is_empty() {
            return self.warn("there is no message to delete");
        }
        let are_found = self.search.active.is_some();
        self.ask(Question::DeleteAll {
            ids,
            are_found,
            sure: false,
        });
    }

    pub(super) fn copy(&mut self) -> Vec<Effect> {
        let Some(reading) = &self.reading else {
            return Vec::new();
        };
        let (text, id) = (reading.to_copy(), reading.summary().id);
        let allowed = self.clipboard.condition();
        let mut note = format!("copied to the clipboard, {allowed}");
        // What a line feed at its end would do in a shell, or a tab, is no part of what was said.
        let is_said = |text: &str| {
            let words: Vec<&str> = text.split_whitespace().collect();
            words.join(" ")
        };
        if Zeroizing::new(is_said(&text)) != Zeroizing::new(is_said(reading.text())) {
            note = format!("copied as it is shown, {allowed}; as it came: kkvc read {id} --raw");
        } else if text.contains('\n') {
            note += "; pasted into a shell, each line may be run";
        }
        self.inform(note);
        vec![Effect::Copy(text.into())]
    }

    pub(super) fn copy_link(&mut self) -> Vec<Effect> {
        let allowed = self.clipboard.condition();
        let Some(found) = self.reading.as_mut().map(Reading::next_link) else {
            return Vec::new();
        };
        let Some((link, number, of)) = found else {
            self.warn("there is no link in it (http:// or https://)");
            return Vec::new();
        };
        let note = format!("copied link {number} of {of}, {allowed}: {}", *link);
        self.inform(note);
        vec![Effect::Copy(link.into())]
    }

    pub(super) fn copy_address(&mut self) -> Vec<Effect> {
        let RelayState::Running(status) = &self.relay else {
            self.warn("there is no address: your relay isn't running");
            return Vec::new();
        };
        let (address, note) = match status.reach() {
            Reach::Onion(onion) => (OneLine(onion).to_string(), "copied your address"),
            Reach::ThisMachine => (
                OneLine(&status.place()).to_string(),
                "copied an address for this machine alone",
            ),
            Reach::SystemTor => {
                let why = "your relay doesn't know its address: the system's Tor has it in its file hostname";
                self.notify_of_relay(false, why);
                return Vec::new();
            }
        };
        self.notify_of_relay(true, format!("{note}, {}", self.clipboard.condition()));
        vec![Effect::Copy(Zeroizing::new(address).into())]
    }

    pub(super) fn ask_to_start_relay(&mut self) {
        match &self.relay {
            RelayState::Unreachable {
                can_start: true, ..
            } => self.ask(Question::Start),
            RelayState::Unreachable { what, .. } => {
                let what = what.clone();
                self.warn(what);
            }
            RelayState::Unknown => {}
            RelayState::Running(_) => self.notify_of_relay(true, "your relay is running"),
        }
    }
}
