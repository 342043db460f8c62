//! A form on its way, read field by field as it comes, within the time limits of other bodies.
//!
//! The fields that say whether it is worth reading stand first. The files of a large body are read only if its message
//! would be let in, and four bodies at a time; those of any other are dropped. What has come of a form ends at once
//! when the owner wipes everything, however slowly the rest comes.

use std::sync::Arc;

use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use data_encoding::HEXLOWER;
use kkv_net::http::Progress;
use rand::CryptoRng;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};
use zeroize::Zeroizing;

use super::super::incoming::Incoming;
use super::{Relay, page};
use crate::relay::page::{
    Chosen, Filled, NotTaken, Offers, Payment, Reading, Wants, kept_name, kept_type,
};
use kkv_base::limits::{MAX_BODY_BYTES, MAX_DRAINED_BYTES, MAX_FORM_BYTES, REQUEST_TIMEOUT};
use kkv_page::multipart::{BadMultipart, Event, Head, Multipart};
use kkv_protocol::files::MAX_FILES;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::reply_words::ReplyWords;
use kkv_protocol::v2::answers::MAX_WAITING;
use kkv_protocol::v2::answers::keys::{Acknowledgement, AnswerKey, BoxSecret, Salt};
use kkv_protocol::v2::answers::sender::NewChain;
use kkv_protocol::v2::purpose::LargeSize;

/// Longest value of a field that is neither text nor file: an invitation with its address, or words as somebody has
/// typed them.
const MAX_SHORT_BYTES: usize = 1024;

/// Most bytes of a form around its message: heads of fields, one for each file, and delimiters.
const MOST_AROUND: usize = 64 * 1024;

/// What stood in a form.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) form: String,
    pub(super) words: Zeroizing<String>,
    script: ByScript,
    pub(super) follows: bool,
    pub(super) answer: bool,
    pub(super) seen: Vec<Zeroizing<String>>,
    pub(super) invitation: Zeroizing<String>,
    pub(super) payment: Payment,
    pub(super) text: Zeroizing<String>,
    files: Vec<Chosen>,
    /// The upload that it names, as it stands there.
    pub(super) upload: Option<String>,
    /// Whether a file was chosen.
    pub(super) had_files: bool,
    /// Whether no file of it is wanted, or it is known already that its message is not taken: then only what was typed
    /// is read, to give it back.
    drops_files: bool,
    /// What is being read.
    current: Option<Current>,
    /// Whether text or files have begun: all that decides whether they are read has come.
    has_content: bool,
    /// The place of a large body.
    place: Option<OwnedSemaphorePermit>,
}

/// What script says of a box in place of the words (PROTOCOL.md §18), in hex.
#[derive(Default)]
struct ByScript {
    secret: Zeroizing<String>,
    salt: Zeroizing<String>,
    key: Zeroizing<String>,
}

struct Current {
    head: Head,
    value: Zeroizing<Vec<u8>>,
}

/// Why a form could not be read, or its message not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// It is no form, or it ends too early.
    Malformed,
    /// It comes too slowly.
    TooSlow,
    /// It came, and its message is not in the queue.
    NotTaken(NotTaken),
}

impl From<BadMultipart> for Cut {
    fn from(_: BadMultipart) -> Self {
        Self::Malformed
    }
}

impl From<NotTaken> for Cut {
    fn from(why: NotTaken) -> Self {
        Self::NotTaken(why)
    }
}

impl From<Refusal> for Cut {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::TimedOut => Self::TooSlow,
            _ => Self::Malformed,
        }
    }
}

/// Reads a form into `fields`, which has what could be read even if the rest is no good, but nothing after a wipe. What
/// hasn't come by then isn't waited for, though a browser shows no answer to what it is still sending: its connection
/// has some of what came in its memory, too.
pub(super) async fn read(
    relay: &Arc<Relay>,
    request: Request,
    progress: Progress,
    reading: &Reading,
    fields: &mut Fields,
) -> Result<(), Cut> {
    let read = tokio::select! {
        biased;
        () = reading.over() => Err(NotTaken::Wiped.into()),
        read = gather(relay, request, progress, fields) => read,
    };
    if read == Err(NotTaken::Wiped.into()) {
        *fields = Fields::default();
    }
    read
}

