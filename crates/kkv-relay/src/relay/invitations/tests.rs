//! What a sender gets for an invitation, step by step, and what becomes of its uses.

use super::*;
use crate::queue::Queue;
use crate::relay::{Pricing, Relay, RelayConfig};
use kkv_base::clock::ManualClock;
use kkv_base::limits::SESSION_LIFETIME;
use kkv_pow::Cost;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::v2::purpose::{BodySize, Purpose};
use kkv_protocol::v2::sender::{Challenged, Exchanging, Hello, Sent};
use kkv_protocol::wire::Hex;

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A relay, and its time.
struct Inbox {
    relay: Relay,
    clock: Arc<ManualClock>,
}

impl Inbox {
    /// With so many slots, at a price that nobody here pays.
    fn new(slots: u32) -> Self {
        Self::speaking(SuitePolicy::Any, slots)
    }

    fn speaking(suites: SuitePolicy, slots: u32) -> Self {
        let config = RelayConfig {
            read_receipts: false,
            pricing: Pricing {
                base: Cost::HIGHEST,
                adaptive: true,
            },
            expected_seconds: 600,
            suites,
        };
        let clock = Arc::new(ManualClock::new(1_800_000_000));
        let queue = Queue::new(slots, None).unwrap();
        let relay = Relay::new(config, queue, clock.clone(), &mut rand::rng());
        Self { relay, clock }
    }

    fn invite(&self, uses: u32) -> Token {
        self.made(uses, WEEK).unwrap().0
    }

    fn made(&self, uses: u32, lifetime: Duration) -> Result<(Token, Invitation), NotInvited> {
        let (now, rng) = (self.relay.now(), &mut rand::rng());
        self.relay.invitations().make(uses, lifetime, now, rng)
    }

    /// What a bearer of `token` is told when it asks for a challenge.
    fn challenge(&self, token: &Token) -> Result<Challenged, Refusal> {
        let hello = Hello::invited(SenderKey::generate(&mut rand::rng()), token);
        let answer = self.relay.pow_v2(&hello.request(), &mut rand::rng())?;
        Ok(hello.challenged(&answer).unwrap())
    }

    /// Any nonce pays for it.
    fn pays(challenged: Challenged) -> Exchanging {
        challenged.solved(&[7], &mut rand::rng())
    }

    fn exchange(&self, exchanging: &Exchanging) -> Result<String, Refusal> {
        let request = exchanging.request();
        self.relay.exchange_v2(request, &mut rand::rng())
    }

    /// A session that waits for its message.
    fn open(&self, token: &Token) -> Result<Sent, Refusal> {
        let exchanging = Self::pays(self.challenge(token)?);
        let answer = serde_json::from_str(&self.exchange(&exchanging)?).unwrap();
        let text = Text::new("hello".to_owned().into()).unwrap();
        Ok(exchanging
            .answered(&answer)
            .unwrap()
            .seal(&text, &BoxPart::None))
    }

    fn deliver(&self, token: &Token) -> Result<(), Refusal> {
        let sent = self.open(token)?;
        self.relay.message_v2(sent.request()).map(|_| ())
    }

    fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.relay.purge();
    }

    fn revoke(&self, number: u64) -> bool {
        let (number, now) = (InvitationNumber(number), self.relay.now().elapsed);
        self.relay.invitations().revoke(number, now)
    }

    /// Uses left, and in use, of each.
    fn uses(&self) -> Vec<(u32, u32)> {
        let listed = self.relay.invitations().list(self.relay.now().elapsed);
        let uses = listed.into_iter().map(|one| (one.uses_left, one.in_use));
        uses.collect()
    }

    fn reserved(&self) -> u32 {
        let now = self.relay.now().elapsed;
        self.relay.queue().occupancy(now).reserved
    }
}

#[test]
fn a_bearer_pays_nothing_and_the_message_says_by_which_invitation_it_came() {
    let inbox = Inbox::new(4);
    let (_, token) = (inbox.invite(1), inbox.invite(2));
    assert_eq!(inbox.challenge(&token).unwrap().terms().cost, Cost::FREE);
    assert_eq!(
        inbox.uses(),
        [(1, 0), (2, 0)],
        "a challenge reserves nothing"
    );
    assert_eq!(inbox.deliver(&token), Ok(()));
    assert_eq!(inbox.uses(), [(1, 0), (1, 0)]);
    let now = inbox.relay.now().elapsed;
    let by = |message: crate::queue::MessageRef<'_, kkv_protocol::MessageHeader>| {
        (message.header.invitation, message.header.cost)
    };
    let by = inbox.relay.queue().list(now, by);
    assert_eq!(by, [(Some(InvitationNumber(2)), Cost::FREE)]);
}

#[test]
fn an_invitation_lets_in_as_many_as_it_has_uses() {
    let inbox = Inbox::new(4);
    let token = inbox.invite(2);
    assert_eq!(inbox.deliver(&token), Ok(()));
    assert_eq!(inbox.deliver(&token), Ok(()));
    assert_eq!(inbox.deliver(&token), Err(Refusal::Uninvited));
    assert_eq!(inbox.uses(), [], "it makes room for another one");
    assert_eq!(inbox.relay.queue().occupancy(Duration::ZERO).stored, 2);
}

