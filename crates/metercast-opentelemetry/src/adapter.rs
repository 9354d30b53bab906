//! The provider, for whichever version of the OpenTelemetry API the module around this one calls `otel`. Every version has
//! its own copy of this module.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use metercast_core::{KeyValue as Label, Kind, LabelRef, Number, RuntimeObserver, Store, ValueRef};

use super::{NUMBER, otel};
use crate::callbacks;
use crate::install::{self, Installed};
use crate::library::Library;
use crate::list;
use crate::meter::{Meter, Wanted};
use crate::odd::{MOST, Odd, Spelled};
use crate::recorder::{Added, Nothing, Recorded, Recorder, Set, Way};
use crate::target::Target;
use crate::version::Version;
use otel::metrics::{
    AsyncInstrument, AsyncInstrumentBuilder, Callback, Counter, Gauge, Histogram, HistogramBuilder,
    InstrumentBuilder, InstrumentProvider, ObservableCounter, ObservableGauge, ObservableUpDownCounter,
    SyncInstrument, UpDownCounter,
};
use otel::{Array, InstrumentationScope, KeyValue, Value};

/// An OpenTelemetry meter provider whose instruments record into a metercast store. Cheap to clone.
///
/// ```
/// use metercast_core::{Store, reading::Point};
/// use metercast_opentelemetry::MeterProvider;
/// use opentelemetry::{KeyValue, metrics::MeterProvider as _};
///
/// let store = Store::new();
/// let counter = MeterProvider::of(store.clone()).meter("shop").u64_counter("orders").build();
/// counter.add(2, &[KeyValue::new("side", "buy")]);
///
/// let family = &store.collect()[0];
/// assert_eq!((family.definition.name(), family.definition.scope().name), ("orders", "shop"));
/// assert_eq!(family.series[0].point, Point::U64(2));
/// ```
#[derive(Clone, Default)]
pub struct MeterProvider {
    target: Target,
}

impl MeterProvider {
    /// A provider that follows the current store: each measurement lands in the store that is current where it is made, which
    /// is the global one outside of all scopes. So instruments in statics are isolated in tests.
    ///
    /// Two things belong to the store that is current when they are made: callbacks of observable instruments, and bound
    /// instruments.
    pub fn new() -> MeterProvider {
        MeterProvider::default()
    }

    /// A provider whose instruments record into `store`, from any scope and any thread, and keep it.
    pub fn of(store: Store) -> MeterProvider {
        MeterProvider { target: Target::Given(store) }
    }
}

/// A provider of the store that is current here and now: that of a test in its scope, outside of all scopes the global one.
///
/// It goes on recording there when the scope has ended; [`MeterProvider::new`] makes one that follows the scope instead.
///
/// ```
/// use metercast_core::Store;
/// use metercast_opentelemetry::meter_provider;
/// use opentelemetry::metrics::MeterProvider;
///
/// let store = Store::new();
/// let meter = store.scope(|| meter_provider().meter("shop"));
/// meter.u64_counter("orders").build().add(1, &[]);
/// assert_eq!(store.collect().len(), 1);
/// ```
pub fn meter_provider() -> MeterProvider {
    MeterProvider::of(Store::current())
}

impl fmt::Debug for MeterProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MeterProvider").field("version", &NUMBER).field("target", &self.target).finish()
    }
}

impl otel::metrics::MeterProvider for MeterProvider {
    fn meter_with_scope(&self, scope: InstrumentationScope) -> otel::metrics::Meter {
        install::asked();
        let library = Library {
            name: scope.name().to_owned(),
            version: scope.version().unwrap_or_default().to_owned(),
            schema_url: scope.schema_url().unwrap_or_default().to_owned(),
            attributes: scope.attributes().map(owned).collect(),
        };
        otel::metrics::Meter::new(Arc::new(Meter::new(self.target.clone(), library)))
    }
}

/// What this version adds to the others.
pub(crate) const VERSION: Version = Version {
    number: NUMBER,
    install,
    #[cfg(feature = "trace")]
    current_span,
};

/// The global provider of this version.
struct Global {
    provider: MeterProvider,
    _installed: Installed,
}

impl otel::metrics::MeterProvider for Global {
    fn meter_with_scope(&self, scope: InstrumentationScope) -> otel::metrics::Meter {
        self.provider.meter_with_scope(scope)
    }
}

