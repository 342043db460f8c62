//! A relay's owner's socket in a test, where what is said is counted.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kkv_relay::owner::stage::Stage;
use tokio::net::UnixStream;
use tokio_util::io::InspectWriter;

use kkv_net::http::{Accept, AcceptStopped, AllowedHosts, ConnectionLimits, serve};
use kkv_relay::owner::{OwnerListener, router};

/// A place for an owner's socket. It counts what is said there.
pub(crate) struct Socket {
    directory: tempfile::TempDir,
    said: Arc<AtomicU64>,
}

impl Socket {
    /// For who asks this relay; to be served by the future.
    pub(crate) async fn of(
        stage: &Arc<Stage>,
    ) -> (Self, impl Future<Output = AcceptStopped> + use<>) {
        let socket = Self {
            directory: tempfile::tempdir().unwrap(),
            said: Arc::default(),
        };
        let listener = OwnerListener::bind(&socket.path()).await.unwrap();
        let listener = Listener(listener, Arc::clone(&socket.said));
        let serving = serve(
            listener,
            router(stage.clone()),
            ConnectionLimits::for_owner(),
        );
        (socket, serving)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("kkv.sock")
    }

    /// Bytes that whoever asked was told.
    pub(crate) fn bytes(&self) -> u64 {
        self.said.load(Ordering::Relaxed)
    }
}

struct Listener(OwnerListener, Arc<AtomicU64>);

impl Accept for Listener {
    type Stream = InspectWriter<UnixStream, Box<dyn FnMut(&[u8]) + Send>>;

    fn allowed_hosts(&self) -> AllowedHosts {
        self.0.allowed_hosts()
    }

    async fn accept(&mut self) -> Option<Self::Stream> {
        let (stream, said) = (self.0.accept().await?, Arc::clone(&self.1));
        let count = move |bytes: &[u8]| {
            said.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        };
        Some(InspectWriter::new(stream, Box::new(count)))
    }
}