#[test]
fn of_two_at_the_same_time_the_first_exchange_has_the_only_use() {
    let inbox = Inbox::new(4);
    let token = inbox.invite(1);
    let [one, other] = [(); 2].map(|()| Inbox::pays(inbox.challenge(&token).unwrap()));
    assert!(inbox.exchange(&one).is_ok());
    assert_eq!(inbox.exchange(&other), Err(Refusal::Uninvited));
    assert_eq!(inbox.challenge(&token).unwrap_err(), Refusal::Uninvited);
    assert_eq!((inbox.uses(), inbox.reserved()), (vec![(1, 1)], 1));
}

#[test]
fn a_session_that_dies_gives_its_use_back() {
    let inbox = Inbox::new(4);
    let token = inbox.invite(1);
    let challenged = inbox.challenge(&token).unwrap();
    let sent = inbox.open(&token).unwrap();
    inbox.pass(SESSION_LIFETIME);
    assert_eq!((inbox.uses(), inbox.reserved()), (vec![(1, 0)], 0));
    let late = inbox.relay.message_v2(sent.request());
    assert_eq!(late.unwrap_err(), Refusal::Unproven);
    // The challenge that was refused meanwhile is good still, and so is the invitation.
    assert!(inbox.exchange(&Inbox::pays(challenged)).is_ok());
    inbox.pass(SESSION_LIFETIME);
    assert_eq!(inbox.deliver(&token), Ok(()));
}

#[test]
fn a_repetition_reserves_and_spends_nothing_more() {
    let inbox = Inbox::new(4);
    let token = inbox.invite(2);
    let exchanging = Inbox::pays(inbox.challenge(&token).unwrap());
    let first = inbox.exchange(&exchanging).unwrap();
    assert_eq!(inbox.exchange(&exchanging).unwrap(), first);
    assert_eq!((inbox.uses(), inbox.reserved()), (vec![(2, 1)], 1));
    let answer = serde_json::from_str(&first).unwrap();
    let text = Text::new("hello".to_owned().into()).unwrap();
    let sent = exchanging
        .answered(&answer)
        .unwrap()
        .seal(&text, &BoxPart::None);
    let receipt = inbox.relay.message_v2(sent.request()).unwrap();
    assert_eq!(inbox.relay.message_v2(sent.request()).unwrap(), receipt);
    assert_eq!(inbox.uses(), [(1, 0)]);
}

#[test]
fn the_last_use_is_no_reason_to_refuse_its_own_repetition() {
    let inbox = Inbox::new(1);
    let token = inbox.invite(1);
    let exchanging = Inbox::pays(inbox.challenge(&token).unwrap());
    let first = inbox.exchange(&exchanging);
    assert_eq!(inbox.exchange(&exchanging), first);
}

#[test]
fn one_that_has_expired_was_revoked_or_wiped_lets_nobody_in() {
    for end in [
        (|inbox: &Inbox| inbox.clock.advance(WEEK)) as fn(&Inbox),
        |inbox| assert!(inbox.revoke(1)),
        |inbox| drop(inbox.relay.wipe()),
    ] {
        let inbox = Inbox::new(4);
        let token = inbox.invite(3);
        let exchanging = Inbox::pays(inbox.challenge(&token).unwrap());
        inbox.open(&token).unwrap();
        inbox.clock.advance(Duration::from_secs(1));
        end(&inbox);
        assert_eq!(inbox.challenge(&token).unwrap_err(), Refusal::Uninvited);
        let refused = inbox.exchange(&exchanging).unwrap_err();
        assert!(matches!(refused, Refusal::Uninvited | Refusal::Expired));
        inbox.relay.purge();
        assert_eq!(inbox.uses(), []);
        // Its number doesn't come back, so what an old challenge names is no other one.
        assert_eq!(inbox.made(1, WEEK).unwrap().1.number, InvitationNumber(2));
        let again = inbox.exchange(&exchanging).unwrap_err();
        assert!(matches!(again, Refusal::Uninvited | Refusal::Expired));
        assert_eq!(inbox.uses(), [(1, 0)]);
    }
}

#[test]
fn a_session_that_is_open_may_take_its_message_after_its_invitation_was_revoked() {
    let inbox = Inbox::new(4);
    let token = inbox.invite(2);
    let sent = inbox.open(&token).unwrap();
    assert!(inbox.revoke(1));
    assert!(!inbox.revoke(1));
    assert!(inbox.relay.message_v2(sent.request()).is_ok());
    assert_eq!(inbox.uses(), []);
}

