//! Who reports: the attributes that describe the process behind every series, `service.name` and friends.

use metercast_core::Value;

/// Attributes of metercast itself, which only the program may replace.
pub(crate) const SDK_PREFIX: &str = "telemetry.sdk.";

/// The attributes that describe this process to whoever receives its metrics, sorted by key.
///
/// Every process has these, and may replace or add to them (see [`Config`](crate::config::Config) for how):
///
/// | attribute | default |
/// | --- | --- |
/// | `service.name` | `unknown_service:` and the name of the executable |
/// | `service.instance.id` | a random UUID, the same as long as the process lives |
/// | `telemetry.sdk.name`, `telemetry.sdk.language`, `telemetry.sdk.version` | `metercast`, `rust`, this crate's version |
///
/// ```
/// let config = metercast::config::Config::builder()
///     .environment(false)
///     .service("orders", "1.4.2")
///     .resource_attribute("deployment.environment.name", "prod")
///     .build()?;
/// assert_eq!(config.resource().get("service.name").unwrap().to_string(), "orders");
/// assert_eq!(config.resource().get("deployment.environment.name").unwrap().to_string(), "prod");
/// assert_eq!(config.resource().get("telemetry.sdk.language").unwrap().to_string(), "rust");
/// # Ok::<(), metercast::config::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    attributes: Vec<(String, Value)>,
}

impl Resource {
    /// What is true of any process: `executable` is its file's name, `instance_id` tells it from all others.
    pub(crate) fn of_process(executable: Option<&str>, instance_id: &str) -> Self {
        let service = match executable {
            Some(name) => format!("unknown_service:{name}"),
            None => "unknown_service".to_owned(),
        };
        let mut resource = Self { attributes: Vec::new() };
        resource.set("service.name", service.into());
        resource.set("service.instance.id", instance_id.to_owned().into());
        resource.set("telemetry.sdk.name", "metercast".into());
        resource.set("telemetry.sdk.language", "rust".into());
        resource.set("telemetry.sdk.version", env!("CARGO_PKG_VERSION").into());
        resource
    }

    /// Sets `key`, replacing the value that it had.
    pub(crate) fn set(&mut self, key: &str, value: Value) {
        match self.attributes.binary_search_by(|(known, _)| known.as_str().cmp(key)) {
            Ok(at) => self.attributes[at].1 = value,
            Err(at) => self.attributes.insert(at, (key.to_owned(), value)),
        }
    }

    /// The value of one attribute.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let at = self.attributes.binary_search_by(|(known, _)| known.as_str().cmp(key)).ok()?;
        Some(&self.attributes[at].1)
    }

    /// All attributes, in the order of their keys.
    pub fn attributes(&self) -> &[(String, Value)] {
        &self.attributes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_without_a_name_is_an_unknown_service() {
        let named = Resource::of_process(Some("orders-bin"), "id");
        assert_eq!(named.get("service.name"), Some(&"unknown_service:orders-bin".into()));
        let nameless = Resource::of_process(None, "id");
        assert_eq!(nameless.get("service.name"), Some(&"unknown_service".into()));
    }

    #[test]
    fn attributes_come_in_the_order_of_their_keys_and_each_once() {
        let mut resource = Resource::of_process(None, "id");
        resource.set("a.first", true.into());
        resource.set("service.name", "orders".into());
        let keys: Vec<&str> = resource.attributes().iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "a.first",
                "service.instance.id",
                "service.name",
                "telemetry.sdk.language",
                "telemetry.sdk.name",
                "telemetry.sdk.version"
            ]
        );
        assert_eq!(resource.get("service.name"), Some(&"orders".into()));
        assert_eq!(resource.get("missing"), None);
    }
}
