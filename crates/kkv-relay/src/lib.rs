//! The relay: memory for secrets, the sandbox, the queue, and the steps of both suites over it.

pub mod memory;
pub mod queue;
pub mod relay;
pub mod sandbox;

use kkv_base::lock;
