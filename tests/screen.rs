//! The interactive client, driven in a real terminal (tmux), with the real relay behind it: what is on the screen, and
//! what is left there.
//!
//! What whole screens look like is kept in `screen/looks/`; `SNAPSHOTS=overwrite cargo nextest run --test screen` draws
//! them anew.

#[path = "support/programs.rs"]
mod programs;

mod screen {
    mod ends;
    mod inbox;
    mod letters;
    mod looks;
    mod people;
    mod start;
    mod tmux;
}
