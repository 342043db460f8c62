//! The loopback port: what a system Tor forwards its onion service to, and what tests dial.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::{BindError, Dial, DialError};
use crate::http::{Accept, AllowedHosts};
use kkv_base::limits::{BACKLOG, SOCKET_BUFFER_BYTES};

/// A listener on a loopback address. It can't be created on any other.
#[derive(Debug)]
pub struct LoopbackListener {
    listener: TcpListener,
    address: SocketAddr,
}

impl LoopbackListener {
    /// Listens on `address`.
    ///
    /// # Errors
    /// The address is not loopback, is in use, or can't be bound.
    pub async fn bind(address: SocketAddr) -> Result<Self, BindError> {
        if !address.ip().is_loopback() {
            return Err(BindError::NotLoopback(address));
        }
        let listener = listen(address).map_err(|fault| match fault.kind() {
            io::ErrorKind::AddrInUse => BindError::InUse(address),
            _ => BindError::Io(address, fault),
        })?;
        // With the port that the kernel chose, if 0 was requested.
        let address = listener
            .local_addr()
            .map_err(|fault| BindError::Io(address, fault))?;
        Ok(Self { listener, address })
    }

    /// The address; for port 0 with the port that the kernel chose.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?; // connections in TIME_WAIT are no reason to fail
    // Accepted sockets inherit both.
    socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES)?;
    socket.set_send_buffer_size(SOCKET_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl Accept for LoopbackListener {
    type Stream = TcpStream;

    fn allowed_hosts(&self) -> AllowedHosts {
        AllowedHosts::Loopback(self.address)
    }

    async fn accept(&mut self) -> Option<TcpStream> {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    // Nagle's algorithm would delay small responses by 40 ms.
                    let _ = stream.set_nodelay(true);
                    return Some(stream);
                }
                // The client is gone already, or there is no file descriptor left. The latter needs a pause.
                Err(_) => tokio::time::sleep(kkv_base::limits::ACCEPT_PAUSE).await,
            }
        }
    }
}

/// Dials a relay on this machine, without Tor.
#[derive(Debug)]
pub struct LoopbackDialer(pub SocketAddr);

impl Dial for LoopbackDialer {
    type Stream = TcpStream;

    async fn dial(&self) -> Result<TcpStream, DialError> {
        let address = self.0;
        let stream = TcpStream::connect(address)
            .await
            .map_err(|fault| DialError::NoRelay { address, fault })?;
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustix::net::sockopt::{socket_recv_buffer_size, socket_send_buffer_size};

    use super::*;

    async fn listening() -> (LoopbackListener, SocketAddr) {
        let any = "127.0.0.1:0".parse().unwrap();
        let listener = LoopbackListener::bind(any).await.unwrap();
        let address = listener.address();
        (listener, address)
    }

    #[tokio::test]
    async fn only_loopback_can_be_listened_on() {
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "10.0.0.1:45069"] {
            let refused = LoopbackListener::bind(address.parse().unwrap()).await;
            assert!(
                matches!(refused, Err(BindError::NotLoopback(_))),
                "{address}"
            );
        }
        let (_listener, address) = listening().await;
        let again = LoopbackListener::bind(address).await;
        assert!(matches!(again, Err(BindError::InUse(_))));
    }

    #[tokio::test]
    async fn a_connection_gets_small_kernel_buffers() {
        let (mut listener, address) = listening().await;
        let (dialled, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let _dialled = dialled.unwrap();
        let accepted = accepted.unwrap();
        // The kernel reports the doubled value (socket(7)).
        let both = 2 * SOCKET_BUFFER_BYTES as usize;
        assert_eq!(socket_recv_buffer_size(&accepted).unwrap(), both);
        assert_eq!(socket_send_buffer_size(&accepted).unwrap(), both);
    }

    #[tokio::test]
    async fn the_backlog_holds_a_crowd() {
        let (_listener, address) = listening().await;
        for already in 0..BACKLOG {
            // A closed connection stays in the backlog. Beyond it a SYN is dropped, and repeated for minutes.
            let connect = std::net::TcpStream::connect_timeout(&address, Duration::from_secs(30));
            assert!(
                connect.is_ok(),
                "no room beside {already}: {connect:?}; or does the kernel allow fewer (net.core.somaxconn)?"
            );
        }
    }
}
