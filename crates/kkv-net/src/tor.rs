//! The ways onto Tor behind one small interface: dial ([`Dial`]), serve ([`crate::http::Accept`]), and how it is doing
//! ([`TorState`]).
//!
//! Embedded: arti in this process (the crate `kkv-tor`). External: a Tor beside us, that carries its onion service to
//! our loopback port, and whose SOCKS port is dialled through.

mod access;
mod dial;
mod external;
mod listen;
mod loopback;
pub mod socks;
mod state;
mod target;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use access::{AccessKey, AccessSecret, BadAccess};
pub use dial::{Dial, DialError, NoService, persist};
pub use external::{SocksDialer, SocksProxy, SocksProxyError};
pub use listen::{BadListen, BindError, Listen, LocalListener};
pub use loopback::{LoopbackDialer, LoopbackListener};
pub use state::{TorState, TorTrouble};
pub use target::{Target, TargetError};

/// How a relay is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TorMode {
    /// The Tor inside hosts an onion service.
    Embedded,
    /// A system Tor carries an onion service to the loopback port.
    External,
    /// From this machine only.
    Off,
}

/// A text that names no way of running Tor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "there are 'embedded' (Tor inside), 'external' (a system Tor carries its onion service here) and 'off' (from this machine only)"
)]
pub struct BadTorMode;

impl FromStr for TorMode {
    type Err = BadTorMode;

    fn from_str(text: &str) -> Result<Self, BadTorMode> {
        match text {
            "embedded" => Ok(Self::Embedded),
            "external" => Ok(Self::External),
            "off" => Ok(Self::Off),
            _ => Err(BadTorMode),
        }
    }
}

impl fmt::Display for TorMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embedded => "embedded",
            Self::External => "external",
            Self::Off => "off",
        })
    }
}
