//! The embedded Tor: arti in this process, as a client and as the host of an onion service.

mod circuits;
mod config;
mod dialer;
mod embedded;
mod error;
mod faults;
mod incoming;
mod instance;
mod network;
mod runtime;
mod service;
mod settings;
mod state_dir;
mod status;
mod supervisor;

pub use dialer::EmbeddedDialer;
pub use embedded::{EmbeddedTor, OnionService};
pub use error::StartError;
pub use incoming::OnionListener;
pub use settings::{Settings, SettingsError};
pub use state_dir::{
    AddressKey, InsecureDir, KeyError, Problem, StateDir, StateDirError, default_state_dir,
};
