//! Dialling through the embedded Tor.

use std::time::Duration;

use arti_client::{DataStream, ErrorKind, HasKind};
use tokio::time::{Instant, timeout_at};

use crate::embedded::EmbeddedTor;
use kkv_base::private::Private;
use kkv_net::tor::{Dial, DialError, NoService, TorState, TorTrouble, retry};
use kkv_protocol::onion::OnionAddress;

/// Dials one onion service through the embedded Tor.
#[derive(Debug)]
pub struct EmbeddedDialer<'t> {
    tor: &'t EmbeddedTor,
    host: Private<String>,
    port: u16,
    timeout: Duration,
}

impl EmbeddedTor {
    /// A dialer that tries to reach `address` for `timeout` after Tor is connected. Until then, each step of Tor's
    /// bootstrap may take as long.
    #[must_use]
    pub fn dialer(
        &self,
        address: OnionAddress,
        port: u16,
        timeout: Duration,
    ) -> EmbeddedDialer<'_> {
        EmbeddedDialer {
            tor: self,
            host: address.to_string().into(),
            port,
            timeout,
        }
    }

    /// Waits until it is connected, as long as its bootstrap advances within `timeout` each time.
    async fn connected(&self, timeout: Duration) -> Result<(), DialError> {
        let mut state = self.state();
        let mut furthest = 0;
        let mut end = Instant::now() + timeout;
        loop {
            let now = *state.borrow_and_update();
            match now {
                _ if now.is_connected() => return Ok(()),
                TorState::Connecting { percent, .. } if percent > furthest => {
                    furthest = percent;
                    end = Instant::now() + timeout;
                }
                _ => {}
            }
            match timeout_at(end, state.changed()).await {
                Ok(Ok(())) => {}
                _ => return Err(not_connected(now)),
            }
        }
    }
}

fn not_connected(state: TorState) -> DialError {
    DialError::NotConnected(state.trouble().unwrap_or(TorTrouble::Unreachable))
}

impl EmbeddedDialer<'_> {
    /// Dials on circuits that are isolated from all others.
    async fn dial_once(&self) -> Result<DataStream, DialError> {
        let mut current = self.tor.current.clone();
        let client = match current.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(client)) => client.isolated_client(),
            _ => return Err(not_connected(*self.tor.state().borrow())), // Tor is ending
        };
        // Boxed: the type is too deep for the compiler's recursion limit.
        Box::pin(client.connect((self.host.as_str(), self.port)))
            .await
            .map_err(|fault| reason(&fault))
    }
}

impl Dial for EmbeddedDialer<'_> {
    type Stream = DataStream;

    async fn dial(&self) -> Result<DataStream, DialError> {
        self.tor.connected(self.timeout).await?;
        retry(self.timeout, || self.dial_once()).await
    }
}

/// What arti's error kinds mean for an onion service. Observed on a private network: see tests/tor.rs.
fn reason(fault: &arti_client::Error) -> DialError {
    DialError::NoService(match fault.kind() {
        ErrorKind::OnionServiceNotFound => NoService::NotPublished,
        ErrorKind::OnionServiceMissingClientAuth | ErrorKind::OnionServiceWrongClientAuth => {
            NoService::Closed
        }
        ErrorKind::RemoteConnectionRefused | ErrorKind::RemoteStreamClosed => NoService::NoInbox,
        ErrorKind::OnionServiceNotRunning
        | ErrorKind::OnionServiceConnectionFailed
        | ErrorKind::RemoteNetworkTimeout
        | ErrorKind::RemoteNetworkFailed => NoService::NoAnswer,
        ErrorKind::OnionServiceProtocolViolation => {
            NoService::Other("what is published about it can't be used")
        }
        ErrorKind::TorNetworkTimeout | ErrorKind::TorAccessFailed | ErrorKind::CircuitCollapse => {
            NoService::Other("the way through Tor broke")
        }
        _ => NoService::Other("Tor failed to get there"),
    })
}
