//! Any bytes on connections to a relay, right requests among them, whole, changed or in pieces: it answers or hangs up
//! in time, stores only what was sent, and afterwards takes a good message.
#![no_main]

use arbitrary::Unstructured;
use kkv_fuzz::paused;
use kkv_fuzz::relay_line::run;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|script: &[u8]| {
    let _ = paused().block_on(run(&mut Unstructured::new(script)));
});
