//! The queue does what a plain list would: random operations against a model, and many threads at once.

mod model;
mod operations;
mod threads;
