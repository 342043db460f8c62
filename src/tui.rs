//! The interactive client: `kkvc` alone.
//!
//! [`app`] knows what is on the screen and what each event changes; it does nothing itself but give [`Order`]s.
//! [`link`], [`post`] and [`keeper`] carry them out, beside it, and tell what has come of them. [`draw`] shows what is
//! known, on the screen that [`terminal`] has taken over.

mod app;
mod ask;
mod clipboard;
mod compose;
mod draw;
mod field;
mod inbox;
mod keeper;
mod keys;
mod layout;
mod link;
mod outbox;
mod people;
mod person;
mod post;
mod reading;
mod rows;
mod search;
mod start;
mod terminal;
mod theme;
mod undo;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use crate::contacts::BookFile;
use app::{App, Event, Order};
use clipboard::Clipboard;
use keeper::Keeper;
use kkv_terminal::input::{terminal_has_input, terminal_is_gone};
use kkv_terminal::signals;
use kkv_terminal::stderr::info;
use kkv_ui::error::{CliError, Exit};
use layout::Layout;
use link::Link;
use people::People;
use post::Post;
use terminal::Screen;
use terminal::input::{Input, inputs};
use theme::Theme;

pub(crate) use post::Route;

/// How the owner wants it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wishes {
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
const TICK: Duration = Duration::from_millis(100);
/// An owner at the keys is a sign of life this often at most.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// How long the keys rest before a question takes an answer, and before they are commands after a paste: longer than
/// between two keys of what is typed fast or pasted.
const REST: Duration = Duration::from_millis(400);
/// A terminal that goes without a word is missed in so long.
const MISSED: Duration = Duration::from_millis(500);
/// Contacts are saved in less, and without a word, unless another program holds their file.
const SOON: Duration = Duration::from_secs(1);

