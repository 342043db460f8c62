//! The signals that ask a program to end.

use std::io;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::lock;

/// Whether one of them has come since the program listens to them. Set by the signal itself, so that it is seen
/// whatever else waits.
static ASKED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
/// Whether one of them has come that no [`stopped`] has told of. Set by the signal itself.
static UNTOLD: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Whether SIGTERM or SIGHUP has come since the program listens to them. Set by the signal itself.
static TOLD_TO_END: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Whether nobody waits for them any more: then each ends the program, as if it had never listened. Read by the signal
/// itself.
static UNHEARD: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
/// Who waits for them.
static LISTENERS: Mutex<Listeners> = Mutex::new(Listeners {
    registered: false,
    number: 0,
});

struct Listeners {
    registered: bool,
    number: usize,
}

/// The system doesn't let this program listen to signals.
#[derive(Debug, thiserror::Error)]
#[error("can't wait for signals: {0}")]
pub struct SignalError(io::Error);

/// While there is one of these, no signal ends the program by itself, and [`stop_is_requested`] tells of it.
#[derive(Debug)]
pub struct Listening(());

impl Listening {
    /// Listens from now on.
    ///
    /// # Errors
    /// The system doesn't let it.
    pub fn begin() -> Result<Self, SignalError> {
        let mut listeners = lock(&LISTENERS);
        if !listeners.registered {
            let unless_ignored = (!hang_up_is_ignored()).then_some(SIGHUP);
            for signal in [SIGTERM, SIGINT, SIGQUIT].into_iter().chain(unless_ignored) {
                // The flags first: no signal may find its default action gone and nothing to tell that it came.
                if [SIGTERM, SIGHUP].contains(&signal) {
                    flag::register(signal, Arc::clone(&TOLD_TO_END)).map_err(SignalError)?;
                }
                flag::register(signal, Arc::clone(&ASKED))
                    .and_then(|_| flag::register(signal, Arc::clone(&UNTOLD)))
                    .and_then(|_| flag::register_conditional_default(signal, Arc::clone(&UNHEARD)))
                    .map_err(SignalError)?;
            }
            listeners.registered = true;
        }
        listeners.number += 1;
        UNHEARD.store(false, Ordering::Relaxed);
        Ok(Self(()))
    }

    /// For who was told to end: whatever signals come now, it ends in its own way.
    fn go_on(self) {
        mem::forget(self);
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut listeners = lock(&LISTENERS);
        listeners.number -= 1;
        UNHEARD.store(listeners.number == 0, Ordering::Relaxed);
    }
}

/// Whether the program was asked to end, by a signal that it listens to.
pub fn stop_is_requested() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// Whether it was asked to end by one of those that no key of a terminal sends, SIGTERM or SIGHUP. The keys' signals go
/// to every program on the terminal, and may be another's that has it just then.
pub fn end_is_requested() -> bool {
    TOLD_TO_END.load(Ordering::Relaxed)
}

/// Waits for SIGTERM, SIGINT, SIGQUIT or SIGHUP. From this call on, not only from the first wait, none of them ends the
/// program by itself; each does so again once this is dropped before one has come.
///
/// One that came before, while the program listened already, is told of at once, unless another call has told of it.
///
/// A SIGHUP that is ignored when the program starts stays ignored: that is what `nohup` is for.
///
/// # Errors
/// The system doesn't let it.
pub fn stopped() -> Result<impl Future<Output = ()>, SignalError> {
    let listening = Listening::begin()?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut quit = listen(SignalKind::quit())?;
    let mut hang_up = if hang_up_is_ignored() {
        None
    } else {
        Some(listen(SignalKind::hangup())?)
    };
    Ok(async move {
        let hung_up = async {
            match &mut hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        // What came before all of them were listened for, the flag alone tells of.
        if !UNTOLD.load(Ordering::Relaxed) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = quit.recv() => {}
                _ = hung_up => {}
            }
        }
        UNTOLD.store(false, Ordering::Relaxed);
        listening.go_on();
    })
}

fn listen(kind: SignalKind) -> Result<Signal, SignalError> {
    signal(kind).map_err(SignalError)
}

/// Whether the program was started with SIGHUP ignored, as far as the system tells.
fn hang_up_is_ignored() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hang_up(&status))
}

/// SIGHUP is signal 1, so the lowest bit of the mask.
fn ignores_hang_up(status: &str) -> bool {
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 != 0)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::thread;

    use kkv_testing::alone;
    use rustix::process::{self, Signal, getpid};

    use super::*;

    /// Whether it has come to its end when it is looked at once.
    async fn is_over(stopped: &mut (impl Future<Output = ()> + Unpin)) -> bool {
        tokio::select! {
            biased;
            () = stopped => true,
            () = std::future::ready(()) => false,
        }
    }

    #[test]
    fn a_signal_that_comes_before_it_is_waited_for_is_told_of_once() {
        alone(|| {
            let _listening = Listening::begin().unwrap();
            process::kill_process(getpid(), Signal::TERM).unwrap();
            while !stop_is_requested() {
                thread::yield_now();
            }
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build().unwrap();
            runtime.block_on(async {
                let mut first = pin!(stopped().unwrap());
                assert!(is_over(&mut first).await, "it has come");
                let mut next = pin!(stopped().unwrap());
                assert!(!is_over(&mut next).await, "it has been told of");
                process::kill_process(getpid(), Signal::INT).unwrap();
                next.await;
            });
        });
    }

    #[test]
    fn what_keys_send_is_told_from_what_ends_a_program() {
        alone(|| {
            let _listening = Listening::begin().unwrap();
            process::kill_process(getpid(), Signal::INT).unwrap();
            while !stop_is_requested() {
                thread::yield_now();
            }
            assert!(!end_is_requested());
            process::kill_process(getpid(), Signal::TERM).unwrap();
            while !end_is_requested() {
                thread::yield_now();
            }
        });
    }

    #[test]
    fn the_lowest_bit_of_the_mask_stands_for_sighup() {
        let status =
            |mask: &str| format!("Name:\tkkv\nSigBlk:\t0000000000000001\nSigIgn:\t{mask}\n");
        assert!(ignores_hang_up(&status("0000000000000001")));
        assert!(ignores_hang_up(&status("0000000000001001")));
        assert!(!ignores_hang_up(&status("0000000000001000")));
        assert!(!ignores_hang_up(&status("what?")));
        assert!(!ignores_hang_up(""));
    }
}
