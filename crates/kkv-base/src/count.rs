//! Counts in words: "1 message", "2 messages".

/// So many of `one`, whose plural is regular.
#[must_use]
pub fn counted(count: impl Into<u128>, one: &str) -> String {
    let count = count.into();
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {one}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_no_plural() {
        assert_eq!(counted(0u8, "message"), "0 messages");
        assert_eq!(counted(1u64, "message"), "1 message");
        assert_eq!(counted(12u32, "more line"), "12 more lines");
    }
}
