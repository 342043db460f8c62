//! A delivery of a message with files (PROTOCOL.md §16): sealed once, and sent piece by piece over several connections
//! until all of it is acknowledged, whatever breaks on the way.

use std::sync::{Mutex, MutexGuard};

use rand::CryptoRng;
use tokio::time::{Instant, sleep};

use super::Reply;
use super::budget::TimeBudget;
use super::connection::Connection;
use super::delivery::{Delivery, Event, Observer};
use super::failure::{Failure, Indeterminate};
use super::reading::{message_refused, refusal, undelivered};
use super::request::{Request, TransportError};
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

/// An upload, and what is known of it by those who send its pieces.
struct Sending<'d, D> {
    delivery: &'d Delivery<'d, D>,
    /// Whether another run has sent some of it, or may have.
    goes_on: bool,
    shared: Mutex<Shared>,
    /// Is held while a piece is sent, once they go one at a time.
    turn: tokio::sync::Mutex<()>,
}

/// What an upload has come to.
struct Shared {
    upload: Upload,
    /// Pieces that somebody sends.
    under_way: Pieces,
    receipted: Option<Receipted>,
    /// Whether an answer was lost, which may have been the receipt.
    answer_lost: bool,
    /// When a piece was acknowledged last.
    progress: Instant,
    /// Whether pieces go one at a time: several at once were too slow for the line, of which each gets a part.
    one_at_a_time: bool,
}

/// Is told nothing: of several connections one is spoken of. No price comes up any more, so nobody has to consent.
#[derive(Debug)]
struct Untold;

impl Observer for Untold {
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

    /// Opens a session for `files`, pays for it, and seals them; also returns what was paid. Nothing of them is sent
    /// yet.
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
                let id = session.open.session();
                let box_part = reply.box_part(&id, self.delivery.observer, rng);
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
        let is_single = upload.size().pieces() == 1;
        let goes_on = upload.may_be_begun();
        self.delivery.observer.event(Event::Sending);
        let sending = Sending {
            delivery: self.delivery,
            goes_on,
            shared: Mutex::new(Shared {
                under_way: Pieces::NONE,
                receipted: None,
                // Another run's may have been the receipt.
                answer_lost: goes_on,
                upload,
                progress: Instant::now(),
                one_at_a_time: false,
            }),
            turn: tokio::sync::Mutex::new(()),
        };
        // What another run has sent the relay has; and one that has all of it needs nothing to be sent.
        if goes_on {
            sending.ask_what_is_here(&mut self.connection).await?;
        }
        let untold = Delivery {
            dialer: self.delivery.dialer,
            options: self.delivery.options.clone(),
            clock: self.delivery.clock,
            observer: &Untold,
        };
        let mut others = [Connection::new(&untold), Connection::new(&untold)];
        let [second, third] = &mut others;
        let unless_single = async |connection| match is_single {
            true => Ok(()),
            false => sending.send_all(connection).await,
        };
        tokio::try_join!(
            sending.send_all(&mut self.connection),
            unless_single(second),
            unless_single(third),
        )?;
        if sending.shared().receipted.is_none() {
            // An earlier acknowledgement may have come last.
            sending.ask_what_is_here(&mut self.connection).await?;
        }
        let receipted = sending.shared().receipted;
        receipted.ok_or(Failure::Indeterminate(Indeterminate::Unclear))
    }
}

impl<D> std::fmt::Debug for Uploader<'_, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Uploader(..)")
    }
}

