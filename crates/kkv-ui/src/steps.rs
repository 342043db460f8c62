//! Where a delivery is, in words: a line for each step, and one that lives while it lasts.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::estimate::{about, estimate, roughly};
use crate::fields::size;
use kkv_client::sender::{Event, Price};
use kkv_net::tor::TorState;
use kkv_pow::{Puzzle, Search};
use kkv_protocol::refusal::Refusal;
use kkv_protocol::v2::answers::keys::Salt;

/// From then on a silent relay is called so: a piece of a message with files takes half a minute on the slowest line
/// that carries them. The line is given up after a minute and more.
const QUIET: Duration = Duration::from_secs(30);

/// A delivery under way.
#[derive(Debug)]
pub struct Steps {
    step: Step,
    /// When anything was heard last that told where it is.
    heard: Instant,
    /// What is being done about the connection, if it is not there.
    link: Option<&'static str>,
    /// Why the relay wants to be asked again, and until when it is.
    refused: Option<(Refusal, Instant)>,
    /// How the embedded Tor is doing, if it is used.
    tor: Option<watch::Receiver<TorState>>,
    /// What names the message in its conversation, if it can be answered.
    salt: Option<Salt>,
}

#[derive(Debug)]
enum Step {
    Asking,
    Solving(Solving),
    Exchanging,
    Sending,
    Uploading(Uploading),
    /// What is in a box.
    LookingIn,
}

/// A message with files on its way, by what the relay has acknowledged.
#[derive(Debug)]
struct Uploading {
    bytes: u64,
    of: u64,
    /// When and with how much it began, which another run may have sent.
    since: Instant,
    before: u64,
}

#[derive(Debug)]
struct Solving {
    search: Arc<Search>,
    puzzle: Puzzle,
    time: Duration,
    since: Instant,
}

impl Default for Steps {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Steps {
    /// Before the first; with what the embedded Tor does, if it is used.
    pub fn new(tor: Option<watch::Receiver<TorState>>) -> Self {
        Self {
            step: Step::Asking,
            heard: Instant::now(),
            link: None,
            refused: None,
            tor,
            salt: None,
        }
    }

    /// Whether the message was on its way, so that its fate may be unknown.
    pub fn was_sending(&self) -> bool {
        matches!(self.step, Step::Sending | Step::Uploading(_))
    }

    /// What names the message among those of its conversation, once it is sealed and if it can be answered.
    pub fn salt(&self) -> Option<Salt> {
        self.salt
    }

    /// Goes on with `event`. What there is to say of it, if anything.
    pub fn take(&mut self, event: Event) -> Option<String> {
        let goes_on = matches!(
            event,
            Event::Invited
                | Event::Solving { .. }
                | Event::Exchanging
                | Event::PriceRose
                | Event::Sending
                | Event::Uploaded { .. }
                | Event::Asking
        );
        if goes_on {
            self.refused = None;
        }
        self.heard = Instant::now();
        match event {
            Event::Dialling => {
                let first = self.link.replace("connecting").is_none();
                first.then(|| "Connecting…".to_owned())
            }
            Event::Connected => {
                self.link = None;
                Some("Connected.".to_owned())
            }
            Event::Retrying => {
                self.link = Some("no answer came; trying again");
                Some("No answer came; trying again…".to_owned())
            }
            Event::Refused {
                refusal,
                paid,
                left,
            } => {
                let before = self.refused.replace((refusal, Instant::now() + left));
                let new = before.is_none_or(|(before, _)| before != refusal);
                let paid = if paid { ", without paying again" } else { "" };
                new.then(|| {
                    format!(
                        "The relay says: {refusal}. Asking again for {} at most{paid}…",
                        about(left)
                    )
                })
            }
            Event::FellBack => {
                Some("The relay has no kkv/2; going on in kkv/1, the older protocol.".to_owned())
            }
            Event::Solving {
                search,
                puzzle,
                time,
            } => {
                let said = format!(
                    "Paying with a proof of work: about 2^{} hashes, in {} at most…",
                    puzzle.cost(),
                    about(time)
                );
                self.step = Step::Solving(Solving {
                    search,
                    puzzle,
                    time,
                    since: Instant::now(),
                });
                Some(said)
            }
            Event::Invited => Some("Nothing to pay: you are invited.".to_owned()),
            Event::Exchanging => match std::mem::replace(&mut self.step, Step::Exchanging) {
                Step::Solving(solving) => Some(solving.solved()),
                Step::Asking
                | Step::Exchanging
                | Step::Sending
                | Step::Uploading(_)
                | Step::LookingIn => None,
            },
            Event::PriceRose => {
                self.step = Step::Asking;
                Some("The inbox is filling up, and the price has risen; paying again…".to_owned())
            }
            Event::Answerable(salt) => {
                self.salt = Some(salt);
                None
            }
            Event::Sending => {
                self.step = Step::Sending;
                Some("Sending the message…".to_owned())
            }
            Event::Uploaded { bytes, of } => {
                self.link = None;
                match &mut self.step {
                    Step::Uploading(uploading) => uploading.bytes = bytes,
                    step => {
                        *step = Step::Uploading(Uploading {
                            bytes,
                            of,
                            since: Instant::now(),
                            before: bytes,
                        });
                    }
                }
                None
            }
            Event::Asking => {
                self.step = Step::LookingIn;
                None
            }
        }
    }

