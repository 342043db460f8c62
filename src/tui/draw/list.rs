//! The list of messages.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Text};
use ratatui::widgets::Paragraph;

use crate::cli::inbox::{short, time};
use crate::cli::visible::Visible;
use crate::owner::api::Summary;
use crate::tui::app::{App, RelayState};

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, app: &mut App) {
    let [head, rows] = Layout::vertical([Constraint::Length(1), Constraint::Min(1)]).areas(area);
    app.inbox.set_height(rows.height.into());
    app.areas.list = rows;
    if app.inbox.messages().is_empty() {
        frame.render_widget(empty(app), rows);
        return;
    }
    let title = format!(
        "   {:<16}  {:<9}  {:>5}  {:>4}  {:<5}  {:>5}{}",
        "RECEIVED",
        "FROM",
        "BYTES",
        "COST",
        "SUITE",
        "ID",
        if app
            .inbox
            .messages()
            .iter()
            .any(|message| message.openpgp.is_some())
        {
            "  OPENPGP"
        } else {
            ""
        },
    );
    frame.render_widget(Line::styled(title, app.theme.faint()), head);
    let chosen = app.inbox.place();
    let places = app.inbox.top()..app.inbox.messages().len();
    for (place, row) in places.zip(rows.rows()) {
        let message = &app.inbox.messages()[place];
        let mut line = Line::raw(line_of(message, row.width.into()));
        if !message.read {
            line = line.style(app.theme.strong());
        }
        if chosen == Some(place) {
            line = line.patch_style(app.theme.chosen());
        }
        frame.render_widget(line, row);
    }
}

fn line_of(message: &Summary, width: usize) -> String {
    let unread = if message.read { ' ' } else { '*' };
    let line = format!(
        " {unread} {:<16}  {:<9}  {:>5}  {:>4}  {:<5}  {:>5}{}",
        time(message.received),
        short(&message.sender),
        message.bytes,
        message.cost,
        message.suite.to_string(),
        message.id.0,
        message
            .openpgp
            .map_or_else(String::new, |block| format!("  {block}")),
    );
    format!("{line:<width$}")
}

/// What is said where no message is.
fn empty(app: &App) -> Paragraph<'static> {
    let text = match &app.relay {
        RelayState::Asking => Text::raw(""),
        RelayState::Here(_) => Text::from_iter([
            Line::raw(""),
            Line::raw("  No messages."),
            Line::raw(""),
            Line::raw("  Whoever has your address can leave one; y copies it."),
        ]),
        RelayState::Away {
            what,
            hint,
            can_start,
        } => {
            let offer = if *can_start { "  s starts it." } else { "" };
            Text::from_iter([
                Line::raw(""),
                Line::styled(format!("  {}", Visible(what)), app.theme.warning()),
                Line::raw(""),
                Line::raw(format!("  {}", Visible(hint))),
                Line::raw(offer),
            ])
        }
    };
    Paragraph::new(text).wrap(ratatui::widgets::Wrap { trim: false })
}
