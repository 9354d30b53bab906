//! Any recordings as a page: valid to the letter of text format 0.0.4, and every value reads back as it was recorded.
//!
//! The page is read by a parser of its own, which forgives nothing. Each metric alone must give its series with their
//! labels and values; all metrics on one page must give the same samples, but for those whose names collide.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use libfuzzer_sys::fuzz_target;
use metercast::reading::{Point, Series};
use metercast::{Definition, Kind, LabelSet, Log, PrometheusPage, Store, Value};
use metercast_fuzz::{Input, stores};

/// The labels of a sample: sorted, each name once.
type Labels = BTreeMap<String, String>;

/// A number as it stands on the page.
type Number<'a> = &'a str;

/// A metric, and its series in the order in which the page has them.
struct Family {
    definition: &'static Definition,
    series: Vec<Series>,
}

/// A family as it stands on the page.
#[derive(Debug, PartialEq)]
struct Parsed<'a> {
    kind: &'a str,
    help: Option<String>,
    /// By name of the sample and its labels.
    samples: BTreeMap<(&'a str, Labels), Number<'a>>,
}

fn parse(page: &str) -> BTreeMap<&str, Parsed<'_>> {
    let mut families: BTreeMap<&str, Parsed<'_>> = BTreeMap::new();
    if page.is_empty() {
        return families;
    }
    let lines = page.strip_suffix('\n').expect("the last line ends as well");
    let mut help: Option<(&str, String)> = None;
    let mut current: Option<&str> = None;
    for line in lines.split('\n') {
        assert!(!line.is_empty(), "an empty line");
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, text) = rest.split_once(' ').expect("a name and a text");
            assert!(help.is_none(), "two texts for one family");
            help = Some((name, unescaped(text, false)));
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a name and a kind");
            assert!(is_metric_name(name), "{name:?}");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{kind:?}");
            let help = help.take().map(|(of, text)| {
                assert_eq!(of, name, "a text of another family");
                text
            });
            let family = Parsed { kind, help, samples: BTreeMap::new() };
            assert!(families.insert(name, family).is_none(), "{name} stands twice");
            current = Some(name);
        } else {
            let family =
                families.get_mut(current.expect("a type comes before samples")).expect("it was put there");
            let (name, labels, number) = sample(line);
            let suffix =
                name.strip_prefix(current.unwrap_or_default()).expect("samples stand under their family");
            let suffixes: &[&str] =
                if family.kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(suffixes.contains(&suffix), "{name} under {current:?}");
            assert!(family.samples.insert((name, labels), number).is_none(), "{line:?} stands twice");
            assert!(help.is_none(), "a text without a type");
        }
    }
    assert!(families.values().all(|family| !family.samples.is_empty()), "a family without samples");
    families
}

/// `name{a="1",b="2"} 3`
fn sample(line: &str) -> (&str, Labels, Number<'_>) {
    let name_ends = line.find(['{', ' ']).expect("a name ends");
    let (name, mut rest) = line.split_at(name_ends);
    assert!(is_metric_name(name), "{name:?}");
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, value) = rest.split_once("=\"").expect("a label has a value");
            assert!(is_label_name(label), "{label:?}");
            let end = closing_quote(value).expect("the value ends");
            let (value, after) = value.split_at(end);
            assert!(
                labels.insert(label.to_owned(), unescaped(value, true)).is_none(),
                "{label} stands twice"
            );
            rest = &after[1..];
            match rest.split_at(1) {
                (",", more) => rest = more,
                ("}", more) => break rest = more,
                other => panic!("after a label: {other:?}"),
            }
        }
    }
    let number = rest.strip_prefix(' ').expect("a space before the number");
    assert!(["NaN", "+Inf", "-Inf"].contains(&number) || is_finite_number(number), "{number:?}");
    (name, labels, number)
}

fn is_finite_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.e".contains(&byte))
        && text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn is_metric_name(name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit())
}

/// Names that begin with two `_` are the server's own.
fn is_label_name(name: &str) -> bool {
    is_metric_name(name) && !name.contains(':') && !name.starts_with("__")
}

