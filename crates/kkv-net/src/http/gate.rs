//! Who may ask at all: decided for every request before any route is looked at.
//!
//! A browser on this machine reaches a loopback port, and every web page in it has the browser send requests there: by
//! a form, by a `<script>`, or by DNS rebinding, where a name of the page's own comes to mean 127.0.0.1. Browsers say
//! so in headers that no page can leave out, and name in `Host` what was asked for. No program that speaks this
//! protocol sends the former, or comes by another name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::body::Body;
use axum::http::header::{
    ACCEPT_LANGUAGE, CONNECTION, HOST, HeaderName, HeaderValue, ORIGIN, REFERER,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{Request, Response, StatusCode, Version};

/// Says that no other site's page may have this answer, however it was asked for.
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// Sent by browsers alone. `Accept-Language` is among them for those from before `Sec-Fetch-*`, and because browsers
/// leave the latter out where a page has been rebound.
const OF_BROWSERS: [HeaderName; 3] = [ORIGIN, REFERER, ACCEPT_LANGUAGE];

/// What the names of further such headers begin with: no page can set or remove one of them (Fetch, "forbidden
/// request-header").
const SECURE: &str = "sec-";

/// Characters of an onion address before `.onion`.
const ONION_CHARACTERS: usize = 56;

/// The names by which a listener can be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Any onion address: only Tor comes here.
    Onion,
    /// This address, `localhost` on its port where that means it, or any onion address: a system Tor may come here,
    /// too.
    Loopback(SocketAddr),
    /// `kkv`, as `kkvc` calls it, or `localhost`: the owner's socket.
    Owner,
}

impl Names {
    /// With what the request is refused, if it is: 400 for another version than HTTP/1.1, 403 if it is a browser's or
    /// doesn't name this listener.
    pub(super) fn refuse<B>(self, request: &Request<B>) -> Option<StatusCode> {
        if request.version() != Version::HTTP_11 {
            return Some(StatusCode::BAD_REQUEST);
        }
        let headers = request.headers();
        let a_browsers =
            |name: &HeaderName| OF_BROWSERS.contains(name) || name.as_str().starts_with(SECURE);
        let mut hosts = headers.get_all(HOST).iter();
        let meant = match (hosts.next(), hosts.next()) {
            (Some(host), None) => self.include(host.as_bytes()),
            _ => false, // none, or several
        };
        // A target with an authority of its own would be a second opinion.
        let one_name = request.uri().authority().is_none();
        if headers.keys().any(a_browsers) || !meant || !one_name {
            return Some(StatusCode::FORBIDDEN);
        }
        None
    }

    /// Whether a `Host` of this value means the listener.
    fn include(self, host: &[u8]) -> bool {
        let Ok(host) = std::str::from_utf8(host) else {
            return false;
        };
        match self {
            Self::Onion => is_onion(host),
            Self::Loopback(address) => is_loopback(host, address) || is_onion(host),
            Self::Owner => host == "kkv" || host == "localhost",
        }
    }
}

/// Whether it is the address, or `localhost` with its port.
fn is_loopback(host: &str, address: SocketAddr) -> bool {
    if host.parse() == Ok(address) {
        return true;
    }
    let localhost: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let Some((name, port)) = host.rsplit_once(':') else {
        return false;
    };
    localhost.contains(&address.ip())
        && without_dot(name).eq_ignore_ascii_case("localhost")
        && is_port(port)
        && port.parse() == Ok(address.port())
}

/// Whether it has the form of an onion address, with a port or without: a torrc may give the inbox another one. Which
/// address it is is Tor's to know. (Ordinary browsers look no such name up; one that did would still send the headers
/// above.)
fn is_onion(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let Some((key, onion)) = without_dot(name).split_once('.') else {
        return false;
    };
    onion.eq_ignore_ascii_case("onion")
        && key.len() == ONION_CHARACTERS
        && key
            .bytes()
            .all(|c| matches!(c, b'a'..=b'z' | b'A'..=b'Z' | b'2'..=b'7'))
        && port.is_none_or(is_port)
}

/// A name may be written as a whole one, with a dot at its end.
fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// The answer to a request that is refused here: the status alone, and the end of the connection.
pub(super) fn refusal(status: StatusCode) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    let close = HeaderValue::from_static("close");
    answer.headers_mut().insert(CONNECTION, close);
    answer
}

