//! Random label sets against a model: equal sets are one series in any order and spelling, different ones never.

use std::collections::BTreeMap;

use metercast_core::reading::Point;
use metercast_core::{
    Instrument, KeyValue, Kind as Metric, LabelSet, NumberType, Store, Value, ValueRef, f64_gauge, labels,
    metrics, u64_counter,
};

labels! { enum Kind { Small, Large } }

metrics! {
    /// Every form of label at once.
    static DECLARED: Counter<u64> = "declared" { labels: { kind: Kind, name: &str, code: Option<u16> } };
    /// More labels than are packed.
    static MANY: Counter<u64> = "many" {
        labels: { a: Option<&str>, b: Option<&str>, c: Option<&str>, d: Option<&str>, e: Option<&str>, f: Option<&str> }
    };
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

    /// Any value, of up to 400 bytes.
    fn any_value(&mut self) -> Value {
        if self.below(3) > 0 {
            return self.value();
        }
        let most = [400, 70, 70][self.below(3)];
        let length = self.below(most);
        Value::from((0..length).map(|_| ['a', 'b'][self.below(2)]).collect::<String>())
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

/// Up to twelve labels in any order, by every way to give them, with series that come and go.
#[test]
fn many_and_long_labels_agree_with_a_model_however_they_are_given() {
    const KEYS: [&str; 12] =
        ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "a key that is longer than a few words"];
    let built = Instrument::builder(Metric::Counter, NumberType::U64, "many").build().unwrap();
    let mut random = Random(13);
    // Few of them, so that series are met again, in orders that are and in others.
    let mut orders: Vec<Vec<usize>> = (0..24).map(|_| (0..random.below(13)).collect()).collect();
    for order in &mut orders {
        let mut all: Vec<usize> = (0..KEYS.len()).collect();
        for key in order.iter_mut() {
            *key = all.swap_remove(random.below(all.len()));
        }
    }
    let values: Vec<Value> = (0..40).map(|_| random.any_value()).collect();
    for _ in 0..rounds(50) {
        let store = Store::new();
        let mut model = BTreeMap::new();
        for at in 0..4_000 {
            let order = &orders[random.below(orders.len())];
            let mut of_key: [Option<&Value>; KEYS.len()] = [None; KEYS.len()];
            let different = if at % 2 == 0 { 2 } else { values.len() };
            for key in order {
                of_key[*key] = Some(&values[random.below(different)]).filter(|_| random.below(10) > 0);
            }
            let set: Vec<KeyValue> = (0..KEYS.len())
                .filter_map(|key| Some(KeyValue::new(KEYS[key], of_key[key]?.clone())))
                .collect();
            let mut sorted = set.clone();
            sorted.sort_by(|a, b| a.key.cmp(&b.key));
            let series = text(&sorted);
            if random.below(20) == 0 {
                assert_eq!(store.remove("many", set.clone()), model.remove(&series).is_some(), "{series}");
                if random.below(10) == 0 {
                    store.collect();
                }
                continue;
            }
            if model.len() >= 1_900 && !model.contains_key(&series) {
                continue;
            }
            *model.entry(series).or_insert(0) += 1;
            let [a, b, c, d, e, f, g, h, ..] = of_key;
            let most = of_key.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
            let texts_of_six = || {
                let text = |value: Option<&Value>| match value {
                    None => Some(None),
                    Some(Value::String(text)) => Some(Some(text.to_string())),
                    Some(_) => None,
                };
                if most > 6 {
                    None
                } else {
                    Some([text(a)?, text(b)?, text(c)?, text(d)?, text(e)?, text(f)?])
                }
            };
            store.scope(|| match (random.below(4), most, texts_of_six()) {
                (0, ..=4, _) => u64_counter!("many", "More labels than are packed.", 1, "b" => b, "a" => a, "d" => d, "c" => c),
                (0, ..=8, _) => {
                    u64_counter!("many", "More labels than are packed.", 1, "h" => h, "b" => b, "a" => a, "d" => d, "c" => c, "g" => g, "e" => e, "f" => f);
                }
                (1, ..=8, _) => {
                    u64_counter!("many", "More labels than are packed.", 1, a = a, b = b, c = c, d = d, e = e, f = f, g = g, h = h);
                }
                (2, ..) => u64_counter!("many", "More labels than are packed.", 1, set),
                (3, _, Some(texts)) => {
                    let [a, b, c, d, e, f] = texts.each_ref().map(Option::as_deref);
                    MANY.add(1, (a, b, c, d, e, f));
                }
                _ => {
                    let value = |key: &usize| of_key[*key].map_or(ValueRef::Absent, ValueRef::from);
                    built.add(1u64, order.iter().map(|key| (KEYS[*key], value(key))));
                }
            });
        }
        assert_eq!(read(&store, "many"), model);
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
