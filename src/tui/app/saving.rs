//! The files of a message are saved.

use super::App;
use crate::tui::event::Effect;
use crate::tui::state::reading::Reading;
use crate::tui::state::saving::Saving;
use crate::tui::state::screen::Screen;

impl App {
    /// Asks for a directory.
    pub(super) fn ask_where_to_save(&mut self) {
        if !self.has_files() {
            return self.warn("it has no files");
        }
        let message = self.reading.as_ref().map(Reading::summary);
        let message = message.map(|message| message.id);
        if let Some((run, message)) = self.run().zip(message) {
            self.saving = Some(Saving::new(run, message));
            self.screen = Screen::Saving;
        }
    }

    /// Saves them there.
    pub(super) fn save_files(&mut self) -> Vec<Effect> {
        let home = std::env::var_os("HOME").map(Into::into);
        let Some(saving) = &self.saving else {
            return Vec::new();
        };
        let Some(directory) = saving.directory(home) else {
            self.warn("where are they to be saved? Esc leaves them");
            return Vec::new();
        };
        let (run, id) = (saving.run, saving.message);
        self.saving = None;
        self.screen = Screen::Message;
        self.inform("saving…");
        vec![Effect::SaveFiles { run, id, directory }]
    }
}
