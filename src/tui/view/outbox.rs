//! What is being written, and what has been.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Margin, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Block, Gauge, Paragraph};

use super::awaited::{StatusLine, answer_lines, known_lines};
use super::fitted::{fitted, indented};
use crate::tui::app::App;
use crate::tui::app::answering::SEALED;
use crate::tui::state::areas::Page;
use crate::tui::state::composer::{Field, Purpose};
use crate::tui::state::outbox::{DeliveryState, Outgoing};
use crate::tui::terminal::row_backend::put;
use crate::tui::theme::Theme;
use kkv_base::count::counted;
use kkv_base::lock;
use kkv_client::contacts::without_token;
use kkv_terminal::visible::{OneLine, Visible};
use kkv_terminal::wrapped::{columns, wrapped};
use kkv_ui::error::Exit;
use kkv_ui::fields::time;
use zeroize::Zeroizing;

/// From this width on, the list of outgoing messages has days, and not hours alone.
const LEAST_FOR_DATES: usize = 60;

/// From this height on, what has become of a message stands before the answers to it.
const LEAST_FOR_STATUS: u16 = 12;

/// What is known of a message by a look alone: nobody signs what that tells.
const ARRIVED: &str =
    "It has arrived, by what the inbox says now. The inbox has not signed for it.";

pub(super) fn composer(frame: &mut Frame<'_>, area: Rect, app: &mut App) {
    let theme = app.theme;
    let Some(composer) = &mut app.composer else {
        return;
    };
    let [to, text] = if !composer.is_addressed() {
        [Rect::ZERO, area]
    } else if area.height >= 3 + 3 {
        Layout::vertical([Constraint::Length(3), Constraint::Min(3)]).areas(area)
    } else {
        // There is room for what is written in.
        match composer.field {
            Field::To => [area, Rect::ZERO],
            Field::Text => [Rect::ZERO, area],
        }
    };
    composer.set_height(text.height.saturating_sub(2).into());
    let (bytes, most) = composer.size();
    let over = bytes > most;
    let count = Line::raw(format!(" {bytes} of {most} bytes "));
    let count = if over {
        count.style(theme.bad())
    } else {
        count
    };
    let field = composer.field;
    let title = match composer.purpose {
        Purpose::Message => " Message ".to_owned(),
        Purpose::Answer(to) => format!(" Answer to message {} ", to.message),
        Purpose::FollowUp(_) => " In the same conversation ".to_owned(),
    };
    let asked = if composer.is_addressed() && composer.wants_answer {
        " asks for an answer "
    } else {
        ""
    };
    let border = |name: String, is_here: bool| {
        let style = if is_here { theme.key() } else { theme.faint() };
        Block::bordered().title(name).border_style(style)
    };
    let cursor = |is_here: bool| {
        if is_here {
            theme.selected()
        } else {
            Style::new()
        }
    };
    composer
        .to
        .set_block(border(" To ".to_owned(), field == Field::To));
    composer.to.set_cursor_style(cursor(field == Field::To));
    composer.to.set_placeholder_style(theme.faint());
    composer.text.set_block(
        border(title, field == Field::Text)
            .title_bottom(Line::styled(asked, theme.strong()))
            .title_bottom(count.right_aligned()),
    );
    composer.text.set_cursor_style(cursor(field == Field::Text));
    composer.text.set_placeholder_style(theme.faint());
    (app.areas.to, app.areas.text) = (inside(to), inside(text));
    if !to.is_empty() {
        frame.render_widget(&composer.to, to);
    }
    frame.render_widget(&composer.text, text);
}

/// What is inside the border around this.
fn inside(area: Rect) -> Rect {
    area.inner(Margin::new(1, 1))
}

pub(super) fn outbox(frame: &mut Frame<'_>, area: Rect, app: &mut App) {
    let theme = app.theme;
    let messages = app.outbox.messages();
    if messages.is_empty() {
        let text = "\nYou have written nothing yet; c begins.";
        frame.render_widget(Paragraph::new(text), indented(area));
        return;
    }
    let Some(message) = app.outbox.selected() else {
        return;
    };
    let width = usize::from(area.width.saturating_sub(2)).max(1);
    let mut status_lines = status_lines(app, message, width, theme);
    let begun = message.conversation.and_then(|id| app.awaited.get(id));
    if let Some(begun) = begun.filter(|begun| begun.is_open) {
        let answers = answer_lines(begun, width, theme);
        let known = known_lines(begun, width);
        if answers.is_empty() || area.height >= LEAST_FOR_STATUS {
            status_lines.extend(known.into_iter().chain(answers));
        } else {
            // Without the blank line before the first. All else is known already, and an answer is what is looked for.
            let behind = known.into_iter().chain(status_lines);
            status_lines = answers.into_iter().skip(1).chain(behind).collect();
        }
    }
    // What has become of it has its room first, and the list one line at least.
    let wanted = u16::try_from(status_lines.len() + 2).unwrap_or(u16::MAX);
    let most = area
        .height
        .saturating_sub(wanted)
        .clamp(1, (area.height / 2).max(1));
    let rows = u16::try_from(messages.len()).unwrap_or(u16::MAX).min(most);
    let [list, detail] =
        Layout::vertical([Constraint::Length(rows), Constraint::Min(1)]).areas(area);
    app.areas.list = list;
    let top = (app.outbox.selected + 1).saturating_sub(rows.into());
    app.areas.top = top;
    for ((position, message), row) in messages.iter().enumerate().skip(top).zip(list.rows()) {
        let mut line = Line::raw(in_list(app, message, row.width.into()));
        if app.outbox.selected == position {
            line = line.style(theme.selected());
        }
        frame.render_widget(line, row);
    }
    let page = Page {
        lines: status_lines.len(),
        height: detail.height.saturating_sub(2).into(),
    };
    let first = app.outbox.top.min(page.last());
    let mut block = Block::bordered()
        .title(title(message))
        .border_style(theme.faint());
    if let Some(more) = page.more(first) {
        block = block.title_bottom(Line::raw(more).right_aligned());
    }
    let inner = block.inner(detail);
    frame.render_widget(block, detail);
    let is_covered = app.overlay.is_some() || !app.questions.is_empty();
    let mut seen = Vec::new();
    for (line, row) in status_lines.into_iter().skip(first).zip(inner.rows()) {
        put(frame.buffer_mut(), row, &line.text);
        frame.buffer_mut().set_style(row, line.style);
        seen.extend(line.ends.filter(|_| !is_covered));
    }
    if let DeliveryState::InProgress(progress) = &message.state
        && let (Some(done), _) = lock(progress).now()
        && let Some(row) = inner.rows().nth(1)
    {
        let bar = Gauge::default()
            .ratio(done.clamp(0.0, 1.0))
            .gauge_style(theme.good());
        frame.render_widget(bar, row);
    }
    app.areas.page = page;
    let conversation = message.conversation;
    if let Some(begun) = conversation.and_then(|id| app.awaited.get_mut(id)) {
        seen.into_iter().for_each(|position| begun.saw(position));
    }
}

