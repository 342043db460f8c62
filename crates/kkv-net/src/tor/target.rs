//! The destination of a message: an onion address, or a loopback address for a relay on this machine. Nothing else can
//! be expressed, so nothing leaves this machine but through Tor.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use kkv_base::limits::DEFAULT_PORT;
use kkv_protocol::blank::is_ignorable;
use kkv_protocol::onion::{OnionAddress, OnionAddressError};

/// The address of an inbox.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// Through Tor.
    Onion {
        /// The onion service.
        address: OnionAddress,
        /// Its port.
        port: u16,
    },
    /// On this machine, not through Tor.
    Loopback(SocketAddr),
}

/// The error of parsing a [`Target`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseTargetError {
    /// Neither an onion nor a loopback address: connecting would bypass Tor.
    #[error(
        "it is neither an onion address nor on this machine, and nothing is ever sent outside Tor"
    )]
    OutsideTor,
    /// It has another scheme than `http`.
    #[error("an address is written <56 characters>.onion[:port]; only http:// may stand before it")]
    Scheme,
    /// It has the scheme `https`.
    #[error(
        "an inbox has no https://, and needs none, since Tor encrypts the way there; leave it out"
    )]
    Https,
    /// It has a path, query or fragment.
    #[error("an inbox has no pages; leave out what follows .onion[:port]")]
    Path,
    /// It is an onion address without `.onion`.
    #[error("an onion address ends in .onion")]
    Suffix,
    /// It ends in `.onion` and is no valid onion address.
    #[error("{0}")]
    Onion(#[from] OnionAddressError),
    /// What follows the colon is no port.
    #[error("what stands behind the colon is no port (1 to 65535)")]
    Port,
}

impl FromStr for Target {
    type Err = ParseTargetError;

    fn from_str(text: &str) -> Result<Self, ParseTargetError> {
        let text = without_wrapping(text);
        match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => {
                // Not mistaken for a contact's name, which can't contain a scheme.
                without_path(rest).map_err(|fault| match fault {
                    ParseTargetError::OutsideTor => ParseTargetError::Scheme,
                    fault => fault,
                })
            }
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => {
                Err(ParseTargetError::Https)
            }
            Some(_) => Err(ParseTargetError::Scheme),
            None => without_path(text),
        }
    }
}

/// Strips what is copied along with an address: white space, ignorable characters, and one pair of quotes or brackets.
#[must_use]
pub fn without_wrapping(text: &str) -> &str {
    let nothing = |c: char| c.is_whitespace() || is_ignorable(c);
    let text = text.trim_matches(nothing);
    let pairs = [('<', '>'), ('"', '"'), ('\'', '\''), ('`', '`')];
    let inner = pairs
        .into_iter()
        .find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close));
    inner.map_or(text, |inner| inner.trim_matches(nothing))
}

/// The address in a link that has no path but `/`.
fn without_path(text: &str) -> Result<Target, ParseTargetError> {
    let (host, path) = text.split_at(text.find(['/', '?', '#']).unwrap_or(text.len()));
    let target = host_and_port(host)?;
    if path.trim_end_matches('/').is_empty() {
        Ok(target)
    } else {
        Err(ParseTargetError::Path)
    }
}

fn host_and_port(text: &str) -> Result<Target, ParseTargetError> {
    // No scope ids, as in [fe80::1%2]: loopback addresses don't have any.
    if let (Ok(address), false) = (text.parse::<SocketAddr>(), text.contains('%')) {
        return loopback(address);
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'));
    if let Ok(ip) = bare.unwrap_or(text).parse::<IpAddr>() {
        return loopback(SocketAddr::new(ip, DEFAULT_PORT));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, parse_port(port)),
        None => (text, Ok(DEFAULT_PORT)),
    };
    let host = host.strip_suffix('.').unwrap_or(host); // fully qualified, in DNS notation
    if host.eq_ignore_ascii_case("localhost") {
        // This machine (RFC 6761 §6.3), without asking a resolver.
        return loopback(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port?));
    }
    match host.parse() {
        Ok(address) => Ok(Target::Onion {
            address,
            port: port?,
        }),
        Err(OnionAddressError::NoSuffix) if host.parse::<IpAddr>().is_ok() => {
            loopback(SocketAddr::new(host.parse().expect("just parsed"), port?))
        }
        Err(OnionAddressError::NoSuffix)
            if format!("{host}.onion").parse::<OnionAddress>().is_ok() =>
        {
            Err(ParseTargetError::Suffix)
        }
        Err(OnionAddressError::NoSuffix) => Err(ParseTargetError::OutsideTor),
        Err(fault) => Err(fault.into()),
    }
}

fn parse_port(text: &str) -> Result<u16, ParseTargetError> {
    match text.parse() {
        Ok(0) | Err(_) => Err(ParseTargetError::Port),
        Ok(port) => Ok(port),
    }
}

