//! The circuits of clients: a bounded number, by [`Admission`].

use std::sync::{Arc, Mutex};

use kkv_base::limits::{
    CIRCUIT_IDLE, KEEP_ALIVE_TIMEOUT, LARGEST_BODY_TIMEOUT, MAX_BUSY_CIRCUITS, MAX_EMPTY_CIRCUITS,
    RENDEZVOUS_SPARED,
};
use kkv_net::admission::{Admission, Class, Permit};

/// The class of circuits that carry no stream.
const EMPTY: usize = 0;
/// The class of those that carry some. Each stream has time limits of its own in `http`, all shorter: the longest is
/// that of a large body, for which nothing is written until all of it has come.
const BUSY: usize = 1;

/// All circuits of clients.
#[derive(Debug, Clone)]
pub(crate) struct Circuits(Admission);

/// A circuit that has been admitted.
#[derive(Debug)]
pub(crate) struct Circuit {
    permit: Permit,
    /// How many streams it carries. Locked while the permit changes class, so that the two agree.
    streams: Mutex<usize>,
}

/// A stream of a circuit; counted until dropped.
#[derive(Debug)]
pub(crate) struct StreamGuard(Arc<Circuit>);

impl Circuits {
    pub(crate) fn new() -> Self {
        let empty = Class {
            capacity: MAX_EMPTY_CIRCUITS,
            idle_timeout: CIRCUIT_IDLE,
        };
        let busy = Class {
            capacity: MAX_BUSY_CIRCUITS,
            idle_timeout: KEEP_ALIVE_TIMEOUT + LARGEST_BODY_TIMEOUT,
        };
        Self(Admission::new(&[empty, busy]))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Admits a new circuit, and evicts the one that has been empty longest if there are too many. `None` while that
    /// one is younger than [`RENDEZVOUS_SPARED`]: evicting it would livelock, each newcomer ending a rendezvous that
    /// had no time to complete.
    pub(crate) fn admit(&self) -> Option<Arc<Circuit>> {
        let since = self.0.full_since(EMPTY);
        if since.is_some_and(|since| since.elapsed() < RENDEZVOUS_SPARED) {
            return None;
        }
        Some(Arc::new(Circuit {
            permit: self.0.admit(EMPTY),
            streams: Mutex::new(0),
        }))
    }
}

impl Circuit {
    /// Counts another stream.
    pub(crate) fn add_stream(self: &Arc<Self>) -> StreamGuard {
        let mut streams = kkv_base::lock(&self.streams);
        *streams += 1;
        // Opening streams is no progress: only a response touches a busy circuit.
        if self.permit.class() == EMPTY {
            self.permit.touch(BUSY);
        }
        StreamGuard(Arc::clone(self))
    }

    /// Waits until it is evicted.
    pub(crate) async fn evicted(&self) {
        self.permit.evicted().await;
    }
}

impl StreamGuard {
    /// A response was written on the stream.
    pub(crate) fn on_response(&self) {
        self.0.permit.touch(BUSY);
    }
}

impl Drop for StreamGuard {
    fn drop(&mut self) {
        let mut streams = kkv_base::lock(&self.0.streams);
        *streams -= 1;
        if *streams == 0 {
            self.0.permit.touch(EMPTY);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use tokio::time::{Instant, timeout};

    use super::*;

    fn admit(circuits: &Circuits) -> Arc<Circuit> {
        circuits.admit().expect("there is room")
    }

    async fn is_evicted(circuit: &Circuit) -> bool {
        timeout(Duration::ZERO, circuit.evicted()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn empty_circuits_evict_each_other_and_none_that_carries_a_stream() {
        let circuits = Circuits::new();
        let sender = admit(&circuits);
        let stream = sender.add_stream();
        let mut crowd: Vec<_> = (0..MAX_EMPTY_CIRCUITS).map(|_| admit(&circuits)).collect();
        assert!(circuits.admit().is_none(), "all are too young");
        tokio::time::advance(RENDEZVOUS_SPARED).await;
        crowd.push(admit(&circuits));
        assert!(!is_evicted(&sender).await);
        assert!(is_evicted(&crowd[0]).await);
        assert!(!is_evicted(&crowd[1]).await);
        drop(stream);
        assert!(is_evicted(&crowd[1]).await, "one more is empty");
    }

    #[tokio::test(start_paused = true)]
    async fn a_circuit_with_a_response_outlives_those_that_only_open_streams() {
        let circuits = Circuits::new();
        let sender = admit(&circuits);
        let stream = sender.add_stream();
        let idler = admit(&circuits);
        let held = idler.add_stream();
        stream.on_response();
        let again = idler.add_stream();
        let crowd: Vec<_> = (0..MAX_BUSY_CIRCUITS - 1)
            .map(|_| {
                let circuit = admit(&circuits);
                (circuit.add_stream(), circuit)
            })
            .collect();
        assert!(is_evicted(&idler).await);
        assert!(!is_evicted(&sender).await);
        drop((held, again, crowd));
        drop((stream, sender, idler));
        assert!(circuits.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_circuit_is_evicted_after_its_time_also_when_it_had_streams() {
        let circuits = Circuits::new();
        let circuit = admit(&circuits);
        let (first, second) = (circuit.add_stream(), circuit.add_stream());
        tokio::time::advance(CIRCUIT_IDLE).await;
        drop(first);
        assert!(!is_evicted(&circuit).await, "one is left");
        drop(second);
        let start = Instant::now();
        circuit.evicted().await;
        assert!(start.elapsed() >= CIRCUIT_IDLE);
        assert!(start.elapsed() < 2 * CIRCUIT_IDLE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_circuit_whose_last_stream_ends_in_another_task_is_evicted_in_time() {
        let circuits = Circuits::new();
        let circuit = admit(&circuits);
        let stream = circuit.add_stream();
        let serving = tokio::spawn(async move { circuit.evicted().await });
        tokio::time::advance(CIRCUIT_IDLE / 2).await;
        drop(stream);
        let start = Instant::now();
        serving.await.unwrap();
        let late = start.elapsed() - CIRCUIT_IDLE;
        assert!(late < Duration::from_millis(50), "{late:?}");
    }

    #[test]
    fn concurrent_changes_of_its_streams_leave_a_circuit_in_the_right_class() {
        let circuits = Circuits::new();
        let circuit = admit(&circuits);
        let streams = |check: &dyn Fn()| {
            for _ in 0..200_000 {
                let stream = circuit.add_stream();
                check();
                drop(stream);
            }
        };
        thread::scope(|scope| {
            scope.spawn(|| streams(&|| ()));
            streams(&|| assert_eq!(circuit.permit.class(), BUSY));
        });
        assert_eq!(circuit.permit.class(), EMPTY);
    }
}