    /// How far the search is, 0 to 1, if there is one; and what is being done, for a line that lives.
    pub fn now(&self) -> (Option<f64>, String) {
        if let (None, Some((refusal, until))) = (self.link, self.refused) {
            let left = about(until.saturating_duration_since(Instant::now()));
            return (None, format!("{refusal}; asking again, {left} at most"));
        }
        match (self.link, &self.step) {
            (Some(link), _) => (None, self.connecting(link)),
            (None, Step::Asking) => (None, "asking for a challenge".to_owned()),
            (None, Step::Exchanging) => (None, "exchanging keys".to_owned()),
            (None, Step::Sending) => {
                let said = "waiting for the relay to accept it".to_owned();
                (None, self.or_silent(said))
            }
            (None, Step::LookingIn) => (None, "looking for answers".to_owned()),
            (None, Step::Uploading(uploading)) => {
                // How fast it was tells nothing of a line on which nothing comes.
                let said = match self.is_quiet() {
                    true => uploading.there(),
                    false => uploading.show(uploading.since.elapsed()),
                };
                (Some(uploading.done()), self.or_silent(said))
            }
            (None, Step::Solving(solving)) => {
                let (done, text) = solving.show();
                (Some(done), text)
            }
        }
    }

    fn is_quiet(&self) -> bool {
        self.heard.elapsed() >= QUIET
    }

    /// What is said, and for how long the relay has said nothing, once that is long.
    fn or_silent(&self, said: String) -> String {
        match self.is_quiet() {
            true => format!("{said}; no answer for {}", about(self.heard.elapsed())),
            false => said,
        }
    }

    /// What is being done about the connection: first Tor has to be there, then the inbox is looked for.
    fn connecting(&self, link: &str) -> String {
        match self.tor.as_ref().map(|tor| *tor.borrow()) {
            Some(tor) if !tor.is_connected() => format!("Tor: {tor}"),
            Some(_) => format!("{link}; looking for the inbox through Tor"),
            None => link.to_owned(),
        }
    }
}

impl Uploading {
    /// How much of it is there, 0 to 1.
    fn done(&self) -> f64 {
        self.bytes as f64 / self.of.max(1) as f64
    }

    fn there(&self) -> String {
        format!("{} of {} delivered", size(self.bytes), size(self.of))
    }

    /// How much is there, at which rate since it began, and how long the rest takes at that.
    fn show(&self, spent: Duration) -> String {
        let there = self.there();
        let sent = self.bytes.saturating_sub(self.before);
        let rate = sent as f64 / spent.as_secs_f64().max(0.001);
        if sent == 0 {
            return there;
        }
        let left = self.of.saturating_sub(self.bytes) as f64 / rate;
        format!(
            "{there}, {}/s, {} left",
            size(rate as u64),
            roughly(Duration::from_secs_f64(left)),
        )
    }
}

impl Solving {
    /// How much is done, and what is said beside it.
    fn show(&self) -> (f64, String) {
        let spent = self.since.elapsed();
        let found = self.search.found();
        let Some(now) = estimate(&self.puzzle, self.search.tried(), found, spent) else {
            return (0.0, "starting".to_owned());
        };
        let done = match self.puzzle.count() {
            1 => format!("chance so far {:.0} %", now.done * 100.0),
            count => format!("{found} of {count} found"),
        };
        let text = format!(
            "{done}, {} left, {} at most, {:.0} MH/s",
            roughly(now.left),
            about(self.time.saturating_sub(spent)),
            now.rate / 1e6,
        );
        (now.done, text)
    }

