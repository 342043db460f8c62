//! How single values are shown, wherever they stand: times, keys, numbers, addresses and names.

use unicode_width::UnicodeWidthStr;

use crate::contacts::{Name, Words};
use crate::crypto::identity::{PublicKey, Sender, Side};
use crate::limits::DEFAULT_PORT;
use crate::protocol::ids::SenderId;
use crate::queue::MessageId;
use crate::tor::Target;
use kkv_terminal::direction::apart;

/// Numbers of messages, with commas between.
pub(crate) fn id_list(ids: &[MessageId]) -> String {
    let ids: Vec<String> = ids.iter().map(MessageId::to_string).collect();
    ids.join(", ")
}

/// Local time to the minute; seconds say more than a person needs.
pub(crate) fn time(unix: u64) -> String {
    i64::try_from(unix)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(
            || "?".to_owned(),
            |at| {
                at.to_zoned(jiff::tz::TimeZone::system())
                    .strftime("%Y-%m-%d %H:%M")
                    .to_string()
            },
        )
}

/// The fingerprint of a key.
pub(crate) fn fingerprint<S: Side>(key: &S::Id) -> String {
    PublicKey::<S>::from_id(key)
        .map_or_else(|_| "not a key".to_owned(), |k| k.fingerprint().to_string())
}

/// What the fingerprint of a sender's key begins with.
pub(crate) fn short(key: &SenderId) -> String {
    PublicKey::<Sender>::from_id(key)
        .map_or_else(|_| "not a key".to_owned(), |k| k.fingerprint().short())
}

/// An address as people give it to each other: its port only if it is not the usual one.
pub(crate) fn address(target: Target) -> String {
    match target {
        Target::Onion { address, port } if port == DEFAULT_PORT => address.to_string(),
        target => target.to_string(),
    }
}

/// The words of an address, which one on this machine has not.
pub(crate) fn words(target: Target) -> Option<Words> {
    match target {
        Target::Onion { address, .. } => Some(Words::of(&address)),
        Target::Loopback(_) => None,
    }
}

/// Six words, and six below them, the second line behind as much space as the first.
pub(super) fn in_two_lines(words: &Words, before: &str) -> String {
    let words: Vec<&str> = words.iter().collect();
    let (one, other) = words.split_at(words.len() / 2);
    let space = " ".repeat(before.width());
    format!("{before}{}\n{space}{}", one.join(" "), other.join(" "))
}

/// A name, apart from numbers beside it where a terminal might turn them round with it.
pub(super) fn isolated(name: &Name, on_a_terminal: bool) -> String {
    if on_a_terminal {
        apart(name.to_string())
    } else {
        name.to_string()
    }
}

/// As wide as `width` columns; a letter may take two of them, or none.
pub(crate) fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_straight_whatever_letters_stand_in_them() {
        for text in ["bob", "日本語", "e\u{301}", ""] {
            assert_eq!(padded(text, 8).width(), 8, "{text}");
        }
        assert_eq!(padded("longer than that", 8), "longer than that");
    }

    #[test]
    fn only_an_unusual_port_is_part_of_what_people_say() {
        let onion = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
        for (typed, shown) in [
            (onion.to_owned(), onion.to_owned()),
            (format!("{onion}:45069"), onion.to_owned()),
            (format!("{onion}:80"), format!("{onion}:80")),
            ("127.0.0.1".to_owned(), "127.0.0.1:45069".to_owned()),
        ] {
            assert_eq!(address(typed.parse().unwrap()), shown);
        }
    }
}
