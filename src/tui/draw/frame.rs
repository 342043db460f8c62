//! What is around every screen: how the relay is, at the top; what has just happened and which keys there are, at the bottom.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::cli::visible::{OneLine, Visible};
use crate::cli::wrapped::{columns, wrapped};
use crate::count::counted;
use crate::owner::api::Status;
use crate::tor::{TorMode, TorState};
use crate::tui::app::{App, Note, RelayState};
use crate::tui::keys::{Act, Binding};
use crate::tui::theme::Theme;

/// Characters of an onion address that are shown on each side where all of it has no room.
const SHORT: usize = 8;

/// What has just happened is told in so many lines at most.
const NOTE_LINES: u16 = 3;

pub(super) fn head(frame: &mut Frame<'_>, area: Rect, app: &App) {
    let theme = app.theme;
    let (left, right) = match &app.relay {
        RelayState::Asking => (vec![Span::raw("asking your relay…")], String::new()),
        RelayState::Away { can_start, .. } => (
            vec![Span::styled(
                if *can_start {
                    "no relay is running"
                } else {
                    "your relay can't be asked"
                },
                theme.warning(),
            )],
            String::new(),
        ),
        RelayState::Here(status) => (here(status, area.width, theme), counts(status)),
    };
    let mut line = Line::from(Span::styled(" kkv  ", theme.key()));
    line.extend(left);
    let right = Line::raw(format!(" {right} "));
    // What changes has its room first.
    let width = u16::try_from(right.width()).unwrap_or(u16::MAX);
    let [begin, end] =
        Layout::horizontal([Constraint::Min(0), Constraint::Length(width)]).areas(area);
    frame.render_widget(line, begin);
    frame.render_widget(right, end);
}

/// Where it is, and how Tor is doing.
fn here(status: &Status, width: u16, theme: Theme) -> Vec<Span<'static>> {
    let Some(onion) = &status.onion else {
        let reach = match status.tor {
            TorMode::External => "through a system Tor, ",
            TorMode::Embedded | TorMode::Off => "",
        };
        return vec![Span::raw(format!("{reach}{}", OneLine(&status.place())))];
    };
    let onion = OneLine(onion).to_string();
    let room = usize::from(width) > onion.len() + 60;
    let shown = if room { onion } else { shortened(&onion) };
    let mut spans = vec![Span::raw(shown)];
    if let Some(state) = status.tor_state {
        let style = match state {
            TorState::Reachable => theme.good(),
            _ => theme.warning(),
        };
        spans.push(Span::styled(format!("  {state}"), style));
    }
    spans
}

fn shortened(onion: &str) -> String {
    let name = onion.trim_end_matches(".onion");
    match (
        name.get(..SHORT),
        name.len().checked_sub(SHORT).and_then(|at| name.get(at..)),
    ) {
        (Some(first), Some(last)) if name.len() > 2 * SHORT => format!("{first}…{last}.onion"),
        _ => onion.to_owned(),
    }
}

fn counts(status: &Status) -> String {
    let queue = status.queue;
    format!(
        "{} of {} taken  cost {}",
        queue.capacity - queue.free(),
        counted(queue.capacity, "slot"),
        status.cost
    )
}

/// Lines that the note takes, of the `all` that there are: one also if there is none.
pub(super) fn note_height(all: Rect, app: &App) -> u16 {
    let text = app.note.as_ref().map(shown).unwrap_or_default();
    let lines = wrapped(&text, note_width(all)).len();
    u16::try_from(lines)
        .unwrap_or(u16::MAX)
        .clamp(1, NOTE_LINES)
}

pub(super) fn note(frame: &mut Frame<'_>, area: Rect, app: &App) {
    let Some(note) = &app.note else { return };
    let style = if note.good {
        app.theme.good()
    } else {
        app.theme.bad()
    };
    let text = shown(note);
    for (part, row) in wrapped(&text, note_width(area))
        .into_iter()
        .zip(area.rows())
    {
        frame.render_widget(Line::styled(format!(" {}", &text[part]), style), row);
    }
}

fn shown(note: &Note) -> String {
    Visible(&note.text).to_string().replace('\n', " ")
}

/// A space before it and one behind.
fn note_width(area: Rect) -> usize {
    usize::from(area.width.saturating_sub(2)).max(1)
}

/// As many keys as have room, among them always those for help and the way back. None while keys do nothing.
pub(super) fn keys(frame: &mut Frame<'_>, area: Rect, app: &App) {
    let theme = app.theme;
    if app.is_pasting {
        frame.render_widget(Line::raw(" …"), area);
        return;
    }
    let mut line = Line::default();
    let shown: Vec<_> = app
        .place
        .bindings()
        .filter(|binding| !binding.short.is_empty() && app.does_something(binding.act))
        .collect();
    let width = |binding: &Binding| columns(binding.keys_shown) + columns(binding.short) + 3;
    let is_needed = |binding: &Binding| binding.is_common() || binding.act == Act::Back;
    let needed = shown.iter().filter(|binding| is_needed(binding));
    let needed: usize = needed.map(|binding| width(binding)).sum();
    let mut room = usize::from(area.width).checked_sub(needed);
    for binding in shown {
        if !is_needed(binding) {
            // Once one has no room, none of those that are used less has.
            room = room.and_then(|room| room.checked_sub(width(binding)));
            if room.is_none() {
                continue;
            }
        }
        line.push_span(Span::styled(
            format!(" {}", binding.keys_shown),
            theme.key(),
        ));
        line.push_span(Span::raw(format!(" {} ", binding.short)));
    }
    frame.render_widget(line, area);
}
