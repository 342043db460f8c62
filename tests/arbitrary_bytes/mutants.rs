//! Good requests with a few bytes changed: each either says the same still, or is refused with a reason, and the good
//! one works afterwards.

use std::sync::Arc;

use axum::Router;
use kkv_pow::Nonce;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::wire::Hex;
use kkv_protocol::{v1, v2};
use kkv_relay::relay::router;
use proptest::prelude::*;
use proptest::sample::Index;
use zeroize::Zeroizing;

use super::visit::{ask, cases, inbox, paused, reserved, still_takes_a_message};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const TEXT: &str = "Unchanged.";

/// A change to a body.
#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Set(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Truncate(Index),
    Repeat(Index, Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        4 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        4 => (any::<Index>(), prop::sample::select(b"0123456789abcdef".to_vec()))
            .prop_map(|(at, digit)| Change::Set(at, digit)),
        2 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        2 => any::<Index>().prop_map(Change::Remove),
        1 => any::<Index>().prop_map(Change::Truncate),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Repeat(from, to)),
    ];
    proptest::collection::vec(change, 1..4)
}

fn mutate(body: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut body = body.to_vec();
    for change in changes {
        if body.is_empty() {
            break;
        }
        let place = |at: &Index| at.index(body.len());
        match change {
            Change::Flip(at, bit) => {
                let at = place(at);
                body[at] ^= 1 << bit;
            }
            Change::Set(at, byte) => {
                let at = place(at);
                body[at] = *byte;
            }
            Change::Insert(at, byte) => body.insert(place(at), *byte),
            Change::Remove(at) => {
                body.remove(place(at));
            }
            Change::Truncate(at) => body.truncate(place(at)),
            Change::Repeat(from, to) => {
                let (from, to) = (place(from), place(to));
                let piece = body[from.min(to)..from.max(to)].to_vec();
                body.splice(to..to, piece);
            }
        }
    }
    body
}

/// Both steps of one session that follow the challenge, in one suite.
trait Session {
    const TYPE: &'static str;

    /// What a body of the exchange says, as far as the relay looks at it; none if it does not say anything.
    fn exchange_means(body: &[u8]) -> Option<String>;
    fn message_means(body: &[u8]) -> Option<String>;

    /// Asks for a challenge; the body of the exchange.
    async fn start(router: Router) -> (Self, Vec<u8>)
    where
        Self: Sized;

    /// The body of the message.
    fn answered(self, answer: &[u8]) -> Vec<u8>;
}

struct First(v1::sender::Exchanging);
struct Second(v2::sender::Exchanging);

fn text() -> Text {
    Text::new(Zeroizing::new(TEXT.to_owned())).expect("it is short")
}

fn json<T: serde::de::DeserializeOwned>(body: &[u8]) -> T {
    serde_json::from_slice(body).expect("an answer that is an answer")
}

impl Session for First {
    const TYPE: &'static str = FORM;

    fn exchange_means(body: &[u8]) -> Option<String> {
        let mut request: v1::wire::Exchange = serde_urlencoded::from_bytes(body).ok()?;
        // The tag in the seed says the same, so the relay does not look at this.
        request.pow_sig = Hex([0; 64]);
        serde_urlencoded::to_string(request).ok()
    }

    fn message_means(body: &[u8]) -> Option<String> {
        let request = v1::wire::MessageRequest::from_form(body).ok()?;
        serde_urlencoded::to_string(request).ok()
    }

    async fn start(router: Router) -> (Self, Vec<u8>) {
        let rng = &mut rand::rng();
        let said = super::visit::say(
            router.clone(),
            b"GET /get_domain_pk HTTP/1.1\r\nhost: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\nconnection: close\r\n\r\n",
        );
        let domain_key = super::visit::read(&said.await).expect("an answer").body;
        let hello = v1::sender::Hello::new(SenderKey::generate(rng));
        let request = serde_urlencoded::to_string(hello.request()).expect("hex is a form");
        let answer = ask(router, "/pow", FORM, request.as_bytes()).await;
        let challenged = hello.challenged(&json(&answer.body)).expect("a challenge");
        let vouched = challenged.vouched(&domain_key);
        let exchanging = vouched.expect("it signed it").solved(Nonce([3; 32]), rng);
        let body = serde_urlencoded::to_string(exchanging.request()).expect("hex is a form");
        (Self(exchanging), body.into_bytes())
    }

