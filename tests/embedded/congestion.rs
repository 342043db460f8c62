//! Congestion control of circuits to an onion service: agreed on with a `tor` at the other end, which tells of it on
//! its control port.

use super::stage::{Stage, must_have_arrived};
use crate::tor::control;

pub(crate) fn congestion_control_is_agreed_on_as_a_sender_and_as_an_inbox(stage: &Stage) {
    let tor_of = |name: &str| stage.network.dir().join(name);
    control::must_control_congestion(&tor_of("host"), "HS_SERVICE_REND", || {
        let sent = stage.send(&stage.external_onion, &[], "to a system Tor");
        sent.finish().must_end_with(0);
        must_have_arrived(&stage.external, "to a system Tor");
    });
    control::must_control_congestion(&tor_of("sender"), "HS_CLIENT_REND", || {
        let sent = stage.send_by_socks(&stage.embedded.onion, &[], "from a system Tor");
        sent.finish().must_end_with(0);
        must_have_arrived(&stage.embedded.relay, "from a system Tor");
    });
}
