//! Deliveries under way, beside the screen.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;

use crate::tor::TorWay;
use crate::tui::event::channel::EventSender;
use crate::tui::event::{DeliveryEvent, Event, SendReply};
use crate::tui::state::outbox::Progress;
use kkv_base::clock::{Clock, SystemClock};
use kkv_base::limits::DIAL_TIMEOUT;
use kkv_base::lock;
use kkv_client::contacts::{Link, Name};
use kkv_client::sender::{
    Accepted, Consent, DeliveryOptions, Event as Happened, Observer, Price, Reply,
};
use kkv_pow::Solver;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::crypto::random;
use kkv_protocol::text::Text;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::outcome::{accepted_words, cancelled};
use kkv_ui::steps::{Steps, dear};
use kkv_ui::way::{Load, SharedTor, Way};

/// How all messages go.
pub(crate) struct Route {
    pub(crate) tor: TorWay,
    pub(crate) embedded: SharedTor,
    pub(crate) solver: Solver,
}

/// All that are under way. They end with this value.
pub(in crate::tui) struct DeliveryWorker {
    route: Arc<Route>,
    events: EventSender,
    under_way: HashMap<u64, Delivery>,
}

/// One of them.
struct Delivery {
    stop: Arc<Notify>,
    task: AbortHandle,
}

impl DeliveryWorker {
    /// What happens becomes events.
    pub(in crate::tui) fn new(route: Arc<Route>, events: EventSender) -> Self {
        Self {
            route,
            events,
            under_way: HashMap::new(),
        }
    }

    /// Has `text` delivered to where `link` leads; in kkv/2 and nothing less if it is that of the contact `better`.
    pub(in crate::tui) fn send(
        &mut self,
        id: u64,
        link: Link,
        better: Option<Name>,
        text: Text,
        reply: Option<SendReply>,
    ) {
        let target = link.target;
        let progress = Progress::default();
        let observer = DeliveryObserver {
            id,
            progress: Arc::clone(&progress),
            events: self.events.clone(),
        };
        let (route, events) = (Arc::clone(&self.route), self.events.clone());
        observer.send(DeliveryEvent::Started {
            id,
            progress: Arc::clone(&progress),
            at: SystemClock::default().wall(),
        });
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let delivery = tokio::spawn(async move {
            let result = tokio::select! {
                biased; // what is known is told
                result = deliver(&route, link, better.as_ref(), (&text, reply), &observer) => result,
                () = stopped.notified() => Err(cancelled(lock(&observer.progress).was_sending())),
            };
            match result {
                Ok(accepted) => DeliveryEvent::Accepted {
                    id,
                    words: accepted_words(&accepted, false),
                    target,
                    suite: accepted.suite,
                },
                Err(failed) => DeliveryEvent::Failed(id, failed),
            }
        });
        let task = delivery.abort_handle();
        tokio::spawn(async move {
            let event = match delivery.await {
                Ok(event) => event,
                Err(fault) if fault.is_cancelled() => return,
                Err(_) => DeliveryEvent::Failed(id, internal_error()),
            };
            events.send(Event::Delivery(event));
        });
        self.under_way.insert(id, Delivery { stop, task });
    }

    /// Gives up one, if it is still under way: then it is told as failed, with whether it may have arrived.
    pub(in crate::tui) fn cancel(&mut self, id: u64) {
        if let Some(delivery) = self.under_way.remove(&id) {
            delivery.stop.notify_one();
        }
    }
}

impl Drop for DeliveryWorker {
    fn drop(&mut self) {
        for delivery in self.under_way.values() {
            delivery.task.abort();
        }
    }
}

/// What is said if the delivery itself had a fault.
fn internal_error() -> CliError {
    let what =
        "internal error (a bug; please report it): whether the message arrived can't be known";
    CliError::new(Exit::InDoubt, what).hint("Sending it again may leave it there twice.")
}

async fn deliver(
    route: &Route,
    link: Link,
    better: Option<&Name>,
    (text, reply): (&Text, Option<SendReply>),
    observer: &DeliveryObserver,
) -> Result<Accepted, CliError> {
    let Link { target, invitation } = link;
    let way = Way::choose(route.tor, target, &route.embedded, DIAL_TIMEOUT).await?;
    *lock(&observer.progress) = Steps::new(way.state());
    let secrets = reply.as_ref().map(|reply| reply.secret.words.secrets());
    let load = Load {
        options: DeliveryOptions {
            solver: route.solver,
            invitation,
            ..DeliveryOptions::new(target)
        },
        better,
        key: SenderKey::generate(&mut random::kernel()),
        text,
        reply: match (&reply, &secrets) {
            (Some(reply), Some(secrets)) if reply.follows_up => Reply::FollowsUp(secrets),
            (Some(_), Some(secrets)) => Reply::Opens(secrets),
            _ => Reply::No,
        },
    };
    way.carry(load, observer).await
}

/// Tells of one.
#[derive(Debug)]
struct DeliveryObserver {
    id: u64,
    progress: Progress,
    events: EventSender,
}

impl DeliveryObserver {
    fn send(&self, event: DeliveryEvent) {
        self.events.send(Event::Delivery(event));
    }
}

impl Observer for DeliveryObserver {
    fn event(&self, event: Happened) {
        lock(&self.progress).take(event); // the screen looks at it by itself
    }

    fn consents(&self, price: Price) -> Consent<'_> {
        let (answer, answered) = oneshot::channel();
        self.send(DeliveryEvent::PaymentQuestion {
            id: self.id,
            words: dear(&price),
            answer,
        });
        Box::pin(async move { answered.await.unwrap_or(false) })
    }
}
