//! How single values are shown, wherever they stand, and read: times, keys, numbers, addresses and names.

use unicode_width::UnicodeWidthStr;

use kkv_base::limits::DEFAULT_PORT;
use kkv_client::contacts::{Book, Name, Words};
use kkv_net::tor::Target;
use kkv_owner::{MessageId, Summary};
use kkv_protocol::Via;
use kkv_protocol::crypto::identity::{PublicKey, Sender, Side};
use kkv_protocol::ids::SenderId;
use kkv_terminal::direction::apart;

/// Numbers of messages, with commas between.
#[must_use]
pub fn id_list(ids: &[MessageId]) -> String {
    let ids: Vec<String> = ids.iter().map(MessageId::to_string).collect();
    ids.join(", ")
}

/// Local time to the minute; seconds say more than a person needs.
#[must_use]
pub fn time(unix: u64) -> String {
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
#[must_use]
pub fn fingerprint<S: Side>(key: &S::Id) -> String {
    PublicKey::<S>::from_id(key)
        .map_or_else(|_| "not a key".to_owned(), |k| k.fingerprint().to_string())
}

/// What the fingerprint of a sender's key begins with.
#[must_use]
pub fn short(key: &SenderId) -> String {
    PublicKey::<Sender>::from_id(key)
        .map_or_else(|_| "not a key".to_owned(), |k| k.fingerprint().short())
}

/// An address as people give it to each other: its port only if it is not the usual one.
#[must_use]
pub fn address(target: Target) -> String {
    match target {
        Target::Onion { address, port } if port == DEFAULT_PORT => address.to_string(),
        target => target.to_string(),
    }
}

/// The words of an address, which one on this machine has not.
#[must_use]
pub fn words(target: Target) -> Option<Words> {
    match target {
        Target::Onion { address, .. } => Some(Words::of(&address)),
        Target::Loopback(_) => None,
    }
}

/// Six words, and six below them, the second line behind as much space as the first.
#[must_use]
pub fn in_two_lines(words: &Words, before: &str) -> String {
    let words: Vec<&str> = words.iter().collect();
    let (one, other) = words.split_at(words.len() / 2);
    let space = " ".repeat(before.width());
    format!("{before}{}\n{space}{}", one.join(" "), other.join(" "))
}

/// Who has signed a message: the fingerprint of the key, or that nobody has.
#[must_use]
pub fn signer(message: &Summary) -> String {
    message
        .sender
        .as_ref()
        .map_or_else(|| "web: nobody signed it".to_owned(), fingerprint::<Sender>)
}

/// The same for a narrow column.
#[must_use]
pub fn short_sender(message: &Summary) -> String {
    message
        .sender
        .as_ref()
        .map_or_else(|| Via::Web.to_string(), short)
}

/// By what a message came, and what it has cost its sender.
#[must_use]
pub fn came_by(message: &Summary) -> String {
    let paid = match (message.invitation, message.via) {
        (Some(number), _) => format!("invitation {number}"),
        (None, Via::Web) if message.cost == 0 => "free".to_owned(),
        (None, _) => format!("paid 2^{}", message.cost),
    };
    format!("{}, {paid}", message.via)
}

/// A name, apart from numbers beside it where a terminal might turn them round with it.
#[must_use]
pub fn isolated(name: &Name, on_a_terminal: bool) -> String {
    if on_a_terminal {
        apart(name.to_string())
    } else {
        name.to_string()
    }
}

/// As wide as `width` columns; a letter may take two of them, or none.
#[must_use]
pub fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

/// Whom `name` may have meant, as a question; none if it is like nobody's.
#[must_use]
pub fn did_you_mean(book: &Book, name: &Name) -> Option<String> {
    let near: Vec<&str> = book.near(name).into_iter().map(Name::as_str).collect();
    (!near.is_empty()).then(|| format!("Did you mean {}?", near.join(", or ")))
}

/// Takes the public key of a sender.
///
/// # Errors
/// It is none; in words.
pub fn sender(text: &str) -> Result<PublicKey<Sender>, String> {
    let id: Option<SenderId> = text.parse().ok();
    let key = id.and_then(|id| PublicKey::from_id(&id).ok());
    key.ok_or_else(|| {
        "it is the public key that `kkvc identity` shows: 64 digits and a-f".to_owned()
    })
}

/// A number of bytes, for people: a whole one up to a KiB, and one digit behind the point below ten of a unit.
#[must_use]
pub fn size(bytes: u64) -> String {
    let in_units = |unit: u64, name| {
        let tenths = bytes.saturating_mul(10).div_ceil(unit);
        match tenths {
            0..100 if !tenths.is_multiple_of(10) => {
                format!("{}.{} {name}", tenths / 10, tenths % 10)
            }
            _ => format!("{} {name}", bytes.div_ceil(unit)),
        }
    };
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_047_553 => in_units(1 << 10, "KiB"),
        _ => in_units(1 << 20, "MiB"),
    }
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

    #[test]
    fn sizes_are_short_and_never_too_small() {
        for (bytes, shown) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1025, "1.1 KiB"),
            (10_240, "10 KiB"),
            (10_241, "11 KiB"),
            (1_047_552, "1023 KiB"),
            (1_047_553, "1 MiB"),
            (1_100_000, "1.1 MiB"),
            (16 << 20, "16 MiB"),
        ] {
            assert_eq!(size(bytes), shown);
        }
    }
}
