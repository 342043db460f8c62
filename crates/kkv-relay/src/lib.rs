//! The relay: memory for secrets, the sandbox, the queue, the boxes for answers, the steps of both suites over them,
//! and what its owner can do.

pub mod boxes;
pub mod memory;
pub mod owner;
pub mod queue;
pub mod relay;
pub mod sandbox;

use kkv_base::lock;
