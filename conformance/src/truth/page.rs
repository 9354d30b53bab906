//! The truth as the samples of a page.

use std::collections::{BTreeMap, BTreeSet};

use metercast::{Escaping, PageFormat};

use super::{Attributes, Exemplar, Metric, QUANTILES, Truth, Value, spelling};
use crate::given::Label;
use crate::options::{PageChoice, is_open};
use crate::samples::{Labels, Samples, exemplar};

/// The type and the description of a family, by the family's name.
pub type Families = BTreeMap<String, (String, String)>;

/// A page as it must be understood.
#[derive(Debug, Default)]
pub struct Page {
    /// Its samples.
    pub samples: Samples,
    /// Its families, under the names that have `_total` where they count.
    pub families: Families,
    /// Its exemplars, a line each, sorted.
    pub exemplars: Vec<String>,
}

/// How a page is spelled.
struct Spelling<'a> {
    choice: &'a PageChoice,
    format: PageFormat,
}

/// A metric that has its name, and those whose series stand beside its own.
struct Family<'a> {
    name: String,
    metrics: Vec<&'a Metric>,
    /// Its names belong to nobody else.
    names: Vec<String>,
    /// Names that its type brings with it, in OpenMetrics; somebody else may need them.
    by_type: Vec<String>,
}

impl Truth {
    /// What a page must say. Whoever comes first on the first page, which is in text 0.0.4, has a name on all of them.
    ///
    /// # Panics
    ///
    /// If the rules lead to a page on which a sample stands twice: then they are wrong.
    pub fn page(&self, choice: &PageChoice, format: PageFormat) -> Page {
        let first = Spelling { choice, format: PageFormat::default() };
        let spelling = Spelling { choice, format };
        let mut metrics: Vec<&Metric> =
            self.metrics.iter().filter(|metric| !metric.series.is_empty()).collect();
        metrics.sort_by_key(|metric| first.name(metric));

        let mut families: Vec<Family<'_>> = Vec::new();
        for metric in metrics {
            let family = spelling.family(metric);
            match families.iter_mut().find(|other| family.names.iter().any(|name| other.names.contains(name)))
            {
                // Those of one kind stand together; distributions may have other buckets.
                Some(other) if other.takes(&family, metric) => other.metrics.push(metric),
                Some(_) => {}
                None => families.push(family),
            }
        }
        let mut page = Page::default();
        if choice.target_info && choice.known_of_resource().next().is_some() {
            spelling.target(&mut page);
        }
        // A counter whose other names somebody needs keeps its own, and has no type.
        let mut taken: BTreeSet<String> = families.iter().flat_map(|family| family.names.clone()).collect();
        for family in families {
            let has_type = family.by_type.iter().all(|name| !taken.contains(name));
            if has_type {
                taken.extend(family.by_type.clone());
            }
            spelling.write(&mut page, &family, has_type);
        }
        page.exemplars.sort();
        page
    }
}

impl Family<'_> {
    fn takes(&self, other: &Family<'_>, metric: &Metric) -> bool {
        let first = self.metrics[0];
        self.name == other.name
            && first.kind == metric.kind
            && !matches!(&*metric.kind, "histogram" | "summary")
    }
}

