//! A sender's side of a conversation: looks into the box that its words open, takes the answers out, and writes on.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use rand::CryptoRng;

use crate::sender::{Asker, Delivery, Failure};
use kkv_net::tor::Dial;
use kkv_protocol::crypto::identity::{PublicKey, Relay};
use kkv_protocol::v2::answers::keys::{Acknowledgement, Salt};
use kkv_protocol::v2::answers::sender::{Answer, Replies, ReplySecrets};
use kkv_protocol::v2::answers::status::BoxStatus;
use kkv_protocol::v2::purpose::BodySize;

/// Most looks into a box for what has come meanwhile: a relay that makes up answers as fast as they are shown is not
/// listened to for ever.
const MAX_LOOKS: u32 = 16;

/// A box at a relay.
pub struct Mailbox<'d, D: Dial> {
    asker: Asker<'d, D>,
    secrets: &'d ReplySecrets,
}

/// What was found at a relay.
#[derive(Debug)]
pub struct Found {
    /// Who says so.
    pub relay: PublicKey<Relay>,
    /// When it started, by its own clock, in unix seconds.
    pub started: u64,
    /// The box, if there is one.
    pub inside: Option<BoxStatus>,
    /// Answers that wait in it, oldest first.
    pub answers: Vec<Answer>,
}

/// What has become of a box's answers.
#[derive(Debug)]
pub struct Collected {
    /// How it was seen last.
    pub last: Found,
    /// Answers that were shown.
    pub shown: usize,
    /// Answers that were found, and that nobody took: they are still there.
    pub untaken: usize,
    /// Whether they are deleted there.
    pub acknowledged: bool,
}

/// Why answers were not collected.
#[derive(Debug)]
pub enum CollectError<E> {
    /// The relay did not say what there is. Nothing was shown, and nothing changed there.
    Unseen(Failure),
    /// They could not be shown. They are still there.
    Unshown(E),
    /// They were shown, and are still there, or it can't be known.
    Unacknowledged(Failure),
}

/// From half of `pause` to one and a half, so that looks which nobody asked for come at times that tell nothing. Draws
/// four bytes.
#[must_use]
pub fn jittered(pause: Duration, rng: &mut impl CryptoRng) -> Duration {
    let mut bytes = [0; 4];
    rng.fill_bytes(&mut bytes);
    let part = f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX);
    pause.mul_f64(0.5 + part)
}

impl<'d, D: Dial> Mailbox<'d, D> {
    /// That of these secrets, where `delivery` leads. Nothing is dialled yet.
    #[must_use]
    pub fn new(delivery: &'d Delivery<'d, D>, secrets: &'d ReplySecrets) -> Self {
        Self {
            asker: Asker::new(delivery, BodySize::Kib16),
            secrets,
        }
    }

    /// Has the relay delete the answers that are `acknowledged`, four at most, and looks what there is.
    ///
    /// # Errors
    /// See [`Asker::ask`].
    ///
    /// # Panics
    /// There are more than four.
    pub async fn look(
        &mut self,
        acknowledged: &[&Acknowledgement],
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<Found, Failure> {
        let secrets = self.secrets;
        let answered = self
            .asker
            .ask(|asking| secrets.ask(asking, acknowledged), rng)
            .await?;
        let relay = answered.relay;
        let replies = secrets.read(&relay.id(), &answered.request, &answered.answer)?;
        let (inside, answers) = match replies {
            Replies::NoBox => (None, Vec::new()),
            Replies::Box(status, answers) => (Some(status), answers),
        };
        Ok(Found {
            relay,
            started: answered.answer.started,
            inside,
            answers,
        })
    }

    /// Shows the box and every answer in it, none twice, by `show`, which says whether that was taken; then has the
    /// relay delete them, unless they are to be kept there. What comes meanwhile is shown as well.
    ///
    /// # Errors
    /// As [`CollectError`] says. No answer is acknowledged that was not shown.
    pub async fn collect<E>(
        &mut self,
        keep: bool,
        mut show: impl FnMut(&Found) -> Result<bool, E> + Send,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<Collected, CollectError<E>> {
        let mut known: HashSet<(Salt, u16)> = HashSet::new();
        let mut found = self.look(&[], rng).await.map_err(CollectError::Unseen)?;
        let mut acknowledged = false;
        let mut untaken = 0;
        for looks in 1.. {
            found
                .answers
                .retain(|answer| !known.contains(&place(answer)));
            let is_news = looks == 1 || !found.answers.is_empty();
            if !is_news {
                break;
            }
            let taken = show(&found).map_err(CollectError::Unshown)?;
            if !taken {
                acknowledged = false;
                untaken = found.answers.len();
                break;
            }
            known.extend(found.answers.iter().map(place));
            if keep || found.answers.is_empty() || looks >= MAX_LOOKS {
                break;
            }
            let shown: Vec<_> = found
                .answers
                .iter()
                .map(|answer| &answer.acknowledgement)
                .collect();
            let next = self.look(&shown, rng).await;
            found = next.map_err(CollectError::Unacknowledged)?;
            acknowledged = true;
        }
        Ok(Collected {
            last: found,
            shown: known.len(),
            untaken,
            acknowledged,
        })
    }
}

fn place(answer: &Answer) -> (Salt, u16) {
    (answer.salt, answer.index)
}

impl<D: Dial> fmt::Debug for Mailbox<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailbox(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_of_many_lengths_around_what_they_should_be() {
        let pause = Duration::from_secs(600);
        let rng = &mut rand::rng();
        let drawn: Vec<_> = (0..100).map(|_| jittered(pause, rng)).collect();
        assert!(
            drawn
                .iter()
                .all(|one| (pause / 2..=pause * 3 / 2).contains(one))
        );
        assert!(drawn.iter().any(|one| *one != drawn[0]));
    }
}
