//! Shows how a delivery goes: a live line on a terminal, plain lines everywhere, both on standard error.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval};

use super::ask::{can_ask, confirm};
use super::live;
use crate::tor::TorState;
use kkv_base::lock;
use kkv_client::sender::{Consent, Event, Observer, Price};
use kkv_pow::Puzzle;
use kkv_protocol::suite::Suite;
use kkv_terminal::stderr::{info, verbose, warn};
use kkv_ui::error::{CliError, Exit};
use kkv_ui::steps::{Steps, dear};

const TICK: Duration = Duration::from_millis(100);
/// Steps of the bar.
const WIDTH: u64 = 1000;
/// The live line while something is waited for.
const WORDS: &str = "{spinner} {msg}";
/// The live line while a solution is searched for: the bar leaves room for the "^C" of a terminal, behind which the
/// line could not be taken away.
const WORDS_AND_BAR: &str = "{spinner} {msg} {bar:10}";

/// What the live line shows.
#[derive(Debug)]
struct State {
    steps: Steps,
    /// Whether the person is being asked something, on the same line.
    asking: bool,
    over: bool,
}

/// Shows a delivery's events.
#[derive(Debug)]
pub(super) struct Progress {
    state: Arc<Mutex<State>>,
    bar: ProgressBar,
    /// Whether to pay what can hardly be paid in time.
    anyway: bool,
    _ticker: JoinSet<()>,
}

impl Progress {
    /// Starts showing, with what the embedded Tor does if it is used. Must be called within a runtime.
    pub(super) fn start(tor: Option<watch::Receiver<TorState>>, anyway: bool) -> Self {
        let target = live::target();
        let terminal = !target.is_hidden();
        let bar = ProgressBar::with_draw_target(Some(WIDTH), target);
        bar.set_style(style(WORDS)); // it is drawn before the first tick, and its own default says nothing
        let state = Arc::new(Mutex::new(State {
            steps: Steps::new(tor),
            asking: false,
            over: false,
        }));
        let mut ticker = JoinSet::new();
        if terminal {
            ticker.spawn(tick(bar.clone(), Arc::clone(&state)));
        }
        Self {
            state,
            bar,
            anyway,
            _ticker: ticker,
        }
    }

    /// Whether the message was on its way, so that its fate may be unknown.
    pub(super) fn was_sending(&self) -> bool {
        lock(&self.state).steps.was_sending()
    }

    /// A line that stays.
    pub(super) fn line(&self, text: &str) {
        self.bar.suspend(|| info(text));
    }

    /// Does what writes on the same terminal, without a live line meanwhile.
    pub(super) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    /// Takes the live line away, for good.
    pub(super) fn finish(&self) {
        lock(&self.state).over = true; // under the lock that it is drawn under
        self.bar.finish_and_clear();
    }

    /// Asks whether to try all the same, without a live line meanwhile. Comes to no end if the program is to end, which
    /// is no answer.
    async fn asked(&self) -> bool {
        lock(&self.state).asking = true;
        self.bar.finish_and_clear();
        let answer = spawn_blocking(|| confirm("Try all the same?")).await;
        self.bar.reset();
        lock(&self.state).asking = false;
        self.consent(answer.expect("asking does not panic")).await
    }

    async fn consent(&self, answer: Result<bool, CliError>) -> bool {
        match answer {
            Ok(agreed) => agreed,
            // By the signal that whoever waits for this delivery hears of, too.
            Err(failed) if failed.exit == Exit::Cancelled => pending().await,
            Err(failed) => {
                self.bar.suspend(|| warn(failed.what));
                false
            }
        }
    }
}

impl Observer for Progress {
    fn event(&self, event: Event) {
        let mut state = lock(&self.state);
        let dials = matches!(event, Event::Dialling);
        // That the weaker suite is spoken must be told (PROTOCOL.md §11), however quiet one is to be.
        let must_be_said = matches!(event, Event::FellBack);
        let more = more(&event);
        let line = state.steps.take(event);
        let is_said = dials && line.is_some(); // the first time
        match line {
            Some(line) if must_be_said => self.bar.suspend(|| warn(line)),
            Some(line) => self.line(&line),
            None => {}
        }
        if let Some(more) = more.filter(|_| !is_said) {
            self.bar.suspend(|| verbose(more));
        }
    }

    fn consents(&self, price: Price) -> Consent<'_> {
        // Who is asked has to know what about.
        if can_ask() && !self.anyway {
            self.bar.suspend(|| warn(dear(&price)));
        } else {
            self.line(&dear(&price));
        }
        Box::pin(async move { self.anyway || can_ask() && self.asked().await })
    }
}

/// What else there is to say of an event.
fn more(event: &Event) -> Option<String> {
    match event {
        Event::Dialling => Some("Dialling again…".to_owned()),
        Event::Solving { puzzle, .. } => {
            let suite = match puzzle {
                Puzzle::V1 { .. } => Suite::V1,
                Puzzle::V2 { .. } => Suite::V2,
            };
            let (count, bits) = (puzzle.count(), puzzle.bits_each());
            Some(format!(
                "The price is {count} × 2^{bits} hashes, as in {suite}."
            ))
        }
        Event::Exchanging => Some("Exchanging keys…".to_owned()),
        Event::Connected
        | Event::FellBack
        | Event::Invited
        | Event::PriceRose
        | Event::Answerable(_)
        | Event::Sending
        | Event::Uploaded { .. }
        | Event::Asking
        | Event::Retrying
        | Event::Refused { .. } => None,
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
        if state.over {
            return;
        }
        if state.asking {
            continue;
        }
        let (done, text) = state.steps.now();
        match done {
            Some(done) => {
                bar.set_style(solving.clone());
                bar.set_position((done * WIDTH as f64) as u64);
            }
            None => bar.set_style(spinner.clone()),
        }
        bar.set_message(text);
        bar.tick();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the templates are fixed")
        .progress_chars("=>-")
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn who_ends_the_program_at_a_question_has_not_said_no() {
        let progress = Progress::start(None, false);
        assert!(progress.consent(Ok(true)).await);
        assert!(!progress.consent(Ok(false)).await);
        assert!(!progress.consent(Err(CliError::usage("unreadable"))).await);
        let cancelled = progress.consent(Err(CliError::new(Exit::Cancelled, "cancelled")));
        assert!(timeout(Duration::ZERO, cancelled).await.is_err());
    }
}
