//! What is being written, and what has been.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Margin, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, Gauge, Paragraph, Wrap};

use crate::cli::visible::{OneLine, Visible};
use crate::count::counted;
use crate::lock;
use crate::tui::app::App;
use crate::tui::compose::Field;
use crate::tui::outbox::{Letter, Stage};

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
            ratatui::style::Style::new()
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
    let rows = u16::try_from(letters.len())
        .unwrap_or(u16::MAX)
        .min(area.height / 2);
    let [list, detail] =
        Layout::vertical([Constraint::Length(rows), Constraint::Min(1)]).areas(area);
    app.areas.list = list;
    let top = (app.outbox.chosen + 1).saturating_sub(rows.into());
    app.areas.top = top;
    for ((place, letter), row) in letters.iter().enumerate().skip(top).zip(list.rows()) {
        let mut line = Line::raw(format!(
            " {:<12} {:<width$}",
            word(letter),
            to(letter),
            width = usize::from(row.width)
        ));
        if app.outbox.chosen == place {
            line = line.style(theme.chosen());
        }
        frame.render_widget(line, row);
    }
    let Some(letter) = app.outbox.chosen() else {
        return;
    };
    let block = Block::bordered()
        .title(format!(" To {} ", to(letter)))
        .border_style(theme.faint());
    let inner = block.inner(detail);
    frame.render_widget(block, detail);
    self::letter(frame, inner, letter, app);
}

fn letter(frame: &mut Frame<'_>, area: Rect, letter: &Letter, app: &App) {
    let theme = app.theme;
    let paragraph = match &letter.stage {
        Stage::Draft => Paragraph::new(format!(
            "Not sent; {}. Enter goes on writing it.",
            counted(letter.text.len() as u64, "byte")
        )),
        Stage::Accepted(words) => {
            Paragraph::new(format!("Accepted: the message is in the inbox.\n{words}"))
        }
        Stage::Failed(failed) => {
            let hint = failed.hint.as_deref().unwrap_or_default();
            Paragraph::new(vec![
                Line::styled(OneLine(&failed.what).to_string(), theme.bad()),
                Line::raw(Visible(hint).to_string()),
                Line::raw(""),
                Line::raw("What you have written is kept: Enter opens it."),
            ])
        }
        Stage::UnderWay(step) => {
            let [words, gauge, _] = Layout::vertical([
                Constraint::Length(1),
                Constraint::Length(1),
                Constraint::Min(0),
            ])
            .areas(area);
            let (done, now) = lock(step).now();
            frame.render_widget(Line::raw(now), words);
            if let Some(done) = done {
                let bar = Gauge::default()
                    .ratio(done.clamp(0.0, 1.0))
                    .gauge_style(theme.good());
                frame.render_widget(bar, gauge);
            }
            return;
        }
    };
    frame.render_widget(paragraph.wrap(Wrap { trim: false }), area);
}

fn word(letter: &Letter) -> &'static str {
    match letter.stage {
        Stage::Draft => "draft",
        Stage::UnderWay(_) => "on its way",
        Stage::Accepted(_) => "accepted",
        Stage::Failed(_) => "failed",
    }
}

fn to(letter: &Letter) -> String {
    if letter.to.is_empty() {
        "nobody yet".to_owned()
    } else {
        OneLine(&letter.to).to_string()
    }
}
