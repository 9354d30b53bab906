//! What people write: declarations and call sites, each expanding to a `static` and one call.

mod callsite;
mod labels;
mod metrics;
mod note;
