//! How far the descriptors of a new onion service have come, from its daemon's `HS_DESC` events.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Result, bail};

/// The descriptors of one onion service. There are two, for the current time period and a
/// neighbouring one; which of them a client looks for is the client's affair, so both count.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    /// By descriptor: to how many directories it was sent.
    sent: BTreeMap<String, u32>,
    /// By directory: how many descriptors it has yet to answer for. The event of an acceptance
    /// does not tell which one it is about.
    unanswered: BTreeMap<String, i32>,
}

impl Uploads {
    /// Takes in one event.
    ///
    /// # Errors
    /// When it says that a directory refused a descriptor, or did not get it: `tor` does not send
    /// it again for an hour.
    pub(super) fn note(&mut self, event: &str) -> Result<()> {
        let words: Vec<_> = event.split_whitespace().collect();
        match words[..] {
            // HS_DESC action address auth-type directory descriptor ...
            ["HS_DESC", "CREATED", _, _, _, descriptor, ..] => {
                self.sent.entry(descriptor.to_owned()).or_default();
            }
            ["HS_DESC", "UPLOAD", _, _, directory, descriptor, ..] => {
                *self.sent.entry(descriptor.to_owned()).or_default() += 1;
                *self.unanswered.entry(directory.to_owned()).or_default() += 1;
            }
            ["HS_DESC", "UPLOADED", _, _, directory, ..] => {
                *self.unanswered.entry(directory.to_owned()).or_default() -= 1;
            }
            ["HS_DESC", "FAILED", ..] => bail!("a descriptor was not accepted: {event}"),
            _ => {}
        }
        Ok(())
    }

    /// Whether each descriptor that was made has been sent, and each that was sent accepted.
    pub(super) fn are_accepted(&self) -> bool {
        !self.sent.is_empty()
            && self.sent.values().all(|&directories| directories > 0)
            && self
                .unanswered
                .values()
                .all(|&descriptors| descriptors == 0)
    }
}

impl fmt::Display for Uploads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let made = self.sent.len();
        let sent: u32 = self.sent.values().sum();
        let open: i32 = self.unanswered.values().sum();
        write!(f, "{made} made, sent {sent} times, {open} unanswered")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(events: &[&str]) -> bool {
        let mut uploads = Uploads::default();
        for event in events {
            uploads.note(event).unwrap();
        }
        uploads.are_accepted()
    }

    #[test]
    fn every_descriptor_must_be_accepted_everywhere() {
        let events = [
            "HS_DESC CREATED addr UNKNOWN UNKNOWN one",
            "HS_DESC CREATED addr UNKNOWN UNKNOWN two",
            "HS_DESC UPLOAD addr UNKNOWN $A~r0 one HSDIR_INDEX=00",
            "HS_DESC UPLOADED addr UNKNOWN $A~r0",
            "HS_DESC UPLOAD addr UNKNOWN $A~r0 two HSDIR_INDEX=01",
            "HS_DESC UPLOAD addr UNKNOWN $B~r1 two HSDIR_INDEX=02",
            "HS_DESC UPLOADED addr UNKNOWN $B~r1",
            "HS_DESC UPLOADED addr UNKNOWN $A~r0",
        ];
        for n in 0..events.len() {
            assert!(!after(&events[..n]), "after {n} events");
        }
        assert!(after(&events));
    }

    #[test]
    fn a_refusal_is_an_error() {
        let refusal = "HS_DESC FAILED addr UNKNOWN $A~r0 one REASON=UPLOAD_REJECTED";
        assert!(Uploads::default().note(refusal).is_err());
    }
}
