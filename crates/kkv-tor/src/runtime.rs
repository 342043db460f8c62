//! arti's runtime: threads of its own, and monitored connections.

use arti_client::TorClient;
use tor_rtcompat::CompoundRuntime;
use tor_rtcompat::tls::RustlsProvider;
use tor_rtcompat::tokio::TokioRustlsRuntime;

use crate::error::StartError;
use crate::network::{Monitored, Network};
use kkv_base::limits::SHUTDOWN_TIMEOUT;

/// An instance computes little.
const THREADS: usize = 2;

type Runtime = CompoundRuntime<
    TokioRustlsRuntime,
    TokioRustlsRuntime,
    TokioRustlsRuntime,
    Monitored<TokioRustlsRuntime>,
    TokioRustlsRuntime,
    RustlsProvider,
    TokioRustlsRuntime,
>;
pub(crate) type Client = TorClient<Runtime>;

/// The threads of one instance, for arti's tasks and ours. Dropping it ends all of them. Asking arti to shut down is
/// not enough: some of its tasks sleep until a time of day, and hold its files meanwhile.
pub(crate) struct Threads(Option<tokio::runtime::Runtime>);

impl Threads {
    pub(crate) fn start() -> Result<(Self, TokioRustlsRuntime), StartError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("tor")
            .enable_all()
            .build()
            .map_err(StartError::new)?;
        let context = runtime.enter();
        let handle = TokioRustlsRuntime::current().map_err(StartError::new);
        drop(context);
        Ok((Self(Some(runtime)), handle?))
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.0 {
            runtime.spawn(task);
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let Some(runtime) = self.0.take() else { return };
        // On another thread, because tokio forbids blocking in a task. Joined, because nothing may write into a
        // directory that is being removed.
        let shutdown = std::thread::spawn(move || runtime.shutdown_timeout(SHUTDOWN_TIMEOUT));
        let _ = shutdown.join();
    }
}

/// `plain`, with connections that `network` monitors.
pub(crate) fn monitored(plain: &TokioRustlsRuntime, network: &Network) -> Runtime {
    let tcp = Monitored {
        inner: plain.clone(),
        network: network.clone(),
    };
    let [spawn, sleep, clock, unix, udp] = std::array::from_fn(|_| plain.clone());
    CompoundRuntime::new(
        spawn,
        sleep,
        clock,
        tcp,
        unix,
        RustlsProvider::default(),
        udp,
    )
}
