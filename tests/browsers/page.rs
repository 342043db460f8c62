//! The attacker's side: a web server with the page, and a SOCKS proxy that stands for the network with its names.
//! Whoever the browser wants to talk to beyond this machine, it meets the proxy, which lets it go nowhere.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How long a browser may take for anything, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(240);

/// What the attacker's server says where it has nothing to say.
const NOT_YET: &str = "not yet";

/// The name that comes to mean the relay.
pub(crate) const REBOUND: &str = "rebound.example";

/// Where a page reports once its own name is the relay's.
const REPORTS: &str = "report.example";

/// The attacker's server and proxy.
#[derive(Debug)]
pub(crate) struct Attacker {
    shared: Arc<Shared>,
    pub(crate) server: SocketAddr,
    pub(crate) proxy: SocketAddr,
    reports: Receiver<String>,
}

#[derive(Debug)]
struct Shared {
    relay: SocketAddr,
    /// Whether [`REBOUND`] means the relay already.
    rebound: AtomicBool,
    pages: Mutex<Vec<(String, String)>>,
    reports: Mutex<Sender<String>>,
}

impl Attacker {
    /// One that is after this relay.
    pub(crate) fn new(relay: SocketAddr) -> Self {
        let (sender, reports) = channel();
        let shared = Arc::new(Shared {
            relay,
            rebound: AtomicBool::new(false),
            pages: Mutex::default(),
            reports: Mutex::new(sender),
        });
        Self {
            server: listen(&shared, Shared::serve),
            proxy: listen(&shared, Shared::carry),
            shared,
            reports,
        }
    }

    /// Serves this at `path`.
    pub(crate) fn serves(&self, path: &str, page: String) {
        let mut pages = self.shared.pages.lock().expect("no thread panics");
        pages.push((path.to_owned(), page));
    }

    /// From now on the name means the relay.
    pub(crate) fn rebind(&self) {
        self.shared.rebound.store(true, Ordering::SeqCst);
    }

    /// Waits for a report that begins so, and returns its rest. Others that come before it are forgotten.
    pub(crate) fn report(&self, beginning: &str) -> String {
        loop {
            let report = self.reports.recv_timeout(PATIENCE);
            let report = report.unwrap_or_else(|_| panic!("no report: {beginning}"));
            if let Some(rest) = report.strip_prefix(beginning) {
                return rest.to_owned();
            }
        }
    }
}

/// Has `each` connection to a new port handled by a thread of its own.
fn listen(shared: &Arc<Shared>, each: fn(&Shared, TcpStream) -> io::Result<()>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it is bound");
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let shared = Arc::clone(&shared);
            thread::spawn(move || each(&shared, stream)); // a browser that hangs up is no fault
        }
    });
    address
}

impl Shared {
    /// Answers one request.
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut length = 0;
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
                break;
            }
            let header = header.to_ascii_lowercase();
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let path = line.split(' ').nth(1).unwrap_or("");
        let page = {
            let pages = self.pages.lock().expect("no thread panics");
            let page = pages.iter().find(|(at, _)| at == path);
            page.map_or(NOT_YET.to_owned(), |(_, page)| page.clone())
        };
        let kind = match path {
            _ if path.ends_with(".js") => "text/javascript",
            _ if page == NOT_YET => "text/plain",
            _ => "text/html",
        };
        let mut stream = stream;
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             Connection: close\r\n\r\n{page}",
            page.len()
        )?;
        if line.starts_with("POST ") {
            let report = String::from_utf8_lossy(&body).into_owned();
            let report = if path == "/report" {
                report
            } else {
                format!("{path} {report}")
            };
            let _ = self.reports.lock().expect("no thread panics").send(report);
        }
        Ok(())
    }

    /// Carries one connection to where its name leads (RFC 1928).
    fn carry(&self, mut browser: TcpStream) -> io::Result<()> {
        let mut greeting = [0; 2];
        browser.read_exact(&mut greeting)?;
        browser.read_exact(&mut vec![0; greeting[1].into()])?;
        browser.write_all(&[5, 0])?; // no authentication
        let mut request = [0; 4];
        browser.read_exact(&mut request)?;
        if request[3] != 3 {
            return browser.write_all(&[5, 8, 0, 1, 0, 0, 0, 0, 0, 0]); // names only
        }
        let mut length = [0];
        browser.read_exact(&mut length)?;
        let mut name = vec![0; usize::from(length[0]) + 2];
        browser.read_exact(&mut name)?;
        let name = String::from_utf8_lossy(&name[..name.len() - 2]).into_owned();
        let to_relay = name == REBOUND && self.rebound.load(Ordering::SeqCst);
        if name != REBOUND && name != REPORTS {
            return browser.write_all(&[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]); // not allowed
        }
        browser.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
        if !to_relay {
            return self.serve(browser);
        }
        let relay = TcpStream::connect(self.relay)?;
        let (mut from, mut to) = (browser.try_clone()?, relay.try_clone()?);
        thread::spawn(move || io::copy(&mut from, &mut to));
        io::copy(&mut { relay }, &mut browser)?;
        Ok(())
    }
}
