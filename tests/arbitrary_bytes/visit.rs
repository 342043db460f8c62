//! One visit to a router over one connection, byte for byte.

use axum::Router;
use kkv_net::http::{AllowedHosts, ConnectionLimits, serve_connection};
use kkv_protocol::refusal::{Refusal, Refused};
use kkv_protocol::suite::SuitePolicy;
use proptest::test_runner::{Config, TestCaseError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::in_process::{InProcess, PIPE_BYTES, send};

/// What an answer says.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The reason of a refusal of the 400s.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        let refusal = Refused::read(self.status, &self.body).known()?;
        (400..500).contains(&self.status).then_some(refusal)
    }
}

/// Writes `bytes`, waits for the relay to have had enough, and returns what it said. Time is paused, so its patience
/// costs nothing.
///
/// # Panics
/// The connection's task has panicked.
pub(crate) async fn say(router: Router, bytes: &[u8]) -> Vec<u8> {
    let (near, far) = tokio::io::duplex(PIPE_BYTES);
    let serving = tokio::spawn(serve_connection(
        far,
        router,
        ConnectionLimits::for_owner(),
        AllowedHosts::Onion,
    ));
    let (mut reading, mut writing) = tokio::io::split(near);
    let mut said = Vec::new();
    // A relay may hang up before it has read everything; what it said until then still counts.
    let (_, _) = tokio::join!(writing.write_all(bytes), reading.read_to_end(&mut said));
    serving.await.expect("no request makes the relay panic");
    said
}

/// Makes one request.
pub(crate) async fn ask(router: Router, path: &str, content_type: &str, body: &[u8]) -> Answer {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\nconnection: close\r\n\
         content-type: {content_type}\r\ncontent-length: {length}\r\n\r\n"
    );
    let said = say(router, &[head.as_bytes(), body].concat()).await;
    read(&said).unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(&said)))
}

/// Reads one answer, in the version of HTTP in which it was asked for.
pub(crate) fn read(said: &[u8]) -> Option<Answer> {
    let head = said.windows(4).position(|end| end == b"\r\n\r\n")?;
    let version = [&b"HTTP/1.1 "[..], b"HTTP/1.0 "];
    let status = version
        .iter()
        .find_map(|v| said.strip_prefix(*v))?
        .get(..3)?;
    Some(Answer {
        status: std::str::from_utf8(status).ok()?.parse().ok()?,
        body: said[head + 4..].to_vec(),
    })
}

/// A runtime whose time moves on only when everyone waits.
pub(crate) fn paused() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let built = builder.enable_all().start_paused(true).build();
    built.expect("a runtime can be had")
}

pub(crate) fn cases(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    }
}

pub(crate) fn reserved(inbox: &InProcess) -> u32 {
    inbox
        .relay
        .queue()
        .occupancy(inbox.relay.now().elapsed)
        .reserved
}

/// Sends a good message, which must arrive; nothing else may be there.
pub(crate) async fn still_takes_a_message(inbox: &InProcess) -> Result<(), TestCaseError> {
    for policy in crate::in_process::EACH_SUITE {
        let before = inbox.texts();
        let sent = send(inbox, policy, "still here").await;
        proptest::prop_assert!(sent.is_ok(), "{:?}", sent);
        let expected = [before, vec!["still here".to_owned()]].concat();
        proptest::prop_assert_eq!(inbox.texts(), expected);
    }
    Ok(())
}

/// A relay with few slots that speaks both suites.
pub(crate) fn inbox() -> InProcess {
    InProcess::new(SuitePolicy::Any, 4, 0)
}
