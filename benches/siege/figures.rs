//! Numbers as people read them.

use std::time::Duration;

use crate::memory::Kib;

pub(crate) fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds >= 1.0 {
        format!("{seconds:.1} s")
    } else if seconds >= 1e-3 {
        format!("{:.0} ms", seconds * 1e3)
    } else {
        format!("{:.0} µs", seconds * 1e6)
    }
}

pub(crate) fn kib(kib: Kib) -> String {
    format!("{:.1} MiB", kib as f64 / 1024.0)
}
