//! Firefox: what it is started with, and what its own log has.

use std::process::Command;

use serde_json::{Map, Value, json};

use super::{Session, string};
use crate::programs::LIMIT;

/// Nothing that Firefox would ask for by itself; none of it is in Tor Browser, either.
const QUIET: [&str; 6] = [
    "app.normandy.enabled",
    "browser.safebrowsing.malware.enabled",
    "browser.safebrowsing.phishing.enabled",
    "network.captive-portal-service.enabled",
    "network.connectivity-service.enabled",
    "toolkit.telemetry.enabled",
];

/// An entry of Firefox's log.
#[derive(Debug)]
pub(in crate::page) struct Logged {
    /// The file that it is about.
    pub(in crate::page) source: String,
    pub(in crate::page) category: String,
    pub(in crate::page) text: String,
}

impl Session {
    /// Firefox with these preferences.
    pub(in crate::page) fn firefox(mut preferences: Map<String, Value>) -> Self {
        preferences.extend(QUIET.map(|name| (name.to_owned(), false.into())));
        preferences.insert("services.settings.server".to_owned(), "data:,".into());
        let capabilities = json!({
            "browserName": "firefox",
            "unhandledPromptBehavior": "accept",
            // Its own limit is five minutes, too.
            "timeouts": { "pageLoad": LIMIT.as_millis() as u64 },
            "moz:firefoxOptions": { "args": ["-headless"], "prefs": preferences },
        });
        let mut driver = Command::new("geckodriver");
        driver.args(["--port", "0", "--allow-system-access"]);
        driver.args(["--binary", "/usr/bin/firefox-esr"]);
        // Without it Firefox would ask its makers for settings, whatever the preference says.
        driver.env("MOZ_REMOTE_SETTINGS_DEVTOOLS", "1");
        let session = Self::driven(driver, "Listening on 127.0.0.1:", &capabilities);
        // Actions of a mouse reach only what is in the window.
        session.post("/window/rect", &json!({ "width": 1280, "height": 2000 }));
        session
    }

    /// What Firefox has logged since its start.
    pub(in crate::page) fn logged(&self) -> Vec<Logged> {
        self.post("/moz/context", &json!({ "context": "chrome" }));
        let entries = self.evaluate(
            "return Services.console.getMessageArray().map((entry) => {
                 const found = entry instanceof Ci.nsIScriptError;
                 const [source, category] = found ? [entry.sourceName, entry.category] : ['', ''];
                 return { source: source ?? '', category: category ?? '', text: entry.message ?? '' };
             });",
        );
        self.post("/moz/context", &json!({ "context": "content" }));
        let entries = entries.as_array().expect("a list").iter();
        let entry = |entry: &Value| Logged {
            source: string(&entry["source"]),
            category: string(&entry["category"]),
            text: string(&entry["text"]),
        };
        entries.map(entry).collect()
    }
}
