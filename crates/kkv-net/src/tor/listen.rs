//! Where a relay listens on its own machine: a loopback port, or a Unix socket that only a system Tor can reach.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use axum::Router;
use rustix::fs::Mode;
use serde::{Deserialize, Serialize};
use tokio::net::UnixStream;

use super::LoopbackListener;
use crate::http::{self, Accept, AcceptStopped, AllowedHosts, ConnectionLimits};
use crate::unix_socket::{SocketError, UnixSocket};

/// A place to listen that can't be reached from other machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Listen {
    /// A loopback port.
    Loopback(SocketAddr),
    /// A Unix socket, for its owner and its directory's group.
    Unix(PathBuf),
}

/// A text that is no place to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadListen {
    /// Neither form.
    #[error("an address is written 127.0.0.1:45069 or unix:/PATH")]
    Shape,
    /// Others could connect.
    #[error(
        "only a loopback address (127.0.0.1, [::1]) can be listened on: on any other, people could come without Tor"
    )]
    NotLoopback,
}

impl FromStr for Listen {
    type Err = BadListen;

    fn from_str(text: &str) -> Result<Self, BadListen> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path);
            // Tor, which is told the same path, runs in another directory.
            return if path.is_absolute() {
                Ok(Self::Unix(path))
            } else {
                Err(BadListen::Shape)
            };
        }
        let address: SocketAddr = text
            .replacen("localhost:", "127.0.0.1:", 1)
            .parse()
            .map_err(|_| BadListen::Shape)?;
        if text.contains('%') {
            Err(BadListen::Shape) // an interface, as only addresses of other machines have one
        } else if address.ip().is_loopback() {
            Ok(Self::Loopback(address))
        } else {
            Err(BadListen::NotLoopback)
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loopback(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl From<Listen> for String {
    fn from(listen: Listen) -> Self {
        listen.to_string()
    }
}

impl TryFrom<String> for Listen {
    type Error = BadListen;

    fn try_from(text: String) -> Result<Self, BadListen> {
        text.parse()
    }
}

/// Why a listener can't be had.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Others than this machine could reach it, so a message could come in outside Tor.
    #[error("{0} is not a loopback address, so others could reach the inbox without Tor")]
    NotLoopback(SocketAddr),
    /// Another program has the port.
    #[error("{0} is in use by another program, perhaps another kkv")]
    InUse(SocketAddr),
    /// The kernel says no.
    #[error("can't listen on {0}: {1}")]
    Io(SocketAddr, io::Error),
    /// The Unix socket can't be had.
    #[error(transparent)]
    Socket(#[from] SocketError),
}

/// Listens for visitors that come from this machine, a system Tor's among them.
#[derive(Debug)]
pub enum LocalListener {
    /// On a loopback port.
    Loopback(LoopbackListener),
    /// On a Unix socket.
    Unix(UnixSocket, PathBuf),
}

impl LocalListener {
    /// Starts listening.
    ///
    /// A Unix socket has mode 0660: its directory says which group that is, and who may enter.
    ///
    /// # Errors
    /// In use, or not to be had.
    pub async fn bind(listen: &Listen) -> Result<Self, BindError> {
        Ok(match listen {
            Listen::Loopback(address) => Self::Loopback(LoopbackListener::bind(*address).await?),
            Listen::Unix(path) => {
                let mode = Mode::from_raw_mode(0o660);
                Self::Unix(UnixSocket::bind(path, mode).await?, path.clone())
            }
        })
    }

    /// Where it listens: the port that was chosen, if 0 was asked for.
    #[must_use]
    pub fn listens(&self) -> Listen {
        match self {
            Self::Loopback(listener) => Listen::Loopback(listener.address()),
            Self::Unix(_, path) => Listen::Unix(path.clone()),
        }
    }

    /// As [`http::serve`].
    pub async fn serve(self, router: Router, limits: ConnectionLimits) -> AcceptStopped {
        match self {
            Self::Loopback(listener) => http::serve(listener, router, limits).await,
            Self::Unix(listener, _) => http::serve(listener, router, limits).await,
        }
    }
}

impl Accept for UnixSocket {
    type Stream = UnixStream;

    fn allowed_hosts(&self) -> AllowedHosts {
        AllowedHosts::Onion
    }

    async fn accept(&mut self) -> Option<UnixStream> {
        Some(UnixSocket::accept(self).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_can_be_named() {
        for (text, want) in [
            ("127.0.0.1:45069", Ok("127.0.0.1:45069")),
            ("localhost:1", Ok("127.0.0.1:1")),
            ("[::1]:0", Ok("[::1]:0")),
            ("unix:/run/kkv/relay.sock", Ok("unix:/run/kkv/relay.sock")),
            ("unix:relay.sock", Err(BadListen::Shape)),
            ("unix:", Err(BadListen::Shape)),
            ("0.0.0.0:45069", Err(BadListen::NotLoopback)),
            ("127.0.0.1", Err(BadListen::Shape)),
            ("example.com:80", Err(BadListen::Shape)),
        ] {
            let got = text.parse::<Listen>().map(|listen| listen.to_string());
            assert_eq!(got, want.map(str::to_owned), "{text}");
        }
    }
}
