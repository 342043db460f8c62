//! A Tor that runs beside us: dialling through its SOCKS port.

use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use data_encoding::HEXLOWER;
use rand::CryptoRng;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::dial::{Dial, DialError, persist};
use super::socks::{self, SocksFault};
use kkv_base::limits::GREETING_TIMEOUT;
use kkv_base::private::Private;
use kkv_protocol::onion::OnionAddress;

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

    /// Whether a Tor is there, connected or not. Nothing is asked of it.
    ///
    /// # Errors
    /// Nobody answers, or no SOCKS port that can keep streams apart.
    pub async fn probe(&self) -> Result<(), DialError> {
        let proxy = self.0;
        let greeting = async {
            let mut stream = TcpStream::connect(proxy)
                .await
                .map_err(|fault| DialError::NoTor { proxy, fault })?;
            let greeted = socks::greet(&mut stream).await;
            greeted.map_err(|fault| socks_fault(proxy, fault))
        };
        let silent = || DialError::NotTor {
            proxy,
            fault: "it says nothing".to_owned(),
        };
        timeout(GREETING_TIMEOUT, greeting)
            .await
            .unwrap_or_else(|_| Err(silent()))
    }
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

/// The way to one onion service through a SOCKS port.
#[derive(Debug)]
pub struct SocksDialer {
    proxy: SocksProxy,
    host: Private<String>,
    port: u16,
    patience: Duration,
    /// Start of the SOCKS password. Tor never puts streams with different ones on one circuit (`IsolateSOCKSAuth`, on
    /// by default), so that no relay on the way can tell that two messages have one sender.
    isolation: Private<String>,
    /// Connections asked for; its number makes each a circuit of its own, as the one before led nowhere or broke.
    asked: AtomicU32,
}

impl SocksDialer {
    /// A way whose circuits are shared with no other (16 bytes are drawn). It is tried for `patience`.
    pub fn new(
        proxy: SocksProxy,
        address: OnionAddress,
        port: u16,
        patience: Duration,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let mut token = [0; 16];
        rng.fill_bytes(&mut token);
        Self {
            proxy,
            host: address.to_string().into(),
            port,
            patience,
            isolation: HEXLOWER.encode(&token).into(),
            asked: AtomicU32::new(0),
        }
    }

    async fn dial_once(&self) -> Result<TcpStream, DialError> {
        let proxy = self.proxy.0;
        let mut stream = TcpStream::connect(proxy)
            .await
            .map_err(|fault| DialError::NoTor { proxy, fault })?;
        let _ = stream.set_nodelay(true);
        let password = format!("{}-{}", *self.isolation, self.asked.fetch_add(1, Relaxed));
        socks::connect(&mut stream, &self.host, self.port, "kkv", &password)
            .await
            .map_err(|fault| socks_fault(proxy, fault))?;
        Ok(stream)
    }
}

impl Dial for SocksDialer {
    type Stream = TcpStream;

    async fn dial(&self) -> Result<TcpStream, DialError> {
        persist(self.patience, || self.dial_once()).await
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
    use kkv_protocol::ids::ServiceKey;

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
        let new = || {
            let address = OnionAddress::from_public_key(ServiceKey([9; 32]));
            let rng = &mut rand::rng();
            SocksDialer::new(SocksProxy::SYSTEM, address, 1, Duration::ZERO, rng)
        };
        assert_ne!(new().isolation, new().isolation);
    }
}
