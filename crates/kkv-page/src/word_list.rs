//! The list that words are of, as the page's script loads it: sorted, and of each word only what isn't as in the one
//! before.
//!
//! ```text
//! each word   how many letters it shares with the one before, a digit | its other letters
//! ```

use std::sync::LazyLock;

use kkv_protocol::reply_words;

static LIST: LazyLock<String> = LazyLock::new(|| front_coded(reply_words::list()));

/// The list of [`kkv_protocol::reply_words`], 8,293 bytes.
#[must_use]
pub fn word_list() -> &'static str {
    &LIST
}

fn front_coded(words: &[&str]) -> String {
    let mut list = String::new();
    let mut before = "";
    for word in words {
        let letters = word.bytes().zip(before.bytes());
        let shared = letters.take_while(|(one, other)| one == other).count();
        list.push_str(&shared.to_string());
        list.push_str(&word[shared..]);
        before = word;
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_list_and_reads_back() {
        assert_eq!(front_coded(&["able", "about", "x"]), "0able2out0x");
        let mut words: Vec<String> = Vec::new();
        for coded in word_list().split_inclusive(|c: char| c.is_ascii_lowercase()) {
            // One letter, behind a digit if it begins a word.
            let (digit, letter) = coded.split_at(coded.len() - 1);
            if let Ok(shared) = digit.parse::<usize>() {
                let before = words.last().map_or("", String::as_str);
                words.push(before[..shared].to_owned());
            }
            words.last_mut().unwrap().push_str(letter);
        }
        assert_eq!(words, reply_words::list());
        assert_eq!(word_list().len(), 8293);
    }
}
