//! The page at its onion address, in Firefox with the preferences that Tor Browser has at each of its security levels,
//! through a private Tor network to a `kkv` with Tor inside.
//!
//! Tor Browser itself is not in Debian, and is fetched from the Internet alone. NoScript, which is a part of it, blocks
//! nothing on an onion address but at "Safest", where script is off altogether.
#![allow(
    clippy::print_stdout,
    reason = "it is run by hand, and tells how far it is"
)]

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::lookout::Lookout;
use super::webdriver::Session;
use super::{EMOJI, HOSTILE, delete, heading, must_arrive, must_have_focus, shown, words, write};
use crate::embedded::stage::{EmbeddedRelay, path, start};
use crate::programs::until;
use crate::tor_network::TorNetwork;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Standard,
    Safer,
    Safest,
}

impl Level {
    const ALL: [Self; 3] = [Self::Standard, Self::Safer, Self::Safest];

    fn runs_script(self) -> bool {
        self != Self::Safest
    }

    /// What Tor Browser sets (`SecurityLevel.sys.mjs`, `kSecuritySettings`, and `000-tor-browser.js`), with the way to
    /// Tor.
    fn preferences(self, socks: SocketAddr) -> Map<String, Value> {
        let is_fast = self == Self::Standard;
        let preferences = json!({
            "network.proxy.type": 1,
            "network.proxy.socks": socks.ip().to_string(),
            "network.proxy.socks_port": socks.port(),
            "network.proxy.socks_version": 5,
            "network.proxy.socks_remote_dns": true,
            "network.dns.blockDotOnion": false,
            "dom.securecontext.allowlist_onions": true,
            "privacy.resistFingerprinting": true,
            "browser.privatebrowsing.autostart": true,
            "network.http.referer.hideOnionSource": true,
            "javascript.options.ion": is_fast,
            "javascript.options.baselinejit": is_fast,
            "javascript.options.native_regexp": is_fast,
            "javascript.options.asmjs": is_fast,
            "javascript.options.wasm": is_fast,
            "mathml.disabled": !is_fast,
            "javascript.enabled": self.runs_script(),
            "svg.disabled": !self.runs_script(),
            "gfx.font_rendering.graphite.enabled": is_fast,
            "gfx.font_rendering.opentype_svg.enabled": is_fast,
        });
        preferences.as_object().expect("it is one").clone()
    }
}

/// A visitor at one of the levels.
struct Visit<'a> {
    level: Level,
    inbox: &'a EmbeddedRelay,
    browser: Session,
}

