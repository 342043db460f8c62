//! The screen, drawn from what is known.

mod awaited;
mod contacts;
mod fitted;
mod frame;
mod inbox;
mod message;
mod outbox;
mod overlay;
mod search;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::widgets::{Paragraph, Wrap};

use super::app::App;
use super::state::areas::Areas;
use super::state::screen::Screen;

/// From this width on, a message that is read stands beside the list.
const WIDE: u16 = 120;
/// What the list takes of it.
const LIST_WIDTH: u16 = 58;
/// Where less than this is to be had, nothing can be read.
const LEAST: (u16, u16) = (40, 8);

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, app: &mut App) {
    let all = frame.area();
    app.areas = Areas::default();
    if all.width < LEAST.0 || all.height < LEAST.1 {
        app.areas.nothing_fits = true;
        let (columns, lines) = LEAST;
        let leave = if app.can_quit_without_loss() {
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
    match app.screen {
        Screen::Inbox | Screen::Search | Screen::Message | Screen::Saving
            if wide && app.reading.is_some() =>
        {
            let [left, right] =
                Layout::horizontal([Constraint::Length(LIST_WIDTH), Constraint::Min(1)])
                    .areas(body);
            inbox::draw(frame, left, app);
            message::draw(frame, right, app);
        }
        Screen::Inbox | Screen::Search => inbox::draw(frame, body, app),
        Screen::Message | Screen::Saving => message::draw(frame, body, app),
        Screen::Composer => outbox::composer(frame, body, app),
        Screen::Outbox => outbox::outbox(frame, body, app),
        Screen::Contacts => contacts::list(frame, body, app),
        Screen::ContactForm => contacts::form(frame, body, app),
    }
    search::draw(frame, search, app);
    frame::note(frame, note, app);
    frame::keys(frame, keys, app);
    overlay::question(frame, body, all, app);
    overlay::page(frame, all, app);
}
