//! How long a proof of work still takes, said honestly.

use std::time::Duration;

use kkv_pow::Puzzle;

/// What can be known of a search under way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// kkv/2: how much is found. kkv/1: the chance to have been done by now, 1 − e^(−tried / 2^cost). 0 to 1.
    pub done: f64,
    /// Expected from now on. In kkv/1 it never gets less: a search has no memory.
    pub left: Duration,
    /// Hashes a second so far.
    pub rate: f64,
}

/// Estimates from what was `tried` and `found` in `spent`. None before anything was tried.
pub fn estimate(puzzle: &Puzzle, tried: u64, found: usize, spent: Duration) -> Option<Estimate> {
    let rate = tried as f64 / spent.as_secs_f64();
    if tried == 0 || !rate.is_finite() {
        return None;
    }
    let each = 2f64.powi(i32::from(puzzle.bits_each()));
    let missing = puzzle.count().saturating_sub(found);
    let done = match puzzle.count() {
        1 => 1.0 - (-(tried as f64) / each).exp(),
        count => found as f64 / count as f64,
    };
    let left = Duration::try_from_secs_f64(missing as f64 * each / rate).unwrap_or(Duration::MAX);
    Some(Estimate { done, left, rate })
}

/// A duration to one unit, as people say it.
pub fn about(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        ..0.95 => "under a second".to_owned(),
        ..90.0 => format!("{} s", seconds.round()),
        ..5400.0 => format!("{} min", (seconds / 60.0).round()),
        ..172_800.0 => format!("{} h", (seconds / 3600.0).round()),
        ..31_536_000.0 => format!("{} days", (seconds / 86_400.0).round()),
        _ => "years".to_owned(),
    }
}

/// The same in a sentence.
pub fn roughly(duration: Duration) -> String {
    match about(duration) {
        said if said.starts_with("under") || said == "years" => said,
        long => format!("about {long}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kkv_pow::{Cost, PuzzleKey, Seed};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn sub_puzzles_count_down() {
        let cost = Cost::new(14).unwrap();
        let puzzle = Puzzle::V2 {
            key: PuzzleKey([0; 32]),
            cost,
        };
        let half = estimate(&puzzle, 8192, 8, SECOND).unwrap();
        assert_eq!(half.done, 0.5);
        assert_eq!(half.left, SECOND); // 8 of 1024 tries each, at 8192 a second
        assert_eq!(estimate(&puzzle, 0, 0, SECOND), None);
        assert_eq!(estimate(&puzzle, 1, 0, Duration::ZERO), None);
    }

    #[test]
    fn one_puzzle_has_no_memory() {
        let cost = Cost::new(10).unwrap();
        let puzzle = Puzzle::V1 {
            seed: Seed([0; 32]),
            cost,
        };
        let early = estimate(&puzzle, 1024, 0, SECOND).unwrap();
        let late = estimate(&puzzle, 4096, 0, 4 * SECOND).unwrap();
        assert_eq!((early.left, late.left), (SECOND, SECOND));
        assert!((early.done - 0.632).abs() < 0.001 && (late.done - 0.982).abs() < 0.001);
    }

    #[test]
    fn nothing_overflows() {
        let cost = Cost::new(60).unwrap();
        let puzzle = Puzzle::V2 {
            key: PuzzleKey([0; 32]),
            cost,
        };
        let never = estimate(&puzzle, 1, 0, Duration::MAX).unwrap();
        assert_eq!(about(never.left), "years");
    }

    #[test]
    fn durations_read_well() {
        for (seconds, text) in [
            (0.2, "under a second"),
            (1.4, "1 s"),
            (89.0, "89 s"),
            (91.0, "2 min"),
            (7200.0, "2 h"),
            (400_000.0, "5 days"),
        ] {
            assert_eq!(about(Duration::from_secs_f64(seconds)), text);
        }
    }
}