/// What has become of it, in lines of so many columns.
fn status_lines(app: &App, message: &Outgoing, width: usize, theme: Theme) -> Vec<StatusLine> {
    let mut lines = Vec::new();
    let mut add = |text: &str, style: Style| {
        let parts = wrapped(text, width).into_iter();
        lines.extend(parts.map(|part| StatusLine {
            text: Zeroizing::new(text[part].to_owned()),
            style,
            ends: None,
        }));
    };
    match &message.state {
        DeliveryState::Draft => {
            let size = counted(message.text.len() as u64, "byte");
            add(
                &format!("Not sent; {size}. Enter goes on writing it."),
                Style::new(),
            );
        }
        DeliveryState::Accepted(words) => {
            add("Accepted: the message is in the inbox.", Style::new());
            add(words, Style::new());
        }
        DeliveryState::Arrived => {
            add(ARRIVED, Style::new());
            add(
                "\nWhat you have written is kept until you forget it: Enter opens it.",
                Style::new(),
            );
        }
        DeliveryState::Failed(failed) => {
            add(&OneLine(&failed.what).to_string(), theme.bad());
            let hint = failed.hint.as_deref().unwrap_or_default();
            add(&Visible(hint).to_string(), Style::new());
            add(
                "\nWhat you have written is kept: Enter opens it.",
                Style::new(),
            );
        }
        DeliveryState::Sealing => add("Being sealed…", Style::new()),
        DeliveryState::Sealed(conversation) => {
            add(SEALED, Style::new());
            let (_, state) = app.state_of_sealed(message.answers, conversation);
            add(state, Style::new());
        }
        // The line below it is for how far it is.
        DeliveryState::InProgress(progress) => {
            let now = lock(progress).now().1;
            add(now.lines().next().unwrap_or_default(), Style::new());
            add("", Style::new());
        }
    }
    lines
}

fn state_in_short(app: &App, message: &Outgoing) -> &'static str {
    match message.state {
        DeliveryState::Draft => "draft",
        DeliveryState::InProgress(_) => "on its way",
        DeliveryState::Accepted(_) | DeliveryState::Arrived => {
            let begun = message.conversation.and_then(|id| app.awaited.get(id));
            match begun {
                Some(begun) if begun.unseen() > 0 => "new answer",
                Some(begun) if !begun.answers.is_empty() => "answered",
                Some(begun) if begun.is_open && !begun.is_alive() => "over",
                _ if matches!(message.state, DeliveryState::Arrived) => "arrived",
                _ => "accepted",
            }
        }
        DeliveryState::Sealing => "being sealed",
        DeliveryState::Sealed(ref conversation) => {
            app.state_of_sealed(message.answers, conversation).0
        }
        DeliveryState::Failed(_) if message.may_have_arrived() => "in doubt",
        DeliveryState::Failed(ref failed) if failed.exit == Exit::Cancelled => "cancelled",
        DeliveryState::Failed(_) if message.is_declined => "you declined",
        DeliveryState::Failed(ref failed) if failed.exit == Exit::InDoubt => "in doubt",
        DeliveryState::Failed(_) => "failed",
    }
}

/// Its line in the list, filled up to so many columns.
fn in_list(app: &App, message: &Outgoing, width: usize) -> String {
    let at = match (&message.state, message.at) {
        (DeliveryState::Draft, _) | (_, None) => String::new(),
        (_, Some(at)) => time(at),
    };
    let (state, bytes) = (state_in_short(app, message), message.bytes);
    let columns_before = if width < LEAST_FOR_DATES {
        // The hour is behind the day.
        let hour = at.split(' ').next_back().unwrap_or_default();
        format!(" {state:<12} {hour:<5} {bytes:>4} B  ")
    } else {
        let size = counted(bytes as u64, "byte");
        format!(" {state:<12} {at:<16}  {size:>10}  ")
    };
    let room = width.saturating_sub(columns(&columns_before));
    columns_before + &fitted(&to(message), room)
}

fn title(message: &Outgoing) -> String {
    match message.answers {
        Some(to) => format!(" Answer to message {} ", to.message),
        None => format!(" To {} ", to(message)),
    }
}

fn to(message: &Outgoing) -> String {
    if let Some(to) = message.answers {
        format!("answer to message {}", to.message)
    } else if message.to.is_empty() {
        "nobody yet".to_owned()
    } else {
        OneLine(&without_token(&message.to)).to_string()
    }
}
