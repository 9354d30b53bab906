//! The page in text format 0.0.4: valid for the strictest parser, and the same bytes while nothing changed.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use metercast_core::reading::{Buckets, Family, Point};
use metercast_core::{Definition, Kind};

use super::name;
use super::number::{push_double, push_whole};
use crate::log::{Level, Log};
use crate::snapshot::Snapshot;

/// Spells snapshots as pages in the text format 0.0.4, for a listener of your own.
///
/// A page is valid whatever the names and labels are, and has the same bytes as long as nothing changed. Metrics that
/// get the same name are reported once to the log; the one that had it first keeps it, which is why the pages of one
/// exporter are all made by one `PrometheusPage`.
///
/// ```
/// use metercast::{InMemoryReader, Log, PrometheusPage, Store, f64_counter_with_unit};
///
/// let store = Store::new();
/// store.scope(|| f64_counter_with_unit!("worker.busy", "Time at work", "s", 1.5, "worker.name" => "a"));
///
/// let page = PrometheusPage::new("own", Log::default());
/// let page = page.render(&InMemoryReader::new(store).collect());
/// assert_eq!(page.lines().last(), Some(r#"worker_busy_seconds_total{worker_name="a"} 1.5"#));
/// ```
pub struct PrometheusPage {
    exporter: String,
    owners: Mutex<HashMap<String, Arc<Definition>>>,
    log: Log,
}

impl fmt::Debug for PrometheusPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrometheusPage").field("exporter", &self.exporter).finish_non_exhaustive()
    }
}

/// Families of one name on their way to the page.
struct Spelled<'a> {
    first: &'a Definition,
    /// Rendered labels to value: sorted, each once.
    series: BTreeMap<String, Value<'a>>,
}

#[derive(Clone)]
enum Value<'a> {
    One(&'a Point),
    Sum(Point),
}

impl PrometheusPage {
    /// The `Content-Type` of a page.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// For the exporter of this name, which is used in what the log is told.
    pub fn new(exporter: &str, log: Log) -> PrometheusPage {
        PrometheusPage { exporter: exporter.to_owned(), owners: Mutex::default(), log }
    }

    /// The page of a snapshot.
    pub fn render(&self, snapshot: &Snapshot) -> String {
        let mut spelled: BTreeMap<String, Spelled<'_>> = BTreeMap::new();
        for family in &snapshot.families {
            let name = name::family(&family.definition);
            if let Some(first) = self.claim(&name, &family.definition) {
                let entry = spelled
                    .entry(name)
                    .or_insert_with(|| Spelled { first: &family.definition, series: BTreeMap::new() });
                entry.add(family, Arc::ptr_eq(&first, &family.definition));
            }
        }
        let mut out = String::new();
        for (name, spelled) in &spelled {
            spelled.render(name, &mut out);
        }
        out
    }

    /// The metric that has this name on the page, if `definition` may appear under it: it is that metric, or one of
    /// the same kind, whose series then stand beside its own.
    fn claim(&self, name: &str, definition: &Arc<Definition>) -> Option<Arc<Definition>> {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        // All names that a sample of this family has, so that none is a sample of another.
        let suffixes: &[&str] =
            if definition.kind() == Kind::Histogram { &["", "_bucket", "_sum", "_count"] } else { &[""] };
        let taken = suffixes.iter().find_map(|suffix| {
            let name = format!("{name}{suffix}");
            owners
                .get(&name)
                .filter(|owner| !Arc::ptr_eq(owner, definition))
                .map(|owner| (name, Arc::clone(owner)))
        });
        let Some((sample, owner)) = taken else {
            for suffix in suffixes {
                owners.entry(format!("{name}{suffix}")).or_insert_with(|| Arc::clone(definition));
            }
            return Some(Arc::clone(definition));
        };
        drop(owners);
        let merges = sample == name && owner.kind() == definition.kind() && owner.kind() != Kind::Histogram;
        let what = if merges {
            "their series stand together, and equal ones are added up (of gauges, the first stays)"
        } else {
            "the second is left out"
        };
        let line = format!(
            "exporter {:?}: metrics {:?} ({}) and {:?} ({}) are both {sample} on the page; {what}: rename one",
            self.exporter,
            owner.name(),
            owner.place(),
            definition.name(),
            definition.place()
        );
        self.log.write_once(Level::Warn, &line);
        merges.then_some(owner)
    }
}