    fn answered(self, answer: &[u8]) -> Vec<u8> {
        let open = self.0.answered(&json(answer)).expect("the relay's keys");
        let sent = open.seal(&text()).expect("it fits");
        let body = serde_urlencoded::to_string(sent.request).expect("hex is a form");
        body.into_bytes()
    }
}

impl Session for Second {
    const TYPE: &'static str = JSON;

    fn exchange_means(body: &[u8]) -> Option<String> {
        let request: v2::wire::ExchangeRequest = serde_json::from_slice(body).ok()?;
        serde_json::to_string(&request).ok()
    }

    fn message_means(body: &[u8]) -> Option<String> {
        let request: v2::wire::MessageRequest = serde_json::from_slice(body).ok()?;
        serde_json::to_string(&request).ok()
    }

    async fn start(router: Router) -> (Self, Vec<u8>) {
        let rng = &mut rand::rng();
        let hello = v2::sender::Hello::new(SenderKey::generate(rng));
        let request = serde_json::to_vec(&hello.request()).expect("hex is JSON");
        let answer = ask(router, "/pow", JSON, &request).await;
        let challenged = hello.challenged(&json(&answer.body)).expect("a challenge");
        let exchanging = challenged.solved(&[3], rng);
        let body = serde_json::to_vec(exchanging.request()).expect("hex is JSON");
        (Self(exchanging), body)
    }

    fn answered(self, answer: &[u8]) -> Vec<u8> {
        let open = self.0.answered(&json(answer)).expect("the relay's keys");
        let sent = open.seal(&text(), &BoxPart::None);
        serde_json::to_vec(sent.request()).expect("hex is JSON")
    }
}

/// Sends a changed exchange, the good one, a changed message, the good one.
async fn changed<S: Session>(
    in_exchange: &[Change],
    in_message: &[Change],
) -> Result<(), TestCaseError> {
    let inbox = inbox();
    let router = router(Arc::clone(&inbox.relay));
    let (session, exchange) = S::start(router.clone()).await;

    let mutant = mutate(&exchange, in_exchange);
    let same = S::exchange_means(&mutant) == S::exchange_means(&exchange);
    let answer = ask(router.clone(), "/exchange_keys", S::TYPE, &mutant).await;
    if same {
        prop_assert_eq!(answer.status, 200, "it says the same");
    } else {
        prop_assert!(answer.refusal().is_some(), "{:?}", answer);
    }
    prop_assert_eq!(reserved(&inbox), u32::from(same));
    let answer = ask(router.clone(), "/exchange_keys", S::TYPE, &exchange).await;
    prop_assert_eq!(answer.status, 200);
    prop_assert_eq!(reserved(&inbox), 1);

    let message = session.answered(&answer.body);
    let mutant = mutate(&message, in_message);
    let same = S::message_means(&mutant) == S::message_means(&message);
    let answer = ask(router.clone(), "/msg", S::TYPE, &mutant).await;
    if same {
        prop_assert_eq!(answer.status, 200, "it says the same");
    } else {
        prop_assert!(answer.refusal().is_some(), "{:?}", answer);
        prop_assert!(inbox.texts().is_empty());
        prop_assert_eq!(reserved(&inbox), 1, "the session waits for the right one");
    }
    let answer = ask(router, "/msg", S::TYPE, &message).await;
    prop_assert_eq!(answer.status, 200);
    prop_assert_eq!(inbox.texts(), [TEXT]);
    prop_assert_eq!(reserved(&inbox), 0);
    still_takes_a_message(&inbox).await
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn a_kkv1_request_with_a_few_bytes_changed_says_the_same_or_is_refused(
        in_exchange in changes(), in_message in changes(),
    ) {
        paused().block_on(changed::<First>(&in_exchange, &in_message))?;
    }

    #[test]
    fn a_kkv2_request_with_a_few_bytes_changed_says_the_same_or_is_refused(
        in_exchange in changes(), in_message in changes(),
    ) {
        paused().block_on(changed::<Second>(&in_exchange, &in_message))?;
    }
}
