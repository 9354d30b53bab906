//! Pages of many stores, beside those of a writer that takes its time.

use std::collections::HashMap;

mod conflicts;
mod formats;
mod options;
mod reader;
mod scopes;

use metercast_core::__private::{Adhoc, Descriptor, Scope};
use metercast_core::reading::{FamilyView, LabelsView, PointView, ValueView};
use metercast_core::{KeyValue, Kind, NumberType, Store, Value, metrics};
use metercast_core::{
    f64_counter, f64_gauge, f64_histogram, i64_gauge, i64_up_down_counter, u64_counter, u64_gauge,
};

use super::super::{Format, PageFormat};
use super::{PrometheusPage, Selection};
use crate::log::Log;

metrics! {
    /// How long it took.
    static TIME: Histogram<f64> = "page.time" { unit: "s", buckets: [0.1, 0.25, 1.0], labels: { route: &str, ok: bool } };
    /// Sizes.
    static SIZE: Histogram<u64> = "page.size" { unit: "By", exponential: true, labels: { route: &str } };
    /// Waits.
    static WAIT: Summary<f64> = "page.wait" { unit: "s", quantiles: [0.5, 0.99], labels: { quantile: &str } };
}

pub(in crate::export::prometheus) struct Lcg(pub(in crate::export::prometheus) u64);

impl Lcg {
    pub(in crate::export::prometheus) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn text(&mut self) -> String {
        const PARTS: [&str; 10] =
            ["a", "GET", "/orders/{id}", "\"", "\\", "\n", "ü🦀", " ", "0123456789", "="];
        let parts = match self.below(40) {
            0 => 200,
            other => other % 5,
        };
        // Mostly texts that have nothing to be escaped, since they go another way.
        let among = if self.below(4) == 0 { PARTS.len() as u64 } else { 3 };
        (0..parts).map(|_| PARTS[self.below(among) as usize]).collect()
    }

    /// Small, large, and everything between.
    fn number(&mut self) -> u64 {
        let wide = self.below(1 << 31) << 33 | self.below(1 << 31) << 2;
        wide >> self.below(64)
    }

    fn double(&mut self) -> f64 {
        match self.below(4) {
            0 => self.number() as f64,
            1 => self.below(100) as f64,
            2 => -0.0,
            _ => (self.number() as f64 + 1.0) / (self.number() as f64 + 1.0),
        }
    }

    fn maybe<T>(&mut self, value: T) -> Option<T> {
        (self.below(3) > 0).then_some(value)
    }

    fn label(&mut self) -> Value {
        match self.below(5) {
            0 => self.below(20).into(),
            1 => self.number().into(),
            2 => self.double().into(),
            3 => (self.below(2) == 0).into(),
            _ => self.text().into(),
        }
    }
}

