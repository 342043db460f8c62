//! One connection for all steps, made anew when it breaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Body;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::again::Again;
use super::counted::Counted;
use super::{Delivery, Event, Failure, Observer, reason};
use kkv_base::limits::{ATTEMPTS, MAX_BODY_BYTES, MAX_HEAD_BYTES, RETRY_PAUSE, SILENT_ATTEMPTS};
use kkv_net::tor::{Dial, DialError, Target};
use kkv_protocol::refusal::Refusal;

/// A request as it goes out, to be sent again word for word.
pub(super) struct Ask {
    method: Method,
    path: &'static str,
    content_type: Option<&'static str>,
    body: Bytes,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
    /// When the request began to leave that it answers: the relay has made it later than that, however long the way
    /// took before.
    pub(super) asked: Instant,
    /// How long the same request has been refused like this before, again and again, if it has.
    pub(super) repeated_for: Option<Duration>,
}

/// Why nothing came back.
#[derive(Debug)]
pub(super) enum Trouble {
    /// No connection.
    Dial(DialError),
    /// The connection ended before an answer was complete.
    Broken,
    /// No answer in this time.
    Silent(Duration),
    /// What came is no HTTP, or has no end.
    Nonsense,
}

/// What an ask came to after all attempts.
pub(super) struct Asked {
    pub(super) result: Result<Answer, Trouble>,
    /// Whether an attempt may have reached the relay though its answer did not come back.
    pub(super) lost: bool,
}

/// The line to one relay.
pub(super) struct Line<'d, D> {
    dialer: &'d D,
    target: Target,
    observer: &'d dyn Observer,
    patience: Duration,
    connection: Option<Connection>,
    /// Whether there has been a connection at all.
    reached: bool,
}

struct Connection {
    requests: SendRequest<Full<Bytes>>,
    /// Moves the bytes; ends with the connection.
    driver: JoinSet<()>,
    /// Bytes that the stream has taken.
    taken: Arc<AtomicU64>,
}

impl Ask {
    pub(super) fn get(path: &'static str) -> Self {
        Self {
            method: Method::GET,
            path,
            content_type: None,
            body: Bytes::new(),
        }
    }

    pub(super) fn form(path: &'static str, form: &impl serde::Serialize) -> Self {
        let body = serde_urlencoded::to_string(form).expect("hex strings are always a form");
        Self {
            method: Method::POST,
            path,
            content_type: Some("application/x-www-form-urlencoded"),
            body: body.into(),
        }
    }

    pub(super) fn json(path: &'static str, json: &impl serde::Serialize) -> Self {
        let body = serde_json::to_vec(json).expect("hex strings are always JSON");
        Self {
            method: Method::POST,
            path,
            content_type: Some("application/json"),
            body: body.into(),
        }
    }

    fn request(&self, host: &str) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = hyper::Uri::from_static(self.path);
        let host = host.parse().expect("an address is ASCII");
        request.headers_mut().insert(HOST, host);
        if let Some(content_type) = self.content_type {
            let value = hyper::header::HeaderValue::from_static(content_type);
            request.headers_mut().insert(CONTENT_TYPE, value);
            // hyper would add the same; being there already, it is counted by `bytes_of`.
            let length = self.body.len().into();
            request.headers_mut().insert(CONTENT_LENGTH, length);
        }
        request
    }
}

impl<'d, D: Dial> Line<'d, D> {
    pub(super) fn new(delivery: &Delivery<'d, D>) -> Self {
        Self {
            dialer: delivery.dialer,
            target: delivery.target,
            observer: delivery.observer,
            patience: delivery.patience,
            connection: None,
            reached: false,
        }
    }

    /// Asks until an answer has come that is no refusal which may pass, as far as `again` goes.
    pub(super) async fn ask(&mut self, ask: &Ask, again: Again) -> Asked {
        let mut lost = false;
        let mut before: Option<(Refusal, Instant)> = None;
        for repetitions in 0.. {
            let mut asked = self.ask_for_any_answer(ask).await;
            lost |= asked.lost;
            asked.lost = lost;
            let Ok(answer) = &mut asked.result else {
                return asked;
            };
            let Some(refusal) = refusal(answer) else {
                return asked;
            };
            // Another refusal is news: it may be one that the next step is to be taken for.
            let since = match before {
                Some((same, since)) if same == refusal => {
                    answer.repeated_for = Some(since.elapsed());
                    since
                }
                _ => Instant::now(),
            };
            before = Some((refusal, since));
            let Some(next) = again.after(refusal, repetitions) else {
                return asked;
            };
            self.observer.event(Event::Refused {
                refusal,
                paid: again.is_paid(),
                left: again.left(),
            });
            sleep_until(next).await;
        }
        unreachable!("there is an end to what can be counted")
    }

