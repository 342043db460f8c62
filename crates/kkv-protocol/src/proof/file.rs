//! Reading a file that proves something: steps 1 to 5 of PROTOCOL.md §8, "Verifying". What it lets through is what a
//! sender can have signed, or a relay.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::{MessageV1, MessageV2, Proof, ReceiptV2};
use crate::kind::Kind;
use crate::limits::{MAX_TEXT_BYTES, MAX_TEXT_BYTES_V1};
use crate::wire::{Hex, object};

/// How much of a field's name is repeated: it is a stranger's.
const SHOWN_CHARACTERS: usize = 40;

/// Why a file is no exported message and no receipt.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoProof {
    /// No JSON object, or something beside it.
    #[error("it isn't one JSON object")]
    NoObject,
    /// `format` is missing, no string, or none of the three.
    #[error("its \"format\" is none that this kkvc knows")]
    Format,
    /// A field that the format has is not there.
    #[error("the field {0:?} is missing")]
    Missing(&'static str),
    /// A field is there that no signature covers: what its name begins with, as it stands in the file.
    #[error("it has an extra field, {0:?}, which no signature covers")]
    Extra(String),
    /// A field is there twice: what its name begins with, as it stands in the file.
    #[error("the field {0:?} is there twice")]
    Twice(String),
    /// A field is no string.
    #[error("the field {0:?} isn't a string")]
    NoString(&'static str),
    /// A field is not hex of the length that it has.
    #[error("the field {field:?} isn't {digits} hex digits")]
    NoHex {
        /// Its name.
        field: &'static str,
        /// How many it has.
        digits: usize,
    },
    /// A kind that is not known.
    #[error("its \"kind\" is none that this kkvc knows")]
    Kind,
    /// A text that no message of its suite has.
    #[error("its text has {bytes} bytes, and a message of this suite has 1 to {most}")]
    Length {
        /// How many it has.
        bytes: usize,
        /// How many it may have.
        most: usize,
    },
    /// A text of kkv/1 with a NUL.
    #[error("its text has a NUL, and no message of kkv/1 has one")]
    Nul,
}

impl Proof {
    /// Reads a file.
    ///
    /// # Errors
    /// It is no exported message and no receipt, and why.
    pub fn parse(json: &[u8]) -> Result<Self, NoProof> {
        let mut fields: Fields = object(json).map_err(|_| NoProof::NoObject)?;
        fields.each_once()?;
        let format = fields.take("format").ok_or(NoProof::Format)?;
        let proof = match format.as_str() {
            Some("kkv/1 message") => Self::MessageV1(MessageV1 {
                sender: fields.id("sender")?,
                text: fields.text(MAX_TEXT_BYTES_V1)?.into(),
                signature: fields.hex("signature")?,
            }),
            Some("kkv/2 message") => Self::MessageV2(MessageV2 {
                relay: fields.id("relay")?,
                session: fields.id("session")?,
                sender: fields.id("sender")?,
                kind: fields.kind()?,
                box_digest: fields.id("box")?,
                text: fields.text(MAX_TEXT_BYTES)?.into(),
                signature: fields.hex("signature")?,
            }),
            Some("kkv/2 receipt") => Self::Receipt(ReceiptV2 {
                relay: fields.id("relay")?,
                session: fields.id("session")?,
                sender: fields.id("sender")?,
                digest: fields.id("digest")?,
                signature: fields.hex("signature")?,
            }),
            _ => return Err(NoProof::Format),
        };
        if let Some((extra, _)) = fields.0.first() {
            return Err(NoProof::Extra(beginning(extra)));
        }
        match &proof {
            Self::MessageV1(message) if message.text.contains('\0') => Err(NoProof::Nul),
            _ => Ok(proof),
        }
    }
}

/// The fields of an object, in the order they stand in.
struct Fields(Vec<(String, Value)>);

impl Fields {
    fn each_once(&self) -> Result<(), NoProof> {
        for (at, (name, _)) in self.0.iter().enumerate() {
            if self.0[..at].iter().any(|(before, _)| before == name) {
                return Err(NoProof::Twice(beginning(name)));
            }
        }
        Ok(())
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(field, _)| field == name)?;
        Some(self.0.remove(at).1)
    }

    fn string(&mut self, name: &'static str) -> Result<String, NoProof> {
        match self.take(name) {
            Some(Value::String(string)) => Ok(string),
            Some(_) => Err(NoProof::NoString(name)),
            None => Err(NoProof::Missing(name)),
        }
    }

    fn id<T: From<[u8; 32]>>(&mut self, field: &'static str) -> Result<T, NoProof> {
        Ok(self.hex::<32>(field)?.0.into())
    }

    fn hex<const N: usize>(&mut self, field: &'static str) -> Result<Hex<N>, NoProof> {
        let digits = 2 * N;
        Hex::parse(&self.string(field)?).map_err(|_| NoProof::NoHex { field, digits })
    }

    fn kind(&mut self) -> Result<Kind, NoProof> {
        match self.string("kind")?.as_str() {
            "text" => Ok(Kind::Text),
            _ => Err(NoProof::Kind),
        }
    }

    fn text(&mut self, most: usize) -> Result<String, NoProof> {
        let text = self.string("text")?;
        match text.len() {
            bytes if (1..=most).contains(&bytes) => Ok(text),
            bytes => Err(NoProof::Length { bytes, most }),
        }
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields, M::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Fields(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// As much of a name as is repeated.
fn beginning(name: &str) -> String {
    let start: String = name.chars().take(SHOWN_CHARACTERS).collect();
    let more = if start.len() < name.len() { "…" } else { "" };
    format!("{start}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(json: &str) -> NoProof {
        match Proof::parse(json.as_bytes()) {
            Ok(_) => panic!("{json}"),
            Err(fault) => fault,
        }
    }

    fn v1(text: &str) -> String {
        let (key, signature) = ("0".repeat(64), "0".repeat(128));
        serde_json::json!({
            "format": "kkv/1 message", "sender": key, "text": text, "signature": signature,
        })
        .to_string()
    }

    #[test]
    fn what_is_wrong_is_said() {
        let right = v1("text");
        assert!(Proof::parse(right.as_bytes()).is_ok());
        let upper = right.replace(&"0".repeat(64), &"aB".repeat(32));
        assert!(Proof::parse(upper.as_bytes()).is_ok());
        let long = v1(&"é".repeat(1461));
        let (bytes, most) = (2922, 2920);
        for (json, said) in [
            ("[]", NoProof::NoObject),
            ("\u{feff}{}", NoProof::NoObject),
            ("{}", NoProof::Format),
            ("{\"format\":\"kkv/3 message\"}", NoProof::Format),
            (&v1(""), NoProof::Length { bytes: 0, most }),
            (&long, NoProof::Length { bytes, most }),
            (&v1("a\0"), NoProof::Nul),
            (
                &right.replace("\"text\":\"text\"", "\"text\":7"),
                NoProof::NoString("text"),
            ),
            (
                &right.replace("\"sender\"", "\"Sender\""),
                NoProof::Missing("sender"),
            ),
            (
                &right.replacen('{', "{\"sender\":\"\",", 1),
                NoProof::Twice("sender".into()),
            ),
            (
                &right.replacen('{', "{\"no\\nte\\u001b\":1,", 1),
                NoProof::Extra("no\nte\u{1b}".into()),
            ),
            (
                &right.replacen("000", "00", 1),
                NoProof::NoHex {
                    field: "sender",
                    digits: 64,
                },
            ),
        ] {
            assert_eq!(fault(json), said, "{json}");
        }
        let steers = NoProof::Extra("no\nte\u{1b}\u{202e}".into()).to_string();
        assert!(steers.contains(r#""no\nte\u{1b}\u{202e}""#), "{steers}");
        // Half of a pair is no character, and no text.
        let half = right.replace("\"text\":\"text\"", "\"text\":\"\\ud800\"");
        assert_eq!(fault(&half), NoProof::NoObject);
    }
}
