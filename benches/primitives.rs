//! Each cryptographic operation that a message takes on the relay's side, by itself. How many of each it takes stands
//! in `support/alone.rs`.
#![allow(missing_docs, reason = "criterion's macros make a public function")]

mod support {
    pub(crate) mod alone;
}

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use support::alone::Operations;

fn primitives(criterion: &mut Criterion) {
    let operations = Operations::new();
    let key = operations.decode_key();
    let mut group = criterion.benchmark_group("primitives");
    let mut bench = |name: &str, operation: &mut dyn FnMut()| {
        group.bench_function(name, |bencher| bencher.iter(&mut *operation));
    };
    bench("Ed25519 sign, 48 bytes", &mut || {
        black_box(operations.sign(48));
    });
    bench("Ed25519 key from bytes", &mut || {
        black_box(operations.decode_key());
    });
    bench("Ed25519 verify, strict, 48 bytes", &mut || {
        operations.verify_statement(&key);
    });
    bench("Ed25519 verify, strict, 3000 bytes", &mut || {
        operations.verify_ciphertext(&key);
    });
    bench("X25519 key and agreement", &mut || {
        black_box(operations.x25519());
    });
    bench("ML-KEM-768 key from bytes", &mut || {
        black_box(operations.mlkem768_decode());
    });
    bench("ML-KEM-768 encapsulate", &mut || {
        black_box(operations.mlkem768_encapsulate());
    });
    bench("ChaCha20-Poly1305, 3652 bytes", &mut || {
        operations.open(3652, &mut [0; 3652]);
    });
    bench("BLAKE3 keyed, 64 bytes (one nonce)", &mut || {
        black_box(operations.keyed(64));
    });
    bench("BLAKE3 derive_key, 128 bytes", &mut || {
        black_box(operations.derive(128));
    });
    bench("BLAKE3 derive_key, 3600 bytes", &mut || {
        black_box(operations.derive(3600));
    });
    group.finish();
}

criterion_group!(benches, primitives);
criterion_main!(benches);
