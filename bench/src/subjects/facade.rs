//! The `metrics` macros with a recorder below them: metercast's, or one or more of `metrics-exporter-prometheus`.

use ::metercast::Store;
use ::metrics::{Counter, Histogram, Recorder, counter, gauge, with_local_recorder};
use metercast_metrics::MetricsRecorder;
use metrics_exporter_prometheus::PrometheusHandle;
use metrics_util::layers::FanoutBuilder;

use super::{Expect, OWN, Offer, Recording, Subject, What, bound, metercast, metrics, picked, plain};
use crate::inputs::{BOUNDS, Labels, combinations};
use crate::page::Total;

/// The facade with metercast's recorder, whose store so many exporters read as the case says.
pub(crate) struct MetercastMetrics;

/// The facade with as many recorders as there are readers, behind a fanout if there is more than one.
pub(crate) struct MetricsReaders {
    pub(crate) name: &'static str,
    pub(crate) readers: usize,
}

/// As long as the process, as one that is installed.
type Shared = &'static (dyn Recorder + Sync);

impl Subject for MetercastMetrics {
    fn name(&self) -> &'static str {
        OWN
    }

    fn recording(&self, what: What, exporters: usize) -> Offer<Box<dyn Recording>> {
        let store = Store::new();
        let telemetry = metercast::start(store.clone(), exporters);
        let recorder = MetricsRecorder::builder().buckets(&BOUNDS).build().expect("buckets that make sense");
        let read = store.clone();
        let total = move |name: &str, _| metercast::total(&read, name);
        let around = move |recorder: Shared, batch: &mut dyn FnMut()| {
            let _running = &telemetry;
            store.scope(|| with_local_recorder(recorder, batch));
        };
        recording(what, Box::leak(Box::new(recorder)), total, around, || {})
    }
}

impl Subject for MetricsReaders {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recording(&self, what: What, exporters: usize) -> Offer<Box<dyn Recording>> {
        if exporters != self.readers {
            return Offer::No;
        }
        let mut handles = Vec::new();
        let mut recorders = (0..self.readers).map(|_| {
            let recorder = metrics::recorder();
            handles.push(recorder.handle());
            recorder
        });
        let recorder: Shared = if self.readers == 1 {
            Box::leak(Box::new(recorders.next().expect("one")))
        } else {
            let fanout = recorders.fold(FanoutBuilder::default(), FanoutBuilder::add_recorder);
            Box::leak(Box::new(fanout.build()))
        };
        let kept_up = handles.clone();
        let keep_up = move || kept_up.iter().for_each(PrometheusHandle::run_upkeep);
        let total = move |name: &str, histogram| {
            let mut totals =
                handles.iter().map(|handle| Total::of_page(handle.render().as_bytes(), name, histogram).sum);
            let first = totals.next().expect("one reader");
            assert!(totals.all(|total| total == first), "readers that have different totals");
            first
        };
        let around = |recorder: Shared, batch: &mut dyn FnMut()| with_local_recorder(recorder, batch);
        recording(what, recorder, total, around, keep_up)
    }
}

/// A recording by the macros, with this recorder below them.
fn recording(
    what: What,
    recorder: Shared,
    total: impl Fn(&str, bool) -> u64 + Send + Sync + 'static,
    around: impl Fn(Shared, &mut dyn FnMut()) + Send + Sync + 'static,
    keep_up: impl Fn() + Send + Sync + 'static,
) -> Offer<Box<dyn Recording>> {
    // Handles are made where they are used.
    fn handles<T>(make: impl Fn(&Labels) -> T, around: impl Fn(&mut dyn FnMut())) -> Vec<T> {
        let mut handles = Vec::new();
        around(&mut || handles = combinations().iter().map(&make).collect());
        handles
    }
    let of = |name: &'static str, histogram| move || total(name, histogram);
    let around = move |batch: &mut dyn FnMut()| around(recorder, batch);
    Offer::Yes(match what {
        What::Counter => plain(|| counter!("plain_requests").increment(1), of("plain_requests", false))
            .around(around)
            .boxed(),
        What::CounterDynamic => {
            let op = |labels: &Labels, _| metrics::dynamic(labels).increment(1);
            picked(op, of("dynamic_requests", false)).around(around).boxed()
        }
        What::CounterBound => {
            let handles = handles(metrics::dynamic, &around);
            let op = |handle: &Counter, _| handle.increment(1);
            bound(handles, op, of("dynamic_requests", false)).around(around).boxed()
        }
        What::HistogramDynamic => {
            let op = |labels: &Labels, amount: f64| metrics::duration(labels).record(amount);
            picked(op, of("duration", true)).around(around).keep_up(keep_up).boxed()
        }
        What::HistogramBound => {
            let handles = handles(metrics::duration, &around);
            let op = |handle: &Histogram, amount: f64| handle.record(amount);
            bound(handles, op, of("duration", true)).around(around).keep_up(keep_up).boxed()
        }
        What::Gauge => {
            let op = || gauge!("depth").set(7.0);
            plain(op, of("depth", false)).expect(Expect::Exactly(7)).around(around).boxed()
        }
        What::CounterTyped | What::CounterOff | What::UniqueExact | What::UniqueEstimated => {
            return Offer::No;
        }
    })
}
