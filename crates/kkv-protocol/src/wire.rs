//! What stands in a form or in JSON: binary values as hex, sent in lower case, taken in both, of exactly the right
//! length; and the one way in which each of the two is read.

use std::fmt;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::de::value::MapDeserializer;
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

/// `N` bytes, as 2·N hex characters. Any other length is refused.
///
/// ```
/// use kkv_protocol::wire::{BadHex, Hex};
///
/// assert_eq!(Hex::<2>::parse("a0fF"), Ok(Hex([0xa0, 0xff])));
/// assert_eq!(Hex::<2>::parse("a0fg"), Err(BadHex::Character));
/// assert_eq!(Hex([0xa0, 0xff]).to_string(), "a0ff");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hex<const N: usize>(pub [u8; N]);

/// Up to `MAX` bytes, as an even number of hex characters.
///
/// ```
/// use kkv_protocol::wire::HexUpTo;
///
/// let solution = HexUpTo::<128>::new(vec![7; 8]);
/// assert_eq!(solution.as_bytes(), [7; 8]);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct HexUpTo<const MAX: usize>(Vec<u8>);

/// Why a text is not hex of the length that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadHex {
    /// It is too short or too long.
    #[error("its length in hex is {found} instead of {wanted}")]
    Length {
        /// Hex characters that are wanted: two for each byte.
        wanted: usize,
        /// Bytes that the text has.
        found: usize,
    },
    /// The length is right, and some character is none of 0-9, a-f and A-F.
    #[error("it has a character other than 0-9 and a-f")]
    Character,
}

/// Why a body is not what it should be (PROTOCOL.md §2). It holds nothing of what stands in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadBody {
    /// Some byte of the JSON is not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// It does not begin as a JSON object does.
    #[error("it is no JSON object")]
    NotAnObject,
    /// It begins as an object, and JSON's grammar ends before it does.
    #[error("it is no JSON")]
    NotJson,
    /// A field is missing, there twice, or of another type or length.
    #[error("its fields are not those of this step")]
    Fields,
}

/// Reads a JSON object whose fields hold no objects themselves (PROTOCOL.md §2).
///
/// Whatever comes from outside in JSON is read by this: serde's derived readers take the array of an object's values
/// for the object.
///
/// ```
/// use kkv_protocol::v2::wire::MessageAnswer;
/// use kkv_protocol::wire::{BadBody, object};
///
/// let json = format!("{{\"receipt\":\"{}\"}}", "00".repeat(64));
/// assert!(object::<MessageAnswer>(json.as_bytes()).is_ok());
/// let other = object::<MessageAnswer>(b"{\"receipt\":7}");
/// assert_eq!(other.map(|_| ()), Err(BadBody::Fields));
/// ```
///
/// # Errors
/// It is anything else.
pub fn object<T: DeserializeOwned>(json: &[u8]) -> Result<T, BadBody> {
    // All of it: serde passes over what is in a field that nobody reads without looking at its bytes.
    let json = str::from_utf8(json).map_err(|_| BadBody::NotUtf8)?;
    if !json.trim_ascii_start().starts_with('{') {
        return Err(BadBody::NotAnObject);
    }
    serde_json::from_str(json).map_err(|error| match error.classify() {
        Category::Data => BadBody::Fields,
        Category::Syntax | Category::Eof | Category::Io => BadBody::NotJson,
    })
}

/// Reads a form. Its fields are what is read from strings alone, as every field of kkv/1 is.
///
/// Whatever is escaped in it is read by `serde_urlencoded`, which looks at every byte alone. Hex never is, and then the
/// fields are there as they are: with a message of kkv/1 that spares the relay a twelfth of its work.
///
/// ```
/// use kkv_protocol::v1::wire::PowRequest;
/// use kkv_protocol::wire::form;
///
/// let body = format!("bytes={}", "ab".repeat(32));
/// let request: PowRequest = form(body.as_bytes())?;
/// assert_eq!(request.bytes.0, [0xab; 32]);
/// # Ok::<(), kkv_protocol::wire::BadBody>(())
/// ```
///
/// # Errors
/// [`BadBody::Fields`]: any bytes are some form.
pub fn form<T: DeserializeOwned>(body: &[u8]) -> Result<T, BadBody> {
    let escaped = body.iter().any(|byte| matches!(byte, b'%' | b'+'));
    let plain = if escaped {
        None
    } else {
        str::from_utf8(body).ok()
    };
    let Some(plain) = plain else {
        return serde_urlencoded::from_bytes(body).map_err(|_| BadBody::Fields);
    };
    let pairs = plain.split('&').filter(|pair| !pair.is_empty());
    let fields = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    T::deserialize(MapDeserializer::<_, de::value::Error>::new(fields)).map_err(|_| BadBody::Fields)
}

