//! Which version of the protocol a session speaks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Suite {
    /// The published one: form bodies.
    #[serde(rename = "kkv/1")]
    V1,
    /// Ours: JSON bodies, hybrid exchange, signed transcript, receipts.
    #[serde(rename = "kkv/2")]
    V2,
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "kkv/1",
            Self::V2 => "kkv/2",
        })
    }
}

/// Which suites one side is willing to speak.
///
/// ```
/// use kkv_protocol::suite::{Suite, SuitePolicy};
///
/// let policy: SuitePolicy = "2".parse()?;
/// assert!(policy.allows(Suite::V2) && !policy.allows(Suite::V1));
/// assert_eq!(SuitePolicy::Any.suites(), [Suite::V2, Suite::V1]);
/// # Ok::<(), kkv_protocol::suite::BadSuitePolicy>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SuitePolicy {
    /// kkv/2, and kkv/1 with who has nothing better.
    #[default]
    Any,
    /// This one or none.
    Only(Suite),
}

impl SuitePolicy {
    /// Whether `suite` may be spoken.
    #[must_use]
    pub fn allows(self, suite: Suite) -> bool {
        match self {
            Self::Any => true,
            Self::Only(only) => only == suite,
        }
    }

    /// The suites that may be spoken, best first.
    #[must_use]
    pub fn suites(self) -> Vec<Suite> {
        let all = [Suite::V2, Suite::V1];
        all.into_iter().filter(|s| self.allows(*s)).collect()
    }
}

/// A text that names no choice of suites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there are 'any', '1' (the published protocol) and '2'")]
pub struct BadSuitePolicy;

impl FromStr for SuitePolicy {
    type Err = BadSuitePolicy;

    fn from_str(text: &str) -> Result<Self, BadSuitePolicy> {
        match text {
            "any" => Ok(Self::Any),
            "1" => Ok(Self::Only(Suite::V1)),
            "2" => Ok(Self::Only(Suite::V2)),
            _ => Err(BadSuitePolicy),
        }
    }
}

impl fmt::Display for SuitePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "any",
            Self::Only(Suite::V1) => "1",
            Self::Only(Suite::V2) => "2",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_choice_of_suites_reads_back_and_allows_what_it_names() {
        for (text, policy, suites) in [
            ("any", SuitePolicy::Any, &[Suite::V2, Suite::V1][..]),
            ("1", SuitePolicy::Only(Suite::V1), &[Suite::V1]),
            ("2", SuitePolicy::Only(Suite::V2), &[Suite::V2]),
        ] {
            assert_eq!(text.parse(), Ok(policy));
            assert_eq!(policy.to_string(), text);
            assert_eq!(policy.suites(), suites);
        }
        assert_eq!("3".parse::<SuitePolicy>(), Err(BadSuitePolicy));
    }
}