/// Makes ours the global provider of this version, unless there is one of somebody else's; whether it is ours now.
fn install() -> bool {
    let current = otel::global::meter_provider();
    // The one that is there before any is set has no content. Of one that has, only an answer tells whose it is.
    if size_of_val(&*current) > 0 {
        return install::asks_us(|| drop(current.meter("metercast")));
    }
    otel::global::set_meter_provider(Global {
        provider: MeterProvider::new(),
        _installed: Installed { version: NUMBER },
    });
    true
}

/// The sampled span that is current on this thread in this version of the API; `None` if there is none.
#[cfg(feature = "trace")]
fn current_span() -> Option<metercast_core::SpanContext> {
    use otel::trace::TraceContextExt;
    otel::Context::map_current(|context| {
        let span = context.span();
        let span = span.span_context();
        let is_one = span.is_valid() && span.is_sampled();
        is_one
            .then(|| metercast_core::SpanContext::new(span.trace_id().to_bytes(), span.span_id().to_bytes()))
    })
}

macro_rules! instruments {
    ($($method:ident: $instrument:ident<$number:ty>, $kind:ident, $way:ident;)*) => { $(
        fn $method(&self, builder: InstrumentBuilder<'_, $instrument<$number>>) -> $instrument<$number> {
            let InstrumentBuilder { name, description, unit, .. } = builder;
            let wanted = Wanted { name, unit, description, bounds: None };
            $instrument::new(synchronous::<$way, $number>(self, Kind::$kind, &wanted))
        }
    )* };
}

macro_rules! histograms {
    ($($method:ident: $number:ty;)*) => { $(
        fn $method(&self, builder: HistogramBuilder<'_, Histogram<$number>>) -> Histogram<$number> {
            let HistogramBuilder { name, description, unit, boundaries: bounds, .. } = builder;
            let wanted = Wanted { name, unit, description, bounds };
            Histogram::new(synchronous::<Recorded, $number>(self, Kind::Histogram, &wanted))
        }
    )* };
}

macro_rules! observables {
    ($($method:ident: $instrument:ident<$number:ty>, $kind:ident;)*) => { $(
        fn $method(
            &self,
            builder: AsyncInstrumentBuilder<'_, $instrument<$number>, $number>,
        ) -> $instrument<$number> {
            let AsyncInstrumentBuilder { name, description, unit, callbacks, .. } = builder;
            observe(self, Kind::$kind, &Wanted { name, unit, description, bounds: None }, callbacks);
            $instrument::new()
        }
    )* };
}

impl InstrumentProvider for Meter {
    instruments! {
        u64_counter: Counter<u64>, Counter, Added;
        f64_counter: Counter<f64>, Counter, Added;
        i64_up_down_counter: UpDownCounter<i64>, UpDownCounter, Added;
        f64_up_down_counter: UpDownCounter<f64>, UpDownCounter, Added;
        u64_gauge: Gauge<u64>, Gauge, Set;
        i64_gauge: Gauge<i64>, Gauge, Set;
        f64_gauge: Gauge<f64>, Gauge, Set;
    }
    histograms! {
        u64_histogram: u64;
        f64_histogram: f64;
    }
    observables! {
        u64_observable_counter: ObservableCounter<u64>, Counter;
        f64_observable_counter: ObservableCounter<f64>, Counter;
        i64_observable_up_down_counter: ObservableUpDownCounter<i64>, UpDownCounter;
        f64_observable_up_down_counter: ObservableUpDownCounter<f64>, UpDownCounter;
        u64_observable_gauge: ObservableGauge<u64>, Gauge;
        i64_observable_gauge: ObservableGauge<i64>, Gauge;
        f64_observable_gauge: ObservableGauge<f64>, Gauge;
    }
}

fn synchronous<W: Way, N: Number>(
    meter: &Meter,
    kind: Kind,
    wanted: &Wanted,
) -> Arc<dyn SyncInstrument<N> + Send + Sync> {
    match meter.instrument(kind, N::TYPE, wanted) {
        Some(instrument) => Arc::new(Recorder::<W>::new(meter.target.clone(), instrument)),
        None => Arc::new(Nothing),
    }
}

impl<W: Way, N: Number> SyncInstrument<N> for Recorder<W> {
    #[inline]
    fn measure(&self, measurement: N, attributes: &[KeyValue]) {
        if are_labels(attributes) {
            self.record(measurement, attributes.iter().map(label));
        } else {
            self.record_odd(measurement, &odd(attributes));
        }
    }

