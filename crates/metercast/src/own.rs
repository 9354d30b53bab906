//! What the read side measures of itself; of its exporters by the names that the semantic conventions have for it.
//!
//! The documentation of [`config`](crate::config) has the table of them. The types of exporters are
//! `otlp_http_metric_exporter`, `otlp_http_json_metric_exporter`, `otlp_grpc_metric_exporter`,
//! `prometheus_http_text_metric_exporter`, `prometheus_pushgateway_metric_exporter`, `stdout_metric_exporter` and
//! `custom_metric_exporter`, the last three of which the conventions do not know.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use metercast_core::{KeyValue, Store, metrics};

use crate::outcome::Outcome;

metrics! {
    /// Points that exporters handed over, or with error.type failed to.
    static POINTS: Counter<u64> = "otel.sdk.exporter.metric_data_point.exported" {
        unit: "{data_point}",
        labels: { "otel.component.name": &str, "otel.component.type": &str, "error.type": Option<&str> }
    };
    /// Points that exporters are handing over.
    static INFLIGHT: UpDownCounter<i64> = "otel.sdk.exporter.metric_data_point.inflight" {
        unit: "{data_point}",
        labels: { "otel.component.name": &str, "otel.component.type": &str }
    };
    /// Duration of exports, failed ones with error.type.
    static DURATION: Histogram<f64> = "otel.sdk.exporter.operation.duration" {
        unit: "s",
        labels: { "otel.component.name": &str, "otel.component.type": &str, "error.type": Option<&str> }
    };
    /// Duration of readings of the store.
    static COLLECTION: Histogram<f64> = "otel.sdk.metric_reader.collection.duration" {
        unit: "s",
        labels: { "otel.component.name": &str, "otel.component.type": &str, "error.type": Option<&str> }
    };
    /// Exports that failed.
    static FAILURES: Counter<u64> = "metercast.exporter.failures" {
        unit: "{export}",
        labels: { "otel.component.name": &str, "otel.component.type": &str }
    };
    /// Time of the last export that succeeded, or of the last scrape, since 1970.
    static LAST_SUCCESS: Gauge<f64> = "metercast.exporter.last_success" {
        unit: "s",
        labels: { "otel.component.name": &str, "otel.component.type": &str }
    };
    /// Series that a limit of the exporter had no room for at its last reading, by the metric.
    static OVERFLOWED: Gauge<u64> = "metercast.exporter.series.overflowed" {
        unit: "{series}",
        labels: { "otel.component.name": &str, "otel.component.type": &str, metric: &str }
    };
}

metrics! {
    /// Callbacks of observable instruments that took too long, by the metric: their last values were served.
    static OBSERVABLES_LATE: Counter<u64> = "metercast.observables.late" {
        unit: "{run}", labels: { metric: &str }
    };
}

/// Counts that a callback took too long.
pub(crate) fn late(store: &Store, metric: &str) {
    store.scope(|| OBSERVABLES_LATE.add(1, (metric,)));
}

metrics! {
    /// Whether the last reload of the configuration succeeded: 1 or 0.
    static RELOAD_SUCCESSFUL: Gauge<u64> = "metercast.config.last_reload_successful";
    /// When the configuration was read last that holds, since 1970.
    static RELOAD_SUCCESS: Gauge<f64> = "metercast.config.last_reload_success_timestamp" { unit: "s" };
}

/// Says whether the configuration that was read last holds now.
pub(crate) fn reloaded(store: &Store, successful: bool) {
    store.scope(|| {
        RELOAD_SUCCESSFUL.set(u64::from(successful));
        if successful {
            RELOAD_SUCCESS.set(since_1970().as_secs_f64());
        }
    });
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The name of the metric that says which metrics have more series than an exporter has room for; of itself it says nothing.
pub(crate) const OVERFLOWED_NAME: &str = "metercast.exporter.series.overflowed";

/// The type of an exporter that serves a page.
pub(crate) const PROMETHEUS: &str = "prometheus_http_text_metric_exporter";
/// The type of an exporter that pushes a page.
#[cfg(feature = "otlp")]
pub(crate) const PUSHGATEWAY: &str = "prometheus_pushgateway_metric_exporter";
/// The type of an exporter that prints.
pub(crate) const STDOUT: &str = "stdout_metric_exporter";
/// The type of an exporter that is the program's own.
pub(crate) const CUSTOM: &str = "custom_metric_exporter";

/// One exporter, measured; or nothing that is measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own(Option<Arc<Of>>);

#[derive(Debug)]
struct Of {
    store: Store,
    /// Whether anything is recorded, now.
    is_on: Arc<AtomicBool>,
    name: String,
    component: &'static str,
    /// Whether there was an export.
    has_worked: AtomicBool,
    /// What became of its exports, for people.
    outcome: Outcome,
}

/// Points on their way, until it is dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct Inflight {
    /// Where they were counted.
    own: Own,
    points: i64,
}

