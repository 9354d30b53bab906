//! What an exporter would let out of a store, to the last attribute.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use metercast_core::reading::ValueView;
use metercast_core::{Kind, Store, Value, Visibility};

use super::plan::Plan;
use super::projection::Projection;
use super::relabel::{becomes, taken};
use super::stream::StreamView;
use crate::config::{Config, ExporterConfig};

/// States exactly which metrics an exporter would let out of a store, and with which attributes: for a review, a test
/// ([`assert_lets_out!`](crate::assert_lets_out)), or whoever wants to know what leaves the house. Reading it costs about as much as
/// an export, and sends nothing.
///
/// Of each metric that has series in the store it knows the attributes of these, and those that the program text gives it in
/// places that were used. Names are the program's: what a format makes of them is its business.
///
/// ```
/// use metercast::view::{Audit, Projection, View};
/// use metercast::{Store, u64_counter_with_unit};
///
/// let store = Store::new();
/// store.scope(|| {
///     u64_counter_with_unit!("bytes.in", "Bytes received", "By", 7, "user.id" => 42, "http.route" => "/")
/// });
/// let projection = Projection::new().view(View::of("bytes.in").rename("net.in").keep_labels(["http.*"]));
/// assert_eq!(
///     Audit::of(&projection, &store).to_string(),
///     "\
/// METRIC    AS      KIND     UNIT  VISIBILITY  ATTRIBUTES  DESCRIPTION
/// bytes.in  net.in  counter  By    public      http.route  Bytes received
/// "
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Audit {
    /// The metrics, in the order of the names that they are let out by.
    pub metrics: Vec<AuditedMetric>,
    /// The attributes of the resource that go along, if it is known of which exporter the audit is; sorted by key.
    pub resource: Vec<(String, String)>,
}

/// A metric as an exporter would let it out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditedMetric {
    /// The name that the program declares.
    pub declared: String,
    /// The name that it is let out by.
    pub name: String,
    /// What its values mean.
    pub kind: Kind,
    /// Its unit as it is let out; may be empty.
    pub unit: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// Its description as it is let out; may be empty.
    pub description: String,
    /// The keys of its attributes as they are let out, sorted.
    pub attributes: Vec<String>,
    /// The keys of the attributes that only its exemplars may have, sorted: those that [views](super::View::exemplar_labels) leave them, and
    /// what [producers](Store::produce) say.
    pub exemplar_attributes: Vec<String>,
}

impl Audit {
    /// What an exporter with this projection would let out of a store.
    pub fn of(projection: &Projection, store: &Store) -> Audit {
        let mut plan = Plan::new(Arc::new(projection.clone()), "audit");
        let metrics = store.read(|reading| plan.streams(reading).iter().filter_map(audited).collect());
        Audit { metrics, resource: Vec::new() }
    }

    /// What the exporter of this name would let out of a store, with the attributes of the resource; `None` if the
    /// configuration has no such exporter.
    ///
    /// ```
    /// use metercast::Store;
    /// use metercast::config::{Config, Otlp, ResourceAttributes};
    /// use metercast::view::Audit;
    ///
    /// let vendor = Otlp::to("http://vendor:4318").resource(ResourceAttributes::only(["service.name"]));
    /// let config = Config::builder().environment(false).service("shop", "1.0").exporter("vendor", vendor).build()?;
    /// let audit = Audit::of_exporter(&config, "vendor", &Store::new()).unwrap();
    /// assert_eq!(audit.resource, [("service.name".to_owned(), "shop".to_owned())]);
    /// # Ok::<(), metercast::config::ConfigError>(())
    /// ```
    pub fn of_exporter(config: &Config, name: &str, store: &Store) -> Option<Audit> {
        let exporter = config.exporter(name)?;
        let sends = |key: &str| match exporter {
            ExporterConfig::Prometheus(prometheus) => prometheus.page().shows_resource(key),
            ExporterConfig::Pushgateway(pushgateway) => pushgateway.page().shows_resource(key),
            ExporterConfig::Otlp(otlp) => otlp.resource().contain(key),
            ExporterConfig::Stdout(stdout) => stdout.resource().contain(key),
            ExporterConfig::Custom(custom) => custom.resource().contain(key),
        };
        let attributes = config.resource().attributes().iter().filter(|(key, _)| sends(key));
        let text = |value: &Value| value.to_string();
        let resource = attributes.map(|(key, value)| (key.clone(), text(value))).collect();
        Some(Audit { resource, ..Audit::of(exporter.projection(), store) })
    }