#[test]
fn it_expires_to_the_second_whatever_is_asked() {
    let inbox = Inbox::new(4);
    let (token, listed) = inbox.made(1, Duration::from_secs(60)).unwrap();
    assert_eq!(listed.expires, 1_800_000_060);
    inbox.clock.advance(Duration::from_secs(59));
    let exchanging = Inbox::pays(inbox.challenge(&token).unwrap());
    assert_eq!(inbox.relay.purge(), Some(Duration::from_secs(60)));
    inbox.clock.advance(Duration::from_secs(1));
    assert_eq!(inbox.challenge(&token).unwrap_err(), Refusal::Uninvited);
    assert_eq!(inbox.exchange(&exchanging), Err(Refusal::Uninvited));
    assert_eq!(inbox.relay.purge(), None);
}

#[test]
fn a_forged_proof_is_none_and_so_is_one_of_another_sender() {
    let inbox = Inbox::new(4);
    let token = inbox.invite(1);
    let hello = |key: u8| {
        let key = SenderKey::generate(
            &mut <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(key.into()),
        );
        Hello::invited(key, &token).request()
    };
    let pow = |request: &_| inbox.relay.pow_v2(request, &mut rand::rng()).map(|_| ());
    assert_eq!(pow(&hello(1)), Ok(()));
    let mut stolen = hello(2);
    stolen.invitation = hello(1).invitation;
    assert_eq!(pow(&stolen), Err(Refusal::Uninvited));
    let mut forged = hello(1);
    forged.invitation = Some(InvitationProof([0; 32]));
    assert_eq!(pow(&forged), Err(Refusal::Uninvited));
    let other = Inbox::new(4).invite(1);
    assert_eq!(inbox.challenge(&other).unwrap_err(), Refusal::Uninvited);
    assert_eq!(inbox.uses(), [(1, 0)]);
}

#[test]
fn a_full_inbox_is_full_for_who_is_invited_and_a_risen_price_is_not_asked() {
    let inbox = Inbox::new(2);
    let token = inbox.invite(3);
    let exchanging = Inbox::pays(inbox.challenge(&token).unwrap());
    assert_eq!(inbox.deliver(&token), Ok(()));
    let other = Inbox::pays(inbox.challenge(&token).unwrap());
    assert!(inbox.exchange(&exchanging).is_ok(), "the last slot");
    assert_eq!(inbox.exchange(&other), Err(Refusal::Full));
    assert_eq!(inbox.challenge(&token).unwrap_err(), Refusal::Full);
    assert_eq!(inbox.uses(), [(2, 1)], "who was refused has used nothing");
}

#[test]
fn the_price_of_all_others_follows_the_slots_and_not_the_invitations() {
    let inbox = Inbox::new(8);
    let price = inbox.relay.cost();
    let tokens: Vec<_> = (0..MAX_INVITATIONS).map(|_| inbox.invite(1000)).collect();
    inbox.challenge(&tokens[0]).unwrap();
    assert_eq!(inbox.relay.cost(), price);
    assert_eq!(inbox.made(1, WEEK).unwrap_err(), NotInvited::TooMany);
    assert!(inbox.revoke(9));
    assert!(inbox.made(1, WEEK).is_ok());
}

#[test]
fn nobody_is_invited_to_ask() {
    let inbox = Inbox::new(4);
    let token = inbox.invite(1);
    let hello = Hello::invited(SenderKey::generate(&mut rand::rng()), &token);
    for size in BodySize::ALL {
        let mut request = hello.request();
        request.purpose = Hex(Purpose::Ask(size).to_bytes());
        let refused = inbox.relay.pow_v2(&request, &mut rand::rng());
        assert_eq!(refused.unwrap_err(), Refusal::UnknownPurpose);
    }
}

#[test]
fn a_relay_of_kkv1_alone_makes_none() {
    let old = Inbox::speaking(SuitePolicy::Only(Suite::V1), 1);
    assert_eq!(old.made(1, WEEK).unwrap_err(), NotInvited::NoKkv2);
    assert!(
        Inbox::speaking(SuitePolicy::Only(Suite::V2), 1)
            .made(1, WEEK)
            .is_ok()
    );
}

#[test]
fn two_challenges_of_one_invitation_share_no_bytes_that_others_do_not() {
    let inbox = Inbox::new(4);
    let token = inbox.invite(2);
    let bytes = |_| {
        let hello = Hello::invited(SenderKey::generate(&mut rand::rng()), &token);
        let request = hello.request();
        let answer = inbox.relay.pow_v2(&request, &mut rand::rng()).unwrap();
        (request.invitation.unwrap().0, answer.challenge.0)
    };
    let (one, other): ((_, [u8; 128]), _) = (bytes(()), bytes(()));
    // The proof, and all that isn't the same in every challenge of this second: the number, the random bytes and the
    // tag, the sender. That half of the eight bytes of a number are alike by chance happens once in 60 million runs.
    let alike = |one: &[u8], other: &[u8]| one.iter().zip(other).filter(|(a, b)| a == b).count();
    assert!(alike(&one.0, &other.0) < 16);
    assert!(alike(&one.1[24..32], &other.1[24..32]) < 4);
    assert!(alike(&one.1[32..64], &other.1[32..64]) < 16);
    assert!(alike(&one.1[64..96], &other.1[64..96]) < 16);
}
