//! What a post is called.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A post's short id: `p` and a number, which counts from 1 as long as the identity is in this kkv, and is never
/// reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PostId(pub u64);

/// A text is no post's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("posts have ids, as `kkvc feed` shows them: like p3")]
pub struct BadPostId;

impl FromStr for PostId {
    type Err = BadPostId;

    fn from_str(text: &str) -> Result<Self, BadPostId> {
        let digits = text.strip_prefix(['p', 'P']).ok_or(BadPostId)?;
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits
            .parse()
            .ok()
            .filter(|number| is_number && *number > 0);
        number.map(Self).ok_or(BadPostId)
    }
}

impl fmt::Display for PostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0)
    }
}

impl Serialize for PostId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PostId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_nothing_else_does() {
        for number in [1, 7, 30, u64::MAX] {
            let id = PostId(number);
            assert_eq!(id.to_string().parse(), Ok(id));
            let json = serde_json::to_string(&id).unwrap();
            assert_eq!(serde_json::from_str::<PostId>(&json).unwrap(), id);
        }
        assert_eq!("P3".parse(), Ok(PostId(3)));
        for bad in [
            "",
            "p",
            "3",
            "p0",
            "p+3",
            "p 3",
            "q3",
            "p3x",
            "pp3",
            "p99999999999999999999",
        ] {
            assert_eq!(bad.parse::<PostId>(), Err(BadPostId), "{bad}");
        }
    }
}
