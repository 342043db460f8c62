//! What is printed only on purpose.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

/// A value that `{:?}` doesn't show: a message's text, or what says whom someone writes to.
///
/// Types print their fields by a derived `Debug`, and `String` and `Zeroizing` print what is in them; so a stray `{:?}` far away would put
/// a text into a log. Everything else goes through as if it weren't there.
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
    use crate::sources::sources;

    /// Fields by whose names one knows that they are nobody's business.
    const NAMES: [&str; 7] = [
        "text",
        "message",
        "passphrase",
        "secret",
        "plain",
        "host",
        "isolation",
    ];
    /// Types that print all that is in them.
    const OPEN: [&str; 3] = ["String", "Vec<u8>", "[u8"];

    /// The items whose `Debug` is derived: from the derive to the bracket at the edge that ends each.
    fn derived(source: &str) -> impl Iterator<Item = &str> {
        source.split("#[derive(").skip(1).filter_map(|item| {
            let (traits, item) = item.split_once(")]")?;
            let end = ["\n}", ";\n"].iter().filter_map(|end| item.find(end)).min();
            let is_shown = traits.split(',').any(|name| name.trim() == "Debug");
            is_shown.then(|| &item[..end.unwrap_or(item.len())])
        })
    }

    /// The lines of an item that would print what they shouldn't.
    fn leaks(item: &str) -> Vec<&str> {
        item.lines()
            .map(str::trim)
            .filter(|line| !line.starts_with("//") && !line.contains("Private<"))
            .filter(|line| {
                let field = line.split_once(": ").map(|(name, of)| {
                    let name = name.rsplit(' ').next().unwrap_or(name);
                    NAMES.contains(&name) && OPEN.iter().any(|open| of.contains(open))
                });
                line.contains("Zeroizing<") || field == Some(true)
            })
            .collect()
    }

    #[test]
    fn no_derived_debug_prints_a_text_a_key_or_whom_somebody_writes_to() {
        let mut items = 0;
        for (path, source) in &sources() {
            for item in derived(source) {
                items += 1;
                assert_eq!(leaks(item), Vec::<&str>::new(), "{path}: {item}");
            }
        }
        assert!(items > 100, "{items} items: they are not found any more");
        let open = " struct A {\n    pub(super) message: Option<String>,\n    b: Zeroizing<u8>,\n    text: Text,";
        assert_eq!(leaks(open).len(), 2);
    }

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
