//! The published client's sequence: four requests through SOCKS, each on a new connection and a new stream (kkv/1 as
//! published).

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::published::{Challenge, Client, Fields, OneUse, form, hex, random, unhex, verifies};
use super::raw_http::{Answer, FORM, Wire, get, post};

/// On which of Tor's circuits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Circuits {
    /// All four requests on one that no other message has used, as ours.
    OfItsOwn,
    /// On whichever there is, mostly that of the message before: what a `tor` does for who doesn't ask for others.
    Shared,
}

/// Leaves `text`; it has to be accepted.
pub(crate) async fn send(socks: SocketAddr, onion: &str, text: &[u8], circuits: Circuits) {
    let user = (circuits == Circuits::OfItsOwn).then(|| hex(random()));
    let way = Way { socks, onion, user };
    let client = Client::new();

    let relay: [u8; 32] = unhex(way.ask(&get("/get_domain_pk")).await.text());
    let answer = way.form("/pow", &client.pow()).await.json();
    let bytes = unhex(answer["bytes"].as_str().unwrap());
    let signature = unhex(answer["signature"].as_str().unwrap());
    assert!(verifies(&relay, &bytes, &signature));
    let nonce = Challenge::from_bytes(&bytes).solve();
    let secret = OneUse::new();
    let exchange = client.exchange(&bytes, &signature, &nonce, &secret.public());
    let answer = way.form("/exchange_keys", &exchange).await.json();
    let theirs: [u8; 32] = unhex(answer["diffie_hellman"].as_str().unwrap());
    let signature = unhex(answer["diffie_hellman_sig"].as_str().unwrap());
    assert!(verifies(&relay, &theirs, &signature));
    let message = client.message(&secret.agree(theirs), text);
    way.form("/msg", &message).await;
}

struct Way<'w> {
    socks: SocketAddr,
    onion: &'w str,
    user: Option<String>,
}

impl Way<'_> {
    async fn form(&self, path: &str, fields: &Fields) -> Answer {
        self.ask(&post(path, FORM, form(fields))).await
    }

    async fn ask(&self, request: &[u8]) -> Answer {
        let answer = Wire::new(self.connect().await).ask(request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    }

    /// RFC 1928, with RFC 1929's name and password if there is a user.
    async fn connect(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.socks).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let method = if self.user.is_some() { 2 } else { 0 };
        stream.write_all(&[5, 1, method]).await.unwrap();
        let mut chosen = [0; 2];
        stream.read_exact(&mut chosen).await.unwrap();
        assert_eq!(chosen, [5, method]);
        if let Some(user) = &self.user {
            let name = user.as_bytes();
            let length = u8::try_from(name.len()).unwrap();
            let login = [&[1, length], name, &[length], name].concat();
            stream.write_all(&login).await.unwrap();
            stream.read_exact(&mut chosen).await.unwrap();
            assert_eq!(chosen, [1, 0]);
        }
        let host = self.onion.as_bytes();
        let port = kkv_base::limits::DEFAULT_PORT.to_be_bytes();
        let length = u8::try_from(host.len()).unwrap();
        let ask = [&[5, 1, 0, 3, length], host, &port].concat();
        stream.write_all(&ask).await.unwrap();
        let mut answer = [0; 10];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer[1], 0, "refused");
        stream
    }
}
