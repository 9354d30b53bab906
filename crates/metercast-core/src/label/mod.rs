//! Labels: the key-value pairs that tell the series of one metric apart.
//!
//! OpenTelemetry says attribute, Prometheus says label; in metercast a label has a typed value until an exporter
//! spells it. The order of labels never matters, and different label sets are never one series.

mod hash;
mod key_value;
mod keys;
mod set;
mod typed;
mod value;

pub use key_value::KeyValue;
pub use set::LabelSet;
pub use typed::{Label, Labels};
pub use value::{AsLabel, Value};

pub(crate) use hash::{Encoded, choose_seed, hash_of};
#[doc(hidden)]
pub use keys::Keys;
#[doc(hidden)]
pub use set::Spelled;
pub(crate) use set::{Faults, Pairs};
#[doc(hidden)]
pub use typed::{snake_case, snake_case_len};
#[doc(hidden)]
pub use value::{LabelRef, ValueRef};
