//! What is printed only on purpose.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

/// A value that `{:?}` doesn't show: a message's text, or what says whom someone writes to.
///
/// Types print their fields by a derived `Debug`, and `String` and `Zeroizing` print what is in them; so a stray `{:?}`
/// far away would put a text into a log. Everything else goes through as if it weren't there.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Private<T>(pub T);

impl<T> Deref for Private<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Private<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> From<T> for Private<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_private_is_not_printed() {
        let value = Private(String::from("a secret"));
        assert_eq!(
            format!("{value:?} {:?}", Some(&value)),
            "Private(..) Some(Private(..))"
        );
        assert_eq!(serde_json::to_string(&value).unwrap(), "\"a secret\"");
    }
}
