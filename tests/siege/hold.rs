//! Strangers who hold a connection, as long as the relay lets them, and come again when it doesn't.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::attack::{Orders, again_and_again};

/// Bytes of a head that never ends: as many as the relay reads, less one.
const HEAD_BYTES: usize = 8 * 1024 - 1;
/// Bytes of a body, of which the last is never sent.
const BODY_BYTES: usize = 16 * 1024;
/// So many of them come one by one: as packets, and as reads of the relay.
const ONE_BY_ONE: usize = 1000;

pub(crate) async fn idle(orders: Orders, begin: impl Fn()) {
    hold(&orders, begin, async |_| Some(())).await;
}

pub(crate) async fn half_head(orders: Orders, begin: impl Fn()) {
    let mut head = b"GET /status HTTP/1.1\r\nhost: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\nx: ".to_vec();
    head.resize(HEAD_BYTES, b'x');
    hold(&orders, begin, async |stream| {
        stream.write_all(&head).await.ok()
    })
    .await;
}

pub(crate) async fn half_body(orders: Orders, begin: impl Fn()) {
    let head = format!(
        "POST /msg HTTP/1.1\r\nhost: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\ncontent-type: application/json\r\ncontent-length: {BODY_BYTES}\r\n\r\n"
    );
    let mut request = head.into_bytes();
    request.resize(request.len() + BODY_BYTES - ONE_BY_ONE - 1, b'7');
    hold(&orders, begin, async |stream| {
        stream.write_all(&request).await.ok()?;
        for _ in 0..ONE_BY_ONE {
            stream.write_all(b"7").await.ok()?;
            tokio::task::yield_now().await;
        }
        Some(())
    })
    .await;
}

pub(crate) async fn takes_no_answer(orders: Orders, begin: impl Fn()) {
    let requests = b"GET /status HTTP/1.1\r\nhost: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\n\r\n".repeat(1000);
    hold(&orders, begin, async |stream| {
        // Until neither kernel takes more, or the relay has had enough.
        loop {
            stream.writable().await.ok()?;
            match stream.try_write(&requests) {
                Ok(_) => tokio::task::yield_now().await,
                Err(fault) if fault.kind() == std::io::ErrorKind::WouldBlock => return Some(()),
                Err(_) => return None,
            }
        }
    })
    .await;
}

pub(crate) async fn answered(orders: Orders, begin: impl Fn()) {
    hold(&orders, begin, async |stream| {
        let request = b"GET /status HTTP/1.1\r\nhost: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\n\r\n";
        stream.write_all(request).await.ok()?;
        let read = stream.read(&mut [0; 4096]).await.ok()?;
        (read > 0).then_some(())
    })
    .await;
}

/// Comes in, says what it has to say, and stays until the relay hangs up; and so on.
async fn hold(orders: &Orders, begin: impl Fn(), say: impl AsyncFn(&mut TcpStream) -> Option<()>) {
    again_and_again(async || {
        let mut stream = orders.connect().await;
        orders.count();
        let said = say(&mut stream).await;
        begin();
        if said.is_some() {
            stays(&stream).await;
        }
    })
    .await;
}

/// Waits until the relay hangs up, without taking anything that it says.
async fn stays(stream: &TcpStream) {
    // As long as there is something to take, the end of the connection doesn't show by itself.
    while matches!(stream.peek(&mut [0]).await, Ok(1)) {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        if stream.take_error().is_ok_and(|fault| fault.is_some()) {
            return;
        }
    }
}
