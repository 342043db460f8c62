//! Looks for answers to what was written here, beside the screen: for each conversation by itself, over a way of its
//! own, at times that nobody can tell before.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use super::delivery::Route;
use crate::tor::Target;
use crate::tui::event::channel::EventSender;
use crate::tui::event::{AnswersEvent, Event};
use crate::tui::state::awaited::{Received, Secret};
use kkv_base::clock::{Clock, SystemClock};
use kkv_base::limits::DIAL_TIMEOUT;
use kkv_client::replies::{CollectError, Found, jittered};
use kkv_client::sender::{Consent, DeliveryOptions, Event as Happened, Observer, Price};
use kkv_protocol::crypto::random;
use kkv_ui::error::CliError;
use kkv_ui::explain::{unacknowledged, unseen};
use kkv_ui::way::{Wanted, Way};

/// About when a conversation is looked into after something was written or has come. Each look costs a circuit and
/// tells the relay that somebody waits.
const FIRST_PAUSE: Duration = Duration::from_secs(120);
/// Where nothing comes, each pause is longer by a half than the one before, up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(900);
/// About when it is said that an answer was seen, so that its place is free for another.
const SEEN_PAUSE: Duration = Duration::from_secs(20);

/// All conversations that are looked into. They end with this value.
pub(in crate::tui) struct AnswersWorker {
    route: Arc<Route>,
    events: EventSender,
    followed: HashMap<u64, AbortHandle>,
}

impl AnswersWorker {
    /// What is found becomes events.
    pub(in crate::tui) fn new(route: Arc<Route>, events: EventSender) -> Self {
        Self {
            route,
            events,
            followed: HashMap::new(),
        }
    }

    /// A message of this conversation was accepted: from now on it is looked into, and sooner than it was if it is
    /// already.
    pub(in crate::tui) fn follow(&mut self, id: u64, target: Target, secret: Arc<Secret>) {
        self.forget(id);
        let follower = Follower {
            id,
            target,
            secret,
            route: Arc::clone(&self.route),
            events: self.events.clone(),
        };
        let task = tokio::spawn(follower.follow());
        self.followed.insert(id, task.abort_handle());
    }

    /// It is looked into no more.
    pub(in crate::tui) fn forget(&mut self, id: u64) {
        if let Some(task) = self.followed.remove(&id) {
            task.abort();
        }
    }
}

impl Drop for AnswersWorker {
    fn drop(&mut self) {
        self.followed.values().for_each(AbortHandle::abort);
    }
}

/// Looks into one.
struct Follower {
    id: u64,
    target: Target,
    secret: Arc<Secret>,
    route: Arc<Route>,
    events: EventSender,
}

impl Follower {
    /// Until it is forgotten: that there is no such conversation says nothing for good while a message may still come.
    async fn follow(self) {
        let mut pause = FIRST_PAUSE;
        loop {
            self.wait(jittered(pause, &mut random::kernel())).await;
            match self.look().await {
                Ok(true) => pause = FIRST_PAUSE,
                Ok(false) => pause = longer(pause),
                Err(failed) => {
                    pause = longer(pause);
                    self.send(AnswersEvent::Failed(self.id, failed.what));
                }
            }
        }
    }

    async fn wait(&self, pause: Duration) {
        let mut until = Instant::now() + pause;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let at = SystemClock::default().wall() + left.as_secs();
            self.send(AnswersEvent::Planned { id: self.id, at });
            tokio::select! {
                () = sleep_until(until) => return,
                () = self.secret.look.notified() => return,
                () = self.secret.saw.notified() => {
                    until = until.min(Instant::now() + jittered(SEEN_PAUSE, &mut random::kernel()));
                }
            }
        }
    }

    /// Takes out what was seen, and tells what there is. Whether the next look is soon: something is new, or nothing is
    /// there, so that something may be on its way.
    async fn look(&self) -> Result<bool, CliError> {
        let asked = Instant::now();
        self.send(AnswersEvent::Looking(self.id));
        let way = Way::choose(
            self.route.tor,
            self.target,
            &self.route.embedded,
            DIAL_TIMEOUT,
        )
        .await?;
        let options = DeliveryOptions {
            solver: self.route.solver,
            ..DeliveryOptions::new(self.target)
        };
        let secrets = self.secret.words.secrets();
        let wanted = Wanted {
            options: options.clone(),
            secrets: &secrets,
            keep: false,
        };
        let mut any = false;
        let show = |found: &Found| {
            let places = || found.answers.iter().map(|one| (one.salt, one.index));
            let is_seen = self.secret.has_seen(places());
            any |= !is_seen;
            self.tell(found, asked);
            Ok::<_, Infallible>(is_seen)
        };
        let collected = way.collect(wanted, &Unheard, show).await;
        match collected {
            Ok(collected) => {
                self.tell(&collected.last, asked);
                Ok(any || collected.last.inside.is_none())
            }
            Err(CollectError::Unseen(failure)) => Err(unseen(&failure, &options)),
            Err(CollectError::Unacknowledged(failure)) => Err(unacknowledged(&failure)),
            Err(CollectError::Unshown(never)) => match never {},
        }
    }

    fn tell(&self, found: &Found, asked: Instant) {
        let answers = found.answers.iter().map(|answer| Received {
            place: (answer.salt, answer.index),
            time: answer.time,
            text: answer.text.clone(),
            is_seen: false,
        });
        self.send(AnswersEvent::Found {
            id: self.id,
            asked,
            at: SystemClock::default().wall(),
            started: found.started,
            inside: found.inside.clone(),
            answers: answers.collect(),
        });
    }

    fn send(&self, event: AnswersEvent) {
        self.events.send(Event::Answers(event));
    }
}

/// Nobody is told how a look goes on, and nobody asked whether to pay more than it is worth.
#[derive(Debug)]
struct Unheard;

impl Observer for Unheard {
    fn event(&self, _: Happened) {}

    fn consents(&self, _: Price) -> Consent<'_> {
        Box::pin(std::future::ready(false))
    }
}

fn longer(pause: Duration) -> Duration {
    (pause + pause / 2).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound() {
        let mut pause = FIRST_PAUSE;
        assert!(longer(pause) > pause);
        (0..10).for_each(|_| pause = longer(pause));
        assert_eq!(pause, LONGEST_PAUSE);
    }
}
