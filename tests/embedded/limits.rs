//! One visitor can't have the relay to itself.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use kkv_base::limits::{DEFAULT_PORT, MAX_STREAMS_PER_CIRCUIT};

use super::stage::{Stage, must_have_arrived};
use crate::programs::LIMIT;

pub(crate) fn a_circuit_with_too_many_streams_is_closed_and_no_other(stage: &Stage) {
    let open = || stream(stage.socks, &stage.embedded.onion);
    let mut streams: Vec<_> = (0..MAX_STREAMS_PER_CIRCUIT)
        .map(|number| open().unwrap_or_else(|code| panic!("number {number}: code {code}")))
        .collect();
    for stream in &mut streams {
        stream.write_all(b"G").expect("it is open");
    }
    // As long as there are no more, all go on, and others come in.
    let sent = stage.send(&stage.embedded.onion, &[], "beside eight streams");
    sent.finish().must_end_with(0);
    must_have_arrived(&stage.embedded.relay, "beside eight streams");
    for stream in &mut streams {
        let rest = b"ET /status HTTP/1.1\r\nhost: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\n\r\n";
        stream.write_all(rest).expect("it is still open");
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("it is answered");
        assert_eq!(byte, *b"H");
    }

    // The visitor's tor puts it on the same circuit, which the relay then closes; what tor makes of that is its own
    // affair.
    drop(open());
    for mut stream in streams {
        let mut rest = Vec::new();
        // However it is closed; that it stays open would be over the time limit.
        match stream.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(fault) => assert_ne!(fault.kind(), std::io::ErrorKind::WouldBlock, "it is open"),
        }
    }
    let sent = stage.send(&stage.embedded.onion, &[], "after a circuit was closed");
    sent.finish().must_end_with(0);
    must_have_arrived(&stage.embedded.relay, "after a circuit was closed");
}

/// Through a SOCKS port, without a password: on the circuit of all others that have none (RFC 1928). The error is tor's
/// reply code.
fn stream(socks: SocketAddr, onion: &str) -> Result<TcpStream, u8> {
    let mut stream = TcpStream::connect(socks).expect("tor listens");
    stream.set_read_timeout(Some(LIMIT)).expect("it is a time");
    let host = onion.as_bytes();
    let length = u8::try_from(host.len()).expect("62 characters");
    let port = DEFAULT_PORT.to_be_bytes();
    let ask = [&[5, 1, 0, 5, 1, 0, 3, length], host, &port].concat();
    stream.write_all(&ask).expect("tor reads");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).expect("tor answers");
    match answer[3] {
        0 => Ok(stream),
        code => Err(code),
    }
}
