//! The interactive client: `kkvc` alone.
//!
//! State, update, view, in one direction: [`app`] holds the [`state`] of all screens and takes [`event::Event`]s into
//! account; it does nothing itself but give [`event::Effect`]s. [`workers`] carry them out, beside it, and tell by
//! events what has come of them. [`view`] shows the state, on the screen that [`terminal`] has taken over.

mod app;
mod event;
mod keyboard_layout;
mod state;
mod terminal;
mod theme;
mod view;
mod workers;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use app::App;
use event::channel::{EventReceiver, EventSender, event_channel};
use event::{ContactsEvent, Effect, Event, Input};
use keyboard_layout::KeyboardLayout;
use kkv_client::contacts::{BookFile, Link};
use kkv_terminal::input::{terminal_has_input, terminal_is_gone};
use kkv_terminal::signals;
use kkv_terminal::stderr::info;
use kkv_ui::error::{CliError, Exit};
use state::contact_list::ContactList;
use terminal::ScreenGuard;
use terminal::clipboard::Clipboard;
use terminal::input::inputs;
use theme::Theme;
use workers::answers::AnswersWorker;
use workers::contacts::ContactsWorker;
use workers::delivery::DeliveryWorker;
use workers::launch::start;
use workers::relay::RelayWorker;

pub(crate) use workers::delivery::Route;

/// How the owner wants it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) colours: bool,
    /// Whether the mouse does anything here; if not, it marks text as ever.
    pub(crate) mouse: bool,
    /// Whether new messages ring the terminal's bell.
    pub(crate) bell: bool,
    /// Whether the list shows what each text begins with.
    pub(crate) first_words: bool,
    /// Whether every option that a text names can be given to the interactive client, too.
    pub(crate) takes_options: fn(&str) -> bool,
}

/// How often a delivery under way is looked at.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
/// An owner at the keys is a sign of life this often at most.
const SIGN_OF_LIFE_INTERVAL: Duration = Duration::from_secs(10);
/// How long the keys rest before a question takes an answer, and before they are commands after a paste: longer than
/// between two keys of what is typed fast or pasted.
const REST: Duration = Duration::from_millis(400);
/// A terminal that goes without a word is missed in so long.
const TERMINAL_CHECK_INTERVAL: Duration = Duration::from_millis(500);
/// Contacts are saved in less, and without a word, unless another program holds their file.
const SAVING_UNTOLD: Duration = Duration::from_secs(1);

/// Runs until the owner leaves, for the relay at `socket` or where it is unless told otherwise. Messages go by `route`.
/// Contacts are those in `contacts`, or this session's.
pub(crate) async fn run(
    socket: Option<PathBuf>,
    route: Route,
    contacts: Option<BookFile>,
    options: Options,
) -> Result<(), CliError> {
    let stopped = signals::stopped()?;
    let contact_list = ContactList::new(contacts.as_ref().map(|file| file.book().clone()));
    let mut app = App::new(Theme::new(options.colours), contact_list);
    app.clipboard = Clipboard::here(|name| std::env::var(name).ok());
    app.keyboard = KeyboardLayout::here(|name| std::env::var(name).ok());
    app.takes_options = options.takes_options;
    let (events, mut incoming) = event_channel();
    let contacts_worker = contacts.map(|file| ContactsWorker::new(file, events.clone()));
    let ended = event_loop(
        socket,
        route,
        app,
        contacts_worker.as_ref(),
        (events, &mut incoming),
        options,
        stopped,
    )
    .await;
    if let Some(contacts_worker) = contacts_worker {
        finish_contacts(contacts_worker, &mut incoming).await?;
    }
    if terminal_is_gone() {
        return Ok(()); // the window was closed, which is one way to leave
    }
    ended.map_err(|fault| {
        CliError::new(
            Exit::Refused,
            format!("the terminal can't be used: {fault}"),
        )
        .hint("The commands work without it: kkvc --help lists them.")
    })
}