    bound_instruments! {
        fn bind(
            &self,
            attributes: &[KeyValue],
        ) -> Box<dyn otel::metrics::BoundSyncInstrument<N> + Send + Sync> {
            Box::new(if are_labels(attributes) {
                Recorder::bind(self, attributes.iter().map(label))
            } else {
                self.bind_odd(&odd(attributes))
            })
        }
    }
}

impl<N: Number> SyncInstrument<N> for Nothing {
    fn measure(&self, _: N, _: &[KeyValue]) {}

    bound_instruments! {
        fn bind(&self, _: &[KeyValue]) -> Box<dyn otel::metrics::BoundSyncInstrument<N> + Send + Sync> {
            Box::new(Nothing)
        }
    }
}

bound_instruments! {
    impl<W: Way, N: Number> otel::metrics::BoundSyncInstrument<N> for crate::recorder::BoundRecorder<W> {
        #[inline]
        fn measure(&self, measurement: N) {
            self.record(measurement);
        }
    }

    impl<N: Number> otel::metrics::BoundSyncInstrument<N> for Nothing {
        fn measure(&self, _: N) {}
    }
}

/// Registers callbacks in the store that the meter records into here and now.
fn observe<N: Number + 'static>(meter: &Meter, kind: Kind, wanted: &Wanted, callbacks: Vec<Callback<N>>) {
    let Some(instrument) = meter.observable(kind, N::TYPE, wanted) else { return };
    for callback in callbacks {
        let observation = meter.target.within(|| {
            instrument.observe(move |observer| {
                callback(&Observer { metric: instrument.name(), observer: Mutex::new(observer) });
            })
        });
        callbacks::keep(observation);
    }
}

/// What a callback is given. The API wants to share it between threads.
struct Observer<'a, 'b> {
    metric: &'static str,
    observer: Mutex<&'a mut RuntimeObserver<'b>>,
}

impl<N: Number> AsyncInstrument<N> for Observer<'_, '_> {
    fn observe(&self, measurement: N, attributes: &[KeyValue]) {
        let mut observer = self.observer.lock().unwrap_or_else(PoisonError::into_inner);
        if are_labels(attributes) {
            observer.set(measurement, attributes.iter().map(label));
        } else {
            let odd = odd(attributes);
            odd.report(self.metric);
            observer.set(measurement, odd.labels());
        }
    }
}

/// Whether all are labels as they are, and not too many.
#[inline]
fn are_labels(attributes: &[KeyValue]) -> bool {
    let is_label =
        |value: &Value| matches!(value, Value::String(_) | Value::I64(_) | Value::Bool(_) | Value::F64(_));
    attributes.len() <= MOST && attributes.iter().all(|attribute| is_label(&attribute.value))
}

/// An attribute that is a label.
#[inline]
fn label(attribute: &KeyValue) -> LabelRef<'_> {
    let value = match &attribute.value {
        Value::String(value) => ValueRef::String(value.as_str()),
        Value::I64(value) => ValueRef::I64(*value),
        Value::Bool(value) => ValueRef::Bool(*value),
        Value::F64(value) => ValueRef::F64(*value),
        _ => ValueRef::Absent,
    };
    (attribute.key.as_str(), value)
}

#[cold]
fn odd(attributes: &[KeyValue]) -> Odd<'_> {
    Odd::new(attributes.iter().map(|attribute| (attribute.key.as_str(), spelled(attribute))))
}

fn spelled(attribute: &KeyValue) -> Spelled<'_> {
    match label(attribute).1 {
        ValueRef::Absent => Spelled::Text(match &attribute.value {
            Value::Array(Array::Bool(items)) => list::of_plain(items),
            Value::Array(Array::I64(items)) => list::of_plain(items),
            Value::Array(Array::F64(items)) => list::of_doubles(items),
            Value::Array(Array::String(items)) => list::of_texts(items, |item| item.as_str()),
            // A type that a later patch of the API may add.
            other => other.to_string(),
        }),
        label => Spelled::Label(label),
    }
}

fn owned(attribute: &KeyValue) -> Label {
    let key = attribute.key.as_str().to_owned();
    match (spelled(attribute), &attribute.value) {
        (Spelled::Text(text), _) => Label::new(key, text),
        (_, Value::I64(value)) => Label::new(key, *value),
        (_, Value::Bool(value)) => Label::new(key, *value),
        (_, Value::F64(value)) => Label::new(key, *value),
        (_, value) => Label::new(key, value.to_string()),
    }
}
