//! Searching the list.

use super::App;
use crate::tui::event::Effect;
use crate::tui::state::screen::Screen;
use kkv_relay::queue::MessageId;

impl App {
    pub(super) fn edit_search(&mut self) {
        self.search.edit();
        self.screen = Screen::Search;
    }

    /// Has the list show what has the words that were typed; everything, if there are none.
    pub(super) fn start_search(&mut self) -> Vec<Effect> {
        self.screen = Screen::Inbox;
        let newest = self.inbox.all().map(|message| message.id).max();
        let selected = self.inbox.selected().map(|message| message.id);
        if !self.search.begin(newest, selected) {
            return self.end_search();
        }
        self.inbox.search();
        self.continue_search()
    }

    /// Has the list show everything again.
    pub(super) fn end_search(&mut self) -> Vec<Effect> {
        let Some(before) = self.search.end() else {
            return Vec::new();
        };
        self.inbox.show_all(before);
        vec![Effect::StopSearch]
    }

    /// Has those messages looked at that were not yet, if anything is looked for.
    pub(super) fn continue_search(&mut self) -> Vec<Effect> {
        let contacts = &self.contacts;
        let all = self.inbox.all();
        let all = all.map(|message| {
            (
                message.id,
                contacts.who_signs(message.sender.as_ref()).cloned(),
            )
        });
        let request = self.search.request(all);
        request.map(Effect::Search).into_iter().collect()
    }

    /// Has all of them looked at once more: somebody's name may be another. What has been found is shown until then.
    pub(super) fn restart_search(&mut self) -> Vec<Effect> {
        self.search.restart(false);
        self.continue_search()
    }

    pub(super) fn on_search_results(&mut self, number: u64, results: &[(MessageId, bool)]) {
        if self.search.on_results(number, results) {
            self.inbox.found(results);
        }
    }

    pub(super) fn on_search_failed(&mut self, number: u64, left: &[MessageId], why: &str) {
        if self.search.on_failed(number, left) {
            self.warn(format!("the search waits: {why}"));
        }
    }

    /// The relay answers: has those looked at that couldn't be.
    pub(super) fn resume_search(&mut self) -> Vec<Effect> {
        if self.search.is_to_go_on() {
            self.continue_search()
        } else {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::super::tests::{ADDRESS, app, arrives, press, screen, status};
    use super::*;
    use crate::tui::event::{Event, Input, RelayEvent};
    use crate::tui::state::inbox::tests::{listed, summary};
    use crate::tui::state::relay::RelayState;
    use crate::tui::state::search::SearchRequest;
    use kkv_owner::Delete;
    use kkv_protocol::ids::RelayId;

    /// Which messages are to be looked at, and the number of their search.
    fn asked(effects: &[Effect]) -> (u64, Vec<u64>) {
        let looks: Vec<_> = effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Search(look) => Some(look),
                _ => None,
            })
            .collect();
        let [
            SearchRequest {
                number, messages, ..
            },
        ] = looks[..]
        else {
            panic!("{effects:?}");
        };
        (*number, messages.iter().map(|(id, _)| id.0).collect())
    }

    /// These messages have been looked at, and have what is looked for or not.
    fn results(app: &mut App, number: u64, results: &[(u64, bool)]) {
        let results = results.iter().map(|(id, found)| (MessageId(*id), *found));
        app.update(Event::Relay(RelayEvent::SearchResults(
            number,
            results.collect(),
        )));
    }

    fn here(app: &mut App, ids: impl Iterator<Item = u64>) -> Vec<Effect> {
        app.update(Event::Relay(RelayEvent::Listed(status(), listed(ids))))
    }

    fn in_list(app: &App) -> Vec<u64> {
        app.inbox.messages().map(|m| m.id.0).collect()
    }

    fn selected(app: &App) -> Option<u64> {
        app.inbox.selected().map(|message| message.id.0)
    }

    /// A client where messages 4 and 2 of five were found.
    fn searched() -> App {
        let mut app = app(1..=5);
        let (number, ids) = asked(&press(&mut app, "/two words\n"));
        assert_eq!(ids, [5, 4, 3, 2, 1]);
        results(&mut app, number, &[(5, false), (4, true), (3, false)]);
        let shown = screen(&mut app, 80, 24);
        assert!(
            shown.contains("/two words  1 found; looking: 3 of 5…"),
            "{shown}"
        );
        results(&mut app, number, &[(2, true), (1, false)]);
        let shown = screen(&mut app, 80, 24);
        assert!(
            shown.contains("/two words  2 of 5 messages; Esc shows all"),
            "{shown}"
        );
        assert_eq!(in_list(&app), [4, 2]);
        app
    }