/// Records something somewhere.
fn record(random: &mut Lcg) {
    let (one, two, three) = (random.text(), random.text(), random.text());
    let small = random.below(1000);
    match random.below(20) {
        0 => {
            u64_counter!("page.plain", "No labels", random.number());
        }
        1 => {
            u64_counter!("page.one", "One \\ label\n\"quoted\"", random.number(), "text" => one);
        }
        2 => {
            u64_counter!("page.three", "", 1, "method" => one, "the.route" => two, "status" => small);
        }
        3 => {
            f64_counter!("page.double", "", random.double().abs(), "a" => one, "b" => random.maybe(small as i64 - 500));
        }
        4 => {
            i64_up_down_counter!("page.level", "", random.number() as i64, "a" => random.maybe(one), "b" => small < 500);
        }
        5 => {
            f64_gauge!("page.gauge", "", random.double(), "x" => random.double());
        }
        6 => {
            i64_gauge!("page.signed", "", random.number() as i64, "x" => random.number());
        }
        7 => TIME.record(random.double(), (&one, small < 500)),
        8 => {
            f64_histogram!("page.bare", "", random.double());
        }
        9 => {
            f64_histogram!("page.own", "", random.double(), "le" => one, "b" => random.maybe(two));
        }
        10 => SIZE.record(random.number() >> 10, (&one,)),
        11 => WAIT.record(random.double(), (&one,)),
        // The same labels in another order, and numbers that are spelled like texts.
        12 => {
            u64_counter!("page.mixed", "", 1, "a" => small % 3, "b" => small % 2);
        }
        13 => {
            u64_counter!("page.mixed", "", 10, "b" => (small % 2).to_string(), "a" => (small % 3).to_string());
        }
        14 => {
            f64_histogram!("page.mixed.times", "", 0.5, "a" => small % 3);
        }
        15 => {
            f64_histogram!("page.mixed.times", "", 2.0, "a" => (small % 3).to_string());
        }
        16 => {
            u64_counter!("page.joined", "", 1, "a.b" => one, "a_b" => small % 5, "c" => two);
        }
        17 => {
            u64_counter!("page_met", "Second", 100, "a" => small % 4);
        }
        18 => {
            u64_counter!("page.five", "", 1, "a" => one, "b" => two, "c" => small % 3, "d" => three, "e" => random.double());
        }
        _ => {
            let keys = ["a", "b.c", "d", "e", "f", "g"];
            let labels: Vec<KeyValue> = keys[..random.below(7) as usize]
                .iter()
                .filter_map(|key| {
                    Some(KeyValue::new((*key).to_owned(), random.label())).filter(|_| small > 0)
                })
                .collect();
            any().add::<u64>(1, &labels[..]);
        }
    }
}

/// A counter that takes any labels.
fn any() -> &'static Adhoc {
    use std::sync::OnceLock;
    static ANY: OnceLock<&Adhoc> = OnceLock::new();
    ANY.get_or_init(|| {
        let scope = Scope::new("page", "1");
        let descriptor = Descriptor::new("page.any", Kind::Counter, NumberType::U64, scope, "tests.rs", 1);
        Box::leak(Box::new(Adhoc::new(Box::leak(Box::new(descriptor)))))
    })
}

/// A store in which something was recorded so often.
pub(in crate::export::prometheus) fn filled(random: &mut Lcg, times: u64) -> Store {
    let store = Store::new();
    store.scope(|| {
        // It has the name, so that whose description stands there does not depend on chance.
        u64_counter!("page.met", "First", 1, "a" => 1);
        (0..times).for_each(|_| record(random));
    });
    store
}

/// The page, made without hurry.
fn expected(store: &Store) -> String {
    let mut pages: Vec<(String, String)> = Vec::new();
    store.read(|reading| {
        let mut merged: HashMap<String, (String, Vec<Line>)> = HashMap::new();
        for family in reading.families() {
            let definition = family.definition();
            let kind = match definition.kind() {
                Kind::Counter => "counter",
                Kind::Histogram => "histogram",
                Kind::Summary => "summary",
                _ => "gauge",
            };
            let unit = match definition.unit() {
                "s" => "_seconds",
                "By" => "_bytes",
                _ => "",
            };
            let total = if kind == "counter" { "_total" } else { "" };
            let name = format!("{}{unit}{total}", definition.name().replace('.', "_"));
            let help = definition.description().replace('\\', "\\\\").replace('\n', "\\n");
            let help = if help.is_empty() { help } else { format!("# HELP {name} {help}\n") };
            let classic = classic(&family);
            family.each(|series| {
                let header = format!("{help}# TYPE {name} {kind}\n");
                let (_, all) = merged.entry(name.clone()).or_insert((header, Vec::new()));
                let labels = spelled(&series.labels, kind);
                let mut sorted = labels.clone();
                sorted.sort();
                let value = Sum::of(&series.value, &classic);
                match all.iter_mut().find(|(there, ..)| *there == sorted) {
                    Some((_, _, sum)) if definition.kind() != Kind::Gauge => sum.add(&value),
                    Some(_) => {}
                    None => all.push((sorted, labels, value)),
                }
            });
        }
        for (name, (header, all)) in merged {
            let lines = all.iter().flat_map(|(_, labels, value)| value.lines(&name, labels));
            pages.push((name.clone(), header + &lines.collect::<String>()));
        }
    });
    pages.sort();
    pages.into_iter().map(|(_, text)| text).collect()
}

