//! The cryptographic operations that the flow is made of.

fn main() {}