/// The `N` bytes of a challenge from `start` on.
///
/// # Panics
/// They reach beyond its end: the caller's bug.
pub(crate) fn field<const N: usize>(bytes: &[u8], start: usize) -> [u8; N] {
    std::array::from_fn(|i| bytes[start + i])
}

impl<const MAX: usize> HexUpTo<MAX> {
    /// Wraps bytes that are known to fit.
    ///
    /// # Panics
    /// More than `MAX` bytes: the caller's bug.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        assert!(bytes.len() <= MAX, "{} bytes into {MAX}", bytes.len());
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<const N: usize> Hex<N> {
    /// Reads 2·`N` hex characters of either case (PROTOCOL.md §2).
    ///
    /// # Errors
    /// It has another length, or a character that hex does not have.
    pub fn parse(text: &str) -> Result<Self, BadHex> {
        let (wanted, found) = (2 * N, text.len());
        if found != wanted {
            return Err(BadHex::Length { wanted, found });
        }
        let mut bytes = [0; N];
        HEXLOWER_PERMISSIVE
            .decode_mut(text.as_bytes(), &mut bytes)
            .map_err(|_| BadHex::Character)?;
        Ok(Self(bytes))
    }
}

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hex({N} bytes)")
    }
}

impl<const MAX: usize> fmt::Debug for HexUpTo<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HexUpTo({} bytes)", self.0.len())
    }
}

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&HEXLOWER.encode(&self.0))
    }
}

