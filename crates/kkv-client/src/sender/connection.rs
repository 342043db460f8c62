//! One HTTP connection for all steps of a delivery, made anew when it breaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::select;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::io::InspectWriter;

use super::delivery::{Delivery, Event};
use super::failure::Failure;
use super::pipeline::Pipeline;
use super::reading::{message_response, refusal, undelivered};
use super::repeat::RepeatPolicy;
use super::request::{Outcome, Request, Response, TransportError, bytes_of};
use kkv_base::limits::{ATTEMPTS, MAX_HEAD_BYTES, RETRY_PAUSE, SILENT_ATTEMPTS};
use kkv_net::tor::{Dial, DialError};
use kkv_protocol::refusal::Refusal;

/// The connection to one relay: at most one at a time, over which requests go one after the other.
pub(super) struct Connection<'d, D: Dial> {
    delivery: &'d Delivery<'d, D>,
    open: Option<OpenConnection<D::Stream>>,
    /// Whether there has been a connection at all.
    reached: bool,
}

/// An HTTP connection that is up.
struct OpenConnection<S> {
    requests: SendRequest<Full<Bytes>>,
    /// Moves the bytes; ends with the connection, or gives its stream back.
    driver: JoinSet<Option<S>>,
    /// Has it given back.
    give_back: oneshot::Sender<()>,
    /// Bytes that the stream has taken: by them a request that was cut short is known not to have arrived.
    taken: Arc<AtomicU64>,
}

impl<'d, D: Dial> Connection<'d, D> {
    pub(super) fn new(delivery: &'d Delivery<'d, D>) -> Self {
        Self {
            delivery,
            open: None,
            reached: false,
        }
    }

    /// Sends a request that comes before the message. Without a response, the message was not delivered.
    pub(super) async fn ask(
        &mut self,
        request: &Request,
        policy: RepeatPolicy,
    ) -> Result<Response, Failure> {
        self.send_same(request, policy)
            .await
            .result
            .map_err(undelivered)
    }

    /// Sends the message, and returns a response that says 200.
    pub(super) async fn send_message(
        &mut self,
        request: &Request,
        policy: RepeatPolicy,
    ) -> Result<Response, Failure> {
        message_response(self.send_same(request, policy).await)
    }

    /// Sends `request`, each time the same bytes.
    async fn send_same(&mut self, request: &Request, policy: RepeatPolicy) -> Outcome {
        self.send(&mut || Some(request.clone()), policy).await
    }

    /// Sends a request, and again whenever the relay refuses for a reason that may pass, as far as `policy` allows.
    /// What is sent each time is the next of `requests`.
    pub(super) async fn send(
        &mut self,
        requests: &mut (impl FnMut() -> Option<Request> + Send),
        policy: RepeatPolicy,
    ) -> Outcome {
        let mut answer_lost = false;
        let mut before: Option<(Refusal, Instant)> = None;
        for repetitions in 0.. {
            let mut outcome = self.send_until_answered(requests).await;
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
            self.delivery.observer.event(Event::Refused {
                refusal,
                paid: policy.is_paid(),
                left: policy.left(),
            });
            sleep_until(next).await;
        }
        unreachable!("there is an end to what can be counted")
    }

    /// Sends it until any response has come, over new connections if need be.
    pub(super) async fn send_until_answered(
        &mut self,
        requests: &mut (impl FnMut() -> Option<Request> + Send),
    ) -> Outcome {
        let mut answer_lost = false;
        let mut pause = RETRY_PAUSE;
        for attempt in 1.. {
            let result = match requests() {
                Some(request) => self.send_once(&request, &mut answer_lost).await,
                None => Err(TransportError::NoneLeft),
            };
            let again = match &result {
                Ok(_) | Err(TransportError::Malformed | TransportError::NoneLeft) => false,
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
            self.delivery.observer.event(Event::Retrying);
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
        let options = &self.delivery.options;
        let (time, limit) = (request.timeout(options.timeout), request.answer_bytes());
        let request = request.to_http(&options.target.to_string());
        let whole = connection.taken.load(Ordering::Relaxed) + bytes_of(&request);
        let answered = timeout(time, exchange(&mut connection, request, limit))
            .await
            .unwrap_or(Err(TransportError::TimedOut(time)));
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
    async fn connected(&mut self) -> Result<OpenConnection<D::Stream>, TransportError> {
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

    /// The connection there is, or else a new one, for requests that go one behind the other.
    pub(super) async fn pipeline(&mut self) -> Result<Pipeline<D::Stream>, TransportError> {
        let open = match self.open.take() {
            Some(connection) => connection.into_stream().await,
            None => None,
        };
        let stream = match open {
            Some(stream) => stream,
            None => {
                let stream = self.dial().await?;
                self.delivery.observer.event(Event::Connected);
                stream
            }
        };
        let options = &self.delivery.options;
        let host = options.target.to_string();
        Ok(Pipeline::new(stream, host, options.timeout))
    }

    async fn dial(&mut self) -> Result<D::Stream, TransportError> {
        self.delivery.observer.event(Event::Dialling);
        let stream = self.delivery.dialer.dial().await;
        let stream = stream.map_err(TransportError::Dial)?;
        self.reached = true;
        Ok(stream)
    }

    async fn connect(&mut self) -> Result<OpenConnection<D::Stream>, TransportError> {
        let stream = self.dial().await?;
        let taken = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&taken);
        let stream = InspectWriter::new(stream, move |bytes: &[u8]| {
            count.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        });
        let (requests, mut connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_| TransportError::Closed)?;
        let mut driver = JoinSet::new();
        let (give_back, wanted) = oneshot::channel();
        driver.spawn(async move {
            select! {
                biased; // one that has ended is not given back
                // Its faults show in the requests that were waiting for it.
                _ = &mut connection => None,
                Ok(()) = wanted => {
                    let parts = connection.into_parts();
                    // What nobody has asked for would be taken for an answer.
                    let is_idle = parts.read_buf.is_empty();
                    is_idle.then(|| parts.io.into_inner().into_inner())
                }
            }
        });
        self.delivery.observer.event(Event::Connected);
        Ok(OpenConnection {
            requests,
            driver,
            give_back,
            taken,
        })
    }
}

impl<S: 'static> OpenConnection<S> {
    /// Its stream, unless it has ended. Nothing may be under way.
    async fn into_stream(mut self) -> Option<S> {
        self.give_back.send(()).ok()?;
        self.driver.join_next().await?.ok()?
    }
}

async fn exchange<S>(
    connection: &mut OpenConnection<S>,
    request: hyper::Request<Full<Bytes>>,
    limit: usize,
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
    let body = Limited::new(response.into_body(), limit)
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