    #[test]
    fn what_is_typed_is_looked_for_and_no_letter_of_it_is_a_key() {
        let mut app = app(1..=3);
        assert!(press(&mut app, "/").is_empty());
        assert!(screen(&mut app, 80, 24).contains("words in the text"));
        assert!(press(&mut app, "do your duty q?").is_empty());
        app.input(Input::Paste(Zeroizing::new("\nand\u{202e} two".to_owned())));
        let shown = screen(&mut app, 80, 24);
        assert!(shown.contains("/do your duty q?and two"), "{shown}");
        assert!(shown.contains("the first U+202E"), "{shown}");
        assert_eq!(asked(&press(&mut app, "\n")).1, [3, 2, 1]);
        // It is there to be changed, and nothing at all shows everything.
        press(&mut app, "/");
        assert!(screen(&mut app, 80, 24).contains("/do your duty q?and two"));
        let effects = press(&mut app, "\x15 \n");
        assert!(matches!(effects[..], [Effect::StopSearch]), "{effects:?}");
        assert_eq!(in_list(&app), [3, 2, 1]);
        assert!(press(&mut app, "/x\x1b").is_empty());
        assert_eq!((app.screen, in_list(&app).len()), (Screen::Inbox, 3));
    }

    #[test]
    fn the_list_shows_what_is_found_until_esc() {
        let mut app = app(1..=5);
        press(&mut app, "jj");
        let (number, _) = asked(&press(&mut app, "/words\n"));
        assert_eq!(selected(&app), None);
        assert!(
            press(&mut app, "\ndu D").is_empty(),
            "there is nothing to act on"
        );
        assert!(app.questions.is_empty());
        results(&mut app, number, &[5, 4, 3, 2, 1].map(|id| (id, false)));
        assert!(screen(&mut app, 80, 24).contains("No message has these words."));
        assert!(matches!(press(&mut app, "\x1b")[..], [Effect::StopSearch]));
        assert_eq!(
            (in_list(&app).len(), selected(&app)),
            (5, Some(3)),
            "as before"
        );
        let mut app = searched();
        assert_eq!(selected(&app), Some(4));
        press(&mut app, "j\x1b");
        assert_eq!(
            (in_list(&app).len(), selected(&app)),
            (5, Some(2)),
            "where one was"
        );
        assert!(!screen(&mut app, 80, 24).contains("two words"));
    }

    #[test]
    fn no_key_reaches_what_a_search_hides() {
        let mut app = app(1..=5);
        // Picked before, and hidden then.
        press(&mut app, "   ");
        let (number, _) = asked(&press(&mut app, "/x\n"));
        results(
            &mut app,
            number,
            &[5, 4, 3, 2, 1].map(|id| (id, id % 2 == 0)),
        );
        assert_eq!(in_list(&app), [4, 2]);
        assert_eq!(app.inbox.picked().count(), 0);
        let found = [MessageId(4), MessageId(2)];
        assert!(press(&mut app, "Dy").is_empty());
        let shown = screen(&mut app, 80, 24);
        assert!(
            shown.contains("Really delete all 2 messages that were found?"),
            "{shown}"
        );
        // Nor one that is found while it is asked.
        let (number, ids) = asked(&here(&mut app, 1..=6));
        assert_eq!(ids, [6]);
        results(&mut app, number, &[(6, true)]);
        let effects = press(&mut app, "y");
        assert!(matches!(&effects[..], [Effect::Delete(Delete::Ids(ids))] if *ids == found));
        press(&mut app, "GGG");
        assert_eq!(selected(&app), Some(2));
        assert!(
            press(&mut app, "\n")
                .iter()
                .all(|effect| matches!(effect, Effect::Fetch(id) if id.0 == 2))
        );
        arrives(&mut app, summary(2), "two");
        press(&mut app, "n");
        assert!(screen(&mut app, 80, 24).contains("this is the last in the list"));
        assert!(matches!(
            press(&mut app, "p")[..],
            [Effect::Fetch(MessageId(4))]
        ));
    }

    #[test]
    fn new_messages_are_looked_at_listed_if_they_have_it_and_counted_if_not() {
        let mut app = searched();
        let effects = here(&mut app, 1..=8);
        let (number, ids) = asked(&effects);
        assert_eq!(ids, [8, 7, 6]);
        assert!(
            effects
                .iter()
                .any(|effect| matches!(effect, Effect::RingBell))
        );
        results(&mut app, number, &[(8, false), (7, true), (6, false)]);
        assert_eq!((in_list(&app), selected(&app)), (vec![7, 4, 2], Some(4)));
        let shown = screen(&mut app, 80, 24);
        assert!(
            shown.contains("3 of 8 messages, 2 new not shown; Esc shows all"),
            "{shown}"
        );
        // What is open and hidden is not gone; what is gone is not listed.
        arrives(&mut app, summary(4), "four");
        results(&mut app, number, &[(4, false)]);
        assert!(app.reading.is_some());
        assert!(
            !here(&mut app, 5..=8)
                .iter()
                .any(|effect| matches!(effect, Effect::Search(_)))
        );
        assert!(app.reading.is_none() && screen(&mut app, 80, 24).contains("message 4 is gone"));
        assert_eq!(in_list(&app), [7]);
    }

