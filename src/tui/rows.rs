//! How the screen gets to a terminal that takes characters to be wider or narrower than we do: no two agree on all of
//! them.
//!
//! A row in which anything has changed is emptied and written anew, so nothing of what stood there before is left.
//! Behind each character on which terminals don't agree, the place of the next one is named. What is wider all the same
//! ends at the edge, as lines don't wrap (see `terminal`).

use std::collections::BTreeSet;
use std::io::{self, Write};

use crossterm::cursor::MoveTo;
use crossterm::queue;
use crossterm::terminal::{Clear, ClearType as Cleared};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect, Size};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::cli::direction::{LEFT_TO_RIGHT, is_from_the_right};
use crate::cli::wrapped::{columns, is_agreed_on};

/// Writes whole rows.
pub(super) struct Rows<W: Write> {
    out: CrosstermBackend<W>,
    /// What is on the screen.
    shown: Buffer,
}

impl<W: Write> Rows<W> {
    /// On a screen that is empty.
    pub(super) fn new(out: W, area: Rect) -> Self {
        Self {
            out: CrosstermBackend::new(out),
            shown: Buffer::empty(area),
        }
    }

    fn row(&mut self, y: u16) -> io::Result<()> {
        queue!(self.out, MoveTo(0, y), Clear(Cleared::CurrentLine))?;
        let width = self.shown.area.width;
        let cells = self.cells(y);
        let mut x = 0;
        // Up to here the terminal may have drawn what stands before.
        let mut reserved = 0;
        while x < width {
            let cell = &cells[usize::from(x)];
            let symbol = cell.symbol();
            if x < reserved && symbol == " " {
                x += 1;
                continue;
            }
            let most = u16::try_from(columns(symbol)).unwrap_or(u16::MAX);
            let wide = u16::try_from(symbol.width()).unwrap_or(u16::MAX).max(1);
            if !is_agreed_on(symbol) {
                let mut blank = cell.clone();
                blank.set_symbol(" ");
                let room = x..x.saturating_add(most.max(wide)).min(width);
                reserved = room.end;
                self.out.draw(room.map(|x| (x, y, &blank)))?;
                self.out.draw([(x, y, cell)].into_iter())?;
                x += wide;
                continue;
            }
            // All that follows and looks alike goes without naming a place.
            let mut alike = Vec::new();
            while x < width {
                let next = &cells[usize::from(x)];
                if !is_agreed_on(next.symbol()) {
                    break;
                }
                alike.push((x, y, next));
                x += u16::try_from(next.symbol().width()).unwrap_or(1).max(1);
            }
            self.out.draw(alike.into_iter())?;
        }
        Ok(())
    }

    /// What is in a row, with marks that keep a terminal that turns words round from doing so with what stands beside
    /// them: see [`crate::cli::direction`]. Two blanks or a frame are the end of what belongs together.
    fn cells(&self, y: u16) -> Vec<Cell> {
        let width = self.shown.area.width;
        let mut cells: Vec<Cell> = (0..width).map(|x| self.shown[(x, y)].clone()).collect();
        let is_turned = |cell: &Cell| cell.symbol().chars().any(is_from_the_right);
        if !cells.iter().any(is_turned) {
            return cells;
        }
        let mut marked = vec![0];
        let mut is_open = false;
        for (x, cell) in cells.iter().enumerate() {
            let is_frame = cell
                .symbol()
                .starts_with(|c| matches!(c, '\u{2500}'..='\u{257f}'));
            let is_gap = cell.symbol() == " " && x > 0 && cells[x - 1].symbol() == " ";
            if is_turned(cell) {
                is_open = true;
            } else if is_open && (is_frame || is_gap) {
                // Behind a number that belongs to the words before it.
                marked.push(x - 1);
                is_open = false;
            }
        }
        for x in marked {
            let symbol = format!("{}{LEFT_TO_RIGHT}", cells[x].symbol());
            cells[x].set_symbol(&symbol);
        }
        cells
    }
}

impl<W: Write> Backend for Rows<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut rows = BTreeSet::new();
        for (x, y, cell) in content {
            if let Some(place) = self.shown.cell_mut((x, y)) {
                *place = cell.clone();
                rows.insert(y);
            }
        }
        rows.into_iter().try_for_each(|y| self.row(y))
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.out.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.out.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.out.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.out.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, which: ClearType) -> io::Result<()> {
        self.shown.reset();
        self.out.clear_region(which)
    }

    fn size(&self) -> io::Result<Size> {
        self.out.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.out.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.out)
    }
}

/// Puts a stranger's line, made safe, into a row of the screen: each character as people see it, with as many columns
/// as any terminal may draw.
pub(super) fn put(buffer: &mut Buffer, row: Rect, line: &str) {
    let mut x = row.x;
    for part in line.graphemes(true) {
        let wide = u16::try_from(columns(part)).unwrap_or(u16::MAX);
        if wide == 0 {
            continue; // a mark without a letter
        }
        if x.saturating_add(wide) > row.right() {
            break;
        }
        if let Some(cell) = buffer.cell_mut((x, row.y)) {
            cell.set_symbol(part);
        }
        x += wide;
    }
}

#[cfg(test)]
#[path = "../../tests/support/model_terminal.rs"]
mod model_terminal;
#[cfg(test)]
mod tests;
