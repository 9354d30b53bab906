//! Who measures, as a program that asks for a meter says it: OpenTelemetry's instrumentation scope.

use metercast_core::KeyValue;

/// The name, version, schema and attributes of a meter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Library {
    pub(crate) name: String,
    /// Empty if there is none, as the schema is.
    pub(crate) version: String,
    pub(crate) schema_url: String,
    pub(crate) attributes: Vec<KeyValue>,
}

impl Library {
    /// A text that two libraries share only if they are equal.
    pub(crate) fn identity(&self) -> String {
        let mut attributes: Vec<_> =
            self.attributes.iter().map(|label| format!("{:?}={:?}", label.key, label.value)).collect();
        attributes.sort_unstable();
        format!("{:?} {:?} {:?} {attributes:?}", self.name, self.version, self.schema_url)
    }
}
