//! The OpenTelemetry SDK: with one reader or more, its Prometheus exporter, and its OTLP encoding.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, BoundHistogram, Counter, Histogram, Meter, MeterProvider};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{
    Instrument, InstrumentKind, ManualReader, Pipeline, SdkMeterProvider, Stream, Temporality,
};
use prost::Message;

use super::{
    AMOUNT, Expect, Kind, Offer, Purpose, Recording, Registry, SERIES, Subject, Unused, What, bound, picked,
    plain,
};
use crate::inputs::{BOUNDS, Combination, Labels, METHODS, OUTCOMES, ROUTES, combinations};

/// The SDK with so many readers, each of which aggregates on its own.
pub(crate) struct Otel {
    pub(crate) name: &'static str,
    pub(crate) readers: usize,
}

impl Subject for Otel {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recording(&self, what: What, exporters: usize) -> Offer<Box<dyn Recording>> {
        if exporters > 1 && exporters != self.readers || what == What::CounterOff && self.readers > 1 {
            return Offer::No;
        }
        let sdk = Sdk::new(if what == What::CounterOff { 0 } else { self.readers });
        let meter = sdk.meter();
        let of = sdk.clone();
        let total = move || of.total();
        Offer::Yes(match what {
            What::Counter => {
                let counter = meter.u64_counter("requests").build();
                plain(move || counter.add(1, &[]), total).boxed()
            }
            What::CounterDynamic => {
                let counter = meter.u64_counter("requests").build();
                picked(move |labels, _| counter.add(1, &attributes(labels)), total).boxed()
            }
            What::CounterTyped => {
                let counter = meter.u64_counter("requests").build();
                let op = move |at: &Combination, _| counter.add(1, &typed(*at));
                bound(Combination::all().collect(), op, total).boxed()
            }
            What::CounterBound => {
                let counter = meter.u64_counter("requests").build();
                let handles = combinations().iter().map(|labels| counter.bind(&attributes(labels))).collect();
                bound(handles, |handle: &BoundCounter<u64>, _| handle.add(1), total).boxed()
            }
            What::HistogramDynamic => {
                let histogram = histogram(&meter, "duration");
                let op = move |labels: &Labels, amount| histogram.record(amount, &attributes(labels));
                picked(op, total).boxed()
            }
            What::HistogramBound => {
                let histogram = histogram(&meter, "duration");
                let handles =
                    combinations().iter().map(|labels| histogram.bind(&attributes(labels))).collect();
                bound(handles, |handle: &BoundHistogram<f64>, amount| handle.record(amount), total).boxed()
            }
            What::Gauge => {
                let gauge = meter.u64_gauge("depth").build();
                plain(move || gauge.record(7, &[]), total).expect(Expect::Exactly(7)).boxed()
            }
            What::CounterOff => {
                let counter = meter.u64_counter("requests").build();
                let op = move || {
                    let _provider = &sdk;
                    counter.add(1, &[]);
                };
                plain(op, total).expect(Expect::Exactly(0)).boxed()
            }
            What::UniqueExact | What::UniqueEstimated => return Offer::No,
        })
    }

    fn registry(&self, kind: Kind, series: usize, purpose: Purpose) -> Offer<Box<dyn Registry>> {
        if purpose != Purpose::Memory && self.readers > 1 {
            return Offer::No;
        }
        // Its own limit is 2,000; the map of a stream is as large as its limit from the start.
        let limit = move |_: &Instrument| Stream::builder().with_cardinality_limit(series).build().ok();
        let builder = SdkMeterProvider::builder().with_view(limit);
        let output = match purpose {
            Purpose::Page => {
                let registry = prometheus::Registry::new();
                let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build();
                let provider = builder.with_reader(exporter.expect("an empty registry")).build();
                Output::Page { provider, registry, text: Mutex::default() }
            }
            _ => {
                let readers: Vec<_> = (0..self.readers).map(|_| Reader::default()).collect();
                let builder =
                    readers.iter().cloned().fold(builder, |builder, reader| builder.with_reader(reader));
                let reader = readers[0].clone();
                Output::Message { provider: builder.build(), reader, bytes: Mutex::default() }
            }
        };
        let meter = output.provider().meter("bench");
        let metric = match kind {
            Kind::Counter => Metric::Counter(meter.u64_counter(SERIES).build()),
            Kind::Histogram => Metric::Histogram(histogram(&meter, SERIES)),
        };
        Offer::Yes(Box::new(Filled { metric, output }))
    }

    fn unused(&self, instruments: usize) -> Offer<Unused> {
        let sdk = Sdk::new(self.readers);
        let meter = sdk.meter();
        let kept: Vec<_> =
            (0..instruments).map(|index| meter.u64_counter(format!("unused_{index}")).build()).collect();
        Offer::Yes(Unused { kept: Box::new((sdk, kept)), static_bytes: 0 })
    }
}

