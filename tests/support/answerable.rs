//! A sender who wants answers from a program that listens on this machine: leaves messages that can be answered, and
//! asks for answers.

use kkv_base::clock::ManualClock;
use kkv_client::sender::{Asker, Delivery, DeliveryOptions, Reply, deliver};
use kkv_net::tor::{LoopbackDialer, Target};
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::keys::Acknowledgement;
use kkv_protocol::v2::answers::sender::{Replies, ReplySecrets};
use kkv_protocol::v2::purpose::BodySize;
use rand::SeedableRng;
use rand::rngs::StdRng;
use zeroize::Zeroizing;

use crate::in_process::{START, Unobserved};

/// Leaves `text` at this address, to be answered to whoever has these words.
pub(crate) fn leave_answerable(address: &str, words: &[u8; 16], text: &str) {
    let rng = &mut StdRng::from_rng(&mut rand::rng());
    let key = SenderKey::generate(rng);
    let text = Text::new(Zeroizing::new(text.to_owned())).expect("it is short");
    let secrets = ReplySecrets::new(words);
    with(address, async |delivery| {
        let left = deliver(delivery, key, &text, Reply::Opens(&secrets), rng).await;
        left.expect("it is accepted");
    });
}

/// Asks for what waits, as whoever has the words, and says of these answers that they have arrived.
pub(crate) fn fetch(address: &str, words: &[u8; 16], told: &[&Acknowledgement]) -> Replies {
    let secrets = ReplySecrets::new(words);
    let rng = &mut StdRng::from_rng(&mut rand::rng());
    with(address, async |delivery| {
        let mut asker = Asker::new(delivery, BodySize::Kib16);
        let asked = asker.ask(|asking| secrets.ask(asking, told), rng).await;
        let answered = asked.expect("it answers");
        let key = answered.relay.id();
        let read = secrets.read(&key, &answered.request, &answered.answer);
        read.expect("an honest relay")
    })
}

/// Does it with a way to this address.
fn with<T>(address: &str, work: impl AsyncFnOnce(&Delivery<'_, LoopbackDialer>) -> T) -> T {
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
    blocking(work(&delivery))
}

/// Does this work on this thread.
pub(crate) fn blocking<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(work)
}
