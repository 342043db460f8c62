//! "Accepted means kept" (THREATS.md, "What is promised"): whatever happens to the line, to the relay or to the time, a
//! sender who is told accepted finds the message in the queue once, and one who is told anything else but "in doubt"
//! knows that it is not there.

#[path = "support/cut.rs"]
mod cut;
#[path = "kept/cut_again.rs"]
mod cut_again;
#[path = "kept/cut_for_good.rs"]
mod cut_for_good;
#[path = "kept/cut_once.rs"]
mod cut_once;
#[path = "kept/dearer.rs"]
mod dearer;
#[path = "kept/far.rs"]
mod far;
#[path = "support/in_process.rs"]
mod in_process;
#[path = "kept/late.rs"]
mod late;
#[path = "kept/many.rs"]
mod many;
#[path = "kept/stopped.rs"]
mod stopped;
#[path = "kept/sweep.rs"]
mod sweep;
#[path = "kept/talk.rs"]
mod talk;
#[path = "kept/twice.rs"]
mod twice;
#[path = "kept/wiped.rs"]
mod wiped;
