//! The relay: the memory that it keeps messages in, what it gives up to the kernel, the queue, and the steps of both
//! suites over it.

pub mod memory;
pub mod queue;
pub mod relay;
pub mod sandbox;

use kkv_base::lock;
