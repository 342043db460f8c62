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

use kkv_terminal::direction::{LEFT_TO_RIGHT, is_from_the_right};
use kkv_terminal::wrapped::{columns, is_agreed_on};

/// Writes whole rows.
pub(in crate::tui) struct RowBackend<W: Write> {
    out: CrosstermBackend<W>,
    /// What is on the screen.
    shown: Buffer,
}

impl<W: Write> RowBackend<W> {
    /// On a screen that is empty.
    pub(in crate::tui) fn new(out: W, area: Rect) -> Self {
        Self {
            out: CrosstermBackend::new(out),
            shown: Buffer::empty(area),
        }
    }

    fn row(&mut self, y: u16) -> io::Result<()> {
        queue!(self.out, MoveTo(0, y), Clear(Cleared::CurrentLine))?;
        let cells = self.cells(y);
        // All that follows and looks alike goes without naming a place.
        let mut alike = Vec::new();
        for x in drawn(&cells) {
            let (cell, place) = (&cells[x], column(x));
            if is_agreed_on(cell.symbol()) {
                alike.push((place, y, cell));
                continue;
            }
            if !alike.is_empty() {
                self.out.draw(alike.drain(..))?;
            }
            let mut blank = cell.clone();
            blank.set_symbol(" ");
            let room = (x + most(cell)).min(cells.len());
            self.out
                .draw((place..column(room)).map(|x| (x, y, &blank)))?;
            self.out.draw([(place, y, cell)].into_iter())?;
        }
        self.out.draw(alike.into_iter())
    }

    /// What is in a row, with marks that keep a terminal that turns words round from doing so with what stands beside
    /// them: see [`kkv_terminal::direction`]. Two blanks or a frame are the end of what belongs together.
    fn cells(&self, y: u16) -> Vec<Cell> {
        let width = self.shown.area.width;
        let mut cells: Vec<Cell> = (0..width).map(|x| self.shown[(x, y)].clone()).collect();
        let is_turned = |cell: &Cell| cell.symbol().chars().any(is_from_the_right);
        if !cells.iter().any(is_turned) {
            return cells;
        }
        let mut marked = vec![0];
        let mut is_open = false;
        // The last one before: what is not drawn would take the mark with it.
        let mut before = 0;
        for x in drawn(&cells) {
            let is_frame = cells[x]
                .symbol()
                .starts_with(|c| matches!(c, '\u{2500}'..='\u{257f}'));
            let is_gap = x > 0 && [x, before].iter().all(|x| cells[*x].symbol() == " ");
            if is_turned(&cells[x]) {
                is_open = true;
            } else if is_open && (is_frame || is_gap) {
                // Behind a number that belongs to the words before it.
                marked.push(before);
                is_open = false;
            }
            before = x;
        }
        for x in marked {
            let symbol = format!("{}{LEFT_TO_RIGHT}", cells[x].symbol());
            cells[x].set_symbol(&symbol);
        }
        cells
    }
}

/// The cells of a row that are drawn: not the other half of a wide character, nor a blank in the room of one on whose
/// width terminals don't agree.
fn drawn(cells: &[Cell]) -> Vec<usize> {
    let mut drawn = Vec::new();
    // Up to here the terminal may have drawn what stands before.
    let (mut x, mut reserved) = (0, 0);
    while let Some(cell) = cells.get(x) {
        if x < reserved && cell.symbol() == " " {
            x += 1;
            continue;
        }
        drawn.push(x);
        reserved = x + most(cell);
        x += cell.symbol().width().max(1);
    }
    drawn
}

/// The most columns in which a terminal draws what is in this cell.
fn most(cell: &Cell) -> usize {
    columns(cell.symbol()).max(cell.symbol().width()).max(1)
}

/// As the screen counts columns.
fn column(x: usize) -> u16 {
    u16::try_from(x).unwrap_or(u16::MAX)
}

impl<W: Write> Backend for RowBackend<W> {
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
pub(in crate::tui) fn put(buffer: &mut Buffer, row: Rect, line: &str) {
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
#[path = "../../../tests/support/model_terminal.rs"]
mod model_terminal;
#[cfg(test)]
mod tests;