/// Has browsers keep an answer from every page, and not take it for what it doesn't say that it is.
pub(super) fn close_to_browsers(answer: &mut Response<Body>) {
    let headers = answer.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        CROSS_ORIGIN_RESOURCE_POLICY,
        HeaderValue::from_static("same-origin"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

    fn loopback(address: &str) -> Names {
        Names::Loopback(address.parse().unwrap())
    }

    #[test]
    fn a_host_is_the_address_it_came_by_or_an_onion_address() {
        let (v4, v6) = (loopback("127.0.0.1:45069"), loopback("[::1]:45069"));
        let other = loopback("127.0.0.5:45069");
        let upper = ONION.to_ascii_uppercase();
        for (names, host, included) in [
            (v4, "127.0.0.1:45069", true),
            (v4, "localhost:45069", true),
            (v4, "LocalHost:45069", true),
            (v4, "localhost.:45069", true),
            (v4, "127.0.0.1", false),
            (v4, "localhost", false),
            (v4, "127.0.0.1:45070", false),
            (v4, "localhost:45070", false),
            (v4, "localhost:+45069", false),
            (v4, "localhost:", false),
            (v4, "127.0.0.2:45069", false),
            (v4, "127.1:45069", false),
            (v4, "2130706433:45069", false),
            (v4, "[::1]:45069", false),
            (v4, "[::ffff:127.0.0.1]:45069", false),
            (v4, "0.0.0.0:45069", false),
            (v4, "evil.example:45069", false),
            (v4, "evil.localhost:45069", false),
            (v4, "localhost.evil.example:45069", false),
            (v4, "user@127.0.0.1:45069", false),
            (v4, "127.0.0.1:45069,127.0.0.1:45069", false),
            (v4, " 127.0.0.1:45069", false),
            (v4, "", false),
            (v6, "[::1]:45069", true),
            (v6, "[0:0::1]:45069", true),
            (v6, "localhost:45069", true),
            (v6, "::1:45069", false),
            (v6, "127.0.0.1:45069", false),
            (other, "127.0.0.5:45069", true),
            (other, "localhost:45069", false),
            (Names::Onion, "127.0.0.1:45069", false),
            (Names::Onion, "localhost:45069", false),
            (Names::Owner, "kkv", true),
            (Names::Owner, "localhost", true),
            (Names::Owner, ONION, false),
            (Names::Owner, "evil.example", false),
        ] {
            assert_eq!(names.include(host.as_bytes()), included, "{names:?} {host}");
        }
        for names in [Names::Onion, v4, v6, other] {
            for (host, included) in [
                (ONION.to_owned(), true),
                (upper.clone(), true),
                (format!("{ONION}:45069"), true),
                (format!("{ONION}.:80"), true),
                (format!("{ONION}:0"), false),
                (format!("{ONION}:"), false),
                (format!("{ONION}:65536"), false),
                (format!("www.{ONION}"), false),
                (format!("{ONION}.evil.example"), false),
                (format!("x{ONION}"), false),
                (ONION.replacen('2', "1", 1), false),
                ("x.onion".to_owned(), false),
                (".onion".to_owned(), false),
            ] {
                assert_eq!(names.include(host.as_bytes()), included, "{names:?} {host}");
            }
        }
        assert!(!v4.include(b"\xff"));
    }

    #[test]
    fn what_a_browser_sends_is_refused_whatever_host_it_names() {
        let names = loopback("127.0.0.1:45069");
        let refuse =
            |change: &dyn Fn(axum::http::request::Builder) -> axum::http::request::Builder| {
                let request = Request::get("/status").header("host", "127.0.0.1:45069");
                names.refuse(&change(request).body(()).unwrap())
            };
        assert_eq!(refuse(&|request| request), None);
        for header in [
            "origin",
            "referer",
            "accept-language",
            "sec-fetch-site",
            "sec-fetch-mode",
            "sec-fetch-dest",
            "sec-fetch-of-a-later-day",
            "sec-websocket-key",
            "sec-gpc",
        ] {
            for value in ["", "none", "https://evil.example"] {
                let refused = refuse(&|request| request.header(header, value));
                assert_eq!(refused, Some(StatusCode::FORBIDDEN), "{header}: {value}");
            }
        }
        let twice = refuse(&|request| request.header("host", "127.0.0.1:45069"));
        assert_eq!(twice, Some(StatusCode::FORBIDDEN));
        let of_its_own = refuse(&|request| request.uri("http://127.0.0.1:45069/status"));
        assert_eq!(of_its_own, Some(StatusCode::FORBIDDEN));
        let without = Request::get("/status").body(()).unwrap();
        assert_eq!(names.refuse(&without), Some(StatusCode::FORBIDDEN));
        for (version, refused) in [
            (Version::HTTP_10, Some(StatusCode::BAD_REQUEST)),
            (Version::HTTP_11, None),
        ] {
            assert_eq!(refuse(&|request| request.version(version)), refused);
        }
    }
}
