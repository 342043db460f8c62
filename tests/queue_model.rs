//! The queue does what a plain list would: random operations against a model, and many threads at once.

#[path = "queue_model/model.rs"]
mod model;
#[path = "queue_model/operations.rs"]
mod operations;
#[path = "queue_model/threads.rs"]
mod threads;