impl Spelling<'_> {
    fn is_open(&self) -> bool {
        is_open(self.format)
    }

    fn name(&self, metric: &Metric) -> String {
        let name = spelling::family(&metric.name, &metric.kind, &metric.unit, self.choice);
        spelling::escaped(&name, self.escaping(), true)
    }

    fn escaping(&self) -> Escaping {
        self.format.escaping
    }

    fn family<'a>(&self, metric: &'a Metric) -> Family<'a> {
        let name = self.name(metric);
        let suffixes: &[&str] = match (metric.kind.as_str(), self.is_open()) {
            ("histogram", true) => &["", "_bucket", "_sum", "_count", "_created"],
            ("histogram", false) => &["", "_bucket", "_sum", "_count"],
            ("summary", true) => &["", "_sum", "_count", "_created"],
            ("summary", false) => &["", "_sum", "_count"],
            _ => &[""],
        };
        let names = suffixes.iter().map(|suffix| format!("{name}{suffix}")).collect();
        let stem = name.strip_suffix("_total").filter(|stem| !stem.is_empty());
        let by_type = match stem {
            Some(stem) if self.is_open() && metric.kind == "counter" => {
                vec![stem.to_owned(), format!("{stem}_created")]
            }
            _ => Vec::new(),
        };
        Family { name, metrics: vec![metric], names, by_type }
    }

    fn write(&self, page: &mut Page, family: &Family<'_>, has_type: bool) {
        let mut series = Vec::new();
        for metric in &family.metrics {
            // The series without labels is the first of its metric.
            let (bare, labelled): (Vec<_>, Vec<_>) =
                metric.series.iter().partition(|(attributes, _)| attributes.is_empty());
            for (attributes, value) in bare.into_iter().chain(labelled) {
                merge(&mut series, metric, self.labels(attributes, &metric.kind), value);
            }
        }
        let first = family.metrics[0];
        if self.is_open() {
            self.exemplars(page, &family.name, first);
        }
        let kind = match first.kind.as_str() {
            "up_down_counter" => "gauge",
            "counter" if self.is_open() && (family.by_type.is_empty() || !has_type) => "unknown",
            kind => kind,
        };
        page.families.insert(family.name.clone(), (kind.to_owned(), first.help.clone()));
        for (labels, value) in series {
            self.samples(&mut page.samples, &family.name, first, &labels, &value);
        }
    }

    fn samples(&self, samples: &mut Samples, name: &str, metric: &Metric, labels: &Labels, value: &Value) {
        let mut add = |suffix: &str, labels: Labels, value: f64| {
            let added = samples.add(&format!("{name}{suffix}"), labels, value);
            added.unwrap_or_else(|trouble| panic!("the truth is wrong: {trouble}"));
        };
        let mut has_negative = metric.bounds.first().is_some_and(|bound| *bound < 0.0);
        let (counts, sum) = match value {
            Value::Histogram { counts, sum, values } => {
                has_negative |= values.iter().any(|value| *value < 0.0);
                (counts, sum)
            }
            Value::Summary { value, count } => {
                for quantile in QUANTILES {
                    let mut labels = labels.clone();
                    labels.insert("quantile".to_owned(), quantile.to_string());
                    add("", labels, *value);
                }
                add("_sum", labels.clone(), value * *count as f64);
                return add("_count", labels.clone(), *count as f64);
            }
            single => return add("", labels.clone(), double(single)),
        };
        let mut below = 0;
        for (count, bound) in counts.iter().zip(metric.bounds.iter().chain([&f64::INFINITY])) {
            below += count;
            let mut labels = labels.clone();
            labels.insert("le".to_owned(), bound.to_string());
            add("_bucket", labels, below as f64);
        }
        // OpenMetrics has no sum of what may be negative, and no count without it.
        if !self.is_open() || (*sum >= 0.0 && !has_negative) {
            add("_sum", labels.clone(), *sum);
            add("_count", labels.clone(), below as f64);
        }
    }

    /// At the sample of a counter, or at the bucket that the value fell into.
    fn exemplars(&self, page: &mut Page, name: &str, metric: &Metric) {
        for ((at, _), Exemplar { value, ids }) in &metric.exemplars {
            let mut labels = self.labels(&metric.series[*at].0, &metric.kind);
            let mut sample = name.to_owned();
            if metric.kind == "histogram" {
                let bound = metric.bounds.iter().find(|bound| value <= *bound).unwrap_or(&f64::INFINITY);
                labels.insert("le".to_owned(), bound.to_string());
                sample += "_bucket";
            }
            let ids = ids.iter().flat_map(|(trace, span)| [("trace_id", trace), ("span_id", span)]);
            let ids = ids.map(|(key, id)| (key.to_owned(), id.clone())).collect();
            page.exemplars.push(exemplar(&sample, labels, &ids, *value));
        }
    }

    fn target(&self, page: &mut Page) {
        let resource = self.choice.known_of_resource().map(|(key, text)| (&**key, text.clone()));
        let labels = self.joined(resource, "info");
        let added = page.samples.add("target_info", labels, 1.0);
        added.unwrap_or_else(|trouble| panic!("the truth is wrong: {trouble}"));
        let (name, kind) = if self.is_open() { ("target", "info") } else { ("target_info", "gauge") };
        page.families.insert(name.to_owned(), (kind.to_owned(), "Target metadata".to_owned()));
    }

    /// What was measured wins over what all lines have.
    fn labels(&self, attributes: &Attributes, kind: &str) -> Labels {
        let resource = self.choice.on_every_line().map(|(key, text)| (&**key, text.clone()));
        let mut labels = self.joined(resource, kind);
        if self.choice.scope_labels {
            let scope = [("otel_scope_name", "conformance"), ("otel_scope_version", "1")];
            labels.extend(scope.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        labels.extend(self.joined(attributes.iter().map(|(key, value)| (&**key, text(value))), kind));
        labels
    }

    /// Values under keys that become one are joined, in the order of the keys; what has no value is absent.
    fn joined<'a>(&self, pairs: impl Iterator<Item = (&'a str, String)>, kind: &str) -> Labels {
        let mut joined: BTreeMap<String, Vec<(&str, String)>> = BTreeMap::new();
        for (key, value) in pairs {
            let name = spelling::escaped(&spelling::label(key, self.choice), self.escaping(), false);
            let is_reserved = (kind == "histogram" && name == "le")
                || (kind == "summary" && name == "quantile")
                || name == "__name__"
                || (self.choice.scope_labels && name.starts_with("otel_scope_"));
            let name = if is_reserved { format!("exported_{name}") } else { name };
            joined.entry(name).or_default().push((key, value));
        }
        let joined = joined.into_iter().map(|(name, mut values)| {
            values.sort();
            (name, values.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join(";"))
        });
        joined.filter(|(_, value)| !value.is_empty()).collect()
    }
}

/// Adds a series to those that look the same on the page.
fn merge(series: &mut Vec<(Labels, Value)>, metric: &Metric, labels: Labels, value: &Value) {
    let Some((_, there)) = series.iter_mut().find(|(known, _)| *known == labels) else {
        series.push((labels, value.clone()));
        return;
    };
    match (there, value) {
        _ if metric.kind == "gauge" => {}
        (Value::U64(to), Value::U64(value)) => *to = to.wrapping_add(*value),
        (Value::I64(to), Value::I64(value)) => *to = to.wrapping_add(*value),
        (
            Value::Histogram { counts, sum, values },
            Value::Histogram { counts: more, sum: and, values: others },
        ) => {
            values.extend(others);
            counts.iter_mut().zip(more).for_each(|(to, count)| *to += count);
            *sum += and;
        }
        (to, value) => *to = Value::F64(double(to) + double(value)),
    }
}

fn text(value: &Label) -> String {
    match value {
        Label::Bool(value) => value.to_string(),
        Label::Whole(value) => value.to_string(),
        Label::Double(value) => value.to_string(),
        Label::Text(value) => value.clone(),
    }
}

fn double(value: &Value) -> f64 {
    match value {
        Value::U64(value) => *value as f64,
        Value::I64(value) => *value as f64,
        Value::F64(value) => *value,
        Value::Histogram { sum, .. } => *sum,
        Value::Summary { value, .. } => *value,
    }
}
