//! A layer that counts events by level and target.

use std::fmt;
use std::sync::Arc;

use metercast_core::{Store, labels, metrics};
use tracing_core::field::{Field, Visit};
use tracing_core::subscriber::Interest;
use tracing_core::{Event, Level, LevelFilter, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

use crate::targets::Targets;

labels! {
    /// How bad it is.
    enum Severity { Error, Warn, Info, Debug, Trace }
}

metrics! {
    /// Events that were logged, by level and target.
    static EVENTS: Counter<u64> = "log.events" { unit: "{event}", labels: { level: Severity, target: &str } };
}

/// Counts log events: the counter `log.events` with the labels `level` (`error`, `warn`, `info`) and `target`.
///
/// Events are counted down to a level, [`INFO`](Level::INFO) at first; what is below costs nothing, unless others want it. The first
/// 100 targets have names of their own, and the rest is `other`; or else those that are [listed](Self::targets) have.
/// Records of the `log` crate count under their own target, if `tracing-log` brings them.
///
/// ```
/// use metercast_core::{Store, reading::Point};
/// use metercast_tracing::LogCounter;
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let store = Store::new();
/// let subscriber = tracing_subscriber::registry().with(LogCounter::new().targets(["shop"]).layer());
/// store.scope(|| {
///     tracing::subscriber::with_default(subscriber, || {
///         tracing::warn!(target: "shop::orders", "an order was refused");
///         tracing::debug!(target: "shop::orders", "not counted");
///     });
/// });
/// let events = &store.collect()[0];
/// assert_eq!(events.series[0].labels.to_string(), "{level=\"warn\",target=\"shop\"}");
/// assert_eq!(events.series[0].point, Point::U64(1));
/// ```
#[derive(Clone, Debug)]
#[must_use = "it is a layer once `layer` is called"]
pub struct LogCounter {
    level: LevelFilter,
    targets: Arc<Targets>,
    store: Option<Store>,
}

/// The most targets that have a name of their own, if nothing else is said.
const MOST_TARGETS: usize = 100;

impl Default for LogCounter {
    fn default() -> LogCounter {
        LogCounter { level: LevelFilter::INFO, targets: Arc::new(Targets::first(MOST_TARGETS)), store: None }
    }
}

impl LogCounter {
    /// Counts errors, warnings and what is worth knowing.
    pub fn new() -> LogCounter {
        LogCounter::default()
    }

    /// Counts events down to this level.
    pub fn level(mut self, level: Level) -> LogCounter {
        self.level = LevelFilter::from_level(level);
        self
    }

    /// Only these targets have names, each with the modules in it; everything else is `other`.
    pub fn targets<T: Into<String>>(mut self, targets: impl IntoIterator<Item = T>) -> LogCounter {
        self.targets = Arc::new(Targets::listed(targets.into_iter().map(Into::into).collect()));
        self
    }

    /// The first targets that come have names, up to so many; everything else is `other`.
    pub fn most_targets(mut self, most: usize) -> LogCounter {
        self.targets = Arc::new(Targets::first(most));
        self
    }

    /// Into this store, whichever is current.
    pub fn into_store(mut self, store: &Store) -> LogCounter {
        self.store = Some(store.clone());
        self
    }

    /// As a layer, which has a filter of its own: it does not decide what others see, and others do not decide what it does.
    pub fn layer<S>(self) -> LogCounterLayer<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let filter = LogFilter(self.level);
        LogEvents(self).with_filter(filter)
    }
}

/// The layer that [`LogCounter::layer`] makes.
pub type LogCounterLayer<S> = Filtered<LogEvents, LogFilter, S>;

/// Counts events; see [`LogCounter`].
#[derive(Debug)]
pub struct LogEvents(LogCounter);

/// Lets through events down to a level; see [`LogCounter`].
pub struct LogFilter(LevelFilter);

impl<S: Subscriber> Layer<S> for LogEvents {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let LogEvents(LogCounter { targets, store, .. }) = self;
        let metadata = event.metadata();
        let severity = match *metadata.level() {
            Level::ERROR => Severity::Error,
            Level::WARN => Severity::Warn,
            Level::INFO => Severity::Info,
            Level::DEBUG => Severity::Debug,
            Level::TRACE => Severity::Trace,
        };
        let count = |target: &str| {
            targets.with_name(target, |name| match store {
                Some(store) => store.scope(|| EVENTS.add(1, (severity, name))),
                None => EVENTS.add(1, (severity, name)),
            });
        };
        if metadata.target() != FROM_LOG {
            return count(metadata.target());
        }
        let mut target = TargetOfLog(None);
        event.record(&mut target);
        count(target.0.as_deref().unwrap_or(FROM_LOG));
    }
}

/// The target of all records that `tracing-log` makes events of; theirs is a field.
const FROM_LOG: &str = "log";

struct TargetOfLog(Option<String>);

impl Visit for TargetOfLog {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "log.target" {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl LogFilter {
    fn takes(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= self.0
    }
}

impl<S> Filter<S> for LogFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.takes(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.takes(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0)
    }
}

impl fmt::Debug for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LogFilter").field(&self.0).finish()
    }
}
