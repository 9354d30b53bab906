//! What clients say, as labels that have a bound: methods, schemes, versions, hosts, names.

mod hosts;
mod method;
mod names;
mod protocol;
mod status;

pub(crate) use hosts::{Host, Hosts};
pub(crate) use method::{KnownMethod, Methods};
pub(crate) use names::{Index, Names};
pub(crate) use protocol::{Scheme, version};
pub(crate) use status::spell;

/// What stands for all that is not known, by the semantic conventions.
pub(crate) const OTHER: &str = "_OTHER";
