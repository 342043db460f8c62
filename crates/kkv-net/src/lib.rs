//! How connections are taken and made: whom there is room for ([`places`]), how HTTP is served to them ([`http`]), Unix
//! sockets with a name, and the ways onto Tor behind one small interface ([`tor`]).

pub mod http;
pub mod places;
pub mod process;
pub mod tor;
pub mod unix_socket;

use kkv_base::lock;
