//! HTTP/1.1 as this project serves it: bounded, patient for so long and no longer, saying nothing about its clock or
//! its maker, and closed to browsers.
//!
//! Who comes is let in. When all places are taken, the connection that has got nowhere for the longest is ended for it:
//! see [`Room`].

mod gate;
mod room;
mod unread;
mod visit;

use std::future::Future;

use axum::Router;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

pub use gate::Names;
pub use room::Room;
use visit::Visit;

/// Where connections come from: a loopback port, the owner's socket, and whatever else can be spoken HTTP over.
pub trait Accept: Send + 'static {
    /// One connection.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// By which names it can be meant. Requests that name another are refused.
    fn names(&self) -> Names;

    /// Waits for the next connection. Faults of one connection stay inside; this goes on. None if there will never be
    /// another one.
    fn accept(&mut self) -> impl Future<Output = Option<Self::Stream>> + Send;
}

/// Nobody is let in any more, though nobody asked for that: whatever takes connections has panicked, or what brings
/// them is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended;

/// Serves `router` to everyone who comes through `listener`, as far as there is `room`, until dropped. It returns only
/// by a fault.
pub async fn serve(mut listener: impl Accept, router: Router, room: Room) -> Ended {
    let places = room.places();
    let names = listener.names();
    // In a task of its own, which takes its turn among the connections: what the runtime itself waits for is looked at
    // more often than they are, and would take in a crowd faster than those of it who have to leave can go.
    let mut accepting = JoinSet::new();
    accepting.spawn(async move {
        while let Some(stream) = listener.accept().await {
            tokio::spawn(Visit::new(&places, names).of(stream, router.clone()));
        }
    });
    accepting.join_next().await;
    Ended
}

/// Serves one connection to its end, as [`serve`] does each of those that its listener takes: for tests and fuzzing,
/// which have no listener. It has the `room` to itself, and came by one of the `names`.
pub async fn serve_connection<S>(stream: S, router: Router, room: Room, names: Names)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    Visit::new(&room.places(), names).of(stream, router).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails at once, in the one way or the other.
    struct Failing(bool);

    impl Accept for Failing {
        type Stream = tokio::io::DuplexStream;

        fn names(&self) -> Names {
            Names::Owner
        }

        async fn accept(&mut self) -> Option<Self::Stream> {
            assert!(!self.0, "as a fault would");
            None
        }
    }

    #[tokio::test]
    async fn that_nobody_is_let_in_any_more_is_told() {
        for panics in [true, false] {
            assert_eq!(
                serve(Failing(panics), Router::new(), Room::default()).await,
                Ended
            );
        }
    }
}
