//! The recorder: from a key of the facade to its series.

use std::fmt;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

use metercast_core::{Instrument, Kind, Store};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

use crate::builder::MetricsRecorderBuilder;
use crate::lock;
use crate::metric::Metric;
use crate::name;
use crate::rules::Rules;
use crate::series::{MOST, Series, has_too_many};
use crate::trie::Trie;

/// A recorder of the `metrics` facade over a store: what a program or its libraries record by the macros of `metrics` is in the
/// store, beside all else that is there. Clones are the same recorder.
///
/// ```
/// use metercast::{PageOptions, PrometheusPage, Profile, Log, Store};
/// use metercast_metrics::MetricsRecorder;
///
/// let recorder = MetricsRecorder::builder().build().unwrap();
/// let store = Store::new();
/// metrics::with_local_recorder(&recorder, || {
///     store.scope(|| metrics::counter!("orders.placed", "side" => "buy").increment(2));
/// });
/// let options = PageOptions::new().profile(Profile::MetricsRs);
/// let page = PrometheusPage::with("test", options, &[], Log::to(|_, _| {})).render(&store);
/// assert!(page.contains("orders_placed{side=\"buy\"} 2\n"), "{page}");
/// ```
#[derive(Clone)]
pub struct MetricsRecorder(Arc<Inner>);

struct Inner {
    /// `None` follows the current one.
    store: Option<Store>,
    rules: Rules,
    counters: OfKind,
    gauges: OfKind,
    histograms: OfKind,
    /// All keys that are kept.
    keys: AtomicU32,
    /// Held by whoever adds a metric or a key.
    adding: Mutex<()>,
}

/// What is known of one of the facade's kinds.
struct OfKind {
    kind: Kind,
    metrics: Trie<Metric>,
    series: Trie<Arc<Series>>,
    names: AtomicU32,
}

/// Names of one kind: far more than any program has.
const MOST_NAMES: u32 = 20_000;

/// In bytes. What is over 255 is kept under a shorter name.
const LONGEST_NAME: usize = 1_024;

/// All texts of a key that is kept, in bytes.
const LONGEST_KEY: usize = 4_096;

/// Keys in one recorder, whatever limits the store has: as many as a store has series, unless it is told otherwise.
const MOST_KEYS: u32 = 200_000;

impl MetricsRecorder {
    /// A recorder that follows the current store, with the usual buckets: by the unit that a histogram is described with.
    pub fn new() -> MetricsRecorder {
        MetricsRecorder::over(None, Rules::new())
    }

    /// A recorder with settings of its own.
    pub fn builder() -> MetricsRecorderBuilder {
        MetricsRecorderBuilder::new()
    }

    pub(crate) fn over(store: Option<Store>, rules: Rules) -> MetricsRecorder {
        let of = |kind| OfKind { kind, metrics: Trie::new(), series: Trie::new(), names: AtomicU32::new(0) };
        let (counters, gauges, histograms) = (of(Kind::Counter), of(Kind::Gauge), of(Kind::Histogram));
        let (keys, adding) = (AtomicU32::new(0), Mutex::new(()));
        MetricsRecorder(Arc::new(Inner { store, rules, counters, gauges, histograms, keys, adding }))
    }
}

impl Default for MetricsRecorder {
    fn default() -> MetricsRecorder {
        MetricsRecorder::new()
    }
}

impl Inner {
    /// The series of a key; `None` if there can be none.
    #[inline]
    fn series(&self, of: &OfKind, key: &Key, metadata: &Metadata<'_>) -> Option<Arc<Series>> {
        let series = match of.series.find(key.get_hash(), |series| series.is(key)) {
            Some(series) => Arc::clone(series),
            None => self.unknown(of, key, metadata)?,
        };
        series.appear(of.kind);
        Some(series)
    }

    #[cold]
    #[inline(never)]
    fn unknown(&self, of: &OfKind, key: &Key, metadata: &Metadata<'_>) -> Option<Arc<Series>> {
        let metric = self.metric(of, key.name())?;
        let instrument = metric.instrument().unwrap_or_else(|| self.instrument(of, metric, metadata))?;
        if has_too_many(key) {
            self.report(
                key.name(),
                format!(
                    "is recorded with more than {MOST} labels; such recordings are kept together, in the series with \
                     otel.metric.overflow=true: give it fewer"
                ),
            );
        }
        let series = || Arc::new(Series::new(key, instrument, self.store.clone()));
        if is_long(key) || !self.has_room(metric, instrument) {
            return Some(series());
        }
        lock::within(&self.adding, || {
            // Another thread may have been first.
            if let Some(series) = of.series.find(key.get_hash(), |series| series.is(key)) {
                return Arc::clone(series);
            }
            let series = series();
            if of.series.insert(key.get_hash(), Arc::clone(&series)).is_ok() {
                metric.keys.fetch_add(1, Relaxed);
                self.keys.fetch_add(1, Relaxed);
            }
            series
        })
        .or_else(|| Some(series()))
    }

