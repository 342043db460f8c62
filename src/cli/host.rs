//! The running relay as its owner sees it: the block that is printed at start, and `kkvc status`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::output::{laid_out, notice};
use super::speed::Speed;
use super::status::{closed, lasting, listens};
use crate::tor::{Listen, TorMode, TorState};
use kkv_base::count::counted;
use kkv_owner::socket::default_path;
use kkv_owner::{Reach, Status};
use kkv_protocol::MessageHeader;
use kkv_protocol::ids::RelayId;
use kkv_protocol::onion::OnionAddress;
use kkv_relay::boxes::Boxes;
use kkv_relay::home::Home;
use kkv_relay::owner::{DeadManSwitch, Host};
use kkv_relay::queue::{MessageId, Now, Queue};
use kkv_relay::relay::{Invitations, Relay};
use kkv_relay::sandbox::Sandbox;
use kkv_terminal::bar::{columns, hanging, rows};
use kkv_terminal::stderr::{Verbosity, verbosity};
use kkv_terminal::visible::{OneLine, quoted};

/// The program at work.
pub(super) struct RunningRelay {
    pub(super) relay: Arc<Relay>,
    pub(super) tor: TorMode,
    pub(super) onion: Option<(OnionAddress, watch::Receiver<TorState>)>,
    /// How many keys the onion service lets in, if it is closed to all others.
    pub(super) lets_in: Option<u32>,
    pub(super) listens: Option<Listen>,
    pub(super) ttl: Option<Duration>,
    pub(super) dead_man_switch: Option<DeadManSwitch>,
    pub(super) started: Duration,
    pub(super) locked: bool,
    pub(super) sandbox: Sandbox,
}

impl RunningRelay {
    /// Prints the one block. Whether anybody reads it does not matter.
    pub(super) fn announce(&self, socket: &Path, speed: &Speed) {
        if verbosity() == Verbosity::Quiet {
            return;
        }
        let status = self.status();
        let has_page = status.page.is_some();
        let reach = match status.reach() {
            Reach::Onion(address) => match status.lets_in {
                Some(keys) => format!("{address}\n({})", closed(keys)),
                None if has_page => {
                    format!("{address}\n(others do, with kkvc send or in Tor Browser)")
                }
                None => format!("{address}\n(others do, with kkvc send)"),
            },
            Reach::SystemTor => {
                "through a system Tor: put the lines of torrc.example into its torrc; \
                 your address is then in the file `hostname` of its HiddenServiceDir"
                    .to_owned()
            }
            Reach::ThisMachine if has_page => {
                "from this machine, by a browser, too; no Tor is expected".to_owned()
            }
            Reach::ThisMachine => "from this machine; no Tor is expected".to_owned(),
        };
        let mut life = self.ttl.map_or_else(String::new, |ttl| {
            format!(", each kept for {}", lasting(ttl))
        });
        if let Some(switch) = &self.dead_man_switch {
            let longest = lasting(switch.timeout());
            life += &format!("; all are wiped once you have not been there for {longest}");
        }
        let pricing = self.relay.config().pricing;
        let rises = if pricing.adaptive {
            "; more as it fills up"
        } else {
            ""
        };
        let path = socket.to_string_lossy();
        let owner = if socket == default_path() {
            format!("{} (kkvc list)", OneLine(&path))
        } else {
            format!("kkvc --socket {} list", OneLine(&quoted(socket)))
        };
        let head = format!(
            "kkv {} keeps up to {} in memory{life}\n",
            status.version,
            counted(status.queue.capacity, "message"),
        );
        let advice = "; a socket is safer: see torrc.example";
        let rows = rows(
            &[
                ("price", format!("{}{rises}", speed.says(pricing.base))),
                ("reach it", reach),
                ("listens", listens(&status, advice)),
                ("owner", owner),
                ("key", self.relay.keys().public().fingerprint().to_string()),
            ],
            columns(),
        );
        laid_out(format_args!("{}{}", *hanging(&head, columns()), *rows));
    }

    /// Wipes everything whenever the owner has been away for too long, if that was asked for.
    pub(super) async fn wipe_when_away(&self) {
        let Some(switch) = &self.dead_man_switch else {
            return std::future::pending().await;
        };
        let wipe = || self.wipe_for(switch);
        switch.run(|| self.now(), wipe).await;
    }

    /// Wipes everything because the owner was not there, and tells of how many messages: on standard output, which a
    /// service throws away, since the journal is on the disk. Returns how many.
    fn wipe_for(&self, switch: &DeadManSwitch) -> usize {
        let messages = self.wipe().len();
        if messages > 0 {
            let longest = lasting(switch.timeout());
            // Whether anybody reads it does not matter; `kkvc status` says it too.
            notice(format_args!(
                "You have not been there for {longest}; messages wiped: {messages}\n"
            ));
        }
        messages
    }
}

impl Host for RunningRelay {
    fn queue(&self) -> &Queue<MessageHeader> {
        self.relay.queue()
    }

    fn now(&self) -> Now {
        self.relay.now()
    }

    fn boxes(&self) -> &Boxes {
        self.relay.boxes()
    }

    fn invitations(&self) -> &Arc<Invitations> {
        self.relay.invitations()
    }

    fn home(&self) -> &Home {
        self.relay.home()
    }

    fn relay_key(&self) -> RelayId {
        self.relay.keys().public().id()
    }

    fn status(&self) -> Status {
        let now = self.now().elapsed;
        let public = self.relay.public_status();
        let (onion, switch) = (self.onion.as_ref(), self.dead_man_switch.as_ref());
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_seconds: now.saturating_sub(self.started).as_secs(),
            tor: self.tor,
            onion: onion.map(|(address, _)| address.to_string()),
            lets_in: self.lets_in,
            tor_state: onion.map(|(_, state)| *state.borrow()),
            listens: self.listens.clone(),
            suites: public.suites,
            cost: public.cost,
            base_cost: self.relay.config().pricing.base.bits(),
            adaptive: self.relay.config().pricing.adaptive,
            expected_seconds: public.expected_seconds,
            ttl_seconds: self.ttl.map(|ttl| ttl.as_secs()),
            wipe_after_seconds: switch.map(|switch| switch.timeout().as_secs()),
            wiped: switch.and_then(DeadManSwitch::wiped),
            read_receipts: self.relay.config().read_receipts,
            page: self.relay.page_status(),
            queue: self.queue().occupancy(now),
            room: self.queue().room(now),
            locked: self.locked,
            sandbox: self.sandbox.clone(),
            relay: self.relay_key(),
        }
    }

    fn wipe(&self) -> Vec<MessageId> {
        self.relay.wipe()
    }

    fn seen(&self) {
        if let Some(switch) = &self.dead_man_switch {
            switch.reset(self.now(), || self.wipe_for(switch));
        }
    }
}
