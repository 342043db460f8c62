//! A screen as an SVG: text as text, frames as lines, light or dark as the reader's browser is.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// Pixels of a cell. The advance of common monospace fonts is 0.6 of their size; `textLength` holds all others to it.
const CELL: (usize, usize) = (9, 19);
const FONT_SIZE: usize = 15;
/// From the top of a cell to the line that letters stand on.
const BASELINE: usize = 14;
/// Pixels around the screen.
const MARGIN: usize = 12;

/// Each class with its colour on a light and on a dark background, of contrast 4.5 to 1 at least (WCAG 2.2, 1.4.3).
const COLOURS: [(&str, &str, &str); 7] = [
    ("back", "#ffffff", "#0d1117"),
    ("ink", "#1f2328", "#f0f6fc"),
    ("faint", "#59636e", "#9198a1"),
    ("key", "#1b6f76", "#39c5cf"),
    ("good", "#1a7f37", "#3fb950"),
    ("warning", "#8a5d00", "#d29922"),
    ("bad", "#c11f2a", "#f85149"),
];

/// How a cell is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    class: &'static str,
    bold: bool,
    /// Ink and background change places.
    reversed: bool,
}

impl Look {
    /// # Panics
    /// On a colour that the theme doesn't have.
    fn of(cell: &Cell) -> Self {
        let class = match cell.fg {
            Color::Reset => "ink",
            Color::DarkGray => "faint",
            Color::Cyan => "key",
            Color::Green => "good",
            Color::Yellow => "warning",
            Color::Red => "bad",
            other => panic!("the theme has no {other}"),
        };
        Self {
            class,
            bold: cell.modifier.contains(Modifier::BOLD),
            reversed: cell.modifier.contains(Modifier::REVERSED),
        }
    }
}

