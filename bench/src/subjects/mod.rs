//! Who is measured: metercast, its peers, and the floor under all of them.

mod recording;

mod facade;
mod floor;
mod http;
mod metercast;
mod metercast_opentelemetry;

mod measured;
mod metrics;
mod otel;
mod prometheus;
mod prometheus_client;
mod seed_004;

use std::any::Any;

use crate::inputs::Labels;

pub(crate) use facade::{MetercastMetrics, MetricsReaders};
pub(crate) use floor::Floor;
pub(crate) use http::{HTTP, HttpSubject};
pub(crate) use metercast_opentelemetry::MetercastOpentelemetry;
pub(crate) use otel::Otel;
pub(crate) use recording::{Expect, Recording, bound, picked, plain};

/// All subjects, in the order of the tables' columns. Ratios are against `metercast`.
pub(crate) const ALL: &[&dyn Subject] = &[
    &floor::Floor,
    &metercast::Metercast,
    &prometheus::Prometheus,
    &prometheus_client::PrometheusClient,
    &measured::Measured,
    &metrics::Metrics,
    &otel::Otel { name: "otel", readers: 1 },
    &otel::Otel { name: "otel-2readers", readers: 2 },
    &otel::Otel { name: "otel-3readers", readers: 3 },
    &seed_004::Seed004,
];

/// The subject that all others are compared with.
pub(crate) const OWN: &str = "metercast";

/// The subject that does nothing but what all others do too.
pub(crate) const FLOOR: &str = "floor";

/// One library, or one way of using it. What it does not offer is not in the tables.
pub(crate) trait Subject: Sync {
    fn name(&self) -> &'static str;

    /// One recording, with so many exporters attached.
    fn recording(&self, _what: What, _exporters: usize) -> Offer<Box<dyn Recording>> {
        Offer::No
    }

    /// A registry that can hold so many series of one kind, none of them there yet.
    fn registry(&self, _kind: Kind, _series: usize, _purpose: Purpose) -> Offer<Box<dyn Registry>> {
        Offer::No
    }

    /// Instruments that nobody has recorded into.
    fn unused(&self, _instruments: usize) -> Offer<Unused> {
        Offer::No
    }
}

/// Whether a subject takes part in a case.
pub(crate) enum Offer<T> {
    Yes(T),
    /// There is no such thing, or no sense in it.
    No,
    /// There will be; why it is not there now.
    #[allow(dead_code, reason = "at the moment everything is there")]
    NotYet(&'static str),
}

/// What is recorded in a case of the `record` group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A counter without labels.
    Counter,
    /// A counter with three labels whose values are known at run time: two strings and an integer.
    CounterDynamic,
    /// A counter with three labels whose values the program text lists.
    CounterTyped,
    /// Series of a counter that were looked up before.
    CounterBound,
    HistogramDynamic,
    HistogramBound,
    Gauge,
    /// A counter without labels that is switched off.
    CounterOff,
    /// One of few ids, counted exactly how many different ones there are.
    UniqueExact,
    /// The same where there were more than are counted exactly.
    UniqueEstimated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    /// With the twelve bounds of [`BOUNDS`](crate::inputs::BOUNDS).
    Histogram,
}

/// What a registry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Pages of text.
    Page,
    /// OTLP messages.
    Message,
    /// To be there, with one exporter attached.
    Memory,
}

/// Series of one metric whose name, as written, begins with [`SERIES`].
pub(crate) trait Registry: Send + Sync {
    /// Adds one to a counter, or records [`AMOUNT`] into a histogram; makes the series if it is not there.
    fn record(&self, labels: &Labels);

    /// What has to be done now and then by whoever uses the library.
    fn keep_up(&self) {}

    /// Writes a page of text, in one or more pieces.
    fn page(&self, _read: &mut dyn FnMut(&[u8])) {}

    /// Writes an OTLP message, in one or more pieces.
    fn message(&self, _read: &mut dyn FnMut(&[u8])) {}
}

/// How the names of the series in a [`Registry`] begin, as written by everybody.
pub(crate) const SERIES: &str = "bench_series";

/// What [`Registry::record`] records into a histogram.
pub(crate) const AMOUNT: f64 = 0.03;

/// Instruments that nobody has recorded into.
pub(crate) struct Unused {
    /// Keeps them; allocated while they were made.
    pub(crate) kept: Box<dyn Any>,
    /// The bytes of each that were there before the program began.
    pub(crate) static_bytes: u64,
}
