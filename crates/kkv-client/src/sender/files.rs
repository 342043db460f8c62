//! A delivery of a message with files (PROTOCOL.md §16): sealed once, and sent piece by piece until all of it is
//! acknowledged, whatever breaks on the way.
//!
//! Pieces go one behind the other over one connection, without waiting for the acknowledgements: so the line is never
//! idle, and a slow one carries one piece at a time, for which it has all the time that a relay gives to each.

use std::collections::VecDeque;

use rand::CryptoRng;
use tokio::time::{Instant, sleep};

use super::Reply;
use super::budget::TimeBudget;
use super::connection::Connection;
use super::delivery::{Delivery, Event};
use super::failure::{Failure, Indeterminate};
use super::pipeline::{Pipeline, Step};
use super::reading::{message_refused, refusal, undelivered};
use super::request::{Request, Response, TransportError};
use super::session::{self, Negotiated};
use crate::contacts::Invitation;
use kkv_base::limits::{MAX_REPEAT_PAUSE, REPEAT_PAUSE, RETRY_PAUSE, UPLOAD_PATIENCE};
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

/// An upload, and what has become of it.
struct Sending<'d, D> {
    delivery: &'d Delivery<'d, D>,
    /// Whether another run has sent some of it, or may have.
    goes_on: bool,
    upload: Upload,
    receipted: Option<Receipted>,
    /// Pieces that were sent to the last byte at some time, without an answer: the relay may have them.
    lost: Pieces,
    /// When a piece was acknowledged last.
    progress: Instant,
}

/// What was sent and has no answer yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Query,
    Piece(PieceIndex),
}

/// Why a connection is no use any more.
enum Ended {
    NoAnswer(TransportError),
    /// Another answer than an acknowledgement.
    Refused(Response),
    /// An acknowledgement that can't be true.
    Unbelievable(ProtocolError),
}

impl From<TransportError> for Ended {
    fn from(error: TransportError) -> Self {
        Self::NoAnswer(error)
    }
}

/// Carries messages with files to one relay.
pub struct Uploader<'d, D: Dial> {
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
    /// Goes on over connection after connection, for as long as [`UPLOAD_PATIENCE`] says that nothing at all is
    /// acknowledged.
    ///
    /// # Errors
    /// See [`Failure`]: the message is not there, except that [`Failure::Indeterminate`] can't say.
    pub async fn send(&mut self, upload: Upload) -> Result<Receipted, Failure> {
        let goes_on = upload.may_be_begun();
        self.delivery.observer.event(Event::Sending);
        let mut sending = Sending {
            delivery: self.delivery,
            goes_on,
            // Another run's answer may have been the receipt.
            lost: match goes_on {
                true => Pieces::all(upload.size()),
                false => Pieces::NONE,
            },
            upload,
            receipted: None,
            progress: Instant::now(),
        };
        // What another run has sent the relay has; and one that has all of it needs nothing to be sent.
        let mut asks = goes_on;
        let mut pause = RETRY_PAUSE;
        loop {
            let here = sending.upload.here();
            let Err(ended) = sending.send_over(&mut self.connection, asks).await else {
                let receipted = sending.receipted;
                return receipted.ok_or(Failure::Indeterminate(Indeterminate::Unclear));
            };
            if sending.upload.here() != here {
                pause = RETRY_PAUSE;
            }
            if let Ended::Refused(_) = ended {
                pause = pause.max(REPEAT_PAUSE);
            }
            sending.survives(ended)?;
            self.delivery.observer.event(Event::Retrying);
            sleep(pause).await;
            pause = (2 * pause).min(MAX_REPEAT_PAUSE);
            asks = true;
        }
    }
}

impl<D: Dial> std::fmt::Debug for Uploader<'_, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Uploader(..)")
    }
}

