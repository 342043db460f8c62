//! Where a relay listens on this machine: a loopback port, or a Unix socket that only a system Tor can reach.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use rustix::fs::Mode;
use serde::{Deserialize, Serialize};
use tokio::net::UnixStream;

use super::LoopbackListener;
use crate::http::{self, Accept, AcceptStopped, AllowedHosts, ConnectionLimits, Site};
use crate::unix_socket::{SocketError, UnixSocket};

/// An address to listen on that other machines can't reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Listen {
    /// A loopback port.
    Loopback(SocketAddr),
    /// A Unix socket, for its owner and the group of its directory.
    Unix(PathBuf),
}

/// The error of parsing a [`Listen`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseListenError {
    /// It has neither form.
    #[error("an address is written 127.0.0.1:45069 or unix:/PATH")]
    Shape,
    /// Other machines could connect.
    #[error(
        "only a loopback address (127.0.0.1, [::1]) can be listened on: on any other, people could come without Tor"
    )]
    NotLoopback,
}

impl FromStr for Listen {
    type Err = ParseListenError;

    fn from_str(text: &str) -> Result<Self, ParseListenError> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path);
            // The same path is in torrc, and Tor has another working directory.
            return if path.is_absolute() {
                Ok(Self::Unix(path))
            } else {
                Err(ParseListenError::Shape)
            };
        }
        let address: SocketAddr = text
            .replacen("localhost:", "127.0.0.1:", 1)
            .parse()
            .map_err(|_| ParseListenError::Shape)?;
        if text.contains('%') {
            Err(ParseListenError::Shape) // a scope id, which loopback addresses don't have
        } else if address.ip().is_loopback() {
            Ok(Self::Loopback(address))
        } else {
            Err(ParseListenError::NotLoopback)
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
    type Error = ParseListenError;

    fn try_from(text: String) -> Result<Self, ParseListenError> {
        text.parse()
    }
}

/// Why a listener can't be created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Other machines could reach it, without Tor.
    #[error("{0} is not a loopback address, so others could reach the inbox without Tor")]
    NotLoopback(SocketAddr),
    /// Another program has the port.
    #[error("{0} is in use by another program, perhaps another kkv")]
    InUse(SocketAddr),
    /// A system call failed.
    #[error("can't listen on {0}: {1}")]
    Io(SocketAddr, io::Error),
    /// The Unix socket can't be created.
    #[error(transparent)]
    Socket(#[from] SocketError),
}

/// A listener for connections from this machine, such as those that a system Tor forwards.
#[derive(Debug)]
pub enum LocalListener {
    /// On a loopback port.
    Loopback(LoopbackListener),
    /// On a Unix socket.
    Unix(UnixSocket, PathBuf),
}

impl LocalListener {
    /// Starts listening. A Unix socket gets mode 0660: its directory decides which group, and who may enter.
    ///
    /// # Errors
    /// See [`BindError`].
    pub async fn bind(listen: &Listen) -> Result<Self, BindError> {
        Ok(match listen {
            Listen::Loopback(address) => Self::Loopback(LoopbackListener::bind(*address).await?),
            Listen::Unix(path) => {
                let mode = Mode::from_raw_mode(0o660);
                Self::Unix(UnixSocket::bind(path, mode).await?, path.clone())
            }
        })
    }

    /// The address; for port 0 with the port that the kernel chose.
    #[must_use]
    pub fn listens(&self) -> Listen {
        match self {
            Self::Loopback(listener) => Listen::Loopback(listener.address()),
            Self::Unix(_, path) => Listen::Unix(path.clone()),
        }
    }

    /// As [`http::serve`].
    pub async fn serve(self, site: Site, limits: ConnectionLimits) -> AcceptStopped {
        match self {
            Self::Loopback(listener) => http::serve(listener, site, limits).await,
            Self::Unix(listener, _) => http::serve(listener, site, limits).await,
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
    fn only_addresses_of_this_machine_are_accepted() {
        for (text, want) in [
            ("127.0.0.1:45069", Ok("127.0.0.1:45069")),
            ("localhost:1", Ok("127.0.0.1:1")),
            ("[::1]:0", Ok("[::1]:0")),
            ("unix:/run/kkv/relay.sock", Ok("unix:/run/kkv/relay.sock")),
            ("unix:relay.sock", Err(ParseListenError::Shape)),
            ("unix:", Err(ParseListenError::Shape)),
            ("0.0.0.0:45069", Err(ParseListenError::NotLoopback)),
            ("127.0.0.1", Err(ParseListenError::Shape)),
            ("example.com:80", Err(ParseListenError::Shape)),
        ] {
            let got = text.parse::<Listen>().map(|listen| listen.to_string());
            assert_eq!(got, want.map(str::to_owned), "{text}");
        }
    }
}