async fn gather(
    relay: &Arc<Relay>,
    request: Request,
    progress: Progress,
    fields: &mut Fields,
) -> Result<(), Cut> {
    let media_type = request.headers().get(CONTENT_TYPE);
    let media_type = media_type.and_then(|value| value.to_str().ok());
    let mut parts = Multipart::new(media_type.unwrap_or(""))?;
    let body = request.into_body();
    let length = body.size_hint().exact().ok_or(Cut::Malformed)?;
    let mut left = usize::try_from(length).unwrap_or(usize::MAX);
    // Of what is larger only the text is read, to give it back.
    let is_drained = left <= MAX_DRAINED_BYTES;
    let wants_files = !fields.drops_files;
    let mut refused = (wants_files && left > MAX_FORM_BYTES).then_some(NotTaken::TooLarge);
    fields.drops_files |= refused.is_some();
    let is_large = left > MAX_BODY_BYTES;
    let mut fault = None;
    let mut incoming = Incoming::new(body, progress);
    while left > 0 && (is_drained || !fields.is_at_file()) {
        let bytes = incoming.next(left).await?;
        left -= bytes.len();
        if fault.is_some() {
            continue; // a browser shows no answer to what it is still sending
        }
        fault = parts.push(&bytes, &mut |event| fields.take(event)).err();
        let is_asked = is_large
            && wants_files
            && fields.has_content
            && fields.place.is_none()
            && refused.is_none();
        if is_asked && fault.is_none() {
            let waiting = Instant::now();
            match place_for(relay, fields, left).await {
                Ok(permit) => {
                    fields.place = Some(permit);
                    incoming.keep_connection();
                }
                Err(why) => refused = Some(why),
            }
            incoming.extend(waiting.elapsed()); // for others, who may be slow
            fields.drops_files = refused.is_some();
        }
    }
    if let Some(fault) = fault {
        return Err(fault);
    }
    if let Some(why) = refused {
        fields.end_field()?;
        return Err(why.into());
    }
    let is_enough = !wants_files && left > 0; // the rest is of files
    if !parts.is_whole() && !is_enough {
        return Err(Cut::Malformed);
    }
    fields.end_field()
}

/// A place for a large body, `left` bytes of which are still to come, if its message would be let in.
async fn place_for(
    relay: &Arc<Relay>,
    fields: &Fields,
    left: usize,
) -> Result<OwnedSemaphorePermit, NotTaken> {
    let page = page(relay);
    // What surely is the message's own. How large it is exactly is known when it has come.
    let wants = match left.saturating_sub(MOST_AROUND) {
        0 => Wants::Either,
        own => Wants::Files(LargeSize::for_content(own).unwrap_or(LargeSize::Mib1)),
    };
    let follows = fields.goes_on_with();
    let offers = Offers {
        invitation: &fields.invitation,
        payment: &fields.payment,
        follows: follows.as_ref(),
        wants,
    };
    relay.confirm(&offers).await?;
    relay.check_form(page, &fields.form, &offers)?;
    match timeout(REQUEST_TIMEOUT, Arc::clone(&page.bodies).acquire_owned()).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(NotTaken::Busy),
    }
}

impl Fields {
    /// Of a form of which no file is wanted.
    pub(super) fn without_files() -> Self {
        Self {
            drops_files: true,
            ..Self::default()
        }
    }

    /// Of a form that nobody has filled in, with these words.
    pub(super) fn empty(words: &ReplyWords) -> Self {
        Self {
            answer: true,
            words: words.line(),
            ..Self::default()
        }
    }

    /// Whether a file is next, or has begun.
    fn is_at_file(&self) -> bool {
        let current = self.current.as_ref();
        current.is_some_and(|current| current.head.name == "file")
    }

    fn take(&mut self, event: Event<'_>) -> Result<(), Cut> {
        match event {
            Event::Field(head) => {
                self.end_field()?;
                self.has_content |= matches!(head.name.as_str(), "text" | "file");
                self.current = Some(Current {
                    head,
                    value: Zeroizing::default(),
                });
            }
            Event::Value(more) => {
                let current = self.current.as_mut().ok_or(Cut::Malformed)?;
                self.had_files |= current.head.name == "file";
                let most = match current.head.name.as_str() {
                    "file" if self.drops_files => return Ok(()),
                    // The page lets nobody type more, so that all of it comes back with every error.
                    "text" => MAX_BODY_BYTES,
                    "file" => MAX_FORM_BYTES,
                    _ => MAX_SHORT_BYTES,
                };
                if current.value.len() + more.len() > most {
                    return Err(match current.head.name.as_str() {
                        "text" => NotTaken::TooLong.into(),
                        _ => Cut::Malformed,
                    });
                }
                current.value.extend_from_slice(more);
            }
        }
        Ok(())
    }

    /// Puts what was read where it belongs.
    fn end_field(&mut self) -> Result<(), Cut> {
        let Some(Current { head, mut value }) = self.current.take() else {
            return Ok(());
        };
        if head.name == "file" {
            let drops = self.drops_files;
            return if drops {
                Ok(())
            } else {
                self.end_file(head, value)
            };
        }
        let value = String::from_utf8(std::mem::take(&mut *value));
        let value = Zeroizing::new(value.map_err(|_| Cut::Malformed)?);
        match head.name.as_str() {
            "form" => self.form = value.to_string(),
            "words" => self.words = value,
            "box" => self.script.secret = value,
            "salt" => self.script.salt = value,
            "key" => self.script.key = value,
            "follows" => self.follows = true,
            "answer" => self.answer = true,
            "seen" if self.seen.len() < MAX_WAITING => self.seen.push(value),
            "invitation" => self.invitation = value,
            "upload" => {
                self.had_files = true;
                self.upload = Some(value.to_string());
            }
            "challenge" => self.payment.challenge = value.to_string(),
            "nonces" => self.payment.nonces = value.to_string(),
            // Forms end lines with CRLF, whatever was typed.
            "text" => self.text = Zeroizing::new(value.replace("\r\n", "\n")),
            _ => return Err(Cut::Malformed),
        }
        Ok(())
    }

