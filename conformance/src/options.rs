//! What a case chooses for its pages, and the formats that each case is shown in.

use metercast::{Escaping, Format, PageFormat, PageOptions, Profile, ResourceLabels, Strategy, Value};
use serde::Deserialize;

/// The table `[page]` of a `given.toml`; everything may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PageChoice {
    /// As OpenTelemetry names it, such as `NoTranslation`; or `metrics-rs` for that profile.
    pub strategy: Option<String>,
    /// Whether names end with their unit.
    pub unit_suffix: Option<bool>,
    /// Whether the names of counters end with `_total`.
    pub total_suffix: Option<bool>,
    /// Whether lines say which library measured.
    pub scope_labels: bool,
    /// Whether the page has `target_info`.
    pub target_info: bool,
    /// Whether `_created` is shown where it can be.
    pub created: bool,
    /// Attributes of the resource that stand on every line; `*` is all of them.
    pub resource_labels: Vec<String>,
    /// The resource: keys and texts.
    pub resource: Vec<(String, String)>,
}

/// A page that each case has, by the name of its file without `.txt`.
pub(crate) const PAGES: [(&str, PageFormat); 9] = [
    ("prometheus", PageFormat { format: Format::Text0, escaping: Escaping::Underscores }),
    ("text1", PageFormat { format: Format::Text1, escaping: Escaping::AllowUtf8 }),
    ("openmetrics", PageFormat { format: Format::OpenMetrics1, escaping: Escaping::AllowUtf8 }),
    ("openmetrics_underscores", PageFormat { format: Format::OpenMetrics1, escaping: Escaping::Underscores }),
    ("openmetrics_dots", PageFormat { format: Format::OpenMetrics1, escaping: Escaping::Dots }),
    ("openmetrics_values", PageFormat { format: Format::OpenMetrics1, escaping: Escaping::Values }),
    ("protobuf", PageFormat { format: Format::Protobuf, escaping: Escaping::Underscores }),
    ("protobuf_dots", PageFormat { format: Format::Protobuf, escaping: Escaping::Dots }),
    ("protobuf_values", PageFormat { format: Format::Protobuf, escaping: Escaping::Values }),
];

impl PageChoice {
    /// The same as metercast takes it.
    ///
    /// # Panics
    ///
    /// If there is no such strategy.
    pub fn options(&self) -> PageOptions {
        let mut options = PageOptions::new()
            .scope_labels(self.scope_labels)
            .target_info(self.target_info)
            .created(self.created)
            .resource_labels(match &self.resource_labels[..] {
                [] => ResourceLabels::None,
                [all] if all == "*" => ResourceLabels::All,
                only => ResourceLabels::only(only.iter().cloned()),
            });
        options = match self.strategy.as_deref() {
            None | Some("UnderscoreEscapingWithSuffixes") => options,
            Some("UnderscoreEscapingWithoutSuffixes") => {
                options.strategy(Strategy::UnderscoreEscapingWithoutSuffixes)
            }
            Some("NoUTF8EscapingWithSuffixes") => options.strategy(Strategy::NoUtf8EscapingWithSuffixes),
            Some("NoTranslation") => options.strategy(Strategy::NoTranslation),
            Some("metrics-rs") => options.profile(Profile::MetricsRs),
            Some(other) => panic!("given.toml: there is no strategy {other:?}"),
        };
        if let Some(suffix) = self.unit_suffix {
            options = options.unit_suffix(suffix);
        }
        if let Some(suffix) = self.total_suffix {
            options = options.total_suffix(suffix);
        }
        options
    }

    /// The resource as metercast takes it.
    pub(crate) fn resource(&self) -> Vec<(String, Value)> {
        self.resource.iter().map(|(key, text)| (key.clone(), text.clone().into())).collect()
    }

    /// Whether all names are made legal, so that every escaping comes to the same.
    pub fn makes_legal(&self) -> bool {
        !matches!(self.strategy.as_deref(), Some("NoUTF8EscapingWithSuffixes" | "NoTranslation"))
    }

    /// Whether the page is as another exporter writes it, which the rules here do not tell.
    pub fn is_of_metrics_rs(&self) -> bool {
        self.strategy.as_deref() == Some("metrics-rs")
    }

    fn has_suffixes(&self) -> bool {
        matches!(
            self.strategy.as_deref(),
            None | Some("UnderscoreEscapingWithSuffixes" | "NoUTF8EscapingWithSuffixes")
        )
    }

    pub(crate) fn has_unit_suffix(&self) -> bool {
        self.unit_suffix.unwrap_or_else(|| self.has_suffixes())
    }

    pub(crate) fn has_total_suffix(&self) -> bool {
        self.total_suffix.unwrap_or_else(|| self.has_suffixes())
    }

    /// The attributes of the resource that say something.
    pub(crate) fn known_of_resource(&self) -> impl Iterator<Item = &(String, String)> {
        self.resource.iter().filter(|(key, text)| !key.is_empty() && !text.is_empty())
    }

    /// Those that stand on every line.
    pub(crate) fn on_every_line(&self) -> impl Iterator<Item = &(String, String)> {
        let is_shown = |key: &String| self.resource_labels.iter().any(|one| one == key || one == "*");
        self.known_of_resource().filter(move |(key, _)| is_shown(key))
    }
}

/// Whether the format is OpenMetrics.
pub(crate) fn is_open(format: PageFormat) -> bool {
    matches!(format.format, Format::OpenMetrics0 | Format::OpenMetrics1)
}
