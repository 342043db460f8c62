//! A message that is being read. Its text stands in a frame, so that nothing in it can pass for what is around it.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Block;

use super::fitted::fitted;
use crate::tui::app::App;
use crate::tui::terminal::row_backend::put;
use kkv_base::count::counted;
use kkv_protocol::crypto::identity::Sender;
use kkv_ui::fields::{fingerprint, paid, time};
use kkv_ui::preview::openpgp_in_short;

/// Lines that tell of a message, above its text.
const HEADS: u16 = 3;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, app: &mut App) {
    let theme = app.theme;
    // Where there is little room, most of it is for the text.
    let heads = if area.height < HEADS + 2 + 3 {
        1
    } else {
        HEADS
    };
    let [head, text] =
        Layout::vertical([Constraint::Length(heads), Constraint::Min(1)]).areas(area);
    let border = Block::bordered().border_style(theme.faint());
    let inner = border.inner(text);
    let Some(reading) = &mut app.reading else {
        return;
    };
    let summary = reading.summary();
    let unread = if summary.read {
        ""
    } else {
        ", marked as unread"
    };
    let openpgp = openpgp_in_short(summary);
    let openpgp = openpgp.map_or_else(String::new, |block| format!(", OpenPGP: {block}"));
    let name = app.contacts.who_signs(&summary.sender);
    // Two blanks, so that no terminal takes the numbers for a part of a name that it turns round.
    let name = name.map_or_else(String::new, |name| format!("{name}  "));
    let lines = [
        format!(
            " Message {}, {}{unread}{openpgp}",
            summary.id,
            counted(summary.bytes as u64, "byte")
        ),
        format!(" Received {}", time(summary.received)),
        format!(
            " From     {name}{} ({}, {})",
            fingerprint::<Sender>(&summary.sender),
            summary.suite,
            paid(summary)
        ),
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
