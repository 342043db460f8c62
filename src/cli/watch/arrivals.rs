//! New messages, one after the other, whatever becomes of the relay meanwhile: none is missed, and none comes twice.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::sleep;

use super::files::FilesDirectory;
use kkv_client::owner::{Client, ClientError};
use kkv_owner::{Known, Message, Summary};
use kkv_protocol::ids::RelayId;
use kkv_relay::queue::MessageId;
use kkv_terminal::stderr::{info, warn};
use kkv_terminal::visible::OneLine;
use kkv_ui::error::CliError;

/// A relay that isn't there is looked for so often.
const LOOK_FOR: Duration = Duration::from_secs(1);

/// What has been seen, and where. That a program looks is no sign of the owner's life.
pub(super) struct Arrivals {
    socket: PathBuf,
    seen: Seen,
    /// Whether the relay doesn't answer any more, and that was said.
    away: bool,
}

/// Which messages have been seen. Numbers grow as messages arrive, so the last one tells.
struct Seen {
    /// Whether those that are unread at first count as new.
    unread_too: bool,
    /// The key of the relay they are in, once it was looked at. Each start has another, and counts from 1.
    relay: Option<RelayId>,
    /// Whether it is known what was there at first.
    begun: bool,
    last: MessageId,
    /// Noticed, and not handed out yet.
    waiting: VecDeque<MessageId>,
    /// Of the relay's queue.
    version: u64,
    /// What it was told last. (A relay from before tells everything each time, and nothing of this.)
    known: Option<Known>,
}

/// What a relay's key tells.
#[derive(Debug, PartialEq, Eq)]
enum Run {
    Same,
    Another,
}

impl Arrivals {
    /// Of the relay at `socket`: all that comes from now on, and before that, if asked for, what is unread already.
    pub(super) fn new(socket: &Path, unread_too: bool) -> Self {
        Self {
            socket: socket.to_owned(),
            seen: Seen::nothing(unread_too),
            away: false,
        }
    }