/// Runs until the owner leaves, for the relay at `socket` or where it is unless told otherwise. Messages go by `route`.
/// Contacts are those in `contacts`, or this session's.
pub(crate) async fn run(
    socket: Option<PathBuf>,
    route: Route,
    contacts: Option<BookFile>,
    wishes: Wishes,
) -> Result<(), CliError> {
    let stopped = signals::stopped()?;
    let people = People::new(contacts.as_ref().map(|file| file.book().clone()));
    let mut app = App::new(Theme::new(wishes.colours), people);
    app.takes_options = wishes.takes_options;
    app.clipboard = Clipboard::here(|name| std::env::var(name).ok());
    app.layout = Layout::here(|name| std::env::var(name).ok());
    let (events, mut happening) = unbounded_channel();
    let keeper = contacts.map(|file| Keeper::new(file, events.clone()));
    let ended = ran(
        socket,
        route,
        app,
        keeper.as_ref(),
        (events, &mut happening),
        wishes,
        stopped,
    )
    .await;
    if let Some(keeper) = keeper {
        saved(keeper, &mut happening).await?;
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

async fn ran(
    socket: Option<PathBuf>,
    route: Route,
    mut app: App,
    keeper: Option<&Keeper>,
    (events, happening): (UnboundedSender<Event>, &mut UnboundedReceiver<Event>),
    wishes: Wishes,
    stopped: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut stopped = std::pin::pin!(stopped);
    let mut suspended = signal(SignalKind::from_raw(libc::SIGTSTP))?;
    let link = Link::new(socket.clone(), events.clone(), wishes.first_words);
    let mut post = Post::new(route, events.clone());
    let mut screen = Screen::open(wishes.mouse)?;
    let mut keys = inputs()?;
    let mut resized = signal(SignalKind::window_change())?;
    let mut following = JoinSet::new();
    following.spawn(link.clone().follow());
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looks = interval(MISSED);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut attended: Option<Instant> = None;
    let mut is_old = true;
    let mut rested: Option<Instant> = None;
    loop {
        if is_old {
            screen.draw(&mut app)?;
        }
        is_old = true;
        let event = tokio::select! {
            input = keys.recv() => match input {
                Some(input) => Some(taken(input)),
                None => return Ok(()), // the terminal is gone
            },
            event = happening.recv() => event,
            _ = ticks.tick(), if app.outbox.under_way() > 0 => None,
            () = screen.takes() => None,
            _ = resized.recv() => None,
            () = sleep_until(rested.unwrap_or_else(Instant::now)), if rested.is_some() => {
                // On a machine that is busy they may be late.
                let any = !keys.is_empty() || terminal_has_input();
                rested = any.then(|| Instant::now() + REST);
                (!any).then_some(Event::Rest)
            }
            _ = looks.tick() => {
                if terminal_is_gone() {
                    return Ok(());
                }
                is_old = false;
                None
            }
            _ = suspended.recv() => {
                if !suspend(&mut screen, keeper, &mut stopped).await? {
                    return Ok(());
                }
                None
            }
            () = &mut stopped => return Ok(()),
        };
        let Some(event) = event else { continue };
        let by_hand = matches!(
            event,
            Event::Key(_) | Event::Mouse(_) | Event::Paste(_) | Event::PasteEnded
        );
        if by_hand && attended.is_none_or(|at| at.elapsed() > SIGN_OF_LIFE) {
            attended = Some(Instant::now());
            link.attend();
        }
        let orders = app.take(event);
        let run = app.run();
        if !app.waits_for_rest() {
            rested = None;
        } else if by_hand || rested.is_none() {
            rested = Some(Instant::now() + REST);
        }
        for order in orders {
            match order {
                Order::Fetch(id) => link.fetch(run, id),
                Order::Look(look) => link.look(look),
                Order::LookNoMore => link.look_no_more(),
                Order::Mark(ids, read) => link.mark(run, ids, read),
                Order::Delete(what) => link.delete(run, what),
                Order::Send {
                    id,
                    target,
                    better,
                    text,
                } => post.send(id, target, better, text),
                Order::Cancel(id) => post.cancel(id),
                Order::Keep(change) => {
                    if let Some(keeper) = keeper {
                        keeper.change(change);
                    }
                }
                Order::Copy(text) => screen.copy(&text, app.clipboard)?,
                Order::Ring if wishes.bell => screen.ring()?,
                Order::Ring => {}
                Order::Redraw => screen.redraw()?,
                Order::StartRelay => start::start(socket.as_deref(), &events),
                Order::Suspend => {
                    if !suspend(&mut screen, keeper, &mut stopped).await? {
                        return Ok(());
                    }
                }
                Order::Quit => return Ok(()),
            }
        }
    }
}

/// Stops this process for a while, but never with the file of contacts in its hands: other programs wait for that.
/// Whether it goes on then: not if `stopped` comes before.
async fn suspend(
    screen: &mut Screen,
    keeper: Option<&Keeper>,
    stopped: &mut (impl Future<Output = ()> + Unpin),
) -> io::Result<bool> {
    let at_rest = async {
        match keeper {
            Some(keeper) => Some(keeper.at_rest().await),
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
async fn saved(keeper: Keeper, happening: &mut UnboundedReceiver<Event>) -> Result<(), CliError> {
    let stopped = signals::stopped()?;
    let mut finished = std::pin::pin!(keeper.finish());
    if timeout(SOON, &mut finished).await.is_err() {
        info("Saving the contacts…");
        tokio::select! {
            () = finished => {}
            () = stopped => {
                let what = "cancelled; the last changes of contacts may not be saved";
                return Err(CliError::new(Exit::Cancelled, what));
            }
        }
    }
    while let Ok(event) = happening.try_recv() {
        if let Event::Kept(kept) = event
            && let Err(why) = kept.done
        {
            return Err(CliError::new(Exit::Refused, format!("not saved: {why}")));
        }
    }
    Ok(())
}

/// What the terminal says, as an event.
fn taken(input: Input) -> Event {
    match input {
        Input::Key(key) => Event::Key(key),
        Input::Mouse(mouse) => Event::Mouse(mouse),
        Input::Paste(text) => Event::Paste(text),
        Input::PasteCut => Event::PasteCut,
        Input::PasteStalled => Event::PasteStalled,
        Input::PasteEnded => Event::PasteEnded,
    }
}
