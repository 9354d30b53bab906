//! What a case records, read from its `given.toml`.

use std::cell::Cell;

use metercast::__private::{Adhoc, Descriptor, Scope};
use metercast::{ExemplarFilter, KeyValue, Kind, NumberType, SpanContext, Store, Value};
use serde::Deserialize;

use crate::options::PageChoice;

/// The recordings of a case, in order.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Which pages the folder has beside `prometheus.txt`, by the names of their files without `.txt`.
    #[serde(default)]
    pub pages: Vec<String>,
    /// What is chosen for the pages.
    #[serde(default)]
    pub page: PageChoice,
    /// Which measurements become exemplars, as OpenTelemetry names it; those in spans if nothing is said.
    #[serde(default)]
    pub exemplars: Option<String>,
    /// Whether OTLP is to have what came since the delivery before.
    #[serde(default)]
    pub delta: bool,
    /// The views of all exporters, in the words of a configuration.
    #[serde(default)]
    pub views: Vec<toml::Table>,
    /// What is recorded.
    pub record: Vec<Recording>,
}

/// One call, or a few that are alike.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// `counter`, `up_down_counter`, `gauge`, `histogram` or `summary`; all values of a summary are one, so that its quantiles are
    /// known.
    pub kind: String,
    /// `u64`, `i64` or `f64`.
    pub number: String,
    /// The metric's name.
    pub name: String,
    /// Its unit.
    #[serde(default)]
    pub unit: String,
    /// Its description.
    #[serde(default)]
    pub help: String,
    /// Its bounds, if it is a histogram that declares them.
    pub buckets: Option<Vec<f64>>,
    /// Whether it is a histogram with exponential buckets; its values are powers of two then, so that these are known.
    #[serde(default)]
    pub exponential: bool,
    /// The sampled span that it is made in, if any: the ids of the trace and of the span in hexadecimal, with a `-` between.
    pub span: Option<String>,
    /// How many messages were delivered before it is made: none, or one, which then has all that came before.
    #[serde(default)]
    pub delivered: u32,
    /// A number; as text where TOML has none so large, or for `nan` and `inf`.
    pub value: Number,
    /// How often; once if nothing is said.
    #[serde(default)]
    pub times: Option<u64>,
    /// Pairs, so that a key can stand twice.
    #[serde(default)]
    pub labels: Vec<(String, Label)>,
}

/// A number as a case spells it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Number {
    /// A whole number that fits.
    Whole(i64),
    /// A double.
    Double(f64),
    /// Any number in words that Rust reads.
    Text(String),
}

/// The value of a label.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(untagged)]
pub enum Label {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Whole(i64),
    /// A double.
    Double(f64),
    /// A text.
    Text(String),
}

impl Given {
    /// Reads the text of a `given.toml`.
    ///
    /// # Panics
    ///
    /// If it is not one.
    pub fn parse(text: &str) -> Given {
        toml::from_str(text).unwrap_or_else(|error| panic!("given.toml: {error}"))
    }

    /// A configuration that says the views and nothing else.
    pub(crate) fn configuration(&self) -> String {
        let views = self.views.iter().cloned().map(toml::Value::Table).collect();
        let telemetry = toml::Table::from_iter([("views".to_owned(), toml::Value::Array(views))]);
        toml::Table::from_iter([("telemetry".to_owned(), toml::Value::Table(telemetry))]).to_string()
    }

    /// Makes the recordings in a store.
    ///
    /// # Panics
    ///
    /// If the case is not a valid one.
    pub fn record(&self, store: &Store) {
        self.record_after(store, None);
    }

    /// Makes those that come after as many deliveries, or all.
    pub(crate) fn record_after(&self, store: &Store, delivered: Option<u32>) {
        store.take_exemplars(|| SPAN.get());
        store.set_exemplars(self.filter());
        store.scope(|| self.make(|recording| delivered.is_none_or(|after| recording.delivered == after)));
    }

    /// Whether there is a delivery between its recordings.
    pub(crate) fn is_delivered_between(&self) -> bool {
        self.record.iter().any(|recording| recording.delivered > 0)
    }

    /// Which measurements become exemplars.
    pub(crate) fn filter(&self) -> ExemplarFilter {
        match self.exemplars.as_deref() {
            None | Some("trace_based") => ExemplarFilter::TraceBased,
            Some("always_on") => ExemplarFilter::AlwaysOn,
            Some(other) => panic!("given.toml: there is no filter {other:?}"),
        }
    }

