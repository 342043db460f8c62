//! When keys do something: only then the bar at the bottom offers them.

use super::App;
use crate::tor::TorMode;
use crate::tui::state::composer::Composer;
use crate::tui::state::outbox::DeliveryState;
use crate::tui::state::relay::RelayState;

impl App {
    pub(super) fn has_messages(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// Whether the message that one reads has files.
    pub(super) fn has_files(&self) -> bool {
        let reading = self.reading.as_ref();
        reading.is_some_and(|reading| !reading.summary().files.is_empty())
    }

    /// Whether not all that has become of a message that was written is on the screen.
    pub(super) fn has_more_status(&self) -> bool {
        self.areas.page.last() > 0
    }

    /// Also where a search hides them.
    pub(super) fn can_search(&self) -> bool {
        self.search.active.is_some() || self.inbox.all().next().is_some()
    }

    pub(super) fn has_picked_or_found(&self) -> bool {
        self.inbox.picked().next().is_some() || self.search.active.is_some()
    }

    /// Whether there is an address to be copied.
    pub(in crate::tui) fn has_address(&self) -> bool {
        match &self.relay {
            RelayState::Running(status) => status.onion.is_some() || status.tor == TorMode::Off,
            RelayState::Unreachable { .. } | RelayState::Unknown => false,
        }
    }

    pub(super) fn can_start_relay(&self) -> bool {
        matches!(
            self.relay,
            RelayState::Unreachable {
                can_start: true,
                ..
            }
        )
    }

    pub(super) fn has_contacts(&self) -> bool {
        !self.contacts.book().is_empty()
    }

    /// Whether the message that one reads, or has selected, can be answered.
    pub(super) fn can_answer(&self) -> bool {
        self.message_in_front()
            .is_some_and(|message| message.conversation.is_some())
    }

    /// Whether there is an address to write.
    pub(super) fn has_two_fields(&self) -> bool {
        let composer = self.composer.as_ref();
        composer.is_none_or(Composer::is_addressed)
    }

    pub(super) fn can_edit_outgoing(&self) -> bool {
        matches!(
            self.selected_state(),
            Some(DeliveryState::Draft | DeliveryState::Failed(_) | DeliveryState::Arrived)
        )
    }

    pub(super) fn can_cancel(&self) -> bool {
        matches!(self.selected_state(), Some(DeliveryState::InProgress(_)))
    }

    pub(super) fn can_forget(&self) -> bool {
        let state = self.selected_state();
        let is_under_way = |state: &DeliveryState| {
            matches!(state, DeliveryState::InProgress(_) | DeliveryState::Sealing)
        };
        state.is_some_and(|state| !is_under_way(state))
    }

    fn selected_state(&self) -> Option<&DeliveryState> {
        self.outbox.selected().map(|outgoing| &outgoing.state)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{accepted, app, screen, sent, status};
    use crate::tui::app::App;
    use crate::tui::event::{DeliveryEvent, Event, RelayEvent};
    use crate::tui::state::inbox::tests::listed;
    use crate::tui::state::screen::Screen;
    use kkv_ui::error::{CliError, Exit};

    #[test]
    fn keys_that_need_a_message_are_not_offered_without_one() {
        let mut full = app(1..=1);
        assert!(screen(&mut full, 100, 24).contains("d delete"));
        full.update(Event::Relay(RelayEvent::Listed(status(), listed([]))));
        let shown = screen(&mut full, 100, 24);
        assert!(!shown.contains("d delete") && shown.contains("c write"));
    }

    #[test]
    fn a_relay_is_started_where_there_is_none_and_only_one_that_runs_has_an_address() {
        for (can_start, offered) in [(true, [true, false]), (false, [false, false])] {
            let mut app = app(1..=1);
            let shown = screen(&mut app, 120, 24);
            assert!(shown.contains("y copy address") && !shown.contains("s start"));
            app.update(Event::Relay(RelayEvent::Unreachable {
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
    fn what_can_be_done_with_an_outgoing_message_is_offered_and_nothing_else() {
        let mut app = app(1..=1);
        let offered = |app: &mut App| {
            let shown = screen(app, 80, 24);
            ["Enter open", "x cancel", "d forget"].map(|key| shown.contains(key))
        };
        app.screen = Screen::Outbox;
        assert_eq!(offered(&mut app), [false, false, false]);
        let id = sent(&mut app, "some words");
        app.screen = Screen::Outbox;
        assert_eq!(offered(&mut app), [false, true, false]);
        let failed = CliError::new(Exit::Unreachable, "the relay went away");
        app.update(Event::Delivery(DeliveryEvent::Failed(id, failed)));
        assert_eq!(offered(&mut app), [true, false, true]);
        let id = sent(&mut app, "other words");
        app.screen = Screen::Outbox;
        app.update(accepted(id));
        app.outbox.select(id);
        assert_eq!(offered(&mut app), [false, false, true]);
    }
}
