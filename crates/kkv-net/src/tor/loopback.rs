//! The loopback port: what a system Tor carries its onion service to, and what tests dial.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::{BindError, Dial, DialError};
use crate::http::{Accept, AllowedHosts};
use kkv_base::limits::{BACKLOG, SOCKET_BUFFER_BYTES};

/// Listens on a loopback address; on another one it can't be made.
#[derive(Debug)]
pub struct LoopbackListener {
    listener: TcpListener,
    address: SocketAddr,
}

impl LoopbackListener {
    /// Listens on `address`.
    ///
    /// # Errors
    /// The address is not loopback, in use, or not to be had.
    pub async fn bind(address: SocketAddr) -> Result<Self, BindError> {
        if !address.ip().is_loopback() {
            return Err(BindError::NotLoopback(address));
        }
        let listener = listen(address).map_err(|fault| match fault.kind() {
            io::ErrorKind::AddrInUse => BindError::InUse(address),
            _ => BindError::Io(address, fault),
        })?;
        // The port that was chosen, if 0 was asked for.
        let address = listener
            .local_addr()
            .map_err(|fault| BindError::Io(address, fault))?;
        Ok(Self { listener, address })
    }

    /// Where it listens: the port that was chosen, if 0 was asked for.
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
    socket.set_reuseaddr(true)?; // what the kernel remembers of old connections is no other program
    // Those that are accepted inherit both.
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
                    // Small answers, each waited for: Nagle would hold them back for 40 ms.
                    let _ = stream.set_nodelay(true);
                    return Some(stream);
                }
                // A visitor who is gone already, or no file descriptor left: in the latter case wait for connections to
                // end.
                Err(_) => tokio::time::sleep(kkv_base::limits::ACCEPT_PAUSE).await,
            }
        }
    }
}

/// The way to a relay on this machine, outside Tor.
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
    async fn the_kernel_lends_little_to_a_connection() {
        let (mut listener, address) = listening().await;
        let (dialled, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let _dialled = dialled.unwrap();
        let accepted = accepted.unwrap();
        // With its own books, the kernel says.
        let both = 2 * SOCKET_BUFFER_BYTES as usize;
        assert_eq!(socket_recv_buffer_size(&accepted).unwrap(), both);
        assert_eq!(socket_send_buffer_size(&accepted).unwrap(), both);
    }

    #[tokio::test]
    async fn a_crowd_can_wait_to_be_let_in() {
        let (_listener, address) = listening().await;
        for already in 0..BACKLOG {
            // Who has gone meanwhile waits all the same. Who finds no room any more is not answered, and asks again for
            // minutes.
            let connect = std::net::TcpStream::connect_timeout(&address, Duration::from_secs(30));
            assert!(
                connect.is_ok(),
                "no room beside {already}: {connect:?}; or does the kernel allow fewer (net.core.somaxconn)?"
            );
        }
    }
}
