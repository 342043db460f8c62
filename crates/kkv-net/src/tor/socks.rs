//! The client side of SOCKS5 (RFC 1928, RFC 1929), as far as Tor needs it for an onion service.
//!
//! Our own, because Tor's extended reply codes ([`Reply`]) tell best why a service can't be reached, and the libraries
//! that we looked at drop them.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::dial::NoService;

/// SOCKS version 5, and version 1 of its username/password subnegotiation.
const VERSION: u8 = 5;
const PASSWORD_VERSION: u8 = 1;
/// The only method offered: username/password. If "no authentication" were offered, too, a Tor with `PreferSOCKSNoAuth`
/// would choose it, and circuits would not be isolated.
const METHOD_PASSWORD: u8 = 2;
const COMMAND_CONNECT: u8 = 1;
const RESERVED: u8 = 0;
/// Address types.
const IPV4: u8 = 1;
const DOMAIN_NAME: u8 = 3;
const IPV6: u8 = 4;
const SUCCEEDED: u8 = 0;
const PORT_BYTES: usize = 2;

/// Why a SOCKS port opened no stream.
#[derive(Debug)]
#[non_exhaustive]
pub enum SocksError {
    /// The connection broke.
    Io(io::Error),
    /// It is no SOCKS port, or one without stream isolation.
    NotTor(&'static str),
    /// The request failed.
    Refused(Reply),
}

/// The REP field of a reply (RFC 1928 §6), other than "succeeded".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply(pub u8);

impl From<io::Error> for SocksError {
    fn from(fault: io::Error) -> Self {
        Self::Io(fault)
    }
}

/// Has the proxy connect `stream` to `host`:`port`. The proxy resolves the name; nothing here does.
///
/// Tor puts streams with different `user` or `password` on different circuits (`IsolateSOCKSAuth`, on by default).
///
/// # Errors
/// The connection breaks, the peer is no Tor, or the request fails.
///
/// # Panics
/// `host`, `user` or `password` is longer than 255 bytes.
pub async fn connect(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    host: &str,
    port: u16,
    user: &str,
    password: &str,
) -> Result<(), SocksError> {
    negotiate(stream).await?;
    let mut login = vec![PASSWORD_VERSION];
    push(&mut login, user);
    push(&mut login, password);
    stream.write_all(&login).await?;
    if read(stream).await? != [PASSWORD_VERSION, SUCCEEDED] {
        return Err(SocksError::NotTor("it wants a password of its own"));
    }

    let mut request = vec![VERSION, COMMAND_CONNECT, RESERVED, DOMAIN_NAME];
    push(&mut request, host);
    request.extend(port.to_be_bytes());
    stream.write_all(&request).await?;
    let [version, reply, _, kind] = read(stream).await?;
    if version != VERSION {
        return Err(SocksError::NotTor("its answer is not SOCKS version 5"));
    }
    if reply != SUCCEEDED {
        return Err(SocksError::Refused(Reply(reply)));
    }
    // The bound address, which means nothing in Tor, comes before the first byte of the stream.
    let address_bytes = match kind {
        IPV4 => 4,
        IPV6 => 16,
        DOMAIN_NAME => usize::from(read::<1>(stream).await?[0]),
        _ => {
            return Err(SocksError::NotTor(
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

/// Negotiates the method (RFC 1928 §3): whether the peer is a SOCKS port with stream isolation.
///
/// # Errors
/// The connection breaks, or the peer is no Tor.
pub async fn negotiate(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> Result<(), SocksError> {
    stream.write_all(&[VERSION, 1, METHOD_PASSWORD]).await?;
    match read::<2>(stream).await? {
        [VERSION, METHOD_PASSWORD] => Ok(()),
        [VERSION, _] => Err(SocksError::NotTor("it takes no user name and password")),
        _ => Err(SocksError::NotTor("it doesn't speak SOCKS version 5")),
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

impl Reply {
    /// What it means for an onion service: codes of RFC 1928 §6, and from 0xF0 on those of a `SocksPort` with
    /// `ExtendedErrors`, such as Tor Browser's. When Tor sends which of the former was observed on a private network:
    /// see tests/tor.rs.
    #[must_use]
    pub fn meaning(self) -> Option<NoService> {
        Some(match self.0 {
            // Also if nothing listens behind the onion service, and mostly if its Tor has just stopped.
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

    /// The result of `connect` with a peer that sends `answer` and closes, and what the peer has received.
    async fn ask(answer: &[u8]) -> (Result<Vec<u8>, SocksError>, Vec<u8>) {
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
    async fn the_stream_starts_right_after_the_address() {
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
    async fn every_reply_code_of_tor_has_a_meaning() {
        for code in (1..=6).chain(0xf0..=0xf7) {
            let (result, _) = ask(&[5, 2, 1, 0, 5, code, 0, 1, 0, 0, 0, 0, 0, 0]).await;
            let Err(SocksError::Refused(reply)) = result else {
                panic!("{code:#x}: {result:?}");
            };
            assert_eq!(reply, Reply(code));
            assert!(reply.meaning().is_some(), "{code:#x}");
        }
    }

    #[tokio::test]
    async fn nothing_is_requested_without_stream_isolation() {
        for answer in [
            &b"\x05\x00"[..],
            b"\x05\xff",
            b"HTTP/1.1 400 Bad Request\r\n",
        ] {
            let (result, asked) = ask(answer).await;
            assert!(matches!(result, Err(SocksError::NotTor(_))), "{result:?}");
            assert_eq!(asked, ASKED[..3], "neither password nor address");
        }
    }
}