    /// Asks until any answer has come, over new connections if need be.
    async fn ask_for_any_answer(&mut self, ask: &Ask) -> Asked {
        let mut lost = false;
        let mut pause = RETRY_PAUSE;
        for attempt in 1.. {
            let result = self.ask_once(ask, &mut lost).await;
            let again = match &result {
                Ok(_) | Err(Trouble::Nonsense) => false,
                // Ways through Tor have tried for long. On this machine, what could be reached before is given a chance
                // to come back.
                Err(Trouble::Dial(fault)) => {
                    self.reached && matches!(fault, DialError::NoRelay { .. })
                }
                Err(Trouble::Broken) => true,
                Err(Trouble::Silent(_)) => attempt < SILENT_ATTEMPTS,
            };
            if !again || attempt >= ATTEMPTS {
                return Asked { result, lost };
            }
            self.observer.event(Event::Retrying);
            sleep(pause).await;
            pause *= 2;
        }
        unreachable!("the loop returns at the last attempt")
    }

    /// Asks once. `lost` is set if the whole request was on its way and no answer came.
    async fn ask_once(&mut self, ask: &Ask, lost: &mut bool) -> Result<Answer, Trouble> {
        let mut connection = self.connected().await?;
        let request = ask.request(&self.target.to_string());
        let whole = connection.taken.load(Ordering::Relaxed) + bytes_of(&request);
        let answered = timeout(self.patience, exchange(&mut connection, request))
            .await
            .unwrap_or(Err(Trouble::Silent(self.patience)));
        if answered.is_ok() {
            self.connection = Some(connection);
        } else {
            // Counted only when nothing can be written any more: the driver may be at it on another thread.
            connection.driver.shutdown().await;
            *lost |= connection.taken.load(Ordering::Relaxed) >= whole;
        }
        answered
    }

    /// The connection there is, if it can take another request, or else a new one.
    async fn connected(&mut self) -> Result<Connection, Trouble> {
        if let Some(mut connection) = self.connection.take() {
            // Just behind an answer the driver, on another thread, may not have come to say that it is ready. A new
            // connection would cost a new circuit. One that doesn't say so soon is no use: the relay has answered
            // before it had read all.
            let ready = timeout(RETRY_PAUSE, connection.requests.ready()).await;
            if matches!(ready, Ok(Ok(()))) {
                return Ok(connection);
            }
        }
        self.connect().await
    }

    async fn connect(&mut self) -> Result<Connection, Trouble> {
        self.observer.event(Event::Dialling);
        let stream = self.dialer.dial().await.map_err(Trouble::Dial)?;
        self.reached = true;
        let stream = Counted::new(stream);
        let taken = stream.taken();
        let (requests, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_| Trouble::Broken)?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            // Its faults show in the requests that were waiting for it.
            let _ = connection.await;
        });
        self.observer.event(Event::Connected);
        Ok(Connection {
            requests,
            driver,
            taken,
        })
    }
}

/// The refusal that an answer is, if its reason is known.
fn refusal(answer: &Answer) -> Option<Refusal> {
    if answer.status == 200 {
        return None;
    }
    match reason(answer) {
        Failure::Refused(refusal) => Some(refusal),
        _ => None,
    }
}

/// Bytes of a request on the wire, or fewer if hyper should ever write more than it does: what is shorter can't have
/// arrived.
fn bytes_of(request: &Request<Full<Bytes>>) -> u64 {
    let line = [request.method().as_str(), request.uri().path()];
    let headers = request.headers().iter();
    let head: usize = line
        .iter()
        .map(|word| word.len() + " ".len())
        .sum::<usize>()
        + "HTTP/1.1\r\n".len()
        + headers
            .map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len())
            .sum::<usize>()
        + "\r\n".len();
    let body = request.body().size_hint().exact().unwrap_or(0);
    head as u64 + body
}

async fn exchange(
    connection: &mut Connection,
    request: Request<Full<Bytes>>,
) -> Result<Answer, Trouble> {
    let asked = Instant::now();
    let answer = connection
        .requests
        .send_request(request)
        .await
        .map_err(|fault| {
            if fault.is_parse() || fault.is_parse_too_large() {
                Trouble::Nonsense
            } else {
                Trouble::Broken
            }
        })?;
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), MAX_BODY_BYTES)
        .collect()
        .await
        .map_err(|fault| {
            if fault.is::<http_body_util::LengthLimitError>() {
                Trouble::Nonsense
            } else {
                Trouble::Broken
            }
        })?
        .to_bytes();
    Ok(Answer {
        status,
        body,
        asked,
        repeated_for: None,
    })
}
