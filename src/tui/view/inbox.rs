//! The list of messages.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Text};
use ratatui::widgets::Paragraph;

use super::fitted::{fitted, indented};
use crate::tui::app::App;
use crate::tui::state::relay::RelayState;
use crate::tui::terminal::row_backend::put;
use kkv_owner::Reach;
use kkv_terminal::visible::{OneLine, Visible};
use kkv_terminal::wrapped::columns;
use kkv_ui::fields::{short_sender, time};
use kkv_ui::preview::{answerable, last_column, room_for_words, title};

/// Columns of what is always there: marks, time, spaces, but for the sender and the number.
const ALWAYS: usize = 23;
/// What else there is where it has room, and its columns.
const MORE: [(&str, usize); 3] = [("BYTES", 5), ("COST", 4), ("SUITE", 5)];
/// Columns for a number, at least.
const LEAST_ID: usize = 5;
/// Two groups of a fingerprint.
const SHORT_FINGERPRINT: usize = 9;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, app: &mut App) {
    let [head, rows] = Layout::vertical([Constraint::Length(1), Constraint::Min(1)]).areas(area);
    app.inbox.set_height(rows.height.into());
    app.areas.list = rows;
    if app.inbox.is_empty() {
        frame.render_widget(empty(app), indented(rows));
        return;
    }
    let shown = Columns::new(app, rows.width.into());
    let room = usize::from(rows.width).saturating_sub(shown.taken());
    let any_words = app.inbox.messages().any(|m| m.first.is_some());
    let words = room_for_words(room).filter(|_| any_words);
    let last = title(app.inbox.messages(), words);
    // A part of it would say nothing.
    let last = if columns(last) <= room { last } else { "" };
    let more = MORE.map(|(name, _)| name.to_owned());
    let title = shown.line("   ", "RECEIVED", "FROM", &more, "ID", "") + last;
    let free = usize::from(head.width).saturating_sub(columns(&title));
    frame.render_widget(Line::styled(title, app.theme.faint()), head);
    let beyond = Line::raw(beyond(app, free)).style(app.theme.warning());
    frame.render_widget(beyond.right_aligned(), head);
    let selected = app.inbox.position();
    let positions = app.inbox.top()..app.inbox.messages().len();
    let messages = app.inbox.messages().skip(app.inbox.top());
    for ((position, message), row) in positions.zip(messages).zip(rows.rows()) {
        let name = app.contacts.who_signs(message.sender.as_ref());
        let from = name.map_or_else(|| short_sender(message), ToString::to_string);
        let picked = if app.inbox.is_picked(message.id) {
            '+'
        } else {
            ' '
        };
        let unread = if message.read { ' ' } else { '*' };
        let line = shown.line(
            &format!("{picked}{unread} "),
            &time(message.received),
            &from,
            &[
                message.bytes.to_string(),
                message.cost.to_string(),
                message.via.to_string(),
            ],
            &message.id.to_string(),
            &answerable(message),
        );
        frame.render_widget(Line::raw(line), row);
        let last = last_column(message, words);
        if columns(&last) <= room {
            let behind = u16::try_from(room).unwrap_or(u16::MAX);
            let behind = Rect {
                x: row.right().saturating_sub(behind),
                width: behind,
                ..row
            };
            put(frame.buffer_mut(), behind, &last);
        }
        let mut style = Style::new();
        if !message.read {
            style = style.patch(app.theme.strong());
        }
        if selected == Some(position) {
            style = style.patch(app.theme.selected());
        }
        frame.buffer_mut().set_style(row, style);
    }
}

/// How many messages are above the screen and how many below, in so many columns. Those above, among which may be new
/// ones, are told even where these are not to be had.
fn beyond(app: &App, room: usize) -> String {
    let above = app.inbox.top();
    let seen = above + app.inbox.height();
    let below = app.inbox.messages().len().saturating_sub(seen);
    let form = |count: usize, words: &str, arrow: char| match count {
        0 => String::new(),
        count => format!(" {count}{words} {arrow} "),
    };
    let newer = form(above, " newer", '↑');
    let both = [
        newer.clone() + &form(below, " older", '↓'),
        newer.clone() + &form(below, "", '↓'),
        form(above, "", '↑') + &form(below, "", '↓'),
    ];
    let mut both = both.into_iter();
    both.find(|both| columns(both) <= room).unwrap_or(newer)
}

