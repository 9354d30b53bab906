//! What a reload did, or would do, to each exporter.

use std::fmt;

#[cfg(feature = "serve")]
use crate::export::stdout::json::{put_list, put_text};

/// What a reload did, or would do. Prints as one line.
///
/// ```
/// use metercast::config::{Config, Stdout};
/// use metercast::{Store, Telemetry};
///
/// let config = |seconds| {
///     let stdout = Stdout::default().interval(std::time::Duration::from_secs(seconds));
///     Config::builder().environment(false).exporter("stdout", stdout).build()
/// };
/// let telemetry = Telemetry::builder(config(60)?).store(Store::new()).start()?;
/// assert_eq!(telemetry.plan_reload(&config(60)?)?.to_string(), "nothing changed");
/// assert_eq!(telemetry.reload(config(30)?)?.to_string(), "stdout: interval changed");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reloaded {
    exporters: Vec<(String, ExporterChange)>,
    settings: Vec<&'static str>,
}

/// What a reload did to an exporter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExporterChange {
    /// Nothing: it was not touched.
    Unchanged,
    /// It goes on with other settings: these, by the keys that a file has for them.
    Changed(Vec<&'static str>),
    /// It was started.
    Added,
    /// It hands over what it has, in the background, and ends.
    Removed,
    /// It did not run before and still cannot start, for this reason; `on_error` says that the others do not mind.
    Failed(String),
}

impl Reloaded {
    pub(super) fn new(mut exporters: Vec<(String, ExporterChange)>, settings: Vec<&'static str>) -> Reloaded {
        exporters.sort_by(|(a, _), (b, _)| a.cmp(b));
        Reloaded { exporters, settings }
    }

    /// What became of each exporter, in the order of their names. A private one is among them only if it changed.
    pub fn exporters(&self) -> impl Iterator<Item = (&str, &ExporterChange)> {
        self.exporters.iter().map(|(name, change)| (name.as_str(), change))
    }

    /// What became of the exporter of that name; `None` if there is none, and there was none.
    pub fn exporter(&self, name: &str) -> Option<&ExporterChange> {
        self.exporters().find(|(known, _)| *known == name).map(|(_, change)| change)
    }

    /// The keys that changed of what holds for all exporters.
    pub fn settings(&self) -> &[&'static str] {
        &self.settings
    }

    /// A line for each: first of what holds for all exporters, if that changed, then `name: what became of it`.
    ///
    /// ```
    /// use metercast::config::{Config, Stdout};
    /// use metercast::{Store, Telemetry};
    ///
    /// let config = |self_metrics, seconds| {
    ///     let stdout = Stdout::default().interval(std::time::Duration::from_secs(seconds));
    ///     Config::builder().environment(false).self_metrics(self_metrics).exporter("stdout", stdout).build()
    /// };
    /// let telemetry = Telemetry::builder(config(true, 60)?).store(Store::new()).start()?;
    /// let planned = |config| Ok::<_, metercast::ReloadError>(telemetry.plan_reload(&config)?.lines().collect::<Vec<_>>());
    /// assert_eq!(planned(config(false, 60)?)?, ["self_metrics changed", "stdout: unchanged"]);
    /// assert_eq!(planned(config(true, 30)?)?, ["stdout: interval changed"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let settings = (!self.settings.is_empty()).then(|| format!("{} changed", self.settings.join(", ")));
        settings.into_iter().chain(self.exporters().map(|(name, change)| format!("{name}: {change}")))
    }

    /// The same for programs, as a value of JSON.
    #[cfg(feature = "serve")]
    pub(super) fn json(&self) -> String {
        let put_key = |out: &mut Vec<u8>, key: &&str| put_text(out, key);
        let mut out = b"{\"settings\":".to_vec();
        put_list(&mut out, &self.settings, put_key);
        out.extend(b",\"exporters\":");
        put_list(&mut out, self.exporters(), |out, (name, change)| {
            out.extend(b"{\"name\":");
            put_text(out, name);
            let (word, keys, cause) = match change {
                ExporterChange::Unchanged => ("unchanged", &[][..], None),
                ExporterChange::Changed(keys) => ("changed", &keys[..], None),
                ExporterChange::Added => ("added", &[][..], None),
                ExporterChange::Removed => ("removed", &[][..], None),
                ExporterChange::Failed(cause) => ("failed", &[][..], Some(cause)),
            };
            out.extend(format!(",\"change\":\"{word}\",\"keys\":").into_bytes());
            put_list(out, keys, put_key);
            if let Some(cause) = cause {
                out.extend(b",\"cause\":");
                put_text(out, cause);
            }
            out.push(b'}');
        });
        out.push(b'}');
        String::from_utf8(out).unwrap_or_default()
    }

    /// Whether everything is as it was.
    pub fn is_unchanged(&self) -> bool {
        self.settings.is_empty()
            && self.exporters.iter().all(|(_, change)| *change == ExporterChange::Unchanged)
    }
}

impl fmt::Display for Reloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_unchanged() {
            return f.write_str("nothing changed");
        }
        if !self.settings.is_empty() {
            write!(f, "{} changed", self.settings.join(", "))?;
        }
        for (at, (name, change)) in self.exporters.iter().enumerate() {
            let separator = if at == 0 && self.settings.is_empty() { "" } else { "; " };
            write!(f, "{separator}{name}: {change}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ExporterChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExporterChange::Unchanged => f.write_str("unchanged"),
            ExporterChange::Changed(keys) => write!(f, "{} changed", keys.join(", ")),
            ExporterChange::Added => f.write_str("added"),
            ExporterChange::Removed => f.write_str("removed"),
            ExporterChange::Failed(cause) => write!(f, "does not run, as it {cause}"),
        }
    }
}

#[cfg(all(test, feature = "serve"))]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_told_what_people_are() {
        let exporters = [
            ("central", ExporterChange::Changed(vec!["headers", "tls"])),
            ("a\"b", ExporterChange::Failed("cannot listen:\nin use".to_owned())),
            ("new", ExporterChange::Added),
            ("old", ExporterChange::Removed),
            ("scrape", ExporterChange::Unchanged),
        ];
        let exporters = exporters.map(|(name, change)| (name.to_owned(), change)).to_vec();
        let json: serde_json::Value =
            serde_json::from_str(&Reloaded::new(exporters, vec!["exemplars", "on_error"]).json()).unwrap();
        let expected = serde_json::json!({
            "settings": ["exemplars", "on_error"],
            "exporters": [
                { "name": "a\"b", "change": "failed", "keys": [], "cause": "cannot listen:\nin use" },
                { "name": "central", "change": "changed", "keys": ["headers", "tls"] },
                { "name": "new", "change": "added", "keys": [] },
                { "name": "old", "change": "removed", "keys": [] },
                { "name": "scrape", "change": "unchanged", "keys": [] },
            ],
        });
        assert_eq!(json, expected);
        let nothing: serde_json::Value = serde_json::from_str(&Reloaded::new(vec![], vec![]).json()).unwrap();
        assert_eq!(nothing, serde_json::json!({ "settings": [], "exporters": [] }));
    }
}
