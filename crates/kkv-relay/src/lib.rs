//! The relay: memory for secrets, the sandbox, the queue, the boxes for answers, the steps of both suites over them,
//! the home of its owner's identity, and what its owner can do.

pub mod boxes;
pub mod home;
pub mod memory;
pub mod owner;
pub mod queue;
pub mod relay;
pub mod sandbox;

use kkv_base::lock;
