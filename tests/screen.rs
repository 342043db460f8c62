//! The interactive client, driven in a real terminal (tmux), with the real relay behind it: what is on the screen, and
//! what is left there.
//!
//! What whole screens look like is kept in `screen/looks/`; `cargo xtask screens` draws them anew.

mod answers;
mod ends;
mod inbox;
mod looks;
mod people;
mod saving;
mod start;
mod tmux;
mod writing;
