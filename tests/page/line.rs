//! A line that can be cut or can hang, between a browser and a relay: a SOCKS5 proxy, as Tor's, with one target.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What becomes of the line when so many bytes have passed to the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Connections end, and new ones end at once.
    Cut,
    /// Nothing passes.
    Hangs,
}

#[derive(Debug)]
pub(super) struct Line {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    mended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    planned: Option<(u64, Fault)>,
    /// The planned one has come.
    struck: Option<Fault>,
    passed: u64,
    open: Vec<TcpStream>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while the line hangs. Whether these bytes may pass.
    fn pass(&self, bytes: usize) -> bool {
        let mut state = self.state();
        state.passed += bytes as u64;
        if let Some((after, fault)) = state.planned
            && state.passed > after
        {
            (state.planned, state.struck) = (None, Some(fault));
            if fault == Fault::Cut {
                for open in state.open.drain(..) {
                    _ = open.shutdown(Shutdown::Both);
                }
            }
        }
        while state.struck == Some(Fault::Hangs) {
            state = self
                .mended
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.struck.is_none()
    }
}

impl Line {
    pub(super) fn to(relay: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("it has one").port();
        let shared = Arc::new(Shared::default());
        let lines = Arc::clone(&shared);
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let shared = Arc::clone(&lines);
                thread::spawn(move || _ = serve(near, relay, &shared));
            }
        });
        Self { port, shared }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Has it go wrong when so many more bytes have passed to the relay.
    pub(super) fn fails_after(&self, bytes: u64, fault: Fault) {
        let mut state = self.shared.state();
        state.planned = Some((state.passed + bytes, fault));
    }

    /// Whether what was planned has come.
    pub(super) fn has_failed(&self) -> bool {
        self.shared.state().struck.is_some()
    }

    pub(super) fn mend(&self) {
        self.shared.state().struck = None;
        self.shared.mended.notify_all();
    }

    /// Bytes that came to be passed to the relay.
    pub(super) fn passed(&self) -> u64 {
        self.shared.state().passed
    }
}

/// No authentication, one command: to connect, to whatever (RFC 1928).
fn serve(mut near: TcpStream, relay: SocketAddr, shared: &Shared) -> std::io::Result<()> {
    let mut greeting = [0; 2];
    near.read_exact(&mut greeting)?;
    near.read_exact(&mut vec![0; greeting[1].into()])?;
    near.write_all(&[5, 0])?;
    let mut request = [0; 5];
    near.read_exact(&mut request)?;
    let rest = match request[3] {
        1 => 3 + 2,
        4 => 15 + 2,
        _ => usize::from(request[4]) + 2,
    };
    near.read_exact(&mut vec![0; rest])?;
    near.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    if shared.state().struck == Some(Fault::Cut) {
        return Ok(());
    }
    let mut far = TcpStream::connect(relay)?;
    let both = [near.try_clone()?, far.try_clone()?];
    shared.state().open.extend(both);
    let (mut from, mut to) = (far.try_clone()?, near.try_clone()?);
    thread::spawn(move || {
        _ = std::io::copy(&mut from, &mut to);
        _ = to.shutdown(Shutdown::Both);
    });
    let mut bytes = [0; 4096];
    loop {
        let read = near.read(&mut bytes)?;
        if read == 0 || !shared.pass(read) {
            return far.shutdown(Shutdown::Both);
        }
        far.write_all(&bytes[..read])?;
    }
}
