//! What is around every screen: how the relay is, at the top; what has just happened and which keys there are, at the
//! bottom.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::fitted::fitted;
use crate::tor::TorState;
use crate::tui::app::App;
use crate::tui::app::bindings::{Action, Binding, bindings};
use crate::tui::state::relay::RelayState;
use crate::tui::state::screen::Screen;
use kkv_base::count::counted;
use kkv_owner::{Reach, Status};
use kkv_terminal::visible::{OneLine, Visible};
use kkv_terminal::wrapped::{columns, wrapped};

/// Characters of an onion address that are shown on each side where all of it has no room.
const SHORT: usize = 8;

/// What has just happened is told in so many lines at most, and in more where there is room.
const NOTE_LINES: u16 = 3;

/// From this height on there is a line for it also if there is none.
const LEAST_FOR_BLANK: u16 = 12;

pub(super) fn head(frame: &mut Frame<'_>, area: Rect, app: &App) {
    let theme = app.theme;
    let name = " kkv  ";
    let all = usize::from(area.width).saturating_sub(columns(name));
    // Where outgoing messages are listed, they say more.
    let way = app
        .outbox
        .progress_in_short()
        .filter(|_| app.screen != Screen::Outbox);
    let way = way.map(|way| format!("  {way} ")).unwrap_or_default();
    let room = all.saturating_sub(columns(&way));
    let (head, style) = match &app.relay {
        RelayState::Unknown => (Head::of("asking your relay…"), Style::new()),
        RelayState::Unreachable {
            can_start: true, ..
        } => (Head::of("no relay is running"), theme.warning()),
        RelayState::Unreachable { .. } => (Head::of("your relay can't be asked"), theme.warning()),
        RelayState::Running(status) => {
            let is_reachable = status.tor_state == Some(TorState::Reachable);
            let style = if is_reachable {
                theme.good()
            } else {
                theme.warning()
            };
            let head = here(status, room).or_else(|| here(status, all));
            // Nothing is cut, except for a place that leaves no other way.
            let cut = || Head {
                place: fitted(&whereabouts(status).0[0], all),
                ..Head::of("")
            };
            (head.unwrap_or_else(cut), style)
        }
    };
    let way = if head.columns() <= room {
        way
    } else {
        String::new()
    };
    let right = columns(&way) + columns(&head.counts);
    let right = u16::try_from(right).unwrap_or(u16::MAX);
    let [begin, end] =
        Layout::horizontal([Constraint::Min(0), Constraint::Length(right)]).areas(area);
    let left = Line::from_iter([
        Span::styled(name, theme.key()),
        Span::raw(head.place),
        Span::styled(head.state, style),
    ]);
    frame.render_widget(left, begin);
    let right = Line::from_iter([Span::styled(way, theme.key()), Span::raw(head.counts)]);
    frame.render_widget(right, end);
}

/// The parts of the line at the top.
struct Head {
    /// Where the relay is.
    place: String,
    /// How Tor, or the relay itself, is doing.
    state: String,
    /// How full it is, and what it costs.
    counts: String,
}

impl Head {
    fn of(state: &str) -> Self {
        Self {
            place: String::new(),
            state: state.to_owned(),
            counts: String::new(),
        }
    }

    fn columns(&self) -> usize {
        columns(&self.place) + columns(&self.state) + columns(&self.counts)
    }
}

/// As much as has room of where it is, how Tor is doing and how full it is, if anything has.
fn here(status: &Status, room: usize) -> Option<Head> {
    let (places, states) = whereabouts(status);
    let queue = status.queue;
    let taken = queue.capacity - queue.free();
    let (of, cost) = (counted(queue.capacity, "slot"), status.cost);
    let counts = [
        format!("  {taken} of {of} taken  cost {cost} "),
        format!("  {taken} of {}  cost {cost} ", queue.capacity),
        String::new(),
    ];
    let [whole, short, none] = [0, 1, 2];
    let forms = [
        [whole, whole, whole],
        [short, whole, whole],
        [short, whole, short],
        // What is in the way says more than an address.
        [none, whole, short],
        [short, short, whole],
        [short, short, short],
        [none, short, short],
        [none, short, none],
    ];
    let heads = forms.map(|[place, state, count]| {
        let (place, state) = (places[place].clone(), states[state].as_str());
        let gap = if place.is_empty() || state.is_empty() {
            ""
        } else {
            "  "
        };
        Head {
            state: format!("{gap}{state}"),
            counts: counts[count].clone(),
            place,
        }
    });
    let mut heads = heads.into_iter();
    heads.find(|head| head.columns() <= room)
}