/// The whole picture; `title` is what those hear who can't see it.
pub(super) fn svg(screen: &Buffer, title: &str) -> String {
    let (columns, rows) = (
        usize::from(screen.area.width),
        usize::from(screen.area.height),
    );
    let (width, height) = (columns * CELL.0 + 2 * MARGIN, rows * CELL.1 + 2 * MARGIN);
    let mut all = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\">\n<title>{}</title>\n<style>\n",
        escaped(title)
    );
    let rules = |pick: fn(&(&'static str, &'static str, &'static str)) -> &'static str| {
        let rules = COLOURS
            .iter()
            .map(|one| format!(".{}{{color:{}}}", one.0, pick(one)));
        rules.collect::<String>()
    };
    let (light, dark) = (rules(|one| one.1), rules(|one| one.2));
    let fonts = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace";
    let _ = write!(
        all,
        "{light}\n@media(prefers-color-scheme:dark){{{dark}}}\n\
         rect,text{{fill:currentColor}}path{{stroke:currentColor;fill:none}}\n\
         text{{font:{FONT_SIZE}px {fonts};white-space:pre}}.bold{{font-weight:bold}}\n</style>\n\
         <rect class=\"back\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>\n\
         <path class=\"faint\" stroke-opacity=\".5\" d=\"{}\"/>\n",
        border(width, height),
    );
    for y in 0..rows {
        for (x, run) in runs(&row(screen, y)) {
            draw(&mut all, (x, y), &run);
        }
    }
    all + "</svg>\n"
}

/// A rounded frame, half a pixel in, so that its line is sharp.
fn border(width: usize, height: usize) -> String {
    let (w, h) = (width - 17, height - 17);
    format!("M8.5.5h{w}a8 8 0 0 1 8 8v{h}a8 8 0 0 1-8 8h-{w}a8 8 0 0 1-8-8v-{h}a8 8 0 0 1 8-8z")
}

/// What is drawn in one piece: symbols that follow each other and look alike.
struct Run {
    look: Look,
    symbols: String,
    columns: usize,
    kind: RunKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunKind {
    Blank,
    Words,
    /// One character of two columns, in a font that may differ.
    Wide,
    Frame,
}

/// The cells of a row that are drawn: not the other half of a wide character.
fn row(screen: &Buffer, y: usize) -> Vec<(usize, Cell)> {
    let columns = usize::from(screen.area.width);
    let mut cells = Vec::new();
    let mut x = 0;
    while x < columns {
        let cell = &screen.content[y * columns + x];
        cells.push((x, cell.clone()));
        x += cell.symbol().width().max(1);
    }
    cells
}

fn runs(cells: &[(usize, Cell)]) -> Vec<(usize, Run)> {
    let mut runs: Vec<(usize, Run)> = Vec::new();
    for (x, cell) in cells {
        let (symbol, look) = (cell.symbol(), Look::of(cell));
        let columns = symbol.width().max(1);
        let kind = match symbol {
            " " => RunKind::Blank,
            _ if arms(symbol).is_some() => RunKind::Frame,
            _ if columns > 1 => RunKind::Wide,
            _ => RunKind::Words,
        };
        match runs.last_mut() {
            Some((_, last)) if last.look == look && last.kind == kind && kind != RunKind::Wide => {
                last.symbols += symbol;
                last.columns += columns;
            }
            _ => runs.push((
                *x,
                Run {
                    look,
                    symbols: symbol.to_owned(),
                    columns,
                    kind,
                },
            )),
        }
    }
    runs
}

fn draw(all: &mut String, (x, y): (usize, usize), run: &Run) {
    let (left, top) = (MARGIN + x * CELL.0, MARGIN + y * CELL.1);
    let (width, height) = (run.columns * CELL.0, CELL.1);
    let Look {
        class,
        bold,
        reversed,
    } = run.look;
    if reversed {
        let _ = writeln!(
            all,
            "<rect class=\"{class}\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"/>"
        );
    }
    let class = if reversed { "back" } else { class };
    match run.kind {
        RunKind::Blank => {}
        RunKind::Frame => {
            let _ = writeln!(
                all,
                "<path class=\"{class}\" d=\"{}\"/>",
                lines(&run.symbols, left, top)
            );
        }
        RunKind::Words | RunKind::Wide => {
            let bold = if bold { " bold" } else { "" };
            let _ = writeln!(
                all,
                "<text class=\"{class}{bold}\" x=\"{left}\" y=\"{}\" textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\">{}</text>",
                top + BASELINE,
                escaped(&run.symbols)
            );
        }
    }
}

/// Where the lines of a character of frames lead: left, right, up, down.
fn arms(symbol: &str) -> Option<[bool; 4]> {
    Some(match symbol {
        "─" => [true, true, false, false],
        "│" => [false, false, true, true],
        "┌" => [false, true, false, true],
        "┐" => [true, false, false, true],
        "└" => [false, true, true, false],
        "┘" => [true, false, true, false],
        _ => return None,
    })
}

/// A part of a frame, as a path: fonts leave gaps between rows.
fn lines(frame: &str, left: usize, top: usize) -> String {
    let mut path = String::new();
    // A line to the right that is not yet drawn: from where.
    let mut open: Option<usize> = None;
    let middle = top + CELL.1 / 2;
    let mut at = left;
    for symbol in frame.chars() {
        let centre = at + CELL.0 / 2;
        let [to_left, to_right, up, down] =
            arms(symbol.encode_utf8(&mut [0; 4])).expect("a run of frames");
        if to_left && open.is_none() {
            open = Some(at);
        }
        if !to_right && let Some(from) = open.take() {
            let _ = write!(path, "M{from}.5 {middle}.5H{centre}.5");
        } else if to_right && open.is_none() {
            open = Some(centre);
        }
        match (up, down) {
            (true, true) => {
                let _ = write!(path, "M{centre}.5 {top}v{}", CELL.1);
            }
            (true, false) => {
                let _ = write!(path, "M{centre}.5 {top}V{middle}.5");
            }
            (false, true) => {
                let _ = write!(path, "M{centre}.5 {middle}.5V{}", top + CELL.1);
            }
            (false, false) => {}
        }
        at += CELL.0;
    }
    if let Some(from) = open {
        let _ = write!(path, "M{from}.5 {middle}.5H{at}.5");
    }
    path
}

/// Text as XML 1.0 takes it (§2.4).
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[test]
fn a_text_is_text_and_a_frame_is_lines() {
    let mut screen = Buffer::with_lines(["┌─ a <b> & c", "│日本  end"]);
    screen[(8, 1)].set_fg(Color::Red);
    let picture = svg(&screen, "\"1 < 2\"");
    assert!(picture.contains("<title>\"1 &lt; 2\"</title>"), "{picture}");
    for part in [">a<", ">&lt;b&gt;<", ">&amp;<", ">日<", ">本<"] {
        assert!(picture.contains(part), "{part} {picture}");
    }
    // A corner, its line to the right, and a line down.
    assert!(
        picture.contains("d=\"M16.5 21.5V31M16.5 21.5H30.5\""),
        "{picture}"
    );
    assert!(picture.contains("d=\"M16.5 31v19\""), "{picture}");
    assert!(picture.contains("<text class=\"bad\""), "{picture}");
    assert!(!picture.contains(['┌', '─', '│']), "{picture}");
}

#[test]
fn what_is_selected_is_drawn_the_other_way_round() {
    let mut screen = Buffer::with_lines(["x"]);
    screen[(0, 0)].modifier = Modifier::REVERSED | Modifier::BOLD;
    let picture = svg(&screen, "");
    let cell = "<rect class=\"ink\" x=\"12\" y=\"12\" width=\"9\" height=\"19\"/>";
    assert!(picture.contains(cell), "{picture}");
    assert!(picture.contains("<text class=\"back bold\""), "{picture}");
}

#[test]
fn each_colour_can_be_read_on_its_background() {
    let luminance = |colour: &str| {
        let part = |at: usize| {
            let value = u8::from_str_radix(&colour[at..at + 2], 16).expect("two hex digits");
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    };
    let contrast = |a: &str, b: &str| {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    };
    let [(_, light, dark), colours @ ..] = COLOURS;
    for (class, on_light, on_dark) in colours {
        assert!(contrast(on_light, light) >= 4.5, "{class} on light");
        assert!(contrast(on_dark, dark) >= 4.5, "{class} on dark");
    }
}
