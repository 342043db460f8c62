//! A SOCKS port before another, which keeps what it is asked for: each name with its port.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What stands between a browser and Tor.
#[derive(Debug)]
pub(super) struct Lookout {
    pub(super) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Lookout {
    /// Before the SOCKS port `behind`.
    pub(super) fn before(behind: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let asked = Arc::new(Mutex::default());
        let kept = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                thread::spawn(move || carry(&stream, behind, &kept)); // who hangs up is no fault
            }
        });
        Self { address, asked }
    }

    /// What it was asked for since the last time.
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("no thread panics"))
    }
}

/// RFC 1928: a greeting with methods, the one that is chosen, and a request; then both sides talk.
fn carry(browser: &TcpStream, behind: SocketAddr, asked: &Mutex<Vec<String>>) -> io::Result<()> {
    let tor = TcpStream::connect(behind)?;
    let (mut from_browser, mut from_tor) = (browser, &tor);
    let mut greeting = vec![0; 2];
    from_browser.read_exact(&mut greeting)?;
    greeting.resize(2 + usize::from(greeting[1]), 0);
    from_browser.read_exact(&mut greeting[2..])?;
    (&tor).write_all(&greeting)?;
    let mut chosen = [0; 2];
    from_tor.read_exact(&mut chosen)?;
    (&*browser).write_all(&chosen)?;
    let mut request = vec![0; 5];
    from_browser.read_exact(&mut request)?;
    let rest = match request[3] {
        1 => 3 + 2,
        3 => usize::from(request[4]) + 2,
        _ => 15 + 2,
    };
    request.resize(5 + rest, 0);
    from_browser.read_exact(&mut request[5..])?;
    let (host, port) = request[5..].split_at(rest - 2);
    let port = u16::from_be_bytes([port[0], port[1]]);
    let name = match request[3] {
        3 => String::from_utf8_lossy(host).into_owned(),
        kind => format!("an address of kind {kind}, {} {host:?}", request[4]),
    };
    let mut kept = asked.lock().expect("no thread panics");
    kept.push(format!("{name}:{port}"));
    drop(kept);
    (&tor).write_all(&request)?;
    thread::scope(|scope| {
        scope.spawn(|| {
            _ = io::copy(&mut &*browser, &mut &tor);
            _ = tor.shutdown(Shutdown::Write);
        });
        _ = io::copy(&mut &tor, &mut &*browser);
        _ = browser.shutdown(Shutdown::Write);
    });
    Ok(())
}
