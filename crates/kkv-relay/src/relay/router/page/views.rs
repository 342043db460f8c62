//! What is shown when: from what the relay knows to a page's HTML.

use axum::http::StatusCode;
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::form::{Cut, Fields};
use super::{Relay, page};
use crate::relay::page::{Arrived, NotTaken, Uploaded};
use kkv_page::form_id::BadFormId;
use kkv_page::html::{self, Form, Needs, html, time};
use kkv_page::pieces::Pieces;
use kkv_page::strings::ENGLISH as S;
use kkv_page::visible::visible;
use kkv_protocol::crypto::random;
use kkv_protocol::reply_words::{self, BadWords, ReplyWords};
use kkv_protocol::v2::answers::keys::BoxSecret;
use kkv_protocol::v2::answers::sealed::SealedAnswer;
use kkv_protocol::v2::answers::sender::SealedReplies;
use kkv_protocol::v2::answers::status::{BoxStatus, EntryState};

type Html = Zeroizing<String>;

/// The page to write on, with what was typed before, and what was wrong with it.
pub(super) fn write(relay: &Relay, fields: &Fields, error: Option<&'static str>) -> Pieces {
    let page = page(relay);
    let upload = fields.upload.as_deref();
    let uploaded = relay.page_uploaded(page, &fields.form, upload);
    let needs = match (&uploaded, relay.page_payment(page, &fields.payment)) {
        // What has let it in does so still.
        (Some(Uploaded { is_paid: true, .. }), _) => Needs::Paid(fields.payment.as_paid()),
        (Some(_), _) => Needs::Held,
        (None, Some(paid)) => Needs::Paid(paid),
        (None, None) => match relay.page_needs(page, fields.goes_on_with().as_ref()) {
            // Whoever has filled it in gets it back.
            Needs::Room { .. } => Needs::Room {
                typed: error.is_some(),
            },
            needs => needs,
        },
    };
    let id = match &uploaded {
        // Files are in the form for which they came.
        Some(_) => fields.form.clone(),
        None => relay.form_id(page, &mut random::kernel()),
    };
    let uploaded = uploaded.as_ref().zip(upload);
    let f = &Form {
        id: &id,
        words: &fields.words,
        follows: fields.follows,
        seen: &fields.seen,
        needs,
        invitation: &fields.invitation,
        text: &fields.text,
        answer: fields.answer,
        takes_files: relay.queue().most_large() > 0,
        only_files: uploaded.is_none() && relay.page_takes_only_files(),
        uploaded: uploaded.map(|(uploaded, name)| html::Uploaded {
            name,
            files: &uploaded.names,
        }),
    };
    Pieces::of(&html::Write {
        s: &S,
        f,
        error,
        had_files: fields.had_files && uploaded.is_none(),
    })
}

/// A message has arrived. Its files are these, with their lengths, or came before their form: then script says which.
pub(super) fn sent(fields: &Fields, arrived: Arrived, files: &[(String, usize)]) -> Html {
    html(&html::Sent {
        s: &S,
        words: fields.has_words().then_some(&fields.words),
        again: arrived == Arrived::Before,
        came: (arrived == Arrived::Now).then(|| html::Came {
            text: fields.text.len(),
            files,
        }),
    })
}

/// The page that asks for the words.
pub(super) fn words(typed: &str, error: Option<&str>) -> Html {
    let s = &S;
    html(&html::Words { s, error, typed })
}

/// What there is for these words. What doesn't open with them hides nothing else.
pub(super) fn opened(
    relay: &Relay,
    words: &ReplyWords,
    replies: SealedReplies,
    fields: &Fields,
) -> Pieces {
    let SealedReplies::Box(status, answers) = replies else {
        return no_box();
    };
    let (key, secrets) = (relay.keys().public().id(), words.secrets());
    let mut seen = Vec::new();
    let mut open = |sealed: &SealedAnswer| match secrets.open_one(&key, sealed) {
        Ok(answer) => {
            seen.push(super::form::hex(&answer.acknowledgement));
            html::Answer::Opened {
                time: time(answer.time),
                text: visible(&answer.text),
            }
        }
        Err(_) => html::Answer::Unopened,
    };
    let answers: Vec<_> = answers.iter().map(&mut open).collect();
    let needs = relay.page_needs(page(relay), Some(secrets.secret()));
    let shown = Shown {
        words: &words.line(),
        answers: &answers,
        seen: &seen,
    };
    conversation(relay, &status, &shown, needs, fields)
}

/// What there is for words that stay where script runs, which opens the answers.
pub(super) fn sealed(
    relay: &Relay,
    secret: &BoxSecret,
    replies: SealedReplies,
    fields: &Fields,
) -> Pieces {
    let SealedReplies::Box(status, answers) = replies else {
        return no_box();
    };
    let key = HEXLOWER.encode(&relay.keys().public().id().0);
    let sealed = |answer: &SealedAnswer| html::Answer::Sealed {
        relay: key.clone(),
        answer: HEXLOWER.encode(&answer.to_bytes()),
    };
    let answers: Vec<_> = answers.iter().map(sealed).collect();
    let needs = relay.page_needs(page(relay), Some(secret));
    let shown = Shown {
        words: &Zeroizing::default(),
        answers: &answers,
        seen: &[],
    };
    conversation(relay, &status, &shown, needs, fields)
}

