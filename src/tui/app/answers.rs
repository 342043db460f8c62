//! What a key answers to a question, and what is done then.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::App;
use crate::tui::event::Effect;
use crate::tui::state::contact_list::Change;
use crate::tui::state::question::Question;
use kkv_owner::Delete;

impl App {
    /// Whether this key does nothing but close the question, so that it needn't wait until the keys have rested.
    pub(super) fn is_bare_no(&self, question: &Question, key: KeyEvent) -> bool {
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

    pub(super) fn answer(&mut self, question: Question, key: KeyEvent) -> Vec<Effect> {
        if self.leaves(key) {
            // Out of here, which answers whatever else was asked with a no.
            let is_quitting = matches!(question, Question::Quit { .. });
            for declined in self.questions.take_all().chain([question]) {
                if let Question::Pay { id, .. } = declined {
                    self.outbox.decline(id);
                }
            }
            return if is_quitting {
                vec![Effect::Quit]
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
            self.warn("that was no yes: a yes is the Latin letter y");
        }
        match question {
            Question::Pay { id, answer, .. } => {
                if !yes {
                    self.outbox.decline(id);
                }
                let _ = answer.send(yes); // if nobody waits any more, the delivery was cancelled
                Vec::new()
            }
            Question::Verify { name, target, .. } if !yes && is_no => {
                self.on_words_differ(name, target)
            }
            Question::Quit { writing, .. } if !yes => {
                if let Some(id) = writing {
                    self.edit(id);
                }
                self.ask_pending(); // nothing was asked meanwhile
                Vec::new()
            }
            _ if !yes => Vec::new(),
            Question::Delete(id) => vec![Effect::Delete(Delete::Ids(vec![id]))],
            // Those that were counted in the question.
            Question::DeleteSeveral(ids) => vec![Effect::Delete(Delete::Ids(ids))],
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
            } => vec![Effect::Delete(Delete::Ids(ids))],
            Question::Forget(id) | Question::ForgetUnsigned(id) | Question::ForgetWords(id) => {
                self.forget_written(id)
            }
            Question::Remove(name, target) => self.change_contacts(Change::Remove(name, target)),
            Question::Replace(contact) => self.replace_invitation(*contact),
            Question::Verify { name, target, .. } => {
                self.change_contacts(Change::Verify(name, target))
            }
            Question::Quit { .. } => vec![Effect::Quit],
            Question::Start => vec![Effect::StartRelay],
        }
    }
}
