//! What stands over the screen for a moment: a question, or a page.

use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};
use zeroize::Zeroizing;

use crate::tui::app::App;
use crate::tui::app::bindings::{Action, Binding, bindings};
use crate::tui::app::details::Row;
use crate::tui::state::areas::Page;
use crate::tui::state::overlay_page::{OverlayPage, Subject};
use crate::tui::state::question::Question;
use crate::tui::terminal::row_backend::put;
use kkv_terminal::wrapped::{columns, wrapped};
use kkv_ui::fields::address;
use kkv_ui::replies::in_rows_within;

const QUESTION_WIDTH: u16 = 60;
/// What the names of keys, and other labels, take of a page.
const LABEL_COLUMNS: usize = 11;

/// In the `body` of the screen, or over `all` of it if there is no room; if even that is not enough, it is said
/// instead.
pub(super) fn question(frame: &mut Frame<'_>, body: Rect, all: Rect, app: &mut App) {
    let Some(question) = app.questions.first() else {
        return;
    };
    let (what, then) = question.words();
    let is_answerable = app.questions.is_answerable();
    let answers: &[_] = match question {
        // Until the keys have rested, a yes does nothing.
        Question::Pay { .. } if !is_answerable => &[("…", "")],
        Question::Verify { .. } if !is_answerable => &[("…", ""), ("Esc", "back")],
        _ if !is_answerable => &[("…", "yes"), ("n", "no")],
        Question::Verify { .. } => &[("y", "yes"), ("n", "no"), ("Esc", "back")],
        _ => &[("y", "yes"), ("n", "no")],
    };
    let width = QUESTION_WIDTH.min(all.width);
    let inner = usize::from(width.saturating_sub(4)).max(1);
    let mut lines = Vec::new();
    for (text, style) in [(&what, app.theme.strong()), (&then, Style::new())] {
        let parts = wrapped(text, inner).into_iter();
        lines.extend(parts.map(|part| Line::styled(&text[part], style)));
    }
    let keys = |keys: &[(&'static str, &'static str)]| {
        let spans = keys.iter().flat_map(|(key, does)| {
            [
                Span::styled(*key, app.theme.key()),
                Span::raw(format!(" {does}   ")),
            ]
        });
        Line::from_iter(spans)
    };
    lines.extend([Line::raw(""), keys(answers)]);
    let height = |lines: &[_]| {
        u16::try_from(lines.len())
            .unwrap_or(u16::MAX)
            .saturating_add(2)
    };
    app.areas.question_is_hidden = height(&lines) > all.height;
    if app.areas.question_is_hidden {
        let enlarge = "Make the window larger, to see what is asked.";
        let parts = wrapped(enlarge, inner).into_iter();
        lines = parts.map(|part| Line::raw(&enlarge[part])).collect();
        lines.push(keys(&[("Esc", "back")]));
    }
    let height = height(&lines);
    let area = if height > body.height { all } else { body };
    let block = Block::bordered().border_style(app.theme.warning());
    let inner = boxed(frame, area, (width, height), block);
    frame.render_widget(Paragraph::new(lines), inner);
}

/// The page that was opened, from the line on that was gone to.
pub(super) fn page(frame: &mut Frame<'_>, area: Rect, app: &mut App) {
    let Some(open) = app.overlay else {
        return;
    };
    let (title, rows) = match open.subject {
        Subject::Keys => (" Keys ".to_owned(), keys(app)),
        Subject::Message(id) => (format!(" Message {id} "), app.details(id)),
        Subject::Words(id) => (
            " Words ".to_owned(),
            words(app, id, usize::from(area.width).saturating_sub(4)),
        ),
    };
    let is_labelled = rows.iter().any(|(label, _)| !label.is_empty());
    let label_columns = if is_labelled { LABEL_COLUMNS } else { 0 };
    let room = usize::from(area.width)
        .saturating_sub(label_columns + 4)
        .max(1);
    let mut lines = Vec::new();
    for (label, text) in &rows {
        let mut label = *label;
        for part in wrapped(text, room) {
            lines.push((label, &text[part]));
            label = "";
        }
    }
    let height = usize::from(area.height).saturating_sub(2);
    let page = Page {
        lines: lines.len(),
        height,
    };
    let top = open.top.min(page.last());
    (app.areas.page, app.overlay) = (page, Some(OverlayPage { top, ..open }));
    let mut block = Block::bordered()
        .title(title)
        .title_bottom(" Esc goes back ");
    if let Some(more) = page.more(top) {
        block = block.title_bottom(Line::raw(more).right_aligned());
    }
    let widest = lines.iter().map(|(_, text)| columns(text)).max();
    let width = widest.unwrap_or(0) + label_columns + 4;
    let size = |size| u16::try_from(size).unwrap_or(u16::MAX);
    let (width, height) = (size(width), size(lines.len() + 2));
    let inner = boxed(frame, area, (width, height), block);
    for ((label, text), row) in lines.into_iter().skip(top).zip(inner.rows()) {
        if is_labelled {
            let label = format!("{label:>9}  ");
            frame.render_widget(Line::styled(label, app.theme.key()), row);
        }
        let behind = size(label_columns).min(row.width);
        let rest = Rect {
            x: row.x + behind,
            width: row.width - behind,
            ..row
        };
        put(frame.buffer_mut(), rest, text);
    }
}

/// The words of a conversation that was begun here, and what they are for.
fn words(app: &App, id: u64, room: usize) -> Vec<Row> {
    let Some(begun) = app.awaited.get(id) else {
        return Vec::new();
    };
    let what =
        "Only these open the answers. Write them down; they are forgotten when you end kkvc.";
    let later = format!(
        "Later, on any machine: kkvc replies {}",
        address(begun.target)
    );
    let rows = in_rows_within(&begun.secret.words, room);
    let rows = rows.lines().map(|row| Zeroizing::new(row.to_owned()));
    // They come first: in a small window there may be room for nothing else.
    let behind = [String::new(), what.to_owned(), later].map(Zeroizing::new);
    rows.chain(behind).map(|text| ("", text)).collect()
}

/// What each key of the screen does.
fn keys(app: &App) -> Vec<Row> {
    // Where nothing is picked, Esc does nothing there.
    let is_there = |binding: &&Binding| binding.action != Action::Back || binding.is_available(app);
    bindings(app.screen)
        .filter(is_there)
        .map(|binding| (binding.keys_shown, Zeroizing::new(binding.long.to_owned())))
        .collect()
}

/// A frame in the middle of `area`, over what was there. The room in it.
fn boxed(frame: &mut Frame<'_>, area: Rect, (width, height): (u16, u16), block: Block<'_>) -> Rect {
    let [area] = Layout::horizontal([Constraint::Max(width)])
        .flex(Flex::Center)
        .areas(area);
    let [area] = Layout::vertical([Constraint::Max(height)])
        .flex(Flex::Center)
        .areas(area);
    frame.render_widget(Clear, area);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let [inner] = Layout::horizontal([Constraint::Min(1)])
        .horizontal_margin(1)
        .areas(inner);
    inner
}
