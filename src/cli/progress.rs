//! Shows how a delivery goes: a live line on a terminal, plain lines everywhere, both on standard error.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::ask::{agreed, can_ask};
use super::estimate::{about, estimate, roughly};
use super::output::say;
use crate::lock;
use crate::pow::{Puzzle, Search};
use crate::sender::{Consent, Event, Observer, Price};
use crate::tor::TorState;

const TICK: Duration = Duration::from_millis(100);
/// Steps of the bar.
const WIDTH: u64 = 1000;
/// The live line while something is waited for.
const WORDS: &str = "{spinner} {msg}";
/// The live line while a solution is searched for: the bar leaves room for the "^C" of a terminal, behind which the line could not be taken away.
const WORDS_AND_BAR: &str = "{spinner} {msg} {bar:10}";

/// Where a delivery is.
#[derive(Debug)]
enum Step {
    Asking,
    Solving(Solving),
    Exchanging,
    Sending,
    Over,
}

#[derive(Debug)]
struct Solving {
    search: Arc<Search>,
    puzzle: Puzzle,
    time: Duration,
    since: Instant,
}

/// What the live line shows.
#[derive(Debug)]
struct State {
    step: Step,
    /// What is being done about the line, if it is not there.
    link: Option<&'static str>,
    /// How the Tor inside is doing, if it is used.
    tor: Option<watch::Receiver<TorState>>,
    /// Whether the person is being asked something, on the same line.
    asking: bool,
}

/// Shows a delivery's events.
#[derive(Debug)]
pub(super) struct Progress {
    state: Arc<Mutex<State>>,
    bar: ProgressBar,
    sending: AtomicBool,
    /// Whether to pay what can hardly be paid in time.
    anyway: bool,
    _ticker: JoinSet<()>,
}

impl Progress {
    /// Starts showing, with what the Tor inside does if it is used. Must be called within a runtime.
    pub(super) fn start(tor: Option<watch::Receiver<TorState>>, anyway: bool) -> Self {
        let terminal = io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(
            Some(WIDTH),
            if terminal {
                ProgressDrawTarget::stderr()
            } else {
                ProgressDrawTarget::hidden()
            },
        );
        bar.set_style(style(WORDS)); // it is drawn before the first tick, and its own default says nothing
        let state = Arc::new(Mutex::new(State {
            step: Step::Asking,
            link: None,
            tor,
            asking: false,
        }));
        let mut ticker = JoinSet::new();
        if terminal {
            ticker.spawn(tick(bar.clone(), Arc::clone(&state)));
        }
        Self {
            state,
            bar,
            sending: AtomicBool::new(false),
            anyway,
            _ticker: ticker,
        }
    }

    /// Whether the message was on its way, so that its fate may be unknown.
    pub(super) fn was_sending(&self) -> bool {
        self.sending.load(Relaxed)
    }

    /// A line that stays.
    pub(super) fn line(&self, text: &str) {
        self.bar.suspend(|| say(text));
    }

    /// Takes the live line away, for good.
    pub(super) fn finish(&self) {
        lock(&self.state).step = Step::Over; // under the lock that it is drawn under
        self.bar.finish_and_clear();
    }

    /// Asks whether to try all the same, without a live line meanwhile.
    async fn asked(&self) -> bool {
        lock(&self.state).asking = true;
        self.bar.finish_and_clear();
        let answer = spawn_blocking(|| agreed("Try all the same?")).await;
        self.bar.reset();
        lock(&self.state).asking = false;
        matches!(answer, Ok(Ok(true)))
    }

    fn solved(&self, solving: &Solving) {
        self.line(&format!(
            "Proof of work found in {} (2^{:.1} hashes).",
            about(solving.since.elapsed()),
            (solving.search.tried().max(1) as f64).log2()
        ));
    }
}

impl Observer for Progress {
    fn event(&self, event: Event) {
        let mut state = lock(&self.state);
        match event {
            Event::Dialling => {
                if state.link.is_none() {
                    self.line("Connecting…");
                }
                state.link = Some("connecting");
            }
            Event::Connected => {
                state.link = None;
                self.line("Connected.");
            }
            Event::Retrying => {
                state.link = Some("no answer came; trying again");
                self.line("No answer came; trying again…");
            }
            Event::FellBack => {
                self.line("The relay has no kkv/2; going on in kkv/1, the older protocol.");
            }
            Event::Solving {
                search,
                puzzle,
                time,
            } => {
                self.line(&format!(
                    "Paying with a proof of work: about 2^{} hashes, in {} at most…",
                    puzzle.cost(),
                    about(time)
                ));
                state.step = Step::Solving(Solving {
                    search,
                    puzzle,
                    time,
                    since: Instant::now(),
                });
            }
            Event::Exchanging => {
                let before = std::mem::replace(&mut state.step, Step::Exchanging);
                if let Step::Solving(solving) = before {
                    self.solved(&solving);
                }
            }
            Event::PriceRose => {
                self.line("The inbox is filling up, and the price has risen; paying again…");
                state.step = Step::Asking;
            }
            Event::Sending => {
                self.sending.store(true, Relaxed);
                state.step = Step::Sending;
                self.line("Sending the message…");
            }
        }
    }

    fn consents(&self, price: Price) -> Consent<'_> {
        self.line(&format!(
            "The relay asks for 2^{} hashes. That takes {} on this machine, and there is {} for it: {}.",
            price.cost,
            roughly(price.odds.mean()),
            about(price.time),
            chance(price.odds.by(price.time)),
        ));
        Box::pin(async move { self.anyway || can_ask() && self.asked().await })
    }
}

/// A chance below a half, as people say it.
fn chance(chance: f64) -> String {
    match (1.0 / chance).round() {
        ..=10.0 => format!("the chance to be done by then is {:.0} %", chance * 100.0),
        one_in @ ..=1e6 => format!("the chance to be done by then is 1 in {one_in}"),
        _ => "there is no chance to be done by then".to_owned(),
    }
}

async fn tick(bar: ProgressBar, state: Arc<Mutex<State>>) {
    let spinner = style(WORDS);
    let solving = style(WORDS_AND_BAR);
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let state = lock(&state);
        if state.asking {
            continue;
        }
        let text = match (&state.link, &state.step) {
            (_, Step::Over) => return,
            (Some(link), _) => state.connecting(link),
            (None, Step::Asking) => "asking for a challenge".to_owned(),
            (None, Step::Exchanging) => "exchanging keys".to_owned(),
            (None, Step::Sending) => "waiting for the relay to accept it".to_owned(),
            (None, Step::Solving(search)) => {
                let (position, text) = search.show();
                bar.set_style(solving.clone());
                bar.set_position(position);
                bar.set_message(text);
                bar.tick();
                continue;
            }
        };
        bar.set_style(spinner.clone());
        bar.set_message(text);
        bar.tick();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the templates are fixed")
        .progress_chars("=>-")
}

impl State {
    /// What is being done about the line: first Tor has to be there, then the inbox is looked for.
    fn connecting(&self, link: &str) -> String {
        match self.tor.as_ref().map(|tor| *tor.borrow()) {
            Some(tor) if !tor.is_connected() => format!("Tor: {tor}"),
            Some(_) => format!("{link}; looking for the inbox through Tor"),
            None => link.to_owned(),
        }
    }
}

impl Solving {
    /// Position of the bar and what is said beside it.
    fn show(&self) -> (u64, String) {
        let spent = self.since.elapsed();
        let found = self.search.found();
        let Some(now) = estimate(&self.puzzle, self.search.tried(), found, spent) else {
            return (0, "starting".to_owned());
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
        ((now.done * WIDTH as f64) as u64, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
