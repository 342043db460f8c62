//! `kkvc doctor`: what is wrong with the relay or this machine, in one line each, and how to mend it.

mod behind;
mod kernel;
pub(super) mod memory;
mod outside;
mod relay;
mod socket;

use serde::Serialize;

use super::common::Common;
use super::output::{print, print_json};
use kkv_base::clock::{Clock, SystemClock};
use kkv_terminal::bar::{columns, hanging};
use kkv_terminal::visible::OneLine;
use kkv_ui::error::{CliError, Exit};
use relay::Seen;

/// What one check has come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    /// What was looked at. These names never change.
    check: &'static str,
    state: State,
    what: String,
    /// What to do about it, unless all is well.
    mend: Option<String>,
    /// Whether that is a command to be pasted.
    #[serde(skip)]
    is_command: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    /// It works, and could be better or safer.
    Warning,
    /// Something doesn't work, or a promise doesn't hold.
    Wrong,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }
}

impl Finding {
    fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Ok,
            what: what.into(),
            mend: None,
            is_command: false,
        }
    }

    fn warning(check: &'static str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            state: State::Warning,
            mend: Some(mend.into()),
            ..Self::ok(check, what)
        }
    }

    fn wrong(check: &'static str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            state: State::Wrong,
            ..Self::warning(check, what, mend)
        }
    }

    /// What is wrong, and the command that mends it.
    fn mended_by(check: &'static str, what: impl Into<String>, command: String) -> Self {
        Self {
            is_command: true,
            ..Self::wrong(check, what, command)
        }
    }

    /// `ok       relay     running`, or with `: start it` behind what is wrong.
    fn line(&self) -> String {
        let mend = match &self.mend {
            Some(mend) if self.is_command => format!(": run this:\n  {}", OneLine(mend)),
            Some(mend) => format!(": {}", OneLine(mend)),
            None => String::new(),
        };
        let (state, check, what) = (self.state.word(), self.check, OneLine(&self.what));
        format!("{state:<7}  {check:<8}  {what}{mend}\n")
    }

    /// The same, as a terminal of so many columns shows it: a command stays one line, so that what is pasted is the
    /// whole of it.
    fn shown(&self, columns: Option<usize>) -> String {
        let line = self.line();
        match line.split_once('\n') {
            Some((words, command)) if self.is_command => {
                format!("{}\n{command}", *hanging(words, columns))
            }
            _ => hanging(&line, columns).to_string(),
        }
    }
}

/// A hint as it stands behind a colon.
fn lowered(hint: &str) -> String {
    let hint = hint.trim_end_matches('.');
    let mut letters = hint.chars();
    let first = letters.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// What `--json` prints.
#[derive(Serialize)]
struct Checked<'f> {
    checks: &'f [Finding],
}

/// Makes every check. Ends well if nothing is wrong; what could be better is said, and no more.
pub(super) async fn doctor(common: &Common) -> Result<(), CliError> {
    let seen = Seen::of(common).await;
    let mut findings = vec![relay::check(&seen), socket::check(&seen).await];
    findings.extend(outside::tor(&seen));
    findings.extend([
        outside::sending(common.tor).await,
        outside::clock(&seen, SystemClock::default().wall()),
        memory::locked(&seen, !memory::is_swap_off()),
        memory::swap(std::fs::read_to_string("/proc/swaps")),
        memory::dumps(&seen),
        kernel::sandbox(&seen),
        kernel::files(&seen),
    ]);
    if common.json {
        print_json(&Checked { checks: &findings })?;
    } else {
        let columns = columns();
        let shown = findings.iter().map(|finding| finding.shown(columns));
        print(&shown.collect::<String>())?;
    }
    let wrong = findings.iter().filter(|f| f.state == State::Wrong);
    let wrong: Vec<&str> = wrong.map(|finding| finding.check).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let what = format!("something is wrong: {}", wrong.join(", "));
    Err(CliError::new(Exit::Refused, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_in_columns_and_says_what_to_do() {
        for (finding, want) in [
            (
                Finding::ok("relay", "running"),
                "ok       relay     running\n",
            ),
            (
                Finding::warning("swap", "there is some", "turn it off"),
                "warning  swap      there is some: turn it off\n",
            ),
            (
                Finding::wrong("socket", "no \x1b[2J\n", "make one"),
                "wrong    socket    no <U+001B>[2J<U+000A>: make one\n",
            ),
        ] {
            assert_eq!(finding.line(), want);
        }
    }

    #[test]
    fn a_command_stays_one_line_where_words_are_broken() {
        let command = format!("chmod go-w /{}", "long/".repeat(9));
        let finding = Finding::mended_by("socket", "others may write", command.clone());
        let want = format!("wrong    socket\n  others may write: run\n  this:\n  {command}\n");
        assert_eq!(finding.shown(Some(24)), want);
    }

    #[test]
    fn a_hint_becomes_the_end_of_a_line() {
        assert_eq!(lowered("Start Tor, or not."), "start Tor, or not");
        assert_eq!(lowered(""), "");
    }

    #[test]
    fn in_json_each_has_the_same_four_names() {
        let findings = [
            Finding::ok("relay", "running"),
            Finding::wrong("tor", "offline", "check the network"),
        ];
        let want = serde_json::json!([
            {"check": "relay", "state": "ok", "what": "running", "mend": null},
            {"check": "tor", "state": "wrong", "what": "offline", "mend": "check the network"},
        ]);
        assert_eq!(serde_json::to_value(&findings).unwrap(), want);
    }
}
