//! A browser that does what a test says: a client of the W3C's WebDriver, as far as these tests need it.

mod chromium;
#[cfg(feature = "embedded-tor")]
mod firefox;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::kill_process_group;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::programs::{LIMIT, Process, Signal, until};
pub(super) use chromium::{Colours, Script};

/// Keys that have no character (WebDriver, "Keyboard Actions").
#[derive(Debug, Clone, Copy)]
pub(super) enum Key {
    Tab = 0xe004,
    Enter = 0xe007,
}

/// The name under which the protocol gives elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with a profile of its own, and what drives it. Both end with this.
#[derive(Debug)]
pub(super) struct Session {
    driver: Process,
    port: u16,
    path: String,
    _home: TempDir,
}

/// Something on the page that is open.
#[derive(Debug)]
pub(super) struct Element<'s> {
    session: &'s Session,
    path: String,
}

impl Session {
    /// Starts what drives a browser, and the browser. Behind `told` the first says where it listens.
    fn driven(mut driver: Command, told: &str, capabilities: &Value) -> Self {
        let home = tempfile::tempdir().expect("a directory for the test");
        driver.env("HOME", home.path()).env("TMPDIR", home.path());
        driver.process_group(0);
        let driver = Process::spawn(driver, None);
        driver.wait_for_stdout("the driver's port", |out| {
            let rest = out.split_once(told);
            rest.is_some_and(|(_, rest)| rest.contains('\n'))
        });
        let out = driver.stdout();
        let (_, rest) = out.split_once(told).expect("it was waited for");
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next();
        let port = digits.and_then(|port| port.parse().ok()).expect("a port");
        let mut session = Self {
            driver,
            port,
            path: "/session".to_owned(),
            _home: home,
        };
        let made = session.post(
            "",
            &json!({ "capabilities": { "alwaysMatch": capabilities } }),
        );
        let id = made["sessionId"].as_str().expect("an id");
        session.path = format!("/session/{id}");
        session
    }

    pub(super) fn go(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    pub(super) fn reload(&self) {
        self.post("/refresh", &json!({}));
    }

    pub(super) fn back(&self) {
        self.post("/back", &json!({}));
    }

    pub(super) fn source(&self) -> String {
        string(&self.get("/source"))
    }

    pub(super) fn window(&self) -> String {
        string(&self.get("/window"))
    }

    /// Opens a tab and goes on in it.
    pub(super) fn open_tab(&self) -> String {
        let made = self.post("/window/new", &json!({ "type": "tab" }));
        let handle = string(&made["handle"]);
        self.switch_to(&handle);
        handle
    }

    pub(super) fn switch_to(&self, window: &str) {
        self.post("/window", &json!({ "handle": window }));
    }

    /// The first that fits a CSS selector.
    pub(super) fn find(&self, selector: &str) -> Element<'_> {
        let using = json!({ "using": "css selector", "value": selector });
        self.element(&self.post("/element", &using))
    }

    /// Its text; none if nothing is there, or not any more.
    pub(super) fn text_of(&self, selector: &str) -> Option<String> {
        let using = json!({ "using": "css selector", "value": selector });
        let found = self.try_post("/element", &using);
        let id = found["value"][ELEMENT].as_str()?;
        let text = self.try_ask("GET", &format!("/element/{id}/text"), "");
        text["value"].as_str().map(str::to_owned)
    }

