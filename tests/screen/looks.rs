//! Whole screens, as they are kept: what differs from run to run is put in a fixed form of the same width.

use std::path::Path;
use std::{env, fs};

use snapbox::Data;

use super::tmux::Tmux;

/// Waits until the screen is as the one kept under `name`: at a glance it may be half drawn. `SNAPSHOTS=overwrite`
/// keeps it anew.
#[track_caller]
pub(super) fn must_become(terminal: &Tmux, name: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/screen/looks/{name}.txt"));
    let kept = fs::read_to_string(&file).unwrap_or_default();
    let is_kept_anew = env::var_os(snapbox::assert::DEFAULT_ACTION_ENV).is_some();
    let (seen, _) = terminal.look(|screen| is_kept_anew || masked(screen) == kept);
    snapbox::Assert::new()
        .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
        .eq(Data::text(masked(&seen)), Data::read_from(&file, None));
}

/// Times, ports and fingerprints with zeros for their digits; no spaces at the ends of lines.
fn masked(screen: &str) -> String {
    let lines = screen.trim_end().lines().map(|line| {
        let mut line: Vec<char> = line.trim_end().chars().collect();
        for start in 0..line.len() {
            for (pattern, mask) in [
                ("dddd-dd-dd dd:dd", "2026-01-01 00:00"),
                ("127.0.0.1:ddddd", "127.0.0.1:00000"),
                ("hhhh hhhh", "0000 0000"),
            ] {
                if fits(&line[start..], pattern) {
                    line.splice(start..start + pattern.len(), mask.chars());
                }
            }
        }
        line.into_iter().collect::<String>()
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// Whether `line` begins with `pattern`: d a digit, h a hexadecimal one.
fn fits(line: &[char], pattern: &str) -> bool {
    line.len() >= pattern.len()
        && pattern.chars().zip(line).all(|(want, is)| match want {
            'd' => is.is_ascii_digit(),
            'h' => matches!(is, '0'..='9' | 'a'..='f'),
            _ => want == *is,
        })
}

#[test]
fn what_differs_from_run_to_run_is_put_in_a_fixed_form() {
    let screen = "at 2027-03-04 05:06 from 12ab 34cd 56ef\n127.0.0.1:43210 x  \n\n";
    let want = "at 2026-01-01 00:00 from 0000 0000 0000\n127.0.0.1:00000 x\n";
    assert_eq!(masked(screen), want);
}
