//! Any list of labels finds its series: what two stores hold is what a model says, to the last unit.
//!
//! The model is a map from sorted labels to a total. It knows the rules from the documentation: the order of labels does
//! not matter, of a key that stands twice the last value stays, a label without a key is left out, keys and texts are cut to 1 KiB
//! between two letters, and what is over 2,000 series of a metric lands in one.

#![no_main]

use std::collections::{BTreeMap, HashMap};

use libfuzzer_sys::fuzz_target;
use metercast::snapshot::Point;
use metercast::{KeyValue, Snapshot, Store, Value, i64_up_down_counter, metrics, u64_counter};
use metercast_fuzz::Input;

metrics! {
    /// Counted.
    static DECLARED: Counter<u64> = "counted" { labels: { a: Option<&str>, b: Option<i64>, c: Option<bool> } };
}

/// A value as the documentation compares it: type by type, doubles by their bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Modelled {
    Text(String),
    Truth(bool),
    Whole(i128),
    Double(u64),
}

/// Sorted by their keys, each key once.
type Labels = Vec<(String, Modelled)>;

/// What one store holds.
#[derive(Default)]
struct Model {
    metrics: [HashMap<Labels, i128>; 3],
    /// Whether many series were added at once.
    is_large: bool,
}

const NAMES: [&str; 3] = ["counted", "other", "level"];

const LIMIT: usize = 2_000;

impl Model {
    fn add(&mut self, metric: usize, labels: Labels, amount: i128) {
        let series = &mut self.metrics[metric];
        let over = series.len() >= LIMIT && !series.contains_key(&labels);
        let overflow = || vec![("otel.metric.overflow".to_owned(), Modelled::Truth(true))];
        *series.entry(if over { overflow() } else { labels }).or_default() += amount;
    }
}

fn modelled(labels: &[KeyValue]) -> Labels {
    let present = labels.iter().filter(|label| !label.key.is_empty());
    let sorted: BTreeMap<_, _> =
        present.map(|label| (cut(&label.key), model_of(&label.value, true))).collect();
    sorted.into_iter().collect()
}

fn cut(text: &str) -> String {
    let mut text = text.to_owned();
    while text.len() > 1024 {
        text.pop();
    }
    text
}

fn model_of(value: &Value, is_cut: bool) -> Modelled {
    match value {
        Value::String(text) => Modelled::Text(if is_cut { cut(text) } else { text.to_string() }),
        Value::Bool(truth) => Modelled::Truth(*truth),
        Value::I64(whole) => Modelled::Whole((*whole).into()),
        Value::U64(whole) => Modelled::Whole((*whole).into()),
        Value::F64(double) => Modelled::Double(double.to_bits()),
        other => panic!("a value of a new type: {other:?}"),
    }
}

/// What a reading found of each metric. No two series of a metric have equal labels.
fn read(store: &Store) -> [HashMap<Labels, i128>; 3] {
    let snapshot = Snapshot::of(store);
    NAMES.map(|name| {
        let series = snapshot.family(name).map_or(&[][..], |family| &family.series);
        let found: HashMap<Labels, i128> = series
            .iter()
            .map(|series| {
                let labels = series
                    .labels
                    .iter()
                    .map(|(key, value)| (key.to_owned(), model_of(value, false)))
                    .collect();
                let total = match series.point {
                    Point::U64(value) => value.into(),
                    Point::I64(value) => value.into(),
                    ref other => panic!("{other:?}"),
                };
                (labels, total)
            })
            .collect();
        assert_eq!(found.len(), series.len(), "two series of {name} have equal labels");
        found
    })
}

/// A whole store is too much to look at, so what differs is named, one series at a time.
fn compare(store: &Store, model: &Model) {
    for ((name, found), expected) in NAMES.iter().zip(read(store)).zip(&model.metrics) {
        for (labels, total) in expected {
            assert_eq!(found.get(labels), Some(total), "{name} {labels:?}");
        }
        let more = found.keys().find(|labels| !expected.contains_key(*labels));
        assert_eq!(more, None, "{name} has a series that was never recorded");
    }
}

fn step(input: &mut Input<'_>, model: &mut Model) {
    match input.below(256) {
        // Many series at once, which is how limits are met. Once in an input, since it takes a thousand times as long as
        // anything else.
        255 if !std::mem::replace(&mut model.is_large, true) => {
            let (from, count) = (i64::from(input.byte()), [50, 1_990, 2_100][input.below(3)]);
            for n in from..from + count {
                let labels = [KeyValue::new("n", n)];
                model.add(1, modelled(&labels), 1);
                u64_counter!("other", "Other.", 1, labels);
            }
        }
        0..=60 => {
            let (a, b, c) = (input.text(), input.bits() as i64, input.byte().is_multiple_of(2));
            let given = input.byte();
            let (a, b, c) =
                ((given & 1 > 0).then_some(&*a), (given & 2 > 0).then_some(b), (given & 4 > 0).then_some(c));
            let labels = a.map(|a| KeyValue::new("a", a.to_owned())).into_iter();
            let labels: Vec<_> = labels
                .chain(b.map(|b| KeyValue::new("b", b)))
                .chain(c.map(|c| KeyValue::new("c", c)))
                .collect();
            model.add(0, modelled(&labels), 3);
            if given & 8 > 0 {
                DECLARED.add(3, (a, b, c));
            } else {
                u64_counter!("counted", "Counted.", 3, "c" => c, "a" => a, "b" => b);
            }
        }
        61..=120 => {
            let (labels, amount) = (input.labels(), u64::from(input.byte() % 4));
            model.add(0, modelled(&labels), amount.into());
            u64_counter!("counted", "Counted.", amount, labels);
        }
        121..=200 => {
            let (labels, amount) = (input.labels(), u64::from(input.byte()));
            model.add(1, modelled(&labels), amount.into());
            u64_counter!("other", "Other.", amount, labels);
        }
        _ => {
            let (labels, amount) = (input.labels(), i64::from(input.byte() as i8));
            model.add(2, modelled(&labels), amount.into());
            i64_up_down_counter!("level", "Level.", amount, labels);
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let mut stores = [(); 2].map(|()| (Store::new(), Model::default()));
    let mut readings = 0;
    while !input.is_empty() {
        let control = input.byte();
        let (store, model) = &mut stores[usize::from(control % 2)];
        // Now and then in between; each takes as long as a hundred recordings.
        if control > 250 && readings < 4 {
            readings += 1;
            compare(store, model);
        }
        store.scope(|| step(&mut input, model));
    }
    for (store, model) in &stores {
        compare(store, model);
    }
});
