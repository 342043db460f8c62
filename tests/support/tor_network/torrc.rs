//! The torrc of every kind of daemon.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process;

use anyhow::{Context as _, Result, ensure};

use super::plan::Node;
use super::vote::{self, VoteTime};

/// Files in a daemon's directory.
pub(super) const FILE: &str = "torrc";
pub(super) const LOG: &str = "notice.log";
pub(super) const OUTPUT: &str = "output.log";
pub(super) const CONTROL: &str = "control";

/// Writes a torrc, whole or not at all: its daemon may be reading the one before.
pub(super) fn write(dir: &Path, torrc: &str) -> Result<()> {
    let new = dir.join("torrc.new");
    fs::write(&new, torrc)
        .and_then(|()| fs::rename(&new, dir.join(FILE)))
        .with_context(|| format!("writing the torrc in {}", dir.display()))
}

/// The torrc of one of the `nodes`.
pub(super) fn node(node: &Node, nodes: &[Node], vote: VoteTime) -> String {
    let Node {
        nickname,
        ip,
        or_port,
        dir_port,
        dir,
        ..
    } = node;
    let common = common(dir);
    // TestingMinTimeToReportBandwidth: a relay that reports a bandwidth of 1 while the others
    // report 0 makes every weighted choice of a path impossible, for as long as the consensus
    // lives. With this, none ever reports any.
    let mut torrc = format!(
        "\
{common}Nickname {nickname}
Address {ip}
OutboundBindAddress {ip}
SocksPort 0
ORPort {ip}:{or_port} IPv4Only
DirPort {ip}:{dir_port}
AssumeReachable 1
ExitRelay 0
ExitPolicy reject *:*
NumCPUs 1
ContactInfo none
TestingMinTimeToReportBandwidth 1 day
"
    );
    if node.is_authority() {
        torrc += &authority(nodes.len(), vote);
    }
    torrc + &dir_authorities(nodes)
}

/// The torrc of a client, or of the host of an onion service: `own` is what makes it the one or
/// the other.
pub(super) fn guest(dir: &Path, nodes: &[Node], own: &str) -> String {
    let common = common(dir);
    // A Unix socket in a private directory, as a control port would obey every local user.
    format!(
        "\
{common}Address 127.0.0.1
ClientOnly 1
ControlSocket {}/{CONTROL}
{own}
{}",
        dir.display(),
        dir_authorities(nodes)
    )
}

/// # Errors
/// When no torrc can name what is in `dir`, the temp directory.
pub(super) fn check_temp_dir(dir: &Path) -> Result<()> {
    let name = dir.to_str().unwrap_or("\n");
    ensure!(
        !name.contains([' ', '\t', '\n', '"', '#', '\\']),
        "tor cannot use the temp directory {}; set TMPDIR to one without blanks, quotes and #",
        dir.display()
    );
    Ok(())
}

/// What can be the name of a guest and of its directory.
pub(super) fn is_nickname(name: &str) -> bool {
    (1..=19).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn common(dir: &Path) -> String {
    // __OwningControllerProcess: a harness that is killed leaves no daemons behind for more than
    // the 15 s between two looks of theirs.
    // Schedulers: KIST, the default, sends every 10 ms only, which makes 16 ms of each round trip.
    // PathsNeededToBuildCircuits: one relay that is slow to appear must not stop a small network.
    format!(
        "\
TestingTorNetwork 1
DataDirectory {dir}
Log notice file {dir}/{LOG}
LogTimeGranularity 1
SafeLogging 0
RunAsDaemon 0
ShutdownWaitLength 0
AvoidDiskWrites 1
__OwningControllerProcess {}
Schedulers Vanilla
PathsNeededToBuildCircuits 0.67
",
        process::id(),
        dir = dir.display(),
    )
}

fn authority(nodes: usize, vote: VoteTime) -> String {
    let interval = vote::INTERVAL_SECONDS;
    let delay = vote::DELAY_SECONDS;
    // AuthDirTestReachability: otherwise the relays not yet tested are left out of the one consensus that there is.
    // cbtdisabled, cbtinitialtimeout: on loopback arti learns a circuit timeout of some 40 ms, which its next onion
    // service circuit exceeds. Given one, it also gives up a dead onion service in a second instead of minutes. cc_alg:
    // congestion control (Vegas), as the public network has it; without a word from the consensus there is none.
    // guard-*: so few nodes cannot fill the sample of guards that clients would like to have.
    format!(
        "\
AuthoritativeDirectory 1
V3AuthoritativeDirectory 1
AuthDirMaxServersPerAddr 0
AuthDirTestReachability 0
TestingDirAuthVoteGuard *
TestingDirAuthVoteHSDir *
TestingMinExitFlagThreshold 0
MinUptimeHidServDirectoryV2 0 seconds
TestingV3AuthInitialVotingInterval {interval}
TestingV3AuthInitialVoteDelay {delay}
TestingV3AuthInitialDistDelay {delay}
TestingV3AuthVotingStartOffset {offset}
V3AuthVotingInterval {interval}
V3AuthVoteDelay {delay}
V3AuthDistDelay {delay}
V3AuthNIntervalsValid 20
ConsensusParams hsdir_interval={hsdir} cc_alg=2 cbtdisabled=1 cbtinitialtimeout=5000 guard-max-sample-size={nodes} guard-min-filtered-sample-size={nodes}
",
        offset = vote.offset(),
        hsdir = vote::hsdir_interval_minutes(),
    )
}

fn dir_authorities(nodes: &[Node]) -> String {
    let mut lines = String::new();
    for node in nodes {
        let Some(v3) = &node.identity.v3 else {
            continue;
        };
        let _ = writeln!(
            lines,
            "DirAuthority {} orport={} no-v2 v3ident={v3} {}:{} {}",
            node.nickname, node.or_port, node.ip, node.dir_port, node.identity.rsa
        );
    }
    lines
}
