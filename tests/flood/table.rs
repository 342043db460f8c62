//! The table in docs/THREATS.md.

use super::relay::Price;
use super::world::{Setting, quantile, simulate};

const HEAD: [&str; 2] = [
    "| flooder | price | full after | full for | machine time to fill it | its messages a day | honest senders delivered | half wait at most | 99 in 100 wait at most |",
    "|---|---|---|---|---|---|---|---|---|",
];

/// As many as it takes for most figures to stay when other numbers are drawn.
pub(crate) const DAYS: u32 = 50;

/// So many at least must have been delivered for their waits to say anything.
const ENOUGH: usize = 100;

/// Every line of it, without a line feed at the end.
pub(crate) fn table() -> String {
    let mut settings = Vec::new();
    for flooder in [0.0, 1.0, 10.0, 100.0] {
        for price in [Price::Pinned, Price::Adaptive, Price::Unbounded] {
            if flooder > 0.0 || price != Price::Unbounded {
                settings.push((flooder, price));
            }
        }
    }
    let mut lines: Vec<String> = HEAD.map(String::from).into();
    std::thread::scope(|scope| {
        let rows = settings.iter();
        let rows: Vec<_> = rows
            .map(|(flooder, price)| scope.spawn(|| line(*flooder, *price)))
            .collect();
        lines.extend(rows.into_iter().map(|row| row.join().expect("no panic")));
    });
    lines.join("\n")
}

fn line(flooder: f64, price: Price) -> String {
    let outcome = simulate(&Setting {
        price,
        flooder,
        hoards: true,
        sender: 1.0,
        days: DAYS,
    });
    let who = match flooder {
        0.0 => "none".to_owned(),
        1.0 => "1 machine".to_owned(),
        _ => format!("{flooder} machines"),
    };
    let price = match price {
        Price::Pinned => "pinned",
        Price::Adaptive => "follows demand",
        Price::Unbounded => "without the bound",
    };
    let delivered = outcome.waits.len() as f64 / outcome.senders as f64;
    let wait = |share| {
        let enough = outcome.waits.len() >= ENOUGH;
        enough.then(|| quantile(&outcome.waits, share)).flatten()
    };
    let cells = [
        who,
        price.to_owned(),
        time(quantile(&outcome.full_after, 0.5)),
        percent(outcome.full),
        time((flooder > 0.0).then_some(outcome.machine_time)),
        format!("{:.0}", outcome.kept_a_day),
        percent(delivered),
        time(wait(0.5)),
        time(wait(0.99)),
    ];
    format!("| {} |", cells.join(" | "))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn time(seconds: Option<f64>) -> String {
    match seconds {
        None => "–".to_owned(),
        Some(short) if short < 10.0 => format!("{short:.1} s"),
        Some(short) if short < 120.0 => format!("{short:.0} s"),
        Some(long) => format!("{:.1} min", long / 60.0),
    }
}
