//! Time in letters: whole minutes, since what is finer tells when somebody was at the keyboard.

/// Unix seconds at 2020-01-01T00:00:00Z.
const START: u64 = 1_577_836_800;

/// Minutes: since 2020-01-01T00:00:00Z, or a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minutes(pub u32);

impl Minutes {
    /// The minute of this unix time; times before 2020 are the first, and those after the year 10185 the last.
    ///
    /// ```
    /// use kkv_letters::Minutes;
    ///
    /// assert_eq!(Minutes::from_unix(1_577_836_800 + 119), Minutes(1));
    /// assert_eq!(Minutes(1).unix(), 1_577_836_860);
    /// ```
    #[must_use]
    pub fn from_unix(seconds: u64) -> Self {
        Self(u32::try_from(seconds.saturating_sub(START) / 60).unwrap_or(u32::MAX))
    }

    /// Unix seconds at which it begins.
    #[must_use]
    pub fn unix(self) -> u64 {
        START + u64::from(self.0) * 60
    }

    /// Later by that much, and never past the last minute.
    #[must_use]
    pub fn after(self, length: Self) -> Self {
        Self(self.0.saturating_add(length.0))
    }
}
