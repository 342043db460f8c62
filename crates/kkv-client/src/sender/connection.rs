//! One HTTP connection for all steps of a delivery, made anew when it breaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::Method;
use hyper::body::Body;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::counted::Counted;
use super::repeat::RepeatPolicy;
use super::{Delivery, Event, Failure, Observer, reason};
use kkv_base::limits::{ATTEMPTS, MAX_BODY_BYTES, MAX_HEAD_BYTES, RETRY_PAUSE, SILENT_ATTEMPTS};
use kkv_net::tor::{Dial, DialError, Target};
use kkv_protocol::refusal::Refusal;

/// A request as it goes out. A repetition is the same to the byte.
pub(super) struct Request {
    method: Method,
    path: &'static str,
    content_type: Option<&'static str>,
    body: Bytes,
}

/// The relay's response to a request.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) body: Bytes,
    /// When the request that it answers began to leave. The relay made the response later than that, however long
    /// dialling took.
    pub(super) requested_at: Instant,
    /// Since when the relay has given the same refusal to the same request, if it is a repetition.
    pub(super) refused_for: Option<Duration>,
}

/// Why there is no response.
#[derive(Debug)]
pub(super) enum TransportError {
    /// No connection.
    Dial(DialError),
    /// The connection ended before an answer was complete.
    Closed,
    /// No answer in this time.
    TimedOut(Duration),
    /// What came is no HTTP, or has no end.
    Malformed,
}

/// What came of a request after all attempts.
pub(super) struct Outcome {
    pub(super) result: Result<Response, TransportError>,
    /// Whether an attempt may have reached the relay though its response did not come back.
    pub(super) answer_lost: bool,
}

/// The connection to one relay: at most one at a time, over which requests go one after the other.
pub(super) struct Connection<'d, D> {
    dialer: &'d D,
    target: Target,
    observer: &'d dyn Observer,
    patience: Duration,
    open: Option<OpenConnection>,
    /// Whether there has been a connection at all.
    reached: bool,
}

/// An HTTP connection that is up.
struct OpenConnection {
    requests: SendRequest<Full<Bytes>>,
    /// Moves the bytes; ends with the connection.
    driver: JoinSet<()>,
    /// Bytes that the stream has taken.
    taken: Arc<AtomicU64>,
}

impl Request {
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

