//! "Accepted means kept" (THREATS.md, "What is promised"): whatever happens to the line, to the relay or to the time, a
//! sender who is told accepted finds the message in the queue once, and one who is told anything else but "in doubt"
//! knows that it is not there.

mod answers;
mod asks;
mod collected;
mod cut_again;
mod cut_for_good;
mod cut_once;
mod dearer;
mod far;
mod late;
mod many;
mod slow_line;
mod stopped;
mod sweep;
mod talk;
mod twice;
mod uploads;
mod wiped;