/// Where an unescaped quote stands first.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        if !escaped && c == '"' {
            return Some(at);
        }
        escaped = !escaped && c == '\\';
        None
    })
}

fn unescaped(text: &str, quote: bool) -> String {
    let mut plain = String::new();
    let mut runes = text.chars();
    while let Some(rune) = runes.next() {
        plain.push(match rune {
            '\\' => match runes.next() {
                Some('\\') => '\\',
                Some('n') => '\n',
                Some('"') if quote => '"',
                other => panic!("no escape: {other:?} in {text:?}"),
            },
            rune => rune,
        });
    }
    plain
}

/// The labels that a series must have on a page, from the words of the specification.
fn spelled(set: &LabelSet, kind: Kind) -> Labels {
    let mut labels = Labels::new();
    for (key, value) in set.iter() {
        let mut name = String::new();
        for rune in key.chars() {
            let rune = if rune.is_ascii_alphanumeric() { rune } else { '_' };
            if rune != '_' || !name.ends_with('_') {
                name.push(rune);
            }
        }
        if name.starts_with(|first: char| first.is_ascii_digit()) {
            name = format!("key_{name}");
        }
        if kind == Kind::Histogram && name == "le" {
            name = "exported_le".to_owned();
        }
        let value = match value {
            Value::F64(value) => double(*value),
            other => other.to_string(),
        };
        labels.entry(name).and_modify(|there| *there += &format!(";{value}")).or_insert(value);
    }
    labels.retain(|_, value| !value.is_empty());
    labels
}

/// A double in a label's value: as the page spells a sample of it, so that both are compared as text.
fn double(value: f64) -> String {
    if !value.is_finite() {
        let sign = if value > 0.0 { "+Inf" } else { "-Inf" };
        return if value.is_nan() { "NaN" } else { sign }.to_owned();
    }
    let page = GAUGE.with(|store| {
        store.scope(|| metercast::f64_gauge!("one", "", value));
        PrometheusPage::new("double", Log::default()).render(store)
    });
    let text = page.trim_end().rsplit(' ').next().expect("a number").to_owned();
    assert!(is_double(&text, value), "{text:?} is not {value:?}");
    text
}

thread_local! {
    static GAUGE: Store = Store::new();
}

fn is_double(text: &str, value: f64) -> bool {
    match text {
        "NaN" => value.is_nan(),
        "+Inf" => value == f64::INFINITY,
        "-Inf" => value == f64::NEG_INFINITY,
        text => text.parse::<f64>().is_ok_and(|read| read.to_bits() == value.to_bits()),
    }
}

/// The values of a family by the labels that its series have on a page. Series whose labels look the same there are
/// added up; of gauges the first stays.
fn expected(family: &Family) -> BTreeMap<Labels, Point> {
    let kind = family.definition.kind();
    let mut points: BTreeMap<Labels, Point> = BTreeMap::new();
    for series in &family.series {
        match points.get_mut(&spelled(&series.labels, kind)) {
            None => {
                points.insert(spelled(&series.labels, kind), series.point.clone());
            }
            Some(_) if kind == Kind::Gauge => {}
            Some(Point::U64(sum)) => *sum = sum.wrapping_add(whole(&series.point) as u64),
            Some(Point::I64(sum)) => *sum = sum.wrapping_add(whole(&series.point) as i64),
            Some(Point::F64(sum)) => match series.point {
                Point::F64(value) => *sum += value,
                ref other => panic!("a double beside {other:?}"),
            },
            Some(Point::Histogram(sum)) => match &series.point {
                Point::Histogram(buckets) => {
                    assert_eq!(sum.bounds, buckets.bounds);
                    for (to, count) in sum.counts.iter_mut().zip(&buckets.counts) {
                        *to += count;
                    }
                    sum.sum += buckets.sum;
                }
                other => panic!("a histogram beside {other:?}"),
            },
            Some(other) => panic!("a point of a new kind: {other:?}"),
        }
    }
    points
}

fn whole(point: &Point) -> i128 {
    match point {
        Point::U64(value) => (*value).into(),
        Point::I64(value) => (*value).into(),
        other => panic!("no whole number: {other:?}"),
    }
}

