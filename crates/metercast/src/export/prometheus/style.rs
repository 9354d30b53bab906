//! How everything on the pages of one format is spelled: the format's own rules, and what was chosen.

use std::sync::Arc;

use metercast_core::reading::{PointView, SeriesView};
use metercast_core::{Kind, Scope, Value};

use super::escape::Of;
use super::family::Type;
use super::format::{Escaping, Format, PageFormat};
use super::labels::Labels;
use super::name;
use super::number::{Spelling, with_double};
use super::options::PageOptions;
use crate::view::Stream;

/// What was chosen for all pages of an exporter.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) options: PageOptions,
    /// The attributes of the resource as texts, in the order of their keys; those without a text are as good as absent.
    resource: Vec<(String, String)>,
}

impl Choice {
    pub(super) fn new(options: PageOptions, resource: &[(String, Value)]) -> Choice {
        let mut resource: Vec<_> = resource.iter().map(|(key, value)| (key.clone(), text(value))).collect();
        resource.retain(|(key, value)| !key.is_empty() && !value.is_empty());
        resource.sort();
        Choice { options, resource }
    }
}

/// An attribute of a resource or a scope as a text.
fn text(value: &Value) -> String {
    match value {
        Value::F64(value) => with_double(*value, str::to_owned),
        value => value.to_string(),
    }
}

/// How the pages of one format are spelled.
#[derive(Debug)]
pub(super) struct Style {
    choice: Arc<Choice>,
    pub(super) escaping: Escaping,
    /// Whether the format is OpenMetrics.
    pub(super) is_open: bool,
    /// Whether it is protobuf.
    pub(super) is_protobuf: bool,
    /// How numbers are spelled that say what a bucket or quantile is.
    pub(super) bounds: Spelling,
    /// How values are.
    pub(super) values: Spelling,
}

impl Style {
    /// The style of a format. Formats that look the same have equal styles.
    pub(super) fn new(choice: &Arc<Choice>, format: PageFormat) -> Style {
        let is_open = matches!(format.format, Format::OpenMetrics0 | Format::OpenMetrics1);
        let is_protobuf = format.format == Format::Protobuf;
        // What is legal already is the same under every scheme.
        let is_legal = choice.options.has_legal_names();
        let escaping = if is_legal { Escaping::Underscores } else { format.escaping };
        let displays = choice.options.is_metrics_rs() && !is_open && !is_protobuf;
        let values = if displays { Spelling::Display } else { Spelling::Shortest };
        let bounds = if is_open { Spelling::Canonical } else { values };
        Style { choice: Arc::clone(choice), escaping, is_open, is_protobuf, bounds, values }
    }

    /// Whether pages of both are the same.
    pub(super) fn is_same_as(&self, other: &Style) -> bool {
        (self.is_open, self.is_protobuf, self.escaping) == (other.is_open, other.is_protobuf, other.escaping)
    }

    pub(super) fn options(&self) -> &PageOptions {
        &self.choice.options
    }

    /// Whether series may need more than the lines that every format in text has.
    pub(super) fn has_more(&self) -> bool {
        self.is_open || self.values == Spelling::Display
    }

    /// Whether a blank line stands behind each metric.
    pub(super) fn parts_metrics(&self) -> bool {
        self.values == Spelling::Display
    }

    /// Whether quantiles of no values at all are zero, as the other exporter has them, and not left out.
    pub(super) fn shows_quantiles_of_nothing(&self) -> bool {
        self.values == Spelling::Display
    }

    pub(super) fn shows_exemplars(&self) -> bool {
        (self.is_open || self.is_protobuf) && self.options().has_exemplars()
    }

    pub(super) fn shows_created(&self) -> bool {
        (self.is_open || self.is_protobuf) && self.options().has_created()
    }

    /// The name of a label of this metric, not quoted.
    pub(super) fn label(&self, key: &str, stream: &Stream) -> String {
        self.moved(self.plain_label(key, stream), stream.kind())
    }

    /// The same where nothing else means something on the page.
    fn plain_label(&self, key: &str, stream: &Stream) -> String {
        let name = name::label_in(stream, key, self.options());
        Of::Label.escaped(&name, self.escaping)
    }

    fn moved(&self, name: String, kind: Kind) -> String {
        if self.reserves(&name, kind) { format!("exported_{name}") } else { name }
    }

