//! How the Tor inside is doing, in words a person understands.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How far Tor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum TorState {
    /// On the way to the network.
    Connecting {
        /// How much of the way is behind it, of 100.
        percent: u8,
        /// What is in the way.
        trouble: Option<TorTrouble>,
    },
    /// It knows the network, and can't get there (any more).
    Lost {
        /// What is in the way.
        trouble: TorTrouble,
    },
    /// On the network. A sender needs no more.
    Connected,
    /// On the network; the onion address is being published.
    Publishing {
        /// What is in the way.
        trouble: Option<TorTrouble>,
    },
    /// The onion service is published and has points where visitors can ask for it.
    Reachable,
}

/// What keeps Tor from going on. It keeps trying all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum TorTrouble {
    /// No connection to anywhere.
    #[error("this machine seems to be offline")]
    Offline,
    /// Connections come about, and something between cuts them.
    #[error("something on the way seems to block Tor")]
    Blocked,
    /// Certificates or directories are not of this time.
    #[error("this machine's clock seems to be wrong")]
    Clock,
    /// Relays don't answer.
    #[error("Tor's relays don't answer")]
    Unreachable,
    /// Relays answer, and the directory can't be had.
    #[error("Tor's directory can't be had")]
    NoDirectory,
    /// The points where visitors can ask for it are gone, or it can't be published.
    #[error("the address can't be published at the moment")]
    Unpublished,
    /// Nothing more can be written where its files are.
    #[error("the disk with Tor's files is full")]
    DiskFull,
    /// Its files are gone, or can't be read or written.
    #[error("Tor's files can't be read or written")]
    Files,
    /// It can't be begun, for whatever other reason.
    #[error("Tor can't be started")]
    NotStarted,
}

impl TorState {
    /// What is in the way, if anything.
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
                "where Tor is blocked, a Tor with bridges helps: Tor Browser's, or the system's"
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
