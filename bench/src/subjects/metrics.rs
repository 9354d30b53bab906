//! The `metrics` macros with the recorder of `metrics-exporter-prometheus`.

use std::sync::OnceLock;

use ::metrics::{
    Counter, Histogram, NoopRecorder, counter, describe_counter, gauge, histogram, with_local_recorder,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::{
    AMOUNT, Expect, Kind, Offer, Purpose, Recording, Registry, SERIES, Subject, Unused, What, bound, picked,
    plain,
};
use crate::inputs::{BOUNDS, Combination, Labels, METHODS, OUTCOMES, ROUTES, combinations};
use crate::page::Total;

pub(crate) struct Metrics;

impl Subject for Metrics {
    fn name(&self) -> &'static str {
        "metrics"
    }

    fn recording(&self, what: What, exporters: usize) -> Offer<Box<dyn Recording>> {
        if exporters > 1 {
            return Offer::No;
        }
        global();
        Offer::Yes(match what {
            What::Counter => {
                let op = || counter!("plain_requests").increment(1);
                plain(op, || total("plain_requests", false)).boxed()
            }
            What::CounterDynamic => {
                let op = |labels: &Labels, _| dynamic(labels).increment(1);
                picked(op, || total("dynamic_requests", false)).boxed()
            }
            What::CounterTyped => {
                let op = |at: &Combination, _| {
                    counter!(
                        "typed_requests",
                        "method" => METHODS[at.method],
                        "route" => ROUTES[at.route],
                        "outcome" => OUTCOMES[at.status]
                    )
                    .increment(1);
                };
                bound(Combination::all().collect(), op, || total("typed_requests", false)).boxed()
            }
            What::CounterBound => {
                let handles = combinations().iter().map(dynamic).collect();
                let op = |handle: &Counter, _| handle.increment(1);
                bound(handles, op, || total("dynamic_requests", false)).boxed()
            }
            What::HistogramDynamic => {
                let op = |labels: &Labels, amount: f64| duration(labels).record(amount);
                picked(op, || total("duration", true)).keep_up(|| global().run_upkeep()).boxed()
            }
            What::HistogramBound => {
                let handles = combinations().iter().map(duration).collect();
                let op = |handle: &Histogram, amount: f64| handle.record(amount);
                bound(handles, op, || total("duration", true)).keep_up(|| global().run_upkeep()).boxed()
            }
            What::Gauge => {
                let op = || gauge!("depth").set(7.0);
                plain(op, || total("depth", false)).expect(Expect::Exactly(7)).boxed()
            }
            What::CounterOff => {
                plain(|| counter!("off_requests").increment(1), || total("off_requests", false))
                    .expect(Expect::Exactly(0))
                    .around(|batch| with_local_recorder(&NoopRecorder, batch))
                    .boxed()
            }
            What::UniqueExact | What::UniqueEstimated => return Offer::No,
        })
    }

    fn registry(&self, kind: Kind, _series: usize, purpose: Purpose) -> Offer<Box<dyn Registry>> {
        if purpose == Purpose::Message {
            return Offer::No;
        }
        let recorder = recorder();
        Offer::Yes(Box::new(Filled { handle: recorder.handle(), recorder, kind }))
    }

    fn unused(&self, instruments: usize) -> Offer<Unused> {
        let recorder = recorder();
        // There are no instruments; the nearest is a description.
        with_local_recorder(&recorder, || {
            for index in 0..instruments {
                describe_counter!(format!("unused_{index}"), "Requests");
            }
        });
        Offer::Yes(Unused { kept: Box::new(recorder), static_bytes: 0 })
    }
}

pub(super) fn recorder() -> PrometheusRecorder {
    PrometheusBuilder::new().set_buckets(&BOUNDS).expect("not empty").build_recorder()
}

/// The recorder of the process, as production code has it.
pub(super) fn global() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let recorder = recorder();
        let handle = recorder.handle();
        assert!(::metrics::set_global_recorder(recorder).is_ok(), "the first and only one");
        handle
    })
}

pub(super) fn total(name: &str, histogram: bool) -> u64 {
    Total::of_page(global().render().as_bytes(), name, histogram).sum
}

pub(super) fn dynamic(labels: &Labels) -> Counter {
    counter!(
        "dynamic_requests",
        "method" => labels.method.clone(),
        "route" => labels.route.clone(),
        "status" => labels.status.to_string()
    )
}

pub(super) fn duration(labels: &Labels) -> Histogram {
    histogram!(
        "duration",
        "method" => labels.method.clone(),
        "route" => labels.route.clone(),
        "status" => labels.status.to_string()
    )
}

struct Filled {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    kind: Kind,
}

impl Registry for Filled {
    fn record(&self, labels: &Labels) {
        let method = ("method", labels.method.clone());
        let labels = [method, ("route", labels.route.clone()), ("status", labels.status.to_string())];
        with_local_recorder(&self.recorder, || match self.kind {
            Kind::Counter => counter!(SERIES, &labels).increment(1),
            Kind::Histogram => histogram!(SERIES, &labels).record(AMOUNT),
        });
    }

    fn keep_up(&self) {
        self.handle.run_upkeep();
    }

    fn page(&self, read: &mut dyn FnMut(&[u8])) {
        read(self.handle.render().as_bytes());
    }
}
