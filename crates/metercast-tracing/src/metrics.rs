//! A layer that records the measurements which events carry in their fields.

use std::fmt;

use metercast_core::Store;
use tracing_core::subscriber::Interest;
use tracing_core::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

use crate::callsite::Callsite;
use crate::event::Fields;
use crate::field::measures;

/// Metrics from events: a field whose name begins so is a measurement of the metric that the rest of its name is.
///
/// | field | is |
/// | --- | --- |
/// | `monotonic_counter.name` | added to a counter of this name: whole numbers, or doubles |
/// | `counter.name` | added to an up-down counter |
/// | `histogram.name` | recorded in a histogram, of doubles |
/// | `gauge.name` | what a gauge is set to |
///
/// All other fields of the event, the message among them, are the labels; those of spans are not. This is as the `MetricsLayer` of
/// `tracing-opentelemetry` has it. Where that layer goes wrong, this one does not: a negative number for a `monotonic_counter`, which
/// would be counted as nearly 2^64, and one beyond 2^63 for a `counter` or `gauge` are dropped and counted in
/// `metercast.recordings.dropped`; whole numbers of either sign are recorded in histograms; a label may be above 2^63.
///
/// A name is for whole numbers or for doubles: of a metric that gets both, only the first is read, which is one of
/// [`Store::problems`]. A metric has no unit and no description; a view may give it either, with buckets. Each text that differs
/// in the message is another series, up to the limit of 2,000: leave it out if it is not always the same.
///
/// An event that measures nothing costs nothing: the layer is not interested in its place. One that does takes a lookup of
/// that place without a lock, and what its store takes.
///
/// ```
/// use metercast_core::Store;
/// use metercast_tracing::Metrics;
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let store = Store::new();
/// let metrics = Metrics::new().leave_out(["message"]).into_store(&store);
/// let subscriber = tracing_subscriber::registry().with(metrics.layer());
/// tracing::subscriber::with_default(subscriber, || {
///     for number in 0..10 {
///         tracing::info!(histogram.size = number, kind = "parcel", "parcel {number} is packed");
///     }
/// });
/// assert_eq!(store.collect()[0].series.len(), 1);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "it is a layer once `layer` is called"]
pub struct Metrics {
    left_out: Vec<String>,
    store: Option<Store>,
}

impl Metrics {
    /// Records into the store that is current where the event is, with all fields as labels.
    pub fn new() -> Metrics {
        Metrics::default()
    }

    /// Without these fields among the labels, such as `message`.
    pub fn leave_out<N: Into<String>>(mut self, fields: impl IntoIterator<Item = N>) -> Metrics {
        self.left_out.extend(fields.into_iter().map(Into::into));
        self
    }

    /// Into this store, whichever is current.
    pub fn into_store(mut self, store: &Store) -> Metrics {
        self.store = Some(store.clone());
        self
    }

    /// As a layer, which has a filter of its own: it does not decide what others see, and others do not decide what it does.
    pub fn layer<S>(self) -> MetricsLayer<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        MetricEvents(self).with_filter(MetricFields(()))
    }
}

/// The layer that [`Metrics::layer`] makes.
pub type MetricsLayer<S> = Filtered<MetricEvents, MetricFields, S>;

/// Records events; see [`Metrics`].
#[derive(Debug)]
pub struct MetricEvents(Metrics);

/// Lets through the events that have a field that is a measurement; see [`Metrics`].
pub struct MetricFields(());

impl<S: Subscriber> Layer<S> for MetricEvents {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let MetricEvents(Metrics { left_out, store }) = self;
        let callsite = Callsite::of(event.metadata());
        Fields::with(|fields| {
            event.record(&mut fields.reader(&callsite, left_out));
            match store {
                Some(store) => store.scope(|| fields.record(&callsite)),
                None => fields.record(&callsite),
            }
        });
    }
}

impl<S> Filter<S> for MetricFields {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        measures(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if measures(metadata) { Interest::always() } else { Interest::never() }
    }
}

impl fmt::Debug for MetricFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetricFields")
    }
}
