//! The addresses in a system call, as strace writes them. A family that is not known is an error.

use std::net::{IpAddr, SocketAddr};

use super::trace::{parts, string, string_end};

/// Whom a socket speaks to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Address {
    /// Over IP.
    Inet(SocketAddr),
    /// A Unix socket with this name.
    Unix(String),
    /// A Unix socket without a name, such as a client's own end.
    Unnamed,
}

/// Every address that stands in `argument`.
pub(crate) fn addresses(argument: &str) -> Result<Vec<Address>, String> {
    let wrong = || format!("an address that is not understood: {argument}");
    let bytes = argument.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        if bytes[at] == b'"' {
            at += 2 + string_end(&bytes[at + 1..]).ok_or_else(wrong)?;
        } else if bytes[at..].starts_with(b"sa_family=") {
            if at == 0 || bytes[at - 1] != b'{' {
                return Err(wrong());
            }
            let (fields, rest) = parts(&argument[at..], b'}').ok_or_else(wrong)?;
            found.push(address(&fields).ok_or_else(wrong)?);
            at = argument.len() - rest.len();
        } else {
            at += 1;
        }
    }
    Ok(found)
}

/// The one address that `argument` is.
pub(crate) fn address_of(argument: &str) -> Result<Address, String> {
    match addresses(argument)?.as_slice() {
        [one] if argument.starts_with("{sa_family=") && argument.ends_with('}') => Ok(one.clone()),
        _ => Err(format!("not an address: {argument}")),
    }
}

fn address(fields: &[String]) -> Option<Address> {
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    match fields.as_slice() {
        ["sa_family=AF_UNIX"] => Some(Address::Unnamed),
        ["sa_family=AF_UNIX", path] => {
            let path = string(path.strip_prefix("sun_path=")?)?;
            Some(Address::Unix(path.to_owned()))
        }
        ["sa_family=AF_INET", port, ip] => {
            let ip = ip.strip_prefix("sin_addr=inet_addr(")?.strip_suffix(')')?;
            inet(port.strip_prefix("sin_port=")?, ip)
        }
        ["sa_family=AF_INET6", port, _flow, ip, "sin6_scope_id=0"] => {
            let ip = ip.strip_prefix("inet_pton(AF_INET6, ")?;
            let ip = ip.strip_suffix(", &sin6_addr)")?;
            inet(port.strip_prefix("sin6_port=")?, ip)
        }
        _ => None,
    }
}

fn inet(port: &str, ip: &str) -> Option<Address> {
    let port = port.strip_prefix("htons(")?.strip_suffix(')')?;
    let ip: IpAddr = string(ip)?.parse().ok()?;
    Some(Address::Inet(SocketAddr::new(ip, port.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_family_is_read() {
        for (text, expected) in [
            (
                r#"{sa_family=AF_INET, sin_port=htons(45069), sin_addr=inet_addr("127.0.0.1")}"#,
                Address::Inet(([127, 0, 0, 1], 45069).into()),
            ),
            (
                r#"{sa_family=AF_INET6, sin6_port=htons(7), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}"#,
                Address::Inet("[::1]:7".parse().unwrap()),
            ),
            (
                r#"{sa_family=AF_UNIX, sun_path="/a/b {"}"#,
                Address::Unix("/a/b {".to_owned()),
            ),
            ("{sa_family=AF_UNIX}", Address::Unnamed),
        ] {
            assert_eq!(address_of(text), Ok(expected.clone()), "{text}");
            let message = format!(
                r#"{{msg_name={text}, msg_iov=[{{iov_base="sa_family="..., iov_len=9}}]}}"#
            );
            assert_eq!(addresses(&message), Ok(vec![expected]), "{message}");
            assert!(address_of(&message).is_err(), "{message}");
        }
        assert_eq!(addresses("NULL"), Ok(vec![]));
        assert!(address_of("NULL").is_err() && address_of("0x7ffd").is_err());
    }

    #[test]
    fn anything_else_is_an_error() {
        for text in [
            "{sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}",
            r#"{sa_family=AF_UNSPEC, sa_data="\0\0"}"#,
            r#"{sa_family=AF_PACKET, sll_protocol=htons(ETH_P_ALL)}"#,
            "{sa_family=0x28, sa_data=\"\"}",
            r#"{sa_family=AF_UNIX, sun_path=@"hidden"}"#,
            r#"{sa_family=AF_UNIX, sun_path="/a"...}"#,
            r#"{sa_family=AF_INET, sin_port=htons(1), sin_addr=inet_addr("127.0.0.256")}"#,
            r#"{sa_family=AF_INET, sin_port=htons(70000), sin_addr=inet_addr("127.0.0.1")}"#,
            r#"{sa_family=AF_INET, sin_port=htons(1)"#,
            "sa_family=AF_UNIX",
        ] {
            assert!(addresses(text).is_err(), "{text}");
        }
    }
}
