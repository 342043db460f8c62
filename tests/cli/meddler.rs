//! A relay in front of the relay, which passes requests on, changes answers, or lets them vanish, as a test wants it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::programs::{HeldPort, LIMIT};

/// What becomes of a request.
pub(super) enum Verdict {
    /// It is passed on, and its answer comes back.
    Pass,
    /// It is passed on, and its answer comes back with another body.
    Change(fn(&str) -> String),
    /// It is answered here, with this status and body.
    Answer(u16, &'static str),
    /// It is passed on, and the connection ends before the answer comes back.
    Cut,
    /// It is passed on, the connection ends before the answer comes back, and no other connection is taken any more.
    CutForGood,
    /// It is passed on, and nothing comes back.
    Hold,
}

/// A request as far as a rule looks at it.
pub(super) struct Asked {
    /// Its path.
    pub(super) path: String,
    /// Whether it speaks kkv/2.
    pub(super) json: bool,
}

/// Takes connections one after the other, as one sender makes them.
pub(super) struct Meddler {
    /// Where it listens.
    pub(super) address: String,
    asked: Receiver<String>,
    /// So that nobody else listens there once it has cut for good.
    _port: HeldPort,
}

impl Meddler {
    /// Stands before the relay at `relay` and does with each request what `rule` says.
    pub(super) fn start(relay: &str, rule: impl Fn(&Asked) -> Verdict + Send + 'static) -> Self {
        let port = HeldPort::take();
        let listener = port.listener();
        let address = port.address().to_string();
        let relay = relay.to_owned();
        let (tell, asked) = channel();
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.expect("a connection");
                let mut on = |asked: &Asked| {
                    let _ = tell.send(asked.path.clone());
                    rule(asked)
                };
                if matches!(serve(&client, &relay, &mut on), Ok(Next::End)) {
                    break;
                }
            }
        });
        Self {
            address,
            asked,
            _port: port,
        }
    }

    /// Waits until `path` is asked for.
    pub(super) fn wait_for(&self, path: &str) {
        loop {
            let asked = self.asked.recv_timeout(LIMIT);
            if asked.expect("the request comes") == path {
                return;
            }
        }
    }
}

enum Next {
    Connection,
    End,
}

fn serve(
    client: &TcpStream,
    relay: &str,
    rule: &mut dyn FnMut(&Asked) -> Verdict,
) -> io::Result<Next> {
    let address = relay;
    let relay = TcpStream::connect(address)?;
    let (mut from_client, mut from_relay) = (BufReader::new(client), BufReader::new(&relay));
    loop {
        let request = read(&mut from_client)?;
        let path = request.head.split(' ').nth(1).unwrap_or_default();
        let verdict = rule(&Asked {
            path: path.to_owned(),
            json: request.head.contains("application/json"),
        });
        if let Verdict::Answer(status, body) = verdict {
            answer(client, &format!("HTTP/1.1 {status} Meddled"), body)?;
            continue;
        }
        // A relay lets nobody in who calls it by another name.
        let called = client.local_addr()?.to_string();
        let head = request.head.replacen(&called, address, 1);
        (&relay).write_all(head.as_bytes())?;
        (&relay).write_all(&request.body)?;
        let reply = read(&mut from_relay)?;
        let body = String::from_utf8_lossy(&reply.body);
        let status = reply.head.lines().next().unwrap_or_default();
        match verdict {
            Verdict::Change(change) => answer(client, status, &change(&body))?,
            Verdict::Cut => return Ok(Next::Connection),
            Verdict::CutForGood => return Ok(Next::End),
            Verdict::Hold => drop(from_client.read(&mut [0])?), // until the sender goes away
            _ => answer_bytes(client, status, &reply.body)?,
        }
    }
}

struct Said {
    head: String,
    body: Vec<u8>,
}

fn read(from: &mut impl BufRead) -> io::Result<Said> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if from.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let lower = head.to_ascii_lowercase();
    let length = lower
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .map_or(0, |n| n.trim().parse().expect("a length"));
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(Said { head, body })
}

fn answer(client: &TcpStream, status: &str, body: &str) -> io::Result<()> {
    answer_bytes(client, status, body.as_bytes())
}

fn answer_bytes(mut client: &TcpStream, status: &str, body: &[u8]) -> io::Result<()> {
    let head = format!("{status}\r\ncontent-length: {}\r\n\r\n", body.len());
    client.write_all(&[head.as_bytes(), body].concat())
}
