//! Which source every value of a configuration comes from.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::OnceLock;

use super::error::Findings;

use super::place::{Given, Place};
use crate::view::{Aggregation, GaugeMerge, LabelRule, View};
use metercast_core::Kind;

/// Every value that holds, with where it comes from, in the order of a file: first what concerns all, then exporter by
/// exporter. What nobody says and has no default is not there. Secrets are `***`, and what a file refers to stands as the
/// reference.
///
/// Prints as a table, a line for each value.
///
/// ```
/// use metercast::config::{Config, Otlp, Source};
///
/// let config = Config::builder()
///     .variables([("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), "http://collector:4318".to_owned())])
///     .default_exporter("otlp", Otlp::to("http://localhost:4318").bearer("s3cret"))
///     .build()?;
/// let endpoint = config.sources().get("telemetry.exporters.otlp.endpoint").unwrap();
/// assert_eq!(endpoint.value(), "http://collector:4318/v1/metrics");
/// assert_eq!(endpoint.source().to_string(), "OTEL_EXPORTER_OTLP_ENDPOINT");
/// assert_eq!(endpoint.overruled(), [Source::Program]);
/// # Ok::<(), metercast::config::ConfigError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Sources {
    settings: Vec<Setting>,
    /// The places of the settings in the order of their keys, once somebody has asked for one.
    by_key: OnceLock<Box<[usize]>>,
    /// The exporters that the standard variables shape.
    pub(super) shaped: BTreeSet<String>,
}

impl PartialEq for Sources {
    fn eq(&self, other: &Sources) -> bool {
        let Sources { settings, shaped, by_key: _ } = self;
        *settings == other.settings && *shaped == other.shaped
    }
}

impl Eq for Sources {}

impl Sources {
    /// With those of another part of the configuration.
    pub(super) fn absorb(&mut self, part: Sources) {
        self.settings.extend(part.settings);
        self.shaped.extend(part.shaped);
        self.by_key = OnceLock::new();
    }
}

/// One value that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    key: String,
    value: String,
    source: Source,
    over: Vec<Source>,
    remark: Option<String>,
}

/// Where a value comes from. Prints as `a.toml:3`, as the name of a variable, or in words.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// Nobody says it.
    Default,
    /// The preset of the exporter.
    Preset,
    /// The program, as a default.
    Program,
    /// A file, and the line.
    File(String, usize),
    /// An environment variable.
    Variable(String),
    /// The program, which insists.
    Pinned,
}

impl Sources {
    /// The values, each with its key.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The value of this key, such as `telemetry.exporters.central.endpoint`.
    pub fn get(&self, key: &str) -> Option<&Setting> {
        let by_key = self.by_key.get_or_init(|| {
            let mut places: Box<[usize]> = (0..self.settings.len()).collect();
            // Stable: of two with one key the first is found.
            places.sort_by_key(|at| &self.settings[*at].key);
            places
        });
        let at = by_key.partition_point(|at| *self.settings[*at].key < *key);
        by_key.get(at).map(|at| &self.settings[*at]).filter(|setting| setting.key == key)
    }
}

impl Setting {
    /// The key as in a file, from `telemetry` on.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What holds, as it may be shown.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Who says it.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// What was made of what is said, such as a path that was added to a URL.
    pub fn remark(&self) -> Option<&str> {
        self.remark.as_deref()
    }

    /// Who says something else, and is overruled; the highest first.
    pub fn overruled(&self) -> &[Source] {
        &self.over
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Preset => f.write_str("preset"),
            Self::Program => f.write_str("the program's default"),
            Self::File(name, 0) => f.write_str(name),
            Self::File(name, line) => write!(f, "{name}:{line}"),
            Self::Variable(name) => f.write_str(name),
            Self::Pinned => f.write_str("the program"),
        }
    }
}

impl fmt::Display for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |of: fn(&Setting) -> &str| {
            self.settings.iter().map(|setting| of(setting).chars().count()).filter(|width| *width <= 60).max()
        };
        let (keys, values) = (width(Setting::key).unwrap_or(0), width(Setting::value).unwrap_or(0));
        for (n, Setting { key, value, source, over, remark: _ }) in self.settings.iter().enumerate() {
            let line = if n > 0 { "\n" } else { "" };
            write!(f, "{line}{key:keys$}  {value:values$}  {source}")?;
            for (n, over) in over.iter().enumerate() {
                write!(f, "{} {over}", if n == 0 { ", over" } else { "," })?;
            }
        }
        Ok(())
    }
}

/// Notes what holds in the end.
impl Findings {
    /// What is given, or else the default; and that it holds.
    pub(super) fn settle<T>(
        &mut self,
        key: &Place,
        given: Option<Given<T>>,
        default: T,
        show: impl FnOnce(&T) -> String,
    ) -> T {
        match given {
            Some(given) => self.note(key, given, show),
            None => {
                self.note_as(key, show(&default), Source::Default);
                default
            }
        }
    }

    /// What is given, if it is; and that it holds.
    pub(super) fn settle_if<T>(
        &mut self,
        key: &Place,
        given: Option<Given<T>>,
        show: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        given.map(|given| self.note(key, given, show))
    }