impl<D: Dial> Sending<'_, D> {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        kkv_base::lock(&self.shared)
    }

    async fn ask_what_is_here(&self, connection: &mut Connection<'_, D>) -> Result<(), Failure> {
        let query = Request::bytes("/msg", self.shared().upload.query(), ACKNOWLEDGEMENT_BYTES);
        self.send_until_acknowledged(connection, &query).await
    }

    /// Sends piece after piece that is missing and that nobody else sends.
    async fn send_all(&self, connection: &mut Connection<'_, D>) -> Result<(), Failure> {
        while let Some((index, request)) = self.next() {
            let sent = self.send_until_acknowledged(connection, &request).await;
            let mut shared = self.shared();
            let mut one = Pieces::NONE;
            one.insert(index);
            shared.under_way = shared.under_way.without(one);
            sent?;
            // A relay that acknowledges a piece and doesn't have it could be sent the same without end.
            let missing = shared.upload.missing();
            if shared.receipted.is_none() && missing.without(one) != missing {
                return Err(shared.unbelievable(ProtocolError::Malformed));
            }
        }
        Ok(())
    }

    /// The next piece that is missing and that nobody sends.
    fn next(&self) -> Option<(PieceIndex, Request)> {
        let mut shared = self.shared();
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
    async fn send_until_acknowledged(
        &self,
        connection: &mut Connection<'_, D>,
        request: &Request,
    ) -> Result<(), Failure> {
        let mut pause = REPEAT_PAUSE;
        loop {
            let one_at_a_time = self.shared().one_at_a_time;
            let turn = match one_at_a_time {
                true => Some(self.turn.lock().await),
                false => None,
            };
            let outcome = connection
                .send_until_answered(&mut || Some(request.clone()))
                .await;
            drop(turn);
            let (is_late, in_doubt) = {
                let mut shared = self.shared();
                shared.answer_lost |= outcome.answer_lost;
                let in_doubt = shared.answer_lost && shared.upload.may_be_whole();
                (shared.progress.elapsed() > UPLOAD_PATIENCE, in_doubt)
            };
            let failure = match outcome.result {
                Ok(response) if response.status == 200 => {
                    return self.acknowledged(&response.body);
                }
                Ok(response) => {
                    let refusal = refusal(&response);
                    let failure = match (refusal, in_doubt && self.goes_on) {
                        (Some(Refusal::Unproven), true) => {
                            Failure::Indeterminate(Indeterminate::Over)
                        }
                        _ => message_refused(&response, in_doubt),
                    };
                    if !matches!(refusal, Some(Refusal::TimedOut | Refusal::SlowDown)) {
                        return Err(failure);
                    }
                    self.shared().one_at_a_time |= refusal == Some(Refusal::TimedOut);
                    failure
                }
                Err(error) => {
                    self.shared().one_at_a_time |= matches!(error, TransportError::TimedOut(_));
                    match in_doubt {
                        true => Failure::Indeterminate(Indeterminate::Lost),
                        false => undelivered(error),
                    }
                }
            };
            if is_late || matches!(failure, Failure::Protocol(_)) {
                return Err(failure);
            }
            self.delivery.observer.event(Event::Retrying);
            sleep(pause).await;
            pause = (2 * pause).min(MAX_REPEAT_PAUSE);
        }
    }

    fn acknowledged(&self, body: &[u8]) -> Result<(), Failure> {
        let mut shared = self.shared();
        let before = shared.upload.here().count();
        let receipted = shared.upload.acknowledged(body);
        let receipted = receipted.map_err(|fault| shared.unbelievable(fault))?;
        if let Some(receipted) = receipted {
            shared.receipted = Some(receipted);
        }
        let here = shared.upload.here().count();
        if here > before {
            shared.progress = Instant::now();
        }
        let size = shared.upload.size();
        drop(shared);
        self.delivery.observer.event(Event::Uploaded {
            bytes: u64::from(here) * size.piece_bytes() as u64,
            of: size.bytes() as u64,
        });
        Ok(())
    }
}

impl Shared {
    /// What comes of an acknowledgement that can't be true: a relay that lies may have kept the message all the same.
    fn unbelievable(&self, fault: ProtocolError) -> Failure {
        match self.upload.may_be_whole() {
            true => Failure::Indeterminate(Indeterminate::Unclear),
            false => Failure::Protocol(fault),
        }
    }
}
