//! Questions to a guest's `tor` over its control socket.
#![allow(dead_code, reason = "a library to tests/tor and tests/embedded")]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::programs::comes_to;

/// `tor` answers at once; this is for a machine that is very busy.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);

/// A control connection on which `commands` have been given; `guest` is the directory of its `tor`.
fn connect(guest: &Path, commands: &str) -> UnixStream {
    let mut control = UnixStream::connect(guest.join("control")).expect("its control socket");
    control
        .set_read_timeout(Some(ANSWERS_WITHIN))
        .expect("a timeout above zero");
    write!(control, "AUTHENTICATE\r\n{commands}\r\n").expect("tor reads");
    control
}

/// All that `tor` answers to `commands`.
fn ask(guest: &Path, commands: &str) -> String {
    let mut control = connect(guest, &format!("{commands}\r\nQUIT"));
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

/// Events that are looked at before something is delivered again.
const EVENTS: usize = 200;

/// Has `deliver` done, and checks that the circuit for `purpose` over which that went has a congestion window: `tor`
/// tells of one only where both ends have agreed on it.
pub(crate) fn must_control_congestion(guest: &Path, purpose: &str, mut deliver: impl FnMut()) {
    let control = connect(guest, "SETEVENTS CIRC CIRC_MINOR CIRC_BW");
    let wait = Some(Duration::from_secs(2)); // what was carried is told each second
    control.set_read_timeout(wait).expect("above zero");
    let (mut control, mut circuits) = (BufReader::new(control), BTreeSet::new());
    let purpose = format!("PURPOSE={purpose}");
    let carried = comes_to(|| {
        deliver(); // again, if its circuit was closed before it was told of
        for _ in 0..EVENTS {
            let mut event = String::new();
            let _ = control.read_line(&mut event);
            let words: Vec<&str> = event.split_whitespace().collect();
            match words[..] {
                ["650", "CIRC" | "CIRC_MINOR", id, ..] if words.contains(&purpose.as_str()) => {
                    circuits.insert(format!("ID={id}"));
                }
                ["650", "CIRC_BW", id, ..] if circuits.contains(id) => return Ok(event.clone()),
                [] => break,
                _ => {}
            }
        }
        Err(format!("nothing was carried by {purpose}"))
    });
    assert!(carried.contains(" CWND="), "{carried}");
}
