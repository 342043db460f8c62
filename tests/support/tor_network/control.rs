//! A connection to a daemon's control socket, as far as guests need it.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

/// So that whoever awaits an event can look at deadlines in between.
const READ_POLL: Duration = Duration::from_millis(100);

/// `tor` answers within milliseconds; this is for a machine that is very busy.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// The control protocol's status codes: success, and what nobody asked for.
const OK: &str = "250";
const EVENT: &str = "650";

/// An authenticated control connection.
#[derive(Debug)]
pub(super) struct Control {
    stream: UnixStream,
    unparsed: Vec<u8>,
    events: VecDeque<String>,
}

impl Control {
    /// Connects and authenticates.
    ///
    /// # Errors
    /// Also while the daemon has not opened its socket yet.
    pub(super) fn connect(socket: &Path) -> Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(READ_POLL))?;
        let mut control = Self {
            stream,
            unparsed: Vec::new(),
            events: VecDeque::new(),
        };
        // Whoever can open the socket is this user: there is no secret to show.
        control.ask("AUTHENTICATE")?;
        Ok(control)
    }

    /// The answer to a command, a line each, without status codes.
    pub(super) fn ask(&mut self, command: &str) -> Result<Vec<String>> {
        write!(self.stream, "{command}\r\n").with_context(|| format!("asking {command}"))?;
        let deadline = Instant::now() + ANSWER_WITHIN;
        let mut answer = Vec::new();
        loop {
            let Some(line) = self.line()? else {
                ensure!(
                    Instant::now() < deadline,
                    "waited {} s in vain for tor's answer to {command}",
                    ANSWER_WITHIN.as_secs()
                );
                continue;
            };
            let (status, rest) = line.split_at_checked(3).unwrap_or_default();
            if status == EVENT {
                self.events.push_back(line);
                continue;
            }
            ensure!(status == OK, "tor answers {line:?} to {command}");
            let (last, text) = (rest.starts_with(' '), rest.get(1..).unwrap_or_default());
            answer.push(text.to_owned());
            if last {
                return Ok(answer);
            }
        }
    }

    /// The value that GETINFO has for `key`.
    pub(super) fn info(&mut self, key: &str) -> Result<String> {
        let answer = self.ask(&format!("GETINFO {key}"))?;
        let value = answer
            .iter()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        Ok(value
            .with_context(|| format!("tor does not tell {key}"))?
            .to_owned())
    }

    /// The next event, without its status code, if one comes soon.
    pub(super) fn event(&mut self) -> Result<Option<String>> {
        let line = match self.events.pop_front() {
            Some(line) => Some(line),
            None => self.line()?,
        };
        let text = |line: String| line.strip_prefix(EVENT).unwrap_or(&line).trim().to_owned();
        Ok(line.map(text))
    }

    /// The next whole line, if one comes soon. The rest of a line that is not whole yet is kept.
    fn line(&mut self) -> Result<Option<String>> {
        loop {
            if let Some(end) = self.unparsed.iter().position(|&b| b == b'\n') {
                let line: Vec<u8> = self.unparsed.drain(..=end).collect();
                return Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()));
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer) {
                Ok(0) => bail!("tor closed its control connection"),
                Ok(n) => self.unparsed.extend_from_slice(&buffer[..n]),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => return Ok(None),
                    ErrorKind::Interrupted => {}
                    _ => return Err(error).context("reading tor's control connection"),
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Control, UnixStream) {
        let (ours, tors) = UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(READ_POLL)).unwrap();
        let control = Control {
            stream: ours,
            unparsed: Vec::new(),
            events: VecDeque::new(),
        };
        (control, tors)
    }

    #[test]
    fn events_between_answers_are_kept() {
        let (mut control, mut tor) = pair();
        tor.write_all(b"650 HS_DESC ONE\r\n250-k=v\r\n650 HS_DESC TWO\r\n250 OK\r\n650 HS_")
            .unwrap();
        assert_eq!(control.info("k").unwrap(), "v");
        assert_eq!(control.event().unwrap().as_deref(), Some("HS_DESC ONE"));
        assert_eq!(control.event().unwrap().as_deref(), Some("HS_DESC TWO"));
        assert_eq!(control.event().unwrap(), None);
        tor.write_all(b"DESC THREE\r\n").unwrap();
        assert_eq!(control.event().unwrap().as_deref(), Some("HS_DESC THREE"));
    }

    #[test]
    fn refusals_and_ends_are_errors() {
        let (mut control, mut tor) = pair();
        tor.write_all(b"552 Unrecognized key\r\n").unwrap();
        assert!(control.info("k").is_err());
        drop(tor);
        assert!(control.event().is_err());
    }
}
