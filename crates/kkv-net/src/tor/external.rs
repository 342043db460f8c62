//! A separate Tor: dialling through its SOCKS port.

use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use data_encoding::HEXLOWER;
use rand::CryptoRng;
use tokio::net::TcpStream;
use tokio::time;

use super::dial::{Dial, DialError, retry};
use super::socks::{self, SocksError};
use kkv_base::limits::GREETING_TIMEOUT;
use kkv_base::private::Private;
use kkv_protocol::onion::OnionAddress;

/// The address of a Tor's SOCKS port, on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocksProxy(SocketAddr);

/// The error of parsing a [`SocksProxy`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SocksProxyError {
    /// Another scheme, or no port.
    #[error("a SOCKS port is written socks5://127.0.0.1:9050")]
    Shape,
    /// Not on this machine: connecting to it would bypass Tor.
    #[error(
        "the SOCKS port must be on this machine (127.0.0.1 or [::1]); the way to another one would not be through Tor"
    )]
    NotLoopback,
}

impl SocksProxy {
    /// The default of a Tor that runs as a system service.
    pub const SYSTEM: Self = Self(SocketAddr::new(
        std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        9050,
    ));

    /// Checks that a Tor listens there, connected or not. Makes no request.
    ///
    /// # Errors
    /// Nothing listens, or no SOCKS port with stream isolation.
    pub async fn probe(&self) -> Result<(), DialError> {
        let proxy = self.0;
        let negotiation = async {
            let mut stream = TcpStream::connect(proxy)
                .await
                .map_err(|fault| DialError::NoTor { proxy, fault })?;
            let negotiated = socks::negotiate(&mut stream).await;
            negotiated.map_err(|fault| socks_fault(proxy, fault))
        };
        let silent = || DialError::NotTor {
            proxy,
            fault: "it says nothing".to_owned(),
        };
        time::timeout(GREETING_TIMEOUT, negotiation)
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

/// Dials one onion service through a SOCKS port.
#[derive(Debug)]
pub struct SocksDialer {
    proxy: SocksProxy,
    host: Private<String>,
    port: u16,
    timeout: Duration,
    /// Prefix of the SOCKS password. Tor never puts streams with different passwords on one circuit
    /// (`IsolateSOCKSAuth`, on by default), so no relay can link two messages to one sender.
    isolation: Private<String>,
    /// Number of attempts, the rest of the password: each gets a new circuit, since that of the last one failed or
    /// broke.
    attempts: AtomicU32,
}

impl SocksDialer {
    /// A dialer on isolated circuits (16 bytes are drawn), which tries for `timeout`.
    pub fn new(
        proxy: SocksProxy,
        address: OnionAddress,
        port: u16,
        timeout: Duration,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let mut token = [0; 16];
        rng.fill_bytes(&mut token);
        Self {
            proxy,
            host: address.to_string().into(),
            port,
            timeout,
            isolation: HEXLOWER.encode(&token).into(),
            attempts: AtomicU32::new(0),
        }
    }

    async fn dial_once(&self) -> Result<TcpStream, DialError> {
        let proxy = self.proxy.0;
        let mut stream = TcpStream::connect(proxy)
            .await
            .map_err(|fault| DialError::NoTor { proxy, fault })?;
        let _ = stream.set_nodelay(true);
        let password = format!(
            "{}-{}",
            *self.isolation,
            self.attempts.fetch_add(1, Relaxed)
        );
        socks::connect(&mut stream, &self.host, self.port, "kkv", &password)
            .await
            .map_err(|fault| socks_fault(proxy, fault))?;
        Ok(stream)
    }
}

impl Dial for SocksDialer {
    type Stream = TcpStream;

    async fn dial(&self) -> Result<TcpStream, DialError> {
        retry(self.timeout, || self.dial_once()).await
    }
}

fn socks_fault(proxy: SocketAddr, fault: SocksError) -> DialError {
    let fault = match fault {
        SocksError::Refused(reply) => match reply.meaning() {
            Some(meaning) => return DialError::NoService(meaning),
            None => format!("it refuses with code {}", reply.0),
        },
        SocksError::NotTor(fault) => fault.to_owned(),
        SocksError::Io(fault) => fault.to_string(),
    };
    DialError::NotTor { proxy, fault }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kkv_protocol::ids::ServiceKey;

    #[test]
    fn only_a_socks_port_on_this_machine_is_accepted() {
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
