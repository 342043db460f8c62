//! The screen on terminals that count otherwise than we do.

use std::cell::RefCell;
use std::rc::Rc;

use ratatui::style::{Modifier, Style};
use ratatui::{Terminal, TerminalOptions, Viewport};
use unicode_bidi::{BidiInfo, Level};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_width::UnicodeWidthChar;

use super::model_terminal::{Model, Widths};
use super::*;
use kkv_terminal::visible::Visible;
use kkv_terminal::wrapped::wrapped;

/// As tmux and glibc count, whose tables have 62 characters wider than Unicode has them.
fn wider(c: char) -> usize {
    let is_beside = c.general_category() == GeneralCategory::SpacingMark;
    match c {
        '\u{3248}'..='\u{324f}' => 2,
        '\u{1f000}'..='\u{1faff}' => 2,
        _ if is_beside => 1,
        c => c.width().unwrap_or(0),
    }
}

/// As a terminal counts that knows no pictures and draws no mark beside its letter.
fn narrower(c: char) -> usize {
    let is_mark = matches!(
        c.general_category(),
        GeneralCategory::SpacingMark | GeneralCategory::NonspacingMark
    );
    match c {
        '\u{1f000}'.. => 1,
        _ if is_mark => 0,
        c => c.width().unwrap_or(0),
    }
}

