//! Keeps processors from sleeping while something short is measured on them again and again.

use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, available_parallelism};

use rustix::process::nice;

/// One thread for each processor, which spins at the lowest priority until this is dropped, so that it takes nothing of
/// what is measured.
///
/// A processor that has slept wakes with a low clock, and on a rented machine with somebody else's data in its cache:
/// whoever is woken pays for it.
pub(crate) struct Awake {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Awake {
    pub(crate) fn all() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let processors = available_parallelism().map_or(1, usize::from);
        let spin = || {
            let over = Arc::clone(&over);
            thread::spawn(move || {
                nice(19).expect("anyone may be nicer"); // of this thread alone, on Linux
                while !over.load(Ordering::Relaxed) {
                    spin_loop();
                }
            })
        };
        let threads = (0..processors).map(|_| spin()).collect();
        Self { over, threads }
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().expect("it only spins");
        }
    }
}
