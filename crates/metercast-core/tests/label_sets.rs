//! Random label sets against a model: equal sets are one series in any order and spelling, different ones never.

use std::collections::BTreeMap;

use metercast_core::reading::Point;
use metercast_core::{KeyValue, LabelSet, Store, Value, f64_gauge, labels, metrics, u64_counter};

labels! { enum Kind { Small, Large } }

metrics! {
    /// Every form of label at once.
    static DECLARED: Counter<u64> = "declared" { labels: { kind: Kind, name: &str, code: Option<u16> } };
    /// Labels that may all fall away.
    static LEVEL: Gauge<f64> = "level" { labels: { room: Option<&str> } };
    /// The same, observed.
    static OBSERVED: ObservableGauge<f64> = "observed" { labels: { room: Option<&str> } };
}

/// A small generator, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    /// A text that is often the beginning, the end or a neighbour of another.
    fn text(&mut self) -> String {
        let long = self.below(20) == 0;
        let length = if long { 15 + self.below(20) } else { self.below(6) };
        (0..length).map(|_| ['a', 'b', 'é'][self.below(3)]).collect()
    }

    fn value(&mut self) -> Value {
        match self.below(8) {
            0 => Value::from(self.below(2) == 0),
            1 => Value::from(self.below(3) as i64 - 1),
            2 => Value::from([0.0, -0.0, 1.0][self.below(3)]),
            _ => Value::from(self.text()),
        }
    }
}

fn rounds(all: usize) -> usize {
    if std::env::var_os("METERCAST_LONG").is_some() { all } else { all / 10 }
}

/// The values of a metric by the text of its labels.
fn read(store: &Store, metric: &str) -> BTreeMap<String, u64> {
    let families = store.collect();
    let Some(family) = families.iter().find(|family| family.definition.name() == metric) else {
        return BTreeMap::new();
    };
    let by_labels: BTreeMap<String, u64> = family
        .series
        .iter()
        .map(|series| match series.point {
            Point::U64(value) => (format!("{:?}", series.labels.iter().collect::<Vec<_>>()), value),
            ref other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(by_labels.len(), family.series.len(), "no two series have equal labels");
    by_labels
}

#[test]
fn a_million_random_sets_agree_with_a_model() {
    let mut random = Random(7);
    // Each store is small enough that no metric reaches its limit.
    for _ in 0..rounds(1_000_000) / 4_000 {
        let store = Store::new();
        let mut model = BTreeMap::new();
        store.scope(|| {
            for _ in 0..4_000 {
                let mut labels: Vec<KeyValue> = Vec::new();
                for key in ["a", "b", "ab", "c"] {
                    if random.below(3) > 0 {
                        labels.push(KeyValue::new(key, random.value()));
                    }
                }
                let mut sorted = labels.clone();
                sorted.sort_by(|a, b| a.key.cmp(&b.key));
                if model.len() < 1_900 || model.contains_key(&text(&sorted)) {
                    *model.entry(text(&sorted)).or_insert(0) += 1;
                    let at = random.below(labels.len().max(1));
                    labels.rotate_left(at);
                    u64_counter!("random", "Random", 1, labels);
                }
            }
        });
        assert_eq!(read(&store, "random"), model);
        assert!(store.problems().is_empty(), "{:?}", store.problems());
    }
}

fn text(labels: &[KeyValue]) -> String {
    let pairs: Vec<(&str, &Value)> = labels.iter().map(|label| (&*label.key, &label.value)).collect();
    format!("{pairs:?}")
}

#[test]
fn declared_pairs_and_lists_of_the_same_labels_are_one_series() {
    let mut random = Random(11);
    for _ in 0..rounds(250) {
        let store = Store::new();
        let mut model = BTreeMap::new();
        store.scope(|| {
            for _ in 0..1_000 {
                let (kind, name) = ([Kind::Small, Kind::Large][random.below(2)], random.text());
                let code = (random.below(2) == 0).then(|| 200 + random.below(3) as u16);
                let mut set = vec![KeyValue::new("kind", kind.as_str()), KeyValue::new("name", name.clone())];
                set.extend(code.map(|code| KeyValue::new("code", code)));
                set.sort_by(|a, b| a.key.cmp(&b.key));
                *model.entry(text(&set)).or_insert(0) += 1;
                match random.below(5) {
                    0 => DECLARED.add(1, (kind, &name, code)),
                    1 => u64_counter!("declared", "Every form of label at once.", 1, set),
                    2 => u64_counter!("declared", "Every form of label at once.", 1, name = name, kind = kind, code = code),
                    3 => u64_counter!("declared", "Every form of label at once.", 1, "code" => code, "kind" => kind, "name" => &name),
                    _ => {
                        // The same with a key that stands twice: the last value counts.
                        let mut twice = vec![KeyValue::new("name", "first")];
                        twice.extend(set);
                        u64_counter!("declared", "Every form of label at once.", 1, twice);
                    }
                }
            }
        });
        assert_eq!(read(&store, "declared"), model);
    }
}

#[test]
fn a_gauge_whose_labels_all_fall_away_is_the_gauge_without_labels() {
    let store = Store::new();
    let only = |metric: &str| {
        let families = store.collect();
        let family = families.iter().find(|family| family.definition.name() == metric).expect("it was set");
        let [series] = &family.series[..] else { panic!("one series, not {:?}", family.series) };
        assert_eq!(*series.labels, LabelSet::default());
        let Point::F64(value) = series.point else { panic!("{series:?}") };
        value
    };
    let set = |value: f64, labels: &[KeyValue]| store.scope(|| f64_gauge!("level", "", value, labels));
    let nameless = [KeyValue::new("", "cellar")];
    // Whichever comes first makes the series, and the last one counts.
    for round in 0..2 {
        let value = |at: u8| f64::from(10 * round + at);
        set(value(1), &nameless);
        assert_eq!(only("level"), value(1));
        store.scope(|| f64_gauge!("level", "", value(2)));
        assert_eq!(only("level"), value(2));
        store.scope(|| LEVEL.set(value(3), (None,)));
        assert_eq!(only("level"), value(3));
        set(value(4), &[]);
        assert_eq!(only("level"), value(4));
        store.scope(|| LEVEL.add(1.0, (None,)));
        assert_eq!(only("level"), value(5));
        let bound = store.scope(|| LEVEL.bind((None,)));
        bound.set(value(6));
        assert_eq!(only("level"), value(6));
        set(value(7), &nameless);
        assert_eq!(only("level"), value(7));
        bound.add(1.0);
        assert_eq!(only("level"), value(8));
    }
    assert!(store.problems().iter().any(|problem| problem.message.contains("a label without a name")));
    // Labels that stay make a series of their own.
    store.scope(|| LEVEL.set(1.0, (Some("cellar"),)));
    let families = store.collect();
    assert_eq!(families.iter().map(|family| family.series.len()).sum::<usize>(), 2);

    store.scope(|| f64_gauge!("observed", "", 1.0));
    let _observation = store.scope(|| OBSERVED.observe(|o| o.set(2.0, (None,))));
    assert_eq!(only("observed"), 2.0);
}
