//! Which way onto Tor is taken: those of [`kkv_net::tor`], and the embedded Tor if it was built in.

pub(crate) use kkv_net::tor::{
    AccessKey, AccessSecret, BindError, Listen, LocalListener, ParseTargetError, ParseTorModeError,
    SocksProxyError, Target, TorMode, TorState, TorTrouble,
};
#[cfg(feature = "embedded-tor")]
pub(crate) use kkv_tor as embedded;
use kkv_ui::tor::HAS_EMBEDDED_TOR;
pub(crate) use kkv_ui::tor::TorWay;

/// How a relay is reached unless told otherwise.
pub(crate) const DEFAULT_MODE: TorMode = if HAS_EMBEDDED_TOR {
    TorMode::Embedded
} else {
    TorMode::External
};
