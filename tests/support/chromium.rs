//! What Chromium is started with wherever it is: without a window, and so that it asks nobody for anything by itself.

/// As root it can't have its sandbox, and in a container no large memory to share.
pub(crate) const QUIET: [&str; 8] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
];