    /// Whether a label of this name means something on a page, or may one day. One that was measured is moved out of the
    /// way then, as a scraper moves those that it sets itself.
    fn reserves(&self, name: &str, kind: Kind) -> bool {
        match kind {
            Kind::Histogram if name == "le" => true,
            Kind::Summary if name == "quantile" => true,
            _ if name.starts_with("otel_scope_") => self.options().has_scope_labels(),
            // OpenMetrics 1.0, "Reserved label names". The other exporter passes them on.
            _ if self.values == Spelling::Display => name == "__name__",
            _ => name.starts_with("__"),
        }
    }

    /// What a page of this style is called where another format has a label as it is: only text does, if the other exporter did.
    pub(super) fn which_page(&self) -> &'static str {
        match self.options().is_metrics_rs() {
            true if self.is_open => "the OpenMetrics page",
            true if self.is_protobuf => "the protobuf page",
            _ => "the page",
        }
    }

    /// Whether the label of this key was moved.
    pub(super) fn moves(&self, key: &str, stream: &Stream) -> bool {
        self.reserves(&self.plain_label(key, stream), stream.kind())
    }

    /// The labels that stand on every line of a metric.
    pub(super) fn constants(&self, stream: &Stream) -> Labels {
        let only = self.options().labels_of_resource();
        let resource = self.choice.resource.iter().filter(|(key, _)| only.contain(key));
        let of_resource = self.of_resource(resource, stream.kind());
        if !self.options().has_scope_labels() {
            return of_resource;
        }
        self.of_scope(stream.scope()).and(of_resource)
    }

    /// Prometheus and OpenMetrics Compatibility, "Instrumentation Scope": what attributes would say in place of the name, the version
    /// and the schema is dropped.
    fn of_scope(&self, scope: Scope) -> Labels {
        let own = [("name", scope.name), ("version", scope.version), ("schema_url", scope.schema_url)];
        let attributes = scope.attributes.iter().filter(|label| own.iter().all(|(key, _)| *key != label.key));
        let attributes = attributes.map(|label| (&*label.key, text(&label.value)));
        let all = own.into_iter().map(|(key, value)| (key, value.to_owned())).chain(attributes);
        Labels::joined(all.map(|(key, value)| {
            let name = name::label(&format!("otel_scope_{key}"), self.options());
            (key, Of::Label.escaped(&name, self.escaping), value)
        }))
    }

    /// The labels of `target_info`: everything that is known of the resource.
    pub(super) fn target(&self) -> Labels {
        self.of_resource(self.choice.resource.iter(), Kind::Gauge)
    }

    fn of_resource<'a>(&self, attributes: impl Iterator<Item = &'a (String, String)>, kind: Kind) -> Labels {
        let label = |key| Of::Label.escaped(&name::label(key, self.options()), self.escaping);
        Labels::joined(attributes.map(|(key, value)| (&**key, self.moved(label(key), kind), value.clone())))
    }

    /// Whether a series has something that is written without hurry: an exemplar, a number that is spelled in a way of its
    /// own, or one that the format does not allow.
    #[inline]
    pub(super) fn is_special(&self, series: &SeriesView<'_>, kind: Type) -> bool {
        if self.is_open && !series.exemplars.is_empty() && self.options().has_exemplars() {
            return true;
        }
        let is_odd = |value: f64| {
            if self.is_open { !is_total(value) } else { self.values.is_odd(value) }
        };
        match series.value {
            PointView::F64(value) if self.is_open => kind == Type::Counter && !is_total(value),
            PointView::F64(value) => is_odd(value),
            PointView::Histogram(buckets) => {
                is_odd(buckets.sum)
                    || (self.is_open && buckets.bounds.first().is_some_and(|bound| *bound < 0.0))
            }
            PointView::Exponential(exponential) => {
                is_odd(exponential.sum) || (self.is_open && exponential.negative.count() > 0)
            }
            PointView::Summary(summary) => {
                is_odd(summary.sum)
                    || (self.shows_quantiles_of_nothing() && summary.quantiles.is_empty())
                    || summary.quantiles.iter().any(|(_, value)| is_odd(*value))
            }
            _ => false,
        }
    }
}

/// Whether a number can be what OpenMetrics calls counter-like: it is one, and not negative.
pub(super) fn is_total(value: f64) -> bool {
    value >= 0.0
}
