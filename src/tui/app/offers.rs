//! Which keys are worth offering.

use super::{App, RelayState};
use crate::tor::TorMode;
use crate::tui::keys::{Act, Place};
use crate::tui::outbox::Stage;

impl App {
    /// Whether a key that asks for this does more now than to say why not.
    pub(in crate::tui) fn does_something(&self, act: Act) -> bool {
        match act {
            Act::Start => matches!(
                self.relay,
                RelayState::Away {
                    can_start: true,
                    ..
                }
            ),
            Act::Back if self.place == Place::Inbox => {
                self.inbox.picked().next().is_some() || self.search.under_way.is_some()
            }
            Act::Find => self.search.under_way.is_some() || self.inbox.all().next().is_some(),
            Act::CopyAddress => match &self.relay {
                RelayState::Here(status) => status.onion.is_some() || status.tor == TorMode::Off,
                RelayState::Away { .. } | RelayState::Asking => false,
            },
            Act::Open | Act::Mark | Act::Delete | Act::Cancel | Act::Verify | Act::Rename => {
                self.acts_on_chosen(act)
            }
            _ => true,
        }
    }

    /// The same of what is done with the chosen one of a list, or the one that is open.
    fn acts_on_chosen(&self, act: Act) -> bool {
        match self.place {
            Place::Inbox => !self.inbox.is_empty(),
            Place::Outbox => match self.outbox.chosen().map(|letter| &letter.stage) {
                None => false,
                Some(Stage::UnderWay(_)) => act == Act::Cancel,
                Some(Stage::Accepted(_)) => act == Act::Delete,
                Some(Stage::Draft | Stage::Failed(_)) => act != Act::Cancel,
            },
            Place::People => !self.people.book().is_empty(),
            Place::Message | Place::Compose | Place::Person | Place::Find => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{accepted, app, screen, sent, status};
    use crate::tui::app::{App, Event, News, Told};
    use crate::tui::inbox::tests::listed;
    use crate::tui::keys::Place;
    use kkv_ui::error::{CliError, Exit};

    #[test]
    fn keys_that_need_a_message_are_not_offered_without_one() {
        let mut full = app(1..=1);
        assert!(screen(&mut full, 100, 24).contains("d delete"));
        full.take(Event::News(News::Here(status(), listed([]))));
        let shown = screen(&mut full, 100, 24);
        assert!(!shown.contains("d delete") && shown.contains("c write"));
    }

    #[test]
    fn a_relay_is_started_where_there_is_none_and_only_one_that_runs_has_an_address() {
        for (can_start, offered) in [(true, [true, false]), (false, [false, false])] {
            let mut app = app(1..=1);
            let shown = screen(&mut app, 120, 24);
            assert!(shown.contains("y copy address") && !shown.contains("s start"));
            app.take(Event::News(News::Away {
                what: String::new(),
                hint: String::new(),
                can_start,
            }));
            let shown = screen(&mut app, 120, 24);
            let keys = ["s start your relay", "y copy address"];
            assert_eq!(keys.map(|key| shown.contains(key)), offered);
        }
    }

    #[test]
    fn what_can_be_done_with_a_letter_is_offered_and_nothing_else() {
        let mut app = app(1..=1);
        let offered = |app: &mut App| {
            let shown = screen(app, 80, 24);
            ["Enter open", "x cancel", "d forget"].map(|key| shown.contains(key))
        };
        app.place = Place::Outbox;
        assert_eq!(offered(&mut app), [false, false, false]);
        let id = sent(&mut app, "some words");
        app.place = Place::Outbox;
        assert_eq!(offered(&mut app), [false, true, false]);
        let failed = CliError::new(Exit::Unreachable, "the relay went away");
        app.take(Event::Told(Told::Failed(id, failed)));
        assert_eq!(offered(&mut app), [true, false, true]);
        let id = sent(&mut app, "other words");
        app.place = Place::Outbox;
        app.take(accepted(id));
        app.outbox.choose(id);
        assert_eq!(offered(&mut app), [false, false, true]);
    }
}
