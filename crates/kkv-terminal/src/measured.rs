//! Texts that are put together without a copy of a part of them left behind.

use std::fmt::{self, Write};

use zeroize::Zeroizing;

/// What `write` writes, each time the same, in a string that has room for all of it from the beginning: one that grows
/// leaves what it had so far in memory that nobody wipes.
///
/// # Panics
/// `write` fails though nothing that it writes to does.
pub fn measured(write: impl Fn(&mut dyn Write) -> fmt::Result) -> Zeroizing<String> {
    let mut length = Length(0);
    write(&mut length).expect("counting takes everything");
    let mut written = Zeroizing::new(String::with_capacity(length.0));
    write(&mut *written).expect("a string takes everything");
    written
}

/// Takes what is written for its length alone.
struct Length(usize);

impl Write for Length {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0 += part.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_has_room_for_all_and_no_more() {
        for parts in [
            &[][..],
            &["a"],
            &["日本", "", "x".repeat(1000).as_str(), "!"],
        ] {
            let written = measured(|out| parts.iter().try_for_each(|part| out.write_str(part)));
            assert_eq!(*written, parts.concat());
            assert_eq!(written.capacity(), written.len());
        }
    }
}