fn ours(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// What has been written, for who has another of it.
#[derive(Clone, Default)]
struct Written(Rc<RefCell<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const TABLES: [Widths; 3] = [wider, narrower, ours];

/// A terminal of 20 columns and four rows, and the screens that are drawn on it one after the other: the text in a
/// frame that has nothing to its right but the frame.
fn drawn(texts: &[&str], widths: Widths) -> Model {
    let area = Rect::new(0, 0, 20, 4);
    let viewport = Viewport::Fixed(area);
    let written = Written::default();
    let rows = RowBackend::new(written.clone(), area);
    let mut terminal = Terminal::with_options(rows, TerminalOptions { viewport }).unwrap();
    for text in texts {
        let shown = Visible(text).to_string();
        let lines = wrapped(&shown, 16);
        terminal
            .draw(|frame| {
                for (line, row) in lines.iter().zip(area.rows()) {
                    let buffer = frame.buffer_mut();
                    buffer[(0, row.y)].set_symbol("│");
                    buffer[(19, row.y)].set_symbol("│");
                    let inner = Rect {
                        x: 2,
                        width: 16,
                        ..row
                    };
                    put(buffer, inner, &shown[line.clone()]);
                    buffer.set_style(inner, Style::new().add_modifier(Modifier::BOLD));
                }
            })
            .unwrap();
    }
    let output = written.0.take();
    let mut model = Model::new(20, widths);
    model.write("\x1b[?7l");
    model.write(&String::from_utf8(output).unwrap());
    model
}

const TEXTS: [&str; 11] = [
    "do\u{3164}\u{3164} not 🙂 pay",
    "น้ำ กำ น้ำ กำ น้ำ กำ น้ำ กำ",
    "নমস্কার বাংলাদেশ হিন্দি",
    "नमस्ते दुनिया कि की कु",
    "🇩🇪🇫🇷🇯🇵🇧🇷 🏕\u{fe0f} 🏕\u{fe0f} 1\u{fe0f}\u{20e3}",
    "\u{9be}\u{9be}\u{9be}\u{9be}\u{9be}\u{9be}\u{9be}\u{9be}\u{9be}\u{9be}\u{9be}\u{9be}\u{9be}\u{9be}\u{9be}\u{9be}\u{9be}\u{9be}",
    "\u{3248}\u{3249}\u{324a}\u{324b}\u{324c}\u{324d}\u{324e}\u{324f}\u{3248}\u{3249}",
    "日本語です 한글 e\u{301}e\u{301}",
    "👨\u{200d}👩\u{200d}👧 👩🏽\u{200d}⚕\u{fe0f}",
    "שלום עולם 12 34",
    "مرحبا بالعالم",
];

#[test]
fn frames_and_columns_stand_where_words_are_turned_round() {
    let area = Rect::new(0, 0, 40, 1);
    for text in [
        "שלום עולם 12",
        "مرحبا بالعالم 7",
        "12 שלום",
        "שלום🙂",
        "שלום 日本",
        "שלום🙂 7",
        "שלום🏕\u{fe0f}",
    ] {
        let written = Written::default();
        let mut rows = RowBackend::new(written.clone(), area);
        let mut before = Buffer::empty(area);
        let mut buffer = Buffer::empty(area);
        for (x, symbol) in [(0, "│"), (20, "3"), (21, "4"), (24, "│"), (39, "│")] {
            buffer[(x, 0)].set_symbol(symbol);
        }
        for x in [2, 26] {
            let inner = Rect {
                x,
                width: 12,
                ..area
            };
            put(&mut buffer, inner, text);
        }
        let cells = before
            .diff(&buffer)
            .into_iter()
            .map(|(x, y, cell)| (x, y, cell.clone()));
        let cells: Vec<_> = cells.collect();
        Backend::draw(&mut rows, cells.iter().map(|(x, y, cell)| (*x, *y, cell))).unwrap();
        before = buffer;
        let mut model = Model::new(40, ours);
        model.write("\x1b[?7l");
        model.write(&String::from_utf8(written.0.take()).unwrap());
        let line = model.lines().swap_remove(0);
        for direction in [None, Some(Level::ltr())] {
            let info = BidiInfo::new(&line, direction);
            let paragraph = &info.paragraphs[0];
            let turned = info.reorder_line(paragraph, paragraph.range.clone());
            // A wide character is in two columns.
            let columns = |c: char| std::iter::repeat_n(c, ours(c));
            let turned: Vec<char> = turned.chars().flat_map(columns).collect();
            assert_eq!(turned.len(), 40, "{direction:?} {line:?} {turned:?}");
            for (x, cell) in before.content().iter().enumerate() {
                if ["│", "3", "4"].contains(&cell.symbol()) && [0, 20, 21, 24, 39].contains(&x) {
                    assert_eq!(turned[x].to_string(), cell.symbol(), "{text}: {turned:?}");
                }
            }
        }
    }
}

#[test]
fn frames_stand_and_nothing_of_a_text_is_left_whatever_a_terminal_counts() {
    for widths in TABLES {
        for text in TEXTS {
            let model = drawn(&[text], widths);
            let rows = wrapped(&Visible(text).to_string(), 16).len().min(4);
            for row in 0..rows {
                // A mark without a letter is drawn on the blank before it.
                let cell = |column| model.cell(row, column).trim_end_matches(LEFT_TO_RIGHT);
                assert_eq!(cell(0), "│", "{text}");
                assert!(cell(1).starts_with(' '), "{text}");
                assert_eq!((cell(18), cell(19)), (" ", "│"), "{text}");
            }
            // After another one it looks as it does alone.
            for before in TEXTS {
                let after = drawn(&[before, "plain words", text], widths);
                assert_eq!(
                    after.lines()[..rows],
                    model.lines()[..rows],
                    "{before}, {text}"
                );
            }
            let plain = drawn(&[text, "plain"], widths);
            assert_eq!(plain.lines()[0], "│ plain            │", "{text}");
        }
    }
}

#[test]
fn every_letter_of_a_text_is_seen_whatever_a_terminal_counts() {
    for widths in TABLES {
        for text in TEXTS {
            let all = Visible(text).to_string();
            let seen = drawn(&[text], widths).lines().concat();
            let seen = seen.replace(['│', ' ', '\u{200e}'], "");
            // A vowel without a letter before it is drawn on what stands there, which is the frame.
            if !all.starts_with('\u{9be}') {
                assert_eq!(seen, all.replace(' ', ""), "{text}");
            }
        }
    }
}
