//! The client's half of SOCKS5 (RFC 1928, RFC 1929), as much of it as asks Tor for an onion service.
//!
//! Written out because Tor's own reply codes ([`Refusal`]) say best why a service can't be reached, and libraries drop
//! them.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::dial::NoService;

/// SOCKS version 5, and version 1 of its user name and password.
const VERSION: u8 = 5;
const PASSWORD_VERSION: u8 = 1;
/// The one method that is offered. Were "none" offered too, a Tor with `PreferSOCKSNoAuth` would take it, and with it
/// the isolation away.
const METHOD_PASSWORD: u8 = 2;
const COMMAND_CONNECT: u8 = 1;
const RESERVED: u8 = 0;
/// Kinds of address: IPv4, name, IPv6.
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;
const GRANTED: u8 = 0;
const PORT_BYTES: usize = 2;

/// Why a SOCKS port gave no stream.
#[derive(Debug)]
pub enum SocksFault {
    /// It went away.
    Io(io::Error),
    /// It is none, or one that can't keep streams apart.
    NotTor(&'static str),
    /// It is one, and says no.
    Refused(Refusal),
}

/// A reply code other than "granted".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal(pub u8);

impl From<io::Error> for SocksFault {
    fn from(fault: io::Error) -> Self {
        Self::Io(fault)
    }
}

/// Turns `stream` into one to `host`:`port`. The name goes to the other end as it is; nothing looks it up here.
///
/// Tor gives streams with different `user` or `password` different circuits (`IsolateSOCKSAuth`, on by default).
///
/// # Errors
/// The other end goes away, is no Tor, or says no.
///
/// # Panics
/// `host`, `user` or `password` is longer than 255 bytes.
pub async fn connect(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    host: &str,
    port: u16,
    user: &str,
    password: &str,
) -> Result<(), SocksFault> {
    greet(stream).await?;
    let mut login = vec![PASSWORD_VERSION];
    push(&mut login, user);
    push(&mut login, password);
    stream.write_all(&login).await?;
    if read(stream).await? != [PASSWORD_VERSION, GRANTED] {
        return Err(SocksFault::NotTor("it wants a password of its own"));
    }

    let mut request = vec![VERSION, COMMAND_CONNECT, RESERVED, NAME];
    push(&mut request, host);
    request.extend(port.to_be_bytes());
    stream.write_all(&request).await?;
    let [version, reply, _, kind] = read(stream).await?;
    if version != VERSION {
        return Err(SocksFault::NotTor("its answer is not SOCKS version 5"));
    }
    if reply != GRANTED {
        return Err(SocksFault::Refused(Refusal(reply)));
    }
    // The address that it connects from means nothing in Tor, but stands before the first byte of the stream.
    let address_bytes = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => usize::from(read::<1>(stream).await?[0]),
        _ => {
            return Err(SocksFault::NotTor(
                "its answer has an unknown kind of address",
            ));
        }
    };
    let mut address = [0; u8::MAX as usize + PORT_BYTES];
    stream
        .read_exact(&mut address[..address_bytes + PORT_BYTES])
        .await?;
    Ok(())
}

/// The first question and its answer: whether that is a SOCKS port that can keep streams apart.
///
/// # Errors
/// The other end goes away, or is no Tor.
pub async fn greet(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<(), SocksFault> {
    stream.write_all(&[VERSION, 1, METHOD_PASSWORD]).await?;
    match read::<2>(stream).await? {
        [VERSION, METHOD_PASSWORD] => Ok(()),
        [VERSION, _] => Err(SocksFault::NotTor("it takes no user name and password")),
        _ => Err(SocksFault::NotTor("it doesn't speak SOCKS version 5")),
    }
}

async fn read<const N: usize>(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

/// Appends a length byte and `text`.
fn push(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(u8::try_from(text.len()).expect("our names are short"));
    bytes.extend(text.as_bytes());
}

impl Refusal {
    /// What Tor means by it: RFC 1928 §6, and from 0xF0 on Tor's own codes, which a `SocksPort` with `ExtendedErrors`
    /// gives (Tor Browser's does). Which of the first kind comes when was seen on a private network: see tests/tor.rs.
    #[must_use]
    pub fn meaning(self) -> Option<NoService> {
        Some(match self.0 {
            // Also when nothing listens behind the onion service, and mostly when its Tor has just stopped.
            0x01 | 0xf2 | 0xf7 => NoService::NoAnswer,
            0x02 => NoService::Other("this Tor's rules don't allow it"),
            0x03 => NoService::Other("this Tor has no network"),
            0x04 | 0xf0 => NoService::NotPublished,
            0x05 => NoService::NoInbox,
            0x06 => NoService::Other("it didn't answer in time, or this Tor isn't connected yet"),
            0xf1 => NoService::Other("what is published about it can't be read"),
            0xf3 => NoService::Other("it is published, but the way to it failed half way"),
            0xf4 | 0xf5 => NoService::Closed,
            0xf6 => NoService::Other("this Tor doesn't take the address"),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::duplex;

    const ASKED: &[u8] = b"\x05\x01\x02\x01\x03kkv\x02pw\x05\x01\x00\x03\x07x.onion\xb0\x0d";

    /// What `connect` says to a port that answers `answer` and then ends, and what it has asked by then.
    async fn ask(answer: &[u8]) -> (Result<Vec<u8>, SocksFault>, Vec<u8>) {
        let (mut near, mut far) = duplex(1024);
        far.write_all(answer).await.unwrap();
        let mut asked = Vec::new();
        let result = match connect(&mut near, "x.onion", 0xb00d, "kkv", "pw").await {
            Ok(()) => {
                let mut first = vec![0; answer.len()];
                let length = near.read(&mut first).await.unwrap();
                first.truncate(length);
                Ok(first)
            }
            Err(fault) => Err(fault),
        };
        drop(near);
        far.read_to_end(&mut asked).await.unwrap();
        (result, asked)
    }

    #[tokio::test]
    async fn the_stream_begins_right_behind_the_address() {
        for address in [
            &b"\x01\x00\x00\x00\x00\x00\x00"[..],
            b"\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
            b"\x03\x01a\x00\x00",
            b"\x03\x00\x00\x00",
        ] {
            let answer = [b"\x05\x02\x01\x00\x05\x00\x00", address, b"hello"].concat();
            let (result, asked) = ask(&answer).await;
            assert_eq!(result.unwrap(), b"hello", "{address:02x?}");
            assert_eq!(asked, ASKED);
        }
    }

    #[tokio::test]
    async fn every_refusal_of_tor_has_a_meaning() {
        for code in (1..=6).chain(0xf0..=0xf7) {
            let (result, _) = ask(&[5, 2, 1, 0, 5, code, 0, 1, 0, 0, 0, 0, 0, 0]).await;
            let Err(SocksFault::Refused(refusal)) = result else {
                panic!("{code:#x}: {result:?}");
            };
            assert_eq!(refusal, Refusal(code));
            assert!(refusal.meaning().is_some(), "{code:#x}");
        }
    }

    #[tokio::test]
    async fn nothing_is_asked_of_what_can_not_keep_streams_apart() {
        for answer in [
            &b"\x05\x00"[..],
            b"\x05\xff",
            b"HTTP/1.1 400 Bad Request\r\n",
        ] {
            let (result, asked) = ask(answer).await;
            assert!(matches!(result, Err(SocksFault::NotTor(_))), "{result:?}");
            assert_eq!(asked, ASKED[..3], "neither password nor address");
        }
    }
}
