//! The screen, drawn from what is known.

mod frame;
mod letters;
mod list;
mod message;
mod over;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;

use super::app::App;
use super::keys::Place;

/// From this width on, the message stands beside the list.
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
}

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, app: &mut App) {
    let all = frame.area();
    app.areas = Areas::default();
    if all.width < LEAST.0 || all.height < LEAST.1 {
        frame.render_widget(Line::raw("kkvc needs more room"), all);
        return;
    }
    let [head, body, note, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(all);
    frame::head(frame, head, app);
    let wide = all.width >= WIDE;
    match app.place {
        Place::Inbox | Place::Message if wide => {
            let [left, right] =
                Layout::horizontal([Constraint::Length(LIST_WIDTH), Constraint::Min(1)])
                    .areas(body);
            list::draw(frame, left, app);
            message::draw(frame, right, app);
        }
        Place::Inbox => list::draw(frame, body, app),
        Place::Message => message::draw(frame, body, app),
        Place::Compose => letters::compose(frame, body, app),
        Place::Outbox => letters::outbox(frame, body, app),
    }
    frame::note(frame, note, app);
    frame::keys(frame, keys, app);
    over::question(frame, body, app);
    over::help(frame, all, app);
}
