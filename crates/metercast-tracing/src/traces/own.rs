//! What traces measure of themselves, by the names that the semantic conventions have for it.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use metercast_core::{Store, labels, metrics};

labels! {
    /// Where a span's parent is.
    pub(super) enum Origin { None = "none", Local = "local", Remote = "remote" }
    /// Whether a span is kept.
    pub(super) enum Sampled { Drop = "DROP", RecordOnly = "RECORD_ONLY", RecordAndSample = "RECORD_AND_SAMPLE" }
}

metrics! {
    /// Spans that began.
    static STARTED: Counter<u64> = "otel.sdk.span.started" {
        unit: "{span}", labels: { "otel.span.parent.origin": Origin, "otel.span.sampling_result": Sampled }
    };
    /// Spans that are recorded and have not ended.
    static LIVE: UpDownCounter<i64> = "otel.sdk.span.live" {
        unit: "{span}", labels: { "otel.span.sampling_result": Sampled }
    };
    /// Spans handed to the exporter, or with error.type dropped.
    static PROCESSED: Counter<u64> = "otel.sdk.processor.span.processed" {
        unit: "{span}",
        labels: { "otel.component.name": &str, "otel.component.type": &str, "error.type": Option<&str> }
    };
    /// Spans that wait for the exporter.
    static QUEUE_SIZE: UpDownCounter<i64> = "otel.sdk.processor.span.queue.size" {
        unit: "{span}", labels: { "otel.component.name": &str, "otel.component.type": &str }
    };
    /// Spans that may wait for the exporter.
    static QUEUE_CAPACITY: UpDownCounter<i64> = "otel.sdk.processor.span.queue.capacity" {
        unit: "{span}", labels: { "otel.component.name": &str, "otel.component.type": &str }
    };
    /// Spans that were exported, or with error.type were not.
    static EXPORTED: Counter<u64> = "otel.sdk.exporter.span.exported" {
        unit: "{span}",
        labels: { "otel.component.name": &str, "otel.component.type": &str, "error.type": Option<&str> }
    };
    /// Spans that exporters are handing over.
    static INFLIGHT: UpDownCounter<i64> = "otel.sdk.exporter.span.inflight" {
        unit: "{span}", labels: { "otel.component.name": &str, "otel.component.type": &str }
    };
    /// Duration of exports, failed ones with error.type.
    static DURATION: Histogram<f64> = "otel.sdk.exporter.operation.duration" {
        unit: "s",
        labels: { "otel.component.name": &str, "otel.component.type": &str, "error.type": Option<&str> }
    };
}

const PROCESSOR: &str = "batching_span_processor";

/// Measures, or does not.
#[derive(Clone, Debug)]
pub(super) struct Own {
    store: Option<Store>,
    /// The processor's name, which no other has.
    processor: String,
    /// The exporter's, and its type.
    exporter: String,
    component: &'static str,
    capacity: i64,
}

impl Own {
    /// Into this store, if into any; for a queue of so many spans, and an exporter of this type.
    pub(super) fn new(store: Option<Store>, component: &'static str, capacity: usize) -> Own {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Relaxed);
        let own = Own {
            store,
            processor: format!("{PROCESSOR}/{number}"),
            exporter: format!("{component}/{number}"),
            component,
            capacity: i64::try_from(capacity).unwrap_or(i64::MAX),
        };
        own.record(|| QUEUE_CAPACITY.add(own.capacity, (&own.processor, PROCESSOR)));
        own
    }

    fn record(&self, record: impl FnOnce()) {
        if let Some(store) = &self.store {
            store.scope(record);
        }
    }

    pub(super) fn started(&self, origin: Origin, sampled: Sampled) {
        self.record(|| STARTED.add(1, (origin, sampled)));
    }

    pub(super) fn live(&self, sampled: Sampled, change: i64) {
        self.record(|| LIVE.add(change, (sampled,)));
    }

    pub(super) fn processed(&self, spans: u64, error: Option<&str>) {
        self.record(|| PROCESSED.add(spans, (&self.processor, PROCESSOR, error)));
    }

    pub(super) fn queued(&self, change: i64) {
        self.record(|| QUEUE_SIZE.add(change, (&self.processor, PROCESSOR)));
    }

    pub(super) fn inflight(&self, change: i64) {
        self.record(|| INFLIGHT.add(change, (&self.exporter, self.component)));
    }

    pub(super) fn exported(&self, spans: u64, error: Option<&str>) {
        if spans > 0 {
            self.record(|| EXPORTED.add(spans, (&self.exporter, self.component, error)));
        }
    }

    pub(super) fn operation(&self, took: Duration, error: Option<&str>) {
        self.record(|| DURATION.record(took.as_secs_f64(), (&self.exporter, self.component, error)));
    }

    /// There is no queue any more.
    pub(super) fn end(&self) {
        self.record(|| QUEUE_CAPACITY.add(-self.capacity, (&self.processor, PROCESSOR)));
    }
}
