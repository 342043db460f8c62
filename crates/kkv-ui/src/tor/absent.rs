//! Stands for the embedded Tor in a build without it (without the feature `embedded-tor`): it can't be started.

use std::time::Duration;

use kkv_net::tor::{Dial, DialError, TorState};
use kkv_protocol::onion::OnionAddress;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::TorOptions;
use crate::error::CliError;

/// What is said of whatever needs the embedded Tor, and what `follows` from that it isn't there.
#[must_use]
pub fn without_embedded_tor(program: &str, follows: &str) -> CliError {
    let what = format!("this {program} was built without Tor inside{follows}");
    CliError::usage(what).hint(match program {
        "kkv" => "Use a system Tor with --tor external: see torrc.example.",
        _ => "Use a system Tor: --tor socks5://127.0.0.1:9050 names its SOCKS port.",
    })
}

/// There is none.
#[derive(Debug)]
pub enum SenderTor {}

/// Nor a way through it.
#[derive(Debug)]
pub enum NoDialer {}

impl SenderTor {
    /// Refuses.
    ///
    /// # Errors
    /// Always.
    pub async fn start(_: &TorOptions, _: OnionAddress) -> Result<Self, CliError> {
        Err(without_embedded_tor("kkvc", ""))
    }

    /// Never called.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<TorState> {
        match *self {}
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub fn must_lead_to(&self, _: OnionAddress) -> Result<(), CliError> {
        match *self {}
    }

    /// Never called.
    #[must_use]
    pub fn dialer(&self, _: OnionAddress, _: u16, _: Duration) -> NoDialer {
        match *self {}
    }
}

impl Dial for NoDialer {
    type Stream = TcpStream;

    async fn dial(&self) -> Result<TcpStream, DialError> {
        match *self {}
    }
}
