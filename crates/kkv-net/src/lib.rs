//! Connections: which are kept ([`admission`]), how HTTP is served on them ([`http`]), Unix sockets with a path, and
//! the ways onto Tor behind one small interface ([`tor`]).

pub mod admission;
pub mod http;
pub mod process;
pub mod tor;
pub mod unix_socket;

use kkv_base::lock;
