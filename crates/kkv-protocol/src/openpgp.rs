//! Texts that are OpenPGP blocks, or have some in them, told from others by their armor (RFC 9580 §6.2). Nothing in
//! them is decoded.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a text is that is one OpenPGP block and nothing else.
///
/// ```
/// use kkv_protocol::openpgp::Block;
///
/// let text = b"-----BEGIN PGP MESSAGE-----\n\nwV4D\n-----END PGP MESSAGE-----\n";
/// assert_eq!(Block::of(text), Some(Block::Message));
/// assert_eq!(Block::of(b"hello"), None);
///
/// // Around other words it is no block any more, but one is inside.
/// assert_eq!(Block::inside(&[b"See:\n", &text[..]].concat()), [Block::Message]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// A message: encrypted, mostly; it may also be signed or compressed only.
    Message,
    /// A text that can be read, with its signature below (RFC 9580 §7).
    SignedMessage,
    /// Somebody's public key.
    PublicKey,
    /// A signature of something that is elsewhere.
    Signature,
    /// A private key, which is nobody's to send.
    PrivateKey,
}

/// What an armor header line begins with, and every one of them.
const BEGIN: &str = "-----BEGIN PGP ";

/// What no line inside a block begins with: armored data has no dashes, and a line of a signed text that begins with
/// one has `- ` before it.
const DASHES: &str = "-----";

/// The white space of RFC 9580 §6.2: what may stand at the end of a line, and in the empty lines around a block.
const BLANK: [char; 3] = [' ', '\t', '\r'];

impl Block {
    const ALL: [Self; 5] = [
        Self::Message,
        Self::SignedMessage,
        Self::PublicKey,
        Self::Signature,
        Self::PrivateKey,
    ];

    /// What `text` is, if it is a block: nothing but empty lines may stand before its header line and after the
    /// matching tail, and no other block inside.
    ///
    /// A text that only contains one is a text. What is said of a block would be taken to be true of the whole, and the
    /// words around it are in no signature.
    #[must_use]
    pub fn of(text: &[u8]) -> Option<Self> {
        // Mostly it is none, and this is all that is looked at.
        if !text.trim_ascii_start().starts_with(BEGIN.as_bytes()) {
            return None;
        }
        let text = std::str::from_utf8(text).ok()?;
        let lines = || text.lines().map(|line| line.trim_end_matches(BLANK));
        let first = lines().find(|line| !line.is_empty())?;
        let last = lines().rfind(|line| !line.is_empty())?;
        let block = Self::ALL
            .into_iter()
            .find(|block| block.header() == first)?;
        let armor = lines().filter(|line| line.starts_with(DASHES));
        (last == block.tail() && armor.eq(block.armor())).then_some(block)
    }

    /// The kinds of blocks that stand in `text` among other words or other blocks, each once, in the order in which
    /// they begin; none if it is one block and nothing else.
    ///
    /// They are looked for as `gpg` does it: at the beginning of a line. Of the words around them nothing is known.
    #[must_use]
    pub fn inside(text: &[u8]) -> Vec<Self> {
        let mut found = Vec::new();
        let Some(text) = std::str::from_utf8(text)
            .ok()
            .filter(|text| text.contains(BEGIN))
        else {
            return found;
        };
        if Self::of(text.as_bytes()).is_some() {
            return found;
        }
        let lines = text.lines().map(|line| line.trim_end_matches(BLANK));
        let mut armor = lines.filter(|line| line.starts_with(DASHES));
        loop {
            let ahead = armor.clone();
            let Some(line) = armor.next() else {
                return found;
            };
            let block = Self::ALL.into_iter().find(|block| block.header() == line);
            if let Some(block) =
                block.filter(|block| block.armor().eq(ahead.take(block.armor().count())))
            {
                if !found.contains(&block) {
                    found.push(block);
                }
                let behind = block.armor().count() - 1; // of its lines, the first of which has been taken
                armor.by_ref().take(behind).for_each(drop);
            }
        }
    }