/// The bounds that all series of an exponential histogram have.
fn classic(family: &FamilyView<'_>) -> Vec<f64> {
    let (mut has_zero, mut low, mut high) = (false, f64::INFINITY, f64::NEG_INFINITY);
    family.each(|series| {
        let PointView::Exponential(view) = series.value else { return };
        has_zero |= view.zero_count + view.negative.count() > 0;
        if let Some(last) = view.positive.counts.len().checked_sub(1) {
            low = low.min(view.upper_bound(view.positive.offset - 1).log2());
            high = high.max(view.upper_bound(view.positive.offset + last as i32).log2());
        }
    });
    let zero = has_zero.then_some(0.0);
    let steps = (0..).map(|power| f64::from(1 << power));
    let ends = steps.map(|step| (step, (low / step).floor(), (high / step).ceil()));
    let Some((step, low, high)) = ends.into_iter().find(|(_, low, high)| high - low <= 40.0) else {
        return vec![];
    };
    let powers = (0..=(high - low) as usize).map(|at| ((low + at as f64) * step).exp2());
    zero.into_iter().chain(powers.filter(|_| low.is_finite())).collect()
}

/// The labels of a series, sorted and as they are shown, and its value.
type Line = (Vec<String>, Vec<String>, Sum);

enum Sum {
    Unsigned(u64),
    Signed(i64),
    Double(f64),
    Parts { label: &'static str, parts: Vec<(f64, f64)>, sum: f64, count: u64 },
}

impl Sum {
    fn of(value: &PointView<'_>, classic: &[f64]) -> Sum {
        let buckets = |bounds: &[f64], counts: &[u64], sum| {
            let bounds = bounds.iter().copied().chain([f64::INFINITY]);
            let mut below = 0;
            let parts = bounds.zip(counts).map(|(bound, count)| {
                below += count;
                (bound, below as f64)
            });
            Sum::Parts { label: "le", parts: parts.collect(), sum, count: below }
        };
        match *value {
            PointView::U64(value) => Sum::Unsigned(value),
            PointView::I64(value) => Sum::Signed(value),
            PointView::F64(value) => Sum::Double(value),
            PointView::Histogram(view) => buckets(view.bounds, view.counts, view.sum),
            PointView::Exponential(view) => {
                let upper = |index: usize| view.upper_bound(view.positive.offset + index as i32);
                let up_to = |bound: f64| {
                    let positive = view.positive.counts.iter().enumerate();
                    let positive = positive.filter(|(index, _)| upper(*index) <= bound);
                    view.zero_count + view.negative.count() + positive.map(|(_, count)| count).sum::<u64>()
                };
                let bounds = classic.iter().chain([&f64::INFINITY]);
                let parts = bounds.map(|bound| (*bound, up_to(*bound) as f64)).collect();
                Sum::Parts { label: "le", parts, sum: view.sum, count: view.count() }
            }
            PointView::Summary(view) => Sum::Parts {
                label: "quantile",
                parts: view.quantiles.to_vec(),
                sum: view.sum,
                count: view.count,
            },
            _ => panic!("{value:?}"),
        }
    }

    fn add(&mut self, other: &Sum) {
        match (self, other) {
            (Sum::Unsigned(to), Sum::Unsigned(value)) => *to = to.wrapping_add(*value),
            (Sum::Signed(to), Sum::Signed(value)) => *to = to.wrapping_add(*value),
            (Sum::Double(to), Sum::Double(value)) => *to += value,
            (
                Sum::Parts { label, parts, sum, count },
                Sum::Parts { parts: more, sum: and, count: many, .. },
            ) => {
                if *label == "le" {
                    parts.iter_mut().zip(more).for_each(|(to, (_, value))| to.1 += value);
                } else {
                    parts.clear();
                }
                *sum += and;
                *count += many;
            }
            _ => panic!("no metric is like this"),
        }
    }

