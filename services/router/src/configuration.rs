//! The gateway's part of the configuration file. What stands under `telemetry` is metercast's.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::time::Duration;

use metercast_tower::config::Mapping;
use serde::Deserialize;
use serde_json::Value;

/// A configuration that was read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Configuration {
    pub(crate) upstreams: BTreeMap<String, String>,
    /// Whether the answers of an upstream are kept, as it is written.
    #[serde(default)]
    cache: BTreeMap<String, Value>,
    /// The upstreams whose answers are kept.
    #[serde(skip)]
    pub(crate) cached: BTreeSet<String>,
    pub(crate) private: Option<Private>,
    #[serde(default)]
    telemetry: Value,
    /// Of the whole text, and of what the gateway's part refers to.
    #[serde(skip)]
    pub(crate) hash: String,
}

/// The exporter of the vendor.
#[derive(Clone, Debug, Hash, Deserialize)]
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
        interval.ok_or("private.interval: this is no length of time; write for example 60s".to_owned())
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
        let mut read =
            Configuration::of(&text, is_toml).map_err(|(line, why)| format!("{name}:{line}: {why}"))?;
        read.fill(path)?;
        if let Some(unknown) = read.cache.keys().find(|name| !read.upstreams.contains_key(*name)) {
            return Err(format!(
                "{name}: cache.{unknown}: there is no such upstream; name one of `upstreams`"
            ));
        }
        let mut hasher = DefaultHasher::new();
        (text, &read.upstreams, &read.cached, &read.private).hash(&mut hasher);
        read.hash = format!("{:016x}", hasher.finish());
        Ok(read)
    }

    /// What a text says; the error is a line and what is wrong there.
    fn of(text: &str, is_toml: bool) -> Result<Configuration, (u64, String)> {
        // The messages alone: the text around them may hold a token.
        if is_toml {
            toml::from_str(text).map_err(|error| {
                let before = error.span().map_or("", |span| &text[..span.start]);
                (1 + before.matches('\n').count() as u64, error.message().to_owned())
            })
        } else {
            serde_saphyr::from_str(text).map_err(|error| {
                let line = error.location().map_or(1, |location| location.line());
                (line, error.without_snippet().to_string())
            })
        }
    }

    /// Fills in what the gateway's own keys refer to, as metercast does for its own.
    fn fill(&mut self, file: &Path) -> Result<(), String> {
        let mapping = Mapping::gateway();
        let filled =
            |key: &[&str], text: &str| mapping.fill(file, key, text).map_err(|error| error.to_string());
        for (name, url) in &mut self.upstreams {
            *url = filled(&["upstreams", name], url)?;
        }
        for (name, is_cached) in &self.cache {
            let said = match is_cached {
                Value::String(text) => filled(&["cache", name], text)?,
                other => other.to_string(),
            };
            match said.as_str() {
                "true" => _ = self.cached.insert(name.clone()),
                "false" => {}
                _ => return Err(format!("{}: cache.{name}: write true or false", file.display())),
            }
        }
        if let Some(Private { endpoint, interval }) = &mut self.private {
            *endpoint = filled(&["private", "endpoint"], endpoint)?;
            if let Some(interval) = interval {
                *interval = filled(&["private", "interval"], interval)?;
            }
        }
        Ok(())
    }

    /// How many views the user has.
    pub(crate) fn views(&self) -> usize {
        let views = self.telemetry.pointer("/exporters/metrics/common/views");
        views.and_then(Value::as_array).map_or(0, Vec::len)
    }
}