/// Where it is: whole, short, and not at all. How Tor is doing: whole, and without what is in the way.
fn whereabouts(status: &Status) -> ([String; 3], [String; 2]) {
    let place = OneLine(&status.place()).to_string();
    let onion = match status.reach() {
        Reach::Onion(onion) => OneLine(onion).to_string(),
        Reach::SystemTor => {
            let whole = format!("through a system Tor, {place}");
            return ([whole, place.clone(), place], Default::default());
        }
        Reach::ThisMachine => return ([place.clone(), place.clone(), place], Default::default()),
    };
    let short = shortened(&onion);
    let state = status.tor_state.map(|state| state.to_string());
    let state = state.unwrap_or_default();
    // What is in the way of it stands behind.
    let plain = state.split("; ").next().unwrap_or_default().to_owned();
    ([onion, short, String::new()], [state, plain])
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

/// Lines that the note takes, of the `all` that there are: one also if there is none, so that nothing moves when there
/// is one, but where each line is needed for what is read.
pub(super) fn note_height(all: Rect, app: &App) -> u16 {
    let Some((text, _)) = noted(app) else {
        return u16::from(all.height >= LEAST_FOR_BLANK);
    };
    let lines = wrapped(&text, note_width(all)).len();
    u16::try_from(lines)
        .unwrap_or(u16::MAX)
        .clamp(1, NOTE_LINES.max(all.height / 2 - 1))
}

pub(super) fn note(frame: &mut Frame<'_>, area: Rect, app: &App) {
    let Some((text, style)) = noted(app) else {
        return;
    };
    for (part, row) in wrapped(&text, note_width(area))
        .into_iter()
        .zip(area.rows())
    {
        frame.render_widget(Line::styled(format!(" {}", &text[part]), style), row);
    }
}

/// What has just happened, or else how many messages are picked.
fn noted(app: &App) -> Option<(String, Style)> {
    let Some(note) = &app.note else {
        let picked = app.inbox.picked().count();
        // While something is asked, those keys answer that.
        let is_told = picked > 0 && app.screen == Screen::Inbox && app.questions.is_empty();
        let text = format!("{picked} picked: d delete, u mark, Esc none");
        return is_told.then(|| (text, app.theme.strong()));
    };
    let style = if note.good {
        app.theme.good()
    } else {
        app.theme.bad()
    };
    Some((Visible(&note.text).to_string().replace('\n', " "), style))
}

/// A space before it and one behind.
fn note_width(area: Rect) -> usize {
    usize::from(area.width.saturating_sub(2)).max(1)
}

/// As many keys as have room, among them always those for help and the way back, and those without which one is stuck.
/// None while keys do nothing.
pub(super) fn keys(frame: &mut Frame<'_>, area: Rect, app: &App) {
    let theme = app.theme;
    if app.ignores_keys() {
        frame.render_widget(Line::raw(" …"), area);
        return;
    }
    let mut line = Line::default();
    let shown: Vec<_> = bindings(app.screen)
        .filter(|binding| !binding.short.is_empty() && binding.is_available(app))
        .collect();
    let is_known = |binding: &Binding| binding.is_common() || binding.action == Action::Back;
    let is_needed = |binding: &Binding| is_known(binding) || binding.is_needed();
    let width = |binding: &Binding, words: &str| columns(binding.keys_shown) + columns(words) + 3;
    let taken = |is_worded: bool| -> usize {
        let needed = shown.iter().filter(|binding| is_needed(binding));
        let widths = needed.map(|binding| match is_known(binding) && !is_worded {
            true => columns(binding.keys_shown) + 2,
            false => width(binding, binding.short),
        });
        widths.sum()
    };
    let all = usize::from(area.width);
    // The words of those that are the same everywhere go first.
    let is_worded = taken(true) <= all;
    let mut room = all.checked_sub(taken(is_worded));
    for binding in &shown {
        if !is_needed(binding) {
            // Once one has no room, none of those that are used less has.
            room = room.and_then(|room| room.checked_sub(width(binding, binding.short)));
            if room.is_none() {
                continue;
            }
        }
        line.push_span(Span::styled(
            format!(" {}", binding.keys_shown),
            theme.key(),
        ));
        let does = if is_worded || !is_known(binding) {
            format!(" {} ", binding.short)
        } else {
            " ".to_owned()
        };
        line.push_span(Span::raw(does));
    }
    frame.render_widget(line, area);
}
