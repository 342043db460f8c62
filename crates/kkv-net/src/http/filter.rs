//! Which requests are served at all: checked for each, before any route.
//!
//! The attack: a browser on this machine reaches our loopback port, and any web page can have it send requests there,
//! by a form, a `<script>`, or DNS rebinding (a name of the page's own that resolves to 127.0.0.1). Browsers mark such
//! requests with headers that no page can remove, and put the name that was asked for into `Host`. No sender sends
//! these headers or another `Host`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::body::Body;
use axum::http::header::{
    ACCEPT_LANGUAGE, CONNECTION, HOST, HeaderName, HeaderValue, ORIGIN, REFERER,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{Request, Response, StatusCode, Version};

use super::browsers::Site;

/// Keeps the response from pages of all other origins (Fetch, "Cross-Origin-Resource-Policy header").
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// Sent by browsers only. `Accept-Language` is there for browsers older than `Sec-Fetch-*`, and because browsers send
/// the latter to trustworthy origins only, which a rebound name is not.
const BROWSER_HEADERS: [HeaderName; 3] = [ORIGIN, REFERER, ACCEPT_LANGUAGE];

/// Prefix of further such headers, which no page can set or remove (Fetch, "forbidden request-header").
const FORBIDDEN_PREFIX: &str = "sec-";

/// Characters of an onion address before `.onion`.
const ONION_CHARACTERS: usize = 56;

/// The values of `Host` that a listener serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowedHosts {
    /// Any onion address: only Tor connects here.
    Onion,
    /// This address, `localhost` with its port if the address is 127.0.0.1 or ::1, or any onion address, since a system
    /// Tor may connect here, too.
    Loopback(SocketAddr),
    /// `kkv`, which `kkvc` sends, or `localhost`: the owner's socket.
    Owner,
}

impl AllowedHosts {
    /// The status to reject the request with, if any: 400 unless it is HTTP/1.1, 403 if its `Host` is not allowed or
    /// it is a browser's, and not for a page of `site`.
    pub(super) fn reject<B>(self, request: &Request<B>, site: &Site) -> Option<StatusCode> {
        if request.version() != Version::HTTP_11 {
            return Some(StatusCode::BAD_REQUEST);
        }
        let headers = request.headers();
        let is_browsers = |name: &HeaderName| {
            BROWSER_HEADERS.contains(name) || name.as_str().starts_with(FORBIDDEN_PREFIX)
        };
        let mut hosts = headers.get_all(HOST).iter();
        let allowed = match (hosts.next(), hosts.next()) {
            (Some(host), None) => self.contains(host.as_bytes()),
            _ => false, // none, or several
        };
        // The absolute form would name a second host (RFC 9112 §3.2.2).
        let origin_form = request.uri().authority().is_none();
        let is_browsers = headers.keys().any(is_browsers);
        let is_let_in = !is_browsers || site.lets_browser(request);
        let serves = allowed && origin_form && is_let_in;
        (!serves).then_some(StatusCode::FORBIDDEN)
    }

    /// Whether this value of `Host` is allowed.
    fn contains(self, host: &[u8]) -> bool {
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

/// Whether `host` is the address, or `localhost` with its port.
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

/// Whether `host` has the form of an onion address, with any port or none: a torrc may choose the port. We don't know
/// the address that a system Tor serves. Ordinary browsers don't resolve such names (RFC 7686), and would send the
/// headers above.
pub(super) fn is_onion(host: &str) -> bool {
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

/// Strips the dot of a fully qualified name.
fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// The response to a rejected request: the status without a body, and the end of the connection.
pub(super) fn rejection(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

/// Tells browsers to give the response to no page of another origin, and not to guess its type.
pub(super) fn deny_browsers(response: &mut Response<Body>) {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        CROSS_ORIGIN_RESOURCE_POLICY,
        HeaderValue::from_static("same-origin"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;

    const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

    fn loopback(address: &str) -> AllowedHosts {
        AllowedHosts::Loopback(address.parse().unwrap())
    }

    #[test]
    fn the_address_and_onion_addresses_are_allowed_hosts() {
        let (v4, v6) = (loopback("127.0.0.1:45069"), loopback("[::1]:45069"));
        let other = loopback("127.0.0.5:45069");
        let upper = ONION.to_ascii_uppercase();
        for (hosts, host, allowed) in [
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
            (AllowedHosts::Onion, "127.0.0.1:45069", false),
            (AllowedHosts::Onion, "localhost:45069", false),
            (AllowedHosts::Owner, "kkv", true),
            (AllowedHosts::Owner, "localhost", true),
            (AllowedHosts::Owner, ONION, false),
            (AllowedHosts::Owner, "evil.example", false),
        ] {
            assert_eq!(hosts.contains(host.as_bytes()), allowed, "{hosts:?} {host}");
        }
        for hosts in [AllowedHosts::Onion, v4, v6, other] {
            for (host, allowed) in [
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
                assert_eq!(hosts.contains(host.as_bytes()), allowed, "{hosts:?} {host}");
            }
        }
        assert!(!v4.contains(b"\xff"));
    }

    #[test]
    fn what_a_browser_sends_is_rejected_whatever_its_host() {
        let hosts = loopback("127.0.0.1:45069");
        let reject =
            |change: &dyn Fn(axum::http::request::Builder) -> axum::http::request::Builder| {
                let request = Request::get("/status").header("host", "127.0.0.1:45069");
                hosts.reject(&change(request).body(()).unwrap(), &Router::new().into())
            };
        assert_eq!(reject(&|request| request), None);
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
                let rejected = reject(&|request| request.header(header, value));
                assert_eq!(rejected, Some(StatusCode::FORBIDDEN), "{header}: {value}");
            }
        }
        let twice = reject(&|request| request.header("host", "127.0.0.1:45069"));
        assert_eq!(twice, Some(StatusCode::FORBIDDEN));
        let of_its_own = reject(&|request| request.uri("http://127.0.0.1:45069/status"));
        assert_eq!(of_its_own, Some(StatusCode::FORBIDDEN));
        let without = Request::get("/status").body(()).unwrap();
        assert_eq!(
            hosts.reject(&without, &Router::new().into()),
            Some(StatusCode::FORBIDDEN)
        );
        for (version, rejected) in [
            (Version::HTTP_10, Some(StatusCode::BAD_REQUEST)),
            (Version::HTTP_11, None),
        ] {
            assert_eq!(reject(&|request| request.version(version)), rejected);
        }
    }
}
