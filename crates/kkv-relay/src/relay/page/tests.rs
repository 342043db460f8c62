//! A relay that can remember no more forms.

use std::sync::Arc;

use kkv_base::clock::ManualClock;
use kkv_base::limits::MAX_FORMS;
use kkv_protocol::suite::SuitePolicy;

use super::*;
use crate::relay::{Pricing, RelayConfig};

#[test]
fn where_no_form_can_be_remembered_nothing_is_typed_or_paid_for_in_vain() {
    let config = RelayConfig {
        read_receipts: false,
        pricing: Pricing {
            base: Cost::FREE,
            adaptive: true,
        },
        expected_seconds: 60,
        suites: SuitePolicy::Any,
    };
    let (queue, clock) = (Queue::new(1, None).unwrap(), Arc::new(ManualClock::new(0)));
    let rng = &mut rand::rng();
    let relay = Relay::new(config, queue, Arc::clone(&clock) as _, rng);
    let relay = relay.with_page(PageConfig { free: 1 }, rng);
    let page = relay.page().unwrap();
    let price = |rng: &mut _| {
        let asked: PriceRequest = serde_json::from_str("{\"bytes\":0}").unwrap();
        relay.page_price(page, &asked, rng).map(drop)
    };
    for _ in 0..MAX_FORMS {
        assert!(relay.page_needs(page, None) == Needs::Nothing);
        let (form, expiry) = page.key.check(&relay.form_id(page, rng), 0).unwrap();
        let (now, expiry) = (Duration::ZERO, Duration::from_secs(expiry));
        let digest = blake3::hash(b"");
        page.state().forms.arrived(form, digest, now, expiry);
    }
    assert!(relay.page_needs(page, None) == Needs::Room { typed: false });
    assert_eq!(price(rng), Err(Refusal::Full));
    clock.advance(FORM_LIFETIME);
    assert!(relay.page_needs(page, None) == Needs::Nothing);
    assert_eq!(price(rng), Ok(()));
}
