//! Which way onto Tor is taken: those of [`kkv_net::tor`], and the embedded Tor if it was built in.

pub use kkv_net::tor::{
    AccessKey, AccessSecret, Dial, DialError, Listen, LocalListener, NoService, SocksDialer,
    SocksProxy, Target, TorMode, TorState, TorTrouble, socks,
};
pub(crate) use kkv_net::tor::{BindError, ParseTargetError, ParseTorModeError, SocksProxyError};
#[cfg(feature = "embedded-tor")]
pub use kkv_tor as embedded;
use kkv_ui::tor::HAS_EMBEDDED_TOR;
pub use kkv_ui::tor::TorWay;

/// How a relay is reached unless told otherwise.
pub(crate) const DEFAULT_MODE: TorMode = if HAS_EMBEDDED_TOR {
    TorMode::Embedded
} else {
    TorMode::External
};