    /// That this holds.
    pub(super) fn note<T>(&mut self, key: &Place, given: Given<T>, show: impl FnOnce(&T) -> String) -> T {
        let shown = given.place.filled().map(|filled| filled.written.clone());
        self.note_shown(key, given, shown, show)
    }

    /// That this secret holds.
    pub(super) fn note_secret<T>(&mut self, key: &Place, given: Given<T>) -> T {
        let shown = given.place.filled().map(|filled| filled.references.clone());
        self.note_shown(key, given, shown, |_| "***".to_owned())
    }

    /// That this URL holds.
    pub(super) fn note_url<T>(&mut self, key: &Place, given: Given<T>, show: impl FnOnce(&T) -> String) -> T {
        let shown = given.place.filled().map(|filled| filled.url.clone());
        self.note_shown(key, given, shown, show)
    }

    fn note_shown<T>(
        &mut self,
        key: &Place,
        given: Given<T>,
        shown: Option<String>,
        show: impl FnOnce(&T) -> String,
    ) -> T {
        let Given { value, place } = given;
        let value_shown = shown.unwrap_or_else(|| show(&value));
        let over = place.overruled().iter().map(Place::source).collect();
        let source = place.source();
        let key = key.key().to_owned();
        self.sources.settings.push(Setting { key, value: value_shown, source, over, remark: None });
        value
    }

    /// That this holds, since a source says so that has no place.
    pub(super) fn note_as(&mut self, key: &Place, value: String, source: Source) {
        let key = key.key().to_owned();
        self.sources.settings.push(Setting { key, value, source, over: Vec::new(), remark: None });
    }

    /// What was made of the value that was noted last.
    pub(super) fn remark(&mut self, remark: String) {
        if let Some(setting) = self.sources.settings.last_mut() {
            setting.remark = Some(remark);
        }
    }
}

/// Texts as a list of a file.
pub(super) fn list<T: fmt::Display>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(|item| format!("{:?}", item.to_string())).collect();
    format!("[{}]", items.join(", "))
}

/// Bounds as a list of a file.
pub(super) fn bounds(bounds: &[f64]) -> String {
    format!("{bounds:?}")
}

/// A kind of metrics as a view names it.
fn kind(kind: Kind) -> String {
    match kind {
        Kind::UpDownCounter => "up_down_counter".to_owned(),
        one_word => format!("{one_word:?}").to_lowercase(),
    }
}

/// A view as the table that a file has for it.
pub(super) fn view(view: &View) -> String {
    let View {
        selector,
        name,
        alias,
        description,
        unit,
        labels,
        exemplar_labels,
        aggregation,
        gauges,
        limit,
        said: _,
    } = view;
    let mut keys = Vec::new();
    let mut text = |key: &str, value: Option<&str>| {
        keys.extend(value.map(|value| format!("{key} = {value:?}")));
    };
    text("name", selector.name.as_ref().map(|name| name.as_str()));
    text("kind", selector.kind.map(kind).as_deref());
    text("unit_is", selector.unit.as_deref());
    text("scope", selector.scope.as_ref().map(|scope| scope.as_str()));
    text("scope_version", selector.scope_version.as_deref());
    let visibility = selector.visibility.map(|visibility| format!("{visibility:?}").to_lowercase());
    text("visibility", visibility.as_deref());
    text("rename", name.as_deref());
    text("alias", alias.as_deref());
    text("description", description.as_deref());
    text("unit", unit.as_deref());
    keys.extend(selector.observable.map(|observable| format!("observable = {observable}")));
    let mut renames = Vec::new();
    for rule in labels {
        match rule {
            LabelRule::Keep(globs) => keys.push(format!("keep_labels = {}", list(globs))),
            LabelRule::Drop(globs) => keys.push(format!("drop_labels = {}", list(globs))),
            LabelRule::Rename(from, to) => renames.push(format!("{from:?} = {to:?}")),
        }
    }
    if !renames.is_empty() {
        keys.push(format!("rename_labels = {{ {} }}", renames.join(", ")));
    }
    keys.extend(exemplar_labels.then(|| "exemplar_labels = true".to_owned()));
    keys.extend(aggregation.as_ref().map(|aggregation| match aggregation {
        Aggregation::Default => "aggregation = \"default\"".to_owned(),
        Aggregation::Drop => "aggregation = \"drop\"".to_owned(),
        Aggregation::Buckets(bounds) => format!("buckets = {}", self::bounds(bounds)),
        Aggregation::Exponential { max_size, max_scale } => {
            format!("exponential = {{ max_size = {max_size}, max_scale = {max_scale} }}")
        }
    }));
    keys.extend(gauges.map(|gauges| {
        let word = match gauges {
            GaugeMerge::Newest => "newest",
            GaugeMerge::Sum => "sum",
            GaugeMerge::Min => "min",
            GaugeMerge::Max => "max",
        };
        format!("gauges = {word:?}")
    }));
    keys.extend(limit.map(|limit| format!("cardinality_limit = {limit}")));
    format!("{{ {} }}", keys.join(", "))
}