    pub(super) fn all(&self, selector: &str) -> Vec<Element<'_>> {
        let using = json!({ "using": "css selector", "value": selector });
        let found = self.post("/elements", &using);
        let found = found.as_array().expect("a list").iter();
        found.map(|found| self.element(found)).collect()
    }

    /// Clicks, and waits until another page is there, or in this one's place.
    pub(super) fn submit(&self, selector: &str) {
        let before = self.find("main").path;
        self.find(selector).click();
        until("another page", || {
            let now = self.try_post(
                "/element",
                &json!({ "using": "css selector", "value": "footer, nav" }),
            );
            let page = self.try_post(
                "/element",
                &json!({ "using": "css selector", "value": "main" }),
            );
            let id = page["value"][ELEMENT].as_str();
            now["value"]["error"].is_null() && id.is_some_and(|id| !before.ends_with(id))
        });
    }

    /// What has the focus.
    pub(super) fn active(&self) -> Element<'_> {
        self.element(&self.get("/element/active"))
    }

    fn element(&self, found: &Value) -> Element<'_> {
        let id = found[ELEMENT].as_str().expect("an element");
        Element {
            session: self,
            path: format!("/element/{id}"),
        }
    }

    pub(super) fn press(&self, keys: &[Key]) {
        let presses = keys.iter().flat_map(|key| {
            let value = char::from_u32(*key as u32).expect("a private character");
            ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": value.to_string() }))
        });
        let presses: Vec<Value> = presses.collect();
        let source = json!({ "type": "key", "id": "keyboard", "actions": presses });
        self.post("/actions", &json!({ "actions": [source] }));
    }

    pub(super) fn evaluate(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// The same for what takes time: it calls its last argument when it is done.
    pub(super) fn evaluate_at_length(&self, script: &str) -> Value {
        self.post("/execute/async", &json!({ "script": script, "args": [] }))
    }

    fn get(&self, command: &str) -> Value {
        self.ask("GET", command, "")
    }

    fn post(&self, command: &str, body: &Value) -> Value {
        self.ask("POST", command, &body.to_string())
    }

    fn try_post(&self, command: &str, body: &Value) -> Value {
        self.try_ask("POST", command, &body.to_string())
    }

    fn ask(&self, method: &str, command: &str, body: &str) -> Value {
        let answer = self.try_ask(method, command, body);
        let value = answer["value"].clone();
        assert!(
            value["error"].is_null(),
            "{command} {body}: {value}\n{}",
            self.driver.stderr()
        );
        value
    }

    fn try_ask(&self, method: &str, command: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the driver listens");
        stream
            .set_read_timeout(Some(LIMIT))
            .expect("a limit can be set");
        let request = format!(
            "{method} {}{command} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.path,
            self.port,
            body.len()
        );
        stream
            .write_all(request.as_bytes())
            .expect("the driver reads");
        // It leaves the connection open, whatever it was asked.
        let mut answer = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            answer.read_line(&mut line).expect("the driver answers");
            match line.to_ascii_lowercase().split_once(':') {
                Some(("content-length", value)) => length = value.trim().parse().expect("a length"),
                Some(_) => {}
                None if line.starts_with("HTTP/") => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        answer.read_exact(&mut body).expect("a whole answer");
        serde_json::from_slice(&body).expect("JSON")
    }
}

/// The driver's end would leave the browser: both are one process group.
impl Drop for Session {
    fn drop(&mut self) {
        _ = kill_process_group(self.driver.pid(), Signal::KILL);
    }
}

impl Element<'_> {
    fn post(&self, command: &str, body: &Value) -> Value {
        self.session.post(&format!("{}{command}", self.path), body)
    }

    pub(super) fn click(&self) {
        self.post("/click", &json!({}));
    }

    pub(super) fn double_click(&self) {
        let element = json!({ ELEMENT: self.path.trim_start_matches("/element/") });
        let mut actions = vec![
            json!({ "type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": element }),
        ];
        for kind in ["pointerDown", "pointerUp", "pointerDown", "pointerUp"] {
            actions.push(json!({ "type": kind, "button": 0 }));
        }
        let source = json!({
            "type": "pointer", "id": "mouse", "parameters": { "pointerType": "mouse" }, "actions": actions,
        });
        self.session
            .post("/actions", &json!({ "actions": [source] }));
    }

    pub(super) fn clear(&self) {
        self.post("/clear", &json!({}));
    }

    pub(super) fn type_in(&self, text: &str) {
        self.post("/value", &json!({ "text": text }));
    }

    pub(super) fn text(&self) -> String {
        string(&self.session.get(&format!("{}/text", self.path)))
    }

    /// What a screen reader calls it.
    pub(super) fn label(&self) -> String {
        string(&self.session.get(&format!("{}/computedlabel", self.path)))
    }

    /// What a screen reader says that it is.
    pub(super) fn role(&self) -> String {
        string(&self.session.get(&format!("{}/computedrole", self.path)))
    }

    pub(super) fn property(&self, name: &str) -> String {
        string(&self.session.get(&format!("{}/property/{name}", self.path)))
    }
}

fn string(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no string: {value}"))
        .to_owned()
}
