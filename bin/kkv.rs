//! Both programs: the relay, and under the name `kkvc` the client of sender and owner.

use std::env;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let called = env::args_os().next().unwrap_or_default();
    if Path::new(&called).file_name() == Some("kkvc".as_ref()) {
        kkv::cli::kkvc()
    } else {
        kkv::cli::kkv()
    }
}