impl<'a> Spelled<'a> {
    fn add(&mut self, family: &'a Family, owns: bool) {
        if owns {
            self.first = &family.definition;
        }
        let kind = family.definition.kind();
        for series in &family.series {
            let labels = name::labels(&series.labels, kind);
            let value = Value::One(&series.point);
            match self.series.get_mut(&labels) {
                None => {
                    self.series.insert(labels, value);
                }
                // Labels that differ only in what a page cannot show.
                Some(there) if kind != Kind::Gauge => there.add(&value),
                Some(_) => {}
            }
        }
    }

    fn render(&self, name: &str, out: &mut String) {
        let description = self.first.description();
        if !description.is_empty() {
            out.extend(["# HELP ", name, " "]);
            name::escape(out, description, false);
            out.push('\n');
        }
        out.extend(["# TYPE ", name, " ", kind(self.first), "\n"]);
        for (labels, value) in &self.series {
            match value.point() {
                Point::Histogram(buckets) => histogram(out, name, labels, buckets),
                number => sample(out, name, "", labels, |out| push_point(out, number)),
            }
        }
    }
}

impl Value<'_> {
    fn point(&self) -> &Point {
        match self {
            Value::One(point) => point,
            Value::Sum(point) => point,
        }
    }

    fn add(&mut self, other: &Self) {
        *self = Value::Sum(match (self.point(), other.point()) {
            (Point::U64(a), Point::U64(b)) => Point::U64(a.wrapping_add(*b)),
            (Point::I64(a), Point::I64(b)) => Point::I64(a.wrapping_add(*b)),
            (Point::Histogram(a), Point::Histogram(b)) => Point::Histogram(sum(a, b)),
            (a, b) => Point::F64(double(a) + double(b)),
        });
    }
}

/// Both together. They are of one metric, so their bounds are the same.
fn sum(a: &Buckets, b: &Buckets) -> Buckets {
    let mut sum = a.clone();
    for (to, count) in sum.counts.iter_mut().zip(&b.counts) {
        *to = to.wrapping_add(*count);
    }
    sum.sum += b.sum;
    sum
}

fn double(point: &Point) -> f64 {
    match point {
        Point::U64(value) => *value as f64,
        Point::I64(value) => *value as f64,
        Point::F64(value) => *value,
        _ => f64::NAN,
    }
}

/// Text format 0.0.4 knows no up-down counter: it is a gauge.
fn kind(definition: &Definition) -> &'static str {
    match definition.kind() {
        Kind::Counter => "counter",
        Kind::Histogram => "histogram",
        _ => "gauge",
    }
}

fn sample(out: &mut String, name: &str, suffix: &str, labels: &str, value: impl FnOnce(&mut String)) {
    out.extend([name, suffix]);
    if !labels.is_empty() {
        out.extend(["{", labels, "}"]);
    }
    out.push(' ');
    value(out);
    out.push('\n');
}

fn histogram(out: &mut String, name: &str, labels: &str, buckets: &Buckets) {
    let comma = if labels.is_empty() { "" } else { "," };
    let mut below = 0u64;
    let bounds = buckets.bounds.iter().copied().chain([f64::INFINITY]);
    for (count, bound) in buckets.counts.iter().zip(bounds) {
        below = below.wrapping_add(*count);
        out.extend([name, "_bucket{", labels, comma, "le=\""]);
        push_double(out, bound);
        out.push_str("\"} ");
        push_whole(out, below);
        out.push('\n');
    }
    sample(out, name, "_sum", labels, |out| push_double(out, buckets.sum));
    sample(out, name, "_count", labels, |out| push_whole(out, below));
}

fn push_point(out: &mut String, point: &Point) {
    match point {
        Point::U64(value) => push_whole(out, *value),
        Point::I64(value) => push_whole(out, *value),
        Point::F64(value) => push_double(out, *value),
        _ => push_double(out, f64::NAN),
    }
}
