//! What a field of an event means: a measurement, or an attribute of those that stand beside it.

use std::sync::OnceLock;

use metercast_core::{Instrument, Kind, NumberType};
use tracing_core::{Field, Metadata};

/// The fields of an event that measure something begin so.
const PREFIXES: [(&str, Kind); 4] = [
    ("monotonic_counter.", Kind::Counter),
    ("counter.", Kind::UpDownCounter),
    ("histogram.", Kind::Histogram),
    ("gauge.", Kind::Gauge),
];

/// The kind and the name of the metric that a field of this name is a measurement of.
pub(crate) fn metric_of(field: &'static str) -> Option<(Kind, &'static str)> {
    PREFIXES.iter().find_map(|(prefix, kind)| Some((*kind, field.strip_prefix(prefix)?)))
}

/// Whether events of this place measure something.
pub(crate) fn measures(metadata: &Metadata<'_>) -> bool {
    metadata.is_event() && metadata.fields().iter().any(|field| metric_of(field.name()).is_some())
}

/// A field that is a measurement.
#[derive(Debug)]
pub(crate) struct Measure {
    kind: Kind,
    name: &'static str,
    /// Where the event is.
    place: (&'static str, u32),
    whole: OnceLock<Option<Instrument>>,
    double: OnceLock<Option<Instrument>>,
}

/// A number that was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Amount {
    Whole(i128),
    Double(f64),
}

impl Measure {
    /// What a field measures, if it does.
    pub(crate) fn of(field: &Field, metadata: &'static Metadata<'static>) -> Option<Measure> {
        let (kind, name) = metric_of(field.name())?;
        let place = (metadata.file().unwrap_or(metadata.target()), metadata.line().unwrap_or(0));
        Some(Measure { kind, name, place, whole: OnceLock::new(), double: OnceLock::new() })
    }

    /// The instrument for this number: distributions are of doubles, whichever their values are, and whole numbers of one type.
    /// `None` if there can be none, which is one of the problems of the store.
    pub(crate) fn instrument(&self, amount: Amount) -> Option<Instrument> {
        let (made, number) = match (self.kind, amount) {
            (Kind::Histogram, _) | (_, Amount::Double(_)) => (&self.double, NumberType::F64),
            (Kind::Counter, _) => (&self.whole, NumberType::U64),
            _ => (&self.whole, NumberType::I64),
        };
        *made.get_or_init(|| {
            let (file, line) = self.place;
            let builder = Instrument::builder(self.kind, number, self.name);
            let builder = builder.scope(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")).place(file, line);
            builder.build().ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_prefix_are_metrics() {
        assert_eq!(metric_of("monotonic_counter.a.b"), Some((Kind::Counter, "a.b")));
        assert_eq!(metric_of("counter.a"), Some((Kind::UpDownCounter, "a")));
        assert_eq!(metric_of("histogram.a"), Some((Kind::Histogram, "a")));
        assert_eq!(metric_of("gauge.a"), Some((Kind::Gauge, "a")));
        for field in ["message", "counter", "counters.a", "my.counter.a", "monotonic_counter_a"] {
            assert_eq!(metric_of(field), None, "{field}");
        }
    }
}