impl Visit<'_> {
    fn go(&self, path: &str) {
        self.browser
            .go(&format!("http://{}{path}", self.inbox.onion));
    }

    /// Opens the page to write on. Where script runs, it has made the words by then.
    fn opens(&self) {
        self.go("/");
        self.waits_for_words();
    }

    fn waits_for_words(&self) {
        if self.level.runs_script() {
            until("words that the page has made", || {
                let said = self.browser.text_of("#seized").unwrap_or_default();
                said.starts_with("Your twelve words stay in this browser")
            });
        }
    }

    fn tell(&self, what: &str, began: Instant) {
        let took: Duration = began.elapsed();
        println!("{:?}: {what}, {:.1} s", self.level, took.as_secs_f64());
    }

    /// With a file, at the place that is free; sent by a double click, loaded again, and gone back from.
    fn takes_the_free_place(&self) -> String {
        let relay = &self.inbox.relay;
        let began = Instant::now();
        self.opens();
        self.tell("the page is there", began);
        assert!(self.needs().contains("a place is free"), "{}", self.needs());
        let its_words = words(&self.browser);
        let text = format!("At {:?}. {HOSTILE}", self.level);
        let file = relay.directory().join("a photo, \"of\" ü.jpg");
        let bytes: Vec<u8> = (0..100_000_u32).map(|i| (i % 253) as u8).collect();
        std::fs::write(&file, &bytes).expect("there is room for it");
        self.browser.find("#text").type_in(&text);
        self.browser.find("#file").type_in(path(&file));
        let began = Instant::now();
        self.browser.find("form:has(#text) button").double_click();
        must_arrive(&self.browser);
        self.tell(
            "a message with a file has arrived, by a double click",
            began,
        );
        assert_eq!(words(&self.browser), its_words);
        if self.level.runs_script() {
            // Nobody else has the words, so who leaves is asked first; and then the page is another, and says so.
            self.browser.reload();
            until("the page of another message", || {
                self.browser.text_of("h1").as_deref() == Some("A new message, with new words")
            });
            self.waits_for_words();
            assert_ne!(words(&self.browser), its_words);
        } else {
            self.browser.reload();
            must_arrive(&self.browser);
            assert_eq!(words(&self.browser), its_words);
            self.browser.back();
            assert_eq!(heading(&self.browser), "Leave a message");
        }
        // Another form, which isn't let in: the place is taken.
        let list = relay.list();
        assert_eq!(list.len(), 1, "sent and loaded again: {list:?}");
        let id = list[0]["id"].as_u64().expect("a number");
        assert_eq!(relay.text(id), text);
        assert_eq!(list[0]["files"][0]["name"], "a photo, \"of\" ü.jpg");
        let name = format!("saved at {:?}", self.level);
        let saved = relay.owner(["save", &id.to_string(), "-o", &name]);
        saved.finish().must_end_with(0);
        let saved = std::fs::read(relay.directory().join(&name)).expect("it was saved");
        assert!(saved == bytes);
        its_words
    }

    fn needs(&self) -> String {
        self.browser.text_of("#needs").unwrap_or_default()
    }

    /// The place is taken: by paying, where script runs, and by an invitation where it doesn't.
    fn gets_in(&self) {
        let relay = &self.inbox.relay;
        self.opens();
        let text = format!("Once more, at {:?}.", self.level);
        if self.level.runs_script() {
            until("the offer to pay", || {
                self.needs().contains("if your computer pays")
            });
            println!("{:?}: {}", self.level, self.needs());
        } else {
            assert!(self.needs().contains("you need an invitation"));
            self.browser.find("#invitation").type_in("mistyped");
            write(&self.browser, &text);
            must_have_focus(&self.browser, "error");
            assert_eq!(self.browser.find("#text").property("value"), text);
            self.browser.find("#text").clear();
            self.browser.find("#invitation").clear();
            let made = relay.owner(["invite", "--json"]).finish().json();
            let link = made["link"].as_str().expect("a link");
            self.browser.find("#invitation").type_in(link);
        }
        let began = Instant::now();
        write(&self.browser, &text);
        must_arrive(&self.browser);
        let list = relay.list();
        assert_eq!(list.len(), 2, "{list:?}");
        let cost = &list[1]["cost"];
        let by = match self.level.runs_script() {
            true => format!("paid with 2^{cost}"),
            false => "by an invitation".to_owned(),
        };
        self.tell(&format!("another has arrived, {by}"), began);
        let id = list[1]["id"].as_u64().expect("a number");
        assert_eq!(relay.text(id), text);
    }

    fn reads_the_answer(&self, its_words: &str) {
        let relay = &self.inbox.relay;
        let answer = format!("To {:?}. {HOSTILE}{EMOJI}", self.level);
        let first = relay.list()[0]["id"].to_string();
        let replied = relay.owner(["reply", &first, "-m", &answer]);
        replied.finish().must_end_with(0);
        self.go("/words");
        self.browser.find("#words").type_in(its_words);
        let began = Instant::now();
        self.browser.submit("form button");
        assert_eq!(heading(&self.browser), "Answer");
        assert_eq!(
            self.browser.find("pre").property("textContent"),
            shown(&answer)
        );
        self.tell("an answer is read", began);
        delete(&self.browser);
        assert_eq!(heading(&self.browser), "The answers are deleted");
    }

    /// Or there being no complaint would say nothing.
    fn must_log_what_is_refused(&self) {
        let elsewhere = "http://elsewhere.example/";
        let asks =
            format!("document.body.append(Object.assign(new Image(), {{ src: '{elsewhere}' }}))");
        self.browser.evaluate(&asks);
        until("what the policy refuses", || {
            let complaints = self.complaints();
            complaints
                .iter()
                .any(|complaint| complaint.contains(elsewhere))
        });
    }

    /// What Firefox says against the page: a fault of script, or what the policy refuses.
    fn complaints(&self) -> Vec<String> {
        let page = format!("http://{}", self.inbox.onion);
        // Of layout it tells what the driver does to it.
        let logged = self.browser.logged().into_iter();
        let logged = logged.filter(|entry| entry.category != "Layout");
        let of_page =
            logged.filter(|entry| entry.source.starts_with(&page) || entry.text.contains(&page));
        of_page
            .map(|entry| format!("{}: {}", entry.category, entry.text))
            .collect()
    }
}

#[test]
#[ignore = "it needs geckodriver, which Debian doesn't have: scripts/page builds it, and runs this"]
fn a_message_arrives_and_is_answered_at_each_level_of_tor_browser() {
    let network = TorNetwork::start().unwrap_or_else(|fault| panic!("{fault:#}"));
    let config = network.dir().join("arti.toml");
    std::fs::write(&config, network.arti_config()).expect("the directory is ours");
    let state = network.dir().join("relay");
    let options = ["--page", "--page-free", "1", "-c", "20"];
    let inbox = start(
        &config,
        &[&["--state-dir", path(&state)], &options[..]].concat(),
    );
    inbox.must_become("reachable");
    let socks = network.socks_client("visitor");
    let lookout = Lookout::before(socks.unwrap_or_else(|fault| panic!("{fault:#}")));
    for level in Level::ALL {
        let visit = Visit {
            level,
            inbox: &inbox,
            browser: Session::firefox(level.preferences(lookout.address)),
        };
        let its_words = visit.takes_the_free_place();
        visit.gets_in();
        visit.reads_the_answer(&its_words);
        let complaints = visit.complaints();
        assert!(complaints.is_empty(), "{level:?}: {complaints:#?}");
        if level.runs_script() {
            visit.must_log_what_is_refused();
        }
        let own = format!("{}:80", inbox.onion);
        let asked = lookout.take();
        let only_own = asked.iter().all(|asked| *asked == own);
        assert!(!asked.is_empty() && only_own, "{level:?}: {asked:?}");
        println!("{level:?}: nothing else was asked for, and nothing refused");
        let wiped = inbox.relay.owner(["wipe", "--yes"]).finish();
        wiped.must_end_with(0);
    }
}