fn no_box() -> Pieces {
    Pieces::whole(html(&html::Notice {
        s: &S,
        heading: S.no_box,
        text: S.no_box_hint,
    }))
}

/// The answers of a conversation.
struct Shown<'s> {
    /// Empty where script has them.
    words: &'s Zeroizing<String>,
    answers: &'s [html::Answer],
    /// Acknowledgements of those that are open.
    seen: &'s [Zeroizing<String>],
}

/// With what was typed on the page before, if answers were deleted there.
fn conversation(
    relay: &Relay,
    status: &BoxStatus,
    shown: &Shown<'_>,
    needs: Needs<'_>,
    fields: &Fields,
) -> Pieces {
    let mut since = 0;
    let messages: Vec<html::Message<'_>> = status
        .entries
        .iter()
        .map(|entry| {
            // The newest first: of an answer it is known after which message it was written.
            since = entry.answers.saturating_add(since);
            html::Message {
                time: time(entry.accepted),
                state: match entry.state {
                    EntryState::Waiting if since > 0 => S.was_answered,
                    EntryState::Accepted => S.accepted,
                    EntryState::Waiting => S.waiting,
                    EntryState::Read => S.read,
                    EntryState::Gone => S.gone,
                },
            }
        })
        .collect();
    Pieces::of(&html::Answers {
        s: &S,
        answers: shown.answers,
        messages: &messages,
        until: time(status.ends),
        deleted: !fields.seen.is_empty(),
        had_files: fields.had_files,
        f: &Form {
            id: &relay.form_id(page(relay), &mut random::kernel()),
            words: shown.words,
            follows: true,
            seen: shown.seen,
            needs,
            invitation: &fields.invitation,
            text: &fields.text,
            answer: true,
            takes_files: relay.queue().most_large() > 0,
            only_files: relay.page_takes_only_files(),
            uploaded: None,
        },
    })
}

/// What is said of words that are none, as script says it.
pub(super) fn bad_words(typed: &str, why: BadWords) -> Zeroizing<String> {
    Zeroizing::new(match why {
        BadWords::Unknown(_, place) => {
            let word = reply_words::typed(typed).nth(place - 1);
            S.word_unknown.replace("{word}", word.unwrap_or_default())
        }
        BadWords::OtherKind(..) | BadWords::Wallet(_) => S.words_of_another_kind.to_owned(),
        BadWords::Count(_, count) => S.words_count.replace("{count}", &count.to_string()),
        _ => S.bad_words.to_owned(),
    })
}

/// What is said of a form whose message is not in the queue.
pub(super) fn why(cut: Cut) -> (StatusCode, &'static str) {
    let content = StatusCode::UNPROCESSABLE_ENTITY;
    let why = match cut {
        Cut::Malformed => return (StatusCode::BAD_REQUEST, S.malformed),
        Cut::TooSlow => return (StatusCode::REQUEST_TIMEOUT, S.malformed),
        Cut::NotTaken(why) => why,
    };
    match why {
        NotTaken::Form(BadFormId::Expired | BadFormId::Unknown) => {
            (StatusCode::CONFLICT, S.form_expired)
        }
        NotTaken::CameBefore => (StatusCode::OK, S.arrived_before),
        NotTaken::Empty => (content, S.empty),
        NotTaken::EmptyFile => (content, S.empty_file),
        NotTaken::TooLong => (content, S.too_long),
        NotTaken::TooLarge => (content, S.too_large),
        NotTaken::WordsInside => (content, S.words_inside),
        NotTaken::OtherWords => (content, S.other_words),
        NotTaken::Uninvited => (StatusCode::FORBIDDEN, S.uninvited),
        NotTaken::BadInvitation => (StatusCode::FORBIDDEN, S.bad_invitation),
        NotTaken::BadPayment => (StatusCode::PAYMENT_REQUIRED, S.bad_payment),
        NotTaken::PriceRose => (StatusCode::PAYMENT_REQUIRED, S.price_rose),
        NotTaken::Full => (StatusCode::SERVICE_UNAVAILABLE, S.full_now),
        NotTaken::NoRoom => (StatusCode::SERVICE_UNAVAILABLE, S.no_room_for_files),
        NotTaken::FilesGone => (StatusCode::CONFLICT, S.files_gone),
        NotTaken::Over => (StatusCode::CONFLICT, S.conversation_over),
        NotTaken::Wiped => (StatusCode::CONFLICT, S.let_go),
        NotTaken::Stopping => (StatusCode::SERVICE_UNAVAILABLE, S.stopping),
        NotTaken::Busy => (StatusCode::SERVICE_UNAVAILABLE, S.busy),
    }
}
