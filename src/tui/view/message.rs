//! A message that is being read. Its text stands in a frame, so that nothing in it can pass for what is around it.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Block;
use zeroize::Zeroizing;

use super::fitted::fitted;
use crate::tui::app::App;
use crate::tui::app::details::turn_in_words;
use crate::tui::state::conversation::Turn;
use crate::tui::terminal::row_backend::put;
use kkv_base::count::counted;
use kkv_terminal::measured::measured;
use kkv_ui::fields::{came_by, signer, time};
use kkv_ui::preview::{file_in_a_line, files_in_short, openpgp_in_short};

/// Lines that tell of a message, above its text.
const HEADS: u16 = 3;
/// What stands before its files, and the rest of its conversation.
const FILES: &str = "Files   ";
const EARLIER: &str = "Earlier ";
const SINCE: &str = "Since   ";
const BLANK: &str = "        ";

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, app: &mut App) {
    let theme = app.theme;
    // Where there is little room, most of it is for the text.
    let heads = if area.height < HEADS + 2 + 3 {
        1
    } else {
        HEADS
    };
    let around = around(app, area, heads);
    let told = u16::try_from(around.len()).unwrap_or(u16::MAX);
    let [head, conversation, text] = Layout::vertical([
        Constraint::Length(heads),
        Constraint::Length(told),
        Constraint::Min(1),
    ])
    .areas(area);
    for (line, row) in around.iter().zip(conversation.rows()) {
        put(frame.buffer_mut(), row, line);
    }
    let border = Block::bordered().border_style(theme.faint());
    let inner = border.inner(text);
    let Some(reading) = &mut app.reading else {
        return;
    };
    let summary = reading.summary();
    let now = app.inbox.get(summary.id).and_then(|now| now.conversation);
    let answerable = match now {
        None => "",
        Some(now) if now.answered == 0 => ", can be answered",
        Some(_) => ", answered",
    };
    let unread = if summary.read {
        ""
    } else {
        ", marked as unread"
    };
    let files = files_in_short(summary).map_or_else(String::new, |files| format!(", {files}"));
    let openpgp = openpgp_in_short(summary);
    let openpgp = openpgp.map_or_else(String::new, |block| format!(", OpenPGP: {block}"));
    let name = app.contacts.who_signs(summary.sender.as_ref());
    // Two blanks, so that no terminal takes the numbers for a part of a name that it turns round.
    let name = name.map_or_else(String::new, |name| format!("{name}  "));
    let lines = [
        format!(
            " Message {}, {}{files}{unread}{answerable}{openpgp}",
            summary.id,
            counted(summary.bytes as u64, "byte")
        ),
        format!(" Received {}", time(summary.received)),
        format!(" From     {name}{} ({})", signer(summary), came_by(summary)),
    ];
    for (line, row) in lines.into_iter().zip(head.rows()) {
        let line = fitted(&line, row.width.into());
        frame.render_widget(Line::raw(line), row);
    }
    reading.lay_out(inner.width.into(), inner.height.into());
    let (top, all) = reading.position();
    let border = match all.saturating_sub(top + usize::from(inner.height)) {
        0 => border,
        more => border.title_bottom(
            Line::raw(format!(" {} ", counted(more as u64, "more line"))).right_aligned(),
        ),
    };
    frame.render_widget(border, text);
    for (line, row) in reading.lines().zip(inner.rows()) {
        put(frame.buffer_mut(), row, line);
    }
}

/// Its files, and what else there is of its conversation, made safe: as much of it as a part of the screen has room
/// for.
fn around(app: &App, area: Rect, heads: u16) -> Vec<Zeroizing<String>> {
    let Some(reading) = &app.reading else {
        return Vec::new();
    };
    let Some(message) = app.inbox.get(reading.summary().id) else {
        return Vec::new();
    };
    let mut lines: Vec<(&'static str, Zeroizing<String>)> = Vec::new();
    for (place, file) in app.files(message).iter().enumerate() {
        lines.push((FILES, file_in_a_line(place + 1, file)));
    }
    let files = lines.len();
    let room = usize::from(area.width).saturating_sub(FILES.len() + 2);
    let mut label = EARLIER;
    for turn in app.turns(message) {
        if matches!(turn, Turn::Message(turn) if turn.id == message.id) {
            label = SINCE;
        } else {
            lines.push((label, turn_in_words(turn, None, room)));
        }
    }
    let most = usize::from(area.height.saturating_sub(heads + 2 + 3) / 2);
    if lines.len() > most {
        let Some(left) = most.checked_sub(1) else {
            return Vec::new();
        };
        let hidden = lines.len() - left;
        // The first files, and the newest of what was said.
        let kept = files.min(left.div_ceil(2));
        lines.drain(kept..kept + hidden);
        let more = counted(hidden as u64, "more line");
        let more = Zeroizing::new(format!("{more}: i shows all"));
        lines.insert(kept, (BLANK, more));
    }
    let mut last = "";
    let mut labelled = |(label, line): (&'static str, Zeroizing<String>)| {
        let shown = if label == last { BLANK } else { label };
        last = label;
        measured(|out| write!(out, " {shown} {}", *line))
    };
    lines.into_iter().map(&mut labelled).collect()
}
