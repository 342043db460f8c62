//! Who shows an invitation pays nothing or sends nothing, and who shows none is never taken for invited.

use kkv_base::clock::ManualClock;
use kkv_client::contacts::Invitation;
use kkv_client::sender::{Accepted, Event, Failure, Observer, Reply, deliver};
use kkv_net::tor::Dial;
use kkv_pow::Cost;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::error::ProtocolError;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::text::Text;
use kkv_protocol::v2::invitation::Token;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::known_relay::{KnownRelay, Lies};
use crate::in_process::{InProcess, START, Unobserved, delivery};

/// Pays for nothing.
#[derive(Debug)]
struct NeverPays;

impl Observer for NeverPays {
    fn event(&self, event: Event) {
        assert!(!matches!(event, Event::Solving { .. } | Event::FellBack));
    }
}

fn invitation(token: &Token) -> Invitation {
    token.to_text().parse().expect("it is one")
}

async fn send(
    dialer: &impl Dial,
    suites: SuitePolicy,
    invitation: Option<Invitation>,
) -> Result<Accepted, Failure> {
    let clock = ManualClock::new(START);
    let observer: &dyn Observer = match invitation {
        Some(_) => &NeverPays,
        None => &Unobserved,
    };
    let mut delivery = delivery(dialer, suites, &clock, observer);
    delivery.options.invitation = invitation;
    let rng = &mut StdRng::from_rng(&mut rand::rng());
    let text = Text::new("text".to_owned().into()).expect("it fits");
    deliver(&delivery, SenderKey::generate(rng), &text, Reply::No, rng).await
}

fn lying(challenge: fn(&mut [u8; 128])) -> KnownRelay {
    KnownRelay::new(Lies {
        challenge: Some(challenge),
        ..Lies::default()
    })
}

fn any() -> Option<Invitation> {
    Some(invitation(&Token::generate(&mut rand::rng())))
}

#[tokio::test(start_paused = true)]
async fn a_challenge_that_names_an_invitation_though_none_was_shown_is_refused() {
    for name in [
        |bytes: &mut [u8; 128]| bytes[24] = 1,
        |bytes: &mut [u8; 128]| bytes[31] = 1,
    ] {
        let relay = lying(name);
        let failure = send(&relay, SuitePolicy::Any, None).await.unwrap_err();
        assert!(matches!(
            failure,
            Failure::Protocol(ProtocolError::WrongChallenge)
        ));
        assert_eq!(relay.asked(), ["POST /pow"]);
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_invited_pays_for_no_challenge_that_costs_something() {
    for cost in [
        |bytes: &mut [u8; 128]| bytes[1] = 1,
        |bytes: &mut [u8; 128]| bytes[1] = 60,
    ] {
        let relay = lying(cost);
        let failure = send(&relay, SuitePolicy::Any, any()).await.unwrap_err();
        assert!(
            matches!(failure, Failure::Protocol(ProtocolError::NotFree)),
            "{failure}"
        );
        assert_eq!(relay.asked(), ["POST /pow"]);
    }
}

#[tokio::test(start_paused = true)]
async fn to_who_is_invited_the_name_of_the_invitation_is_any_bytes() {
    for name in [
        |_: &mut [u8; 128]| (),
        |bytes: &mut [u8; 128]| bytes[24..32].fill(0xff),
    ] {
        let accepted = send(&lying(name), SuitePolicy::Any, any()).await.unwrap();
        assert!(accepted.invited && accepted.cost == Cost::FREE);
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_invited_falls_back_to_nothing() {
    let older = InProcess::new(SuitePolicy::Only(Suite::V1), 1, 0);
    for suites in [SuitePolicy::Any, SuitePolicy::Only(Suite::V1)] {
        let failure = send(&older, suites, any()).await.unwrap_err();
        assert!(matches!(failure, Failure::NoInvitations), "{failure}");
    }
    assert!(older.texts().is_empty());
}

#[tokio::test(start_paused = true)]
async fn of_two_who_use_one_invitation_at_the_same_time_one_is_let_in() {
    for uses in [1, 2] {
        let inbox = InProcess::new(SuitePolicy::Any, 4, 60);
        let (invitations, now) = (inbox.relay.invitations(), inbox.relay.now());
        let lifetime = std::time::Duration::from_secs(60);
        let made = invitations.make(uses, lifetime, now, &mut rand::rng());
        let (token, _) = made.expect("it is the first");
        let send = || send(&inbox, SuitePolicy::Any, Some(invitation(&token)));
        let (one, other) = tokio::join!(send(), send());
        let refused = [one, other].into_iter().filter_map(Result::err);
        let refused: Vec<_> = refused.collect();
        assert_eq!(refused.len(), 2 - uses as usize);
        let uninvited = |failure| matches!(failure, &Failure::Refused(Refusal::Uninvited));
        assert!(refused.iter().all(uninvited), "{refused:?}");
        assert_eq!(inbox.texts().len(), uses as usize);
        assert!(invitations.list(inbox.relay.now().elapsed).is_empty());
    }
}
