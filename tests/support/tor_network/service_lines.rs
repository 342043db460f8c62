//! The project's own torrc example, retargeted: what users are told to write is what gets tested.

use std::fmt::Display;

use anyhow::{Result, bail, ensure};

/// The lines of `torrc_example` with every `HiddenServicePort` pointing at `relay`, an address or
/// `unix:PATH` (its virtual port is kept), and without comments and `HiddenServiceDir`.
///
/// # Errors
/// When there is no `HiddenServicePort` line, or one without a port, or there are two services.
pub fn service_lines(torrc_example: &str, relay: impl Display) -> Result<String> {
    let mut lines = Vec::new();
    let (mut services, mut ports) = (0, 0);
    for line in torrc_example.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let mut words = line.split_whitespace();
        // tor does not mind the case of an option.
        match words.next().map(str::to_ascii_lowercase).as_deref() {
            None => {}
            Some("hiddenservicedir") => services += 1,
            Some("hiddenserviceport") => {
                let Some(port) = words.next() else {
                    bail!("the torrc example has a HiddenServicePort without a port");
                };
                lines.push(format!("HiddenServicePort {port} {relay}"));
                ports += 1;
            }
            Some(_) => lines.push(line.to_owned()),
        }
    }
    ensure!(ports > 0, "the torrc example has no HiddenServicePort line");
    ensure!(
        services <= 1,
        "the torrc example has {services} onion services; which one is meant?"
    );
    Ok(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn relay() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 4711))
    }

    #[test]
    fn the_target_is_replaced_and_the_rest_kept() {
        let example = "\
# An onion service
HiddenServiceDir /var/lib/tor/kkv/
hiddenserviceport 45069 127.0.0.1:45069 # the relay

HiddenServiceNumIntroductionPoints 4
";
        assert_eq!(
            service_lines(example, relay()).unwrap(),
            "HiddenServicePort 45069 127.0.0.1:4711\nHiddenServiceNumIntroductionPoints 4\n"
        );
    }

    #[test]
    fn a_socket_can_be_the_target() {
        assert_eq!(
            service_lines("HiddenServicePort 80 unix:/a", "unix:/b").unwrap(),
            "HiddenServicePort 80 unix:/b\n"
        );
    }

    #[test]
    fn a_port_without_target_gets_one() {
        assert_eq!(
            service_lines("HiddenServicePort 80", relay()).unwrap(),
            "HiddenServicePort 80 127.0.0.1:4711\n"
        );
    }

    #[test]
    fn what_describes_no_one_service_is_refused() {
        for example in [
            "",
            "HiddenServiceDir /a",
            "# HiddenServicePort 80",
            "HiddenServicePort",
            "HiddenServiceDir /a\nHiddenServicePort 1\nHiddenServiceDir /b\nHiddenServicePort 2",
        ] {
            assert!(service_lines(example, relay()).is_err(), "{example:?}");
        }
    }
}
