//! The gateway's part of the configuration file. What stands under `telemetry` is metercast's.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

/// A configuration that was read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Configuration {
    pub(crate) upstreams: BTreeMap<String, String>,
    /// Whether the answers of an upstream are kept.
    #[serde(default)]
    pub(crate) cache: BTreeMap<String, bool>,
    pub(crate) private: Option<Private>,
    #[serde(default)]
    telemetry: Value,
    /// Of the whole text.
    #[serde(skip)]
    pub(crate) hash: String,
}

/// The exporter of the vendor.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Private {
    pub(crate) endpoint: String,
    /// From one push to the next; a minute unless it is said.
    interval: Option<String>,
}

impl Private {
    pub(crate) fn interval(&self) -> Result<Duration, String> {
        let text = self.interval.as_deref().unwrap_or("60s");
        let seconds = text.strip_suffix('s').and_then(|seconds| seconds.parse().ok());
        let interval = seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs);
        interval
            .ok_or_else(|| format!("private.interval: {text:?} is no length of time; write for example 60s"))
    }
}

impl Configuration {
    /// Reads the file: TOML if it is called so, and else YAML.
    ///
    /// # Errors
    ///
    /// The file, the line and what is wrong there.
    pub(crate) fn read(path: &Path) -> Result<Configuration, String> {
        let name = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
        let is_toml = path.extension().is_some_and(|extension| extension == "toml");
        Configuration::of(&text, is_toml).map_err(|error| format!("{name}:{error}"))
    }

    fn of(text: &str, is_toml: bool) -> Result<Configuration, String> {
        // The messages alone: the text around them may hold a token.
        let mut read: Configuration = if is_toml {
            toml::from_str(text).map_err(|error| {
                let before = error.span().map_or("", |span| &text[..span.start]);
                format!("{}: {}", 1 + before.matches('\n').count(), error.message())
            })?
        } else {
            serde_saphyr::from_str(text).map_err(|error| {
                let line = error.location().map_or(1, |location| location.line());
                format!("{line}: {}", error.without_snippet())
            })?
        };
        if let Some(unknown) = read.cache.keys().find(|name| !read.upstreams.contains_key(*name)) {
            return Err(format!(" cache.{unknown}: there is no such upstream; name one of `upstreams`"));
        }
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        read.hash = format!("{:016x}", hasher.finish());
        Ok(read)
    }

    /// How many views the user has.
    pub(crate) fn views(&self) -> usize {
        let views = self.telemetry.pointer("/exporters/metrics/common/views");
        views.and_then(Value::as_array).map_or(0, Vec::len)
    }

    /// How many upstreams' answers are kept.
    pub(crate) fn cached(&self) -> usize {
        self.cache.values().filter(|is_on| **is_on).count()
    }
}