impl<D: Dial> Sending<'_, D> {
    /// Sends every piece that is missing over one connection; first asks what is there, if it `asks`.
    async fn send_over(
        &mut self,
        connection: &mut Connection<'_, D>,
        asks: bool,
    ) -> Result<(), Ended> {
        let mut pipeline = connection.pipeline().await?;
        let mut under_way = VecDeque::new();
        if asks {
            let query = Request::bytes("/msg", self.upload.query(), ACKNOWLEDGEMENT_BYTES);
            pipeline.send(&query);
            under_way.push_back(Sent::Query);
        }
        let ended = self.exchange(&mut pipeline, &mut under_way).await;
        for sent in under_way.iter().take(pipeline.wholly_sent()) {
            if let Sent::Piece(index) = sent {
                self.lost.insert(*index);
            }
        }
        ended
    }

    async fn exchange(
        &mut self,
        pipeline: &mut Pipeline<D::Stream>,
        under_way: &mut VecDeque<Sent>,
    ) -> Result<(), Ended> {
        while self.upload.missing() != Pieces::NONE {
            if pipeline.is_ready()
                && let Some((index, request)) = self.next(under_way)
            {
                pipeline.send(&request);
                under_way.push_back(Sent::Piece(index));
            }
            match pipeline.step().await? {
                Step::Sent => {}
                Step::Answered(response) => {
                    let sent = under_way.pop_front();
                    self.answered(sent, response)?;
                }
            }
        }
        Ok(())
    }

    /// The next piece that is missing and not under way; none before it is known what is missing.
    fn next(&mut self, under_way: &VecDeque<Sent>) -> Option<(PieceIndex, Request)> {
        if under_way.front() == Some(&Sent::Query) {
            return None;
        }
        let mut missing = self.upload.missing().iter();
        let index = missing.find(|index| !under_way.contains(&Sent::Piece(*index)))?;
        let body = self.upload.begin(index);
        Some((index, Request::bytes("/msg", body, ACKNOWLEDGEMENT_BYTES)))
    }

    fn answered(&mut self, sent: Option<Sent>, response: Response) -> Result<(), Ended> {
        if response.status != 200 {
            return Err(Ended::Refused(response));
        }
        let before = self.upload.here().count();
        let receipted = self.upload.acknowledged(&response.body);
        if let Some(receipted) = receipted.map_err(Ended::Unbelievable)? {
            self.receipted = Some(receipted);
        }
        let (here, size) = (self.upload.here(), self.upload.size());
        // A relay that acknowledges a piece and doesn't have it could be sent the same without end.
        let is_here = match sent {
            Some(Sent::Piece(index)) => here.contains(index),
            _ => true,
        };
        if !is_here && self.receipted.is_none() {
            return Err(Ended::Unbelievable(ProtocolError::Malformed));
        }
        if here.count() > before {
            self.progress = Instant::now();
        }
        self.delivery.observer.event(Event::Uploaded {
            bytes: u64::from(here.count()) * size.piece_bytes() as u64,
            of: size.bytes() as u64,
        });
        Ok(())
    }

    /// Whether the upload is to go on over another connection.
    fn survives(&self, ended: Ended) -> Result<(), Failure> {
        let in_doubt = self.upload.missing().without(self.lost) == Pieces::NONE;
        let (failure, passes) = match ended {
            // A relay that lies may have kept the message all the same.
            Ended::Unbelievable(_) if self.upload.may_be_whole() => {
                (Failure::Indeterminate(Indeterminate::Unclear), false)
            }
            Ended::Unbelievable(fault) => (Failure::Protocol(fault), false),
            Ended::Refused(response) => {
                let refusal = refusal(&response);
                let passes = matches!(refusal, Some(Refusal::TimedOut | Refusal::SlowDown));
                let is_over = in_doubt && self.goes_on && refusal == Some(Refusal::Unproven);
                match is_over {
                    true => (Failure::Indeterminate(Indeterminate::Over), false),
                    false => (message_refused(&response, in_doubt), passes),
                }
            }
            Ended::NoAnswer(_) if in_doubt => (Failure::Indeterminate(Indeterminate::Lost), true),
            Ended::NoAnswer(error) => {
                let passes = !matches!(error, TransportError::Malformed);
                (undelivered(error), passes)
            }
        };
        match passes && self.progress.elapsed() <= UPLOAD_PATIENCE {
            true => Ok(()),
            false => Err(failure),
        }
    }
}
