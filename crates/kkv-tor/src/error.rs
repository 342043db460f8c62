//! Why the embedded Tor can't be started.

use crate::faults;
use kkv_net::tor::TorTrouble;

/// Why Tor can't be started at all. An unreachable network is no such reason: that is retried for ever.
#[derive(Debug, thiserror::Error)]
#[error("the Tor inside can't start: {what}")]
pub struct StartError {
    what: String,
    trouble: TorTrouble,
}

impl StartError {
    pub(crate) fn new(fault: impl std::error::Error + 'static) -> Self {
        let trouble = faults::local(&fault).unwrap_or(TorTrouble::NotStarted);
        let what = match trouble {
            TorTrouble::DiskFull => "there is no room left on the disk with its files".to_owned(),
            _ => chain(&fault),
        };
        Self { what, trouble }
    }

    pub(crate) fn because(what: &str, trouble: TorTrouble) -> Self {
        Self {
            what: what.to_owned(),
            trouble,
        }
    }

    /// What is wrong on this machine.
    #[must_use]
    pub fn trouble(&self) -> TorTrouble {
        self.trouble
    }
}

/// An error and its sources in one line. arti's own message is often only that something failed; its sources say why.
pub(crate) fn chain(fault: &(dyn std::error::Error + 'static)) -> String {
    let mut text = fault.to_string();
    let mut source = fault.source();
    while let Some(fault) = source {
        let more = fault.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = fault.source();
    }
    text
}
