//! The contacts, and one that is being written down.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph, Wrap};

use super::fitted::{fitted, indented};
use crate::tui::app::App;
use crate::tui::state::contact_form::TITLES;
use kkv_client::contacts::Contact;
use kkv_ui::fields::{address, short};

/// Columns for a name.
const NAME: usize = 20;

pub(super) fn list(frame: &mut Frame<'_>, area: Rect, app: &mut App) {
    let theme = app.theme;
    let [head, rows] = Layout::vertical([Constraint::Length(1), Constraint::Min(1)]).areas(area);
    app.areas.list = rows;
    if app.contacts.book().is_empty() {
        let kept = if app.contacts.are_kept() {
            "They are kept in the file that --contacts names."
        } else {
            "They are forgotten when you end kkvc, unless you start it with --contacts FILE."
        };
        let between = if rows.height < 7 { "" } else { "\n" };
        let text = format!("{between}No contacts; a adds one.\n{between}{kept}");
        let text = Paragraph::new(text).wrap(Wrap { trim: false });
        frame.render_widget(text, indented(rows));
        return;
    }
    // Who has none needs no column for them.
    let mut contacts = app.contacts.book().iter();
    let has_invited = contacts.any(|contact| contact.invitation().is_some());
    let title = format!(
        "   {}  {:<8}  {}{:<5}  {:<9}  ADDRESS",
        fitted("NAME", NAME),
        "VERIFIED",
        if has_invited { "INVITED  " } else { "" },
        "SUITE",
        "SIGNS AS"
    );
    frame.render_widget(Line::styled(title, theme.faint()), head);
    let height = usize::from(rows.height);
    let top = (app.contacts.position() + 1).saturating_sub(height);
    let shown = app.contacts.book().iter().enumerate().skip(top);
    for ((position, contact), row) in shown.zip(rows.rows()) {
        let mut line = Line::raw(fitted(&line_of(contact, has_invited), row.width.into()));
        if app.contacts.position() == position {
            line = line.style(theme.selected());
        }
        frame.render_widget(line, row);
    }
    app.areas.top = top;
}

fn line_of(contact: &Contact, has_invited: bool) -> String {
    let sender = contact.sender().map(|key| short(&key.id()));
    let invited = match contact.invitation() {
        _ if !has_invited => "",
        Some(_) => "yes      ",
        None => "–        ",
    };
    format!(
        "   {}  {:<8}  {invited}{:<5}  {:<9}  {}",
        fitted(contact.name().as_str(), NAME),
        if contact.is_verified() { "yes" } else { "no" },
        contact
            .suite()
            .map_or("–".to_owned(), |suite| suite.to_string()),
        sender.as_deref().unwrap_or("–"),
        address(contact.target()),
    )
}

pub(super) fn form(frame: &mut Frame<'_>, area: Rect, app: &mut App) {
    let theme = app.theme;
    let Some(form) = &mut app.contact_form else {
        return;
    };
    let here = form.line;
    let all = area.height >= 3 * 3; // else there is room for the one that is written in
    let boxes = if all { 3 } else { 1 };
    let rows = Layout::vertical(vec![Constraint::Length(3); boxes]).split(area);
    let lines = form.lines.iter_mut().zip(TITLES).enumerate();
    let shown = lines.filter(|(position, _)| all || *position == here);
    for ((position, (line, title)), row) in shown.zip(rows.iter()) {
        let is_here = position == here;
        let border = if is_here { theme.key() } else { theme.faint() };
        line.set_block(Block::bordered().title(title).border_style(border));
        let cursor = if is_here {
            theme.selected()
        } else {
            ratatui::style::Style::new()
        };
        line.set_cursor_style(cursor);
        line.set_placeholder_style(theme.faint());
        frame.render_widget(&*line, *row);
    }
}
