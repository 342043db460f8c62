//! What authorities and relays serve over HTTP, and whether a consensus is one to live with.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Result, ensure};

use super::vote::VoteTime;

/// On loopback a directory that is up connects at once.
const CONNECT_WITHIN: Duration = Duration::from_millis(500);
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// More than any document of a network this small.
const MOST_BYTES: u64 = 1 << 20;

const CONSENSUS: &str = "/tor/status-vote/current/consensus-microdesc";

/// Whether `directory` counts the node of this nickname among those it knows.
///
/// It takes the list of all: asked for one descriptor, an authority also serves its own before it
/// has taken itself into its list, and would then vote without itself.
pub(super) fn has_descriptor(directory: SocketAddr, nickname: &str) -> bool {
    document(directory, "/tor/server/all")
        .is_some_and(|text| count(&text, &format!("router {nickname} ")) > 0)
}

/// A consensus, as served.
#[derive(Debug)]
pub(super) struct Consensus {
    text: String,
}

impl Consensus {
    /// The consensus of `directory`, if it has one yet.
    pub(super) fn fetch(directory: SocketAddr) -> Option<Self> {
        document(directory, CONSENSUS).map(|text| Self { text })
    }

    /// # Errors
    /// When it is not the one that was planned, or one that some client could not work with.
    pub(super) fn check(&self, vote: VoteTime, nodes: usize) -> Result<()> {
        let listed = count(&self.text, "r ");
        ensure!(
            listed == nodes,
            "the consensus lists {listed} of {nodes} nodes"
        );
        // Only a full interval gives tor and arti the same idea of onion service time periods.
        ensure!(
            self.text.contains(&vote.lifetime()),
            "the consensus has an unexpected lifetime; wanted:\n{}got:\n{}",
            vote.lifetime(),
            self.lines_from("valid-after ", "fresh-until "),
        );
        ensure!(
            count(&self.text, "shared-rand-") == 2,
            "the consensus lacks the shared random values"
        );
        // One that differs would be the only one ever chosen.
        ensure!(
            count(&self.text, "w Bandwidth=0 ") == nodes,
            "the nodes of the consensus differ in bandwidth"
        );
        Ok(())
    }

    /// Whether `directory` serves this consensus, and every microdescriptor it refers to.
    pub(super) fn is_served_by(&self, directory: SocketAddr) -> bool {
        let digests: Vec<_> = self
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("m "))
            .map(|digest| digest.trim_end_matches('='))
            .collect();
        let microdescriptors = format!("/tor/micro/d/{}", digests.join("-"));
        Self::fetch(directory).is_some_and(|theirs| theirs.signed() == self.signed())
            && document(directory, &microdescriptors)
                .is_some_and(|text| count(&text, "ntor-onion-key ") == digests.len())
    }

    /// What was agreed on. Of several authorities, each may have come by other signatures on it.
    fn signed(&self) -> &str {
        let end = self.text.find("\ndirectory-signature ");
        &self.text[..end.unwrap_or(self.text.len())]
    }

    fn lines_from(&self, first: &str, second: &str) -> String {
        let wanted = |line: &&str| line.starts_with(first) || line.starts_with(second);
        let lines: Vec<_> = self.text.lines().filter(wanted).collect();
        lines.join("\n")
    }
}

fn count(text: &str, prefix: &str) -> usize {
    text.lines().filter(|line| line.starts_with(prefix)).count()
}

/// A document, or nothing while the directory is not up or does not have it: callers ask again.
fn document(directory: SocketAddr, path: &str) -> Option<String> {
    let answer = get(directory, path).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?;
    (status == "200").then(|| body.to_owned())
}

fn get(directory: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&directory, CONNECT_WITHIN)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.set_write_timeout(Some(ANSWER_WITHIN))?;
    // HTTP/1.0, so that the end of the connection is the end of the document.
    write!(
        stream,
        "GET {path} HTTP/1.0\r\nHost: {directory}\r\nAccept-Encoding: identity\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.take(MOST_BYTES).read_to_string(&mut answer)?;
    Ok(answer)
}