    fn solved(&self) -> String {
        format!(
            "Proof of work found in {} (2^{:.1} hashes).",
            about(self.since.elapsed()),
            (self.search.tried().max(1) as f64).log2()
        )
    }
}

/// What a price means that this machine will hardly pay in time, or for longer than without asking.
pub fn dear(price: &Price) -> String {
    if price.is_likely() {
        return format!(
            "The relay asks for 2^{} hashes. That takes {} on this machine, of {} that there is for it.",
            price.cost,
            roughly(price.odds.mean()),
            about(price.time),
        );
    }
    format!(
        "The relay asks for 2^{} hashes. That takes {} on this machine, and there is {} for it: {}.",
        price.cost,
        roughly(price.odds.mean()),
        about(price.time),
        chance(price.odds.by(price.time)),
    )
}

/// A chance below a half, as people say it.
fn chance(chance: f64) -> String {
    match (1.0 / chance).round() {
        ..=10.0 => format!("the chance to be done by then is {:.0} %", chance * 100.0),
        one_in @ ..=1e6 => format!("the chance to be done by then is 1 in {one_in}"),
        _ => "there is no chance to be done by then".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_delivered_is_told_with_rate_and_time_left() {
        let mut steps = Steps::new(None);
        steps.take(Event::Connected);
        steps.take(Event::Sending);
        let uploaded = |bytes| Event::Uploaded { bytes, of: 1 << 20 };
        steps.take(uploaded(1 << 18));
        assert_eq!(
            steps.now(),
            (Some(0.25), "256 KiB of 1 MiB delivered".to_owned())
        );
        steps.take(uploaded(1 << 19));
        assert!(steps.was_sending());
        let Step::Uploading(uploading) = &steps.step else {
            panic!("it is");
        };
        let said = uploading.show(Duration::from_secs(8));
        assert!(
            said.starts_with("512 KiB of 1 MiB delivered, 32 KiB/s, "),
            "{said}"
        );
        assert!(said.ends_with(" left"), "{said}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_relay_that_says_nothing_for_long_is_told() {
        let mut steps = Steps::new(None);
        steps.take(Event::Connected);
        steps.take(Event::Sending);
        let quiet = || tokio::time::advance(QUIET + Duration::from_secs(5));
        let waits = "waiting for the relay to accept it";
        assert_eq!(steps.now().1, waits);
        quiet().await;
        assert_eq!(steps.now().1, format!("{waits}; no answer for 35 s"));
        let uploaded = |bytes| Event::Uploaded { bytes, of: 1 << 20 };
        for bytes in [1 << 18, 1 << 19] {
            steps.take(uploaded(bytes));
            assert!(!steps.now().1.contains("no answer"), "{bytes}");
        }
        quiet().await;
        let said = "512 KiB of 1 MiB delivered; no answer for 35 s";
        assert_eq!(steps.now(), (Some(0.5), said.to_owned()));
        steps.take(Event::Retrying);
        assert_eq!(steps.now().1, "no answer came; trying again");
        steps.take(Event::Connected);
        assert!(!steps.now().1.contains("no answer"), "of this connection");
    }

    #[test]
    fn chances_read_well() {
        for (odds, said) in [
            (0.5, "is 50 %"),
            (0.1, "is 10 %"),
            (0.05, "is 1 in 20"),
            (1e-6, "is 1 in 1000000"),
            (1e-7, "there is no chance"),
            (0.0, "there is no chance"),
        ] {
            assert!(chance(odds).contains(said), "{odds}: {}", chance(odds));
        }
    }
}
