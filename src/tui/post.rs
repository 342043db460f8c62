//! Deliveries under way, beside the screen.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;

use super::app::Event;
use crate::clock::{Clock, SystemClock};
use crate::contacts::Name;
use crate::crypto::identity::SenderKey;
use crate::crypto::random;
use crate::limits::{ANSWER_TIMEOUT, DIAL_TIMEOUT};
use crate::lock;
use crate::pow::Solver;
use crate::protocol::suite::{Suite, SuitePolicy};
use crate::protocol::text::Text;
use crate::sender::{Accepted, Consent, Event as Happened, Observer, Price};
use crate::tor::{Target, TorWay};
use kkv_ui::error::{CliError, Exit};
use kkv_ui::outcome::{accepted_words, cancelled};
use kkv_ui::steps::{Steps, dear};
use kkv_ui::way::{Load, SharedTor, Way};

/// How far a delivery is, to look at.
pub(super) type Step = Arc<Mutex<Steps>>;

/// What a delivery says.
pub(super) enum Told {
    Begun {
        id: u64,
        step: Step,
        /// In Unix time.
        at: u64,
    },
    /// Whether to pay what this machine can hardly pay in time.
    Asks {
        id: u64,
        words: String,
        answer: oneshot::Sender<bool>,
    },
    Accepted {
        id: u64,
        words: String,
        target: Target,
        suite: Suite,
    },
    Failed(u64, CliError),
}

/// How all messages go.
pub(crate) struct Route {
    pub(crate) tor: TorWay,
    pub(crate) embedded: SharedTor,
    pub(crate) solver: Solver,
}

/// All that are under way. They end with this value.
pub(super) struct Post {
    route: Arc<Route>,
    events: UnboundedSender<Event>,
    under_way: HashMap<u64, Journey>,
}

/// One of them.
struct Journey {
    stop: Arc<Notify>,
    task: AbortHandle,
}

impl Post {
    /// What happens becomes events.
    pub(super) fn new(route: Route, events: UnboundedSender<Event>) -> Self {
        Self {
            route: Arc::new(route),
            events,
            under_way: HashMap::new(),
        }
    }

    /// Has `text` delivered to `target`; in kkv/2 and nothing less if it is that of the contact `better`.
    pub(super) fn send(&mut self, id: u64, target: Target, better: Option<Name>, text: Text) {
        let step = Step::default();
        let observer = Teller {
            id,
            step: Arc::clone(&step),
            events: self.events.clone(),
        };
        let (route, events) = (Arc::clone(&self.route), self.events.clone());
        observer.tell(Told::Begun {
            id,
            step: Arc::clone(&step),
            at: SystemClock::default().wall(),
        });
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let journey = tokio::spawn(async move {
            let result = tokio::select! {
                biased; // what is known is told
                result = carried(&route, target, better.as_ref(), &text, &observer) => result,
                () = stopped.notified() => Err(cancelled(lock(&observer.step).was_sending())),
            };
            match result {
                Ok(accepted) => Told::Accepted {
                    id,
                    words: accepted_words(&accepted, false),
                    target,
                    suite: accepted.suite,
                },
                Err(failed) => Told::Failed(id, failed),
            }
        });
        let task = journey.abort_handle();
        tokio::spawn(async move {
            let told = match journey.await {
                Ok(told) => told,
                Err(fault) if fault.is_cancelled() => return,
                Err(_) => Told::Failed(id, faulty()),
            };
            let _ = events.send(Event::Told(told));
        });
        self.under_way.insert(id, Journey { stop, task });
    }

    /// Gives up one, if it is still under way: then it is told as failed, with whether it may have arrived.
    pub(super) fn cancel(&mut self, id: u64) {
        if let Some(journey) = self.under_way.remove(&id) {
            journey.stop.notify_one();
        }
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        for journey in self.under_way.values() {
            journey.task.abort();
        }
    }
}

/// What is said if the delivery itself had a fault.
fn faulty() -> CliError {
    let what =
        "internal error (a bug; please report it): whether the message arrived can't be known";
    CliError::new(Exit::InDoubt, what).hint("Sending it again may leave it there twice.")
}

async fn carried(
    route: &Route,
    target: Target,
    better: Option<&Name>,
    text: &Text,
    teller: &Teller,
) -> Result<Accepted, CliError> {
    let way = Way::choose(route.tor, target, &route.embedded, DIAL_TIMEOUT).await?;
    *lock(&teller.step) = Steps::new(way.state());
    let load = Load {
        target,
        suites: SuitePolicy::default(),
        better,
        solver: route.solver,
        max_time: None,
        anyway: false,
        patience: ANSWER_TIMEOUT,
        key: SenderKey::generate(&mut random::kernel()),
        text,
    };
    way.carry(load, teller).await
}

/// Tells of one.
#[derive(Debug)]
struct Teller {
    id: u64,
    step: Step,
    events: UnboundedSender<Event>,
}

impl Teller {
    fn tell(&self, told: Told) {
        let _ = self.events.send(Event::Told(told));
    }
}

impl Observer for Teller {
    fn event(&self, event: Happened) {
        lock(&self.step).take(event); // the screen looks at it by itself
    }

    fn consents(&self, price: Price) -> Consent<'_> {
        let (answer, answered) = oneshot::channel();
        self.tell(Told::Asks {
            id: self.id,
            words: dear(&price),
            answer,
        });
        Box::pin(async move { answered.await.unwrap_or(false) })
    }
}
