//! Any answers to a sender, right ones and nearly right ones among them: it comes to an end in time, and says of its
//! message what can be known.
#![no_main]

use kkv_fuzz::{hostile, paused};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|script: &[u8]| {
    paused().block_on(hostile::run(script));
});
