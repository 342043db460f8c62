//! The line at the bottom in which one types what is looked for, and which says that the list is searched as long as it
//! is.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::fitted::fitted;
use crate::tui::app::App;
use crate::tui::state::screen::Screen;
use crate::tui::state::search::ActiveSearch;
use kkv_base::count::counted;
use kkv_terminal::visible::OneLine;
use kkv_terminal::wrapped::columns;

/// The words have so many columns at least.
const LEAST_WORDS: usize = 12;

/// Lines that it takes. Where the list isn't seen, there is nothing to say of it.
pub(super) fn height(app: &App, wide: bool) -> u16 {
    let is_listed = match app.screen {
        Screen::Search | Screen::Saving => return 1,
        Screen::Inbox => true,
        Screen::Message => wide,
        Screen::Composer | Screen::Outbox | Screen::Contacts | Screen::ContactForm => false,
    };
    u16::from(is_listed && app.search.active.is_some())
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, app: &mut App) {
    if area.is_empty() {
        return;
    }
    let theme = app.theme;
    if let Some(saving) = app.saving.as_mut().filter(|_| app.screen == Screen::Saving) {
        let into = " Save into ";
        let [before, field] = Layout::horizontal([
            Constraint::Length(u16::try_from(into.len()).unwrap_or(u16::MAX)),
            Constraint::Min(1),
        ])
        .areas(area);
        frame.render_widget(Span::styled(into, theme.key()), before);
        saving.line.set_cursor_style(theme.selected());
        saving.line.set_placeholder_style(theme.faint());
        frame.render_widget(&saving.line, field);
        return;
    }
    let slash = Span::styled(" /", theme.key());
    if let Some(line) = app
        .search
        .line
        .as_mut()
        .filter(|_| app.screen == Screen::Search)
    {
        let [before, field] =
            Layout::horizontal([Constraint::Length(2), Constraint::Min(1)]).areas(area);
        frame.render_widget(slash, before);
        line.set_cursor_style(theme.selected());
        line.set_placeholder_style(theme.faint());
        frame.render_widget(&*line, field);
        return;
    }
    let Some(search) = &app.search.active else {
        return;
    };
    let progress = progress(search, app);
    let words = OneLine(&search.words).to_string();
    let room = usize::from(area.width).saturating_sub(columns(&progress) + 4);
    let room = room.max(LEAST_WORDS).min(columns(&words));
    let line = Line::from_iter([
        slash,
        Span::styled(fitted(&words, room), theme.strong()),
        Span::styled(format!("  {progress}"), theme.warning()),
    ]);
    frame.render_widget(line, area);
}

/// How far it is, and what the list leaves out.
fn progress(search: &ActiveSearch, app: &App) -> String {
    let (listed, hidden) = (app.inbox.messages().len(), app.inbox.hidden());
    if let Some((looked, of)) = search.progress() {
        return format!("{listed} found; looking: {looked} of {of}…");
    }
    let all = counted((listed + hidden.len()) as u64, "message");
    let new = hidden.iter().filter(|message| search.is_new(message.id));
    let new = match new.count() {
        0 => String::new(),
        new => format!(", {new} new not shown"),
    };
    format!("{listed} of {all}{new}; Esc shows all")
}
