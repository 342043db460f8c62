//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::Body;
use axum::http::Response;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;
use tokio_io_timeout::TimeoutWriter;

use super::gate::{self, Names};
use super::room::State;
use super::unread::{BAD_REQUEST, Unread};
use crate::places::{Place, Places};
use kkv_base::limits::{
    MAX_HEAD_BYTES, MAX_HEADERS, MAX_UNREAD_BYTES, PARTING_TIMEOUT, REQUEST_TIMEOUT,
};

/// A visit, and how far it has got.
#[derive(Debug)]
pub(super) struct Visit {
    place: Place,
    /// What requests may call the listener that this came by.
    names: Names,
    /// Whether something has come since the last request.
    fresh: AtomicBool,
}

impl Visit {
    pub(super) fn new(places: &Places, names: Names) -> Arc<Self> {
        Arc::new(Self {
            place: places.enter(State::Silent as usize),
            names,
            fresh: AtomicBool::new(false),
        })
    }

    /// Serves `stream` until it ends or its place is lost.
    pub(super) async fn of<S>(self: Arc<Self>, stream: S, router: Router)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        tokio::select! {
            biased; // the place is looked at after what may move it
            () = Arc::clone(&self).listen(stream, router) => {}
            () = self.place.lost() => {}
        }
    }

    /// Who says nothing gets no buffers, so that there can be many of them.
    async fn listen<S>(self: Arc<Self>, mut stream: S, router: Router)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut first = [0];
        if !matches!(stream.read(&mut first).await, Ok(1)) {
            return;
        }
        self.heard();
        // On the heap, or the silent would pay for its size too.
        Box::pin(self.speak(first[0], stream, router)).await;
    }

    async fn speak<S>(self: Arc<Self>, first: u8, stream: S, router: Router)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        // Who asks and asks and takes no answer would otherwise keep a connection for long.
        let mut stream = TimeoutWriter::new(Unread::new(stream));
        stream.set_timeout(Some(REQUEST_TIMEOUT));
        let heard = Heard {
            first: Some(first),
            stream: Box::pin(stream),
            visit: Arc::clone(&self),
        };
        // A stranger who has said all that it has to say is owed an answer no less. An owner's client that hangs up
        // has gone: its `/watch`, which may wait for a minute, must not keep a place for so long.
        let half_close = self.names != Names::Owner;
        let router = TowerToHyperService::new(router);
        let service = service_fn(move |request| {
            let in_one_packet = !self.asked();
            // In front of all routes there are, and will be.
            let answer = match self.names.refuse(&request) {
                Some(status) => Err(gate::refusal(status)),
                None => Ok(router.call(request)),
            };
            let visit = Arc::clone(&self);
            Box::pin(async move {
                if in_one_packet {
                    // With the one before. One of each connection in turn, or those who send many at once would hold up
                    // everyone else.
                    tokio::task::yield_now().await;
                }
                let mut answer: Response<Body> = match answer {
                    Ok(answer) => answer.await?,
                    Err(refusal) => refusal,
                };
                gate::close_to_browsers(&mut answer);
                visit.answered();
                Ok::<_, Infallible>(answer)
            })
        });
        let mut connection = http1::Builder::new()
            .half_close(half_close)
            .auto_date_header(false) // a clock's error is a fingerprint
            .header_read_timeout(None) // it can't tell a slow head from a sender who pays; the place does
            .max_buf_size(MAX_HEAD_BYTES)
            .max_headers(MAX_HEADERS)
            .serve_connection(TokioIo::new(heard), service);
        // With its shutdown, which waits until the last answer is on the line.
        let end = (&mut connection).await;
        let stream = connection.into_parts().io.into_inner().stream;
        match end {
            Ok(()) => part(stream, b"").await,
            Err(fault) if fault.is_parse_version_h2() => part(stream, BAD_REQUEST).await,
            Err(fault) if fault.is_parse() => part(stream, b"").await,
            Err(_) => {} // the line is broken
        }
    }

    /// A byte has come.
    fn heard(&self) {
        self.fresh.store(true, Ordering::Relaxed);
        self.begins();
    }

    fn begins(&self) {
        let row = self.place.row();
        if row == State::Silent as usize {
            self.place.moves_to(State::Begun as usize);
        } else if row == State::Answered as usize {
            self.place.moves_to(State::Asking as usize);
        }
    }

    /// A head is complete. Says whether anything has come since the last one was.
    fn asked(&self) -> bool {
        self.begins();
        self.place.moves_to(self.place.row());
        self.fresh.swap(false, Ordering::Relaxed)
    }

    fn answered(&self) {
        self.place.moves_to(State::Answered as usize);
    }
}