    fn lines(&self, name: &str, labels: &[String]) -> Vec<String> {
        let braced = |labels: &[String]| match labels {
            [] => String::new(),
            labels => format!("{{{}}}", labels.join(",")),
        };
        let all = braced(labels);
        match self {
            Sum::Unsigned(value) => vec![format!("{name}{all} {value}\n")],
            Sum::Signed(value) => vec![format!("{name}{all} {value}\n")],
            Sum::Double(value) => vec![format!("{name}{all} {}\n", double(*value))],
            Sum::Parts { label, parts, sum, count } => {
                let suffix = if *label == "le" { "_bucket" } else { "" };
                let part = |(at, value): &(f64, f64)| {
                    let mut labels = labels.to_vec();
                    labels.push(format!("{label}=\"{}\"", double(*at)));
                    format!("{name}{suffix}{} {}\n", braced(&labels), double(*value))
                };
                let sum = format!("{name}_sum{all} {}\n", double(*sum));
                parts.iter().map(part).chain([sum, format!("{name}_count{all} {count}\n")]).collect()
            }
        }
    }
}

fn double(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        value => super::super::number::with_double(value, str::to_owned),
    }
}

fn spelled(labels: &LabelsView<'_>, kind: &str) -> Vec<String> {
    let mut named: Vec<(String, Vec<(&str, String)>)> = Vec::new();
    for (key, value) in labels.keys().zip(labels.values()) {
        let name = match (key, kind) {
            ("le", "histogram") | ("quantile", "summary") => format!("exported_{key}"),
            (key, _) => key.replace('.', "_"),
        };
        let value = match value {
            ValueView::Text(text) => text.to_owned(),
            ValueView::Packed(text) => text.with(str::to_owned),
            ValueView::Bool(value) => value.to_string(),
            ValueView::I64(value) => value.to_string(),
            ValueView::U64(value) => value.to_string(),
            ValueView::F64(value) => double(value),
            _ => continue,
        };
        match named.iter_mut().find(|(there, _)| *there == name) {
            Some((_, values)) => values.push((key, value)),
            None => named.push((name, vec![(key, value)])),
        }
    }
    let mut spelled = Vec::new();
    for (name, mut values) in named {
        values.sort();
        let value = values.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join(";");
        let value = value.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n");
        if !value.is_empty() {
            spelled.push(format!("{name}=\"{value}\""));
        }
    }
    spelled
}

fn page() -> PrometheusPage {
    PrometheusPage::new("test", Log::to(|_, _| {}))
}

/// The first line that differs, so that a failure can be read.
fn assert_same(page: &str, expected: &str) {
    for (at, (line, expected)) in page.lines().zip(expected.lines()).enumerate() {
        assert_eq!(line, expected, "line {at}");
    }
    assert_eq!(page.len(), expected.len());
}

#[test]
fn a_page_knows_how_many_series_it_has_however_they_are_written() {
    let store = Store::new();
    store.scope(|| {
        for n in 0..3 {
            u64_gauge!("points.uniform", "", 1, "n" => n);
        }
        // Two sets of keys; two values that are spelled alike; two metrics of one name.
        u64_counter!("points.mixed", "", 1, "a" => "1");
        u64_counter!("points.mixed", "", 1, "b" => "1");
        u64_counter!("points.merged", "", 1, "n" => 1.to_string());
        u64_counter!("points.merged", "", 1, "n" => 1);
        u64_gauge!("points.same", "", 1, "n" => 1);
        u64_gauge!("points_same", "", 1, "n" => 2);
        f64_histogram!("points.times", "", 0.5);
    });
    for format in [Format::Text0, Format::OpenMetrics1, Format::Protobuf] {
        let page = PrometheusPage::new("test", Log::to(|_, _| {}));
        let format = PageFormat { format, ..PageFormat::default() };
        let points = page.write_selected(&store, format, &Selection::default(), &mut |_| {});
        assert_eq!(points, 9, "{format:?}");
    }
}

