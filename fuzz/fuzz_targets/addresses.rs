//! Any text as an address or a key, and any bytes as the answers of a SOCKS port: what is read prints and reads the
//! same, and none leads outside Tor.
#![no_main]

use std::fmt::Display;
use std::pin::pin;
use std::str::FromStr;
use std::task::{Context, Poll, Waker};

use kkv_client::contacts::{Link, without_token};
use kkv_fuzz::pipe::Pipe;
use kkv_net::tor::socks::{self, SocksError};
use kkv_net::tor::{AccessKey, AccessSecret, Listen, SocksProxy, Target, TorMode};
use kkv_pow::Cost;
use kkv_protocol::onion::OnionAddress;
use kkv_protocol::suite::SuitePolicy;
use kkv_protocol::v2::invitation::Token;
use kkv_ui::tor::TorWay;
use libfuzzer_sys::fuzz_target;

/// What is read prints as something that reads and prints the same.
fn read<T: FromStr + Display>(text: &str) -> Option<T> {
    let value: T = text.parse().ok()?;
    let printed = value.to_string();
    let again = printed.parse::<T>().ok().map(|again| again.to_string());
    assert_eq!(again, Some(printed));
    Some(value)
}

fn addresses(text: &str) {
    if let Some(address) = read::<OnionAddress>(text) {
        assert_eq!(address.to_string(), text.to_ascii_lowercase());
        let again = OnionAddress::from_public_key(*address.public_key());
        assert!(again == address);
    }
    match read::<Target>(text) {
        Some(Target::Loopback(address)) => {
            assert!(address.ip().is_loopback() && address.port() != 0);
        }
        Some(Target::Onion { address, port }) => {
            assert!(read::<OnionAddress>(&address.to_string()).is_some() && port != 0);
        }
        None => {}
    }
    if let Some(proxy) = read::<SocksProxy>(text) {
        let proxy = proxy.to_string();
        let loopback = ["socks5://127.", "socks5://[::1]"];
        assert!(loopback.iter().any(|start| proxy.starts_with(start)));
    }
    let _ = read::<AccessKey>(text);
    if let Ok(secret) = text.parse::<AccessSecret>() {
        let again: AccessSecret = secret.to_line().parse().expect("as Tor writes it");
        assert!(again.inbox() == secret.inbox() && again.key() == secret.key());
        assert!(read::<AccessKey>(&secret.key().to_string()).is_some());
    }
    invitations(text);
    let _ = read::<Listen>(text);
    let _ = read::<TorWay>(text);
    let _ = read::<TorMode>(text);
    let _ = read::<SuitePolicy>(text);
    let _ = read::<Cost>(text);
}

/// A token has one text, and a link is an address with one behind it or none.
fn invitations(text: &str) {
    if let Ok(token) = text.parse::<Token>() {
        let again: Token = token.to_text().parse().expect("as it is handed out");
        assert_eq!(again.to_text(), token.to_text());
    }
    if let Ok(link) = text.parse::<Link>() {
        let target = link.target.to_string();
        let printed = match &link.invitation {
            Some(invitation) => invitation.link(&target),
            None => target.into(),
        };
        let again: Link = printed.parse().expect("as it is handed out");
        assert!(again.target == link.target && again.invitation == link.invitation);
        let is_shown = without_token(text).into_owned();
        let token = link
            .invitation
            .map(|invitation| invitation.token().to_text());
        assert!(token.is_none_or(|token| !is_shown.contains(token.as_str())));
    }
}

/// Has a SOCKS port answer with these bytes and then hang up.
fn answers(bytes: &[u8]) {
    let mut port = Pipe::new(bytes);
    let asked = {
        let connecting = socks::connect(&mut port, "inbox.onion", 45069, "kkv", "password");
        let mut context = Context::from_waker(Waker::noop());
        match pin!(connecting).poll(&mut context) {
            Poll::Ready(result) => result,
            Poll::Pending => unreachable!("a pipe never waits"),
        }
    };
    let granted = bytes.starts_with(&[5, 2, 1, 0, 5, 0]);
    match asked {
        Ok(()) => assert!(granted, "it has said no"),
        Err(SocksError::Refused(refusal)) => {
            assert!(refusal.0 != 0 && !granted);
            let _ = refusal.meaning().map(|meaning| meaning.to_string());
        }
        Err(_) => {}
    }
    // Neither password nor address goes to what may not be Tor.
    let trusted = bytes.starts_with(&[5, 2]);
    assert!(trusted || port.written() == [5, 1, 2]);
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = str::from_utf8(bytes) {
        addresses(text);
    }
    answers(bytes);
});
