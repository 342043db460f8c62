//! `kkvc replies`: whether a sender was answered, the answers, and a message back.

mod write_back;

use serde::Serialize;
use zeroize::Zeroizing;

use super::ask::can_ask;
use super::book::ResolvedRecipient;
use super::commands::Replies;
use super::common::Common;
use super::output::{json_line, require_output, write_all};
use super::progress::Progress;
use super::words;
use kkv_base::private::Private;
use kkv_client::replies::{CollectError, Found};
use kkv_client::sender::DeliveryOptions;
use kkv_protocol::ids::RelayId;
use kkv_protocol::reply_words::ReplyWords;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::v2::answers::sender::{Answer, ReplySecrets};
use kkv_protocol::v2::answers::status::{BoxStatus, Entry, EntryState};
use kkv_terminal::bar::{behind_a_bar, columns};
use kkv_terminal::signals;
use kkv_terminal::stderr::info;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::explain::{unacknowledged, unseen};
use kkv_ui::fields::time;
use kkv_ui::replies::{no_conversation, nothing_yet, states, written_after};
use kkv_ui::way::{Wanted, Way};

/// The suite that has answers.
const ONLY: SuitePolicy = SuitePolicy::Only(Suite::V2);

/// What `--json` prints, once for each look that has found something new.
#[derive(Serialize)]
struct Seen<'f> {
    relay: RelayId,
    relay_fingerprint: String,
    started: u64,
    conversation: bool,
    ends: Option<u64>,
    read_receipts: Option<bool>,
    messages: Vec<SeenMessage>,
    answers: Vec<SeenAnswer<'f>>,
}

#[derive(Serialize)]
struct SeenMessage {
    accepted: u64,
    state: &'static str,
    answers: u16,
}

#[derive(Serialize)]
struct SeenAnswer<'f> {
    sealed: u64,
    after: Option<u64>,
    text: Private<&'f str>,
}

/// Shows what is known of a conversation, and its answers; has them deleted there; and takes a message back.
pub(super) async fn replies(common: &Common, args: Replies) -> Result<(), CliError> {
    require_output("nothing was asked for")?;
    let addressee = ResolvedRecipient::find(args.address.clone(), common.contacts()).await?;
    let way = args.carrying.way(common, addressee.target, ONLY).await?;
    let words = words::of_conversation(args.words_file.as_deref()).await?;
    let secrets = words.secrets();
    let conversation = Conversation {
        common,
        args: &args,
        way: &way,
        options: args.carrying.options(addressee.target, ONLY),
        words: &words,
        secrets: &secrets,
    };
    let mut addressee = addressee;
    let seen = conversation.collect().await?;
    if !seen || common.json || !can_ask() {
        return Ok(());
    }
    conversation.write_back(&mut addressee).await
}

/// A conversation, and the way to it.
struct Conversation<'c> {
    common: &'c Common,
    args: &'c Replies,
    way: &'c Way,
    options: DeliveryOptions,
    words: &'c ReplyWords,
    secrets: &'c ReplySecrets,
}

impl Conversation<'_> {
    /// Shows what there is. Whether there was an answer that was shown.
    async fn collect(&self) -> Result<bool, CliError> {
        let json = self.common.json;
        let progress = Progress::start(self.way.state(), self.args.carrying.anyway);
        let wanted = Wanted {
            options: self.options.clone(),
            secrets: self.secrets,
            keep: self.args.keep,
        };
        let mut shown = 0;
        let mut is_first = true;
        let show = |found: &Found| {
            let text = rendered(found, is_first, json);
            is_first = false;
            let taken = progress.aside(|| write_all(text.as_bytes()))?;
            shown += found.answers.len();
            Ok(taken)
        };
        let stopped = signals::stopped()?;
        let collected = tokio::select! {
            biased; // what is known is told
            collected = self.way.collect(wanted, &progress, show) => collected,
            () = stopped => {
                progress.finish();
                return Err(stopped_with(shown));
            }
        };
        progress.finish();
        let collected = collected.map_err(|failed| match failed {
            CollectError::Unseen(failure) => unseen(&failure, &self.options),
            CollectError::Unshown(failed) => failed,
            CollectError::Unacknowledged(failure) => unacknowledged(&failure),
        })?;
        if collected.untaken > 0 {
            return Ok(false); // nobody reads any more, which is no fault; they are still there
        }
        let Some(inside) = &collected.last.inside else {
            if collected.shown > 0 {
                return Ok(false); // it has ended meanwhile, and everything was seen
            }
            let anew = words::command(self.common, "send", &self.args.address, None) + " --replies";
            let started = collected.last.started;
            return Err(no_conversation(started, None, &anew));
        };
        if collected.shown == 0 {
            return Err(nothing_yet(inside, &self.again()));
        }
        let ends = time(inside.ends);
        if collected.acknowledged {
            info(format_args!(
                "It is deleted there. Your words stay good until {ends}."
            ));
        } else if self.args.keep {
            info(format_args!(
                "It stays there. Your words stay good until {ends}."
            ));
        }
        Ok(true)
    }

    fn again(&self) -> String {
        let file = self.args.words_file.as_deref();
        words::command(self.common, "replies", &self.args.address, file)
    }
}

fn stopped_with(shown: usize) -> CliError {
    let what = match shown {
        0 => "cancelled; nothing is changed there",
        _ => "cancelled; what was shown may still be there, and comes once more then",
    };
    CliError::new(Exit::Cancelled, what)
}

/// What was found, as it is printed. `is_first`: what is known of the messages belongs to it.
fn rendered(found: &Found, is_first: bool, json: bool) -> Zeroizing<String> {
    if json {
        return Zeroizing::new(json_line(&seen(found)));
    }
    let mut text = Zeroizing::new(String::new());
    let Some(inside) = &found.inside else {
        return text;
    };
    if is_first {
        for (accepted, state) in states(inside) {
            text.push_str(&format!("Yours     {}  {state}\n", time(accepted)));
        }
    }
    for answer in &found.answers {
        *text += &*answer_rendered(answer, inside);
    }
    text
}

fn answer_rendered(answer: &Answer, inside: &BoxStatus) -> Zeroizing<String> {
    let after = written_after(answer, inside).map_or_else(String::new, |entry| {
        format!(", after yours of {}", time(entry.accepted))
    });
    let text = behind_a_bar(&answer.text, columns());
    Zeroizing::new(format!(
        "\nAnswer    {}{after}\n\n{}",
        time(answer.time),
        *text
    ))
}

fn seen(found: &Found) -> Seen<'_> {
    let inside = found.inside.as_ref();
    let message = |entry: &Entry| SeenMessage {
        accepted: entry.accepted,
        state: match entry.state {
            EntryState::Accepted => "accepted",
            EntryState::Waiting => "waiting",
            EntryState::Read => "read",
            EntryState::Gone => "gone",
        },
        answers: entry.answers,
    };
    let messages = inside.map_or(&[][..], |inside| &inside.entries);
    let answers = found.answers.iter().map(|answer| SeenAnswer {
        sealed: answer.time,
        after: inside.and_then(|inside| Some(written_after(answer, inside)?.accepted)),
        text: Private(answer.text.as_str()),
    });
    Seen {
        relay: found.relay.id(),
        relay_fingerprint: found.relay.fingerprint().to_string(),
        started: found.started,
        conversation: inside.is_some(),
        ends: inside.map(|inside| inside.ends),
        read_receipts: inside.map(|inside| inside.receipts),
        messages: messages.iter().rev().map(message).collect(),
        answers: answers.collect(),
    }
}