async fn event_loop(
    socket: Option<PathBuf>,
    route: Route,
    mut app: App,
    contacts_worker: Option<&ContactsWorker>,
    (events, incoming): (EventSender, &mut EventReceiver),
    options: Options,
    stopped: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut stopped = std::pin::pin!(stopped);
    let mut suspended = signal(SignalKind::from_raw(libc::SIGTSTP))?;
    let relay = RelayWorker::new(socket.clone(), events.clone(), options.first_words);
    let route = Arc::new(route);
    let mut answers = AnswersWorker::new(Arc::clone(&route), events.clone());
    let mut deliveries = DeliveryWorker::new(route, events.clone());
    let mut screen = ScreenGuard::open(options.mouse)?;
    let mut input = inputs()?;
    let mut resized = signal(SignalKind::window_change())?;
    let mut following = JoinSet::new();
    following.spawn(relay.clone().follow());
    let mut ticks = interval(PROGRESS_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut checks = interval(TERMINAL_CHECK_INTERVAL);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last_sign_of_life: Option<Instant> = None;
    let mut is_outdated = true;
    let mut rests_at: Option<Instant> = None;
    loop {
        if is_outdated {
            screen.draw(|frame| view::draw(frame, &mut app))?;
        }
        is_outdated = true;
        let event = tokio::select! {
            said = input.recv() => match said {
                Some(said) => Some(Event::Inputs(said?)),
                None => return Ok(()), // the terminal is gone
            },
            event = incoming.recv() => event,
            _ = ticks.tick(), if app.outbox.in_progress() > 0 => None,
            () = screen.takes() => None,
            _ = resized.recv() => None,
            () = sleep_until(rests_at.unwrap_or_else(Instant::now)), if rests_at.is_some() => {
                // On a machine that is busy they may be late.
                let any = !input.is_empty() || terminal_has_input();
                rests_at = any.then(|| Instant::now() + REST);
                (!any).then_some(Event::KeysRested)
            }
            _ = checks.tick() => {
                if terminal_is_gone() {
                    return Ok(());
                }
                is_outdated = false;
                None
            }
            _ = suspended.recv() => {
                if !suspend(&mut screen, contacts_worker, &mut stopped).await? {
                    return Ok(());
                }
                None
            }
            () = &mut stopped => return Ok(()),
        };
        let Some(event) = event else { continue };
        let by_hand = is_by_hand(&event);
        if by_hand && last_sign_of_life.is_none_or(|at| at.elapsed() > SIGN_OF_LIFE_INTERVAL) {
            last_sign_of_life = Some(Instant::now());
            relay.attend();
        }
        let effects = app.update(event);
        let run = app.run();
        if !app.waits_for_rest() {
            rests_at = None;
        } else if by_hand || rests_at.is_none() {
            rests_at = Some(Instant::now() + REST);
        }
        for effect in effects {
            match effect {
                Effect::Fetch(id) => relay.fetch(run, id),
                Effect::Search(request) => relay.search(request),
                Effect::StopSearch => relay.stop_search(),
                Effect::SaveFiles { run, id, directory } => relay.save(run, id, directory),
                Effect::Mark(ids, read) => relay.mark(run, ids, read),
                Effect::Delete(what) => relay.delete(run, what),
                Effect::Send {
                    id,
                    target,
                    invitation,
                    better,
                    text,
                    reply,
                } => {
                    let link = Link { target, invitation };
                    deliveries.send(id, link, better, text, reply);
                }
                Effect::Follow { id, target, secret } => answers.follow(id, target, secret),
                Effect::Unfollow(id) => answers.forget(id),
                Effect::Answer { id, to, text } => relay.answer(id, to, text),
                Effect::Cancel(id) => deliveries.cancel(id),
                Effect::ChangeContacts(change) => {
                    if let Some(contacts_worker) = contacts_worker {
                        contacts_worker.change(change);
                    }
                }
                Effect::Copy(text) => screen.copy(&text, app.clipboard)?,
                Effect::RingBell if options.bell => screen.ring()?,
                Effect::RingBell => {}
                Effect::Redraw => screen.redraw()?,
                Effect::StartRelay => start(socket.as_deref(), &events),
                Effect::Suspend => {
                    if !suspend(&mut screen, contacts_worker, &mut stopped).await? {
                        return Ok(());
                    }
                }
                Effect::Quit => return Ok(()),
            }
        }
    }
}

/// Whether somebody is at the keys.
fn is_by_hand(event: &Event) -> bool {
    let is_one = |input: &Input| {
        matches!(
            input,
            Input::Key(_) | Input::Mouse(_) | Input::Paste(_) | Input::PasteEnded
        )
    };
    matches!(event, Event::Inputs(inputs) if inputs.iter().any(is_one))
}

/// Stops this process for a while, but never with the file of contacts in its hands: other programs wait for that.
/// Whether it goes on then: not if `stopped` comes before.
async fn suspend(
    screen: &mut ScreenGuard,
    contacts_worker: Option<&ContactsWorker>,
    stopped: &mut (impl Future<Output = ()> + Unpin),
) -> io::Result<bool> {
    let at_rest = async {
        match contacts_worker {
            Some(contacts_worker) => Some(contacts_worker.at_rest().await),
            None => None,
        }
    };
    let _at_rest = tokio::select! {
        at_rest = at_rest => at_rest,
        () = stopped => return Ok(false),
    };
    screen.suspend()?;
    Ok(true)
}

/// Waits until all contacts are saved that were to be.
async fn finish_contacts(
    contacts_worker: ContactsWorker,
    incoming: &mut EventReceiver,
) -> Result<(), CliError> {
    let stopped = signals::stopped()?;
    let mut finished = std::pin::pin!(contacts_worker.finish());
    if timeout(SAVING_UNTOLD, &mut finished).await.is_err() {
        info("Saving the contacts…");
        tokio::select! {
            () = finished => {}
            () = stopped => {
                let what = "cancelled; the last changes of contacts may not be saved";
                return Err(CliError::new(Exit::Cancelled, what));
            }
        }
    }
    while let Some(event) = incoming.try_recv() {
        if let Event::Contacts(ContactsEvent::Tried { result, .. }) = event
            && let Err(why) = result
        {
            return Err(CliError::new(Exit::Refused, format!("not saved: {why}")));
        }
    }
    Ok(())
}
