//! Daemons that use the network without being part of it: clients, and hosts of onion services.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};

use super::control::Control;
use super::daemon::Daemon;
use super::keys::make_private_dir;
use super::plan::Node;
use super::tools::Tools;
use super::torrc;
use super::uploads::Uploads;
use super::wait::{self, Deadline};

/// Reading a torrc and opening a socket takes 0.1 s, and some seconds on a machine that is busy.
const CONTROL_WITHIN: Duration = Duration::from_secs(30);

/// Mostly 2 s, at times 5 s.
const BOOTSTRAP_WITHIN: Duration = Duration::from_secs(60);

/// Mostly 4 s, at times 7 s.
const UPLOAD_WITHIN: Duration = Duration::from_secs(90);

/// Starts a client in `dir`; returns its SOCKS address when it is bootstrapped.
pub(super) fn socks_client(
    tools: &Tools,
    nodes: &[Node],
    dir: &Path,
) -> Result<(Daemon, SocketAddr)> {
    let mut guest = Guest::start(tools, nodes, dir, None, "SocksPort 127.0.0.1:auto")?;
    let deadline = Deadline::after(BOOTSTRAP_WITHIN);
    loop {
        let phase = guest.control(|tor| tor.info("status/bootstrap-phase"))?;
        if phase.split(' ').any(|word| word == "PROGRESS=100") {
            break;
        }
        deadline.check(&format!("the end of bootstrapping, now {phase}"), || {
            guest.daemon.last_words()
        })?;
        wait::pause();
    }
    let listener = guest.control(|tor| tor.info("net/listeners/socks"))?;
    let address = listener.trim_matches('"').parse();
    let address = address.with_context(|| format!("the SOCKS listener is {listener:?}"))?;
    Ok((guest.daemon, address))
}

/// Starts the host of an onion service in `dir`, as another user if there is one; returns its host name when its
/// descriptors have been accepted.
pub(super) fn onion_service(
    tools: &Tools,
    nodes: &[Node],
    dir: &Path,
    user: Option<u32>,
    service_lines: &str,
) -> Result<(Daemon, String)> {
    let has_dir = |line: &str| {
        let line = line.trim().to_ascii_lowercase();
        line.starts_with("hiddenservicedir")
    };
    ensure!(
        !service_lines.lines().any(has_dir),
        "leave HiddenServiceDir out of the lines of the service"
    );
    let service = dir.join("service");
    // Disabled at first, so that no upload can begin before we listen for the event.
    let own = format!(
        "SocksPort 0\nDisableNetwork 1\nHiddenServiceDir {}\n{service_lines}",
        service.display()
    );
    let mut guest = Guest::start(tools, nodes, dir, user, &own)?;
    guest.control(|tor| tor.ask("SETEVENTS HS_DESC"))?;
    guest.control(|tor| tor.ask("SETCONF DisableNetwork=0"))?;

    let deadline = Deadline::after(UPLOAD_WITHIN);
    let mut uploads = Uploads::default();
    while !uploads.are_accepted() {
        guest.control(|tor| {
            let event = tor.event()?;
            event.map_or(Ok(()), |event| uploads.note(&event))
        })?;
        deadline.check(
            &format!("the acceptance of all descriptors ({uploads})"),
            || guest.daemon.last_words(),
        )?;
    }
    let name = service.join("hostname");
    let name = fs::read_to_string(&name).with_context(|| format!("reading {}", name.display()))?;
    Ok((guest.daemon, name.trim().to_owned()))
}

/// A guest that is being brought up.
#[derive(Debug)]
struct Guest {
    daemon: Daemon,
    control: Control,
}

impl Guest {
    fn start(
        tools: &Tools,
        nodes: &[Node],
        dir: &Path,
        user: Option<u32>,
        own: &str,
    ) -> Result<Self> {
        if dir.exists() {
            // Left by a guest that was stopped, whose log must not be quoted as this one's.
            let _ = fs::remove_file(dir.join(torrc::LOG));
        } else {
            make_private_dir(dir)?;
        }
        torrc::write(dir, &torrc::guest(dir, nodes, own))?;

        if user.is_some() {
            chown(dir, user, user).with_context(|| format!("giving {} away", dir.display()))?;
        }
        let mut daemon = Daemon::spawn(tools, dir, user)?;
        let socket = dir.join(torrc::CONTROL);
        let deadline = Deadline::after(CONTROL_WITHIN);
        loop {
            let connection = Control::connect(&socket);
            daemon.check_alive()?;
            match connection {
                Ok(control) => return Ok(Self { daemon, control }),
                Err(error) => {
                    deadline.check(&format!("the control socket ({error:#})"), || {
                        daemon.last_words()
                    })?;
                }
            }
            wait::pause();
        }
    }

    /// What `f` gets over the control connection, or an error that tells how the daemon is.
    fn control<T>(&mut self, f: impl FnOnce(&mut Control) -> Result<T>) -> Result<T> {
        let got = f(&mut self.control);
        // The end of the daemon explains whatever the connection complains of.
        self.daemon.check_alive()?;
        got.map_err(|error| {
            let log = self.daemon.last_words();
            anyhow!("{error:#}; the last log lines are:\n{log}")
        })
    }
}