    /// Each metric with its attributes, as [`assert_lets_out!`](crate::assert_lets_out) has them: `orders{region,side}`.
    pub(crate) fn names(&self) -> Vec<String> {
        self.metrics.iter().map(AuditedMetric::spelled).collect()
    }
}

impl AuditedMetric {
    fn spelled(&self) -> String {
        let braced =
            |keys: &[String]| if keys.is_empty() { String::new() } else { format!("{{{}}}", keys.join(",")) };
        let (name, attributes) = (&self.name, braced(&self.attributes));
        match &self.exemplar_attributes[..] {
            [] => format!("{name}{attributes}"),
            keys => format!("{name}{attributes} exemplars{}", braced(keys)),
        }
    }
}

/// `None` if the metric has no series.
fn audited(view: &StreamView<'_>) -> Option<AuditedMetric> {
    let stream = view.stream();
    let mut attributes = BTreeSet::new();
    let (mut in_exemplars, mut has_series) = (BTreeSet::new(), false);
    view.each(|series| {
        has_series = true;
        let labels = series.labels.keys().zip(series.labels.values());
        for (key, _) in labels.filter(|(_, value)| *value != ValueView::Absent) {
            if !attributes.contains(key) {
                attributes.insert(key.to_owned());
            }
        }
        let said = series.exemplars.iter().filter_map(|exemplar| exemplar.labels.as_ref());
        in_exemplars.extend(said.flat_map(|labels| labels.iter()).map(|(key, _)| key.to_owned()));
    });
    view.each_left_to_exemplars(|key| _ = in_exemplars.insert(key.to_owned()));
    for keys in stream.definition().label_keys() {
        attributes.extend(becomes(stream.labels(), &keys).into_iter().flatten());
        if stream.leaves_labels_to_exemplars() {
            in_exemplars.extend(taken(stream.labels(), &keys).into_iter().map(str::to_owned));
        }
    }
    let definition = stream.definition();
    has_series.then(|| AuditedMetric {
        declared: definition.name().to_owned(),
        name: stream.name().to_owned(),
        kind: stream.kind(),
        unit: stream.unit().to_owned(),
        visibility: definition.visibility(),
        description: stream.description().to_owned(),
        attributes: attributes.into_iter().collect(),
        exemplar_attributes: in_exemplars.into_iter().collect(),
    })
}

impl fmt::Display for Audit {
    /// An aligned listing, a line for each metric; then the attributes of the resource.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let titles = ["METRIC", "AS", "KIND", "UNIT", "VISIBILITY", "ATTRIBUTES", "DESCRIPTION"];
        let mut rows = vec![titles.map(str::to_owned)];
        rows.extend(self.metrics.iter().map(|metric| {
            let visibility = if metric.visibility == Visibility::Private { "private" } else { "public" };
            let attributes = |metric: &AuditedMetric| match &metric.exemplar_attributes[..] {
                [] => metric.attributes.join(", "),
                keys => format!("{} (exemplars: {})", metric.attributes.join(", "), keys.join(", "))
                    .trim_start()
                    .to_owned(),
            };
            let or_none = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
            [
                metric.declared.clone(),
                metric.name.clone(),
                metric.kind.to_string(),
                or_none(&metric.unit),
                visibility.to_owned(),
                or_none(&attributes(metric)),
                metric.description.replace('\n', " "),
            ]
        }));
        if self.metrics.is_empty() {
            writeln!(f, "no metrics")?;
        } else {
            let widths: HashMap<usize, usize> = (0..titles.len())
                .map(|column| (column, rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)))
                .collect();
            for row in &rows {
                let cells =
                    row.iter().enumerate().map(|(column, cell)| format!("{cell:<0$}  ", widths[&column]));
                writeln!(f, "{}", cells.collect::<String>().trim_end())?;
            }
        }
        for (key, value) in &self.resource {
            writeln!(f, "resource {key} = {value}")?;
        }
        Ok(())
    }
}