/// Which columns there are, and how wide they are.
struct Columns {
    from: usize,
    id: usize,
    /// What tells that messages can be answered; 0 if none can.
    answerable: usize,
    /// How many of [`MORE`].
    more: usize,
}

impl Columns {
    /// Of a list that is so wide.
    fn new(app: &App, all: usize) -> Self {
        let newest = app.inbox.messages().next();
        let digits = newest.map_or(0, |newest| newest.id.to_string().len());
        let messages = app.inbox.messages();
        let names = messages.filter_map(|message| app.contacts.who_signs(message.sender.as_ref()));
        let longest = names.map(|name| columns(name.as_str())).max().unwrap_or(0);
        let mut columns = Self {
            from: SHORT_FINGERPRINT,
            id: digits.max(LEAST_ID),
            answerable: widest_answerable(app),
            more: MORE.len(),
        };
        while columns.more > 0 && columns.taken() > all {
            columns.more -= 1;
        }
        if columns.taken() > all {
            // Not of which conversation.
            columns.answerable = columns.answerable.min(1);
        }
        // What the longest name takes, if there is room for it; a fingerprint always has its own.
        let room = all.saturating_sub(columns.taken());
        columns.from += longest.saturating_sub(SHORT_FINGERPRINT).min(room);
        columns
    }

    /// What they all take.
    fn taken(&self) -> usize {
        let more = MORE.iter().take(self.more).map(|(_, width)| width + 2);
        let gap = if self.answerable > 0 { 2 } else { 0 };
        ALWAYS + self.from + self.id + gap + self.answerable + more.sum::<usize>()
    }

    fn line(
        &self,
        marks: &str,
        time: &str,
        from: &str,
        more: &[String; 3],
        id: &str,
        answerable: &str,
    ) -> String {
        let mut line = format!("{marks}{time:<16}  {}", fitted(from, self.from));
        for (text, (name, width)) in more.iter().zip(MORE).take(self.more) {
            line += &if name == "SUITE" {
                format!("  {text:<width$}")
            } else {
                format!("  {text:>width$}")
            };
        }
        let width = self.id;
        line += &format!("  {id:>width$}");
        if self.answerable > 0 {
            let shown: String = answerable.chars().take(self.answerable).collect();
            line += &format!("  {shown:<width$}", width = self.answerable);
        }
        line
    }
}

/// Columns of the longest of these.
fn widest_answerable(app: &App) -> usize {
    let all = app
        .inbox
        .messages()
        .map(|message| columns(&answerable(message)));
    all.max().unwrap_or(0)
}

/// What is said where no message is.
fn empty(app: &App) -> Paragraph<'static> {
    let text = match &app.relay {
        RelayState::Unknown => Text::raw(""),
        RelayState::Running(_) if !app.inbox.hidden().is_empty() => {
            let search = app.search.active.as_ref();
            if search.is_some_and(|search| search.progress().is_some()) {
                Text::raw("")
            } else {
                Text::raw("\nNo message has these words.")
            }
        }
        RelayState::Running(status) => {
            let (who, what) = match status.reach() {
                Reach::ThisMachine => ("Whoever is on this machine", "the address"),
                _ if status.lets_in.is_some() => ("Only whom you let in (--allow)", "the address"),
                Reach::Onion(_) | Reach::SystemTor => ("Whoever has your address", "it"),
            };
            let copied = match app.has_address() {
                true => format!("; y copies {what}"),
                false => String::new(),
            };
            Text::from_iter([
                Line::raw(""),
                Line::raw("No messages."),
                Line::raw(""),
                Line::raw(format!("{who} can leave one{copied}.")),
            ])
        }
        RelayState::Unreachable {
            what,
            hint,
            can_start,
        } => {
            let offer = if *can_start { "s starts it." } else { "" };
            Text::from_iter([
                Line::raw(""),
                Line::styled(OneLine(what).to_string(), app.theme.warning()),
                Line::raw(""),
                Line::raw(Visible(hint).to_string()),
                Line::raw(offer),
            ])
        }
    };
    Paragraph::new(text).wrap(ratatui::widgets::Wrap { trim: false })
}