#[test]
fn pages_are_those_of_a_writer_that_takes_its_time() {
    let mut random = Lcg(1);
    let kept = page();
    for times in [0, 1, 3, 10, 100, 1000, 5000].into_iter().chain([60; 200]) {
        let store = filled(&mut random, times);
        let expected = expected(&store);
        // What is kept from other stores changes nothing, nor does it if nothing is.
        assert_same(&kept.render(&store), &expected);
        assert_same(&page().render(&store), &expected);
    }
}

#[test]
fn two_pages_of_an_unchanged_store_are_the_same() {
    let store = filled(&mut Lcg(2), 2000);
    let page = page();
    assert_same(&page.render(&store), &page.render(&store));
}

#[test]
fn chunks_are_small_and_make_the_whole() {
    let store = filled(&mut Lcg(3), 5000);
    let page = page();
    let mut chunks = Vec::new();
    page.write(&store, &mut |chunk| chunks.push(chunk.to_vec()));
    assert!(chunks.iter().all(|chunk| (1..=16 * 1024).contains(&chunk.len())));
    let whole = String::from_utf8(chunks.concat()).unwrap();
    assert!(chunks.len() <= whole.len() / (8 * 1024), "{} for {}", chunks.len(), whole.len());
    assert_same(&whole, &page.render(&store));
}

#[test]
fn a_line_may_be_longer_than_a_chunk() {
    let store = Store::new();
    let labels: Vec<KeyValue> =
        (0..20).map(|at| KeyValue::new(format!("key{at:02}"), "\"x".repeat(512))).collect();
    store.scope(|| any().add::<u64>(7, &labels[..]));
    let page = page().render(&store);
    let line = page.lines().last().unwrap();
    assert!(line.len() > 20 * 1536 && line.ends_with("\"} 7"), "{}", line.len());
    assert_same(&page, &expected(&store));
}

#[test]
fn lines_of_every_length_fit_where_they_stand() {
    // Around the ends of blocks, of short lines and of chunks.
    let (store, page) = (Store::new(), page());
    store.scope(|| {
        for length in 0..700 {
            let (one, two) = ("x".repeat(length), "y".repeat(length % 33));
            u64_counter!("page.lengths", "", length as u64, "a" => one, "b" => two, "c" => length);
            f64_histogram!("page.lengths.times", "", 0.5, "a" => one, "b" => two);
        }
    });
    assert_same(&page.render(&store), &expected(&store));
}

#[test]
fn more_kinds_of_keys_than_are_kept_are_spelled_all_the_same() {
    let (store, page) = (Store::new(), page());
    store.scope(|| {
        for at in 0..300 {
            let labels = [KeyValue::new(format!("key{}", at % 150), at)];
            any().add::<u64>(1, &labels[..]);
        }
    });
    assert_same(&page.render(&store), &expected(&store));
    assert_same(&page.render(&store), &expected(&store));
}

#[test]
fn a_callback_and_a_log_may_make_a_page_themselves() {
    use std::sync::{Arc, OnceLock};
    let store = Store::new();
    store.scope(|| {
        u64_gauge!("page.clash", "", 1);
        u64_counter!("page.clash.total", "", 1);
        u64_gauge!("page.clash_total", "", 1);
    });
    let said: Arc<OnceLock<String>> = Arc::default();
    let page: Arc<OnceLock<PrometheusPage>> = Arc::default();
    let log = Log::to({
        let (store, said, page) = (store.clone(), Arc::clone(&said), Arc::clone(&page));
        move |_, _| drop(said.set(page.get().unwrap().render(&store)))
    });
    let page = page.get_or_init(|| PrometheusPage::new("test", log));
    let first = page.render(&store);
    assert_eq!(said.get(), Some(&first));
}
