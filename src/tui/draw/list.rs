//! The list of messages.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Text};
use ratatui::widgets::Paragraph;

use super::fitted;
use crate::cli::inbox::{short, time};
use crate::cli::message::openpgp_in_short;
use crate::cli::visible::{OneLine, Visible};
use crate::cli::wrapped::columns;
use crate::owner::api::Summary;
use crate::tui::app::{App, RelayState};

/// Columns of all but the sender.
const WITHOUT_FROM: usize = 48;
/// Two groups of a fingerprint.
const SHORT_FINGERPRINT: usize = 9;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, app: &mut App) {
    let [head, rows] = Layout::vertical([Constraint::Length(1), Constraint::Min(1)]).areas(area);
    app.inbox.set_height(rows.height.into());
    app.areas.list = rows;
    if app.inbox.is_empty() {
        frame.render_widget(empty(app), rows);
        return;
    }
    let width = from_width(app, rows.width);
    let title = format!(
        "   {:<16}  {}  {:>5}  {:>4}  {:<5}  {:>5}{}",
        "RECEIVED",
        fitted("FROM", width),
        "BYTES",
        "COST",
        "SUITE",
        "ID",
        if app
            .inbox
            .messages()
            .any(|message| openpgp_in_short(message).is_some())
        {
            "  OPENPGP"
        } else {
            ""
        },
    );
    frame.render_widget(Line::styled(title, app.theme.faint()), head);
    if app.inbox.top() > 0 {
        let above = Line::raw(format!(" {} newer ↑ ", app.inbox.top()));
        frame.render_widget(above.style(app.theme.warning()).right_aligned(), head);
    }
    let chosen = app.inbox.place();
    let places = app.inbox.top()..app.inbox.messages().len();
    let messages = app.inbox.messages().skip(app.inbox.top());
    for ((place, message), row) in places.zip(messages).zip(rows.rows()) {
        let name = app.people.who_signs(&message.sender);
        let from = name.map_or_else(|| short(&message.sender), ToString::to_string);
        let from = fitted(&from, width);
        let mut line = Line::raw(fitted(
            &line_of(message, &from, app.inbox.is_picked(message.id)),
            row.width.into(),
        ));
        if !message.read {
            line = line.style(app.theme.strong());
        }
        if chosen == Some(place) {
            line = line.patch_style(app.theme.chosen());
        }
        frame.render_widget(line, row);
    }
}

/// What the longest name takes, if there is room for it; a fingerprint always has its nine columns.
fn from_width(app: &App, all: u16) -> usize {
    let messages = app.inbox.messages();
    let names = messages.filter_map(|message| app.people.who_signs(&message.sender));
    let longest = names.map(|name| columns(name.as_str())).max().unwrap_or(0);
    let room = usize::from(all).saturating_sub(WITHOUT_FROM);
    longest.min(room).max(SHORT_FINGERPRINT)
}

fn line_of(message: &Summary, from: &str, is_picked: bool) -> String {
    let picked = if is_picked { '+' } else { ' ' };
    let unread = if message.read { ' ' } else { '*' };
    format!(
        "{picked}{unread} {:<16}  {from}  {:>5}  {:>4}  {:<5}  {:>5}{}",
        time(message.received),
        message.bytes,
        message.cost,
        message.suite.to_string(),
        message.id.0,
        openpgp_in_short(message).map_or_else(String::new, |block| format!("  {block}")),
    )
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
                Line::styled(format!("  {}", OneLine(what)), app.theme.warning()),
                Line::raw(""),
                Line::raw(format!("  {}", Visible(hint))),
                Line::raw(offer),
            ])
        }
    };
    Paragraph::new(text).wrap(ratatui::widgets::Wrap { trim: false })
}
