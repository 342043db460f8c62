//! Any answers to the pieces of a message with files, right ones among them: their reader takes no more than it needs,
//! the sender comes to an end in time, and says of its message what can be known.
#![no_main]

use kkv_fuzz::{hostile::upload, paused};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|script: &[u8]| {
    paused().block_on(upload::run(script));
});