/// A provider and its readers.
#[derive(Clone)]
pub(super) struct Sdk {
    provider: SdkMeterProvider,
    readers: Vec<Reader>,
}

impl Sdk {
    pub(super) fn new(readers: usize) -> Sdk {
        let readers: Vec<_> = (0..readers).map(|_| Reader::default()).collect();
        let builder = SdkMeterProvider::builder();
        let builder = readers.iter().cloned().fold(builder, |builder, reader| builder.with_reader(reader));
        Sdk { provider: builder.build(), readers }
    }

    pub(super) fn provider(&self) -> SdkMeterProvider {
        self.provider.clone()
    }

    pub(super) fn meter(&self) -> Meter {
        self.provider.meter("bench")
    }

    /// How many values a histogram of doubles has, at the first reader.
    pub(super) fn count(&self, name: &str) -> u64 {
        let read = self.readers[0].read();
        let metrics = read.scope_metrics().flat_map(|scope| scope.metrics());
        let points = metrics.filter(|metric| metric.name() == name).map(|metric| match metric.data() {
            AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                histogram.data_points().map(|point| point.count()).sum::<u64>()
            }
            other => panic!("{other:?}"),
        });
        points.sum()
    }

    /// What all series add up to, which every reader has to agree on.
    pub(super) fn total(&self) -> u64 {
        let totals: Vec<_> = self.readers.iter().map(|reader| sum(&reader.read())).collect();
        assert!(totals.windows(2).all(|pair| pair[0] == pair[1]), "{totals:?}");
        totals.first().copied().unwrap_or_default()
    }
}

/// A reader that can be asked after it was given away.
#[derive(Clone, Debug, Default)]
struct Reader(Arc<ManualReader>);

impl Reader {
    fn read(&self) -> ResourceMetrics {
        let mut metrics = ResourceMetrics::default();
        self.0.collect(&mut metrics).expect("the provider lives");
        metrics
    }
}

impl MetricReader for Reader {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}

fn sum(metrics: &ResourceMetrics) -> u64 {
    let metrics = metrics.scope_metrics().flat_map(|scope| scope.metrics());
    metrics
        .map(|metric| -> u64 {
            match metric.data() {
                AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                    sum.data_points().map(|point| point.value()).sum()
                }
                AggregatedMetrics::U64(MetricData::Gauge(gauge)) => {
                    gauge.data_points().map(|point| point.value()).sum()
                }
                AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                    histogram.data_points().map(|point| point.count()).sum::<u64>()
                }
                other => panic!("{other:?}"),
            }
        })
        .sum()
}

pub(super) fn attributes(labels: &Labels) -> [KeyValue; 3] {
    [
        KeyValue::new("method", labels.method.clone()),
        KeyValue::new("route", labels.route.clone()),
        KeyValue::new("status", i64::from(labels.status)),
    ]
}

pub(super) fn typed(at: Combination) -> [KeyValue; 3] {
    [
        KeyValue::new("method", METHODS[at.method]),
        KeyValue::new("route", ROUTES[at.route]),
        KeyValue::new("outcome", OUTCOMES[at.status]),
    ]
}

pub(super) fn histogram(meter: &Meter, name: &'static str) -> Histogram<f64> {
    meter.f64_histogram(name).with_boundaries(BOUNDS.to_vec()).build()
}

struct Filled {
    metric: Metric,
    output: Output,
}

enum Metric {
    Counter(Counter<u64>),
    Histogram(Histogram<f64>),
}

enum Output {
    Page { provider: SdkMeterProvider, registry: prometheus::Registry, text: Mutex<String> },
    Message { provider: SdkMeterProvider, reader: Reader, bytes: Mutex<Vec<u8>> },
}

impl Output {
    fn provider(&self) -> &SdkMeterProvider {
        match self {
            Output::Page { provider, .. } | Output::Message { provider, .. } => provider,
        }
    }
}

impl Registry for Filled {
    fn record(&self, labels: &Labels) {
        match &self.metric {
            Metric::Counter(counter) => counter.add(1, &attributes(labels)),
            Metric::Histogram(histogram) => histogram.record(AMOUNT, &attributes(labels)),
        }
    }

    fn page(&self, read: &mut dyn FnMut(&[u8])) {
        let Output::Page { registry, text, .. } = &self.output else { return };
        let mut text = text.lock().expect("one reader");
        text.clear();
        prometheus::TextEncoder::new().encode_utf8(&registry.gather(), &mut text).expect("valid metrics");
        read(text.as_bytes());
    }

    fn message(&self, read: &mut dyn FnMut(&[u8])) {
        let Output::Message { reader, bytes, .. } = &self.output else { return };
        let request = ExportMetricsServiceRequest::from(&reader.read());
        let mut bytes = bytes.lock().expect("one reader");
        bytes.clear();
        request.encode(&mut *bytes).expect("a Vec takes everything");
        read(&bytes);
    }
}
