//! Which attributes of the resource an exporter sends along.

use super::error::{Checked, Findings};

use super::place::{Given, Place};
use super::sources::list;
use crate::resource::Resource;
use metercast_core::Value;

/// Which attributes of the resource an exporter sends along. Unless something is said, a push sends all, and lines of JSON have
/// none.
///
/// ```
/// use metercast::config::{Config, Otlp, ResourceAttributes};
///
/// let shared = Otlp::to("http://elsewhere:4318").resource(ResourceAttributes::only(["service.name"]));
/// let config = Config::builder().environment(false).exporter("shared", shared).build()?;
/// let metercast::config::ExporterConfig::Otlp(shared) = config.exporter("shared").unwrap() else { unreachable!() };
/// let keys: Vec<&str> = shared.resource().of(config.resource()).map(|(key, _)| key.as_str()).collect();
/// assert_eq!(keys, ["service.name"]);
/// # Ok::<(), metercast::config::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResourceAttributes {
    /// All of them.
    #[default]
    All,
    /// None of them.
    None,
    /// Those with these keys; others of these keys are passed over.
    Only(Vec<String>),
}

impl ResourceAttributes {
    /// The attributes with these keys.
    pub fn only<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> ResourceAttributes {
        ResourceAttributes::Only(keys.into_iter().map(Into::into).collect())
    }

    /// Whether the attribute with this key is one of them.
    pub fn contain(&self, key: &str) -> bool {
        match self {
            ResourceAttributes::All => true,
            ResourceAttributes::None => false,
            ResourceAttributes::Only(keys) => keys.iter().any(|only| only == key),
        }
    }

    /// Those of this resource, in its order.
    pub fn of<'r>(&self, resource: &'r Resource) -> impl Iterator<Item = &'r (String, Value)> {
        resource.attributes().iter().filter(|(key, _)| self.contain(key))
    }

    pub(super) fn checked(self) -> Checked<ResourceAttributes> {
        match &self {
            ResourceAttributes::Only(keys) if keys.iter().any(String::is_empty) => {
                Err("has an attribute without a key; leave it out".to_owned())
            }
            _ => Ok(self),
        }
    }
}

/// Which of them an exporter sends in the end.
pub(super) fn settle(
    given: Option<Given<ResourceAttributes>>,
    default: ResourceAttributes,
    place: &Place,
    findings: &mut Findings,
) -> ResourceAttributes {
    findings.settle(&place.child("resource"), given, default, |attributes| match attributes {
        ResourceAttributes::All => "all".to_owned(),
        ResourceAttributes::None => "none".to_owned(),
        ResourceAttributes::Only(keys) => list(keys),
    })
}
