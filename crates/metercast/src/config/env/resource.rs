//! `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`.

use std::collections::BTreeMap;

use super::Variables;
use crate::config::error::{Checked, Findings};
use crate::config::percent;
use crate::config::place::{Given, Place};
use crate::resource::SDK_PREFIX;
use metercast_core::Value;

impl Variables {
    /// Attributes of the resource: `OTEL_RESOURCE_ATTRIBUTES`, and `OTEL_SERVICE_NAME` over it.
    pub(in crate::config) fn resource(&self, findings: &mut Findings) -> BTreeMap<String, Given<Value>> {
        const LIST: &str = "OTEL_RESOURCE_ATTRIBUTES";
        let mut attributes = BTreeMap::new();
        match self.get(LIST).map_or_else(|| Ok(Vec::new()), attribute_list) {
            Ok(list) => {
                for (key, value) in list {
                    if key.starts_with(SDK_PREFIX) {
                        let message =
                            format_args!("{key} describes metercast itself and cannot be set; it is ignored");
                        findings.warn(&Place::variable(LIST), message);
                    } else {
                        attributes.insert(key, Given::new(value.into(), &Place::variable(LIST)));
                    }
                }
            }
            // Specification, "Resource SDK": on any error the entire value should be discarded.
            Err(message) => {
                findings
                    .warn(&Place::variable(LIST), format_args!("{message}; the whole variable is ignored"));
            }
        }
        const NAME: &str = "OTEL_SERVICE_NAME";
        if let Some(name) = self.get(NAME) {
            let name = Given::new(name.to_owned().into(), &Place::variable(NAME));
            attributes.insert("service.name".to_owned(), name);
        }
        attributes
    }
}

/// Reads `key=value,key2=value2` with both percent-decoded.
pub(in crate::config) fn attribute_list(list: &str) -> Checked<Vec<(String, String)>> {
    let mut attributes = Vec::new();
    for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let Some((key, value)) = entry.split_once('=') else { return Err(format!("{entry:?} has no \"=\"")) };
        let decode =
            |text: &str| percent::decode(text.trim()).map_err(|message| format!("{entry:?} {message}"));
        let (key, value) = (decode(key)?, decode(value)?);
        if key.is_empty() {
            return Err(format!("{entry:?} has no key before its \"=\""));
        }
        attributes.push((key, value));
    }
    Ok(attributes)
}
