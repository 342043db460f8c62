//! What is known of a conversation that was begun here, and the answers that have come: below what has become of a
//! message of it.

use std::ops::Range;

use ratatui::style::Style;
use zeroize::Zeroizing;

use crate::tui::state::awaited::{Begun, Known};
use crate::tui::theme::Theme;
use kkv_base::count::counted;
use kkv_terminal::bar::{BAR, BAR_COLUMNS};
use kkv_terminal::measured::measured;
use kkv_terminal::visible::{OneLine, Visible};
use kkv_terminal::wrapped::wrapped;
use kkv_ui::fields::time;
use kkv_ui::replies::states;

/// A line of what has become of a message.
pub(super) struct StatusLine {
    pub(super) text: Zeroizing<String>,
    pub(super) style: Style,
    /// Which answer has its end here.
    pub(super) ends: Option<usize>,
}

/// What is known of a conversation that was begun here.
pub(super) fn known_lines(begun: &Begun, width: usize) -> Vec<StatusLine> {
    let mut lines = plain("", width, Style::new());
    for line in told(begun) {
        lines.extend(plain(&line, width, Style::new()));
    }
    lines
}

/// The answers that have come to it.
pub(super) fn answer_lines(begun: &Begun, width: usize, theme: Theme) -> Vec<StatusLine> {
    let mut lines = Vec::new();
    for (position, answer) in begun.answers.iter().enumerate() {
        let title = format!("\nAnswer of {}", time(answer.time));
        lines.extend(plain(&title, width, theme.strong()));
        lines.extend(behind_a_bar(&answer.text, width));
        if let Some(last) = lines.last_mut() {
            last.ends = Some(position);
        }
    }
    lines
}

fn plain(text: &str, width: usize, style: Style) -> Vec<StatusLine> {
    let parts = wrapped(text, width).into_iter();
    let line = |part: Range<usize>| StatusLine {
        text: Zeroizing::new(text[part].to_owned()),
        style,
        ends: None,
    };
    parts.map(line).collect()
}

/// What is known of a conversation, in lines.
fn told(begun: &Begun) -> Vec<String> {
    let mut lines = Vec::new();
    match &begun.known {
        Known::Nothing => lines.push("No answer has been looked for yet.".to_owned()),
        Known::There(inside, at) => {
            let answers = match inside.answers {
                0 => "No answer yet".to_owned(),
                answers => counted(answers, "answer"),
            };
            lines.push(format!("{answers}, as of {}.", time(*at)));
            for (accepted, state) in states(inside) {
                lines.push(format!("  your message of {}: {state}", time(accepted)));
            }
            lines.push(format!(
                "The words stay good until {}, and longer with each message.",
                time(inside.ends)
            ));
        }
        Known::NotYet => lines.push(
            "Nothing of this conversation is there yet. What was cut off on its way may still arrive for two minutes."
                .to_owned(),
        ),
        Known::Gone { started } if !begun.is_certain => lines.push(format!(
            "Nothing of this conversation is there: your message has not arrived, or is gone again (that relay was \
             started at {}).",
            time(*started)
        )),
        Known::Gone { started } => {
            lines.push("Nothing of this conversation is there any more.".to_owned());
            lines.push(format!(
                "That relay was started at {}. If you wrote before that, your message is gone with a restart; if you \
                 wrote later, its owner has wiped the inbox, or the time of the conversation is over.",
                time(*started)
            ));
        }
    }
    if let Some(why) = &begun.failed {
        lines.push(format!("The last look has failed: {}", OneLine(why)));
    }
    match begun.next {
        Some(at) if begun.is_alive() => {
            lines.push(format!(
                "Looked for again at about {}; f does it now.",
                time(at)
            ));
        }
        None if begun.is_alive() => lines.push("Being looked for…".to_owned()),
        _ => {}
    }
    lines
}

/// A stranger's text, made safe, in lines of so many columns behind a bar.
fn behind_a_bar(text: &str, width: usize) -> Vec<StatusLine> {
    let shown = measured(|out| write!(out, "{}", Visible(text)));
    let parts = wrapped(&shown, width.saturating_sub(BAR_COLUMNS).max(1));
    let line = |part: Range<usize>| StatusLine {
        text: measured(|out| write!(out, "{BAR} {}", &shown[part.clone()])),
        style: Style::new(),
        ends: None,
    };
    parts.into_iter().map(line).collect()
}