    #[test]
    fn an_answer_about_another_relays_messages_or_other_words_is_none() {
        let mut app = searched();
        let (words, _) = asked(&press(&mut app, "/\x15other\n"));
        let (others, _) = asked(&press(&mut app, "/\x15another\n"));
        results(&mut app, words, &[(1, true)]);
        assert!(in_list(&app).is_empty());
        let mut another = status();
        another.relay = RelayId([9; 32]);
        let news = RelayEvent::Listed(another, listed([1, 2]));
        let (number, ids) = asked(&app.update(Event::Relay(news)));
        assert_eq!(ids, [2, 1]);
        results(&mut app, others, &[(2, true), (1, true)]);
        assert!(in_list(&app).is_empty());
        results(&mut app, number, &[(2, false), (1, true)]);
        assert_eq!(in_list(&app), [1]);
        assert!(screen(&mut app, 80, 24).contains("1 of 2 messages, 1 new not shown"));
        let (what, hint, can_start) = (String::new(), String::new(), false);
        app.update(Event::Relay(RelayEvent::Unreachable {
            what,
            hint,
            can_start,
        }));
        assert!(matches!(app.relay, RelayState::Unreachable { .. }) && in_list(&app).is_empty());
    }

    #[test]
    fn what_could_not_be_looked_at_is_looked_at_once_the_relay_answers() {
        let mut app = app(1..=5);
        let how = |app: &mut App| app.update(Event::Relay(RelayEvent::Status(status())));
        let fails = |app: &mut App, number, left: &[u64]| {
            let left = left.iter().map(|id| MessageId(*id)).collect();
            app.update(Event::Relay(RelayEvent::SearchFailed(
                number,
                left,
                "why".to_owned(),
            )));
        };
        let (number, _) = asked(&press(&mut app, "/x\n"));
        results(&mut app, number, &[(5, true)]);
        fails(&mut app, number, &[4, 3, 2, 1]);
        let shown = screen(&mut app, 80, 24);
        assert!(shown.contains("1 found; looking: 1 of 5…"), "{shown}");
        assert!(shown.contains("the search waits: why"), "{shown}");
        // Where it fails again and again, the others have their turn before, and it isn't told each time.
        assert_eq!(asked(&how(&mut app)), (number, vec![3, 2, 1, 4]));
        press(&mut app, "j");
        fails(&mut app, number, &[3, 2, 1, 4]);
        assert!(!screen(&mut app, 80, 24).contains("the search waits"));
        assert_eq!(asked(&how(&mut app)).1, [2, 1, 4, 3]);
        assert!(how(&mut app).is_empty(), "all are asked about");
        results(&mut app, number, &[(2, true), (1, false)]);
        fails(&mut app, number, &[4, 3]);
        assert_eq!(asked(&here(&mut app, 1..=6)).1, [6, 4, 3]);
        results(&mut app, number, &[(6, false), (4, true), (3, false)]);
        assert_eq!(in_list(&app), [5, 4, 2]);
        assert!(screen(&mut app, 80, 24).contains("3 of 6 messages"));
        assert!(how(&mut app).is_empty());
        // Another search is asked about everything anyway.
        let (other, _) = asked(&press(&mut app, "/y\n"));
        fails(&mut app, number, &[1]);
        assert!(how(&mut app).is_empty());
        fails(&mut app, other, &[6, 5, 4, 3, 2, 1]);
        assert!(screen(&mut app, 80, 24).contains("the search waits: why"));
        press(&mut app, "\x1b");
        assert!(how(&mut app).is_empty());
    }

    #[test]
    fn a_contact_that_gets_another_name_is_looked_for_by_that() {
        let mut app = searched();
        press(&mut app, "aaAlice\t");
        app.input(Input::Paste(Zeroizing::new(ADDRESS.to_owned())));
        let effects = press(&mut app, "\t\n");
        assert_eq!(asked(&effects).1, [5, 4, 3, 2, 1]);
        assert_eq!(in_list(&app), [4, 2], "so far");
        let (number, _) = asked(&press(&mut app, "r!\n"));
        results(&mut app, number, &[5, 4, 3, 2, 1].map(|id| (id, id == 1)));
        assert_eq!(in_list(&app), [1]);
    }
}
