//! Dialling through the Tor inside.

use std::time::Duration;

use arti_client::{DataStream, ErrorKind, HasKind};
use tokio::time::{Instant, timeout_at};

use super::EmbeddedTor;
use kkv_base::private::Private;
use kkv_net::tor::{Dial, DialError, NoService, persist};
use kkv_net::tor::{TorState, TorTrouble};
use kkv_protocol::onion::OnionAddress;

/// The way to one onion service through the Tor inside.
#[derive(Debug)]
pub struct EmbeddedDialer<'t> {
    tor: &'t EmbeddedTor,
    host: Private<String>,
    port: u16,
    patience: Duration,
}

impl EmbeddedTor {
    /// A way to `address`, which is tried for `patience` from when Tor is connected; before that, each step of Tor's
    /// may take as long.
    #[must_use]
    pub fn dialer(
        &self,
        address: OnionAddress,
        port: u16,
        patience: Duration,
    ) -> EmbeddedDialer<'_> {
        EmbeddedDialer {
            tor: self,
            host: address.to_string().into(),
            port,
            patience,
        }
    }

    /// Waits until it is connected, as long as it gets nearer within `patience` each time.
    async fn connected(&self, patience: Duration) -> Result<(), DialError> {
        let mut state = self.state();
        let mut nearest = 0;
        let mut end = Instant::now() + patience;
        loop {
            let now = *state.borrow_and_update();
            match now {
                _ if now.is_connected() => return Ok(()),
                TorState::Connecting { percent, .. } if percent > nearest => {
                    nearest = percent;
                    end = Instant::now() + patience;
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
    /// Each attempt has circuits that it shares with nothing else.
    async fn dial_once(&self) -> Result<DataStream, DialError> {
        let mut present = self.tor.present.clone();
        let client = match present.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(client)) => client.isolated_client(),
            _ => return Err(not_connected(*self.tor.state.borrow())), // Tor is ending
        };
        // Boxed, as it is a future of futures beyond what the compiler follows.
        Box::pin(client.connect((self.host.as_str(), self.port)))
            .await
            .map_err(|fault| reason(&fault))
    }
}

impl Dial for EmbeddedDialer<'_> {
    type Stream = DataStream;

    async fn dial(&self) -> Result<DataStream, DialError> {
        self.tor.connected(self.patience).await?;
        persist(self.patience, || self.dial_once()).await
    }
}

/// What arti's error kinds say about an onion service. Which comes when was seen on a private network: see
/// tests/tor.rs.
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
