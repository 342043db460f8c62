//! On what the table was measured, with which build, and when: without these its numbers mean nothing.

use std::num::NonZeroUsize;
use std::process::Command;
use std::thread;

use kkv_base::clock::{Clock, SystemClock};
use kkv_pow::InstructionSet;

/// A line to stand below the table.
pub(crate) fn described() -> String {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let instructions = InstructionSet::best();
    let (processor, compiler) = (processor(), compiler());
    let date = date().unwrap_or_else(|| "no date".to_owned());
    format!(
        "Machine: {processor}, {cores} cores, {instructions}. Build: {compiler}, cargo's bench profile. {date}."
    )
}

/// As the kernel calls it; other systems than Linux say it elsewhere.
fn processor() -> String {
    let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut lines = told.lines().filter_map(|line| line.split_once(':'));
    let model = lines.find(|(name, _)| name.trim() == "model name");
    model.map_or_else(
        || format!("a processor without a name ({})", std::env::consts::ARCH),
        |(_, model)| model.trim().to_owned(),
    )
}

/// The one that cargo takes here, and took for what is measured.
fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let told = Command::new(rustc).arg("--version").output();
    let told = told.ok().filter(|told| told.status.success());
    told.map_or_else(
        || "a compiler that doesn't say its version".to_owned(),
        |told| String::from_utf8_lossy(&told.stdout).trim().to_owned(),
    )
}

fn date() -> Option<String> {
    let seconds = i64::try_from(SystemClock::default().wall()).ok()?;
    let now = jiff::Timestamp::from_second(seconds).ok()?;
    Some(now.strftime("%Y-%m-%d").to_string())
}
