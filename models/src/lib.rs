//! The engine's races, tried in every order by [loom](https://docs.rs/loom).
//!
//! What is tried is the engine itself: `build.rs` copies its files with loom's atomics in the place of the standard library's
//! (`source.rs` says which, and what is changed). Each model has mutants (`mutants.rs`): lines of the engine with an ordering
//! weakened or a step left out, that the model must notice. A model that notices nothing tries nothing.
//!
//! Loom does not know every behaviour of every processor: an atomic cell remembers its last seven values, and a thread is
//! stopped in the middle only as often as a model says. `membarrier` is modelled by the fences that stand where it is missing.

#![cfg(test)]

mod mutants;
mod run;

#[allow(warnings, reason = "copies, some of them in part")]
mod engine;
mod sync;

use engine::{front_end, label, local, number, reading, store, unit};

mod deferred;
mod directory;
mod handover;
mod hinted;
mod histogram;
mod list;
mod recycling;
mod replaced;
mod table;
mod unplanned;
mod up_down;
mod watched;
