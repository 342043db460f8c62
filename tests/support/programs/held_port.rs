//! A TCP port at which nobody listens, and that nobody else gets meanwhile.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use rustix::net::sockopt::set_socket_reuseaddr;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, getsockname, socket_with};

/// A port of this machine, held until this is dropped.
///
/// A port that was free a moment ago is anybody's, and on a busy machine another test's. This one is bound, so the
/// kernel gives it to no other that asks for a free one, neither to listen nor to connect from; and it is not listened
/// on, so who connects to it is refused.
#[derive(Debug)]
pub struct HeldPort {
    _socket: OwnedFd,
    address: SocketAddr,
}

impl HeldPort {
    /// Takes one that the kernel chooses.
    pub fn take() -> Self {
        let (family, flags) = (AddressFamily::INET, SocketFlags::CLOEXEC);
        let socket = socket_with(family, SocketType::STREAM, flags, None).expect("a socket");
        set_socket_reuseaddr(&socket, true).expect("it is not bound yet"); // so that `listener` can share it
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        bind(&socket, &any).expect("a port is free");
        let address = getsockname(&socket).expect("it is bound");
        let address = address.try_into().expect("an Internet address");
        Self {
            _socket: socket,
            address,
        }
    }

    /// Where nobody listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Has somebody listen there after all; once that is dropped, nobody does again.
    pub fn listener(&self) -> TcpListener {
        TcpListener::bind(self.address).expect("both may be used again")
    }
}
