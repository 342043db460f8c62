//! One line of the table: what was measured, next to what, and what it has to be.

use std::fmt;
use std::time::Duration;

use crate::markdown::markdown;

/// Something measured.
#[derive(Clone, Copy)]
pub(crate) enum Quantity {
    /// Hashes a second.
    Rate(f64),
    /// Seconds.
    Time(f64),
    /// A number of hashes.
    Hashes(f64),
}

/// What has to hold.
#[derive(Clone, Copy)]
enum Bound {
    RatioAtLeast(f64),
    RatioAtMost(f64),
    AtMost(Quantity),
}

#[derive(Clone)]
pub(crate) struct Row {
    what: String,
    measured: Quantity,
    beside: Option<(Quantity, String)>,
    bound: Option<Bound>,
}

impl Row {
    pub(crate) fn new(what: impl Into<String>, measured: Quantity) -> Self {
        Self {
            what: what.into(),
            measured,
            beside: None,
            bound: None,
        }
    }

    /// What it is compared to, in the same unit.
    pub(crate) fn beside(self, other: Quantity, name: &str) -> Self {
        let beside = Some((other, name.to_owned()));
        Self { beside, ..self }
    }

    pub(crate) fn ratio_at_least(self, least: f64) -> Self {
        self.must(Bound::RatioAtLeast(least))
    }

    pub(crate) fn ratio_at_most(self, most: f64) -> Self {
        self.must(Bound::RatioAtMost(most))
    }

    pub(crate) fn at_most(self, most: Duration) -> Self {
        self.must(Bound::AtMost(Quantity::Time(most.as_secs_f64())))
    }

    fn must(self, bound: Bound) -> Self {
        let bound = Some(bound);
        Self { bound, ..self }
    }

    /// What was measured over what it is compared to.
    fn ratio(&self) -> Option<f64> {
        let (other, _) = self.beside.as_ref()?;
        Some(self.measured.number() / other.number())
    }

    /// Whether the bound holds, if there is one. A bound on a ratio that there isn't, or that is no number, doesn't.
    fn kept(&self) -> bool {
        match self.bound {
            None => true,
            Some(Bound::RatioAtLeast(least)) => self.ratio().is_some_and(|ratio| ratio >= least),
            Some(Bound::RatioAtMost(most)) => self.ratio().is_some_and(|ratio| ratio <= most),
            Some(Bound::AtMost(most)) => self.measured.number() <= most.number(),
        }
    }

    /// What is wrong with a row that misses its bound.
    pub(crate) fn missed(&self) -> Option<String> {
        let bound = self.bound.filter(|_| !self.kept())?;
        let Self { what, measured, .. } = self;
        let beside = match (&self.beside, self.ratio()) {
            (Some((other, name)), Some(ratio)) => format!(" to {other}, {name}, is {ratio:.2}"),
            _ => String::new(),
        };
        Some(format!("{what}: {measured}{beside}, and has to be {bound}"))
    }

    fn cells(&self) -> [String; 5] {
        let none = || "–".to_owned();
        let beside = self.beside.as_ref();
        let bound = self.bound.map(|bound| {
            let mark = if self.kept() { "" } else { " **missed**" };
            format!("{bound}{mark}")
        });
        [
            self.what.clone(),
            self.measured.to_string(),
            beside.map_or_else(none, |(other, name)| format!("{other}, {name}")),
            self.ratio().map_or_else(none, |ratio| {
                format!("{ratio:.*}", if ratio < 0.1 { 3 } else { 2 })
            }),
            bound.unwrap_or_else(none),
        ]
    }
}

impl Quantity {
    fn number(self) -> f64 {
        match self {
            Self::Rate(number) | Self::Time(number) | Self::Hashes(number) => number,
        }
    }
}

impl fmt::Display for Quantity {
    /// Three digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match *self {
            Self::Rate(rate) => (rate / 1e6, "MH/s"),
            Self::Time(time @ ..1e-6) => (time * 1e9, "ns"),
            Self::Time(time @ ..1e-3) => (time * 1e6, "µs"),
            Self::Time(time @ ..1.0) => (time * 1e3, "ms"),
            Self::Time(time) => (time, "s"),
            Self::Hashes(hashes) => (hashes / 1e6, "million"),
        };
        let decimals = match number {
            ..10.0 => 2,
            ..100.0 => 1,
            _ => 0,
        };
        write!(f, "{number:.decimals$} {unit}")
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RatioAtLeast(least) => write!(f, "≥ {least}"),
            Self::RatioAtMost(most) => write!(f, "≤ {}", (most * 1000.0).round() / 1000.0),
            Self::AtMost(most) => write!(f, "≤ {most}"),
        }
    }
}

/// All of them.
pub(crate) fn table(rows: &[Row]) -> String {
    let cells: Vec<_> = rows.iter().map(Row::cells).collect();
    let head = ["what", "measured", "compared to", "ratio", "bound"];
    markdown(head, &cells)
}
