//! What is being written, and what has been.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Margin, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Block, Gauge, Paragraph};

use super::{Page, fitted};
use crate::count::counted;
use crate::lock;
use crate::tui::app::App;
use crate::tui::compose::Field;
use crate::tui::outbox::{Letter, Stage};
use crate::tui::theme::Theme;
use kkv_terminal::visible::{OneLine, Visible};
use kkv_terminal::wrapped::{columns, wrapped};
use kkv_ui::error::Exit;
use kkv_ui::fields::time;

/// From this width on, the list of letters has days, and not hours alone.
const LEAST_FOR_DATES: usize = 60;

pub(super) fn compose(frame: &mut Frame<'_>, area: Rect, app: &mut App) {
    let theme = app.theme;
    let Some(compose) = &mut app.compose else {
        return;
    };
    let [to, text] = if area.height >= 3 + 3 {
        Layout::vertical([Constraint::Length(3), Constraint::Min(3)]).areas(area)
    } else {
        // There is room for what is written in.
        match compose.field {
            Field::To => [area, Rect::ZERO],
            Field::Text => [Rect::ZERO, area],
        }
    };
    compose.set_height(text.height.saturating_sub(2).into());
    let (bytes, most) = compose.size();
    let over = bytes > most;
    let count = Line::raw(format!(" {bytes} of {most} bytes "));
    let count = if over {
        count.style(theme.bad())
    } else {
        count
    };
    let field = compose.field;
    let border = |name: &'static str, is_here: bool| {
        let style = if is_here { theme.key() } else { theme.faint() };
        Block::bordered().title(name).border_style(style)
    };
    let cursor = |is_here: bool| {
        if is_here {
            theme.chosen()
        } else {
            Style::new()
        }
    };
    compose.to.set_block(border(" To ", field == Field::To));
    compose.to.set_cursor_style(cursor(field == Field::To));
    compose.to.set_placeholder_style(theme.faint());
    compose
        .text
        .set_block(border(" Message ", field == Field::Text).title_bottom(count.right_aligned()));
    compose.text.set_cursor_style(cursor(field == Field::Text));
    compose.text.set_placeholder_style(theme.faint());
    (app.areas.to, app.areas.text) = (inside(to), inside(text));
    frame.render_widget(&compose.to, to);
    frame.render_widget(&compose.text, text);
}

/// What is inside the border around this.
fn inside(area: Rect) -> Rect {
    area.inner(Margin::new(1, 1))
}

pub(super) fn outbox(frame: &mut Frame<'_>, area: Rect, app: &mut App) {
    let theme = app.theme;
    let letters = app.outbox.letters();
    if letters.is_empty() {
        let text = "\n  You have written nothing yet; c begins.";
        frame.render_widget(Paragraph::new(text), area);
        return;
    }
    let Some(letter) = app.outbox.chosen() else {
        return;
    };
    let told = told(
        letter,
        usize::from(area.width.saturating_sub(2)).max(1),
        theme,
    );
    // What has become of it has its room first, and the list one line at least.
    let wanted = u16::try_from(told.len() + 2).unwrap_or(u16::MAX);
    let most = area
        .height
        .saturating_sub(wanted)
        .clamp(1, (area.height / 2).max(1));
    let rows = u16::try_from(letters.len()).unwrap_or(u16::MAX).min(most);
    let [list, detail] =
        Layout::vertical([Constraint::Length(rows), Constraint::Min(1)]).areas(area);
    app.areas.list = list;
    let top = (app.outbox.chosen + 1).saturating_sub(rows.into());
    app.areas.top = top;
    for ((place, letter), row) in letters.iter().enumerate().skip(top).zip(list.rows()) {
        let mut line = Line::raw(in_list(letter, row.width.into()));
        if app.outbox.chosen == place {
            line = line.style(theme.chosen());
        }
        frame.render_widget(line, row);
    }
    let page = Page {
        lines: told.len(),
        height: detail.height.saturating_sub(2).into(),
    };
    let first = app.outbox.top.min(page.last());
    let mut block = Block::bordered()
        .title(format!(" To {} ", to(letter)))
        .border_style(theme.faint());
    if let Some(more) = page.more(first) {
        block = block.title_bottom(Line::raw(more).right_aligned());
    }
    let inner = block.inner(detail);
    frame.render_widget(block, detail);
    for (line, row) in told.into_iter().skip(first).zip(inner.rows()) {
        frame.render_widget(line, row);
    }
    if let Stage::UnderWay(step) = &letter.stage
        && let (Some(done), _) = lock(step).now()
        && let Some(row) = inner.rows().nth(1)
    {
        let bar = Gauge::default()
            .ratio(done.clamp(0.0, 1.0))
            .gauge_style(theme.good());
        frame.render_widget(bar, row);
    }
    app.areas.page = page;
}

/// What has become of it, in lines of so many columns.
fn told(letter: &Letter, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut tell = |text: &str, style: Style| {
        let parts = wrapped(text, width).into_iter();
        lines.extend(parts.map(|part| Line::styled(text[part].to_owned(), style)));
    };
    match &letter.stage {
        Stage::Draft => {
            let size = counted(letter.text.len() as u64, "byte");
            tell(
                &format!("Not sent; {size}. Enter goes on writing it."),
                Style::new(),
            );
        }
        Stage::Accepted(words) => {
            tell("Accepted: the message is in the inbox.", Style::new());
            tell(words, Style::new());
        }
        Stage::Failed(failed) => {
            tell(&OneLine(&failed.what).to_string(), theme.bad());
            let hint = failed.hint.as_deref().unwrap_or_default();
            tell(&Visible(hint).to_string(), Style::new());
            tell(
                "\nWhat you have written is kept: Enter opens it.",
                Style::new(),
            );
        }
        // The line below it is for how far it is.
        Stage::UnderWay(step) => lines.extend([Line::raw(lock(step).now().1), Line::raw("")]),
    }
    lines
}

fn word(letter: &Letter) -> &'static str {
    match letter.stage {
        Stage::Draft => "draft",
        Stage::UnderWay(_) => "on its way",
        Stage::Accepted(_) => "accepted",
        Stage::Failed(ref failed) if failed.exit == Exit::Cancelled => "cancelled",
        Stage::Failed(_) if letter.is_declined => "you declined",
        Stage::Failed(_) => "failed",
    }
}

/// Its line in the list, filled up to so many columns.
fn in_list(letter: &Letter, width: usize) -> String {
    let at = match (&letter.stage, letter.at) {
        (Stage::Draft, _) | (_, None) => String::new(),
        (_, Some(at)) => time(at),
    };
    let (word, bytes) = (word(letter), letter.bytes);
    let told = if width < LEAST_FOR_DATES {
        // The hour is behind the day.
        let hour = at.split(' ').next_back().unwrap_or_default();
        format!(" {word:<12} {hour:<5} {bytes:>4} B  ")
    } else {
        let size = counted(bytes as u64, "byte");
        format!(" {word:<12} {at:<16}  {size:>10}  ")
    };
    let room = width.saturating_sub(columns(&told));
    told + &fitted(&to(letter), room)
}

fn to(letter: &Letter) -> String {
    if letter.to.is_empty() {
        "nobody yet".to_owned()
    } else {
        OneLine(&letter.to).to_string()
    }
}
