//! A label that owns its key and value, for labels that are put together at run time.

use std::borrow::Cow;

use super::Value;

/// One label: a key and its value.
///
/// ```
/// use metercast_core::{KeyValue, Store, reading::Point, u64_counter};
///
/// let store = Store::new();
/// store.scope(|| {
///     let labels = vec![KeyValue::new("kind", "query"), KeyValue::new("cached", true)];
///     u64_counter!("router.operations", "Operations processed", 1, labels);
/// });
/// assert_eq!(store.collect()[0].series[0].labels.to_string(), "{cached=true,kind=\"query\"}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct KeyValue {
    /// The key, such as `http.route`. An empty key is reported and the label left out.
    pub key: Cow<'static, str>,
    /// The value.
    pub value: Value,
}

impl KeyValue {
    /// A label of `key` and `value`.
    pub fn new(key: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> KeyValue {
        KeyValue { key: key.into(), value: value.into() }
    }
}