    fn make(&self, which: impl Fn(&Recording) -> bool) {
        for (at, recording) in self.record.iter().enumerate().filter(|(_, recording)| which(recording)) {
            recording.make(at as u32 + 1);
        }
    }
}

impl Recording {
    /// How often it is made.
    pub(crate) fn times(&self) -> u64 {
        self.times.unwrap_or(1)
    }

    /// The trace and the span that it is made in, in hexadecimal.
    pub(crate) fn ids(&self) -> Option<(&str, &str)> {
        self.span.as_deref().map(|span| span.split_once('-').expect("a trace and a span"))
    }

    /// The line of its definition is its place in the file, counted from 1.
    fn make(&self, place: u32) {
        // A site lives as long as the program, as the call sites that it stands for do.
        let site: &'static Adhoc =
            Box::leak(Box::new(Adhoc::new(Box::leak(Box::new(self.descriptor(place))))));
        let labels: Vec<KeyValue> =
            self.labels.iter().map(|(key, value)| KeyValue::new(key.clone(), value.get())).collect();
        SPAN.set(self.ids().map(|(trace, span)| SpanContext::new(bytes(trace), bytes(span))));
        for _ in 0..self.times() {
            match (self.kind.as_str(), self.number.as_str()) {
                ("counter", "u64") => site.add::<u64>(self.value.u64(), &labels[..]),
                ("counter", "f64") => site.add::<f64>(self.value.f64(), &labels[..]),
                ("up_down_counter", "i64") => site.change::<i64>(self.value.i64(), &labels[..]),
                ("up_down_counter", "f64") => site.change::<f64>(self.value.f64(), &labels[..]),
                ("gauge", "u64") => site.set::<u64>(self.value.u64(), &labels[..]),
                ("gauge", "i64") => site.set::<i64>(self.value.i64(), &labels[..]),
                ("gauge", "f64") => site.set::<f64>(self.value.f64(), &labels[..]),
                ("histogram" | "summary", "u64") => site.record::<u64>(self.value.u64(), &labels[..]),
                ("histogram" | "summary", "f64") => site.record::<f64>(self.value.f64(), &labels[..]),
                (kind, number) => panic!("there is no {kind} of {number}"),
            }
        }
    }

    fn descriptor(&self, place: u32) -> Descriptor {
        let kind = match self.kind.as_str() {
            "counter" => Kind::Counter,
            "up_down_counter" => Kind::UpDownCounter,
            "gauge" => Kind::Gauge,
            "summary" => Kind::Summary,
            _ => Kind::Histogram,
        };
        let number = match self.number.as_str() {
            "u64" => NumberType::U64,
            "i64" => NumberType::I64,
            _ => NumberType::F64,
        };
        let scope = Scope::new("conformance", "1");
        let descriptor = Descriptor::new(keep(&self.name), kind, number, scope, "given.toml", place)
            .unit(keep(&self.unit))
            .description(keep(&self.help))
            .exponential(self.exponential);
        match &self.buckets {
            Some(bounds) => descriptor.buckets(Box::leak(bounds.clone().into_boxed_slice())),
            None => descriptor,
        }
    }
}

thread_local! {
    /// The span of the recording that is being made.
    static SPAN: Cell<Option<SpanContext>> = const { Cell::new(None) };
}

/// The bytes of an id in hexadecimal.
fn bytes<const N: usize>(hexadecimal: &str) -> [u8; N] {
    assert_eq!(hexadecimal.len(), 2 * N, "{hexadecimal}");
    std::array::from_fn(|at| u8::from_str_radix(&hexadecimal[2 * at..2 * at + 2], 16).expect("hexadecimal"))
}

fn keep(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

impl Label {
    fn get(&self) -> Value {
        match self {
            Label::Bool(value) => (*value).into(),
            Label::Whole(value) => (*value).into(),
            Label::Double(value) => (*value).into(),
            Label::Text(value) => value.clone().into(),
        }
    }
}

impl Number {
    pub(crate) fn u64(&self) -> u64 {
        match self {
            Number::Whole(value) => u64::try_from(*value).expect("a u64"),
            Number::Text(text) => text.parse().expect("a u64"),
            Number::Double(value) => panic!("{value} is no u64"),
        }
    }

    pub(crate) fn i64(&self) -> i64 {
        match self {
            Number::Whole(value) => *value,
            other => panic!("{other:?} is no i64"),
        }
    }

    pub(crate) fn f64(&self) -> f64 {
        match self {
            Number::Whole(value) => *value as f64,
            Number::Double(value) => *value,
            Number::Text(text) => text.parse().expect("an f64"),
        }
    }
}
