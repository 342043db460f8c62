//! A body in many pieces costs the relay its bytes, not a buffer for each piece.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use rustix::net::sockopt::set_socket_send_buffer_size;

use super::memory;
use crate::programs::{LIMIT, Relay};

/// Each is a packet of its own. Their sender's kernel keeps only a handful until they are read, so the relay reads them
/// in thousands of pieces.
const BYTES: usize = 12_000;
/// What they may take in all: a connection's buffers, and whatever the program does for the first time.
const MOST: memory::Kib = 512;

#[test]
fn a_body_in_small_pieces_costs_a_stranger_more_than_the_relay() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("relay.sock");
    let relay = Relay::start(&["--listen", &format!("unix:{}", path.display())]);
    let connect = || {
        let stream = UnixStream::connect(&path).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_write_timeout(Some(LIMIT)).unwrap();
        stream
    };
    let ask = |mut stream: UnixStream, bytes: usize| {
        set_socket_send_buffer_size(&stream, 1).unwrap(); // the least that the kernel allows
        let head = format!(
            "POST /msg HTTP/1.1\r\nhost: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\ncontent-type: application/json\r\ncontent-length: {bytes}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        for _ in 1..bytes {
            stream.write_all(b"7").unwrap();
        }
        stream
    };
    let finish = |mut stream: UnixStream| {
        stream.write_all(b"7").unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.1 400", "it was a body all the while");
    };
    finish(ask(connect(), 10)); // what is done once is done
    let before = memory::now(relay.process());
    let whole_but_one = ask(connect(), BYTES);
    let cost = memory::now(relay.process()).saturating_sub(before);
    assert!(cost < MOST, "{cost} KiB for {BYTES} bytes");
    finish(whole_but_one);
}
