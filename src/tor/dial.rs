//! Dialling an inbox: through a Tor's SOCKS port (RFC 1928), or a loopback address as it is.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use rand::CryptoRng;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::Target;
use super::socks::{self, SocksFault};

/// A way to reach an inbox.
pub trait Dial: Sync {
    /// One connection.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Connects to `target`. May take long; the caller sets the limit.
    fn dial(&self, target: &Target)
    -> impl Future<Output = Result<Self::Stream, DialError>> + Send;
}

/// Why no connection came about. Nothing was sent then.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// Nothing answers at the SOCKS port.
    #[error("no Tor answers at {proxy}: {fault}")]
    NoTor {
        /// The SOCKS port.
        proxy: SocketAddr,
        /// What the kernel says.
        fault: io::Error,
    },
    /// What answers there is no Tor, or one that may not connect.
    #[error("what answers at {proxy} doesn't behave like Tor's SOCKS port: {fault}")]
    NotTor {
        /// The SOCKS port.
        proxy: SocketAddr,
        /// What is wrong with it.
        fault: String,
    },
    /// Tor can't find or reach the onion service.
    #[error("Tor can't find or reach this onion service: {0}")]
    NoService(&'static str),
    /// Nothing answers at the loopback address.
    #[error("nothing answers at {address}: {fault}")]
    NoRelay {
        /// The loopback address.
        address: SocketAddr,
        /// What the kernel says.
        fault: io::Error,
    },
    /// It took too long. Tor keeps its clients waiting for two minutes while it isn't connected itself, and when an introduction point has
    /// not noticed yet that the service is gone.
    #[error("no connection within {} seconds; the inbox may just have gone, or this Tor isn't connected yet", crate::limits::DIAL_TIMEOUT.as_secs())]
    TimedOut,
}

/// A Tor's SOCKS port on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocksProxy(SocketAddr);

/// A text that is no SOCKS port on this machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SocksProxyError {
    /// Another scheme, or no port.
    #[error("a SOCKS port is written socks5://127.0.0.1:9050")]
    Shape,
    /// Not on this machine: the way to it would not be through Tor.
    #[error(
        "the SOCKS port must be on this machine (127.0.0.1 or [::1]); the way to another one would not be through Tor"
    )]
    NotLoopback,
}

impl SocksProxy {
    /// Where a Tor listens that was installed as a system service.
    pub const SYSTEM: Self = Self(SocketAddr::new(
        std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        9050,
    ));
}

impl FromStr for SocksProxy {
    type Err = SocksProxyError;

    fn from_str(text: &str) -> Result<Self, SocksProxyError> {
        let rest = text
            .strip_prefix("socks5://")
            .or_else(|| text.strip_prefix("socks5h://"))
            .ok_or(SocksProxyError::Shape)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let rest = rest.replacen("localhost:", "127.0.0.1:", 1);
        let address: SocketAddr = rest.parse().map_err(|_| SocksProxyError::Shape)?;
        if !address.ip().is_loopback() {
            return Err(SocksProxyError::NotLoopback);
        }
        Ok(Self(address))
    }
}

impl std::fmt::Display for SocksProxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "socks5://{}", self.0)
    }
}

/// Dials onion addresses through a SOCKS port and loopback addresses directly.
#[derive(Debug)]
pub struct Dialer {
    proxy: SocksProxy,
    /// SOCKS password. Tor never puts streams with different ones on one circuit (`IsolateSOCKSAuth`, on by default), so that no relay on
    /// the way can tell that two messages have one sender.
    isolation: String,
}

impl Dialer {
    /// A dialer whose circuits are shared with no other (16 bytes are drawn).
    pub fn new(proxy: SocksProxy, rng: &mut impl CryptoRng) -> Self {
        let mut token = [0; 16];
        rng.fill_bytes(&mut token);
        Self {
            proxy,
            isolation: HEXLOWER.encode(&token),
        }
    }

    async fn dial_onion(&self, host: &str, port: u16) -> Result<TcpStream, DialError> {
        let proxy = self.proxy.0;
        let mut stream = TcpStream::connect(proxy)
            .await
            .map_err(|fault| DialError::NoTor { proxy, fault })?;
        let _ = stream.set_nodelay(true);
        socks::connect(&mut stream, host, port, "kkv", &self.isolation)
            .await
            .map_err(|fault| socks_fault(proxy, fault))?;
        Ok(stream)
    }
}

impl Dial for Dialer {
    type Stream = TcpStream;

    async fn dial(&self, target: &Target) -> Result<TcpStream, DialError> {
        match *target {
            Target::Onion { address, port } => self.dial_onion(&address.to_string(), port).await,
            Target::Loopback(address) => {
                let stream = TcpStream::connect(address)
                    .await
                    .map_err(|fault| DialError::NoRelay { address, fault })?;
                let _ = stream.set_nodelay(true);
                Ok(stream)
            }
        }
    }
}

fn socks_fault(proxy: SocketAddr, fault: SocksFault) -> DialError {
    let fault = match fault {
        SocksFault::Refused(refusal) => match refusal.meaning() {
            Some(meaning) => return DialError::NoService(meaning),
            None => format!("it refuses with code {}", refusal.0),
        },
        SocksFault::NotTor(fault) => fault.to_owned(),
        SocksFault::Io(fault) => fault.to_string(),
    };
    DialError::NotTor { proxy, fault }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_socks_port_on_this_machine_is_taken() {
        use SocksProxyError::{NotLoopback, Shape};
        for (text, want) in [
            ("socks5://127.0.0.1:9050", Ok("socks5://127.0.0.1:9050")),
            ("socks5h://localhost:9150/", Ok("socks5://127.0.0.1:9150")),
            ("socks5://[::1]:9050", Ok("socks5://[::1]:9050")),
            ("socks5://10.0.0.1:9050", Err(NotLoopback)),
            ("socks5://example.com:9050", Err(Shape)),
            ("socks4://127.0.0.1:9050", Err(Shape)),
            ("127.0.0.1:9050", Err(Shape)),
            ("socks5://127.0.0.1", Err(Shape)),
            ("", Err(Shape)),
        ] {
            let got = text.parse::<SocksProxy>().map(|p| p.to_string());
            assert_eq!(got, want.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn two_dialers_share_no_circuit() {
        let rng = &mut rand::rng();
        let one = Dialer::new(SocksProxy::SYSTEM, rng);
        assert_ne!(
            one.isolation,
            Dialer::new(SocksProxy::SYSTEM, rng).isolation
        );
    }
}
