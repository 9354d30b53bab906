//! The gateway's part of the configuration file. What stands under `telemetry` is metercast's.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

/// The gateway's own keys.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    upstreams: BTreeMap<String, String>,
    #[serde(default)]
    cache: BTreeMap<String, bool>,
    private: Option<Private>,
    #[serde(default)]
    telemetry: Telemetry,
}

/// What the gateway itself wants to know of metercast's part.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Telemetry {
    exporters: Exporters,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Exporters {
    metrics: Metrics,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Metrics {
    common: Common,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Common {
    views: Vec<serde::de::IgnoredAny>,
}

/// The exporter of the vendor.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Private {
    pub(crate) endpoint: String,
    interval: Option<String>,
}

/// A configuration that was read.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    pub(crate) upstreams: BTreeMap<String, String>,
    /// The upstreams whose answers are kept.
    pub(crate) cached: Vec<String>,
    pub(crate) private: Option<Private>,
    /// How many views the user has.
    pub(crate) views: usize,
    /// Of the whole text.
    pub(crate) hash: String,
}

impl Configuration {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// The file, the line and what is wrong there.
    pub(crate) fn read(path: &Path) -> Result<Configuration, String> {
        let name = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
        Configuration::of(&text).map_err(|error| format!("{name}:{error}"))
    }

    fn of(text: &str) -> Result<Configuration, String> {
        let keys: Keys = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        if let Some(unknown) = keys.cache.keys().find(|name| !keys.upstreams.contains_key(*name)) {
            return Err(format!(" cache.{unknown}: there is no such upstream"));
        }
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Ok(Configuration {
            upstreams: keys.upstreams,
            cached: keys.cache.into_iter().filter_map(|(name, on)| on.then_some(name)).collect(),
            private: keys.private,
            views: keys.telemetry.exporters.metrics.common.views.len(),
            hash: format!("{:016x}", hasher.finish()),
        })
    }
}

impl Private {
    /// From one push to the next; a minute unless it is said.
    pub(crate) fn interval(&self) -> Result<Duration, String> {
        let Some(text) = &self.interval else { return Ok(Duration::from_secs(60)) };
        let seconds = text.strip_suffix('s').and_then(|seconds| seconds.parse().ok());
        match seconds {
            Some(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds)),
            _ => Err(format!("private.interval: {text:?} is no length of time; write for example 60s")),
        }
    }
}