impl<const MAX: usize> Serialize for HexUpTo<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&HEXLOWER.encode(&self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Exactly<const N: usize>;
        impl<const N: usize> Visitor<'_> for Exactly<N> {
            type Value = Hex<N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} hex characters", 2 * N)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Hex<N>, E> {
                Hex::parse(text).map_err(|_| E::invalid_value(de::Unexpected::Str("…"), &self))
            }
        }
        deserializer.deserialize_str(Exactly)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for HexUpTo<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AtMost<const MAX: usize>;
        impl<const MAX: usize> Visitor<'_> for AtMost<MAX> {
            type Value = HexUpTo<MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "at most {} hex characters", 2 * MAX)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<HexUpTo<MAX>, E> {
                let wrong = || E::invalid_value(de::Unexpected::Str("…"), &self);
                if text.len() > 2 * MAX {
                    return Err(wrong());
                }
                HEXLOWER_PERMISSIVE
                    .decode(text.as_bytes())
                    .map(HexUpTo)
                    .map_err(|_| wrong())
            }
        }
        deserializer.deserialize_str(AtMost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_exact_length_is_taken() {
        assert_eq!(Hex::<2>::parse("a0fF"), Ok(Hex([0xa0, 0xff])));
        for (wrong, found) in [("", 0), ("a0f", 3), ("a0ff0", 5), ("a0ff00", 6), ("éé0", 5)] {
            let length = BadHex::Length { wanted: 4, found };
            assert_eq!(Hex::<2>::parse(wrong), Err(length), "{wrong}");
        }
        for wrong in ["zz00", "0xa0", "é0f", " a0f", "-a0f"] {
            assert_eq!(Hex::<2>::parse(wrong), Err(BadHex::Character), "{wrong}");
        }
        let json = |text: &str| serde_json::from_str::<HexUpTo<2>>(text);
        assert_eq!(json("\"\"").unwrap().as_bytes(), b"");
        assert_eq!(json("\"0aBC\"").unwrap().as_bytes(), [0x0a, 0xbc]);
        for wrong in ["\"0\"", "\"0a0b0c\"", "\"0g\"", "7", "null"] {
            assert!(json(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn json_is_read_as_the_specification_says() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct One {
            a: Hex<1>,
        }
        let read = |json: &[u8]| object::<One>(json).map(|one| one.a.0[0]);
        let deep = format!(
            "{{\"b\":{}{},\"a\":\"01\"}}",
            "[".repeat(5000),
            "]".repeat(5000)
        );
        for taken in [
            r#"{"a":"01"}"#,
            " \t\r\n{ \"a\" : \"01\" } \n",
            r#"{"\u0061":"0\u0031"}"#,
            r#"{"b":1,"b":2,"a":"01"}"#,
            r#"{"b":1e999999,"c":-0.5e-7,"d":123456789012345678901234567890,"a":"01"}"#,
            r#"{"b":"\ud800","a":"01"}"#,
            &deep,
        ] {
            assert_eq!(read(taken.as_bytes()), Ok(1), "{taken}");
        }
        use BadBody::{Fields, NotAnObject, NotJson, NotUtf8};
        for (refused, why) in [
            (&b"\xef\xbb\xbf{\"a\":\"01\"}"[..], NotAnObject),
            (b"{\"b\":\"\xff\",\"a\":\"01\"}", NotUtf8),
            (b"{\"\xff\":1,\"a\":\"01\"}", NotUtf8),
            (b"{\"a\":\"01\"}\0", NotJson),
            (b"{\"a\":\"01\"}{}", NotJson),
            (b"{\"a\":\"01\",\"a\":\"01\"}", Fields),
            (b"{\"a\":\"01\",\"\\u0061\":\"01\"}", Fields),
            (b"{\"a\":\"01\",}", NotJson),
            (b"{\"a\":1}", Fields),
            (b"{\"a\":null}", Fields),
            (b"{\"a\":[\"01\"]}", Fields),
            (b"{\"A\":\"01\"}", Fields),
            (b"{\"b\":01,\"a\":\"01\"}", NotJson),
            (b"{\"b\":NaN,\"a\":\"01\"}", NotJson),
            (b"{\"b\":\"\n\",\"a\":\"01\"}", NotJson),
            (b"{\"\\ud800\":1,\"a\":\"01\"}", NotJson),
            (b"{'a':'01'}", NotJson),
            (b"\x0c{\"a\":\"01\"}", NotJson),
            (b"[\"01\"]", NotAnObject),
            (b"{\"a\":\"01\"", NotJson),
            (b"", NotAnObject),
        ] {
            let shown = String::from_utf8_lossy(refused);
            assert_eq!(read(refused), Err(why), "{shown}");
        }
    }

    #[test]
    fn a_form_is_read_as_the_specification_says() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct One {
            a: Hex<1>,
        }
        let read = |body: &[u8]| form::<One>(body).map(|one| one.a.0[0]);
        for taken in [
            &b"a=01"[..],
            b"&&a=01&",
            b"%61=0%31",
            b"b=1&b=2&a=01",
            b"b&a=01",
            b"b=%ff&a=01",
            b"b=\xff&a=01",
            b"b=%zz&a=01",
        ] {
            let shown = String::from_utf8_lossy(taken);
            assert_eq!(read(taken), Ok(1), "{shown}");
        }
        for refused in [
            &b""[..],
            b"a",
            b"a=",
            b"a=01&a=01",
            b"a=01&%61=01",
            b"A=01",
            b"a=+01",
            b"a=01 ",
            b"a=01;b=2",
            b"\xef\xbb\xbfa=01",
            b"a=01\n",
        ] {
            let shown = String::from_utf8_lossy(refused);
            assert_eq!(read(refused), Err(BadBody::Fields), "{shown}");
        }
    }

    /// What a form may be read as.
    #[derive(Debug, PartialEq, Deserialize)]
    struct Form {
        a: String,
        #[serde(default)]
        b: String,
        #[serde(default = "nothing")]
        ab: Hex<1>,
    }

    fn nothing() -> Hex<1> {
        Hex([0])
    }

    proptest! {
        #[test]
        fn decode_reverses_encode(bytes: [u8; 32]) {
            let json = serde_json::to_string(&Hex(bytes)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Hex<32>>(&json).unwrap(), Hex(bytes));
            let form = serde_urlencoded::to_string([("x", Hex(bytes))]).unwrap();
            prop_assert_eq!(form.len(), 2 + 64);
        }

        /// Of what looks like a form, escaped or not, whole or cut, and of anything.
        #[test]
        fn a_form_is_read_as_serde_urlencoded_reads_it(
            form in prop_oneof!["([ab]{1,2}=[0-9a-f%+é]{0,5}&?){0,4}", "\\PC{0,20}"],
            junk in prop::option::of(any::<u8>()),
        ) {
            let mut bytes = form.into_bytes();
            bytes.extend(junk);
            let theirs = serde_urlencoded::from_bytes::<Form>(&bytes).map_err(|_| BadBody::Fields);
            prop_assert_eq!(super::form::<Form>(&bytes), theirs);
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = Hex::<8>::parse(&text);
            let json = serde_json::to_string(&text).unwrap();
            let _ = serde_json::from_str::<HexUpTo<8>>(&json);
        }
    }
}
