//! The page for browsers, where browsers look for it.

use std::io::{Read as _, Write as _};

use kkv_base::limits::{DEFAULT_PORT, PAGE_PORT};

use super::stage::{Stage, path, start};
use crate::tor::socks;

pub(crate) fn browsers_find_the_page_at_their_own_port_if_there_is_one(stage: &Stage) {
    let state = stage.network.dir().join("with-page");
    let with_page = start(&stage.config, &["--state-dir", path(&state), "--page"]);
    with_page.must_become("reachable");
    let block = with_page.relay.process().stdout();
    assert!(block.contains("kkvc send or in Tor Browser)"), "{block}");
    for port in [PAGE_PORT, DEFAULT_PORT] {
        let mut stream = socks::connect(stage.socks, &with_page.onion, port)
            .unwrap_or_else(|code| panic!("port {port}: {code:#x}"));
        let host = &with_page.onion;
        let head = format!("GET / HTTP/1.1\r\nhost: {host}\r\naccept-language: en\r\n");
        write!(stream, "{head}connection: close\r\n\r\n").expect("Tor reads");
        let mut page = String::new();
        stream
            .read_to_string(&mut page)
            .expect("a page with an end");
        assert!(page.starts_with("HTTP/1.1 200 "), "{port}: {page}");
        assert!(page.contains("<title>Leave a message</title>"), "{page}");
    }
    let none = socks::connect(stage.socks, &stage.embedded.onion, PAGE_PORT);
    assert!(none.is_err(), "an inbox without a page has one port");
}
