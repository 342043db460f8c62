//! Which way onto Tor is taken: those of [`kkv_net::tor`], and the embedded Tor if it was built in.

use std::fmt;
use std::str::FromStr;

pub use kkv_net::tor::{
    AccessKey, AccessSecret, BindError, Dial, DialError, Listen, LocalListener, LoopbackDialer,
    LoopbackListener, NoService, ParseAccessError, ParseListenError, ParseTargetError,
    ParseTorModeError, SocksDialer, SocksProxy, SocksProxyError, Target, TorMode, TorState,
    TorTrouble, socks,
};
#[cfg(feature = "embedded-tor")]
pub use kkv_tor as embedded;

/// How a relay is reached unless told otherwise.
pub const DEFAULT_MODE: TorMode = if cfg!(feature = "embedded-tor") {
    TorMode::Embedded
} else {
    TorMode::External
};

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
    pub const DEFAULT: Self = if cfg!(feature = "embedded-tor") {
        Self::Embedded
    } else {
        Self::Socks(SocksProxy::SYSTEM)
    };
}

impl FromStr for TorWay {
    type Err = SocksProxyError;

    fn from_str(text: &str) -> Result<Self, SocksProxyError> {
        match text {
            "embedded" if cfg!(feature = "embedded-tor") => Ok(Self::Embedded),
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
