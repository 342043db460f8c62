//! The state of the embedded Tor, in words for people.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How far Tor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum TorState {
    /// Bootstrapping.
    Connecting {
        /// Progress, 0 to 99.
        percent: u8,
        /// What hinders it.
        trouble: Option<TorTrouble>,
    },
    /// Bootstrapped, but without a connection to the network.
    Lost {
        /// What hinders it.
        trouble: TorTrouble,
    },
    /// On the network: all that a sender needs.
    Connected,
    /// On the network; the onion address is being published.
    Publishing {
        /// What hinders it.
        trouble: Option<TorTrouble>,
    },
    /// The onion service is published and has introduction points.
    Reachable,
}

/// What hinders Tor. It keeps trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum TorTrouble {
    /// No connection to anywhere.
    #[error("this machine seems to be offline")]
    Offline,
    /// TCP connections are made, and cut before they carry a channel.
    #[error("something on the way seems to block Tor")]
    Blocked,
    /// Certificates or the directory contradict the machine's clock.
    #[error("this machine's clock seems to be wrong")]
    Clock,
    /// Relays don't answer.
    #[error("Tor's relays don't answer")]
    Unreachable,
    /// Relays answer, and the directory can't be downloaded.
    #[error("Tor's directory can't be had")]
    NoDirectory,
    /// The service has no introduction points, or its descriptor can't be published.
    #[error("the address can't be published at the moment")]
    Unpublished,
    /// The disk with its files is full.
    #[error("the disk with Tor's files is full")]
    DiskFull,
    /// Its files are missing, or can't be read or written.
    #[error("Tor's files can't be read or written")]
    Files,
    /// It can't be started, for another reason.
    #[error("Tor can't be started")]
    NotStarted,
}

impl TorState {
    /// What hinders it, if anything.
    #[must_use]
    pub fn trouble(self) -> Option<TorTrouble> {
        match self {
            Self::Connecting { trouble, .. } | Self::Publishing { trouble } => trouble,
            Self::Lost { trouble } => Some(trouble),
            Self::Connected | Self::Reachable => None,
        }
    }

    /// Whether it is on the network.
    #[must_use]
    pub fn is_connected(self) -> bool {
        !matches!(self, Self::Connecting { .. } | Self::Lost { .. })
    }
}

impl TorTrouble {
    /// What a person can do about it.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Offline => "check the network",
            Self::Blocked | Self::Unreachable | Self::NoDirectory => {
                "where Tor is blocked, use one with bridges: Tor Browser's, or the system's (docs/guide/system-tor.md)"
            }
            Self::Clock => "check date, time and time zone",
            Self::Unpublished => "this passes by itself, mostly within a minute",
            Self::DiskFull => "make room on the disk with Tor's files (--state-dir)",
            Self::Files => {
                "see that the directory of Tor's files (--state-dir) is there, yours, and on a disk that can be written to"
            }
            Self::NotStarted => {
                "if it stays so, start it anew once your messages are read; it then says why"
            }
        }
    }
}

impl fmt::Display for TorState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connecting { percent, .. } => write!(f, "connecting ({percent} %)")?,
            Self::Lost { .. } => f.write_str("no connection")?,
            Self::Connected => f.write_str("connected")?,
            Self::Publishing { .. } => f.write_str("publishing the address")?,
            Self::Reachable => f.write_str("reachable")?,
        }
        match self.trouble() {
            Some(trouble) => write!(f, "; {trouble}, trying on"),
            None => Ok(()),
        }
    }
}
