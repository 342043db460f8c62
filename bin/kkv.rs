//! The relay.

fn main() -> std::process::ExitCode {
    kkv::cli::kkv()
}
