//! Instruments that a file defines: from its tables to definitions that nothing is open in.
//!
//! ```text
//! read (tables) -> value, operand, condition -> layer (entries) -> resolve (with what stages know) -> check (names)
//! ```

#[cfg(feature = "config")]
mod condition;
#[cfg(feature = "config")]
mod operand;
#[cfg(feature = "config")]
mod read;
#[cfg(feature = "config")]
pub(super) mod schema;
#[cfg(feature = "config")]
mod value;

mod check;
mod layer;
mod resolve;

pub(super) use layer::InstrumentsLayer;
#[cfg(feature = "config")]
pub(super) use read::InstrumentsReader;
