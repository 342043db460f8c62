//! The ways onto Tor behind one small interface: dial, serve, progress.
//!
//! External for now: a system Tor that carries its onion service to our loopback port, and a SOCKS port to dial through. Whatever comes
//! next implements [`Dial`] and [`crate::http::Accept`].

mod dial;
mod loopback;
mod socks;
mod target;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use dial::{Dial, DialError, Dialer, SocksProxy, SocksProxyError};
pub use loopback::{BindError, LoopbackListener};
pub use target::{Target, TargetError};

/// How a relay is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TorMode {
    /// A system Tor carries an onion service to the loopback port.
    External,
    /// From this machine only.
    Off,
}

/// A text that names no way of running Tor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "there are 'external' (a system Tor carries its onion service here) and 'off' (from this machine only)"
)]
pub struct BadTorMode;

impl FromStr for TorMode {
    type Err = BadTorMode;

    fn from_str(text: &str) -> Result<Self, BadTorMode> {
        match text {
            "external" => Ok(Self::External),
            "off" => Ok(Self::Off),
            _ => Err(BadTorMode),
        }
    }
}

impl fmt::Display for TorMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::External => "external",
            Self::Off => "off",
        })
    }
}
