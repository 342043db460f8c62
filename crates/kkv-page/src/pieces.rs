//! A page to write on as it goes out, piece by piece. Escaped, a text of nothing but `<` is five times as long as it
//! was typed; whoever sends such texts and takes no answer would have the inbox hold all of that.

use std::fmt;

use askama::filters::{Escaper, Html};
use zeroize::Zeroizing;

use crate::html::{Answers, Form, Write, html};

/// Bytes of what was typed in one piece.
const TYPED_BYTES: usize = 1024;

/// What stands behind what was typed, and nowhere else: whatever comes from outside is escaped.
const BEHIND: &str = "</textarea>";

/// A page's HTML in pieces: what stands before the text, the text, what stands behind it. All are wiped on drop.
pub struct Pieces {
    before: Option<Zeroizing<String>>,
    typed: Zeroizing<String>,
    /// How much of it is out.
    taken: usize,
    behind: Option<Zeroizing<String>>,
    bytes: usize,
}

/// A page with a form to write in.
pub trait HasForm {
    /// Its HTML, without what was typed as a message.
    fn without_text(&self) -> Zeroizing<String>;

    /// What was typed.
    fn text(&self) -> &str;
}

impl HasForm for Write<'_> {
    fn without_text(&self) -> Zeroizing<String> {
        let f = &Form {
            text: "",
            ..*self.f
        };
        html(&Write { f, ..*self })
    }

    fn text(&self) -> &str {
        self.f.text
    }
}

impl HasForm for Answers<'_> {
    fn without_text(&self) -> Zeroizing<String> {
        let f = &Form {
            text: "",
            ..*self.f
        };
        let until = self.until.clone();
        html(&Answers { f, until, ..*self })
    }

    fn text(&self) -> &str {
        self.f.text
    }
}

impl Pieces {
    /// Of this page.
    ///
    /// ```
    /// # use kkv_page::html::Write;
    /// # fn of(page: &Write<'_>) {
    /// let pieces = kkv_page::pieces::Pieces::of(page);
    /// let bytes = pieces.bytes();
    /// let all: String = pieces.map(|piece| piece.to_string()).collect();
    /// assert_eq!(all, *kkv_page::html::html(page));
    /// assert_eq!(all.len(), bytes);
    /// # }
    /// ```
    #[must_use]
    pub fn of(page: &impl HasForm) -> Self {
        let mut before = page.without_text();
        let at = before.find(BEHIND).unwrap_or(before.len());
        let behind = Zeroizing::new(before[at..].to_owned());
        before.truncate(at);
        // Without a form there is no place for it.
        let typed = if behind.is_empty() { "" } else { page.text() };
        let mut length = Length(before.len() + behind.len());
        escape(&mut length, typed);
        Self {
            before: Some(before),
            typed: Zeroizing::new(typed.to_owned()),
            taken: 0,
            behind: Some(behind),
            bytes: length.0,
        }
    }

    /// Of a page in which nothing was typed, all of it in one.
    #[must_use]
    pub fn whole(page: Zeroizing<String>) -> Self {
        Self {
            bytes: page.len(),
            before: Some(page),
            typed: Zeroizing::default(),
            taken: 0,
            behind: None,
        }
    }

    /// How long all of it is.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Iterator for Pieces {
    type Item = Zeroizing<String>;

    fn next(&mut self) -> Option<Zeroizing<String>> {
        if let Some(before) = self.before.take() {
            return Some(before);
        }
        let rest = &self.typed[self.taken..];
        if rest.is_empty() {
            return self.behind.take();
        }
        let part = &rest[..rest.floor_char_boundary(TYPED_BYTES)];
        self.taken += part.len();
        let mut length = Length(0);
        escape(&mut length, part);
        let mut piece = Zeroizing::new(String::with_capacity(length.0));
        escape(&mut *piece, part);
        Some(piece)
    }
}

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pieces(..)")
    }
}

/// Counts what is written to it.
struct Length(usize);

impl fmt::Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// As the templates do it.
fn escape(to: &mut impl fmt::Write, text: &str) {
    let done = Html.write_escaped_str(to, text);
    done.expect("neither a string nor a count refuses what is written");
}
