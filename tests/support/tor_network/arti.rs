//! The same network, told to arti.

use super::plan::Node;

/// The `[tor_network]` of arti's configuration for a network of `nodes`, and no more than that:
/// its path rules hold here, since each node has a subnet of its own.
pub(super) fn config(nodes: &[Node]) -> String {
    let caches: Vec<_> = nodes
        .iter()
        .map(|node| {
            format!(
                "  {{ rsa_identity = \"{}\", ed_identity = \"{}\", orports = [\"{}:{}\"] }},",
                node.identity.rsa, node.identity.ed25519, node.ip, node.or_port
            )
        })
        .collect();
    let authorities: Vec<_> = nodes
        .iter()
        .filter_map(|node| node.identity.v3.as_ref())
        .map(|v3| format!("\"{v3}\""))
        .collect();
    // Predicted ports are for exits, and there is none to build circuits to.
    format!(
        "\
[tor_network]
fallback_caches = [
{}
]

[tor_network.authorities]
v3idents = [{}]

[preemptive_circuits]
initial_predicted_ports = []
",
        caches.join("\n"),
        authorities.join(", ")
    )
}