/// A page of this family alone says what the family holds.
fn check_alone<'a>(name: &'a str, parsed: &Parsed<'a>, family: &Family) {
    let definition = family.definition;
    let kind = match definition.kind() {
        Kind::Counter => "counter",
        Kind::Histogram => "histogram",
        _ => "gauge",
    };
    assert_eq!(parsed.kind, kind);
    assert_eq!(parsed.help.as_deref().unwrap_or_default(), definition.description());
    assert!(kind != "counter" || name.ends_with("_total"), "{name}");
    let mut samples = 0;
    for (labels, point) in expected(family) {
        let number = |suffix: &str, labels: &Labels| {
            let name = format!("{name}{suffix}");
            let found = parsed.samples.get(&(name.as_str(), labels.clone()));
            *found.unwrap_or_else(|| panic!("no sample {name} {labels:?}"))
        };
        match &point {
            Point::U64(value) => assert_eq!(number("", &labels), value.to_string()),
            Point::I64(value) => assert_eq!(number("", &labels), value.to_string()),
            Point::F64(value) => {
                let number = number("", &labels);
                assert!(is_double(number, *value), "{number} is not {value}");
            }
            Point::Histogram(buckets) => {
                let mut below = 0;
                let bounds = buckets.bounds.iter().copied().chain([f64::INFINITY]);
                for (count, bound) in buckets.counts.iter().zip(bounds) {
                    below += count;
                    let mut labels = labels.clone();
                    labels.insert("le".to_owned(), double(bound));
                    assert_eq!(number("_bucket", &labels), below.to_string());
                }
                assert_eq!(number("_count", &labels), below.to_string());
                assert!(is_double(number("_sum", &labels), buckets.sum));
                samples += buckets.counts.len() + 1;
            }
            other => panic!("a point of a new kind: {other:?}"),
        }
        samples += 1;
    }
    assert_eq!(parsed.samples.len(), samples, "as many samples as there should be");
}

fn page(store: &Store) -> String {
    let exporter = PrometheusPage::new("fuzzed", Log::to(|_, _| {}));
    let page = exporter.render(store);
    assert_eq!(exporter.render(store), page, "two pages of one store are the same bytes");
    page
}

/// What a store holds, but for what metercast says of itself.
fn families(store: &Store) -> Vec<Family> {
    store.read(|reading| {
        let families = reading.families().map(|family| {
            let mut series = Vec::new();
            family.each(|view| series.push(Series::from(view)));
            Family { definition: family.definition(), series }
        });
        families.filter(|family| !family.series.is_empty() && !is_own(family.definition.name())).collect()
    })
}

fn is_own(name: &str) -> bool {
    name.starts_with("metercast.") || name.starts_with("metercast_")
}

/// The names of all samples that a family may have.
fn names(name: &str, parsed: &Parsed<'_>) -> BTreeSet<String> {
    let suffixes: &[&str] =
        if parsed.kind == "histogram" { &["", "_bucket", "_sum", "_count"] } else { &[""] };
    suffixes.iter().map(|suffix| format!("{name}{suffix}")).collect()
}

fuzz_target!(|bytes: &[u8]| {
    let Some(recorded) = stores(&mut Input::new(bytes)) else { return };
    let all = page(&recorded.all);
    let all = parse(&all);
    let families = families(&recorded.all);
    let pages: Vec<String> =
        families.iter().map(|family| page(&recorded.alone[family.definition.name()])).collect();
    let alone: Vec<_> = (pages.iter())
        .map(|page| {
            let mut parsed = parse(page);
            parsed.retain(|name, _| !is_own(name));
            assert_eq!(parsed.len(), 1, "one metric, one family");
            parsed.pop_first().expect("a family has a page")
        })
        .collect();
    let taken: Vec<_> = alone.iter().map(|(name, parsed)| names(name, parsed)).collect();
    for (at, (name, parsed)) in alone.iter().enumerate() {
        check_alone(name, parsed, &families[at]);
        let collides =
            taken.iter().enumerate().any(|(other, names)| other != at && !names.is_disjoint(&taken[at]));
        if !collides {
            assert_eq!(all.get(name), Some(parsed), "{name} on the page of all");
        }
    }
});
