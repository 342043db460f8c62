//! What it costs to fill the memory for messages with files (docs/THREATS.md): by the relay's own rule, with the least
//! that is taken for each, as a flooder pays that lays in challenges while they are cheap.

use kkv_base::limits::{DEFAULT_COST, DEFAULT_LARGE_BYTES};
use kkv_pow::Cost;
use kkv_protocol::v2::purpose::LargeSize;
use kkv_relay::queue::Room;
use kkv_relay::relay::Pricing;

use super::relay::{MACHINE, costs};

const HEAD: [&str; 2] = [
    "| filled with messages of | so many | work in all | for each | one machine |",
    "|---|---|---|---|---|",
];

/// Messages of one size that fill all of it, and the work for them in units of what a text costs in an empty inbox.
pub(crate) fn filled(size: LargeSize, adaptive: bool) -> (usize, f64) {
    let base = Cost::new(DEFAULT_COST.into()).expect("the default is a cost");
    let pricing = Pricing { base, adaptive };
    let bytes = size.bytes() as u64;
    let mut room = Room {
        bytes: DEFAULT_LARGE_BYTES as u64,
        ..Room::default()
    };
    let (mut messages, mut hashes) = (0, 0.0);
    while room.free() >= bytes {
        let least = costs().find(|cost| pricing.accepts_large(*cost, size, &room));
        hashes += least.expect("something is accepted").expected_hashes();
        room.stored += bytes;
        messages += 1;
    }
    (messages, hashes / base.expected_hashes())
}

/// Every line of the table, without a line feed at the end.
pub(crate) fn table() -> String {
    let rows = LargeSize::ALL.map(|size| {
        let (messages, work) = filled(size, true);
        let kib = size.bytes() >> 10;
        let size = match kib {
            1024 => "1 MiB".to_owned(),
            _ => format!("{kib} KiB"),
        };
        let each = work / messages as f64;
        let base = Cost::new(DEFAULT_COST.into()).expect("the default is a cost");
        let hours = work * base.expected_hashes() / MACHINE / 3600.0;
        let hours = match hours {
            10.0.. => format!("{hours:.0} h"),
            _ => format!("{hours:.1} h"),
        };
        format!(
            "| {size} | {messages} | {} | {each:.0} | {hours} |",
            thousands(work)
        )
    });
    [&HEAD.map(String::from)[..], &rows].concat().join("\n")
}

/// A number with commas.
fn thousands(number: f64) -> String {
    let number = number.round() as u64;
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", number / 1000, number % 1000),
    }
}
