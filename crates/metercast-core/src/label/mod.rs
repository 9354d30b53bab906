//! Labels: the key-value pairs that tell the series of one metric apart.
//!
//! OpenTelemetry says attribute, Prometheus says label; in metercast a label has a typed value until an exporter
//! spells it. The order of labels never matters, and different label sets are never one series.

mod bound;
mod bounded;
mod given;
mod hash;
mod key_value;
mod keys;
mod long;
#[allow(unsafe_code, reason = "reads a whole vector where a text may be shorter")]
mod overread;
pub(crate) mod packed;
mod set;
mod typed;
mod value;
mod word;

pub use bounded::Bounded;
pub use key_value::KeyValue;
pub use set::LabelSet;
pub use typed::{Label, Labels};
pub use value::{AsLabel, LabelRef, Value, ValueRef};
pub use word::Word;

#[doc(hidden)]
pub use bound::{Bound, ends};
#[doc(hidden)]
pub use bounded::{Pattern, Ranges, assert_one_of};
#[doc(hidden)]
pub use given::Pairs;
#[doc(hidden)]
pub use given::Spelled;
#[doc(hidden)]
pub use given::{Given, Typed};
pub(crate) use hash::{choose_seeds, hash_of, seeds};
#[doc(hidden)]
pub use keys::Keys;
pub(crate) use keys::Shape;
pub(crate) use long::{Long, LongBuffer, MOST_KEYS};
#[doc(hidden)]
pub use packed::Packing;
pub(crate) use packed::{Buffer, MOST_LABELS, Packed, WORDS, Words};
pub(crate) use set::Faults;
#[doc(hidden)]
pub use typed::{snake_case, snake_case_len};
