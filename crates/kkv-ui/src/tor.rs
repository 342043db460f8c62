//! How a message gets onto Tor, and the embedded Tor, if it was built in.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use kkv_net::tor::{SocksProxy, SocksProxyError};

#[cfg(not(feature = "embedded-tor"))]
mod absent;
#[cfg(feature = "embedded-tor")]
mod embedded;

#[cfg(not(feature = "embedded-tor"))]
pub use absent::{SenderTor, without_embedded_tor};
#[cfg(feature = "embedded-tor")]
pub use embedded::SenderTor;

/// Whether there is an embedded Tor.
pub const HAS_EMBEDDED_TOR: bool = cfg!(feature = "embedded-tor");

/// How a sender gets onto Tor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TorWay {
    /// The embedded Tor.
    Embedded,
    /// Through a Tor beside us.
    Socks(SocksProxy),
}

impl TorWay {
    /// What is done unless told otherwise.
    pub const DEFAULT: Self = if HAS_EMBEDDED_TOR {
        Self::Embedded
    } else {
        Self::Socks(SocksProxy::SYSTEM)
    };
}

impl FromStr for TorWay {
    type Err = SocksProxyError;

    fn from_str(text: &str) -> Result<Self, SocksProxyError> {
        match text {
            "embedded" if HAS_EMBEDDED_TOR => Ok(Self::Embedded),
            _ => text.parse().map(Self::Socks),
        }
    }
}

impl fmt::Display for TorWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            Self::Socks(proxy) => proxy.fmt(f),
        }
    }
}

/// What the embedded Tor starts with, as far as anybody has said.
#[derive(Debug, Clone, Default)]
pub struct TorOptions {
    /// The directory for its files.
    pub state_dir: Option<PathBuf>,
    /// A file with settings, as arti writes them.
    pub settings: Option<PathBuf>,
    /// A file with the key to a closed inbox.
    pub key: Option<PathBuf>,
}
