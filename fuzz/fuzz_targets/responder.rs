//! Any sequence of requests, owner's doings and moves of the clock at a relay: what it says is what it does, and its
//! queue is what it should be.
#![no_main]

use arbitrary::Unstructured;
use kkv_fuzz::responder::run;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|operations: &[u8]| {
    let _ = run(&mut Unstructured::new(operations));
});
