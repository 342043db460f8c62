//! The Debian package and its systemd units: installed, run from where they are installed, removed; and what `kkv` asks
//! of the kernel, held against what each unit lets it.
//!
//! No systemd runs here: what a unit allows is read from it, and `systemd-analyze` says what its words mean.
#![cfg(feature = "embedded-tor")]

mod asked;
mod calls;
mod deb;
mod unit;
mod units;
