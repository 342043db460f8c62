//! One connection for all steps, made anew when it breaks.

use axum::body::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{Delivery, Event, Observer};
use crate::limits::{
    ANSWER_TIMEOUT, ATTEMPTS, DIAL_TIMEOUT, MAX_BODY_BYTES, MAX_HEAD_BYTES, RETRY_PAUSE,
};
use crate::tor::{Dial, DialError, Target};

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
}

/// Why nothing came back.
#[derive(Debug)]
pub(super) enum Trouble {
    /// No connection.
    Dial(DialError),
    /// The connection ended before an answer was complete.
    Broken,
    /// No answer in time.
    Silent,
    /// What came is no HTTP, or has no end.
    Nonsense,
}

/// What an ask came to after all attempts.
pub(super) struct Asked {
    pub(super) result: Result<Answer, Trouble>,
    /// Whether an earlier attempt may have reached the relay though its answer did not come back.
    pub(super) lost: bool,
}

/// The line to one relay.
pub(super) struct Line<'d, D> {
    dialer: &'d D,
    target: Target,
    observer: &'d dyn Observer,
    connection: Option<Connection>,
}

struct Connection {
    requests: SendRequest<Full<Bytes>>,
    /// Moves the bytes; ends with the connection.
    _driver: JoinSet<()>,
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
            connection: None,
        }
    }

    /// Asks until an answer has come, over new connections if need be.
    pub(super) async fn ask(&mut self, ask: &Ask) -> Asked {
        let mut lost = false;
        let mut pause = RETRY_PAUSE;
        for attempt in 1.. {
            let result = self.ask_once(ask).await;
            let again = match &result {
                Ok(_) => false,
                // What can't be reached at first is said at once; what could be reached before is given a chance to come back.
                Err(Trouble::Dial(_)) => attempt > 1,
                Err(Trouble::Broken | Trouble::Silent) => {
                    lost = true;
                    true
                }
                Err(Trouble::Nonsense) => {
                    lost = true;
                    false
                }
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

    async fn ask_once(&mut self, ask: &Ask) -> Result<Answer, Trouble> {
        let mut connection = match self.connection.take() {
            Some(connection) if connection.requests.is_ready() => connection,
            _ => self.connect().await?,
        };
        let request = ask.request(&self.target.to_string());
        let answer = timeout(ANSWER_TIMEOUT, exchange(&mut connection, request))
            .await
            .map_err(|_| Trouble::Silent)??;
        self.connection = Some(connection);
        Ok(answer)
    }

    async fn connect(&self) -> Result<Connection, Trouble> {
        self.observer.event(Event::Dialling);
        let stream = timeout(DIAL_TIMEOUT, self.dialer.dial(&self.target))
            .await
            .unwrap_or(Err(DialError::TimedOut))
            .map_err(Trouble::Dial)?;
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
            _driver: driver,
        })
    }
}

async fn exchange(
    connection: &mut Connection,
    request: Request<Full<Bytes>>,
) -> Result<Answer, Trouble> {
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
    Ok(Answer { status, body })
}
