//! Chromium: what it is started with, what its own commands do, and its log.

use std::process::Command;

use serde_json::{Value, json};

use super::{Session, string};
use crate::chromium::QUIET;

/// Whether pages may run script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::page) enum Script {
    On,
    Off,
}

/// What a reader prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::page) enum Colours {
    Light,
    Dark,
}

impl Colours {
    pub(in crate::page) const BOTH: [Self; 2] = [Self::Light, Self::Dark];

    /// As style sheets call it.
    pub(in crate::page) fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Session {
    pub(in crate::page) fn start(script: Script) -> Self {
        Self::start_with(script, &[])
    }

    /// With script, and every connection through the SOCKS5 proxy at this port.
    pub(in crate::page) fn through(proxy: u16) -> Self {
        let proxy = format!("--proxy-server=socks5://127.0.0.1:{proxy}");
        Self::start_with(Script::On, &[&proxy, "--proxy-bypass-list=<-loopback>"])
    }

    fn start_with(script: Script, arguments: &[&str]) -> Self {
        let all = [&QUIET[..], &["--window-size=1280,900"], arguments].concat();
        // 1 allows, 2 refuses.
        let setting = if script == Script::On { 1 } else { 2 };
        let capabilities = json!({
            "browserName": "chrome",
            "unhandledPromptBehavior": "accept",
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "goog:chromeOptions": {
                "args": all,
                "prefs": { "profile.managed_default_content_settings.javascript": setting },
            },
        });
        let mut driver = Command::new("chromedriver");
        driver.arg("--port=0");
        Self::driven(driver, "was started successfully on port ", &capabilities)
    }

    pub(in crate::page) fn resize(&self, width: u32, height: u32) {
        let device =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": true });
        self.devtools("Emulation.setDeviceMetricsOverride", &device);
    }

    /// Whether the pages that are opened from now on may run script. What is evaluated never may where they may not.
    pub(in crate::page) fn let_script_run(&self, script: Script) {
        self.devtools(
            "Emulation.setScriptExecutionDisabled",
            &json!({ "value": script == Script::Off }),
        );
    }

    /// Shows pages as a reader prefers it.
    pub(in crate::page) fn set_colours(&self, colours: Colours) {
        let feature = json!({ "name": "prefers-color-scheme", "value": colours.name() });
        self.devtools(
            "Emulation.setEmulatedMedia",
            &json!({ "features": [feature] }),
        );
    }

    /// Runs this before anything else on each page that is opened.
    pub(in crate::page) fn on_every_page(&self, script: &str) {
        self.devtools(
            "Page.addScriptToEvaluateOnNewDocument",
            &json!({ "source": script }),
        );
    }

    /// The whole page as a PNG, in base64.
    pub(in crate::page) fn picture(&self) -> String {
        let metrics = self.devtools("Page.getLayoutMetrics", &json!({}));
        let size = &metrics["cssContentSize"];
        let clip =
            json!({ "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1 });
        let how = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        string(&self.devtools("Page.captureScreenshot", &how)["data"])
    }

    /// One of its own commands (Chrome DevTools Protocol).
    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        let command = json!({ "cmd": command, "params": parameters });
        self.post("/goog/cdp/execute", &command)
    }

    /// Looks into the browser's log: no error, no report of the policy, and no request to another host.
    pub(in crate::page) fn must_have_kept_to(&self, host: &str) {
        let logged = |kind: &str| {
            let entries = self.post("/se/log", &json!({ "type": kind }));
            entries.as_array().expect("a list").clone()
        };
        let complaints = logged("browser");
        let serious: Vec<&Value> = complaints
            .iter()
            // A form that is refused is answered with 403 to 503, which Chromium logs.
            .filter(|entry| !string(&entry["message"]).contains("Failed to load resource"))
            .collect();
        assert!(serious.is_empty(), "{serious:?}");
        let mut asked = 0;
        for entry in logged("performance") {
            let message: Value =
                serde_json::from_str(&string(&entry["message"])).expect("JSON in JSON");
            if message["message"]["method"] != "Network.requestWillBeSent" {
                continue;
            }
            let url = string(&message["message"]["params"]["request"]["url"]);
            let is_own = url.starts_with(&format!("http://{host}/"));
            assert!(
                is_own || url.starts_with("data:") || url.starts_with("chrome"),
                "{url}"
            );
            asked += usize::from(is_own);
        }
        assert!(asked > 2, "the log has page and style at least");
    }
}
