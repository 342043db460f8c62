//! `kkvc bench`: what this machine pays, so that an owner can choose a cost.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Serialize;

use super::carrying::Solving;
use super::output::{print, print_json};
use super::speed::{Speed, in_words};
use kkv_base::count::counted;
use kkv_base::limits::DEFAULT_COST;
use kkv_pow::{Cost, Odds};
use kkv_protocol::suite::Suite;
use kkv_ui::error::CliError;
use kkv_ui::estimate::about;

/// How long each suite is measured.
const TIME: Duration = Duration::from_millis(500);
/// The costs that make sense today: below, paying is nothing; above, it takes hours.
const COSTS: RangeInclusive<u32> = 20..=40;
/// Rows that fit a terminal of 24 lines, below the five lines above them and with the command and the next prompt.
const ROWS: u32 = 24 - 5 - 2;

#[derive(Serialize)]
struct Measured {
    threads: usize,
    instructions: String,
    hashes_per_second: Vec<Rate>,
    costs: Vec<Row>,
}

#[derive(Serialize)]
struct Rate {
    suite: Suite,
    rate: f64,
}

#[derive(Serialize)]
struct Row {
    cost: u8,
    times: Vec<Times>,
}

#[derive(Serialize)]
struct Times {
    suite: Suite,
    mean_seconds: f64,
    p99_seconds: f64,
}

/// Measures, and prints the table.
pub(super) async fn bench(solving: &Solving, json: bool) -> Result<(), CliError> {
    let solver = solving.solver();
    let v2 = Speed::measure(solver, Suite::V2, TIME).await;
    let v1 = Speed::measure(solver, Suite::V1, TIME).await;
    let speeds = [v2, v1];
    if json {
        return print_json(&Measured {
            threads: solver.threads.get(),
            instructions: solver.instructions.to_string(),
            hashes_per_second: speeds
                .map(|speed| Rate {
                    suite: speed.suite,
                    rate: speed.rate,
                })
                .into(),
            costs: costs(COSTS).map(|cost| row(&speeds, cost)).collect(),
        });
    }
    let threads = counted(solver.threads.get() as u64, "thread");
    let mut table = format!(
        "This machine computes {} hashes a second for kkv/2\nand {} for kkv/1, with {} on {threads}.\n\n",
        in_words(v2.rate),
        in_words(v1.rate),
        solver.instructions,
    );
    table += "      kkv/2                       kkv/1\n";
    table += "COST  on average    99 in 100 by  on average    99 in 100 by\n";
    for cost in costs(rows(&v2)) {
        let [v2, v1] = speeds.map(|speed| columns(&speed.odds(cost)));
        let default = if cost.bits() == DEFAULT_COST {
            "  (the default)"
        } else {
            ""
        };
        let line = format!("{cost:>4}  {v2}  {v1}");
        table += &format!("{}{default}\n", line.trim_end());
    }
    print(&table)
}

fn costs(bits: RangeInclusive<u32>) -> impl Iterator<Item = Cost> {
    bits.filter_map(|bits| Cost::new(bits).ok())
}

/// The costs in the table: from the first that takes a second on average, or the default if that is less, as many as
/// fit.
fn rows(speed: &Speed) -> RangeInclusive<u32> {
    let is_felt = |cost: &Cost| speed.odds(*cost).mean() >= Duration::from_secs(1);
    let felt = costs(COSTS).find(is_felt).map_or(u32::MAX, bits);
    let first = felt.min(DEFAULT_COST.into());
    first..=(first + ROWS - 1).min(*COSTS.end())
}

fn bits(cost: Cost) -> u32 {
    cost.bits().into()
}

fn columns(odds: &Odds) -> String {
    format!(
        "{:<12}  {:<12}",
        about(odds.mean()),
        about(odds.within(0.99))
    )
}

fn row(speeds: &[Speed; 2], cost: Cost) -> Row {
    let times = speeds.map(|speed| {
        let odds = speed.odds(cost);
        Times {
            suite: speed.suite,
            mean_seconds: odds.mean().as_secs_f64(),
            p99_seconds: odds.within(0.99).as_secs_f64(),
        }
    });
    Row {
        cost: cost.bits(),
        times: times.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_begins_where_paying_is_felt_has_the_default_and_fits_a_small_terminal() {
        for (rate, want) in [
            (1e3, 20..=36),
            (100e6, 27..=40),
            (463e6, 29..=40),
            (1e12, 30..=40),
        ] {
            let suite = Suite::V2;
            let rows = rows(&Speed { suite, rate });
            assert_eq!(rows, want, "{rate}");
            assert!(rows.clone().count() <= 17 && rows.contains(&DEFAULT_COST.into()));
        }
    }
}
