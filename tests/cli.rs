//! The two programs from outside: what they print, how they end, and what they leave behind. Each is a real process
//! here.

#[path = "support/model_terminal.rs"]
mod model_terminal;
#[path = "support/programs.rs"]
mod programs;

mod cli {
    mod address;
    mod at_the_edge;
    mod card;
    mod closed_window;
    mod colour;
    mod completions;
    mod contacts;
    mod contacts_used;
    mod doctor;
    mod environment;
    mod few_descriptors;
    mod hostile_text;
    mod identity;
    mod inbox;
    mod interrupted;
    mod json;
    mod kkv_arguments;
    mod kkv_runs;
    mod kkv_stops;
    mod meddler;
    mod no_output;
    mod one_program;
    mod openpgp;
    mod owner_socket;
    mod passphrase;
    mod pipes;
    mod preview;
    mod price;
    mod prompts;
    mod ranges;
    mod raw;
    mod receipt;
    mod send;
    mod send_fails;
    mod send_in_doubt;
    mod stalled;
    mod strangers;
    mod talk;
    mod transcripts;
    mod verify;
    mod watch;
    mod watch_exec;
    mod wipe;
}
