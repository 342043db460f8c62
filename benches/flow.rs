//! A message's whole way through the relay, and each step of it, in both suites: what the relay itself spends, from a parsed head of the
//! request to the complete answer. The sender's work between the steps is not counted.
//!
//! `cryptography alone` does the same keys, signatures, exchanges, hashes and seals with the same crates and nothing else, so that "flow
//! over the sum of its cryptography" can be read off one run.
#![allow(missing_docs, reason = "criterion's macros make a public function")]

mod support {
    pub(crate) mod alone;
    pub(crate) mod relay;
}

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use kkv::limits::{MAX_TEXT_BYTES, MAX_TEXT_BYTES_V1};
use support::alone::Operations;
use support::relay::{Bench, Spent};

/// One of the steps, or all.
type Part = fn(Spent) -> Duration;

const PARTS: [(&str, Part); 4] = [
    ("whole flow", Spent::sum),
    ("POST pow", |spent| spent.pow),
    ("POST exchange_keys", |spent| spent.exchange_keys),
    ("POST msg", |spent| spent.msg),
];

fn suite(
    criterion: &mut Criterion,
    name: &str,
    message: impl Fn() -> Spent,
    cryptography: impl Fn(),
) {
    let mut group = criterion.benchmark_group(name);
    for (name, part) in PARTS {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|count| (0..count).map(|_| part(message())).sum());
        });
    }
    group.bench_function("cryptography alone", |bencher| bencher.iter(&cryptography));
    group.finish();
}

fn flow(criterion: &mut Criterion) {
    let operations = Operations::new();
    let bench = Bench::new(MAX_TEXT_BYTES_V1);
    let name = "kkv1, longest message";
    suite(criterion, name, || bench.v1(), || operations.v1());
    let bench = Bench::new(MAX_TEXT_BYTES);
    let name = "kkv2, longest message";
    suite(criterion, name, || bench.v2(), || operations.v2());
}

criterion_group!(benches, flow);
criterion_main!(benches);
