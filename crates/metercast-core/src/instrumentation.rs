//! The library that defines a metric: OpenTelemetry's instrumentation scope.

use crate::label::KeyValue;

/// The library that defines a metric: OpenTelemetry's instrumentation scope.
///
/// That of our macros is the crate. Instruments that are made at run time are given one with
/// [`scope`](crate::InstrumentBuilder::scope). Two scopes are equal if all of this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Scope {
    /// The name, for our macros that of the crate.
    pub name: &'static str,
    /// The version; may be empty.
    pub version: &'static str,
    /// Where the schema is that its telemetry follows; may be empty.
    pub schema_url: &'static str,
    /// What else tells it from others, sorted by key, each key once.
    pub attributes: &'static [KeyValue],
}

impl Scope {
    #[doc(hidden)]
    pub const fn new(name: &'static str, version: &'static str) -> Scope {
        Scope { name, version, schema_url: "", attributes: &[] }
    }
}
