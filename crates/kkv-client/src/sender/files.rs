//! A delivery of a message with files (PROTOCOL.md §16): sealed once, and sent piece by piece over several connections
//! until all of it is acknowledged, whatever breaks on the way.

use std::sync::Mutex;

use rand::CryptoRng;
use tokio::time::{Instant, sleep};

use super::Reply;
use super::budget::TimeBudget;
use super::connection::Connection;
use super::delivery::{Delivery, Event, Observer};
use super::failure::{Failure, Indeterminate};
use super::reading::{message_refused, refusal, undelivered};
use super::request::Request;
use super::session::{self, Negotiated};
use crate::contacts::Invitation;
use kkv_base::limits::{MAX_REPEAT_PAUSE, REPEAT_PAUSE, UPLOAD_PATIENCE};
use kkv_net::tor::Dial;
use kkv_pow::Cost;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::error::ProtocolError;
use kkv_protocol::files::Files;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::v2::purpose::LargeSize;
use kkv_protocol::v2::sender::{Hello, Receipted};
use kkv_protocol::v2::upload::sender::Upload;
use kkv_protocol::v2::upload::{ACKNOWLEDGEMENT_BYTES, PieceIndex, Pieces};

/// What an upload has come to, shared by those who send its pieces.
struct Shared {
    upload: Upload,
    /// Pieces that somebody sends.
    under_way: Pieces,
    receipted: Option<Receipted>,
    /// Whether an answer was lost, which may have been the receipt.
    answer_lost: bool,
    /// When a piece was acknowledged last.
    progress: Instant,
}

/// Is told nothing: of several connections one is spoken of.
#[derive(Debug)]
struct Unheard;

impl Observer for Unheard {
    fn event(&self, _: Event) {}
}

/// Carries messages with files to one relay.
pub struct Uploader<'d, D> {
    delivery: &'d Delivery<'d, D>,
    connection: Connection<'d, D>,
}

impl<'d, D: Dial> Uploader<'d, D> {
    /// Not connected yet.
    #[must_use]
    pub fn new(delivery: &'d Delivery<'d, D>) -> Self {
        Self {
            delivery,
            connection: Connection::new(delivery),
        }
    }

    /// Opens a session for `files`, pays for it, and seals them; also returns what was paid. Nothing of them is sent yet.
    ///
    /// # Errors
    /// See [`Failure`]: the message is not there.
    ///
    /// # Panics
    /// They don't fit into any message ([`LargeSize::for_content`]): the caller's bug.
    pub async fn begin(
        &mut self,
        key: SenderKey,
        files: &Files<'_>,
        reply: Reply<'_>,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<(Upload, Cost), Failure> {
        let options = &self.delivery.options;
        if options.suites == SuitePolicy::Only(Suite::V1) {
            return Err(Failure::NoCommonSuite(Suite::V2));
        }
        let size = LargeSize::for_content(files.content_bytes()).expect("whoever calls has looked");
        let mut budget = TimeBudget::new(options.max_time, options.anyway);
        let token = options.invitation.as_ref().map(Invitation::token);
        let hello = Hello::for_large(key, size, token);
        let connection = &mut self.connection;
        match session::open(self.delivery, connection, hello, &mut budget, &[], rng).await? {
            Negotiated::Done(session) => {
                let box_part = reply.box_part(&session.open.session(), rng);
                let upload = session.open.seal(files, &box_part);
                Ok((upload, session.terms.cost))
            }
            Negotiated::NotSpoken(_) => Err(Failure::NoCommonSuite(Suite::V2)),
        }
    }

    /// Sends what is missing of `upload`, which was begun here or by another run, until the relay has signed for it.
    ///
    /// # Errors
    /// See [`Failure`]: the message is not there, except that [`Failure::Indeterminate`] can't say.
    pub async fn send(&mut self, upload: Upload) -> Result<Receipted, Failure> {
        let delivery = self.delivery;
        let is_single = upload.size().pieces() == 1;
        delivery.observer.event(Event::Sending);
        let shared = Mutex::new(Shared {
            under_way: Pieces::NONE,
            receipted: None,
            // Another run's may have been the receipt.
            answer_lost: upload.may_be_begun(),
            upload,
            progress: Instant::now(),
        });
        // What another run has sent the relay has; and one that has all of it needs nothing to be sent.
        if kkv_base::lock(&shared).upload.may_be_begun() {
            take(delivery, &mut self.connection, &shared, &query(&shared)).await?;
        }
        let unheard = Delivery {
            dialer: delivery.dialer,
            options: delivery.options.clone(),
            clock: delivery.clock,
            observer: &Unheard,
        };
        let mut others = [Connection::new(&unheard), Connection::new(&unheard)];
        let [second, third] = &mut others;
        let beside = async |connection| match is_single {
            true => Ok(()),
            false => all_sent(delivery, connection, &shared).await,
        };
        tokio::try_join!(
            all_sent(delivery, &mut self.connection, &shared),
            beside(second),
            beside(third),
        )?;
        if kkv_base::lock(&shared).receipted.is_none() {
            // An earlier acknowledgement may have come last.
            take(delivery, &mut self.connection, &shared, &query(&shared)).await?;
        }
        let receipted = kkv_base::lock(&shared).receipted;
        receipted.ok_or(Failure::Indeterminate(Indeterminate::Unclear))
    }
}

