//! The client of sender and owner.

fn main() -> std::process::ExitCode {
    kkv::cli::kkvc()
}
