//! A program that measures with every instrument of the API: which, how much and with which attributes is random.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter, MeterProvider, UpDownCounter};
use opentelemetry::{InstrumentationScope, KeyValue};

use crate::random::Random;

/// The instruments of the program, in each of its scopes.
pub(crate) struct Program {
    parts: Vec<Part>,
}

/// One thing that the program does.
#[derive(Debug)]
pub(crate) struct Step {
    scope: usize,
    instrument: usize,
    /// Eighths, so that sums are exact in any order.
    eighths: i64,
    attributes: Vec<KeyValue>,
}

/// How many scopes the program has.
const SCOPES: usize = 3;

/// How many instruments it has in each.
const INSTRUMENTS: usize = 16;

struct Part {
    u64_counter: Counter<u64>,
    f64_counter: Counter<f64>,
    i64_up_down: UpDownCounter<i64>,
    f64_up_down: UpDownCounter<f64>,
    u64_gauge: Gauge<u64>,
    i64_gauge: Gauge<i64>,
    f64_gauge: Gauge<f64>,
    u64_histogram: Histogram<u64>,
    f64_histogram: Histogram<f64>,
    /// What each observable instrument observes.
    observed: [Arc<Seen>; 7],
}

/// Values by attributes, as they are written.
type Seen = Mutex<BTreeMap<String, (i64, Vec<KeyValue>)>>;

impl Program {
    pub(crate) fn new(provider: &impl MeterProvider) -> Program {
        let scopes: [InstrumentationScope; SCOPES] = [
            InstrumentationScope::builder("plain").build(),
            InstrumentationScope::builder("versioned")
                .with_version("1.2.3")
                .with_schema_url("https://opentelemetry.io/schemas/1.30.0")
                .build(),
            InstrumentationScope::builder("plain")
                .with_attributes([KeyValue::new("plugin", "importer"), KeyValue::new("level", 3)])
                .build(),
        ];
        Program {
            parts: scopes.into_iter().map(|scope| Part::new(&provider.meter_with_scope(scope))).collect(),
        }
    }

    pub(crate) fn run(&self, step: &Step) {
        self.parts[step.scope].run(step);
    }
}

impl Step {
    pub(crate) fn any(random: &mut Random) -> Step {
        let mut attributes: Vec<KeyValue> = (0..random.below(6))
            .map(|_| {
                let key = random.pick(&["route", "status", "cached", "ratio", "a.b", "A-b/c"]);
                match random.below(4) {
                    0 => KeyValue::new(key, random.pick(&["", "GET", "/orders/{id}", "\"quoted\"\n", "ä漢"])),
                    1 => KeyValue::new(key, random.pick(&[0, -1, 200, i64::MAX])),
                    2 => KeyValue::new(key, random.one_in(2)),
                    _ => KeyValue::new(key, random.pick(&[0.5, -2.25, 1e300])),
                }
            })
            .collect();
        // Of a key that is given twice it is our rule that the last value stays, and the SDK's for the most part.
        let mut seen = Vec::new();
        attributes.retain(|attribute| {
            let is_new = !seen.contains(&attribute.key);
            seen.push(attribute.key.clone());
            is_new
        });
        let eighths = random.below(4_000) as i64;
        Step { scope: random.below(SCOPES), instrument: random.below(INSTRUMENTS), eighths, attributes }
    }

    fn signed(&self) -> i64 {
        self.eighths - 2_000
    }
}

/// The number of these eighths.
fn double(eighths: i64) -> f64 {
    eighths as f64 / 8.0
}

impl Part {
    fn new(meter: &Meter) -> Part {
        let bounds = vec![0.0, 1.0, 10.0, 100.5];
        let signed = vec![-10.0, 0.0, 1.0, 10.0, 100.5];
        let observed: [Arc<Seen>; 7] = Default::default();
        macro_rules! observe {
            ($at:literal, $method:ident, $name:literal, $number:expr) => {
                let seen = Arc::clone(&observed[$at]);
                meter
                    .$method($name)
                    .with_unit("{thing}")
                    .with_callback(move |observer| {
                        for (value, attributes) in seen.lock().unwrap().values() {
                            observer.observe($number(*value), attributes);
                        }
                    })
                    .build();
            };
        }
        observe!(0, u64_observable_counter, "u64.observable.counter", |value| value as u64);
        observe!(1, f64_observable_counter, "f64.observable.counter", double);
        observe!(2, i64_observable_up_down_counter, "i64.observable.up.down", |value| value);
        observe!(3, f64_observable_up_down_counter, "f64.observable.up.down", double);
        observe!(4, u64_observable_gauge, "u64.observable.gauge", |value: i64| value.unsigned_abs());
        observe!(5, i64_observable_gauge, "i64.observable.gauge", |value| value);
        observe!(6, f64_observable_gauge, "f64.observable.gauge", double);
        Part {
            u64_counter: meter.u64_counter("u64.counter").with_description("Counted").build(),
            f64_counter: meter.f64_counter("f64.counter").with_unit("s").build(),
            i64_up_down: meter.i64_up_down_counter("i64.up.down").with_unit("{job}").build(),
            f64_up_down: meter.f64_up_down_counter("f64.up.down").build(),
            u64_gauge: meter.u64_gauge("u64.gauge").with_unit("By").with_description("A \"size\"").build(),
            i64_gauge: meter.i64_gauge("i64.gauge").build(),
            f64_gauge: meter.f64_gauge("f64.gauge").with_unit("Cel").build(),
            u64_histogram: meter.u64_histogram("u64.histogram").with_boundaries(bounds).build(),
            f64_histogram: meter
                .f64_histogram("f64.histogram")
                .with_unit("s")
                .with_boundaries(signed)
                .build(),
            observed,
        }
    }

    fn run(&self, step: &Step) {
        let (up, signed, attributes) = (step.eighths, step.signed(), &step.attributes[..]);
        match step.instrument {
            0 => self.u64_counter.add(up as u64, attributes),
            1 => self.f64_counter.add(double(up), attributes),
            2 => self.i64_up_down.add(signed, attributes),
            3 => self.f64_up_down.add(double(signed), attributes),
            4 => self.u64_gauge.record(up as u64, attributes),
            5 => self.i64_gauge.record(signed, attributes),
            6 => self.f64_gauge.record(double(signed), attributes),
            7 => self.u64_histogram.record(up as u64, attributes),
            8 => self.f64_histogram.record(double(signed), attributes),
            observable => {
                let at = observable - 9;
                let mut sorted = step.attributes.clone();
                sorted.sort_by(|a, b| a.key.cmp(&b.key));
                let mut seen = self.observed[at].lock().unwrap();
                let (value, _) = seen.entry(format!("{sorted:?}")).or_insert((0, sorted));
                // Counters only grow; those that are there stay.
                *value = if at < 2 { *value + up } else { signed };
            }
        }
    }
}
