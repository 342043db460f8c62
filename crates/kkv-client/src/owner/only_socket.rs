//! HTTP over one Unix socket, and to nowhere else: no names are looked up, and no proxy or redirect is followed.

use std::io;
use std::path::Path;
use std::sync::Arc;

use reqwest::Client;
use reqwest::dns::{Name, Resolve, Resolving};
use reqwest::redirect::Policy;

/// An HTTP client whose every connection goes to `socket`, whatever host a URL names.
pub(super) fn only(socket: &Path) -> reqwest::Result<Client> {
    Client::builder()
        .unix_socket(socket)
        .no_proxy()
        // A redirect would repeat a request at an address of the answerer's choice: 307 a deletion, with its body.
        .redirect(Policy::none())
        .dns_resolver(Arc::new(NoNames))
        .build()
}

/// Knows no name.
struct NoNames;

impl Resolve for NoNames {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(std::future::ready(Err(io::Error::from(
            io::ErrorKind::Unsupported,
        )
        .into())))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;
    use std::thread;

    use super::*;
    use crate::owner::ClientError;

    #[test]
    fn who_answers_on_the_socket_sends_the_client_nowhere() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("kkv.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
        elsewhere.set_nonblocking(true).unwrap();
        let address = elsewhere.local_addr().unwrap();
        let redirecting = thread::spawn(move || {
            for location in ["localhost", "127.0.0.1"] {
                let (mut stream, _) = listener.accept().unwrap();
                let mut seen = Vec::new();
                while !seen.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    seen.push(byte[0]);
                }
                let answer = format!(
                    "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{location}:{}/wipe\r\n\
                     connection: close\r\ncontent-length: 0\r\n\r\n",
                    address.port()
                );
                stream.write_all(answer.as_bytes()).unwrap();
            }
            listener
        });
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        let client = crate::owner::Client::new(&socket).unwrap();
        for _ in 0..2 {
            let answered = runtime.block_on(client.wipe());
            let Err(ClientError::Unexpected(why)) = answered else {
                panic!("{answered:?}");
            };
            assert!(why.contains("307"), "{why}");
        }
        let listener = redirecting.join().unwrap();
        listener.set_nonblocking(true).unwrap();
        let again = listener.accept().map_err(|fault| fault.kind());
        assert_eq!(
            again.unwrap_err(),
            io::ErrorKind::WouldBlock,
            "a third request"
        );
        let dialled = elsewhere.accept().map_err(|fault| fault.kind());
        assert_eq!(dialled.unwrap_err(), io::ErrorKind::WouldBlock);
    }
}