    /// A file field in which nothing was chosen has neither name nor bytes.
    fn end_file(&mut self, head: Head, bytes: Zeroizing<Vec<u8>>) -> Result<(), Cut> {
        let name = head.file_name.ok_or(Cut::Malformed)?;
        if name.is_empty() && bytes.is_empty() {
            return Ok(());
        }
        if self.files.len() == MAX_FILES {
            return Err(NotTaken::TooLarge.into());
        }
        self.had_files = true;
        self.files.push(Chosen {
            name: kept_name(name),
            media_type: kept_type(head.media_type),
            bytes,
        });
        Ok(())
    }

    /// Names and lengths of the files that are in it.
    pub(super) fn chosen(&self) -> Vec<(String, usize)> {
        let files = self.files.iter();
        files
            .map(|file| (file.name.clone(), file.bytes.len()))
            .collect()
    }

    /// Whether the words are to be kept.
    pub(super) fn has_words(&self) -> bool {
        self.answer || self.follows
    }

    /// Makes of it the form of a first message.
    pub(super) fn begin_anew(&mut self) {
        self.follows = false;
        self.answer = true;
        self.seen.clear();
    }

    pub(super) fn acknowledgements(&self) -> Result<Vec<Acknowledgement>, Cut> {
        let seen = self.seen.iter().map(|written| unhex(written));
        seen.map(|bytes| bytes.map(Acknowledgement::new)).collect()
    }

    /// Whether script has made the words, which stay where it runs.
    pub(super) fn keeps_words(&self) -> bool {
        !self.script.secret.is_empty()
    }

    /// The secret of the box that script has words of; `None` if the words are to be here.
    pub(super) fn secret(&self) -> Result<Option<BoxSecret>, Cut> {
        if !self.keeps_words() {
            return Ok(None);
        }
        if !self.words.is_empty() {
            return Err(Cut::Malformed);
        }
        box_secret(&self.script.secret).map(Some)
    }

    /// The secret of the box with whose conversation it goes on, if it has one that can be read.
    pub(super) fn goes_on_with(&self) -> Option<BoxSecret> {
        if !self.follows {
            return None;
        }
        match self.secret() {
            Ok(None) => {
                let words = ReplyWords::parse(&self.words).ok()?;
                Some(words.secrets().secret().copy())
            }
            secret => secret.ok()?,
        }
    }

    /// What is to be delivered. 16 bytes are drawn if the words are here.
    pub(super) fn filled(&mut self, rng: &mut impl CryptoRng) -> Result<Filled, Cut> {
        let (words, chain) = match self.secret()? {
            _ if !self.has_words() => (None, None),
            Some(secret) => {
                let salt = Salt(*unhex(&self.script.salt)?);
                let key = AnswerKey::new(unhex(&self.script.key)?);
                (None, Some(NewChain::new(secret, salt, key)))
            }
            None => {
                let words = ReplyWords::parse(&self.words).map_err(|_| Cut::Malformed)?;
                let chain = words.secrets().new_chain(rng);
                (Some(words), Some(chain))
            }
        };
        Ok(Filled {
            form: self.form.clone(),
            words,
            chain,
            follows: self.follows,
            seen: self.acknowledgements()?,
            invitation: self.invitation.clone(),
            payment: self.payment.clone(),
            text: self.text.clone(),
            files: std::mem::take(&mut self.files),
            upload: self.upload.clone(),
        })
    }
}

/// The secret of a box, as script tells it.
pub(super) fn box_secret(written: &str) -> Result<BoxSecret, Cut> {
    unhex(written).map(BoxSecret::new)
}

/// So many bytes, as they stand in a form.
fn unhex<const N: usize>(written: &str) -> Result<Zeroizing<[u8; N]>, Cut> {
    let bytes = HEXLOWER.decode(written.as_bytes()).ok().map(Zeroizing::new);
    let bytes = bytes.and_then(|bytes| bytes.as_slice().try_into().ok());
    bytes.map(Zeroizing::new).ok_or(Cut::Malformed)
}

/// An acknowledgement as it stands in a form.
pub(super) fn hex(acknowledgement: &Acknowledgement) -> Zeroizing<String> {
    Zeroizing::new(HEXLOWER.encode(acknowledgement.as_bytes()))
}
