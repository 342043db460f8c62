//! The circuits of visitors, with places for so many: one that has got nowhere for the longest leaves for who comes.

use std::sync::{Arc, Mutex};

use kkv_base::limits::{
    ANSWERED_TIMEOUT, CIRCUIT_IDLE, HEAD_TIMEOUT, MAX_BUSY_CIRCUITS, MAX_EMPTY_CIRCUITS,
    RENDEZVOUS_SPARED,
};
use kkv_net::places::{Place, Places, Row};

/// Carries no stream.
const EMPTY: usize = 0;
/// Carries some. They have their own time limits in `http`, all shorter.
const BUSY: usize = 1;

/// All circuits.
#[derive(Debug, Clone)]
pub(super) struct Circuits(Places);

/// One of them.
#[derive(Debug)]
pub(super) struct Circuit {
    place: Place,
    /// Streams that it carries. Whoever changes their number moves it, and nobody else comes in between.
    streams: Mutex<usize>,
}

/// That a circuit carries a stream, as long as this value lives.
#[derive(Debug)]
pub(super) struct Busy(Arc<Circuit>);

impl Circuits {
    pub(super) fn new() -> Self {
        let empty = Row {
            places: MAX_EMPTY_CIRCUITS,
            patience: CIRCUIT_IDLE,
        };
        let busy = Row {
            places: MAX_BUSY_CIRCUITS,
            patience: ANSWERED_TIMEOUT + HEAD_TIMEOUT,
        };
        Self(Places::new(&[empty, busy]))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A place for one that comes. None if so many come that each would push out one that has not had time for its
    /// rendezvous: all would be begun, which is work, and none would come about.
    pub(super) fn enter(&self) -> Option<Arc<Circuit>> {
        let since = self.0.full_since(EMPTY);
        if since.is_some_and(|since| since.elapsed() < RENDEZVOUS_SPARED) {
            return None;
        }
        Some(Arc::new(Circuit {
            place: self.0.enter(EMPTY),
            streams: Mutex::new(0),
        }))
    }
}

impl Circuit {
    /// It carries another stream.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        let mut streams = kkv_base::lock(&self.streams);
        *streams += 1;
        // Asking for streams is no progress: who has had no answer keeps its turn.
        if self.place.row() == EMPTY {
            self.place.moves_to(BUSY);
        }
        Busy(Arc::clone(self))
    }

    /// Waits until it has to go.
    pub(super) async fn lost(&self) {
        self.place.lost().await;
    }
}

impl Busy {
    /// Something was answered on it.
    pub(super) fn answers(&self) {
        self.0.place.moves_to(BUSY);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut streams = kkv_base::lock(&self.0.streams);
        *streams -= 1;
        if *streams == 0 {
            self.0.place.moves_to(EMPTY);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use tokio::time::{Instant, timeout};

    use super::*;

    fn enter(circuits: &Circuits) -> Arc<Circuit> {
        circuits.enter().expect("there is room")
    }

    async fn is_lost(circuit: &Circuit) -> bool {
        timeout(Duration::ZERO, circuit.lost()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn empty_circuits_push_out_each_other_and_none_that_carries_a_stream() {
        let circuits = Circuits::new();
        let sender = enter(&circuits);
        let stream = sender.busy();
        let mut crowd: Vec<_> = (0..MAX_EMPTY_CIRCUITS).map(|_| enter(&circuits)).collect();
        assert!(circuits.enter().is_none(), "all have just come");
        tokio::time::advance(RENDEZVOUS_SPARED).await;
        crowd.push(enter(&circuits));
        assert!(!is_lost(&sender).await);
        assert!(is_lost(&crowd[0]).await);
        assert!(!is_lost(&crowd[1]).await);
        drop(stream);
        assert!(is_lost(&crowd[1]).await, "one more is empty");
    }

    #[tokio::test(start_paused = true)]
    async fn a_circuit_that_is_answered_outlives_those_that_only_open_streams() {
        let circuits = Circuits::new();
        let sender = enter(&circuits);
        let stream = sender.busy();
        let idler = enter(&circuits);
        let held = idler.busy();
        stream.answers();
        let again = idler.busy();
        let crowd: Vec<_> = (0..MAX_BUSY_CIRCUITS - 1)
            .map(|_| {
                let circuit = enter(&circuits);
                (circuit.busy(), circuit)
            })
            .collect();
        assert!(is_lost(&idler).await);
        assert!(!is_lost(&sender).await);
        drop((held, again, crowd));
        drop((stream, sender, idler));
        assert!(circuits.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_circuit_without_a_stream_goes_after_its_time_also_when_it_had_one() {
        let circuits = Circuits::new();
        let circuit = enter(&circuits);
        let (first, second) = (circuit.busy(), circuit.busy());
        tokio::time::advance(CIRCUIT_IDLE).await;
        drop(first);
        assert!(!is_lost(&circuit).await, "one is left");
        drop(second);
        let start = Instant::now();
        circuit.lost().await;
        assert!(start.elapsed() >= CIRCUIT_IDLE);
        assert!(start.elapsed() < 2 * CIRCUIT_IDLE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_circuit_whose_last_stream_ends_elsewhere_goes_after_its_time_and_not_later() {
        let circuits = Circuits::new();
        let circuit = enter(&circuits);
        let stream = circuit.busy();
        let serving = tokio::spawn(async move { circuit.lost().await });
        tokio::time::advance(CIRCUIT_IDLE / 2).await;
        drop(stream);
        let start = Instant::now();
        serving.await.unwrap();
        let late = start.elapsed() - CIRCUIT_IDLE;
        assert!(late < Duration::from_millis(50), "{late:?}");
    }

    #[test]
    fn a_circuit_whose_streams_change_at_once_stands_where_they_leave_it() {
        let circuits = Circuits::new();
        let circuit = enter(&circuits);
        let streams = |look: &dyn Fn()| {
            for _ in 0..200_000 {
                let stream = circuit.busy();
                look();
                drop(stream);
            }
        };
        thread::scope(|scope| {
            scope.spawn(|| streams(&|| ()));
            streams(&|| assert_eq!(circuit.place.row(), BUSY));
        });
        assert_eq!(circuit.place.row(), EMPTY);
    }
}
