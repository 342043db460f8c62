//! HTTP/1.1 by hand, byte by byte: what a library would repair, hide or refuse to send has to be seen and sent here.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to tests, each of which uses a part of it"
)]

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case, in the order of the wire.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Names in lower case, in the order of the wire.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("this answer is text")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("this answer is JSON")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The bytes that say this.
    pub fn to_bytes(&self) -> Vec<u8> {
        let content_type = self.header("content-type").unwrap_or("text/plain");
        answer(self.status, content_type, &self.body)
    }
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// "POST /pow", say.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("this request is text")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("this request is JSON")
    }

    /// The bytes that ask this.
    pub fn to_bytes(&self) -> Vec<u8> {
        let content_type = self.header("content-type").unwrap_or("");
        match self.method.as_str() {
            "GET" => get(&self.path),
            _ => post(&self.path, content_type, &self.body),
        }
    }
}

fn find<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let mut values = headers.iter().filter(|(n, _)| n == name).map(|(_, v)| v);
    values.next().map(String::as_str)
}

/// The form type, as the published client names it.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// By which name a relay is asked.
pub const HOST: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

/// The bytes of a GET.
pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: {HOST}\r\n\r\n").into_bytes()
}

/// The bytes of a POST.
pub fn post(path: &str, content_type: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let mut bytes = format!(
        "POST {path} HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// The bytes of an answer.
pub fn answer(status: u16, content_type: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let mut bytes = format!(
        "HTTP/1.1 {status} Word\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// One end of a connection.
#[derive(Debug)]
pub struct Wire<S> {
    pub stream: S,
    unread: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    /// Sends a request and reads its answer, which must be one.
    pub async fn ask(&mut self, request: &[u8]) -> Answer {
        self.try_ask(request).await.expect("there is an answer")
    }

    /// The same; `None` if the other end hangs up without an answer.
    pub async fn try_ask(&mut self, request: &[u8]) -> Option<Answer> {
        // An end that refuses early may hang up before it has read everything.
        let _ = self.stream.write_all(request).await;
        self.answer().await
    }

    /// Reads an answer whose length is said in its head; `None` if the other end has hung up.
    pub async fn answer(&mut self) -> Option<Answer> {
        let (first, headers, length) = self.head().await?;
        let mut words = first.split(' ');
        assert_eq!(words.next(), Some("HTTP/1.1"), "{first}");
        let status = words.next().and_then(|s| s.parse().ok());
        let length = length.expect("an answer says how long it is");
        Some(Answer {
            status: status.expect("an answer has a status"),
            headers,
            body: self.body(length).await?,
        })
    }

    /// Reads a request; `None` if the other end has hung up.
    pub async fn request(&mut self) -> Option<Request> {
        let (first, headers, length) = self.head().await?;
        let words: Vec<&str> = first.split(' ').collect();
        let [method, path, "HTTP/1.1"] = words[..] else {
            panic!("no request line: {first}");
        };
        Some(Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers,
            body: self.body(length.unwrap_or(0)).await?,
        })
    }

    /// Start line, headers, length of the body.
    async fn head(&mut self) -> Option<(String, Vec<(String, String)>, Option<usize>)> {
        let end = loop {
            let mark = b"\r\n\r\n";
            if let Some(end) = self.unread.windows(4).position(|window| window == mark) {
                break end;
            }
            self.read().await?;
        };
        let head: Vec<u8> = self.unread.drain(..end + 4).collect();
        let head = String::from_utf8(head).expect("a head is text");
        let mut lines = head.trim_end().split("\r\n");
        let first = lines.next().expect("a head has a first line").to_owned();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").expect("a header is name: value"))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length = find(&headers, "content-length").map(|l| l.parse().expect("a number"));
        Some((first, headers, length))
    }

    async fn body(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.unread.len() < length {
            self.read().await?;
        }
        Some(self.unread.drain(..length).collect())
    }

    async fn read(&mut self) -> Option<()> {
        let mut chunk = [0; 4096];
        match self.stream.read(&mut chunk).await {
            Ok(0) | Err(_) => None,
            Ok(read) => {
                self.unread.extend_from_slice(&chunk[..read]);
                Some(())
            }
        }
    }
}
