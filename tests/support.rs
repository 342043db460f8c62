//! What several suites stand on.

pub(crate) mod answerable;
pub(crate) mod chromium;
pub(crate) mod cut;
pub(crate) mod fake_clock;
pub(crate) mod in_process;
pub(crate) mod lying_relay;
pub(crate) mod model_terminal;
pub(crate) mod page_form;
pub(crate) mod programs;
pub(crate) mod tor_network;
