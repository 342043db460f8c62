//! A message's whole way through the relay, and each step of it, in both suites: what the relay itself spends, from the
//! bytes of a request's body to the complete answer, with its router and without. The sender's work between the steps
//! is not counted.
//!
//! `cryptography alone` does the same keys, signatures, exchanges and seals with the same crates and nothing else, so
//! that "flow over the sum of its cryptography" can be read off one run.
#![allow(missing_docs, reason = "criterion's macros make a public function")]

#[path = "../tests/kkv1/raw_http.rs"]
mod raw_http;
#[path = "../tests/siege/requests.rs"]
mod requests;
mod support {
    pub(crate) mod alone;
    pub(crate) mod relay;
}

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use kkv_protocol::suite::Suite;
use support::alone::Operations;
use support::relay::{BATCH, Bench, By, Spent};

/// One of the steps, or all.
type Part = fn(Spent) -> Duration;

const PARTS: [(&str, Part); 3] = [
    ("POST pow", |spent| spent.pow),
    ("POST exchange_keys", |spent| spent.exchange_keys),
    ("POST msg", |spent| spent.msg),
];

fn suite(criterion: &mut Criterion, (name, suite): (&str, Suite), cryptography: impl Fn()) {
    let mut group = criterion.benchmark_group(name);
    let mut bench = |name: &str, spend: &dyn Fn() -> Duration| {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|count| {
                let batches = count.div_ceil(BATCH.into());
                let average = (0..batches)
                    .map(|_| spend())
                    .sum::<Duration>()
                    .div_f64(batches as f64);
                average.mul_f64(count as f64)
            });
        });
    };
    let (steps, http) = (Bench::new(By::Steps), Bench::new(By::Http));
    let message = |by: &Bench| by.messages(suite);
    bench("whole flow", &|| message(&steps).sum());
    bench("whole flow through the router", &|| message(&http).sum());
    for (name, part) in PARTS {
        bench(name, &|| part(message(&steps)));
    }
    bench("a forged challenge", &|| steps.unpaid(suite, true));
    bench("no solution", &|| steps.unpaid(suite, false));
    if suite == Suite::V2 {
        bench("a forged invitation, of 64", &|| steps.uninvited());
    }
    group.bench_function("cryptography alone", |bencher| bencher.iter(&cryptography));
    group.finish();
}

fn flow(criterion: &mut Criterion) {
    let operations = Operations::new();
    let v1 = ("kkv1, longest message", Suite::V1);
    suite(criterion, v1, || {
        operations.v1();
    });
    let v2 = ("kkv2, longest message", Suite::V2);
    suite(criterion, v2, || operations.v2());
}

criterion_group!(benches, flow);
criterion_main!(benches);
