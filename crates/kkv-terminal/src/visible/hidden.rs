//! Characters that nobody would see, in what is pasted or typed.

use zeroize::Zeroizing;

use super::{Shown, is_part_of_a_syllable, shown};

/// A text that one pastes into what one writes, without those characters that nobody would see, and which were left
/// out.
pub fn without_hidden(text: &str) -> (Zeroizing<String>, Vec<char>) {
    let mut kept = Zeroizing::new(String::with_capacity(text.len()));
    let (mut hidden, mut before) = (Vec::new(), None);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let after = rest.peek().copied();
        if is_hidden(before, c, after) {
            hidden.push(c);
        } else {
            kept.push(c);
        }
        before = Some(c);
    }
    (kept, hidden)
}

/// Whether nobody would see `c` between these two.
fn is_hidden(before: Option<char>, c: char, after: Option<char>) -> bool {
    let is_code = matches!(shown(before, c, after), Shown::Code) && !is_part_of_a_syllable(c);
    is_code && !matches!(c, '\n' | '\t')
}

/// Whether nobody would see `c`, typed between these two, whatever is typed next.
pub fn is_hidden_as_typed(before: Option<char>, c: char, after: Option<char>) -> bool {
    // What languages and emoji join may be joined to more of the same; a digit, into a keycap.
    let next = [after, before, Some('👩'), Some('\u{20e3}')];
    next.into_iter().all(|next| is_hidden(before, c, next))
}