    fn header(self) -> &'static str {
        match self {
            Self::Message => "-----BEGIN PGP MESSAGE-----",
            Self::SignedMessage => "-----BEGIN PGP SIGNED MESSAGE-----",
            Self::PublicKey => "-----BEGIN PGP PUBLIC KEY BLOCK-----",
            Self::Signature => "-----BEGIN PGP SIGNATURE-----",
            Self::PrivateKey => "-----BEGIN PGP PRIVATE KEY BLOCK-----",
        }
    }

    fn tail(self) -> &'static str {
        match self {
            Self::Message => "-----END PGP MESSAGE-----",
            Self::SignedMessage | Self::Signature => "-----END PGP SIGNATURE-----",
            Self::PublicKey => "-----END PGP PUBLIC KEY BLOCK-----",
            Self::PrivateKey => "-----END PGP PRIVATE KEY BLOCK-----",
        }
    }

    /// The lines that begin with five dashes, in order.
    fn armor(self) -> impl Iterator<Item = &'static str> {
        let between = (self == Self::SignedMessage).then(|| Self::Signature.header());
        [Some(self.header()), between, Some(self.tail())]
            .into_iter()
            .flatten()
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Message => "message",
            Self::SignedMessage => "signed message",
            Self::PublicKey => "public key",
            Self::Signature => "signature",
            Self::PrivateKey => "private key",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    const BODY: &str = "Comment: nothing\n\nwV4DAAAAAAAAAAASAQdA+/AAAA==\n=Abcd";

    fn block(kind: Block) -> String {
        let inside = if kind == Block::SignedMessage {
            let signature = Block::Signature.header();
            format!("Hash: SHA512\n\nHello\n- -----\n- - dashed\n{signature}\n\n{BODY}")
        } else {
            BODY.to_owned()
        };
        format!("{}\n{inside}\n{}\n", kind.header(), kind.tail())
    }

    fn of(text: &str) -> Option<Block> {
        Block::of(text.as_bytes())
    }

    #[test]
    fn every_kind_is_told_from_the_others_and_its_name_in_json_never_changes() {
        let names = [
            "message",
            "signed_message",
            "public_key",
            "signature",
            "private_key",
        ];
        for (kind, name) in Block::ALL.into_iter().zip(names) {
            assert_eq!(of(&block(kind)), Some(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("{name:?}"));
            assert_eq!(kind.to_string(), name.replace('_', " "));
        }
    }

    #[test]
    fn a_text_with_anything_beside_the_block_is_a_text() {
        for kind in Block::ALL {
            let block = block(kind);
            for text in [
                format!("Hello,\n{block}"),
                format!("{block}Bye"),
                format!("{block}{block}"),
                format!("{block}\n\n{}", self::block(Block::PublicKey)),
                format!(" {block}"),
                format!("> {block}"),
                format!("\u{feff}{block}"),
                format!("\u{a0}\n{block}"),
            ] {
                assert_eq!(of(&text), None, "{text:?}");
            }
        }
    }

    #[test]
    fn blocks_with_anything_beside_them_are_named_each_kind_once_and_in_order() {
        for kind in Block::ALL {
            let block = block(kind);
            let inside = |text: &str| Block::inside(text.as_bytes());
            assert_eq!(inside(&block), [], "it is one");
            for text in [
                format!("Hello,\n{block}"),
                format!("{block}Bye"),
                format!("{block}{block}").replace('\n', "\r\n"),
                format!("-----\n{}\n{block}", kind.header()),
                format!("\u{a0}\n{block}"),
            ] {
                assert_eq!(inside(&text), [kind], "{text:?}");
            }
            let key = self::block(Block::PublicKey);
            let two = inside(&format!("{block}\n{key}"));
            assert_eq!(two[0], kind);
            assert!(two.contains(&Block::PublicKey));
            assert_eq!(two.len(), if kind == Block::PublicKey { 1 } else { 2 });
            let quoted = block.replace('\n', "\n> ");
            for none in [&format!("> {quoted}"), "", kind.header()] {
                assert_eq!(inside(none), [], "{none:?}");
            }
            let late = inside(&format!("Hello {block}"));
            let is_signed = kind == Block::SignedMessage;
            assert_eq!(late, [Block::Signature][..usize::from(is_signed)]);
        }
    }

    #[test]
    fn half_a_block_or_one_with_another_inside_is_none() {
        let header = Block::Message.header();
        let tail = Block::Message.tail();
        for text in [
            "",
            "\n",
            "-----BEGIN PGP ",
            header,
            tail,
            &format!("{header}{tail}"),
            &format!("{tail}\n{header}"),
            &format!("{header}\n{header}\n{tail}"),
            &format!("{header}\n{tail}\n{tail}"),
            &format!("{header}\n-----\n{tail}"),
            &format!("{header}\n{}", Block::PublicKey.tail()),
            &format!(
                "{}\n{}",
                Block::SignedMessage.header(),
                Block::Signature.tail()
            ),
            &format!("{header} MESSAGE\n{tail}"),
            &header.to_lowercase(),
            "-----BEGIN PGP MESSAGE, PART 1/2-----\n\n-----END PGP MESSAGE, PART 1/2-----",
            "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
        ] {
            assert_eq!(of(text), None, "{text:?}");
        }
        let mut broken = block(Block::Message).into_bytes();
        let middle = broken.len() / 2;
        broken[middle] = 0xff;
        assert_eq!(Block::of(&broken), None, "no text");
    }

    fn blank_lines() -> impl Strategy<Value = String> {
        "([ \t\r]{0,3}\n){0,3}"
    }

    proptest! {
        #[test]
        fn white_space_around_it_and_at_the_ends_of_lines_changes_nothing(
            kind in select(&Block::ALL),
            (before, after) in (blank_lines(), blank_lines()),
            end in select(vec!["\n", "\r\n", " \n", "\t \r\n"]),
        ) {
            let text = format!("{before}{}{after}", block(kind).replace('\n', end));
            prop_assert_eq!(of(&text), Some(kind));
        }

        #[test]
        fn any_bytes_are_looked_at_without_a_fault(bytes: Vec<u8>) {
            prop_assert!(Block::of(&bytes).is_none(), "nobody meets one by chance");
            prop_assert_eq!(Block::inside(&bytes), []);
        }

        #[test]
        fn what_is_one_begins_and_ends_as_one_and_has_no_other_inside(
            parts in prop::collection::vec(select(vec![
                "-----BEGIN PGP MESSAGE-----", "-----END PGP MESSAGE-----",
                "-----BEGIN PGP SIGNED MESSAGE-----", "-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----",
                "\n", "\n\n", " ", "\r\n", "text", "-",
            ]), 0..12),
        ) {
            let text = parts.concat();
            for kind in Block::inside(text.as_bytes()) {
                prop_assert_eq!(of(&text), None);
                prop_assert!(text.contains(kind.header()) && text.contains(kind.tail()));
            }
            if let Some(kind) = of(&text) {
                let trimmed = text.trim();
                prop_assert!(trimmed.starts_with(kind.header()) && trimmed.ends_with(kind.tail()));
                let lines = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
                prop_assert_eq!(lines("-----END"), 1);
                let headers = if kind == Block::SignedMessage { 2 } else { 1 };
                prop_assert_eq!(lines("-----BEGIN"), headers);
            }
        }
    }
}
