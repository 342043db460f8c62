//! Whether the relay runs and answers, and what is known of it to all other checks.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::UnixStream;

use super::super::common::Common;
use super::super::status::lasting;
use super::{Finding, lowered};
use kkv_client::owner::ClientError;
use kkv_owner::Status;
use kkv_owner::socket::default_path;
use kkv_ui::error::CliError;

/// The version of this program, and so of the relay that belongs to it.
const OWN_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The relay, as far as it can be seen.
pub(super) struct Seen {
    /// Where it is, or should be.
    pub(super) socket: PathBuf,
    pub(super) status: Result<Status, ClientError>,
    /// The limits of its process, if it runs and they can be seen.
    pub(super) limits: Option<Limits>,
}

impl Seen {
    pub(super) async fn of(common: &Common) -> Self {
        let asked = common.socket.clone().unwrap_or_else(default_path);
        let (socket, status) = match common.open() {
            Ok(client) => (client.socket().to_owned(), client.status().await),
            Err(ClientError::ServiceOnly(socket)) => {
                (socket.clone(), Err(ClientError::ServiceOnly(socket)))
            }
            Err(fault) => (asked, Err(fault)),
        };
        let limits = match status {
            Ok(_) => Limits::of_who_listens_at(&socket).await,
            Err(_) => None,
        };
        Self {
            socket,
            status,
            limits,
        }
    }

    /// How it is, if it answers.
    pub(super) fn running(&self) -> Option<&Status> {
        self.status.as_ref().ok()
    }
}

/// Running, answering, of this version?
pub(super) fn check(seen: &Seen) -> Finding {
    const CHECK: &str = "relay";
    match &seen.status {
        Ok(status) => {
            let up = lasting(Duration::from_secs(status.uptime_seconds));
            let running = format!("running, {}, up {up}", status.version);
            if status.version == OWN_VERSION {
                return Finding::ok(CHECK, running);
            }
            Finding::warning(
                CHECK,
                format!("{running}; this kkvc is {OWN_VERSION}"),
                "start kkv again, once you have read your messages: they go with it",
            )
        }
        Err(fault) => {
            let failed = CliError::from(fault.clone());
            let mend = failed.hint.unwrap_or_else(|| {
                "see that kkv and kkvc are of one version, and start kkv again".to_owned()
            });
            Finding::wrong(CHECK, failed.what, lowered(&mend))
        }
    }
}

/// The limits of a process, as `/proc/PID/limits` has them: see proc_pid_limits(5).
pub(super) struct Limits(String);

impl Limits {
    /// Of the process that listens at `socket`.
    async fn of_who_listens_at(socket: &Path) -> Option<Self> {
        let peer = UnixStream::connect(socket).await.ok()?.peer_cred().ok()?;
        let process = peer.pid()?;
        std::fs::read_to_string(format!("/proc/{process}/limits"))
            .ok()
            .map(Self)
    }

    #[cfg(test)]
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// What is enforced at present of the limit with this name; the largest number if it is unlimited.
    pub(super) fn now(&self, name: &str) -> Option<u64> {
        let rest = self.0.lines().find_map(|line| line.strip_prefix(name))?;
        match rest.split_whitespace().next()? {
            "unlimited" => Some(u64::MAX),
            number => number.parse().ok(),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::tor::TorMode;
    use kkv_pow::Cost;
    use kkv_protocol::ids::RelayId;
    use kkv_relay::queue::{Occupancy, Room};
    use kkv_relay::sandbox::{Confined, Sandbox};

    pub(in super::super) const LIMITS: &str = "\
Limit                     Soft Limit           Hard Limit           Units     
Max core file size        0                    unlimited            bytes     
Max open files            1024                 4096                 files     
Max locked memory         unlimited            unlimited            bytes     
";

    /// A relay in the best of health.
    pub(in super::super) fn well() -> Status {
        Status {
            version: OWN_VERSION.to_owned(),
            uptime_seconds: 10_800,
            tor: TorMode::External,
            onion: None,
            tor_state: None,
            listens: "127.0.0.1:1".parse().ok(),
            suites: Vec::new(),
            cost: Cost::HIGHEST.bits(),
            base_cost: 1,
            adaptive: true,
            expected_seconds: 480,
            ttl_seconds: None,
            lets_in: None,
            wipe_after_seconds: None,
            wiped: None,
            read_receipts: false,
            page: None,
            queue: Occupancy {
                capacity: 50,
                stored: 0,
                reserved: 0,
                unread: 0,
            },
            room: Room::default(),
            locked: true,
            sandbox: Sandbox {
                files: Confined::Fully,
                calls: Confined::Fully,
                writes: None,
            },
            relay: RelayId([1; 32]),
        }
    }

    pub(in super::super) fn seen(status: Result<Status, ClientError>) -> Seen {
        Seen {
            socket: "/nonexistent/kkv.sock".into(),
            status,
            limits: None,
        }
    }

    #[test]
    fn a_relay_of_this_version_is_well_and_another_one_is_told() {
        let finding = check(&seen(Ok(well())));
        let want = format!("running, {OWN_VERSION}, up 3h");
        assert_eq!(finding, Finding::ok("relay", want));
        let other = Status {
            version: "0.0.9".to_owned(),
            ..well()
        };
        let finding = check(&seen(Ok(other)));
        assert_eq!(finding.state, super::super::State::Warning);
        assert!(finding.what.contains("0.0.9") && finding.what.contains(OWN_VERSION));
    }

    #[test]
    fn whatever_keeps_it_from_answering_comes_with_what_to_do() {
        for fault in [
            ClientError::NotRunning("/x".into()),
            ClientError::ServiceOnly("/x".into()),
            ClientError::NotYours("/x".into()),
            ClientError::Silent,
            ClientError::HungUp,
            ClientError::Unexpected("status 500".to_owned()),
        ] {
            let finding = check(&seen(Err(fault)));
            assert_eq!(finding.state, super::super::State::Wrong);
            assert!(finding.mend.is_some_and(|mend| !mend.is_empty()));
        }
    }

    #[test]
    fn limits_are_found_by_their_names() {
        let limits = Limits::new(LIMITS);
        assert_eq!(limits.now("Max open files"), Some(1024));
        assert_eq!(limits.now("Max core file size"), Some(0));
        assert_eq!(limits.now("Max locked memory"), Some(u64::MAX));
        assert_eq!(limits.now("Max hopes"), None);
        assert_eq!(
            Limits::new("Max open files what").now("Max open files"),
            None
        );
    }
}