impl<D> std::fmt::Debug for Uploader<'_, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Uploader(..)")
    }
}

fn query(shared: &Mutex<Shared>) -> Request {
    let shared = kkv_base::lock(shared);
    Request::bytes("/msg", shared.upload.query(), ACKNOWLEDGEMENT_BYTES)
}

/// Sends piece after piece that is missing and that nobody else sends.
async fn all_sent<D: Dial>(
    delivery: &Delivery<'_, D>,
    connection: &mut Connection<'_, D>,
    shared: &Mutex<Shared>,
) -> Result<(), Failure> {
    while let Some((index, request)) = next(shared) {
        let sent = take(delivery, connection, shared, &request).await;
        let mut shared = kkv_base::lock(shared);
        let mut one = Pieces::NONE;
        one.insert(index);
        shared.under_way = shared.under_way.without(one);
        sent?;
        // A relay that acknowledges a piece and doesn't have it could be sent the same without end.
        let missing = shared.upload.missing();
        if shared.receipted.is_none() && missing.without(one) != missing {
            return Err(unbelievable(&shared, ProtocolError::Malformed));
        }
    }
    Ok(())
}

/// What comes of an acknowledgement that can't be true: what lies may have kept the message all the same.
fn unbelievable(shared: &Shared, fault: ProtocolError) -> Failure {
    match shared.upload.may_be_whole() {
        true => Failure::Indeterminate(Indeterminate::Unclear),
        false => Failure::Protocol(fault),
    }
}

/// The next piece that is missing and that nobody sends.
fn next(shared: &Mutex<Shared>) -> Option<(PieceIndex, Request)> {
    let mut shared = kkv_base::lock(shared);
    if shared.receipted.is_some() {
        return None;
    }
    let left = shared.upload.missing().without(shared.under_way);
    let index = left.iter().next()?;
    shared.under_way.insert(index);
    let body = shared.upload.begin(index);
    Some((index, Request::bytes("/msg", body, ACKNOWLEDGEMENT_BYTES)))
}

/// Sends a piece or a query until it is acknowledged, and takes the acknowledgement. Goes on for as long as
/// [`UPLOAD_PATIENCE`] says that nothing at all is acknowledged.
async fn take<D: Dial>(
    delivery: &Delivery<'_, D>,
    connection: &mut Connection<'_, D>,
    shared: &Mutex<Shared>,
    request: &Request,
) -> Result<(), Failure> {
    let mut pause = REPEAT_PAUSE;
    loop {
        let outcome = connection
            .send_until_answered(&mut || Some(request.clone()))
            .await;
        let (is_late, in_doubt) = {
            let mut shared = kkv_base::lock(shared);
            shared.answer_lost |= outcome.answer_lost;
            let in_doubt = shared.answer_lost && shared.upload.may_be_whole();
            (shared.progress.elapsed() > UPLOAD_PATIENCE, in_doubt)
        };
        let failure = match outcome.result {
            Ok(response) if response.status == 200 => {
                return acknowledged(delivery, shared, &response.body);
            }
            Ok(response) => {
                let passes = matches!(
                    refusal(&response),
                    Some(Refusal::TimedOut | Refusal::SlowDown)
                );
                let failure = message_refused(&response, in_doubt);
                if !passes {
                    return Err(failure);
                }
                failure
            }
            Err(_) if in_doubt => Failure::Indeterminate(Indeterminate::Lost),
            Err(error) => undelivered(error),
        };
        if is_late || matches!(failure, Failure::Protocol(_)) {
            return Err(failure);
        }
        delivery.observer.event(Event::Retrying);
        sleep(pause).await;
        pause = (2 * pause).min(MAX_REPEAT_PAUSE);
    }
}

fn acknowledged<D: Dial>(
    delivery: &Delivery<'_, D>,
    shared: &Mutex<Shared>,
    body: &[u8],
) -> Result<(), Failure> {
    let mut shared = kkv_base::lock(shared);
    let before = shared.upload.here().count();
    let taken = shared.upload.acknowledged(body);
    let taken = taken.map_err(|fault| unbelievable(&shared, fault))?;
    if let Some(receipted) = taken {
        shared.receipted = Some(receipted);
    }
    let here = shared.upload.here().count();
    if here > before {
        shared.progress = Instant::now();
    }
    let size = shared.upload.size();
    drop(shared);
    delivery.observer.event(Event::Uploaded {
        bytes: u64::from(here) * size.piece_bytes() as u64,
        of: size.bytes() as u64,
    });
    Ok(())
}
