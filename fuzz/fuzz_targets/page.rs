//! Forms of the page and files in pieces, whole, changed or in pieces of HTTP: the relay answers or hangs up in time,
//! stores only messages, for what lets one in, and afterwards takes a good one.
#![no_main]

use arbitrary::Unstructured;
use kkv_fuzz::page_line::run;
use kkv_fuzz::paused;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|script: &[u8]| {
    let _ = paused().block_on(run(&mut Unstructured::new(script)));
});
