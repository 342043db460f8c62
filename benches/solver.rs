//! The search for a proof of work, one thread on each instruction set, and the published loop; and the check of what
//! was found.
//!
//! These are for comparing one version of the code to the next. `table` has the searches take turns, and compares them
//! to each other.
#![allow(missing_docs, reason = "criterion's macros make a public function")]

mod support {
    pub(crate) mod searches;
}

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use kkv_pow::{Cost, Puzzle, PuzzleKey, Search, Seed, Solution, Solver};
use support::searches::searchers;

/// One sample of a search. Starting and ending its threads takes a thousandth of it.
const SAMPLE: Duration = Duration::from_millis(200);
const SAMPLES: usize = 20;

/// What one iteration of a search stands for. It only sets the unit that criterion counts in.
const HASHES: u32 = 1 << 20;

/// Cost of what is verified. It decides how long the nonces are looked for, not how long they are checked.
const VERIFIED_BITS: u32 = 16;

fn search(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("search");
    group.warm_up_time(Duration::from_secs(1));
    group.sampling_mode(SamplingMode::Flat);
    group.sample_size(SAMPLES);
    group.measurement_time(SAMPLE * SAMPLES as u32);
    group.throughput(Throughput::Elements(HASHES.into()));
    for searcher in searchers() {
        // Each sample takes the same time, however many iterations criterion asks for: that only scales the answer.
        group.bench_function(searcher.to_string(), |bencher| {
            bencher.iter_custom(|iterations| {
                let hashes = iterations as f64 * f64::from(HASHES);
                Duration::from_secs_f64(hashes / searcher.rate(SAMPLE))
            });
        });
    }
    group.finish();
}

fn verify(criterion: &mut Criterion) {
    let cost = Cost::new(VERIFIED_BITS).expect("in range");
    let seed = [7; 32];
    let v1 = Puzzle::V1 {
        seed: Seed(seed),
        cost,
    };
    let v2 = Puzzle::V2 {
        key: PuzzleKey(seed),
        cost,
    };
    let solved = |puzzle| {
        let solution = Solver::default().solve(puzzle, &[3; 24], &Search::default());
        solution.expect("nobody stops it")
    };
    let mut group = criterion.benchmark_group("verify");
    let mut bench = |name: &str, puzzle: &Puzzle, solution: &Solution| {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let verified = black_box(puzzle).verify(black_box(solution));
                verified.expect("it was just found");
            });
        });
    };
    let solution = solved(&v1);
    bench("kkv1", &v1, &solution);
    bench("kkv2", &v2, &solved(&v2));
    let Solution::V1(nonce) = solution else {
        unreachable!("a kkv/1 puzzle")
    };
    group.bench_function("published check", |bencher| {
        bencher.iter(|| {
            let verified = blake3_pow::verify(black_box(&seed), black_box(nonce.0), VERIFIED_BITS);
            assert!(verified);
        });
    });
    group.finish();
}

criterion_group!(benches, search, verify);
criterion_main!(benches);
