//! Browsers that run the page's worker and tell how fast it was: each without a window, with a profile of its own, and
//! with one page, which a server here serves.

use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kkv_page::assets::FILES;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;

use crate::chromium::QUIET;

/// Tries a second.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct Rates {
    pub(crate) hash: f64,
    pub(crate) pbkdf2: f64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Browser {
    Chromium,
    /// As Tor Browser is at its level "Standard".
    Standard,
    /// As it is at "Safer": script is not compiled.
    Safer,
}

/// What Tor Browser has of Firefox's preferences, as far as it matters here; and nothing may leave this machine.
const STANDARD: [(&str, &str); 12] = [
    ("app.normandy.enabled", "false"),
    ("app.update.enabled", "false"),
    ("browser.shell.checkDefaultBrowser", "false"),
    ("browser.startup.homepage_override.mstone", "\"ignore\""),
    ("datareporting.policy.dataSubmissionEnabled", "false"),
    ("network.captive-portal-service.enabled", "false"),
    ("network.connectivity-service.enabled", "false"),
    ("network.proxy.type", "1"),
    ("network.proxy.socks", "\"127.0.0.1\""),
    ("network.proxy.socks_port", "9"),
    ("network.proxy.socks_remote_dns", "true"),
    ("privacy.resistFingerprinting", "true"),
];

/// What "Safer" adds.
const SAFER: [&str; 5] = [
    "javascript.options.ion",
    "javascript.options.baselinejit",
    "javascript.options.native_regexp",
    "javascript.options.asmjs",
    "javascript.options.wasm",
];

/// Measures as page.js does, and sends what it has found.
const PAGE: &str = "<!doctype html><title>rates</title><script type=\"module\">
const [count, milliseconds] = [COUNT, MILLISECONDS];
const workers = Array.from({ length: count }, () => new Worker('/worker.js'));
let [ready, measured] = [0, 0];
const sum = { hash: 0, pbkdf2: 0 };
for (const worker of workers) {
  worker.onmessage = ({ data }) => {
    if (data.ready && ++ready === count) for (const one of workers) one.postMessage({ measure: milliseconds });
    for (const name in data.rate) sum[name] += data.rate[name];
    if (data.rate && ++measured === count) fetch('/rates', { method: 'POST', body: JSON.stringify(sum) });
  };
}
</script>";

impl fmt::Display for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chromium => "Chromium",
            Self::Standard => "Firefox as at \"Standard\"",
            Self::Safer => "Firefox as at \"Safer\"",
        })
    }
}

impl Browser {
    pub(crate) const ALL: [Self; 3] = [Self::Chromium, Self::Standard, Self::Safer];

    /// What so many workers do together, each class measured for `time`.
    pub(crate) fn rates(self, workers: usize, time: Duration) -> Rates {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let home = tempfile::tempdir().unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let mut command = match self {
            Self::Chromium => chromium(),
            Self::Standard => firefox(home.path(), &[]),
            Self::Safer => firefox(home.path(), &SAFER),
        };
        command.env("HOME", home.path()).env("TMPDIR", home.path());
        command.arg(url).stdout(Stdio::null()).stderr(Stdio::null());
        let _running = Running(
            command
                .process_group(0)
                .spawn()
                .expect("the browser is there"),
        );
        let page = PAGE.replace("MILLISECONDS", &time.as_millis().to_string());
        let page = page.replace("COUNT", &workers.to_string());
        loop {
            let (stream, _) = listener.accept().unwrap();
            if let Some(rates) = serve(stream, &page) {
                return rates;
            }
        }
    }
}

fn chromium() -> Command {
    let mut command = Command::new("chromium");
    command.args(QUIET);
    command
}

fn firefox(profile: &std::path::Path, off: &[&str]) -> Command {
    let mut preferences = String::new();
    let off = off.iter().map(|name| (*name, "false"));
    for (name, value) in STANDARD.into_iter().chain(off) {
        preferences += &format!("user_pref(\"{name}\", {value});\n");
    }
    fs::write(profile.join("user.js"), preferences).unwrap();
    let mut command = Command::new("firefox-esr");
    command
        .args(["--headless", "--no-remote", "--profile"])
        .arg(profile);
    command
}

/// Answers one request; of the last one what it brings.
fn serve(stream: TcpStream, page: &str) -> Option<Rates> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut length = 0;
    loop {
        let mut field = String::new();
        reader.read_line(&mut field).ok()?;
        match field.to_ascii_lowercase().split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().unwrap_or(0),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (media_type, answer) = match line.split(' ').nth(1)? {
        "/" => ("text/html", page),
        "/worker.js" => ("text/javascript", worker()),
        _ => ("text/plain", ""),
    };
    let length = answer.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    let stream = reader.get_mut();
    _ = stream.write_all((head + answer).as_bytes());
    if line.starts_with("POST /rates ") {
        serde_json::from_slice(&body).ok()
    } else {
        None
    }
}

/// As the relay serves it.
fn worker() -> &'static str {
    let file = FILES.iter().find(|file| file.path == "/worker.js");
    std::str::from_utf8(file.unwrap().bytes).unwrap()
}

/// Ends with this, and all that it has started.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
        _ = self.0.wait();
    }
}

/// What one worker does in Node.
pub(crate) fn node(time: Duration) -> Rates {
    let worker = serde_json::to_string(worker()).unwrap();
    let script = format!(
        "globalThis.onmessage = null;
         globalThis.postMessage = ({{ rate }}) => rate && console.log(JSON.stringify(rate));
         (0, eval)({worker});
         onmessage({{ data: {{ measure: {} }} }});",
        time.as_millis()
    );
    let told = Command::new("node").args(["-e", &script]).output();
    let told = told.expect("node is there");
    serde_json::from_slice(&told.stdout).expect("rates")
}
