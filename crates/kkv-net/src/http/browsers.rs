//! What a browser may ask for where there are pages for it, and on whose behalf.
//!
//! The attack: any page of any site can have its reader's browser send requests here. So a page is shown to whoever
//! goes to it, by a link from anywhere; and whatever else comes from a browser must come from our own pages.

use axum::Router;
use axum::http::header::{HOST, HeaderMap, HeaderName, ORIGIN};
use axum::http::{Method, Request};

use super::filter::is_onion;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// What is served, and which of its paths are for browsers; all others are closed to them.
#[derive(Debug, Clone)]
pub struct Site {
    pub(super) router: Router,
    pub(super) pages: &'static [&'static str],
}

impl Site {
    /// With pages at these paths.
    #[must_use]
    pub fn with_pages(router: Router, pages: &'static [&'static str]) -> Self {
        Self { router, pages }
    }

    /// Whether a browser may have what it asks for here.
    pub(super) fn lets_browser<B>(&self, request: &Request<B>) -> bool {
        self.pages.contains(&request.uri().path()) && is_wanted(request)
    }
}

/// Without pages.
impl From<Router> for Site {
    fn from(router: Router) -> Self {
        Self { router, pages: &[] }
    }
}

/// Whether it comes from one of our pages, or somebody goes to one.
///
/// `Sec-Fetch-Site` is sent to what a browser trusts, to which Tor Browser counts onion addresses; `Origin` with every
/// form. Neither can be set or removed by a page (Fetch, "forbidden request-header").
fn is_wanted<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    let own_origin = match single(headers, &ORIGIN) {
        Ok(None) => None,
        Ok(Some(origin)) => Some(is_own(headers, origin)),
        Err(Several) => return false,
    };
    match single(headers, &SEC_FETCH_SITE) {
        Ok(Some("same-origin" | "none")) => own_origin != Some(false),
        Ok(Some(_)) => own_origin.is_none() && is_visit(request),
        // An older browser, or one that doesn't trust us.
        Ok(None) => own_origin.unwrap_or(*request.method() == Method::GET),
        Err(Several) => false,
    }
}

/// Whether somebody goes to a page in a tab of its own, by a link of another site.
///
/// There are no links to a port of this machine, but there are sites that look for what listens on them.
fn is_visit<B>(request: &Request<B>) -> bool {
    let host = single(request.headers(), &HOST).ok().flatten();
    let says = |name, value| single(request.headers(), &name) == Ok(Some(value));
    *request.method() == Method::GET
        && host.is_some_and(is_onion)
        && says(SEC_FETCH_MODE, "navigate")
        && says(SEC_FETCH_DEST, "document")
}

/// Whether an origin is the one that was asked. Onion services need no TLS.
fn is_own(headers: &HeaderMap, origin: &str) -> bool {
    let host = single(headers, &HOST).ok().flatten();
    let own = origin.strip_prefix("http://");
    own.zip(host)
        .is_some_and(|(own, host)| own.eq_ignore_ascii_case(host))
}

/// There are several where one is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Several;

/// The value of a header; what can't be shown is none that we know.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Several> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => Ok(Some(value.to_str().unwrap_or("?"))),
        (Some(_), Some(_)) => Err(Several),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    const HOST_NAME: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

    fn lets(method: &str, path: &str, headers: &[(&str, &str)]) -> bool {
        let site = Site::with_pages(Router::new(), &["/", "/words"]);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", HOST_NAME);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        site.lets_browser(&request.body(Body::empty()).unwrap())
    }

    #[test]
    fn a_page_is_shown_to_whoever_goes_to_it() {
        for headers in [
            &[][..],
            &[("sec-fetch-site", "none")],
            &[
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-mode", "navigate"),
            ],
            &[
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "document"),
                ("referer", "http://elsewhere.example/"),
            ],
        ] {
            assert!(lets("GET", "/", headers), "{headers:?}");
            assert!(lets("GET", "/words?x=1", headers), "{headers:?}");
            for path in ["/pow", "/msg", "/words/", "/status", "//"] {
                assert!(!lets("GET", path, headers), "{path} {headers:?}");
            }
        }
    }

    #[test]
    fn a_form_is_taken_from_our_own_pages_only() {
        let own = format!("http://{HOST_NAME}");
        let upper = own.to_ascii_uppercase().replace("HTTP", "http");
        for headers in [
            &[("origin", own.as_str())][..],
            &[("origin", &upper)],
            &[("origin", &own), ("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "same-origin")],
        ] {
            assert!(lets("POST", "/", headers), "{headers:?}");
        }
        let other_port = format!("{own}:81");
        let tls = own.replace("http", "https");
        for headers in [
            &[][..],
            &[("accept-language", "en")],
            &[("origin", "null")],
            &[("origin", "null"), ("sec-fetch-site", "cross-site")],
            &[("origin", "null"), ("sec-fetch-site", "same-origin")],
            &[("origin", "http://elsewhere.example")],
            &[("origin", &other_port)],
            &[("origin", &tls)],
            &[("origin", &own), ("origin", &own)],
            &[("origin", &own), ("sec-fetch-site", "cross-site")],
            &[("origin", &own), ("sec-fetch-site", "same-site")],
            &[
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-site", "cross-site"),
            ],
            &[
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "document"),
            ],
        ] {
            assert!(!lets("POST", "/", headers), "{headers:?}");
        }
    }

    #[test]
    fn a_port_of_this_machine_is_not_visited_by_links() {
        let site = Site::with_pages(Router::new(), &["/"]);
        let visit = |host: &str, from: &str| {
            let request = Request::builder()
                .uri("/")
                .header("host", host)
                .header("sec-fetch-site", from)
                .header("sec-fetch-mode", "navigate")
                .header("sec-fetch-dest", "document");
            site.lets_browser(&request.body(Body::empty()).unwrap())
        };
        assert!(visit(HOST_NAME, "cross-site"));
        assert!(visit("127.0.0.1:45069", "none"));
        assert!(!visit("127.0.0.1:45069", "cross-site"));
        assert!(!visit("localhost:45069", "same-site"));
    }

    #[test]
    fn other_sites_get_nothing_to_use_in_theirs() {
        for (mode, dest) in [
            ("navigate", "iframe"),
            ("no-cors", "image"),
            ("no-cors", "style"),
            ("cors", "empty"),
            ("websocket", "websocket"),
        ] {
            let headers = [
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", mode),
                ("sec-fetch-dest", dest),
            ];
            assert!(!lets("GET", "/", &headers), "{mode} {dest}");
        }
    }
}