fn loopback(address: SocketAddr) -> Result<Target, ParseTargetError> {
    if !address.ip().is_loopback() {
        return Err(ParseTargetError::OutsideTor);
    }
    if address.port() == 0 {
        return Err(ParseTargetError::Port);
    }
    Ok(Target::Loopback(address))
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Onion { address, port } => write!(f, "{address}:{port}"),
            Self::Loopback(address) => address.fmt(f),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Onion { .. } => "Target(onion)",
            Self::Loopback(_) => "Target(loopback)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

    #[test]
    fn onion_and_loopback_addresses_are_accepted() {
        for (text, prints) in [
            (ONION.to_owned(), format!("{ONION}:45069")),
            (format!("{ONION}:80"), format!("{ONION}:80")),
            (format!(" {ONION}\n"), format!("{ONION}:45069")),
            (format!("{ONION}/"), format!("{ONION}:45069")),
            (format!("{ONION}."), format!("{ONION}:45069")),
            (format!("{ONION}.:80//"), format!("{ONION}:80")),
            (format!("http://{ONION}/"), format!("{ONION}:45069")),
            (format!("HTTP://{ONION}:80"), format!("{ONION}:80")),
            (ONION.to_uppercase(), format!("{ONION}:45069")),
            (format!("<{ONION}>"), format!("{ONION}:45069")),
            (format!(" < http://{ONION}/ >"), format!("{ONION}:45069")),
            (format!("\"{ONION}\""), format!("{ONION}:45069")),
            (
                format!("\u{feff}\u{a0}{ONION}\u{200b}"),
                format!("{ONION}:45069"),
            ),
            ("http://localhost:7/".into(), "127.0.0.1:7".into()),
            ("127.0.0.1".into(), "127.0.0.1:45069".into()),
            ("127.0.0.1:8080".into(), "127.0.0.1:8080".into()),
            ("127.8.9.1:1".into(), "127.8.9.1:1".into()),
            ("::1".into(), "[::1]:45069".into()),
            ("[::1]".into(), "[::1]:45069".into()),
            ("[::1]:7".into(), "[::1]:7".into()),
            ("localhost".into(), "127.0.0.1:45069".into()),
            ("LocalHost:7".into(), "127.0.0.1:7".into()),
        ] {
            assert_eq!(
                text.parse::<Target>().map(|t| t.to_string()),
                Ok(prints),
                "{text}"
            );
        }
    }

    #[test]
    fn everything_else_is_rejected() {
        for text in [
            "example.com",
            "example.com:80",
            "8.8.8.8",
            "10.0.0.1:45069",
            "0.0.0.0",
            "[::]:1",
            "::ffff:127.0.0.1",
            "user@localhost",
            "[::1%1]",
            "[::1%1]:7",
            "[::1",
            "[[::1]]",
            "",
            ":",
            "onion",
            "localhost.example.com",
        ] {
            assert_eq!(
                text.parse::<Target>(),
                Err(ParseTargetError::OutsideTor),
                "{text}"
            );
        }
        for text in [
            format!("{ONION}:"),
            format!("{ONION}:0"),
            format!("{ONION}:65536"),
            "127.0.0.1:0".into(),
            "localhost:x".into(),
        ] {
            assert_eq!(
                text.parse::<Target>(),
                Err(ParseTargetError::Port),
                "{text}"
            );
        }
        for text in [
            format!("ftp://{ONION}"),
            format!("kkv://{ONION}"),
            format!("http://http://{ONION}"),
            "http://example.com".into(),
            "http://".into(),
        ] {
            assert_eq!(
                text.parse::<Target>(),
                Err(ParseTargetError::Scheme),
                "{text}"
            );
        }
        for text in [format!("https://{ONION}/"), "HTTPS://bob".into()] {
            assert_eq!(
                text.parse::<Target>(),
                Err(ParseTargetError::Https),
                "{text}"
            );
        }
        for path in ["/status", "/?q", "?q", "#top", "/#"] {
            for text in [format!("{ONION}{path}"), format!("http://{ONION}:80{path}")] {
                assert_eq!(
                    text.parse::<Target>(),
                    Err(ParseTargetError::Path),
                    "{text}"
                );
            }
        }
        for text in ["short.onion", ".onion"] {
            assert!(
                matches!(text.parse::<Target>(), Err(ParseTargetError::Onion(_))),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_parses_is_onion_or_loopback(text in ".{0,80}") {
            if let Ok(Target::Loopback(address)) = text.parse::<Target>() {
                prop_assert!(address.ip().is_loopback());
            }
        }

        #[test]
        fn no_numeric_address_outside_loopback_parses(ip: IpAddr, port: u16) {
            let text = SocketAddr::new(ip, port).to_string();
            prop_assert_eq!(text.parse::<Target>().is_ok(), ip.is_loopback() && port != 0);
        }
    }
}
