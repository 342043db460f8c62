//! A terminal as far as our programs use one, which takes characters to be as wide as a test wants: no two real ones
//! agree.
//!
//! What it does with half of a wide character that is written over, and with what has no width, is what xterm and tmux
//! do.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to tests, each of which uses a part of it"
)]

/// How many columns a terminal gives to a character: 0, 1 or 2.
pub type Widths = fn(char) -> usize;

/// A screen of so many columns, and of as many lines as are written.
#[derive(Debug)]
pub struct Model {
    columns: usize,
    widths: Widths,
    /// What is in each cell; nothing in the second half of a wide character.
    lines: Vec<Vec<String>>,
    line: usize,
    column: usize,
    /// The last column is written, and the next character goes to the next line.
    is_past_the_edge: bool,
    wraps: bool,
}

impl Model {
    pub fn new(columns: usize, widths: Widths) -> Self {
        Self {
            columns,
            widths,
            lines: vec![vec![" ".to_owned(); columns]],
            line: 0,
            column: 0,
            is_past_the_edge: false,
            wraps: true,
        }
    }

    /// What such a terminal shows of `output`.
    pub fn shows(output: &str, columns: usize, widths: Widths) -> Vec<String> {
        let mut model = Self::new(columns, widths);
        model.write(output);
        model.lines()
    }

    /// Its lines, without blanks at their ends.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.lines.iter().map(|cells| cells.concat());
        lines.map(|line| line.trim_end().to_owned()).collect()
    }

    /// What is in one of its cells.
    pub fn cell(&self, line: usize, column: usize) -> &str {
        &self.lines[line][column]
    }

    pub fn write(&mut self, output: &str) {
        let mut rest = output.chars();
        while let Some(c) = rest.next() {
            match c {
                '\x1b' => self.escape(&mut rest),
                '\n' => self.go(self.line + 1, self.column),
                '\r' => self.go(self.line, 0),
                '\x07' => {}
                c if c.is_control() => panic!("{c:?} steers it"),
                c => self.put(c),
            }
        }
    }

    fn go(&mut self, line: usize, column: usize) {
        while self.lines.len() <= line {
            self.lines.push(vec![" ".to_owned(); self.columns]);
        }
        (self.line, self.column) = (line, column.min(self.columns - 1));
        self.is_past_the_edge = false;
    }

    /// A control sequence (ECMA-48 §5.4), or a string that goes to the clipboard or the title.
    fn escape(&mut self, rest: &mut std::str::Chars<'_>) {
        match rest.next() {
            Some('[') => {}
            Some(']') => {
                let mut before = '\0';
                for c in rest.by_ref() {
                    if c == '\x07' || (before, c) == ('\x1b', '\\') {
                        break;
                    }
                    before = c;
                }
                return;
            }
            other => panic!("an escape that our programs have no use for: {other:?}"),
        }
        let mut parameters = String::new();
        let end = loop {
            match rest.next().expect("a whole sequence") {
                c @ '\x40'..='\x7e' => break c,
                c => parameters.push(c),
            }
        };
        let numbers: Vec<usize> = parameters
            .split(';')
            .map(|number| number.parse().unwrap_or(0))
            .collect();
        let number = |place: usize| numbers.get(place).copied().unwrap_or(0);
        match (end, &*parameters) {
            ('h', "?7") => self.wraps = true,
            ('l', "?7") => self.wraps = false,
            ('h' | 'l' | 'm', _) => {}
            ('H', _) => self.go(number(0).max(1) - 1, number(1).max(1) - 1),
            ('K', _) if number(0) == 0 => self.clear(self.column..self.columns),
            ('K', "2") => self.clear(0..self.columns),
            ('J', "2") => {
                for line in 0..self.lines.len() {
                    self.lines[line].fill(" ".to_owned());
                }
            }
            other => panic!("a sequence that our programs have no use for: {other:?}"),
        }
    }

    fn clear(&mut self, columns: std::ops::Range<usize>) {
        self.lines[self.line][columns].fill(" ".to_owned());
    }

    fn put(&mut self, c: char) {
        let wide = (self.widths)(c);
        if wide == 0 {
            let mut before = match (self.is_past_the_edge, self.column) {
                (true, column) => column,
                (false, 0) => return,
                (false, column) => column - 1,
            };
            if self.lines[self.line][before].is_empty() {
                before -= 1;
            }
            self.lines[self.line][before].push(c);
            return;
        }
        if self.is_past_the_edge || self.column + wide > self.columns {
            if self.wraps {
                self.go(self.line + 1, 0);
            } else {
                self.column = self.columns.saturating_sub(wide);
            }
        }
        for column in self.column..self.column + wide {
            self.take_apart(column);
        }
        self.lines[self.line][self.column] = c.to_string();
        for column in self.column + 1..self.column + wide {
            self.lines[self.line][column] = String::new();
        }
        self.column += wide;
        self.is_past_the_edge = self.column == self.columns;
        self.column = self.column.min(self.columns - 1);
    }

    /// Blanks the wide character that has half of itself here: the other half would be none.
    fn take_apart(&mut self, column: usize) {
        let cells = &mut self.lines[self.line];
        if cells[column].is_empty() && column > 0 {
            cells[column - 1] = " ".to_owned();
            cells[column] = " ".to_owned();
        }
        if cells.get(column + 1).is_some_and(String::is_empty) {
            cells[column + 1] = " ".to_owned();
        }
    }
}
