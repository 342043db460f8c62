//! A message's whole way through the relay, and each step of it, in both suites.

fn main() {}
