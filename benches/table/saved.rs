//! What criterion has saved: `<target directory>/criterion/<group>/<bench>/new/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use kkv_base::clock::{Clock, SystemClock};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// All of a table is from one run: results of different hours are of different code, or of a machine in another mood.
const ONE_RUN: Duration = Duration::from_secs(60 * 60);

const ADVICE: &str = "run scripts/bench, which measures all of it first";

pub(crate) struct Saved {
    directory: PathBuf,
}

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    /// Nanoseconds for one iteration.
    point_estimate: f64,
}

#[derive(Deserialize)]
struct Benchmark {
    throughput: Option<Throughput>,
}

#[derive(Deserialize)]
enum Throughput {
    /// For each iteration.
    Elements(u64),
}

impl Saved {
    /// Where criterion saves: `$CRITERION_HOME`, or `criterion` in cargo's target directory, in which this program was
    /// built.
    ///
    /// # Errors
    /// Nothing is there.
    pub(crate) fn find() -> Result<Self> {
        if let Some(told) = std::env::var_os("CRITERION_HOME") {
            let directory = told.into();
            return Ok(Self { directory });
        }
        let program = std::env::current_exe().context("where this program is")?;
        let mut above = program.ancestors().map(|above| above.join("criterion"));
        let directory = above.find(|place| place.is_dir());
        let directory = directory.with_context(|| format!("nothing is saved: {ADVICE}"))?;
        Ok(Self { directory })
    }

    /// Seconds that an iteration takes. The median of the samples, since what else happens on a machine can only make
    /// some of them slower.
    ///
    /// # Errors
    /// It was not measured, or not in this run.
    pub(crate) fn time(&self, bench: &str) -> Result<f64> {
        let estimates: Estimates = self.read(bench, "estimates.json")?;
        Ok(estimates.median.point_estimate / 1e9)
    }

    /// Elements in a second.
    ///
    /// # Errors
    /// It was not measured, or not in this run, or it has no elements.
    pub(crate) fn rate(&self, bench: &str) -> Result<f64> {
        let benchmark: Benchmark = self.read(bench, "benchmark.json")?;
        let throughput = benchmark.throughput;
        let Throughput::Elements(elements) =
            throughput.with_context(|| format!("{bench} has no throughput"))?;
        Ok(elements as f64 / self.time(bench)?)
    }

    fn read<T: DeserializeOwned>(&self, bench: &str, file: &str) -> Result<T> {
        let path = self.directory.join(bench).join("new").join(file);
        let context = || format!("{bench} was not measured ({}): {ADVICE}", path.display());
        let json = fs::read(&path).with_context(context)?;
        if age(&path)? > ONE_RUN {
            bail!("{bench} was measured over an hour ago: {ADVICE}");
        }
        serde_json::from_slice(&json).with_context(|| format!("{} is strange", path.display()))
    }
}

fn age(path: &Path) -> Result<Duration> {
    let modified = fs::metadata(path)?.modified()?;
    let modified = modified.duration_since(std::time::UNIX_EPOCH)?;
    let now = Duration::from_secs(SystemClock::default().wall());
    Ok(now.saturating_sub(modified))
}
