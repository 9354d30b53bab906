//! Files of other applications: their keys become ours by rules that are data.

mod convert;
mod fill;
mod gateway;
mod osapi;
mod payjoin;
mod rules;
mod translate;

pub use convert::Conversion;
pub(super) use rules::Rule;
pub(super) use translate::Translated;

use metercast_core::Value;

/// How the keys of another application's file become those of metercast, so that its operators need not change the file.
///
/// A mapping is a list of rules about keys, each written with dots from the outside in, such as `telemetry.metrics.path`. The
/// tables that it has rules about are strict: a key in them that no rule knows is an error, with its file and line, under the name that
/// it has there, and with the key that is nearest. Tables at the root that no rule names belong to the application. References,
/// `${env:NAME}` and `${file:path}`, are filled in first, in the tables that a rule is about.
///
/// Beside a mapped file there are no exporters but those that it, the program or the environment names.
///
/// [`payjoin`](Self::payjoin), [`osapi`](Self::osapi) and [`gateway`](Self::gateway) are mappings that are there.
///
/// ```
/// use metercast::config::{Config, Conversion, Mapping};
///
/// let mapping = Mapping::new()
///     .key("monitoring.url", "exporters.otlp.endpoint")
///     .convert("monitoring.every", "exporters.otlp.interval", Conversion::Duration)
///     .convert("monitoring.token", "exporters.otlp.headers.authorization", Conversion::Prefixed("Bearer "))
///     .without_effect("monitoring.queue", "metrics wait in the store, not in a queue")
///     .required("monitoring.url");
/// let read = |text| Config::builder().environment(false).mapping(mapping.clone()).text("shop.toml", text).build();
///
/// let config = read("[monitoring]\nurl = 'http://collector:4318'\nevery = 30\nqueue = 9\n")?;
/// let shown = config.exporter("otlp").unwrap().to_string();
/// assert_eq!(shown, "otlp to http://collector:4318/v1/metrics every 30s");
/// assert_eq!(
///     config.warnings(),
///     ["shop.toml:4: monitoring.queue: has no effect: metrics wait in the store, not in a queue"]
/// );
///
/// let error = read("[monitoring]\nurl = 'http://collector:4318'\nevry = 30\n").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "shop.toml:3: monitoring.evry: is not a key that is known here; did you mean \"every\"?"
/// );
/// # Ok::<(), metercast::config::ConfigError>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Mapping {
    rules: Vec<Rule>,
    has_dotted_references: bool,
}

impl Mapping {
    /// A mapping without rules.
    pub fn new() -> Mapping {
        Mapping::default()
    }

    /// What stands under their key stands under ours, as the table `telemetry` of a file has it, without `telemetry` in front.
    /// A table stands there whole. Where several rules fill one list, the items of earlier rules come first.
    pub fn key(self, theirs: &str, ours: &str) -> Mapping {
        self.convert(theirs, ours, Conversion::AsIs)
    }

    /// What stands under their key stands under ours once it is converted.
    pub fn convert(self, theirs: &str, ours: &str, conversion: Conversion) -> Mapping {
        self.with(Rule::Key { theirs: path(theirs), ours: path(ours), conversion })
    }

    /// Each item of a list of theirs is an item of ours; the keys of `each` begin at the item.
    pub fn list(self, theirs: &str, ours: &str, each: Mapping) -> Mapping {
        self.with(Rule::List { theirs: path(theirs), ours: path(ours), each })
    }

    /// If there is their table, and nothing says what stands under this key of ours, it is this.
    pub fn default_of(self, table: &str, ours: &str, value: impl Into<Value>) -> Mapping {
        self.with(Rule::Default { table: path(table), ours: path(ours), value: value.into() })
    }

    /// If there is the table of this key, there must be the key.
    pub fn required(self, theirs: &str) -> Mapping {
        self.with(Rule::Required { theirs: path(theirs) })
    }

    /// Their key is known and changes nothing; whoever gives it is warned when the file is read, and told why.
    pub fn without_effect(self, theirs: &str, why: &str) -> Mapping {
        self.with(Rule::WithoutEffect { theirs: path(theirs), why: why.to_owned() })
    }

    /// Their key, with all that is in it, is read by somebody else: it is passed over without a word.
    pub fn passed_over(self, theirs: &str) -> Mapping {
        self.with(Rule::PassedOver { theirs: path(theirs) })
    }

    /// Their table has keys of somebody else too: those that no rule knows are passed over.
    pub fn shared(self, theirs: &str) -> Mapping {
        self.with(Rule::Shared { theirs: path(theirs) })
    }

    /// References are spelled `${env.NAME}` and `${file.path}`, with a dot; the spelling with a colon counts all the same.
    pub fn dotted_references(mut self) -> Mapping {
        self.has_dotted_references = true;
        self
    }

    fn with(mut self, rule: Rule) -> Mapping {
        self.rules.push(rule);
        self
    }
}

/// A key in its parts.
fn path(key: &str) -> Vec<String> {
    key.split('.').map(str::to_owned).collect()
}
