//! The ways onto Tor behind one small interface: dial ([`Dial`]), accept ([`crate::http::Accept`]), and status
//! ([`TorState`]).
//!
//! Embedded: arti in this process (the crate `kkv-tor`). External: a separate Tor, which forwards its onion service to
//! our loopback port, and whose SOCKS port we dial through.

mod access;
mod dial;
mod external;
mod listen;
mod loopback;
pub mod own_address;
pub mod socks;
mod state;
mod target;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use access::{AccessKey, AccessSecret, ParseAccessError};
pub use dial::{Dial, DialError, NoService, retry};
pub use external::{SocksDialer, SocksProxy, SocksProxyError};
pub use listen::{BindError, Listen, LocalListener, ParseListenError};
pub use loopback::{LoopbackDialer, LoopbackListener};
pub use state::{TorState, TorTrouble};
pub use target::{ParseTargetError, Target, without_wrapping};

/// How a relay is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TorMode {
    /// The embedded Tor hosts an onion service.
    Embedded,
    /// A separate Tor forwards an onion service to the loopback port.
    External,
    /// From this machine only, without Tor.
    Off,
}

/// The error of parsing a [`TorMode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "there are 'embedded' (Tor inside), 'external' (a system Tor carries its onion service here) and 'off' (from this machine only)"
)]
pub struct ParseTorModeError;

impl FromStr for TorMode {
    type Err = ParseTorModeError;

    fn from_str(text: &str) -> Result<Self, ParseTorModeError> {
        match text {
            "embedded" => Ok(Self::Embedded),
            "external" => Ok(Self::External),
            "off" => Ok(Self::Off),
            _ => Err(ParseTorModeError),
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
