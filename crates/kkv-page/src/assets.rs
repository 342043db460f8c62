//! The files beside the pages. They are the same for everybody, and there is nothing to be known from who asks for
//! them.

/// The style of all pages.
pub const STYLE: &str = include_str!("../assets/style.css");

/// What makes of the page one on which people pay, where script runs.
pub const SCRIPT: &str = include_str!("../assets/page.js");

/// What computes for it, once on each processor core.
pub const WORKER: &str = include_str!("../assets/worker.js");

/// A picture for the tab: PNG, since Tor Browser shows no SVG at its level "Safest".
pub const ICON: &[u8] = include_bytes!("../assets/icon.png");