    fn to_http(&self, host: &str) -> hyper::Request<Full<Bytes>> {
        let mut request = hyper::Request::new(Full::new(self.body.clone()));
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

impl<'d, D: Dial> Connection<'d, D> {
    pub(super) fn new(delivery: &Delivery<'d, D>) -> Self {
        Self {
            dialer: delivery.dialer,
            target: delivery.target,
            observer: delivery.observer,
            patience: delivery.patience,
            open: None,
            reached: false,
        }
    }

    /// Sends `request`, and again whenever the relay refuses for a reason that may pass, as far as `policy` allows.
    pub(super) async fn send(&mut self, request: &Request, policy: RepeatPolicy) -> Outcome {
        let mut answer_lost = false;
        let mut before: Option<(Refusal, Instant)> = None;
        for repetitions in 0.. {
            let mut outcome = self.send_until_answered(request).await;
            answer_lost |= outcome.answer_lost;
            outcome.answer_lost = answer_lost;
            let Ok(response) = &mut outcome.result else {
                return outcome;
            };
            let Some(refusal) = refusal(response) else {
                return outcome;
            };
            // Another refusal is news: it may be one that the next step is to be taken for.
            let since = match before {
                Some((same, since)) if same == refusal => {
                    response.refused_for = Some(since.elapsed());
                    since
                }
                _ => Instant::now(),
            };
            before = Some((refusal, since));
            let Some(next) = policy.after(refusal, repetitions) else {
                return outcome;
            };
            self.observer.event(Event::Refused {
                refusal,
                paid: policy.is_paid(),
                left: policy.left(),
            });
            sleep_until(next).await;
        }
        unreachable!("there is an end to what can be counted")
    }

    /// Sends it until any response has come, over new connections if need be.
    async fn send_until_answered(&mut self, request: &Request) -> Outcome {
        let mut answer_lost = false;
        let mut pause = RETRY_PAUSE;
        for attempt in 1.. {
            let result = self.send_once(request, &mut answer_lost).await;
            let again = match &result {
                Ok(_) | Err(TransportError::Malformed) => false,
                // Ways through Tor have tried for long. On this machine, what could be reached before is given a chance
                // to come back.
                Err(TransportError::Dial(fault)) => {
                    self.reached && matches!(fault, DialError::NoRelay { .. })
                }
                Err(TransportError::Closed) => true,
                Err(TransportError::TimedOut(_)) => attempt < SILENT_ATTEMPTS,
            };
            if !again || attempt >= ATTEMPTS {
                return Outcome {
                    result,
                    answer_lost,
                };
            }
            self.observer.event(Event::Retrying);
            sleep(pause).await;
            pause *= 2;
        }
        unreachable!("the loop returns at the last attempt")
    }

    /// Sends it once. Sets `answer_lost` if the whole request was on its way and no response came.
    async fn send_once(
        &mut self,
        request: &Request,
        answer_lost: &mut bool,
    ) -> Result<Response, TransportError> {
        let mut connection = self.connected().await?;
        let request = request.to_http(&self.target.to_string());
        let whole = connection.taken.load(Ordering::Relaxed) + bytes_of(&request);
        let answered = timeout(self.patience, exchange(&mut connection, request))
            .await
            .unwrap_or(Err(TransportError::TimedOut(self.patience)));
        if answered.is_ok() {
            self.open = Some(connection);
        } else {
            // Counted only when nothing can be written any more: the driver may be at it on another thread.
            connection.driver.shutdown().await;
            *answer_lost |= connection.taken.load(Ordering::Relaxed) >= whole;
        }
        answered
    }

    /// The connection there is, if it can take another request, or else a new one.
    async fn connected(&mut self) -> Result<OpenConnection, TransportError> {
        if let Some(mut connection) = self.open.take() {
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

    async fn connect(&mut self) -> Result<OpenConnection, TransportError> {
        self.observer.event(Event::Dialling);
        let stream = self.dialer.dial().await.map_err(TransportError::Dial)?;
        self.reached = true;
        let stream = Counted::new(stream);
        let taken = stream.taken();
        let (requests, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_| TransportError::Closed)?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            // Its faults show in the requests that were waiting for it.
            let _ = connection.await;
        });
        self.observer.event(Event::Connected);
        Ok(OpenConnection {
            requests,
            driver,
            taken,
        })
    }
}

/// The refusal that a response is, if its reason is known.
fn refusal(response: &Response) -> Option<Refusal> {
    if response.status == 200 {
        return None;
    }
    match reason(response) {
        Failure::Refused(refusal) => Some(refusal),
        _ => None,
    }
}

/// Bytes of a request on the wire, or fewer if hyper should ever write more than it does: what is shorter can't have
/// arrived.
fn bytes_of(request: &hyper::Request<Full<Bytes>>) -> u64 {
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
    connection: &mut OpenConnection,
    request: hyper::Request<Full<Bytes>>,
) -> Result<Response, TransportError> {
    let requested_at = Instant::now();
    let response = connection
        .requests
        .send_request(request)
        .await
        .map_err(|fault| {
            if fault.is_parse() || fault.is_parse_too_large() {
                TransportError::Malformed
            } else {
                TransportError::Closed
            }
        })?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), MAX_BODY_BYTES)
        .collect()
        .await
        .map_err(|fault| {
            if fault.is::<http_body_util::LengthLimitError>() {
                TransportError::Malformed
            } else {
                TransportError::Closed
            }
        })?
        .to_bytes();
    Ok(Response {
        status,
        body,
        requested_at,
        refused_for: None,
    })
}