impl Own {
    /// Measures the exporter `name` of the type `component` into the store, as long as that is on.
    pub(crate) fn of(
        store: &Store,
        name: &str,
        component: &'static str,
        is_on: Arc<AtomicBool>,
        outcome: Outcome,
    ) -> Own {
        let has_worked = AtomicBool::new(component == PROMETHEUS);
        let name = name.to_owned();
        Own(Some(Arc::new(Of { store: store.clone(), is_on, name, component, has_worked, outcome })))
    }

    fn on(&self) -> Option<&Of> {
        self.0.as_deref().filter(|of| of.is_on.load(Relaxed))
    }

    fn record(&self, record: impl FnOnce(&str, &'static str)) {
        if let Some(of) = self.on() {
            of.record(record);
        }
    }

    /// Counts points that were handed over, or could not be for the class of `error`.
    pub(crate) fn points(&self, points: u64, error: Option<&str>) {
        if let Some(of) = self.0.as_ref().filter(|_| error.is_none()) {
            of.outcome.handed_over(points);
        }
        self.record(|name, component| POINTS.add(points, (name, component, error)));
    }

    /// Counts points as on their way, as long as the result lives.
    pub(crate) fn inflight(&self, points: u64) -> Inflight {
        let points = i64::try_from(points).unwrap_or(i64::MAX);
        self.record(|name, component| INFLIGHT.add(points, (name, component)));
        let own = if self.on().is_some() { self.clone() } else { Own::default() };
        Inflight { own, points }
    }

    /// Measures one export, and counts it as a failure or as the last success. An error is its class, and what there is to say of it.
    pub(crate) fn operation(&self, took: Duration, error: Option<(&str, &dyn fmt::Display)>) {
        if let Some(of) = &self.0 {
            of.has_worked.store(true, Relaxed);
            of.outcome.ended(took, error);
        }
        let error = error.map(|(class, _)| class);
        self.record(|name, component| DURATION.record(took.as_secs_f64(), (name, component, error)));
        // None is worth a series too: who has never failed is told from who has never tried.
        self.record(|name, component| FAILURES.add(u64::from(error.is_some()), (name, component)));
        if error.is_none() {
            self.succeeded();
        }
    }

    /// Says for how many series of a metric the exporter has no room.
    pub(crate) fn overflowed(&self, metric: &str, series: u64) {
        self.record(|name, component| OVERFLOWED.set(series, (name, component, metric)));
    }

    /// Says no more for how many series of a metric it has none, also if nothing is recorded any more.
    pub(crate) fn forget_overflowed(&self, metric: &str) {
        if let Some(of) = &self.0 {
            let labels = [
                KeyValue::new("otel.component.name", of.name.clone()),
                KeyValue::new("otel.component.type", of.component),
                KeyValue::new("metric", metric.to_owned()),
            ];
            of.store.remove(OVERFLOWED_NAME, labels);
        }
    }

    fn succeeded(&self) {
        let now = since_1970();
        self.record(|name, component| LAST_SUCCESS.set(now.as_secs_f64(), (name, component)));
    }

    /// Measures a reading of the store, also one that panics. Whoever serves a page has succeeded then.
    ///
    /// Readings before the first export are not measured: a program in which nothing is recorded has nothing to export, and
    /// this must not change it.
    pub(crate) fn collect<R>(&self, read: impl FnOnce() -> R) -> R {
        let Some(of) = self.on().filter(|of| of.has_worked.load(Relaxed)) else {
            let (started, result) = (Instant::now(), read());
            if let Some(of) = self.0.as_deref().filter(|of| of.component == PROMETHEUS) {
                of.outcome.ended(started.elapsed(), None);
            }
            return result;
        };
        struct Measured<'a>(&'a Own, Instant, Option<&'static str>);
        impl Drop for Measured<'_> {
            fn drop(&mut self) {
                let Measured(own, started, error) = self;
                let took = started.elapsed().as_secs_f64();
                own.record(|name, component| COLLECTION.record(took, (name, component, *error)));
            }
        }
        let mut measured = Measured(self, Instant::now(), Some("panic"));
        let result = read();
        measured.2 = None;
        if of.component == PROMETHEUS {
            of.outcome.ended(measured.1.elapsed(), None);
            self.succeeded();
        }
        result
    }
}

impl Of {
    fn record(&self, record: impl FnOnce(&str, &'static str)) {
        self.store.scope(|| record(&self.name, self.component));
    }
}

impl Drop for Inflight {
    fn drop(&mut self) {
        // Also if that was switched off meanwhile: what was added is taken away.
        if let Some(of) = &self.own.0 {
            of.record(|name, component| INFLIGHT.add(-self.points, (name, component)));
        }
    }
}
