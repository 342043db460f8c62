//! A SOCKS5 client of a few lines, to see Tor's own reply codes and to speak raw HTTP to an onion service.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// Longer than `tor` itself waits (`SocksTimeout`, two minutes), so that its answer is seen and not our impatience.
const READ_TIMEOUT: Duration = Duration::from_secs(150);

static ASKED: AtomicU32 = AtomicU32::new(0);

/// A stream to `host`:`port` through the SOCKS port `proxy`, or the reply code with which Tor refuses (RFC 1928 §6).
pub(crate) fn connect(proxy: SocketAddr, host: &str, port: u16) -> Result<TcpStream, u8> {
    dial(proxy, host, port).expect("Tor answers")
}

fn dial(proxy: SocketAddr, host: &str, port: u16) -> io::Result<Result<TcpStream, u8>> {
    let mut stream = TcpStream::connect(proxy)?;
    stream.set_read_timeout(Some(READ_TIMEOUT))?;
    // Version 5, one method: user name and password. They give each stream circuits of its own, as `kkvc` has them.
    exchange(&mut stream, &[5, 1, 2], [5, 2])?;
    let password = format!("{:010}", ASKED.fetch_add(1, Relaxed));
    let login = [b"\x01\x04test\x0a", password.as_bytes()].concat();
    exchange(&mut stream, &login, [1, 0])?;

    let mut request = vec![5, 1, 0, 3]; // connect to a name
    request.push(u8::try_from(host.len()).expect("a host name is short"));
    request.extend(host.as_bytes());
    request.extend(port.to_be_bytes());
    stream.write_all(&request)?;
    let mut answer = [0; 10]; // version, reply, reserved, type (IPv4), address, port
    stream.read_exact(&mut answer)?;
    let reply = answer[1];
    Ok(if reply == 0 { Ok(stream) } else { Err(reply) })
}

fn exchange(stream: &mut TcpStream, question: &[u8], wanted: [u8; 2]) -> io::Result<()> {
    stream.write_all(question)?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer)?;
    assert_eq!(answer, wanted, "what answers is a SOCKS port");
    Ok(())
}