    /// Whether one more key of this metric is kept. What is not is found by the store alone, and takes memory with each call.
    fn has_room(&self, metric: &Metric, instrument: Instrument) -> bool {
        let limit = self.within(|| instrument.limit());
        metric.keys.load(Relaxed) < limit && self.keys.load(Relaxed) < MOST_KEYS
    }

    /// The metric of this name, known from now on.
    fn metric<'a>(&self, of: &'a OfKind, name: &str) -> Option<&'a Metric> {
        if name.len() > LONGEST_NAME {
            let begin: String = name.chars().take(80).collect();
            self.report(
                &begin,
                format!("has a name of more than {LONGEST_NAME} bytes and is not kept: shorten it"),
            );
            return None;
        }
        let hash = Metric::hash(name);
        let find = || of.metrics.find(hash, |metric| metric.name == name);
        if let Some(metric) = find() {
            return Some(metric);
        }
        let metric = lock::within(&self.adding, || {
            if let Some(metric) = find() {
                return Some(metric);
            }
            if of.names.load(Relaxed) >= MOST_NAMES {
                return None;
            }
            let metric = of.metrics.insert(hash, Metric::new(name)).ok()?;
            of.names.fetch_add(1, Relaxed);
            Some(metric)
        })?;
        if metric.is_none() {
            self.report(name, format!(
                "is not kept, for the recorder has {MOST_NAMES} names already: put what varies into labels"
            ));
        }
        metric
    }

    /// The instrument of a metric, made now.
    fn instrument(&self, of: &OfKind, metric: &Metric, metadata: &Metadata<'_>) -> Option<Instrument> {
        let module = metadata.module_path().unwrap_or(metadata.target());
        // What is wrong with it is for the store to know.
        let made =
            self.within(|| lock::within(&self.adding, || metric.make(of.kind, &self.rules, module)))?;
        let kept = name::kept(&metric.name);
        if kept != metric.name {
            self.report(&metric.name, format!(
                "is kept as {kept:?}, together with what else has that name: a name begins with a letter, and has letters, \
                 digits and _ . - /, at most 255"
            ));
        }
        made
    }

    fn describe(&self, of: &OfKind, name: &KeyName, unit: Option<Unit>, description: SharedString) {
        let Some(metric) = self.metric(of, name.as_str()) else { return };
        // The macros that take a description with a recording describe each time.
        if metric.is_said(unit, &description) {
            return;
        }
        let contradiction = lock::within(&self.adding, || metric.describe(unit, description)).flatten();
        if let Some(contradiction) = contradiction {
            self.report(name.as_str(), contradiction);
        }
    }

    fn report(&self, metric: &str, message: String) {
        self.within(|| Store::current().report(metric, message));
    }

    /// Runs `f` with the store of this recorder as the current one.
    fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        match &self.store {
            Some(store) => store.scope(f),
            None => f(),
        }
    }
}

/// Whether a key has so much text that it is not kept.
fn is_long(key: &Key) -> bool {
    key.labels().map(|label| label.key().len() + label.value().len()).sum::<usize>() > LONGEST_KEY
}

impl Recorder for MetricsRecorder {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.0.describe(&self.0.counters, &key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.0.describe(&self.0.gauges, &key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.0.describe(&self.0.histograms, &key, unit, description);
    }

    #[inline]
    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        self.0.series(&self.0.counters, key, metadata).map_or(const { Counter::noop() }, Counter::from_arc)
    }

    #[inline]
    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.0.series(&self.0.gauges, key, metadata).map_or(const { Gauge::noop() }, Gauge::from_arc)
    }

    #[inline]
    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        self.0
            .series(&self.0.histograms, key, metadata)
            .map_or(const { Histogram::noop() }, Histogram::from_arc)
    }
}

impl fmt::Debug for MetricsRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { store, counters, gauges, histograms, keys, .. } = &*self.0;
        let names: u32 = [counters, gauges, histograms].iter().map(|of| of.names.load(Relaxed)).sum();
        let mut debug = f.debug_struct("MetricsRecorder");
        debug
            .field("store", store)
            .field("names", &names)
            .field("keys", &keys.load(Relaxed))
            .finish_non_exhaustive()
    }
}