    /// Waits for the next one, also over a restart of the relay. One that goes before its turn is passed over.
    pub(super) async fn next(&mut self) -> Result<Message, CliError> {
        loop {
            match self.look().await {
                Ok(Some(message)) => return Ok(message),
                Ok(None) => {}
                Err(fault) if self.seen.begun && may_pass(&fault) => self.wait().await,
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    /// Marks it as read, if it is still there. A relay that doesn't say that it has done so is no reason to end.
    pub(super) async fn mark(&self, message: &Message) -> Result<(), CliError> {
        let marked = async {
            let client = self.client()?;
            // A relay that was started anew may have given its number to another one.
            let marked = client.of_run(message.relay);
            match marked.mark(vec![message.summary.id], true).await {
                Ok(_) | Err(ClientError::AnotherRun) => Ok(()),
                Err(fault) => Err(fault),
            }
        };
        match marked.await {
            Ok(()) => Ok(()),
            Err(fault) if may_pass(&fault) => {
                let id = message.summary.id;
                warn(format_args!("kkvc: message {id} may stay unread: {fault}"));
                Ok(())
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// Its files, in a private directory in memory; `None` if it has none.
    pub(super) async fn files(
        &self,
        message: &Message,
    ) -> Result<Option<FilesDirectory>, CliError> {
        let client = self.client()?.of_run(message.relay);
        FilesDirectory::of(&client, message).await
    }

    /// A connection of its own for each purpose: what is left in the buffers of one that has carried a message goes
    /// with it.
    fn client(&self) -> Result<Client, ClientError> {
        Ok(Client::new(&self.socket)?.unattended())
    }

    /// The next one if there is one. Else it waits until something changes, and somebody has to look again.
    async fn look(&mut self) -> Result<Option<Message>, ClientError> {
        while let Some(id) = self.seen.waiting.front().copied() {
            match self.client()?.message(id).await {
                // Of another run than the one it was noticed in.
                Ok(message) if self.learn(message.relay) == Run::Another => {}
                Ok(message) => {
                    self.seen.waiting.pop_front();
                    return Ok(Some(message));
                }
                Err(ClientError::NoMessage(_)) => {
                    self.seen.waiting.pop_front();
                }
                Err(fault) => return Err(fault),
            }
        }
        let client = self.client()?;
        let relay = client.status().await?.relay;
        self.learn(relay);
        let first = !self.seen.begun;
        let list = client.changes(self.seen.known, None).await?;
        if let Some(known) = list.known() {
            self.learn(known.relay); // which may be another one's by now: then everything is listed
            self.seen.version = known.version;
            self.seen.known = Some(known);
        }
        self.seen.notice(&list.messages);
        if first {
            info("Watching for messages; Ctrl-C ends it.");
        }
        if self.seen.waiting.is_empty() {
            // What has come since the list was asked for has changed the version, too.
            self.seen.version = client.watch(self.seen.version).await?;
        }
        Ok(None)
    }

    /// The relay answers, and this is its key.
    fn learn(&mut self, relay: RelayId) -> Run {
        let run = self.seen.learn(relay);
        match run {
            Run::Another => info("kkv was started anew; its messages are watched from the first."),
            Run::Same if self.away => info("kkv answers again."),
            Run::Same => {}
        }
        self.away = false;
        run
    }

    async fn wait(&mut self) {
        if !self.away {
            self.away = true;
            warn(format_args!(
                "kkv doesn't answer any more at {}; waiting for it…",
                OneLine(&self.socket.to_string_lossy())
            ));
        }
        sleep(LOOK_FOR).await;
    }
}

/// Whether it may be that the relay is only being started anew.
fn may_pass(fault: &ClientError) -> bool {
    match fault {
        ClientError::NotRunning(_) | ClientError::Silent | ClientError::HungUp => true,
        ClientError::NotASocket(_)
        | ClientError::ServiceOnly(_)
        | ClientError::NotYours(_)
        | ClientError::AnotherRun
        | ClientError::NoMessage(_)
        | ClientError::CantReply(..)
        | ClientError::TooOldToInvite
        | ClientError::InvitesNobody
        | ClientError::TooManyInvitations
        | ClientError::NoIdentity
        | ClientError::TooOldForIdentities
        | ClientError::CantPost(_)
        | ClientError::Unexpected(_) => false,
    }
}

impl Seen {
    fn nothing(unread_too: bool) -> Self {
        Self {
            unread_too,
            relay: None,
            begun: false,
            last: MessageId(0),
            waiting: VecDeque::new(),
            version: 0,
            known: None,
        }
    }

    /// If it is another run of the relay, nothing of it has been seen, and nothing of the one before is left.
    fn learn(&mut self, relay: RelayId) -> Run {
        let before = self.relay.replace(relay);
        if before.is_none_or(|before| before == relay) {
            return Run::Same;
        }
        self.last = MessageId(0);
        self.waiting.clear();
        self.version = 0;
        self.known = None;
        Run::Another
    }

    /// These are there now, or have changed. Those that are new wait from here on.
    fn notice(&mut self, messages: &[Summary]) {
        let (begun, unread_too, last) = (self.begun, self.unread_too, self.last);
        let new = messages
            .iter()
            .filter(|message| message.id > last && (begun || unread_too && !message.read));
        self.waiting.extend(new.map(|message| message.id));
        self.last = messages.iter().map(|m| m.id).fold(last, Ord::max);
        self.begun = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Socket;
    use kkv_protocol::Via;
    use kkv_protocol::ids::SenderId;
    use kkv_protocol::kind::Kind;
    use kkv_relay::owner::stage::Stage;
    use kkv_relay::queue::Queue;
    use proptest::prelude::*;

    const FIRST: RelayId = RelayId([1; 32]);
    const SECOND: RelayId = RelayId([2; 32]);

    fn summary(id: u64, read: bool) -> Summary {
        Summary {
            id: MessageId(id),
            received: 1_800_000_000,
            read,
            via: Via::V2,
            kind: Kind::Text,
            cost: 4,
            invitation: None,
            bytes: 1,
            sender: Some(SenderId([7; 32])),
            openpgp: None,
            openpgp_inside: Vec::new(),
            files: Vec::new(),
            first: None,
            conversation: None,
        }
    }

    fn unread(ids: impl IntoIterator<Item = u64>) -> Vec<Summary> {
        ids.into_iter().map(|id| summary(id, false)).collect()
    }

    fn waiting(seen: &mut Seen) -> Vec<u64> {
        seen.waiting.drain(..).map(|id| id.0).collect()
    }

    #[test]
    fn what_is_there_at_first_is_not_new_unless_it_is_unread_and_asked_for() {
        let there = [summary(3, true), summary(4, false), summary(7, false)];
        for (unread_too, want) in [(false, vec![]), (true, vec![4, 7])] {
            let mut seen = Seen::nothing(unread_too);
            seen.notice(&there);
            assert_eq!(waiting(&mut seen), want);
            // From then on it doesn't matter who else has read it.
            seen.notice(&[summary(7, false), summary(8, true), summary(9, false)]);
            assert_eq!(waiting(&mut seen), [8, 9]);
        }
    }

    #[test]
    fn after_a_restart_everything_is_new_and_nothing_from_before_waits() {
        let mut seen = Seen::nothing(false);
        assert_eq!(seen.learn(FIRST), Run::Same);
        seen.notice(&unread(1..=5));
        seen.notice(&unread(1..=6));
        seen.version = 9;
        seen.known = Some(Known {
            relay: FIRST,
            version: 9,
        });
        assert_eq!(seen.learn(FIRST), Run::Same);
        assert_eq!((seen.waiting.len(), seen.version), (1, 9));
        assert_eq!(seen.learn(SECOND), Run::Another);
        assert_eq!((seen.waiting.len(), seen.version), (0, 0));
        assert_eq!(seen.known, None);
        seen.notice(&[summary(1, true), summary(2, false)]);
        assert_eq!(waiting(&mut seen), [1, 2]);
    }

    #[tokio::test]
    async fn a_message_costs_no_list_of_those_that_were_there_before() {
        let stage = Stage::new(Queue::new(2000, None).unwrap(), 7);
        while let Some(id) = stage.arrive("hello") {
            stage.queue.mark(id, id.0 < 1999, stage.elapsed());
        }
        stage.queue.delete(MessageId(1), stage.elapsed());
        let (socket, serving) = Socket::of(&stage).await;
        let mut arrivals = Arrivals::new(&socket.path(), true);
        let arriving = async {
            let mut next = async || arrivals.next().await.ok().unwrap().summary.id;
            assert_eq!(next().await, MessageId(1999));
            assert_eq!(next().await, MessageId(2000));
            let before = socket.bytes();
            let id = stage.arrive("one more").unwrap();
            assert_eq!(next().await, id);
            let cost = socket.bytes() - before;
            assert!(cost < 3 * 2048, "{cost}"); // the status, what has changed, the message
        };
        tokio::select! {
            _ = serving => panic!("it serves"),
            () = arriving => {}
        }
    }

    proptest! {
        #[test]
        fn whenever_one_looks_each_message_comes_once_and_in_order(
            looks in prop::collection::vec((0..4_u64, prop::collection::vec(any::<prop::sample::Index>(), 0..3)), 1..20),
        ) {
            let mut seen = Seen::nothing(false);
            seen.notice(&[]);
            let (mut there, mut last, mut handed_out) = (Vec::new(), 0, Vec::new());
            for (come, go) in looks {
                there.extend(last + 1..=last + come);
                last += come;
                seen.notice(&unread(there.iter().copied()));
                handed_out.extend(waiting(&mut seen));
                for index in go {
                    if !there.is_empty() {
                        there.remove(index.index(there.len()));
                    }
                }
            }
            prop_assert_eq!(handed_out, (1..=last).collect::<Vec<_>>());
        }
    }
}
