//! The screen, drawn from what is known.

mod frame;
mod letters;
mod list;
mod message;
mod over;
mod people;
mod search;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::widgets::{Paragraph, Wrap};

use super::app::App;
use super::keys::Place;
use crate::count::counted;
use kkv_terminal::wrapped::drawn;

/// From this width on, a message that is read stands beside the list.
const WIDE: u16 = 120;
/// What the list takes of it.
const LIST_WIDTH: u16 = 58;
/// Where less than this is to be had, nothing can be read.
const LEAST: (u16, u16) = (40, 8);

/// Where things are, for the mouse.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Areas {
    /// Lines of the list that is in front.
    pub(super) list: Rect,
    /// The first of it that is shown, where the list itself doesn't know.
    pub(super) top: usize,
    /// What is written of whom a message is for, and of the message.
    pub(super) to: Rect,
    pub(super) text: Rect,
    /// The page in front that may be longer than its room.
    pub(super) page: Page,
    /// There is no room for anything.
    pub(super) nothing_fits: bool,
    /// There is none for the question that is asked.
    pub(super) question_is_hidden: bool,
}

/// How long a page is, and how much of it has room.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Page {
    lines: usize,
    height: usize,
}

impl Page {
    /// Its first line on the screen when its last is there.
    pub(super) fn last(self) -> usize {
        self.lines.saturating_sub(self.height)
    }

    /// How far one goes on in it at once: one line stays, to find the place again.
    pub(super) fn step(self) -> isize {
        isize::try_from(self.height.saturating_sub(1).max(1)).unwrap_or(isize::MAX)
    }

    /// What is said at its end when this is its first line on the screen; nothing if all of it is there.
    fn more(self, top: usize) -> Option<String> {
        match self.last().saturating_sub(top) {
            _ if self.last() == 0 => None,
            0 => Some(" ↑ ".to_owned()),
            more => Some(format!(" ↓ {} ", counted(more as u64, "more line"))),
        }
    }
}

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, app: &mut App) {
    let all = frame.area();
    app.areas = Areas::default();
    if all.width < LEAST.0 || all.height < LEAST.1 {
        app.areas.nothing_fits = true;
        let (columns, lines) = LEAST;
        let leave = if app.has_nothing_to_lose() {
            " Ctrl-C leaves."
        } else {
            ""
        };
        let text = format!("kkvc needs more room: {columns} columns and {lines} lines.{leave}");
        frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), all);
        return;
    }
    let wide = all.width >= WIDE;
    let [head, body, search, note, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(search::height(app, wide)),
        Constraint::Length(frame::note_height(all, app)),
        Constraint::Length(1),
    ])
    .areas(all);
    frame::head(frame, head, app);
    match app.place {
        Place::Inbox | Place::Find | Place::Message if wide && app.reading.is_some() => {
            let [left, right] =
                Layout::horizontal([Constraint::Length(LIST_WIDTH), Constraint::Min(1)])
                    .areas(body);
            list::draw(frame, left, app);
            message::draw(frame, right, app);
        }
        Place::Inbox | Place::Find => list::draw(frame, body, app),
        Place::Message => message::draw(frame, body, app),
        Place::Compose => letters::compose(frame, body, app),
        Place::Outbox => letters::outbox(frame, body, app),
        Place::People => people::list(frame, body, app),
        Place::Person => people::form(frame, body, app),
    }
    search::draw(frame, search, app);
    frame::note(frame, note, app);
    frame::keys(frame, keys, app);
    over::question(frame, body, all, app);
    over::help(frame, all, app);
}

/// `text` in exactly so many columns: filled up, or cut with a sign that it was.
fn fitted(text: &str, width: usize) -> String {
    let mut shown = String::new();
    let mut taken = 0;
    for c in text.chars() {
        let wide = drawn(c);
        if taken + wide > width {
            while taken + 1 > width {
                taken -= shown.pop().map_or(taken, drawn);
            }
            shown.push('…');
            taken += 1;
            break;
        }
        shown.push(c);
        taken += wide;
    }
    shown + &" ".repeat(width.saturating_sub(taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_takes_the_columns_that_it_is_given() {
        for (text, shown) in [
            ("Bob", "Bob  "),
            ("Alice", "Alice"),
            ("Alicia", "Alic…"),
            ("日本語", "日本…"),
            ("a日本語", "a日… "),
            ("", "     "),
        ] {
            assert_eq!(fitted(text, 5), shown, "{text}");
        }
    }
}
