//! Questions to a client's `tor` over its control socket.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// `tor` answers at once; this is for a machine that is very busy.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);

/// All that `tor` answers to `commands`; `guest` is its directory.
fn ask(guest: &Path, commands: &str) -> String {
    let mut control = UnixStream::connect(guest.join("control")).expect("its control socket");
    control
        .set_read_timeout(Some(ANSWERS_WITHIN))
        .expect("a timeout above zero");
    write!(control, "AUTHENTICATE\r\n{commands}\r\nQUIT\r\n").expect("tor reads");
    let mut answer = String::new();
    control.read_to_string(&mut answer).expect("tor answers");
    answer
}

/// A second SOCKS port beside `first`, with Tor's own reply codes, as Tor Browser has it.
pub(crate) fn extended_errors(guest: &Path, first: SocketAddr) -> SocketAddr {
    let answer = ask(
        guest,
        "SETCONF SocksPort=\"127.0.0.1:auto\" SocksPort=\"127.0.0.1:auto ExtendedErrors\"\r\n\
         GETINFO net/listeners/socks",
    );
    answer
        .split(['"', ' '])
        .filter_map(|word| word.parse().ok())
        .find(|port| *port != first)
        .unwrap_or_else(|| panic!("no second port in {answer}"))
}

/// The SOCKS password of each circuit that this client has joined to an onion service's.
pub(crate) fn passwords_of_rendezvous(guest: &Path) -> Vec<String> {
    ask(guest, "GETINFO circuit-status")
        .lines()
        .filter(|circuit| circuit.contains("HS_STATE=HSCR_JOINED"))
        .map(|circuit| {
            let (_, rest) = circuit
                .split_once("SOCKS_PASSWORD=\"")
                .unwrap_or_else(|| panic!("a circuit without password: {circuit}"));
            rest.split('"').next().unwrap_or_default().to_owned()
        })
        .collect()
}