/// Says a last word, and ends the connection so that all its answers arrive: if something were unread when it is
/// closed, the kernel would reset it, and take back what has not been read at the other end.
async fn part(mut stream: impl AsyncRead + AsyncWrite + Unpin, last: &[u8]) {
    let parting = async {
        stream.write_all(last).await?;
        stream.shutdown().await?;
        let mut unread = (&mut stream).take(MAX_UNREAD_BYTES);
        while unread.read(&mut [0; 512]).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    let _ = timeout(PARTING_TIMEOUT, parting).await;
}

/// A stream of which the first byte has been read, and that tells when more comes.
struct Heard<S> {
    first: Option<u8>,
    stream: Pin<Box<S>>,
    visit: Arc<Visit>,
}

impl<S: AsyncRead> AsyncRead for Heard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(first) = self.first.take() {
            buffer.put_slice(&[first]);
            // Whatever has come with it. A fault shows again at the next read.
            let _ = self.stream.as_mut().poll_read(context, buffer);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(self.stream.as_mut().poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.visit.heard();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite> AsyncWrite for Heard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(context)
    }

    /// Only sends what was written: [`part`] ends the connection.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    use super::super::Room;
    use super::*;

    const STATUS: &[u8] = b"GET /status HTTP/1.1\r\nhost: kkv\r\n\r\n";

    /// As in a room for strangers with this many descriptors.
    fn places(descriptors: u64) -> Places {
        Room::for_strangers(descriptors).places()
    }

    /// The stranger's end of a visit that has begun.
    fn visit(places: &Places) -> DuplexStream {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let router = Router::new()
            .route("/status", get(async || "well"))
            .route("/panic", get(async || -> () { panic!("as a fault would") }));
        tokio::spawn(Visit::new(places, Names::Owner).of(far, router));
        near
    }

    async fn is_answered(line: &mut DuplexStream) -> bool {
        let mut answer = [0; 12];
        line.write_all(STATUS).await.is_ok()
            && line.read_exact(&mut answer).await.is_ok()
            && answer == *b"HTTP/1.1 200"
    }

    async fn is_ended(line: &mut DuplexStream) -> bool {
        let mut rest = Vec::new();
        line.read_to_end(&mut rest).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_is_let_in_and_the_one_that_is_silent_for_the_longest_leaves() {
        let places = places(16); // of the silent, 8
        let mut silent: Vec<_> = (0..8).map(|_| visit(&places)).collect();
        assert!(is_answered(&mut silent[0]).await);
        silent.push(visit(&places));
        silent.push(visit(&places));
        assert!(is_ended(&mut silent[1]).await);
        assert!(is_answered(&mut silent[9]).await);
        assert!(is_answered(&mut silent[2]).await);
    }

    #[tokio::test(start_paused = true)]
    async fn no_crowd_of_half_sent_requests_pushes_out_who_has_had_an_answer() {
        let places = places(16); // of each other state, one or two
        let mut sender = visit(&places);
        assert!(is_answered(&mut sender).await);
        for _ in 0..100 {
            let mut half = visit(&places);
            half.write_all(&STATUS[..9]).await.unwrap();
            tokio::task::yield_now().await;
            sender.write_all(&STATUS[..9]).await.unwrap();
            tokio::task::yield_now().await;
            sender.write_all(&STATUS[9..]).await.unwrap();
            let mut answer = [0; 4096];
            assert!(sender.read(&mut answer).await.unwrap() > 0);
        }
    }

    #[tokio::test]
    async fn who_asks_much_at_once_keeps_others_waiting_for_one_request_at_most() {
        let places = places(64);
        let order = Arc::new(Mutex::new(String::new()));
        let asked = |who: char| {
            let order = Arc::clone(&order);
            get(async move || crate::lock(&order).push(who))
        };
        let router = Router::new()
            .route("/many", asked('m'))
            .route("/one", asked('o'));
        let visit = || {
            let (near, far) = tokio::io::duplex(64 * 1024);
            tokio::spawn(Visit::new(&places, Names::Owner).of(far, router.clone()));
            near
        };
        let (mut many, mut one) = (visit(), visit());
        let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: kkv\r\n\r\n").into_bytes();
        // Both have been answered before, as a sender has who pays.
        for (line, path) in [(&mut many, "/many"), (&mut one, "/one")] {
            line.write_all(&ask(path)).await.unwrap();
            assert!(line.read(&mut [0; 4096]).await.unwrap() > 0);
        }
        crate::lock(&order).clear();
        many.write_all(&ask("/many").repeat(16)).await.unwrap();
        one.write_all(&ask("/one")).await.unwrap();
        assert!(one.read(&mut [0; 4096]).await.unwrap() > 0);
        let order = crate::lock(&order).clone();
        assert!(
            ["o", "mo"].iter().any(|fair| order.starts_with(fair)),
            "{order}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_goes_gives_its_place_back_also_by_a_panic() {
        let places = places(16);
        let mut gone = visit(&places);
        assert!(is_answered(&mut gone).await);
        let mut panicking = visit(&places);
        let request = b"GET /panic HTTP/1.1\r\nhost: kkv\r\n\r\n";
        panicking.write_all(request).await.unwrap();
        assert!(is_ended(&mut panicking).await);
        assert!(!places.is_empty());
        drop(gone);
        while !places.is_empty() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_owners_client_that_hangs_up_while_it_waits_gives_its_place_back() {
        let places = places(16);
        let (mut near, far) = tokio::io::duplex(64 * 1024);
        let router = Router::new().route("/watch", get(std::future::pending::<()>));
        tokio::spawn(Visit::new(&places, Names::Owner).of(far, router));
        let request = b"GET /watch HTTP/1.1\r\nhost: kkv\r\n\r\n";
        near.write_all(request).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        assert!(!places.is_empty());
        drop(near);
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        assert!(places.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_answer_arrives_whole_also_on_a_line_that_holds_little() {
        for last in [
            "GET /else HTTP/1.1\r\nhost: kkv\r\nconnection: close\r\n\r\n",
            "no HTTP at all\r\n\r\n",
        ] {
            let places = places(16);
            let (mut near, far) = tokio::io::duplex(64);
            let router = Router::new().route("/status", get(async || "well"));
            tokio::spawn(Visit::new(&places, Names::Owner).of(far, router));
            near.write_all(last.as_bytes()).await.unwrap();
            let mut said = String::new();
            near.read_to_string(&mut said).await.unwrap();
            assert!(said.ends_with("\r\n\r\n"), "{said}");
        }
    }
}
