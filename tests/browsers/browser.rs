//! Real browsers, without a window, each with a profile of its own that goes with it.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, kill_process_group};
use tempfile::TempDir;

use crate::chromium;
use crate::programs::Signal;

/// A browser at work.
#[derive(Debug)]
pub(crate) struct Browser {
    child: Child,
    _home: TempDir,
}

/// Which one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Chromium,
    Firefox,
}

/// Settings of Firefox: what it would otherwise do by itself, and the way out.
const QUIET: &str = r#"
user_pref("app.normandy.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("network.dns.disablePrefetch", true);
user_pref("network.proxy.type", 1);
user_pref("network.proxy.socks_version", 5);
user_pref("network.proxy.socks_remote_dns", true);
user_pref("toolkit.telemetry.enabled", false);
"#;

impl Browser {
    /// Opens these pages. What is not on this machine is asked of `proxy`.
    pub(crate) fn open(kind: Kind, proxy: SocketAddr, pages: &[String]) -> Self {
        let home = tempfile::tempdir().expect("a directory for the test");
        let mut command = match kind {
            Kind::Chromium => chromium(home.path(), proxy),
            Kind::Firefox => firefox(home.path(), proxy),
        };
        let child = command
            .args(pages)
            .env("HOME", home.path())
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_CACHE_HOME")
            .env_remove("DISPLAY")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|fault| panic!("{kind:?} can't be started: {fault}"));
        Self { child, _home: home }
    }
}

fn chromium(home: &Path, proxy: SocketAddr) -> Command {
    let mut command = Command::new("chromium");
    command
        .args(chromium::QUIET)
        .arg("--disable-quic")
        .arg(format!(
            "--user-data-dir={}",
            home.join("profile").display()
        ))
        .arg(format!("--proxy-server=socks5://{proxy}"));
    command
}

fn firefox(home: &Path, proxy: SocketAddr) -> Command {
    let profile = home.join("profile");
    fs::create_dir(&profile).expect("the directory is ours");
    let way = format!(
        "user_pref(\"network.proxy.socks\", \"{}\");\nuser_pref(\"network.proxy.socks_port\", {});\n",
        proxy.ip(),
        proxy.port()
    );
    fs::write(profile.join("user.js"), format!("{QUIET}{way}")).expect("the directory is ours");
    let mut command = Command::new("firefox-esr");
    command.args(["--headless", "--no-remote", "--profile"]);
    command.arg(profile);
    command
}

impl Drop for Browser {
    fn drop(&mut self) {
        // With all processes that it has started.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}
