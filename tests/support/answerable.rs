//! Leaves a message that can be answered with a program that listens on this machine.

use kkv_base::clock::ManualClock;
use kkv_client::sender::{Delivery, DeliveryOptions, Reply, deliver};
use kkv_net::tor::{LoopbackDialer, Target};
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::sender::ReplySecrets;
use rand::SeedableRng;
use rand::rngs::StdRng;
use zeroize::Zeroizing;

use crate::in_process::{START, Unobserved};

/// Leaves `text` at this address, to be answered to whoever has these words.
pub(crate) fn leave_answerable(address: &str, words: &[u8; 16], text: &str) {
    let target: Target = address.parse().expect("an address");
    let Target::Loopback(local) = target else {
        panic!("{address} is not on this machine");
    };
    let (clock, dialer) = (ManualClock::new(START), LoopbackDialer(local));
    let delivery = Delivery {
        dialer: &dialer,
        options: DeliveryOptions::new(target),
        clock: &clock,
        observer: &Unobserved,
    };
    let rng = &mut StdRng::from_rng(&mut rand::rng());
    let key = SenderKey::generate(rng);
    let text = Text::new(Zeroizing::new(text.to_owned())).expect("it is short");
    let secrets = ReplySecrets::new(words);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime
        .block_on(deliver(&delivery, key, &text, Reply::Opens(&secrets), rng))
        .expect("it is accepted");
}
